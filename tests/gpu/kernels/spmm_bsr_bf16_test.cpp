// The block-sparse bf16 kernels under the executor: the bits of each GPU's matrix unit over the stored blocks, then
// bias and ReLU, whatever the order of threads and of rows.
#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "gpu/kernels/spmm_bsr_bf16_run.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/kernels/bf16_products.hpp"
#include "tests/gpu/kernels/wrong_bf16_kernels.hpp"

using namespace assay;
using namespace assay::bf16_products;
using gpu::BlockRowOrder;
using gpu::BsrKernel;

namespace {

// Blocks at random; some block rows are empty, and if there is more than one the last is full.
struct Blocks {
  sparse::BsrStructure structure{};
  std::vector<std::uint16_t> values{};
};
Blocks blocks_of(std::int64_t rows, std::int64_t cols, std::int64_t side, unsigned one_in, bool special) {
  Blocks b;
  b.structure.rows = rows;
  b.structure.cols = cols;
  b.structure.block_height = b.structure.block_width = side;
  const sparse::BsrView shape = b.structure.view();
  const CounterRandom random(7);
  for (std::int64_t i = 0; i < shape.block_rows(); ++i) {
    for (std::int64_t j = 0; j < shape.block_cols(); ++j) {
      const bool full = i > 0 && i == shape.block_rows() - 1;
      if (full || (i % 3 != 1 && random.below(one_in, static_cast<std::uint64_t>(i * 1000 + j)) == 0))
        b.structure.column_indices.push_back(static_cast<std::int32_t>(j));
    }
    b.structure.row_offsets.push_back(static_cast<std::int64_t>(b.structure.column_indices.size()));
  }
  b.values = bf16_numbers(static_cast<std::size_t>(b.structure.slots()), 3, special);
  // +0 where blocks reach over the edge.
  for (std::int64_t i = 0; i < shape.block_rows(); ++i) {
    for (std::int64_t block = b.structure.row_offsets[static_cast<std::size_t>(i)];
         block < b.structure.row_offsets[static_cast<std::size_t>(i) + 1]; ++block) {
      const std::int64_t column = b.structure.column_indices[static_cast<std::size_t>(block)] * side;
      for (std::int64_t at = 0; at < side * side; ++at) {
        if (i * side + at / side >= rows || column + at % side >= cols)
          b.values[static_cast<std::size_t>(block * side * side + at)] = 0;
      }
    }
  }
  return b;
}

// The rows of a block row side by side, and the rows of X that they meet.
struct Gathered {
  std::size_t k = 0;
  std::vector<std::uint16_t> a{}, x{};
};
Gathered gathered(const Blocks& b, std::int64_t block_row, const std::vector<std::uint16_t>& x,
                  std::size_t n) {
  const sparse::BsrView s = b.structure.view();
  const auto side = static_cast<std::size_t>(s.block_height);
  const auto columns = s.block_row_columns(block_row);
  const auto first = static_cast<std::size_t>(s.row_offsets[static_cast<std::size_t>(block_row)]);
  Gathered g;
  g.k = columns.size() * side;
  for (std::size_t r = 0; r < side; ++r) {
    for (std::size_t i = 0; i < g.k; ++i)
      g.a.push_back(b.values[((first + i / side) * side + r) * side + i % side]);
  }
  for (std::size_t i = 0; i < g.k; ++i) {
    const std::size_t row = static_cast<std::size_t>(columns[i / side]) * side + i % side;
    for (std::size_t j = 0; j < n; ++j)
      g.x.push_back(row < static_cast<std::size_t>(s.cols) ? x[row * n + j] : std::uint16_t{0});
  }
  return g;
}

std::vector<float> predicted(const Arithmetic& unit, const Blocks& b, const std::vector<std::uint16_t>& x,
                             std::size_t n, const std::vector<float>& bias, bool relu) {
  const sparse::BsrView s = b.structure.view();
  const auto side = static_cast<std::size_t>(s.block_height), rows = static_cast<std::size_t>(s.rows);
  std::vector<float> y(rows * n);
  for (std::int64_t i = 0; i < s.block_rows(); ++i) {
    const Gathered g = gathered(b, i, x, n);
    const std::vector<float> part = product(unit, side, n, g.k, g.a, g.x);
    for (std::size_t at = 0; at < part.size(); ++at) {
      const std::size_t row = static_cast<std::size_t>(i) * side + at / n;
      if (row >= rows) break;
      float v = part[at];
      if (!bias.empty()) v += bias[row];
      if (relu && !(v > 0 || std::isnan(v))) v = 0;
      y[row * n + at % n] = std::isnan(v) ? std::bit_cast<float>(0x7FFFFFFFU) : v;
    }
  }
  return y;
}

struct Case {
  std::int64_t rows, cols, side;
  std::size_t n, gap = 0;  // between rows of X
  unsigned one_in = 2;
  bool bias = false, relu = false, special = false;
  BlockRowOrder order = BlockRowOrder::longest_first;

