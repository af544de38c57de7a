// Sparse times a vector: every kernel and number of threads against one multiply-add after another and against
// SpmmPlan, bit for bit.
#include "reference/sparse/spmv.hpp"

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
#include "reference/sparse/kernels/plain_lanes.hpp"
#include "reference/sparse/kernels/spmv_rows_of.hpp"
#include "reference/sparse/spmm.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;

constexpr float inf = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();

// Numbers of unit scale; with `wild`, zeros of both signs, subnormals, infinities and NaN too, one in 32.
std::vector<float> values_of(std::size_t n, std::uint64_t seed, bool wild = false) {
  constexpr float special[] = {0.0F, -0.0F, 1e-45F, -3e-39F, 1e30F, -inf, inf, not_a_number};
  const CounterRandom random(seed);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i)
    all[i] = wild && random.below(32, 2 * i) == 0 ? special[random.below(8, 2 * i + 1)]
                                                  : static_cast<float>(random.normal(i));
  return all;
}

// Row 1 is full and row 2 empty, where they exist, and column 0 is but in row 1. Every fourth row reads as it is
// stored: its columns fall, and the first stands twice.
Csr<float> matrix_of(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed,
                     bool wild = false) {
  const CounterRandom random(seed);
  Csr<float> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  std::vector<std::int32_t>& columns = a.structure.column_indices;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    const std::size_t begin = columns.size();
    for (std::int32_t j = 0; j < cols; ++j) {
      const bool stored = i == 1 || (i != 2 && j != 0 && random.uniform(n++) < density);
      if (stored) columns.push_back(i % 4 == 3 ? cols - 1 - j : j);
    }
    if (i % 4 == 3 && columns.size() > begin) columns.push_back(columns[begin]);
    a.structure.end_row();
  }
  a.values = values_of(columns.size(), seed + 1, wild);
  return a;
}

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

// The sums alone, as spmm_task.hpp words them.
std::vector<std::uint32_t> sums_of(const Csr<float>& a, const std::vector<float>& x) {
  std::vector<std::uint32_t> all;
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    float s = 0;
    for (std::int64_t e = a.structure.row_begin(i); e < a.structure.row_begin(i + 1); ++e) {
      const auto at = static_cast<std::size_t>(e);
      s = std::fma(a.values[at], x[static_cast<std::size_t>(a.structure.column_indices[at])], s);
    }
    all.push_back(std::isnan(s) ? 0x7FC00000 : bits(s));
  }
  return all;
}

// SpmmPlan with one column, whose own test has the epilogue's definition.
std::vector<std::uint32_t> by_spmm(const Csr<float>& a, const std::vector<float>& x, const SpmvExtras& e) {
  std::vector<float> y(static_cast<std::size_t>(a.rows()));
  SpmmExtras extras{.alpha = e.alpha,
                    .beta = e.beta,
                    .c = {e.c.data(), a.rows(), 1, 1},
                    .activation = e.activation,
                    .low = e.low,
                    .high = e.high};
  if (!e.bias.empty()) {
    extras.bias_along = SpmmBias::rows;
    extras.bias = e.bias;
  }
  SpmmPlan(a, {.columns = 1})
      .multiply({x.data(), a.structure.cols, 1, 1}, {y.data(), a.rows(), 1, 1}, extras, 1);
  std::vector<std::uint32_t> all;
  for (const float f : y) all.push_back(bits(f));
  return all;
}

// Of a result with one value more than rows, which stays as it was.
int wrong(const std::vector<float>& y, const std::vector<std::uint32_t>& want) {
  int count = y.back() == 42 ? 0 : 1;
  for (std::size_t i = 0; i < want.size(); ++i) count += bits(y[i]) == want[i] ? 0 : 1;
  return count;
}

std::vector<float> room_for(const Csr<float>& a) {
  return std::vector<float>(static_cast<std::size_t>(a.rows()) + 1, 42.0F);
}
std::span<float> result(std::vector<float>& y) { return std::span(y).first(y.size() - 1); }

std::vector<std::string_view> kernels_here() {
  std::vector<std::string_view> names;
  for (const SpmvKernel& kernel : spmv_kernels()) {
    if (runs_here(kernel)) names.push_back(kernel.name);
  }
  return names;
}

template <std::uint32_t lanes, class Index>
void of_plain_lanes(const SpmvTask& task) noexcept {
  multiply_rows<PlainLanes<lanes>, Index>(task);
}

