// Elementary functions against MPFR: all 2^32 floats (label exhaustive); special values, every exponent, the hardest
// arguments and dense samples (quick).
#include <boost/test/unit_test.hpp>

#include <mpfr.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/function_tables.hpp"
#include "reference/exact/functions.hpp"
#include "tests/reference/exact/function_enclosures.hpp"

using namespace assay;
using namespace assay::test;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr double double_inf = std::numeric_limits<double>::infinity();
constexpr double double_nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
bool same(T a, T b) {
  if (a != a || b != b) return a != a && b != b;
  return a == b && std::signbit(a) == std::signbit(b);
}

float from_code(std::uint32_t code) { return std::bit_cast<float>(code); }

// What went wrong, and the first place.
struct Wrong {
  std::uint64_t count = 0, hard = 0;
  std::string first;
  void add(const std::string& name, double x, double got, double want) {
    if (count++ != 0) return;
    std::array<char, 200> text{};
    std::snprintf(text.data(), text.size(), "%s(%a) = %a instead of %a", name.c_str(), x, got, want);
    first = text.data();
  }
  void merge(const Wrong& other) {
    if (count == 0) first = other.first;
    count += other.count;
    hard += other.hard;
  }
};

bool inside(const FloatFunction& f, float x) { return x > f.low && x < f.high && x != 0; }

// MPFR alone. Its rec_sqrt(-0) is +inf, C23's -inf.
void check_with_mpfr(const FloatFunction& f, float x, Wrong& wrong) {
  float want = float_of(f.mpfr, x);
  if (f.name == "rsqrt" && x == 0) want = std::copysign(inf, x);
  if (const float got = f.function(x); !same(got, want))
    wrong.add(f.name, static_cast<double>(x), static_cast<double>(got), static_cast<double>(want));
}

void check_enclosed(const FloatFunction& f, float x, Wrong& wrong) {
  if (x != x || ((x < f.low || x > f.high) && std::fabs(x) < inf)) {  // NaN, or outside the domain
    if (const float got = f.function(x); got == got)
      wrong.add(f.name, static_cast<double>(x), static_cast<double>(got), double_nan);
    return;
  }
  if (!inside(f, x)) return check_with_mpfr(f, x, wrong);
  bool hard = false;
  const float want = correct_result(f, x, hard), got = f.function(x);
  if (hard) ++wrong.hard;
  if (std::bit_cast<std::uint32_t>(want) != std::bit_cast<std::uint32_t>(got))
    wrong.add(f.name, static_cast<double>(x), static_cast<double>(got), static_cast<double>(want));
}

// Every exponent of both signs, its ends and some floats within, by MPFR alone; dense runs in a few binades.
void sample(const FloatFunction& f) {
  Wrong wrong;
  const CounterRandom random(7);
  for (std::uint32_t exponent = 0; exponent < 512; ++exponent) {
    for (const std::uint32_t m : {0U, 1U, 2U, 0x3FFFFFU, 0x400000U, 0x400001U, 0x7FFFFEU, 0x7FFFFFU})
      check_with_mpfr(f, from_code(exponent << 23 | m), wrong);
    for (std::uint32_t i = 0; i < 8; ++i)
      check_with_mpfr(
          f,
          from_code(exponent << 23 | (static_cast<std::uint32_t>(random.u64(exponent * 8 + i)) & 0x7FFFFF)),
          wrong);
  }
  BOOST_TEST(wrong.count == 0U, wrong.first);
}

