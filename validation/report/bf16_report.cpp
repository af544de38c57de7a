#include "validation/report/bf16_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "validation/report/json.hpp"
#include "validation/report/study_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay::studies {
namespace {

using report::Json;

using Row = std::vector<std::string>;

std::string shape_of(const ContractErrors& r) { return fmt::format("{}x{}x{}", r.m, r.k, r.n); }

// The contracts in their order, each with its first result.
std::vector<const ContractErrors*> contracts_of(const Bf16Study& study) {
  std::vector<const ContractErrors*> all;
  for (const ContractErrors& r : study.results) {
    if (std::none_of(all.begin(), all.end(),
                     [&](const ContractErrors* one) { return one->contract == r.contract; }))
      all.push_back(&r);
  }
  return all;
}

std::vector<Row> distance_rows(const Bf16Study& study, Distance ContractErrors::*of, bool with_bound) {
  std::vector<Row> rows{{"m x k x n", "absent", "contract", "mean bf16 ulp", "max bf16 ulp", "mean f32 ulp",
                         "max f32 ulp", "relative"}};
  if (with_bound) rows[0].insert(rows[0].end(), {"error/bound", "outputs"});
  for (const ContractErrors& r : study.results) {
    const Distance& d = r.*of;
    rows.push_back({shape_of(r), fmt::format("{} %", r.sparsity), r.contract, study_figure(d.mean_bf16_ulp),
                    study_figure(d.max_bf16_ulp), study_figure(d.mean_f32_ulp), study_figure(d.max_f32_ulp),
                    study_figure(d.relative)});
    if (with_bound) rows.back().insert(rows.back().end(), {study_figure(r.of_bound), grouped(r.outputs)});
  }
  return rows;
}

// One point for all results with the same number of terms: the largest or the mean of their figures.
template <class Figure>
ChartSeries series_of(const Bf16Study& study, const ContractErrors& contract, std::size_t colour,
                      bool largest, const Figure& figure_of) {
  std::map<double, std::vector<double>> by_terms;
  for (const ContractErrors& r : study.results) {
    if (r.contract == contract.contract && r.outputs > r.nonfinite) by_terms[r.terms].push_back(figure_of(r));
  }
  ChartSeries s{.name = contract.contract, .colour = colour, .points = {}};
  for (const auto& [terms, figures] : by_terms) {
    double y = 0;
    for (const double x : figures) y = largest ? std::max(y, x) : y + x / static_cast<double>(figures.size());
    s.points.push_back({.x = terms, .y = y});
  }
  return s;
}

template <class Figure>
LineChart chart_of(const Bf16Study& study, LineChart chart, bool largest, const Figure& figure_of) {
  chart.x_label = study.operation == "spmm" ? "terms of an output: entries of a row, on average"
                                            : "terms of an output: k";
  std::size_t colour = 0;
  for (const ContractErrors* contract : contracts_of(study))
    chart.series.push_back(series_of(study, *contract, colour++, largest, figure_of));
  return chart;
}

Json distance_json(const Distance& d) {
  return {{"mean_bf16_ulp", d.mean_bf16_ulp},
          {"max_bf16_ulp", d.max_bf16_ulp},
          {"mean_f32_ulp", d.mean_f32_ulp},
          {"max_f32_ulp", d.max_f32_ulp},
          {"relative", d.relative}};
}

std::string distance_csv(const Distance& d) {
  return fmt::format("{},{},{},{},{}", d.mean_bf16_ulp, d.max_bf16_ulp, d.mean_f32_ulp, d.max_f32_ulp,
                     d.relative);
}

}  // namespace

