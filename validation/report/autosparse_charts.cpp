#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "validation/report/autosparse_report.hpp"
#include "validation/report/gradient_cross.hpp"
#include "validation/report/study_report.hpp"

namespace assay::studies {
namespace {

std::string_view axis_name(GradientAxis axis) {
  return axis == GradientAxis::width ? "width" : axis == GradientAxis::sparsity ? "sparsity" : "alpha";
}

// What the line along an axis holds fixed; `has_alpha`: what is drawn depends on it.
std::string fixed_text(const GradientCross& cross, GradientAxis axis, bool has_alpha) {
  std::string text;
  const auto add = [&](std::string part) { text += (text.empty() ? "" : ", ") + std::move(part); };
  if (axis != GradientAxis::width) add(fmt::format("width {}", cross.width));
  if (axis != GradientAxis::sparsity) add(fmt::format("sparsity {} %", cross.sparsity));
  if (has_alpha && axis != GradientAxis::alpha) add(fmt::format("alpha {}", cross.alpha));
  return text;
}

// The least and the largest of the last points, by name; nothing where there is but one.
std::string range_text(const LineChart& chart, GradientAxis axis) {
  const ChartSeries *least = nullptr, *most = nullptr;
  const auto last = [](const ChartSeries* s) { return s->points.back().y; };
  for (const ChartSeries& s : chart.series) {
    if (s.points.empty()) continue;
    if (least == nullptr || last(&s) < last(least)) least = &s;
    if (most == nullptr || last(&s) > last(most)) most = &s;
  }
  if (least == nullptr || least == most) return "";
  return fmt::format("; at {} {}{}: from {} ({}) to {} ({})", axis_name(axis), most->points.back().x,
                     axis == GradientAxis::sparsity ? " %" : "", study_figure(last(least)), least->name,
                     study_figure(last(most)), most->name);
}

// Lines that hide one another: those that lie within a hundredth of the first of them everywhere.
std::string hidden_text(const LineChart& chart) {
  const auto near = [](const ChartSeries& a, const ChartSeries& b) {
    return a.points.size() == b.points.size() &&
           std::equal(a.points.begin(), a.points.end(), b.points.begin(),
                      [](const ChartPoint& x, const ChartPoint& y) {
                        return x.x == y.x && std::abs(x.y - y.y) <= 0.01 * std::abs(x.y);
                      });
  };
  std::string text;
  std::vector<bool> said(chart.series.size());
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    std::string group = chart.series[i].name;
    std::size_t members = 1;
    for (std::size_t j = i + 1; j < chart.series.size() && !said[i]; ++j) {
      if (said[j] || !near(chart.series[i], chart.series[j])) continue;
      said[j] = true;
      group += ", " + chart.series[j].name;
      ++members;
    }
    if (members > 1) text += fmt::format("; within 1 % of one another: {}", group);
  }
  return text;
}

LineChart begun(std::string kind, std::string title, GradientAxis axis, std::string y_label) {
  return {.kind = std::move(kind),
          .title = std::move(title),
          .x_label = axis == GradientAxis::width      ? "width of the layer"
                     : axis == GradientAxis::sparsity ? "masked weights, per cent"
                                                      : "alpha",
          .y_label = std::move(y_label),
          .x = axis == GradientAxis::width ? Axis::log2 : Axis::linear};
}

void finish(LineChart& chart, const GradientCross& cross, GradientAxis axis, bool has_alpha,
            const std::string& more = "") {
  chart.caption = more + (more.empty() ? "" : "; ") + fixed_text(cross, axis, has_alpha) +
                  range_text(chart, axis) + hidden_text(chart);
}

// Points of one series along an axis. `of` may be any of what a point holds.
template <class Point, class Belongs, class Figure>
ChartSeries line_of(const std::vector<Point>& points, const GradientCross& cross, GradientAxis axis,
                    const Belongs& belongs, const Figure& figure) {
  ChartSeries s;
  for (const Point& p : points) {
    if (cross.along(p, axis) && belongs(p)) s.points.push_back({GradientCross::at(p, axis), figure(p)});
  }
  return s;
}

std::string format_and_rounding(std::string_view format, std::string_view rounding) {
  return rounding == "RNE" ? std::string(format) : fmt::format("{}:{}", format, rounding);
}

// One arithmetic of each format and rounding where units make no difference: v is rounded, not summed.
std::vector<const GradientArithmetic*> lines_of(const AutosparseStudy& study, bool by_unit) {
  std::vector<const GradientArithmetic*> all;
  for (const GradientArithmetic& a : study.arithmetics) {
    if (by_unit || std::none_of(all.begin(), all.end(), [&](const GradientArithmetic* one) {
          return one->format == a.format && one->rounding == a.rounding;
        }))
      all.push_back(&a);
  }
  return all;
}

template <class Figure>
void add_lines(LineChart& chart, const AutosparseStudy& study, const GradientCross& cross, GradientAxis axis,
               bool by_unit, const Figure& figure) {
  for (const GradientArithmetic* a : lines_of(study, by_unit)) {
    ChartSeries s = line_of(
        study.points, cross, axis, [&](const GradientPoint& p) { return p.series == a->series; }, figure);
    s.name = by_unit ? a->series : format_and_rounding(a->format, a->rounding);
    s.colour = static_cast<std::size_t>(a - study.arithmetics.data());
    chart.series.push_back(std::move(s));
  }
}

LineChart error_chart(const AutosparseStudy& study, const GradientCross& cross, GradientAxis axis,
                      Gradient g) {
  std::string lower(gradient_name(g));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c == 'X' ? 'x' : c == 'W' ? 'w' : c;
  });
  LineChart chart = begun(fmt::format("autosparse-{}-{}", lower, axis_name(axis)),
                          fmt::format("Error of {} by {}", gradient_name(g), axis_name(axis)), axis,
                          g == Gradient::ds ? "|error / ds|" : "relative error");
  add_lines(chart, study, cross, axis, g != Gradient::v,
            [&](const GradientPoint& p) { return p.of(g).relative; });
  finish(chart, cross, axis, g == Gradient::dw || g == Gradient::ds,
         g == Gradient::ds ? "one number a point, which may nearly cancel" : "");
  return chart;
}

