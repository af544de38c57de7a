#include "reference/autosparse/gradient.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/functions.hpp"

namespace assay::autosparse {
namespace {

void require_size(const char* what, std::size_t size, const LayerShape& shape) {
  if (size != shape.size())
    throw ContractError(std::string(what) + " has " + std::to_string(size) + " elements, and the layer " +
                        std::to_string(shape.channels) + " x " + std::to_string(shape.per_channel));
}

template <class Real>
void require_thresholds(std::span<const Real> thresholds, const LayerShape& shape) {
  if (thresholds.size() != 1 && thresholds.size() != shape.channels)
    throw ContractError("a layer has one threshold, or one for each of its " +
                        std::to_string(shape.channels) + " channels, not " +
                        std::to_string(thresholds.size()));
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

// A part of a layer under one threshold.
struct Group {
  std::size_t first, size;
};
Group group_of(const LayerShape& shape, std::size_t thresholds, std::size_t t) {
  if (thresholds == 1) return {0, shape.size()};
  return {t * shape.per_channel, shape.per_channel};
}

// The sum of sign(w) h G of one piece.
template <class Real>
double piece_sum(const Real* w, const Real* g, std::size_t n, Real threshold, double alpha) {
  double lanes[ds_lanes] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const double gradient = static_cast<double>(g[i]);
    const double h_g = is_kept(w[i], threshold) ? gradient : alpha * gradient;
    lanes[i % ds_lanes] += static_cast<double>(sign_of(w[i])) * h_g;
  }
  for (std::size_t half = ds_lanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

// Neighbours first: a fixed tree for a number of terms.
double pairwise_sum(const double* terms, std::size_t n) {
  if (n == 0) return 0;
  if (n == 1) return terms[0];
  std::size_t left = 1;
  while (2 * left < n) left *= 2;
  return pairwise_sum(terms, left) + pairwise_sum(terms + left, n - left);
}

}  // namespace

float threshold_of(float s) { return functions::sigmoid(s); }
double threshold_of(double s) { return functions::sigmoid(s); }
double threshold_slope(double threshold) { return threshold * (1 - threshold); }

template <class Real>
void require_weights(std::span<const Real> w, const LayerShape& shape) {
  require_size("w", w.size(), shape);
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (std::isnan(w[i]))
      throw ContractError("w is NaN at channel " + std::to_string(i / shape.per_channel) + ", weight " +
                          std::to_string(i % shape.per_channel));
  }
}

template <class Real>
void forward(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
             std::span<Real> v, std::span<std::uint8_t> mask) {
  require_size("w", w.size(), shape);
  require_thresholds(thresholds, shape);
  if (!v.empty()) require_size("v", v.size(), shape);
  if (!mask.empty()) require_size("mask", mask.size(), shape);
  for (std::size_t t = 0; t < thresholds.size(); ++t) {
    const auto [first, size] = group_of(shape, thresholds.size(), t);
    for (std::size_t i = first; i < first + size; ++i) {
      const bool kept = is_kept(w[i], thresholds[t]);
      if (!v.empty()) v[i] = kept ? std::copysign(std::fabs(w[i]) - thresholds[t], w[i]) : Real{0};
      if (!mask.empty()) mask[i] = kept ? 1 : 0;
    }
  }
}

template <class Real>
void backward(std::span<const Real> w, const LayerShape& shape, std::span<const Real> thresholds,
              std::span<const Real> g, const GradientScales& scales, std::span<Real> dw,
              std::span<double> sums, int threads) {
  require_size("w", w.size(), shape);
  require_size("G", g.size(), shape);
  require_thresholds(thresholds, shape);
  if (!dw.empty()) require_size("dw", dw.size(), shape);
  if (!sums.empty() && sums.size() != thresholds.size())
    throw ContractError("a sum for each of the " + std::to_string(thresholds.size()) + " thresholds, not " +
                        std::to_string(sums.size()));
  if (!(scales.alpha >= 0 && scales.alpha <= 1))
    throw ContractError("alpha is a share of the gradient, from 0 to 1, not " + std::to_string(scales.alpha));
  if (!(scales.lambda >= 0))
    throw ContractError("lambda is a decay, 0 or more, not " + std::to_string(scales.lambda));
  const Real alpha = static_cast<Real>(scales.alpha), lambda = static_cast<Real>(scales.lambda);
  for (std::size_t t = 0; t < thresholds.size(); ++t) {
    const auto [first, size] = group_of(shape, thresholds.size(), t);
    const std::size_t pieces = (size + ds_piece - 1) / ds_piece;
    std::vector<double> terms(sums.empty() ? 0 : pieces);
    const std::size_t begin = first, elements = size;
    const Real threshold = thresholds[t];
    parallel_for(pieces, threads, [&](std::size_t piece) {
      const std::size_t from = begin + piece * ds_piece, n = std::min(ds_piece, begin + elements - from);
      if (!sums.empty())
        terms[piece] = piece_sum(&w[from], &g[from], n, threshold, static_cast<double>(alpha));
      if (dw.empty()) return;
      for (std::size_t i = from; i < from + n; ++i) {
        const Real h_g = is_kept(w[i], threshold) ? g[i] : alpha * g[i];
        dw[i] = lambda == 0 ? h_g : std::fma(lambda, w[i], h_g);
      }
    });
    if (!sums.empty()) sums[t] = pairwise_sum(terms.data(), terms.size());
  }
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
                        std::span<std::uint8_t>);                                                          \
  template void backward(std::span<const Real>, const LayerShape&, std::span<const Real>,                  \
                         std::span<const Real>, const GradientScales&, std::span<Real>, std::span<double>, \
                         int);                                                                             \
  template Real budget_threshold(std::span<const Real>, std::size_t);
ASSAY_INSTANTIATE(float)
ASSAY_INSTANTIATE(double)
#undef ASSAY_INSTANTIATE

}  // namespace assay::autosparse
