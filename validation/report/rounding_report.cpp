#include "validation/report/rounding_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "validation/report/json.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using report::Json;
using report::number_json;

Json neighbour(const std::optional<std::uint64_t>& code, const FormatSpec& f) {
  return code ? number_json(decode(*code, f)) : Json();
}

std::string shown(const std::optional<std::uint64_t>& code, const FormatSpec& f) {
  return code ? fmt::format("{}", decode(*code, f)) : "-";
}

std::string flags(const Encoded& e, double error_ulp) {
  std::string text;
  if (e.overflow) text += " overflow";
  if (e.invalid) text += " invalid";
  if (!e.inexact && !e.overflow && !e.invalid && !std::isnan(error_ulp)) text += " exact";
  return text;
}

constexpr const char* line_format = "{:<24} {:>{}} {:>24} {:>24} {:>24} {:>14}{}\n";

int code_width(const FormatSpec& f) { return std::max(4, (f.bits + 3) / 4 + 2); }

}  // namespace

std::string rounding_head_text(const RoundingRules& r) {
  std::string text = fmt::format("{}, {}, policy {}", r.format.dtype, rounding_name(r.rounding), r.policy);
  if (r.rounding == Rounding::stochastic)
    text += fmt::format(", {} random bits, seed {}", r.random_bits, r.seed);
  return text + '\n' +
         fmt::format(line_format, "input", "code", code_width(r.format), "value", "next below", "next above",
                     "error/ulp", "");
}

std::string rounded_text(const RoundedNumber& v, const RoundingRules& r) {
  const FormatSpec& f = r.format;
  return fmt::format(line_format, v.input, code_text(v.encoded.code, f), code_width(f),
                     fmt::format("{}", decode(v.encoded.code, f)), shown(v.below, f), shown(v.above, f),
                     fmt::format("{:.6g}", v.error_ulp), flags(v.encoded, v.error_ulp));
}

std::string rounded_json(const RoundedNumber& v, const RoundingRules& r) {
  const FormatSpec& f = r.format;
  Json line;
  line["input"] = v.input;
  if (v.source) line["source"] = code_text(*v.source, formats::float32);
  line["code"] = code_text(v.encoded.code, f);
  line["value"] = number_json(decode(v.encoded.code, f));
  line["below"] = neighbour(v.below, f);
  line["above"] = neighbour(v.above, f);
  line["error_ulp"] = number_json(v.error_ulp);
  line["inexact"] = v.encoded.inexact;
  line["overflow"] = v.encoded.overflow;
  line["invalid"] = v.encoded.invalid;
  line["format"] = f.dtype;
  line["rounding"] = rounding_name(r.rounding);
  line["policy"] = r.policy;
  if (r.rounding == Rounding::stochastic) {
    line["random_bits"] = r.random_bits;
    line["seed"] = r.seed;
  }
  return report::one_line(line);
}

}  // namespace assay
