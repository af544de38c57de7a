// The findings of a study of AutoSparse's gradients, as data: a point for each layer, alpha and arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "validation/report/study_results.hpp"

namespace assay::studies {

// What a step of training computes of a layer: pruned weights, and the gradients of inputs, weights and s.
enum class Gradient : std::uint8_t { v, dx, dw, ds };
inline constexpr std::array all_gradients{Gradient::v, Gradient::dx, Gradient::dw, Gradient::ds};
std::string_view gradient_name(Gradient g);  // "v", "dX", "dW", "ds"

// Results beside the truth. Elements that are zero by definition (v and dX without a kept weight, dW where h and
// lambda are 0) count nowhere.
struct GradientErrors {
  std::uint64_t elements = 0, nonfinite = 0;  // nonfinite: in no figure below
  std::uint64_t outside = 0;                  // beyond a proven bound: a fault of ours, or of the model
  double relative = 0;                        // root of the sum of squares of errors, by that of the truth
  double max_ulp = 0;   // largest error, in units of the last place of the result's format at the truth
  double of_bound = 0;  // largest error over its proven bound, that of rounding the operands included
  double cosine = 0;    // between results and truth; of ds: 1 for equal signs, -1 for different ones
  double bias = 0;      // mean signed error, by the root mean square of the truth
  double outward = 0;   // mean error away from zero, by the mean magnitude of the truth
  // The sums alone: beside the exact results of the operands as they were rounded. 0 for v and ds.
  double sum_relative = 0, sum_of_bound = 0;
  Distance from_float32{};  // of the same path wholly in float32
};

// What becomes of ds where its terms are not summed in float64: |error / truth|.
struct SumsOfDs {
  double terms = 0;           // number of them
  double cancellation = 0;    // sum of magnitudes over magnitude of the sum, of the truth
  double stated = 0;          // float64, the stated order
  double float32_chain = 0;   // terms and sums in float32, one after the other
  double bfloat16_chain = 0;  // terms, sums and result in bfloat16
};

// One layer, one alpha, one arithmetic.
struct GradientPoint {
  std::uint64_t width = 0;  // weights a channel; of square layers, channels too
  double sparsity = 0;      // per cent of masked weights, as asked for
  std::uint64_t kept = 0;   // weights that are not masked
  double threshold = 0;     // T, in float32
  double alpha = 0;
  std::string series{}, format{}, rounding{}, unit{};
  std::array<GradientErrors, all_gradients.size()> errors{};
  SumsOfDs ds{};

  const GradientErrors& of(Gradient g) const { return errors[static_cast<std::size_t>(g)]; }
};

// Master weights themselves rounded to a format, everything else in float64: which masks change, and what follows.
struct MasterWeights {
  std::uint64_t width = 0;
  double sparsity = 0, alpha = 0;
  std::string format{}, rounding{};
  std::uint64_t weights = 0, lost = 0, gained = 0;      // lost: kept before, masked now
  std::array<double, all_gradients.size()> relative{};  // as GradientErrors::relative

  double flipped() const {  // share of the masks
    return weights == 0 ? 0 : static_cast<double>(lost + gained) / static_cast<double>(weights);
  }
};

// An arithmetic of the study; what an arithmetic says of itself.
struct GradientArithmetic {
  std::string series{}, format{}, rounding{}, unit{}, order{}, evidence{};
  std::uint64_t step_terms = 1;
  bool unverified = false;
};

struct AutosparseStudy {
  std::uint64_t batch = 0, seed = 1;
  double lambda = 0;
  std::vector<std::uint64_t> widths{};
  std::vector<double> sparsities{}, alphas{};
  std::vector<GradientArithmetic> arithmetics{};
  std::vector<GradientPoint> points{};   // by width, arithmetic, sparsity, alpha
  std::vector<MasterWeights> masters{};  // by width, format and rounding, sparsity, alpha

  std::uint64_t outside() const;  // over all points
};

}  // namespace assay::studies
