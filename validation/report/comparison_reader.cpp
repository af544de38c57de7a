// A comparison back from the JSON that comparison_json.cpp writes.
#include <limits>
#include <optional>
#include <string>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/json.hpp"

namespace assay {
namespace {

using compare::ClassCounts;
using compare::Comparison;
using compare::Element;
using compare::Extreme;
using compare::Int128;
using compare::integer_value;
using compare::PolicyKind;
using compare::Verdict;
using report::Json;

double number_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf" || text == "-inf") {
    return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }
  throw InputError("", "", "a number, \"inf\", \"-inf\" or \"nan\"", quoted(text));
}

Int128 integer_of(const Json& json) {
  const auto text = json.at("decimal").get<std::string>();
  const std::optional<Int128> x = compare::parse_integer(text);
  if (!x) throw InputError("", "", "a decimal integer", quoted(text));
  return *x;
}

compare::IntegerType integer_type_of(const std::string& name) {
  const std::optional<compare::IntegerType> type = compare::parse_integer_type(name);
  if (!type) throw InputError("", "", "an integer type", quoted(name));
  return *type;
}

void integers_of_json(const Json& json, Comparison& c) {
  const Json& f = json.at("integers");
  if (f.is_null()) return;
  compare::IntegerFigures figures{.got_type = integer_type_of(json.at("format")),
                                  .want_type = integer_type_of(json.at("want_format"))};
  if (!f.at("got").is_null()) {
    figures.least_got = integer_of(f.at("got").at("least"));
    figures.most_got = integer_of(f.at("got").at("most"));
    figures.least_want = integer_of(f.at("want").at("least"));
    figures.most_want = integer_of(f.at("want").at("most"));
  }
  figures.largest_difference = integer_of(f.at("largest_difference"));
  c.integers = figures;
}

ClassCounts classes_of(const Json& json) {
  return {.nan = json.at("nan"),
          .positive_infinity = json.at("positive_infinity"),
          .negative_infinity = json.at("negative_infinity"),
          .positive_zero = json.at("positive_zero"),
          .negative_zero = json.at("negative_zero"),
          .subnormal = json.at("subnormal")};
}

Extreme extreme_of(const Json& json) {
  return json.is_null() ? Extreme{} : Extreme{number_of(json.at("value")), json.at("flat_index")};
}

std::uint64_t code_of(const Json& json) {
  return std::stoull(json.at("bits").get<std::string>(), nullptr, 16);
}

Element integer_element_of(const Json& json, const compare::IntegerFigures& types) {
  Element e;
  json.at("flat_index").get_to(e.index);
  e.want = code_of(json.at("want"));
  e.got = code_of(json.at("got"));
  e.got_value = static_cast<double>(integer_value(e.got, types.got_type));
  e.want_value = static_cast<double>(integer_value(e.want, types.want_type));
  e.absolute = number_of(json.at("absolute"));
  e.relative = number_of(json.at("relative"));
  if (!json.at("over_bound").is_null()) e.over_bound = number_of(json.at("over_bound"));
  return e;
}

Element element_of(const Json& json, const FormatSpec& f) {
  Element e;
  json.at("flat_index").get_to(e.index);
  e.want = code_of(json.at("want"));
  e.got = code_of(json.at("got"));
  e.got_value = decode(e.got, f);
  e.want_value = number_of(json.at("want_unrounded").at("value"));
  e.absolute = number_of(json.at("absolute"));
  e.relative = number_of(json.at("relative"));
  if (!json.at("ulps").is_null()) e.ulps = number_of(json.at("ulps"));
  if (!json.at("over_bound").is_null()) e.over_bound = number_of(json.at("over_bound"));
  return e;
}

void bins_of(const Json& json, std::array<std::uint64_t, compare::UlpHistogram::bins>& counts) {
  if (json.size() > counts.size()) throw InputError("", "", "at most 65 bins", std::to_string(json.size()));
  for (std::size_t i = 0; i < json.size(); ++i) json[i].get_to(counts[i]);
}

compare::Scatter scatter_of(const Json& json) {
  compare::Scatter s;
  s.over_bound = json.at("y_is") == "error/bound";
  json.at("x0").get_to(s.x0);
  json.at("y0").get_to(s.y0);
  json.at("width").get_to(s.width);
  json.at("height").get_to(s.height);
  json.at("exact").get_to(s.exact);
  constexpr std::size_t widest = 4096;
  if (s.width > widest || s.height > widest)
    throw InputError("", "", "a scatter of at most 4096 x 4096", "a larger one");
  s.counts.resize(s.width * s.height);
  for (const Json& cell : json.at("cells")) {
    const std::size_t x = cell.at(0), y = cell.at(1);
    if (x >= s.width || y >= s.height) throw InputError("", "", "a cell inside the scatter", cell.dump());
    cell.at(2).get_to(s.counts[y * s.width + x]);
  }
  return s;
}

