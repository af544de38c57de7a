#include "validation/judge/autosparse_models.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "validation/judge/arrays.hpp"

namespace assay::judge {
namespace {

using Model = AutosparseModel;

std::size_t threshold_index(const AutosparseLayer& layer, const Model& model, std::size_t t) {
  const std::size_t n = layer.threshold.size();
  switch (model.thresholds) {
    case Model::Thresholds::own: break;
    case Model::Thresholds::first: return 0;
    case Model::Thresholds::next: return (t + 1) % n;
    case Model::Thresholds::previous: return (t + n - 1) % n;
  }
  return t;
}

double threshold_of_model(const AutosparseLayer& layer, const Model& model, std::size_t i) {
  return layer.threshold[threshold_index(layer, model, layer.threshold_of(i))];
}

bool is_kept_by(const AutosparseLayer& layer, const Model& model, std::size_t i) {
  const double w = model.without_magnitude ? layer.w[i] : std::fabs(layer.w[i]),
               threshold = threshold_of_model(layer, model, i);
  return (model.greater_equal ? w >= threshold : w > threshold) != model.inverted;
}

double share_of(const AutosparseLayer& layer, const Model& model, std::size_t i) {
  if (!model.ignores_support && layer.supported[i] == 0) return 0;
  return is_kept_by(layer, model, i) ? model.kept : model.masked;
}

double value_of_model(const AutosparseLayer& layer, const Model& model, std::size_t i) {
  using Values = Model::Values;
  const double w = layer.w[i], x = std::fabs(w) - threshold_of_model(layer, model, i);
  if (model.values == Values::dense) return w;
  if (model.values == Values::not_clipped) return sign_of(w) * x;
  if (!is_kept_by(layer, model, i)) return 0;
  if (model.values == Values::not_subtracted) return w;
  return model.values == Values::without_sign ? x : sign_of(w) * x;
}

double roundoff(const AutosparseLayer& layer, const AutosparseResult& result) {
  return unit_roundoff(coarser(layer.products.accumulator, result.format), Rounding::nearest_even);
}

double decay_of_model(const AutosparseLayer& layer, const Model& model, std::size_t i) {
  using Decay = Model::Decay;
  const double whole = layer.lambda * layer.w[i];
  const bool kept = is_kept_by(layer, model, i);
  switch (model.decay) {
    case Decay::everywhere: break;
    case Decay::nowhere: return 0;
    case Decay::masked: return kept ? 0 : whole;
    case Decay::kept: return kept ? whole : 0;
    case Decay::scaled: return share_of(layer, model, i) * whole;
    case Decay::of_pruned: return layer.lambda * value_of_model(layer, model, i);
    case Decay::flipped: return -whole;
  }
  return whole;
}

ModelResult dw_of_model(const AutosparseLayer& layer, const ExactProducts& g, const AutosparseResult& result,
                        const Model& model) {
  ModelResult out;
  const double u = roundoff(layer, result);
  const std::size_t rows = layer.shape.channels, cols = layer.shape.per_channel;
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const std::size_t at = model.transposed ? i % cols * rows + i / cols : i;
    const double decay = decay_of_model(layer, model, i), share = share_of(layer, model, i);
    out.value.push_back(share * g.value[at].hi + decay);
    out.error.push_back(share * g.error[at] * (1 + 8 * u) +
                        8 * u * (share * std::fabs(g.value[at].hi) + std::fabs(layer.lambda * layer.w[i])));
  }
  return out;
}

double slope_of_model(const Model& model, double threshold) {
  using Slope = Model::Slope;
  switch (model.slope) {
    case Slope::whole: break;
    case Slope::missing: return 1;
    case Slope::threshold: return threshold;
    case Slope::rest: return 1 - threshold;
  }
  return threshold * (1 - threshold);
}

ModelResult ds_of_model(const AutosparseLayer& layer, const ExactProducts& g, const AutosparseResult& result,
                        const Model& model) {
  ModelResult out;
  const double u =
      std::max(roundoff(layer, result), unit_roundoff(layer.ds_sum.accumulator, Rounding::nearest_even));
  for (std::size_t t = 0; t < layer.threshold.size(); ++t) {
    const std::size_t of = threshold_index(layer, model, t);
    const double threshold = layer.threshold[of];
    const ModelSums sums = sums_of_model(layer, g, model, t);
    const double decay = layer.lambda_s == 0 || !model.decays_s ? 0 : layer.lambda_s * layer.s[t];
    const double factor = (model.flipped ? 1 : -1) * slope_of_model(model, threshold);
    const double summed = model.kept * sums.kept + model.masked * sums.masked;
    out.value.push_back(factor * summed + decay);
    // Four standard deviations of a loop's error: each addition errs by some 0.4 u of a partial sum, and these are a
    // random walk that drifts to the sum. So do the errors of G, which are far below their bounds.
    const double drift = std::sqrt(static_cast<double>(sums.terms)) * std::fabs(summed);
    const double slope_error = (8 * u + 2 * layer.reach[of] / threshold) * std::fabs(summed);
    const double summing = u * (1.5 * sums.magnitudes + drift) + sums.errors / 4;
    out.error.push_back(std::fabs(factor) * (summing + slope_error + sums.undecided) +
                        8 * u * std::fabs(decay) +
                        layer.lambda_s * (layer.s.empty() ? 0 : layer.s_rounding[t]));
  }
  return out;
}

ModelResult dx_of_model(const AutosparseRequest& r, const AutosparseLayer& layer,
                        const AutosparseResult& result, const Model& model, std::size_t rows) {
  const std::size_t out = layer.shape.channels, in = layer.shape.per_channel;
  const double u = roundoff(layer, result),
               relative = (static_cast<double>(out) + 8) * u +
                          (layer.v_format == layer.thresholds
                               ? 0
                               : 2 * unit_roundoff(layer.v_format, Rounding::nearest_even));
  std::vector<double> v(layer.size()), error(layer.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    v[i] = value_of_model(layer, model, i);
    error[i] = v[i] == 0 ? 0 : std::fabs(v[i]) * relative + layer.reach[layer.threshold_of(i)];
  }
  if (model.transposed) {
    v = turned(v, out, in);
    error = turned(error, out, in);
  }
  std::vector<double> dy = values_of(*r.dy);
  dy.resize(rows * out);
  ModelResult found;
  found.value = plain_product(dy, v, rows, out, in, r.threads);
  for (double& x : dy) x = std::fabs(x);
  found.error = plain_product(dy, error, rows, out, in, r.threads);
  for (std::size_t i = 0; i < found.error.size(); ++i) found.error[i] += result.truth.bound[i];
  return found;
}

}  // namespace

