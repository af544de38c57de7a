// What rounding does to the answers of a sparse network: which change, and how near the threshold they were.
//
// The threshold of a category is a layer's largest sum of 0: above it the image lives on. That of a trained network is
// a second output as large as the first. Margins (quantized_inference.hpp) are those of the reference, which is
// float32.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/report/line_chart.hpp"
#include "validation/studies/quantized_inference.hpp"

namespace assay::studies {

struct InferenceCase {
  std::string name{};
  InferenceArithmetic arithmetic{};
};

// bfloat16 and float16 in one place after the other, and float64: what the challenge's networks were asked before.
std::vector<InferenceCase> usual_cases(Question question, std::uint64_t seed);

struct ChangedAnswer {
  std::uint32_t image = 0;                  // from 1
  std::uint32_t reference = 0, answer = 0;  // labels
  double margin = 0;                        // of the reference
  int layer = 0;
  std::uint64_t nearer = 0;  // of its peers, those whose |margin| is smaller
};

struct CaseAnswers {
  InferenceCase arithmetic{};
  std::uint64_t categories = 0;          // category: images with one
  std::uint64_t right = 0;               // largest_output: images with their label
  std::vector<ChangedAnswer> changed{};  // by |margin|, the nearest first
  std::uint64_t lost = 0, gained = 0;    // category: of `changed`, 1 to 0 and 0 to 1
};

struct InferenceStudy {
  Question question = Question::category;
  std::string network{}, inputs{};  // in words
  std::uint64_t images = 0, seed = 1;
  std::vector<Answer> reference{};
  // |margin| of the reference, ascending: of the images without a category and of those with one; or of all.
  std::vector<std::vector<double>> margins{};
  std::uint64_t categories = 0, right = 0;  // of the reference
  std::vector<CaseAnswers> cases{};
};

// The margins that one with this label stands among.
const std::vector<double>& peers(const InferenceStudy& study, std::uint32_t label);

struct InferenceRequest {
  Question question = Question::category;
  std::string network{}, inputs{};
  networks::Network layers{};
  std::size_t images = 0;
  ImageSource source{};
  std::span<const std::uint8_t> labels{};  // largest_output: what is right; empty if unknown
  std::vector<InferenceCase> cases{};
  std::uint64_t seed = 1;
  int threads = 0;
};

InferenceStudy study_inference(
    const InferenceRequest& request,
    const std::function<void(double fraction, const std::string& what)>& progress = {});

// |margin| of the changed answers, a row a case, under those of all images.
LineChart inference_chart(const InferenceStudy& study);
// A head and a row a case: how many changed, the largest margin among them, how many of its peers are nearer.
std::vector<std::vector<std::string>> inference_rows(const InferenceStudy& study);
// A line a changed answer: case,weights,activations,bias,accumulator,image,reference,answer,margin,layer,nearer.
std::string inference_csv(const InferenceStudy& study);
std::string inference_json(const InferenceStudy& study);

}  // namespace assay::studies
