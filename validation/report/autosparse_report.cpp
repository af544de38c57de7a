#include "validation/report/autosparse_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "validation/report/gradient_cross.hpp"
#include "validation/report/json.hpp"
#include "validation/report/study_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay::studies {
namespace {

using report::Json;
using Cells = std::vector<std::string>;

// Width, sparsity and alpha of a point.
template <class Point>
Cells place_cells(const Point& p) {
  return {fmt::format("{}", p.width), fmt::format("{} %", p.sparsity), fmt::format("{}", p.alpha)};
}

double largest_of_bound(const GradientPoint& p) {
  double most = 0;
  for (const GradientErrors& e : p.errors) most = std::max({most, e.of_bound, e.sum_of_bound});
  return most;
}

std::string errors_csv(const GradientErrors& e) {
  const Distance& d = e.from_float32;
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", e.elements, e.nonfinite, e.outside,
                     e.relative, e.max_ulp, e.of_bound, e.cosine, e.bias, e.outward, e.sum_relative,
                     e.sum_of_bound, d.mean_bf16_ulp, d.max_bf16_ulp, d.mean_f32_ulp, d.max_f32_ulp,
                     d.relative);
}

Json errors_json(const GradientErrors& e) {
  const Distance& d = e.from_float32;
  return {{"elements", e.elements},
          {"nonfinite", e.nonfinite},
          {"outside", e.outside},
          {"relative", report::number_json(e.relative)},
          {"max_ulp", report::number_json(e.max_ulp)},
          {"error_over_bound", report::number_json(e.of_bound)},
          {"cosine", report::number_json(e.cosine)},
          {"bias", report::number_json(e.bias)},
          {"outward", report::number_json(e.outward)},
          {"sum_relative", report::number_json(e.sum_relative)},
          {"sum_error_over_bound", report::number_json(e.sum_of_bound)},
          {"from_float32",
           {{"mean_bf16_ulp", d.mean_bf16_ulp},
            {"max_bf16_ulp", d.max_bf16_ulp},
            {"mean_f32_ulp", d.mean_f32_ulp},
            {"max_f32_ulp", d.max_f32_ulp},
            {"relative", d.relative}}}};
}

}  // namespace

std::vector<Cells> gradient_arithmetic_rows(const AutosparseStudy& study) {
  std::vector<Cells> rows{{"arithmetic", "operands", "rounding", "terms a step", "order", "evidence"}};
  for (const GradientArithmetic& a : study.arithmetics)
    rows.push_back({a.series, a.format, a.rounding, grouped(a.step_terms), a.order,
                    a.evidence + (a.unverified ? " (unverified)" : "")});
  return rows;
}

std::vector<Cells> gradient_rows(const AutosparseStudy& study) {
  const GradientCross cross(study);
  std::vector<Cells> rows{{"width", "masked", "alpha", "arithmetic", "v", "dX", "dW", "ds", "error/bound"}};
  for (const GradientPoint& p : study.points) {
    if (!cross.holds(p)) continue;
    Cells& row = rows.emplace_back(place_cells(p));
    row.push_back(p.series);
    for (const GradientErrors& e : p.errors) row.push_back(study_figure(e.relative));
    row.push_back(study_figure(largest_of_bound(p)));
  }
  return rows;
}

std::vector<Cells> gradient_detail_rows(const AutosparseStudy& study, Gradient g) {
  const GradientCross cross(study);
  const bool has_sums = g == Gradient::dx || g == Gradient::dw,
             has_alpha = g == Gradient::dw || g == Gradient::ds;
  std::vector<Cells> rows{{"width", "masked", "alpha", "arithmetic", "relative", "1 - cosine", "bias",
                           "outward", "max ulp", "error/bound"}};
  if (!has_alpha) rows[0].erase(rows[0].begin() + 2);
  if (has_sums) rows[0].insert(rows[0].end(), {"sums: relative", "sums: error/bound"});
  rows[0].insert(rows[0].end(), {"from float32: relative", "mean f32 ulp", "mean bf16 ulp", "elements"});
  for (const GradientPoint& p : study.points) {
    if (!cross.holds(p) || (!has_alpha && p.alpha != cross.alpha)) continue;
    const GradientErrors& e = p.of(g);
    Cells& row = rows.emplace_back(place_cells(p));
    if (!has_alpha) row.pop_back();
    row.insert(row.end(), {p.series, study_figure(e.relative), study_figure(std::max(0.0, 1 - e.cosine)),
                           study_figure(e.bias), study_figure(e.outward), study_figure(e.max_ulp),
                           study_figure(e.of_bound)});
    if (has_sums) row.insert(row.end(), {study_figure(e.sum_relative), study_figure(e.sum_of_bound)});
    const Distance& d = e.from_float32;
    row.insert(row.end(), {study_figure(d.relative), study_figure(d.mean_f32_ulp),
                           study_figure(d.mean_bf16_ulp), grouped(e.elements)});
  }
  return rows;
}

