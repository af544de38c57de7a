// Block-scaled formats: MX (32 elements share a power of two) and NVFP4 (16 share an e4m3 scale, a tensor a float32).
//
// Sources: OCP Microscaling Formats v1.0; NVIDIA's published recipe for NVFP4 (both by literature: no device was
// compared).
//
// Numerics
//   MX       X = 2^(floor(log2 amax) - emax of the element), an e8m0 clamped to its range; elements are RNE(v / X),
//            saturating. A NaN or an infinity in a block: the scale is NaN, the elements are zero. A block of zeros:
//            X = 2^-127.
//   NVFP4    s_t = amax of the tensor / (6 * 448) in float32; s_b = RNE_e4m3(amax of the block / (6 * s_t)),
//            saturating; elements are RNE_e2m1(v / (s_b * s_t)), saturating. Each quotient is formed exactly and
//            rounded once. s_b = 0 gives zeros. A NaN or an infinity in a block: s_b is NaN, the elements are zero;
//            s_t ignores them.
//   integer  no floating-point operation decides a bit, apart from the one division of s_t.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "reference/formats/formats.hpp"

namespace assay {

// A scale of OCP MX: an unsigned power of two, 2^(code - 127); 255 is NaN. No zero, no sign, no infinity.
struct e8m0_t {
  std::uint8_t code;

  static constexpr std::uint8_t nan_code = 255;
  constexpr bool is_nan() const { return code == nan_code; }
  constexpr int exponent() const { return code - 127; }
  double value() const;
  friend constexpr bool operator==(e8m0_t, e8m0_t) = default;
};

enum class ScaleRounding : std::uint8_t {
  down,     // the largest power of two not above x: the OCP rule
  up,       // the smallest not below x
  nearest,  // by value; a tie (1.5 * 2^e) goes to the even code
};
std::string_view scale_rounding_name(ScaleRounding mode);
ScaleRounding parse_scale_rounding(std::string_view name);  // "down", "up", "nearest"; InputError

// x > 0 as a power of two, clamped to 2^-127 ... 2^127. NaN, infinity and x < 0 give NaN; zero gives 2^-127.
e8m0_t encode_e8m0(double x, ScaleRounding mode = ScaleRounding::down);

// One byte each. e8m0: 2^(code - 127), 255 is NaN. ue4m3: an e4m3fn code whose top bit is ignored; 0x7F is NaN.
enum class ScaleFormat : std::uint8_t { e8m0, ue4m3 };
std::string_view scale_format_name(ScaleFormat format);
constexpr std::uint8_t unit_scale(ScaleFormat format) { return format == ScaleFormat::e8m0 ? 127 : 0x38; }
double scale_value(std::uint8_t code, ScaleFormat format);

// How many blocks hold `elements` elements, the last one perhaps in part.
constexpr std::size_t blocks_of(std::size_t elements, std::size_t block) {
  return elements / block + (elements % block != 0 ? 1 : 0);
}

// Which scales an arithmetic reads.
struct ScaleUse {
  ScaleFormat format = ScaleFormat::e8m0;
  std::size_t block = 32;  // elements along k that share one

  bool operator==(const ScaleUse&) const = default;
};

// Codes one a byte, in the order of the values; block b covers elements [b * block, min(n, (b + 1) * block)).
struct BlockScaled {
  FormatSpec element = formats::float8_e4m3fn;
  std::size_t block = 32;
  std::vector<std::uint8_t> elements;
  std::vector<std::uint8_t> scales;  // e8m0 codes (MX) or e4m3fn codes (NVFP4)
  float tensor_scale = 1;            // NVFP4 only

  std::size_t size() const { return elements.size(); }
};

// `element` is any format of at most 8 bits; `block` at least 1 (MX v1.0: 32). ContractError otherwise.
BlockScaled quantize_mx(std::span<const float> values, const FormatSpec& element,
                        ScaleRounding mode = ScaleRounding::down, std::size_t block = 32);
BlockScaled quantize_nvfp4(std::span<const float> values);

// Element i as a float64: exact (three significands of at most 24 + 4 + 8 bits); NaN where the scale is.
double dequantize_mx(const BlockScaled& x, std::size_t i);
double dequantize_nvfp4(const BlockScaled& x, std::size_t i);

}  // namespace assay
