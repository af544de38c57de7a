// Sparse times dense: every kernel, cut and number of threads against one multiply-add after another, bit for bit.
#include <sys/mman.h>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/operations/epilogue.hpp"
#include "reference/sparse/kernels/plain_lanes.hpp"
#include "reference/sparse/kernels/spmm_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;

constexpr float inf = std::numeric_limits<float>::infinity();

// Numbers of unit scale; with `wild`, zeros of both signs, subnormals, infinities and NaN too, one in eight.
float value_of(const CounterRandom& random, std::uint64_t i, bool wild) {
  constexpr float special[] = {0.0F,  -0.0F, 1e-45F, -3e-39F,
                               1e30F, -inf,  inf,    std::numeric_limits<float>::quiet_NaN()};
  if (wild && random.below(8, 2 * i) == 0) return special[random.below(8, 2 * i + 1)];
  return static_cast<float>(random.normal(i));
}

std::vector<float> values_of(std::size_t n, std::uint64_t seed, bool wild = false) {
  const CounterRandom random(seed);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = value_of(random, i, wild);
  return all;
}

// Row 1 is full and row 2 empty, where they exist; with `stored`, columns stand in any order, and one twice.
Csr<float> pattern(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed,
                   bool wild = false, bool stored = false) {
  const CounterRandom random(seed);
  Csr<float> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    const std::size_t begin = a.structure.column_indices.size();
    for (std::int32_t j = 0; j < cols; ++j) {
      if (i != 1 && (i == 2 || random.uniform(n++) >= density)) continue;
      a.structure.column_indices.push_back(j);
    }
    std::vector<std::int32_t>& columns = a.structure.column_indices;
    if (stored && columns.size() > begin + 1) {
      for (std::size_t k = columns.size() - 1; k > begin; --k)
        std::swap(columns[k], columns[begin + random.below(k - begin + 1, n++)]);
      columns.push_back(columns[begin]);
    }
    a.structure.end_row();
  }
  a.values = values_of(a.structure.column_indices.size(), seed + 1, wild);
  return a;
}

struct Dense {
  std::int64_t rows, cols, stride;
  std::vector<float> data;

  Dense(std::int64_t r, std::int64_t c, std::int64_t gap, std::uint64_t seed, bool wild = false)
      : rows(r),
        cols(c),
        stride(c + gap),
        data(values_of(static_cast<std::size_t>(r * (c + gap)) + 1, seed, wild)) {}
  DenseView view() const { return {data.data(), rows, cols, stride}; }
  MutableDenseView mutable_view() { return {data.data(), rows, cols, stride}; }
  float at(std::int64_t i, std::int64_t j) const { return data[static_cast<std::size_t>(i * stride + j)]; }
};

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

// The contract as spmm_task.hpp words it, one output.
std::uint32_t expected(const Csr<float>& a, const Dense& x, std::int64_t i, std::int64_t j,
                       const SpmmExtras& e) {
  float s = 0;
  for (std::int64_t k = a.structure.row_begin(i); k < a.structure.row_begin(i + 1); ++k) {
    const auto at = static_cast<std::size_t>(k);
    s = std::fma(a.values[at], x.at(a.structure.column_indices[at], j), s);
  }
  const bool alone =
      e.alpha == 1 && e.beta == 0 && e.bias_along == SpmmBias::none && e.activation == SpmmActivation::none;
  if (alone) return std::isnan(s) ? 0x7FC00000U : bits(s);
  const auto code = [](float f) { return Addend{bits(f), formats::float32}; };
  const Epilogue how{.alpha = e.alpha,
                     .beta = e.beta,
                     .activation = static_cast<Activation>(e.activation),
                     .low = e.low,
                     .high = e.high};
  const std::optional<Addend> c =
      e.beta == 0 ? std::nullopt : std::optional(code(e.c.data[i * e.c.stride + j]));
  std::optional<Addend> bias;
  if (e.bias_along != SpmmBias::none)
    bias = code(e.bias[static_cast<std::size_t>(e.bias_along == SpmmBias::rows ? i : j)]);
  return static_cast<std::uint32_t>(
      apply_epilogue(how, formats::float32, code(s), c, bias, formats::float32));
}

