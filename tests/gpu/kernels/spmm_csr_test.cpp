// SpMM's CUDA kernel under the executor: the bits of the library's contract, whatever the order of threads.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "gpu/kernels/spmm_csr_run.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/kernels/said.hpp"
#include "tests/gpu/kernels/schedules.hpp"
#include "tests/reference/sparse/spmm_problems.hpp"

namespace assay::gpu {

// The kernels of planted.cmake.
#define PLANTED(name)                                                            \
  namespace name {                                                               \
  template <class Value, class X, class Y>                                       \
  void run_spmm_csr(const SpmmCsrProblem<Value, X, Y>& p);                       \
  extern template void run_spmm_csr(const SpmmCsrProblem<float, float, float>&); \
  }
PLANTED(planted_spmm_unfused)
PLANTED(planted_spmm_backwards)
PLANTED(planted_spmm_bf16_sums)
PLANTED(planted_spmm_tail)
PLANTED(planted_spmm_stale)
#undef PLANTED

}  // namespace assay::gpu

using namespace assay;
using namespace assay::tests;
using gpu::SpmmCsrProblem;

namespace {

template <class T>
std::vector<T> stored_as(const std::vector<float>& x) {
  return std::vector<T>(x.begin(), x.end());
}
template <class T>
void round_to(std::vector<float>& x) {
  for (float& value : x) value = static_cast<float>(T(value));
}
std::uint32_t code_of(float x) { return bits(x); }
std::uint32_t code_of(bf16_t x) { return x.code; }

struct Shape {
  std::int64_t n, x_gap, y_gap;
};

// Y of one product by `run`, against the contract: how many numbers of it and between its rows are wrong.
template <class Value, class X, class Y, class Run>
int count_wrong(Csr<float> a, const Shape& shape, SpmmExtras extras, bool wild, bool sorts_rows,
                const Run& run) {
  round_to<Value>(a.values);
  Dense x(a.cols(), shape.n, shape.x_gap, 3, wild), c(a.rows(), shape.n, shape.y_gap, 4, wild);
  round_to<X>(x.data);
  round_to<Y>(c.data);
  extras.c = c.view();
  const std::vector<Value> values = stored_as<Value>(a.values);
  const std::vector<X> device_x = stored_as<X>(x.data);
  // Y holds C, and where that is not its argument, other numbers.
  const std::vector<Y> before = stored_as<Y>(c.data);
  std::vector<Y> y = before;
  SpmmCsrProblem<Value, X, Y> p;
  p.a = a.structure;
  p.values = values;
  p.x = {device_x.data(), x.rows, x.cols, x.stride};
  p.y = {y.data(), c.rows, c.cols, c.stride};
  p.c = {sorts_rows ? y.data() : before.data(), c.rows, c.cols, c.stride};
  p.extras = extras;
  p.sorts_rows = sorts_rows;
  run(p);
  int wrong = 0;
  for (std::size_t i = 0; i < y.size() && c.stride != 0; ++i) {
    const auto row = static_cast<std::int64_t>(i) / c.stride,
               column = static_cast<std::int64_t>(i) % c.stride;
    std::uint32_t want = code_of(before[i]);
    if (row < c.rows && column < c.cols) {
      want = expected(a, x, row, column, extras);
      if constexpr (std::is_same_v<Y, bf16_t>) want = bf16_t(std::bit_cast<float>(want)).code;
    }
    wrong += code_of(y[i]) == want ? 0 : 1;
  }
  return wrong;
}

template <class Value, class X, class Y>
void check(const Csr<float>& a, const Shape& shape, const SpmmExtras& extras = {}, bool wild = false,
           bool sorts_rows = false) {
  for_each_schedule([&](const std::string& schedule) {
    const int wrong = count_wrong<Value, X, Y>(a, shape, extras, wild, sorts_rows,
                                               [](const auto& p) { gpu::run_spmm_csr(p); });
    BOOST_TEST(wrong == 0, schedule << ": " << a.rows() << " x " << a.cols() << ", n " << shape.n);
  });
}

// Rows of 0 to 71 entries: every remainder of 8, and more than are staged at once.
Csr<float> rows_of_all_lengths() {
  Csr<float> a;
  a.structure.rows = 72;
  a.structure.cols = 75;
  for (std::int32_t i = 0; i < 72; ++i) {
    for (std::int32_t j = 0; j < i; ++j) a.structure.column_indices.push_back((j * 31 + i) % 75);
    a.structure.end_row();
  }
  a.values = values_of(a.structure.column_indices.size(), 2);
  return a;
}

}  // namespace

