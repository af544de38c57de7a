#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "reference/formats/encode.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using compare::ClassCounts;
using compare::Comparison;
using compare::Element;
using compare::Int128;
using compare::integer_text;
using compare::integer_value;
using compare::PolicyKind;
using compare::Verdict;

double read(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

// Three significant digits, rounded up: what is printed, read back, is no less than x. All digits where three would
// leave float64.
std::string up3(double x) {
  if (x == 0 || !std::isfinite(x)) return fmt::format("{:.3g}", x);
  const std::string nearest = fmt::format("{:.2e}", x);  // "d.dde+xx"
  if (read(nearest) >= x) return fmt::format("{:.3g}", read(nearest));
  const int digits = (nearest[0] - '0') * 100 + (nearest[2] - '0') * 10 + (nearest[3] - '0') + 1;
  const std::string next = fmt::format("{}e{}", digits, std::stoi(nearest.substr(nearest.find('e') + 1)) - 2);
  const std::string text = fmt::format("{:.3g}", read(next));
  return std::isfinite(read(text)) && read(text) >= x ? text : fmt::format("{}", x);
}

std::string outside_text(const Comparison& c) {
  switch (c.policy.kind) {
    case PolicyKind::bit_equal:
      // Without an exception for NaN every value that differs is outside: the number stands there already.
      return c.outside == c.differ ? "" : fmt::format(", {} outside the policy", c.outside);
    case PolicyKind::correctly_rounded: return fmt::format(", {} not correctly rounded", c.outside);
    case PolicyKind::bound: return fmt::format(", {} outside the bound", c.outside);
    case PolicyKind::tolerance: break;
  }
  return fmt::format(", {} outside the tolerance", c.outside);
}

std::string not_judged_line(const Comparison& c) {
  return fmt::format(
      "{} of {} values were not judged: no bound holds where a sum may overflow on the way, or a NaN enters "
      "a format without one; --policy "
      "bit-equal with "
      "--unit judges them by one arithmetic's bits",
      c.not_judged, c.values);
}

std::string counts_line(const Comparison& c) {
  const double share =
      c.values == 0 ? 0 : 100 * static_cast<double>(c.zeros_would_pass) / static_cast<double>(c.values);
  if (c.integers) {
    const bool by_difference =
        c.policy.kind == PolicyKind::bit_equal || c.policy.kind == PolicyKind::correctly_rounded;
    return fmt::format("{} values: {} equal, {} differ{}; zeros would pass {:.1f} %", c.values, c.bit_equal,
                       c.differ, by_difference ? "" : outside_text(c), share);
  }
  return fmt::format("{} values: {} bit-equal, {} differ{}; NaN {}/{}, Inf {}/{}; zeros would pass {:.1f} %",
                     c.values, c.bit_equal, c.differ, outside_text(c), c.got.nan, c.want.nan,
                     c.got.infinite(), c.want.infinite(), share);
}

std::string ulps_text(double ulps) {
  return ulps < 1e9 ? fmt::format("{:.0f} ulp", ulps) : fmt::format("{:.3g} ulp", ulps);
}

// got and want of an element of integers.
std::pair<Int128, Int128> integers_of(const Element& e, const Comparison& c) {
  return {integer_value(e.got, c.integers->got_type), integer_value(e.want, c.integers->want_type)};
}

std::string worst_integers_line(const Comparison& c) {
  const Element& w = *c.worst;
  const auto [got, want] = integers_of(w, c);
  std::string line =
      fmt::format("worst {} want {} got {}, difference {}", compare::index_text(w.index, c.shape),
                  integer_text(want), integer_text(got), integer_text(got - want));
  if (w.over_bound) line += fmt::format("  error/bound {:.3g}", *w.over_bound);
  if (c.policy.kind == PolicyKind::tolerance) line += fmt::format(", relative {:.3g}", w.relative);
  return line;
}

std::string worst_line(const Comparison& c) {
  if (c.integers) return worst_integers_line(c);
  const Element& w = *c.worst;
  std::string line = fmt::format("worst {} want {} ({}) got {} ({})", compare::index_text(w.index, c.shape),
                                 fmt::format("{:a}", decode(w.want, c.format)), code_text(w.want, c.format),
                                 fmt::format("{:a}", w.got_value), code_text(w.got, c.format));
  if (w.ulps) line += " " + ulps_text(std::fabs(*w.ulps));
  if (w.over_bound && std::isfinite(w.absolute)) line += fmt::format("  error/bound {:.3g}", *w.over_bound);
  if (c.policy.kind == PolicyKind::tolerance)
    line += fmt::format("  error {:.3g}, relative {:.3g}", w.absolute, w.relative);
  return line;
}

std::string would_pass_line(const Comparison& c) {
  if (c.class_mismatches > 0) {
    return fmt::format("no tolerance would pass: {} values are NaN or infinite on one side alone",
                       c.class_mismatches);
  }
  const compare::WouldPass& w = c.would_pass;
  if (!w.policy.empty()) {
    return fmt::format("would pass with --policy {}: only {} differ", w.policy,
                       w.policy == "bit-equal-any-nan" ? "bits of NaNs"
                       : c.got.nan == 0                ? "signs of zeros"
                                                       : "signs of zeros or bits of NaNs");
  }
  // Integers and steps are printed whole, that they may be typed.
  std::string line = "would pass with atol " + (c.integers ? fmt::format("{:.0f}", w.atol) : up3(w.atol));
  if (std::isfinite(w.rtol)) line += " or rtol " + up3(w.rtol);
  if (!c.integers) line += fmt::format(" or {:.0f} ulp", w.ulps);
  if (!std::isfinite(w.rtol)) line += "; no rtol would: want is 0 where got is not";
  return line;
}

}  // namespace

