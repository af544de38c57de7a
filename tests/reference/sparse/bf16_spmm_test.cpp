// Sparse times dense in bfloat16: every contract by its instructions and by its Arithmetic, against dot() of one output
// after another, bit for bit.
#include "reference/sparse/bf16_spmm.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/sparse/kernels/bf16_spmm_of.hpp"
#include "tests/reference/sparse/plain_bf16_registers.hpp"

namespace {
using namespace assay;
using namespace assay::sparse;

// What hides nothing: unit scale; codes of every kind; magnitudes whose products are flushed.
enum class Operands { unit_scale, every_code, tiny };

bf16_t value_of(const CounterRandom& random, std::uint64_t i, Operands kind) {
  switch (kind) {
    case Operands::unit_scale: return bf16_t(static_cast<float>(random.normal(i)));
    case Operands::every_code: return bf16_t::from_code(static_cast<std::uint16_t>(random.below(65536, i)));
    case Operands::tiny: break;
  }
  // Products about 2^-126, of both signs.
  const std::uint64_t r = random.below(std::uint64_t{1} << 12, i);
  return bf16_t::from_code(
      static_cast<std::uint16_t>(((r & 1) << 15) | ((60 + (r >> 1) % 8) << 7) | (r >> 4 & 0x7F)));
}

std::vector<bf16_t> values_of(std::size_t n, std::uint64_t seed, Operands kind) {
  const CounterRandom random(seed);
  std::vector<bf16_t> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = value_of(random, i, kind);
  return all;
}

// Row 1 is full and row 2 empty, where they exist, and so are some columns.
Csr<bf16_t> pattern(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed, Operands kind) {
  const CounterRandom random(seed);
  Csr<bf16_t> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    for (std::int32_t j = 0; j < cols; ++j) {
      const bool here = random.uniform(n++) < density && j / 32 % 3 != 1;
      if (i == 1 || (here && i != 2)) a.structure.column_indices.push_back(j);
    }
    a.structure.end_row();
  }
  a.values = values_of(a.structure.column_indices.size(), seed + 1, kind);
  return a;
}

struct Dense {
  std::int64_t rows, cols, stride;
  std::vector<bf16_t> data;

  Dense(std::int64_t r, std::int64_t c, std::int64_t gap, std::uint64_t seed, Operands kind)
      : rows(r),
        cols(c),
        stride(c + gap),
        data(values_of(static_cast<std::size_t>(r * (c + gap)) + 1, seed, kind)) {}
  Bf16View view() const { return {data.data(), rows, cols, stride}; }
  bf16_t at(std::int64_t i, std::int64_t j) const { return data[static_cast<std::size_t>(i * stride + j)]; }
};

bool is_finite(bf16_t x) { return (x.code & 0x7F80) != 0x7F80; }

// One output as bf16_spmm.hpp words it.
std::uint32_t expected(const Csr<bf16_t>& a, const Dense& x, std::int64_t i, std::int64_t j,
                       const Arithmetic& contract) {
  std::vector<bf16_t> left, right;
  const auto columns = a.row_columns(i);
  const auto values = a.row_values(i);
  if (contract.info().name == "tdpbf16ps") {
    const auto k = static_cast<std::size_t>((a.cols() + 31) / 32 * 32);
    left.assign(k, bf16_t::from_code(0));
    right.assign(k, bf16_t::from_code(0));
    for (std::int64_t l = 0; l < a.cols(); ++l) {
      if (is_finite(x.at(l, j))) right[static_cast<std::size_t>(l)] = x.at(l, j);
    }
    for (std::size_t e = 0; e < columns.size(); ++e) {
      left[static_cast<std::size_t>(columns[e])] = values[e];
      right[static_cast<std::size_t>(columns[e])] = x.at(columns[e], j);
    }
  } else {
    left.assign(values.begin(), values.end());
    for (const std::int32_t column : columns) right.push_back(x.at(column, j));
  }
  const std::uint64_t code =
      contract.dot(code_vector(left.data(), left.size()), code_vector(right.data(), right.size()));
  return formats::float32.is_nan(code) ? 0x7FC00000U : static_cast<std::uint32_t>(code);
}

