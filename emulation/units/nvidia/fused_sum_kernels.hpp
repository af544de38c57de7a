// The arguments of the vector paths of a fused sum: decoded rows of A and one panel of columns of B.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::kernels {

// Exponents of A carry this bias, those of B none, so that the 16-bit sum of two is positive as a signed and as an
// unsigned number. A zero operand has the exponent -4000 (plus the bias), which keeps its products below all others
// and tells them apart: no sum of two nonzero ones falls below exponent_bias - 300.
constexpr int exponent_bias = 12000;
constexpr int zero_exponent = -4000;
constexpr int zero_product_below = exponent_bias - 1000;
constexpr int no_floor = -30000;

enum class FusedSumOutput : std::uint8_t { f32, e8m13, f16, f16_steps_f32, f16_steps_f16 };

struct FusedSumTask {
  // [rows][k], rows `a_stride` elements apart. Values as float32; significands are value * 2^-exponent, in (-2, 2), and
  // may be null if no row is `wide`. Exponents: 16 biased bits, twice.
  const float* a_values = nullptr;
  const float* a_significands = nullptr;
  const std::uint32_t* a_exponents = nullptr;
  std::size_t a_stride = 0;
  // [k][columns of a panel]: two vectors of 32-bit lanes. Of the 16-bit exponents, lane j of the first vector and lane
  // j of the second are neighbours.
  const float* b_values = nullptr;
  const float* b_significands = nullptr;
  const std::int16_t* b_exponents = nullptr;
  std::size_t rows = 0;
  std::size_t k = 0;                   // a multiple of the chunk
  float* sums = nullptr;               // [rows][columns of a panel], C on entry
  const std::uint8_t* wide = nullptr;  // [rows]: 1 takes the form for any range
  int terms = 0;
  int fraction = 0;
  int floor = no_floor;
  int lowest = 0;
  FusedSumOutput output = FusedSumOutput::f32;
};

// Of a row that is not wide: nonzero products have exponents from `lowest`, which is no less than lowest_product and
// the floor, to highest_product, so that 2^40 of them stay below 2^128. Where the result is no float16, a C that does
// not come from such a row is zero or has an exponent of `lowest` to highest_addend.
constexpr int lowest_product = -100;
constexpr int highest_product = 80;
constexpr int highest_addend = 110;

using FusedSumFn = void(const FusedSumTask& task) noexcept;
#define FUSED_SUM(isa, columns, description)               \
  constexpr std::size_t fused_sum_columns_##isa = columns; \
  FusedSumFn fused_sum_##isa;
#include "emulation/units/nvidia/fused_sum.def"
#undef FUSED_SUM

}  // namespace assay::kernels
