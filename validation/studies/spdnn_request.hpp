// A study of a sparse network as typed by a user: the network, its inputs, and the arithmetics to try.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "validation/judge/option.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

struct InferenceQuestion {
  std::int32_t neurons = 1024;
  int layers = 120;
  std::string inputs{};      // mnist, fashion, generated, or a file; empty: the first one available
  std::string network{};     // a folder with a trained network to study instead, on MNIST's test images
  std::string data{};        // a folder with mnist/; empty: the variable ASSAY_DATA
  std::uint64_t images = 0;  // use only this many, from the first on; 0: all
  // FORMAT or FORMAT:ROUNDING; every combination is tried. An empty list is float32; all four empty: usual_cases().
  std::vector<std::string> weights{}, activations{}, biases{}, accumulators{};
  std::uint64_t seed = 1;
  int threads = 0;
  judge::Caller caller = judge::Caller::command;
};

// InputError for missing or unreadable files, and for a text that cannot be parsed.
InferenceStudy answer(const InferenceQuestion& question,
                      const std::function<void(double fraction, const std::string& what)>& progress = {});

}  // namespace assay::studies
