// What a verdict accepts, by hand: cases whose every legal result can be named.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/operations/result_set.hpp"

using namespace assay;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan = std::numeric_limits<double>::quiet_NaN();
const FormatSpec &f64 = formats::float64, &f32 = formats::float32, &bf16 = formats::bfloat16,
                 &f16 = formats::float16;

// A sum of products of float64 operands, and what may come of it.
struct Question {
  std::vector<double> a, b;
  std::optional<double> c{}, bias{};
  Epilogue how{.place = EpiloguePlace::anywhere};
  FormatSpec accumulator = f32, output = f32;
  Rounding mode = Rounding::nearest_even;
  FormatSpec operands = f64;

  ElementTruth truth() const {
    const auto chain = make_chain(
        {.name = "any", .accumulator = accumulator, .order = SumOrder::sequential(), .rounding = mode});
    const auto codes = [&](const std::vector<double>& x) {
      std::vector<std::uint64_t> all;
      for (const double v : x) all.push_back(encode(v, operands).code);
      return all;
    };
    const auto addend = [](const std::optional<double>& x) {
      return x ? std::optional(Addend{encode(*x, f64).code, f64}) : std::nullopt;
    };
    const std::vector<std::uint64_t> x = packed(codes(a)), y = packed(codes(b));
    return element_truth(*chain, how, {x.data(), a.size(), 1, operands}, {y.data(), b.size(), 1, operands},
                         {}, addend(c), addend(bias), output);
  }
  bool accepts(double got) const { return accepts_code(encode(got, output).code); }
  bool accepts_code(std::uint64_t code) const {
    return assay::accepts(truth().results, special_codes(how, output), code, output);
  }

 private:
  std::vector<std::uint64_t> packed(const std::vector<std::uint64_t>& codes) const {
    std::vector<std::uint64_t> words(codes.size() + 1);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      detail::store_code(words.data(), static_cast<std::ptrdiff_t>(i), code_bytes(operands), codes[i]);
    }
    return words;
  }
};

void expect(const Question& q, const std::vector<double>& right, const std::vector<double>& wrong) {
  BOOST_TEST(q.truth().results.judged);
  for (const double x : right) BOOST_TEST(q.accepts(x), x << " must pass");
  for (const double x : wrong) BOOST_TEST(!q.accepts(x), x << " must not pass");
}

BOOST_AUTO_TEST_CASE(a_sum_that_overflows_with_certainty_is_that_infinity) {
  expect({.a = {3e38, 3e38}, .b = {1, 1}}, {infinity}, {-infinity, nan, 5, 0, 3.4e38});
  expect({.a = {1e30}, .b = {1e30}}, {infinity}, {-infinity, nan, -5, 0});
  expect({.a = {-3e38, -3e38}, .b = {1, 1}}, {-infinity}, {infinity, nan, 77});
  // Where both signs may overflow, NaN is possible, and so is the number that no overflow touched.
  expect({.a = {3e38, 3e38, -3e38, -3e38}, .b = {1, 1, 1, 1}}, {infinity, -infinity, nan, 0}, {5e33, -1e36});
  // Also where the magnitudes themselves are beyond float64.
  expect({.a = {1e308, 1e308, -1e308}, .b = {1, 1, 1}, .accumulator = f64, .output = f64}, {infinity, 1e308},
         {-infinity, nan, 0, 1.1e308});
  expect({.a = {1e308, 1e308}, .b = {10, 1}, .accumulator = f64, .output = f64}, {infinity}, {nan, 1e308});
  // One sign alone: 3e38 + 3e38 - 3e38 in some order, never NaN and never -Inf.
  expect({.a = {3e38, 3e38, -3e38}, .b = {1, 1, 1}}, {infinity, 3e38}, {-infinity, nan, 0, 2.9e38});
}

BOOST_AUTO_TEST_CASE(activations_and_outputs_decide_what_an_infinity_becomes) {
  Question q{.a = {-3e38, -3e38}, .b = {1, 1}};
  q.how.activation = Activation::relu;
  expect(q, {0}, {77, infinity, nan});
  q.how.activation = Activation::clip;
  q.how.low = -1;
  q.how.high = 1;
  expect(q, {-1}, {77, 1, 0, nan});
  Question saturates{.a = {300, 300}, .b = {1, 1}, .output = formats::float8_e4m3fn};
  saturates.how.overflow = Overflow::saturate;
  expect(saturates, {448}, {416, 0, nan});
  expect({.a = {300, 300}, .b = {1, 1}, .output = formats::float8_e4m3fn}, {nan}, {448, 0});
  expect({.a = {-9}, .b = {1}, .output = formats::float4_e2m1fn}, {-6}, {-4, 6, 0});
}

