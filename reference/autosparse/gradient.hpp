// AutoSparse's forward and backward pass of a layer's weights: learnable thresholds with gradient annealing.
//
//     T = g(s) = 1 / (1 + exp(-s))        x_i = |w_i| - T
//     mask_i = |w_i| > T                  v_i = mask_i ? sign(w_i) x_i : 0
//     h_i = 1 where mask_i, else alpha    dw_i = h_i G_i + lambda w_i
//     ds = -T (1 - T) sum_i sign(w_i) h_i G_i + lambda_s s
//
// with G = dL/dv, dense. A layer is a matrix of output channels by the weights of a channel; it has one threshold, or
// one a channel. alpha = 0 is STR, alpha = 1 the straight-through estimator.
//
// Source: Kundu, Mellempudi, Vooturi, Kaul and Dubey, "AutoSparse" (arXiv 2304.06941).
//
// Numerics, for T of float or double (below: Real)
//   threshold   g(s) correctly rounded for float, within 0.5001 units of the last place for double
//               (reference/exact/functions.hpp): the same on every host, once a step.
//   mask        |w| > T on the numbers themselves: no difference, which flushing to zero could kill. |w| = T is masked.
//   v           |w| - T rounded once, with the sign of w; +0 where masked.
//   dw          t = mask ? G : alpha * G, rounded once; dw = fma(lambda, w, t): one rounding, and t itself (the sign
//               of a zero too) where lambda = 0. A NaN comes out as 0x7FC00000 (double: 0x7FF8000000000000).
//   ds          the terms sign(w) h G are exact products in double for float, and rounded once for double; a weight
//               without a sign (0, NaN) adds nothing, whatever its G. They are summed in double: 16 partial sums of the
//               indices i mod 16 within a piece of 4096 weights, those by halves (8, 4, 2, 1), then the pieces of a
//               threshold pairwise, in order. -T (1 - T), the product and lambda_s s are double.
//   hence       the definition, scalar, AVX2 and AVX-512 kernels and every number of threads give the same bits. MXCSR
//               is the default (no flushing).
// A NaN in w masks its weight, as |NaN| > T is false, and is found by require_weights().
//
// bfloat16 with float32 accumulation: w and s, the master weights, stay float32, as |w| - T loses by a factor of
// |w| / (|w| - T) what w has lost; v is rounded once more, to bfloat16 and to nearest even, for products that
// accumulate in float32 (layer.hpp). G, dw and ds are those of float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reference/autosparse/gradient_task.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/formats/storage.hpp"

namespace assay::autosparse {

// A kernel of gradient.def.
struct GradientKernel : KernelInfo {
  ForwardFn* forward = nullptr;
  BackwardFn* backward = nullptr;
};
const KernelTable<GradientKernel>& gradient_kernels();

namespace kernels {
#define GRADIENT(isa)          \
  ForwardFn forward_f32_##isa; \
  BackwardFn backward_f32_##isa;
#include "reference/autosparse/gradient.def"
#undef GRADIENT
}  // namespace kernels

// The plain loops over elements that define float's results; of no table, for tests.
const GradientKernel& gradient_definition();

// g(s), and its derivative T (1 - T) in double.
float threshold_of(float s);
double threshold_of(double s);
double threshold_slope(double threshold);

// A layer's weights, rows after one another: `channels` of `per_channel` weights each.
struct LayerShape {
  std::size_t channels = 1, per_channel = 0;
  std::size_t size() const { return channels * per_channel; }
};

struct GradientScales {
  double alpha = 0;                 // of masked weights' gradients: in [0, 1]
  double lambda = 0, lambda_s = 0;  // of weight decay, of weights and of s: >= 0
};

// ContractError for a weight that is NaN or infinite: it names the first, by its channel and place.
template <class Real>
void require_weights(std::span<const Real> w, const LayerShape& shape);

// v and mask (1 or 0 a weight) from w and the thresholds, one or one a channel. Either of the outputs may be empty.
// threads: 0 for all. kernel: of float; null for the best. ContractError for sizes that do not match and for a
// threshold that is negative or NaN; those of the fixed-budget form may be above 1.
template <class Real>
void forward(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
             std::span<Real> v, std::span<std::uint8_t> mask, int threads = 1,
             const GradientKernel* kernel = nullptr);

// The same, v rounded to bfloat16.
void forward(std::span<const float> w, const LayerShape& shape, std::span<const float> thresholds,
             std::span<bf16_t> v, std::span<std::uint8_t> mask, int threads = 1,
             const GradientKernel* kernel = nullptr);

// dw from w, the thresholds and G, and sums[t] = sum sign(w) h G of each threshold, from which s_gradient() makes ds.
// Either may be empty. ContractError for sizes that do not match, for thresholds as above, alpha outside [0, 1] and
// lambda that is below 0 or infinite.
template <class Real>
void backward(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
              std::span<const Real> g, const GradientScales& scales, std::span<Real> dw,
              std::span<double> sums, int threads = 1, const GradientKernel* kernel = nullptr);

// -T (1 - T) sum + lambda_s s.
double s_gradient(double threshold, double sum, double s, double lambda_s);

// The fixed-budget form: the threshold that keeps the `kept` largest |w|, which is the next smaller magnitude, so that
// |w| > T keeps exactly those; fewer where magnitudes are equal there. 0 keeps all that are not 0; ContractError for
// more than there are.
template <class Real>
Real budget_threshold(std::span<const Real> w, std::size_t kept);

}  // namespace assay::autosparse
