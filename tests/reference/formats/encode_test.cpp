#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <set>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/storage.hpp"
#include "tests/reference/formats/mpfr_rounding.hpp"
#include "tests/reference/formats/printing.hpp"

namespace bdata = boost::unit_test::data;
using namespace assay;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Rounding nearest = Rounding::nearest_even;

// Values worked out by hand from the standards.
static_assert(encode(1.0, formats::bfloat16).code == 0x3F80);
static_assert(encode(1.0 + 0x1p-8, formats::bfloat16).code == 0x3F80);  // a tie, to even
static_assert(encode(1.0 + 0x3p-8, formats::bfloat16).code == 0x3F82);
static_assert(encode(1.0 + 0x1p-8, formats::bfloat16, Rounding::nearest_away).code == 0x3F81);
static_assert(encode(1.0 + 0x1p-52, formats::bfloat16, Rounding::to_odd).code == 0x3F81);
static_assert(encode(448.0, formats::float8_e4m3fn).code == 0x7E);
static_assert(encode(464.0, formats::float8_e4m3fn).code == 0x7E);  // a tie at the top
static_assert(encode(464.0 + 0x1p-40, formats::float8_e4m3fn).code ==
              0x7F);  // NaN: the format has no infinity
static_assert(encode(1e9, formats::float8_e4m3fn, nearest, Overflow::saturate).code == 0x7E);
static_assert(encode(infinity, formats::float8_e4m3fn, Rounding::toward_zero).code == 0x7F);
static_assert(encode(1e9, formats::float8_e4m3fn, Rounding::to_odd).code == 0x7E);
static_assert(encode(65520.0, formats::float16).code == 0x7C00);
static_assert(encode(65519.0, formats::float16).code == 0x7BFF);
static_assert(encode(65520.0, formats::float16, Rounding::toward_zero).code == 0x7BFF);
static_assert(encode(-1e9, formats::float16, Rounding::toward_positive).code == 0xFBFF);
static_assert(encode(infinity, formats::float16, nearest, Overflow::saturate).code == 0x7BFF);
static_assert(encode(-6.5, formats::float4_e2m1fn).code == 0xF);
static_assert(encode(infinity, formats::float4_e2m1fn).code == 0x7);
static_assert(encode(-0.0, formats::float8_e5m2fnuz).code == 0);
static_assert(encode(-1e-9, formats::float8_e5m2fnuz).code == 0);
static_assert(encode(0x1p-1074, formats::float64).code == 1);
static_assert(encode(-0.0, formats::float64).code == 0x8000000000000000);
static_assert(decode_bits(1, formats::float64) == 1);
static_assert(decode_bits(1, formats::bfloat16) == std::bit_cast<std::uint64_t>(0x1p-133));

// A float64 that a nearest-even float32 on the way would round twice: 1 + 2^-8 + 2^-30 is above the tie.
static_assert(encode(1.0 + 0x1p-8 + 0x1p-30, formats::bfloat16).code == 0x3F81);
static_assert(encode(static_cast<double>(static_cast<float>(1.0 + 0x1p-8 + 0x1p-30)), formats::bfloat16)
                  .code == 0x3F80);

static_assert(encode(0x1p-127, formats::bfloat16, {.subnormals = Subnormals::flush_input}).code == 0);
static_assert(encode(-0x1p-127, formats::bfloat16, {.subnormals = Subnormals::flush_result}).code == 0x8000);
// Just below the smallest normal number: flushed as an input, kept as a result that rounds up to it.
static_assert(encode(0x1.ffffp-127, formats::bfloat16, {.subnormals = Subnormals::flush_input}).code == 0);
static_assert(encode(0x1.ffffp-127, formats::bfloat16, {.subnormals = Subnormals::flush_result}).code ==
              0x80);

static_assert(encode(1.0, formats::bfloat16).inexact == false && encode(1.1, formats::bfloat16).inexact);
static_assert(encode(1e39, formats::bfloat16).overflow && !encode(infinity, formats::bfloat16).overflow);
static_assert(encode(std::numeric_limits<double>::quiet_NaN(), formats::float4_e2m1fn).invalid);

