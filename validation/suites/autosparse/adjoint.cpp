// Identities that hold whatever the numbers are: adjoints, directional derivatives of a whole layer, and float32 beside
// float64 under the same masks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/core/random.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/sparse/spmm.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/autosparse/surrogate.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::ladder {
namespace {

constexpr double u = 0x1p-24;

// Sums of magnitudes behind y, dx and g, with v as it is in double; an upper bound of each.
struct Magnitudes {
  std::vector<double> y, dx, g;
  std::vector<std::uint64_t> kept_of_channel, kept_of_input;

  Magnitudes(const Layer<double>& layer, const std::vector<double>& v)
      : y(layer.dy.size()),
        dx(layer.x.size()),
        g(v.size()),
        kept_of_channel(layer.shape.channels),
        kept_of_input(layer.shape.per_channel) {
    const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
    for (std::size_t o = 0; o < channels; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        const std::size_t at = o * inputs + i;
        kept_of_channel[o] += v[at] != 0 ? 1 : 0;
        kept_of_input[i] += v[at] != 0 ? 1 : 0;
        for (std::size_t b = 0; b < layer.batch; ++b) {
          const double x = layer.x[b * inputs + i], d = layer.dy[b * channels + o];
          y[b * channels + o] += std::fabs(v[at] * x);
          dx[b * inputs + i] += std::fabs(v[at] * d);
          g[at] += std::fabs(x * d);
        }
      }
    }
    // Sums of at most 2^20 terms in double.
    for (auto* const all : {&y, &dx, &g}) {
      for (double& value : *all) value *= 1 + 0x1p-30;
    }
  }
};

// Of float32 products of a v that was rounded, from exact products of the exact v; double's own roundings too.
double product_error(std::uint64_t terms, double magnitudes, bool of_v) {
  const double moved = of_v ? u * magnitudes : 0;
  return chain_error(terms, magnitudes + moved) + moved + 0x1p-30 * u * magnitudes;
}

template <class Real>
double inner(const std::vector<Real>& a, const std::vector<Real>& b) {
  return decode(exact_dot(a.data(), b.data(), a.size()).rounded(formats::float64).code, formats::float64);
}

CaseResult adjoint_case(const sparse::SpmmKernel& kernel, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  Expectations found("<dX, X> = <dY, Y> = <G, W~>", "products are not each other's adjoints");
  const LibraryPath path({.kernel = nullptr, .products = kernel.name, .threads = 1});
  for (const bool bf16 : {false, true})
    ask_for_adjoints(path, whole_layer(256, true, bf16, context.seed), true, found);
  ask_for_adjoints(path, random_layer({.shape = {70, 210}, .batch = 21, .by_channel = true}, context.seed),
                   false, found);
  return found.result();
}

// --- float32 beside float64 ------------------------------------------------------------------------------------------

CaseResult double_case(const RandomLayer& of, const RunContext& context) {
  Expectations found("the same step in float64, under the same masks", "further from float64 than its bound");
  const Layer<float> layer = random_layer(of, context.seed);
  const Layer<double> wide = in_double(layer);
  const Step<float> got = LibraryPath().run(layer);
  const Step<double> want = DefinitionPath<double>().run(wide);
  found.expect(got.mask == want.mask, [] { return std::string("masks differ"); });
  const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
  const Magnitudes of_sums(wide, want.v);
  const auto compare = [&](const char* what, const auto& a, const auto& b, const auto& bound_of) {
    double largest = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
      const double error = std::fabs(static_cast<double>(a[i]) - b[i]), bound = bound_of(i);
      if (error > 0) largest = std::max(largest, error / bound);
      found.expect(error <= bound,
                   [&] { return fmt::format("{} {}: {}, not {} +- {:.3g}", what, i, a[i], b[i], bound); });
    }
    found.figure(fmt::format("{} error/bound", what), largest);
  };
  compare("v", got.v, want.v, [&](std::size_t i) { return u * std::fabs(want.v[i]) + 0x1p-150; });
  compare("y", got.y, want.y, [&](std::size_t i) {
    return product_error(of_sums.kept_of_channel[i % channels], of_sums.y[i], true);
  });
  compare("dX", got.dx, want.dx, [&](std::size_t i) {
    return product_error(of_sums.kept_of_input[i % inputs], of_sums.dx[i], true);
  });
  const auto of_g = [&](std::size_t i) { return product_error(layer.batch, of_sums.g[i], false); };
  compare("G", got.g, want.g, of_g);
  const auto h = [&](std::size_t i) { return want.mask[i] == 1 ? 1 : wide.scales.alpha; };
  compare("dw", got.dw, want.dw, [&](std::size_t i) {
    // alpha G and the fused sum are rounded to float32 each.
    const BoundedValue t = (BoundedValue{h(i), 0} * BoundedValue{std::fabs(want.g[i]), of_g(i)})
                               .rounded(formats::float32, Rounding::nearest_even);
    const BoundedValue decay{wide.scales.lambda * std::fabs(wide.w[i]) * (1 + 0x1p-50), 0};
    const double sum = (t + decay).rounded(formats::float32, Rounding::nearest_even).error;
    return sum * (1 + 0x1p-40);
  });
  std::vector<double> of_ds(wide.thresholds.size()), size(of_ds.size());
  for (std::size_t i = 0; i < want.g.size(); ++i) {
    of_ds[layer.group(i)] += h(i) * of_g(i);
    size[layer.group(i)] += h(i) * of_sums.g[i];
  }
  compare("ds", got.ds, want.ds, [&](std::size_t t) {
    const double slope = autosparse::threshold_slope(wide.thresholds[t]);
    // Both sums and their factors in double: fewer than 2^10 roundings on a path.
    return (slope * (of_ds[t] + 0x1p-43 * size[t]) + 0x1p-50 * std::fabs(want.ds[t])) * (1 + 0x1p-30);
  });
  return found.result();
}

