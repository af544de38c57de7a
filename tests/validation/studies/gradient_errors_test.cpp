// Errors of AutoSparse's gradients: a tiny layer computed a second time in long double, exact cases, faults that the
// bound from the truth catches, masks counted by hand.
#include "validation/studies/gradient_errors.hpp"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "validation/studies/study.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::studies;
namespace tt = boost::test_tools;

namespace {

GradientSeries series(const std::string& format, Rounding rounding, const std::string& name) {
  return {parse_format(format), rounding, format, {name, load_arithmetic(name, "test")}};
}

// float32 to bfloat16 and back by the usual trick on the bits.
float bfloat16_of(float x) {
  auto bits = std::bit_cast<std::uint32_t>(x);
  bits += 0x7FFF + (bits >> 16 & 1);
  return std::bit_cast<float>(bits & 0xFFFF0000);
}

// Relative error, cosine and bias in long double, by their definitions.
struct Figures {
  long double errors = 0, error_squares = 0, squares = 0, found_squares = 0, products = 0, n = 0;

  void add(long double truth, float found) {
    const long double f = found;
    errors += f - truth;
    error_squares += (f - truth) * (f - truth);
    squares += truth * truth;
    found_squares += f * f;
    products += truth * f;
    n += 1;
  }
  void agree(const GradientErrors& e, const char* what) const {
    const auto near = tt::tolerance(1e-7);
    BOOST_TEST(e.elements == static_cast<std::uint64_t>(n), what);
    BOOST_TEST(e.outside == 0U, what);
    BOOST_TEST(e.relative == static_cast<double>(sqrtl(error_squares / squares)), near);
    BOOST_TEST(e.cosine == static_cast<double>(products / sqrtl(squares * found_squares)), near);
    BOOST_TEST(e.bias == static_cast<double>(errors / n / sqrtl(squares / n)), tt::tolerance(1e-5));
  }
};

}  // namespace

// bf16 under the fused chain, all of it again: bits by the usual tricks, truth in long double.
BOOST_AUTO_TEST_CASE(a_tiny_layer_by_hand) {
  constexpr std::size_t outputs = 5, inputs = 4, batch = 3;
  const float s = -2.5F, alpha = 0.25F, lambda = 0.125F;
  GradientLayer layer{.outputs = outputs, .inputs = inputs, .batch = batch};
  for (std::size_t i = 0; i < outputs * inputs; ++i)
    layer.w.push_back(static_cast<float>(0.4 * draw(Values::uniform, 7, 0, i)));
  for (std::size_t i = 0; i < batch * inputs; ++i)
    layer.x.push_back(static_cast<float>(draw(Values::uniform, 7, 1, i)));
  for (std::size_t i = 0; i < batch * outputs; ++i)
    layer.dy.push_back(static_cast<float>(draw(Values::uniform, 7, 2, i)));
  const GradientTruth truth(layer, {{50, s}}, {double{alpha}}, double{lambda}, 1);
  const GradientPoint point =
      gradient_points(truth, series("bf16", Rounding::nearest_even, "chain_f32_fused")).at(0);

  const long double t = 1 / (1 + expl(-static_cast<long double>(s)));
  const auto t32 = static_cast<float>(t);
  Figures of_v, of_dx, of_dw;
  std::vector<float> v(outputs * inputs);
  std::vector<long double> v_truth(outputs * inputs);
  long double ds_truth = 0, ds = 0;
  std::uint64_t kept = 0;
  for (std::size_t i = 0; i < outputs * inputs; ++i) {
    const float w = layer.w[i], magnitude = std::fabs(w);
    const bool is_kept = magnitude > t32;
    if (is_kept) {
      ++kept;
      v[i] = bfloat16_of(std::copysign(magnitude - t32, w));
      v_truth[i] = copysignl(static_cast<long double>(magnitude) - t, w);
      of_v.add(v_truth[i], v[i]);
    }
    float g = 0;
    long double g_truth = 0;
    const std::size_t o = i / inputs, c = i % inputs;
    for (std::size_t b = 0; b < batch; ++b) {
      const float dy = layer.dy[b * outputs + o], x = layer.x[b * inputs + c];
      g = std::fma(bfloat16_of(dy), bfloat16_of(x), g);
      g_truth += static_cast<long double>(dy) * x;
    }
    const float h = is_kept ? 1 : alpha;
    of_dw.add(h * g_truth + static_cast<long double>(lambda) * w, std::fma(lambda, w, h * g));
    ds_truth += (w > 0 ? 1 : -1) * h * g_truth;
    ds += (w > 0 ? 1 : -1) * static_cast<long double>(h) * g;
  }
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t c = 0; c < inputs; ++c) {
      float dx = 0;
      long double dx_truth = 0;
      bool any = false;
      for (std::size_t o = 0; o < outputs; ++o) {
        if (std::fabs(layer.w[o * inputs + c]) <= t32) continue;
        any = true;
        const float dy = layer.dy[b * outputs + o];
        dx = std::fma(v[o * inputs + c], bfloat16_of(dy), dx);
        dx_truth += v_truth[o * inputs + c] * dy;
      }
      if (any) of_dx.add(dx_truth, dx);
    }
  }
  const auto ds_of = [&](long double threshold, long double sum) {
    return -threshold * (1 - threshold) * sum + static_cast<long double>(lambda) * s;
  };
  BOOST_TEST(point.kept == kept);
  BOOST_TEST(kept > 3U);
  BOOST_TEST(kept < outputs * inputs);
  of_v.agree(point.of(Gradient::v), "v");
  of_dx.agree(point.of(Gradient::dx), "dX");
  of_dw.agree(point.of(Gradient::dw), "dW");
  const long double wanted = ds_of(t, ds_truth), error = ds_of(t32, ds) - wanted;
  BOOST_TEST(point.of(Gradient::ds).relative == static_cast<double>(fabsl(error / wanted)),
             tt::tolerance(1e-6));
  BOOST_TEST(point.of(Gradient::ds).cosine == 1.0);
}

