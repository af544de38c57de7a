#include "validation/compare/statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/encode.hpp"
#include "validation/compare/tally.hpp"

namespace assay::compare {
namespace {

constexpr std::size_t block_size = 4096;  // codes and values of a block stay in the caches
constexpr std::size_t chunk_size = std::size_t{1}
                                   << 16;  // sums are taken over chunks: the same for any number of threads
constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr std::uint32_t default_mxcsr = 0x1F80;

// The least r with error <= r * magnitude as Rule computes it: the quotient, or the value that follows it where its own
// rounding or the product's falls short.
double smallest_rtol(double error, double magnitude, double quotient) {
  return error <= quotient * magnitude || std::isinf(quotient) ? quotient
                                                               : std::nextafter(quotient, infinity);
}

// A whole number of steps that is no less than the distance that float64 rounded to `distance`.
double whole_steps(double distance) {
  constexpr double exact_below = 0x1p53;
  return distance < exact_below ? distance : std::nextafter(distance, infinity);
}

int exponent_of(double x) {  // floor(log2|x|); that of the smallest float64 for zero and its subnormals
  const auto biased = static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 52 & 0x7FF);
  return biased - 1023;
}

class Pass {
 public:
  explicit Pass(const Problem& problem)
      : p_(problem),
        f_(problem.format()),
        kind_(problem.rule().policy().kind),
        view_(problem.view()),
        got_bytes_(code_bytes(f_)),
        want_bytes_(code_bytes(problem.want().codes.format)),
        // Where want is the codes themselves, equal codes have no error and need not be looked at one by one.
        want_is_codes_(!problem.has_truth() && problem.want().bound.empty() &&
                       (problem.narrower().is_identity() || kind_ == PolicyKind::bit_equal)) {
    scatter_.over_bound = kind_ == PolicyKind::bound;
    scatter_.x0 = f_.emin - f_.precision;
    scatter_.width = static_cast<std::size_t>(f_.emax() - scatter_.x0 + 2);
    scatter_.y0 = scatter_.over_bound ? -40 : 0;
    scatter_.height = 64;
  }

  Statistics run(int threads) const {
    const std::size_t n = p_.size();
    const std::size_t chunks = (n + chunk_size - 1) / chunk_size;
    const int team = static_cast<int>(std::min<std::size_t>(
        static_cast<std::size_t>(threads_or_default(threads)), std::max<std::size_t>(chunks / 4, 1)));
    std::vector<Energy> energies(chunks);
    const MxcsrGuard guard(default_mxcsr);
    auto [buffers, total] = parallel_reduce(
        chunks, {team, Share::fixed},
        [&] {
          std::pair<Buffers, Tally> own{Buffers{}, Tally(view_)};
          own.second.scatter.resize(scatter_.width * scatter_.height);
          return own;
        },
        [&](std::pair<Buffers, Tally>& own, std::size_t c) {
          const std::size_t end = std::min(n, (c + 1) * chunk_size);
          for (std::size_t first = c * chunk_size; first < end; first += block_size) {
            visit_block(first, std::min(block_size, end - first), own.first, own.second, energies[c]);
          }
        },
        [](std::pair<Buffers, Tally>& all, const std::pair<Buffers, Tally>& own) {
          all.second.merge(own.second);
        });
    Energy energy;
    for (const Energy& e : energies) {
      energy.want += e.want;
      energy.got += e.got;
      energy.product += e.product;
      energy.error += e.error;
    }
    return finish(std::move(total), energy);
  }

 private:
  struct Buffers {
    std::vector<std::uint64_t> want_codes =
        std::vector<std::uint64_t>(block_size);  // room for codes of any width
    std::vector<double> got = std::vector<double>(block_size), want = std::vector<double>(block_size);
  };

