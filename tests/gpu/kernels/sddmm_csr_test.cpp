// SDDMM's CUDA kernel under the executor: the bits of the library's contract, whatever the order of threads.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "gpu/kernels/sddmm_csr_run.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/kernels/said.hpp"
#include "tests/gpu/kernels/schedules.hpp"
#include "tests/reference/sparse/spmm_problems.hpp"

namespace assay::gpu {

// The kernels of planted.cmake.
#define PLANTED(name)                                                \
  namespace name {                                                   \
  template <class T>                                                 \
  void run_sddmm_csr(const SddmmCsrProblem<T>& p);                   \
  extern template void run_sddmm_csr(const SddmmCsrProblem<float>&); \
  }
PLANTED(planted_sddmm_tail)
PLANTED(planted_sddmm_stale)
PLANTED(planted_sddmm_one_row)
PLANTED(planted_sddmm_not_turned)
#undef PLANTED

}  // namespace assay::gpu

using namespace assay;
using namespace assay::tests;
using gpu::SddmmCsrProblem;
using sparse::SddmmExtras;

namespace {

struct Sizes {
  std::int64_t depth, a_gap, b_gap;
  bool turned;  // B lies as cols x depth
};

template <class T>
std::vector<T> codes_of(std::vector<float>& x) {
  for (float& value : x) value = static_cast<float>(T(value));
  return std::vector<T>(x.begin(), x.end());
}

// One entry by the words of sddmm_task.hpp.
float entry_of(const Dense& a, const Dense& b, bool turned, std::int64_t i, std::int64_t j,
               const SddmmExtras& e, std::size_t at) {
  float s = 0;
  for (std::int64_t k = 0; k < a.cols; ++k) s = std::fma(a.at(i, k), turned ? b.at(j, k) : b.at(k, j), s);
  s = e.alpha == 0 ? 0.0F : e.alpha * s;
  if (!e.scale.empty()) s *= e.scale[at];
  if (e.beta != 0) {
    const float product = e.beta * e.c[at];
    s += product;
  }
  return s;
}

// How many entries by `run` have other bits than the contract's.
template <class T, class Run>
int count_wrong(const sparse::CsrStructure& mask, const Sizes& sizes, const SddmmExtras& e, bool wild,
                const Run& run) {
  Dense a(mask.rows, sizes.depth, sizes.a_gap, 1, wild);
  Dense b(sizes.turned ? mask.cols : sizes.depth, sizes.turned ? sizes.depth : mask.cols, sizes.b_gap, 2,
          wild);
  const std::vector<T> device_a = codes_of<T>(a.data), device_b = codes_of<T>(b.data);
  std::vector<float> out(mask.column_indices.size(), -7);
  SddmmCsrProblem<T> p;
  p.mask = mask;
  p.a = {device_a.data(), a.rows, a.cols, a.stride};
  p.b = {device_b.data(), b.rows, b.cols, b.stride};
  p.b_is_turned = sizes.turned;
  p.out = out;
  p.extras = e;
  run(p);
  int wrong = 0;
  std::size_t at = 0;
  for (std::int64_t i = 0; i < mask.rows; ++i) {
    for (const std::int32_t j : mask.row_columns(i)) {
      const float want = entry_of(a, b, sizes.turned, i, j, e, at);
      wrong += bits(out[at]) == (std::isnan(want) ? 0x7FC00000U : bits(want)) ? 0 : 1;
      ++at;
    }
  }
  return wrong;
}

template <class T>
void check(const sparse::CsrStructure& mask, const Sizes& sizes, const SddmmExtras& e = {},
           bool wild = false) {
  for_each_schedule([&](const std::string& schedule) {
    const int wrong = count_wrong<T>(mask, sizes, e, wild, [](const auto& p) { gpu::run_sddmm_csr(p); });
    BOOST_TEST(wrong == 0, schedule << ": " << mask.rows << " x " << mask.cols << ", depth " << sizes.depth);
  });
}

// Rows of several tiles, tiles of several rows, rows without entries between them.
sparse::CsrStructure long_and_short_rows() {
  sparse::CsrStructure mask{40, 90};
  for (std::int32_t i = 0; i < 40; ++i) {
    const std::int32_t length = i % 13 == 5 ? 80 : i < 12 || i % 3 == 0 ? 0 : i % 7;
    for (std::int32_t j = 0; j < length; ++j) mask.column_indices.push_back((j * 47 + i) % 90);
    mask.end_row();
  }
  return mask;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sddmm_csr_has_the_bits_of_the_contract_at_every_shape) {
  const sparse::CsrStructure mask = pattern(7, 19, 0.4, 1).structure;
  // Aligned and not, tails of vectors and of what is copied at once, one and several copies.
  for (const std::int64_t depth : {0, 1, 4, 31, 32, 33, 100}) {
    check<float>(mask, {depth, 0, 0, true});
    check<float>(mask, {depth, (4 - depth % 4) % 4, (4 - depth % 4) % 4 + 4, true});
    check<float>(mask, {depth, 0, 1, false});
  }
  check<float>(long_and_short_rows(), {40, 0, 0, true});
  check<float>(long_and_short_rows(), {36, 0, 0, false});
  for (const std::int32_t rows : {0, 1}) check<float>(pattern(rows, 9, 0.5, 3).structure, {5, 0, 0, false});
  check<float>(pattern(6, 0, 0.5, 3).structure, {5, 0, 0, true});
  check<float>(pattern(4, 40, 0.5, 3, false, true).structure, {9, 0, 0, true});
}

BOOST_AUTO_TEST_CASE(sddmm_csr_widens_bfloat16) {
  const sparse::CsrStructure mask = pattern(7, 19, 0.4, 1).structure;
  for (const std::int64_t depth : {1, 8, 63, 64, 65, 130}) {
    check<bf16_t>(mask, {depth, 0, 0, true});
    check<bf16_t>(mask, {depth, (8 - depth % 8) % 8, (8 - depth % 8) % 8 + 8, true});
    check<bf16_t>(mask, {depth, 3, 0, false});
  }
}

BOOST_AUTO_TEST_CASE(sddmm_csr_has_the_bits_of_the_plan) {
  const sparse::CsrStructure mask = long_and_short_rows();
  const Dense a(40, 50, 0, 1), b(50, 90, 0, 2);
  std::vector<float> want(mask.column_indices.size()), out(want.size());
  sparse::SddmmPlan(mask).multiply(a.view(), b.view(), want);
  SddmmCsrProblem<float> p;
  p.mask = mask;
  p.a = {a.data.data(), 40, 50, 50}, p.b = {b.data.data(), 50, 90, 90};
  p.b_is_turned = false;
  p.out = out;
  gpu::run_sddmm_csr(p);
  BOOST_TEST(out == want);
}

BOOST_AUTO_TEST_CASE(sddmm_csr_fuses_what_follows_the_sums) {
  const sparse::CsrStructure mask = pattern(9, 20, 0.4, 5).structure;
  const std::vector<float> c = values_of(mask.column_indices.size(), 6, true);
  const std::vector<float> scale = values_of(mask.column_indices.size(), 7, true);
  for (const float alpha : {1.0F, 0.0F, -0.3F}) {
    check<float>(mask, {12, 0, 0, true}, {alpha, 0, {}, {}}, true);
    check<float>(mask, {12, 0, 0, true}, {alpha, 1, c, scale}, true);
    check<bf16_t>(mask, {10, 0, 0, true}, {alpha, -0.7F, c, {}}, true);
    check<bf16_t>(mask, {16, 0, 0, false}, {alpha, 0, {}, scale}, true);
  }
}

BOOST_AUTO_TEST_CASE(sddmm_csr_tests_refuse_planted_kernels) {
  const sparse::CsrStructure mask = long_and_short_rows();
  const auto wrong_by = [&](std::int64_t depth, bool turned, const auto& run) {
    return count_wrong<float>(mask, {depth, (4 - depth % 4) % 4, 0, turned}, {}, false, run);
  };
  BOOST_TEST(wrong_by(35, true, [](const auto& p) { gpu::planted_sddmm_tail::run_sddmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by(64, true, [](const auto& p) { gpu::planted_sddmm_stale::run_sddmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by(8, true, [](const auto& p) { gpu::planted_sddmm_one_row::run_sddmm_csr(p); }) > 0);
  BOOST_TEST(wrong_by(32, false, [](const auto& p) { gpu::planted_sddmm_not_turned::run_sddmm_csr(p); }) > 0);
}

BOOST_AUTO_TEST_CASE(sddmm_csr_refuses_what_it_cannot_take) {
  const sparse::CsrStructure mask = pattern(4, 6, 0.5, 1).structure;
  const Dense a(4, 8, 0, 1), b(6, 8, 0, 2);
  std::vector<float> out(mask.column_indices.size());
  SddmmCsrProblem<float> good;
  good.mask = mask;
  good.a = {a.data.data(), 4, 8, 8}, good.b = {b.data.data(), 6, 8, 8};
  good.out = out;
  const auto of = [&](const auto& change) {
    SddmmCsrProblem<float> p = good;
    change(p);
    return said([&] { gpu::run_sddmm_csr(p); });
  };
  sparse::CsrStructure outside = mask;
  outside.column_indices[0] = -1;
  const std::string text = of([&](auto& p) { p.mask = outside; });
  BOOST_TEST(text.find("column") != std::string::npos, text);
  BOOST_TEST(of([](auto& p) { p.a.rows = 5; }) == "sddmm_csr: a is 5 x 8, not 4 x 8");
  BOOST_TEST(of([](auto& p) { p.b.data = nullptr; }) == "sddmm_csr: b is null");
  BOOST_TEST(of([](auto& p) { p.b_is_turned = false; }) == "sddmm_csr: b is 6 x 8, not 8 x 6");
  BOOST_TEST(of([](auto& p) { p.out = p.out.first(1); }).starts_with("sddmm_csr: out has 1 values, not "));
  BOOST_TEST(of([](auto& p) { p.extras.beta = 1; }).starts_with("sddmm_csr: c has 0 values, not "));
  BOOST_TEST(of([](auto& p) { p.extras.beta = std::nanf(""); }) != "nothing");
}
