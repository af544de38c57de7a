// No result that every order of additions excludes passes unnamed: it is outside, or it is counted as not judged. What
// is impossible is decided by the second implementation (tests/support): on rational numbers, from the proven bound's
// formula and IEEE 754 alone.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "reference/formats/encode.hpp"
#include "tests/support/judged_operation.hpp"

using namespace assay;
using oracle::Claim;
using oracle::Dice;
using oracle::JudgedOperation;

namespace {

// `code` and its neighbours in the order of values, at these distances.
void add_around(std::vector<std::uint64_t>& codes, std::uint64_t code, const FormatSpec& f) {
  for (const std::int64_t distance : {-1000, -16, -2, -1, 0, 1, 2, 16, 1000}) {
    const std::int64_t position = value_position(code, f) + distance;
    const std::uint64_t magnitude = static_cast<std::uint64_t>(position < 0 ? -position : position);
    if (magnitude <= f.magnitude_mask()) codes.push_back(code_at_position(position, f));
  }
}

// What a wrong kernel might leave: all codes where they are few, else those beside the ends of what is possible, the
// ends of the format, other signs, and some at random.
std::vector<std::uint64_t> plants(const oracle::Sum& s, const oracle::Possible& p, std::uint64_t exact,
                                  Dice& dice) {
  const FormatSpec& f = s.output;
  std::vector<std::uint64_t> codes;
  if (f.bits <= 8) {
    for (std::uint64_t code = 0; code < std::uint64_t{1} << f.bits; ++code) codes.push_back(code);
    return codes;
  }
  add_around(codes, exact, f);
  if (p.numbers) {
    for (const oracle::Rational* end : {&p.low, &p.high}) {
      if (const auto code = oracle::output_code(s, oracle::finite(*end))) add_around(codes, *code, f);
    }
  }
  for (const std::uint64_t magnitude :
       {std::uint64_t{0}, std::uint64_t{1}, f.min_normal_code(), f.max_finite_code(),
        f.magnitude_mask() - (f.min_normal_code() - 1)}) {
    codes.insert(codes.end(), {magnitude, magnitude | f.sign_code()});
  }
  codes.push_back(f.nan_code());
  codes.push_back(exact ^ f.sign_code());
  for (int i = 0; i < 4; ++i) codes.push_back(dice.word() & (f.sign_code() | f.magnitude_mask()));
  return codes;
}

void no_impossible_result_passes(std::uint64_t seed, std::uint64_t operations) {
  std::uint64_t impossible = 0, open = 0, not_judged = 0, passed = 0;
  std::string first;
  for (std::uint64_t number = 0; number < operations; ++number) {
    const JudgedOperation operation(oracle::random_operation(seed, number));
    Dice dice(seed + 1000, number);
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < operation.sums().size(); ++i) {
      const oracle::Sum& s = operation.sums()[i];
      const oracle::Possible p = oracle::possible(s);
      if (p.anything) ++open;
      for (const std::uint64_t code : plants(s, p, operation.exact_code(i), dice)) {
        if (!oracle::is_possible(s, p, code)) claims.push_back({i, code});
      }
    }
    if (claims.empty()) continue;
    const compare::Comparison c = operation.judge(claims);
    impossible += claims.size();
    not_judged += c.not_judged;
    const std::uint64_t unnamed = claims.size() - c.outside - c.not_judged;
    if (unnamed == 0) continue;
    passed += unnamed;
    for (const Claim& claim : claims) {
      if (operation.is_outside(claim)) continue;
      if (first.empty()) first = operation.reproduction(claim);
      fmt::print("{}", operation.reproduction(claim));
      break;
    }
  }
  fmt::print(
      "seed {}: {} operations, {} impossible results, {} passed, {} not judged; {} outputs left open\n", seed,
      operations, impossible, passed, not_judged, open);
  BOOST_TEST(passed == 0U, first);
  BOOST_TEST(impossible > 10 * operations);
}

// --- small examples, one output each ---

io::Array array_of(const FormatSpec& f, io::Shape shape, const std::vector<double>& values) {
  io::Array array = io::make_array(f, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i)
    detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), array.element.bytes(),
                       encode(values[i], f).code);
  return array;
}

bool passes(std::unique_ptr<const judge::Operation> operation, const judge::OutputSpec& output, Rounding mode,
            double got) {
  oracle::RandomOperation o{.text = "a small example",
                            .output = output,
                            .how = {.accumulator = formats::float32, .rounding = mode},
                            .operation = std::move(operation),
                            .sums = std::vector<oracle::Sum>(1)};
  const JudgedOperation judged(std::move(o));
  const Claim claim{0, encode(got, output.format).code};
  const compare::Comparison c = judged.judge({&claim, 1});
  BOOST_TEST(c.not_judged == 0U);
  return c.outside == 0;
}

