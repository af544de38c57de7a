#include "validation/compare/integers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/exact/exact_sum.hpp"
#include "validation/compare/place_tally.hpp"
#include "validation/compare/vacuity.hpp"
#include "validation/compare/verdict.hpp"
#include "validation/compare/where.hpp"

namespace assay::compare {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();  // an error relative to zero

Int128 magnitude(Int128 x) { return x < 0 ? -x : x; }

// x = high * 2^64 + low, both parts of less than 2^64; only their halves fit float64.
void add(ExactSum& sum, Int128 x, double factor) {
  constexpr int half = 32;
  for (int shift = 0; shift < 3 * half; shift += half) {
    const auto part = static_cast<std::uint32_t>(x >> shift & 0xFFFFFFFF);
    sum.add_product(std::ldexp(static_cast<double>(part), shift), factor);
  }
}

// The least r with distance <= r * magnitude, in real numbers.
double smallest_factor(Int128 distance, Int128 of) {
  if (distance == 0) return 0;
  if (of == 0) return unbounded;
  double r = static_cast<double>(distance) / static_cast<double>(of);
  while (!is_within(distance, 0, r, of)) r = std::nextafter(r, unbounded);
  for (double less = std::nextafter(r, 0); is_within(distance, 0, less, of); less = std::nextafter(r, 0))
    r = less;
  return r;
}

class IntegerPairs final : public Pairs {
 public:
  IntegerPairs(const Integers& got, const ExpectedIntegers& want, const Policy& policy)
      : got_(got), want_(want), policy_(policy), most_atol_(whole_part(policy.atol)) {}

  std::size_t size() const override { return got_.size(); }
  MatrixView view() const override { return matrix_view(got_.shape); }
  std::uint64_t got_code(std::size_t i) const override { return got_.code(i); }
  std::uint64_t want_code(std::size_t i) const override {
    const int unused = 64 - got_.type.bits;
    return static_cast<std::uint64_t>(want_.values.value(i)) << unused >> unused;
  }
  bool accepts(std::uint64_t code, std::size_t i) const override {
    return accepts_value(integer_value(code, got_.type), i);
  }
  const FormatSpec* floating() const override { return nullptr; }
  bool are_finite(std::size_t) const override { return true; }
  Numbers numbers(std::size_t i) const override {
    const Int128 got = got_.value(i), want = want_.values.value(i);
    return {static_cast<double>(got), static_cast<double>(want), static_cast<double>(got - want), bound(i)};
  }

  bool accepts_value(Int128 got, std::size_t i) const {
    const Int128 want = want_.values.value(i), distance = magnitude(got - want);
    if (distance == 0) return true;
    switch (policy_.kind) {
      case PolicyKind::bit_equal:
      case PolicyKind::correctly_rounded: return false;
      case PolicyKind::bound: return is_within(distance, 0, policy_.factor, bound(i));
      case PolicyKind::tolerance: break;
    }
    if (distance <= Int128{policy_.ulps} || distance <= most_atol_) return true;
    return policy_.rtol != 0 && is_within(distance, policy_.atol, policy_.rtol, magnitude(want));
  }
  double bound(std::size_t i) const { return want_.bound.empty() ? 0 : want_.bound[i]; }
  const Integers& got() const { return got_; }
  const Integers& want() const { return want_.values; }

 private:
  static bool is_within(Int128 distance, double addend, double factor, double of) {
    ExactSum sum;
    sum.add(addend);
    sum.add_product(factor, of);
    add(sum, distance, -1);
    return !sum.result().negative;
  }
  static bool is_within(Int128 distance, double addend, double factor, Int128 of) {
    return compare::is_within(distance, addend, factor, of);
  }
  // Every distance up to it is within atol. Differences stay below 2^66.
  static Int128 whole_part(double x) { return static_cast<Int128>(std::min(std::floor(x), 0x1p100)); }

  Integers got_;
  ExpectedIntegers want_;
  Policy policy_;
  Int128 most_atol_;
};

// The worst so far: outside before accepted, then by the policy's measure, then by the difference.
struct Worst {
  bool outside = false;
  double score = 0;
  Int128 distance = 0;
  std::size_t index = 0;

  bool is_less_than(const Worst& o) const {
    if (outside != o.outside) return o.outside;
    return score != o.score ? score < o.score : distance < o.distance;
  }
};

class IntegerPass {
 public:
  explicit IntegerPass(const IntegerPairs& pairs, const Policy& policy)
      : p_(pairs), policy_(policy), places_(pairs.view()) {
    c_.policy = policy;
    c_.shape = pairs.got().shape;
    c_.values = pairs.size();
    c_.integers = IntegerFigures{.got_type = pairs.got().type, .want_type = pairs.want().type};
    c_.scatter = {.over_bound = policy.kind == PolicyKind::bound,
                  .x0 = -1,
                  .y0 = policy.kind == PolicyKind::bound ? -40 : 0,
                  .width = 66,
                  .height = policy.kind == PolicyKind::bound ? std::size_t{107} : std::size_t{67}};
    c_.scatter.counts.resize(c_.scatter.width * c_.scatter.height);
    if (policy.kind == PolicyKind::bound) c_.over_bound = OverBound{};
  }

