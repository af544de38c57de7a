#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <ostream>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/exact_sum.hpp"
#include "tests/reference/exact/operands.hpp"
#include "tests/reference/exact/rational_sum.hpp"
#include "tests/reference/formats/mpfr_rounding.hpp"
#include "tests/reference/formats/printing.hpp"

namespace bdata = boost::unit_test::data;
using namespace assay;
using assay::test::all_operands;
using assay::test::make_operands;
using assay::test::MpfrValue;
using assay::test::Operands;
using assay::test::RationalSum;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const FormatSpec& f64 = formats::float64;

double total(std::initializer_list<double> terms, Rounding mode = Rounding::nearest_even) {
  ExactSum sum;
  for (const double x : terms) sum.add(x);
  return decode(sum.rounded(f64, {.rounding = mode}).code, f64);
}

bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

BOOST_AUTO_TEST_CASE(worked_by_hand) {
  BOOST_TEST(total({0x1p1023, 1, -0x1p1023}) == 1);
  BOOST_TEST(total({1, 0x1p-53}) == 1);
  BOOST_TEST(total({1, 0x1p-53, 0x1p-1074}) == 1 + 0x1p-52);  // the last term is 1074 places away and decides
  BOOST_TEST(total({1, 0x1p-53, -0x1p-1074}) == 1);
  BOOST_TEST(total({1, 0x1p-1074}, Rounding::toward_positive) == 1 + 0x1p-52);
  BOOST_TEST(total({1, -0x1p-1074}, Rounding::toward_zero) == 1 - 0x1p-53);
  BOOST_TEST(total({0x1p-1074, 0x1p-1074}) == 0x1p-1073);
  BOOST_TEST(total({0x1.fffffffffffffp1023, 0x1p970}) == infinity);
  BOOST_TEST(total({0x1.fffffffffffffp1023, 0x1p1023, -0x1p1023}) == 0x1.fffffffffffffp1023);
}

BOOST_AUTO_TEST_CASE(specials) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(std::isnan(total({infinity, 1, -infinity})));
  BOOST_TEST(std::isnan(total({1, nan, infinity})));
  BOOST_TEST(total({infinity, infinity, -1e308}) == infinity);
  BOOST_TEST(total({-infinity, 5}) == -infinity);
  ExactSum zero_times_infinity;
  zero_times_infinity.add_product(0.0, infinity);
  BOOST_TEST((zero_times_infinity.result().kind == Kind::nan));
}

BOOST_AUTO_TEST_CASE(sign_of_zero) {
  const Rounding down = Rounding::toward_negative;
  BOOST_TEST(same(total({}), 0.0));
  BOOST_TEST(same(total({}, down), 0.0));
  BOOST_TEST(same(total({-0.0, -0.0}), -0.0));
  BOOST_TEST(same(total({0.0, 0.0}, down), 0.0));
  BOOST_TEST(same(total({-0.0, 0.0}), 0.0));
  BOOST_TEST(same(total({-0.0, 0.0}, down), -0.0));
  BOOST_TEST(same(total({1, -1}), 0.0));
  BOOST_TEST(same(total({-1, 1, -0.0}), 0.0));
  BOOST_TEST(same(total({1, -1}, down), -0.0));
  ExactSum products;
  products.add_product(-0.0, 3);
  BOOST_TEST(products.result().negative);
  products.add_product(0.0, 3);
  BOOST_TEST(!products.result().negative);
}

BOOST_AUTO_TEST_CASE(range_is_enforced) {
  ExactSum sum;
  BOOST_CHECK_THROW(sum.add(ExactValue<Wide>{.significand = 1, .exponent = 3072}), ContractError);
  BOOST_CHECK_THROW(sum.add(ExactValue<Wide>{.significand = 1, .exponent = -3223}), ContractError);
  BOOST_CHECK_THROW(sum.add(ExactValue<Wide>{.significand = 1, .exponent = 0, .sticky = true}),
                    ContractError);
  sum.add(ExactValue<Wide>{.significand = 1, .exponent = 3071});
  sum.add(ExactValue<Wide>{.significand = 2, .exponent = -3223});
  const ExactValue<Wide> x = sum.result();
  BOOST_TEST(x.sticky);
  BOOST_TEST(x.exponent + bit_width(x.significand) == 3072);
}

// Random products of each class, in each format, rounded in each mode into each format, against one big integer.
BOOST_DATA_TEST_CASE(rational,
                     bdata::make(std::vector<const FormatSpec*>(formats::all.begin(), formats::all.end())),
                     from) {
  std::size_t wrong = 0, tried = 0;
  for (const Operands kind : all_operands) {
    for (const std::size_t n : {1U, 2U, 7U, 40U}) {
      for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const FormatSpec& other = *formats::all[seed % formats::all.size()];
        const auto [a, b] = make_operands(kind, n, *from, seed % 2 == 0 ? *from : other, seed);
        ExactSum sum, first_half;
        RationalSum check;
        for (std::size_t i = 0; i < n; ++i) {
          (i < n / 2 ? first_half : sum).add_product(a.code(i), a.format(), b.code(i), b.format());
          check.add_product(a.code(i), a.format(), b.code(i), b.format());
        }
        sum.merge(first_half);
        for (const FormatSpec* to : formats::all) {
          for (const Rounding mode : deterministic_roundings) {
            ++tried;
            wrong += sum.rounded(*to, {.rounding = mode}).code != check.rounded(*to, mode);
          }
        }
      }
    }
  }
  BOOST_TEST(wrong == 0U, wrong << " of " << tried << " sums differ");
}

