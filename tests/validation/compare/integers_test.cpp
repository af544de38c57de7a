// Integers of every type at their limits: no difference, range or tolerance passes through float64.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/exact_sum.hpp"
#include "validation/compare/integers.hpp"

using namespace assay;
using namespace assay::compare;

namespace {

template <class T>
IntegerType type_of() {
  return {.bits = static_cast<int>(8 * sizeof(T)), .is_signed = std::is_signed_v<T>};
}
template <class T>
Integers integers(const std::vector<T>& x, Shape shape = {}) {
  if (shape.empty()) shape = {x.size()};
  return {x.data(), type_of<T>(), shape};
}

Policy tolerance(double atol, double rtol, std::uint64_t ulps = 0) {
  Policy p;
  p.name = "tolerance";
  p.kind = PolicyKind::tolerance;
  p.atol = atol;
  p.rtol = rtol;
  p.ulps = ulps;
  p.because = "a test";
  return p;
}
Options with(Policy policy) {
  Options o;
  o.policy = std::move(policy);
  return o;
}
Options named(const char* name) { return with(find_policy(default_policies(), name, "test")); }

template <class T, class U = T>
Comparison compared(const std::vector<T>& got, const std::vector<U>& want, const Options& options = {},
                    const Shape& shape = {}) {
  return judge(integers(got, shape), {.values = integers(want, shape)}, options);
}

template <class T>
constexpr T least = std::numeric_limits<T>::min();
template <class T>
constexpr T most = std::numeric_limits<T>::max();

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The worst difference of a type is that of its ends, to the last digit.
template <class T>
void the_ends_of_a_type() {
  const std::vector<T> want{least<T>, most<T>, 1, most<T>},
      got{most<T>, most<T>, 1, static_cast<T>(most<T> - 1)};
  const Comparison c = compared(got, want);
  const Int128 span = static_cast<Int128>(most<T>) - static_cast<Int128>(least<T>);
  BOOST_TEST((c.verdict == Verdict::disagree));
  BOOST_TEST(c.outside == 2U);
  BOOST_TEST(c.bit_equal == 2U);
  BOOST_REQUIRE(c.integers.has_value());
  BOOST_TEST((c.integers->largest_difference == span));
  BOOST_TEST((c.integers->least_want == static_cast<Int128>(least<T>)));
  BOOST_TEST((c.integers->most_got == static_cast<Int128>(most<T>)));
  BOOST_REQUIRE(c.worst.has_value());
  BOOST_TEST(c.worst->index == 0U);
  BOOST_TEST((integer_value(c.worst->got, c.integers->got_type) == static_cast<Int128>(most<T>)));
  BOOST_TEST((integer_value(c.worst->want, c.integers->want_type) == static_cast<Int128>(least<T>)));
  BOOST_TEST(compared(got, want, with(tolerance(c.would_pass.atol, 0))).outside == 0U);
  // One below passes the smaller difference alone.
  BOOST_TEST(compared(got, want, with(tolerance(1, 0))).outside == 1U);
  BOOST_TEST(compared(got, want, with(tolerance(0.5, 0))).outside == 2U);
  BOOST_TEST((compared(want, want).verdict == Verdict::agree));
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_type_to_its_ends) {
  the_ends_of_a_type<std::int8_t>();
  the_ends_of_a_type<std::int16_t>();
  the_ends_of_a_type<std::int32_t>();
  the_ends_of_a_type<std::int64_t>();
  the_ends_of_a_type<std::uint8_t>();
  the_ends_of_a_type<std::uint16_t>();
  the_ends_of_a_type<std::uint32_t>();
  the_ends_of_a_type<std::uint64_t>();
}

BOOST_AUTO_TEST_CASE(neighbours_that_float64_does_not_tell_apart_differ) {
  const auto big = std::int64_t{1} << 53;
  const Comparison c = compared<std::int64_t>({big + 1, least<std::int64_t>}, {big, least<std::int64_t>});
  BOOST_TEST(c.outside == 1U);
  BOOST_TEST((c.integers->largest_difference == 1));
  BOOST_TEST(c.would_pass.atol == 1);
  BOOST_TEST(c.would_pass.rtol == 0x1p-53);
  BOOST_TEST(compared<std::uint64_t>({most<std::uint64_t>}, {most<std::uint64_t> - 1}).outside == 1U);
}

BOOST_AUTO_TEST_CASE(types_that_differ_are_compared_by_value_where_that_is_meant) {
  const std::vector<std::int64_t> got{-1, 5};
  const std::vector<std::uint64_t> want{most<std::uint64_t>, 5};
  BOOST_CHECK_THROW(compared(got, want), ContractError);
  Options convert;
  convert.convert = true;
  const Comparison c = compared(got, want, convert);
  BOOST_TEST(c.outside == 1U);  // one bit pattern, two values
  BOOST_TEST((c.integers->largest_difference == static_cast<Int128>(most<std::uint64_t>) + 1));
  BOOST_TEST(integer_text(c.integers->largest_difference) == "18446744073709551616");
  BOOST_TEST(compared(got, want, named("correctly-rounded")).outside == 1U);
  BOOST_TEST(compared(got, want, with(tolerance(0x1p64, 0))).outside == 0U);
  BOOST_TEST(compared(got, want, with(tolerance(std::nextafter(0x1p64, 0), 0))).outside == 1U);
  // -2^63 against 2^64 - 1 is a difference of more than 64 bits.
  const Comparison wide =
      compared<std::int64_t, std::uint64_t>({least<std::int64_t>}, {most<std::uint64_t>}, convert);
  BOOST_TEST(integer_text(wide.integers->largest_difference) == "27670116110564327423");
}

// |got - want| <= atol + rtol |want| against the long accumulator, near the edge.
BOOST_AUTO_TEST_CASE(tolerances_are_exact) {
  const CounterRandom random(3);
  std::size_t accepted = 0, wrong = 0;
  constexpr std::size_t cases = 4000;
  for (std::size_t i = 0; i < cases; ++i) {
    const auto want =
        static_cast<std::uint64_t>(random.below(most<std::uint64_t>, 8 * i)) >> random.below(60, 8 * i + 1);
    const double rtol = std::ldexp(random.uniform(8 * i + 2), -static_cast<int>(random.below(60, 8 * i + 3)));
    const double atol =
        random.below(2, 8 * i + 4) == 0 ? 0 : static_cast<double>(random.below(1000, 8 * i + 5)) / 8;
    const auto edge = static_cast<Int128>(atol + rtol * static_cast<double>(want));
    const Int128 distance = edge + static_cast<Int128>(random.below(3, 8 * i + 6)) - 1;
    if (distance < 0 || distance > static_cast<Int128>(want)) continue;
    const auto got = static_cast<std::uint64_t>(static_cast<Int128>(want) - distance);
    ExactSum sum;
    const auto low = static_cast<double>(want & 0xFFFFFFFF),
               high = std::ldexp(static_cast<double>(want >> 32), 32);
    sum.add_product(rtol, low);
    sum.add_product(rtol, high);
    sum.add(atol);
    sum.add(-std::ldexp(static_cast<double>(static_cast<std::uint64_t>(distance) >> 32), 32));
    sum.add(-static_cast<double>(static_cast<std::uint64_t>(distance) & 0xFFFFFFFF));
    const bool within = !sum.result().negative;
    accepted += within ? 1 : 0;
    const Comparison c = compared<std::uint64_t>({got}, {want}, with(tolerance(atol, rtol)));
    wrong += (c.outside == 0) == within ? 0 : 1;
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(accepted > cases / 10);
  BOOST_TEST(accepted < cases);
}

BOOST_AUTO_TEST_CASE(what_would_pass_passes_and_less_does_not) {
  const CounterRandom random(4);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    std::vector<std::int64_t> want(20), got(20);
    const auto shift = random.below(62, 100 * i);
    for (std::size_t k = 0; k < want.size(); ++k) {
      want[k] = static_cast<std::int64_t>(random.below(most<std::uint64_t>, 100 * i + 2 * k + 1)) >> shift;
      got[k] = want[k] ^ static_cast<std::int64_t>(random.below(64, 100 * i + 2 * k + 2));
    }
    got[7] = want[7] ^ 5;
    const Comparison c = compared(got, want);
    const WouldPass& w = c.would_pass;
    const auto passes = [&](const Policy& policy) { return compared(got, want, with(policy)).outside == 0; };
    wrong += passes(tolerance(w.atol, 0)) && !passes(tolerance(std::nextafter(w.atol, 0), 0)) ? 0 : 1;
    if (std::isinf(w.rtol)) continue;
    wrong += passes(tolerance(0, w.rtol)) && !passes(tolerance(0, std::nextafter(w.rtol, 0))) ? 0 : 1;
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(what_proves_nothing_is_vacuous) {
  const std::vector<std::int32_t> zeros(5, 0), small(5, 1);
  BOOST_TEST((compared(zeros, zeros).verdict == Verdict::vacuous));
  Options expected;
  expected.expects_zero = true;
  BOOST_TEST((compared(zeros, zeros, expected).verdict == Verdict::agree));
  BOOST_TEST((compared(small, small, with(tolerance(1, 0))).verdict == Verdict::vacuous));
  BOOST_TEST((compared(small, small).verdict == Verdict::agree));
  BOOST_TEST((compared<std::int32_t>({}, {}, {}, {0}).verdict == Verdict::vacuous));
}

BOOST_AUTO_TEST_CASE(a_bound_of_each_value) {
  const std::vector<std::int64_t> want{0, (std::int64_t{1} << 60) + 1}, got{2, std::int64_t{1} << 60};
  const std::vector<double> bound{2, 0.5}, endless{2, std::numeric_limits<double>::infinity()};
  const Options options = named("bound");
  const auto run = [&](const std::vector<double>& b) {
    return judge(integers(got), {.values = integers(want), .bound = b}, options);
  };
  const Comparison c = run(bound);
  BOOST_TEST(c.outside == 1U);
  BOOST_TEST(c.worst->index == 1U);
  BOOST_TEST(c.over_bound->max.value == 2);
  BOOST_CHECK_THROW(run(endless), ContractError);
  BOOST_CHECK_THROW(run({1}), ContractError);
}

BOOST_AUTO_TEST_CASE(misuse_of_integers_is_a_contract_error) {
  const std::vector<std::int32_t> x{1, 2};
  BOOST_CHECK_THROW(judge(integers(x), {.values = integers(x, {1, 2})}, {}), ContractError);
  BOOST_CHECK_THROW(judge({nullptr, type_of<std::int32_t>(), {2}}, {.values = integers(x)}, {}),
                    ContractError);
  BOOST_CHECK_THROW(compared(x, x, with(tolerance(-1, 0))), ContractError);
}

BOOST_AUTO_TEST_CASE(looks_of_integers) {
  const CounterRandom random(5);
  constexpr std::size_t n = 40 * 30;
  std::vector<std::int64_t> want(n);
  for (std::size_t i = 0; i < n; ++i)
    want[i] = static_cast<std::int64_t>(random.below(std::uint64_t{1} << 40, i)) - (std::int64_t{1} << 39);
  const auto look = [&](const auto& damage) {
    std::vector<std::int64_t> got = want;
    for (std::size_t i = 0; i < n; ++i) damage(got, i);
    return compared(got, want, {}, {40, 30}).where.text;
  };
  using Values = std::vector<std::int64_t>;
  BOOST_TEST(holds(look([](Values& got, std::size_t i) { got[i] ^= 1 << 20; }), "; bit 20 is flipped"));
  BOOST_TEST(holds(look([](Values& got, std::size_t i) { got[i] *= 3; }), "times 3"));
  BOOST_TEST(holds(look([](Values& got, std::size_t i) { got[i] /= 4; }), "times 0.25"));
  BOOST_TEST(holds(look([](Values& got, std::size_t i) { got[i] += 7; }), "constant down each column"));
  BOOST_TEST(
      holds(look([](Values& got, std::size_t i) { got[i] = i < 300 ? 0 : got[i]; }), "got is zero there"));
  BOOST_TEST(holds(look([&](Values& got, std::size_t i) { got[i] = want[(i + 30) % n]; }), "one row on"));
  // Random errors look like nothing.
  for (const std::int64_t size : {1, 2, 100}) {
    const std::string text = look([&](Values& got, std::size_t i) {
      got[i] +=
          static_cast<std::int64_t>(random.below(2 * static_cast<std::uint64_t>(size) + 1, n + i)) - size;
    });
    BOOST_TEST(!holds(text, ";"), text);
  }
  // What a person is told of a float64's bits is not said of integers.
  BOOST_TEST(!holds(look([](Values& got, std::size_t i) { got[i] ^= 1; }), "significand"));
}

BOOST_AUTO_TEST_CASE(names_and_decimals) {
  for (const char* name : {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"})
    BOOST_TEST(parse_integer_type(name)->name() == name);
  BOOST_TEST(!parse_integer_type("float64").has_value());
  for (const char* text : {"0", "-1", "-9223372036854775808", "18446744073709551615", "27670116110564327423"})
    BOOST_TEST(integer_text(*parse_integer(text)) == text);
  for (const char* text : {"", "-", "1.0", "99999999999999999999999999999999999999999"})
    BOOST_TEST(!parse_integer(text).has_value());
}