// A tenth of each of some binades by the enclosures; now and then MPFR tells whether an enclosure holds, with a
// margin: an error of theirs would show as a wrong result, or hide one.
void dense_sample(const FloatFunction& f) {
  Wrong wrong;
  const CounterRandom random(8);
  MpfrNumber in(24), exact(200);
  double worst = 0;
  for (const std::uint32_t exponent : {104U, 126U, 127U, 130U, 254U, 256U + 118U, 256U + 126U, 256U + 129U}) {
    const auto start = static_cast<std::uint32_t>(random.u64(exponent)) & 0x7FFFFF;
    for (std::uint32_t i = 0; i < 120'000; ++i) {
      const float x = from_code(exponent << 23 | ((start + i * 83) & 0x7FFFFF));
      check_enclosed(f, x, wrong);
      if (i % 500 != 0 || !inside(f, x)) continue;
      const Enclosure e = f.enclosure(x);
      mpfr_set_flt(in, x, MPFR_RNDN);
      f.mpfr(exact, in, MPFR_RNDN);
      if (e.error == 0 || !(std::fabs(mpfr_get_d(exact, MPFR_RNDN)) < double_inf) ||
          std::fabs(e.value) < 0x1p-1000)
        continue;
      if (std::fabs(e.value) == 1 - 0x1p-30) continue;  // stands for all values from there to 1
      mpfr_sub_d(exact, exact, e.value, MPFR_RNDN);
      worst = std::max(worst, std::fabs(mpfr_get_d(exact, MPFR_RNDN)) / e.error);
    }
  }
  BOOST_TEST(wrong.count == 0U, wrong.first);
  BOOST_TEST(worst < 1.0 / 16);
}

void every_float(const FloatFunction& f) {
  const Wrong wrong = parallel_reduce(
      512, 0, [] { return Wrong{}; },
      [&f](Wrong& own, std::size_t binade) {
        for (std::uint32_t m = 0; m < 0x800000; ++m)
          check_enclosed(f, from_code(static_cast<std::uint32_t>(binade) << 23 | m), own);
      },
      [](Wrong& all, const Wrong& own) { all.merge(own); });
  BOOST_TEST(wrong.count == 0U, wrong.first);
  BOOST_TEST_MESSAGE(f.name << ": MPFR decided " << wrong.hard);
}

// Arguments whose results are closest to the midpoint of two floats: among all floats (exp, log, tanh, sin), a 16th of
// an eighth of the binades (others).
struct Hard {
  std::string name;
  std::vector<float> arguments;
};
const std::vector<Hard>& hard_arguments() {
  static const std::vector<Hard> list{
      {"exp",
       {-0x1.d2259ap+3f, -0x1.e1dbe2p-8f, -0x1.c1c4b8p-10f, -0x1p-25f, 0x1.fdff02p-17f, 0x1.62b666p+1f,
        0x1.036492p+1f, 0x1.8d7cb6p-12f}},
      {"log",
       {0x1.b121a6p+76f, 0x1.bacb4ap+25f, 0x1.c09d7cp+27f, 0x1.5190cp+78f, 0x1.22d57p-65f, 0x1.2f1fd6p+3f,
        0x1.827a74p-7f, 0x1.6351d8p+95f}},
      {"log2", {0x1.5b2c84p-15f, 0x1.5b2c84p+9f, 0x1.617d06p+121f, 0x1.617d06p-119f}},
      {"log10", {0x1.d2b98p-7f, 0x1.37c082p+81f, 0x1.979a86p-23f, 0x1.71f28p+33f}},
      {"log1p", {0x1.5bf582p+41f, 0x1.951704p+73f, -0x1p-23f, 0x1.000002p-23f, -0x1.000002p-54f}},
      {"sin",
       {-0x1.487e0cp+103f, 0x1.487e0cp+103f, -0x1.33333p+13f, 0x1.33333p+13f, 0x1.95f654p+44f,
        -0x1.95f654p+44f, 0x1.524856p+80f, -0x1.524856p+80f}},
      {"cos", {0x1.97cb02p+33f, 0x1.1ba884p+49f}},
      {"tan", {0x1.9f518p+121f, 0x1.7e17p+49f}},
      {"sinpi", {0x1.c07c06p-23f}},
      {"asin", {0x1.88e506p-7f}},
      {"atan", {0x1.e00a06p+25f, 0x1.e00a04p+25f}},
      {"sinh", {0x1.d9eb84p+1f}},
      {"tanh",
       {-0x1.86fbc4p-10f, 0x1.86fbc4p-10f, 0x1.dc0accp-2f, -0x1.dc0accp-2f, -0x1.5969ap+2f, 0x1.5969ap+2f,
        -0x1.a83722p-6f, 0x1.a83722p-6f}},
      {"asinh", {0x1.177084p+41f, 0x1.c29284p+89f}},
      {"acosh", {0x1.177084p+41f, 0x1.c29284p+89f, 0x1.23de06p+49f, 0x1.dc5102p+25f}},
      {"cbrt", {0x1.caf302p+1f, 0x1.caf302p+121f, 0x1.caf302p-119f}},
      {"rcbrt", {0x1.6ecb02p-103f, 0x1.6ecb02p+113f}},
      {"erf", {0x1.429dp-23f, 0x1.429dp-31f}},
      {"erfc", {-0x1.a46f8p+1f, -0x1.d8788p+1f, 0x1.7dbe04p-15f, -0x1.949006p-15f}},
      {"sigmoid", {0x1p-23f, -0x1.8p-23f, -0x1.008p-15f, 0x1.01p-15f}},
  };
  return list;
}

