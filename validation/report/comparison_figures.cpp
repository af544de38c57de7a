#include "validation/report/comparison_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "validation/report/svg.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace {

using compare::Comparison;
using compare::UlpHistogram;
using svg::label;
using svg::line;

// All pictures are drawn on one canvas, so that they line up side by side.
constexpr double width = 400, height = 260;
constexpr double left = 44, right = 12, top = 14, bottom = 40;
constexpr double plot_width = width - left - right, plot_height = height - top - bottom;

std::string figure(std::string_view kind, const std::string& title, const std::string& caption,
                   const std::string& marks) {
  return svg::figure(kind, width, height, title, caption, marks);
}

// A mark with what it stands for, which browsers show under the pointer.
std::string mark(std::string_view kind, double x, double y, double w, double h, double opacity,
                 const std::string& what) {
  return fmt::format(
      "<rect class=\"mark {}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
      "fill-opacity=\"{:.2f}\">"
      "<title>{}</title></rect>\n",
      kind, x, y, w, h, opacity, what);
}

std::string superscript(int n) { return svg::power(2, n); }

// Opacity of a cell that holds `count`, the fullest holding `most`: by logarithm, the least still visible.
double shade(std::uint64_t count, std::uint64_t most) {
  return most <= 1 ? 1
                   : 0.3 + 0.7 * std::log2(static_cast<double>(count)) / std::log2(static_cast<double>(most));
}

// A scale from 1 to `most` counts by logarithm; one count is a visible step.
class CountScale {
 public:
  explicit CountScale(std::uint64_t most)
      : top_(std::log10(static_cast<double>(std::max<std::uint64_t>(most, 1))) + step) {}
  double height_of(std::uint64_t count) const {
    return count == 0 ? 0 : (std::log10(static_cast<double>(count)) + step) / top_ * plot_height;
  }

 private:
  static constexpr double step = 0.35;
  double top_;
};

std::string count_axis(const CountScale& scale, std::uint64_t most) {
  std::string text;
  std::uint64_t tick = 1;
  std::vector<std::uint64_t> ticks;
  for (; tick <= most; tick *= 10) {
    ticks.push_back(tick);
    if (tick > most / 10) break;
  }
  const std::size_t every = ticks.size() > 7 ? 2 : 1;
  for (std::size_t i = 0; i < ticks.size(); i += every) {
    const double y = top + plot_height - scale.height_of(ticks[i]);
    text += line("axis", left - 4, y, left + plot_width, y);
    text +=
        label(left - 7, y + 4, "end", i < 4 ? std::to_string(ticks[i]) : svg::power(10, static_cast<int>(i)));
  }
  return text;
}

std::string bin_name(std::size_t bin, bool below) {
  if (bin == 0) return "0";
  const char* const sign = below ? "\u2212" : "+";
  if (bin == 1) return fmt::format("{}1", sign);
  const std::uint64_t low = std::uint64_t{1} << (bin - 1);
  return fmt::format("{0}{1} to {0}{2}", sign, grouped(low), grouped(low + (low - 1)));
}

std::string bin_label(std::size_t bin, bool below) {
  if (bin == 0) return "0";
  const std::string number =
      bin < 8 ? std::to_string(std::uint64_t{1} << (bin - 1)) : superscript(static_cast<int>(bin) - 1);
  return (below ? "\u2212" : "+") + number;
}

std::size_t last_used(const std::array<std::uint64_t, UlpHistogram::bins>& counts) {
  std::size_t last = 0;
  for (std::size_t b = 0; b < counts.size(); ++b) {
    if (counts[b] != 0) last = b;
  }
  return last;
}

std::string exponent_axis(int low, int high, double cell) {
  std::string text;
  int every = 1;
  while (cell * every < 34) every *= 2;
  for (int e = low; e <= high; ++e) {
    // Ticks at multiples, so that 2^0 is one of them.
    if (e % every != 0) continue;
    const double x = left + (e - low) * cell;
    text += line("axis", x, top + plot_height, x, top + plot_height + 4);
    text += label(x, top + plot_height + 16, "middle", superscript(e));
  }
  return text;
}

}  // namespace

