// Operands of dot products by class: what random data of unit scale never shows.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/neighbours.hpp"

namespace assay::test {

// Codes of one format in the elements that views expect; 8 bytes for each, though most need fewer.
class CodeArray {
 public:
  CodeArray(std::size_t n, const FormatSpec& f) : bytes_(8 * n + 8), size_(n), format_(f) {}
  void set(std::size_t i, std::uint64_t code) {
    detail::store_code(bytes_.data(), static_cast<std::ptrdiff_t>(i), code_bytes(format_), code);
  }
  std::uint64_t code(std::size_t i) const { return view().code(i); }
  std::size_t size() const { return size_; }
  const FormatSpec& format() const { return format_; }
  CodeVector view() const { return {bytes_.data(), size_, 1, format_}; }
  CodeMatrix matrix(std::size_t rows, std::size_t cols) const {
    return {bytes_.data(), rows, cols, static_cast<std::ptrdiff_t>(cols), 1, format_};
  }
  MutableCodeVector out() { return {bytes_.data(), size_, 1, format_}; }
  MutableCodeMatrix out(std::size_t rows, std::size_t cols) {
    return {bytes_.data(), rows, cols, static_cast<std::ptrdiff_t>(cols), 1, format_};
  }

 private:
  std::vector<unsigned char> bytes_;
  std::size_t size_;
  FormatSpec format_;
};

enum class Operands : std::uint8_t {
  normal,        // standard normal
  positive,      // uniform in [0, 1)
  cancelling,    // the second half undoes the first, but for the last places
  wide,          // exponents over the format's whole range, short of overflow of a sum of products
  subnormal,     // products near and below the format's smallest numbers
  any_code,      // every finite code equally likely
  with_specials  // every code, NaN and infinities rare
};
inline constexpr auto all_operands =
    std::to_array<Operands>({Operands::normal, Operands::positive, Operands::cancelling, Operands::wide,
                             Operands::subnormal, Operands::any_code, Operands::with_specials});
inline std::string_view name(Operands kind) {
  constexpr std::array<std::string_view, 7> names{"normal",    "positive", "cancelling",   "wide",
                                                  "subnormal", "any_code", "with_specials"};
  return names[static_cast<std::size_t>(kind)];
}

struct OperandPair {
  CodeArray a, b;
};

inline OperandPair make_operands(Operands kind, std::size_t n, const FormatSpec& fa, const FormatSpec& fb,
                                 std::uint64_t seed) {
  OperandPair pair{CodeArray(n, fa), CodeArray(n, fb)};
  const CounterRandom random(seed, static_cast<std::uint64_t>(kind));
  for (int side = 0; side < 2; ++side) {
    CodeArray& x = side == 0 ? pair.a : pair.b;
    const FormatSpec& f = x.format();
    const auto put = [&](std::size_t i, double value) {
      x.set(i, encode(value, f, {.overflow = Overflow::saturate}).code);
    };
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t at = 4 * (2 * i + static_cast<std::uint64_t>(side));
      const double sign = (random.u32(at) & 1) != 0 ? -1 : 1;
      const double fraction = 1 + random.uniform(at + 1);
      switch (kind) {
        case Operands::normal: put(i, random.normal(at)); break;
        case Operands::positive: put(i, random.uniform(at)); break;
        case Operands::cancelling:
          if (i < (n + 1) / 2) {
            put(i, sign * fraction * std::ldexp(1.0, static_cast<int>(random.below(12, at + 2)) - 6));
          } else {
            const std::uint64_t twin = x.code(n - 1 - i);
            const std::uint64_t near =
                side == 0 && random.below(4, at + 2) == 0 ? next_up(twin, f).value_or(twin) : twin;
            x.set(i, side == 0 ? negated(near, f) : near);
          }
          break;
        case Operands::wide: {
          const int range = (f.emax() - f.emin) / 2 - 4;
          const int e =
              range <= 0
                  ? f.emin
                  : static_cast<int>(random.below(static_cast<std::uint64_t>(range), at + 2)) - range / 2;
          put(i, sign * fraction * std::ldexp(1.0, std::max(e, f.emin)));
          break;
        }
        case Operands::subnormal: {
          const int e =
              f.emin / 2 - static_cast<int>(random.below(static_cast<std::uint64_t>(f.precision), at + 2));
          put(i, sign * fraction * std::ldexp(1.0, random.below(8, at + 3) == 0 ? f.emin - 1 : e));
          break;
        }
        case Operands::any_code:
        case Operands::with_specials: {
          const bool may_be_special = kind == Operands::with_specials && random.below(n + 4, at + 2) == 0;
          const std::uint64_t mask = f.sign_code() | f.magnitude_mask();
          std::uint64_t code = random.u64(at + 1) & mask;
          if (may_be_special) {
            const std::array<std::uint64_t, 5> special{f.nan_code(), f.infinity_code(),
                                                       f.infinity_code() | f.sign_code(), 0, f.sign_code()};
            code = special[random.below(5, at + 3)] & mask;
          } else if (!f.is_finite(code)) {
            code = 1;
          }
          x.set(i, code);
          break;
        }
      }
    }
  }
  return pair;
}

}  // namespace assay::test