// The constants that all large angles depend on.
BOOST_AUTO_TEST_CASE(two_over_pi_is_what_mpfr_has) {
  MpfrNumber x(2000), word(64);
  mpfr_const_pi(x, MPFR_RNDN);
  mpfr_ui_div(x, 2, x, MPFR_RNDN);
  std::uint64_t wrong = 0;
  for (std::size_t i = 1; i < functions::detail::two_over_pi.size(); ++i) {
    mpfr_mul_2ui(x, x, 64, MPFR_RNDN);
    mpfr_floor(word, x);
    mpfr_sub(x, x, word, MPFR_RNDN);
    if (mpfr_get_ui(word, MPFR_RNDN) != functions::detail::two_over_pi[i]) ++wrong;
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(functions::detail::two_over_pi[0] == 0U);
}

BOOST_AUTO_TEST_CASE(hardest_arguments) {
  for (const Hard& hard : hard_arguments()) {
    for (const FloatFunction& f : float_functions()) {
      if (f.name != hard.name) continue;
      Wrong wrong;
      for (const float x : hard.arguments) {
        for (const int step : {-1, 0, 1})
          check_with_mpfr(f, from_code(std::bit_cast<std::uint32_t>(x) + static_cast<std::uint32_t>(step)),
                          wrong);
      }
      BOOST_TEST(wrong.count == 0U, wrong.first);
    }
  }
}

// --- double ---------------------------------------------------------------------------------------------------

struct DoubleFunction {
  std::string name;
  double (*function)(double);
  functions::DoubleDouble (*wide)(double);
  Mpfr mpfr;
};

const std::vector<DoubleFunction>& double_functions() {
  namespace f = functions;
  namespace w = functions::wide;
  static const std::vector<DoubleFunction> list{
      {"exp", f::exp, w::exp, mpfr_exp},
      {"exp2", f::exp2, w::exp2, mpfr_exp2},
      {"exp10", f::exp10, w::exp10, mpfr_exp10},
      {"expm1", f::expm1, w::expm1, mpfr_expm1},
      {"log", f::log, w::log, mpfr_log},
      {"log2", f::log2, w::log2, mpfr_log2},
      {"log10", f::log10, w::log10, mpfr_log10},
      {"log1p", f::log1p, w::log1p, mpfr_log1p},
      {"sin", f::sin, w::sin, mpfr_sin},
      {"cos", f::cos, w::cos, mpfr_cos},
      {"tan", f::tan, w::tan, mpfr_tan},
      {"sinpi", f::sinpi, w::sinpi, mpfr_sinpi},
      {"cospi", f::cospi, w::cospi, mpfr_cospi},
      {"asin", f::asin, w::asin, mpfr_asin},
      {"acos", f::acos, w::acos, mpfr_acos},
      {"atan", f::atan, w::atan, mpfr_atan},
      {"sinh", f::sinh, w::sinh, mpfr_sinh},
      {"cosh", f::cosh, w::cosh, mpfr_cosh},
      {"tanh", f::tanh, w::tanh, mpfr_tanh},
      {"asinh", f::asinh, w::asinh, mpfr_asinh},
      {"acosh", f::acosh, w::acosh, mpfr_acosh},
      {"atanh", f::atanh, w::atanh, mpfr_atanh},
      {"rsqrt", f::rsqrt, w::rsqrt, mpfr_rec_sqrt},
      {"cbrt", f::cbrt, w::cbrt, mpfr_cbrt},
      {"rcbrt", f::rcbrt, w::rcbrt, mpfr_rcbrt},
      {"erf", f::erf, w::erf, mpfr_erf},
      {"erfc", f::erfc, w::erfc, mpfr_erfc},
      {"sigmoid", f::sigmoid, w::sigmoid, mpfr_sigmoid},
  };
  return list;
}

// |got - exact| in units of the last place of a double, whose smallest is 2^-1074; infinity counts as 2^1024.
double error_in_ulps(double got, mpfr_srcptr exact) {
  MpfrNumber difference(200), unit(53);
  const mpfr_exp_t e = mpfr_zero_p(exact) ? -1073 : std::max<mpfr_exp_t>(mpfr_get_exp(exact), -1021);
  if (e > 1024 && std::fabs(got) == double_inf) return 0;
  if (std::fabs(got) == double_inf)
    mpfr_set_si_2exp(difference, got > 0 ? 1 : -1, 1024, MPFR_RNDN);
  else
    mpfr_set_d(difference, got, MPFR_RNDN);
  mpfr_sub(difference, difference, exact, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, 53 - std::min<mpfr_exp_t>(e, 1024), MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference, MPFR_RNDN));
}