  void visit_block(std::size_t first, std::size_t n, Buffers& b, Tally& tally, Energy& energy) const {
    const auto* const got = static_cast<const unsigned char*>(p_.got().data) + first * got_bytes_;
    const auto* const stored = static_cast<const unsigned char*>(p_.want().codes.data) + first * want_bytes_;
    const void* const want = p_.narrower().block(stored, b.want_codes.data(), n);
    const bool equal = std::memcmp(got, want, n * got_bytes_) == 0;
    const ClassCounts classes = count_classes(want, n, f_);
    add_classes(tally.want, classes);
    const ClassCounts got_classes = equal ? classes : count_classes(got, n, f_);
    add_classes(tally.got, got_classes);
    if (p_.has_truth()) {
      std::copy_n(p_.want().truth.data() + first, n, b.want.data());
    } else if (want_is_codes_) {
      p_.got_decoder().decode(want, b.want.data(), n);
    } else {
      p_.want_decoder().decode(stored, b.want.data(), n);
    }
    if (equal && want_is_codes_) {
      visit_equal(n, classes, b.want, tally, energy);
      return;
    }
    p_.got_decoder().decode(got, b.got.data(), n);
    const auto is_number = [](double x) { return std::isfinite(x); };
    const bool numbers =
        classes.nan + classes.infinite() + got_classes.nan + got_classes.infinite() == 0 &&
        std::all_of(b.want.begin(), b.want.begin() + static_cast<std::ptrdiff_t>(n), is_number);
    numbers ? visit_sized<true>(first, n, got, want, b, tally, energy)
            : visit_sized<false>(first, n, got, want, b, tally, energy);
  }

  template <bool numbers>
  void visit_sized(std::size_t first, std::size_t n, const void* got, const void* want, const Buffers& b,
                   Tally& tally, Energy& energy) const {
    switch (got_bytes_) {
      case 1: visit_values<std::uint8_t, numbers>(first, n, got, want, b, tally, energy); break;
      case 2: visit_values<std::uint16_t, numbers>(first, n, got, want, b, tally, energy); break;
      case 4: visit_values<std::uint32_t, numbers>(first, n, got, want, b, tally, energy); break;
      default: visit_values<std::uint64_t, numbers>(first, n, got, want, b, tally, energy);
    }
  }

  void visit_equal(std::size_t n, const ClassCounts& classes, const std::vector<double>& want, Tally& tally,
                   Energy& energy) const {
    tally.bit_equal += n;
    const std::uint64_t numbers = n - classes.nan;
    tally.measured += numbers;
    tally.ulps.above[0] += numbers;
    tally.exact += numbers;
    tally.zero_truths += classes.zero();
    if (kind_ != PolicyKind::tolerance) {
      tally.zeros_would_pass += classes.zero();
    } else {
      for (std::size_t i = 0; i < n; ++i) tally.zeros_would_pass += zero_passes_tolerance(want[i]) ? 1 : 0;
    }
    // Eight sums: one would wait for each addition.
    double sums[8] = {};
    if (classes.nan + classes.infinite() == 0) {
      std::size_t i = 0;
      for (; i + 8 <= n; i += 8) {
        for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += want[i + lane] * want[i + lane];
      }
      for (; i < n; ++i) sums[0] += want[i] * want[i];
    } else {
      for (std::size_t i = 0; i < n; ++i) sums[i % 8] += std::isfinite(want[i]) ? want[i] * want[i] : 0.0;
    }
    double sum = 0;
    for (const double s : sums) sum += s;
    energy.want += sum;
    energy.got += sum;
    energy.product += sum;
  }

  // Zero in the place of a value that is its own code.
  bool zero_passes_tolerance(double value) const {
    if (!std::isfinite(value)) return false;
    const Policy& policy = p_.rule().policy();
    if (std::fabs(value) <= policy.atol + policy.rtol * std::fabs(value)) return true;
    return policy.ulps != 0 && p_.rule().accepts_zero({.code = encode(value, f_).code, .value = value});
  }

  // `numbers`: neither NaN nor infinity is among them.
  template <class Code, bool numbers>
  void visit_values(std::size_t first, std::size_t n, const void* got_codes, const void* want_codes,
                    const Buffers& b, Tally& tally, Energy& energy) const {
    Energy sums;  // not through a reference: they would be stored and loaded for every value
    const auto* const got = static_cast<const Code*>(got_codes);
    const auto* const want = static_cast<const Code*>(want_codes);
    const bool has_remainder = !p_.want().remainder.empty(), has_bound = !p_.want().bound.empty();
    const std::span<const ResultSet> results = p_.want().results;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t i = first + k;
      const Target target{.code = want[k],
                          .value = b.want[k],
                          .remainder = has_remainder ? p_.want().remainder[i] : 0.0,
                          .bound = has_bound ? p_.want().bound[i] : 0.0,
                          .results = results.empty() ? nullptr : &results[i]};
      visit<numbers>(i, got[k], b.got[k], target, tally, sums);
    }
    energy.want += sums.want;
    energy.got += sums.got;
    energy.product += sums.product;
    energy.error += sums.error;
  }