std::string comparison_headline(std::string_view status, std::string_view name, const Comparison& c) {
  constexpr std::size_t name_width = 50;
  const std::string rest =
      c.not_judged == 0 ? "" : fmt::format("  {} of {} values NOT JUDGED", c.not_judged, c.values);
  return fmt::format("{:<7} {:<{}}  policy {}{}", status, name, name_width, compare::policy_text(c.policy),
                     rest);
}

std::vector<std::string> comparison_lines(const Comparison& c) {
  std::vector<std::string> lines{counts_line(c)};
  if (c.not_judged > 0) lines.push_back(not_judged_line(c));
  if (c.verdict == Verdict::vacuous) lines.push_back("why    " + c.reason);
  if (c.worst) lines.push_back(worst_line(c));
  if (c.verdict == Verdict::disagree) {
    lines.push_back(would_pass_line(c));
    lines.push_back("where  " + c.where.text);
  }
  for (const std::string& weakness : c.weaknesses) lines.push_back("weak   " + weakness);
  return lines;
}

std::vector<std::string> statistics_lines(const Comparison& c) {
  std::vector<std::string> lines;
  const auto classes_text = [](const ClassCounts& k) {
    return fmt::format("NaN {}, +Inf {}, -Inf {}, +0 {}, -0 {}, subnormal {}", k.nan, k.positive_infinity,
                       k.negative_infinity, k.positive_zero, k.negative_zero, k.subnormal);
  };
  if (c.integers && c.values > 0) {
    const compare::IntegerFigures& f = *c.integers;
    const auto range_text = [](Int128 least, Int128 most, const ClassCounts& k) {
      return fmt::format("from {} to {}, zero {}", integer_text(least), integer_text(most), k.zero());
    };
    lines.push_back("got    " + range_text(f.least_got, f.most_got, c.got));
    lines.push_back("want   " + range_text(f.least_want, f.most_want, c.want));
  } else if (!c.integers) {
    lines.push_back("got    " + classes_text(c.got));
    lines.push_back("want   " + classes_text(c.want));
  }
  if (c.values == 0) return lines;
  std::string histogram;
  const auto bin = [&](std::size_t b, std::uint64_t count, const char* sign) {
    if (count == 0) return;
    const std::uint64_t low = b == 0 ? 0 : std::uint64_t{1} << (b - 1);
    const std::string range = b < 2 ? fmt::format("{}{}", b == 0 ? "" : sign, low)
                                    : fmt::format("{0}{1}..{0}{2}", sign, low, low + (low - 1));
    histogram += fmt::format("{}{}: {}", histogram.empty() ? "" : ", ", range, count);
  };
  for (std::size_t b = c.ulps.below.size(); b-- > 1;) bin(b, c.ulps.below[b], "-");
  for (std::size_t b = 0; b < c.ulps.above.size(); ++b) bin(b, c.ulps.above[b], "+");
  if (c.integers) {
    lines.push_back(fmt::format("diff   mean {:.3g}, max {}; {}", c.mean_ulps,
                                integer_text(c.integers->largest_difference), histogram));
  } else {
    lines.push_back(
        fmt::format("ulp    mean {:.3g}, max {:.0f}; {}", c.mean_ulps, c.max_ulps.value, histogram));
  }
  lines.push_back(fmt::format("error  absolute {:.3g} at {}, relative {:.3g} at {}", c.max_absolute.value,
                              compare::index_text(c.max_absolute.index, c.shape), c.max_relative.value,
                              compare::index_text(c.max_relative.index, c.shape)));
  if (c.over_bound) {
    lines.push_back(fmt::format("bound  error/bound p50 {:.3g}, p99 {:.3g}, max {:.3g} at {}",
                                c.over_bound->p50, c.over_bound->p99, c.over_bound->max.value,
                                compare::index_text(c.over_bound->max.index, c.shape)));
  }
  lines.push_back(fmt::format("shown  NMSE {:.3g}, cosine {:.9g}: they judge nothing", c.nmse, c.cosine));
  return lines;
}

}  // namespace assay