constexpr double stated_error = 0.5 + 0x1p-30;

void check_double(const DoubleFunction& f) {
  const CounterRandom random(10);
  double worst = 0, worst_x = 0, worst_wide = 0, worst_wide_x = 0;
  std::uint64_t special = 0;
  MpfrNumber in(53), exact(200), difference(200);
  const auto check = [&](double x) {
    const double got = f.function(x);
    mpfr_set_d(in, x, MPFR_RNDN);
    f.mpfr(exact, in, MPFR_RNDN);
    if (!mpfr_regular_p(exact)) {
      double want = mpfr_get_d(exact, MPFR_RNDN);
      if (f.name == "rsqrt" && x == 0) want = std::copysign(double_inf, x);
      // Beyond MPFR's own range too.
      if (!same(got, want)) ++special;
      return;
    }
    if (const double e = error_in_ulps(got, exact); !(e <= worst)) worst = e, worst_x = x;
    if (got != 0 && std::signbit(got) != (mpfr_signbit(exact) != 0)) ++special;
    if (!(std::fabs(got) > 0x1p-900 && std::fabs(got) < 0x1p1000 && std::fabs(x) < double_inf)) return;
    const functions::DoubleDouble y = f.wide(x);
    mpfr_set_d(difference, y.hi, MPFR_RNDN);
    mpfr_add_d(difference, difference, y.lo, MPFR_RNDN);
    mpfr_sub(difference, difference, exact, MPFR_RNDN);
    mpfr_div(difference, difference, exact, MPFR_RNDN);
    if (const double e = std::fabs(mpfr_get_d(difference, MPFR_RNDN)); !(e <= worst_wide))
      worst_wide = e, worst_wide_x = x;
    if (y.hi + y.lo != y.hi) ++special;
  };
  // Among them where one formula ends and another begins, and the double closest to a multiple of pi / 2.
  std::vector<double> list{0.0,   0.25,  0.5,   0.78,   1.0,    1.5,    2.0,    3.0,   10.0,  20.0,
                           22.0,  26.5,  27.2,  28.0,   100.0,  307.7,  308.3,  323.5, 600.0, 708.5,
                           709.8, 710.5, 745.2, 1022.0, 1023.0, 1024.0, 1074.0, 1075.0};
  for (const int e : {-1074, -1022, -500, -300, -54, -5, 52, 53, 54, 100, 500})
    list.push_back(std::ldexp(1, e));
  for (const double x : {0x1.6ac5b262ca1ffp849, 0x1.fffffffffffffp1023, double_inf, double_nan})
    list.push_back(x);
  for (const double x : list) {
    for (const double y : {x, std::nextafter(x, 0.0), std::nextafter(x, double_inf)}) check(y), check(-y);
  }
  for (std::uint64_t i = 0; i < 2500; ++i) {
    const std::uint64_t r = random.u64(i);
    check(std::bit_cast<double>(r));                                              // any
    check(std::ldexp(random.uniform(i) * 2 - 1, static_cast<int>(i % 24) - 12));  // near 1
    check((random.uniform(i) * 2 - 1) * 760);                                     // exponentials' range
    check((random.uniform(i) * 2 - 1) * 30);
  }
  BOOST_TEST(worst < stated_error, "error " << worst << " at " << std::hexfloat << worst_x);
  BOOST_TEST(worst_wide < 0x1p-90,
             "error of wide 2^" << std::log2(worst_wide) << " at " << std::hexfloat << worst_wide_x);
  BOOST_TEST(special == 0U);
}

