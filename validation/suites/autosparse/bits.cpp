// Every kernel by any number of threads has the bits of the contract, on random numbers and on special ones; float64 is
// rounded where it says so and nowhere else.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "reference/autosparse/layer.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/sparse/spmm.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::ladder {
namespace {

constexpr const char* contract_of_bits = "the contract, an element at a time";
constexpr const char* other_bits = "other bits than the contract's";

// One number in eight is special: zeros, subnormals, large ones; where not `finite` infinities and NaNs too.
float hard_number(const CounterRandom& random, std::uint64_t i, bool finite) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const float special[] = {0.0F, -0.0F, 1e-45F, -3e-39F, 3e38F, inf, -inf, -std::bit_cast<float>(0x7FA12345)};
  if (random.below(8, 2 * i) == 0) return special[random.below(finite ? 4 : 8, 2 * i + 1)];
  return static_cast<float>(0.4 * random.normal(2 * i));
}

template <class T>
void expect_bits(std::string_view what, const std::vector<T>& got, const std::vector<T>& want,
                 const std::string& where, Expectations& found) {
  found.expect(got.size() == want.size(), [&] { return fmt::format("{}: {} {}", where, got.size(), what); });
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i)
    found.expect(std::memcmp(&got[i], &want[i], sizeof(T)) == 0,
                 [&] { return fmt::format("{}: {} {} is {}, not {}", where, what, i, got[i], want[i]); });
}

Layer<float> hard_weights(const LayerShape& shape, bool by_channel, bool finite, std::uint64_t seed) {
  constexpr autosparse::GradientScales scales[] = {{0.375, 0, 0.5}, {0, 0.01, 0}, {1, 1e-4, 1e-4}};
  Layer<float> layer{.shape = shape, .scales = scales[shape.size() % 3]};
  const CounterRandom random(seed, 61);
  for (std::size_t t = 0; t < (by_channel ? shape.channels : 1); ++t) {
    layer.thresholds.push_back(t % 2 == 0 ? 0.25F : 0.4F);
    layer.s.push_back(-1.1);
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const float t = layer.thresholds[layer.group(i)];
    const float near[] = {t, -t, std::nextafter(t, 1.0F), -std::nextafter(t, 0.0F)};
    layer.w.push_back(i % 11 == 5 ? near[i % 4] : hard_number(random, i, finite));
  }
  return layer;
}

void ask_for_bits_of_weights(const Path<float>& path, const Path<float>& want, std::uint64_t seed,
                             Expectations& found) {
  const auto compare = [&](const LayerShape& shape, bool by_channel, bool finite, bool bf16) {
    Layer<float> layer = hard_weights(shape, by_channel, finite, seed);
    layer.bf16 = bf16;
    Step<float> a, b;
    // Of many magnitudes: else sums in double would be exact, and the same in every order.
    const CounterRandom random(seed, 62);
    for (std::size_t i = 0; i < shape.size(); ++i)
      a.g.push_back(std::ldexp(hard_number(random, i, finite), static_cast<int>(i * 7 % 61) - 60));
    b.g = a.g;
    path.forward(layer, a);
    path.backward(layer, a);
    want.forward(layer, b);
    want.backward(layer, b);
    const std::string where = text_of(shape) + (by_channel ? ", a threshold a channel" : "");
    expect_bits("mask", a.mask, b.mask, where, found);
    expect_bits("v", a.v, b.v, where, found);
    expect_bits("dw", a.dw, b.dw, where, found);
    expect_bits("sum", a.sums, b.sums, where, found);
    expect_bits("ds", a.ds, b.ds, where, found);
  };
  for (std::size_t n = 1; n < 70; ++n) {
    for (const bool finite : {false, true}) compare({1, n}, false, finite, n % 2 == 0);
  }
  for (const LayerShape& shape : {LayerShape{37, 27}, LayerShape{2, 4096}, LayerShape{2, 8195}}) {
    for (const bool by_channel : {false, true}) compare(shape, by_channel, true, by_channel);
  }
}

