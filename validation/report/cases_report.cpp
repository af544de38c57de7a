#include "validation/report/cases_report.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "validation/report/json.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using diagnose::CaseOperation;
using report::Json;

constexpr std::array<std::string_view, 3> operation_names{"dot", "sum", "gemm"};
constexpr std::array<std::string_view, 3> values_names{"normal", "integers", "hard"};

}  // namespace

std::string cases_json_begin(const diagnose::CaseSpec& spec, std::uint64_t cases) {
  Json head{{"operation", operation_names[static_cast<std::size_t>(spec.operation)]},
            {"values", values_names[static_cast<std::size_t>(spec.values)]},
            {"seed", spec.seed},
            {"count", cases},
            {"a_format", spec.a.dtype}};
  if (spec.operation != CaseOperation::sum) head["b_format"] = spec.b.dtype;
  head["accumulator"] = spec.accumulator.dtype;
  head["output"] = spec.output.dtype;
  std::string text = report::one_line(head);
  text.pop_back();  // the cases stand before its brace
  return text + ",\"cases\":[";
}

std::string case_json(const diagnose::CaseSpec& spec, const diagnose::GeneratedCase& c, std::uint64_t index,
                      bool as_values) {
  Json one = Json::object();
  if (spec.operation == CaseOperation::gemm) {
    one["m"] = c.m;
    one["n"] = c.n;
  }
  one["k"] = c.k;
  const auto add = [&](const char* name, const std::vector<std::uint64_t>& codes, const FormatSpec& f) {
    if (codes.empty()) return;
    Json& all = one[name] = Json::array();
    for (const std::uint64_t code : codes)
      all.push_back(as_values ? value_text(code, f) : code_text(code, f));
  };
  add("a", c.a, spec.a);
  add("b", c.b, spec.b);
  add("c", c.c, spec.accumulator);
  return (index == 0 ? "" : ",") + report::one_line(one);
}

std::string cases_json_end() { return "]}\n"; }

}  // namespace assay
