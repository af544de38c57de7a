#include "validation/judge/autosparse_mistakes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "validation/judge/autosparse_models.hpp"

namespace assay::judge {
namespace {

// How a result lies to a model of it.
struct ModelFit {
  std::string mistake{}, words{};
  std::size_t agreeing = 0;   // elements
  std::size_t explained = 0;  // of those that the right result does not account for
  double off = 0;             // sum of distances
};

class Suspicion {
 public:
  Suspicion(const AutosparseLayer& layer, const AutosparseResult& result) : layer_(layer), result_(result) {
    outside_.resize(result.got.size());
    for (std::size_t i = 0; i < result.got.size(); ++i) {
      if (!counts(i)) continue;
      ++counted_;
      const double right = result.truth.truth[i],
                   error = std::fabs((result.got[i] - right) - result.truth.remainder[i]);
      const bool off =
          !(error <= result.truth.bound[i]) || (looks_closer() && !(error <= 0x1p-10 * std::fabs(right)));
      within_bound_ = within_bound_ && error <= result.truth.bound[i];
      outside_[i] = off ? 1 : 0;
      outside_count_ += outside_[i];
    }
  }

  bool is_outside(std::size_t i) const { return outside_[i] != 0; }
  bool any() const { return outside_count_ > 0; }
  bool within_bound() const { return within_bound_; }
  std::size_t counted() const { return counted_; }
  std::size_t outside() const { return outside_count_; }
  bool counts(std::size_t i) const {
    return is_sum() || result_.array == "dx" || (layer_.undecided[i] == 0 && layer_.maybe_supported[i] == 0);
  }

  std::optional<ModelFit> fit(const AutosparseModel& model, const ModelResult& wrong) const {
    ModelFit fit{.mistake = model.mistake, .words = model.words};
    for (std::size_t i = 0; i < result_.got.size(); ++i) {
      if (!counts(i)) continue;
      const double error = std::fabs(result_.got[i] - wrong.value[i]);
      double allowed = wrong.error[i];
      if (is_sum() && within_bound_) allowed = std::min(allowed, 0x1p-14 * std::fabs(wrong.value[i]));
      if (!(error <= allowed)) continue;
      ++fit.agreeing;
      fit.explained += outside_[i];
      fit.off += error;
    }
    if (!mostly(fit.agreeing, counted_) || !mostly(fit.explained, outside_count_)) return std::nullopt;
    return fit;
  }

 private:
  bool is_sum() const { return result_.array == "ds"; }
  // A bound of ds may be wider than any mistake, and is all that is known where masks are undecided.
  bool looks_closer() const { return is_sum() && result_.truth.admitted == 0; }
  static bool mostly(std::size_t some, std::size_t all) { return some > 0 && 100 * some >= 99 * all; }

  const AutosparseLayer& layer_;
  const AutosparseResult& result_;
  std::vector<std::uint8_t> outside_;
  std::size_t counted_ = 0, outside_count_ = 0;
  bool within_bound_ = true;
};

double median(std::vector<double> x) {
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2);
  std::nth_element(x.begin(), middle, x.end());
  return *middle;
}

// alpha from the data: the median of what masked weights' gradients, or sums, are of G's.
std::optional<double> fitted_alpha(const AutosparseLayer& layer, const ExactProducts& g,
                                   const AutosparseResult& result, const Suspicion& suspicion) {
  std::vector<double> shares;
  const auto add = [&](double share) {
    if (std::isfinite(share)) shares.push_back(share);
  };
  if (result.array == "dw") {
    for (std::size_t i = 0; i < layer.size(); ++i) {
      if (layer.kept[i] == 0 && layer.supported[i] != 0 && g.value[i].hi != 0 && suspicion.counts(i))
        add((result.got[i] - layer.lambda * layer.w[i]) / g.value[i].hi);
    }
  } else if (result.array == "ds") {
    for (std::size_t t = 0; t < layer.threshold.size(); ++t) {
      const ModelSums sums = sums_of_model(layer, g, {.masked = layer.alpha}, t);
      const double slope = layer.threshold[t] * (1 - layer.threshold[t]),
                   decay = layer.s.empty() ? 0 : layer.lambda_s * layer.s[t];
      add(((decay - result.got[t]) / slope - sums.kept) / sums.masked);
    }
  }
  // A single value could be explained by some alpha whatever it is.
  if (shares.size() < 3) return std::nullopt;
  return median(std::move(shares));
}

std::string cause_text(const ModelFit& fit, const Suspicion& suspicion) {
  return fmt::format(
      "cause  {}: {}; {} of {} elements agree with that, and {} of the {} that differ from the right result",
      fit.mistake, fit.words, fit.agreeing, suspicion.counted(), fit.explained, suspicion.outside());
}

// ds as a loop in float32 makes it, term by term.
float naive_ds(const AutosparseLayer& layer, const ExactProducts& g, std::size_t t) {
  float sum = 0;
  const std::size_t count = layer.size() / layer.threshold.size();
  for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
    if (layer.supported[i] == 0) continue;
    const auto gradient = static_cast<float>(g.value[i].hi), sign = static_cast<float>(sign_of(layer.w[i]));
    sum += sign * (layer.kept[i] != 0 ? gradient : static_cast<float>(layer.alpha) * gradient);
  }
  const auto threshold = static_cast<float>(layer.threshold[t]);
  const float decay =
      layer.s.empty() ? 0 : static_cast<float>(layer.lambda_s) * static_cast<float>(layer.s[t]);
  return -(threshold * (1 - threshold)) * sum + decay;
}

