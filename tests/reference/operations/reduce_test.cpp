#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/operations/reduce.hpp"
#include "tests/reference/exact/operands.hpp"
#include "tests/reference/exact/worst_cases.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;

std::vector<float> run(const ReduceProblem& problem, const std::vector<float>& x) {
  const auto chain = make_chain({.name = "chain_f32", .product = f32});
  std::vector<float> y(problem.outer * problem.inner);
  reduce(*chain, problem, code_vector(x.data(), x.size()), mutable_code_vector(y.data(), y.size()));
  return y;
}

BOOST_AUTO_TEST_CASE(by_hand) {
  const std::vector<float> x = {1, -2, 3, 4, 5, -6};  // 2 x 3
  const auto rows = [&](Reduction op) { return run({.operation = op, .outer = 2, .length = 3}, x); };
  const auto columns = [&](Reduction op) { return run({.operation = op, .length = 2, .inner = 3}, x); };
  using V = std::vector<float>;
  BOOST_TEST(rows(Reduction::sum) == (V{2, 3}));
  BOOST_TEST(columns(Reduction::sum) == (V{5, 3, -3}));
  BOOST_TEST(rows(Reduction::mean) == (V{2.0F / 3, 1}));
  BOOST_TEST(rows(Reduction::sum_squares) == (V{14, 77}));
  BOOST_TEST(rows(Reduction::sum_magnitudes) == (V{6, 15}));
  BOOST_TEST(columns(Reduction::max) == (V{4, 5, 3}));
  BOOST_TEST(columns(Reduction::min) == (V{1, -2, -6}));
  BOOST_TEST(rows(Reduction::max_magnitude) == (V{3, 6}));
}

BOOST_AUTO_TEST_CASE(specials) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  const auto one = [](Reduction op, std::vector<float> x, NanElements rule = NanElements::propagate) {
    return run({.operation = op, .length = x.size(), .nan = rule}, x)[0];
  };
  BOOST_TEST(std::isnan(one(Reduction::max, {1, nan, 2})));
  BOOST_TEST(one(Reduction::max, {nan, 1, 2}, NanElements::ignore) == 2);
  BOOST_TEST(std::isnan(one(Reduction::min, {nan, nan}, NanElements::ignore)));
  BOOST_TEST(one(Reduction::min, {-infinity, 3}) == -infinity);
  BOOST_TEST(!std::signbit(one(Reduction::max, {-0.0F, 0.0F, -0.0F})));
  BOOST_TEST(std::signbit(one(Reduction::min, {0.0F, -0.0F, 0.0F})));
  BOOST_TEST(std::isnan(one(Reduction::sum, {infinity, -infinity})));
  BOOST_TEST(one(Reduction::sum, {}) == 0);
  BOOST_TEST(std::isnan(one(Reduction::mean, {})));
  BOOST_CHECK_THROW(one(Reduction::max, {}), ContractError);
}

BOOST_AUTO_TEST_CASE(within_bounds) {
  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t exceeded = 0, judged = 0;
  double nearest = 0;
  for (const Arithmetic* chain : registry.list()) {
    for (const Reduction op :
         {Reduction::sum, Reduction::mean, Reduction::sum_squares, Reduction::sum_magnitudes, Reduction::max,
          Reduction::min, Reduction::max_magnitude}) {
      for (const Operands kind : {Operands::normal, Operands::cancelling, Operands::subnormal}) {
        for (const FormatSpec* output : {&formats::float32, &formats::float16}) {
          const ReduceProblem problem{.operation = op, .outer = 2, .length = 30, .inner = 3};
          const auto [x, unused] = make_operands(kind, 180, formats::bfloat16, f32, 8);
          CodeArray y(6, *output);
          reduce(*chain, problem, x.view(), y.out());
          for (std::size_t at = 0; at < 6; ++at) {
            const ElementTruth truth = reduce_truth(*chain, problem, x.view(), *output, at / 3, at % 3);
            if (!output->is_finite(y.code(at))) continue;
            ++judged;
            ExactSum exact;
            ExactValue<Wide> cut = truth.exact;
            const double slack = cut.sticky ? std::ldexp(1.0, std::max(cut.exponent, -1074)) : 0;
            cut.sticky = false;
            exact.add(cut);
            const ExactSum error = exact_error(exact, y.code(at), *output);
            exceeded += exceeds(error, upward::add(truth.bound, slack));
            if (truth.bound > 0) nearest = std::max(nearest, error.rounded_up() / truth.bound);
          }
        }
      }
    }
  }
  BOOST_TEST(judged > 3000U);
  BOOST_TEST(exceeded == 0U);
  BOOST_TEST(nearest > 0.25);
}

// Formats without a 1, with one zero, and narrow ones.
BOOST_AUTO_TEST_CASE(every_format) {
  const auto chain = make_chain({.name = "chain_f64", .accumulator = formats::float64});
  std::size_t wrong = 0;
  for (const FormatSpec* f : formats::all) {
    const auto [x, unused] = make_operands(Operands::any_code, 40, *f, f32, 2);
    for (const Reduction op : {Reduction::sum_magnitudes, Reduction::max_magnitude, Reduction::max}) {
      CodeArray y(1, formats::float64);
      reduce(*chain, {.operation = op, .length = 40}, x.view(), y.out());
      double want = op == Reduction::max ? -std::numeric_limits<double>::infinity() : 0;
      for (std::size_t i = 0; i < 40; ++i) {
        const double value = decode(x.code(i), *f);
        if (op == Reduction::sum_magnitudes) want += std::fabs(value);
        if (op == Reduction::max_magnitude) want = std::max(want, std::fabs(value));
        if (op == Reduction::max) want = std::max(want, value);
      }
      wrong += decode(y.code(0), formats::float64) != want;
    }
  }
  BOOST_TEST(wrong == 0U);
  const FormatSpec small{"custom", "custom", 8, 3, -40, Specials::ieee};  // up to 2^-11
  CodeArray x(2, small), y(1, f32);
  x.set(0, encode(0x1p-20, small).code);
  x.set(1, encode(0x1p-20, small).code);
  reduce(*chain, {.length = 2}, x.view(), y.out());
  BOOST_TEST(decode(y.code(0), f32) == 0x1p-19);
}

BOOST_AUTO_TEST_CASE(misuse) {
  const auto chain = make_chain({.name = "chain_f32"});
  const float x[6] = {};
  float y[2];
  BOOST_CHECK_THROW(reduce(*chain, {.outer = 2, .length = 2}, code_vector(x, 6), mutable_code_vector(y, 2)),
                    ContractError);
  BOOST_CHECK_THROW(reduce(*chain, {.outer = 3, .length = 2}, code_vector(x, 6), mutable_code_vector(y, 2)),
                    ContractError);
}

}  // namespace
