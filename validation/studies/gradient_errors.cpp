#include "validation/studies/gradient_errors.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "validation/studies/distance.hpp"

namespace assay::studies {
namespace {

constexpr double u32 = 0x1p-24, eta32 = 0x1p-150, u64 = 0x1p-53;
constexpr double upward = 1 + 0x1p-40;  // covers the few roundings of a bound in float64

struct Element {
  double truth = 0, found = 0, float32 = 0, bound = 0;
};

// Statistics of elements, in the order in which they are given.
class GradientCounter {
 public:
  explicit GradientCounter(const FormatSpec& result) : result_(result) {}

  // `refused`: outside some other bound.
  void add(const Element& x, bool refused = false) {
    ++e_.elements;
    if (!std::isfinite(x.truth) || !std::isfinite(x.found) || !std::isfinite(x.float32)) {
      ++e_.nonfinite;
      if (refused) ++e_.outside;
      return;
    }
    const double error = x.found - x.truth;
    if (refused || std::fabs(error) > x.bound) ++e_.outside;
    if (error != 0) e_.of_bound = std::max(e_.of_bound, std::fabs(error) / x.bound);
    e_.max_ulp = std::max(e_.max_ulp, std::fabs(error) / ulp_at(x.truth, result_));
    errors_ += error;
    outward_ += sign_of(x.truth) * error;
    magnitudes_ += std::fabs(x.truth);
    error_squares_ += error * error;
    squares_ += x.truth * x.truth;
    found_squares_ += x.found * x.found;
    products_ += x.truth * x.found;
    from_float32_.add(x.float32, x.found - x.float32);
  }
  GradientErrors errors() const {
    GradientErrors e = e_;
    const auto n = static_cast<double>(e.elements - e.nonfinite);
    e.from_float32 = from_float32_.distance();
    if (squares_ > 0) {
      e.relative = std::sqrt(error_squares_ / squares_);
      e.bias = errors_ / n / std::sqrt(squares_ / n);
      e.outward = outward_ / magnitudes_;
    }
    if (squares_ > 0 && found_squares_ > 0)
      e.cosine = products_ / (std::sqrt(squares_) * std::sqrt(found_squares_));
    return e;
  }

