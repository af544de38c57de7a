#include "reference/operations/reduce.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/neighbours.hpp"

namespace assay {
namespace {

void check(const ReduceProblem& p, const CodeVector& x) {
  if (x.size != p.outer * p.length * p.inner) {
    throw ContractError("reduce: x of " + std::to_string(x.size) + " elements for " +
                        std::to_string(p.outer) + " x " + std::to_string(p.length) + " x " +
                        std::to_string(p.inner));
  }
  if (x.scales.given()) throw ContractError("reduce: it takes no scales of blocks");
  if (x.data == nullptr && x.size != 0) throw ContractError("reduce: x is null");
}

CodeVector line(const ReduceProblem& p, const CodeVector& x, std::size_t o, std::size_t i) {
  CodeVector v = x.part(o * p.length * p.inner + i, p.length);
  v.stride *= static_cast<std::ptrdiff_t>(p.inner);
  return v;
}

bool takes_extreme(Reduction operation) {
  return operation == Reduction::max || operation == Reduction::min || operation == Reduction::max_magnitude;
}

// -0 counts as below +0.
bool is_less(double a, double b) { return a < b || (a == b && std::signbit(a) && !std::signbit(b)); }

// The code of the extreme element, or nothing where the result is NaN.
std::optional<std::uint64_t> extreme(const ReduceProblem& p, const CodeVector& x) {
  std::optional<std::uint64_t> best;
  double best_value = 0;
  for (std::size_t i = 0; i < x.size; ++i) {
    std::uint64_t code = x.code(i);
    if (x.format.is_nan(code)) {
      if (p.nan == NanElements::propagate) return std::nullopt;
      continue;
    }
    if (p.operation == Reduction::max_magnitude && x.format.is_negative(code)) code = negated(code, x.format);
    const double value = decode(code, x.format);
    const bool better =
        p.operation == Reduction::min ? is_less(value, best_value) : is_less(best_value, value);
    if (!best || better) {
      best = code;
      best_value = value;
    }
  }
  return best;
}

// The two factors whose dot product the reduction is.
class Factors {
 public:
  Factors(const ReduceProblem& p, const CodeVector& x) : first_(x), second_(x) {
    if (p.operation == Reduction::sum_magnitudes) {
      magnitudes_.resize(x.size * code_bytes(x.format) + 1);
      for (std::size_t i = 0; i < x.size; ++i) {
        std::uint64_t code = x.code(i);
        if (x.format.is_negative(code) && !x.format.is_nan(code)) code = negated(code, x.format);
        detail::store_code(magnitudes_.data(), static_cast<std::ptrdiff_t>(i), code_bytes(x.format), code);
      }
      first_ = {magnitudes_.data(), x.size, 1, x.format};
    }
    if (p.operation != Reduction::sum_squares) {
      const Encoded in_format = encode(1.0, x.format);
      const FormatSpec f = in_format.inexact ? formats::float32 : x.format;
      detail::store_code(&one_, 0, code_bytes(f), encode(1.0, f).code);
      second_ = {&one_, x.size, 0, f};
    }
  }
  Factors(const Factors&) = delete;
  Factors& operator=(const Factors&) = delete;

  const CodeVector& first() const { return first_; }
  const CodeVector& second() const { return second_; }

 private:
  std::vector<std::byte> magnitudes_;
  std::uint64_t one_ = 0;
  CodeVector first_, second_;
};

}  // namespace

void reduce(const Arithmetic& arithmetic, const ReduceProblem& problem, const CodeVector& x,
            const MutableCodeVector& y) {
  check(problem, x);
  if (y.size != problem.outer * problem.inner) {
    throw ContractError("reduce: y of " + std::to_string(y.size) + " elements for " +
                        std::to_string(problem.outer) + " x " + std::to_string(problem.inner));
  }
  const bool extremes = takes_extreme(problem.operation);
  if (extremes && problem.length == 0) throw ContractError("reduce: the extreme of no elements");
  const FormatSpec given = arithmetic.info().outputs.front();
  const ExactValue<std::uint64_t> nan{.kind = Kind::nan};
  const EncodeOptions into_output{.rounding = problem.rounding, .overflow = problem.overflow};
  const bool plain = problem.rounding == Rounding::nearest_even && problem.overflow == Overflow::ieee;
  parallel_for(y.size, y.size > 1 && x.size > 4096 ? 0 : 1, [&](std::size_t at) {
    const CodeVector terms = line(problem, x, at / problem.inner, at % problem.inner);
    if (extremes) {
      const std::optional<std::uint64_t> best = extreme(problem, terms);
      y.set(at, encode(best ? exact_from_code(*best, x.format) : nan, y.format, into_output).code);
      return;
    }
    const Factors factors(problem, terms);
    const OutputPlace place(problem.first.index + at, problem.first.stream);
    const bool mean = problem.operation == Reduction::mean;
    if (!mean && plain && arithmetic.gives(y.format)) {
      y.set(at, arithmetic.dot(factors.first(), factors.second(), std::nullopt, y.format, place));
      return;
    }
    std::uint64_t sum = arithmetic.dot(factors.first(), factors.second(), std::nullopt, given, place);
    if (mean) sum = encode(quotient(widened(exact_from_code(sum, given)), problem.length), given).code;
    y.set(at, convert(sum, given, y.format, into_output).code);
  });
}

ElementTruth reduce_truth(const Arithmetic& arithmetic, const ReduceProblem& problem, const CodeVector& x,
                          const FormatSpec& output, std::size_t o, std::size_t i, double factor) {
  check(problem, x);
  if (o >= problem.outer || i >= problem.inner) {
    throw ContractError("reduce: no result [" + std::to_string(o) + ", " + std::to_string(i) + "]");
  }
  const CodeVector terms = line(problem, x, o, i);
  Epilogue last;
  last.rounding = problem.rounding;
  last.overflow = problem.overflow;
  if (takes_extreme(problem.operation)) {
    if (problem.length == 0) throw ContractError("reduce: the extreme of no elements");
    const std::optional<std::uint64_t> best = extreme(problem, terms);
    return truth_of(
        spread_of(best ? widened(exact_from_code(*best, x.format)) : ExactValue<Wide>{.kind = Kind::nan}),
        last, output);
  }
  const Factors factors(problem, terms);
  const auto sum_into = [&](const FormatSpec& f) {
    return spread_of(arithmetic, last, factors.first(), factors.second(), {}, {}, {}, f, factor);
  };
  if (problem.operation != Reduction::mean) return truth_of(sum_into(output), last, output);
  const FormatSpec given = arithmetic.info().outputs.front();
  const auto chain = arithmetic.accumulation();
  const Rounding mode = chain ? chain->rounding : Rounding::nearest_even;
  return truth_of(divided(sum_into(given), problem.length, given, mode, output), last, output);
}

}  // namespace assay
