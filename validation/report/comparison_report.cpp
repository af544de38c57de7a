#include "validation/report/comparison_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
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
using compare::Verdict;

using Json = nlohmann::ordered_json;

double read(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

// --- text --------------------------------------------------------------------------------------------------

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

std::string hex_value(double x) { return fmt::format("{:a}", x); }

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
                                 hex_value(decode(w.want, c.format)), code_text(w.want, c.format),
                                 hex_value(w.got_value), code_text(w.got, c.format));
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

// --- JSON
// --------------------------------------------------------------------------------------------------------------

Json number(double x) {
  if (std::isfinite(x)) return x;
  return std::isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
}

// A whole number, so that it can be typed; no distance reaches 2^64.
Json steps(double x) { return std::isfinite(x) ? Json(static_cast<std::uint64_t>(x)) : number(x); }

double number_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf" || text == "-inf") {
    return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }
  throw InputError("", "", "a number, \"inf\", \"-inf\" or \"nan\"", quoted(text));
}

Json integer(Int128 x) {
  Json json = {{"value", nullptr}, {"decimal", integer_text(x)}};
  if (x >= 0 && x >> 64 == 0) json["value"] = static_cast<std::uint64_t>(x);
  if (x < 0 && x >> 63 == -1) json["value"] = static_cast<std::int64_t>(x);
  return json;
}
Int128 integer_of(const Json& json) {
  const auto text = json.at("decimal").get<std::string>();
  const std::optional<Int128> x = compare::parse_integer(text);
  if (!x) throw InputError("", "", "a decimal integer", quoted(text));
  return *x;
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

ClassCounts classes_of(const Json& json) {
  return {.nan = json.at("nan"),
          .positive_infinity = json.at("positive_infinity"),
          .negative_infinity = json.at("negative_infinity"),
          .positive_zero = json.at("positive_zero"),
          .negative_zero = json.at("negative_zero"),
          .subnormal = json.at("subnormal")};
}

// null where nothing was compared: no place of an empty array holds the largest of anything.
Json extreme(const Extreme& e, const Comparison& c) {
  if (c.values == 0) return nullptr;
  return {
      {"value", number(e.value)}, {"flat_index", e.index}, {"index", compare::index_text(e.index, c.shape)}};
}
Extreme extreme_of(const Json& json) {
  return json.is_null() ? Extreme{} : Extreme{number_of(json.at("value")), json.at("flat_index")};
}

Json value_of_code(std::uint64_t code, const FormatSpec& f) {
  const double value = decode(code, f);
  return {{"value", number(value)}, {"hex", hex_value(value)}, {"bits", code_text(code, f)}};
}
std::uint64_t code_of(const Json& json) {
  return std::stoull(json.at("bits").get<std::string>(), nullptr, 16);
}

std::string bits_text(std::uint64_t code, const compare::IntegerType& type) {
  return fmt::format("{:#0{}x}", code, type.bits / 4 + 2);
}

Json integer_element(const Element& e, const Comparison& c) {
  const auto [got, want] = integers_of(e, c);
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
               {"absolute", number(e.absolute)},
               {"relative", number(e.relative)}};
  json["over_bound"] = e.over_bound ? number(*e.over_bound) : Json();
  return json;
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

Json element(const Element& e, const Comparison& c) {
  if (c.integers) return integer_element(e, c);
  Json json = {{"flat_index", e.index},
               {"index", compare::index_text(e.index, c.shape)},
               {"want", value_of_code(e.want, c.format)},
               {"got", value_of_code(e.got, c.format)},
               {"want_unrounded", {{"value", number(e.want_value)}, {"hex", hex_value(e.want_value)}}},
               {"absolute", number(e.absolute)},
               {"relative", number(e.relative)}};
  json["ulps"] = e.ulps ? number(*e.ulps) : Json();
  json["over_bound"] = e.over_bound ? number(*e.over_bound) : Json();
  return json;
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

// Counts from the first bin on, trailing zeros left out.
Json bins(const std::array<std::uint64_t, compare::UlpHistogram::bins>& counts) {
  std::size_t used = counts.size();
  while (used > 0 && counts[used - 1] == 0) --used;
  return Json(std::vector<std::uint64_t>(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(used)));
}

void bins_of(const Json& json, std::array<std::uint64_t, compare::UlpHistogram::bins>& counts) {
  if (json.size() > counts.size()) throw InputError("", "", "at most 65 bins", std::to_string(json.size()));
  for (std::size_t i = 0; i < json.size(); ++i) json[i].get_to(counts[i]);
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

Json policy_json(const compare::Policy& p) {
  Json json = {{"name", p.name}, {"kind", compare::policy_kind_name(p.kind)}};
  if (p.kind == PolicyKind::bit_equal) json["any_nan"] = p.any_nan;
  if (p.kind == PolicyKind::bound) json["factor"] = p.factor;
  if (p.kind == PolicyKind::tolerance) json.update({{"atol", p.atol}, {"rtol", p.rtol}, {"ulps", p.ulps}});
  json["because"] = p.because;
  return json;
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

std::string json_comparison(const Comparison& c) {
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
                 {"mean", number(c.mean_ulps)},
                 {"max", extreme(c.max_ulps, c)},
                 {"below", bins(c.ulps.below)},
                 {"above", bins(c.ulps.above)}}},
               {"max_absolute", extreme(c.max_absolute, c)},
               {"max_relative", extreme(c.max_relative, c)}};
  json["over_bound"] = c.over_bound ? Json{{"p50", number(c.over_bound->p50)},
                                           {"p99", number(c.over_bound->p99)},
                                           {"max", extreme(c.over_bound->max, c)}}
                                    : Json();
  json["nmse"] = number(c.nmse);
  json["cosine"] = number(c.cosine);
  json["would_pass"] = {{"atol", number(c.would_pass.atol)}, {"rtol", number(c.would_pass.rtol)}};
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
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Comparison parse_comparison(std::string_view text) {
  try {
    return comparison_of(Json::parse(text));
  } catch (const Json::exception& e) {
    throw InputError("", "", "a comparison as JSON", quoted(text) + " (" + e.what() + ")");
  }
}

}  // namespace assay