int wrong(const Csr<float>& a, const Dense& x, const Dense& y, const SpmmExtras& e) {
  int count = 0;
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::int64_t j = 0; j < y.cols; ++j) count += bits(y.at(i, j)) == expected(a, x, i, j, e) ? 0 : 1;
  }
  return count;
}

// What lies between the rows of Y is not written.
bool gaps_are_kept(const Dense& y, const Dense& before) {
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const bool gap = i + 1 == y.data.size() || static_cast<std::int64_t>(i) % y.stride >= y.cols;
    if (gap && bits(y.data[i]) != bits(before.data[i])) return false;
  }
  return true;
}

std::vector<std::string_view> kernels_here() {
  std::vector<std::string_view> names;
  for (const SpmmKernel& kernel : spmm_kernels()) {
    if (runs_here(kernel)) names.push_back(kernel.name);
  }
  return names;
}

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

namespace {

// Rows in blocks of `height`, which share their columns but for one entry in fifty; a few rows are left over.
Csr<float> blocks(std::int32_t rows, std::int32_t cols, std::int32_t height, double density,
                  std::uint64_t seed, bool exact) {
  const CounterRandom random(seed);
  Csr<float> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  for (std::int32_t i = 0; i < rows; ++i) {
    for (std::int32_t j = 0; j < cols; ++j) {
      const auto block = static_cast<std::uint64_t>(i / height) * static_cast<std::uint64_t>(cols) +
                         static_cast<std::uint64_t>(j);
      const auto place =
          static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(cols) + static_cast<std::uint64_t>(j);
      const bool here = random.uniform(2 * block) < density;
      if (here != (!exact && random.uniform(2 * place + 1) < 0.02)) a.structure.column_indices.push_back(j);
    }
    a.structure.end_row();
  }
  a.values = values_of(a.structure.column_indices.size(), seed + 1);
  return a;
}

}  // namespace

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

// Less than an entry a row and slice: all of K at once, packed once for all chunks of rows where X does not lie well.
BOOST_AUTO_TEST_CASE(very_sparse_matrices_take_all_of_k) {
  const Csr<float> a = pattern(2600, 3000, 0.0003, 41, true);
  for (const std::int64_t n : {1, 37, 64, 100, 300}) {
    const SpmmPlan plan(a, {.columns = n});
    // A panel of 64 KiB has fewer rows than the matrix places for each entry.
    const std::int64_t deepest = (1 << 14) / plan.choice().width;
    BOOST_TEST((a.nnz() * deepest >= a.rows() * a.cols() || plan.choice().slices == 1), n);
    const Dense x(3000, n, n % 2, 42, true);
    Dense y(2600, n, 0, 9);
    plan.multiply(x.view(), y.mutable_view(), {}, 3);
    BOOST_TEST(wrong(a, x, y, {}) == 0, n);
    if (n != 37) continue;
    // X and Y turned.
    std::vector<float> from(static_cast<std::size_t>(3000 * n)), to(static_cast<std::size_t>(2600 * n));
    for (std::int64_t k = 0; k < 3000; ++k) {
      for (std::int64_t j = 0; j < n; ++j) from[static_cast<std::size_t>(j * 3000 + k)] = x.at(k, j);
    }
    plan.multiply_transposed({from.data(), n, 3000, 3000}, {to.data(), n, 2600, 2600}, {}, 2);
    int failed = 0;
    for (std::int64_t i = 0; i < 2600; ++i) {
      for (std::int64_t j = 0; j < n; ++j)
        failed += bits(to[static_cast<std::size_t>(j * 2600 + i)]) == bits(y.at(i, j)) ? 0 : 1;
    }
    BOOST_TEST(failed == 0);
  }
}

