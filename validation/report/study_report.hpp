// A study as pictures, CSV and JSON.
#pragma once

#include <string>
#include <vector>

#include "validation/report/line_chart.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

// For each distribution of values, which `kind` and title name where there are several: the rms error, the largest
// error, both under the bound, and the bias.
std::vector<LineChart> study_charts(const Study& study);

// One line a point; the first names the columns: study, values, series, unit, format, accumulator, product, order,
// mode, evidence, x (the name of it: n, magnitude), trials, nonfinite, outside, rms, max, bias, bias_standard_error,
// bound.
// Figures that do not exist are empty. Fields with a comma or a quote are quoted (RFC 4180).
std::string study_csv(const Study& study);

// The same as {"study", "seed", "x", "series": [{..., "points": [...]}]}; null for what does not exist. `by_magnitude`,
// if there is one, is an object of the same kind in it.
std::string study_json(const Study& study, const Study* by_magnitude = nullptr);

// A head and a row a series: the last length that has a finite result. For studies against a length.
std::vector<std::vector<std::string>> study_rows(const Study& study);

// A figure of a table, in three digits.
std::string study_figure(double x);

// `text` as one field of CSV.
std::string csv_field(const std::string& text);

}  // namespace assay::studies
