// The dense bf16 GEMM's kernel under the executor: the bits of each GPU's matrix unit, whatever the order of threads.
#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "gpu/kernels/gemm_bf16_run.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/kernels/bf16_products.hpp"
#include "tests/gpu/kernels/wrong_bf16_kernels.hpp"

using namespace assay;
using namespace assay::bf16_products;

namespace {

constexpr std::uint16_t beyond = 0x7FC0;  // what stands between rows

// Rows `stride` apart with NaNs between.
std::vector<std::uint16_t> spread(const std::vector<std::uint16_t>& all, std::size_t columns,
                                  std::size_t stride) {
  if (columns == 0) return {};
  std::vector<std::uint16_t> out(all.size() / columns * stride, beyond);
  for (std::size_t i = 0; i < all.size(); ++i) out[i / columns * stride + i % columns] = all[i];
  return out;
}

struct Case {
  std::size_t m, n, k;
  std::size_t a_gap = 0, b_gap = 0;  // between rows
  bool special = false;

  std::string name() const {
    return "m=" + std::to_string(m) + " n=" + std::to_string(n) + " k=" + std::to_string(k);
  }
};

void check(const Case& c, const std::string& gpu, const std::string& unit_name) {
  const Imitated imitated(gpu);
  const Arithmetic& unit = unit_named(unit_name);
  const auto a = bf16_numbers(c.m * c.k, 1, c.special), b = bf16_numbers(c.k * c.n, 2, c.special);
  const std::size_t a_stride = c.k + c.a_gap, b_stride = c.n + c.b_gap;
  const auto wide_a = spread(a, c.k, a_stride), wide_b = spread(b, c.n, b_stride);
  const gpu::GemmBf16Problem problem{c.m, c.n, c.k, wide_a, wide_b, a_stride, b_stride};
  const std::vector<float> expected = product(unit, c.m, c.n, c.k, a, b);
  for_each_schedule([&](const std::string& schedule) {
    const std::vector<float> got = gpu::run_gemm_bf16_f32(problem);
    BOOST_TEST(first_difference(got, expected, c.n) == "", c.name() << " " << gpu << " " << schedule);
  });
  const std::vector<std::uint16_t> rounded = gpu::run_gemm_bf16_bf16(problem);
  BOOST_TEST(first_difference(rounded, bf16_of(expected), c.n) == "", c.name() << " bf16 " << gpu);
  if (c.special || c.k == 0) return;
  double worst = 0;
  for (std::size_t i = 0; i < c.m * c.n; i += 37) {
    const std::size_t row = i / c.n, column = i % c.n;
    const CodeVector x{a.data() + row * c.k, c.k, 1, formats::bfloat16},
        y{b.data() + column, c.k, static_cast<std::ptrdiff_t>(c.n), formats::bfloat16};
    worst = std::max(worst, share_of_bound(unit, x, y, expected[i]));
  }
  BOOST_TEST(worst <= 1, c.name() << " " << gpu);
}

}  // namespace

BOOST_AUTO_TEST_CASE(gemm_bf16_has_the_bits_of_the_unit) {
  check({1, 1, 1}, "sm_90", "sm90.bf16");
  check({17, 9, 15}, "sm_90", "sm90.bf16");             // rows at no multiple of 16 bytes
  check({33, 40, 72, 8, 8}, "sm_80", "sm80.bf16");      // strides, a tail of k that is half a stage
  check({9, 24, 203, 5, 0}, "sm_90", "sm90.bf16");      // more stages than the ring has, a tail of a chunk
  check({129, 131, 16, 0, 5}, "sm_100", "sm100.bf16");  // four tiles
  check({40, 33, 48, 0, 7, true}, "sm_90", "sm90.bf16");
  check({40, 33, 48, 0, 7, true}, "sm_80", "sm80.bf16");
}

BOOST_AUTO_TEST_CASE(gemm_bf16_of_no_size) {
  check({0, 5, 3}, "sm_90", "sm90.bf16");
  check({5, 0, 3}, "sm_90", "sm90.bf16");
  check({5, 3, 0}, "sm_90", "sm90.bf16");  // zeros
}

BOOST_AUTO_TEST_CASE(gemm_bf16_of_many_tiles, *boost::unit_test::label("full")) {
  check({1153, 130, 40}, "sm_90", "sm90.bf16");  // more rows of tiles than run together
  check({256, 256, 264}, "sm_80", "sm80.bf16");
}

BOOST_AUTO_TEST_CASE(gemm_bf16_with_a_fault_is_refused) {
  const Imitated imitated("sm_90");
  const std::size_t m = 20, n = 24, k = 149, a_stride = 152;
  const auto a = bf16_numbers(m * k, 1), b = bf16_numbers(k * n, 2);
  const auto wide_a = spread(a, k, a_stride);
  std::vector<std::uint16_t> tall_b = b;
  tall_b.resize(192 * n, beyond);  // rows behind the last
  const gpu::GemmBf16Problem problem{m, n, k, wide_a, tall_b, a_stride, n};
  const std::vector<float> expected = product(unit_named("sm90.bf16"), m, n, k, a, b);
  // What lies behind a tail: a fault that reads it stays within the array.
  gpu::GemmBf16Problem roomy = problem;
  std::vector<std::uint16_t> tall_a = wide_a;
  tall_a.resize(192 * a_stride, beyond);
  roomy.a = tall_a;
  BOOST_TEST(first_difference(run_faulty_gemm(Bf16Fault::none, roomy), expected, n) == "");
  for (const NamedBf16Fault& fault : bf16_faults) {
    const std::string place = first_difference(run_faulty_gemm(fault.fault, roomy), expected, n);
    BOOST_TEST(place.starts_with("row 0, column "), fault.name << ": " << place);
  }
  BOOST_CHECK_EXCEPTION(run_faulty_gemm(Bf16Fault::row_too_many, roomy), std::runtime_error,
                        [](const auto& e) {
                          return std::string(e.what()) == "row 20, column 0 lies outside of Y and is written";
                        });
}

BOOST_AUTO_TEST_CASE(gemm_bf16_refuses) {
  const std::vector<std::uint16_t> codes(64);
  const auto says = [](const char* what) {
    return [what](const ContractError& e) { return std::string(e.what()).find(what) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(gpu::run_gemm_bf16_f32({8, 8, 9, codes, codes, 9, 8}), ContractError,
                        says("gemm_bf16: a has 64 of 72 numbers"));
  BOOST_CHECK_EXCEPTION(gpu::run_gemm_bf16_f32({8, 8, 8, codes, codes, 7, 8}), ContractError,
                        says("gemm_bf16: a has rows of 8, and a stride of 7"));
}