BOOST_AUTO_TEST_CASE(not_a_number_in_a_relu_is_0_only_where_it_is_said) {
  Question q{.a = {nan}, .b = {1}};
  q.how.activation = Activation::relu;
  expect(q, {nan}, {0});
  q.how.activation = Activation::relu_max;
  expect(q, {0}, {nan, 1});
}

BOOST_AUTO_TEST_CASE(an_infinite_operand_may_meet_an_overflow_of_the_other_sign) {
  expect({.a = {infinity, -3e38, -3e38}, .b = {1, 1, 1}}, {infinity, nan}, {-infinity, 0});
  expect({.a = {infinity, -3e38, -1}, .b = {1, 1, 1}}, {infinity}, {-infinity, 0, nan});
  expect({.a = {infinity, 1}, .b = {0, 1}}, {nan}, {infinity, 1});
}

// One product is one rounding, in every format and mode.
BOOST_AUTO_TEST_CASE(a_single_product_is_unique) {
  for (const FormatSpec* f : {&f64, &f32, &bf16, &f16, &formats::float8_e5m2}) {
    for (const Rounding mode : {Rounding::nearest_even, Rounding::nearest_away, Rounding::toward_zero,
                                Rounding::toward_positive, Rounding::toward_negative, Rounding::to_odd}) {
      Question q{.a = {0, 1.1, 0}, .b = {3, -2.3, 5}, .accumulator = *f, .output = *f, .mode = mode};
      q.how.rounding = mode;
      const ElementTruth truth = q.truth();
      BOOST_TEST(truth.results.low == truth.results.high, f->dtype << " " << rounding_name(mode));
      BOOST_TEST(q.accepts_code(encode(truth.exact, *f, {.rounding = mode}).code));
    }
  }
  // Into a narrower output by way of the accumulator, or at once: 1 + 2^-8 + 2^-30 is above bfloat16's tie, its float32
  // is the tie.
  Question twice{.a = {1 + 0x1p-8 + 0x1p-30}, .b = {1}, .output = bf16};
  expect(twice, {1, 1 + 0x1p-7}, {1 + 0x1p-6, 1 - 0x1p-8});
}

// Sums that no order rounds: integers, and whatever has few enough bits.
BOOST_AUTO_TEST_CASE(sums_that_are_exact_in_every_order_are_unique) {
  expect({.a = {3, 5, -7, 11}, .b = {100, 200, 300, 1}}, {-789}, {-788, -790});
  expect({.a = {0x1p23, 1, 1, 1}, .b = {1, 1, 1, 1}}, {0x1p23 + 3}, {0x1p23 + 2, 0x1p23 + 4});
  expect(
      {.a = {1, 2}, .b = {1, 1}, .c = 4.0, .bias = 8.0, .how = {.beta = 2, .place = EpiloguePlace::anywhere}},
      {19}, {std::nextafterf(19, 20), std::nextafterf(19, 18)});
  // The next bit is too many.
  BOOST_TEST((Question{.a = {0x1p24, 1, 1, 1}, .b = {1, 1, 1, 1}}.accepts(0x1p24 + 2)));
}

BOOST_AUTO_TEST_CASE(addends_may_come_first) {
  Question q{.a = {1, 1, 1}, .b = {1, 1, 1}, .bias = 0x1p24};
  expect(q, {0x1p24, 0x1p24 + 2, 0x1p24 + 4}, {0x1p24 - 2, 0x1p24 + 8});
  q.how.place = EpiloguePlace::last;
  expect(q, {0x1p24 + 2, 0x1p24 + 4}, {0x1p24 - 2, 0x1p24 + 8});
}

