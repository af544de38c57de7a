#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "reference/formats/encode.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/json.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using compare::ClassCounts;
using compare::Comparison;
using compare::Element;
using compare::Extreme;
using compare::Int128;
using compare::integer_text;
using compare::integer_value;
using compare::PolicyKind;
using report::Json;
using report::number_json;

std::string hex_value(double x) { return fmt::format("{:a}", x); }

// A whole number, so that it can be typed; no distance reaches 2^64.
Json steps(double x) { return std::isfinite(x) ? Json(static_cast<std::uint64_t>(x)) : number_json(x); }

Json integer(Int128 x) {
  Json json = {{"value", nullptr}, {"decimal", integer_text(x)}};
  if (x >= 0 && x >> 64 == 0) json["value"] = static_cast<std::uint64_t>(x);
  if (x < 0 && x >> 63 == -1) json["value"] = static_cast<std::int64_t>(x);
  return json;
}
Json range(Int128 least, Int128 most) { return {{"least", integer(least)}, {"most", integer(most)}}; }

Json integers_json(const Comparison& c) {
  if (!c.integers) return nullptr;
  const compare::IntegerFigures& f = *c.integers;
  const bool any = c.values > 0;
  return {{"got", any ? range(f.least_got, f.most_got) : Json()},
          {"want", any ? range(f.least_want, f.most_want) : Json()},
          {"largest_difference", integer(f.largest_difference)}};
}

std::string format_name(const FormatSpec& f) {
  if (f.dtype != "custom") return std::string(f.dtype);
  return fmt::format("custom:{},{},{},{}", f.bits, f.precision, f.emin, specials_name(f.specials));
}

Json classes(const ClassCounts& c) {
  return {{"nan", c.nan},
          {"positive_infinity", c.positive_infinity},
          {"negative_infinity", c.negative_infinity},
          {"positive_zero", c.positive_zero},
          {"negative_zero", c.negative_zero},
          {"subnormal", c.subnormal}};
}

// null where nothing was compared: no place of an empty array holds the largest of anything.
Json extreme(const Extreme& e, const Comparison& c) {
  if (c.values == 0) return nullptr;
  return {{"value", number_json(e.value)},
          {"flat_index", e.index},
          {"index", compare::index_text(e.index, c.shape)}};
}
Json value_of_code(std::uint64_t code, const FormatSpec& f) {
  const double value = decode(code, f);
  return {{"value", number_json(value)}, {"hex", hex_value(value)}, {"bits", code_text(code, f)}};
}
std::string bits_text(std::uint64_t code, const compare::IntegerType& type) {
  return fmt::format("{:#0{}x}", code, type.bits / 4 + 2);
}

Json integer_element(const Element& e, const Comparison& c) {
  const Int128 got = integer_value(e.got, c.integers->got_type),
               want = integer_value(e.want, c.integers->want_type);
  const auto value = [](Int128 x, std::uint64_t code, const compare::IntegerType& type) {
    Json json = integer(x);
    json["bits"] = bits_text(code, type);
    return json;
  };
  Json json = {{"flat_index", e.index},
               {"index", compare::index_text(e.index, c.shape)},
               {"want", value(want, e.want, c.integers->want_type)},
               {"got", value(got, e.got, c.integers->got_type)},
               {"difference", integer(got - want)},
               {"absolute", number_json(e.absolute)},
               {"relative", number_json(e.relative)}};
  json["over_bound"] = e.over_bound ? number_json(*e.over_bound) : Json();
  return json;
}

Json element(const Element& e, const Comparison& c) {
  if (c.integers) return integer_element(e, c);
  Json json = {{"flat_index", e.index},
               {"index", compare::index_text(e.index, c.shape)},
               {"want", value_of_code(e.want, c.format)},
               {"got", value_of_code(e.got, c.format)},
               {"want_unrounded", {{"value", number_json(e.want_value)}, {"hex", hex_value(e.want_value)}}},
               {"absolute", number_json(e.absolute)},
               {"relative", number_json(e.relative)}};
  json["ulps"] = e.ulps ? number_json(*e.ulps) : Json();
  json["over_bound"] = e.over_bound ? number_json(*e.over_bound) : Json();
  return json;
}

// Counts from the first bin on, trailing zeros left out.
Json bins(const std::array<std::uint64_t, compare::UlpHistogram::bins>& counts) {
  std::size_t used = counts.size();
  while (used > 0 && counts[used - 1] == 0) --used;
  return Json(std::vector<std::uint64_t>(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(used)));
}

