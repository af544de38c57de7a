// The judge of AutoSparse's layers: the library's own bits, bounds at their edge, long sums, units, mistakes by name.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/autosparse/annealing.hpp"
#include "reference/autosparse/layer.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/autosparse_truth.hpp"
#include "validation/judge/results.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using judge::AutosparseRequest;

namespace {

const FormatSpec& f32 = formats::float32;
constexpr double alpha = 0.375, lambda = 1e-3;

compare::Policy policy(const char* name) {
  return compare::find_policy(compare::default_policies(), name, "policy");
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

io::Array array_of(const FormatSpec& f, io::Shape shape, const std::vector<double>& values) {
  io::Array array = io::make_array(f, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i)
    detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), array.element.bytes(),
                       encode(values[i], f).code);
  return array;
}

io::Array scalars(const std::vector<double>& x, bool one) {
  io::Array array = array_of(formats::float64, {static_cast<std::int64_t>(x.size())}, x);
  if (one) array.shape = {};
  return array;
}

template <class T>
io::Array stored(const std::vector<T>& x, const FormatSpec& f, io::Shape shape) {
  io::Array array = io::make_array(f, std::move(shape));
  std::memcpy(array.bytes.data(), x.data(), array.bytes.size());
  return array;
}

std::vector<float> floats(const io::Array& x) {
  const std::vector<double> values = judge::values_of(x);
  return {values.begin(), values.end()};
}

