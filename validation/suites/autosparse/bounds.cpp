// Every result within its proven bound of the exact one, and how far those of bfloat16 operands are from float32's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "reference/autosparse/layer.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_sum.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/rounding_distance.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::ladder {
namespace {

constexpr std::uint64_t most_judged = 1 << 16;
constexpr Rounding nearest = Rounding::nearest_even;

io::Array array_of(const std::vector<float>& values, std::size_t rows) {
  io::Array out = io::make_array(
      formats::float32, {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(values.size() / rows)});
  std::ranges::copy(values, out.as<float>().begin());
  return out;
}

// Row-major, turned.
std::vector<float> turned(const std::vector<float>& values, std::size_t rows) {
  const std::size_t cols = values.size() / rows;
  std::vector<float> out(values.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) out[j * rows + i] = values[i * cols + j];
  }
  return out;
}

// The judge on got = (A B^T)^T: a sparse A and rows of B a batch.
double judge_sparse(const char* what, const sparse::Csr<float>& a, const std::vector<float>& b,
                    std::size_t batch, const std::vector<float>& got, Tally& tally) {
  judge::Request r;
  r.operation = "spmm";
  r.sparse = sparse_array(a);
  r.b = array_of(b, batch);
  r.transpose_b = true;
  r.given.insert("transpose-b");
  r.got = array_of(turned(got, batch), static_cast<std::size_t>(a.rows()));
  r.threads = 1;
  return judge_by_bound(std::move(r), arithmetics().find("chain_f32_fused"), what, tally);
}

double judge_gradient(const Layer<float>& layer, const std::vector<float>& g, std::uint64_t most,
                      std::uint64_t seed, Tally& tally) {
  judge::Request r;
  r.operation = "gemm";
  r.a = array_of(layer.dy, layer.batch);
  r.transpose_a = true;
  r.given.insert("transpose-a");
  r.b = array_of(layer.x, layer.batch);
  r.got = array_of(g, layer.shape.channels);
  if (g.size() > most) r.sample = most;
  r.seed = seed;
  r.threads = 1;
  return judge_by_bound(std::move(r), arithmetics().find("chain_f32_fused"), "g", tally);
}

// |got - exact| over a bound; of a bound of 0, whether anything is left.
double over(ExactSum exact, double got, double bound) {
  exact.add(-got);
  const double error = exact.magnitude_up();
  return error == 0 ? 0 : error / bound;
}

double weight_overs(const Layer<float>& layer, const Step<float>& step, std::uint64_t most,
                    Expectations& found) {
  const double alpha = static_cast<double>(static_cast<float>(layer.scales.alpha)),
               lambda = static_cast<double>(static_cast<float>(layer.scales.lambda));
  const std::size_t n = layer.shape.size(), stride = n / most + 1;
  double largest = 0;
  for (std::size_t i = 0; i < n; i += stride) {
    const bool kept = std::fabs(layer.w[i]) > layer.thresholds[layer.group(i)];
    const double g = static_cast<double>(step.g[i]), w = static_cast<double>(layer.w[i]),
                 h = kept ? 1 : alpha;
    ExactSum exact;
    exact.add_product(h, g);
    exact.add_product(lambda, w);
    BoundedValue t{upward::multiply(h, std::fabs(g)), 0};
    if (!kept) t = t.rounded(formats::float32, nearest);
    const BoundedValue decayed = t + BoundedValue{upward::multiply(lambda, std::fabs(w)), 0};
    const double bound = lambda == 0 ? t.error : decayed.rounded(formats::float32, nearest).error;
    const double share = over(exact, static_cast<double>(step.dw[i]), bound);
    largest = std::max(largest, share);
    found.expect(share <= 1, [&] { return fmt::format("dw {}: error over bound {:.4g}", i, share); });
  }
  return largest;
}

