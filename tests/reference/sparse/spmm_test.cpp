// Sparse times dense: every kernel, cut and number of threads against one multiply-add after another, bit for bit.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/sparse/kernels/plain_lanes.hpp"
#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"
#include "tests/reference/sparse/spmm_problems.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;
using namespace assay::tests;
}  // namespace

// Sizes around every width and number of rows side by side, strides, empty matrices; depths that cut a row often.
BOOST_AUTO_TEST_CASE(every_kernel_gives_the_contracts_bits) {
  struct Shape {
    std::int32_t rows, cols;
    double density;
  };
  const Shape shapes[] = {{0, 0, 0},   {0, 5, 1},  {5, 0, 0},      {1, 1, 1},
                          {3, 7, 0.5}, {9, 33, 1}, {40, 150, 0.1}, {67, 70, 0.6}};
  for (const std::string_view kernel : kernels_here()) {
    int failed = 0;
    for (const Shape& s : shapes) {
      const Csr<float> a = pattern(s.rows, s.cols, s.density, 5, s.rows == 9);
      for (const std::uint32_t depth : {0U, 1U, 16U, 100000U}) {
        const SpmmPlan plan(a, {.kernel = kernel, .depth = depth});
        for (const std::int64_t n : {0, 1, 2, 8, 9, 15, 17, 33, 64, 65, 130}) {
          const Dense x(s.cols, n, n % 2, 7, s.rows == 67);
          Dense y(s.rows, n, n % 3, 9);
          const Dense before = y;
          plan.multiply(x.view(), y.mutable_view());
          failed += wrong(a, x, y, {}) + (gaps_are_kept(y, before) ? 0 : 1);
        }
      }
    }
    BOOST_TEST(failed == 0, kernel);
  }
}

BOOST_AUTO_TEST_CASE(extras_round_as_the_epilogue_says) {
  const Csr<float> a = pattern(21, 50, 0.3, 3, true);
  const Dense x(50, 37, 1, 4, true), c(21, 37, 2, 5, true);
  const std::vector<float> rows = values_of(21, 6, true), columns = values_of(37, 7, true);
  std::vector<SpmmExtras> all;
  for (const float alpha : {1.0F, 0.0F, -0.75F, 3.1F}) {
    for (const float beta : {0.0F, 1.0F, 0.3F}) {
      for (const SpmmBias along : {SpmmBias::none, SpmmBias::rows, SpmmBias::columns}) {
        for (const SpmmActivation activation :
             {SpmmActivation::none, SpmmActivation::relu, SpmmActivation::relu_max, SpmmActivation::clip}) {
          SpmmExtras e{.alpha = alpha,
                       .beta = beta,
                       .c = c.view(),
                       .bias_along = along,
                       .activation = activation,
                       .low = -0.5F,
                       .high = 0.25F};
          if (along == SpmmBias::rows) e.bias = rows;
          if (along == SpmmBias::columns) e.bias = columns;
          all.push_back(e);
        }
      }
    }
  }
  for (const std::string_view kernel : kernels_here()) {
    const SpmmPlan plan(a, {.kernel = kernel, .depth = 20});
    int failed = 0;
    for (const SpmmExtras& e : all) {
      Dense y(21, 37, 0, 8);
      plan.multiply(x.view(), y.mutable_view(), e);
      failed += wrong(a, x, y, e);
      // C may be Y itself.
      Dense same(21, 37, 0, 8);
      const Dense was = same;
      SpmmExtras in_place = e, read_before = e;
      in_place.c = same.view();
      read_before.c = was.view();
      plan.multiply(x.view(), same.mutable_view(), in_place);
      failed += wrong(a, x, same, read_before);
    }
    BOOST_TEST(failed == 0, kernel);
  }
}

