#include "validation/judge/autosparse_mistakes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "validation/judge/autosparse_models.hpp"
#include "validation/judge/autosparse_rounding.hpp"

namespace assay::judge {
namespace {

// How a result lies to a model of it.
struct ModelFit {
  AutosparseModel model{};
  ModelResult wrong{};
  std::size_t agreeing = 0;   // elements
  std::size_t explained = 0;  // of those that the right result does not account for
  bool is_certain = true;     // otherwise the data allow another reason
};

bool nearly_all(std::size_t some, std::size_t all) { return 100 * (all - some) <= all; }

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

  const std::vector<std::uint8_t>& all_outside() const { return outside_; }
  bool any() const { return outside_count_ > 0; }
  bool within_bound() const { return within_bound_; }
  std::size_t counted() const { return counted_; }
  std::size_t outside() const { return outside_count_; }
  bool counts(std::size_t i) const {
    return is_sum() || result_.array == "dx" || (layer_.undecided[i] == 0 && layer_.maybe_supported[i] == 0);
  }

  // Whether the first elements allow the model.
  bool may_fit(const ModelResult& wrong) const {
    std::size_t agreeing = 0, explained = 0, outside = 0;
    for (std::size_t i = 0; i < wrong.value.size(); ++i) {
      const bool agrees = agrees_with(wrong, i);
      agreeing += agrees ? 1U : 0U;
      outside += outside_[i];
      explained += agrees ? outside_[i] : 0U;
    }
    return 10 * agreeing >= 9 * wrong.value.size() && 10 * explained >= 9 * outside;
  }

  // A model is told from the right result by the elements at which the two differ by more than their errors. It has to
  // explain nearly all of these, and there have to be enough: what agrees elsewhere says nothing.
  std::optional<ModelFit> fit(const AutosparseModel& model, ModelResult wrong, bool is_fitted) const {
    ModelFit fit{.model = model};
    std::size_t telling = 0, told = 0, sharp = 0;
    for (std::size_t i = 0; i < result_.got.size(); ++i) {
      if (!counts(i)) continue;
      const bool agrees = agrees_with(wrong, i);
      fit.agreeing += agrees ? 1U : 0U;
      fit.explained += agrees ? outside_[i] : 0U;
      const double apart = std::fabs(wrong.value[i] - result_.truth.truth[i]);
      const bool tells =
          is_sum() ? apart > 16 * wrong.error[i] : apart > 2 * (wrong.error[i] + result_.truth.bound[i]);
      if (!tells) continue;
      ++telling;
      told += agrees ? 1U : 0U;
      sharp += apart > 1000 * wrong.error[i] ? 1U : 0U;
    }
    if (fit.explained == 0 || !nearly_all(fit.agreeing, counted_) ||
        !nearly_all(fit.explained, outside_count_) || !nearly_all(told, telling))
      return std::nullopt;
    const bool all = told == telling && fit.explained == outside_count_;
    if (!all && telling < 16) return std::nullopt;
    if (is_sum()) {
      // One number lies near some model or other: only a precise one tells.
      if (telling == 0 || (is_fitted && telling < 4)) return std::nullopt;
      fit.is_certain = telling >= 3 || sharp == telling;
    } else if (telling < least_telling(model, is_fitted)) {
      return std::nullopt;
    }
    fit.wrong = std::move(wrong);
    return fit;
  }

  // Whether `a` explains, and `b` does not, the elements at which the two differ.
  bool is_better(const ModelFit& a, const ModelFit& b) const {
    std::size_t differing = 0, by_a = 0, by_b = 0;
    for (std::size_t i = 0; i < result_.got.size(); ++i) {
      const double apart = std::fabs(a.wrong.value[i] - b.wrong.value[i]);
      if (!counts(i) || !(apart > a.wrong.error[i] + b.wrong.error[i])) continue;
      ++differing;
      by_a += agrees_with(a.wrong, i) ? 1U : 0U;
      by_b += agrees_with(b.wrong, i) ? 1U : 0U;
    }
    return differing > 0 && nearly_all(by_a, differing) && by_b < by_a && !nearly_all(by_b, differing);
  }

