// The products of a layer against chains of multiply-adds, bit for bit, and against each other.
#include "reference/autosparse/layer.hpp"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"

using namespace assay;
using namespace assay::autosparse;

namespace {

std::vector<float> normal(std::size_t n, std::uint64_t seed, double scale = 1) {
  const CounterRandom random(seed);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<float>(scale * random.normal(i));
  return all;
}

std::uint32_t bits_of(float x) { return std::isnan(x) ? 0x7FC00000 : std::bit_cast<std::uint32_t>(x); }
std::vector<std::uint32_t> all_bits(const std::vector<float>& all) {
  std::vector<std::uint32_t> out;
  for (const float x : all) out.push_back(std::bit_cast<std::uint32_t>(x));
  return out;
}

// A layer with its weights pruned, a batch of inputs and of gradients, and the products by definition.
struct Layer {
  LayerShape shape;
  std::size_t batch;
  std::vector<float> w, v, x, dy;
  std::vector<std::uint8_t> mask;

  Layer(const LayerShape& s, std::size_t b, float threshold, bool infinite = false)
      : shape(s),
        batch(b),
        w(normal(s.size(), 1, 0.1)),
        v(s.size()),
        x(normal(b * s.per_channel, 2)),
        dy(normal(b * s.channels, 3)),
        mask(s.size()) {
    autosparse::forward<float>(w, shape, std::vector{threshold}, v, mask);
    if (infinite) {
      x[0] = std::numeric_limits<float>::infinity();
      dy[dy.size() - 1] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  void round_to_bf16() {
    for (auto* const all : {&v, &x, &dy}) {
      for (float& value : *all) value = static_cast<float>(bf16_t(value));
    }
  }
  sparse::DenseView view(const std::vector<float>& all) const {
    const auto rows = static_cast<std::int64_t>(batch), cols = static_cast<std::int64_t>(all.size()) / rows;
    return {all.data(), rows, cols, cols};
  }
  sparse::MutableDenseView room(std::vector<float>& all, std::size_t rows) const {
    const auto r = static_cast<std::int64_t>(rows), cols = static_cast<std::int64_t>(all.size()) / r;
    return {all.data(), r, cols, cols};
  }

  std::vector<std::uint32_t> y_bits() const {
    std::vector<std::uint32_t> out;
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t o = 0; o < shape.channels; ++o) {
        float s = 0;
        for (std::size_t i = 0; i < shape.per_channel; ++i) {
          const float weight = v[o * shape.per_channel + i];
          if (weight != 0) s = std::fma(weight, x[b * shape.per_channel + i], s);
        }
        out.push_back(bits_of(s));
      }
    }
    return out;
  }
  std::vector<std::uint32_t> dx_bits() const {
    std::vector<std::uint32_t> out;
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t i = 0; i < shape.per_channel; ++i) {
        float s = 0;
        for (std::size_t o = 0; o < shape.channels; ++o) {
          const float weight = v[o * shape.per_channel + i];
          if (weight != 0) s = std::fma(weight, dy[b * shape.channels + o], s);
        }
        out.push_back(bits_of(s));
      }
    }
    return out;
  }
  std::vector<std::uint32_t> g_bits(const std::vector<std::uint8_t>& places) const {
    std::vector<std::uint32_t> out;
    for (std::size_t at = 0; at < shape.size(); ++at) {
      const std::size_t o = at / shape.per_channel, i = at % shape.per_channel;
      float s = 0;
      for (std::size_t b = 0; b < batch; ++b)
        s = std::fma(dy[b * shape.channels + o], x[b * shape.per_channel + i], s);
      out.push_back(places.empty() || places[at] != 0 ? bits_of(s) : 0);
    }
    return out;
  }
};

const struct {
  LayerShape shape;
  std::size_t batch;
} sizes[] = {{{1, 1}, 1}, {{7, 33}, 5}, {{64, 40}, 17}, {{33, 130}, 64}};