// Doubles that a format can go wrong on: any bits, its own range, its codes and midpoints with their neighbours.
std::vector<double> hard_inputs(const FormatSpec& f, std::size_t rounds) {
  const CounterRandom random(7, static_cast<std::uint64_t>(f.bits * 64 + f.precision));
  std::vector<double> xs;
  for (std::size_t i = 0; i < rounds; ++i) {
    const PhiloxBlock r = random.block(i);
    xs.push_back(std::bit_cast<double>(std::uint64_t{r[0]} << 32 | r[1]));
    const int e = f.emin - f.precision - 2 + static_cast<int>(r[2] % static_cast<unsigned>(2 * f.bits + 8));
    const double near = std::ldexp(1.0 + static_cast<double>(r[3]) * 0x1p-32, std::min(e, 1023));
    xs.push_back((r[0] & 1) != 0 ? near : -near);
    const std::uint64_t code = (std::uint64_t{r[1]} << 32 | r[3]) % (f.max_finite_code() + 1);
    const double low = decode(code, f);
    const double high = code == f.max_finite_code() ? low + (low - decode(code - 1, f)) : decode(code + 1, f);
    for (const double x : {low, low / 2 + high / 2}) {
      for (const double y : {x, std::nextafter(x, infinity), std::nextafter(x, -infinity)}) {
        xs.push_back(y);
        xs.push_back(-y);
      }
    }
  }
  std::erase_if(xs, [](double x) { return !std::isfinite(x); });
  return xs;
}

const std::vector<std::pair<Rounding, mpfr_rnd_t>> mpfr_modes{{Rounding::nearest_even, MPFR_RNDN},
                                                              {Rounding::toward_zero, MPFR_RNDZ},
                                                              {Rounding::toward_positive, MPFR_RNDU},
                                                              {Rounding::toward_negative, MPFR_RNDD}};

// How many of `xs` a candidate for encode() rounds to another value than MPFR, over the four modes that MPFR has.
using Candidate = std::function<Encoded(double, const FormatSpec&, Rounding)>;
std::size_t disagreements(const Candidate& candidate, const FormatSpec& f, const std::vector<double>& xs) {
  const double top = decode(f.max_finite_code(), f);
  std::size_t wrong = 0;
  for (const auto& [mode, direction] : mpfr_modes) {
    for (const double x : xs) {
      const double want = std::clamp(test::round_with_mpfr(x, f, direction), -top, top);
      const double got = decode(candidate(x, f, mode).code, f);
      const bool sign_kept = f.specials == Specials::fnuz || std::signbit(got) == std::signbit(want);
      wrong += got == want && sign_kept ? 0 : 1;
    }
  }
  return wrong;
}

Encoded saturating(double x, const FormatSpec& f, Rounding mode) {
  return encode(x, f, mode, Overflow::saturate);
}

}  // namespace

