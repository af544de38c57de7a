// The tests' own definition of formats against encode(): two definitions that share no line.
#include "tests/support/rational.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

using namespace assay;

namespace {

bool same_code(const oracle::Number& x, double as_double, const FormatSpec& f, Rounding mode,
               Overflow overflow) {
  const auto mine = oracle::code_of(x, f, mode, overflow);
  const Encoded theirs = encode(as_double, f, mode, overflow);
  return mine ? *mine == theirs.code : theirs.invalid;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_code_of_the_narrow_formats_is_its_value) {
  for (const FormatSpec* f : formats::all) {
    if (f->bits > 16) continue;
    std::size_t wrong = 0;
    for (std::uint64_t code = 0; code < std::uint64_t{1} << f->bits; ++code) {
      const oracle::Number x = oracle::number_of(code, *f), y = oracle::number_of(decode(code, *f));
      const bool same = x.kind == y.kind && x.value == y.value && (x.is_nan() || x.negative == y.negative);
      wrong += same ? 0 : 1;
    }
    BOOST_TEST(wrong == 0U, f->dtype);
  }
}

// Values, midpoints of neighbours and what lies just beside them, in and beyond each format's range.
BOOST_AUTO_TEST_CASE(roundings_agree_with_encode) {
  const CounterRandom random(1);
  std::uint64_t next = 0;
  for (const FormatSpec* f : formats::all) {
    if (*f == formats::float64) continue;  // a float64 does not lie between two of them
    for (const Rounding mode : deterministic_roundings) {
      for (const Overflow overflow : {Overflow::ieee, Overflow::saturate}) {
        std::string worst;
        for (int i = 0; i < 60; ++i) {
          const std::uint64_t code = i < 4 ? f->max_finite_code() - static_cast<std::uint64_t>(i) / 2
                                           : random.below(f->max_finite_code(), next++);
          const double low = decode(code, *f);
          const double high =
              code == f->max_finite_code() ? 2 * low - decode(code - 1, *f) : decode(code + 1, *f);
          for (const double magnitude : {low, (low + high) / 2, std::nextafter((low + high) / 2, 0),
                                         std::nextafter((low + high) / 2, 1e300), high, 2 * high}) {
            const double x = random.below(2, next++) == 0 ? magnitude : -magnitude;
            if (!same_code(oracle::number_of(x), x, *f, mode, overflow)) worst = std::to_string(x);
          }
        }
        for (const double x : {0.0, -0.0, HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
          if (!same_code(oracle::number_of(x), x, *f, mode, overflow)) worst = std::to_string(x);
        }
        BOOST_TEST(worst.empty(), f->dtype << " " << rounding_name(mode) << ": " << worst);
      }
    }
  }
}

// As the host's own float32 and float64.
BOOST_AUTO_TEST_CASE(steps_agree_with_the_hardware) {
  const CounterRandom random(2);
  std::size_t wrong = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const auto code = [&](std::uint64_t j) { return std::uint64_t{random.u32(2 * i + j)}; };
    const float a = std::bit_cast<float>(static_cast<std::uint32_t>(code(0))),
                b = std::bit_cast<float>(static_cast<std::uint32_t>(code(1)));
    const oracle::Number x = oracle::number_of(code(0), formats::float32),
                         y = oracle::number_of(code(1), formats::float32);
    const auto same = [](const oracle::Number& n, float r) {
      if (n.is_nan() || std::isnan(r)) return n.is_nan() == std::isnan(r);
      const auto c = oracle::code_of(n, formats::float32, Rounding::nearest_even, Overflow::ieee);
      return *c == std::bit_cast<std::uint32_t>(r);
    };
    wrong +=
        same(oracle::product(x, y), a * b) && same(oracle::sum(x, y, Rounding::nearest_even), a + b) ? 0 : 1;
  }
  BOOST_TEST(wrong == 0U);
}
