#include "emulation/units/distinguish.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <set>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

// An operand in parts: an odd significand (0 for a zero) and the exponent of its first place.
struct Parts {
  Kind kind = Kind::finite;
  bool negative = false;
  std::uint64_t significand = 0;
  int exponent = 0;

  int bits() const { return bit_width(significand); }
};

Parts parts_of(std::uint64_t code, const FormatSpec& f) {
  const ExactValue<std::uint64_t> x = exact_from_code(code, f);
  Parts p{.kind = x.kind, .negative = x.negative};
  if (x.kind != Kind::finite || x.significand == 0) return p;
  p.significand = x.significand >> std::countr_zero(x.significand);
  p.exponent = x.exponent + bit_width(x.significand) - 1;
  return p;
}

// The code of a finite number, if the format has it.
std::optional<std::uint64_t> code_of(const Parts& p, const FormatSpec& f) {
  ExactValue<std::uint64_t> x;
  x.negative = p.negative;
  x.significand = p.significand;
  x.exponent = p.exponent - (p.significand == 0 ? 0 : p.bits() - 1);
  const Encoded encoded = encode(x, f);
  if (encoded.inexact || encoded.overflow) return std::nullopt;
  return encoded.code;
}

using Cost = std::array<std::int64_t, 7>;

void add_cost(Cost& cost, std::uint64_t code, const FormatSpec& f) {
  const Parts p = parts_of(code, f);
  if (p.kind != Kind::finite || p.significand != 0) ++cost[1];
  if (p.kind != Kind::finite) ++cost[3];
  cost[4] += p.bits();
  cost[5] += std::abs(p.exponent);
  if (p.negative) ++cost[6];
}

Cost cost_of(const DotInput& x) {
  Cost cost{};
  cost[0] = static_cast<std::int64_t>(x.terms());
  for (const std::uint64_t code : x.a) add_cost(cost, code, x.a_format);
  for (const std::uint64_t code : x.b) add_cost(cost, code, x.b_format);
  if (x.c) {
    ++cost[2];
    add_cost(cost, *x.c, x.c_format);
  }
  return cost;
}

// The operands of an input by one index: a, b, then c.
std::size_t operands(const DotInput& x) { return 2 * x.terms() + (x.c ? 1 : 0); }
const FormatSpec& format_at(const DotInput& x, std::size_t i) {
  return i < x.terms() ? x.a_format : i < 2 * x.terms() ? x.b_format : x.c_format;
}
std::uint64_t& code_at(DotInput& x, std::size_t i) {
  return i < x.terms() ? x.a[i] : i < 2 * x.terms() ? x.b[i - x.terms()] : *x.c;
}
Parts parts_at(const DotInput& x, std::size_t i) {
  const std::uint64_t code = i < x.terms() ? x.a[i] : i < 2 * x.terms() ? x.b[i - x.terms()] : *x.c;
  return parts_of(code, format_at(x, i));
}
bool set_parts(DotInput& x, std::size_t i, const Parts& p) {
  const std::optional<std::uint64_t> code = code_of(p, format_at(x, i));
  if (code) code_at(x, i) = *code;
  return code.has_value();
}

// Simpler operands in place of one.
std::vector<Parts> simplifications(const Parts& p) {
  std::vector<Parts> all{{}};
  all.push_back({.significand = 1});
  all.push_back({.negative = true, .significand = 1});
  if (p.kind != Kind::finite || p.significand == 0) return all;
  const auto with = [&](std::uint64_t significand, int exponent, bool negative) {
    all.push_back({.negative = negative, .significand = significand, .exponent = exponent});
  };
  with(p.significand, p.exponent, false);
  const auto shortened = [&](std::uint64_t significand) {
    if (significand == 0) return;
    const int carry = bit_width(significand) - p.bits();  // rounding up may reach the next power of two
    with(significand >> std::countr_zero(significand), p.exponent + carry, p.negative);
  };
  const int bits = p.bits();
  for (const int kept : {1, 2, 3, bits / 2, bits - 1}) {
    if (kept < 1 || kept >= bits) continue;
    const std::uint64_t cut = p.significand >> (bits - kept) << (bits - kept);
    shortened(cut);
    shortened(cut + (std::uint64_t{1} << (bits - kept)));
  }
  if (bits > 1) {
    shortened(p.significand - 1);
    shortened(p.significand + 1);
  }
  with(p.significand, 0, p.negative);
  with(p.significand, p.exponent / 2, p.negative);
  with(p.significand, p.exponent + (p.exponent > 0 ? -1 : 1), p.negative);
  return all;
}