  template <bool numbers>
  void visit(std::size_t i, std::uint64_t got, double got_value, const Target& want, Tally& tally,
             Energy& energy) const {
    const bool differs = got != want.code;
    if (!differs) ++tally.bit_equal;
    const bool zero_truth = want.value == 0 && want.remainder == 0;
    if (zero_truth) ++tally.zero_truths;
    const Rule& rule = p_.rule();
    if (numbers ? rule.number_accepts_zero(want) : rule.accepts_zero(want)) ++tally.zeros_would_pass;
    if (!rule.judges(want)) ++tally.not_judged;

    const bool finite = numbers || (f_.is_finite(got) && std::isfinite(want.value));
    const bool same_class = numbers || rule.same_class(got, want.code);
    double error = 0;
    if (finite) {
      error = absolute_error(got_value, want);
      energy.want += want.value * want.value;
      energy.got += got_value * got_value;
      energy.product += got_value * want.value;
      energy.error += error * error;
    }
    const bool outside =
        !(numbers ? rule.accepts_number(got, error, want) : rule.accepts(got, got_value, want));
    double score = 0;
    if (!same_class) {
      ++tally.class_mismatches;
      score = infinity;
    } else if (numbers || !f_.is_nan(got)) {
      score = measure(i, got, error, finite, outside, want, tally);
    } else if (differs) {
      ++tally.other_nans;
    }
    // Ranks by the policy's own measure; what it rejects stands before what it accepts, and the code that was wanted is
    // no difference, however far the exact value lies from it.
    tally.worst.offer(outside                 ? std::max(score, std::numeric_limits<double>::min())
                      : same_class && differs ? score
                                              : 0,
                      i);
    if (differs || outside) tally.places.note(i, outside);
  }

  // Of values that are numbers or the same infinity on both sides; returns the score for `worst`.
  double measure(std::size_t i, std::uint64_t got, double error, bool finite, bool outside,
                 const Target& want, Tally& tally) const {
    ++tally.measured;
    const Steps steps = Steps{ulp_position(got, f_)} - Steps{ulp_position(want.code, f_)};
    const auto distance = static_cast<std::uint64_t>(steps < 0 ? -steps : steps);
    ++(steps < 0 ? tally.ulps.below : tally.ulps.above)[static_cast<std::size_t>(std::bit_width(distance))];
    tally.sum_of_steps += steps;
    const auto ulps = static_cast<double>(distance);
    if (distance != 0) tally.steps.offer(ulps, i);
    double ratio = 0;
    if (error > 0) {
      tally.absolute.offer(error, i);
      // A division a value would be most of the time that a value takes; the margin covers its rounding.
      const double magnitude = std::fabs(want.value);
      if (error >= tally.relative.score * magnitude * (1 - 0x1p-50)) {
        const double quotient = magnitude == 0 ? infinity : error / magnitude;
        tally.relative.offer(quotient, i);
        tally.rtol.offer(smallest_rtol(error, magnitude, quotient), i);
      }
    }
    if (kind_ == PolicyKind::bound && finite && p_.rule().judges(want)) {
      ratio = p_.rule().over_bound(error, outside, want);
      tally.ratios.add(ratio);
      if (ratio > 0) tally.over_bound.offer(ratio, i);
    }
    const double shown = scatter_.over_bound ? ratio : ulps;
    if (shown == 0) {
      ++tally.exact;
    } else {
      const int y = std::clamp(exponent_of(shown) - scatter_.y0, 0, static_cast<int>(scatter_.height) - 1);
      const int x =
          std::clamp(exponent_of(want.value) - scatter_.x0, 0, static_cast<int>(scatter_.width) - 1);
      ++tally.scatter[static_cast<std::size_t>(y) * scatter_.width + static_cast<std::size_t>(x)];
    }
    switch (kind_) {
      case PolicyKind::bound: return ratio;
      case PolicyKind::tolerance: {
        const Policy& policy = p_.rule().policy();
        const double allowed = policy.atol + policy.rtol * std::fabs(want.value);
        return error == 0 ? 0 : allowed > 0 ? error / allowed : ulps;
      }
      case PolicyKind::bit_equal:
      case PolicyKind::correctly_rounded: break;
    }
    return ulps;
  }

