#include "reference/autosparse/gradient.hpp"

#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "reference/autosparse/arguments.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/functions.hpp"
#include "reference/formats/convert.hpp"

namespace assay::autosparse {
namespace {

template <class Real>
void require_thresholds(std::span<const Real> thresholds, const LayerShape& shape) {
  require_threshold_count(thresholds.size(), shape);
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    if (!(thresholds[i] >= 0))
      throw ContractError("threshold " + std::to_string(i) + " is " + std::to_string(thresholds[i]) +
                          ", not 0 or more");
  }
}

template <class Real>
bool is_kept(Real w, Real threshold) {
  return std::fabs(w) > threshold;
}

template <class Real>
Real sign_of(Real w) {
  return w > 0 ? Real{1} : w < 0 ? Real{-1} : Real{0};
}

template <class Real>
Real one_nan(Real x) {
  return std::isnan(x) ? std::numeric_limits<Real>::quiet_NaN() : x;
}

template <class Real>
void forward_definition(const ForwardTask<Real>& task) noexcept {
  for (std::size_t i = 0; i < task.n; ++i) {
    const bool kept = is_kept(task.w[i], task.threshold);
    const Real v = kept ? std::copysign(std::fabs(task.w[i]) - task.threshold, task.w[i]) : Real{0};
    if (task.v != nullptr) task.v[i] = v;
    if (task.v_bf16 != nullptr) task.v_bf16[i] = bf16_t(v).code;
    if (task.mask != nullptr) task.mask[i] = kept ? 1 : 0;
  }
}

template <class Real>
double backward_definition(const BackwardTask<Real>& task) noexcept {
  double lanes[ds_lanes] = {};
  for (std::size_t i = 0; i < task.n; ++i) {
    const Real w = task.w[i], g = task.g[i];
    const bool kept = is_kept(w, task.threshold);
    const double gradient = static_cast<double>(g),
                 h_g = kept ? gradient : static_cast<double>(task.alpha) * gradient;
    lanes[i % ds_lanes] += w > 0 ? h_g : w < 0 ? -h_g : 0;
    if (task.dw == nullptr) continue;
    const Real t = kept ? g : task.alpha * g;
    task.dw[i] = one_nan(task.lambda == 0 ? t : std::fma(task.lambda, w, t));
  }
  for (std::size_t half = ds_lanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

constexpr GradientKernel definition{{"definition", Isa::scalar, "plain loops over elements"},
                                    forward_definition<float>,
                                    backward_definition<float>};

constexpr GradientKernel table[] = {
#define GRADIENT(isa)                                                                            \
  {{"autosparse_f32_" #isa, Isa::isa, "AutoSparse's forward and backward of a layer's weights"}, \
   kernels::forward_f32_##isa,                                                                   \
   kernels::backward_f32_##isa},
#include "reference/autosparse/gradient.def"
#undef GRADIENT
};

const GradientKernel& chosen(const GradientKernel* kernel) {
  if (kernel == nullptr) return gradient_kernels().best();
  require_cpu(*kernel);
  return *kernel;
}

// The kernel's functions for float, the definition for double.
template <class Real>
auto forward_of(const GradientKernel* kernel) {
  if constexpr (std::is_same_v<Real, float>)
    return chosen(kernel).forward;
  else
    return &forward_definition<Real>;
}
template <class Real>
auto backward_of(const GradientKernel* kernel) {
  if constexpr (std::is_same_v<Real, float>)
    return chosen(kernel).backward;
  else
    return &backward_definition<Real>;
}

// A layer in pieces, of which none has weights of two thresholds.
struct Pieces {
  std::size_t groups = 1, group_size = 0, each = 0;  // groups of a threshold; pieces of a group

  Pieces(const LayerShape& shape, std::size_t thresholds)
      : groups(thresholds),
        group_size(thresholds == 1 ? shape.size() : shape.per_channel),
        each((group_size + ds_piece - 1) / ds_piece) {}
  std::size_t count() const { return groups * each; }
  struct Piece {
    std::size_t group, first, size;
  };
  Piece operator[](std::size_t i) const {
    const std::size_t group = i / each, within = i % each * ds_piece;
    return {group, group * group_size + within, std::min(ds_piece, group_size - within)};
  }
};

// Whether an array is better written around the caches.
template <class T>
bool streams(std::span<T> out) {
  return out.size_bytes() >= non_temporal_bytes;
}
// work(piece) for all pieces, some consecutive ones at once: what they stream is visible to other threads at the end.
template <class Work>
void for_each_piece(std::size_t pieces, int threads, const Work& work) {
  constexpr std::size_t at_once = 16;
  parallel_for((pieces + at_once - 1) / at_once, threads, [&](std::size_t block) {
    for (std::size_t i = block * at_once; i < std::min(pieces, (block + 1) * at_once); ++i) work(i);
    _mm_sfence();
  });
}

bool at_quarter(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

// Neighbours first: a fixed tree for a number of terms.
double pairwise_sum(const double* terms, std::size_t n) {
  if (n == 0) return 0;
  if (n == 1) return terms[0];
  std::size_t left = 1;
  while (2 * left < n) left *= 2;
  return pairwise_sum(terms, left) + pairwise_sum(terms + left, n - left);
}

}  // namespace

void require_size(std::string_view what, std::size_t size, const LayerShape& shape) {
  if (size != shape.size())
    throw ContractError(std::string(what) + " has " + std::to_string(size) + " elements, and the layer " +
                        std::to_string(shape.channels) + " x " + std::to_string(shape.per_channel));
}

void require_threshold_count(std::size_t thresholds, const LayerShape& shape) {
  if (thresholds != 1 && thresholds != shape.channels)
    throw ContractError("a layer has one threshold, or one for each of its " +
                        std::to_string(shape.channels) + " channels, not " + std::to_string(thresholds));
}

float threshold_of(float s) { return functions::sigmoid(s); }
double threshold_of(double s) { return functions::sigmoid(s); }
double threshold_slope(double threshold) { return threshold * (1 - threshold); }

template <class Real>
void require_weights(std::span<const Real> w, const LayerShape& shape) {
  require_size("w", w.size(), shape);
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (!std::isfinite(w[i]))
      throw ContractError(std::string("w is ") + (std::isnan(w[i]) ? "NaN" : "infinite") + " at channel " +
                          std::to_string(i / shape.per_channel) + ", weight " +
                          std::to_string(i % shape.per_channel));
  }
}

const KernelTable<GradientKernel>& gradient_kernels() {
  static constexpr KernelTable<GradientKernel> kernels("AutoSparse kernel", table);
  return kernels;
}

const GradientKernel& gradient_definition() { return definition; }

namespace {

template <class Real>
void forward_to(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
                std::span<Real> v, std::span<bf16_t> v_bf16, std::span<std::uint8_t> mask, int threads,
                const GradientKernel* kernel) {
  require_size("w", w.size(), shape);
  require_thresholds(thresholds, shape);
  if (!v.empty()) require_size("v", v.size(), shape);
  if (!v_bf16.empty()) require_size("v", v_bf16.size(), shape);
  if (!mask.empty()) require_size("mask", mask.size(), shape);
  const auto run = forward_of<Real>(kernel);
  const Pieces pieces(shape, thresholds.size());
  const MxcsrGuard no_flushing(0x1F80);
  const bool stream = streams(v) || streams(v_bf16);
  for_each_piece(pieces.count(), threads, [&](std::size_t i) {
    const auto [group, first, size] = pieces[i];
    ForwardTask<Real> task{.w = &w[first], .n = size, .threshold = thresholds[group]};
    if (!v.empty()) task.v = &v[first];
    if (!v_bf16.empty()) task.v_bf16 = &v_bf16[first].code;
    if (!mask.empty()) task.mask = &mask[first];
    task.stream = stream && at_quarter(task.v) && at_quarter(task.v_bf16);
    run(task);
  });
}

}  // namespace

template <class Real>
void forward(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
             std::span<Real> v, std::span<std::uint8_t> mask, int threads, const GradientKernel* kernel) {
  forward_to<Real>(w, shape, thresholds, v, {}, mask, threads, kernel);
}

void forward(std::span<const float> w, const LayerShape& shape, std::span<const float> thresholds,
             std::span<bf16_t> v, std::span<std::uint8_t> mask, int threads, const GradientKernel* kernel) {
  forward_to<float>(w, shape, thresholds, {}, v, mask, threads, kernel);
}

template <class Real>
void backward(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
              std::span<const Real> g, const GradientScales& scales, std::span<Real> dw,
              std::span<double> sums, int threads, const GradientKernel* kernel) {
  require_size("w", w.size(), shape);
  require_size("G", g.size(), shape);
  require_thresholds(thresholds, shape);
  if (!dw.empty()) require_size("dw", dw.size(), shape);
  if (!sums.empty() && sums.size() != thresholds.size())
    throw ContractError("a sum for each of the " + std::to_string(thresholds.size()) + " thresholds, not " +
                        std::to_string(sums.size()));
  if (!(scales.alpha >= 0 && scales.alpha <= 1))
    throw ContractError("alpha is a share of the gradient, from 0 to 1, not " + std::to_string(scales.alpha));
  if (!(scales.lambda >= 0 && std::isfinite(static_cast<Real>(scales.lambda))))
    throw ContractError("lambda is a decay, 0 or more, not " + std::to_string(scales.lambda));
  const auto run = backward_of<Real>(kernel);
  const Pieces pieces(shape, thresholds.size());
  const MxcsrGuard no_flushing(0x1F80);
  const bool stream = streams(dw);
  std::vector<double> terms(sums.empty() ? 0 : pieces.count());
  for_each_piece(pieces.count(), threads, [&](std::size_t i) {
    const auto [group, first, size] = pieces[i];
    BackwardTask<Real> task{.w = &w[first],
                            .g = &g[first],
                            .n = size,
                            .threshold = thresholds[group],
                            .alpha = static_cast<Real>(scales.alpha),
                            .lambda = static_cast<Real>(scales.lambda)};
    if (!dw.empty()) task.dw = &dw[first];
    task.stream = stream && at_quarter(task.dw);
    const double sum = run(task);
    if (!sums.empty()) terms[i] = sum;
  });
  for (std::size_t t = 0; t < sums.size(); ++t)
    sums[t] = one_nan(pairwise_sum(terms.data() + t * pieces.each, pieces.each));
}

double s_gradient(double threshold, double sum, double s, double lambda_s) {
  return -(threshold_slope(threshold) * sum) + lambda_s * s;
}

template <class Real>
Real budget_threshold(std::span<const Real> w, std::size_t kept) {
  if (kept > w.size())
    throw ContractError("of " + std::to_string(w.size()) + " weights " + std::to_string(kept) +
                        " cannot be kept");
  if (kept == w.size()) return 0;
  std::vector<Real> magnitudes(w.size());
  std::transform(w.begin(), w.end(), magnitudes.begin(), [](Real x) { return std::fabs(x); });
  const auto next = magnitudes.begin() + static_cast<std::ptrdiff_t>(kept);
  std::nth_element(magnitudes.begin(), next, magnitudes.end(), std::greater<>());
  return *next;
}

#define ASSAY_INSTANTIATE(Real)                                                                            \
  template void require_weights(std::span<const Real>, const LayerShape&);                                 \
  template void forward(std::span<const Real>, const LayerShape&, std::span<const Real>, std::span<Real>,  \
                        std::span<std::uint8_t>, int, const GradientKernel*);                              \
  template void backward(std::span<const Real>, const LayerShape&, std::span<const Real>,                  \
                         std::span<const Real>, const GradientScales&, std::span<Real>, std::span<double>, \
                         int, const GradientKernel*);                                                      \
  template Real budget_threshold(std::span<const Real>, std::size_t);
ASSAY_INSTANTIATE(float)
ASSAY_INSTANTIATE(double)
#undef ASSAY_INSTANTIATE

}  // namespace assay::autosparse
