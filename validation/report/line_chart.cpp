#include "validation/report/line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "validation/report/page.hpp"
#include "validation/report/svg.hpp"

namespace assay {
namespace {

using svg::label;
using svg::line;

constexpr double chart_width = 560, chart_height = 300, right_margin = 16, top_margin = 12;
constexpr std::size_t colours = 8;

// Okabe and Ito's colours, which stay apart for every kind of colour vision; yellow is darkened for a white page.
constexpr std::string_view style = R"css(
:root { --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b5528a; --c4: #a67c00; --c5: #3a9bd6; --c6: #1d2025;
  --c7: #7a5cc0; }
@media (prefers-color-scheme: dark) { :root { --c0: #5aa9e6; --c1: #ff8a4c; --c2: #34c79a; --c3: #e08fc0;
  --c4: #e0b93c; --c5: #8fd0ff; --c6: #e4e7eb; --c7: #b39cf0; } }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 31rem), 1fr)); gap: 1.6rem;
  margin: 0 0 1.6rem; }
.charts figure { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .9rem; }
.charts svg { max-width: 42rem; margin: 0 auto; }
.scroll { overflow-x: auto; margin: 0 0 1.4rem; }
.scroll td { white-space: nowrap; }
svg .grid { stroke: var(--line); stroke-width: .6; fill: none; }
svg .frame { stroke: var(--muted); stroke-width: 1; fill: none; }
svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .dashed { stroke-dasharray: 5 3; stroke-width: 1.2; }
svg .point { stroke-width: 1.2; }
svg .hollow { fill: var(--panel); }
svg .legend { fill: var(--ink); }
)css";

constexpr std::string_view paper_style = R"css(
text { fill: #000; font: 11px "Helvetica", "Arial", sans-serif; }
.grid { stroke: #ddd; stroke-width: .5; fill: none; } .frame, .axis { stroke: #000; stroke-width: .8; fill: none; }
.curve { fill: none; stroke-width: 1.4; stroke-linejoin: round; } .dashed { stroke-dasharray: 5 3; stroke-width: 1; }
.point { stroke-width: 1.1; }
)css";
constexpr std::string_view paper_colours[colours] = {"#0072b2", "#d55e00", "#009e73", "#b5528a",
                                                     "#a67c00", "#3a9bd6", "#000000", "#7a5cc0"};

double transformed(Axis axis, double v) {
  switch (axis) {
    case Axis::log10: return std::log10(v);
    case Axis::log2: return std::log2(v);
    case Axis::linear: break;
  }
  return v;
}

struct Tick {
  double at;  // transformed
  std::string text;
};

std::string number_text(double v) {
  if (v == std::round(v) && std::fabs(v) < 1e5) return fmt::format("{:.0f}", v);
  return fmt::format("{:.3g}", v);
}

class Scale {
 public:
  Scale(Axis axis, double low, double high) : axis_(axis), low_(low), high_(high) {
    // One label or none tells nothing.
    if (axis_ != Axis::linear && std::floor(high_) - std::ceil(low_) < 1) {
      low_ = std::floor(low_);
      high_ = std::max(std::ceil(high_), low_ + 1);
    }
    if (high_ <= low_) {
      low_ -= 1;
      high_ += 1;
    }
  }
  double part(double v) const { return (transformed(axis_, v) - low_) / (high_ - low_); }
  double part_of_tick(const Tick& t) const { return (t.at - low_) / (high_ - low_); }

  std::vector<Tick> ticks(double pixels, double least) const {
    std::vector<Tick> all;
    const int most = std::max(2, static_cast<int>(pixels / least));
    if (axis_ == Axis::linear) {
      const double raw = (high_ - low_) / most, decade = std::pow(10, std::floor(std::log10(raw)));
      const double step = decade * (raw / decade > 5 ? 10 : raw / decade > 2 ? 5 : raw / decade > 1 ? 2 : 1);
      for (double t = std::ceil(low_ / step) * step; t <= high_ + step * 1e-9; t += step)
        all.push_back({t, number_text(std::fabs(t) < step * 1e-6 ? 0 : t)});
      return all;
    }
    const int first = static_cast<int>(std::ceil(low_ - 1e-9)),
              last = static_cast<int>(std::floor(high_ + 1e-9));
    int every = 1;
    while ((last - first) / every + 1 > most)
      every = every == 1 ? 2 : every + (axis_ == Axis::log2 ? every : 1);
    const int base = axis_ == Axis::log2 ? 2 : 10;
    for (int e = first; e <= last; ++e) {
      if (e % every != 0) continue;
      all.push_back({static_cast<double>(e), e == 0 ? "1" : svg::power(base, e)});
    }
    return all;
  }

 private:
  Axis axis_;
  double low_, high_;
};

bool shown(const LineChart& chart, const ChartPoint& p) {
  const auto fits = [](Axis axis, double v) { return std::isfinite(v) && (axis == Axis::linear || v > 0); };
  return fits(chart.x, p.x) && fits(chart.y, p.y);
}

// A mark of series `colour`, 3.2 pixels in radius.
std::string shape(std::size_t colour, double x, double y, bool faint) {
  const auto path = [&](const char* d) {
    return fmt::format("<path transform=\"translate({:.1f} {:.1f})\" d=\"{}\"", x, y, d);
  };
  if (faint) return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.2\"", x, y);
  switch (colour % colours) {
    case 1: return path("M-2.9-2.9h5.8v5.8h-5.8z");
    case 2: return path("M0-3.8L3.5 2.6H-3.5z");
    case 3: return path("M0-4L4 0L0 4L-4 0z");
    case 4: return path("M0 3.8L3.5-2.6H-3.5z");
    case 5: return path("M-3.4-1.3L0-4L3.4-1.3L2.1 3H-2.1z");
    case 6: return path("M-1.2-3.6h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4v-2.4h2.4z");
    case 7: return path("M-3.6-2h7.2v4h-7.2z");
    default: return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.1\"", x, y);
  }
}

class Painter {
 public:
  explicit Painter(const LineChart& chart) : chart_(chart) {}