// alpha a . b in float32.
bool product_passes(const std::vector<double>& a, const std::vector<double>& b, double alpha, Rounding mode,
                    double got) {
  judge::OutputSpec output{.format = formats::float32};
  output.epilogue.alpha = alpha;
  output.epilogue.place = EpiloguePlace::anywhere;
  const auto k = static_cast<std::int64_t>(a.size());
  judge::Operands operands{.a = array_of(formats::float32, {1, k}, a),
                           .b = array_of(formats::float32, {k, 1}, b),
                           .c = {},
                           .bias = {}};
  return passes(judge::make_operation(operations::kind_of_gemm, std::move(operands), output), output, mode,
                got);
}

bool reduction_passes(Reduction kind, const std::vector<double>& a, const FormatSpec& format,
                      Rounding rounding, Rounding mode, double got) {
  judge::OutputSpec output{.format = format};
  output.epilogue.rounding = rounding;
  judge::Operands operands{.a = array_of(formats::float32, {static_cast<std::int64_t>(a.size())}, a),
                           .reduction = kind,
                           .axis = {}};
  return passes(judge::make_operation(operations::kind_of_reduce, std::move(operands), output), output, mode,
                got);
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

// The sum overflows upwards, toward-positive makes it +Inf, and alpha turns it.
BOOST_AUTO_TEST_CASE(alpha_turns_what_overflowed_by_a_directed_mode) {
  const std::vector<double> a{3e38, 3e38, -3.3e38}, b{1, 1, 1};
  for (const double alpha : {-1.0, 1.0}) {
    BOOST_TEST(product_passes(a, b, alpha, Rounding::toward_positive, alpha * 2.7e38));
    BOOST_TEST(product_passes(a, b, alpha, Rounding::toward_positive, alpha * infinity));
  }
  BOOST_TEST(!product_passes(a, b, -1, Rounding::toward_positive, infinity));
  BOOST_TEST(!product_passes(a, b, 1, Rounding::toward_positive, -infinity));
}

// alpha a overflows; its sign is certain.
BOOST_AUTO_TEST_CASE(a_scaled_operand_overflows) {
  for (const double right : {1e20, infinity})
    BOOST_TEST(product_passes({1e30}, {1e-30}, 1e20, Rounding::nearest_even, right));
  for (const double wrong : {-infinity, std::nan(""), -1e20, 2e20})
    BOOST_TEST(!product_passes({1e30}, {1e-30}, 1e20, Rounding::nearest_even, wrong));
  // Inf 0, or 0 Inf where alpha makes the operand vanish.
  BOOST_TEST(product_passes({1e30}, {0}, 1e20, Rounding::nearest_even, std::nan("")));
  BOOST_TEST(product_passes({infinity}, {1e-30}, 1e-30, Rounding::nearest_even, std::nan("")));
  BOOST_TEST(!product_passes({infinity}, {1}, 1e-30, Rounding::nearest_even, std::nan("")));
}

// A sum of products that passes the range by its roundings alone, before alpha makes it small.
BOOST_AUTO_TEST_CASE(a_sum_overflows_before_alpha) {
  const std::vector<double> a{0x1.fffffep127, 0x1p102, 0x1.fffffep101}, b{1, 1, 1};  // the small ones: 2^103
  BOOST_TEST(product_passes(a, b, 0x1.8p-100, Rounding::nearest_even, infinity));
  BOOST_TEST(!product_passes(a, b, 0x1.8p-100, Rounding::nearest_even, -infinity));
}

// One product that needs no rounding: alpha times an operand rounds, and so does what is left.
BOOST_AUTO_TEST_CASE(alpha_before_an_exact_product_rounds_twice) {
  const float alpha = 3.7F, a = 1.0625F, b = 1.5F;
  for (const float right : {alpha * (a * b), (alpha * a) * b, (alpha * b) * a})
    BOOST_TEST(product_passes({a}, {b}, alpha, Rounding::nearest_even, right));
  BOOST_TEST(alpha * (a * b) != (alpha * a) * b);
  BOOST_TEST(!product_passes({a}, {b}, alpha, Rounding::nearest_even, alpha * (a * b) * 1.000001));
}

// -RU(a b) and RU(-(a b)).
BOOST_AUTO_TEST_CASE(alpha_turns_a_directed_rounding) {
  const double a = 1 + 0x1p-23, square = 1 + 0x1p-22;  // a a = square + 2^-46
  for (const double right : {-square, -square - 0x1p-23})
    BOOST_TEST(product_passes({a}, {a}, -1, Rounding::toward_positive, right));
  BOOST_TEST(!product_passes({a}, {a}, -1, Rounding::toward_positive, -square + 0x1p-23));
}

// A power of two adds no bit: sums of float32 values are sums of values, n - 1 roundings.
BOOST_AUTO_TEST_CASE(a_sum_of_values_rounds_once_less) {
  const std::vector<double> a{1 + 0x1p-23, 0x1p-24 + 0x1p-40};  // one addition: half an ulp and a little
  const auto passes_as = [&](double got) {
    return reduction_passes(Reduction::sum, a, formats::float32, Rounding::nearest_even,
                            Rounding::nearest_even, got);
  };
  BOOST_TEST(passes_as(1 + 0x1p-22));
  for (const double wrong : {1 + 0x1p-23, 1 + 0x1p-22 + 0x1p-23}) BOOST_TEST(!passes_as(wrong));
}

BOOST_AUTO_TEST_CASE(zeros_are_exact_whatever_alpha_is) {
  BOOST_TEST(product_passes({3, 0}, {0, 5}, 0.75, Rounding::nearest_even, 0));
  BOOST_TEST(!product_passes({3, 0}, {0, 5}, 0.75, Rounding::nearest_even, 0x1p-149));
}

BOOST_AUTO_TEST_CASE(reductions_round_as_the_output_does) {
  const std::vector<double> a{1, 0x1p-9};
  for (const auto& [kind, values] :
       {std::pair(Reduction::sum, a), std::pair(Reduction::max, std::vector{1 + 0x1p-9}),
        std::pair(Reduction::mean, std::vector{2.0, 0x1p-8})}) {
    const auto passes_as = [&, kind = kind, values = values](Rounding rounding, double got) {
      return reduction_passes(kind, values, formats::bfloat16, rounding, Rounding::nearest_even, got);
    };
    BOOST_TEST(passes_as(Rounding::nearest_even, 1));
    BOOST_TEST(!passes_as(Rounding::nearest_even, 1.0078125));
    BOOST_TEST(passes_as(Rounding::toward_positive, 1.0078125));
    BOOST_TEST(!passes_as(Rounding::toward_positive, 1));
  }
}

// The division of a mean rounds to nearest or as the sum does.
BOOST_AUTO_TEST_CASE(means_divide_by_either_rounding) {
  const auto passes_as = [](Rounding mode, double got) {
    return reduction_passes(Reduction::mean, {1, 1, 0}, formats::float32, Rounding::nearest_even, mode, got);
  };
  const double above = 0x1.555556p-1, below = 0x1.555554p-1;
  BOOST_TEST(passes_as(Rounding::nearest_even, above));
  BOOST_TEST(!passes_as(Rounding::nearest_even, below));
  for (const double right : {above, below}) BOOST_TEST(passes_as(Rounding::toward_zero, right));
  BOOST_TEST(!passes_as(Rounding::toward_zero, 0x1.555552p-1));
}

// A product with 1/n as a float32 instead of the division: one ulp away here. Two are too many, and so is one where
// 1/n is exact.
BOOST_AUTO_TEST_CASE(means_may_multiply_by_the_reciprocal) {
  const auto passes_as = [](std::vector<double> a, Rounding mode, double got) {
    return reduction_passes(Reduction::mean, a, formats::float32, Rounding::nearest_even, mode, got);
  };
  const std::vector<double> five{5, 0, 0};
  const float division = 5.0F / 3.0F, product = 5.0F * (1.0F / 3.0F), beyond = std::nextafter(product, 2.0F);
  BOOST_TEST(product == std::nextafter(division, 2.0F));
  for (const float right : {division, product}) BOOST_TEST(passes_as(five, Rounding::nearest_even, right));
  for (const float wrong : {std::nextafter(division, 0.0F), beyond})
    BOOST_TEST(!passes_as(five, Rounding::nearest_even, wrong));
  BOOST_TEST(passes_as({-5, 0, 0}, Rounding::nearest_even, -product));
  BOOST_TEST(!passes_as({5, 0, 0, 0}, Rounding::nearest_even, std::nextafter(1.25F, 2.0F)));
}

// float16 has no 2049: it divides by 2048.
BOOST_AUTO_TEST_CASE(means_may_divide_by_a_rounded_count) {
  std::vector<double> a(2049);
  a[0] = 2048;
  judge::OutputSpec output{.format = formats::float16};
  const auto passes_as = [&](double got) {
    judge::Operands operands{
        .a = array_of(formats::float16, {2049}, a), .reduction = Reduction::mean, .axis = {}};
    oracle::RandomOperation o{
        .text = "2049 halves",
        .output = output,
        .how = {.accumulator = formats::float16},
        .operation = judge::make_operation(operations::kind_of_reduce, std::move(operands), output),
        .sums = std::vector<oracle::Sum>(1)};
    return !JudgedOperation(std::move(o)).is_outside({0, encode(got, formats::float16).code});
  };
  for (const double right : {1.0, 1 - 0x1p-11}) BOOST_TEST(passes_as(right));
  for (const double wrong : {1 + 0x1p-10, 1 - 0x1p-9}) BOOST_TEST(!passes_as(wrong));
}

BOOST_AUTO_TEST_CASE(impossible_results_fail) { no_impossible_result_passes(200, 60); }

BOOST_AUTO_TEST_CASE(more_impossible_results_fail, *boost::unit_test::label("full")) {
  no_impossible_result_passes(200, 200);
}

BOOST_AUTO_TEST_CASE(many_impossible_results_fail, *boost::unit_test::label("exhaustive")) {
  for (std::uint64_t seed = 200; seed < 207; ++seed) no_impossible_result_passes(seed, 4000);
}