// Where the sum cancels against the addends, the output's rounding is that of the small result.
BOOST_AUTO_TEST_CASE(a_narrow_output_is_rounded_by_its_own_size) {
  Question q{.a = {50.5, 49.5}, .b = {1, 1}, .bias = -99.0, .output = bf16};
  expect(q, {1}, {1.7, 0.3, 1.0078125, 0.99609375});
  q.a = {50.1, 49.9};
  expect(q, {1}, {1.7, 0.3});
}

BOOST_AUTO_TEST_CASE(a_clip_does_not_widen) {
  Question q{.a = {1.5, 2.25}, .b = {1, 1}, .output = bf16};
  q.how.activation = Activation::clip;
  q.how.low = -448;
  q.how.high = 448;
  expect(q, {3.75}, {3.734375, 3.765625, 2.75, 4.75});
  q.a = {0.1, 0.7};
  expect(q, {0.80078125}, {1.80078125, -0.19921875, 448});
}

BOOST_AUTO_TEST_CASE(float64_products_below_the_normal_range) {
  Question one{.a = {0x1p-540}, .b = {0x1p-530}, .accumulator = f64, .output = f64};
  expect(one, {0x1p-1070}, {0x1p-1070 + 0x1p-1074, 0x1p-1070 - 0x1p-1074});
  // Exact products of subnormal size sum exactly; inexact ones are off by half a unit each.
  const std::vector<double> small(6, 0x1p-540), other(6, 0x1p-530);
  Question six{.a = small, .b = other, .accumulator = f64, .output = f64};
  expect(six, {6 * 0x1p-1070}, {6 * 0x1p-1070 + 0x1p-1074});
  Question thirds{
      .a = std::vector<double>(6, 1.0 / 3 * 0x1p-540), .b = other, .accumulator = f64, .output = f64};
  expect(thirds, {2 * 0x1p-1070, 2 * 0x1p-1070 + 3 * 0x1p-1074}, {2 * 0x1p-1070 + 5 * 0x1p-1074});
}

BOOST_AUTO_TEST_CASE(modes_that_stop_at_the_largest_number) {
  const double top = 0x1.fffffep127;
  // (top + top) - top is 0 where the first sum stops at top, top where the last two come first.
  expect({.a = {top, top, -top}, .b = {1, 1, 1}, .mode = Rounding::toward_zero}, {0, top},
         {infinity, -1e35, -infinity, nan});
  expect({.a = {top, top},
          .b = {1, 1},
          .how = {.place = EpiloguePlace::anywhere, .rounding = Rounding::toward_positive},
          .mode = Rounding::toward_positive},
         {infinity}, {top, 0, nan, -infinity});
  expect({.a = {-top, -top},
          .b = {1, 1},
          .how = {.place = EpiloguePlace::anywhere, .rounding = Rounding::toward_positive},
          .mode = Rounding::toward_positive},
         {-top}, {-infinity, 0, nan});
}

BOOST_AUTO_TEST_CASE(alpha_0_does_not_read_the_product) {
  Question q{.a = {nan, infinity},
             .b = {1, 0},
             .c = 3.0,
             .how = {.alpha = 0, .beta = 2, .place = EpiloguePlace::anywhere}};
  expect(q, {6}, {nan, 5, 7});
  q.how.alpha = 1;
  expect(q, {nan}, {6});
}

// temp = alpha * b first, alpha on the sum, C scaled first: all of them, for a C that swallows the products.
BOOST_AUTO_TEST_CASE(scaled_sums_in_every_order) {
  const std::size_t k = 1000;
  std::vector<double> a(k), b(k, 1.0F);
  for (std::size_t i = 0; i < k; ++i) a[i] = static_cast<float>(0.1 + 0.001 * static_cast<double>(i % 17));
  const float alpha = 0.001F, c = 12345.678F;
  float first = c, last = 0, scaled = c;
  for (std::size_t i = 0; i < k; ++i) {
    first += alpha * static_cast<float>(a[i]);
    last += static_cast<float>(a[i]);
    scaled = std::fma(alpha * static_cast<float>(b[i]), static_cast<float>(a[i]), scaled);
  }
  last = alpha * last + c;
  Question q{.a = a,
             .b = b,
             .c = c,
             .how = {.alpha = alpha, .beta = 1, .place = EpiloguePlace::anywhere},
             .operands = f32};
  expect(q, {first, last, scaled}, {c - 1, c + 10, infinity, nan});
}

