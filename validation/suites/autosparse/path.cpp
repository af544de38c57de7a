#include "validation/suites/autosparse/path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "reference/autosparse/layer.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/storage.hpp"

namespace assay::suites::ladder {
namespace {

template <class Real>
Real quiet(Real x) {
  return std::isnan(x) ? std::numeric_limits<Real>::quiet_NaN() : x;
}

float narrowed(float x, Mistake mistake) {
  if (mistake == Mistake::bf16_truncated)
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xFFFF0000);
  return static_cast<float>(bf16_t(x));
}

double pairwise(std::span<const double> terms) {
  if (terms.size() <= 1) return terms.empty() ? 0 : terms[0];
  const std::size_t left = std::bit_ceil(terms.size()) / 2;
  return pairwise(terms.first(left)) + pairwise(terms.subspan(left));
}

// The sum of a threshold's terms as gradient.hpp states it.
double tree_sum(std::span<const double> terms, Mistake mistake) {
  if (mistake == Mistake::sum_in_float32) {
    float sum = 0;
    for (const double term : terms) sum += static_cast<float>(term);
    return static_cast<double>(sum);
  }
  std::vector<double> pieces;
  for (std::size_t first = 0; first < terms.size(); first += 4096) {
    const std::span<const double> piece =
        terms.subspan(first, std::min<std::size_t>(4096, terms.size() - first));
    double lanes[16] = {};
    for (std::size_t i = 0; i < piece.size(); ++i) lanes[i % 16] += piece[i];
    if (mistake == Mistake::other_tree) {
      for (std::size_t l = 1; l < 16; ++l) lanes[0] += lanes[l];
    } else {
      for (std::size_t half = 8; half > 0; half /= 2) {
        for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
      }
    }
    pieces.push_back(lanes[0]);
  }
  return quiet(pairwise(pieces));
}

sparse::DenseView view(const std::vector<float>& all, std::size_t rows) {
  const auto r = static_cast<std::int64_t>(rows), cols = static_cast<std::int64_t>(all.size() / rows);
  return {all.data(), r, cols, cols};
}
sparse::MutableDenseView room(std::vector<float>& all, std::size_t rows, std::size_t cols) {
  all.assign(rows * cols, -7.0F);  // no result, should a place be left out
  const auto c = static_cast<std::int64_t>(cols);
  return {all.data(), static_cast<std::int64_t>(rows), c, c};
}
std::vector<bf16_t> codes(const std::vector<float>& all) { return {all.begin(), all.end()}; }
sparse::Bf16View view(const std::vector<bf16_t>& all, std::size_t rows) {
  const auto r = static_cast<std::int64_t>(rows), cols = static_cast<std::int64_t>(all.size() / rows);
  return {all.data(), r, cols, cols};
}

template <class Real>
void set_ds(const Layer<Real>& layer, Step<Real>& step) {
  step.ds.clear();
  for (std::size_t t = 0; t < step.sums.size(); ++t)
    step.ds.push_back(autosparse::s_gradient(static_cast<double>(layer.thresholds[t]), step.sums[t],
                                             layer.s[t], layer.scales.lambda_s));
}

}  // namespace

template <class Real>
void PlainPath<Real>::forward(const Layer<Real>& layer, Step<Real>& step) const {
  const std::size_t n = layer.shape.size();
  step.mask.resize(n);
  step.v.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Real t = layer.thresholds[layer.group(i)], magnitude = std::fabs(layer.w[i]);
    const bool kept = mistake_ == Mistake::threshold_kept ? magnitude >= t : magnitude > t;
    const Real x = mistake_ == Mistake::no_threshold_in_v ? magnitude : magnitude - t;
    step.mask[i] = kept ? 1 : 0;
    step.v[i] = kept ? std::copysign(x, layer.w[i]) : Real{0};
    if constexpr (std::is_same_v<Real, float>) {
      if (layer.bf16) step.v[i] = narrowed(step.v[i], mistake_);
    }
  }
}

template <class Real>
void PlainPath<Real>::products(const Layer<Real>& layer, Step<Real>& step) const {
  const std::size_t batch = layer.batch, channels = layer.shape.channels, inputs = layer.shape.per_channel;
  step.y.assign(batch * channels, Real{0});
  step.dx.assign(batch * inputs, Real{0});
  step.g.assign(channels * inputs, Real{0});
  const std::vector<Real>& of_dx = mistake_ == Mistake::dense_weights_in_dx ? layer.w : step.v;
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t o = 0; o < channels; ++o) {
      const Real dy = layer.dy[b * channels + o];
      Real y = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        const std::size_t at = o * inputs + i;
        const Real x = layer.x[b * inputs + i];
        Real& dx = step.dx[b * inputs + i];
        if (step.v[at] != 0) y = std::fma(step.v[at], x, y);
        if (of_dx[at] != 0) dx = std::fma(of_dx[at], dy, dx);
        step.g[at] = std::fma(dy, x, step.g[at]);
      }
      step.y[b * channels + o] = y;
    }
  }
  for (auto* const all : {&step.y, &step.dx, &step.g}) {
    for (Real& value : *all) value = quiet(value);
  }
  for (std::size_t i = 0; i < step.g.size(); ++i) {
    if (mistake_ == Mistake::g_masked && step.mask[i] == 0) step.g[i] = 0;
  }
}

