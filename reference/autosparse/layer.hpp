// The products of a fully connected layer with pruned weights, by the sparse kernels.
//
//     Y = X W~^T        dX = dY W~        G = dL/dW~ = dY^T X
//
// W~ (channels x per_channel) is the v of forward(), X (batch x per_channel), Y and dY (batch x channels), G of the
// shape of W~. A convolution is such a layer of its im2col matrix, a batch being the outputs of all images. G is dense
// while masked weights get a share of their gradient; it may leave them out where alpha = 0, and may be cut to the half
// of the weights that are nearest to being kept (backward sparsity).
//
// Numerics: the contract of sparse/spmm_task.hpp. Sums start at +0 and take one fused multiply-add a term: Y over the
//   kept weights of a channel, dX over the channels that keep the weight, G over the batch, all in ascending order. NaN
//   comes out as 0x7FC00000. bfloat16 operands are widened: products are exact, sums are float32. A place that G leaves
//   out is +0, and the others have the bits that they have in a dense G. No kernel and no number of threads changes a
//   bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reference/autosparse/gradient.hpp"
#include "reference/sparse/csr.hpp"
#include "reference/sparse/sddmm.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::autosparse {

// W~ and its transpose as sparse matrices: the entries of v that are not 0. ContractError for sizes that do not match.
sparse::Csr<float> pruned_weights(std::span<const float> v, const LayerShape& shape);
sparse::Csr<float> transposed_weights(std::span<const float> v, const LayerShape& shape);

// 1 for the half of the weights (of an odd number the larger one) with the largest |w| - T, else 0; of equal ones those
// that come first. ContractError for sizes that do not match, and for a weight that is NaN.
template <class Real>
std::vector<std::uint8_t> top_half(std::span<const Real> w, const LayerShape& shape,
                                   std::span<const Real> thresholds);

struct LayerOptions {
  std::int64_t batch = 256;   // that plans are made for; products take any
  std::string_view kernel{};  // a name of sparse::spmm_kernels(); empty: the plan's choice
  // A search for rows that share their columns costs about a product: for masks of blocks, and of many steps.
  sparse::SpmmSharing sharing = sparse::SpmmSharing::none;
};

// Plans of Y and dX for the weights of one mask. Every step makes new ones: what they cost is a part of the step.
class PrunedLayer {
 public:
  PrunedLayer(std::span<const float> v, const LayerShape& shape, const LayerOptions& options = {});
  PrunedLayer(std::span<const bf16_t> v, const LayerShape& shape, const LayerOptions& options = {});

  std::int64_t nnz() const { return weights_.nnz(); }

  // ContractError, which names the argument, as SpmmPlan::multiply_transposed().
  void forward(const sparse::DenseView& x, const sparse::MutableDenseView& y, int threads = 0) const;
  void forward(const sparse::Bf16View& x, const sparse::MutableDenseView& y, int threads = 0) const;
  void input_gradient(const sparse::DenseView& dy, const sparse::MutableDenseView& dx, int threads = 0) const;
  void input_gradient(const sparse::Bf16View& dy, const sparse::MutableDenseView& dx, int threads = 0) const;

 private:
  PrunedLayer(const sparse::Csr<float>& weights, const LayerOptions& options);

  sparse::SpmmPlan weights_, transposed_;
};

// G, all of it or where a mask has 1. Dense, it is a product whose left side is dY^T, packed at every call.
class WeightGradientPlan {
 public:
  explicit WeightGradientPlan(const LayerShape& shape, std::span<const std::uint8_t> places = {});

  // ContractError, which names the argument, for shapes that do not match and for memory that g shares with dy or x.
  void multiply(const sparse::DenseView& dy, const sparse::DenseView& x, const sparse::MutableDenseView& g,
                int threads = 0) const;
  void multiply(const sparse::Bf16View& dy, const sparse::Bf16View& x, const sparse::MutableDenseView& g,
                int threads = 0) const;

 private:
  LayerShape shape_;
  sparse::CsrStructure places_{};
  std::optional<sparse::SddmmPlan> sampled_{};
};

// The same products by the definition, in plain loops and for float and double; arrays lie without gaps between rows.
// ContractError, which names the argument, for sizes that do not match. `places` as above: none for all of G.
template <class Real>
void forward_product(std::span<const Real> v, const LayerShape& shape, std::span<const Real> x,
                     std::size_t batch, std::span<Real> y, int threads = 0);
template <class Real>
void input_gradient(std::span<const Real> v, const LayerShape& shape, std::span<const Real> dy,
                    std::size_t batch, std::span<Real> dx, int threads = 0);
template <class Real>
void weight_gradient(const LayerShape& shape, std::span<const Real> dy, std::span<const Real> x,
                     std::size_t batch, std::span<const std::uint8_t> places, std::span<Real> g,
                     int threads = 0);

}  // namespace assay::autosparse
