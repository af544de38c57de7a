#include "emulation/units/distinguish.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "emulation/units/input_reductions.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

bool same_value(std::uint64_t x, const FormatSpec& fx, std::uint64_t y, const FormatSpec& fy) {
  const NumberParts p = parts_of(x, fx), q = parts_of(y, fy);
  if (p.kind != q.kind) return false;
  if (p.kind == Kind::nan) return true;
  if (p.kind == Kind::infinite) return p.negative == q.negative;
  if (p.significand == 0 || q.significand == 0) return p.significand == q.significand;
  return p.negative == q.negative && p.significand == q.significand && p.exponent == q.exponent;
}

class Trial {
 public:
  Trial(const Arithmetic& x, const Arithmetic& y, const DistinguishOptions& options)
      : x_(x),
        y_(y),
        x_output_(options.output.value_or(x.info().outputs.front())),
        y_output_(options.output.value_or(y.info().outputs.front())),
        terms_(options.terms),
        progress_(options.progress) {}

  enum class Outcome : std::uint8_t { same, bits, value };

  Outcome run(const DotInput& input) {
    if (terms_ && input.terms() != *terms_) return Outcome::same;  // a reduction
    if (progress_) progress_(searched.value_or(count), searched ? count - *searched : 0);
    ++count;
    const std::optional<std::uint64_t> cx = c_for(input, x_), cy = c_for(input, y_);
    if (input.c && (!cx || !cy)) return Outcome::same;
    x_result = x_.dot(input.a_view(), input.b_view(), cx, x_output_);
    y_result = y_.dot(input.a_view(), input.b_view(), cy, y_output_);
    if (!same_value(x_result, x_output_, y_result, y_output_)) return Outcome::value;
    if (x_output_ == y_output_) return x_result == y_result ? Outcome::same : Outcome::bits;
    const bool zero = parts_of(x_result, x_output_).significand == 0 && x_output_.is_finite(x_result);
    const bool signs = x_output_.is_negative(x_result) != y_output_.is_negative(y_result);
    return zero && signs ? Outcome::bits : Outcome::same;
  }

  Distinction result(const DotInput& input, Outcome outcome) {
    Distinction d{.found = true, .input = input};
    run(input);
    d.x_result = x_result;
    d.y_result = y_result;
    d.x_output = x_output_;
    d.y_output = y_output_;
    d.by_value = outcome == Outcome::value;
    return d;
  }

  // Reductions that keep the outcome, until none is left.
  DotInput reduce(DotInput input, Outcome outcome) {
    std::size_t quiet = 0;  // sites in a row without any
    for (std::size_t site = 0; quiet < reduction_sites(input); ++site) {
      if (site >= reduction_sites(input)) site = 0;
      std::optional<DotInput> next;
      const VisitInput keep = [&](const DotInput& y) {
        if (run(y) != outcome) return false;
        next = y;
        return true;
      };
      if (visit_reductions(input, site, keep, !terms_)) {
        input = *next;
        quiet = 0;
        --site;  // the same once more; wraps to 0 with the loop's increment
      } else {
        ++quiet;
      }
    }
    return input;
  }

  std::uint64_t count = 0;
  std::optional<std::uint64_t> searched{};  // of `count`, those before anything was reduced
  std::uint64_t x_result = 0, y_result = 0;

 private:
  const Arithmetic &x_, &y_;
  FormatSpec x_output_, y_output_;
  std::optional<std::size_t> terms_{};
  const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
};

std::string accepted(const Arithmetic& arithmetic) {
  std::string names;
  for (const auto& [a, b] : arithmetic.info().inputs)
    names += (names.empty() ? "" : ", ") + std::string(a.short_name) + " x " + std::string(b.short_name);
  return names.empty() ? "any formats" : names;
}

FormatSpec narrower(const FormatSpec& x, const FormatSpec& y) {
  return contains_format(x, y) && !contains_format(y, x) ? y : x;
}

std::vector<std::pair<FormatSpec, FormatSpec>> common_inputs(const Arithmetic& x, const Arithmetic& y,
                                                             const DistinguishOptions& options) {
  const std::string who = "distinguishing " + x.info().name + " and " + y.info().name + ": ";
  const std::string takes =
      "; " + x.info().name + " takes " + accepted(x) + ", " + y.info().name + " takes " + accepted(y);
  if (options.inputs) {
    const auto& [a, b] = *options.inputs;
    if (!x.accepts(a, b) || !y.accepts(a, b))
      throw ContractError(who + std::string(a.short_name) + " x " + std::string(b.short_name) +
                          " is not for both" + takes);
    return {*options.inputs};
  }
  if (x.info().inputs.empty() && y.info().inputs.empty()) {
    const FormatSpec f = narrower(x.info().accumulator, y.info().accumulator);
    return {{f, f}};
  }
  std::vector<std::pair<FormatSpec, FormatSpec>> common;
  for (const auto& [a, b] : (x.info().inputs.empty() ? y : x).info().inputs) {
    if (x.accepts(a, b) && y.accepts(a, b)) common.emplace_back(a, b);
  }
  if (common.empty()) throw ContractError(who + "no formats of a and b are for both" + takes);
  return common;
}