compare::TileMap map_of(const Json& json) {
  compare::TileMap m;
  m.of_outside = json.at("of") == "outside";
  json.at("tile").get_to(m.tile);
  json.at("rows").get_to(m.rows);
  json.at("cols").get_to(m.cols);
  constexpr std::size_t widest = 4096;
  if (m.rows > widest || m.cols > widest)
    throw InputError("", "", "a map of at most 4096 x 4096", "a larger one");
  m.cells.resize(m.rows * m.cols);
  for (const Json& cell : json.at("cells")) {
    const std::size_t row = cell.at(0), col = cell.at(1);
    if (row >= m.rows || col >= m.cols) throw InputError("", "", "a cell inside the map", cell.dump());
    cell.at(2).get_to(m.cells[row * m.cols + col]);
  }
  return m;
}

compare::Policy policy_of(const Json& json) {
  compare::Policy p;
  json.at("name").get_to(p.name);
  const auto kind = json.at("kind").get<std::string>();
  for (const PolicyKind k :
       {PolicyKind::bit_equal, PolicyKind::correctly_rounded, PolicyKind::bound, PolicyKind::tolerance}) {
    if (compare::policy_kind_name(k) == kind) p.kind = k;
  }
  p.any_nan = json.value("any_nan", false);
  p.factor = json.value("factor", 1.0);
  p.atol = json.value("atol", 0.0);
  p.rtol = json.value("rtol", 0.0);
  p.ulps = json.value("ulps", std::uint64_t{0});
  json.at("because").get_to(p.because);
  return p;
}

Verdict verdict_of(const std::string& name) {
  for (const Verdict v : {Verdict::agree, Verdict::disagree, Verdict::vacuous}) {
    if (compare::verdict_name(v) == name) return v;
  }
  throw InputError("", "", "PASSED, FAILED or VACUOUS", quoted(name));
}

Comparison comparison_of(const Json& json) {
  Comparison c;
  c.verdict = verdict_of(json.at("verdict"));
  json.at("reason").get_to(c.reason);
  c.policy = policy_of(json.at("policy"));
  json.at("operation").get_to(c.operation);
  integers_of_json(json, c);
  if (!c.integers) {
    c.format = parse_format(json.at("format").get<std::string>());
    c.want_format = parse_format(json.at("want_format").get<std::string>());
  }
  json.at("shape").get_to(c.shape);
  json.at("values").get_to(c.values);
  json.at("bit_equal").get_to(c.bit_equal);
  json.at("differ").get_to(c.differ);
  json.at("outside").get_to(c.outside);
  json.at("class_mismatches").get_to(c.class_mismatches);
  c.got = classes_of(json.at("got"));
  c.want = classes_of(json.at("want"));
  json.at("zeros_would_pass").get_to(c.zeros_would_pass);
  json.at("not_judged").get_to(c.not_judged);
  const Json& ulps = json.at(c.integers ? "differences" : "ulps");
  bins_of(ulps.at("below"), c.ulps.below);
  bins_of(ulps.at("above"), c.ulps.above);
  ulps.at("measured").get_to(c.measured);
  c.mean_ulps = number_of(ulps.at("mean"));
  c.max_ulps = extreme_of(ulps.at("max"));
  c.max_absolute = extreme_of(json.at("max_absolute"));
  c.max_relative = extreme_of(json.at("max_relative"));
  if (const Json& b = json.at("over_bound"); !b.is_null()) {
    c.over_bound =
        compare::OverBound{number_of(b.at("p50")), number_of(b.at("p99")), extreme_of(b.at("max"))};
  }
  c.nmse = number_of(json.at("nmse"));
  c.cosine = number_of(json.at("cosine"));
  const Json& would = json.at("would_pass");
  c.would_pass = {number_of(would.at("atol")), number_of(would.at("rtol")),
                  number_of(would.at(c.integers ? "atol" : "ulps"))};
  if (!would.at("policy").is_null()) would.at("policy").get_to(c.would_pass.policy);
  if (const Json& w = json.at("worst"); !w.is_null())
    c.worst = c.integers ? integer_element_of(w, *c.integers) : element_of(w, c.format);
  const Json& where = json.at("where");
  where.at("text").get_to(c.where.text);
  where.at("kind").get_to(c.where.kind);
  where.at("hits").get_to(c.where.hits);
  where.at("looks_like").get_to(c.where.looks_like);
  json.at("weaknesses").get_to(c.weaknesses);
  c.map = map_of(json.at("map"));
  c.scatter = scatter_of(json.at("scatter"));
  return c;
}

}  // namespace

Comparison parse_comparison(std::string_view text) {
  try {
    return comparison_of(Json::parse(text));
  } catch (const Json::exception& e) {
    throw InputError("", "", "a comparison as JSON", quoted(text) + " (" + e.what() + ")");
  }
}

}  // namespace assay