BOOST_DATA_TEST_CASE(every_code_survives_a_round_trip, bdata::make(formats::all), format) {
  const FormatSpec& f = *format;
  const CounterRandom random(3);
  const std::uint64_t codes = f.bits <= 19 ? std::uint64_t{1} << f.bits : 1'000'000;
  std::size_t wrong = 0;
  for (std::uint64_t i = 0; i < codes; ++i) {
    const std::uint64_t code = f.bits <= 19 ? i : random.u64(i) & (f.sign_code() | f.magnitude_mask());
    for (const Rounding mode : deterministic_roundings) {
      const Encoded back = encode(decode(code, f), f, mode);
      wrong += back.code == (f.is_nan(code) ? f.nan_code() : code) && !back.inexact ? 0 : 1;
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_DATA_TEST_CASE(decode_is_what_float32_and_the_cpu_say, bdata::make({0, 1}), which) {
  const FormatSpec& f = which == 0 ? formats::float32 : formats::float64;
  const CounterRandom random(4);
  std::size_t wrong = 0;
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    const std::uint64_t bits = random.u64(i);
    const double want = which == 0
                            ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                            : std::bit_cast<double>(bits);
    const double got = decode(which == 0 ? bits & 0xFFFFFFFF : bits, f);
    wrong += std::bit_cast<std::uint64_t>(got) == std::bit_cast<std::uint64_t>(want) ||
                     (got != got && want != want)
                 ? 0
                 : 1;
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_DATA_TEST_CASE(agrees_with_mpfr, bdata::make(formats::all), format) {
  BOOST_TEST(disagreements(saturating, *format, hard_inputs(*format, 20'000)) == 0U);
}

BOOST_AUTO_TEST_CASE(agrees_with_mpfr_in_custom_formats) {
  for (const char* name : {"custom:12,6,-14,ieee", "custom:5,2,-1,finite", "custom:24,16,-60,fn",
                           "custom:40,30,-300,fnuz", "custom:64,53,-1022,ieee", "custom:9,8,0,finite"}) {
    const FormatSpec f = parse_format(name);
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(disagreements(saturating, f, hard_inputs(f, 5'000)) == 0U); }
  }
}

// The checks above must be able to fail: definitions with one rule wrong.
BOOST_AUTO_TEST_CASE(wrong_definitions_are_caught) {
  const std::vector<std::pair<const char*, Candidate>> mutants{
      {"ties away", [](double x, const FormatSpec& f,
                       Rounding m) { return saturating(x, f, m == nearest ? Rounding::nearest_away : m); }},
      {"by way of float32",
       [](double x, const FormatSpec& f, Rounding m) {
         return saturating(static_cast<double>(static_cast<float>(x)), f, m);
       }},
      {"subnormal inputs flushed",
       [](double x, const FormatSpec& f, Rounding m) {
         return encode(
             x, f, {.rounding = m, .overflow = Overflow::saturate, .subnormals = Subnormals::flush_input});
       }},
      {"up and down ignore the sign",
       [](double x, const FormatSpec& f, Rounding m) {
         return m == Rounding::toward_negative ? saturating(x, f, Rounding::toward_zero)
                                               : saturating(x, f, m);
       }},
      {"emin off by one",
       [](double x, const FormatSpec& f, Rounding m) {
         FormatSpec g = f;
         ++g.emin;
         return convert(saturating(x, g, m).code, g, f, {.overflow = Overflow::saturate});
       }},
  };
  const std::vector<double> xs = hard_inputs(formats::bfloat16, 5'000);
  for (const auto& [name, mutant] : mutants) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(disagreements(mutant, formats::bfloat16, xs) > 0U); }
  }
}

// MPFR has neither ties-away nor to-odd: their defining properties, against the two directed results.
BOOST_DATA_TEST_CASE(ties_away_and_to_odd_by_their_definitions, bdata::make(formats::all), format) {
  const FormatSpec& f = *format;
  std::size_t wrong = 0;
  for (const double x : hard_inputs(f, 5'000)) {
    const std::uint64_t down = saturating(x, f, Rounding::toward_zero).code;
    const std::uint64_t up =
        saturating(x, f, std::signbit(x) ? Rounding::toward_negative : Rounding::toward_positive).code;
    const std::uint64_t odd = saturating(x, f, Rounding::to_odd).code;
    const std::uint64_t away = saturating(x, f, Rounding::nearest_away).code;
    const bool exact_or_top = down == up;
    wrong += odd == (exact_or_top || (down & 1) != 0 ? down : up) ? 0 : 1;
    if (exact_or_top) {
      wrong += away == down ? 0 : 1;
      continue;
    }
    test::MpfrValue middle(2200), a(60), b(60);
    mpfr_set_d(a.get(), decode(down, f), MPFR_RNDN);
    mpfr_set_d(b.get(), decode(up, f), MPFR_RNDN);
    mpfr_add(middle.get(), a.get(), b.get(), MPFR_RNDN);
    mpfr_div_2ui(middle.get(), middle.get(), 1, MPFR_RNDN);
    mpfr_abs(middle.get(), middle.get(), MPFR_RNDN);
    wrong += away == (mpfr_cmp_d(middle.get(), std::fabs(x)) <= 0 ? up : down) ? 0 : 1;
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(a_sticky_tail_decides_ties) {
  const ExactValue<Wide> tie{.significand = (Wide{1} << 120) + (Wide{1} << 112), .exponent = -120};
  ExactValue<Wide> above = tie;
  above.sticky = true;
  BOOST_TEST(encode(tie, formats::bfloat16).code == 0x3F80U);
  BOOST_TEST(encode(above, formats::bfloat16).code == 0x3F81U);
  const ExactValue<Wide> nearly_one{.significand = Wide{1} << 120, .exponent = -120, .sticky = true};
  BOOST_TEST(encode(nearly_one, formats::float32, {.rounding = Rounding::toward_positive}).code ==
             0x3F800001U);
  BOOST_TEST(encode(nearly_one, formats::float32, {.rounding = Rounding::to_odd}).code == 0x3F800001U);
  BOOST_TEST(encode(nearly_one, formats::float32).inexact);
}

// Every r of k bits is tried: the share that goes up is the cut part, rounded nearest-even to k bits.
BOOST_AUTO_TEST_CASE(stochastic_rounding_goes_up_as_often_as_its_definition_says) {
  const CounterRandom random(5);
  std::size_t wrong = 0;
  for (const int k : {1, 2, 5, 8, 12}) {
    for (std::uint64_t i = 0; i < 2'000; ++i) {
      const double x =
          std::ldexp(1.0 + random.uniform(i), static_cast<int>(random.below(30, i + 100'000)) - 22);
      const FormatSpec& f = i % 2 == 0 ? formats::float16 : formats::float8_e4m3fn;
      const std::uint64_t down = saturating(x, f, Rounding::toward_zero).code;
      const double low = decode(down, f), quantum = decode(down + 1, f) - low;
      const double share =
          std::nearbyint((x - low) / quantum * std::ldexp(1.0, k));  // nearest-even, exact here
      double ups = 0;
      for (std::uint32_t r = 0; r < 1U << k; ++r) {
        const EncodeOptions options{
            .rounding = Rounding::stochastic, .overflow = Overflow::saturate, .random = {.bits = k, .r = r}};
        const std::uint64_t code = encode(x, f, options).code;
        wrong += code == down || code == down + 1 ? 0 : 1;
        ups += code == down ? 0 : 1;
      }
      if (down < f.max_finite_code()) wrong += ups == share ? 0 : 1;
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(stochastic_rounding_far_below_the_smallest_number_stays_zero) {
  for (const std::uint32_t r : {0U, 0xFFFFFFFFU}) {
    const EncodeOptions options{.rounding = Rounding::stochastic, .random = {.bits = 32, .r = r}};
    BOOST_TEST(encode(0x1p-1000, formats::float16, options).code == 0U);
    BOOST_TEST(encode(0x1p-24, formats::float16, options).code == 1U);
  }
}

BOOST_AUTO_TEST_CASE(formats_answer_to_both_names) {
  std::set<std::string_view> names;
  std::size_t distinct = 0;
  for (const FormatSpec* f : formats::all) {
    BOOST_TEST((parse_format(f->dtype) == *f && parse_format(f->short_name) == *f));
    BOOST_TEST(why_unsound(*f) == "");
    names.insert(f->dtype);
    names.insert(f->short_name);
    distinct += f->dtype == f->short_name ? 1 : 2;
  }
  BOOST_TEST(names.size() == distinct);
}

BOOST_AUTO_TEST_CASE(unknown_formats_get_the_near_names) {
  const auto near = [](const char* expected) {
    return
        [expected](const InputError& e) { return std::string(e.what()).find(expected) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(parse_format("bf61"), InputError, near("bf16"));
  BOOST_CHECK_EXCEPTION(parse_format("flaot8_e5m2"), InputError, near("float8_e5m2"));
  for (const char* name :
       {"", "custom:", "custom:8", "custom:8,4,-6", "custom:8,4,-6,fnn", "custom:65,24,-126,ieee",
        "custom:8,1,-6,fn", "custom:4,4,0,finite", "custom:64,20,-126,ieee", "custom:8,4,x,fn",
        "custom:8,4,-6,fn,", "custom:999999999999,4,-6,fn", "custom:16,8,-5000,ieee"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_CHECK_THROW(parse_format(name), InputError); }
  }
}

BOOST_AUTO_TEST_CASE(storage_types_round_once_and_hold_codes) {
  BOOST_TEST(bf16_t(1.0F + 0x1p-8F).code == 0x3F80);
  BOOST_TEST(bf16_t(1.0 + 0x1p-8 + 0x1p-30).code == 0x3F81);
  BOOST_TEST(static_cast<float>(bf16_t::from_code(0x3FC0)) == 1.5F);
  BOOST_TEST(static_cast<double>(f8_e4m3_t::from_code(0x7E)) == 448.0);
  BOOST_TEST((bf16_t::from_code(0x7FC0) == bf16_t::from_code(0x7FC0)));
  BOOST_TEST((bf16_t(0.0F) != bf16_t(-0.0F)));
  BOOST_TEST(sizeof(f8_e5m2_t) == 1U);
  BOOST_TEST(sizeof(tf32_t) == 4U);
}