 private:
  bool is_sum() const { return result_.array == "ds"; }
  // A bound of ds may be wider than any mistake, and is all that is known where masks are undecided.
  bool looks_closer() const { return is_sum() && result_.truth.admitted == 0; }
  bool agrees_with(const ModelResult& wrong, std::size_t i) const {
    return std::fabs(result_.got[i] - wrong.value[i]) <= wrong.error[i];
  }
  // Few elements tell where they agree to many digits, or are those places alone that the mistake picks.
  std::size_t least_telling(const AutosparseModel& model, bool is_fitted) const {
    if (model.greater_equal && counted_ >= 256) return 2;
    if (result_.array == "mask" && counted_ >= 64) return 16;
    return is_fitted ? 4 : 3;
  }

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

// Both numbers with digits enough to tell them apart.
std::string other_alpha_text(double found, double right) {
  for (int digits = 6; digits < 17; ++digits) {
    const std::string a = fmt::format("{:.{}g}", found, digits), b = fmt::format("{:.{}g}", right, digits);
    if (a != b) return fmt::format("as if alpha were {}, not {}", a, b);
  }
  return fmt::format("as if alpha were {}, not {}", found, right);
}

std::string cause_text(const ModelFit& fit, const Suspicion& suspicion) {
  return fmt::format(
      "cause  {}: {}; {} of {} elements agree with that, and {} of the {} that differ from the right result",
      fit.model.mistake, fit.model.words, fit.agreeing, suspicion.counted(), fit.explained,
      suspicion.outside());
}

// Mistakes that give the same here.
std::string possible_text(const std::vector<ModelFit>& fits, const std::string& array) {
  std::string text;
  for (const ModelFit& fit : fits)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", or ", fit.model.mistake, fit.model.words);
  return fmt::format("note   {} alone cannot tell: could be {}", array, text);
}

}  // namespace

std::vector<std::string> known_mistakes(const AutosparseRequest& r, const AutosparseLayer& layer,
                                        const ExactProducts& g, const AutosparseResult& result) {
  // A result that nobody wrote agrees with many a model.
  if (std::all_of(result.got.begin(), result.got.end(), [](double x) { return x == 0; })) return {};
  const Suspicion suspicion(layer, result);
  if (result.array == "ds") {
    if (auto line = naive_sum(layer, g, result, !suspicion.within_bound())) return {*line};
  }
  if (!suspicion.any()) return {};
  std::vector<ModelFit> fits;
  const auto consider = [&](const AutosparseModel& model, bool is_fitted) {
    constexpr std::size_t few_rows = 4;
    if (result.array == "dx" && layer.batch > 4 * few_rows &&
        !suspicion.may_fit(first_rows_of_model(r, layer, result, model, few_rows)))
      return;
    auto fit = suspicion.fit(model, result_of_model(r, layer, g, result, model), is_fitted);
    const auto is_same = [&](const ModelFit& other) { return other.model.mistake == model.mistake; };
    if (fit && std::none_of(fits.begin(), fits.end(), is_same)) fits.push_back(std::move(*fit));
  };
  for (const AutosparseModel& model : autosparse_models(r, layer)) {
    if (fmt::format(" {} ", model.results).find(fmt::format(" {} ", result.array)) != std::string::npos)
      consider(model, false);
  }
  if (fits.empty() && r.s && (result.array == "mask" || result.array == "v")) {
    if (auto line = inexact_threshold(layer, result, suspicion.all_outside())) return {*line};
  }
  if (fits.empty()) {
    if (const std::optional<double> alpha = fitted_alpha(layer, g, result, suspicion)) {
      AutosparseModel model{.mistake = "other-alpha", .words = other_alpha_text(*alpha, layer.alpha)};
      model.masked = *alpha;
      consider(model, true);
    }
  }
  std::vector<ModelFit> left;
  for (const ModelFit& fit : fits) {
    if (std::none_of(fits.begin(), fits.end(),
                     [&](const ModelFit& other) { return suspicion.is_better(other, fit); }))
      left.push_back(fit);
  }
  if (left.empty()) return {};
  if (left.size() == 1 && left.front().is_certain) return {cause_text(left.front(), suspicion)};
  return {possible_text(left, result.array)};
}

}  // namespace assay::judge
