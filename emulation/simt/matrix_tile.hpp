// A fused sum (emulation/units/nvidia) on a tile as small as a warp's: the unit's own vector kernels with operands
// packed in place, where the unit's gemm() would spend most of its time on setting up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulation/units/nvidia/fused_sum.hpp"
#include "emulation/units/nvidia/fused_sum_gemm.hpp"

namespace assay::simt {

// Row-major codes, one a uint64_t.
struct TileOperands {
  std::size_t m = 0, n = 0, k = 0;
  const std::uint64_t* a = nullptr;
  const std::uint64_t* b = nullptr;
  const std::uint64_t* c = nullptr;
  std::uint64_t* d = nullptr;
};

class FusedTile {
 public:
  // Formats of A and B; float32 stands for tf32 with low bits that are ignored.
  FusedTile(const FusedSumSpec& spec, const FormatSpec& a, const FormatSpec& b);

  // The bits of the unit's gemm(). False, with nothing written: this CPU has no vector kernel, or there is a NaN or an
  // infinity among A, B and C.
  bool multiply_add(const TileOperands& tile) const;

 private:
  struct Decoded {
    float value, significand;  // value = significand * 2^exponent
    std::int16_t exponent;
  };
  using DecodeLine = bool (*)(const FusedTile& tile, const std::uint64_t* codes, std::size_t stride,
                              std::size_t count, const FormatSpec& format, Decoded* out);
  struct Operand {
    FormatSpec format;
    DecodeLine decode;
  };

  static Operand operand(const FormatSpec& f);
  template <int drop, int fraction_bits, int exponent_bits>
  static bool decode_bits(const FusedTile&, const std::uint64_t* codes, std::size_t stride, std::size_t count,
                          const FormatSpec&, Decoded* out);
  static bool decode_table(const FusedTile& tile, const std::uint64_t* codes, std::size_t stride,
                           std::size_t count, const FormatSpec& f, Decoded* out);
  bool load_addend(std::uint64_t code, float& x, std::uint8_t& wide) const;
  std::uint64_t result_code(float x) const;

  FusedSumShape shape_;
  Operand a_, b_;
  std::size_t chunk_;
  int lowest_;
  kernels::FusedSumOutput output_;
  const FusedSumKernel* narrow_;  // for 16 lanes and less; null: none runs here
  const FusedSumKernel* broad_;
};

}  // namespace assay::simt