// What a sequential sum in float32 explains, where it is that and not small.
std::optional<std::string> naive_sum(const AutosparseLayer& layer, const ExactProducts& g,
                                     const AutosparseResult& result, bool is_wrong) {
  if (layer.weights == formats::float64 || layer.size() == 0) return std::nullopt;
  constexpr double few = 16 * 0x1p-24;
  std::size_t far = 0, alike = 0;
  double worst = 0;
  for (std::size_t t = 0; t < layer.threshold.size(); ++t) {
    const double right = result.truth.truth[t], naive = static_cast<double>(naive_ds(layer, g, t)),
                 error = std::fabs(result.got[t] - right);
    if (error <= few * std::fabs(right)) continue;
    ++far;
    // The steps after the sum may be in another order, and the sum have products of another rounding.
    if (std::fabs(result.got[t] - naive) <= few / 4 * std::fabs(naive)) ++alike;
    worst = std::max(worst, error / std::fabs(right));
  }
  if (far == 0 || alike < far || !std::isfinite(worst)) return std::nullopt;
  return fmt::format(
      "{} a sequential float32 sum of {} terms gives this: rounding of its additions makes a relative error "
      "of "
      "{:.2g}. Sums in float64 or pairwise err by some 1e-7",
      is_wrong ? "cause  naive-float32-sum:" : "note   naive-float32-sum:",
      layer.size() / layer.threshold.size(), worst);
}

// A sigmoid of less than single precision: masks that are wrong near T alone, or a v that is off by the same in all of
// a threshold's weights.
std::optional<std::string> inexact_threshold(const AutosparseLayer& layer, const AutosparseResult& result,
                                             const Suspicion& suspicion) {
  constexpr double most = 64;
  double furthest = 0;
  if (result.array == "mask") {
    for (std::size_t i = 0; i < layer.size(); ++i) {
      if (!suspicion.is_outside(i)) continue;
      const std::size_t t = layer.threshold_of(i);
      furthest = std::max(furthest, std::fabs(std::fabs(layer.w[i]) - layer.threshold[t]) / layer.reach[t]);
    }
  } else {
    const std::size_t count = layer.size() / layer.threshold.size();
    for (std::size_t t = 0; t < layer.threshold.size(); ++t) {
      std::vector<double> off;
      bool wrong = false;
      for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
        wrong = wrong || suspicion.is_outside(i);
        if (!std::isfinite(result.got[i])) return std::nullopt;
        if (layer.kept[i] != 0)
          off.push_back(std::fabs(layer.w[i]) - sign_of(layer.w[i]) * result.got[i] - layer.threshold[t]);
      }
      if (!wrong || off.empty()) continue;
      const double middle = median(off);
      for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
        const double v = std::max(std::fabs(layer.w[i]) - layer.threshold[t] - middle, 0.0),
                     error = 4 * unit_roundoff(coarser(layer.products.accumulator, result.format),
                                               Rounding::nearest_even);
        if (!(std::fabs(sign_of(layer.w[i]) * result.got[i] - v) <= error * std::fabs(layer.w[i])))
          return std::nullopt;
      }
      furthest = std::max(furthest, std::fabs(middle) / layer.reach[t]);
    }
  }
  if (furthest <= 1 || furthest > most) return std::nullopt;
  return fmt::format(
      "cause  threshold-inexact: as if T were some {:.0f} ulp of {} off the correctly rounded sigmoid of s; "
      "one is accepted",
      std::ceil(furthest), layer.weights.dtype);
}

}  // namespace

std::vector<std::string> known_mistakes(const AutosparseRequest& r, const AutosparseLayer& layer,
                                        const ExactProducts& g, const AutosparseResult& result) {
  std::vector<std::string> lines;
  if (result.got.empty()) return lines;
  const Suspicion suspicion(layer, result);
  if (result.array == "ds") {
    if (auto line = naive_sum(layer, g, result, !suspicion.within_bound())) return {*line};
  }
  if (!suspicion.any()) return lines;
  if (r.s && (result.array == "mask" || result.array == "v")) {
    if (auto line = inexact_threshold(layer, result, suspicion)) return {*line};
  }
  std::vector<ModelFit> fits;
  const auto consider = [&](const AutosparseModel& model) {
    if (auto fit = suspicion.fit(model, result_of_model(r, layer, g, result, model)))
      fits.push_back(std::move(*fit));
  };
  for (const AutosparseModel& model : autosparse_models(r, layer)) {
    if (fmt::format(" {} ", model.results).find(fmt::format(" {} ", result.array)) != std::string::npos)
      consider(model);
  }
  if (fits.empty()) {
    if (const std::optional<double> alpha = fitted_alpha(layer, g, result, suspicion)) {
      AutosparseModel model{.mistake = "other-alpha",
                            .words = fmt::format("as if alpha were {:.6g}, not {:.6g}", *alpha, layer.alpha)};
      model.masked = *alpha;
      consider(model);
    }
  }
  // Models that agree in more elements, or are nearer by far, explain more.
  std::size_t most = 0;
  double nearest = std::numeric_limits<double>::infinity();
  for (const ModelFit& fit : fits) most = std::max(most, fit.agreeing);
  for (const ModelFit& fit : fits) {
    if (fit.agreeing == most) nearest = std::min(nearest, fit.off);
  }
  double size = 0;
  for (const double x : result.got) size += std::isfinite(x) ? std::fabs(x) : 0;
  for (const ModelFit& fit : fits) {
    if (fit.agreeing == most && fit.off <= 4 * nearest + 0x1p-22 * size)
      lines.push_back(cause_text(fit, suspicion));
  }
  return lines;
}

}  // namespace assay::judge
