// Private to the judge: a layer of AutoSparse and its gradients, read and found to be in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/autosparse/gradient.hpp"
#include "reference/exact/error_bound.hpp"
#include "validation/judge/autosparse.hpp"

namespace assay::judge {

struct AutosparseLayer {
  autosparse::LayerShape shape{};
  std::size_t batch = 0;                      // of x and dy
  FormatSpec weights = formats::float32,      // of w
      thresholds = formats::float32,          // of T: float64 where w is, else float32
      v_format = formats::float32;            // the narrower of w and dy
  Accumulation products{}, ds_sum{};          // of dX and G; of the sum of ds
  std::vector<double> w{}, s{}, threshold{};  // s: empty where T was given
  std::vector<double> s_rounding{};           // |s as it was given - s|, which the decay of s may have seen
  std::vector<double> reach{};                // of each threshold: how far a right one may lie from it
  double alpha = 0, lambda = 0, lambda_s = 0;
  // Of each weight: kept under T; undecided; whether G is computed there, or may be.
  std::vector<std::uint8_t> kept{}, undecided{}, supported{}, maybe_supported{};
  std::size_t undecided_count = 0;
  // alpha as mistakes of the schedule would have it, with their epochs; empty without a schedule.
  struct OtherAlpha {
    std::string mistake, words;
    double alpha = 0;
  };
  std::vector<OtherAlpha> other_alphas{};

  std::size_t size() const { return shape.size(); }
  std::size_t threshold_of(std::size_t i) const { return threshold.size() == 1 ? 0 : i / shape.per_channel; }
};

AutosparseLayer make_autosparse_layer(const AutosparseRequest& request);

// With the shape of a matrix.
io::Array as_matrix(io::Array array, std::size_t rows, std::size_t cols);
// The coarser of two formats.
const FormatSpec& coarser(const FormatSpec& a, const FormatSpec& b);

}  // namespace assay::judge
