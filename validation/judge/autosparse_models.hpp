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
  enum class Decay : std::uint8_t { everywhere, nowhere, masked, kept, scaled, of_pruned, flipped };
  enum class Slope : std::uint8_t { whole, missing, threshold, rest };  // T (1 - T), 1, T, 1 - T
  enum class Thresholds : std::uint8_t { own, first, next, previous };

  Values values = Values::pruned;
  Decay decay = Decay::everywhere;
  double kept = 1, masked = 0;  // the shares of the gradient
  Slope slope = Slope::whole;
  Thresholds thresholds = Thresholds::own;
  bool greater_equal = false, without_magnitude = false, inverted = false;
  bool transposed = false, ignores_support = false;
  bool sign = true, flipped = false, decays_s = true;  // of ds
};

// All that may apply to a layer.
std::vector<AutosparseModel> autosparse_models(const AutosparseRequest& request,
                                               const AutosparseLayer& layer);

// What the model gives, and how far a computed result of it may lie from that. Of ds no proof but an estimate from the
// number and size of its terms, which is far below a proven bound where these are many.
struct ModelResult {
  std::vector<double> value{}, error{};
};
ModelResult result_of_model(const AutosparseRequest& request, const AutosparseLayer& layer,
                            const ExactProducts& g, const AutosparseResult& result,
                            const AutosparseModel& model);
// The first rows of a dX alone, which a matrix product costs much less for.
ModelResult first_rows_of_model(const AutosparseRequest& request, const AutosparseLayer& layer,
                                const AutosparseResult& result, const AutosparseModel& model,
                                std::size_t rows);

// Of one threshold: sums of sign(w) G over kept and masked weights, and of |h G|; what undecided weights and the errors
// of G may change; the number of terms.
struct ModelSums {
  double kept = 0, masked = 0, magnitudes = 0, undecided = 0, errors = 0;
  std::size_t terms = 0;
};
ModelSums sums_of_model(const AutosparseLayer& layer, const ExactProducts& g, const AutosparseModel& model,
                        std::size_t t);

}  // namespace assay::judge
