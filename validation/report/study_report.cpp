#include "validation/report/study_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string_view>

#include "validation/report/json.hpp"
#include "validation/report/text_report.hpp"

namespace assay::studies {
namespace {

using report::Json;

enum class Shown : std::uint8_t { rms, max, bias };

struct ShownText {
  std::string_view kind, title, y_label, caption;
};
constexpr std::array<ShownText, 3> shown_texts = {
    {{"study-rms", "Root-mean-square error", "rms error",
      "and, dashed, the proven bound of the largest error; no mark where there is no error"},
     {"study-max", "Largest error", "largest error",
      "of the trials of a point and, dashed, the proven bound; no mark where there is no error"},
     {"study-bias", "Bias", "|mean error|",
      "filled where the mean error is positive, open where it is negative, a dot where it is within two "
      "standard errors of 0"}}};

LineChart chart_of(const Study& study, Values values, Shown shown) {
  const ShownText& text = shown_texts[static_cast<std::size_t>(shown)];
  LineChart chart{
      .kind = std::string(text.kind),
      .title = std::string(text.title),
      .caption = std::string(text.caption),
      .x_label = study.x_label,
      .y_label = fmt::format("{} / {}", text.y_label, study.powers_of_two ? "|x|" : "sum of magnitudes"),
      .x = study.powers_of_two ? Axis::log2 : Axis::log10,
      .series = {},
      .rows = {}};
  if (!study.powers_of_two) chart.caption += fmt::format("; values {}", values_text(values));
  std::size_t colour = 0;
  std::set<std::vector<double>> bounds;  // one line for those that share it
  for (const StudySeries& s : study.series) {
    if (s.values != values && !study.powers_of_two) continue;
    ChartSeries line{.name = s.name, .colour = colour, .points = {}};
    ChartSeries bound{.name = "", .colour = colour, .stroke = Stroke::dashed, .marks = false, .points = {}};
    std::vector<double> key;
    for (const StudyPoint& p : s.points) {
      if (p.bound && p.measured()) {
        bound.points.push_back({.x = p.x, .y = *p.bound});
        key.push_back(*p.bound);
      }
      if (!p.measured()) continue;
      if (shown == Shown::bias) {
        line.points.push_back({.x = p.x, .y = std::fabs(p.bias), .hollow = p.bias < 0, .faint = !p.biased()});
      } else {
        line.points.push_back({.x = p.x, .y = shown == Shown::rms ? p.rms : p.max});
      }
    }
    chart.series.push_back(std::move(line));
    if (shown != Shown::bias && !key.empty() && bounds.insert(key).second)
      chart.series.push_back(std::move(bound));
    ++colour;
  }
  if (!bounds.empty()) {
    chart.series.push_back({.name = "proven bound, in its series' colour",
                            .colour = 6,
                            .stroke = Stroke::dashed,
                            .marks = false,
                            .points = {}});
  }
  return chart;
}

std::string number_text(double x) { return std::isfinite(x) ? fmt::format("{}", x) : ""; }

Json number_json(double x) { return std::isfinite(x) ? Json(x) : Json(); }

}  // namespace

std::vector<LineChart> study_charts(const Study& study) {
  std::vector<Values> distributions;
  for (const StudySeries& s : study.series) {
    if (std::find(distributions.begin(), distributions.end(), s.values) == distributions.end())
      distributions.push_back(s.values);
  }
  std::vector<LineChart> charts;
  for (const Values values : distributions) {
    for (const Shown shown : {Shown::rms, Shown::max, Shown::bias}) {
      charts.push_back(chart_of(study, values, shown));
      if (distributions.size() == 1) continue;
      charts.back().kind += fmt::format("-{}", values_name(values));
      charts.back().title += fmt::format(", {} values", values_name(values));
    }
  }
  return charts;
}

std::string study_figure(double x) {
  if (x == 0) return "0";
  if (x < 0) return "-" + study_figure(-x);
  if (x >= 1000 && x < 1e6) return grouped(static_cast<std::uint64_t>(std::llround(x)));
  return x < 1e-4 || x >= 1e6 ? fmt::format("{:.2e}", x) : fmt::format("{:.3g}", x);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string study_csv(const Study& study) {
  std::string text = fmt::format(
      "study,values,series,unit,format,accumulator,product,order,mode,evidence,{},trials,nonfinite,outside,"
      "rms,max,bias,"
      "bias_standard_error,bound\n",
      study.x_name);
  for (const StudySeries& s : study.series) {
    std::string head;
    for (const std::string& field :
         {study.name, study.powers_of_two ? std::string() : std::string(values_name(s.values)), s.name,
          s.unit, s.format, s.accumulator, s.product, s.order, s.mode, s.evidence})
      head += csv_field(field) + ',';
    for (const StudyPoint& p : s.points) {
      text += fmt::format("{}{},{},{},{},", head, p.x, p.trials, p.nonfinite, p.outside);
      if (p.measured()) {
        text += fmt::format("{},{},{},{},{}\n", p.rms, p.max, p.bias, number_text(p.bias_error),
                            p.bound ? number_text(*p.bound) : "");
      } else {
        text += ",,,,\n";
      }
    }
  }
  return text;
}

namespace {

Json json_of(const Study& study) {
  Json series = Json::array();
  for (const StudySeries& s : study.series) {
    Json points = Json::array();
    for (const StudyPoint& p : s.points) {
      const bool m = p.measured();
      points.push_back({{study.x_name, p.x},
                        {"trials", p.trials},
                        {"nonfinite", p.nonfinite},
                        {"outside", p.outside},
                        {"rms", m ? Json(p.rms) : Json()},
                        {"max", m ? Json(p.max) : Json()},
                        {"bias", m ? Json(p.bias) : Json()},
                        {"bias_standard_error", m ? number_json(p.bias_error) : Json()},
                        {"bound", m && p.bound ? Json(*p.bound) : Json()}});
    }
    Json one{{"name", s.name}};
    one["values"] = study.powers_of_two ? Json() : Json(values_name(s.values));
    for (const auto& [key, value] : {std::pair("unit", &s.unit),
                                     {"format", &s.format},
                                     {"accumulator", &s.accumulator},
                                     {"product", &s.product},
                                     {"order", &s.order},
                                     {"mode", &s.mode},
                                     {"evidence", &s.evidence}})
      one[key] = value->empty() ? Json() : Json(*value);
    one["unverified"] = s.unverified;
    one["points"] = std::move(points);
    series.push_back(std::move(one));
  }
  return {{"study", study.name}, {"seed", study.seed}, {"x", study.x_name}, {"series", std::move(series)}};
}

}  // namespace

std::string study_json(const Study& study, const Study* by_magnitude) {
  Json json = json_of(study);
  if (by_magnitude != nullptr) json["by_magnitude"] = json_of(*by_magnitude);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<std::vector<std::string>> study_rows(const Study& study) {
  std::vector<std::vector<std::string>> rows = {
      {"series", "values", study.x_name, "trials", "rms", "max", "bias", "+-", "bound"}};
  for (const StudySeries& s : study.series) {
    rows.push_back({s.name, std::string(values_name(s.values)), "", "", "no finite result", "", "", "", ""});
    const auto last =
        std::find_if(s.points.rbegin(), s.points.rend(), [](const StudyPoint& p) { return p.measured(); });
    if (last == s.points.rend()) continue;
    const StudyPoint& p = *last;
    rows.back() = {s.name,
                   std::string(values_name(s.values)),
                   fmt::format("{:.0f}", p.x),
                   fmt::format("{}", p.trials - p.nonfinite),
                   fmt::format("{:.3g}", p.rms),
                   fmt::format("{:.3g}", p.max),
                   fmt::format("{:+.3g}", p.bias),
                   std::isfinite(p.bias_error) ? fmt::format("{:.1g}", p.bias_error) : "",
                   p.bound ? fmt::format("{:.3g}", *p.bound) : "none"};
  }
  return rows;
}

}  // namespace assay::studies
