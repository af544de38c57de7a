// Sampled dense times dense: every kernel, way of sharing and number of threads against one multiply-add after another,
// bit for bit.
#include "reference/sparse/sddmm.hpp"

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
#include "reference/sparse/kernels/sddmm_entries_of.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;

constexpr float inf = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr SddmmSharing ways[] = {SddmmSharing::where_it_pays, SddmmSharing::never, SddmmSharing::always};

// Numbers of unit scale; with `wild`, zeros of both signs, subnormals, infinities and NaN too, one in 64.
std::vector<float> values_of(std::size_t n, std::uint64_t seed, bool wild = false) {
  constexpr float special[] = {0.0F, -0.0F, 1e-45F, -3e-39F, 1e30F, -inf, inf, not_a_number};
  const CounterRandom random(seed);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i)
    all[i] = wild && random.below(64, 2 * i) == 0 ? special[random.below(8, 2 * i + 1)]
                                                  : static_cast<float>(random.normal(i));
  return all;
}

// Row 1 is full and row 2 empty, where they exist, and so is column 0 but for row 1. Every fourth row reads as it is
// stored: its columns fall, and the first stands twice.
CsrStructure mask_of(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed) {
  const CounterRandom random(seed);
  CsrStructure mask;
  mask.rows = rows;
  mask.cols = cols;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    const std::size_t begin = mask.column_indices.size();
    for (std::int32_t j = 0; j < cols; ++j) {
      const bool stored = i == 1 || (i != 2 && j != 0 && random.uniform(n++) < density);
      if (stored) mask.column_indices.push_back(i % 4 == 3 ? cols - 1 - j : j);
    }
    if (i % 4 == 3 && mask.column_indices.size() > begin)
      mask.column_indices.push_back(mask.column_indices[begin]);
    mask.end_row();
  }
  return mask;
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
  float at(std::int64_t i, std::int64_t j) const { return data[static_cast<std::size_t>(i * stride + j)]; }
};

Dense transposed(const Dense& x, std::int64_t gap) {
  Dense out(x.cols, x.rows, gap, 99);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j)
      out.data[static_cast<std::size_t>(j * out.stride + i)] = x.at(i, j);
  }
  return out;
}

std::uint32_t bits(float x) { return std::isnan(x) ? 0x7FC00000 : std::bit_cast<std::uint32_t>(x); }

// The contract as sddmm_task.hpp words it. `b` is (n x k).
std::vector<std::uint32_t> expected(const CsrStructure& mask, const Dense& a, const Dense& b,
                                    const SddmmExtras& e = {}) {
  std::vector<std::uint32_t> all;
  for (std::int64_t i = 0; i < mask.rows; ++i) {
    for (const std::int32_t j : mask.row_columns(i)) {
      const std::size_t entry = all.size();
      float s = 0;
      for (std::int64_t k = 0; k < a.cols; ++k) s = std::fma(a.at(i, k), b.at(j, k), s);
      s = e.alpha == 0 ? 0 : e.alpha * s;
      if (!e.scale.empty()) s *= e.scale[entry];
      if (e.beta != 0) s += e.beta * e.c[entry];
      all.push_back(bits(s));
    }
  }
  return all;
}

// Of a result with one value more than the mask has entries, which stays as it was.
int wrong(const std::vector<float>& out, const std::vector<std::uint32_t>& want) {
  int count = out.back() == 42 ? 0 : 1;
  for (std::size_t e = 0; e < want.size(); ++e)
    count += std::bit_cast<std::uint32_t>(out[e]) == want[e] ? 0 : 1;
  return count;
}

std::vector<float> room_for(const CsrStructure& mask) {
  return std::vector<float>(static_cast<std::size_t>(mask.nnz()) + 1, 42.0F);
}
std::span<float> result(std::vector<float>& out) { return std::span(out).first(out.size() - 1); }

std::vector<std::string_view> kernels_here() {
  std::vector<std::string_view> names;
  for (const SddmmKernel& kernel : sddmm_kernels()) {
    if (runs_here(kernel)) names.push_back(kernel.name);
  }
  return names;
}

template <std::uint32_t lanes, int registers>
void own_of_plain_lanes(const SddmmTask& task) noexcept {
  multiply_own<PlainLanes<lanes>, registers>(task);
}
template <std::uint32_t lanes, int rows, int registers>
void shared_of_plain_lanes(const SddmmTask& task) noexcept {
  multiply_shared<PlainLanes<lanes>, rows, registers>(task);
}