BOOST_AUTO_TEST_CASE(memory_of_a_plan_is_not_underrated) {
  for (const std::string_view kernel : kernels_here()) {
    const SpmmOptions options{.kernel = kernel};
    Csr<float> a;
    a.structure.rows = 3000;
    a.structure.cols = 40000;
    for (std::int32_t i = 0; i < 3000; ++i) {
      a.structure.column_indices.push_back(i * 13 % 40000);
      a.structure.end_row();
    }
    a.values.assign(3000, 1.0F);
    const SpmmPlan plan(a, options);
    BOOST_TEST(plan.choice().packed_bytes <= spmm_plan_bytes(3000, 40000, 3000, options).value(), kernel);
  }
}

struct TakesRowsSideBySide {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result can(spmm_kernels().best().needs != Isa::scalar);
    can.message() << "the scalar kernel takes one row";
    return can;
  }
};

// A plan takes rows side by side where that is faster, and for blocks without a filled zero.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(TakesRowsSideBySide{}))
BOOST_AUTO_TEST_CASE(plans_choose_what_to_share) {
  const auto chosen = [](const Csr<float>& a) { return SpmmPlan(a, {.columns = 64}).choice(); };
  // As many rows side by side as a kernel takes: a block's last rows may be too few.
  const Csr<float> all = blocks(64, 64, 64, 1, 1, true), half = blocks(64, 64, 16, 0.3, 1, true);
  const SpmmChoice dense = chosen(all), block = chosen(half);
  BOOST_TEST(dense.shared_entries >= all.nnz() / 16 * 15);
  BOOST_TEST(dense.filled_zeros == 0);
  BOOST_TEST(block.shared_entries >= half.nnz() / 16 * 15);
  BOOST_TEST(block.filled_zeros == 0);
  BOOST_TEST(SpmmPlan(blocks(64, 900, 16, 0.5, 5, true)).choice().why.starts_with("rows side by side"));
  const SpmmChoice full = chosen(pattern(64, 64, 0.9, 2));
  BOOST_TEST(full.filled_zeros > 0);
  const SpmmChoice thin = chosen(pattern(64, 64, 0.2, 2));
  BOOST_TEST(thin.filled_zeros == 0);
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

// As much as the last column of 2^31 asks for, of which hardly a page is touched.
class Reserved {
 public:
  explicit Reserved(std::size_t floats) : bytes_(floats * sizeof(float)) {
    void* const at =
        mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at != MAP_FAILED) data_ = static_cast<float*>(at);
  }
  ~Reserved() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;
  float* data() const { return data_; }

 private:
  std::size_t bytes_;
  float* data_ = nullptr;
};

constexpr std::int64_t most_columns = std::numeric_limits<std::int32_t>::max();
struct CanReserve {
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    boost::test_tools::assertion_result can(Reserved(std::size_t{most_columns} * 256).data() != nullptr);
    can.message() << "addresses for 2 TiB are not to be had";
    return can;
  }
};

// Offsets into X pass 2^32 and 2^40.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(CanReserve{}))
BOOST_AUTO_TEST_CASE(the_last_of_nearly_2_to_the_31_columns_is_multiplied) {
  const Csr<float> a{{2, most_columns, {0, 2, 3}, {3, most_columns - 1, most_columns - 1}}, {2, 3, 5}};
  for (const std::string_view name : kernels_here()) {
    const std::int64_t n = spmm_kernels().named(name).width;
    const Reserved x(static_cast<std::size_t>(most_columns * n));
    std::vector<float> y(static_cast<std::size_t>(2 * n));
    for (std::int64_t j = 0; j < n; ++j) {
      x.data()[3 * n + j] = 100;
      x.data()[(most_columns - 1) * n + j] = static_cast<float>(j);
    }
    SpmmPlan(a, {.columns = n, .kernel = name})
        .multiply({x.data(), most_columns, n, n}, {y.data(), 2, n, n}, {}, 1);
    int failed = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const auto number = static_cast<float>(j);
      failed += y[at] == 200 + 3 * number && y[static_cast<std::size_t>(n) + at] == 5 * number ? 0 : 1;
    }
    BOOST_TEST(failed == 0, name);
  }
}