  std::string name() const {
    return std::to_string(rows) + " x " + std::to_string(cols) + " in blocks of " + std::to_string(side) +
           ", n=" + std::to_string(n);
  }
};

void check(const Case& c, BsrKernel kernel, const std::string& gpu, const std::string& unit_name) {
  const Imitated imitated(gpu);
  const Arithmetic& unit = unit_named(unit_name);
  const Blocks a = blocks_of(c.rows, c.cols, c.side, c.one_in, c.special);
  const auto cols = static_cast<std::size_t>(c.cols);
  const std::vector<std::uint16_t> x = bf16_numbers(cols * c.n, 4, c.special);
  const std::size_t stride = c.n + c.gap;
  std::vector<std::uint16_t> wide(cols * stride, 0x7FC0);
  for (std::size_t i = 0; i < x.size(); ++i) wide[i / c.n * stride + i % c.n] = x[i];
  std::vector<float> bias;
  for (std::int64_t i = 0; c.bias && i < c.rows; ++i)
    bias.push_back(static_cast<float>(CounterRandom(9).normal(static_cast<std::uint64_t>(i))));
  const gpu::SpmmBsrBf16Problem problem{
      a.structure.view(), a.values, c.n, wide, stride, bias, c.relu, c.order, 2};
  const std::vector<float> expected = predicted(unit, a, x, c.n, bias, c.relu);
  for_each_schedule([&](const std::string& schedule) {
    const std::vector<float> got = gpu::run_spmm_bsr_bf16_f32(kernel, problem);
    BOOST_TEST(first_difference(got, expected, c.n) == "", c.name() << " " << gpu << " " << schedule);
  });
  const std::vector<std::uint16_t> rounded = gpu::run_spmm_bsr_bf16_bf16(kernel, problem);
  BOOST_TEST(first_difference(rounded, bf16_of(expected), c.n) == "", c.name() << " bf16 " << gpu);
  if (c.special || c.bias || c.relu) return;
  double worst = 0;
  for (std::int64_t i = 0; i < a.structure.view().block_rows(); ++i) {
    const Gathered g = gathered(a, i, x, c.n);
    for (std::size_t at = 0; g.k != 0 && at < static_cast<std::size_t>(c.side) * c.n; at += 97) {
      const std::size_t row = at / c.n, column = at % c.n, of_y = static_cast<std::size_t>(i * c.side) + row;
      if (of_y >= static_cast<std::size_t>(c.rows)) break;
      const CodeVector left{g.a.data() + row * g.k, g.k, 1, formats::bfloat16},
          right{g.x.data() + column, g.k, static_cast<std::ptrdiff_t>(c.n), formats::bfloat16};
      worst = std::max(worst, share_of_bound(unit, left, right, expected[of_y * c.n + column]));
    }
  }
  BOOST_TEST(worst <= 1, c.name() << " " << gpu);
}

std::string says(const char* what, const std::exception& e) {
  return std::string(e.what()).find(what) == std::string::npos ? e.what() : "";
}

// Each fault at a place, and none without.
void check_faults(BsrKernel kernel, std::int64_t side) {
  const Imitated imitated("sm_90");
  const std::size_t n = 24;
  // More stages than mma's ring has; by wgmma as many, for without its waits the second round is a deadlock.
  const std::int64_t blocks = kernel == BsrKernel::mma ? 6 : 256 / side, rows = side - 3,
                     cols = blocks * side - 5;
  const Blocks a = blocks_of(rows, cols, side, 1, false);
  std::vector<std::uint16_t> x = bf16_numbers(static_cast<std::size_t>(cols) * n, 4);
  const std::vector<float> expected = predicted(unit_named("sm90.bf16"), a, x, n, {}, false);
  // Behind the last row of X stand NaNs, and room for what a fault reads.
  x.resize(static_cast<std::size_t>(blocks * side) * n + 256, 0x7FC0);
  gpu::SpmmBsrBf16Problem problem{a.structure.view(), a.values, n, x, n};
  BOOST_TEST(first_difference(run_faulty_spmm(Bf16Fault::none, kernel, problem), expected, n) == "");
  for (const NamedBf16Fault& fault : bf16_faults) {
    const std::string place = first_difference(run_faulty_spmm(fault.fault, kernel, problem), expected, n);
    BOOST_TEST(place.starts_with("row 0, column "), fault.name << ", blocks of " << side << ": " << place);
  }
  BOOST_CHECK_EXCEPTION(
      run_faulty_spmm(Bf16Fault::row_too_many, kernel, problem), std::runtime_error, [&](const auto& e) {
        return std::string(e.what()) ==
               "row " + std::to_string(rows) + ", column 0 lies outside of Y and is written";
      });
}

}  // namespace

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_by_mma_has_the_bits_of_the_unit) {
  check({50, 45, 16, 9, 2}, BsrKernel::mma, "sm_90", "sm90.bf16");  // rows of X at no multiple of 16 bytes
  check({70, 200, 16, 136, 0, 1, true, true}, BsrKernel::mma, "sm_80",
        "sm80.bf16");  // more stages than the ring
  check({100, 90, 32, 40, 8, 1}, BsrKernel::mma, "sm_100", "sm100.bf16");
  check({64, 64, 32, 8, 0, 1, true, false, true, BlockRowOrder::ascending}, BsrKernel::mma, "sm_90",
        "sm90.bf16");
  check({130, 330, 64, 16, 0, 1}, BsrKernel::mma, "sm_90", "sm90.bf16");
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_by_wgmma_has_the_bits_of_the_unit) {
  check({130, 200, 64, 9, 2, 1}, BsrKernel::wgmma, "sm_90", "sm90.bf16");
  check({64, 100, 64, 264, 0, 1, true, true}, BsrKernel::wgmma, "sm_90a", "sm90.bf16");
  check({128, 64, 64, 8, 0, 1, true, false, true}, BsrKernel::wgmma, "sm_90", "sm90.bf16");
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_by_wgmma_in_blocks_of_128) {
  check({140, 250, 128, 24, 8, 1, false, false, false, BlockRowOrder::ascending}, BsrKernel::wgmma, "sm_90",
        "sm90.bf16");
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_of_no_size) {
  for (const BsrKernel kernel : {BsrKernel::mma, BsrKernel::wgmma}) {
    check({0, 64, 64, 8}, kernel, "sm_90", "sm90.bf16");
    check({64, 0, 64, 8}, kernel, "sm_90", "sm90.bf16");
    check({70, 64, 64, 0}, kernel, "sm_90", "sm90.bf16");
    check({70, 64, 64, 8, 0, 1000, true}, kernel, "sm_90", "sm90.bf16");
  }
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_of_many_blocks, *boost::unit_test::label("full")) {
  check({300, 500, 16, 260, 4, 3}, BsrKernel::mma, "sm_90", "sm90.bf16");
  check({300, 500, 32, 260, 4, 3}, BsrKernel::mma, "sm_80", "sm80.bf16");
  check({500, 900, 64, 300, 4, 2, true, true}, BsrKernel::mma, "sm_90", "sm90.bf16");
  check({500, 900, 64, 300, 4, 2, true, true}, BsrKernel::wgmma, "sm_90", "sm90.bf16");
  check({100, 500, 64, 523, 5, 1}, BsrKernel::wgmma, "sm_90",
        "sm90.bf16");  // two tiles, rows of Y at odd places
  check({600, 900, 128, 300, 4, 2}, BsrKernel::wgmma, "sm_90", "sm90.bf16");
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_with_a_fault_is_refused) {
  for (const std::int64_t side : {16, 32}) check_faults(BsrKernel::mma, side);
  check_faults(BsrKernel::wgmma, 64);
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_of_large_blocks_with_a_fault_is_refused,
                     *boost::unit_test::label("full")) {
  check_faults(BsrKernel::mma, 64);
  check_faults(BsrKernel::wgmma, 128);
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_begins_with_the_longest_rows) {
  sparse::BsrStructure s;
  s.rows = 64;
  s.cols = 48;
  s.block_height = s.block_width = 16;
  s.row_offsets = {0, 1, 3, 3, 5};
  s.column_indices = {0, 0, 1, 1, 2};
  BOOST_TEST((gpu::longest_rows_first(s.view()) == std::vector<std::int32_t>{1, 3, 0, 2}));
}