bool shift(DotInput& x, std::size_t i, int places) {
  Parts p = parts_at(x, i);
  if (p.kind != Kind::finite || p.significand == 0) return true;
  p.exponent += places;
  return set_parts(x, i, p);
}

void negate(DotInput& x, std::size_t i) {
  const FormatSpec& f = format_at(x, i);
  if (f.specials == Specials::fnuz && (code_at(x, i) & f.magnitude_mask()) == 0) return;
  code_at(x, i) ^= f.sign_code();
}

constexpr std::size_t most_paired_terms = 10;

// Reductions are made at sites, one group of them at a time, so that a long input need not be tried from its start
// again after each that works: 0 for whole stretches, 1 for c, 2 for everything at once, then the terms, then pairs of
// operands.
std::size_t sites(const DotInput& x) {
  const std::size_t n = operands(x);
  return 3 + x.terms() + (x.terms() <= most_paired_terms ? n * n : 0);
}

using Visit = std::function<bool(const DotInput&)>;

// Hands out what is smaller; true once visit() has had enough.
class Reductions {
 public:
  // `removable`: terms may be left out; else they become zero, as for an arithmetic that is known for one length.
  Reductions(const DotInput& x, const Visit& visit, bool removable = true)
      : x_(x), visit_(visit), removable_(removable) {}

  bool at(std::size_t site) {
    if (site == 0) return stretches();
    if (site == 1) return addend();
    if (site == 2) return everything();
    site -= 3;
    if (site < x_.terms()) return term(site);
    site -= x_.terms();
    const std::size_t n = operands(x_), i = site / n, j = site % n;
    return i < j && pair(i, j);
  }

 private:
  bool offer(const DotInput& y) {
    if (!cost_) cost_ = cost_of(x_);  // not before: at most sites of a long input there is nothing to offer
    return cost_of(y) < *cost_ && visit_(y);
  }

  DotInput without(std::size_t begin, std::size_t count) const {
    DotInput y = x_;
    const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(begin + count);
    y.a.erase(y.a.begin() + from, y.a.begin() + to);
    y.b.erase(y.b.begin() + from, y.b.begin() + to);
    return y;
  }

  DotInput zeroed(std::size_t begin, std::size_t count) const {
    DotInput y = x_;
    for (std::size_t i = begin; i < begin + count; ++i) y.a[i] = y.b[i] = 0;
    return y;
  }

  bool stretches() {
    for (std::size_t size = x_.terms() / 2; size > 1; size /= 2) {
      for (std::size_t begin = 0; begin + size <= x_.terms(); begin += size) {
        if (removable_ && offer(without(begin, size))) return true;
        if (!is_zero(begin, size) && offer(zeroed(begin, size))) return true;
      }
    }
    return false;
  }

  // Nothing is smaller there, and a long input is mostly that: each try would copy all of it.
  bool is_zero(std::size_t begin, std::size_t count) const {
    const auto zeros = [&](const std::vector<std::uint64_t>& codes) {
      const auto from = codes.begin() + static_cast<std::ptrdiff_t>(begin);
      return std::all_of(from, from + static_cast<std::ptrdiff_t>(count),
                         [](std::uint64_t code) { return code == 0; });
    };
    return zeros(x_.a) && zeros(x_.b);
  }

  bool addend() {
    if (!x_.c) return false;
    DotInput y = x_;
    y.c.reset();
    return offer(y) || simpler(operands(x_) - 1);
  }

  bool simpler(std::size_t i) {
    for (const Parts& p : simplifications(parts_at(x_, i))) {
      DotInput y = x_;
      if (set_parts(y, i, p) && offer(y)) return true;
    }
    return false;
  }