double threshold_overs(const Layer<float>& layer, const Step<float>& step, Expectations& found) {
  const double alpha = static_cast<double>(static_cast<float>(layer.scales.alpha));
  const std::size_t groups = layer.thresholds.size(), each = layer.shape.size() / groups;
  double largest = 0;
  for (std::size_t t = 0; t < groups; ++t) {
    ExactSum sum, magnitudes;
    for (std::size_t i = t * each; i < (t + 1) * each; ++i) {
      const float w = layer.w[i];
      if (w == 0) continue;
      const double h = std::fabs(w) > layer.thresholds[t] ? 1 : alpha, g = static_cast<double>(step.g[i]);
      sum.add_product(w > 0 ? h : -h, g);
      magnitudes.add_product(h, std::fabs(g));
    }
    // 256 terms a lane, 4 additions among lanes, then the pieces.
    const double path = 256 + 4 + std::ceil(std::log2(static_cast<double>(each / 4096 + 1)));
    const double threshold = static_cast<double>(layer.thresholds[t]), size = magnitudes.rounded_up();
    const BoundedValue of_sum{
        size, upward::multiply(upward::compound(0x1p-53, static_cast<std::uint64_t>(path)), size)};
    const BoundedValue rest = BoundedValue{upward::add(1, -threshold), 0}.rounded(formats::float64, nearest);
    const BoundedValue slope = (BoundedValue{threshold, 0} * rest).rounded(formats::float64, nearest);
    const BoundedValue product = (slope * of_sum).rounded(formats::float64, nearest);
    const BoundedValue decay =
        BoundedValue{upward::multiply(layer.scales.lambda_s, std::fabs(layer.s[t])), 0}.rounded(
            formats::float64, nearest);
    // -T (1 - T) sum + lambda_s s, exactly: T^2 sum - T sum + lambda_s s.
    sum.multiply(exact(threshold));
    ExactSum all = sum;
    all.multiply(exact(threshold));
    sum.negate();
    all.merge(sum);
    all.add_product(layer.scales.lambda_s, layer.s[t]);
    const double share = over(all, step.ds[t], (product + decay).rounded(formats::float64, nearest).error);
    largest = std::max(largest, share);
    found.expect(share <= 1, [&] { return fmt::format("ds {}: error over bound {:.4g}", t, share); });
  }
  return largest;
}

// --- bfloat16 beside float32 -----------------------------------------------------------------------------------------

void compare_with_float32(const Layer<float>& layer, const Step<float>& want, const Step<float>& got,
                          Expectations& found) {
  const std::size_t batch = layer.batch, channels = layer.shape.channels, inputs = layer.shape.per_channel;
  const auto size = [](float a, float b) {
    return std::fabs(static_cast<double>(a) * static_cast<double>(b));
  };
  found.expect(want.mask == got.mask,
               [] { return std::string("master weights are float32, and masks differ"); });
  std::vector<double> of_dx(batch * inputs), of_g(channels * inputs);
  std::vector<std::int64_t> terms(inputs);
  for (std::size_t o = 0; o < channels; ++o) {
    for (std::size_t i = 0; i < inputs; ++i) terms[i] += want.mask[o * inputs + i];
    for (std::size_t b = 0; b < batch; ++b) {
      const float dy = layer.dy[b * channels + o];
      for (std::size_t i = 0; i < inputs; ++i) {
        of_dx[b * inputs + i] += size(want.v[o * inputs + i], dy);
        of_g[o * inputs + i] += size(layer.x[b * inputs + i], dy);
      }
    }
  }
  RoundingDistance dx, g, ds;
  for (std::size_t at = 0; at < of_dx.size(); ++at)
    dx.add(static_cast<double>(want.dx[at]), static_cast<double>(got.dx[at]), of_dx[at], terms[at % inputs]);
  std::vector<double> of_ds(layer.thresholds.size());
  for (std::size_t at = 0; at < of_g.size(); ++at) {
    const double bound = RoundingDistance::bound(of_g[at], static_cast<std::int64_t>(batch));
    g.add(static_cast<double>(want.g[at]), static_cast<double>(got.g[at]), bound);
    of_ds[layer.group(at)] += (want.mask[at] == 1 ? 1 : layer.scales.alpha) * bound;
  }
  for (std::size_t t = 0; t < of_ds.size(); ++t)
    ds.add(want.ds[t], got.ds[t],
           of_ds[t] * autosparse::threshold_slope(static_cast<double>(layer.thresholds[t])));
  for (const auto& [name, distance] : {std::pair("dX", &dx), std::pair("G", &g), std::pair("ds", &ds)}) {
    found.expect(distance->within_bound(), [&, what = name] {
      return fmt::format("{} is further from float32 than rounding the operands explains", what);
    });
    found.say(fmt::format("{} {}", name, distance->text()));
  }
}