int wrong(const Csr<bf16_t>& a, const Dense& x, const std::vector<float>& y, const Arithmetic& contract) {
  int count = 0;
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const float got = y[static_cast<std::size_t>(i * x.cols + j)];
      count += std::bit_cast<std::uint32_t>(got) == expected(a, x, i, j, contract) ? 0 : 1;
    }
  }
  return count;
}

const ArithmeticRegistry& arithmetics() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry all;
    add_chains(all);
    add_units(all);
    return all;
  }();
  return registry;
}

const char* const contracts[] = {"chain_f32_fused", "vdpbf16ps", "tdpbf16ps"};

const Arithmetic& vdpbf16ps() { return arithmetics().find("vdpbf16ps"); }
const Arithmetic& tdpbf16ps() { return arithmetics().find("tdpbf16ps"); }

// The kernels' bodies over plain C++.
void pairs_in_plain_registers(const Bf16PairTask& task) noexcept {
  add_pairs<tests::PlainWords, tests::PlainPairSums<vdpbf16ps>>(task);
}
void tiles_in_plain_registers(const Bf16TileTask& task) noexcept {
  add_tiles<tests::PlainTiles<tdpbf16ps>>(task);
}
Bf16Range pack_in_plain_registers(const Bf16TilePacking& packing) noexcept {
  return pack_tiles<tests::PlainWords>(packing);
}
const Bf16SpmmKernel plain{
    {"plain registers"}, pairs_in_plain_registers, tiles_in_plain_registers, pack_in_plain_registers};

// By the best kernel of this CPU, by the Arithmetic, or in plain registers.
void agrees(std::string_view name, const SpmmOptions& options) {
  struct Shape {
    std::int32_t rows, cols;
    double density;
  };
  const Arithmetic& contract = arithmetics().find(name);
  for (const Operands kind : {Operands::unit_scale, Operands::every_code, Operands::tiny}) {
    int failed = 0;
    for (const Shape& s : {Shape{0, 4, 1}, {4, 0, 1}, {1, 1, 1}, {3, 31, 0.7}, {35, 100, 0.2}}) {
      const Csr<bf16_t> a = pattern(s.rows, s.cols, s.density, 5, kind);
      const Bf16SpmmPlan plan(a, contract, options);
      for (const std::int64_t n : {0, 1, 40, 130}) {
        // X of unit scale beside what is flushed, so that a sum of -0 goes on.
        for (const Operands of_x : {kind, Operands::unit_scale}) {
          const Dense x(s.cols, n, n % 3, 7, of_x);
          std::vector<float> y(static_cast<std::size_t>(s.rows * n), 1.0F);
          plan.multiply(x.view(), {y.data(), s.rows, n, n}, {}, 2);
          failed += wrong(a, x, y, contract);
        }
      }
    }
    BOOST_TEST(failed == 0, name << " by " << options.kernel << ", operands " << static_cast<int>(kind));
  }
}

boost::test_tools::assertion_result has(std::string_view kernel) {
  const Bf16SpmmKernel& found = bf16_spmm_kernels().named(kernel);
  boost::test_tools::assertion_result can(runs_here(found));
  can.message() << why_not(found);
  return can;
}
struct Has {
  std::string_view kernel;
  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const { return has(kernel); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(chains_are_those_of_float32) { agrees("chain_f32_fused", {}); }
BOOST_AUTO_TEST_CASE(arithmetics_compute_their_contracts) {
  for (const char* const name : contracts) agrees(name, {.kernel = by_arithmetic});
  agrees("pairwise_f32", {.kernel = by_arithmetic});
}
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(Has{"bf16_pairs_avx512bf16"}))
BOOST_AUTO_TEST_CASE(vdpbf16ps_computes_its_contract) {
  agrees("vdpbf16ps", {.kernel = "bf16_pairs_avx512bf16"});
}
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(Has{"bf16_tiles_amx_vbmi2"}))
BOOST_AUTO_TEST_CASE(tdpbf16ps_computes_its_contract) {
  agrees("tdpbf16ps", {.kernel = "bf16_tiles_amx_vbmi2"});
}
BOOST_AUTO_TEST_CASE(kernels_have_the_same_logic_in_plain_registers) {
  for (const char* const name : {"vdpbf16ps", "tdpbf16ps"}) {
    agrees(name, {.with_bf16 = &plain});
    // More blocks of K than are expanded at once, some of them without an entry.
    const Csr<bf16_t> a = pattern(35, 700, 0.004, 11, Operands::unit_scale);
    const Dense x(700, 70, 1, 12, Operands::unit_scale);
    std::vector<float> y(35 * 70);
    Bf16SpmmPlan(a, arithmetics().find(name), {.with_bf16 = &plain})
        .multiply(x.view(), {y.data(), 35, 70, 70});
    BOOST_TEST(wrong(a, x, y, arithmetics().find(name)) == 0, name);
  }
}