std::vector<bf16_t> narrowed(const std::vector<float>& all) {
  std::vector<bf16_t> out;
  for (const float x : all) out.push_back(bf16_t(x));
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(products_have_the_contracts_bits) {
  for (const auto& [shape, batch] : sizes) {
    for (const bool infinite : {false, true}) {
      const Layer layer(shape, batch, 0.08F, infinite);
      const std::vector<std::uint8_t> half = top_half<float>(layer.w, shape, std::vector{0.08F});
      for (const int threads : {1, 3}) {
        const PrunedLayer pruned(layer.v, shape, {.batch = static_cast<std::int64_t>(batch)});
        std::vector<float> y(batch * shape.channels, 7), dx(batch * shape.per_channel, 7);
        pruned.forward(layer.view(layer.x), layer.room(y, batch), threads);
        pruned.input_gradient(layer.view(layer.dy), layer.room(dx, batch), threads);
        BOOST_TEST(all_bits(y) == layer.y_bits());
        BOOST_TEST(all_bits(dx) == layer.dx_bits());
        for (const std::vector<std::uint8_t>& places : {std::vector<std::uint8_t>{}, layer.mask, half}) {
          std::vector<float> g(shape.size(), 7);
          WeightGradientPlan(shape, places)
              .multiply(layer.view(layer.dy), layer.view(layer.x), layer.room(g, shape.channels), threads);
          BOOST_TEST(all_bits(g) == layer.g_bits(places));
        }
      }
    }
  }
}

template <class Real>
void check_definition() {
  for (const auto& [shape, batch] : sizes) {
    const Layer layer(shape, batch, 0.08F, std::is_same_v<Real, float>);
    const std::vector<Real> v(layer.v.begin(), layer.v.end()), x(layer.x.begin(), layer.x.end()),
        dy(layer.dy.begin(), layer.dy.end());
    std::vector<Real> y(batch * shape.channels, 7), dx(x.size(), 7), g(v.size(), 7);
    forward_product<Real>(v, shape, x, batch, y, 2);
    input_gradient<Real>(v, shape, dy, batch, dx, 2);
    weight_gradient<Real>(shape, dy, x, batch, layer.mask, g, 2);
    if constexpr (std::is_same_v<Real, float>) {
      BOOST_TEST(all_bits(y) == layer.y_bits());
      BOOST_TEST(all_bits(dx) == layer.dx_bits());
      BOOST_TEST(all_bits(g) == layer.g_bits(layer.mask));
    } else {
      // Against 64 bits of precision: n roundings of 2^-53 each.
      const auto near = [](double got, long double want, long double magnitude, std::size_t n) {
        return std::fabs(static_cast<long double>(got) - want) <=
               static_cast<long double>(n) * 0x1.01p-53L * magnitude;
      };
      for (std::size_t b = 0; b < batch; ++b) {
        for (std::size_t i = 0; i < shape.per_channel; ++i) {
          long double sum = 0, magnitude = 0;
          for (std::size_t o = 0; o < shape.channels; ++o) {
            const long double term = static_cast<long double>(v[o * shape.per_channel + i]) *
                                     static_cast<long double>(dy[b * shape.channels + o]);
            sum += term;
            magnitude += std::fabs(term);
          }
          BOOST_TEST(near(dx[b * shape.per_channel + i], sum, magnitude, shape.channels));
        }
        for (std::size_t o = 0; o < shape.channels; ++o) {
          long double sum = 0, magnitude = 0;
          for (std::size_t i = 0; i < shape.per_channel; ++i) {
            const long double term = static_cast<long double>(v[o * shape.per_channel + i]) *
                                     static_cast<long double>(x[b * shape.per_channel + i]);
            sum += term;
            magnitude += std::fabs(term);
          }
          BOOST_TEST(near(y[b * shape.channels + o], sum, magnitude, shape.per_channel));
        }
      }
      for (std::size_t at = 0; at < g.size(); ++at) {
        long double sum = 0, magnitude = 0;
        for (std::size_t b = 0; b < batch && layer.mask[at] != 0; ++b) {
          const long double term =
              static_cast<long double>(dy[b * shape.channels + at / shape.per_channel]) *
              static_cast<long double>(x[b * shape.per_channel + at % shape.per_channel]);
          sum += term;
          magnitude += std::fabs(term);
        }
        BOOST_TEST(near(g[at], sum, magnitude, batch));
      }
    }
  }
}
BOOST_AUTO_TEST_CASE(definition_of_float_has_the_contracts_bits) { check_definition<float>(); }
BOOST_AUTO_TEST_CASE(definition_of_double_is_within_its_bound) { check_definition<double>(); }

BOOST_AUTO_TEST_CASE(products_of_bfloat16_accumulate_in_float32) {
  for (const auto& [shape, batch] : sizes) {
    Layer layer(shape, batch, 0.08F);
    layer.round_to_bf16();
    const std::vector<bf16_t> v = narrowed(layer.v), x = narrowed(layer.x), dy = narrowed(layer.dy);
    const auto view = [&](const std::vector<bf16_t>& all) {
      const auto rows = static_cast<std::int64_t>(layer.batch),
                 cols = static_cast<std::int64_t>(all.size()) / rows;
      return sparse::Bf16View{all.data(), rows, cols, cols};
    };
    const PrunedLayer pruned(v, shape);
    std::vector<float> y(batch * shape.channels), dx(batch * shape.per_channel), g(shape.size());
    pruned.forward(view(x), layer.room(y, batch));
    pruned.input_gradient(view(dy), layer.room(dx, batch));
    WeightGradientPlan(shape).multiply(view(dy), view(x), layer.room(g, shape.channels));
    BOOST_TEST(all_bits(y) == layer.y_bits());
    BOOST_TEST(all_bits(dx) == layer.dx_bits());
    BOOST_TEST(all_bits(g) == layer.g_bits({}));
  }
}

// <dX, U> = <dY, W~ U>, exactly, in whole numbers whose sums no order rounds.
BOOST_AUTO_TEST_CASE(input_gradient_is_adjoint_to_forward) {
  const LayerShape shape{31, 45};
  Layer layer(shape, 9, 0.1F);
  const CounterRandom random(9);
  const auto whole = [&](std::vector<float>& all, std::uint64_t stream) {
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = static_cast<float>(random.below(17, stream << 32 | i)) - 8;
  };
  for (float& v : layer.v) v = v == 0 ? 0.0F : std::nearbyint(v * 100);
  std::vector<float> u(layer.x.size());
  whole(u, 1);
  whole(layer.dy, 2);
  const PrunedLayer pruned(layer.v, shape);
  std::vector<float> dx(layer.x.size()), y(layer.dy.size());
  pruned.input_gradient(layer.view(layer.dy), layer.room(dx, layer.batch));
  pruned.forward(layer.view(u), layer.room(y, layer.batch));
  double left = 0, right = 0;
  for (std::size_t i = 0; i < u.size(); ++i) left += static_cast<double>(dx[i]) * static_cast<double>(u[i]);
  for (std::size_t i = 0; i < y.size(); ++i)
    right += static_cast<double>(y[i]) * static_cast<double>(layer.dy[i]);
  BOOST_TEST(left == right);
  BOOST_TEST(left != 0);
}

BOOST_AUTO_TEST_CASE(top_half_is_what_lies_nearest_to_being_kept) {
  // |w| - T of the second channel is larger by 0.4 than |w| says.
  const std::vector<float> w{0.5F, -0.1F, 0.3F, 0.2F, -0.15F, 0.05F}, thresholds{0.45F, 0.05F};
  BOOST_TEST(top_half<float>(w, {2, 3}, thresholds) == (std::vector<std::uint8_t>{1, 0, 0, 1, 1, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(top_half<float>(w, {2, 3}, std::vector{0.1F}) == (std::vector<std::uint8_t>{1, 0, 1, 1, 0, 0}),
             boost::test_tools::per_element());
  // Of equal ones the first; of an odd number the larger half.
  BOOST_TEST(top_half<float>(std::vector{1.0F, -1.0F, 1.0F}, {1, 3}, std::vector{0.5F}) ==
                 (std::vector<std::uint8_t>{1, 1, 0}),
             boost::test_tools::per_element());
  BOOST_CHECK_THROW(top_half<float>(std::vector{1.0F, std::nanf("")}, {1, 2}, std::vector{0.5F}),
                    ContractError);
}

BOOST_AUTO_TEST_CASE(layers_refuse_what_does_not_match) {
  const LayerShape shape{3, 4};
  const std::vector<float> v(12, 1), x(8, 1), dy(6, 1);
  std::vector<float> g(12);
  const WeightGradientPlan gradient(shape);
  const auto message = [](const auto& body) -> std::string {
    try {
      body();
    } catch (const ContractError& e) {
      return e.what();
    }
    return "";
  };
  BOOST_TEST(message([&] { PrunedLayer(std::vector<float>(11, 1), shape); }) ==
             "v has 11 elements, and the layer 3 x 4");
  BOOST_TEST(message([&] { WeightGradientPlan(shape, std::vector<std::uint8_t>(13, 1)); }) ==
             "the mask of G has 13 elements, and the layer 3 x 4");
  BOOST_TEST(message([&] {
               gradient.multiply({dy.data(), 3, 2, 2}, {x.data(), 2, 4, 4}, {g.data(), 3, 4, 4});
             }) == "dY is 3 x 2, not 2 x 3");
  BOOST_TEST(message([&] {
               gradient.multiply({dy.data(), 2, 3, 3}, {x.data(), 2, 3, 4}, {g.data(), 3, 4, 4});
             }) == "X is 2 x 3, not 2 x 4");
  BOOST_TEST(message([&] {
               gradient.multiply({dy.data(), 2, 3, 3}, {x.data(), 2, 4, 4}, {g.data(), 4, 3, 3});
             }) == "G is 4 x 3, not 3 x 4");
}