// Integers, and weights that lie whole numbers above a threshold of 1/2: nothing rounds, whatever the order.
BOOST_AUTO_TEST_CASE(integers_have_no_error) {
  constexpr std::size_t width = 8, batch = 6;
  GradientLayer layer{.outputs = width, .inputs = width, .batch = batch};
  const auto whole = [](std::uint64_t stream, std::size_t i, int most) {
    return static_cast<float>(
        static_cast<int>(CounterRandom(3, stream).below(2 * static_cast<std::uint64_t>(most) + 1, i)) - most);
  };
  for (std::size_t i = 0; i < width * width; ++i) {
    const float k = whole(0, i, 3);
    layer.w.push_back(k == 0 ? 0.25F : std::copysign(std::fabs(k) + 0.5F, k));
  }
  for (std::size_t i = 0; i < batch * width; ++i) layer.x.push_back(whole(1, i, 4));
  for (std::size_t i = 0; i < batch * width; ++i) layer.dy.push_back(whole(2, i, 4));
  const GradientTruth truth(layer, {{10, 0.0F}}, {0, 0.5, 1}, 0, 1);
  std::vector<GradientSeries> all;
  for (const char* const name : {"chain_f32_fused", "vdpbf16ps", "tdpbf16ps", "sm80.bf16", "sm90.bf16"})
    all.push_back(series("bf16", Rounding::nearest_even, name));
  for (const char* const format : {"f32", "tf32", "f16", "f8_e4m3", "f8_e5m2"})
    all.push_back(series(format, Rounding::toward_zero, "chain_f32_fused"));
  all.push_back(series("bf16", Rounding::stochastic, "chain_bf16_fused"));
  for (const GradientSeries& s : all) {
    for (const GradientPoint& p : gradient_points(truth, s)) {
      BOOST_TEST(p.threshold == 0.5);
      for (const Gradient g : all_gradients) {
        const GradientErrors& e = p.of(g);
        BOOST_TEST(e.elements > 0U, s.name());
        BOOST_TEST(e.relative == 0.0, s.name() << " " << gradient_name(g));
        BOOST_TEST(e.of_bound == 0.0);
        BOOST_TEST(e.sum_relative == 0.0);
        BOOST_TEST(e.from_float32.relative == 0.0);
        BOOST_TEST(e.outside + e.nonfinite == 0U);
        BOOST_TEST(e.cosine == 1.0, tt::tolerance(1e-15));
      }
      BOOST_TEST(p.ds.stated == 0.0);
    }
  }
  for (const MasterWeights& m :
       master_weights(truth, series("bf16", Rounding::nearest_even, "chain_f32_fused"))) {
    BOOST_TEST(m.lost + m.gained == 0U);
    for (const double x : m.relative) BOOST_TEST(x == 0.0);
  }
}