// --- directional derivatives -----------------------------------------------------------------------------------------

// L = sum c y + q y^2 / 2 of one layer whose channels have thresholds of their own.
struct Objective {
  Layer<double> layer;
  std::vector<double> c;
  double q = 0.3;

  explicit Objective(double alpha, std::uint64_t seed) {
    layer.shape = {24, 31};
    layer.batch = 6;
    layer.scales = {alpha, 0.01, 0.02};
    const CounterRandom random(seed, 41);
    std::uint64_t i = 0;
    for (std::size_t o = 0; o < layer.shape.channels; ++o) {
      layer.s.push_back(-1.2 + 0.05 * static_cast<double>(o));
      layer.thresholds.push_back(autosparse::threshold_of(layer.s[o]));
      for (std::size_t k = 0; k < layer.shape.per_channel; ++k)
        layer.w.push_back(off_kinks(layer.thresholds[o], random, i));
      // Kinks, nearer than a step: a weight at the threshold, and one at 0.
      if (o % 8 == 3) layer.w.back() = layer.thresholds[o] + 1e-9;
      if (o % 8 == 6) layer.w.back() = 1e-9;
    }
    for (std::size_t k = 0; k < layer.batch * layer.shape.per_channel; ++k)
      layer.x.push_back(random.normal(i++));
    for (std::size_t k = 0; k < layer.batch * layer.shape.channels; ++k) c.push_back(random.normal(i++));
  }

  // At (w, s, x), the surrogate's offsets taken at the layer's own.
  long double value(const std::vector<long double>& w, const std::vector<long double>& s,
                    const std::vector<long double>& x) const {
    const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
    long double sum = 0;
    std::vector<long double> v(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      v[i] = surrogate_weight<long double>(w[i], s[i / inputs], layer.w[i], layer.s[i / inputs],
                                           layer.scales.alpha);
      sum += static_cast<long double>(layer.scales.lambda) / 2 * w[i] * w[i];
    }
    for (const long double one : s) sum += static_cast<long double>(layer.scales.lambda_s) / 2 * one * one;
    for (std::size_t b = 0; b < layer.batch; ++b) {
      for (std::size_t o = 0; o < channels; ++o) {
        long double y = 0;
        for (std::size_t i = 0; i < inputs; ++i) y += v[o * inputs + i] * x[b * inputs + i];
        sum += c[b * channels + o] * y + q * y * y / 2;
      }
    }
    return sum;
  }
};