// A long K, which X is cut for, and more columns than lie beside each other.
BOOST_AUTO_TEST_CASE(large_products_are_cut_and_threads_change_no_bit) {
  for (const char* const name : contracts) {
    const Arithmetic& contract = arithmetics().find(name);
    const Csr<bf16_t> a = pattern(40, 5000, 0.01, 9, Operands::unit_scale);
    const Dense x(5000, 300, 0, 3, Operands::unit_scale);
    std::vector<float> first;
    for (const int threads : {1, 2, 3}) {
      std::vector<float> y(40 * 300);
      Bf16SpmmPlan(a, contract).multiply(x.view(), {y.data(), 40, 300, 300}, {}, threads);
      if (threads == 1) first = y;
      BOOST_TEST((first == y), name);
    }
    std::vector<float> again(40 * 300);
    Bf16SpmmPlan(a, contract, {.kernel = by_arithmetic}).multiply(x.view(), {again.data(), 40, 300, 300});
    BOOST_TEST((first == again), name);
  }
}

BOOST_AUTO_TEST_CASE(a_lone_entry_meets_no_infinity) {
  const Csr<bf16_t> a{{1, 3, {0, 1}, {1}}, {bf16_t(2.0F)}};
  Dense x(3, 2, 0, 1, Operands::unit_scale);
  x.data.assign(x.data.size(), bf16_t(std::numeric_limits<float>::infinity()));
  x.data[2] = x.data[3] = bf16_t(1.5F);
  for (const char* const name : contracts) {
    for (const std::string_view kernel : {std::string_view(), by_arithmetic}) {
      std::vector<float> y(2);
      Bf16SpmmPlan(a, arithmetics().find(name), {.kernel = kernel}).multiply(x.view(), {y.data(), 1, 2, 2});
      BOOST_TEST(y[0] == 3.0F, name);
      BOOST_TEST(y[1] == 3.0F, name);
    }
  }
}

// 2^-126 and -1.5 * 2^-126 add up to what is flushed to -0; then a block without an entry adds +0, which is seen.
BOOST_AUTO_TEST_CASE(empty_blocks_are_not_skipped_where_it_is_seen) {
  const Csr<bf16_t> a{{1, 96, {0, 2}, {0, 32}}, {bf16_t(0x1p-63F), bf16_t(0x1p-63F)}};
  Dense x(96, 1, 0, 1, Operands::unit_scale);
  x.data[0] = bf16_t(0x1p-63F);
  x.data[32] = bf16_t(-0x1.8p-63F);
  for (const SpmmOptions& options : {SpmmOptions{}, {.kernel = by_arithmetic}, {.with_bf16 = &plain}}) {
    std::vector<float> y(1, 1.0F);
    Bf16SpmmPlan(a, tdpbf16ps(), options).multiply(x.view(), {y.data(), 1, 1, 1});
    BOOST_TEST(std::bit_cast<std::uint32_t>(y[0]) == 0U, options.kernel);
  }
}