// Activations by weights: the bits of the transposed product, and of everything that joins it.
BOOST_AUTO_TEST_CASE(transposed_products_give_the_same_bits) {
  const Csr<float> a = pattern(1100, 50, 0.2, 33);
  const std::vector<float> rows = values_of(70, 36), columns = values_of(1100, 37);
  for (const std::string_view kernel : kernels_here()) {
    const SpmmPlan plan(a, {.kernel = kernel, .depth = 20});
    for (const std::int64_t n : {0, 1, 17, 70}) {
      const Dense x(n, 50, 3, 34), c(n, 1100, 0, 35);
      Dense turned(50, n, 1, 1), c_turned(1100, n, 1, 1);
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < 50; ++j)
          turned.data[static_cast<std::size_t>(j * turned.stride + i)] = x.at(i, j);
        for (std::int64_t j = 0; j < 1100; ++j)
          c_turned.data[static_cast<std::size_t>(j * c_turned.stride + i)] = c.at(i, j);
      }
      for (const SpmmBias along : {SpmmBias::none, SpmmBias::rows, SpmmBias::columns}) {
        SpmmExtras e{.alpha = 0.5F,
                     .beta = 0.25F,
                     .c = c.view(),
                     .bias_along = along,
                     .activation = SpmmActivation::relu};
        if (along == SpmmBias::rows) e.bias = std::span(rows).first(static_cast<std::size_t>(n));
        if (along == SpmmBias::columns) e.bias = columns;
        SpmmExtras of_turned = e;
        of_turned.c = c_turned.view();
        of_turned.bias_along = along == SpmmBias::none   ? SpmmBias::none
                               : along == SpmmBias::rows ? SpmmBias::columns
                                                         : SpmmBias::rows;
        Dense y(n, 1100, 2, 38), want(1100, n, 0, 39);
        const Dense before = y;
        plan.multiply(turned.view(), want.mutable_view(), of_turned);
        plan.multiply_transposed(x.view(), y.mutable_view(), e, 3);
        int failed = gaps_are_kept(y, before) ? 0 : 1;
        for (std::int64_t i = 0; i < n; ++i) {
          for (std::int64_t j = 0; j < 1100; ++j) failed += bits(y.at(i, j)) == bits(want.at(j, i)) ? 0 : 1;
        }
        BOOST_TEST(failed == 0, kernel << " " << n);
      }
    }
  }
}

// More rows than a chunk holds, one of them dense, on several threads.
BOOST_AUTO_TEST_CASE(threads_and_chunks_change_no_bit) {
  const Csr<float> a = pattern(2500, 40, 0.05, 13);
  const Dense x(40, 100, 0, 14);
  for (const std::string_view kernel : kernels_here()) {
    const SpmmPlan plan(a, {.kernel = kernel, .depth = 16});
    Dense one(2500, 100, 0, 15);
    plan.multiply(x.view(), one.mutable_view(), {}, 1);
    BOOST_TEST(wrong(a, x, one, {}) == 0, kernel);
    for (const int threads : {2, 3, 8}) {
      Dense more(2500, 100, 0, 16);
      plan.multiply(x.view(), more.mutable_view(), {}, threads);
      BOOST_TEST((more.data.size() == one.data.size() && wrong(a, x, more, {}) == 0),
                 kernel << " " << threads);
    }
  }
}

// A row's terms stand in the order of the file, and a column that repeats is a term of its own.
BOOST_AUTO_TEST_CASE(stored_order_is_kept) {
  const Csr<float> a = pattern(30, 3000, 0.02, 17, false, true);
  const Dense x(3000, 20, 0, 18);
  for (const std::string_view kernel : kernels_here()) {
    const SpmmPlan plan(a, {.kernel = kernel});
    Dense y(30, 20, 0, 19);
    plan.multiply(x.view(), y.mutable_view());
    BOOST_TEST(wrong(a, x, y, {}) == 0, kernel);
  }
}

// A place without an entry is no product: infinities and NaN in X reach only the rows that have an entry there.
BOOST_AUTO_TEST_CASE(absent_entries_do_not_multiply) {
  const Csr<float> a{{3, 3, {0, 1, 1, 3}, {1, 0, 2}}, {2.0F, 0.0F, 1.0F}};
  Dense x(3, 8, 0, 1);
  for (std::int64_t j = 0; j < 8; ++j) {
    x.data[static_cast<std::size_t>(j)] = inf;
    x.data[static_cast<std::size_t>(8 + j)] = 3;
    x.data[static_cast<std::size_t>(16 + j)] = std::numeric_limits<float>::quiet_NaN();
  }
  for (const std::string_view kernel : kernels_here()) {
    Dense y(3, 8, 0, 2);
    SpmmPlan(a, {.kernel = kernel}).multiply(x.view(), y.mutable_view());
    BOOST_TEST(bits(y.at(0, 5)) == bits(6), kernel);
    BOOST_TEST(bits(y.at(1, 5)) == 0U, kernel);
    BOOST_TEST(bits(y.at(2, 5)) == 0x7FC00000U, kernel);  // the explicit zero meets an infinity
  }
}