std::string ulp_histogram_figure(const Comparison& c) {
  struct Bar {
    std::size_t bin;
    bool below;
    std::uint64_t count;
  };
  // At least 8 bins to either side would waste room; at least 2 keep the middle in the middle.
  const std::size_t low = std::max<std::size_t>(last_used(c.ulps.below), 2),
                    high = std::max<std::size_t>(last_used(c.ulps.above), 2);
  std::vector<Bar> bars;
  for (std::size_t b = low; b >= 1; --b) bars.push_back({b, true, c.ulps.below[b]});
  for (std::size_t b = 0; b <= high; ++b) bars.push_back({b, false, c.ulps.above[b]});
  std::uint64_t most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.count);

  const CountScale scale(most);
  const double pitch = plot_width / static_cast<double>(bars.size()), bar_width = std::min(0.8 * pitch, 34.0);
  std::size_t every = 1;
  while (pitch * static_cast<double>(every) < 26) ++every;
  std::string marks = most > 0 ? count_axis(scale, most) : "";
  marks += line("axis", left, top + plot_height, left + plot_width, top + plot_height);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const double x = left + (static_cast<double>(i) + 0.5) * pitch, h = scale.height_of(bar.count);
    if (bar.count != 0) {
      marks +=
          mark(bar.bin == 0 ? "same" : "other", x - bar_width / 2, top + plot_height - h, bar_width, h, 1,
               fmt::format("{}{}: {}", bin_name(bar.bin, bar.below), c.integers ? "" : " ulp",
                           grouped(bar.count)));
    }
    // Counted from the middle, so that 0 has a label.
    if ((i > low ? i - low : low - i) % every == 0) {
      marks += label(x, top + plot_height + 16, "middle", bin_label(bar.bin, bar.below));
    }
  }
  marks += label(left + plot_width / 2, height - 6, "middle",
                 c.integers ? "got \u2212 want" : "got \u2212 want, in ulps");
  const std::uint64_t unmeasured = c.values - c.measured;
  return figure(
      "ulp", "Distances",
      fmt::format(
          "number of values by {}; each bar doubles{}",
          c.integers ? "difference" : "distance in representable values",
          unmeasured == 0 ? "" : fmt::format("; {} not measured (NaN, infinity)", grouped(unmeasured))),
      marks);
}

std::string scatter_figure(const Comparison& c) {
  const compare::Scatter& s = c.scatter;
  const char* const title = s.over_bound ? "Error over bound by magnitude"
                            : c.integers ? "Difference by magnitude"
                                         : "Distance by magnitude";
  int x_low = 0, x_high = 0, y_low = 0, y_high = 0;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < s.counts.size(); ++i) {
    if (s.counts[i] == 0) continue;
    const int x = s.x0 + static_cast<int>(i % s.width), y = s.y0 + static_cast<int>(i / s.width);
    x_low = most == 0 ? x : std::min(x_low, x);
    x_high = most == 0 ? x : std::max(x_high, x);
    y_low = most == 0 ? y : std::min(y_low, y);
    y_high = most == 0 ? y : std::max(y_high, y);
    most = std::max(most, s.counts[i]);
  }
  if (most == 0) {
    return figure("scatter", title, "no value has an error",
                  fmt::format("<rect class=\"area\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", left,
                              top, plot_width, plot_height) +
                      label(left + plot_width / 2, top + plot_height / 2, "middle", "every value is exact"));
  }
  // A few cells would be as large as the picture; and the bound is always in it.
  const auto widen = [](int& low, int& high, int least) {
    while (high - low + 1 < least) {
      --low;
      if (high - low + 1 < least) ++high;
    }
  };
  widen(x_low, x_high, 12);
  if (s.over_bound) {
    y_low = std::min(y_low, -3);
    y_high = std::max(y_high, 1);
  }
  widen(y_low, y_high, 8);
  if (!s.over_bound && y_low < 0) {
    y_high -= y_low;
    y_low = 0;
  }
  const double cell_width = plot_width / (x_high - x_low + 1),
               cell_height = plot_height / (y_high - y_low + 1);
  const auto y_of = [&](int y) { return top + plot_height - (y - y_low) * cell_height; };  // lower edge
  std::string marks = line("axis", left, top + plot_height, left + plot_width, top + plot_height);
  int every = 1;
  while (cell_height * every < 20) every *= 2;
  for (int y = y_low; y <= y_high + 1; ++y) {
    if (y % every != 0) continue;
    marks += line("axis", left - 4, y_of(y), left + plot_width, y_of(y));
    marks += label(left - 7, y_of(y) + 4, "end", y == 0 ? "1" : superscript(y));
  }
  marks += exponent_axis(x_low, x_high, cell_width);
  for (std::size_t i = 0; i < s.counts.size(); ++i) {
    if (s.counts[i] == 0) continue;
    const int x = s.x0 + static_cast<int>(i % s.width), y = s.y0 + static_cast<int>(i / s.width);
    const bool outside = s.over_bound && y >= 0;
    marks +=
        mark(outside ? "bad" : "other", left + (x - x_low) * cell_width + 0.5, y_of(y) - cell_height + 0.5,
             std::max(cell_width - 1, 0.5), std::max(cell_height - 1, 0.5), shade(s.counts[i], most),
             fmt::format("|want| 2^{} to 2^{}, {} 2^{} to 2^{}: {}", x, x + 1,
                         s.over_bound ? "error/bound"
                         : c.integers ? "difference"
                                      : "ulp",
                         y, y + 1, grouped(s.counts[i])));
  }
  if (s.over_bound) {
    marks += line("limit", left, y_of(0), left + plot_width, y_of(0));
    marks += label(left + plot_width - 2, y_of(0) - 5, "end", "the bound", "value");
  }
  marks += label(left + plot_width / 2, height - 6, "middle", "|want|");
  return figure(
      "scatter", title,
      fmt::format("{} against |want|, by powers of two; stronger cells hold more values{}",
                  s.over_bound ? "error/bound"
                  : c.integers ? "|got \u2212 want|"
                               : "distance in ulps",
                  s.exact == 0 ? "" : fmt::format("; {} without error are left out", grouped(s.exact))),
      marks);
}