// float64 products against MPFR with room for every bit of them.
BOOST_AUTO_TEST_CASE(mpfr) {
  std::size_t wrong = 0, tried = 0;
  for (const Operands kind : all_operands) {
    if (kind == Operands::with_specials) continue;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      const std::size_t n = 1 + seed % 23;
      const auto [a, b] = make_operands(kind, n, f64, f64, seed);
      ExactSum sum;
      MpfrValue check(4400), term(106), factor(53);
      mpfr_set_zero(check.get(), 1);
      for (std::size_t i = 0; i < n; ++i) {
        const double x = decode(a.code(i), f64), y = decode(b.code(i), f64);
        sum.add_product(x, y);
        mpfr_set_d(factor.get(), y, MPFR_RNDN);
        mpfr_mul_d(term.get(), factor.get(), x, MPFR_RNDN);
        wrong += mpfr_add(check.get(), check.get(), term.get(), MPFR_RNDN) != 0;
      }
      constexpr std::pair<Rounding, mpfr_rnd_t> modes[] = {{Rounding::nearest_even, MPFR_RNDN},
                                                           {Rounding::toward_zero, MPFR_RNDZ},
                                                           {Rounding::toward_positive, MPFR_RNDU},
                                                           {Rounding::toward_negative, MPFR_RNDD}};
      for (const auto& [mode, direction] : modes) {
        const Encoded got = sum.rounded(f64, {.rounding = mode});
        if (got.overflow) continue;
        ++tried;
        wrong += decode(got.code, f64) != test::round_with_mpfr(check.get(), f64, direction);
      }
    }
  }
  BOOST_TEST(tried > 1000U);
  BOOST_TEST(wrong == 0U);
}

// 2^62 terms, by doubling: more than any digit holds without its carries.
BOOST_AUTO_TEST_CASE(more_terms_than_a_digit_holds) {
  for (const double x : {0x1.fffffffffffffp0, -0x1.fffffffffffffp-1000, 0x1.fffffffffffffp700}) {
    ExactSum sum;
    sum.add_product(x, x);
    for (int i = 0; i < 62; ++i) {
      const ExactSum copy = sum;
      sum.merge(copy);
    }
    ExactSum one;
    one.add_product(x, x);
    const ExactValue<Wide> once = one.result(), many = sum.result();
    BOOST_TEST(many.exponent + bit_width(many.significand) ==
               once.exponent + bit_width(once.significand) + 62);
    one.multiply(exact(-0x1p62));
    sum.merge(one);
    BOOST_TEST(sum.result().is_zero());
  }
}

BOOST_AUTO_TEST_CASE(multiply_is_exact) {
  std::size_t wrong = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto [a, b] = make_operands(seed % 2 == 0 ? Operands::wide : Operands::normal, 9, f64, f64, seed);
    const double factor = decode(b.code(8), f64);
    ExactSum product;
    RationalSum plain;
    for (std::size_t i = 0; i < 8; ++i) {
      product.add_product(a.code(i), f64, b.code(i), f64);
      plain.add_product(a.code(i), f64, b.code(i), f64);
    }
    product.multiply(exact(factor));
    // The integer times the factor, whose last place is carried by an integer shift.
    int e = 0;
    const auto m = static_cast<std::int64_t>(std::ldexp(std::frexp(factor, &e), 53));
    plain.total =
        e >= 53 ? RationalSum::Integer((plain.total * m) << (e - 53)) : RationalSum::Integer(plain.total * m);
    if (e < 53)
      plain.total /= RationalSum::Integer(1) << (53 - e);  // exact: the sum ends above 2^-3222 + 1074
    for (const Rounding mode : deterministic_roundings) {
      wrong += product.rounded(f64, {.rounding = mode}).code != plain.rounded(f64, mode);
    }
  }
  BOOST_TEST(wrong == 0U);
  ExactSum zero;
  zero.add(0.0);
  zero.multiply(exact(-2.0));
  BOOST_TEST(zero.result().negative);
  zero.multiply(exact(infinity));
  ExactSum cancelled;
  cancelled.add(1);
  cancelled.add(-1);
  cancelled.multiply(exact(-3.0));
  BOOST_TEST(!cancelled.result().negative);
  BOOST_TEST(cancelled.result(Rounding::toward_negative).negative);
  BOOST_TEST((zero.result().kind == Kind::nan));
}

BOOST_AUTO_TEST_CASE(bounds_round_up) {
  ExactSum sum;
  sum.add(1);
  sum.add(0x1p-900);
  BOOST_TEST(sum.rounded_up() == 1 + 0x1p-52);
  sum.negate();
  BOOST_TEST(sum.rounded_up() == -1);
  BOOST_TEST(sum.magnitude_up() == 1 + 0x1p-52);
}

}  // namespace
