#include "validation/judge/autosparse_rounding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace assay::judge {
namespace {

using Terms = std::span<const float>;

float one_by_one(Terms x) {
  float sum = 0;
  for (const float term : x) sum += term;
  return sum;
}

float by_halves(Terms x) {
  if (x.size() <= 2) return one_by_one(x);
  const std::size_t half = x.size() / 2;
  return by_halves(x.first(half)) + by_halves(x.subspan(half));
}

// NumPy's pairwise sum: eight lanes in blocks of up to 128.
float by_blocks(Terms x) {
  if (x.size() < 8) return one_by_one(x);
  if (x.size() > 128) {
    const std::size_t half = x.size() / 2 - x.size() / 2 % 8;
    return by_blocks(x.first(half)) + by_blocks(x.subspan(half));
  }
  std::array<float, 8> lane{};
  std::copy_n(x.begin(), 8, lane.begin());
  std::size_t i = 8;
  for (; i + 8 <= x.size(); i += 8) {
    for (std::size_t l = 0; l < 8; ++l) lane[l] += x[i + l];
  }
  float sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  for (; i < x.size(); ++i) sum += x[i];
  return sum;
}

float in_double(Terms x) {
  double sum = 0;
  for (const float term : x) sum += static_cast<double>(term);
  return static_cast<float>(sum);
}

// The terms of one threshold, as float32 has them.
std::vector<float> terms_of(const AutosparseLayer& layer, const ExactProducts& g, std::size_t t) {
  std::vector<float> terms;
  const std::size_t count = layer.size() / layer.threshold.size();
  for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
    if (layer.supported[i] == 0) continue;
    const auto gradient = static_cast<float>(g.value[i].hi), sign = static_cast<float>(sign_of(layer.w[i]));
    terms.push_back(sign * (layer.kept[i] != 0 ? gradient : static_cast<float>(layer.alpha) * gradient));
  }
  return terms;
}

// What follows the sum, in the orders that programs have.
std::array<float, 4> after_sum(const AutosparseLayer& layer, std::size_t t, float sum) {
  const auto threshold = static_cast<float>(layer.threshold[t]);
  const double wide = layer.threshold[t];
  const double decay = layer.s.empty() ? 0 : layer.lambda_s * layer.s[t];
  const float added =
      layer.s.empty() ? 0 : static_cast<float>(layer.lambda_s) * static_cast<float>(layer.s[t]);
  return {-(threshold * (1 - threshold)) * sum + added, (-threshold * sum) * (1 - threshold) + added,
          static_cast<float>(-wide * (1 - wide)) * sum + added,
          static_cast<float>(-wide * (1 - wide) * static_cast<double>(sum) + decay)};
}

bool is_after(const AutosparseLayer& layer, std::size_t t, float sum, double got) {
  const std::array<float, 4> ways = after_sum(layer, t, sum);
  return std::any_of(ways.begin(), ways.end(), [&](float x) { return static_cast<double>(x) == got; });
}

// Those that one T must tell apart: the largest masked |w| and the smallest kept one, by a mask.
struct Gap {
  double masked = 0, kept = std::numeric_limits<double>::infinity();
};

// How far the nearest T that gives a threshold's mask lies from the right one, in units of its reach; negative: none
// does.
double mask_distance(const AutosparseLayer& layer, const std::vector<double>& got, std::size_t t,
                     std::size_t count) {
  Gap gap;
  for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
    const double w = std::fabs(layer.w[i]);
    if (got[i] != 0)
      gap.kept = std::min(gap.kept, w);
    else
      gap.masked = std::max(gap.masked, w);
  }
  if (gap.masked >= gap.kept) return -1;
  const double threshold = layer.threshold[t];
  // |w| > T: T in [masked, kept), which lies below the smallest kept one by something.
  if (threshold < gap.kept) return std::max(gap.masked - threshold, 0.0) / layer.reach[t];
  return (threshold - gap.kept) / layer.reach[t] + 0x1p-20;
}