std::vector<std::size_t> lengths(const Arithmetic& x, const Arithmetic& y, std::size_t most) {
  std::set<std::size_t> all{1, 2, 3, 4, 8, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257, 512, 513};
  for (const std::size_t step : {x.info().step_terms, y.info().step_terms}) {
    for (const std::size_t n : {step, step + 1, 2 * step, 2 * step + 1}) all.insert(n);
  }
  std::erase_if(all, [&](std::size_t n) { return n > most; });
  return {all.begin(), all.end()};
}

}  // namespace

std::optional<std::uint64_t> c_for(const DotInput& input, const Arithmetic& arithmetic) {
  const FormatSpec& f = arithmetic.info().accumulator;
  if (!input.c || input.c_format == f) return input.c;
  const Encoded code = convert(*input.c, input.c_format, f);
  return code.inexact || code.invalid || code.overflow ? std::nullopt : std::optional(code.code);
}

Distinction distinguish(const Arithmetic& x, const Arithmetic& y, const DistinguishOptions& options) {
  const auto inputs = common_inputs(x, y, options);
  for (const Arithmetic* one : {&x, &y}) {
    if (options.output && !one->gives(*options.output))
      throw ContractError(one->info().name + " does not give " + std::string(options.output->short_name));
  }
  const FormatSpec c_format = narrower(x.info().accumulator, y.info().accumulator);
  const std::vector<std::size_t> sizes =
      options.terms ? std::vector{*options.terms} : lengths(x, y, options.most_terms);
  // Long inputs take a quarter of the turns that short ones take.
  const auto weight = [](std::size_t n) { return n <= 64 ? std::uint64_t{4} : std::uint64_t{1}; };
  std::uint64_t weights = 0;
  for (const std::size_t n : sizes) weights += weight(n) * inputs.size();

  using Outcome = Trial::Outcome;
  Trial trial(x, y, options);
  // The least of several found ones; a long one takes thousands of dot products to become small, and two will do.
  constexpr std::size_t long_input = 4096;
  const auto enough = [](std::size_t n) -> std::size_t { return n > long_input ? 2 : 12; };
  std::vector<DotInput> by_value, by_bits;
  std::uint64_t left = options.limit;
  for (const std::size_t n : sizes) {
    for (const auto& [a, b] : inputs) {
      const std::uint64_t turns = std::min(
          left, std::max(options.limit * weight(n) / std::max<std::uint64_t>(weights, 1), std::uint64_t{1}));
      const CounterRandom random(options.seed, n);
      for (std::uint64_t i = 0; i < turns && by_value.size() < enough(n); ++i) {
        --left;
        const InputClass kind = all_input_classes[i % all_input_classes.size()];
        DotInput input = discriminating_input(kind, n, a, b, c_format, random.u64(i));
        if (!options.with_c || i / all_input_classes.size() % 3 == 0) input.c.reset();
        const Outcome outcome = trial.run(input);
        if (outcome == Outcome::value)
          by_value.push_back(std::move(input));
        else if (outcome == Outcome::bits && by_bits.size() < enough(n))
          by_bits.push_back(std::move(input));
      }
    }
    if (!by_value.empty()) break;
  }
  const std::uint64_t tried = trial.count;
  trial.searched = tried;
  const Outcome outcome = by_value.empty() ? Outcome::bits : Outcome::value;
  const std::vector<DotInput>& found = by_value.empty() ? by_bits : by_value;
  Distinction best;
  if (!found.empty()) {
    DotInput least = trial.reduce(found.front(), outcome);
    for (std::size_t i = 1; i < found.size(); ++i) {
      const DotInput other = trial.reduce(found[i], outcome);
      if (is_smaller(other, least)) least = other;
    }
    best = trial.result(least, outcome);
  }
  best.tried = tried;
  best.reduced = trial.count - tried;
  return best;
}

double seconds_a_dot(const Arithmetic& arithmetic, const DistinguishOptions& options, std::size_t terms) {
  const ArithmeticInfo& info = arithmetic.info();
  const auto [a, b] = options.inputs        ? *options.inputs
                      : info.inputs.empty() ? std::pair(info.accumulator, info.accumulator)
                                            : info.inputs.front();
  constexpr std::size_t few = 4096;
  const std::vector<std::uint64_t> zeros(few);
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(arithmetic.dot({zeros.data(), few, 1, a}, {zeros.data(), few, 1, b}));
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return took * static_cast<double>(terms) / few;
}

}  // namespace assay