ModelSums sums_of_model(const AutosparseLayer& layer, const ExactProducts& g, const Model& model,
                        std::size_t t) {
  ModelSums sums;
  double squares = 0;
  const std::size_t count = layer.size() / layer.threshold.size();
  for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
    if (!model.ignores_support && layer.supported[i] == 0) continue;
    const bool kept = is_kept_by(layer, model, i);
    const double sign = model.sign ? sign_of(layer.w[i]) : 1;
    (kept ? sums.kept : sums.masked) += sign * g.value[i].hi;
    const double size = std::fabs(sign * g.value[i].hi), share = kept ? model.kept : model.masked;
    sums.magnitudes += share * size;
    squares += share * g.error[i] * share * g.error[i];
    sums.terms += share * size == 0 ? 0U : 1U;
    if (layer.undecided[i] != 0 || layer.maybe_supported[i] != 0) sums.undecided += size;
  }
  sums.errors = std::sqrt(squares);
  return sums;
}

ModelResult result_of_model(const AutosparseRequest& r, const AutosparseLayer& layer, const ExactProducts& g,
                            const AutosparseResult& result, const Model& model) {
  if (result.array == "dw") return dw_of_model(layer, g, result, model);
  if (result.array == "ds") return ds_of_model(layer, g, result, model);
  if (result.array == "dx") return dx_of_model(r, layer, result, model, layer.batch);
  ModelResult out;
  const double u = roundoff(layer, result);
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const bool mask = result.array == "mask";
    const double value = mask ? (is_kept_by(layer, model, i) ? 1 : 0) : value_of_model(layer, model, i);
    out.value.push_back(value);
    out.error.push_back(
        mask || value == 0 ? 0 : 4 * u * std::fabs(layer.w[i]) + layer.reach[layer.threshold_of(i)]);
  }
  return out;
}

ModelResult first_rows_of_model(const AutosparseRequest& r, const AutosparseLayer& layer,
                                const AutosparseResult& result, const Model& model, std::size_t rows) {
  return dx_of_model(r, layer, result, model, rows);
}