BOOST_AUTO_TEST_CASE(spmm_csr_has_the_bits_of_the_contract_at_every_shape) {
  const Csr<float> a = pattern(13, 70, 0.3, 1);
  // Vectors by groups of 8, 16 and 32 lanes, a second tile of columns, a tail beside vectors, numbers one by one.
  for (const Shape& shape : {Shape{4, 0, 0}, Shape{32, 4, 8}, Shape{64, 0, 0}, Shape{132, 0, 4},
                             Shape{37, 3, 3}, Shape{5, 0, 0}, Shape{1, 0, 2}, Shape{140, 1, 0}})
    check<float, float, float>(a, shape);
  check<float, float, float>(rows_of_all_lengths(), {20, 0, 0});
  for (const std::int32_t rows : {0, 1, 17}) check<float, float, float>(pattern(rows, 9, 0.5, 3), {8, 0, 0});
  check<float, float, float>(pattern(5, 0, 0.5, 3), {8, 0, 0});
  check<float, float, float>(pattern(5, 3, 0.5, 3), {0, 0, 0});
  check<float, float, float>(pattern(5, 300, 0.5, 3, false, true), {12, 0, 0});
}

BOOST_AUTO_TEST_CASE(spmm_csr_has_the_bits_of_the_plan) {
  const Csr<float> a = pattern(30, 41, 0.4, 1);
  const Dense x(41, 24, 0, 2);
  Dense y(30, 24, 0, 5), want(30, 24, 0, 6);
  sparse::SpmmPlan(a).multiply(x.view(), want.mutable_view());
  SpmmCsrProblem<float, float, float> p;
  p.a = a.structure, p.values = a.values;
  p.x = {x.data.data(), 41, 24, 24}, p.y = {y.data.data(), 30, 24, 24};
  gpu::run_spmm_csr(p);
  BOOST_TEST(std::equal(want.data.begin(), want.data.end() - 1, y.data.begin()));
}

BOOST_AUTO_TEST_CASE(spmm_csr_widens_bfloat16_and_rounds_once_more) {
  const Csr<float> a = pattern(9, 50, 0.4, 1);
  for (const Shape& shape : {Shape{8, 0, 0}, Shape{72, 8, 8}, Shape{136, 0, 0}, Shape{43, 5, 5}}) {
    check<float, bf16_t, float>(a, shape);
    check<bf16_t, bf16_t, bf16_t>(a, shape);
  }
  check<float, bf16_t, bf16_t>(a, {16, 0, 0});
  check<bf16_t, float, float>(a, {16, 0, 0});
  check<bf16_t, float, bf16_t>(a, {16, 0, 0});
  check<bf16_t, bf16_t, float>(a, {264, 0, 0});
  const Csr<float> wild = pattern(9, 20, 0.4, 7, true);
  const std::vector<float> bias = values_of(40, 8, true);
  SpmmExtras e{.alpha = 0.5F, .beta = -2, .bias_along = SpmmBias::columns, .bias = bias};
  check<bf16_t, bf16_t, bf16_t>(wild, {40, 0, 0}, e, true);
  check<bf16_t, float, bf16_t>(wild, {40, 0, 0}, e, true, true);
}

