#include <boost/test/unit_test.hpp>

#include <mpfr.h>

#include <array>
#include <cmath>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/formats/bf16_arithmetic.hpp"
#include "tests/reference/formats/mpfr_rounding.hpp"

using namespace assay;

namespace {

bf16_t code(std::uint64_t c) { return bf16_t::from_code(static_cast<std::uint16_t>(c)); }

// Any code, and every third time two codes of near exponents, so that sums cancel and quotients stay in range.
std::pair<bf16_t, bf16_t> pair(const CounterRandom& random, std::uint64_t i) {
  const std::uint64_t r = random.u64(i);
  const std::uint64_t a = r & 0xFFFF;
  const std::uint64_t b = i % 3 == 0 ? (a + (r >> 16 & 0x7FF)) & 0x7FFF : r >> 16 & 0xFFFF;
  return {code(a), code(b | (r >> 40 & 1) << 15)};
}

bool same(bf16_t a, bf16_t b) {
  return a == b || (formats::bfloat16.is_nan(a.code) && formats::bfloat16.is_nan(b.code));
}

double with_mpfr(int (*operation)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t), bf16_t a, bf16_t b) {
  test::MpfrValue x(600), y(600);
  mpfr_set_d(x.get(), static_cast<double>(a), MPFR_RNDN);
  mpfr_set_d(y.get(), static_cast<double>(b), MPFR_RNDN);
  operation(x.get(), x.get(), y.get(), MPFR_RNDN);
  return test::round_with_mpfr(x.get(), formats::bfloat16, MPFR_RNDN);
}

// The rounded value, or an infinity above the range.
bool equals(bf16_t got, double want) {
  const double value = static_cast<double>(got);
  if (std::isnan(want)) return std::isnan(value);
  const double top = decode(formats::bfloat16.max_finite_code(), formats::bfloat16);
  if (std::fabs(want) > top) return std::isinf(value) && std::signbit(value) == std::signbit(want);
  return value == want && (want != 0 || std::signbit(value) == std::signbit(want));
}

}  // namespace

BOOST_AUTO_TEST_CASE(float32_path_and_integer_definition_agree_with_mpfr) {
  const CounterRandom random(31);
  std::array<std::size_t, 3> wrong{};
  for (std::uint64_t i = 0; i < 300'000; ++i) {
    const auto [a, b] = pair(random, i);
    const std::array<bf16_t, 3> fast{add(a, b), mul(a, b), div(a, b)};
    const std::array<bf16_t, 3> exact{definition::add(a, b), definition::mul(a, b), definition::div(a, b)};
    const std::array<double, 3> want{with_mpfr(mpfr_add, a, b), with_mpfr(mpfr_mul, a, b),
                                     with_mpfr(mpfr_div, a, b)};
    for (std::size_t o = 0; o < 3; ++o)
      wrong[o] += same(fast[o], exact[o]) && equals(exact[o], want[o]) ? 0 : 1;
  }
  BOOST_TEST(wrong[0] == 0U);
  BOOST_TEST(wrong[1] == 0U);
  BOOST_TEST(wrong[2] == 0U);
}

// Subnormal results are where float32 and bfloat16, of one emin, could differ: all pairs of a coarse grid.
BOOST_AUTO_TEST_CASE(a_grid_of_all_exponents) {
  std::size_t wrong = 0;
  for (std::uint64_t a = 0; a < 0x10000; a += 61) {
    for (std::uint64_t b = 0; b < 0x10000; b += 67) {
      const bf16_t x = code(a), y = code(b);
      wrong += same(add(x, y), definition::add(x, y)) && same(mul(x, y), definition::mul(x, y)) &&
                       same(div(x, y), definition::div(x, y)) &&
                       same(sub(x, y), definition::add(x, code(b ^ 0x8000)))
                   ? 0
                   : 1;
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(fma_is_rounded_once) {
  const CounterRandom random(32);
  std::size_t wrong = 0, float32_path_wrong = 0;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const auto [a, b] = pair(random, i);
    // An addend near the product in half of the cases, anything in the others.
    const double product = static_cast<double>(a) * static_cast<double>(b);
    const std::uint64_t r = random.u64(i + 1'000'000);
    const bf16_t near(product * std::ldexp(1.0, static_cast<int>(r % 40) - 20));
    const bf16_t c = (r & 1) != 0 ? code(r >> 8) : code(near.code ^ (r & 0x8000));
    test::MpfrValue x(1200), y(1200), z(1200);
    mpfr_set_d(x.get(), static_cast<double>(a), MPFR_RNDN);
    mpfr_set_d(y.get(), static_cast<double>(b), MPFR_RNDN);
    mpfr_set_d(z.get(), static_cast<double>(c), MPFR_RNDN);
    mpfr_fma(x.get(), x.get(), y.get(), z.get(), MPFR_RNDN);
    const double want = test::round_with_mpfr(x.get(), formats::bfloat16, MPFR_RNDN);
    wrong += equals(fma(a, b, c), want) ? 0 : 1;
    const float fused = std::fma(static_cast<float>(a), static_cast<float>(b), static_cast<float>(c));
    float32_path_wrong += equals(bf16_t(fused), want) ? 0 : 1;
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(float32_path_wrong > 0U);  // the mutant: through float32 it rounds twice
}
