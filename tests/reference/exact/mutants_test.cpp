// The tests are tested: each planted mistake must be seen by the data that the other tests use.
#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "reference/exact/exact_sum.hpp"
#include "tests/reference/exact/rational_sum.hpp"
#include "tests/reference/exact/worst_cases.hpp"

using namespace assay;
using namespace assay::test;

namespace {

// --- sums: mutants of accumulating and of the last rounding

using Terms = std::vector<std::pair<double, double>>;
using Rounder = std::function<std::uint64_t(const Terms&, const FormatSpec&, Rounding)>;

ExactSum accumulated(const Terms& terms) {
  ExactSum sum;
  for (const auto& [x, y] : terms) sum.add_product(x, y);
  return sum;
}

// Digits of 32 bits whose carries are dropped; positive terms of small exponents only.
std::uint64_t without_carries(const Terms& terms, const FormatSpec& f, Rounding mode) {
  std::array<std::uint32_t, 140> digits{};
  for (const auto& [x, y] : terms) {
    const ExactValue<Wide> term = wide_product(exact(x), exact(y));
    const auto place = static_cast<unsigned>(term.exponent + 2148);
    Wide part = term.significand;
    std::size_t i = place / 32;
    digits[i++] += static_cast<std::uint32_t>(part << place % 32);
    for (part >>= 32 - place % 32; part != 0; part >>= 32) digits[i++] += static_cast<std::uint32_t>(part);
  }
  ExactSum sum;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    sum.add(ExactValue<std::uint64_t>{.significand = digits[i], .exponent = 32 * static_cast<int>(i) - 2148});
  }
  return sum.rounded(f, {.rounding = mode}).code;
}

std::vector<std::pair<std::string, Rounder>> sum_mutants() {
  const auto from_result = [](auto change) -> Rounder {
    return [change](const Terms& terms, const FormatSpec& f, Rounding mode) {
      const ExactSum sum = accumulated(terms);
      ExactValue<Wide> x = sum.result(mode);
      change(x);
      return encode(x, f, {.rounding = mode}).code;
    };
  };
  return {
      {"carries lost", without_carries},
      {"sticky dropped", from_result([](ExactValue<Wide>& x) { x.sticky = false; })},
      {"sticky always", from_result([](ExactValue<Wide>& x) { x.sticky = x.sticky || x.significand != 0; })},
      {"zero always +0", from_result([](ExactValue<Wide>& x) { x.negative = x.negative && !x.is_zero(); })},
      {"zero sign as nearest under every mode",
       [](const Terms& terms, const FormatSpec& f, Rounding mode) {
         return encode(accumulated(terms).result(), f, {.rounding = mode}).code;
       }},
      {"rounded by way of float64", [](const Terms& terms, const FormatSpec& f, Rounding mode) {
         const double x = decode(accumulated(terms).rounded(formats::float64).code, formats::float64);
         return encode(x, f, mode).code;
       }}};
}

std::vector<Terms> sum_cases() {
  std::vector<Terms> cases = {
      {},
      {{-0.0, 1}},
      {{-0.0, 1}, {0.0, 1}},
      {{1, 1}, {-1, 1}},
      {{1, 1}},
      {{1, 1}, {0x1p-53, 1}},
      {{1, 1}, {0x1p-53, 1}, {0x1p-1074, 1}},
      {{1, 1}, {0x1p-1074, 0x1p-1000}},
      {{1 + 0x1p-24, 1}, {0x1p-60, 1}},
  };
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto [a, b] = make_operands(Operands::positive, 20, formats::float64, formats::float64, seed);
    Terms terms;
    for (std::size_t i = 0; i < a.size(); ++i) {
      terms.emplace_back(decode(a.code(i), formats::float64), decode(b.code(i), formats::float64));
    }
    cases.push_back(terms);
  }
  return cases;
}

std::size_t differences(const Rounder& rounder) {
  std::size_t wrong = 0;
  for (const Terms& terms : sum_cases()) {
    bool negative = false;
    RationalSum check;
    for (const auto& [x, y] : terms) {
      negative = negative || x < 0;
      check.add_product(std::bit_cast<std::uint64_t>(x), formats::float64, std::bit_cast<std::uint64_t>(y),
                        formats::float64);
    }
    for (const FormatSpec* f : {&formats::float64, &formats::float32}) {
      for (const Rounding mode : deterministic_roundings) {
        wrong += rounder(terms, *f, mode) != check.rounded(*f, mode);
      }
    }
  }
  return wrong;
}

BOOST_AUTO_TEST_CASE(sums) {
  BOOST_TEST(differences([](const Terms& terms, const FormatSpec& f, Rounding mode) {
               return accumulated(terms).rounded(f, {.rounding = mode}).code;
             }) == 0U);
  for (const auto& [name, mutant] : sum_mutants()) {
    BOOST_TEST(differences(mutant) > 0U, name << " survives");
  }
}

// --- bounds: each part left out is exceeded by some constructed case