BOOST_AUTO_TEST_CASE(spmm_bsr_bf16_refuses) {
  const std::vector<std::uint16_t> x(64 * 8);
  const auto refused = [&](BsrKernel kernel, std::int64_t side, std::size_t x_stride, const char* what) {
    const Blocks a = blocks_of(64, 64, side, 1, false);
    const gpu::SpmmBsrBf16Problem p{a.structure.view(), a.values, 8, x, x_stride};
    BOOST_CHECK_EXCEPTION(gpu::run_spmm_bsr_bf16_f32(kernel, p), ContractError,
                          [&](const ContractError& e) { return says(what, e).empty(); });
  };
  refused(BsrKernel::mma, 8, 8, "spmm_bsr_bf16_mma: blocks have 16, 32 or 64 rows and columns, not 8");
  refused(BsrKernel::wgmma, 32, 8, "spmm_bsr_bf16_wgmma: blocks have 64 or 128 rows and columns, not 32");
  refused(BsrKernel::mma, 16, 7, "spmm_bsr_bf16_mma: x has rows of 8, and a stride of 7");
  refused(BsrKernel::mma, 16, 9, "spmm_bsr_bf16: x has 512 of 575 numbers");
  const Bf16Refusals said = bf16_refusals();
  BOOST_TEST(said.null_a == "gemm_bf16: a is null, and 64 elements are read");
  BOOST_TEST(said.misaligned_d == "gemm_bf16: d is not aligned to 4 bytes");
  BOOST_TEST(said.misaligned_values == "spmm_bsr_bf16_wgmma: values is not aligned to 16 bytes");
  BOOST_TEST(
      said.misaligned_x.starts_with("spmm_bsr_bf16_wgmma: x begins at 2 bytes behind a multiple of 16"));
  BOOST_TEST(said.odd_x_stride.ends_with("a stride of 9 numbers: TMA takes rows at multiples of 16 bytes"));
}