  double height() const { return total_; }  // of what was painted

  std::string paint() {
    double x_low = std::numeric_limits<double>::infinity(), x_high = -x_low, y_low = x_low, y_high = -x_low;
    for (const ChartSeries& s : chart_.series) {
      for (const ChartPoint& p : s.points) {
        if (!shown(chart_, p)) continue;
        const double x = transformed(chart_.x, p.x), y = transformed(chart_.y, p.y);
        x_low = std::min(x_low, x);
        x_high = std::max(x_high, x);
        y_low = std::min(y_low, y);
        y_high = std::max(y_high, y);
      }
    }
    const bool empty = !(x_low <= x_high);
    if (empty) x_low = y_low = 0, x_high = y_high = 1;
    if (!chart_.rows.empty()) y_low = -0.6, y_high = static_cast<double>(chart_.rows.size()) - 0.4;
    const double pad_x = (x_high - x_low) * 0.02, pad_y = chart_.rows.empty() ? (y_high - y_low) * 0.03 : 0;
    const Scale xs(chart_.x, x_low - pad_x, x_high + pad_x), ys(chart_.y, y_low - pad_y, y_high + pad_y);
    left_ = 62;
    if (!chart_.rows.empty()) {
      std::size_t longest = 0;
      for (const std::string& row : chart_.rows) longest = std::max(longest, row.size());
      left_ = std::min(320.0, 12 + 5.7 * static_cast<double>(longest));
    }
    height_ = chart_.rows.empty() ? chart_height : 24.0 * static_cast<double>(chart_.rows.size());
    std::string marks = grid(xs, ys);
    if (empty)
      marks += label(left_ + plot_width() / 2, top_margin + height_ / 2, "middle", "no error anywhere");
    // Dashed lines first: measured ones lie over bounds.
    for (const bool dashed : {true, false}) {
      for (const ChartSeries& s : chart_.series) {
        if ((s.stroke == Stroke::dashed) == dashed) marks += series(s, xs, ys);
      }
    }
    double bottom = top_margin + height_ + 40;
    marks += legend(bottom);
    total_ = bottom + 4;
    return marks;
  }

 private:
  double plot_width() const { return chart_width - left_ - right_margin; }
  double x_of(double part) const { return left_ + part * plot_width(); }
  double y_of(double part) const {
    return chart_.rows.empty() ? top_margin + height_ * (1 - part) : top_margin + height_ * part;
  }