template <class Real>
void PlainPath<Real>::backward(const Layer<Real>& layer, Step<Real>& step) const {
  const std::size_t n = layer.shape.size();
  const auto alpha = static_cast<Real>(layer.scales.alpha);
  const auto lambda = mistake_ == Mistake::no_decay ? Real{0} : static_cast<Real>(layer.scales.lambda);
  step.dw.resize(n);
  std::vector<double> terms(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Real w = layer.w[i], g = step.g[i];
    const bool kept = std::fabs(w) > layer.thresholds[layer.group(i)],
               whole = mistake_ == Mistake::alpha_on_the_kept ? !kept : kept;
    const double h_g = whole ? static_cast<double>(g) : static_cast<double>(alpha) * static_cast<double>(g);
    terms[i] = mistake_ == Mistake::no_sign || w > 0 ? h_g : w < 0 ? -h_g : 0;
    if (mistake_ == Mistake::kept_terms_alone && !kept) terms[i] = 0;
    const Real t = whole ? g : alpha * g;
    step.dw[i] = quiet(lambda == 0 ? t : std::fma(lambda, w, t));
  }
  const std::size_t groups = layer.thresholds.size(), of_group = n / groups;
  step.sums.clear();
  for (std::size_t t = 0; t < groups; ++t)
    step.sums.push_back(tree_sum(std::span<const double>(terms).subspan(t * of_group, of_group), mistake_));
  step.ds.clear();
  for (std::size_t t = 0; t < groups; ++t) {
    const auto threshold = static_cast<double>(layer.thresholds[t]);
    const double slope = mistake_ == Mistake::no_slope ? 1 : threshold * (1 - threshold);
    step.ds.push_back(-(slope * step.sums[t]) + layer.scales.lambda_s * layer.s[t]);
  }
}

template class PlainPath<float>;
template class PlainPath<double>;

void LibraryPath::forward(const Layer<float>& layer, Step<float>& step) const {
  const std::size_t n = layer.shape.size();
  step.mask.assign(n, 7);
  step.v.assign(n, -7.0F);
  if (!layer.bf16) {
    autosparse::forward<float>(layer.w, layer.shape, layer.thresholds, step.v, step.mask, options_.threads,
                               options_.kernel);
    return;
  }
  std::vector<bf16_t> v(n);
  autosparse::forward(layer.w, layer.shape, layer.thresholds, v, step.mask, options_.threads,
                      options_.kernel);
  for (std::size_t i = 0; i < n; ++i) step.v[i] = static_cast<float>(v[i]);
}

void LibraryPath::products(const Layer<float>& layer, Step<float>& step) const {
  const std::size_t batch = layer.batch, channels = layer.shape.channels, inputs = layer.shape.per_channel;
  const autosparse::LayerOptions how{.batch = static_cast<std::int64_t>(batch), .kernel = options_.products};
  const auto y = room(step.y, batch, channels), dx = room(step.dx, batch, inputs);
  step.g = gradient_at(layer, {}, options_.threads);
  if (layer.bf16) {
    const std::vector<bf16_t> v = codes(step.v), x = codes(layer.x), dy = codes(layer.dy);
    const autosparse::PrunedLayer pruned(v, layer.shape, how);
    pruned.forward(view(x, batch), y, options_.threads);
    pruned.input_gradient(view(dy, batch), dx, options_.threads);
    return;
  }
  const autosparse::PrunedLayer pruned(step.v, layer.shape, how);
  pruned.forward(view(layer.x, batch), y, options_.threads);
  pruned.input_gradient(view(layer.dy, batch), dx, options_.threads);
}

std::vector<float> gradient_at(const Layer<float>& layer, std::span<const std::uint8_t> places, int threads) {
  std::vector<float> out;
  const auto g = room(out, layer.shape.channels, layer.shape.per_channel);
  const autosparse::WeightGradientPlan plan(layer.shape, places);
  if (layer.bf16) {
    const std::vector<bf16_t> x = codes(layer.x), dy = codes(layer.dy);
    plan.multiply(view(dy, layer.batch), view(x, layer.batch), g, threads);
  } else {
    plan.multiply(view(layer.dy, layer.batch), view(layer.x, layer.batch), g, threads);
  }
  return out;
}

std::vector<const autosparse::GradientKernel*> gradient_kernels() {
  std::vector<const autosparse::GradientKernel*> all{&autosparse::gradient_definition()};
  for (const autosparse::GradientKernel& kernel : autosparse::gradient_kernels()) all.push_back(&kernel);
  return all;
}