  Element element(std::size_t i) const {
    const Target want = p_.target(i);
    Element e;
    e.index = i;
    e.got = p_.got_code(i);
    e.want = want.code;
    e.got_value = p_.got_value(i);
    e.want_value = want.value;
    if (const std::optional<Steps> steps = ulp_steps(want.code, e.got, f_))
      e.ulps = static_cast<double>(*steps);
    e.absolute = absolute_error(e.got_value, want);
    e.relative = e.absolute == 0 ? 0 : e.absolute / std::fabs(want.value);
    if (kind_ == PolicyKind::bound) {
      const bool outside = !p_.rule().accepts(e.got, e.got_value, want);
      e.over_bound = p_.rule().judges(want) && std::isfinite(e.absolute)
                         ? p_.rule().over_bound(e.absolute, outside, want)
                         : 0;
    }
    return e;
  }

  Statistics finish(Tally&& tally, const Energy& energy) const {
    Statistics s;
    Comparison& c = s.counts;
    c.policy = p_.rule().policy();
    c.format = f_;
    c.want_format = p_.want().codes.format;
    c.shape = p_.got().shape;
    c.values = p_.size();
    c.bit_equal = tally.bit_equal;
    c.differ = c.values - c.bit_equal;
    c.outside = tally.places.outside();
    c.class_mismatches = tally.class_mismatches;
    c.got = tally.got;
    c.want = tally.want;
    c.zeros_would_pass = tally.zeros_would_pass;
    c.not_judged = tally.not_judged;
    c.ulps = tally.ulps;
    c.measured = tally.measured;
    c.mean_ulps = tally.measured == 0
                      ? 0
                      : static_cast<double>(tally.sum_of_steps) / static_cast<double>(tally.measured);
    c.max_ulps = {tally.steps.score, tally.steps.index};
    c.max_absolute = {tally.absolute.score, tally.absolute.index};
    c.max_relative = {tally.relative.score, tally.relative.index};
    if (kind_ == PolicyKind::bound) {
      const double largest = tally.over_bound.score;
      c.over_bound = OverBound{.p50 = tally.ratios.quantile(0.5, largest),
                               .p99 = tally.ratios.quantile(0.99, largest),
                               .max = {largest, tally.over_bound.index}};
    }
    c.nmse = energy.error == 0 ? 0 : energy.error / energy.want;
    const double norms = std::sqrt(energy.want) * std::sqrt(energy.got);
    c.cosine = norms == 0 ? (energy.want == energy.got ? 1 : 0) : energy.product / norms;
    c.would_pass = tally.class_mismatches > 0
                       ? WouldPass{infinity, infinity, infinity}
                       : WouldPass{c.max_absolute.value, tally.rtol.score, whole_steps(c.max_ulps.value)};
    if (kind_ == PolicyKind::bit_equal && c.outside > 0 && tally.class_mismatches == 0 &&
        c.max_absolute.value == 0 && c.max_ulps.value == 0) {
      c.would_pass.policy = c.outside == tally.other_nans ? "bit-equal-any-nan" : "correctly-rounded";
    }
    if (tally.worst.found) c.worst = element(tally.worst.index);
    c.map = tally.places.map();
    c.scatter = scatter_;
    c.scatter.counts = std::move(tally.scatter);
    c.scatter.exact = tally.exact;
    s.zero_truths = tally.zero_truths;
    s.places = std::move(tally.places);
    return s;
  }

  const Problem& p_;
  FormatSpec f_;
  PolicyKind kind_;
  MatrixView view_;
  std::size_t got_bytes_, want_bytes_;
  bool want_is_codes_;
  Scatter scatter_;
};

}  // namespace

Statistics collect(const Problem& problem, int threads) { return Pass(problem).run(threads); }

}  // namespace assay::compare
