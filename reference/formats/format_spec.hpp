// What a binary floating-point format is, as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace assay {

// How the top of the code space is used.
enum class Specials : std::uint8_t {
  ieee,    // top exponent holds infinity and NaNs
  fn,      // finite plus one NaN (all ones); no infinity
  fnuz,    // finite plus one NaN (the code of minus zero); no infinity, one zero
  finite,  // every code is a number
};

// Names follow IEEE 754-2019 (precision p, emin); dtype names follow LLVM and ml_dtypes. Everything else a format needs
// is derived, so that a format is one line in formats.def. A code is sign, exponent, trailing significand from its top
// bit down, held in the low `bits` of an uint64_t.
struct FormatSpec {
  std::string_view dtype;       // "float8_e4m3fn"
  std::string_view short_name;  // "f8_e4m3", as typed on the command line
  int bits;                     // width of a code, sign included; at most 64
  int precision;                // p: significand bits, hidden bit included; 2 to 53
  int emin;                     // exponent of the smallest normal number
  Specials specials;

  constexpr std::uint64_t sign_code() const { return std::uint64_t{1} << (bits - 1); }
  constexpr std::uint64_t magnitude_mask() const { return sign_code() - 1; }
  constexpr std::uint64_t min_normal_code() const { return std::uint64_t{1} << (precision - 1); }
  constexpr std::uint64_t infinity_code() const {  // meaningful for Specials::ieee only
    return magnitude_mask() - (min_normal_code() - 1);
  }
  constexpr std::uint64_t max_finite_code() const {
    switch (specials) {
      case Specials::ieee: return infinity_code() - 1;
      case Specials::fn: return magnitude_mask() - 1;
      case Specials::fnuz:
      case Specials::finite: break;
    }
    return magnitude_mask();
  }
  constexpr std::uint64_t nan_code() const {  // the one quiet NaN; meaningless for Specials::finite
    switch (specials) {
      case Specials::ieee: return infinity_code() | (min_normal_code() >> 1);
      case Specials::fnuz: return sign_code();
      case Specials::fn:
      case Specials::finite: break;
    }
    return magnitude_mask();
  }
  constexpr bool has_infinity() const { return specials == Specials::ieee; }
  constexpr bool has_nan() const { return specials != Specials::finite; }
  constexpr int emax() const { return emin + static_cast<int>(max_finite_code() >> (precision - 1)) - 1; }

  constexpr bool is_nan(std::uint64_t code) const {
    const std::uint64_t magnitude = code & magnitude_mask();
    switch (specials) {
      case Specials::ieee: return magnitude > infinity_code();
      case Specials::fn: return magnitude == magnitude_mask();
      case Specials::fnuz: return code == sign_code();
      case Specials::finite: break;
    }
    return false;
  }
  constexpr bool is_infinite(std::uint64_t code) const {
    return has_infinity() && (code & magnitude_mask()) == infinity_code();
  }
  constexpr bool is_finite(std::uint64_t code) const { return !is_nan(code) && !is_infinite(code); }
  constexpr bool is_subnormal(std::uint64_t code) const {
    const std::uint64_t magnitude = code & magnitude_mask();
    return magnitude != 0 && magnitude < min_normal_code();
  }
  constexpr bool is_negative(std::uint64_t code) const { return (code & sign_code()) != 0; }

  friend constexpr bool operator==(const FormatSpec&, const FormatSpec&) = default;
};

// Bytes of a code in memory, in its low bits: 1, 2, 4 or 8.
constexpr std::size_t code_bytes(const FormatSpec& f) {
  return f.bits > 32 ? 8 : f.bits > 16 ? 4 : f.bits > 8 ? 2 : 1;
}

}  // namespace assay
