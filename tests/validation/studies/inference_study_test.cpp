// Inference with rounding everywhere: the quick path against exact arithmetic and encode(), float32 against the
// kernels, margins and changes against networks small enough to do by hand.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/inference.hpp"
#include "validation/report/inference_report.hpp"
#include "validation/studies/spdnn_study.hpp"

using namespace assay;
using namespace assay::studies;
using networks::Clip;
using networks::Layer;
using networks::Network;
using nlohmann::json;

namespace {

constexpr std::uint64_t seed = 20;

// Values of a format, of all magnitudes near 1 and some near its ends.
double some_value(const CounterRandom& random, std::uint64_t i, const FormatSpec& f) {
  const PhiloxBlock b = random.block(i);
  const int spread = b[0] % 4 == 0 ? 40 : 6;
  const double magnitude = std::ldexp(1 + static_cast<double>(b[1]) * 0x1p-32,
                                      static_cast<int>(b[2] % static_cast<unsigned>(2 * spread)) - spread);
  return decode(encode((b[3] & 1) != 0 ? -magnitude : magnitude, f, Rounding::toward_zero).code, f);
}

Network random_network(std::uint64_t stream, Clip clip) {
  const CounterRandom random(seed, stream);
  std::uint64_t next = 0;
  Network network;
  constexpr std::int32_t sizes[] = {40, 33, 29, 12};
  for (std::size_t l = 0; l + 1 < std::size(sizes); ++l) {
    Layer layer;
    layer.weights.structure.rows = sizes[l + 1];
    layer.weights.structure.cols = sizes[l];
    for (std::int32_t j = 0; j < sizes[l + 1]; ++j) {
      if (j % 4 == 3) {  // as the output before: computed once
        const auto begin = layer.weights.structure.row_offsets[static_cast<std::size_t>(j) - 1];
        const std::int64_t end = layer.weights.nnz();
        for (std::int64_t e = begin; e < end; ++e) {
          layer.weights.structure.column_indices.push_back(
              layer.weights.structure.column_indices[static_cast<std::size_t>(e)]);
          layer.weights.values.push_back(layer.weights.values[static_cast<std::size_t>(e)]);
        }
        layer.bias.push_back(layer.bias.back());
      } else {
        for (std::int32_t i = 0; i < sizes[l]; ++i) {
          if (random.below(3, next++) == 0) continue;
          layer.weights.structure.column_indices.push_back(i);
          layer.weights.values.push_back(static_cast<float>(random.normal(next++)) / 3);
        }
        layer.bias.push_back(static_cast<float>(random.normal(next++)) / 10);
      }
      layer.weights.structure.end_row();
    }
    layer.clip = clip;
    network.layers.push_back(std::move(layer));
  }
  return network;
}

std::vector<float> random_image(std::uint64_t i) {
  const CounterRandom random(seed, 1000 + i);
  std::vector<float> x(40);
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = static_cast<float>(random.uniform(j));
  return x;
}

// One neuron after the other: a chain with weight w and bias b.
Layer one_neuron(float w, float b, Clip clip = spdnn::challenge_clip) {
  Layer layer;
  layer.weights.structure.rows = layer.weights.structure.cols = 1;
  layer.weights.structure.row_offsets = {0, 1};
  layer.weights.structure.column_indices = {0};
  layer.weights.values = {w};
  layer.bias = {b};
  layer.clip = clip;
  return layer;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sums_are_rounded_once) {
  std::uint64_t compared = 0, wrong = 0, twice = 0, mode_number = 0;
  for (const FormatSpec* f :
       {&formats::float32, &formats::tf32, &formats::bfloat16, &formats::float16, &formats::float8_e4m3fn,
        &formats::float8_e5m2, &formats::float8_e5m2fnuz, &formats::float4_e2m1fn}) {
    for (const Rounding mode : deterministic_roundings) {
      const CounterRandom random(seed, 40 + mode_number++);
      for (std::uint64_t i = 0; i < 20000; ++i) {
        const double w = some_value(random, 3 * i, formats::float32), s = some_value(random, 3 * i + 1, *f),
                     x = some_value(random, 3 * i + 2, i % 2 == 0 ? formats::float32 : formats::bfloat16);
        const double got = round_once(odd_fma(w, x, s), *f, mode);
        const double want = decode(encode(wide_sum(wide_product(exact(w), exact(x)), widened(exact(s)), mode),
                                          *f, {.rounding = mode})
                                       .code,
                                   *f);
        // A zero's sign is lost in a sum that is clipped at 0 or compared.
        if (!(got == want || (std::isnan(got) && std::isnan(want)))) ++wrong;
        if (decode(encode(w * x + s, *f, mode).code, *f) != want) ++twice;
        ++compared;
      }
    }
  }
  // Half-way in bfloat16 but for a tail that float64 loses: what rounding twice gets wrong.
  const double tail =
      round_once(odd_fma(0x1p-40, 0x1p-40, 1 + 0x1p-8), formats::bfloat16, Rounding::nearest_even);
  BOOST_TEST(tail == 1 + 0x1p-7);
  BOOST_TEST(decode(encode(0x1p-80 + (1 + 0x1p-8), formats::bfloat16).code, formats::bfloat16) == 1.0);
  BOOST_TEST_MESSAGE(compared << " sums, " << wrong << " wrong; rounded twice: " << twice << " wrong");
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(twice > 0U);
}

BOOST_AUTO_TEST_CASE(float32_gives_the_bits_of_the_kernels) {
  std::size_t alive = 0;
  for (std::uint64_t n = 0; n < 6; ++n) {
    const Network chain = random_network(n, n % 2 == 0 ? Clip{0, 1} : spdnn::challenge_clip);
    const QuantizedNetwork network(chain, {});
    const spdnn::Plan plan(spdnn::kernel_named("csr_scalar"), chain);
    for (std::uint64_t i = 0; i < 30; ++i) {
      const std::vector<float> x = random_image(i);
      spdnn::ExecuteOptions options;
      options.keep_outputs = true;
      options.threads = 1;
      const spdnn::Inference want = spdnn::execute(plan, spdnn::DenseRows{x.data(), 1, x.size()}, options);
      const std::vector<double> got = network.outputs(x, i);
      BOOST_TEST_REQUIRE(got.size() == 12U);
      BOOST_TEST((network.answer(Question::category, x, i).label == 1) == !want.categories.empty());
      for (std::size_t j = 0; j < got.size(); ++j)
        BOOST_TEST(got[j] == (want.outputs.empty() ? 0.0 : static_cast<double>(want.outputs[j])));
      alive += want.categories.size();
    }
  }
  BOOST_TEST(alive > 50U);
}

BOOST_AUTO_TEST_CASE(the_quick_path_is_the_definition) {
  const std::vector<const FormatSpec*> all = {&formats::float64, &formats::float32,       &formats::bfloat16,
                                              &formats::float16, &formats::float8_e4m3fn, &formats::tf32};
  const CounterRandom random(seed, 7);
  std::uint64_t next = 0, differing = 0;
  const Network chain = random_network(9, {0, 1});
  const QuantizedNetwork single(chain, {});
  for (int n = 0; n < 60; ++n) {
    const auto quantity = [&] {
      const FormatSpec& f = *all[random.below(all.size(), next++)];
      return Quantity{f, all_roundings[random.below(all_roundings.size(), next++)]};
    };
    const InferenceArithmetic a{quantity(), quantity(), quantity(), quantity(), 5};
    const QuantizedNetwork quick(chain, a);
    QuantizedNetwork definition(chain, a);
    definition.use_definition();
    for (std::uint64_t i = 0; i < 5; ++i) {
      const std::vector<float> x = random_image(i);
      const std::vector<double> got = quick.outputs(x, i), want = definition.outputs(x, i);
      BOOST_TEST(got == want, arithmetic_text(a) << " image " << i);
      if (got != single.outputs(x, i)) ++differing;
      BOOST_TEST(quick.outputs(x, i) == got);  // random bits by place, not by turn
    }
  }
  BOOST_TEST(differing > 200U);  // not all of it is float32 under another name
}

BOOST_AUTO_TEST_CASE(margins_of_a_chain_by_hand) {
  const QuantizedNetwork network({{one_neuron(1, -0.25F), one_neuron(2, -1), one_neuron(1, 0)}}, {});
  const auto ask = [&](float x) { return network.answer(Question::category, std::vector<float>{x}, 0); };
  // 1 -> 0.75 -> 0.5 -> 0.5
  const Answer lives = ask(1);
  BOOST_TEST(lives.label == 1U);
  BOOST_TEST(lives.margin == 0.5);
  BOOST_TEST(lives.layer == 2);
  // 0.5 -> 0.25 -> -0.5: dead after layer 2
  const Answer dies = ask(0.5F);
  BOOST_TEST(dies.label == 0U);
  BOOST_TEST(dies.margin == -0.5);
  BOOST_TEST(dies.layer == 2);
  BOOST_CHECK_THROW(network.answer(Question::category, std::vector<float>{1, 2}, 0), ContractError);
}

BOOST_AUTO_TEST_CASE(a_study_says_what_changed_and_how_near_it_was) {
  // With a bias of -1 what lies above 1 lives. In bfloat16 the next value is 1 + 2^-7: nearer than half of that to 1
  // is 1.
  const std::vector<float> inputs = {1 + 0x1p-9F, 1.5F, 0.5F, 1 + 0x1p-20F, 1 + 0x1.8p-8F};
  InferenceRequest r;
  r.layers = {{one_neuron(1, -1), one_neuron(1, 0)}};
  r.images = inputs.size();
  r.source = [&](std::size_t i, std::span<float> x) { x[0] = inputs[i]; };
  for (const Rounding mode : {Rounding::nearest_even, Rounding::toward_positive}) {
    const InferenceArithmetic a{{}, {formats::bfloat16, mode}, {}, {}, 1};
    r.cases.push_back({arithmetic_text(a), a});
  }
  const InferenceStudy study = study_inference(r);
  BOOST_TEST(study.categories == 4U);
  BOOST_TEST(study.cases[0].arithmetic.name == "activations bf16");
  BOOST_TEST(study.cases[1].arithmetic.name == "activations bf16:RU");
  const CaseAnswers& nearest = study.cases[0];
  BOOST_TEST(nearest.categories == 2U);
  BOOST_TEST(nearest.lost == 2U);
  BOOST_TEST(nearest.gained == 0U);
  BOOST_TEST_REQUIRE(nearest.changed.size() == 2U);
  BOOST_TEST(nearest.changed[0].image == 4U);  // the nearest first
  BOOST_TEST(nearest.changed[0].margin == 0x1p-20);
  BOOST_TEST(nearest.changed[0].nearer == 0U);
  BOOST_TEST(nearest.changed[1].image == 1U);
  BOOST_TEST(nearest.changed[1].margin == 0x1p-9);
  BOOST_TEST(nearest.changed[1].nearer == 1U);
  BOOST_TEST(study.cases[1].changed.empty());  // upward: all that lived lives

  const json parsed = json::parse(inference_json(study));
  BOOST_TEST(parsed.at("categories") == 4);
  BOOST_TEST(parsed.at("cases").at(0).at("differing") == 2);
  BOOST_TEST(parsed.at("cases").at(0).at("changed").at(1).at("image") == 1);
  std::istringstream csv(inference_csv(study));
  std::size_t lines = 0;
  for (std::string line; std::getline(csv, line);) ++lines;
  BOOST_TEST(lines == 3U);
  const LineChart chart = inference_chart(study);
  BOOST_TEST(chart.rows.size() == 4U);  // two of all images, with and without a category
  std::size_t points = 0;
  for (std::size_t s = 1; s < chart.series.size(); ++s) points += chart.series[s].points.size();
  BOOST_TEST(points == 2U);
}

BOOST_AUTO_TEST_CASE(the_largest_of_equals_is_the_first) {
  Layer layer;
  layer.weights.structure.rows = 3;
  layer.weights.structure.cols = 1;
  layer.weights.structure.row_offsets = {0, 1, 2, 3};
  layer.weights.structure.column_indices = {0, 0, 0};
  layer.weights.values = {1, 2, 2.0009765625F};
  layer.bias = {0, 0, 0};
  layer.clip = Clip::none();
  const Network network{{layer}};
  const Answer single =
      QuantizedNetwork(network, {}).answer(Question::largest_output, std::vector<float>{1}, 0);
  BOOST_TEST(single.label == 2U);
  BOOST_TEST(single.margin == 0x1p-10);
  const InferenceArithmetic bf16{{formats::bfloat16}, {}, {}, {}, 1};
  const Answer rounded =
      QuantizedNetwork(network, bf16).answer(Question::largest_output, std::vector<float>{1}, 0);
  BOOST_TEST(rounded.label == 1U);
  BOOST_TEST(rounded.margin == 0.0);
}

BOOST_AUTO_TEST_CASE(quantities_as_typed) {
  BOOST_TEST((parse_quantity("--acc", "bf16") == Quantity{formats::bfloat16, Rounding::nearest_even}));
  BOOST_TEST((parse_quantity("--acc", "f16:RZ") == Quantity{formats::float16, Rounding::toward_zero}));
  BOOST_TEST(quantity_text(parse_quantity("--acc", "f16:toward-zero")) == "f16:RZ");
  for (const char* const bad : {"", "bf61", "bf16:", "bf16:XX", ":RZ", "bf16:RZ:RZ"})
    BOOST_CHECK_THROW(parse_quantity("--acc", bad), InputError);
  BOOST_CHECK_THROW(QuantizedNetwork({}, {}), ContractError);
  const Network unfit{{one_neuron(1, 0), random_network(1, spdnn::challenge_clip).layers.front()}};
  BOOST_CHECK_THROW(QuantizedNetwork(unfit, {}), ContractError);
}
