// Storage types: one element of an array of codes. Strong types without implicit conversions, so that a bf16 array
// cannot be read silently as fp16 or as integers. They have no arithmetic; see bf16_arithmetic.hpp for bfloat16.
#pragma once

#include <compare>
#include <cstdint>
#include <type_traits>

#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

namespace assay {

// A code of `Format` in the smallest unsigned integer that holds it. Trivially copyable: an array of them is an array
// of codes as files and kernels know it. Equality is of codes: +0 != -0 and a NaN equals itself.
template <const FormatSpec& Format>
struct Stored {
  static constexpr const FormatSpec& format = Format;
  using Code = std::conditional_t<(Format.bits > 16), std::uint32_t,
                                  std::conditional_t<(Format.bits > 8), std::uint16_t, std::uint8_t>>;
  Code code;

  Stored() = default;
  // One rounding from the exact value; nearest-even unless the options say otherwise.
  constexpr explicit Stored(float x, const EncodeOptions& options = {})
      : code(static_cast<Code>(encode(exact(x), Format, options).code)) {}
  constexpr explicit Stored(double x, const EncodeOptions& options = {})
      : code(static_cast<Code>(encode(exact(x), Format, options).code)) {}
  static constexpr Stored from_code(Code code) {
    Stored s;
    s.code = code;
    return s;
  }

  constexpr explicit operator double() const { return decode(code, Format); }
  constexpr explicit operator float() const {  // exact: every format here is narrower than float32
    return std::bit_cast<float>(static_cast<std::uint32_t>(convert(code, Format, formats::float32).code));
  }
  friend constexpr bool operator==(Stored, Stored) = default;
};

using tf32_t = Stored<formats::tf32>;
using bf16_t = Stored<formats::bfloat16>;
using f16_t = Stored<formats::float16>;
using f8_e5m2_t = Stored<formats::float8_e5m2>;
using f8_e4m3_t = Stored<formats::float8_e4m3fn>;
using f8_e5m2fnuz_t = Stored<formats::float8_e5m2fnuz>;
using f8_e4m3fnuz_t = Stored<formats::float8_e4m3fnuz>;
using f6_e3m2_t = Stored<formats::float6_e3m2fn>;
using f6_e2m3_t = Stored<formats::float6_e2m3fn>;
using f4_e2m1_t = Stored<formats::float4_e2m1fn>;

static_assert(sizeof(bf16_t) == 2 && std::is_trivially_copyable_v<bf16_t> && std::is_trivial_v<bf16_t>);
static_assert(!std::is_convertible_v<float, bf16_t> && !std::is_convertible_v<bf16_t, float>);

}  // namespace assay
