// Bits of floats of 16 bits and less: conversions with one rounding, and what __half, __nv_bfloat16 and the eight-bit
// types share. Of arithmetic, only the fused multiply-add is here: it must not be rounded twice.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace assay_simt {

enum class Round : std::uint8_t { nearest, zero, down, up };

// |x| of a finite double, in units of the code of a format whose numbers are as in IEEE 754: fraction bits below the
// leading one, exponents from min_exponent on, subnormals below. Not limited above: codes of one sign are ordered as
// their values, so the caller compares.
template <int fraction_bits, int min_exponent>
constexpr std::uint64_t round_magnitude(std::uint64_t bits, Round round) {
  const bool negative = (bits >> 63) != 0;
  const int biased = static_cast<int>(bits >> 52 & 0x7FFU);
  const int exponent = (biased == 0 ? 1 : biased) - 1023;
  const std::uint64_t significand = (bits & 0xFFFFFFFFFFFFFU) | (biased == 0 ? 0 : std::uint64_t{1} << 52);
  const int below = exponent < min_exponent ? min_exponent - exponent : 0;
  const int dropped = 52 - fraction_bits + (below > 10 + fraction_bits ? 10 + fraction_bits : below);
  const std::uint64_t kept = significand >> dropped, rest = significand - (kept << dropped);
  const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
  bool up = false;
  if (round == Round::nearest) up = rest > half || (rest == half && (kept & 1U) != 0);
  if (round == Round::up) up = rest != 0 && !negative;
  if (round == Round::down) up = rest != 0 && negative;
  const int steps = exponent < min_exponent ? 0 : exponent - min_exponent;
  return kept + (up ? 1U : 0U) + (static_cast<std::uint64_t>(steps) << fraction_bits);
}

// What the formats of 16 bits are made of. NaN has one code in results, as on the hardware.
template <int fraction_bits_, int exponent_bits>
struct Format16 {
  static constexpr int fraction_bits = fraction_bits_;
  static constexpr int min_exponent = 2 - (1 << (exponent_bits - 1));
  static constexpr std::uint16_t infinity =
      static_cast<std::uint16_t>(0x7FFFU >> fraction_bits << fraction_bits);
  static constexpr std::uint16_t nan = 0x7FFF;

  static constexpr bool is_nan(std::uint16_t code) { return (code & 0x7FFFU) > infinity; }

  static constexpr std::uint16_t encode(double x, Round round = Round::nearest) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t magnitude = bits & 0x7FFFFFFFFFFFFFFFU;
    if (magnitude > 0x7FF0000000000000U) return nan;
    const auto sign = static_cast<std::uint16_t>(bits >> 63 << 15);
    std::uint64_t code = magnitude == 0x7FF0000000000000U
                             ? infinity
                             : round_magnitude<fraction_bits, min_exponent>(bits, round);
    if (code >= infinity && magnitude != 0x7FF0000000000000U) {
      const bool stays_finite =
          round == Round::zero || (round == Round::up && sign != 0) || (round == Round::down && sign == 0);
      code = stays_finite ? infinity - 1U : infinity;
    }
    return static_cast<std::uint16_t>(sign | code);
  }
};

// The CPU's own conversions, of numbers; a NaN would keep its payload.
#if defined(__F16C__) && !defined(__clang__)
#define ASSAY_F16C
using EightHalves = short __attribute__((vector_size(16)));
using FourFloats = float __attribute__((vector_size(16)));
inline std::uint16_t convert_by_f16c(float x) {
  return static_cast<std::uint16_t>(__builtin_ia32_vcvtps2ph(FourFloats{x, 0, 0, 0}, 0)[0]);
}
inline float convert_by_f16c(std::uint16_t code) {
  return __builtin_ia32_vcvtph2ps(EightHalves{static_cast<short>(code), 0, 0, 0, 0, 0, 0, 0})[0];
}
#endif