// The caller's control word neither reaches the products nor is lost.
BOOST_AUTO_TEST_CASE(mxcsr_is_the_callers_own_business) {
  const Csr<float> a{{1, 1, {0, 1}, {0}}, {1e-30F}};
  Dense x(1, 4, 0, 1), y(1, 4, 0, 2);
  x.data.assign(x.data.size(), 1e-10F);
  {
    const MxcsrGuard flush(0x9FC0);
    SpmmPlan(a).multiply(x.view(), y.mutable_view());
    BOOST_TEST(mxcsr() == 0x9FC0U);
  }
  BOOST_TEST(bits(y.at(0, 0)) == bits(std::fma(1e-30F, 1e-10F, 0.0F)));
  BOOST_TEST(y.at(0, 0) > 0);
}

namespace {

// Runs the body of a kernel over plain lanes as SpmmPlan runs the kernel: the logic of 512 bits on any CPU.
template <std::uint32_t lanes, int rows, int registers>
void near_of_plain_lanes(const SpmmTask& task) noexcept {
  add_slice<PlainLanes<lanes>, std::uint16_t, rows, registers>(task);
}
template <std::uint32_t lanes, int rows, int registers>
void far_of_plain_lanes(const SpmmTask& task) noexcept {
  add_slice<PlainLanes<lanes>, std::uint32_t, rows, registers>(task);
}

template <std::uint32_t lanes>
void pack_with_plain_lanes(const SpmmPanel& panel) noexcept {
  pack_panel<PlainLanes<lanes>>(panel);
}

}  // namespace

BOOST_AUTO_TEST_CASE(wide_kernels_have_the_same_logic_in_plain_lanes) {
  const SpmmKernel all[] = {
      {{"plain 64"},
       16,
       64,
       4,
       near_of_plain_lanes<16, 4, 4>,
       far_of_plain_lanes<16, 4, 4>,
       nullptr,
       pack_with_plain_lanes<16>},
      {{"plain 32"},
       16,
       32,
       8,
       near_of_plain_lanes<16, 8, 2>,
       far_of_plain_lanes<16, 8, 2>,
       nullptr,
       pack_with_plain_lanes<16>},
      {{"plain 16"},
       16,
       16,
       8,
       near_of_plain_lanes<16, 8, 1>,
       far_of_plain_lanes<16, 8, 1>,
       nullptr,
       pack_with_plain_lanes<16>},
      {{"plain 32 of 8"},
       8,
       32,
       3,
       near_of_plain_lanes<8, 3, 4>,
       far_of_plain_lanes<8, 3, 4>,
       nullptr,
       pack_with_plain_lanes<8>},
      {{"plain 8 of 8"},
       8,
       8,
       8,
       near_of_plain_lanes<8, 8, 1>,
       far_of_plain_lanes<8, 8, 1>,
       nullptr,
       pack_with_plain_lanes<8>},
  };
  const Csr<float> a = pattern(45, 200, 0.2, 23, true), unsorted = pattern(20, 3000, 0.01, 24, true, true);
  const Dense c(45, 70, 0, 27);
  for (const SpmmKernel& kernel : all) {
    for (const std::int64_t n : {1, 16, 31, 70}) {
      const Dense x(200, n, 0, 25, true), far(3000, n, 0, 26, true);
      Dense y(45, n, 0, 9), z(20, n, 0, 9);
      const SpmmExtras extras{
          .alpha = 0.5F, .beta = 2, .c = {c.data.data(), 45, n, 70}, .activation = SpmmActivation::relu};
      const SpmmExtras bias{.bias_along = SpmmBias::rows, .bias = std::span(c.data).first(45)};
      SpmmExtras bias_and_relu = bias;
      bias_and_relu.activation = SpmmActivation::relu;
      for (const SpmmExtras& how : {extras, SpmmExtras{}, bias, bias_and_relu}) {
        SpmmPlan(a, {.depth = 50, .with = &kernel}).multiply(x.view(), y.mutable_view(), how);
        BOOST_TEST(wrong(a, x, y, how) == 0, kernel.name << " " << n);
      }
      SpmmPlan(unsorted, {.with = &kernel}).multiply(far.view(), z.mutable_view());
      BOOST_TEST(wrong(unsorted, far, z, {}) == 0, kernel.name << " " << n);
    }
  }
}