// The epilogue is that of float32.
BOOST_AUTO_TEST_CASE(extras_follow_the_sums) {
  const Csr<bf16_t> a = pattern(35, 70, 0.3, 3, Operands::unit_scale);
  const Dense x(70, 45, 0, 4, Operands::unit_scale);
  std::vector<float> c(35 * 45), bias(45);
  const CounterRandom random(6);
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = static_cast<float>(random.normal(i));
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(random.normal(9000 + i));
  for (const char* const name : contracts) {
    const Bf16SpmmPlan plan(a, arithmetics().find(name));
    std::vector<float> sums(c.size()), y(c.size());
    plan.multiply(x.view(), {sums.data(), 35, 45, 45});
    plan.multiply(x.view(), {y.data(), 35, 45, 45},
                  {.alpha = 0.7F,
                   .beta = -1.5F,
                   .c = {c.data(), 35, 45, 45},
                   .bias_along = SpmmBias::columns,
                   .bias = bias,
                   .activation = SpmmActivation::relu});
    int failed = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const float scaled = sums[i] * 0.7F, addend = c[i] * -1.5F, sum = scaled + addend,
                  full = sum + bias[i % 45];
      failed += y[i] == (full > 0 ? full : 0.0F) ? 0 : 1;
    }
    BOOST_TEST(failed == 0, name);
  }
}

// Activations by weights: the bits of the turned product, with all that joins it, in more than one part.
BOOST_AUTO_TEST_CASE(transposed_products_are_the_turned_ones) {
  constexpr std::int64_t rows = 35, cols = 70, n = 300;
  const Csr<bf16_t> a = pattern(rows, cols, 0.3, 3, Operands::every_code);
  const Dense x(cols, n, 0, 4, Operands::every_code);
  Dense x_turned(n, cols, 5, 4, Operands::every_code);
  for (std::int64_t k = 0; k < cols; ++k) {
    for (std::int64_t j = 0; j < n; ++j)
      x_turned.data[static_cast<std::size_t>(j * x_turned.stride + k)] = x.at(k, j);
  }
  std::vector<float> c(rows * n), c_turned(rows * n), of_rows(rows), of_columns(n);
  const CounterRandom random(6);
  for (std::size_t i = 0; i < of_rows.size(); ++i) of_rows[i] = static_cast<float>(random.normal(i));
  for (std::size_t j = 0; j < of_columns.size(); ++j)
    of_columns[j] = static_cast<float>(random.normal(100 + j));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      c[i * n + j] = c_turned[j * rows + i] = static_cast<float>(random.normal(1000 + i * n + j));
  }
  for (const char* const name : contracts) {
    const Bf16SpmmPlan plan(a, arithmetics().find(name));
    for (const SpmmBias along : {SpmmBias::none, SpmmBias::rows, SpmmBias::columns}) {
      const auto turned_bias = along == SpmmBias::rows      ? SpmmBias::columns
                               : along == SpmmBias::columns ? SpmmBias::rows
                                                            : SpmmBias::none;
      const bool joined = along != SpmmBias::none;
      const auto bias = !joined ? std::span<const float>() : along == SpmmBias::rows ? of_rows : of_columns;
      std::vector<float> y(rows * n, 9.0F), y_turned(rows * n, 9.0F);
      plan.multiply(x.view(), {y.data(), rows, n, n},
                    {.alpha = joined ? 0.5F : 1.0F,
                     .beta = joined ? 2.0F : 0.0F,
                     .c = {c.data(), rows, n, n},
                     .bias_along = along,
                     .bias = bias,
                     .activation = SpmmActivation::relu});
      plan.multiply_transposed(x_turned.view(), {y_turned.data(), n, rows, rows},
                               {.alpha = joined ? 0.5F : 1.0F,
                                .beta = joined ? 2.0F : 0.0F,
                                .c = {c_turned.data(), n, rows, rows},
                                .bias_along = turned_bias,
                                .bias = bias,
                                .activation = SpmmActivation::relu},
                               2);
      int failed = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < n; ++j)
          failed += std::bit_cast<std::uint32_t>(y[i * n + j]) ==
                            std::bit_cast<std::uint32_t>(y_turned[j * rows + i])
                        ? 0
                        : 1;
      }
      BOOST_TEST(failed == 0, name << ", bias " << static_cast<int>(along));
    }
  }
}