BOOST_AUTO_TEST_CASE(sizes_that_pass_2_to_the_63_bytes_are_refused) {
  const Csr<float> a{{1, 2, {0, 1}, {1}}, {1}};
  const SpmmPlan plan(a);
  const std::int64_t far = std::int64_t{1} << 61;
  float number = 1;
  const auto said = [&](const DenseView& x, const MutableDenseView& y) -> std::string {
    try {
      plan.multiply(x, y);
    } catch (const ContractError& e) {
      return e.what();
    }
    return "no error";
  };
  BOOST_TEST(said({&number, 2, 1, far}, {&number, 1, 1, 1}) ==
             "spmm: x is 2 x 1 with rows 2305843009213693952 apart: 2^63 bytes or more");
  BOOST_TEST(said({&number, 2, far, far}, {&number, 1, far, far}).starts_with("spmm: x is 2 x "));
  BOOST_TEST(said({&number, 2, -1, 1}, {&number, 1, -1, 1}) == "spmm: x is 2 x -1");
  BOOST_TEST(
      said({&number, 1, far * 2, far * 2}, {&number, 1, far * 2, far * 2}).starts_with("spmm: x is 1 x "));
  BOOST_TEST(!spmm_plan_bytes(1, far, far, {}).has_value());
  BOOST_TEST(spmm_plan_bytes(1, most_columns, 1, {}).has_value());
}

// A plan takes any number of columns; what it says of a large and very sparse matrix is no multiple of what it takes.
BOOST_AUTO_TEST_CASE(plans_of_odd_sizes_and_large_sparse_ones) {
  const Csr<float> thin = pattern(64, 9000, 0.004, 3);
  const auto of_columns = [&](std::int64_t n) { return SpmmPlan(thin, {.columns = n}).choice(); };
  BOOST_TEST(of_columns(std::numeric_limits<std::int64_t>::max()).slices > 0);
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-256}}) {
    BOOST_TEST(of_columns(n).slices == of_columns(1).slices);
    BOOST_TEST(of_columns(n).why == of_columns(1).why);
  }
  constexpr std::int64_t many = 4'000'000;
  const SpmmOptions one{.columns = 1};
  BOOST_TEST(spmm_plan_bytes(many, many, many, one).value() < std::uint64_t{2} << 30);
  BOOST_TEST(spmm_product_bytes(many, one).value() < std::uint64_t{2} << 30);
}