 private:
  FormatSpec result_;
  GradientErrors e_{};
  double errors_ = 0, outward_ = 0, magnitudes_ = 0, error_squares_ = 0, squares_ = 0, found_squares_ = 0,
         products_ = 0;
  DistanceCounter from_float32_{};
};

// The bound of each result from the truth: the arithmetic's own, of operands that are off by their slack, and the
// truth's own sums of `depth` terms at most.
template <class Slack>
void add_slack(UnitProduct& product, const sparse::CsrStructure& a, std::size_t cols, std::size_t depth,
               const std::vector<double>& magnitudes, const Slack& slack_of) {
  const std::vector<double> slack = product_of(a, cols, slack_of);
  for (std::size_t i = 0; i < slack.size(); ++i)
    product.bounds[i] =
        (product.bounds[i] + slack[i]) * upward + 2 * static_cast<double>(depth) * u64 * magnitudes[i];
}

// dW and ds from the G of an arithmetic.
GradientPoint point_of(const GradientTruth& t, const GradientSeries& series, const PrunedLayer& p,
                       double asked_alpha, const UnitProduct& product) {
  const double alpha = double{static_cast<float>(asked_alpha)};
  const std::size_t n = t.layer.w.size();
  std::vector<float> dw(n), dw32(n);
  std::vector<double> dw64(n);
  const double ds = t.ds<float>(p, double{p.threshold}, t.layer.w, product.results, alpha, dw),
               ds32 = t.ds<float>(p, double{p.threshold}, t.layer.w, t.g32, alpha, dw32),
               ds64 = t.ds<double>(p, p.threshold64, t.w64, t.g, alpha, dw64);
  GradientCounter of_dw(formats::float32), of_ds(formats::float32);
  double slack = 0, magnitudes = 0, truths = 0, sum = 0;
  std::vector<float> terms(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double h = p.mask[i] != 0 ? 1 : alpha, found = h * std::fabs(double{product.results[i]}),
                 truth = h * std::fabs(t.g[i]);
    terms[i] = static_cast<float>(sign_of(t.w64[i]) * h * double{product.results[i]});
    const double of_g = h == 0 ? 0 : h * product.bounds[i];
    slack += of_g;
    magnitudes += found + truth;
    truths += truth;
    sum += sign_of(t.w64[i]) * h * t.g[i];
    if (h == 0 && t.lambda == 0) continue;
    double bound = of_g + 4 * u64 * (truth + t.lambda * std::fabs(t.w64[i]));
    if (h != 0 && h != 1) bound += u32 * found + eta32;
    if (t.lambda != 0) bound += u32 * std::fabs(double{dw[i]}) + eta32;
    of_dw.add({.truth = dw64[i], .found = double{dw[i]}, .float32 = double{dw32[i]}, .bound = bound * upward},
              product.outside[i] != 0);
  }
  // A term passes one product, the additions of its piece and the tree over pieces; then come the slope and lambda s.
  const double slope = autosparse::threshold_slope(p.threshold64),
               of_slope = std::fabs(autosparse::threshold_slope(double{p.threshold}) - slope) + 2 * u64,
               roundings = 8 + static_cast<double>(autosparse::ds_piece / autosparse::ds_lanes) +
                           std::ceil(std::log2(static_cast<double>(n) + 1)),
               of_sum = (slack + roundings * u64 * magnitudes) * (1 + static_cast<double>(n) * u64);
  const double of_scale = 4 * u64 * (slope * magnitudes + t.lambda * std::fabs(double{p.asked.s}));
  of_ds.add({.truth = ds64,
             .found = ds,
             .float32 = ds32,
             .bound = ((slope + of_slope) * of_sum + of_slope * magnitudes + of_scale) * upward});

  const auto relative = [&](double x) { return ds64 == 0 ? 0 : std::fabs((x - ds64) / ds64); };
  const auto chained = [&](const FormatSpec& f) {
    return autosparse::s_gradient(double{p.threshold}, chain_of(terms, f), double{p.asked.s}, t.lambda);
  };
  const std::uint64_t bf16 = encode(chained(formats::bfloat16), formats::bfloat16).code;
  GradientPoint point{.width = t.layer.inputs,
                      .sparsity = p.asked.sparsity,
                      .kept = p.weight.size(),
                      .threshold = double{p.threshold},
                      .alpha = asked_alpha,
                      .series = series.name(),
                      .format = series.format_name,
                      .rounding = std::string(rounding_alias(series.rounding)),
                      .unit = series.unit.name,
                      .ds = {.terms = static_cast<double>(alpha == 0 ? p.weight.size() : n),
                             .cancellation = sum == 0 ? 0 : truths / std::fabs(sum),
                             .stated = of_ds.errors().relative,
                             .float32_chain = relative(chained(formats::float32)),
                             .bfloat16_chain = relative(decode(bf16, formats::bfloat16))}};
  GradientErrors& errors = point.errors[static_cast<std::size_t>(Gradient::dw)];
  errors = of_dw.errors();
  errors.sum_relative = product.relative;
  errors.sum_of_bound = product.of_bound;
  point.errors[static_cast<std::size_t>(Gradient::ds)] = of_ds.errors();
  return point;
}

struct OfThreshold {
  GradientErrors v{}, dx{};
};

// v and dX.
OfThreshold pruned_errors(const GradientTruth& t, const GradientSeries& series, const PrunedLayer& p,
                          const RoundedOperand& dy) {
  const RoundedOperand v = rounded_operand(p.v32, series, t.seed, Operand::pruned, p.v_slack);
  UnitProduct product = GradientProduct(p.entries, v, dy, t.layer.batch).measured(*series.unit.arithmetic);
  add_slack(product, p.entries, t.layer.batch, t.layer.outputs, p.dx_magnitudes,
            [&](std::size_t e, std::size_t j) {
              const double a = std::fabs(p.v[e]), b = std::fabs(double{t.dy_by_outputs[j]});
              return a * dy.slack[j] + v.slack[e] * (b + dy.slack[j]);
            });
  GradientCounter of_v(series.format), of_dx(formats::float32);
  for (std::size_t e = 0; e < v.values.size(); ++e)
    of_v.add({.truth = p.v[e],
              .found = v.values[e],
              .float32 = double{p.v32[e]},
              .bound = v.slack[e] * upward + u64 * std::fabs(p.v[e])});
  for (std::size_t i = 0; i < product.results.size(); ++i) {
    if (p.entries.view().row_length(static_cast<std::int64_t>(i / t.layer.batch)) == 0) continue;
    of_dx.add({.truth = p.dx[i],
               .found = double{product.results[i]},
               .float32 = double{p.dx32[i]},
               .bound = product.bounds[i]},
              product.outside[i] != 0);
  }
  OfThreshold found{of_v.errors(), of_dx.errors()};
  found.dx.sum_relative = product.relative;
  found.dx.sum_of_bound = product.of_bound;
  return found;
}

}  // namespace

std::vector<GradientPoint> gradient_points(const GradientTruth& t, const GradientSeries& series,
                                           const std::function<void(double)>& show) {
  const auto at = [&](double part) {
    if (show) show(part);
  };
  at(0);
  const RoundedOperand x = rounded_operand(t.layer.x, series, t.seed, Operand::inputs),
                       dy = rounded_operand(t.dy_by_outputs, series, t.seed, Operand::output_gradients);
  UnitProduct g = GradientProduct(t.whole, dy, x, t.layer.inputs).measured(*series.unit.arithmetic);
  add_slack(g, t.whole, t.layer.inputs, t.layer.batch, t.g_magnitudes, [&](std::size_t e, std::size_t j) {
    const double a = std::fabs(double{t.dy_by_outputs[e]}), b = std::fabs(double{t.layer.x[j]});
    return a * x.slack[j] + dy.slack[e] * (b + x.slack[j]);
  });
  at(0.5);
  std::vector<OfThreshold> found;
  for (const PrunedLayer& p : t.pruned) found.push_back(pruned_errors(t, series, p, dy));
  at(0.7);
  std::vector<GradientPoint> points(t.pruned.size() * t.alphas.size());
  parallel_for(points.size(), {0, Share::dynamic, 1}, [&](std::size_t i) {
    const std::size_t k = i / t.alphas.size();
    points[i] = point_of(t, series, t.pruned[k], t.alphas[i % t.alphas.size()], g);
    points[i].errors[static_cast<std::size_t>(Gradient::v)] = found[k].v;
    points[i].errors[static_cast<std::size_t>(Gradient::dx)] = found[k].dx;
  });
  return points;
}

}  // namespace assay::studies