std::string said(const std::function<void()>& f) {
  try {
    f();
  } catch (const ContractError& e) {
    return e.what();
  }
  return "no error";
}

// All kernels and ways of sharing, both layouts of B, with strides.
template <class Each>
void for_each_shape(const Each& each) {
  struct Shape {
    std::int32_t rows, cols;
    double density;
  };
  const Shape shapes[] = {{0, 0, 0},  {0, 5, 1},     {5, 0, 0},     {1, 1, 1},    {3, 7, 0.5},
                          {9, 33, 1}, {40, 70, 0.1}, {67, 50, 0.6}, {34, 16, 0.9}};
  for (const Shape& s : shapes) {
    for (const std::int64_t k : {0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65}) each(s.rows, s.cols, s.density, k);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(sddmm_every_kernel_gives_the_contracts_bits) {
  std::vector<std::pair<std::string, int>> failed;
  for (const std::string_view kernel : kernels_here()) failed.emplace_back(kernel, 0);
  for_each_shape([&](std::int32_t rows, std::int32_t cols, double density, std::int64_t k) {
    const CsrStructure mask = mask_of(rows, cols, density, 5);
    const Dense a(rows, k, k % 3, 6, rows == 67), b(cols, k, k % 2, 7, rows == 67), turned = transposed(b, 3);
    const std::vector<std::uint32_t> want = expected(mask, a, b);
    for (auto& [kernel, count] : failed) {
      for (const SddmmSharing sharing : ways) {
        const SddmmPlan plan(mask, {.kernel = kernel, .sharing = sharing});
        std::vector<float> out = room_for(mask), same = out;
        plan.multiply_transposed(a.view(), b.view(), result(out), {}, 1);
        plan.multiply(a.view(), turned.view(), result(same), {}, 1);
        count += wrong(out, want) + wrong(same, want);
      }
    }
  });
  for (const auto& [kernel, count] : failed) BOOST_TEST(count == 0, kernel);
}

BOOST_AUTO_TEST_CASE(sddmm_wide_kernels_have_the_same_logic_in_plain_lanes) {
  const SddmmKernel all[] = {
      {{"plain 16"}, own_of_plain_lanes<16, 1>, shared_of_plain_lanes<16, 8, 2>},
      {{"plain 8"}, own_of_plain_lanes<8, 3>, shared_of_plain_lanes<8, 4, 2>},
  };
  for (const SddmmKernel& kernel : all) {
    int failed = 0;
    for_each_shape([&](std::int32_t rows, std::int32_t cols, double density, std::int64_t k) {
      const CsrStructure mask = mask_of(rows, cols, density, 8);
      const Dense a(rows, k, 1, 9, rows == 67), b(cols, k, 2, 10);
      const std::vector<std::uint32_t> want = expected(mask, a, b);
      for (const SddmmSharing sharing : ways) {
        std::vector<float> out = room_for(mask);
        SddmmPlan(mask, {.sharing = sharing, .with = &kernel})
            .multiply_transposed(a.view(), b.view(), result(out), {}, 1);
        failed += wrong(out, want);
      }
    });
    BOOST_TEST(failed == 0, kernel.name);
  }
}

// More of k than a panel takes at once: sums travel through memory.
BOOST_AUTO_TEST_CASE(sddmm_long_sums_are_cut_without_a_trace) {
  const CsrStructure mask = mask_of(13, 45, 0.7, 11);
  const Dense a(13, 2 * sddmm_depth + 5, 0, 12), b(45, 2 * sddmm_depth + 5, 1, 13);
  const std::vector<std::uint32_t> want = expected(mask, a, b);
  for (const std::string_view kernel : kernels_here()) {
    for (const SddmmSharing sharing : ways) {
      std::vector<float> out = room_for(mask);
      SddmmPlan(mask, {.kernel = kernel, .sharing = sharing})
          .multiply_transposed(a.view(), b.view(), result(out));
      BOOST_TEST(wrong(out, want) == 0, kernel);
    }
  }
}

BOOST_AUTO_TEST_CASE(sddmm_extras_round_one_by_one) {
  const CsrStructure mask = mask_of(21, 37, 0.4, 14);
  const Dense a(21, 19, 0, 15, true), b(37, 19, 0, 16, true);
  const std::vector<float> c = values_of(static_cast<std::size_t>(mask.nnz()), 17, true),
                           scale = values_of(c.size(), 18, true);
  for (const std::string_view kernel : kernels_here()) {
    int failed = 0;
    for (const SddmmSharing sharing : ways) {
      const SddmmPlan plan(mask, {.kernel = kernel, .sharing = sharing});
      for (const float alpha : {1.0F, 0.0F, -0.75F, 3.1F}) {
        for (const float beta : {0.0F, 1.0F, 0.3F}) {
          for (const bool scaled : {false, true}) {
            SddmmExtras e{.alpha = alpha, .beta = beta, .c = c};
            if (scaled) e.scale = scale;
            const std::vector<std::uint32_t> want = expected(mask, a, b, e);
            std::vector<float> out = room_for(mask);
            plan.multiply_transposed(a.view(), b.view(), result(out), e);
            failed += wrong(out, want);
            // C may be the result itself.
            std::vector<float> in_place = c;
            in_place.push_back(42);
            e.c = result(in_place);
            plan.multiply_transposed(a.view(), b.view(), result(in_place), e);
            failed += wrong(in_place, want);
          }
        }
      }
    }
    BOOST_TEST(failed == 0, kernel);
  }
}

// Many blocks, and a row that is cut.
BOOST_AUTO_TEST_CASE(sddmm_threads_and_cuts_change_no_bit) {
  CsrStructure mask = mask_of(100, 400, 0.1, 19);
  const CounterRandom random(22);
  for (std::uint64_t e = 0; e < 140000; ++e)
    mask.column_indices.push_back(static_cast<std::int32_t>(random.below(400, e)));
  mask.row_offsets.back() += 140000;
  const Dense a(100, 9, 0, 20), b(400, 9, 0, 21), turned = transposed(b, 0);
  const std::vector<std::uint32_t> want = expected(mask, a, b);
  for (const std::string_view kernel : kernels_here()) {
    for (const SddmmSharing sharing : ways) {
      const SddmmPlan plan(mask, {.kernel = kernel, .sharing = sharing});
      BOOST_TEST(plan.choice().blocks > 4);
      for (const int threads : {1, 2, 3, 7}) {
        std::vector<float> out = room_for(mask), same = out;
        plan.multiply_transposed(a.view(), b.view(), result(out), {}, threads);
        plan.multiply(a.view(), turned.view(), result(same), {}, threads);
        BOOST_TEST(wrong(out, want) + wrong(same, want) == 0, kernel << " " << threads);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sddmm_rows_share_columns_where_it_pays) {
  const SddmmPlan dense(mask_of(40, 90, 1, 1)), sparse(mask_of(400, 900, 0.01, 1));
  BOOST_TEST(dense.choice().shared == 2);
  BOOST_TEST(sparse.choice().blocks == 13);
  BOOST_TEST(sparse.choice().shared <= 1);  // the block with the full row
  BOOST_TEST(sparse.rows() == 400);
  BOOST_TEST(sparse.cols() == 900);
  BOOST_TEST(sparse.choice().packed_bytes >= 4 * static_cast<std::uint64_t>(sparse.nnz()));
  BOOST_TEST(sparse.choice().kernel == sddmm_kernels().best().name);
}

// A product is no entry's that is not stored: infinities and NaN elsewhere do not reach it.
BOOST_AUTO_TEST_CASE(sddmm_places_without_entry_have_no_result) {
  const CsrStructure mask{2, 3, {0, 1, 3}, {1, 0, 1}};
  Dense a(2, 2, 0, 1), b(3, 2, 0, 1);
  a.data = {1, 2, 0, 1};
  b.data = {inf, 3, 5, 7, not_a_number, not_a_number};
  for (const std::string_view kernel : kernels_here()) {
    for (const SddmmSharing sharing : ways) {
      std::vector<float> out = room_for(mask);
      SddmmPlan(mask, {.kernel = kernel, .sharing = sharing})
          .multiply_transposed(a.view(), b.view(), result(out));
      BOOST_TEST(out[0] == 19.0F, kernel);
      BOOST_TEST(std::bit_cast<std::uint32_t>(out[1]) == 0x7FC00000U, kernel);  // 0 times infinity
      BOOST_TEST(out[2] == 7.0F, kernel);
    }
  }
}

// The caller's control word neither reaches the products nor is lost.
BOOST_AUTO_TEST_CASE(sddmm_mxcsr_is_the_callers_own_business) {
  const CsrStructure mask{1, 1, {0, 1}, {0}};
  const float a = 1e-30F, b = 1e-10F;
  float out = 0;
  {
    const MxcsrGuard flush(0x9FC0);
    SddmmPlan(mask).multiply({&a, 1, 1, 1}, {&b, 1, 1, 1}, {&out, 1});
    BOOST_TEST(mxcsr() == 0x9FC0U);
  }
  BOOST_TEST(out == std::fma(a, b, 0.0F));
  BOOST_TEST(out > 0);
}

BOOST_AUTO_TEST_CASE(sddmm_what_cannot_be_computed_is_said) {
  const CsrStructure mask = mask_of(4, 5, 1, 1);
  const SddmmPlan plan(mask);
  const auto nnz = static_cast<std::size_t>(mask.nnz());
  Dense a(4, 6, 0, 2), b(5, 6, 0, 3), turned(6, 5, 0, 4);
  std::vector<float> out(nnz + 1), other(nnz);
  const std::span<float> to = std::span(out).first(nnz);
  const auto of = [&](const DenseView& x, const DenseView& y, std::span<float> z, const SddmmExtras& e = {}) {
    return said([&] { plan.multiply_transposed(x, y, z, e); });
  };
  BOOST_TEST(of(a.view(), b.view(), to) == "no error");
  BOOST_TEST(of({a.data.data(), 3, 6, 6}, b.view(), to) == "sddmm: a is 3 x 6, not 4 x 6");
  BOOST_TEST(of(a.view(), {b.data.data(), 5, 5, 6}, to) == "sddmm: b is 5 x 5, not 5 x 6");
  BOOST_TEST(said([&] { plan.multiply(a.view(), b.view(), to); }) == "sddmm: b is 5 x 6, not 6 x 5");
  BOOST_TEST(said([&] { plan.multiply(a.view(), turned.view(), to); }) == "no error");
  BOOST_TEST(of({a.data.data(), 4, 6, 5}, b.view(), to) == "sddmm: a has rows 5 apart, of 6 columns");
  BOOST_TEST(of(a.view(), {b.data.data(), 5, 6, 5}, to) == "sddmm: b has rows 5 apart, of 6 columns");
  BOOST_TEST(of({a.data.data(), 4, -1, 6}, b.view(), to) == "sddmm: a is 4 x -1");
  BOOST_TEST(of({nullptr, 4, 6, 6}, b.view(), to) == "sddmm: a is null");
  BOOST_TEST(of(a.view(), {nullptr, 5, 6, 6}, to) == "sddmm: b is null");
  BOOST_TEST(of(a.view(), b.view(), to.first(nnz - 1)) ==
             "sddmm: out has " + std::to_string(nnz - 1) + " values, not " + std::to_string(nnz));
  BOOST_TEST(of(a.view(), b.view(), std::span(a.data).first(nnz)) == "sddmm: out shares memory with a");
  BOOST_TEST(of(a.view(), b.view(), std::span(b.data).first(nnz)) == "sddmm: out shares memory with b");
  const std::span<const float> shifted = std::span(out).subspan(1), few = std::span(other).first(2);
  BOOST_TEST(of(a.view(), b.view(), to, {.beta = 1, .c = shifted}) ==
             "sddmm: out shares memory with c, and is not the same");
  BOOST_TEST(of(a.view(), b.view(), to, {.scale = shifted}) ==
             "sddmm: out shares memory with scale, and is not the same");
  BOOST_TEST(of(a.view(), b.view(), to, {.beta = 1, .c = few}).starts_with("sddmm: c has 2 values, not "));
  BOOST_TEST(of(a.view(), b.view(), to, {.scale = few}).starts_with("sddmm: scale has 2 values, not "));
  BOOST_TEST(of(a.view(), b.view(), to, {.alpha = not_a_number}) == "sddmm: alpha or beta is NaN");
  CsrStructure bad = mask;
  bad.column_indices[0] = 5;
  BOOST_TEST(said([&] { SddmmPlan{bad}; }).starts_with("CSR: row 0 has column 5 outside 0..4"));
  BOOST_TEST(said([&] { SddmmPlan(mask, {.kernel = "f32_avx1"}); }).find("f32_avx1") != std::string::npos);
}