// Rows side by side of a band have most columns in common, in a slice that is far wider than they are.
BOOST_AUTO_TEST_CASE(wide_bands_are_planned_without_a_mark_for_each_column) {
  Csr<float> a;
  a.structure.rows = 200;
  a.structure.cols = 100000;
  const CounterRandom random(5);
  for (std::int32_t i = 0; i < 200; ++i) {
    for (std::int32_t j = 0; j < 9; ++j) {
      a.structure.column_indices.push_back(400 * i / 4 + i % 4 + j);
      a.values.push_back(static_cast<float>(random.normal(a.values.size())));
    }
    a.structure.end_row();
  }
  const Dense x(100000, 5, 0, 6);
  for (const std::string_view kernel : kernels_here()) {
    const SpmmPlan plan(a, {.columns = 5, .kernel = kernel, .sharing = SpmmSharing::filled});
    Dense y(200, 5, 0, 9);
    plan.multiply(x.view(), y.mutable_view());
    BOOST_TEST(wrong(a, x, y, {}) == 0, kernel);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_multiplied_is_said) {
  const Csr<float> a = pattern(4, 5, 0.5, 1);
  const SpmmPlan plan(a);
  Dense x(5, 6, 0, 2), y(4, 6, 0, 3);
  const auto said = [](const std::function<void()>& f) -> std::string {
    try {
      f();
    } catch (const ContractError& e) {
      return e.what();
    }
    return "no error";
  };
  const auto of = [&](const DenseView& from, const MutableDenseView& to, const SpmmExtras& e = {}) {
    return said([&] { plan.multiply(from, to, e); });
  };
  BOOST_TEST(of({x.data.data(), 4, 6, 6}, y.mutable_view()) == "spmm: x is 4 x 6, not 5 x 6");
  BOOST_TEST(of(x.view(), {y.data.data(), 4, 5, 6}) == "spmm: y is 4 x 5, not 4 x 6");
  BOOST_TEST(of({x.data.data(), 5, 6, 5}, y.mutable_view()) == "spmm: x has rows 5 apart, of 6 columns");
  BOOST_TEST(of({x.data.data(), 5, -6, 6}, {y.data.data(), 4, -6, 6}) == "spmm: x is 5 x -6");
  BOOST_TEST(of({nullptr, 5, 6, 6}, y.mutable_view()) == "spmm: x is null");
  BOOST_TEST(of(x.view(), {x.data.data() + 7, 4, 6, 6}) == "spmm: y shares memory with x");
  BOOST_TEST(of(x.view(), y.mutable_view(), {.beta = 1, .c = {x.data.data(), 5, 6, 6}}) ==
             "spmm: c is 5 x 6, not 4 x 6");
  BOOST_TEST(of(x.view(), y.mutable_view(), {.beta = 1, .c = {y.data.data(), 4, 6, 6}}) == "no error");
  BOOST_TEST(of(x.view(), {y.data.data(), 4, 6, 6}, {.beta = 1, .c = {y.data.data() + 1, 4, 6, 6}}) ==
             "spmm: y shares memory with c, and is not the same matrix");
  const std::vector<float> bias(5);
  BOOST_TEST(of(x.view(), y.mutable_view(), {.bias_along = SpmmBias::rows, .bias = bias}) ==
             "spmm: bias has 5 values, not 4");
  BOOST_TEST(of(x.view(), y.mutable_view(), {.activation = SpmmActivation::clip, .low = 1, .high = 0})
                 .starts_with("spmm: clip to [1"));
  BOOST_TEST(of(x.view(), y.mutable_view(), {.alpha = std::numeric_limits<float>::quiet_NaN()}) ==
             "spmm: alpha or beta is NaN");
  Csr<float> bad = a;
  bad.structure.column_indices[0] = 5;
  BOOST_TEST(said([&] { SpmmPlan{bad}; }).starts_with("CSR: row 0 has column 5 outside 0..4"));
  bad = a;
  bad.values.pop_back();
  BOOST_TEST(said([&] { SpmmPlan{bad}; }).starts_with("CSR: "));
  BOOST_TEST(said([&] { SpmmPlan(a, {.kernel = "f32_63_avx512"}); }).find("f32_63_avx512") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_plan_says_why_and_stays_within_its_memory) {
  struct Reason {
    double density;
    std::int64_t columns;
    std::uint32_t depth;
    bool stored;
    const char* kernel;
    const char* says;
  };
  for (const Reason& r :
       {Reason{0.5, 64, 0, false, "", "slices of 32 KiB"}, Reason{0.05, 64, 0, false, "", "slices of 48 KiB"},
        Reason{0.04, 64, 0, false, "f32_8_scalar", "asked for"},
        Reason{0.03, 96, 0, false, "", "up to 32 columns"}, Reason{0.01, 8, 0, false, "", "slices of 48 KiB"},
        Reason{0.5, 64, 0, true, "", "do not ascend"},
        Reason{0.5, 64, 16, false, "", "the depth that was asked for"},
        Reason{0.5, 64, 2500, false, "f32_8_scalar", "beyond what 16-bit offsets reach"},
        Reason{0.5, 64, 0, false, "f32_8_scalar", "the kernel that was asked for"}}) {
    const Csr<float> a = pattern(200, 3000, r.density, 5, false, r.stored);
    const SpmmOptions options{.columns = r.columns, .kernel = r.kernel, .depth = r.depth};
    const SpmmChoice choice = SpmmPlan(a, options).choice();
    BOOST_TEST(choice.why.find(r.says) != std::string::npos, choice.why << "; expected " << r.says);
    BOOST_TEST(choice.packed_bytes <= spmm_plan_bytes(200, 3000, a.nnz(), options).value());
  }
  BOOST_TEST(
      SpmmPlan(pattern(4, 5, 0.5, 5), {.columns = 64}).choice().why.ends_with("all of K fits in one slice"));
  const SpmmPlan all_of_k(pattern(200, 900, 0.01, 5), {.columns = 192});
  BOOST_TEST(all_of_k.choice().why.ends_with("all of K at once"));
}