BOOST_AUTO_TEST_CASE(spmm_csr_fuses_what_follows_the_sums) {
  const Csr<float> a = pattern(12, 20, 0.3, 1, true);
  for (const std::int64_t n : {16, 7}) {
    const std::vector<float> rows = values_of(12, 8, true),
                             columns = values_of(static_cast<std::size_t>(n), 9, true);
    for (const SpmmActivation activation :
         {SpmmActivation::none, SpmmActivation::relu, SpmmActivation::relu_max, SpmmActivation::clip}) {
      SpmmExtras e{.activation = activation, .low = -0.5F, .high = 1.5F};
      check<float, float, float>(a, {n, 0, 0}, e, true, true);
      e.alpha = 0.3F, e.beta = 1, e.bias_along = SpmmBias::rows, e.bias = rows;
      check<float, float, float>(a, {n, 0, 0}, e, true);
      e.alpha = 0, e.beta = -0.7F, e.bias_along = SpmmBias::columns, e.bias = columns;
      check<float, float, float>(a, {n, 0, 0}, e, true, true);
    }
  }
}

BOOST_AUTO_TEST_CASE(spmm_csr_tests_refuse_planted_kernels) {
  const auto wrong_by = [](const auto& run) {
    return count_wrong<float, float, float>(rows_of_all_lengths(), {20, 0, 0}, {}, false, false, run);
  };
  BOOST_TEST(wrong_by([](const auto& p) { gpu::planted_spmm_unfused::run_spmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by([](const auto& p) { gpu::planted_spmm_backwards::run_spmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by([](const auto& p) { gpu::planted_spmm_bf16_sums::run_spmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by([](const auto& p) { gpu::planted_spmm_tail::run_spmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by([](const auto& p) { gpu::planted_spmm_stale::run_spmm_csr(p); }) > 0);
}

BOOST_AUTO_TEST_CASE(spmm_csr_refuses_what_it_cannot_take) {
  const Csr<float> a = pattern(4, 6, 0.5, 1);
  Dense x(6, 8, 0, 2), y(4, 8, 0, 3);
  SpmmCsrProblem<float, float, float> good;
  good.a = a.structure, good.values = a.values;
  good.x = {x.data.data(), 6, 8, 8}, good.y = {y.data.data(), 4, 8, 8};
  const auto of = [&](const auto& change) {
    SpmmCsrProblem<float, float, float> p = good;
    change(p);
    return said([&] { gpu::run_spmm_csr(p); });
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  sparse::CsrStructure outside = a.structure, falling = a.structure;
  outside.column_indices[0] = 6;
  falling.row_offsets[1] = falling.row_offsets[2] + 1;
  std::string text = of([&](auto& p) { p.a = outside; });
  BOOST_TEST(has(text, "column"), text);
  text = of([&](auto& p) { p.a = falling; });
  BOOST_TEST(has(text, "row"), text);
  text = of([&](auto& p) { p.values = p.values.first(1); });
  BOOST_TEST(has(text, "values"), text);
  BOOST_TEST(of([](auto& p) { p.x.rows = 5; }) == "spmm_csr: x is 5 x 8, not 6 x 8");
  BOOST_TEST(of([](auto& p) { p.y.data = nullptr; }) == "spmm_csr: y is null");
  BOOST_TEST(of([](auto& p) { p.x.stride = 7; }) == "spmm_csr: x has rows 7 apart, of 8 columns");
  BOOST_TEST(of([](auto& p) { p.extras.beta = 1; }) == "spmm_csr: c is 0 x 0, not 4 x 8");
  BOOST_TEST(of([](auto& p) { p.extras.bias_along = SpmmBias::rows; }) ==
             "spmm_csr: bias has 0 values, not 4");
  BOOST_TEST(of([](auto& p) { p.extras.alpha = std::nanf(""); }) == "spmm_csr: alpha or beta is NaN");
  text = of([](auto& p) { p.extras.activation = SpmmActivation::clip, p.extras.low = 1; });
  BOOST_TEST(has(text, "spmm_csr: clip to [1.0"), text);
}