// Cells that hold something, as [x, y, count].
Json scatter(const compare::Scatter& s, bool is_integer) {
  Json cells = Json::array();
  for (std::size_t i = 0; i < s.counts.size(); ++i) {
    if (s.counts[i] != 0) cells.push_back({i % s.width, i / s.width, s.counts[i]});
  }
  return {{"y_is", s.over_bound ? "error/bound"
                   : is_integer ? "difference"
                                : "ulp"},
          {"x0", s.x0},
          {"y0", s.y0},
          {"width", s.width},
          {"height", s.height},
          {"exact", s.exact},
          {"cells", cells}};
}

Json map_json(const compare::TileMap& m) {
  Json cells = Json::array();
  for (std::size_t i = 0; i < m.cells.size(); ++i) {
    if (m.cells[i] != 0) cells.push_back({i / m.cols, i % m.cols, m.cells[i]});
  }
  return {{"of", m.of_outside ? "outside" : "differ"},
          {"tile", m.tile},
          {"rows", m.rows},
          {"cols", m.cols},
          {"cells", cells}};
}

Json policy_json(const compare::Policy& p) {
  Json json = {{"name", p.name}, {"kind", compare::policy_kind_name(p.kind)}};
  if (p.kind == PolicyKind::bit_equal) json["any_nan"] = p.any_nan;
  if (p.kind == PolicyKind::bound) json["factor"] = p.factor;
  if (p.kind == PolicyKind::tolerance) json.update({{"atol", p.atol}, {"rtol", p.rtol}, {"ulps", p.ulps}});
  json["because"] = p.because;
  return json;
}

Json comparison_json(const Comparison& c) {
  Json json = {{"verdict", compare::verdict_name(c.verdict)},
               {"reason", c.reason},
               {"policy", policy_json(c.policy)},
               {"operation", c.operation},
               {"format", c.integers ? c.integers->got_type.name() : format_name(c.format)},
               {"want_format", c.integers ? c.integers->want_type.name() : format_name(c.want_format)},
               {"integers", integers_json(c)},
               {"shape", c.shape},
               {"values", c.values},
               {"bit_equal", c.bit_equal},
               {"differ", c.differ},
               {"outside", c.outside},
               {"class_mismatches", c.class_mismatches},
               {"got", classes(c.got)},
               {"want", classes(c.want)},
               {"zeros_would_pass", c.zeros_would_pass},
               {"not_judged", c.not_judged},
               {c.integers ? "differences" : "ulps",
                {{"measured", c.measured},
                 {"mean", number_json(c.mean_ulps)},
                 {"max", extreme(c.max_ulps, c)},
                 {"below", bins(c.ulps.below)},
                 {"above", bins(c.ulps.above)}}},
               {"max_absolute", extreme(c.max_absolute, c)},
               {"max_relative", extreme(c.max_relative, c)}};
  json["over_bound"] = c.over_bound ? Json{{"p50", number_json(c.over_bound->p50)},
                                           {"p99", number_json(c.over_bound->p99)},
                                           {"max", extreme(c.over_bound->max, c)}}
                                    : Json();
  json["nmse"] = number_json(c.nmse);
  json["cosine"] = number_json(c.cosine);
  json["would_pass"] = {{"atol", number_json(c.would_pass.atol)}, {"rtol", number_json(c.would_pass.rtol)}};
  if (!c.integers) json["would_pass"]["ulps"] = steps(c.would_pass.ulps);
  json["would_pass"]["policy"] = c.would_pass.policy.empty() ? Json() : Json(c.would_pass.policy);
  json["worst"] = c.worst ? element(*c.worst, c) : Json();
  json["where"] = {{"text", c.where.text},
                   {"kind", c.where.kind},
                   {"hits", c.where.hits},
                   {"looks_like", c.where.looks_like}};
  json["weaknesses"] = c.weaknesses;
  json["map"] = map_json(c.map);
  json["scatter"] = scatter(c.scatter, c.integers.has_value());
  return json;
}

}  // namespace

std::string json_comparison(const Comparison& c) { return report::one_line(comparison_json(c)); }

std::string json_comparisons(std::string_view status,
                             std::span<const std::pair<std::string, const Comparison*>> arrays,
                             std::span<const std::string> missing, std::span<const std::string> extra) {
  Json all = Json::object();
  for (const auto& [name, comparison] : arrays) all[name] = comparison_json(*comparison);
  return report::one_line(
      {{"status", status}, {"arrays", std::move(all)}, {"missing", missing}, {"extra", extra}});
}

}  // namespace assay
