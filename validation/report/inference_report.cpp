#include "validation/report/inference_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "validation/report/json.hpp"
#include "validation/report/study_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay::studies {
namespace {

using report::Json;

double quantile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[at];
}

// As `study.margins`.
std::vector<std::string> groups_of(const InferenceStudy& study) {
  if (study.question == Question::category) return {"without a category", "with a category"};
  return {"all images"};
}

Json quantiles_json(const std::vector<double>& sorted) {
  if (sorted.empty()) return {};
  return {{"images", sorted.size()},
          {"p0.1", quantile(sorted, 0.001)},
          {"p1", quantile(sorted, 0.01)},
          {"p10", quantile(sorted, 0.1)},
          {"p50", quantile(sorted, 0.5)}};
}

}  // namespace

LineChart inference_chart(const InferenceStudy& study) {
  const bool category = study.question == Question::category;
  LineChart chart{.kind = "study-margins",
                  .title = "How near the threshold the changed answers were",
                  .caption = "by the margins of the float32 reference; in brackets how many there are",
                  .x_label = category ? "|margin|: the largest sum of a layer, at its least"
                                      : "margin: largest output \u2212 second",
                  .y_label = "",
                  .y = Axis::linear,
                  .series = {},
                  .rows = {}};
  ChartSeries all{
      .name = "all, at each hundredth of their number", .colour = 6, .stroke = Stroke::none, .points = {}};
  ChartSeries lost{.name = category ? "category lost" : "answer changed",
                   .colour = 1,
                   .stroke = Stroke::none,
                   .points = {}};
  ChartSeries gained{
      .name = category ? "category gained" : "", .colour = 0, .stroke = Stroke::none, .points = {}};
  for (std::size_t g = 0; g < study.margins.size(); ++g) {
    if (study.margins[g].empty()) continue;
    const auto row = static_cast<double>(chart.rows.size());
    for (int percent = 0; percent <= 100; ++percent)
      all.points.push_back({.x = quantile(study.margins[g], percent / 100.0), .y = row, .faint = true});
    chart.rows.push_back(fmt::format("{} ({})", groups_of(study)[g], grouped(study.margins[g].size())));
  }
  for (const CaseAnswers& one : study.cases) {
    const auto row = static_cast<double>(chart.rows.size());
    chart.rows.push_back(fmt::format("{} ({})", one.arithmetic.name, one.changed.size()));
    for (const ChangedAnswer& change : one.changed) {
      ChartSeries& s = category && change.answer == 1 ? gained : lost;
      s.points.push_back({.x = std::fabs(change.margin), .y = row, .hollow = true});
    }
  }
  chart.series = {std::move(all), std::move(lost), std::move(gained)};
  return chart;
}

std::vector<std::vector<std::string>> inference_rows(const InferenceStudy& study) {
  const bool category = study.question == Question::category;
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  std::vector<std::vector<std::string>> rows = {
      {"arithmetic", category ? "categories" : "right", "changed", "largest margin", "peers nearer"},
      {"float32, the reference", number(category ? study.categories : study.right), "", "", ""}};
  for (const CaseAnswers& c : study.cases) {
    rows.push_back(
        {c.arithmetic.name, number(category ? c.categories : c.right), number(c.changed.size()), "", ""});
    if (c.changed.empty()) continue;
    const ChangedAnswer& last = c.changed.back();
    rows.back()[3] = fmt::format("{:.3g}", last.margin);
    rows.back()[4] =
        fmt::format("{} of {}", grouped(last.nearer), grouped(peers(study, last.reference).size()));
  }
  if (!category) return rows;
  rows[0].insert(rows[0].begin() + 3, {"lost", "gained"});
  rows[1].insert(rows[1].begin() + 3, 2, "");
  for (std::size_t c = 0; c < study.cases.size(); ++c)
    rows[c + 2].insert(rows[c + 2].begin() + 3, {number(study.cases[c].lost), number(study.cases[c].gained)});
  return rows;
}

std::string inference_csv(const InferenceStudy& study) {
  std::string text = "case,weights,activations,bias,accumulator,image,reference,answer,margin,layer,nearer\n";
  for (const CaseAnswers& c : study.cases) {
    const InferenceArithmetic& a = c.arithmetic.arithmetic;
    const std::string head =
        fmt::format("{},{},{},{},{}", csv_field(c.arithmetic.name), csv_field(quantity_text(a.weights)),
                    csv_field(quantity_text(a.activations)), csv_field(quantity_text(a.bias)),
                    csv_field(quantity_text(a.accumulator)));
    for (const ChangedAnswer& change : c.changed)
      text += fmt::format("{},{},{},{},{},{},{}\n", head, change.image, change.reference, change.answer,
                          change.margin, change.layer, change.nearer);
  }
  return text;
}

std::string inference_json(const InferenceStudy& study) {
  const bool category = study.question == Question::category;
  const char* const counted = category ? "categories" : "right";
  Json cases = Json::array();
  for (const CaseAnswers& c : study.cases) {
    const InferenceArithmetic& a = c.arithmetic.arithmetic;
    Json changed = Json::array();
    for (const ChangedAnswer& change : c.changed) {
      changed.push_back({{"image", change.image},
                         {"reference", change.reference},
                         {"answer", change.answer},
                         {"margin", std::isfinite(change.margin) ? Json(change.margin) : Json()},
                         {"layer", change.layer},
                         {"nearer", change.nearer}});
    }
    Json one{{"case", c.arithmetic.name},
             {"weights", quantity_text(a.weights)},
             {"activations", quantity_text(a.activations)},
             {"bias", quantity_text(a.bias)},
             {"accumulator", quantity_text(a.accumulator)}};
    one[counted] = category ? c.categories : c.right;
    one["differing"] = c.changed.size();
    if (category) {
      one["lost"] = c.lost;
      one["gained"] = c.gained;
    }
    one["changed"] = std::move(changed);
    cases.push_back(std::move(one));
  }
  Json json{{"study", "spdnn"},
            {"network", study.network},
            {"inputs", study.inputs},
            {"images", study.images},
            {"seed", study.seed}};
  json[counted] = category ? study.categories : study.right;
  json["margins"] = Json::object();
  for (std::size_t g = 0; g < study.margins.size(); ++g)
    json["margins"][groups_of(study)[g]] = quantiles_json(study.margins[g]);
  json["cases"] = std::move(cases);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay::studies
