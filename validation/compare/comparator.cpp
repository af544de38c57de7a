#include "validation/compare/comparator.hpp"

#include <fmt/format.h>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/compare/statistics.hpp"
#include "validation/compare/vacuity.hpp"
#include "validation/compare/verdict.hpp"
#include "validation/compare/where.hpp"

namespace assay::compare {
namespace {

std::string outside_text(const Comparison& c) {
  const auto of = [&](std::string_view what) {
    return fmt::format("{} of {} values {}", c.outside, c.values, what);
  };
  switch (c.policy.kind) {
    case PolicyKind::bit_equal: return of(c.integers ? "differ" : "have other bits");
    case PolicyKind::correctly_rounded:
      if (c.integers) return of("differ");
      return of("are not the exact result rounded once");
    case PolicyKind::bound: return of("are outside the bound");
    case PolicyKind::tolerance: break;
  }
  return of("are outside the tolerance");
}

// Under bit-equal errors are taken from want as it was rounded into got's format; a tolerance would take them from want
// as it is.
WouldPass unrounded_would_pass(const Codes& got, const Expected& want, Options options) {
  options.policy = {
      .name = "tolerance", .kind = PolicyKind::tolerance, .zero_ulps = true, .because = "asked for"};
  WouldPass would = collect(Problem(got, want, options), options.threads).counts.would_pass;
  return would;
}

}  // namespace

// Rule: a comparison that zeros would pass proves nothing, unless zeros are what it is about.
void set_verdict(Comparison& c, std::uint64_t zero_truths, bool expects_zero) {
  const bool all_zero = zero_truths == c.values;
  if (c.outside > 0) {
    c.verdict = Verdict::disagree;
    c.reason = outside_text(c);
  } else if (c.values == 0) {
    c.verdict = Verdict::vacuous;
    c.reason = "the output is empty, " + shape_text(c.shape) + ": its shape is all that was judged";
  } else if (all_zero && !expects_zero) {
    c.verdict = Verdict::vacuous;
    c.reason = "the expected result is all zero; pass --expects-zero if that is intended";
  } else if (c.want.nan == c.values) {
    c.verdict = Verdict::vacuous;
    c.reason = "the expected result is NaN everywhere: agreement with it shows nothing";
  } else if (c.zeros_would_pass == c.values && !all_zero) {
    c.verdict = Verdict::vacuous;
    c.reason = c.policy.kind == PolicyKind::bound
                   ? "the bound is nowhere smaller than the truth: an output of zeros would pass"
                   : "an output of zeros would pass";
  } else {
    c.verdict = Verdict::agree;
  }
}

Comparison judge(const Codes& got, const Expected& want, const Options& options) {
  constexpr std::uint32_t default_mxcsr = 0x1F80;  // a caller's flushing must not reach the figures
  const MxcsrGuard guard(default_mxcsr);
  const Problem problem(got, want, options);
  Statistics statistics = collect(problem, options.threads);
  Comparison& c = statistics.counts;
  c.operation = options.operation;
  set_verdict(c, statistics.zero_truths, options.expects_zero);
  if (c.verdict == Verdict::disagree && options.policy.kind == PolicyKind::bit_equal &&
      !problem.narrower().is_identity()) {
    c.would_pass = unrounded_would_pass(got, want, options);
  }
  const auto stale = [&](std::size_t i) { return code_at(*options.stale, i); };
  const CodeAt stale_code = options.stale ? CodeAt(stale) : CodeAt();
  if (c.verdict == Verdict::disagree) {
    c.where = locate(problem, c, statistics.places, {.stale = stale_code, .entry_of = options.entry_of});
  } else if (c.verdict == Verdict::agree) {
    c.weaknesses = weaknesses(problem, stale_code);
  }
  return std::move(statistics.counts);
}

}  // namespace assay::compare
