// The arguments of a conversion kernel: plain numbers, so that a kernel compiled for a wide ISA shares no inline code
// with the rest of the program.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/formats/rounding.hpp"

namespace assay {

struct ConvertParams {
  Rounding rounding;
  bool flush_subnormal_inputs;
  bool saturate;                    // also for finite-only formats, which have nothing above
  bool non_temporal;                // the destination is larger than the caches: write around them
  std::uint32_t nan_keep, nan_set;  // code of a NaN = (carried & keep) | set; see NanCode
  int precision, emin;              // of the destination
  std::uint32_t sign_code, max_finite_code;
  std::uint32_t max_finite_bits32;  // the largest float32 that no rounding takes above max_finite_code
  std::uint32_t overflow_code;      // of infinity, or NaN where there is none
  bool overflow_code_signed;  // infinity takes the sign, the NaN of fn and fnuz formats as the policy says
  bool one_zero;              // Specials::fnuz
  int random_bits;            // stochastic rounding, as the rest
  std::uint32_t key_before, key_between;  // the StochasticKey of every element of this call
  std::uint64_t first_index;
};

// src and dst hold n codes, each in the smallest unsigned integer that holds it, at any alignment; they do not
// overlap.
using ConvertFn = void(const void* src, void* dst, std::size_t n, const ConvertParams& params) noexcept;

namespace kernels {
#define CONVERSION(name, ...) ConvertFn name;
#include "reference/formats/conversions.def"
#undef CONVERSION
}  // namespace kernels

}  // namespace assay
