#include "validation/compare/comparator.hpp"

#include <fmt/format.h>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/compare/statistics.hpp"
#include "validation/compare/vacuity.hpp"
#include "validation/compare/where.hpp"

namespace assay::compare {
namespace {

std::string outside_text(const Comparison& c) {
  const auto of = [&](std::string_view what) {
    return fmt::format("{} of {} values {}", c.outside, c.values, what);
  };
  switch (c.policy.kind) {
    case PolicyKind::bit_equal: return of("have other bits");
    case PolicyKind::correctly_rounded: return of("are not the exact result rounded once");
    case PolicyKind::bound: return of("are outside the bound");
    case PolicyKind::tolerance: break;
  }
  return of("are outside the tolerance");
}

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
    c.reason = "the truth is zero everywhere, and nobody said that it should be";
  } else if (c.zeros_would_pass == c.values && !all_zero) {
    c.verdict = Verdict::vacuous;
    c.reason = c.policy.kind == PolicyKind::bound
                   ? "the bound is nowhere smaller than the truth: an output of zeros would pass"
                   : "an output of zeros would pass";
  } else {
    c.verdict = Verdict::agree;
  }
}

}  // namespace

Comparison judge(const Codes& got, const Expected& want, const Options& options) {
  constexpr std::uint32_t default_mxcsr = 0x1F80;  // a caller's flushing must not reach the figures
  const MxcsrGuard guard(default_mxcsr);
  const Problem problem(got, want, options);
  Statistics statistics = collect(problem, options.threads);
  Comparison& c = statistics.counts;
  c.operation = options.operation;
  set_verdict(c, statistics.zero_truths, options.expects_zero);
  if (c.verdict == Verdict::disagree) {
    c.where = locate(problem, statistics, options);
  } else if (c.verdict == Verdict::agree) {
    c.weaknesses = weaknesses(problem, options.stale);
  }
  return std::move(statistics.counts);
}

}  // namespace assay::compare