std::string map_figure(const Comparison& c) {
  const compare::TileMap& m = c.map;
  const compare::MatrixView view = compare::matrix_view(c.shape);
  const std::string title = m.of_outside ? "Where values are outside" : "Where values differ";
  const std::string cell_text = m.tile == 1 ? "one value" : fmt::format("{0} x {0} values", m.tile);
  std::uint32_t most = 0;
  for (const std::uint32_t count : m.cells) most = std::max(most, count);
  const auto rows = static_cast<double>(std::max<std::size_t>(m.rows, 1)),
             cols = static_cast<double>(std::max<std::size_t>(m.cols, 1));
  // Square cells, but a vector is not drawn thinner than a line of text.
  const double cell = std::min(plot_width / cols, plot_height / rows);
  const double cell_height = m.rows == 1 ? std::max(cell, 18.0) : cell,
               cell_width = m.rows == 1 ? plot_width / cols : cell;
  const double map_width = cell_width * cols, map_height = cell_height * rows;
  const double x0 = left + (plot_width - map_width) / 2, y0 = top + (plot_height - map_height) / 2;
  std::string marks =
      fmt::format("<rect class=\"area\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n", x0,
                  y0, map_width, map_height);
  for (std::size_t i = 0; i < m.cells.size(); ++i) {
    if (m.cells[i] == 0) continue;
    const std::size_t row = i / m.cols, col = i % m.cols;
    marks += mark(
        m.of_outside ? "bad" : "other", x0 + static_cast<double>(col) * cell_width,
        y0 + static_cast<double>(row) * cell_height, cell_width, cell_height, shade(m.cells[i], most),
        fmt::format("rows from {}, columns from {}: {}", row * m.tile, col * m.tile, grouped(m.cells[i])));
  }
  if (view.rows > 1) {
    marks += label(x0 - 6, y0 + 10, "end", "0") +
             label(x0 - 6, y0 + map_height, "end", std::to_string(view.rows - 1));
    marks += label(x0 - 6, y0 + map_height / 2 + 4, "end", "row");
  }
  const double below = y0 + map_height + 15;
  marks += label(x0, below, "start", "0");
  if (view.cols > 1) marks += label(x0 + map_width, below, "end", std::to_string(view.cols - 1));
  if (map_width > 70)
    marks += label(x0 + map_width / 2, below, "middle", view.rows > 1 ? "column" : "element");
  return figure("map", title,
                fmt::format("a cell is {}{}{}", cell_text,
                            view.batches > 1 ? fmt::format(", all {} batches together", view.batches) : "",
                            most == 0 ? "; there is none" : ""),
                marks);
}

}  // namespace assay
