#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include "reference/core/random.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/neighbours.hpp"

using namespace assay;

namespace {

double error_of(const char* text, const FormatSpec& f, Rounding mode = Rounding::nearest_even,
                Overflow overflow = Overflow::ieee) {
  const ExactValue<Wide> x = parse_number(text);
  return error_in_ulps(encode(x, f, {.rounding = mode, .overflow = overflow}).code, x, f);
}

}  // namespace

BOOST_AUTO_TEST_CASE(steps_are_the_next_values) {
  for (const FormatSpec* f : formats::all) {
    if (f->bits > 19) continue;
    std::size_t wrong = 0, ends = 0;
    for (std::uint64_t code = 0; code < std::uint64_t{1} << f->bits; ++code) {
      const auto up = next_up(code, *f), down = next_down(code, *f);
      if (f->is_nan(code)) {
        wrong += up || down ? 1 : 0;
        continue;
      }
      const double x = decode(code, *f);
      if (!up) {
        ++ends;
        continue;
      }
      // Nothing lies between: the middle rounds to one of the two.
      const double y = decode(*up, *f);
      const bool step = x == 0 ? y > 0 : y > x || (y == 0 && x < 0);
      wrong += step ? 0 : 1;
      if (std::isfinite(x) && std::isfinite(y)) {
        const std::uint64_t between = encode(x + (y - x) / 4, *f).code;
        wrong += decode(between, *f) == x ? 0 : 1;
      }
      wrong += decode(*next_down(*up, *f), *f) == x ? 0 : 1;
    }
    BOOST_TEST_CONTEXT(f->dtype) {
      BOOST_TEST(wrong == 0U);
      BOOST_TEST(ends == 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(float32_steps_are_nextafter) {
  const CounterRandom random(9);
  std::size_t wrong = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::uint32_t bits = random.u32(i);
    const auto x = std::bit_cast<float>(bits);
    if (!std::isfinite(x)) continue;
    const float above = std::nextafter(x, std::numeric_limits<float>::infinity());
    wrong += next_up(bits, formats::float32) == std::bit_cast<std::uint32_t>(above) ? 0 : 1;
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(errors_by_hand) {
  BOOST_TEST(error_of("1", formats::bfloat16) == 0.0);
  BOOST_TEST(error_of("1.00390625", formats::bfloat16) == -0.5);
  BOOST_TEST(error_of("-1.00390625", formats::bfloat16) == 0.5);
  BOOST_TEST(error_of("1.001953125", formats::bfloat16, Rounding::toward_positive) == 0.75);
  BOOST_TEST(error_of("1.99999", formats::bfloat16) >
             0.0);  // up into the next binade, in ulps of the lower one
  BOOST_TEST(error_of("1.99999", formats::bfloat16) < 0.01);
  BOOST_TEST(error_of("0x1p-134", formats::bfloat16) == -0.5);
  BOOST_TEST(error_of("0x1p-1000", formats::bfloat16, Rounding::toward_positive) == 1.0);
  BOOST_TEST(std::isinf(error_of("1e39", formats::bfloat16)));
  BOOST_TEST(error_of("480", formats::float8_e4m3fn, Rounding::nearest_even, Overflow::saturate) == -1.0);
  BOOST_TEST(std::isnan(error_of("480", formats::float8_e4m3fn)));
  BOOST_TEST(error_of("inf", formats::float16) == 0.0);
  BOOST_TEST(error_of("inf", formats::float16, Rounding::nearest_even, Overflow::saturate) < 0.0);
  BOOST_TEST(error_of("0", formats::float16) == 0.0);
}

BOOST_AUTO_TEST_CASE(nearest_is_within_half_an_ulp_and_directed_within_one) {
  const CounterRandom random(10);
  for (const FormatSpec* f : {&formats::bfloat16, &formats::float8_e4m3fn, &formats::float32}) {
    double widest = 0, widest_directed = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      const double x =
          std::ldexp(random.uniform(i) - 0.5, static_cast<int>(random.below(20, i + 200'000)) - 12);
      const std::uint64_t near = encode(x, *f).code, up = encode(x, *f, Rounding::toward_positive).code;
      widest = std::max(widest, std::fabs(error_in_ulps(near, exact(x), *f)));
      const double directed = error_in_ulps(up, exact(x), *f);
      BOOST_REQUIRE(directed >= 0.0);
      widest_directed = std::max(widest_directed, directed);
    }
    BOOST_TEST_CONTEXT(f->dtype) {
      BOOST_TEST(widest <= 0.5);
      BOOST_TEST(widest > 0.49);
      BOOST_TEST(widest_directed < 1.0);
      BOOST_TEST(widest_directed > 0.98);
    }
  }
}
