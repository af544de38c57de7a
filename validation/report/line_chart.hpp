// Line charts over a logarithmic axis, for studies: several series in one picture, distinguished by colour, by the
// shape of their marks and by name, so that they remain readable in black and white.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

enum class Stroke { solid, dashed, none };

struct ChartPoint {
  double x = 0, y = 0;
  bool hollow = false;  // the mark is an outline: a negative value of which |y| is drawn, for one
  bool faint = false;   // the mark is a dot: there, but not distinguishable from 0
};

struct ChartSeries {
  std::string name{};      // in the legend; empty: not there
  std::size_t colour = 0;  // of 8, and the shape of the marks; series of one colour belong together
  Stroke stroke = Stroke::solid;
  bool marks = true;
  std::vector<ChartPoint>
      points{};  // x ascending; what an axis cannot show (0 on a logarithmic one) is left out
};

enum class Axis { log10, log2, linear };

struct LineChart {
  std::string kind{};                                    // class of the <svg>
  std::string title{}, caption{}, x_label{}, y_label{};  // plain text
  Axis x = Axis::log10, y = Axis::log10;
  std::vector<ChartSeries> series{};
  std::vector<std::string> rows{};  // names of y = 0, 1, ... instead of numbers, from the top
};

// A complete file, with a style sheet for paper (white, black axes).
std::string line_chart_svg(const LineChart& chart);

// <figure> with the picture, its title and caption. Each point with a mark is an element of class "mark" that says its
// values under the pointer.
std::string line_chart_figure(const LineChart& chart);

// The rules that the classes of a chart need; part of every page.
std::string_view line_chart_style();

}  // namespace assay
