// All outputs of a matrix product at once, by the unit's own path, are those that its definition gives one by one.
#include "validation/judge/operands.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::judge;

namespace {

io::Array random_array(const FormatSpec& f, io::Shape shape, std::uint64_t stream) {
  io::Array array = io::make_array(f, std::move(shape));
  const CounterRandom random(20261129, stream);
  for (std::int64_t i = 0; i < array.size(); ++i)
    detail::store_code(array.bytes.data(), i, code_bytes(f),
                       encode(random.normal(static_cast<std::uint64_t>(i)), f).code);
  return array;
}

struct Product {
  std::string unit;
  FormatSpec inputs;
  io::Shape a, b, result;
  bool transpose_a = false, transpose_b = false, with_c = false, c_first = false, with_bias = false;
  OutputSpec output{};
};

// The exact results of all outputs together, against those one by one.
void expect_same_truths(const judge::Operation& operation, const Arithmetic& arithmetic) {
  std::vector<std::optional<ElementTruth>> together(operation.size());
  const bool taken = operation.truths(
      arithmetic, 1, 1, [&](std::size_t i, const ElementTruth& truth) { together[i] = truth; }, nullptr);
  std::size_t differ = 0;
  for (std::size_t i = 0; taken && i < together.size(); ++i) {
    const ElementTruth alone = operation.truth(arithmetic, i, 1);
    const bool same =
        together[i] && together[i]->results == alone.results && together[i]->bound == alone.bound &&
        together[i]->exact.kind == alone.exact.kind &&
        encode(together[i]->exact, formats::float64).code == encode(alone.exact, formats::float64).code;
    differ += same ? 0 : 1;
  }
  BOOST_TEST(differ == 0U, operation.parameters());
  // Of small stacks each output is asked for alone.
  BOOST_TEST(taken == (operation.parameters().find("batch=") == std::string::npos), operation.parameters());
}

void expect_same(const Product& p) {
  const auto optional = [](bool is, io::Array array) {
    return is ? std::optional(std::move(array)) : std::nullopt;
  };
  const auto operation = judge::make_operation(
      operations::kind_of_gemm,
      {.a = random_array(p.inputs, p.a, 1),
       .b = random_array(p.inputs, p.b, 2),
       .transpose_a = p.transpose_a,
       .transpose_b = p.transpose_b,
       .c = optional(p.with_c, random_array(formats::float32, p.result, 3)),
       .bias = optional(p.with_bias, random_array(formats::float32, {p.result.back()}, 4)),
       .bias_along = BiasAlong::columns,
       .c_first = p.c_first},
      p.output);
  const Arithmetic& unit = arithmetics().find(p.unit);
  const std::size_t n = operation->size(), width = code_bytes(p.output.format);
  std::vector<std::byte> at_once(n * width);
  BOOST_TEST_REQUIRE(operation->predict_all(unit, {at_once.data(), n, 1, p.output.format}, nullptr), p.unit);
  const CodeVector codes{at_once.data(), n, 1, p.output.format};
  for (std::size_t i = 0; i < n; ++i)
    BOOST_TEST(codes.code(i) == operation->predicted(unit, i), p.unit << ", output " << i);
  expect_same_truths(*operation, *judge::make_any_order({.accumulator = formats::float32}, p.output.format));
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_outputs_at_once_are_those_one_by_one) {
  const OutputSpec relu{.format = formats::bfloat16,
                        .epilogue = {.alpha = 0.7, .beta = 0.3, .activation = Activation::relu}};
  expect_same(
      {.unit = "chain_f32_fused", .inputs = formats::float32, .a = {7, 33}, .b = {33, 5}, .result = {7, 5}});
  expect_same({.unit = "chain_f32",
               .inputs = formats::float32,
               .a = {33, 7},
               .b = {5, 33},
               .result = {7, 5},
               .transpose_a = true,
               .transpose_b = true});
  expect_same({.unit = "lanes8_f32_fused",
               .inputs = formats::float32,
               .a = {2, 3, 4, 20},
               .b = {3, 20, 6},
               .result = {2, 3, 4, 6}});
  expect_same({.unit = "tdpbf16ps",
               .inputs = formats::bfloat16,
               .a = {9, 40},
               .b = {40, 8},
               .result = {9, 8},
               .with_c = true,
               .c_first = true});
  expect_same({.unit = "sm90.bf16",
               .inputs = formats::bfloat16,
               .a = {3, 5, 17},
               .b = {3, 17, 4},
               .result = {3, 5, 4},
               .with_c = true,
               .c_first = true});
  expect_same({.unit = "chain_f32",
               .inputs = formats::float32,
               .a = {6, 19},
               .b = {19, 3},
               .result = {6, 3},
               .with_c = true,
               .with_bias = true,
               .output = relu});
  expect_same(
      {.unit = "chain_f32_sr", .inputs = formats::float32, .a = {6, 19}, .b = {19, 3}, .result = {6, 3}});
}

// Whose random bits go by the place in the whole stack.
BOOST_AUTO_TEST_CASE(a_stack_under_a_stochastic_unit) {
  expect_same({.unit = "chain_f32_sr",
               .inputs = formats::float32,
               .a = {2, 3, 9},
               .b = {2, 9, 4},
               .result = {2, 3, 4}});
  expect_same({.unit = "chain_bf16_sr",
               .inputs = formats::bfloat16,
               .a = {3, 1, 3, 9},
               .b = {2, 9, 4},
               .result = {3, 2, 3, 4},
               .output = {.format = formats::bfloat16}});
}

// One line of a reduction alone is what the whole gives there.
BOOST_AUTO_TEST_CASE(a_reduction_under_a_stochastic_unit) {
  const io::Array x = random_array(formats::float32, {4, 30, 3}, 1);
  const auto operation = judge::make_operation(operations::kind_of_sum, {.a = x, .axis = 1}, {});
  const Arithmetic& unit = arithmetics().find("chain_f32_sr");
  const ReduceProblem problem{.outer = 4, .length = 30, .inner = 3};
  std::vector<float> y(12);
  reduce(unit, problem, {x.bytes.data(), 360, 1, formats::float32}, mutable_code_vector(y.data(), y.size()));
  for (std::size_t i = 0; i < y.size(); ++i)
    BOOST_TEST(operation->predicted(unit, i) == code_vector(y.data(), y.size()).code(i), "output " << i);
}