LineChart sums_chart(const AutosparseStudy& study, const GradientCross& cross, Gradient g) {
  LineChart chart = begun(g == Gradient::dx ? "autosparse-sums-dx" : "autosparse-sums-g",
                          g == Gradient::dx ? "Sums of dX alone" : "Sums of dY^T X alone",
                          GradientAxis::width, "relative error");
  add_lines(chart, study, cross, GradientAxis::width, true,
            [&](const GradientPoint& p) { return p.of(g).sum_relative; });
  finish(chart, cross, GradientAxis::width, false,
         "beside the exact results of the operands as they were rounded");
  return chart;
}

LineChart ds_chart(const AutosparseStudy& study, const GradientCross& cross) {
  const std::string& series = study.arithmetics.front().series;
  LineChart chart =
      begun("autosparse-ds-sums", "ds by the sum of its terms", GradientAxis::width, "|error / ds|");
  const auto add = [&](std::string name, double SumsOfDs::*of) {
    ChartSeries s = line_of(
        study.points, cross, GradientAxis::width, [&](const GradientPoint& p) { return p.series == series; },
        [&](const GradientPoint& p) { return p.ds.*of; });
    s.name = std::move(name);
    s.colour = chart.series.size();
    chart.series.push_back(std::move(s));
  };
  add("float64, the stated order", &SumsOfDs::stated);
  add("float32, one after the other", &SumsOfDs::float32_chain);
  add("bfloat16, one after the other", &SumsOfDs::bfloat16_chain);
  finish(chart, cross, GradientAxis::width, true, "terms of " + series);
  return chart;
}

// Master weights that are rounded (dashed) beside v that is.
LineChart master_chart(const AutosparseStudy& study, const GradientCross& cross, Gradient g) {
  const bool is_v = g == Gradient::v;
  LineChart chart = begun(is_v ? "autosparse-masters-v" : "autosparse-masters-dw",
                          fmt::format("Error of {} where master weights are rounded", gradient_name(g)),
                          GradientAxis::sparsity, "relative error");
  for (const GradientArithmetic* a : lines_of(study, false)) {
    const std::string name = format_and_rounding(a->format, a->rounding);
    const auto of_format = [&](const MasterWeights& m) {
      return m.format == a->format && m.rounding == a->rounding;
    };
    ChartSeries masters =
        line_of(study.masters, cross, GradientAxis::sparsity, of_format,
                [&](const MasterWeights& m) { return m.relative[static_cast<std::size_t>(g)]; });
    if (masters.points.empty()) continue;
    ChartSeries path = line_of(
        study.points, cross, GradientAxis::sparsity,
        [&](const GradientPoint& p) { return p.series == a->series; },
        [&](const GradientPoint& p) { return p.of(g).relative; });
    path.colour = masters.colour = static_cast<std::size_t>(a - study.arithmetics.data());
    path.name = is_v ? "v in " + name : a->series;
    masters.name = "weights in " + name;
    masters.stroke = Stroke::dashed;
    chart.series.push_back(std::move(path));
    chart.series.push_back(std::move(masters));
  }
  finish(chart, cross, GradientAxis::sparsity, !is_v, "dashed: weights rounded and nothing else");
  return chart;
}

LineChart flips_chart(const AutosparseStudy& study, const GradientCross& cross) {
  LineChart chart = begun("autosparse-masters-masks", "Masks that change where master weights are rounded",
                          GradientAxis::sparsity, "share of masks");
  for (const GradientArithmetic* a : lines_of(study, false)) {
    ChartSeries s = line_of(
        study.masters, cross, GradientAxis::sparsity,
        [&](const MasterWeights& m) { return m.format == a->format && m.rounding == a->rounding; },
        [](const MasterWeights& m) { return m.flipped(); });
    if (s.points.empty()) continue;
    s.name = format_and_rounding(a->format, a->rounding);
    s.colour = static_cast<std::size_t>(a - study.arithmetics.data());
    chart.series.push_back(std::move(s));
  }
  finish(chart, cross, GradientAxis::sparsity, false, "no mark where none does");
  return chart;
}

}  // namespace

std::vector<LineChart> autosparse_charts(const AutosparseStudy& study) {
  const GradientCross cross(study);
  std::vector<LineChart> charts;
  for (const GradientAxis axis : {GradientAxis::width, GradientAxis::sparsity, GradientAxis::alpha}) {
    // A list of one value is no axis, but something is drawn.
    const std::size_t values = axis == GradientAxis::width      ? 2
                               : axis == GradientAxis::sparsity ? study.sparsities.size()
                                                                : study.alphas.size();
    if (values < 2) continue;
    for (const Gradient g : all_gradients) {
      if (axis != GradientAxis::alpha || g == Gradient::dw || g == Gradient::ds)
        charts.push_back(error_chart(study, cross, axis, g));
    }
  }
  charts.push_back(sums_chart(study, cross, Gradient::dx));
  charts.push_back(sums_chart(study, cross, Gradient::dw));
  charts.push_back(ds_chart(study, cross));
  if (!study.masters.empty()) {
    charts.push_back(flips_chart(study, cross));
    charts.push_back(master_chart(study, cross, Gradient::v));
    charts.push_back(master_chart(study, cross, Gradient::dw));
  }
  return charts;
}

}  // namespace assay::studies