CaseResult bound_case(RandomLayer of, const RunContext& context) {
  const bool bf16 = std::exchange(of.bf16, false);
  Expectations found("exact sums and proven bounds", "further from the exact result than its bound");
  const Layer<float> full = random_layer(of, context.seed), layer = bf16 ? rounded_to_bf16(full) : full;
  const LibraryPath path;
  const Overs overs = ask_for_bounds(path, layer, most_judged, context.seed, found);
  const Step<float> step = path.run(layer);
  if (bf16) compare_with_float32(full, path.run(full), step, found);
  for (const auto& [name, value] :
       {std::pair("y", overs.y), std::pair("dX", overs.dx), std::pair("G", overs.g),
        std::pair("dw", overs.dw), std::pair("ds", overs.ds)})
    found.figure(fmt::format("{} error/bound", name), value);
  const auto kept = static_cast<double>(std::ranges::count(step.mask, 1));
  found.figure("sparsity", 1 - kept / static_cast<double>(layer.shape.size()));
  return found.result();
}

}  // namespace

double chain_error(std::uint64_t terms, double magnitudes) {
  return dot_bound({.order = SumOrder::sequential()}, {.terms = terms, .magnitudes = magnitudes}).value;
}

Overs ask_for_bounds(const Path<float>& path, const Layer<float>& layer, std::uint64_t most,
                     std::uint64_t seed, Expectations& found) {
  const Step<float> step = path.run(layer);
  // The exact products are those of the v that the contract states.
  Step<float> pruned;
  PlainPath<float>().forward(layer, pruned);
  Tally tally("exact sums");
  Overs all;
  all.y = judge_sparse("y", autosparse::pruned_weights(pruned.v, layer.shape), layer.x, layer.batch, step.y,
                       tally);
  all.dx = judge_sparse("dx", autosparse::transposed_weights(pruned.v, layer.shape), layer.dy, layer.batch,
                        step.dx, tally);
  all.g = judge_gradient(layer, step.g, most, seed, tally);
  found.add(tally.result());
  all.dw = weight_overs(layer, step, most, found);
  all.ds = threshold_overs(layer, step, found);
  return all;
}

void add_bound_cases(const RunContext& context, std::vector<Case>& cases) {
  // Of LeNet-300-100 and of ResNet-50's convolutions, whose batches are positions of images.
  std::vector<RandomLayer> layers{{{100, 300}, 20, 0.5, false}, {{64, 576}, 49, 0.95, true}};
  if (context.scale != Scale::quick)
    layers.insert(layers.end(),
                  {{{300, 784}, 20, 0.8, true}, {{256, 2304}, 16, 0.9, false}, {{512, 4608}, 8, 0.8, false}});
  if (context.scale == Scale::exhaustive) layers.push_back({{1000, 2048}, 256, 0.9, true});
  for (const RandomLayer& of : layers) {
    for (const bool bf16 : {false, true}) {
      RandomLayer layer = of;
      layer.bf16 = bf16;
      cases.push_back({bf16 ? "bounds/bf16" : "bounds/float32",
                       {{"layer", text_of(of.shape)},
                        {"batch", std::to_string(of.batch)},
                        {"sparsity", fmt::format("{}", of.sparsity)},
                        {"thresholds", of.by_channel ? "channels" : "one"},
                        {"seed", std::to_string(context.seed)}},
                       [layer](const RunContext& c) { return bound_case(layer, c); },
                       true});
    }
  }
}

}  // namespace assay::suites::ladder
