#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"
#include "tests/reference/formats/mpfr_rounding.hpp"

using namespace assay;

namespace {

std::uint64_t code_of(std::string_view text, const FormatSpec& f, Rounding mode = Rounding::nearest_even) {
  return encode(parse_number(text), f, {.rounding = mode}).code;
}

// The same by MPFR's own reader of numbers, at a precision that holds every text here exactly or nearly so.
double with_mpfr(const std::string& text, const FormatSpec& f, mpfr_rnd_t direction) {
  test::MpfrValue x(6000);
  mpfr_set_str(x.get(), text.c_str(), 0, MPFR_RNDN);
  return test::round_with_mpfr(x.get(), f, direction);
}

std::string random_text(const CounterRandom& random, std::uint64_t i) {
  const PhiloxBlock r = random.block(i);
  const unsigned digits = 1 + r[0] % (i % 5 == 0 ? 120 : 24);
  std::string text = (r[1] & 1) != 0 ? "-" : "";
  const bool hex = r[1] % 3 == 0;
  if (hex) text += "0x";
  const std::size_t point = r[2] % (digits + 1);
  for (unsigned d = 0; d < digits; ++d) {
    if (d == point) text += '.';
    text += (hex ? "0123456789abcdef" : "0123456789")[random.below(hex ? 16 : 10, i * 256 + d)];
  }
  const int exponent = static_cast<int>(r[3] % 90) - 45;
  return text + (hex ? "p" : "e") + std::to_string(exponent);
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_rounding_from_the_typed_value) {
  // Above a tie by 2e-20: float64 would drop that and round to even.
  BOOST_TEST(code_of("1.00390625", formats::bfloat16) == 0x3F80U);
  BOOST_TEST(code_of("1.00390625000000000001", formats::bfloat16) == 0x3F81U);
  BOOST_TEST(code_of("1.00390624999999999999", formats::bfloat16) == 0x3F80U);
  BOOST_TEST(code_of("0x1.01p0", formats::bfloat16) == 0x3F80U);
  BOOST_TEST(code_of("0x1.010000000000000000000000000000000000000000001p0", formats::bfloat16) == 0x3F81U);
  BOOST_TEST(code_of("0.1", formats::float64) == 0x3FB999999999999AU);
  BOOST_TEST(code_of("4.9406564584124654e-324", formats::float64) == 1U);
  BOOST_TEST(code_of("2.4703282292062327208e-324", formats::float64) ==
             0U);  // just below half of the smallest
  BOOST_TEST(code_of("2.4703282292062327209e-324", formats::float64) == 1U);
  BOOST_TEST(code_of("1e999999999999", formats::float64) == 0x7FF0000000000000U);
  BOOST_TEST(code_of("1e-999999999999", formats::float64) == 0U);
  BOOST_TEST(code_of("1e-999999999999", formats::float64, Rounding::toward_positive) == 1U);
  BOOST_TEST(code_of("-1e-30000", formats::bfloat16) == 0x8000U);
  BOOST_TEST(code_of("0x1p-99999", formats::bfloat16, Rounding::to_odd) == 1U);
  BOOST_TEST(code_of("0e999999", formats::float32) == 0U);
  BOOST_TEST(code_of("-0", formats::float32) == 0x80000000U);
  BOOST_TEST(code_of("-Infinity", formats::float16) == 0xFC00U);
  BOOST_TEST(code_of("NaN", formats::float16) == 0x7E00U);
  BOOST_TEST(code_of(".5", formats::float16) == code_of("5e-1", formats::float16));
  BOOST_TEST(code_of("5.", formats::float16) == code_of("+5", formats::float16));
  BOOST_TEST(code_of("0x10", formats::float16) == code_of("16", formats::float16));
  BOOST_TEST(code_of("1" + std::string(3000, '0') + "e-3000", formats::float32) == 0x3F800000U);
}

BOOST_AUTO_TEST_CASE(agrees_with_mpfr_on_random_texts) {
  const CounterRandom random(11);
  const std::vector<std::pair<Rounding, mpfr_rnd_t>> modes{{Rounding::nearest_even, MPFR_RNDN},
                                                           {Rounding::toward_zero, MPFR_RNDZ},
                                                           {Rounding::toward_positive, MPFR_RNDU},
                                                           {Rounding::toward_negative, MPFR_RNDD}};
  std::size_t wrong = 0;
  std::string worst;
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    const std::string text = random_text(random, i);
    for (const FormatSpec* f : {&formats::float64, &formats::float32, &formats::bfloat16}) {
      const auto& [mode, direction] = modes[i % modes.size()];
      const Encoded got = encode(parse_number(text), *f, {.rounding = mode});
      if (got.overflow) continue;
      if (decode(got.code, *f) != with_mpfr(text, *f, direction)) {
        ++wrong;
        worst = text;
      }
    }
  }
  BOOST_TEST(wrong == 0U, wrong << " of 90000, last at " << worst);
}