// --- two arguments --------------------------------------------------------------------------------------------

using Mpfr2 = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

float float_of(Mpfr2 f, float x, float y) {
  thread_local MpfrNumber a(24), b(24), out(24);
  mpfr_set_flt(a, x, MPFR_RNDN);
  mpfr_set_flt(b, y, MPFR_RNDN);
  return round_to_float(out, f(out, a, b, MPFR_RNDN));
}

struct Pairs {
  Wrong wrong;
  std::string name;
  void check(float (*f)(float, float), Mpfr2 mpfr, float x, float y) {
    if (const float got = f(x, y), want = float_of(mpfr, x, y); !same(got, want)) {
      wrong.add(name + "(" + std::to_string(x) + ", ...)", static_cast<double>(y), static_cast<double>(got),
                static_cast<double>(want));
    }
  }
};

std::vector<float> special_floats() {
  std::vector<float> list{NAN};
  for (const float x : {0.0f,
                        0x1p-149f,
                        0x1.8p-148f,
                        0x1p-126f,
                        0x1.fffffep-127f,
                        0x1p-25f,
                        0.25f,
                        0.5f,
                        0x1.fffffep-1f,
                        1.0f,
                        0x1.000002p0f,
                        1.5f,
                        2.0f,
                        3.0f,
                        4.0f,
                        5.0f,
                        17.0f,
                        0x1.fffffep22f,
                        0x1p23f,
                        0x1.000002p23f,
                        0x1.fffffep23f,
                        0x1p24f,
                        0x1p60f,
                        0x1.fffffep127f,
                        inf}) {
    list.push_back(x);
    list.push_back(-x);
  }
  return list;
}

void check_pairs(const std::string& name, float (*f)(float, float), Mpfr2 mpfr,
                 const std::function<std::array<float, 2>(std::uint64_t)>& arguments, std::uint64_t n,
                 bool specials = true) {
  Pairs pairs{{}, name};
  if (specials) {
    for (const float x : special_floats()) {
      for (const float y : special_floats()) pairs.check(f, mpfr, x, y);
    }
  }
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto [x, y] = arguments(i);
    pairs.check(f, mpfr, x, y);
  }
  BOOST_TEST(pairs.wrong.count == 0U, pairs.wrong.count << " wrong, " << pairs.wrong.first);
}

// Any two floats, or two of near exponents.
std::array<float, 2> any_pair(std::uint64_t i) {
  const CounterRandom random(11);
  const std::uint64_t r = random.u64(i);
  const auto a = static_cast<std::uint32_t>(r), b = static_cast<std::uint32_t>(r >> 32);
  if (i % 3 == 0) return {from_code(a), from_code(b)};
  return {from_code((a & 0x8FFFFFFF) | 0x38000000), from_code((b & 0x8FFFFFFF) | 0x38000000)};
}

// A base and an exponent whose power is a float, or almost.
std::array<float, 2> power_pair(std::uint64_t i) {
  const CounterRandom random(12);
  const float x = static_cast<float>(std::exp2((random.uniform(2 * i) - 0.5) * (i % 4 == 0   ? 250
                                                                                : i % 4 == 1 ? 8
                                                                                             : 0.01)));
  const double range = 152 / std::fabs(std::log2(static_cast<double>(x)));
  float y = static_cast<float>((random.uniform(2 * i + 1) * 2 - 1) * range);
  if (i % 5 == 0 && std::fabs(y) < 0x1p20f) y = std::nearbyint(y);
  return {i % 10 == 0 ? -x : x, y};
}

// Powers that are floats or midpoints, exactly: odd s^k, from x = s^(2^j) and y = k / 2^j.
std::array<float, 2> exact_power_pair(std::uint64_t i) {
  const CounterRandom random(13);
  const std::uint64_t r = random.u64(i);
  const int k = static_cast<int>(1 + r % 7), j = static_cast<int>(r >> 8 & 1);
  const double largest = std::floor(std::pow(0x1p25, 1.0 / std::max(k, 1 << j)));
  double s = std::floor(random.uniform(i) * std::min(largest, 0x1p12) + 1);
  if (i % 2 == 0) s = largest - std::floor(random.uniform(i) * std::min(largest - 1, 600.0));
  const int scale = static_cast<int>(r >> 16 & 15) - 8;
  return {static_cast<float>(std::ldexp(j == 1 ? s * s : s, scale << j)),
          static_cast<float>(std::ldexp(k, -j))};
}