CaseResult directional_case(double alpha, const RunContext& context) {
  Expectations found("central differences of the surrogate in long double", "no directional derivative");
  Objective of(alpha, context.seed);
  Layer<double>& layer = of.layer;
  const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
  const DefinitionPath<double> path;
  Step<double> step;
  path.forward(layer, step);
  layer.dy.assign(of.c.size(), 0);
  path.products(layer, step);
  for (std::size_t i = 0; i < layer.dy.size(); ++i) layer.dy[i] = of.c[i] + of.q * step.y[i];
  path.products(layer, step);
  path.backward(layer, step);

  constexpr long double h = 1e-6L;
  std::uint64_t skipped = 0;
  double largest = 0;
  const CounterRandom random(context.seed, 42);
  // A direction moves one channel's weights and threshold, and all of x.
  for (std::size_t o = 0; o < channels; ++o) {
    std::vector<long double> d_w(layer.w.size()), d_s(channels), d_x(layer.x.size());
    for (std::size_t i = 0; i < inputs; ++i) d_w[o * inputs + i] = random.normal(o * 1000 + i);
    d_s[o] = random.normal(o * 1000 + 500);
    for (std::size_t i = 0; i < d_x.size(); ++i) d_x[i] = random.normal(o * 1000 + 600 + i);
    const auto at = [](const std::vector<double>& from, const std::vector<long double>& d, long double t) {
      std::vector<long double> to(from.begin(), from.end());
      for (std::size_t i = 0; i < to.size(); ++i) to[i] += t * d[i];
      return to;
    };
    const auto up_w = at(layer.w, d_w, h), down_w = at(layer.w, d_w, -h), up_s = at(layer.s, d_s, h),
               down_s = at(layer.s, d_s, -h);
    bool kink = false;
    for (std::size_t i = o * inputs; i < (o + 1) * inputs; ++i)
      kink = kink || crosses_kink(up_w[i], up_s[o], down_w[i], down_s[o]);
    if (kink) {
      ++skipped;
      continue;
    }
    const long double wanted =
        (of.value(up_w, up_s, at(layer.x, d_x, h)) - of.value(down_w, down_s, at(layer.x, d_x, -h))) /
        (2 * h);
    long double got = static_cast<long double>(step.ds[o]) * d_s[o], size = std::fabs(got);
    const auto add = [&](double gradient, long double direction) {
      got += gradient * direction;
      size += std::fabs(gradient * direction);
    };
    for (std::size_t i = o * inputs; i < (o + 1) * inputs; ++i) add(step.dw[i], d_w[i]);
    for (std::size_t i = 0; i < d_x.size(); ++i) add(step.dx[i], d_x[i]);
    const auto error = static_cast<double>(std::fabs(got - wanted) / size);
    largest = std::max(largest, error);
    found.expect(error < 1e-10, [&] {
      return fmt::format("channel {}: {}, not {}", o, static_cast<double>(got), static_cast<double>(wanted));
    });
  }
  // Those with a weight at a kink, and no others.
  found.expect(skipped == 6, [&] { return fmt::format("{} directions cross a kink", skipped); });
  found.figure("largest relative distance", largest);
  found.figure("skipped at kinks", static_cast<double>(skipped), "directions");
  return found.result();
}

}  // namespace

void ask_for_adjoints(const Path<float>& path, const Layer<float>& layer, bool exactly, Expectations& found) {
  const Step<float> step = path.run(layer);
  const double of_dx = inner(step.dx, layer.x), of_y = inner(step.y, layer.dy), of_g = inner(step.g, step.v);
  double bound = 0;
  if (!exactly) {
    const Layer<double> wide = in_double(layer);
    const std::vector<double> v(step.v.begin(), step.v.end());
    const Magnitudes of_sums(wide, v);
    const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
    for (std::size_t i = 0; i < wide.x.size(); ++i)
      bound += std::fabs(wide.x[i]) * chain_error(of_sums.kept_of_input[i % inputs], of_sums.dx[i]);
    for (std::size_t i = 0; i < wide.dy.size(); ++i)
      bound += std::fabs(wide.dy[i]) * chain_error(of_sums.kept_of_channel[i % channels], of_sums.y[i]);
    for (std::size_t i = 0; i < v.size(); ++i)
      bound += std::fabs(v[i]) * chain_error(layer.batch, of_sums.g[i]);
  }
  found.expect(of_y != 0, [] { return std::string("<dY, Y> is 0"); });
  for (const auto& [what, value] : {std::pair("<dX, X>", of_dx), std::pair("<G, W~>", of_g)})
    found.expect(std::fabs(value - of_y) <= bound, [&, name = what, got = value] {
      return fmt::format("{} is {}, and <dY, Y> is {} +- {:.3g}", name, got, of_y, bound);
    });
}

void add_adjoint_cases(const RunContext& context, std::vector<Case>& cases) {
  const std::string seed = std::to_string(context.seed);
  for (const sparse::SpmmKernel& kernel : sparse::spmm_kernels())
    cases.push_back({"adjoint/" + std::string(kernel.name),
                     {{"seed", seed}},
                     [&kernel](const RunContext& c) { return adjoint_case(kernel, c); },
                     true});
  for (const double alpha : {0.0, 0.5, 1.0})
    cases.push_back({"directional/layer",
                     {{"alpha", fmt::format("{}", alpha)}, {"seed", seed}},
                     [alpha](const RunContext& c) { return directional_case(alpha, c); },
                     true});
  std::vector<RandomLayer> layers{{{37, 90}, 11, 0.5, true}, {{64, 576}, 20, 0.9, false}};
  if (context.scale != Scale::quick) layers.push_back({{300, 784}, 20, 0.8, true});
  for (const RandomLayer& of : layers)
    cases.push_back({"float64/layer",
                     {{"layer", text_of(of.shape)},
                      {"batch", std::to_string(of.batch)},
                      {"sparsity", fmt::format("{}", of.sparsity)},
                      {"thresholds", of.by_channel ? "channels" : "one"},
                      {"seed", seed}},
                     [of](const RunContext& c) { return double_case(of, c); },
                     true});
}

}  // namespace assay::suites::ladder