struct Half : Format16<10, 5> {
  static constexpr std::uint16_t from_float(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU, sign = bits >> 16 & 0x8000U;
    if (magnitude > 0x7F800000U) return nan;
#ifdef ASSAY_F16C
    if (!std::is_constant_evaluated()) return convert_by_f16c(x);
#endif
    if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | infinity);  // 65520
    if (magnitude < 0x38800000U) {
      // Subnormal: the unit in the last place of 0.5 is that of the format.
      const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
      return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
    }
    return static_cast<std::uint16_t>(sign | ((magnitude + 0xC8000FFFU + (magnitude >> 13 & 1U)) >> 13));
  }
  static constexpr float to_float(std::uint16_t code) {
    const std::uint32_t sign = (code & 0x8000U) << 16, magnitude = code & 0x7FFFU;
    if (magnitude > infinity) return std::bit_cast<float>(0x7FFFFFFFU);
#ifdef ASSAY_F16C
    if (!std::is_constant_evaluated()) return convert_by_f16c(code);
#endif
    if (magnitude == infinity) return std::bit_cast<float>(sign | 0x7F800000U);
    if (magnitude < 0x0400U) {
      const float x = static_cast<float>(static_cast<int>(magnitude)) * 0x1p-24F;
      return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(x));
    }
    return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000U));
  }
};

struct BFloat16 : Format16<7, 8> {
  static constexpr std::uint16_t from_float(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return nan;
    return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
  }
  // A NaN keeps its bits.
  static constexpr float to_float(std::uint16_t code) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(code) << 16);
  }
};

// x + y, of which the last bit says whether something was cut off: a later rounding to a format of 51 bits or less is
// then the only one. No overflow.
constexpr double sum_to_odd(double x, double y) {
  const double sum = x + y, y_part = sum - x;
  const double error = (x - (sum - y_part)) + (y - y_part);
  auto bits = std::bit_cast<std::uint64_t>(sum);
  if (error != 0 && (bits & 1U) == 0) bits += (error > 0) == (sum > 0) ? std::uint64_t{1} : ~std::uint64_t{0};
  return std::bit_cast<double>(bits);
}
constexpr double to_odd_unsigned(std::uint64_t x) {
  if (x >> 53 == 0) return static_cast<double>(static_cast<std::int64_t>(x));
  return static_cast<double>(static_cast<std::int64_t>(x >> 11 | std::uint64_t{(x & 0x7FFU) != 0})) * 0x1p11;
}
template <class Integer>
constexpr double to_odd(Integer x) {
  const auto bits = static_cast<std::uint64_t>(x);
  if constexpr (std::is_signed_v<Integer>) {
    if (x < 0) return -to_odd_unsigned(std::uint64_t{0} - bits);
  }
  return to_odd_unsigned(bits);
}

// a * b + c. The product of two is exact in a double.
template <class Format>
std::uint16_t fused(std::uint16_t a, std::uint16_t b, std::uint16_t c) {
  const double product = static_cast<double>(Format::to_float(a)) * static_cast<double>(Format::to_float(b));
  const auto addend = static_cast<double>(Format::to_float(c));
  if (!std::isfinite(product) || !std::isfinite(addend)) return Format::encode(product + addend);
  return Format::encode(sum_to_odd(product, addend));
}

// 10^x of the host's library.
inline double host_exp10(double x) { return std::pow(10.0, x); }

// To an integer as the hardware converts: saturating. NaN from a type of 32 bits or less gives 0, or the lowest number
// (the highest bit, without sign) if the integer has 64 bits.
template <class To>
constexpr To saturated(double integral) {
  constexpr To most = std::numeric_limits<To>::max(), least = std::numeric_limits<To>::min();
  if (integral != integral) return sizeof(To) == 8 ? static_cast<To>(std::uint64_t{1} << 63) : To{};
  if (integral >= static_cast<double>(most)) return most;
  if (integral <= static_cast<double>(least)) return least;
  return static_cast<To>(integral);
}
template <class To>
To to_integer(double x, Round round) {
  switch (round) {
    case Round::nearest: return saturated<To>(std::nearbyint(x));
    case Round::zero: break;  // as C++ converts
    case Round::down: return saturated<To>(std::floor(x));
    case Round::up: return saturated<To>(std::ceil(x));
  }
  return saturated<To>(x);
}

}  // namespace assay_simt