// With and without filled zeros, by X of unit scale and by X that would show them.
BOOST_AUTO_TEST_CASE(rows_that_share_columns_give_the_contracts_bits) {
  std::int64_t filled = 0, shared = 0;
  for (const std::string_view kernel : kernels_here()) {
    int failed = 0;
    for (const bool exact : {true, false}) {
      const Csr<float> a = blocks(61, 150, 8, 0.4, 31, exact);
      for (const SpmmSharing sharing : {SpmmSharing::same_columns, SpmmSharing::filled}) {
        for (const std::uint32_t depth : {0U, 40U}) {
          const SpmmPlan plan(a, {.kernel = kernel, .depth = depth, .sharing = sharing});
          filled += plan.choice().filled_zeros;
          shared += plan.choice().shared_entries;
          for (const bool wild : {false, true}) {
            for (const std::int64_t n : {1, 66}) {
              const Dense x(150, n, 1, 33, wild);
              Dense y(61, n, 0, 9);
              plan.multiply(x.view(), y.mutable_view(), {}, 2);
              failed += wrong(a, x, y, {});
            }
          }
        }
      }
    }
    BOOST_TEST(failed == 0, kernel);
  }
  BOOST_TEST((filled > 0 || kernels_here().size() == 1));
  BOOST_TEST((shared > 0 || kernels_here().size() == 1));
}

// Each column of X would show a filled zero in its own way: a product rounds to -0, an infinity, a NaN.
BOOST_AUTO_TEST_CASE(filled_zeros_are_never_seen) {
  Csr<float> a;
  a.structure.rows = 8;
  a.structure.cols = 9;
  for (std::int32_t i = 0; i < 8; ++i) {
    for (std::int32_t j = 0; j < 8; ++j) {
      if (j != i) a.structure.column_indices.push_back(j);
    }
    a.structure.end_row();
  }
  a.values.assign(a.structure.column_indices.size(), -0x1p-80F);
  for (const std::string_view kernel : kernels_here()) {
    const SpmmPlan plan(a, {.kernel = kernel, .sharing = SpmmSharing::filled});
    for (const float one :
         {0x1p-80F, inf, -inf, std::numeric_limits<float>::quiet_NaN(), 0x1p-22F, 0x1p-23F}) {
      Dense x(9, 3, 0, 1), y(8, 3, 0, 2);
      // Infinities and NaNs stand alone among numbers that hide everything.
      x.data.assign(x.data.size(), one == 0x1p-80F ? one : 1.0F);
      if (one == 0x1p-22F || one == 0x1p-23F)
        x.data.assign(x.data.size(), one);  // -102, -103: the least that hides them
      x.data[3 * 5 + 1] = one;
      plan.multiply(x.view(), y.mutable_view());
      BOOST_TEST(wrong(a, x, y, {}) == 0, kernel << ' ' << one);
    }
  }
}

// X that lies as a panel is read where it lies: aligned, its rows as far apart as a panel's. A little off, it is not.
BOOST_AUTO_TEST_CASE(x_is_read_where_it_lies_only_if_it_lies_well) {
  const Csr<float> a = pattern(11, 60, 0.3, 51, true);
  for (const std::string_view kernel : kernels_here()) {
    const std::int64_t width = spmm_kernels().named(kernel).width;
    for (const std::int64_t n : {width, 2 * width}) {
      const Dense x(60, n, 0, 52, true);
      Dense y(11, n, 0, 9);
      for (const std::int64_t gap : {std::int64_t{0}, std::int64_t{16}, width}) {
        for (const std::size_t offset : {0U, 1U, 16U}) {
          const std::int64_t stride = n + gap;
          std::vector<float> memory(static_cast<std::size_t>(60 * stride) + 64);
          const auto at = reinterpret_cast<std::uintptr_t>(memory.data()) / sizeof(float);
          float* const lies = memory.data() + (16 - at % 16) % 16 + offset;
          for (std::int64_t k = 0; k < 60; ++k) {
            for (std::int64_t j = 0; j < n; ++j) lies[k * stride + j] = x.at(k, j);
          }
          for (const std::uint32_t depth : {0U, 16U, 60U}) {
            SpmmPlan(a, {.columns = n, .kernel = kernel, .depth = depth})
                .multiply({lies, 60, n, stride}, y.mutable_view());
            BOOST_TEST(wrong(a, x, y, {}) == 0,
                       kernel << " n=" << n << " gap " << gap << " offset " << offset << " depth " << depth);
          }
        }
      }
    }
  }
}
