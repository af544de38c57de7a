// Master weights kept in a narrow format: which masks change, and what follows.
#include <cmath>
#include <string>

#include "validation/studies/gradient_errors.hpp"

namespace assay::studies {
namespace {

class SquareErrors {
 public:
  void add(double truth, double found) {
    squares_ += truth * truth;
    error_squares_ += (found - truth) * (found - truth);
  }
  double relative() const { return squares_ > 0 ? std::sqrt(error_squares_ / squares_) : 0; }

 private:
  double squares_ = 0, error_squares_ = 0;
};

// Of weights under one threshold: masks, v and dX, which do not depend on alpha.
struct RoundedLayer {
  MasterWeights found{};
  std::vector<std::uint8_t> mask{};
};

RoundedLayer rounded_layer(const GradientTruth& t, const PrunedLayer& p, const std::vector<double>& w) {
  RoundedLayer out{.mask = std::vector<std::uint8_t>(w.size())};
  MasterWeights& m = out.found;
  m.width = t.layer.inputs;
  m.sparsity = p.asked.sparsity;
  m.weights = w.size();
  std::vector<double> v(w.size());
  SquareErrors of_v, of_dx;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const auto v_of = [&](double x, bool kept) {
      return kept ? sign_of(x) * (std::fabs(x) - p.threshold64) : 0.0;
    };
    const bool before = p.mask[i] != 0, now = std::fabs(w[i]) > double{p.threshold};
    out.mask[i] = now ? 1 : 0;
    if (before && !now) ++m.lost;
    if (!before && now) ++m.gained;
    v[i] = v_of(w[i], now);
    of_v.add(v_of(t.w64[i], before), v[i]);
  }
  std::vector<std::uint32_t> weight;
  const sparse::CsrStructure entries = t.entries_of(out.mask, weight);
  const std::vector<double> dx = product_of(entries, t.layer.batch, [&](std::size_t e, std::size_t j) {
    return v[weight[e]] * double{t.dy_by_outputs[j]};
  });
  for (std::size_t i = 0; i < dx.size(); ++i) of_dx.add(p.dx[i], dx[i]);
  m.relative = {of_v.relative(), of_dx.relative(), 0, 0};
  return out;
}

}  // namespace

std::vector<MasterWeights> master_weights(const GradientTruth& t, const GradientSeries& series) {
  std::vector<double> w(t.layer.w.size());
  for (std::size_t i = 0; i < w.size(); ++i)
    w[i] = decode(rounded_code(t.layer.w[i], series, t.seed, Operand::weights, i), series.format);
  std::vector<MasterWeights> all;
  for (const PrunedLayer& p : t.pruned) {
    const RoundedLayer layer = rounded_layer(t, p, w);
    for (const double asked_alpha : t.alphas) {
      const double alpha = double{static_cast<float>(asked_alpha)};
      SquareErrors of_dw, of_ds;
      double sum = 0, sum_truth = 0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        const double h = p.mask[i] != 0 ? 1 : alpha, now = layer.mask[i] != 0 ? 1 : alpha;
        of_dw.add(h * t.g[i] + t.lambda * t.w64[i], now * t.g[i] + t.lambda * w[i]);
        sum_truth += sign_of(t.w64[i]) * h * t.g[i];
        sum += sign_of(w[i]) * now * t.g[i];
      }
      const auto ds = [&](double of) {
        return autosparse::s_gradient(p.threshold64, of, double{p.asked.s}, t.lambda);
      };
      of_ds.add(ds(sum_truth), ds(sum));
      MasterWeights& one = all.emplace_back(layer.found);
      one.alpha = asked_alpha;
      one.format = series.format_name;
      one.rounding = std::string(rounding_alias(series.rounding));
      one.relative[static_cast<std::size_t>(Gradient::dw)] = of_dw.relative();
      one.relative[static_cast<std::size_t>(Gradient::ds)] = of_ds.relative();
    }
  }
  return all;
}

}  // namespace assay::studies
