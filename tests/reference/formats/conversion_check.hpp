// Checks of conversion kernels that the quick, the exhaustive and the mutant tests share: what a kernel gives for an
// array of float32, against one evaluation of the definition for each format and rounding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iomanip>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/encode.hpp"

namespace assay::test {

template <const FormatSpec& to>
using Code = typename Stored<to>::Code;

// The definition for one format and rounding, both known to the compiler: some nanoseconds an element.
template <const FormatSpec& to, Rounding mode>
[[gnu::flatten]] void define(std::span<const std::uint32_t> bits, Code<to>* codes) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    codes[i] =
        static_cast<Code<to>>(encode(exact_from_bits32(bits[i]), to, EncodeOptions{.rounding = mode}).code);
  }
}

template <const FormatSpec& to>
void define(Rounding mode, std::span<const std::uint32_t> bits, Code<to>* codes) {
  switch (mode) {
    case Rounding::nearest_even: return define<to, Rounding::nearest_even>(bits, codes);
    case Rounding::nearest_away: return define<to, Rounding::nearest_away>(bits, codes);
    case Rounding::toward_zero: return define<to, Rounding::toward_zero>(bits, codes);
    case Rounding::toward_positive: return define<to, Rounding::toward_positive>(bits, codes);
    case Rounding::toward_negative: return define<to, Rounding::toward_negative>(bits, codes);
    case Rounding::to_odd: return define<to, Rounding::to_odd>(bits, codes);
    case Rounding::stochastic: break;  // encode_stochastic(), element by element
  }
}

// Codes of the definition as `c` has them: its policy is asked where it may differ (NaN, subnormal, overflow to NaN),
// and saturation puts the largest number where a number became none.
template <const FormatSpec& to>
[[gnu::flatten]] void apply(const Conversion& c, std::span<const std::uint32_t> bits, Code<to>* codes) {
  const ConversionPolicy& policy = parse_policy(c.policy);
  const EncodeOptions options{.rounding = c.rounding, .overflow = c.overflow};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::uint32_t magnitude = bits[i] & 0x7FFFFFFF;
    if (magnitude > 0x7F800000 || magnitude < 0x00800000 ||
        (to.is_nan(codes[i]) && policy.overflow_nan_signed)) {
      codes[i] = static_cast<Code<to>>(convert_bits32(bits[i], to, policy, options));
    } else if (c.overflow == Overflow::saturate && !to.is_finite(codes[i])) {
      codes[i] = static_cast<Code<to>>((bits[i] >> 31 != 0 ? to.sign_code() : 0) | to.max_finite_code());
    }
  }
}

// Whether apply() changes a code at all.
template <const FormatSpec& to>
bool ordinary(const Conversion& c, std::span<const std::uint32_t> bits) {
  if (c.overflow == Overflow::saturate) return false;
  if (!to.has_infinity() && c.policy != "format") return false;
  return c.policy == "format" || std::all_of(bits.begin(), bits.end(), [](std::uint32_t x) {
           return (x & 0x7FFFFFFF) <= 0x7F800000 && (x & 0x7F800000) != 0;
         });
}

// Every deterministic rounding of every policy that has it, for one destination.
inline std::vector<Conversion> conversions_to(const FormatSpec& to, std::span<const Rounding> modes,
                                              std::span<const Overflow> overflows) {
  std::vector<Conversion> all;
  for (const Rounding mode : modes) {
    for (const ConversionPolicy& policy : all_policies()) {
      if (!why_not(policy, to, mode).empty()) continue;
      for (const Overflow overflow : overflows) {
        all.push_back({.to = to, .rounding = mode, .policy = policy.name, .overflow = overflow});
      }
    }
  }
  return all;
}

inline std::string describe(const Conversion& c) {
  std::string text = std::string(c.to.short_name) + " mode=" + std::string(rounding_name(c.rounding)) +
                     " policy=" + std::string(c.policy);
  if (c.overflow == Overflow::saturate) text += " overflow=saturate";
  return text;
}

// How many codes differed, and the first that did.
struct Differences {
  std::uint64_t count = 0;
  std::uint32_t bits = 0;
  std::uint64_t got = 0, expected = 0;
  std::string where;

  void add(const Differences& other) {
    if (count == 0 && other.count != 0)
      *this = other;
    else
      count += other.count;
  }
  friend std::ostream& operator<<(std::ostream& out, const Differences& d) {
    if (d.count == 0) return out << "no difference";
    return out << d.count << " differences, the first " << d.where << ": float32 0x" << std::hex << d.bits
               << " gives 0x" << d.got << ", not 0x" << d.expected << std::dec;
  }
};