  std::string grid(const Scale& xs, const Scale& ys) const {
    std::string text;
    const double bottom = top_margin + height_;
    for (const Tick& t : xs.ticks(plot_width(), 44)) {
      const double x = x_of(xs.part_of_tick(t));
      text += line("grid", x, top_margin, x, bottom) + label(x, bottom + 15, "middle", t.text);
    }
    if (chart_.rows.empty()) {
      for (const Tick& t : ys.ticks(height_, 26)) {
        const double y = y_of(ys.part_of_tick(t));
        text += line("grid", left_, y, left_ + plot_width(), y) + label(left_ - 6, y + 4, "end", t.text);
      }
    } else {
      for (std::size_t i = 0; i < chart_.rows.size(); ++i) {
        const double y = y_of(ys.part(static_cast<double>(i)));
        text += line("grid", left_, y, left_ + plot_width(), y) +
                label(left_ - 6, y + 4, "end", html_escaped(chart_.rows[i]));
      }
    }
    text +=
        fmt::format("<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                    left_, top_margin, plot_width(), height_);
    text += label(left_ + plot_width() / 2, bottom + 31, "middle", html_escaped(chart_.x_label));
    if (chart_.rows.empty()) {
      text += fmt::format(
          "<text transform=\"translate(13 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
          top_margin + height_ / 2, html_escaped(chart_.y_label));
    }
    return text;
  }

  std::string line_class(std::size_t colour) const { return fmt::format("c{}", colour % colours); }
  std::string fill_class(std::size_t colour, bool hollow) const {
    return fmt::format("{}{}", hollow ? "h" : "f", colour % colours);
  }

  std::string series(const ChartSeries& s, const Scale& xs, const Scale& ys) const {
    std::string path, marks;
    for (const ChartPoint& p : s.points) {
      if (!shown(chart_, p)) continue;
      const double x = x_of(xs.part(p.x)), y = y_of(ys.part(p.y));
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
      if (!s.marks) continue;
      marks +=
          shape(s.colour, x, y, p.faint) +
          fmt::format(" class=\"mark point {}\"><title>{}: {} {:.4g}{}</title></{}>\n",
                      fill_class(s.colour, p.hollow && !p.faint), html_escaped(s.name),
                      html_escaped(chart_.x_label), p.x,
                      chart_.rows.empty() ? fmt::format(", {}{:.3e}", p.hollow ? "\u2212" : "", p.y) : "",
                      p.faint || s.colour % colours == 0 ? "circle" : "path");
    }
    if (s.stroke == Stroke::none || path.empty()) return marks;
    return fmt::format("<path class=\"curve {}{}\" d=\"{}\"/>\n", line_class(s.colour),
                       s.stroke == Stroke::dashed ? " dashed" : "", path) +
           marks;
  }

  // Two columns where the names are short.
  std::string legend(double& y) const {
    std::size_t longest = 0, count = 0;
    for (const ChartSeries& s : chart_.series) {
      longest = std::max(longest, s.name.size());
      if (!s.name.empty()) ++count;
    }
    if (count == 0) return "";
    const std::size_t columns = longest <= 40 && count > 3 ? 2 : 1;
    const std::size_t rows = (count + columns - 1) / columns;
    std::string text;
    std::size_t i = 0;
    for (const ChartSeries& s : chart_.series) {
      if (s.name.empty()) continue;
      const double x = left_ - 40 + static_cast<double>(i / rows) * (chart_width - left_ + 30) / 2;
      const double at = y + 12 + 16 * static_cast<double>(i % rows);
      if (s.stroke != Stroke::none) {
        text += fmt::format("<path class=\"curve {}{}\" d=\"M{:.1f} {:.1f}h24\"/>\n", line_class(s.colour),
                            s.stroke == Stroke::dashed ? " dashed" : "", x, at - 4);
      }
      if (s.marks) {
        // Without a line: as its points are drawn.
        const auto is = [&](bool ChartPoint::*what) {
          return s.stroke == Stroke::none && !s.points.empty() &&
                 std::all_of(s.points.begin(), s.points.end(), [&](const ChartPoint& p) { return p.*what; });
        };
        text += shape(s.colour, x + 12, at - 4, is(&ChartPoint::faint)) +
                fmt::format(" class=\"point {}\"/>\n", fill_class(s.colour, is(&ChartPoint::hollow)));
      }
      text += label(x + 30, at, "start", html_escaped(s.name), "legend");
      ++i;
    }
    y += 16 * static_cast<double>(rows) + 4;
    return text;
  }

  const LineChart& chart_;
  double left_ = 0, height_ = 0, total_ = 0;
};

}  // namespace

std::string line_chart_svg(const LineChart& chart) {
  Painter painter(chart);
  const std::string marks = painter.paint();
  std::string sheet(paper_style);
  for (std::size_t i = 0; i < colours; ++i)
    sheet += fmt::format(
        ".c{0} {{ stroke: {1}; }} .f{0} {{ fill: {1}; stroke: {1}; }} .h{0} {{ fill: #fff; stroke: {1}; }}\n",
        i, paper_colours[i]);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1:.0f}\" width=\"{0}\" "
      "height=\"{1:.0f}\">\n"
      "<title>{2}</title>\n<style>{3}</style>\n<rect width=\"{0}\" height=\"{1:.0f}\" "
      "fill=\"#fff\"/>\n{4}</svg>\n",
      chart_width, painter.height(), html_escaped(chart.title), sheet, marks);
}

std::string line_chart_figure(const LineChart& chart) {
  Painter painter(chart);
  const std::string marks = painter.paint();
  return svg::figure(chart.kind, chart_width, painter.height(), html_escaped(chart.title),
                     html_escaped(chart.caption), marks);
}

std::string_view line_chart_style() {
  static const std::string sheet = [] {
    std::string text(style);
    for (std::size_t i = 0; i < colours; ++i)
      text += fmt::format(
          "svg .c{0} {{ stroke: var(--c{0}); }} svg .f{0} {{ fill: var(--c{0}); stroke: var(--c{0}); }} "
          "svg .h{0} {{ fill: var(--panel); stroke: var(--c{0}); }}\n",
          i);
    return text;
  }();
  return sheet;
}

}  // namespace assay