  void run() {
    for (std::size_t i = 0; i < p_.size(); ++i) visit(i);
    finish();
  }
  Comparison& counts() { return c_; }
  std::uint64_t zero_truths() const { return zero_truths_; }
  const PlaceTally& places() const { return places_; }

 private:
  void visit(std::size_t i) {
    const Int128 got = p_.got().value(i), want = p_.want().value(i);
    note_ranges(i, got, want);
    const Int128 difference = got - want, distance = magnitude(difference);
    if (want == 0) ++zero_truths_;
    if (p_.accepts_value(0, i)) ++c_.zeros_would_pass;
    sums_.want += static_cast<double>(want) * static_cast<double>(want);
    sums_.got += static_cast<double>(got) * static_cast<double>(got);
    sums_.product += static_cast<double>(got) * static_cast<double>(want);
    sum_of_differences_ += static_cast<long double>(difference);
    ++c_.measured;
    const std::size_t bin = bin_of(distance);
    ++(difference < 0 ? c_.ulps.below : c_.ulps.above)[bin];
    if (distance == 0) {
      ++c_.bit_equal;
      ++c_.scatter.exact;
      if (c_.over_bound) ratios_.push_back(0);
      return;
    }
    sums_.error += static_cast<double>(distance) * static_cast<double>(distance);
    const bool outside = !p_.accepts_value(got, i);
    measure(i, distance, magnitude(want), outside);
    places_.note(i, outside);
  }

  void measure(std::size_t i, Int128 distance, Int128 of, bool outside) {
    IntegerFigures& figures = *c_.integers;
    const auto error = static_cast<double>(distance);
    if (distance > figures.largest_difference) {
      figures.largest_difference = distance;
      c_.max_absolute = {error, i};
    }
    const double relative = of == 0 ? unbounded : error / static_cast<double>(of);
    if (relative > c_.max_relative.value) c_.max_relative = {relative, i};
    if (relative >= rtol_ * (1 - 0x1p-50)) rtol_ = std::max(rtol_, smallest_factor(distance, of));
    double score = 0, shown = error;
    if (c_.over_bound) {
      score = shown = p_.bound(i) == 0 ? unbounded : error / p_.bound(i);
      ratios_.push_back(score);
      if (score > c_.over_bound->max.value) c_.over_bound->max = {score, i};
    } else if (policy_.kind == PolicyKind::tolerance) {
      const double allowed = policy_.atol + policy_.rtol * static_cast<double>(of);
      score = allowed > 0 ? error / allowed : unbounded;
    }
    const Worst candidate{outside, score, distance, i};
    if (worst_.distance == 0 || worst_.is_less_than(candidate)) worst_ = candidate;
    const compare::Scatter& s = c_.scatter;
    const int exponent = std::isinf(shown) ? 1024 : shown == 0 ? -1024 : std::ilogb(shown);
    const int y = std::clamp(exponent - s.y0, 0, static_cast<int>(s.height) - 1);
    const std::size_t x = bin_of(of);
    ++c_.scatter.counts[static_cast<std::size_t>(y) * s.width + x];
  }

  static std::size_t bin_of(Int128 distance) {
    const auto low = static_cast<std::uint64_t>(distance);
    return distance >> 64 != 0 ? UlpHistogram::bins - 1 : static_cast<std::size_t>(std::bit_width(low));
  }

  void note_ranges(std::size_t i, Int128 got, Int128 want) {
    IntegerFigures& f = *c_.integers;
    f.least_got = i == 0 ? got : std::min(f.least_got, got);
    f.most_got = i == 0 ? got : std::max(f.most_got, got);
    f.least_want = i == 0 ? want : std::min(f.least_want, want);
    f.most_want = i == 0 ? want : std::max(f.most_want, want);
    c_.got.positive_zero += got == 0 ? 1 : 0;
    c_.want.positive_zero += want == 0 ? 1 : 0;
  }

  void finish() {
    c_.differ = c_.values - c_.bit_equal;
    c_.outside = places_.outside();
    c_.max_ulps = c_.max_absolute;
    c_.mean_ulps =
        c_.values == 0 ? 0 : static_cast<double>(sum_of_differences_ / static_cast<long double>(c_.values));
    c_.nmse = sums_.error == 0 ? 0 : sums_.error / sums_.want;
    const double norms = std::sqrt(sums_.want) * std::sqrt(sums_.got);
    c_.cosine = norms == 0 ? (sums_.want == sums_.got ? 1 : 0) : sums_.product / norms;
    const double all = rounded_up(c_.integers->largest_difference);
    c_.would_pass = {all, rtol_, all};
    c_.map = places_.map();
    if (c_.over_bound && !ratios_.empty()) {
      const auto quantile = [this](double q) {
        const auto at =
            ratios_.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(ratios_.size() - 1));
        std::nth_element(ratios_.begin(), at, ratios_.end());
        return *at;
      };
      c_.over_bound->p50 = quantile(0.5);
      c_.over_bound->p99 = quantile(0.99);
    }
    if (worst_.distance != 0) c_.worst = element(worst_.index);
  }