// A caller that flushes gets the same bits, and its MXCSR back.
BOOST_AUTO_TEST_CASE(transposed_products_do_not_flush) {
  const Csr<bf16_t> a = pattern(5, 40, 0.6, 3, Operands::tiny);
  const Dense x(7, 40, 0, 4, Operands::tiny);
  for (const char* const name : contracts) {
    const Bf16SpmmPlan plan(a, arithmetics().find(name));
    std::vector<float> y(35), flushed(35);
    plan.multiply_transposed(x.view(), {y.data(), 7, 5, 5});
    {
      const MxcsrGuard flush(0x9FC0);
      plan.multiply_transposed(x.view(), {flushed.data(), 7, 5, 5});
      BOOST_TEST(mxcsr() == 0x9FC0U, name);
    }
    int failed = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
      failed += std::bit_cast<std::uint32_t>(y[i]) == std::bit_cast<std::uint32_t>(flushed[i]) ? 0 : 1;
    BOOST_TEST(failed == 0, name);
  }
}

BOOST_AUTO_TEST_CASE(what_no_contract_multiplies_is_said) {
  const auto said = [](const std::function<void()>& f) -> std::string {
    try {
      f();
    } catch (const ContractError& e) {
      return e.what();
    }
    return "no error";
  };
  const Csr<bf16_t> a = pattern(4, 5, 0.5, 1, Operands::unit_scale);
  const Dense x(5, 6, 0, 2, Operands::unit_scale);
  std::vector<float> y(24);
  const Bf16SpmmPlan plan(a, arithmetics().find("vdpbf16ps"));
  BOOST_TEST(said([&] {
               plan.multiply({x.data.data(), 4, 6, 6}, {y.data(), 4, 6, 6});
             }) == "spmm: x is 4 x 6, not 5 x 6");
  BOOST_TEST(said([&] { plan.multiply(x.view(), {y.data(), 4, 5, 6}); }) == "spmm: y is 4 x 5, not 4 x 6");
  BOOST_TEST(said([&] { plan.multiply({nullptr, 5, 6, 6}, {y.data(), 4, 6, 6}); }) == "spmm: x is null");
  // Turned: X is n x 5 and Y n x 4.
  const auto turned = [&](const Bf16View& of_x, const MutableDenseView& of_y, const SpmmExtras& extras = {}) {
    return said([&] { plan.multiply_transposed(of_x, of_y, extras); });
  };
  const Bf16View x_turned{x.data.data(), 6, 5, 5};
  BOOST_TEST(turned({x.data.data(), 6, 4, 4}, {y.data(), 6, 4, 4}) == "spmm: x is 6 x 4, not 6 x 5");
  BOOST_TEST(turned(x_turned, {y.data(), 5, 4, 4}) == "spmm: y is 5 x 4, not 6 x 4");
  BOOST_TEST(turned({x.data.data(), -1, 5, 5}, {y.data(), -1, 4, 4}) == "spmm: x is -1 x 5");
  BOOST_TEST(
      turned(x_turned, {y.data(), 6, 4, 4}, {.bias_along = SpmmBias::rows, .bias = std::span(y).first(4)}) ==
      "spmm: bias has 4 values, not 6");
  BOOST_TEST(turned(x_turned, {y.data(), 6, 4, 4}, {.alpha = std::numeric_limits<float>::quiet_NaN()}) ==
             "spmm: alpha or beta is NaN");
  BOOST_TEST(said([&] { Bf16SpmmPlan(a, arithmetics().find("sm90.f16")); }) ==
             "spmm: sm90.f16 does not give float32 from bfloat16");
  BOOST_TEST(said([&] {
               Bf16SpmmPlan(a, arithmetics().find("vdpbf16ps"), {.kernel = "bf16_tiles_amx_vbmi2"});
             }) == "spmm: bf16_tiles_amx_vbmi2 has another contract");
  Csr<bf16_t> twice = a;
  const auto of_row_1 = static_cast<std::size_t>(twice.structure.row_begin(1));
  twice.structure.column_indices[of_row_1 + 1] = twice.structure.column_indices[of_row_1];
  BOOST_TEST(said([&] { Bf16SpmmPlan(twice, arithmetics().find("tdpbf16ps")); }).starts_with("CSR: row 1"));
}