std::vector<Cells> ds_rows(const AutosparseStudy& study) {
  const GradientCross cross(study);
  std::vector<Cells> rows{
      {"width", "masked", "alpha", "terms", "terms / |sum|", "float64", "float32", "bfloat16"}};
  for (const GradientPoint& p : study.points) {
    if (!cross.holds(p) || p.series != study.arithmetics.front().series) continue;
    Cells& row = rows.emplace_back(place_cells(p));
    row.push_back(grouped(static_cast<std::uint64_t>(p.ds.terms)));
    for (const double x : {p.ds.cancellation, p.ds.stated, p.ds.float32_chain, p.ds.bfloat16_chain})
      row.push_back(study_figure(x));
  }
  return rows;
}

std::vector<Cells> master_rows(const AutosparseStudy& study) {
  const GradientCross cross(study);
  std::vector<Cells> rows{{"width", "masked", "alpha", "weights in", "masks that change", "lost", "gained",
                           "v", "dX", "dW", "ds"}};
  for (const MasterWeights& m : study.masters) {
    if (!cross.holds(m)) continue;
    Cells& row = rows.emplace_back(place_cells(m));
    row.insert(row.end(),
               {m.rounding == "RNE" ? m.format : m.format + ":" + m.rounding,
                fmt::format("{} %", study_figure(100 * m.flipped())), grouped(m.lost), grouped(m.gained)});
    for (const double x : m.relative) row.push_back(study_figure(x));
  }
  return rows;
}

std::string autosparse_csv(const AutosparseStudy& study) {
  std::string text =
      "width,batch,sparsity,kept,threshold,alpha,lambda,format,rounding,unit,result,elements,nonfinite,"
      "outside,"
      "relative,max_ulp,error_over_bound,cosine,bias,outward,sum_relative,sum_error_over_bound,"
      "float32_mean_bf16_ulp,float32_max_bf16_ulp,float32_mean_f32_ulp,float32_max_f32_ulp,float32_relative,"
      "ds_terms,ds_cancellation,ds_float32_chain,ds_bfloat16_chain\n";
  for (const GradientPoint& p : study.points) {
    for (const Gradient g : all_gradients) {
      const std::string sums = g == Gradient::ds ? fmt::format("{},{},{},{}", p.ds.terms, p.ds.cancellation,
                                                               p.ds.float32_chain, p.ds.bfloat16_chain)
                                                 : ",,,";
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", p.width, study.batch, p.sparsity,
                          p.kept, p.threshold, p.alpha, study.lambda, csv_field(p.format), p.rounding,
                          csv_field(p.unit), gradient_name(g), errors_csv(p.of(g)), sums);
    }
  }
  return text;
}

std::string masters_csv(const AutosparseStudy& study) {
  std::string text = "width,sparsity,alpha,format,rounding,weights,lost,gained,v,dX,dW,ds\n";
  for (const MasterWeights& m : study.masters)
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\n", m.width, m.sparsity, m.alpha,
                        csv_field(m.format), m.rounding, m.weights, m.lost, m.gained, m.relative[0],
                        m.relative[1], m.relative[2], m.relative[3]);
  return text;
}

std::string autosparse_json(const AutosparseStudy& study) {
  Json arithmetics = Json::array(), points = Json::array(), masters = Json::array();
  for (const GradientArithmetic& a : study.arithmetics)
    arithmetics.push_back({{"series", a.series},
                           {"format", a.format},
                           {"rounding", a.rounding},
                           {"unit", a.unit},
                           {"step_terms", a.step_terms},
                           {"order", a.order},
                           {"evidence", a.evidence},
                           {"unverified", a.unverified}});
  for (const GradientPoint& p : study.points) {
    Json point{{"width", p.width},         {"sparsity", p.sparsity}, {"kept", p.kept},
               {"threshold", p.threshold}, {"alpha", p.alpha},       {"series", p.series},
               {"format", p.format},       {"rounding", p.rounding}, {"unit", p.unit}};
    for (const Gradient g : all_gradients) point[std::string(gradient_name(g))] = errors_json(p.of(g));
    point["ds_sums"] = {{"terms", p.ds.terms},
                        {"cancellation", report::number_json(p.ds.cancellation)},
                        {"stated", report::number_json(p.ds.stated)},
                        {"float32_chain", report::number_json(p.ds.float32_chain)},
                        {"bfloat16_chain", report::number_json(p.ds.bfloat16_chain)}};
    points.push_back(std::move(point));
  }
  for (const MasterWeights& m : study.masters) {
    Json one{{"width", m.width},       {"sparsity", m.sparsity}, {"alpha", m.alpha}, {"format", m.format},
             {"rounding", m.rounding}, {"weights", m.weights},   {"lost", m.lost},   {"gained", m.gained}};
    for (const Gradient g : all_gradients)
      one[std::string(gradient_name(g))] = report::number_json(m.relative[static_cast<std::size_t>(g)]);
    masters.push_back(std::move(one));
  }
  const Json json{{"study", "bf16"},
                  {"operation", "autosparse"},
                  {"seed", study.seed},
                  {"batch", study.batch},
                  {"lambda", study.lambda},
                  {"outside", study.outside()},
                  {"arithmetics", std::move(arithmetics)},
                  {"results", std::move(points)},
                  {"master_weights", std::move(masters)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay::studies
