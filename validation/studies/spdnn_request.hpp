// A study of a sparse network as a person asks for it: the network, its inputs, and the arithmetics to try.
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
  std::string inputs{};      // mnist, fashion, generated, or a file; empty: the first that is there
  std::string network{};     // a folder: the trained network there, on MNIST's test images, instead
  std::string data{};        // a folder with mnist/; empty: the variable ASSAY_DATA
  std::uint64_t images = 0;  // the first so many; 0: all
  // FORMAT or FORMAT:ROUNDING, every combination of them, float32 where a list is empty. All four empty: usual_cases().
  std::vector<std::string> weights{}, activations{}, biases{}, accumulators{};
  std::uint64_t seed = 1;
  int threads = 0;
  judge::Caller caller = judge::Caller::command;
};

// InputError for what cannot be read or is not there, and for a text that says nothing.
InferenceStudy answer(const InferenceQuestion& question,
                      const std::function<void(double fraction, const std::string& what)>& progress = {});

}  // namespace assay::studies