io::Array normal(const FormatSpec& f, const io::Shape& shape, std::uint64_t seed, double scale) {
  const CounterRandom random(seed);
  std::vector<double> values(static_cast<std::size_t>(io::make_array(f, shape).size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * random.normal(i);
  return array_of(f, shape, values);
}

// A layer with the library's own results.
struct OwnLayer {
  autosparse::LayerShape shape{};
  AutosparseRequest asked{};
  std::vector<float> thresholds{};

  OwnLayer(std::size_t out, std::size_t in, std::size_t batch, bool channels, const FormatSpec& operands,
           const std::string& support = "dense") {
    shape = {out, in};
    const auto o = static_cast<std::int64_t>(out), i = static_cast<std::int64_t>(in),
               b = static_cast<std::int64_t>(batch);
    asked.w = normal(f32, {o, i}, 1, 0.1);
    asked.x = normal(operands, {b, i}, 2, 1);
    asked.dy = normal(operands, {b, o}, 3, 1);
    asked.alpha = support == "kept" ? 0 : alpha;
    asked.lambda = lambda;
    asked.support = support;
    asked.channels = channels;
    asked.policy = policy("bound");
    const CounterRandom random(4);
    std::vector<double> s(channels ? out : 1);
    for (std::size_t t = 0; t < s.size(); ++t)
      s[t] = static_cast<double>(static_cast<float>(-2.75 + 0.2 * random.normal(t)));
    for (const double x : s) thresholds.push_back(autosparse::threshold_of(static_cast<float>(x)));
    asked.s = scalars(s, !channels);

    const std::vector<float> w = floats(asked.w);
    std::vector<float> v(w.size()), g(w.size()), dw(w.size()), dx(batch * in);
    std::vector<bf16_t> v16(w.size());
    std::vector<std::uint8_t> mask(w.size()), places;
    autosparse::forward<float>(w, shape, thresholds, v, mask);
    autosparse::forward(w, shape, thresholds, v16, mask);
    if (support == "kept") places = mask;
    if (support == "top-half") places = autosparse::top_half<float>(w, shape, thresholds);
    const autosparse::WeightGradientPlan plan(shape, places);
    const sparse::MutableDenseView of_g{g.data(), o, i, i}, of_dx{dx.data(), b, i, i};
    if (operands == f32) {
      const std::vector<float> x = floats(*asked.x), dy = floats(*asked.dy);
      plan.multiply(sparse::DenseView{dy.data(), b, o, o}, {x.data(), b, i, i}, of_g);
      autosparse::PrunedLayer(v, shape).input_gradient(sparse::DenseView{dy.data(), b, o, o}, of_dx);
    } else {
      const auto x = asked.x->as<bf16_t>(), dy = asked.dy->as<bf16_t>();
      plan.multiply(sparse::Bf16View{dy.data(), b, o, o}, {x.data(), b, i, i}, of_g);
      autosparse::PrunedLayer(v16, shape).input_gradient(sparse::Bf16View{dy.data(), b, o, o}, of_dx);
    }
    std::vector<double> sums(thresholds.size()), ds;
    autosparse::backward<float>(w, shape, thresholds, g, {asked.alpha, lambda, lambda}, dw, sums);
    for (std::size_t t = 0; t < sums.size(); ++t)
      ds.push_back(autosparse::s_gradient(static_cast<double>(thresholds[t]), sums[t], s[t], lambda));
    asked.got_mask = io::make_array(io::ElementType::unsigned_integer(8), {o, i});
    std::memcpy(asked.got_mask->bytes.data(), mask.data(), mask.size());
    asked.got_v = stored(v, f32, {o, i});
    asked.got_dw = stored(dw, f32, {o, i});
    asked.got_dx = stored(dx, f32, {b, i});
    asked.got_ds = array_of(f32, asked.s->shape, ds);
  }
};

std::string notes_of(const judge::AutosparseJudgement& one) {
  std::string text = one.array + " " + std::string(compare::verdict_name(one.judgement.comparison.verdict)) +
                     ": " + one.judgement.comparison.reason;
  for (const std::string& note : one.judgement.notes) text += "\n" + note;
  return text;
}

void require_all_pass(const AutosparseRequest& r, const std::string& what) {
  for (const judge::AutosparseJudgement& one : judge::check_autosparse(r)) {
    BOOST_TEST((one.judgement.comparison.verdict == compare::Verdict::agree), what << " " << notes_of(one));
    BOOST_TEST(!holds(notes_of(one), "cause"), what << " " << notes_of(one));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_librarys_own_results_have_the_contracts_bits_and_lie_within_the_bounds) {
  for (const bool channels : {false, true}) {
    for (const FormatSpec& operands : {f32, formats::bfloat16}) {
      for (const char* support : {"dense", "kept", "top-half"}) {
        OwnLayer layer(13, 37, 21, channels, operands, support);
        const std::string what = std::string(operands.dtype) + " " + support + (channels ? " channels" : "");
        require_all_pass(layer.asked, what);
        layer.asked.policy = policy("bit-equal");
        require_all_pass(layer.asked, what);
      }
    }
  }
}

// Errors just below the bound pass and those just above fail, element by element: the results are in float64, so that
// no rounding of theirs comes between.
BOOST_AUTO_TEST_CASE(every_element_is_judged_at_its_own_bound) {
  OwnLayer layer(9, 14, 11, true, f32);
  AutosparseRequest& r = layer.asked;
  r.got_mask.reset();
  const judge::AutosparseLayer read = judge::make_autosparse_layer(r);
  const judge::ExactProducts g = judge::weight_gradients(r, read);
  const FormatSpec& f64 = formats::float64;
  const std::vector<double> none(read.size());
  struct Planted {
    std::optional<io::Array> AutosparseRequest::*got;
    judge::AutosparseTruth truth;
  };
  const Planted planted[] = {{&AutosparseRequest::got_v, judge::v_truth(read, f64)},
                             {&AutosparseRequest::got_dw, judge::dw_truth(read, g, f64, none)},
                             {&AutosparseRequest::got_dx, judge::dx_truth(r, read, f64)},
                             {&AutosparseRequest::got_ds, judge::ds_truth(read, g, f64)}};
  for (const double part : {0.999, 1.001}) {
    std::vector<std::size_t> wrong;
    for (const Planted& p : planted) {
      io::Array got = io::make_array(f64, (r.*p.got)->shape);
      std::size_t with_bound = 0;
      for (std::size_t i = 0; i < p.truth.truth.size(); ++i) {
        const double off = part * p.truth.bound[i];
        got.as<double>()[i] = p.truth.truth[i] + (i % 2 == 0 ? off : -off);
        with_bound += off > 0 ? 1U : 0U;
      }
      r.*p.got = got;
      wrong.push_back(part > 1 ? with_bound : 0);
    }
    const auto judged = judge::check_autosparse(r);
    BOOST_REQUIRE(judged.size() == 4U);
    for (std::size_t k = 0; k < 4; ++k)
      BOOST_TEST(judged[k].judgement.comparison.outside == wrong[k], part << " " << notes_of(judged[k]));
  }
}

BOOST_AUTO_TEST_CASE(long_sums_of_ds_are_judged_by_the_order_that_is_known) {
  constexpr std::int64_t out = 64, in = 2048;
  AutosparseRequest r;
  r.w = normal(f32, {out, in}, 1, 0.1);
  r.g = normal(f32, {out, in}, 2, 1);
  r.threshold = scalars({0.0625}, true);
  r.alpha = alpha;
  r.policy = policy("bound");
  const std::vector<float> w = floats(r.w), g = floats(*r.g), thresholds{0.0625F};
  std::vector<double> sums(1);
  autosparse::backward<float>(w, {out, in}, thresholds, g, {.alpha = alpha}, {}, sums);
  const double right = autosparse::s_gradient(0.0625, sums[0], 0, 0);
  const auto judged = [&](double ds, const char* order, const char* format) {
    r.got_ds = array_of(f32, {}, {ds});
    r.ds_order = order;
    r.ds_accumulator = format;
    return judge::check_autosparse(r).front().judgement;
  };
  // 131072 terms of either sign in any order: nothing is known of their sum.
  BOOST_TEST((judged(right, "any", "").comparison.verdict == compare::Verdict::vacuous));
  BOOST_TEST(holds(judged(right, "any", "").notes.back(), "--ds-order pairwise"));
  BOOST_TEST((judged(right, "pairwise", "").comparison.verdict == compare::Verdict::agree));
  BOOST_TEST((judged(right, "any", "f64").comparison.verdict == compare::Verdict::agree));
  BOOST_TEST((judged(right * (1 + 0x1p-8), "any", "f64").comparison.verdict == compare::Verdict::disagree));
  // A mistake is named although the bound lets it pass.
  const judge::Judgement flipped = judged(-right, "any", "");
  BOOST_TEST((flipped.comparison.verdict == compare::Verdict::vacuous));
  BOOST_TEST(holds(flipped.notes.back(), "cause  ds-flipped"), flipped.notes.back());
}

BOOST_AUTO_TEST_CASE(products_are_judged_by_the_unit_that_is_named) {
  OwnLayer layer(24, 40, 16, false, formats::bfloat16);
  AutosparseRequest& r = layer.asked;
  const judge::AutosparseLayer read = judge::make_autosparse_layer(r);
  for (const char* name : {"sm90.bf16", "vdpbf16ps", "chain_bf16_fused"}) {
    r.arithmetic = &arithmetics().find(name);
    r.arithmetic_name = name;
    judge::Request product;
    product.operation = "gemm";
    product.a = *r.dy;
    product.b = judge::pruned_operand(read, formats::bfloat16);
    product.arithmetic = r.arithmetic;
    const judge::Results results = judge::predicted_results(product);
    io::Array dx = io::make_array(results.format, r.got_dx->shape);
    std::memcpy(dx.bytes.data(), results.answer.codes.data(), dx.bytes.size());
    AutosparseRequest one = r;
    one.got_mask = one.got_v = one.got_dw = one.got_ds = std::nullopt;
    one.got_dx = dx;
    require_all_pass(one, name);
    one.policy = policy("bit-equal");
    require_all_pass(one, name);
    dx.bytes[101] ^= std::byte{1};
    one.got_dx = dx;
    BOOST_TEST(judge::check_autosparse(one).front().judgement.comparison.outside == 1U);
  }
}

BOOST_AUTO_TEST_CASE(masks_within_an_ulp_of_a_learned_threshold_are_undecided) {
  OwnLayer layer(4, 6, 3, false, f32);
  AutosparseRequest& r = layer.asked;
  r.got_v = r.got_dw = r.got_dx = r.got_ds = std::nullopt;
  const float t = layer.thresholds[0], up = std::nextafter(t, 1.0F), down = std::nextafter(t, 0.0F);
  const float near[] = {down, t, up, std::nextafter(up, 1.0F)};
  for (std::size_t i = 0; i < 4; ++i) r.w.as<float>()[i] = near[i];
  const std::uint8_t right[] = {0, 0, 1, 1};
  for (int flipped = -1; flipped < 4; ++flipped) {
    for (int i = 0; i < 4; ++i)
      r.got_mask->bytes[static_cast<std::size_t>(i)] = std::byte(i == flipped ? 1 - right[i] : right[i]);
    const judge::Judgement j = judge::check_autosparse(r).front().judgement;
    BOOST_TEST(j.comparison.not_judged == 0U);
    BOOST_TEST(j.comparison.outside == (flipped == 0 || flipped == 3 ? 1U : 0U), "flipped " << flipped);
    BOOST_TEST(holds(j.notes.front(), "2 of 24 weights are undecided"), j.notes.front());
  }
}

BOOST_AUTO_TEST_CASE(bad_input_is_named) {
  const auto message = [](auto change) {
    OwnLayer layer(4, 6, 3, true, f32);
    change(layer.asked);
    try {
      judge::check_autosparse(layer.asked);
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const auto nan = [](AutosparseRequest& r) { r.w.as<float>()[15] = std::nanf(""); };
  BOOST_TEST(holds(message(nan), "channel 2, weight 3"), message(nan));
  const auto infinite = [](AutosparseRequest& r) { r.s->as<double>()[2] = HUGE_VAL; };
  BOOST_TEST(holds(message(infinite), "value 2"), message(infinite));
  const auto saturated = [](AutosparseRequest& r) { r.s->as<double>()[2] = 40; };
  BOOST_TEST(holds(message(saturated), "channel 2: 40, which gives 1"), message(saturated));
  const auto without = [](AutosparseRequest& r) { r.dy.reset(); };
  BOOST_TEST(holds(message(without), "--got-dx requires --dy FILE"), message(without));
  const auto shape = [](AutosparseRequest& r) { r.got_dx->shape = {6, 3}; };
  BOOST_TEST(holds(message(shape), "[3,6], batch x inputs"), message(shape));
  const auto integers = [](AutosparseRequest& r) { r.got_dw = r.got_mask; };
  BOOST_TEST(holds(message(integers), "float32, float64, bfloat16 or float16"), message(integers));
}