// One side that overflows says nothing of the other, however far it goes.
// To nearest, the largest number and less than half of its last place are the largest number, whatever comes first.
BOOST_AUTO_TEST_CASE(the_largest_number_beside_small_ones_does_not_overflow) {
  const double top = decode(f32.max_finite_code(), f32), wide_top = decode(f64.max_finite_code(), f64);
  for (const std::vector<double>& terms : {std::vector{top, -1.0}, {top, 1.0}, {top, 1.0, 1.0}, {top, 1e31}})
    expect({.a = terms, .b = std::vector<double>(terms.size(), 1)}, {top}, {infinity, -infinity, nan});
  expect({.a = {top, -top / 2, 1}, .b = {1, 1, 1}}, {top / 2}, {infinity, nan});
  expect({.a = {top, 1.02e31}, .b = {1, 1}}, {infinity}, {-infinity, nan});
  expect({.a = {1e30}, .b = {-1e30}, .c = top, .how = {.beta = 1, .place = EpiloguePlace::anywhere}},
         {-infinity}, {infinity, nan});
  expect({.a = {1e30, -top}, .b = {1e30, 1}}, {infinity}, {-infinity, nan});
  const auto in = [](const FormatSpec& f, std::vector<double> terms) {
    return Question{.a = terms, .b = std::vector<double>(terms.size(), 1), .accumulator = f, .output = f};
  };
  expect(in(f64, {wide_top, -1}), {wide_top}, {infinity});
  expect(in(f64, {-wide_top, 1, 2}), {-wide_top}, {-infinity, infinity});
  expect(in(f64, {wide_top, 1e292}), {infinity}, {-infinity, nan});
  expect(in(f16, {65504, 0.1}), {65504}, {infinity});
  expect(in(f16, {65440, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}), {65440}, {infinity});
  expect(in(f16, {65504, 8, 8}), {infinity, 65504}, {-infinity});
  expect(in(bf16, {3.3895313892515355e38, -1}), {3.3895313892515355e38}, {infinity});
  Question up = in(f32, {top, -1});
  up.mode = up.how.rounding = Rounding::toward_positive;
  expect(up, {top}, {infinity});
  up.a = {top, 1.1}, up.b = {1, -1.3};
  expect(up, {top}, {infinity, nan});
  Question steps = in(f16, {65312, 0.5, 0.25, 0.125});
  steps.mode = steps.how.rounding = Rounding::toward_positive;
  expect(steps, {65344, 65408}, {infinity});
  // A forgotten mask: what alpha is matters not.
  for (const double alpha : {1.0, 0.5, 0.35355339059327379}) {
    const Question masked{.a = {1, -2, 3},
                          .b = {0.5, 0.25, 1},
                          .c = -top,
                          .how = {.alpha = alpha, .beta = 1, .place = EpiloguePlace::anywhere}};
    expect(masked, {-top}, {-infinity, infinity, nan});
  }
}

// Every tree of four float16 terms about its largest number: where one overflows, infinity passes; where the sum of the
// terms is below the largest number by as much as their additions can be off, it does not.
BOOST_AUTO_TEST_CASE(infinities_of_every_order_pass) {
  using Values = std::vector<double>;
  const auto add = [](double x, double y) { return decode(encode(x + y, f16).code, f16); };
  const std::function<bool(const Values&)> overflows = [&](const Values& x) {
    if (std::any_of(x.begin(), x.end(), [](double v) { return std::isinf(v); })) return true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t j = i + 1; j < x.size(); ++j) {
        Values rest{add(x[i], x[j])};
        for (std::size_t t = 0; t < x.size(); ++t) {
          if (t != i && t != j) rest.push_back(x[t]);
        }
        if (overflows(rest)) return true;
      }
    }
    return false;
  };
  const CounterRandom random(20261129);
  std::size_t infinite = 0, finite = 0;
  for (std::uint64_t n = 0; n < 2000; ++n) {
    Values x;
    double positive = 0;
    for (std::uint64_t i = 0; i < 4; ++i) {
      const int e = i == 0 ? 15 : 15 - static_cast<int>(random.below(14, 8 * n + i));
      const double size = i == 0 ? 65504 - 32 * static_cast<double>(random.below(4, 8 * n + 4))
                                 : std::ldexp(1 + random.uniform(8 * n + 4 + i), e - 4);
      x.push_back((i > 0 && random.below(3, 8 * n) == 0 ? -1 : 1) * decode(encode(size, f16).code, f16));
      if (x.back() > 0) positive += x.back();
    }
    const Question q{.a = x, .b = Values(4, 1), .accumulator = f16, .output = f16};
    if (overflows(x)) {
      ++infinite;
      BOOST_TEST(q.accepts(infinity), x[0] << ' ' << x[1] << ' ' << x[2] << ' ' << x[3]);
    } else if (positive + 2 * 16 < 65520) {
      ++finite;
      BOOST_TEST(!q.accepts(infinity), x[0] << ' ' << x[1] << ' ' << x[2] << ' ' << x[3]);
    }
  }
  BOOST_TEST((infinite > 200 && finite > 200), infinite << " and " << finite);
}

