// Private to the judge: the wrong models of a layer's results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "validation/judge/autosparse_mistakes.hpp"

namespace assay::judge {

// A gradient path that differs from the right one in what is set.
struct AutosparseModel {
  std::string mistake{}, words{};
  std::string results{};  // those that it changes, by name: "dw ds"
  enum class Values : std::uint8_t { pruned, not_subtracted, dense, not_clipped, without_sign };
  enum class Decay : std::uint8_t { everywhere, nowhere, masked };

  Values values = Values::pruned;
  Decay decay = Decay::everywhere;
  double kept = 1, masked = 0;  // the shares of the gradient
  bool greater_equal = false, without_magnitude = false, inverted = false, one_threshold = false;
  bool transposed = false, ignores_support = false;
  bool slope = true, sign = true, flipped = false, decays_s = true;  // of ds
};

// All that may apply to a layer.
std::vector<AutosparseModel> autosparse_models(const AutosparseRequest& request,
                                               const AutosparseLayer& layer);

// What the model gives, and how far a computed result of it may lie from that.
struct ModelResult {
  std::vector<double> value{}, error{};
};
ModelResult result_of_model(const AutosparseRequest& request, const AutosparseLayer& layer,
                            const ExactProducts& g, const AutosparseResult& result,
                            const AutosparseModel& model);

// Of one threshold: sums of sign(w) G over kept and masked weights, and of |h G|.
struct ModelSums {
  double kept = 0, masked = 0, magnitudes = 0;
};
ModelSums sums_of_model(const AutosparseLayer& layer, const ExactProducts& g, const AutosparseModel& model,
                        std::size_t t);

}  // namespace assay::judge
