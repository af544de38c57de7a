// Central differences: the gradient that a small network's layers get is that of the surrogate, and of the loss itself
// where alpha = 0.
#include <fmt/format.h>

#include <cmath>

#include "reference/core/random.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/autosparse/surrogate.hpp"

namespace assay::suites::ladder {
namespace {

// y = W2~ tanh(W1~ x), L = |y - target|^2 / 2 + decay.
struct Network {
  Layer<double> first, second;
  std::vector<double> target;

  Network(double alpha, std::uint64_t seed) {
    const CounterRandom random(seed, 51);
    std::uint64_t i = 0;
    const auto set = [&](Layer<double>& layer, const LayerShape& shape, std::vector<double> s) {
      layer.shape = shape;
      layer.batch = 5;
      layer.scales = {alpha, 0.01, 0.02};
      for (const double one : s) layer.thresholds.push_back(autosparse::threshold_of(one));
      layer.s = std::move(s);
      for (std::size_t k = 0; k < shape.size(); ++k)
        layer.w.push_back(off_kinks(layer.thresholds[layer.group(k)], random, i));
    };
    set(first, {8, 6}, {-1.1});
    set(second, {3, 8}, {-1.3, -0.9, -1.0});
    for (std::size_t k = 0; k < first.batch * 6; ++k) first.x.push_back(random.normal(i++));
    for (std::size_t k = 0; k < first.batch * 3; ++k) target.push_back(random.normal(i++));
  }

  // Sums over what a path says: forward, then backward through both layers.
  std::vector<double> gradient(const Path<double>& path) {
    Step<double> of_first, of_second;
    first.dy.assign(first.batch * 8, 0);
    second.dy.assign(first.batch * 3, 0);
    path.forward(first, of_first);
    path.products(first, of_first);
    second.x.clear();
    for (const double y : of_first.y) second.x.push_back(std::tanh(y));
    path.forward(second, of_second);
    path.products(second, of_second);
    for (std::size_t i = 0; i < target.size(); ++i) second.dy[i] = of_second.y[i] - target[i];
    path.products(second, of_second);
    path.backward(second, of_second);
    for (std::size_t i = 0; i < first.dy.size(); ++i)
      first.dy[i] = of_second.dx[i] * (1 - second.x[i] * second.x[i]);
    path.products(first, of_first);
    path.backward(first, of_first);
    std::vector<double> all = of_first.dw;
    for (const auto* const part : {&of_first.ds, &of_second.dw, &of_second.ds})
      all.insert(all.end(), part->begin(), part->end());
    return all;
  }

  // Where all parameters stand, in the order of gradient().
  template <class Real>
  std::vector<Real> parameters() const {
    std::vector<Real> all;
    for (const auto* const part : {&first.w, &first.s, &second.w, &second.s})
      for (const double x : *part) all.push_back(static_cast<Real>(x));
    return all;
  }

  // `alpha` of the surrogate; the loss itself has 0, whatever the layers have.
  template <class Real>
  Real value(const std::vector<Real>& parameters, double alpha) const {
    Real loss = 0;
    std::size_t at = 0;
    const auto product = [&](const Layer<double>& layer, const std::vector<Real>& x) {
      const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
      const Real* const w = &parameters[at];
      const Real* const s = w + layer.shape.size();
      at += layer.shape.size() + layer.s.size();
      std::vector<Real> y(layer.batch * channels);
      for (std::size_t i = 0; i < layer.shape.size(); ++i) {
        const std::size_t group = layer.group(i);
        const Real v = surrogate_weight<Real>(w[i], s[group], layer.w[i], layer.s[group], alpha);
        for (std::size_t b = 0; b < layer.batch; ++b)
          y[b * channels + i / inputs] += v * x[b * inputs + i % inputs];
        loss += static_cast<Real>(layer.scales.lambda) / 2 * w[i] * w[i];
      }
      for (std::size_t t = 0; t < layer.s.size(); ++t)
        loss += static_cast<Real>(layer.scales.lambda_s) / 2 * s[t] * s[t];
      return y;
    };
    std::vector<Real> hidden = product(first, {first.x.begin(), first.x.end()});
    for (Real& x : hidden) x = std::tanh(x);
    const std::vector<Real> y = product(second, hidden);
    for (std::size_t i = 0; i < y.size(); ++i)
      loss += (y[i] - static_cast<Real>(target[i])) * (y[i] - static_cast<Real>(target[i])) / 2;
    return loss;
  }

  template <class Real>
  std::vector<double> differences(Real h, double alpha) const {
    std::vector<Real> at = parameters<Real>();
    std::vector<double> all;
    for (Real& x : at) {
      const Real middle = x;
      x = middle + h;
      const Real up = value(at, alpha);
      x = middle - h;
      all.push_back(static_cast<double>((up - value(at, alpha)) / (2 * h)));
      x = middle;
    }
    return all;
  }
};

// Truncation, h^2 times a third derivative, and rounding, an epsilon over h.
constexpr double double_step = 1e-5, in_double_limit = 2e-9, in_long_double_limit = 2e-11;
constexpr long double long_double_step = 1e-6L;

double most(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

CaseResult difference_case(double alpha, bool in_long_double, const RunContext& context) {
  Expectations found("central differences of the surrogate", "no gradient of the surrogate");
  found.figure("largest distance",
               ask_for_differences(DefinitionPath<double>(), alpha, in_long_double, context.seed, found));
  return found.result();
}

// The loss itself: its gradient where alpha = 0, and far from it elsewhere.
CaseResult loss_case(double alpha, const RunContext& context) {
  Expectations found("central differences of the loss itself", "as far from the loss as it should not be");
  Network network(alpha, context.seed);
  const std::vector<double> got = network.gradient(DefinitionPath<double>());
  const double distance = most(got, network.differences<long double>(long_double_step, 0));
  found.expect(alpha == 0 ? distance < in_long_double_limit : distance > 1e-3,
               [&] { return fmt::format("alpha {}: distance {:.3g}", alpha, distance); });
  found.figure("largest distance", distance);
  return found.result();
}

}  // namespace

double ask_for_differences(const Path<double>& path, double alpha, bool in_long_double, std::uint64_t seed,
                           Expectations& found) {
  Network network(alpha, seed);
  const std::vector<double> got = network.gradient(path);
  const std::vector<double> want = in_long_double ? network.differences<long double>(long_double_step, alpha)
                                                  : network.differences<double>(double_step, alpha);
  const double limit = in_long_double ? in_long_double_limit : in_double_limit;
  for (std::size_t i = 0; i < want.size(); ++i)
    found.expect(std::fabs(got[i] - want[i]) <= limit, [&] {
      return fmt::format("parameter {} of {}: {}, not {}", i, want.size(), got[i], want[i]);
    });
  return most(got, want);
}

void add_difference_cases(const RunContext& context, std::vector<Case>& cases) {
  const std::string seed = std::to_string(context.seed);
  for (const double alpha : {0.0, 0.25, 0.5, 1.0}) {
    for (const bool in_long_double : {false, true})
      cases.push_back(
          {in_long_double ? "differences/long_double" : "differences/float64",
           {{"alpha", fmt::format("{}", alpha)}, {"seed", seed}},
           [alpha, in_long_double](const RunContext& c) { return difference_case(alpha, in_long_double, c); },
           true});
  }
  for (const double alpha : {0.0, 0.5})
    cases.push_back({"differences/loss",
                     {{"alpha", fmt::format("{}", alpha)}, {"seed", seed}},
                     [alpha](const RunContext& c) { return loss_case(alpha, c); },
                     true});
}

}  // namespace assay::suites::ladder