// Numbers of rows around every register.
std::vector<Csr<float>> matrices() {
  std::vector<Csr<float>> all;
  for (const std::int32_t rows : {0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 200}) {
    all.push_back(matrix_of(rows, 0, 0, 1));
    all.push_back(matrix_of(rows, 1, 1, 2));
    all.push_back(matrix_of(rows, 70, 0.2, 3, rows % 2 == 0));
    all.push_back(matrix_of(rows, 500, 0.02, 4));
  }
  // One column more than 16 bits can name, and as many as they can.
  all.push_back(matrix_of(20, 65537, 0.001, 5));
  all.push_back(matrix_of(20, 65536, 0.001, 6));
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(spmv_every_kernel_gives_the_contracts_bits) {
  std::vector<SpmvOptions> all;
  for (const std::string_view kernel : kernels_here()) all.push_back({.kernel = kernel});
  const SpmvKernel plain[] = {
      {{"plain 16"}, 16, of_plain_lanes<16, std::uint16_t>, of_plain_lanes<16, std::int32_t>},
      {{"plain 8"}, 8, of_plain_lanes<8, std::uint16_t>, of_plain_lanes<8, std::int32_t>}};
  for (const SpmvKernel& kernel : plain) all.push_back({.with = &kernel});
  const std::vector<Csr<float>> inputs = matrices();
  for (const SpmvOptions& options : all) {
    int failed = 0;
    std::string_view name;
    for (const Csr<float>& a : inputs) {
      const std::vector<float> x =
          values_of(static_cast<std::size_t>(a.structure.cols), 7, a.rows() % 3 == 0);
      std::vector<float> y = room_for(a);
      const SpmvPlan plan(a, options);
      name = plan.kernel();
      plan.multiply(x, result(y), {}, 1);
      failed += wrong(y, sums_of(a, x)) + wrong(y, by_spmm(a, x, {}));
    }
    BOOST_TEST(failed == 0, name);
  }
}

BOOST_AUTO_TEST_CASE(spmv_extras_give_the_bits_of_spmm) {
  const Csr<float> a = matrix_of(41, 50, 0.3, 11, true);
  const std::vector<float> x = values_of(50, 12, true), c = values_of(41, 13, true),
                           bias = values_of(41, 14, true);
  for (const std::string_view kernel : kernels_here()) {
    const SpmvPlan plan(a, {.kernel = kernel});
    int failed = 0;
    for (const float alpha : {1.0F, 0.0F, -0.75F, 3.1F}) {
      for (const float beta : {0.0F, 1.0F, 0.3F}) {
        for (const SpmmActivation activation :
             {SpmmActivation::none, SpmmActivation::relu, SpmmActivation::relu_max, SpmmActivation::clip}) {
          for (const bool biased : {false, true}) {
            SpmvExtras e{
                .alpha = alpha, .beta = beta, .c = c, .activation = activation, .low = -0.5F, .high = 0.25F};
            if (biased) e.bias = bias;
            const std::vector<std::uint32_t> want = by_spmm(a, x, e);
            std::vector<float> y = room_for(a);
            plan.multiply(x, result(y), e);
            failed += wrong(y, want);
            // c may be y itself.
            std::vector<float> in_place = c;
            in_place.push_back(42);
            e.c = result(in_place);
            plan.multiply(x, result(in_place), e);
            failed += wrong(in_place, want);
          }
        }
      }
    }
    BOOST_TEST(failed == 0, kernel);
  }
}

// More rows than a chunk holds, one of them longer than a chunk.
BOOST_AUTO_TEST_CASE(spmv_threads_and_chunks_change_no_bit) {
  const CounterRandom random(15);
  Csr<float> a;
  a.structure.rows = 9000;
  a.structure.cols = 100;
  std::vector<std::int32_t>& columns = a.structure.column_indices;
  for (std::int64_t i = 0; i < 9000; ++i) {
    const std::uint64_t entries = i == 5000 ? 40000 : random.below(10, static_cast<std::uint64_t>(i));
    for (std::uint64_t e = 0; e < entries; ++e)
      columns.push_back(static_cast<std::int32_t>(random.below(100, ~columns.size())));
    a.structure.end_row();
  }
  a.values = values_of(columns.size(), 16);
  const std::vector<float> x = values_of(100, 17);
  const std::vector<std::uint32_t> want = sums_of(a, x);
  for (const std::string_view kernel : kernels_here()) {
    const SpmvPlan plan(a, {.kernel = kernel});
    for (const int threads : {1, 2, 3, 7}) {
      std::vector<float> y = room_for(a);
      plan.multiply(x, result(y), {}, threads);
      BOOST_TEST(wrong(y, want) == 0, kernel << " " << threads);
    }
  }
}

// A place without an entry is no product: infinities and NaN in x reach only the rows that have an entry there.
BOOST_AUTO_TEST_CASE(spmv_absent_entries_do_not_multiply) {
  const Csr<float> a{{3, 3, {0, 1, 1, 3}, {1, 0, 2}}, {2.0F, 0.0F, 1.0F}};
  const std::vector<float> x{inf, 3, not_a_number};
  for (const std::string_view kernel : kernels_here()) {
    std::vector<float> y(3, 1.0F);
    SpmvPlan(a, {.kernel = kernel}).multiply(x, y);
    BOOST_TEST(y[0] == 6.0F, kernel);
    BOOST_TEST(bits(y[1]) == 0U, kernel);
    BOOST_TEST(bits(y[2]) == 0x7FC00000U, kernel);  // the explicit zero meets an infinity
  }
}

// The caller's control word neither reaches the products nor is lost.
BOOST_AUTO_TEST_CASE(spmv_mxcsr_is_the_callers_own_business) {
  const Csr<float> a{{1, 1, {0, 1}, {0}}, {1e-30F}};
  const std::vector<float> x{1e-10F};
  std::vector<float> y(1);
  {
    const MxcsrGuard flush(0x9FC0);
    SpmvPlan(a).multiply(x, y);
    BOOST_TEST(mxcsr() == 0x9FC0U);
  }
  BOOST_TEST(y[0] == std::fma(1e-30F, 1e-10F, 0.0F));
  BOOST_TEST(y[0] > 0);
}

BOOST_AUTO_TEST_CASE(spmv_a_plan_says_what_it_holds) {
  const Csr<float> a = matrix_of(40, 30, 0.5, 17);
  const SpmvPlan plan(a);
  BOOST_TEST(plan.rows() == 40);
  BOOST_TEST(plan.cols() == 30);
  BOOST_TEST(plan.nnz() == a.structure.nnz());
  BOOST_TEST(plan.kernel() == spmv_kernels().best().name);
  BOOST_TEST(plan.packed_bytes() >= 6 * static_cast<std::uint64_t>(plan.nnz()));
}

BOOST_AUTO_TEST_CASE(spmv_what_cannot_be_multiplied_is_said) {
  const Csr<float> a = matrix_of(4, 5, 0.5, 1);
  const SpmvPlan plan(a);
  std::vector<float> x(5, 1.0F), y(6), c(4);
  const std::span<float> to = std::span(y).first(4);
  const auto said = [](const std::function<void()>& f) -> std::string {
    try {
      f();
    } catch (const ContractError& e) {
      return e.what();
    }
    return "no error";
  };
  const auto of = [&](std::span<const float> from, std::span<float> into, const SpmvExtras& e = {}) {
    return said([&] { plan.multiply(from, into, e); });
  };
  BOOST_TEST(of(x, to) == "no error");
  BOOST_TEST(of(std::span(x).first(4), to) == "spmv: x has 4 values, not 5");
  BOOST_TEST(of(x, std::span(y).first(5)) == "spmv: y has 5 values, not 4");
  BOOST_TEST(of(x, std::span(x).subspan(1)) == "spmv: y shares memory with x");
  BOOST_TEST(of(x, to, {.beta = 1}) == "spmv: c has 0 values, not 4");
  BOOST_TEST(of(x, to, {.beta = 1, .c = to}) == "no error");
  BOOST_TEST(of(x, to, {.beta = 1, .c = std::span(y).subspan(2)}) ==
             "spmv: y shares memory with c, and is not the same vector");
  BOOST_TEST(of(x, to, {.bias = x}) == "spmv: bias has 5 values, not 4");
  BOOST_TEST(of(x, to, {.bias = to}) == "spmv: y shares memory with bias");
  BOOST_TEST(of(x, to, {.alpha = not_a_number}) == "spmv: alpha or beta is NaN");
  BOOST_TEST(
      of(x, to, {.activation = SpmmActivation::clip, .low = 1, .high = 0}).starts_with("spmv: clip to [1"));
  Csr<float> bad = a;
  bad.structure.column_indices[0] = 5;
  BOOST_TEST(said([&] { SpmvPlan{bad}; }).find("column 5 outside 0..4") != std::string::npos);
  bad = a;
  bad.values.pop_back();
  BOOST_TEST(said([&] { SpmvPlan{bad}; }).starts_with("CSR: "));
  BOOST_TEST(said([&] { SpmvPlan(a, {.kernel = "f32_avx1"}); }).find("f32_avx1") != std::string::npos);
}
