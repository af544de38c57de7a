#include "validation/report/distinction_report.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "validation/report/json.hpp"
#include "validation/report/table.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using report::Json;

std::string input_table(const DotInput& input) {
  const CodeVector a = input.a_view(), b = input.b_view();
  std::vector<std::vector<std::string>> rows{{"", "code", "value"}};
  for (std::size_t i = 0; i < a.size; ++i) {
    rows.push_back(
        {fmt::format("a[{}]", i), code_text(a.code(i), a.format), value_text(a.code(i), a.format)});
    rows.push_back(
        {fmt::format("b[{}]", i), code_text(b.code(i), b.format), value_text(b.code(i), b.format)});
  }
  if (input.c)
    rows.push_back({"c", code_text(*input.c, input.c_format), value_text(*input.c, input.c_format)});
  return table_text(rows, 0, 2);
}

// NaN and infinity are not zero either.
bool is_zero(std::uint64_t code, const FormatSpec& f) { return exact_from_code(code, f).is_zero(); }

std::size_t operands_not_zero(const DotInput& input) {
  std::size_t count = input.c && !is_zero(*input.c, input.c_format) ? 1 : 0;
  for (const std::uint64_t code : input.a) count += is_zero(code, input.a_format) ? 0 : 1;
  for (const std::uint64_t code : input.b) count += is_zero(code, input.b_format) ? 0 : 1;
  return count;
}

Json codes_json(const CodeVector& v) {
  Json all = Json::array();
  for (std::size_t i = 0; i < v.size; ++i) all.push_back(code_text(v.code(i), v.format));
  return all;
}

}  // namespace

std::string distinction_summary(const Distinction& d) {
  if (!d.found) return fmt::format("no difference found in {} inputs", d.tried);
  const std::size_t all = 2 * d.input.terms() + (d.input.c ? 1 : 0);
  return fmt::format("K = {}, {} of {} {} not zero: {} or {}{}", d.input.terms(), operands_not_zero(d.input),
                     all, all == 1 ? "operand" : "operands", code_text(d.x_result, d.x_output),
                     code_text(d.y_result, d.y_output),
                     d.by_value ? "" : " (no more than a NaN's bits or the sign of a zero)");
}

std::string separating_text(const Distinction& d) {
  const CodeVector a = d.input.a_view(), b = d.input.b_view();
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < a.size; ++i) {
    const std::string x = value_text(a.code(i), a.format), y = value_text(b.code(i), b.format);
    if (x == "0" && y == "0") continue;
    if (terms.size() == 4) {
      terms.emplace_back("...");
      break;
    }
    terms.push_back(fmt::format("[{}] {} * {}", i, x, y));
  }
  std::string text = fmt::format("K = {}: {}", a.size, fmt::join(terms, " + "));
  if (d.input.c) text += fmt::format(" + c {}", value_text(*d.input.c, d.input.c_format));
  return fmt::format("{} gives {} or {}", text, value_text(d.x_result, d.x_output),
                     value_text(d.y_result, d.y_output));
}

std::string distinction_text(const Distinction& d, const DistinguishedSide& x, const DistinguishedSide& y) {
  if (!d.found) {
    return fmt::format("{} and {}: {}; that is no proof that there is none\n", x.name, y.name,
                       distinction_summary(d));
  }
  std::string text = fmt::format("{}\n\n{}\n", distinction_summary(d), input_table(d.input));
  const auto told = [&](const DistinguishedSide& side, std::uint64_t result, const FormatSpec& output) {
    text += fmt::format("{}{} gives {} = {}\n", side.name,
                        is_unverified(side.info->evidence) ? " (unverified)" : "", code_text(result, output),
                        value_text(result, output));
    if (!side.trace.empty()) text += '\n' + trace_text(side.trace) + '\n';
  };
  told(x, d.x_result, d.x_output);
  told(y, d.y_result, d.y_output);
  return text;
}

std::string distinction_json(const Distinction& d, const DistinguishedSide& x, const DistinguishedSide& y) {
  Json j{{"x", x.info->name}, {"y", y.info->name}};
  for (const auto& [key, side] : {std::pair{"x", &x}, std::pair{"y", &y}}) {
    j[std::string(key) + "_evidence"] = evidence_name(side->info->evidence);
    j[std::string(key) + "_unverified"] = is_unverified(side->info->evidence);
  }
  j["found"] = d.found;
  j["tried"] = d.tried;
  if (!d.found) return report::one_line(j);
  const CodeVector a = d.input.a_view(), b = d.input.b_view();
  j["by_value"] = d.by_value;
  j["a_format"] = a.format.dtype;
  j["b_format"] = b.format.dtype;
  j["a"] = codes_json(a);
  j["b"] = codes_json(b);
  if (d.input.c) {
    j["c_format"] = d.input.c_format.dtype;
    j["c"] = code_text(*d.input.c, d.input.c_format);
  }
  j["x_result"] = code_text(d.x_result, d.x_output);
  j["y_result"] = code_text(d.y_result, d.y_output);
  j["x_trace"] = report::trace_json(x.trace);
  j["y_trace"] = report::trace_json(y.trace);
  j["x_output"] = d.x_output.dtype;
  j["y_output"] = d.y_output.dtype;
  return report::one_line(j);
}

}  // namespace assay
