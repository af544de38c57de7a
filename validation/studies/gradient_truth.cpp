#include "validation/studies/gradient_truth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/operations/result_set.hpp"
#include "validation/studies/gradient_product.hpp"
#include "validation/studies/study.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::studies {
namespace {

std::vector<float> normal_floats(std::size_t n, double deviation, std::uint64_t seed, std::uint64_t stream) {
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i)
    all[i] = static_cast<float>(deviation * draw(Values::normal, seed, stream, i));
  return all;
}

}  // namespace

GradientLayer random_layer(std::size_t width, std::size_t batch, std::uint64_t seed) {
  const auto stream = [&](Operand what) {
    return std::uint64_t{width} << 2 | static_cast<std::uint64_t>(what);
  };
  const double deviation = std::sqrt(2 / static_cast<double>(width));
  return {.outputs = width,
          .inputs = width,
          .batch = batch,
          .w = normal_floats(width * width, deviation, seed, stream(Operand::weights)),
          .x = normal_floats(batch * width, 1, seed, stream(Operand::inputs)),
          .dy = normal_floats(batch * width, 1, seed, stream(Operand::output_gradients))};
}

float s_of_sparsity(std::span<const float> w, double per_cent) {
  const auto n = static_cast<double>(w.size());
  const double kept = std::clamp(std::round(n * (1 - per_cent / 100)), std::min(n, 1.0), n);
  double threshold = double{autosparse::budget_threshold(w, static_cast<std::size_t>(kept))};
  if (kept == n) {
    float least = std::numeric_limits<float>::infinity();
    for (const float x : w) least = std::min(least, std::fabs(x));
    threshold = double{least} / 2;
  }
  if (!(threshold > 0 && threshold < 1))
    throw ContractError("to mask " + std::to_string(per_cent) + " % of the weights takes a threshold of " +
                        std::to_string(threshold) + ", and 1 / (1 + exp(-s)) lies between 0 and 1");
  return static_cast<float>(std::log(threshold) - std::log1p(-threshold));
}

GradientTruth::GradientTruth(GradientLayer given, const std::vector<GradientThreshold>& thresholds,
                             std::vector<double> alphas_, double lambda_, std::uint64_t seed_)
    : layer(std::move(given)),
      alphas(std::move(alphas_)),
      lambda(double{static_cast<float>(lambda_)}),
      seed(seed_),
      shape{layer.outputs, layer.inputs} {
  const auto& [outputs, inputs, batch, w, x, dy] = layer;
  if (x.size() != batch * inputs || dy.size() != batch * outputs)
    throw ContractError("X and dY do not match W and the batch");
  autosparse::require_weights<float>(w, shape);
  w64.assign(w.begin(), w.end());
  dy_by_outputs.resize(dy.size());
  whole.rows = static_cast<std::int64_t>(outputs);
  whole.cols = static_cast<std::int64_t>(batch);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t b = 0; b < batch; ++b) {
      dy_by_outputs[o * batch + b] = dy[b * outputs + o];
      whole.column_indices.push_back(static_cast<std::int32_t>(b));
    }
    whole.end_row();
  }
  const auto term = [&](std::size_t e, std::size_t j) {
    return double{dy_by_outputs[e]} * double{layer.x[j]};
  };
  g = product_of(whole, inputs, term);
  g_magnitudes =
      product_of(whole, inputs, [&](std::size_t e, std::size_t j) { return std::fabs(term(e, j)); });
  const Arithmetic& chain = arithmetics().find("chain_f32_fused");
  const RoundedOperand of_x = float32_operand(layer.x), of_dy = float32_operand(dy_by_outputs);
  g32 = GradientProduct(whole, of_dy, of_x, inputs).results(chain);
  for (const GradientThreshold& asked : thresholds) {
    PrunedLayer& p = pruned.emplace_back(pruned_by(asked));
    const RoundedOperand v = float32_operand(p.v32);
    p.dx32 = GradientProduct(p.entries, v, of_dy, batch).results(chain);
  }
}

sparse::CsrStructure GradientTruth::entries_of(std::span<const std::uint8_t> mask,
                                               std::vector<std::uint32_t>& weight) const {
  sparse::CsrStructure out;
  out.rows = static_cast<std::int64_t>(layer.inputs);
  out.cols = static_cast<std::int64_t>(layer.outputs);
  for (std::size_t i = 0; i < layer.inputs; ++i) {
    for (std::size_t o = 0; o < layer.outputs; ++o) {
      const std::size_t at = o * layer.inputs + i;
      if (mask[at] == 0) continue;
      out.column_indices.push_back(static_cast<std::int32_t>(o));
      weight.push_back(static_cast<std::uint32_t>(at));
    }
    out.end_row();
  }
  return out;
}

PrunedLayer GradientTruth::pruned_by(const GradientThreshold& asked) const {
  PrunedLayer p{.asked = asked,
                .threshold = autosparse::threshold_of(asked.s),
                .threshold64 = autosparse::threshold_of(double{asked.s})};
  p.mask.resize(layer.w.size());
  std::vector<float> all(layer.w.size());
  autosparse::forward<float>(layer.w, shape, std::span(&p.threshold, 1), all, p.mask);
  p.entries = entries_of(p.mask, p.weight);
  // T in float64 is off by a little more than half a unit of its last place.
  const double of_threshold = std::fabs(double{p.threshold} - p.threshold64) + 0x1p-52;
  for (const std::uint32_t at : p.weight) {
    p.v32.push_back(all[at]);
    p.v.push_back(sign_of(w64[at]) * (std::fabs(w64[at]) - p.threshold64));
    p.v_slack.push_back(of_threshold + 0x1p-24 * std::fabs(double{all[at]}));
  }
  const auto term = [&](std::size_t e, std::size_t j) { return p.v[e] * double{dy_by_outputs[j]}; };
  p.dx = product_of(p.entries, layer.batch, term);
  p.dx_magnitudes =
      product_of(p.entries, layer.batch, [&](std::size_t e, std::size_t j) { return std::fabs(term(e, j)); });
  return p;
}

std::optional<std::uint64_t> gradient_bytes(std::uint64_t width, std::uint64_t batch,
                                            std::uint64_t thresholds, std::uint64_t threads) {
  // A weight: W twice, G with its magnitudes, bounds and results, the exact results of a product with what is
  // accepted; under each threshold its mask, entry and v; on each thread dW three times and the terms of ds. An
  // element of X and dY: its values, codes and results.
  constexpr std::uint64_t of_weight = 12 + 40 + 32 + sizeof(ResultSet), of_threshold = 33, of_thread = 24,
                          of_element = 96;
  const auto each =
      bytes_sum({of_weight, bytes_product({thresholds, of_threshold}), bytes_product({threads, of_thread})});
  if (!each) return std::nullopt;
  return bytes_sum(
      {bytes_product({width, width, *each}), bytes_product({width, batch, 2 + thresholds, of_element})});
}

}  // namespace assay::studies