void ask_for_bits_of_products(const Path<float>& path, const Path<float>& want, std::uint64_t seed,
                              Expectations& found) {
  const struct {
    LayerShape shape;
    std::size_t batch;
  } sizes[] = {{{1, 1}, 1}, {{7, 33}, 5}, {{64, 40}, 17}, {{33, 75}, 65}};
  for (const auto& [shape, batch] : sizes) {
    for (const bool finite : {false, true}) {
      for (const bool bf16 : {false, true}) {
        Layer<float> layer =
            random_layer({.shape = shape, .batch = batch, .sparsity = 0.6, .bf16 = bf16}, seed);
        if (!finite) {
          layer.x[0] = std::numeric_limits<float>::infinity();
          layer.dy.back() = -std::bit_cast<float>(0x7FC12000);
        }
        Step<float> a, b;
        want.forward(layer, b);
        a.v = b.v;
        a.mask = b.mask;
        path.products(layer, a);
        want.products(layer, b);
        const std::string where = fmt::format("{}, batch {}", text_of(shape), batch);
        expect_bits("y", a.y, b.y, where, found);
        expect_bits("dx", a.dx, b.dx, where, found);
        expect_bits("g", a.g, b.g, where, found);
      }
    }
  }
}

CaseResult gradient_bits_case(const autosparse::GradientKernel& kernel, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  Expectations found(contract_of_bits, other_bits);
  for (const int threads : {1, 2, 3})
    ask_for_bits_of_weights(LibraryPath({.kernel = &kernel, .products = {}, .threads = threads}),
                            PlainPath<float>(), context.seed, found);
  return found.result();
}

CaseResult product_bits_case(const sparse::SpmmKernel& kernel, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  Expectations found(contract_of_bits, other_bits);
  for (const int threads : {1, 2, 3})
    ask_for_bits_of_products(LibraryPath({.kernel = nullptr, .products = kernel.name, .threads = threads}),
                             PlainPath<float>(), context.seed, found);
  return found.result();
}

CaseResult defined_products_case(const RunContext& context) {
  Expectations found(contract_of_bits, other_bits);
  for (const int threads : {1, 2, 3})
    ask_for_bits_of_products(DefinitionPath<float>(threads), PlainPath<float>(), context.seed, found);
  return found.result();
}

// G where the mask of the kept weights or of the top half has 1, with the bits that it has there when it is dense.
CaseResult sampled_case(const RunContext& context) {
  Expectations found("G in full, an element at a time", "G at some places has other bits");
  for (const LayerShape& shape : {LayerShape{1, 1}, LayerShape{7, 33}, LayerShape{33, 130}}) {
    for (const bool bf16 : {false, true}) {
      const Layer<float> layer =
          random_layer({.shape = shape, .batch = 19, .by_channel = true, .bf16 = bf16}, context.seed);
      const Step<float> step = PlainPath<float>().run(layer);
      const std::vector<std::uint8_t> half = autosparse::top_half<float>(layer.w, shape, layer.thresholds);
      const auto x_of = [&](std::size_t i) {
        return std::fabs(static_cast<double>(layer.w[i])) -
               static_cast<double>(layer.thresholds[layer.group(i)]);
      };
      double least = HUGE_VAL, most = -HUGE_VAL;  // within the half, and outside
      for (std::size_t i = 0; i < half.size(); ++i)
        (half[i] == 1 ? least : most) = half[i] == 1 ? std::min(least, x_of(i)) : std::max(most, x_of(i));
      const auto count = static_cast<std::size_t>(std::ranges::count(half, 1));
      found.expect(least >= most && count == (half.size() + 1) / 2, [&] {
        return fmt::format("{}: the top half has {} weights from {}", text_of(shape), count, least);
      });
      for (const std::vector<std::uint8_t>& places : {step.mask, half}) {
        std::vector<float> want = step.g;
        for (std::size_t i = 0; i < want.size(); ++i) want[i] = places[i] == 1 ? want[i] : 0;
        for (const int threads : {1, 2, 3})
          expect_bits("g", gradient_at(layer, places, threads), want, text_of(shape), found);
      }
    }
  }
  return found.result();
}

double rounded_once(const ExactSum& sum) {
  return decode(sum.rounded(formats::float64).code, formats::float64);
}