std::array<float, 2> positive_base(std::array<float, 2> p) {
  p[0] = std::fabs(p[0]);
  return p;
}

BOOST_AUTO_TEST_CASE(pow_is_correctly_rounded) {
  check_pairs("pow", functions::pow, mpfr_pow, power_pair, 100'000);
  check_pairs("pow exact", functions::pow, mpfr_pow, exact_power_pair, 20'000);
  check_pairs("pow any", functions::pow, mpfr_pow, any_pair, 20'000);
}

BOOST_AUTO_TEST_CASE(pow_by_comparison_is_correctly_rounded) {
  check_pairs(
      "pow", functions::by_comparison::pow, mpfr_pow,
      [](std::uint64_t i) { return positive_base(power_pair(i)); }, 20'000, false);
  check_pairs(
      "pow exact", functions::by_comparison::pow, mpfr_pow,
      [](std::uint64_t i) { return positive_base(exact_power_pair(i)); }, 10'000, false);
}

BOOST_AUTO_TEST_CASE(atan2_is_correctly_rounded) {
  check_pairs("atan2", functions::atan2, mpfr_atan2, any_pair, 100'000);
  check_pairs(
      "atan2", functions::by_comparison::atan2, mpfr_atan2,
      [](std::uint64_t i) {
        auto p = any_pair(i);
        for (float& x : p) {
          if (!(std::fabs(x) < inf) || x == 0) x = 1;
        }
        return p;
      },
      20'000, false);
  // Quotients that are midpoints of subnormal floats: the angle is a little less.
  check_pairs(
      "atan2 midpoints", functions::atan2, mpfr_atan2,
      [](std::uint64_t i) {
        return std::array<float, 2>{static_cast<float>(2 * i + 1) * 0x1p-120f, 0x1p30f};
      },
      1000, false);
  check_pairs(
      "atan2 midpoints", functions::by_comparison::atan2, mpfr_atan2,
      [](std::uint64_t i) {
        return std::array<float, 2>{static_cast<float>(2 * i + 1) * 0x1p-120f, 0x1p30f};
      },
      1000, false);
}

BOOST_AUTO_TEST_CASE(hypot_is_correctly_rounded) {
  check_pairs("hypot", functions::hypot, mpfr_hypot, any_pair, 100'000);
  // 5 k is halfway between two floats, the lower or the upper one even.
  check_pairs(
      "hypot midpoints", functions::hypot, mpfr_hypot,
      [](std::uint64_t i) {
        const auto k = static_cast<float>(3'355'445 + 2 * i);
        return std::array<float, 2>{3 * k, 4 * k};
      },
      10'000, false);
}

template <class T>
std::vector<T> remainder_operands() {
  std::vector<T> list;
  if constexpr (sizeof(T) == 4) {
    list = special_floats();
  } else {
    for (const float x : special_floats()) list.push_back(static_cast<T>(x));
    for (const double x : {0x1p-1074, 0x1.8p-1073, 0x1.fffffffffffffp1023, 0x1p1000, 0x1.fffffffffffffp0})
      list.push_back(x), list.push_back(-x);
  }
  const CounterRandom random(14);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const std::uint64_t r = random.u64(i);
    if constexpr (sizeof(T) == 4)
      list.push_back(from_code(static_cast<std::uint32_t>(i % 4 == 0 ? r : (r & 0x83FFFFFF) | 0x3C000000)));
    else
      list.push_back(std::bit_cast<double>(i % 4 == 0 ? r : (r & 0x807FFFFFFFFFFFFF) | 0x3FC0000000000000));
  }
  return list;
}

template <class T>
void check_remainders() {
  const std::vector<T> operands = remainder_operands<T>();
  MpfrNumber a(53), b(53), out(53);
  std::uint64_t wrong = 0;
  for (const T x : operands) {
    for (const T y : operands) {
      mpfr_set_d(a, static_cast<double>(x), MPFR_RNDN);
      mpfr_set_d(b, static_cast<double>(y), MPFR_RNDN);
      mpfr_fmod(out, a, b, MPFR_RNDN);
      if (!same(functions::fmod(x, y), static_cast<T>(mpfr_get_d(out, MPFR_RNDN)))) ++wrong;
      long n = 0;
      int low = 0;
      mpfr_remquo(out, &n, a, b, MPFR_RNDN);
      const T got = functions::remquo(x, y, &low);
      if (!same(got, static_cast<T>(mpfr_get_d(out, MPFR_RNDN))) || !same(functions::remainder(x, y), got))
        ++wrong;
      const long bits = n < 0 ? -n & 7 : n & 7;
      if (got == got && (low < 0 ? -low : low) != bits) ++wrong;
      if (got == got && low != 0 && (low < 0) != (std::signbit(x) != std::signbit(y))) ++wrong;
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(remainders_are_exact) {
  check_remainders<float>();
  check_remainders<double>();
}

void check_double_pairs(const std::string& name, double (*f)(double, double), Mpfr2 mpfr,
                        const std::function<std::array<double, 2>(std::uint64_t)>& arguments) {
  MpfrNumber a(53), b(53), exact(200);
  double worst = 0;
  std::array<double, 2> where{};
  std::uint64_t special = 0;
  const auto check = [&](double x, double y) {
    mpfr_set_d(a, x, MPFR_RNDN);
    mpfr_set_d(b, y, MPFR_RNDN);
    mpfr(exact, a, b, MPFR_RNDN);
    const double got = f(x, y);
    if (!mpfr_regular_p(exact)) {
      if (!same(got, mpfr_get_d(exact, MPFR_RNDN))) ++special;
    } else if (const double e = error_in_ulps(got, exact); !(e <= worst)) {
      worst = e;
      where = {x, y};
    }
  };
  for (const float x : special_floats()) {
    for (const float y : special_floats()) check(static_cast<double>(x), static_cast<double>(y));
  }
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const auto [x, y] = arguments(i);
    check(x, y);
  }
  BOOST_TEST(worst < stated_error,
             name << ": error " << worst << " at " << std::hexfloat << where[0] << ", " << where[1]);
  BOOST_TEST(special == 0U, name);
}

BOOST_AUTO_TEST_CASE(two_doubles) {
  const auto any = [](std::uint64_t i) {
    const CounterRandom random(15);
    const std::uint64_t a = random.u64(2 * i), b = random.u64(2 * i + 1);
    if (i % 3 == 0) return std::array<double, 2>{std::bit_cast<double>(a), std::bit_cast<double>(b)};
    return std::array<double, 2>{std::bit_cast<double>((a & 0x80FFFFFFFFFFFFFF) | 0x3F00000000000000),
                                 std::bit_cast<double>((b & 0x80FFFFFFFFFFFFFF) | 0x3F00000000000000)};
  };
  check_double_pairs("atan2", functions::atan2, mpfr_atan2, any);
  check_double_pairs("hypot", functions::hypot, mpfr_hypot, any);
  check_double_pairs("pow", functions::pow, mpfr_pow, any);
  check_double_pairs("pow", functions::pow, mpfr_pow, [](std::uint64_t i) {
    const CounterRandom random(16);
    const double x = std::exp2((random.uniform(2 * i) - 0.5) * (i % 2 == 0 ? 1000 : 0.1));
    return std::array<double, 2>{x, (random.uniform(2 * i + 1) * 2 - 1) * 1080 / std::fabs(std::log2(x))};
  });
}

void add(const std::string& name, bool exhaustive, const std::function<void()>& body) {
  boost::unit_test::test_case* test = boost::unit_test::make_test_case(body, name, __FILE__, __LINE__);
  if (exhaustive) test->add_label("exhaustive");
  boost::unit_test::framework::master_test_suite().add(test);
}

bool make_tests() {
  for (const FloatFunction& f : float_functions()) {
    add("functions/" + f.name, false, [&f] { sample(f); });
    add("functions/" + f.name + " dense", false, [&f] { dense_sample(f); });
    add("functions/" + f.name + " every float", true, [&f] { every_float(f); });
  }
  for (const DoubleFunction& f : double_functions())
    add("functions/" + f.name + " double", false, [&f] { check_double(f); });
  return true;
}
[[maybe_unused]] const bool made = make_tests();

}  // namespace
