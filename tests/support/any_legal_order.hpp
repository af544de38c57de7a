// One output of alpha A B + beta C + bias as rational numbers: what a random legal order of it gives, and what no legal
// order can give. The second implementation of what `assay check` judges by under the policy `bound`.
//
// Numerics
//   order    a tree over all leaves (products, C, bias), each node one rounding into `accumulator` by `mode`,
//            overflow as IEEE 754 has it.
//   products rounded on their own, or fused into the addition they enter. So is beta c.
//   alpha    times an operand of each product, a product, a panel's sum or the sum of all products, one rounding; as a
//            product it may be fused into the addition that follows. alpha = +-1 rounds nothing.
//   then     for a mean one division, or one product with the reciprocal as a value of `accumulator`, each rounded by
//            `mode` or to nearest; the activation, exact; one rounding into `output`. A sum of one product may be
//            rounded into a narrower output as it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reference/core/random.hpp"
#include "tests/support/rational.hpp"

namespace assay::oracle {

// Random choices, one after another.
class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t stream) : random_(seed, stream) {}
  std::uint64_t word() { return random_.u64(next_++); }
  std::uint64_t below(std::uint64_t n) { return random_.below(n, next_++); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  double normal() { return random_.normal(next_++); }
  template <class T>
  const T& of(std::span<const T> choices) {
    return choices[static_cast<std::size_t>(below(choices.size()))];
  }
  template <class T, std::size_t N>
  const T& of(const T (&choices)[N]) {
    return choices[static_cast<std::size_t>(below(N))];
  }

 private:
  CounterRandom random_;
  std::uint64_t next_ = 0;
};

struct Leaf {
  Number a{};
  std::optional<Number> b{};  // a b, not yet rounded; without it a value of the accumulator
  bool scaled = false;        // alpha belongs to it
};

enum class Activate : std::uint8_t { nothing, relu, relu_max, clip };

struct Sum {
  std::vector<Leaf> leaves;
  Number alpha = finite(1);
  std::optional<Integer> divisor{};  // of a mean
  FormatSpec accumulator;
  Rounding mode = Rounding::nearest_even;
  Activate activation = Activate::nothing;
  Number low{}, high{};  // clip
  FormatSpec output;
  Rounding output_rounding = Rounding::nearest_even;
  Overflow overflow = Overflow::ieee;
  bool signed_zero = false;  // the sign of a zero counts: conversions
};

// The exact result before the activation; NaN and infinity where operands make it so.
Number exact_sum(const Sum& s);
Number activated(const Sum& s, Number y);
// Into the output's format; empty for a NaN where the format has none.
std::optional<std::uint64_t> output_code(const Sum& s, const Number& y);

// The code that one random legal order gives.
std::optional<std::uint64_t> random_result(const Sum& s, Dice& dice);

// A superset of what legal orders give before the activation: any number from `low` to `high` if `numbers`, and those
// infinities and NaN.
struct Possible {
  // Nothing is claimed: sums near the largest number that a directed mode keeps finite, and those near float64's, as
  // the bounds under test are float64 themselves.
  bool anything = false;
  bool numbers = true, positive_infinity = false, negative_infinity = false, nan = false;
  Rational low{}, high{};
};
Possible possible(const Sum& s);
// A zero's sign and a NaN's bits apart.
bool is_same_value(std::uint64_t x, std::uint64_t y, const FormatSpec& f);
bool is_possible(const Sum& s, const Possible& p, std::uint64_t code);

}  // namespace assay::oracle
