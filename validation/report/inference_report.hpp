// A study of a network's answers as a picture, a table, CSV and JSON.
#pragma once

#include <string>
#include <vector>

#include "validation/report/line_chart.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

// |margin| of the changed answers, a row a case, under those of all images.
LineChart inference_chart(const InferenceStudy& study);
// A head and a row a case: how many changed, the largest margin among them, how many of its peers are nearer.
std::vector<std::vector<std::string>> inference_rows(const InferenceStudy& study);
// A line a changed answer: case,weights,activations,bias,accumulator,image,reference,answer,margin,layer,nearer.
std::string inference_csv(const InferenceStudy& study);
std::string inference_json(const InferenceStudy& study);

}  // namespace assay::studies