void LibraryPath::backward(const Layer<float>& layer, Step<float>& step) const {
  step.dw.assign(layer.shape.size(), -7.0F);
  step.sums.assign(layer.thresholds.size(), -7);
  autosparse::backward<float>(layer.w, layer.shape, layer.thresholds, step.g, layer.scales, step.dw,
                              step.sums, options_.threads, options_.kernel);
  set_ds(layer, step);
}

template <class Real>
void DefinitionPath<Real>::forward(const Layer<Real>& layer, Step<Real>& step) const {
  if constexpr (std::is_same_v<Real, float>) {
    LibraryPath({.kernel = &autosparse::gradient_definition(), .products = {}, .threads = threads_})
        .forward(layer, step);
  } else {
    step.mask.assign(layer.shape.size(), 7);
    step.v.assign(layer.shape.size(), -7);
    autosparse::forward<Real>(layer.w, layer.shape, layer.thresholds, step.v, step.mask, threads_);
  }
}

template <class Real>
void DefinitionPath<Real>::products(const Layer<Real>& layer, Step<Real>& step) const {
  step.y.assign(layer.dy.size(), -7);
  step.dx.assign(layer.x.size(), -7);
  step.g.assign(layer.w.size(), -7);
  autosparse::forward_product<Real>(step.v, layer.shape, layer.x, layer.batch, step.y, threads_);
  autosparse::input_gradient<Real>(step.v, layer.shape, layer.dy, layer.batch, step.dx, threads_);
  autosparse::weight_gradient<Real>(layer.shape, layer.dy, layer.x, layer.batch, {}, step.g, threads_);
}

template <class Real>
void DefinitionPath<Real>::backward(const Layer<Real>& layer, Step<Real>& step) const {
  step.dw.assign(layer.shape.size(), -7);
  step.sums.assign(layer.thresholds.size(), -7);
  const autosparse::GradientKernel* const kernel =
      std::is_same_v<Real, float> ? &autosparse::gradient_definition() : nullptr;
  autosparse::backward<Real>(layer.w, layer.shape, layer.thresholds, step.g, layer.scales, step.dw, step.sums,
                             threads_, kernel);
  set_ds(layer, step);
}

template class DefinitionPath<float>;
template class DefinitionPath<double>;

Layer<float> random_layer(const RandomLayer& of, std::uint64_t seed) {
  Layer<float> layer{.shape = of.shape, .batch = of.batch, .scales = {0.3, 1e-3, 1e-3}};
  const auto numbers = [&](std::size_t n, std::uint64_t stream, double scale) {
    const CounterRandom random(seed, stream);
    std::vector<float> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<float>(scale * random.normal(i));
    return all;
  };
  // He et al.'s initialisation, and the quantile that the sparsity asks for, by bisection.
  const double spread = std::sqrt(2.0 / static_cast<double>(of.shape.per_channel));
  double below = 0, above = 8;
  for (int i = 0; i < 40; ++i) {
    const double middle = (below + above) / 2;
    (std::erf(middle / std::sqrt(2.0)) < of.sparsity ? below : above) = middle;
  }
  layer.w = numbers(of.shape.size(), 1, spread);
  layer.x = numbers(of.batch * of.shape.per_channel, 2, 1);
  layer.dy = numbers(of.batch * of.shape.channels, 3, 0.1);
  for (std::size_t t = 0; t < (of.by_channel ? of.shape.channels : 1); ++t) {
    const double wanted = std::min(spread * below * (1 + 0.05 * static_cast<double>(t % 5)), 0.9);
    const auto s = static_cast<float>(std::log(wanted / (1 - wanted)));
    layer.s.push_back(static_cast<double>(s));
    layer.thresholds.push_back(autosparse::threshold_of(s));
  }
  return of.bf16 ? rounded_to_bf16(std::move(layer)) : layer;
}

Layer<float> rounded_to_bf16(Layer<float> layer) {
  for (auto* const all : {&layer.x, &layer.dy}) {
    for (float& value : *all) value = narrowed(value, Mistake::none);
  }
  layer.bf16 = true;
  return layer;
}

Layer<double> in_double(const Layer<float>& layer) {
  const auto widened = [](const std::vector<float>& all) {
    return std::vector<double>(all.begin(), all.end());
  };
  Layer<double> out{.shape = layer.shape,
                    .batch = layer.batch,
                    .w = widened(layer.w),
                    .x = widened(layer.x),
                    .dy = widened(layer.dy),
                    .thresholds = widened(layer.thresholds),
                    .s = layer.s,
                    .scales = layer.scales};
  // As the kernels of float32 take them.
  out.scales.alpha = static_cast<double>(static_cast<float>(layer.scales.alpha));
  out.scales.lambda = static_cast<double>(static_cast<float>(layer.scales.lambda));
  return out;
}

std::string text_of(const LayerShape& shape) {
  return fmt::format("{}x{}", shape.channels, shape.per_channel);
}

}  // namespace assay::suites::ladder