template <class C>
Differences compare(std::span<const std::uint32_t> bits, const C* got, const C* expected,
                    const std::string& where) {
  Differences d;
  if (std::memcmp(got, expected, bits.size() * sizeof(C)) == 0) return d;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (got[i] == expected[i]) continue;
    if (d.count++ == 0) d = {1, bits[i], got[i], expected[i], where};
  }
  return d;
}

// Runs each conversion through each kernel that supports it, compares with the definition, and tells `found` the kernel
// and its differences.
template <const FormatSpec& to, class Found>
void check_each(std::span<const ConversionKernel* const> kernels, std::span<const Conversion> conversions,
                std::span<const std::uint32_t> bits, const Found& found) {
  std::vector<Code<to>> defined(bits.size()), expected(bits.size()), got(bits.size());
  for (const Rounding mode : deterministic_roundings) {
    bool evaluated = false;
    for (const Conversion& c : conversions) {
      if (c.rounding != mode) continue;
      if (!evaluated) define<to>(mode, bits, defined.data());
      evaluated = true;
      const bool same = ordinary<to>(c, bits);
      if (!same) {
        expected = defined;
        apply<to>(c, bits, expected.data());
      }
      for (const ConversionKernel* kernel : kernels) {
        if (!kernel->supports(c)) continue;
        convert_array(*kernel, bits.data(), got.data(), bits.size(), c, 1);
        found(*kernel, compare(bits, got.data(), (same ? defined : expected).data(),
                               std::string(kernel->name) + " to " + describe(c)));
      }
    }
  }
}

// The differences of them all.
template <const FormatSpec& to>
Differences check(std::span<const ConversionKernel* const> kernels, std::span<const Conversion> conversions,
                  std::span<const std::uint32_t> bits) {
  Differences all;
  check_each<to>(kernels, conversions, bits,
                 [&](const ConversionKernel&, const Differences& d) { all.add(d); });
  return all;
}

// The kernels of conversions.def that this CPU runs and that may convert float32 to `to`.
inline std::vector<const ConversionKernel*> kernels_to(const FormatSpec& to) {
  std::vector<const ConversionKernel*> found;
  for (const ConversionKernel& kernel : conversion_kernels()) {
    const std::vector<Conversion> asked =
        conversions_to(to, deterministic_roundings, std::vector{Overflow::ieee});
    const bool supports = std::any_of(asked.begin(), asked.end(), kernel.supports);
    if (supports && cpu_has(kernel.needs)) found.push_back(&kernel);
  }
  return found;
}

// float32 patterns where rounding into `to` changes its mind: every code, every midpoint of neighbours and the
// midpoint above the largest number, with the two floats on either side of each, of both signs.
inline std::vector<std::uint32_t> rounding_points(const FormatSpec& to) {
  std::vector<std::uint32_t> patterns;
  const auto around = [&](double x) {
    const auto bits = static_cast<std::uint32_t>(encode(x, formats::float32, Rounding::toward_zero).code);
    for (std::uint32_t i = 0; i < 5; ++i) {
      const std::uint32_t near = (bits + i - 2) & 0x7FFFFFFF;  // below zero: the NaNs with every bit set
      patterns.push_back(near);
      patterns.push_back(near | 0x80000000);
    }
  };
  for (std::uint64_t code = 0; code <= to.max_finite_code(); ++code) {
    const double x = decode(code, to);
    const double step = code == 0                      ? decode(1, to)
                        : code == to.max_finite_code() ? x - decode(code - 1, to)
                                                       : decode(code + 1, to) - x;
    around(x);
    around(x + step / 2);
    if (code == to.max_finite_code()) around(x + step);
  }
  return patterns;
}

// The same number of patterns from each of the 512 signs and exponents (so 1/256 are NaN or infinite, as many
// subnormal); a random run of zeros or ones at the end of the significand puts some close to every place where it may
// be cut.
inline std::vector<std::uint32_t> stratified(std::size_t n, std::uint64_t seed) {
  const CounterRandom random(seed);
  std::vector<std::uint32_t> patterns(n);
  for (std::size_t i = 0; i < n; ++i) {
    const PhiloxBlock r = random.block(i);
    const std::uint32_t tail = (std::uint32_t{1} << r[0] % 24) - 1;
    std::uint32_t significand = r[1] & 0x7FFFFF;
    switch (r[2] % 4) {
      case 0: significand |= tail; break;
      case 1: significand &= ~tail; break;
      case 2: significand = (significand & ~tail) + 1; break;
      default: break;
    }
    patterns[i] = static_cast<std::uint32_t>(i % 512) << 23 | (significand & 0x7FFFFF);
  }
  return patterns;
}

}  // namespace assay::test