  Element element(std::size_t i) const {
    const Int128 got = p_.got().value(i), want = p_.want().value(i), distance = magnitude(got - want);
    Element e{.index = i,
              .got = p_.got().code(i),
              .want = p_.want().code(i),
              .got_value = static_cast<double>(got),
              .want_value = static_cast<double>(want),
              .absolute = static_cast<double>(distance),
              .relative = want == 0 ? unbounded
                                    : static_cast<double>(distance) / static_cast<double>(magnitude(want))};
    if (c_.over_bound) e.over_bound = p_.bound(i) == 0 ? unbounded : e.absolute / p_.bound(i);
    return e;
  }

  const IntegerPairs& p_;
  const Policy& policy_;
  Comparison c_;
  PlaceTally places_;
  std::uint64_t zero_truths_ = 0;
  Worst worst_;
  double rtol_ = 0;
  std::vector<double> ratios_;
  struct {
    double want = 0, got = 0, product = 0, error = 0;
  } sums_;
  long double sum_of_differences_ = 0;  // of the mean, which is shown and judges nothing
};

void check(const Integers& got, const ExpectedIntegers& want, const Options& options) {
  const Policy& policy = options.policy;
  if (const std::string why = why_unsound(policy); !why.empty()) throw ContractError("judge: " + why);
  const auto same_shape = [&](const Integers& other, const std::string& what) {
    if (got.shape != other.shape)
      throw ContractError("judge: got has shape " + shape_text(got.shape) + " and " + what + " " +
                          shape_text(other.shape));
  };
  same_shape(want.values, "want");
  if (got.size() > 0 && (got.data == nullptr || want.values.data == nullptr))
    throw ContractError("judge: a null array");
  if (policy.kind == PolicyKind::bit_equal && !options.convert && !(got.type == want.values.type)) {
    throw ContractError("judge: bit-equal of " + got.type.name() + " and " + want.values.type.name() +
                        " without Options::convert");
  }
  if (options.stale) throw ContractError("judge: what the memory held before is not of got's type");
  if (want.stale) {
    same_shape(*want.stale, "the earlier content");
    if (!(want.stale->type == got.type))
      throw ContractError("judge: the earlier content is " + want.stale->type.name() + ", not " +
                          got.type.name());
  }
  if (policy.kind != PolicyKind::bound) return;
  if (want.bound.size() != got.size())
    throw ContractError("judge: " + std::to_string(want.bound.size()) + " bounds for " +
                        std::to_string(got.size()) + " values");
  for (std::size_t i = 0; i < want.bound.size(); ++i) {
    if (!(want.bound[i] >= 0 && std::isfinite(want.bound[i])))
      throw ContractError("judge: the bound of value " + std::to_string(i) +
                          " is no finite number, 0 or more");
  }
}

}  // namespace

std::size_t Integers::size() const {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  return n;
}

std::uint64_t Integers::code(std::size_t i) const {
  return detail::load_code(data, static_cast<std::ptrdiff_t>(i), type.bytes());
}

bool is_within(Int128 distance, double addend, double factor, Int128 of) {
  // float64 decides all but what lies within its own rounding of the limit.
  const double limit = addend + factor * static_cast<double>(of), d = static_cast<double>(distance);
  constexpr double margin = 0x1p-48;
  if (d < limit * (1 - margin)) return true;
  if (d > limit * (1 + margin) && limit > 0x1p-1000) return false;
  ExactSum sum;
  sum.add(addend);
  add(sum, of, factor);
  add(sum, distance, -1);
  return !sum.result().negative;
}

double rounded_up(Int128 x) {
  const auto nearest = static_cast<double>(x);
  return static_cast<Int128>(nearest) < x ? std::nextafter(nearest, unbounded) : nearest;
}

Comparison judge(const Integers& got, const ExpectedIntegers& want, const Options& options) {
  constexpr std::uint32_t default_mxcsr = 0x1F80;
  const MxcsrGuard guard(default_mxcsr);
  check(got, want, options);
  const IntegerPairs pairs(got, want, options.policy);
  IntegerPass pass(pairs, options.policy);
  pass.run();
  Comparison& c = pass.counts();
  c.operation = options.operation;
  set_verdict(c, pass.zero_truths(), options.expects_zero);
  const auto stale = [&](std::size_t i) { return want.stale->code(i); };
  const CodeAt stale_code = want.stale ? CodeAt(stale) : CodeAt();
  if (c.verdict == Verdict::disagree) {
    c.where = locate(pairs, c, pass.places(), {.stale = stale_code, .entry_of = options.entry_of});
  } else if (c.verdict == Verdict::agree) {
    c.weaknesses = weaknesses(pairs, stale_code);
  }
  return std::move(c);
}

}  // namespace assay::compare
