// A study of bf16 contracts as pictures, tables, CSV and JSON.
#pragma once

#include <string>
#include <vector>

#include "validation/report/line_chart.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

// Against the terms of an output: the relative distance from the float32 product, the relative error, the largest
// error over its bound.
std::vector<LineChart> bf16_charts(const Bf16Study& study);

// Each with a head: what a contract pairs; the distance from the float32 product; the error against the exact result.
std::vector<std::vector<std::string>> bf16_contract_rows(const Bf16Study& study);
std::vector<std::vector<std::string>> bf16_float32_rows(const Bf16Study& study);
std::vector<std::vector<std::string>> bf16_exact_rows(const Bf16Study& study);
// Which entries are terms, and how a contract takes them.
std::string bf16_pairing_text(const Bf16Study& study);

// A line a result.
std::string bf16_csv(const Bf16Study& study);
std::string bf16_json(const Bf16Study& study);

}  // namespace assay::studies
