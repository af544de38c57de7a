#include "validation/diagnose/program/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

// The largest sum of magnitudes that every format on the way counts exactly.
std::uint64_t most_exact(const CaseSpec& spec) {
  std::uint64_t most = std::uint64_t{1} << 53;
  for (const FormatSpec& f : {spec.accumulator, spec.output}) {
    most = std::min(most, std::uint64_t{1} << f.precision);
    most = std::min(most, static_cast<std::uint64_t>(std::min(decode(f.max_finite_code(), f), 0x1p53)));
  }
  return most;
}

// The largest q: all integers up to it are values of the format.
std::uint64_t most_integer(const FormatSpec& f) {
  return std::min(std::uint64_t{1} << f.precision,
                  static_cast<std::uint64_t>(std::min(decode(f.max_finite_code(), f), 0x1p53)));
}

struct Range {
  std::uint64_t a, b;  // operands in [-a, a], [-b, b]
};
Range integer_range(const CaseSpec& spec, std::size_t k) {
  const std::uint64_t terms = k + (spec.with_c ? 1 : 0),
                      each = most_exact(spec) / std::max<std::uint64_t>(terms, 1);
  if (spec.operation == CaseOperation::sum) return {std::min(each, most_integer(spec.a)), 1};
  auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(each)));
  while (root * root > each) --root;
  const std::uint64_t a = std::min(root, most_integer(spec.a));
  return {a, std::min(a == 0 ? 0 : each / a, most_integer(spec.b))};
}

std::uint64_t integer_code(const CounterRandom& random, std::uint64_t i, std::uint64_t most,
                           const FormatSpec& f) {
  const double x = static_cast<double>(random.below(2 * most + 1, i)) - static_cast<double>(most);
  return encode(x, f).code;
}

std::uint64_t next_magnitude(std::uint64_t code, const FormatSpec& f) {
  return (code & f.magnitude_mask()) < f.max_finite_code() ? code + 1 : code;
}

// Terms of a sum that few wrong orders, formats or flushes survive.
std::vector<std::uint64_t> hard_terms(const CounterRandom& random, std::size_t n, std::size_t kind,
                                      const FormatSpec& f) {
  std::vector<std::uint64_t> terms;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = random.normal(3 * i);
    const int spread = static_cast<int>(random.below(40, 3 * i + 1));
    double value = x;
    switch (kind) {
      case 0: value = std::ldexp(x, -spread); break;  // gaps
      case 1:                                         // cancellation: all but a last place of an earlier term
        if (i % 2 == 1) {
          std::uint64_t back = terms[random.below(i, 3 * i + 2)];
          if (random.below(2, 3 * i + 1) == 0) back = next_magnitude(back, f);
          terms.push_back(back ^ f.sign_code());
          continue;
        }
        break;
      case 2:  // halves of a last place of one
        value = i == 0 ? 1 : std::ldexp(1.0 + static_cast<double>(spread % 3), -f.precision - spread % 2);
        break;
      case 3: value = std::ldexp(x, f.emin + static_cast<int>(spread % 4) - 1); break;  // around subnormal
      default: value = std::ldexp(x, f.emax() - 2); break;                              // around the largest
    }
    std::uint64_t code = encode(value, f, Rounding::nearest_even, Overflow::saturate).code;
    if (f.specials != Specials::fnuz || (code & f.magnitude_mask()) != 0)
      terms.push_back(code);
    else
      terms.push_back(0);
  }
  return terms;
}

}  // namespace

std::string why_not(const CaseSpec& spec) {
  if (spec.least_terms > spec.most_terms) return "a range of terms that ends before it begins";
  if (spec.values == CaseValues::integers) {
    const Range range = integer_range(spec, spec.most_terms);
    if (range.a == 0 || range.b == 0) {
      return fmt::format("{} terms: {} and {} count exactly to {} only", spec.most_terms,
                         spec.accumulator.dtype, spec.output.dtype, most_exact(spec));
    }
  }
  if (spec.values == CaseValues::hard && spec.operation != CaseOperation::sum && !spec.hard)
    return "hard products without somebody who makes them";
  return "";
}

GeneratedCase generate(const CaseSpec& spec, std::size_t index) {
  if (const std::string why = why_not(spec); !why.empty()) throw ContractError("generate: " + why);
  const CounterRandom sizes(spec.seed, 0), random(spec.seed, index + 1);
  GeneratedCase made;
  made.k = spec.least_terms + sizes.below(spec.most_terms - spec.least_terms + 1, index);
  const bool is_gemm = spec.operation == CaseOperation::gemm;
  if (is_gemm) {
    made.m = spec.m;
    made.n = spec.n;
  }
  if (spec.values == CaseValues::hard) {
    if (spec.operation == CaseOperation::sum) {
      made.a = hard_terms(random, made.k, index % 5, spec.a);
    } else {
      spec.hard(made, index);
    }
    return made;
  }
  const Range range = spec.values == CaseValues::integers ? integer_range(spec, made.k) : Range{0, 0};
  std::uint64_t drawn = 0;
  const auto fill = [&](std::vector<std::uint64_t>& codes, std::size_t count, const FormatSpec& f,
                        std::uint64_t most) {
    for (std::size_t i = 0; i < count; ++i, ++drawn) {
      codes.push_back(spec.values == CaseValues::integers ? integer_code(random, drawn, most, f)
                                                          : encode(random.normal(drawn), f).code);
    }
  };
  fill(made.a, made.m * made.k, spec.a, range.a);
  if (spec.operation != CaseOperation::sum) fill(made.b, made.k * made.n, spec.b, range.b);
  if (spec.with_c) fill(made.c, made.m * made.n, spec.accumulator, range.a * range.b);
  return made;
}

}  // namespace assay::diagnose
