#include "validation/report/trace_report.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"
#include "validation/report/table.hpp"

namespace assay {

std::string exact_text(const ExactValue<Wide>& x) {
  const char* const sign = x.negative ? "-" : "";
  if (x.kind == Kind::nan) return "nan";
  if (x.kind == Kind::infinite) return fmt::format("{}inf", sign);
  if (x.significand == 0) return fmt::format("{}0{}", sign, x.sticky ? "+" : "");
  const int width = bit_width(x.significand);
  Wide fraction = x.significand << (128 - width) << 1;  // the leading one falls out
  if (width == 1) fraction = 0;
  std::string digits;
  for (; fraction != 0; fraction <<= 4) digits += "0123456789abcdef"[static_cast<unsigned>(fraction >> 124)];
  return fmt::format("{}0x1{}{}p{:+d}{}", sign, digits.empty() ? "" : ".", digits, x.exponent + width - 1,
                     x.sticky ? "+" : "");
}

std::string code_text(std::uint64_t code, const FormatSpec& f) {
  return fmt::format("{:#0{}x}", code, (f.bits + 3) / 4 + 2);
}

std::string value_text(std::uint64_t code, const FormatSpec& f) {
  return exact_text(widened(exact_from_code(code, f)));
}

std::string dropped_text(const TraceTerm& term) {
  if (term.exact.kind != Kind::finite || term.entered.kind != Kind::finite) return "";
  ExactSum difference;
  difference.add(term.entered);
  difference.negate();
  difference.add(term.exact);
  const ExactValue<Wide> rest = difference.result();
  return rest.is_zero() ? "" : exact_text(rest);
}

std::string trace_text(std::span<const TraceStep> steps) {
  std::string text;
  for (const TraceStep& step : steps) {
    text += step.name;
    if (step.quantum) text += fmt::format(", cut to multiples of 2^{}", *step.quantum);
    text += '\n';
    std::vector<std::vector<std::string>> rows{{"term", "exact", "entered", "cut off"}};
    for (const TraceTerm& term : step.terms)
      rows.push_back({term.name, exact_text(term.exact), exact_text(term.entered), dropped_text(term)});
    text += table_text(rows, 0, 2);
    text += fmt::format("  sum {}  ->  {} {} = {}{}{}\n\n", exact_text(step.sum), step.format.dtype,
                        code_text(step.result, step.format), value_text(step.result, step.format),
                        step.note.empty() ? "" : "  ", step.note);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace assay