std::vector<LineChart> bf16_charts(const Bf16Study& study) {
  const auto titled = [](std::string kind, std::string title, std::string caption, std::string y) {
    return LineChart{.kind = std::move(kind),
                     .title = std::move(title),
                     .caption = std::move(caption),
                     .x_label = "",
                     .y_label = std::move(y),
                     .series = {},
                     .rows = {}};
  };
  std::vector<LineChart> charts;
  charts.push_back(
      chart_of(study,
               titled("bf16-float32", "Distance from the float32 product",
                      "of operands that were not rounded; contracts that add in float32 lie together, "
                      "as rounding the operands makes nearly all of their distance",
                      "relative distance"),
               false, [](const ContractErrors& r) { return r.from_float32.relative; }));
  charts.push_back(
      chart_of(study,
               titled("bf16-exact", "Error of the contract",
                      "against the exact result of the bf16 operands; no mark where there is no error",
                      "relative error"),
               false, [](const ContractErrors& r) { return r.from_exact.relative; }));
  charts.push_back(
      chart_of(study,
               titled("bf16-bound", "Largest error over its proven bound",
                      "above 1 the contract's model or the bound would be wrong", "error / bound"),
               true, [](const ContractErrors& r) { return r.of_bound; }));
  return charts;
}

std::vector<Row> bf16_contract_rows(const Bf16Study& study) {
  std::vector<Row> rows{{"contract", "terms a step", "order", "evidence"}};
  for (const ContractErrors* r : contracts_of(study)) {
    rows.push_back({r->contract, grouped(r->step_terms), r->order,
                    r->evidence + (r->unverified ? " (unverified)" : "")});
  }
  return rows;
}

std::vector<Row> bf16_float32_rows(const Bf16Study& study) {
  return distance_rows(study, &ContractErrors::from_float32, false);
}

std::vector<Row> bf16_exact_rows(const Bf16Study& study) {
  return distance_rows(study, &ContractErrors::from_exact, true);
}

std::string bf16_pairing_text(const Bf16Study& study) {
  const std::string terms =
      study.operation == "spmm"
          ? "The terms of an output are the stored entries of its row of A, in stored order"
          : "The terms of an output are elements 0 to k - 1 of its row of A and column of B";
  return terms +
         "; each step takes the next of them, and the last step what is left. Absent entries fill no place "
         "in a step.";
}

std::string bf16_csv(const Bf16Study& study) {
  std::string text =
      "operation,m,k,n,sparsity,entries,terms,contract,step_terms,evidence,outputs,nonfinite,outside,"
      "float32_mean_bf16_ulp,float32_max_bf16_ulp,float32_mean_f32_ulp,float32_max_f32_ulp,float32_relative,"
      "exact_mean_bf16_ulp,exact_max_bf16_ulp,exact_mean_f32_ulp,exact_max_f32_ulp,exact_relative,error_over_"
      "bound\n";
  for (const ContractErrors& r : study.results) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", study.operation, r.m, r.k, r.n,
                        r.sparsity, r.entries, r.terms, csv_field(r.contract), r.step_terms, r.evidence,
                        r.outputs, r.nonfinite, r.outside, distance_csv(r.from_float32),
                        distance_csv(r.from_exact), r.of_bound);
  }
  return text;
}

std::string bf16_json(const Bf16Study& study) {
  Json results = Json::array();
  for (const ContractErrors& r : study.results) {
    results.push_back({{"m", r.m},
                       {"k", r.k},
                       {"n", r.n},
                       {"sparsity", r.sparsity},
                       {"entries", r.entries},
                       {"terms", r.terms},
                       {"contract", r.contract},
                       {"step_terms", r.step_terms},
                       {"order", r.order},
                       {"evidence", r.evidence},
                       {"unverified", r.unverified},
                       {"outputs", r.outputs},
                       {"nonfinite", r.nonfinite},
                       {"outside", r.outside},
                       {"from_float32", distance_json(r.from_float32)},
                       {"from_exact", distance_json(r.from_exact)},
                       {"error_over_bound", report::number_json(r.of_bound)}});
  }
  const Json json{{"study", "bf16"},
                  {"operation", study.operation},
                  {"values", values_name(study.values)},
                  {"seed", study.seed},
                  {"pairing", bf16_pairing_text(study)},
                  {"outside", study.outside()},
                  {"results", std::move(results)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay::studies