// float64: v and dw are exact results rounded once, sums within what their tree rounds, and products fused chains.
CaseResult double_bits_case(const RunContext& context) {
  Expectations found("exact sums, rounded once", other_bits);
  double largest = 0;
  for (const LayerShape& shape :
       {LayerShape{1, 1}, LayerShape{3, 17}, LayerShape{5, 4099}, LayerShape{2, 9000}}) {
    Layer<double> layer{.shape = shape, .scales = {0.3, 0.007, 0.1}};
    const CounterRandom random(context.seed, 63);
    for (std::size_t t = 0; t < shape.channels; ++t) {
      layer.s.push_back(-1.1 - 0.1 * static_cast<double>(t));
      layer.thresholds.push_back(autosparse::threshold_of(layer.s[t]));
    }
    Step<double> step;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const double t = layer.thresholds[layer.group(i)];
      layer.w.push_back(i % 9 == 4 ? t : i % 9 == 5 ? -std::nextafter(t, 1.0) : 0.4 * random.normal(2 * i));
      step.g.push_back(random.normal(2 * i + 1));
    }
    DefinitionPath<double>().forward(layer, step);
    DefinitionPath<double>().backward(layer, step);
    std::vector<double> v, dw;
    std::vector<ExactSum> sums(shape.channels), sizes(shape.channels);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::size_t at = layer.group(i);
      const double w = layer.w[i], t = layer.thresholds[at], g = step.g[i];
      const bool kept = w > t || w < -t;
      ExactSum of_v, of_t, of_dw;
      of_v.add(w);
      of_v.add(w > 0 ? -t : t);
      v.push_back(kept ? rounded_once(of_v) : 0);
      of_t.add_product(kept ? 1 : layer.scales.alpha, g);
      const double h_g = rounded_once(of_t);
      of_dw.add_product(layer.scales.lambda, w);
      of_dw.add(h_g);
      dw.push_back(rounded_once(of_dw));
      sums[at].add(w > 0 ? h_g : -h_g);
      sizes[at].add(std::fabs(h_g));
    }
    expect_bits("v", step.v, v, text_of(shape), found);
    expect_bits("dw", step.dw, dw, text_of(shape), found);
    for (std::size_t t = 0; t < sums.size(); ++t) {
      sums[t].add(-step.sums[t]);
      // 256 terms a lane, 4 additions among lanes, 2 of up to three pieces.
      const double bound = upward::multiply(upward::compound(0x1p-53, 256 + 4 + 2), sizes[t].rounded_up());
      largest = std::max(largest, sums[t].magnitude_up() / bound);
      found.expect(sums[t].magnitude_up() <= bound,
                   [&] { return fmt::format("{}: sum {}", text_of(shape), t); });
    }
  }
  for (const LayerShape& shape : {LayerShape{7, 33}, LayerShape{40, 65}}) {
    const Layer<double> layer = in_double(random_layer({.shape = shape, .batch = 17}, context.seed));
    const Step<double> want = PlainPath<double>().run(layer);
    for (const int threads : {1, 3}) {
      const Step<double> got = DefinitionPath<double>(threads).run(layer);
      expect_bits("y", got.y, want.y, text_of(shape), found);
      expect_bits("dx", got.dx, want.dx, text_of(shape), found);
      expect_bits("g", got.g, want.g, text_of(shape), found);
      expect_bits("dw", got.dw, want.dw, text_of(shape), found);
      expect_bits("sum", got.sums, want.sums, text_of(shape), found);
    }
  }
  found.figure("sums, error/bound", largest);
  return found.result();
}

}  // namespace

void ask_for_bits(const Path<float>& path, const Path<float>& want, std::uint64_t seed, Expectations& found) {
  ask_for_bits_of_weights(path, want, seed, found);
  ask_for_bits_of_products(path, want, seed, found);
}

void add_bit_cases(const RunContext& context, std::vector<Case>& cases) {
  const std::string seed = std::to_string(context.seed);
  for (const autosparse::GradientKernel* const kernel : gradient_kernels())
    cases.push_back({"bits/" + std::string(kernel->name), {{"seed", seed}}, [kernel](const RunContext& c) {
                       return gradient_bits_case(*kernel, c);
                     }});
  for (const sparse::SpmmKernel& kernel : sparse::spmm_kernels())
    cases.push_back({"bits/" + std::string(kernel.name), {{"seed", seed}}, [&kernel](const RunContext& c) {
                       return product_bits_case(kernel, c);
                     }});
  cases.push_back({"bits/defined_products", {{"seed", seed}}, defined_products_case});
  cases.push_back({"bits/sampled_g", {{"seed", seed}}, sampled_case});
  cases.push_back({"bits/float64", {{"seed", seed}}, double_bits_case});
}

}  // namespace assay::suites::ladder