BOOST_AUTO_TEST_CASE(the_other_sign_does_not_overflow) {
  expect({.a = {-3e38, 1}, .b = {1e10, 1}}, {-infinity}, {infinity, nan, 5});
  expect({.a = {3e38, 1}, .b = {3e38, 1}}, {infinity}, {-infinity, nan});
  expect({.a = {-1e300},
          .b = {1e200},
          .how = {.alpha = 0.5, .place = EpiloguePlace::anywhere},
          .accumulator = f64,
          .output = f64},
         {-infinity}, {infinity, nan});
  expect({.a = {-60000, 1}, .b = {60000, 1}, .accumulator = f16, .output = f16}, {-infinity},
         {infinity, nan});
  Question q{.a = {-3e38, 1}, .b = {1e10, 1}};
  q.how.activation = Activation::relu;
  expect(q, {0}, {infinity, nan, 1});
  // Beyond float64 with steps after the sum: no bound, and no fault of ours.
  Question beyond{.a = {1e300, 1},
                  .b = {1e200, 1},
                  .c = 1.0,
                  .how = {.alpha = -1, .beta = 1},
                  .accumulator = f64,
                  .output = f64};
  BOOST_TEST(beyond.accepts(-infinity));
}

// The last addition rounds the result, whatever cancelled in it.
BOOST_AUTO_TEST_CASE(two_terms_are_one_rounding) {
  const double rest = 1000.0 - static_cast<double>(999.7F);
  expect({.a = {1000, static_cast<double>(-999.7F)}, .b = {1, 1}}, {rest}, {0.3001, 0.30001, 0.29998});
  expect({.a = {1000},
          .b = {1},
          .c = static_cast<double>(-999.7F),
          .how = {.beta = 1, .place = EpiloguePlace::anywhere}},
         {rest}, {0.3001, 0.30001});
  const float sum = 1.3F - 0.4F;
  expect({.a = {static_cast<double>(1.3F), 0, static_cast<double>(-0.4F)}, .b = {1, 1, 1}},
         {static_cast<double>(sum)},
         {static_cast<double>(std::nextafterf(sum, 1)), static_cast<double>(std::nextafterf(sum, 0))});
}

// alpha = 2^-1 times the operand loses its last bit, times the product nothing.
BOOST_AUTO_TEST_CASE(a_power_of_two_may_round_an_operand_away) {
  expect({.a = {0x1p-149}, .b = {6}, .how = {.alpha = 0.5, .place = EpiloguePlace::anywhere}},
         {0, 3 * 0x1p-149}, {40 * 0x1p-149});
  expect({.a = {3 * 0x1p-149}, .b = {6}, .how = {.alpha = 0.5, .place = EpiloguePlace::anywhere}},
         {9 * 0x1p-149, 12 * 0x1p-149}, {60 * 0x1p-149});
}

BOOST_AUTO_TEST_CASE(codes_and_positions) {
  for (const FormatSpec* f : {&f16, &formats::float8_e4m3fnuz, &formats::float4_e2m1fn}) {
    for (std::uint64_t code = 0; code <= 2 * f->magnitude_mask() + 1; ++code) {
      if (!f->is_finite(code)) continue;
      const std::uint64_t again = code_at_position(value_position(code, *f), *f);
      if (decode(again, *f) != decode(code, *f)) BOOST_TEST(again == code, f->dtype);
    }
  }
}

}  // namespace