// The same of v: the offset that the smallest v have, if all have it. Large ones do not show it.
double v_distance(const AutosparseLayer& layer, const AutosparseResult& result, std::size_t t,
                  std::size_t count) {
  const double u = unit_roundoff(coarser(layer.products.accumulator, result.format), Rounding::nearest_even);
  const double threshold = layer.threshold[t], reach = layer.reach[t];
  const auto error_at = [&](double v) { return u * (2 * std::fabs(v) + threshold); };
  std::vector<std::pair<double, double>> kept;  // v, its offset
  for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
    if (!std::isfinite(result.got[i])) return -1;
    if (layer.kept[i] == 0 || layer.undecided[i] != 0) continue;
    const double v = sign_of(layer.w[i]) * result.got[i];
    if (v > 0) kept.emplace_back(v, std::fabs(layer.w[i]) - v - threshold);
  }
  if (kept.size() < 3) return -1;
  std::sort(kept.begin(), kept.end());
  std::vector<double> offsets;
  for (std::size_t i = 0; i < std::max<std::size_t>(3, kept.size() / 8); ++i)
    offsets.push_back(kept[i].second);
  std::sort(offsets.begin(), offsets.end());
  const double middle = offsets[offsets.size() / 2];
  std::size_t telling = 0;
  for (std::size_t i = t * count; i < (t + 1) * count; ++i) {
    const double v = std::max(std::fabs(layer.w[i]) - threshold - middle, 0.0);
    if (!(std::fabs(sign_of(layer.w[i]) * result.got[i] - v) <= 2 * error_at(v))) return -1;
    telling += v > 0 && std::fabs(middle) > reach + 2 * error_at(v) ? 1U : 0U;
  }
  return telling < 3 ? -1 : std::fabs(middle) / reach;
}

}  // namespace

std::optional<std::string> naive_sum(const AutosparseLayer& layer, const ExactProducts& g,
                                     const AutosparseResult& result, bool is_wrong) {
  if (layer.weights == formats::float64 || layer.size() == 0 || result.format != formats::float32)
    return std::nullopt;
  constexpr double few = 16 * 0x1p-24;
  std::size_t far = 0, alike = 0, apart = 0;
  double worst = 0, pairwise = 0;
  for (std::size_t t = 0; t < layer.threshold.size(); ++t) {
    const double right = result.truth.truth[t], got = result.got[t], error = std::fabs(got - right);
    if (error <= few * std::fabs(right)) continue;
    ++far;
    const std::vector<float> terms = terms_of(layer, g, t);
    if (!is_after(layer, t, one_by_one(terms), got)) return std::nullopt;
    ++alike;
    bool is_other = false;
    for (const float sum : {by_halves(terms), by_blocks(terms), in_double(terms)})
      is_other = is_other || is_after(layer, t, sum, got);
    apart += is_other ? 0U : 1U;
    worst = std::max(worst, error / std::fabs(right));
    pairwise =
        std::max(pairwise, std::fabs(static_cast<double>(after_sum(layer, t, by_halves(terms))[0]) - right) /
                               std::fabs(right));
  }
  // A pairwise sum that errs alike has its error from terms that cancel.
  if (far == 0 || 2 * apart <= alike || !std::isfinite(worst) || 4 * pairwise > worst) return std::nullopt;
  return fmt::format(
      "{} ds has the bits of a sequential float32 sum of {} terms, whose rounding makes a relative error of "
      "{:.2g}; a pairwise sum of them has one of {:.2g}",
      is_wrong ? "cause  naive-float32-sum:" : "note   naive-float32-sum:",
      layer.size() / layer.threshold.size(), worst, pairwise);
}

std::optional<std::string> inexact_threshold(const AutosparseLayer& layer, const AutosparseResult& result,
                                             const std::vector<std::uint8_t>& outside) {
  // An ulp of bfloat16 is up to 2^-7 of T: no more than a few are the rounding of a sigmoid.
  const bool narrow = layer.weights.precision < 24;
  const double most = narrow ? 4 : 64;
  const auto wrong = static_cast<std::size_t>(std::count(outside.begin(), outside.end(), 1));
  if (narrow && wrong < 16) return std::nullopt;
  double furthest = 0;
  const std::size_t count = layer.size() / layer.threshold.size();
  for (std::size_t t = 0; t < layer.threshold.size(); ++t) {
    const auto first = outside.begin() + static_cast<std::ptrdiff_t>(t * count);
    if (std::find(first, first + static_cast<std::ptrdiff_t>(count), 1) ==
        first + static_cast<std::ptrdiff_t>(count))
      continue;
    const double distance = result.array == "mask" ? mask_distance(layer, result.got, t, count)
                                                   : v_distance(layer, result, t, count);
    if (distance < 0) return std::nullopt;
    furthest = std::max(furthest, distance);
  }
  if (furthest <= 1 || furthest > most) return std::nullopt;
  return fmt::format(
      "cause  threshold-inexact: as if T were some {:.0f} ulp of {} off the correctly rounded sigmoid of s; "
      "one is accepted",
      std::ceil(furthest), layer.weights.dtype);
}

}  // namespace assay::judge
