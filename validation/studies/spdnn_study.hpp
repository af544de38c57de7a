// The effect of rounding on the answers of a sparse network: which ones change, and how near the threshold they were.
//
// For categories, the threshold is a largest sum of 0 in a layer: above it the image stays alive. For a trained
// network, it is a second output as large as the first. Margins (quantized_inference.hpp) are those of the reference,
// which is float32.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/studies/quantized_inference.hpp"

namespace assay::studies {

// bfloat16 and float16 in one place after the other, and float64: what the challenge's networks were asked before.
std::vector<InferenceCase> usual_cases(Question question, std::uint64_t seed);

struct InferenceRequest {
  Question question = Question::category;
  std::string network{}, inputs{};
  networks::Network layers{};
  std::size_t images = 0;
  ImageSource source{};
  std::span<const std::uint8_t> labels{};  // for largest_output: the right answers; empty if unknown
  std::vector<InferenceCase> cases{};
  std::uint64_t seed = 1;
  int threads = 0;
};

InferenceStudy study_inference(
    const InferenceRequest& request,
    const std::function<void(double fraction, const std::string& what)>& progress = {});

}  // namespace assay::studies