// Where the machine-word path ends and the long one begins.
BOOST_AUTO_TEST_CASE(both_paths_agree_at_their_border) {
  for (const char* digits : {"1", "7", "9999999999999999999", "9999999999999999998", "1234567890123456789"}) {
    for (int e = -20; e <= 30; ++e) {
      const std::string text = std::string(digits) + "e" + std::to_string(e);
      const std::string padded = std::string(digits) + std::string(40, '0') + "1e" + std::to_string(e - 41);
      BOOST_TEST_CONTEXT(text) {
        BOOST_TEST(decode(code_of(text, formats::float64), formats::float64) ==
                   with_mpfr(text, formats::float64, MPFR_RNDN));
        BOOST_TEST(decode(code_of(padded, formats::float64), formats::float64) ==
                   with_mpfr(padded, formats::float64, MPFR_RNDN));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_an_input_error) {
  for (const std::string& text :
       {std::string(),        std::string("-"),          std::string("."),       std::string("e5"),
        std::string("1e"),    std::string("1e+"),        std::string("1 "),      std::string(" 1"),
        std::string("1,5"),   std::string("0x"),         std::string("0x.p1"),   std::string("0x1p"),
        std::string("1.2.3"), std::string("--1"),        std::string("infinit"), std::string("nan(3)"),
        std::string("1f"),    std::string(100'001, '7'), std::string("1\0", 2),  std::string("\xC3\xA9")}) {
    BOOST_TEST_CONTEXT(quoted(text)) { BOOST_CHECK_THROW(parse_number(text), InputError); }
  }
}

BOOST_AUTO_TEST_CASE(typed_codes_name_their_format_by_their_digits) {
  BOOST_TEST((parse_typed_code("bits:0x3f80", formats::bfloat16).format == formats::bfloat16));
  BOOST_TEST((parse_typed_code("bits:0x3f808000", formats::bfloat16).format == formats::float32));
  BOOST_TEST((parse_typed_code("bits:0x3ff0000000000000", formats::bfloat16).format == formats::float64));
  BOOST_TEST((parse_typed_code("bits:0x7F", formats::float8_e4m3fn).code == 0x7FU));
  BOOST_TEST((parse_typed_code("bits:0x3f800000", formats::float32).format == formats::float32));
  for (const char* text : {"bits:", "bits:3f80", "bits:0x", "bits:0x3g80", "bits:0x3f8", "bits:0x3f80 ",
                           "bits:0x13ff0000000000000", "bits:0x-f80", "bits:0x+f80"}) {
    BOOST_TEST_CONTEXT(text) { BOOST_CHECK_THROW(parse_typed_code(text, formats::bfloat16), InputError); }
  }
  BOOST_CHECK_THROW(parse_typed_code("bits:0x7f", formats::float6_e2m3fn), InputError);  // 7 bits
  BOOST_CHECK_THROW(parse_typed_code("bits:0xfffff", formats::tf32), InputError);        // 20 bits
}
