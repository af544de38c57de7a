// Plans of SpMM: what they choose and say, how much memory they take, sizes near the limits, what they refuse.
#include <sys/mman.h>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/sparse/spmm.hpp"
#include "tests/reference/sparse/spmm_problems.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;
using namespace assay::tests;
}  // namespace

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