std::vector<Model> autosparse_models(const AutosparseRequest& r, const AutosparseLayer& layer) {
  std::vector<Model> models;
  const double alpha = layer.alpha;
  const auto add = [&](const char* results, std::string mistake, std::string words, auto change) {
    Model model{
        .mistake = std::move(mistake), .words = std::move(words), .results = results, .masked = alpha};
    change(model);
    models.push_back(std::move(model));
  };
  using Values = Model::Values;
  // Under s, |w| = T is undecided.
  if (r.threshold)
    add("mask dw ds", "mask-greater-equal", "weights with |w| = T are kept: >= in place of >",
        [](Model& m) { m.greater_equal = true; });
  add("mask v dx dw ds", "mask-without-magnitude", "w is compared with T, not |w|",
      [](Model& m) { m.without_magnitude = true; });
  add("mask", "mask-inverted", "the mask is 1 where weights are pruned", [](Model& m) { m.inverted = true; });
  add("v dx", "threshold-not-subtracted", "kept weights are w, not sign(w) (|w| - T): a hard threshold",
      [](Model& m) { m.values = Values::not_subtracted; });
  add("v dx", "dense-weights", "the weights are those before pruning",
      [](Model& m) { m.values = Values::dense; });
  add("v dx", "not-clipped", "masked weights are sign(w) (|w| - T), not 0",
      [](Model& m) { m.values = Values::not_clipped; });
  add("v dx", "sign-dropped", "kept weights are |w| - T without the sign of w",
      [](Model& m) { m.values = Values::without_sign; });
  if (layer.shape.channels == layer.shape.per_channel)
    add("dx dw", "transposed", "rows and columns of the weights are exchanged",
        [](Model& m) { m.transposed = true; });
  if (std::any_of(layer.threshold.begin(), layer.threshold.end(),
                  [&](double t) { return t != layer.threshold[0]; })) {
    add("mask v dx dw ds", "one-threshold", "the first channel's threshold is used for all channels",
        [](Model& m) { m.thresholds = Model::Thresholds::first; });
    add("mask v dx dw ds", "next-threshold", "each channel has the threshold of the next one",
        [](Model& m) { m.thresholds = Model::Thresholds::next; });
    add("mask v dx dw ds", "previous-threshold", "each channel has the threshold of the one before",
        [](Model& m) { m.thresholds = Model::Thresholds::previous; });
  }
  add("dw ds", "alpha-wrong-side",
      "alpha scales the gradient of kept weights, and that of masked ones is whole",
      [&](Model& m) { m.kept = std::exchange(m.masked, 1); });
  add("dw ds", "alpha-on-all", "alpha scales the gradient of kept weights too",
      [&](Model& m) { m.kept = alpha; });
  add("dw ds", "alpha-not-applied", "masked weights get their whole gradient, as if alpha were 1",
      [](Model& m) { m.masked = 1; });
  add("dw", "masked-gradient-dropped", "masked weights get no gradient, as if alpha were 0",
      [](Model& m) { m.masked = 0; });
  add("ds", "masked-terms-left-out", "masked weights are left out of the sum, as if alpha were 0",
      [](Model& m) { m.masked = 0; });
  for (const AutosparseLayer::OtherAlpha& other : layer.other_alphas)
    add("dw ds", other.mistake, other.words, [&](Model& m) { m.masked = other.alpha; });
  if (r.support == "top-half")
    add("dw ds", "support-ignored", "G is taken outside the top half too",
        [](Model& m) { m.ignores_support = true; });
  if (layer.lambda != 0) {
    using Decay = Model::Decay;
    add("dw", "lambda-missing", "lambda w is not added", [](Model& m) { m.decay = Decay::nowhere; });
    add("dw", "lambda-on-masked-alone", "lambda w is added to masked weights alone",
        [](Model& m) { m.decay = Decay::masked; });
    add("dw", "lambda-on-kept-alone", "lambda w is added to kept weights alone",
        [](Model& m) { m.decay = Decay::kept; });
    if (alpha != 1)
      add("dw", "lambda-scaled", "h scales lambda w too: h (G + lambda w)",
          [](Model& m) { m.decay = Decay::scaled; });
    add("dw", "lambda-on-pruned", "lambda v is added, not lambda w",
        [](Model& m) { m.decay = Decay::of_pruned; });
    add("dw", "lambda-flipped", "lambda w is subtracted", [](Model& m) { m.decay = Decay::flipped; });
  }
  using Slope = Model::Slope;
  add("ds", "slope-missing", "T (1 - T) is missing", [](Model& m) { m.slope = Slope::missing; });
  add("ds", "slope-threshold-alone", "the slope is T, not T (1 - T)",
      [](Model& m) { m.slope = Slope::threshold; });
  add("ds", "slope-rest-alone", "the slope is 1 - T, not T (1 - T)", [](Model& m) { m.slope = Slope::rest; });
  add("ds", "sign-dropped", "the sign of w is missing in the sum", [](Model& m) { m.sign = false; });
  add("ds", "ds-flipped", "the sum has the wrong sign", [](Model& m) { m.flipped = true; });
  if (layer.lambda_s != 0)
    add("ds", "lambda-s-missing", "lambda_s s is not added", [](Model& m) { m.decays_s = false; });
  return models;
}

}  // namespace assay::judge