BOOST_AUTO_TEST_CASE(bounds) {
  using Mutant = std::function<double(const WorstCase&, TermSums)>;
  const auto with = [](auto change) -> Mutant {
    return [change](const WorstCase& worst, TermSums data) {
      WorstCase changed = worst;
      change(changed, data);
      return bound_of(changed, data);
    };
  };
  const auto parts = [](const WorstCase& worst, const TermSums& data) {
    const Accumulation how = accumulation_of(worst);
    return worst.is_sum ? sum_bound(how, data) : dot_bound(how, data);
  };
  const auto one_less = [](WorstCase&, TermSums& data) { --data.terms; };
  const std::vector<std::pair<std::string, Mutant>> mutants = {
      {"one term less", with(one_less)},
      {"one term less, sums of each mode: nearest",
       [&](const WorstCase& worst, TermSums data) {
         const bool mine = worst.is_sum && worst.chain.rounding == Rounding::nearest_even;
         return mine ? with(one_less)(worst, data) : bound_of(worst, data);
       }},
      {"... RZ",
       [&](const WorstCase& worst, TermSums data) {
         const bool mine = worst.is_sum && worst.chain.rounding == Rounding::toward_zero;
         return mine ? with(one_less)(worst, data) : bound_of(worst, data);
       }},
      {"... RU",
       [&](const WorstCase& worst, TermSums data) {
         const bool mine = worst.is_sum && worst.chain.rounding == Rounding::toward_positive;
         return mine ? with(one_less)(worst, data) : bound_of(worst, data);
       }},
      {"one term less, dot products",
       [&](const WorstCase& worst, TermSums data) {
         return worst.name.starts_with("dot") ? with(one_less)(worst, data) : bound_of(worst, data);
       }},
      {"u of nearest for every mode",
       with([](WorstCase& worst, TermSums&) { worst.chain.rounding = Rounding::nearest_even; })},
      {"no underflow or flushing",
       [&](const WorstCase& worst, const TermSums& data) {
         return upward::multiply(parts(worst, data).relative, data.magnitudes);
       }},
      {"no flushing", with([](WorstCase& worst, TermSums&) {
         worst.chain.flush_inputs = worst.chain.flush_results = false;
       })},
      {"no output", with([](WorstCase& worst, TermSums&) { worst.output = std::nullopt; })},
      {"no product format", with([](WorstCase& worst, TermSums&) { worst.chain.product = std::nullopt; })},
      {"c not counted",
       [&](const WorstCase& worst, TermSums data) {
         data.addend = false;
         return worst.c
                    ? std::ldexp(static_cast<double>(data.terms - 1), -worst.chain.accumulator.precision) *
                          data.magnitudes
                    : bound_of(worst, data);
       }},
      {"tree of logarithmic height for a chain",
       with([](WorstCase& worst, TermSums&) { worst.chain.order = SumOrder::pairwise(); })},
  };
  for (const auto& [name, mutant] : mutants) {
    std::size_t exceeded = 0;
    for (const FormatSpec* accumulator : {&formats::float32, &formats::bfloat16}) {
      for (const std::size_t n : {2U, 5U, 10U}) {
        for (const WorstCase& worst : worst_cases(*accumulator, n)) {
          const Judged judged = judge(worst);
          exceeded += exceeds(judged.error, mutant(worst, judged.data));
        }
      }
    }
    BOOST_TEST(exceeded > 0U, name << " survives");
  }
}

// --- chains: each changed rule shows on some class of data

BOOST_AUTO_TEST_CASE(chains) {
  const ChainSpec base{.name = "base", .product = formats::float32};
  const auto changed = [&](auto change) {
    ChainSpec spec = base;
    change(spec);
    return spec;
  };
  const std::vector<std::pair<std::string, ChainSpec>> mutants = {
      {"fused", changed([](ChainSpec& s) { s.product = std::nullopt; })},
      {"pairwise", changed([](ChainSpec& s) { s.order = SumOrder::pairwise(); })},
      {"two lanes", changed([](ChainSpec& s) { s.order = SumOrder::blocked(2); })},
      {"panels of 8", changed([](ChainSpec& s) { s.order = SumOrder::blocked(1, 8); })},
      {"nearest away", changed([](ChainSpec& s) { s.rounding = Rounding::nearest_away; })},
      {"flushed operands", changed([](ChainSpec& s) { s.flush_inputs = true; })},
      {"flushed results", changed([](ChainSpec& s) { s.flush_results = true; })},
      {"float64 accumulator", changed([](ChainSpec& s) { s.accumulator = formats::float64; })},
      {"bfloat16 products", changed([](ChainSpec& s) { s.product = formats::bfloat16; })},
  };
  const auto truth = make_chain(base);
  for (const auto& [name, spec] : mutants) {
    const auto mutant = make_chain(spec);
    std::size_t differ = 0;
    for (const Operands kind : all_operands) {
      for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const FormatSpec& input = seed % 2 == 0 ? formats::float32 : formats::bfloat16;
        const auto [a, b] = make_operands(kind, 12, input, input, seed);
        differ += mutant->dot(a.view(), b.view(), {}, formats::float32) != truth->dot(a.view(), b.view());
      }
    }
    BOOST_TEST(differ > 0U, name << " survives");
  }
}

}  // namespace