// A fault before the sums: the arithmetic adds as it says, and only the bound from the truth sees it.
BOOST_AUTO_TEST_CASE(wrong_operands_are_seen_by_the_bound_from_the_truth) {
  const GradientLayer layer = random_layer(24, 5, 1);
  GradientTruth truth(layer, {{80, s_of_sparsity(layer.w, 80)}}, {0, 1}, 0, 1);
  const GradientSeries float32 = series("f32", Rounding::nearest_even, "chain_f32_fused");
  for (const GradientPoint& p : gradient_points(truth, float32)) {
    for (const GradientErrors& e : p.errors) BOOST_TEST(e.outside == 0U);
  }
  truth.pruned[0].v32[7] *= 1.001F;
  const std::size_t kept = truth.pruned[0].weight[7];
  truth.g[kept] *= 1.001;
  for (const GradientPoint& p : gradient_points(truth, float32)) {
    BOOST_TEST(p.of(Gradient::v).outside == 1U);
    BOOST_TEST(p.of(Gradient::dx).outside == layer.batch);  // all that this weight is a term of
    BOOST_TEST(p.of(Gradient::dx).sum_of_bound <= 1);
    BOOST_TEST(p.of(Gradient::dw).outside == 1U);
    BOOST_TEST(p.of(Gradient::dw).sum_of_bound <= 1);
  }
}

// T = 0.5025. In bf16 0.5022 becomes 0.50390625 and is kept, -0.503 becomes -0.50390625, 0.9 becomes 0.8984375; toward
// zero 0.5022 and 0.503 become 0.5, and 0.503 is masked.
BOOST_AUTO_TEST_CASE(masks_of_rounded_weights_by_hand) {
  const GradientLayer layer{.outputs = 2,
                            .inputs = 2,
                            .batch = 1,
                            .w = {0.5022F, -0.503F, 0.9F, 0.1F},
                            .x = {1, 2},
                            .dy = {1, 4}};  // G = {1, 2, 4, 8}
  const GradientTruth truth(layer, {{50, 0.01F}}, {0, 1}, 0, 1);
  const double t = truth.pruned.at(0).threshold64;
  BOOST_TEST(t == 0.5025, tt::tolerance(1e-5));
  const auto nearest = master_weights(truth, series("bf16", Rounding::nearest_even, "chain_f32_fused"));
  const auto zero = master_weights(truth, series("bf16", Rounding::toward_zero, "chain_f32_fused"));
  BOOST_TEST_REQUIRE(nearest.size() == 2U);
  BOOST_TEST(nearest[0].gained == 1U);
  BOOST_TEST(nearest[0].lost == 0U);
  BOOST_TEST(nearest[0].flipped() == 0.25);
  BOOST_TEST(zero[0].gained == 0U);
  BOOST_TEST(zero[0].lost == 1U);
  const double w1 = double{layer.w[1]}, w2 = double{layer.w[2]}, step = 0.50390625 - t, v1 = -w1 - t,
               v2 = w2 - t;
  const auto relative = [](std::vector<double> errors, double squares) {
    double sum = 0;
    for (const double e : errors) sum += e * e;
    return std::sqrt(sum / squares);
  };
  const auto of = [](const MasterWeights& m, Gradient g) { return m.relative[static_cast<std::size_t>(g)]; };
  const auto near = tt::tolerance(1e-9);
  BOOST_TEST(of(nearest[0], Gradient::v) == relative({step, step - v1, 0.8984375 - w2}, v1 * v1 + v2 * v2),
             near);
  // dX: channel 0 by 1, channel 1 by 4; of input 0 both w0 and w2, of input 1 w1.
  BOOST_TEST(of(nearest[0], Gradient::dx) ==
                 relative({step + 4 * (0.8984375 - w2), step - v1}, 16 * v2 * v2 + v1 * v1),
             near);
  // alpha = 0: dW had {0, 2, 4, 0}, ds -2 + 4; now w0 joins with 1. alpha = 1: masks make no difference.
  BOOST_TEST(of(nearest[0], Gradient::dw) == relative({1}, 4 + 16), near);
  BOOST_TEST(of(nearest[0], Gradient::ds) == 0.5, near);
  BOOST_TEST(of(nearest[1], Gradient::dw) == 0.0);
  BOOST_TEST(of(zero[0], Gradient::dw) == relative({2}, 4 + 16), near);
  BOOST_TEST(of(zero[0], Gradient::ds) == 1.0, near);
  // With lambda = 1/2 and alpha = 1 dW is off by lambda times what the weights are.
  const GradientTruth decayed(layer, {{50, 0.01F}}, {1}, 0.5, 1);
  const auto found = master_weights(decayed, series("bf16", Rounding::nearest_even, "chain_f32_fused")).at(0);
  const std::vector<double> rounded{0.50390625, -0.50390625, 0.8984375, double{bfloat16_of(0.1F)}};
  double squares = 0, error_squares = 0;
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    const double w = double{layer.w[i]}, dw = std::ldexp(1.0, static_cast<int>(i)) + 0.5 * w;
    squares += dw * dw;
    error_squares += 0.25 * (rounded[i] - w) * (rounded[i] - w);
  }
  BOOST_TEST(of(found, Gradient::dw) == std::sqrt(error_squares / squares), near);
  BOOST_TEST(of(found, Gradient::ds) == 0.0);
}
