// A study of AutoSparse's gradients as pictures, tables, CSV and JSON.
//
// Pictures and tables show the cross of the grid: the points that differ in one of width, sparsity and alpha at most
// from the middle of each list. CSV and JSON have the whole grid.
#pragma once

#include <string>
#include <vector>

#include "validation/report/autosparse_results.hpp"
#include "validation/report/line_chart.hpp"

namespace assay::studies {

// Captions say what is fixed, and between which values the figures lie.
std::vector<LineChart> autosparse_charts(const AutosparseStudy& study);

// Each with a head. What an arithmetic is; relative errors of all results; all figures of one result; ds under other
// sums; what becomes of master weights that are rounded.
std::vector<std::vector<std::string>> gradient_arithmetic_rows(const AutosparseStudy& study);
std::vector<std::vector<std::string>> gradient_rows(const AutosparseStudy& study);
std::vector<std::vector<std::string>> gradient_detail_rows(const AutosparseStudy& study, Gradient g);
std::vector<std::vector<std::string>> ds_rows(const AutosparseStudy& study);
std::vector<std::vector<std::string>> master_rows(const AutosparseStudy& study);

// A line a point and result; a line a layer and format of master weights.
std::string autosparse_csv(const AutosparseStudy& study);
std::string masters_csv(const AutosparseStudy& study);
std::string autosparse_json(const AutosparseStudy& study);

}  // namespace assay::studies