  // All of a, or all of b, moved by a power of two, and c with them or the other one against them; all signs turned.
  bool everything() {
    const std::size_t k = x_.terms();
    DotInput turned = x_;
    for (std::size_t i = 0; i < k; ++i) negate(turned, i);
    if (x_.c) negate(turned, 2 * k);
    if (offer(turned)) return true;
    std::set<int> moves{1, 2, 4, 8, 16, 32, 64};
    for (std::size_t i = 0; i < std::min<std::size_t>(operands(x_), 2 * most_paired_terms + 1); ++i)
      moves.insert(std::abs(parts_at(x_, i).exponent));
    if (x_.c) moves.insert(std::abs(parts_at(x_, 2 * k).exponent));
    for (const int size : moves) {
      for (const int d : {size, -size}) {
        for (const std::size_t side : {std::size_t{0}, k}) {
          DotInput with_c = x_, against = x_;
          bool fits = true, fits_against = true;
          for (std::size_t i = 0; i < k; ++i) {
            fits = fits && shift(with_c, side + i, d);
            fits_against = fits_against && shift(against, i, side == 0 ? d : -d) &&
                           shift(against, k + i, side == 0 ? -d : d);
          }
          if (x_.c) fits = fits && shift(with_c, 2 * k, d);
          if ((fits && offer(with_c)) || (fits_against && offer(against))) return true;
        }
      }
    }
    return false;
  }

  bool term(std::size_t i) {
    // No machine runs an instruction of no products.
    if (removable_ && x_.terms() > 1 && offer(without(i, 1))) return true;
    if (is_zero(i, 1)) return false;
    if (offer(zeroed(i, 1))) return true;
    const std::size_t j = x_.terms() + i;
    if (simpler(i) || simpler(j)) return true;
    DotInput turned = x_;
    negate(turned, i);
    negate(turned, j);
    if (offer(turned)) return true;
    const Parts a = parts_at(x_, i), b = parts_at(x_, j);
    for (const int d : {1, -1, -a.exponent, b.exponent}) {
      DotInput y = x_;
      if (shift(y, i, d) && shift(y, j, -d) && offer(y)) return true;
    }
    // All of the product in one factor.
    if (a.significand != 0 && b.significand != 0 && a.bits() + b.bits() <= 62) {
      const std::uint64_t significand = a.significand * b.significand;
      const Parts whole{
          .negative = a.negative != b.negative,
          .significand = significand,
          .exponent = a.exponent + b.exponent + bit_width(significand) - a.bits() - b.bits() + 1};
      for (const auto& [p, q] :
           {std::pair(whole, Parts{.significand = 1}), {Parts{.significand = 1}, whole}}) {
        DotInput y = x_;
        if (set_parts(y, i, p) && set_parts(y, j, q) && offer(y)) return true;
      }
    }
    return false;
  }

  // Two operands together: what cancels or is aligned must change on both sides.
  bool pair(std::size_t i, std::size_t j) {
    DotInput turned = x_;
    negate(turned, i);
    negate(turned, j);
    if (offer(turned)) return true;
    const Parts p = parts_at(x_, i), q = parts_at(x_, j);
    for (const int d : {1, -1, -p.exponent, -q.exponent}) {
      for (const int e : {d, -d}) {
        DotInput y = x_;
        if (shift(y, i, d) && shift(y, j, e) && offer(y)) return true;
      }
    }
    if (p.kind != Kind::finite || q.kind != Kind::finite || p.significand == 0 || q.significand == 0)
      return false;
    if (p.significand == q.significand) {  // shortened alike
      for (const Parts& simple : simplifications(p)) {
        if (simple.significand == 0) continue;
        Parts other = simple;
        other.exponent = q.exponent + simple.exponent - p.exponent;
        other.negative = q.negative;
        DotInput y = x_;
        if (set_parts(y, i, simple) && set_parts(y, j, other) && offer(y)) return true;
      }
    }
    return false;
  }

  const DotInput& x_;
  std::optional<Cost> cost_{};
  const Visit& visit_;
  bool removable_;
};

bool same_value(std::uint64_t x, const FormatSpec& fx, std::uint64_t y, const FormatSpec& fy) {
  const Parts p = parts_of(x, fx), q = parts_of(y, fy);
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
    for (std::size_t site = 0; quiet < sites(input); ++site) {
      if (site >= sites(input)) site = 0;
      std::optional<DotInput> next;
      const Visit keep = [&](const DotInput& y) {
        if (run(y) != outcome) return false;
        next = y;
        return true;
      };
      if (Reductions(input, keep, !terms_).at(site)) {
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

bool is_smaller(const DotInput& x, const DotInput& y) { return cost_of(x) < cost_of(y); }

void each_reduction(const DotInput& input, const std::function<bool(const DotInput&)>& visit) {
  Reductions reductions(input, visit);
  for (std::size_t site = 0; site < sites(input); ++site) {
    if (reductions.at(site)) return;
  }
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
