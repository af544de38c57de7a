#include "validation/judge/answer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"

namespace assay::judge {
namespace {

// An exact value as the nearest float64 and the rest, rounded.
std::pair<double, double> split(const ExactValue<Wide>& x) {
  const double high = decode(encode(x, formats::float64).code, formats::float64);
  if (x.kind != Kind::finite || !std::isfinite(high)) return {high, 0};
  const ExactValue<std::uint64_t> h = exact(high);
  const int shift = h.exponent - x.exponent;
  // Not below the last place of x, or the value is float64's own; below 2^-1074 there is nothing to hold the
  // rest. A zero's exponent says nothing of the distance to x.
  if (shift <= 0 || h.significand == 0) return {high, 0};
  const Wide nearest = Wide{h.significand} << shift;
  const bool above = nearest > x.significand;
  const auto rest = static_cast<double>(above ? nearest - x.significand : x.significand - nearest);
  return {high, std::ldexp(above != x.negative ? -rest : rest, x.exponent)};
}

// f(i) for each of n outputs, a block at a time, so that the caller hears how far it is.
template <class F>
void for_outputs(std::size_t n, const AnswerOptions& options, const F& f) {
  constexpr std::size_t block = 4096;
  for (std::size_t begin = 0; begin < n; begin += block) {
    if (options.progress && begin > 0) options.progress(static_cast<double>(begin) / static_cast<double>(n));
    parallel_for(std::min(block, n - begin), options.threads, [&](std::size_t i) {
      const std::size_t at = begin + i;
      f(at, options.sample.empty() ? at : options.sample[at]);
    });
  }
}

}  // namespace

Answer exact_answer(const Operation& operation, const Arithmetic& arithmetic, const OutputSpec& output,
                    const AnswerOptions& how) {
  const std::size_t n = how.sample.empty() ? operation.size() : how.sample.size();
  const std::size_t bytes = code_bytes(output.format);
  Answer answer;
  answer.codes.resize(n * bytes);
  answer.truth.resize(n);
  answer.remainder.resize(n);
  answer.bound.resize(n);
  answer.results.resize(n);
  answer.specials = special_codes(output.epilogue, output.format);
  const double largest = decode(output.format.max_finite_code(), output.format);
  const EncodeOptions options{.rounding = output.epilogue.rounding == Rounding::stochastic
                                              ? Rounding::nearest_even
                                              : output.epilogue.rounding,
                              .overflow = output.epilogue.overflow};
  const auto take = [&](std::size_t at, const ElementTruth& truth) {
    const std::uint64_t code = encode(truth.exact, output.format, options).code;
    detail::store_code(answer.codes.data(), static_cast<std::ptrdiff_t>(at), bytes, code);
    const auto [value, rest] = split(truth.exact);
    // By its own rule or by the rounding's, the result stops at the largest number.
    const bool saturates = output.format.is_finite(code) && std::fabs(value) > largest;
    answer.truth[at] = saturates ? std::copysign(largest, value) : value;
    answer.remainder[at] = saturates ? 0 : rest;
    answer.bound[at] = truth.exact.kind == Kind::finite ? truth.bound : 0;
    answer.results[at] = truth.results;
  };
  if (how.sample.empty() && operation.truths(arithmetic, how.factor, how.threads, take, how.progress))
    return answer;
  for_outputs(n, how,
              [&](std::size_t at, std::size_t i) { take(at, operation.truth(arithmetic, i, how.factor)); });
  return answer;
}

Answer predicted_answer(const Operation& operation, const Arithmetic& unit, const OutputSpec& output,
                        const AnswerOptions& how) {
  const std::size_t n = how.sample.empty() ? operation.size() : how.sample.size();
  const std::size_t bytes = code_bytes(output.format);
  Answer answer;
  answer.codes.resize(n * bytes);
  const ThreadScope team(how.threads);
  if (how.sample.empty() &&
      operation.predict_all(unit, {answer.codes.data(), n, 1, output.format}, how.progress))
    return answer;
  for_outputs(n, how, [&](std::size_t at, std::size_t i) {
    detail::store_code(answer.codes.data(), static_cast<std::ptrdiff_t>(at), bytes,
                       operation.predicted(unit, i));
  });
  return answer;
}

std::vector<std::size_t> sample_of(std::size_t n, std::size_t size, std::uint64_t seed) {
  if (size >= n) return {};
  // One of each of `size` shares of the outputs: distinct, in order, and spread over all of them.
  const CounterRandom random(seed, 0x53414D50);
  std::vector<std::size_t> sample(size);
  const auto begin = [&](std::size_t share) {
    return static_cast<std::size_t>(static_cast<Wide>(share) * n / size);
  };
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t first = begin(i);
    sample[i] = first + static_cast<std::size_t>(random.below(begin(i + 1) - first, i));
  }
  return sample;
}

}  // namespace assay::judge
