// `assay check`: every operation on right and wrong outputs, its options, its messages.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

const FormatSpec& bf16 = formats::bfloat16;
const FormatSpec& f32 = formats::float32;

io::Array transposed(const io::Array& x) {
  io::Array y = io::make_array(x.element, {x.shape[1], x.shape[0]});
  const auto rows = static_cast<std::size_t>(x.shape[0]), cols = static_cast<std::size_t>(x.shape[1]);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) set_code(y, j * rows + i, code(x, i * cols + j));
  }
  return y;
}

template <class Change>
io::Array changed(const io::Array& x, const FormatSpec& f, const Change& change) {
  io::Array y = io::make_array(f, x.shape);
  for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i)
    set_value(y, i, change(value(x, i), i));
  return y;
}

struct Gemm : Folder {
  io::Array a = normal(bf16, {24, 40}, 1), b = normal(bf16, {40, 17}, 2), c = normal(f32, {24, 17}, 3),
            bias = normal(f32, {17}, 4);
  io::Array d = product(a, b, f32);
  const std::string operands = "check gemm --a a.safetensors --b b.safetensors ";
  Gemm() {
    write("a.safetensors", a);
    write("b.safetensors", b);
    write("a.npy", as_integers(a));
    write("b.npy", as_integers(b));
    write("c.npy", c);
    write("bias.npy", bias);
    write("d.npy", d);
  }
  int exit_code(const std::string& rest) const { return assay(operands + rest).exit_code; }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_right_product_passes_and_a_wrong_one_does_not, Gemm) {
  const Outcome right = assay(operands + "--got d.npy");
  BOOST_TEST(right.exit_code == 0, right.err);
  BOOST_TEST(holds(right.out, "PASSED  check/gemm m=24 n=17 k=40 a=bfloat16 b=bfloat16 got=float32 acc=f32"));
  BOOST_TEST(holds(right.out, "0 outside the bound"));
  io::Array wrong = d;
  for (std::size_t row = 0; row < 24; ++row) set_value(wrong, row * 17 + 16, 0);
  write("wrong.npy", wrong);
  const Outcome outcome = assay(operands + "--got wrong.npy");
  BOOST_TEST(outcome.exit_code == 1);
  BOOST_TEST(
      holds(outcome.out,
            "where  24 of 24 in column 16 = last of n=17: tail of a 16-wide tile?; got is zero there"));
  BOOST_TEST(
      holds(outcome.out, "repro  assay check gemm --a a.safetensors --b b.safetensors --got wrong.npy"));
  write("half.npy", changed(d, f32, [](double x, std::size_t) { return x / 2; }));
  BOOST_TEST(holds(assay(operands + "--got half.npy").out, "got is want times 0.5"));
}

BOOST_FIXTURE_TEST_CASE(codes_are_read_as_their_format, Gemm) {
  BOOST_TEST(assay("check gemm --a a.npy --b b.npy --a-format bf16 --b-format bf16 --got d.npy").exit_code ==
             0);
  const Outcome none = assay("check gemm --a a.npy --b b.npy --got d.npy");
  BOOST_TEST(none.exit_code == 2);
  BOOST_TEST(holds(none.err, "or codes with their format"));
  write("d16.npy", as_integers(changed(d, bf16, [](double x, std::size_t) { return x; })));
  BOOST_TEST(assay("check gemm --a a.npy --b b.npy --format bf16 --got d16.npy").exit_code == 0);
}

BOOST_FIXTURE_TEST_CASE(what_a_file_says_of_itself_is_shown, Gemm) {
  io::Array told = d;
  told.metadata = {{"op", "gemm"}, {"k", "64"}, {"unit", "sm90"}};
  write("told.safetensors", told);
  const Outcome outcome = assay(operands + "--got told.safetensors");
  BOOST_TEST(outcome.exit_code == 0, outcome.err);
  BOOST_TEST(holds(outcome.out, "told.safetensors:array says op=gemm k=64 (here 40) unit=sm90"), outcome.out);
}

BOOST_FIXTURE_TEST_CASE(alpha_beta_c_bias_and_activation_join, Gemm) {
  const auto full = [&](double x, std::size_t i) {
    return static_cast<float>(0.5 * x + 2 * value(c, i) + value(bias, i % 17));
  };
  write("full.npy", changed(d, f32, full));
  write("relu.npy", changed(d, f32, [&](double x, std::size_t i) { return std::max(0.0F, full(x, i)); }));
  write("clip.npy",
        changed(d, f32, [&](double x, std::size_t i) { return std::clamp(full(x, i), -1.0F, 3.0F); }));
  const std::string rest = "--alpha 0.5 --beta 2 --c c.npy --bias bias.npy ";
  BOOST_TEST(exit_code(rest + "--got full.npy") == 0);
  BOOST_TEST(exit_code(rest + "--got relu.npy --activation relu") == 0);
  BOOST_TEST(exit_code(rest + "--got clip.npy --activation clip:-1:3") == 0);
  BOOST_TEST(exit_code(rest + "--got full.npy --activation relu") == 1);
  BOOST_TEST(exit_code(rest + "--got full.npy --bias-along rows") == 2);
  BOOST_TEST(exit_code("--alpha 0.5 --beta 2 --c c.npy --got full.npy") == 1);
  BOOST_TEST(holds(assay(operands + "--alpha 0.5 --beta 2 --c c.npy --got full.npy").out,
                   "constant down each column: a bias left out?"));
  BOOST_TEST(exit_code("--alpha 0.5 --c c.npy --bias bias.npy --got full.npy") == 1);
  BOOST_TEST(exit_code("--beta 2 --got d.npy") == 2);
  BOOST_TEST(exit_code("--activation clip:3:-1 --got d.npy") == 2);
  BOOST_TEST(exit_code("--activation tanh --got d.npy") == 2);
}

BOOST_FIXTURE_TEST_CASE(operands_may_lie_turned_or_by_columns, Gemm) {
  write("at.safetensors", transposed(a));
  write("bt.safetensors", transposed(b));
  BOOST_TEST(assay("check gemm --a at.safetensors --b bt.safetensors --transpose-a --transpose-b --got d.npy")
                 .exit_code == 0);
  BOOST_TEST(assay("check gemm --a at.safetensors --b bt.safetensors --got d.npy").exit_code == 2);
  // The same memory, called m x k by its header.
  const auto by_columns = [&](const io::Array& x, const std::string& name) {
    io::Array y = transposed(x);
    y.shape = x.shape;
    write(name, y);
  };
  by_columns(a, "ac.safetensors");
  by_columns(b, "bc.safetensors");
  by_columns(d, "dc.npy");
  BOOST_TEST(
      assay("check gemm --a ac.safetensors --b bc.safetensors --got dc.npy --layout column").exit_code == 0);
  const Outcome wrong = assay(operands + "--got dc.npy");
  BOOST_TEST(wrong.exit_code == 1);
  BOOST_TEST(holds(wrong.out, "got is want written column by column"));
  write("dt.npy", transposed(d));
  BOOST_TEST(holds(assay(operands + "--got dt.npy").err, "which is that of its transpose"));
}

BOOST_FIXTURE_TEST_CASE(stacks_of_matrices, Gemm) {
  io::Array stack = io::make_array(bf16, {3, 24, 40}), results = io::make_array(f32, {3, 24, 17});
  for (std::size_t batch = 0; batch < 3; ++batch) {
    const io::Array one = normal(bf16, {24, 40}, 50 + batch), result = product(one, b, f32);
    std::copy(one.bytes.begin(), one.bytes.end(),
              stack.bytes.begin() + static_cast<std::ptrdiff_t>(batch * one.bytes.size()));
    std::copy(result.bytes.begin(), result.bytes.end(),
              results.bytes.begin() + static_cast<std::ptrdiff_t>(batch * result.bytes.size()));
  }
  write("stack.safetensors", stack);
  write("results.npy", results);
  const std::string with_stack = "check gemm --a stack.safetensors --b b.safetensors ";
  BOOST_TEST(assay(with_stack + "--got results.npy --batch 3").exit_code == 0);
  BOOST_TEST(assay(with_stack + "--got results.npy --batch 4").exit_code == 2);
  BOOST_TEST(assay(with_stack + "--got d.npy").exit_code == 2);
  for (std::size_t i = 24 * 17; i < 2 * 24 * 17; ++i)
    set_value(results, i, value(results, i) + 1 + static_cast<double>(i % 7));
  write("results.npy", results);
  BOOST_TEST(holds(assay(with_stack + "--got results.npy").out, "408 of 408 in batch 1 of 3"));
}

BOOST_FIXTURE_TEST_CASE(a_unit_predicts_bits_and_brings_its_own_bound, Gemm) {
  BOOST_TEST(exit_code("--got d.npy --unit chain_f32_fused --policy bit-equal") == 0);
  BOOST_TEST(exit_code("--got d.npy --unit chain_f32_rz --policy bit-equal") == 1);
  BOOST_TEST(exit_code("--got d.npy --unit chain_f32_fused") == 0);
  const Outcome unit = assay(operands + "--got d.npy --unit chain_f3_fused");
  BOOST_TEST(unit.exit_code == 2);
  BOOST_TEST(holds(unit.err, "near names: chain_f32_fused"));
  BOOST_TEST(holds(assay(operands + "--got d.npy --policy bit-equal").err, "--unit NAME"));
  BOOST_TEST(holds(assay(operands + "--got d.npy --unit chain_f32 --acc f64").err,
                   "--acc and --unit exclude each other"));
  BOOST_TEST(exit_code("--got d.npy --policy correctly-rounded") == 1);
  BOOST_TEST(exit_code("--got d.npy --policy tolerance --atol 1e-4 --because 'a test'") == 0);
}

// A vector makes a row, a column or one number: no matrix whose outputs have places.
BOOST_FIXTURE_TEST_CASE(a_unit_takes_vectors, Folder) {
  const auto reshaped = [](io::Array x, const io::Shape& shape) {
    x.shape = shape;
    return x;
  };
  const io::Array a = normal(f32, {6, 40}, 1), b = normal(f32, {40, 5}, 2);
  const io::Array row = normal(f32, {1, 40}, 3), column = normal(f32, {40, 1}, 4);
  write("a.npy", a);
  write("b.npy", b);
  write("row.npy", reshaped(row, {40}));
  write("column.npy", reshaped(column, {40}));
  write("a-column.npy", reshaped(product(a, column, f32), {6}));
  write("row-b.npy", reshaped(product(row, b, f32), {5}));
  write("row-column.npy", reshaped(product(row, column, f32), {}));
  for (const auto& [x, y] : {std::pair("a", "column"), std::pair("row", "b"), std::pair("row", "column")}) {
    const std::string files =
        std::string("gemm --a ") + x + ".npy --b " + y + ".npy --got " + x + "-" + y + ".npy ";
    for (const char* how : {"--unit chain_f32_fused", "--unit chain_f32_fused --policy bit-equal",
                            "--unit fma_f32", "--unit fma_f32 --policy bit-equal"}) {
      const Outcome right = assay("check " + files + how);
      BOOST_TEST(right.exit_code == 0, files + how + ": " + right.out + right.err);
    }
    const Outcome wrong = assay("check " + files + "--unit chain_f32_rz --policy bit-equal");
    BOOST_TEST(wrong.exit_code <= 1, wrong.err);
    const Outcome explained = assay("explain " + files + "--also chain_f32_fused");
    BOOST_TEST(explained.exit_code == 0, explained.err);
    BOOST_TEST(holds(explained.out, "chain_f32_fused"), explained.out);
  }
}

BOOST_FIXTURE_TEST_CASE(the_accumulator_and_the_order_decide_the_bound, Gemm) {
  const auto ratio = [&](const std::string& rest) {
    const json value = json::parse(assay(operands + "--got d.npy --json " + rest).out)
                           .at("comparison")
                           .at("over_bound")
                           .at("max")
                           .at("value");
    return value == "inf" ? INFINITY : value.get<double>();
  };
  BOOST_TEST(ratio("--order pairwise") > ratio("") * 2);
  BOOST_TEST(ratio("--order blocked:8") > ratio(""));
  BOOST_TEST(ratio("--acc bf16") < ratio("") / 1000);
  BOOST_TEST(ratio("--acc f64") > 100 * ratio(""));  // what is left is the rounding of the output
  BOOST_TEST(ratio("--mode toward-zero") < ratio(""));
  BOOST_TEST(exit_code("--got d.npy --order zigzag") == 2);
  BOOST_TEST(exit_code("--got d.npy --order blocked") == 2);
}

BOOST_FIXTURE_TEST_CASE(options_of_other_operations_are_refused, Gemm) {
  const Outcome axis = assay(operands + "--got d.npy --axis 0");
  BOOST_TEST(axis.exit_code == 2);
  BOOST_TEST(holds(axis.err, "--axis is an option of reduce, sum"));
  BOOST_TEST(holds(assay("check reduce --a d.npy --got d.npy --axis x").err,
                   "--axis: takes a whole number, not \"x\""));
  BOOST_TEST(holds(assay("check gem --a a.npy").err, "near names: gemm"));
  const auto says = [&](const std::string& rest) {
    const Outcome outcome = assay(operands + "--got d.npy " + rest);
    BOOST_TEST(outcome.exit_code == 2, rest);
    return outcome.err;
  };
  BOOST_TEST(holds(says("--bias-along rows"), "--bias-along requires --bias"));
  BOOST_TEST(holds(says("--bias-format bf16"), "--bias-format requires --bias\n"));
  BOOST_TEST(holds(says("--c-format bf16"), "--c-format requires --c\n"));
  BOOST_TEST(holds(says("--c-dtype bf16"), "--c-dtype requires --c\n"));
  BOOST_TEST(holds(says("--seed 3"), "--seed requires --sample"));
  BOOST_TEST(holds(says("--seed -1 --sample 1"), "--seed: takes a whole number"));
  BOOST_TEST(holds(says("--sample 0"), "--sample: takes"));
  BOOST_TEST(holds(says("--dtype float32 --shape 2x2"), "--dtype is for files without a header"));
  const auto reduction = [&](const std::string& rest) {
    return assay("check reduce --a d.npy --got d.npy " + rest).err;
  };
  BOOST_TEST(
      holds(reduction("--operation max --order pairwise"), "--order requires an --operation that sums"));
  BOOST_TEST(holds(reduction("--nan ignore"), "--nan requires --operation max, min or max_magnitude"));
  BOOST_TEST(
      holds(assay(operands + "--got d.npy --order pairwise --policy tolerance --atol 1 --because x").out,
            "note   --order narrows the bound, which policy tolerance does not look at"));
  BOOST_TEST(holds(assay("check gemm --a a.safetensors --got d.npy").err, "--b FILE"));
}

BOOST_FIXTURE_TEST_CASE(sparse_times_dense_keeps_order_and_explicit_zeros, Folder) {
  // Row 0: columns 3, 1, 1 again, and an explicit zero against infinity; row 1 is empty.
  io::SparseArray a;
  a.layout = io::SparseArray::Layout::csr;
  a.rows = 3;
  a.cols = 5;
  a.offsets = {0, 3, 3, 5};
  a.column_indices = {3, 1, 1, 0, 4};
  a.values = array_of(f32, {5}, {2, 0.5, 1e-3, 0, -1});
  const io::Array b = array_of(f32, {5, 2}, {INFINITY, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const double nan = std::nan("");
  const double x0 = static_cast<float>(1e-3);
  write("b.npy", b);
  io::write_sparse(path / "a.npz", a);
  write("d.npy", array_of(f32, {3, 2}, {2 * 6 + 0.5 * 2 + x0 * 2, 2 * 7 + 0.5 * 3 + x0 * 3, 0, 0, nan, -9}));
  const Outcome right = assay("check spmm --a a.npz --b b.npy --got d.npy");
  BOOST_TEST(right.exit_code == 0, right.out + right.err);
  BOOST_TEST(holds(right.out, "nnz=5"));
  BOOST_TEST(holds(right.out, "NaN 1/1"));
  // A kernel that skips explicit zeros.
  write("skips.npy",
        array_of(f32, {3, 2}, {2 * 6 + 0.5 * 2 + x0 * 2, 2 * 7 + 0.5 * 3 + x0 * 3, 0, 0, -8, -9}));
  BOOST_TEST(assay("check spmm --a a.npz --b b.npy --got skips.npy").exit_code == 1);
  BOOST_TEST(holds(assay("check gemm --a a.npz --b b.npy --got d.npy").err, "spmm"));
  BOOST_TEST(holds(assay("check spmm --a b.npy --b b.npy --got d.npy").err, "a sparse array (--a)"));
  // Transposed: 5 x 3 by 3 x 2.
  write("b3.npy", array_of(f32, {3, 2}, {1, 2, 3, 4, 5, 6}));
  write("dt.npy", array_of(f32, {5, 2}, {0, 0, 0.5 + x0, 2 * (0.5 + x0), 0, 0, 2, 4, -5, -6}));
  BOOST_TEST(assay("check spmm --a a.npz --transpose-a --b b3.npy --got dt.npy").exit_code == 0);
}

// A vector for B: the result is one too, and so is C.
BOOST_FIXTURE_TEST_CASE(sparse_matrix_times_a_vector, Folder) {
  io::SparseArray a;
  a.layout = io::SparseArray::Layout::csr;
  a.rows = 3;
  a.cols = 4;
  a.offsets = {0, 2, 2, 3};
  a.column_indices = {3, 0, 1};
  a.values = array_of(f32, {3}, {2, 0.5, -1});
  io::write_sparse(path / "a.npz", a);
  write("x.npy", array_of(f32, {4}, {4, 3, 7, 5}));
  write("c.npy", array_of(f32, {3}, {1, 2, 3}));
  write("bias.npy", array_of(f32, {3}, {10, 20, 30}));
  write("y.npy", array_of(f32, {3}, {12, 0, -3}));
  write("joined.npy", array_of(f32, {3}, {36, 24, 30}));
  const std::string operands = "check spmm --a a.npz --b x.npy ";
  const Outcome right = assay(operands + "--unit chain_f32_fused --policy bit-equal --got y.npy");
  BOOST_TEST(right.exit_code == 0, right.out + right.err);
  BOOST_TEST(holds(right.out, "n=1"));
  BOOST_TEST(
      assay(operands + "--alpha 2 --beta 2 --c c.npy --bias bias.npy --bias-along rows --got joined.npy")
          .exit_code == 0);
  write("wrong.npy", array_of(f32, {3}, {12, 0, 3}));
  const Outcome wrong = assay(operands + "--got wrong.npy");
  BOOST_TEST(wrong.exit_code == 1);
  BOOST_TEST(holds(wrong.out, "[2]"));
  write("column.npy", array_of(f32, {3, 1}, {12, 0, -3}));
  BOOST_TEST(assay(operands + "--got column.npy").exit_code == 0);  // the same values
  BOOST_TEST(holds(assay(operands + "--c column.npy --beta 1 --got y.npy").err, "C of shape"));
}

BOOST_FIXTURE_TEST_CASE(sampled_products, Folder) {
  io::SparseArray mask;
  mask.layout = io::SparseArray::Layout::csr;
  mask.rows = 3;
  mask.cols = 4;
  mask.offsets = {0, 2, 2, 5};
  mask.column_indices = {3, 0, 1, 2, 3};
  mask.values = array_of(f32, {5}, {1, 1, 1, 1, 1});
  const io::Array a = normal(bf16, {3, 8}, 1), b = normal(bf16, {8, 4}, 2), full = product(a, b, f32);
  io::Array d = io::make_array(f32, {5});
  const std::size_t places[] = {3, 0, 9, 10, 11};
  for (std::size_t e = 0; e < 5; ++e) set_code(d, e, code(full, places[e]));
  io::write_sparse(path / "mask.npz", mask);
  write("a.safetensors", a);
  write("b.safetensors", b);
  write("d.npy", d);
  io::SparseArray got = mask;
  got.values = d;
  io::write_sparse(path / "d.npz", got);
  const std::string operands = "check sddmm --mask mask.npz --a a.safetensors --b b.safetensors ";
  BOOST_TEST(assay(operands + "--got d.npy").exit_code == 0);
  BOOST_TEST(assay(operands + "--got d.npz").exit_code == 0);
  std::swap(got.column_indices[2], got.column_indices[4]);
  io::write_sparse(path / "other.npz", got);
  BOOST_TEST(holds(
      assay(operands + "--got other.npz").err,
      "row 2, entry 0 of it: expected the entries of mask.npz, in its order: column 1, found column 3"));
  set_value(d, 2, 40);
  write("d.npy", d);
  const Outcome one = assay(operands + "--got d.npy");
  BOOST_TEST(holds(one.out, "1 of 1 at [2] = row 2, column 1"));
  BOOST_TEST(holds(one.out, "[2] is row 2, column 1 of mask.npz"));
  for (const std::size_t e : {2U, 3U, 4U}) set_value(d, e, 40);
  write("d.npy", d);
  BOOST_TEST(holds(assay(operands + "--got d.npy").out, "3 of 3 in row 2 of the sparse matrix"));
}

BOOST_FIXTURE_TEST_CASE(dot_products_a_row, Folder) {
  const io::Array a = normal(bf16, {50, 64}, 1), b = normal(bf16, {50, 64}, 2), c = normal(f32, {50}, 3);
  io::Array d = io::make_array(f32, {50});
  for (std::size_t i = 0; i < 50; ++i) {
    float sum = static_cast<float>(value(c, i));
    for (std::size_t l = 0; l < 64; ++l)
      sum = std::fma(static_cast<float>(value(a, i * 64 + l)), static_cast<float>(value(b, i * 64 + l)), sum);
    set_value(d, i, static_cast<double>(sum));
  }
  write("a.safetensors", a);
  write("b.safetensors", b);
  write("c.npy", c);
  write("d.npy", d);
  const std::string operands = "check dot --a a.safetensors --b b.safetensors ";
  BOOST_TEST(assay(operands + "--c c.npy --got d.npy").exit_code == 0);
  BOOST_TEST(assay(operands + "--c c.npy --got d.npy --unit chain_f32_fused --policy bit-equal").exit_code ==
             0);
  BOOST_TEST(assay(operands + "--got d.npy").exit_code == 1);
  BOOST_TEST(assay(operands + "--c c.npy --got d.npy --alpha 2").exit_code == 2);
}

BOOST_FIXTURE_TEST_CASE(sums_and_other_reductions, Folder) {
  const io::Array x = normal(f32, {6, 7, 5}, 1);
  write("x.npy", x);
  float sum = 0;
  for (std::size_t i = 0; i < 210; ++i) sum += static_cast<float>(value(x, i));
  write("all.npy", array_of(f32, {}, {static_cast<double>(sum)}));
  write("all1.npy", array_of(f32, {1}, {static_cast<double>(sum)}));
  io::Array means = io::make_array(f32, {6, 5}), largest = means, kept = io::make_array(f32, {6, 1, 5});
  for (std::size_t o = 0; o < 6; ++o) {
    for (std::size_t i = 0; i < 5; ++i) {
      float total = 0, top = -INFINITY;
      for (std::size_t l = 0; l < 7; ++l) {
        const auto v = static_cast<float>(value(x, (o * 7 + l) * 5 + i));
        total += v;
        top = std::max(top, v);
      }
      set_value(means, o * 5 + i, static_cast<double>(total / 7));
      set_value(largest, o * 5 + i, static_cast<double>(top));
    }
  }
  kept.bytes = means.bytes;
  write("means.npy", means);
  write("largest.npy", largest);
  write("kept.npy", kept);
  BOOST_TEST(assay("check sum --a x.npy --got all.npy").exit_code == 0);
  BOOST_TEST(assay("check sum --a x.npy --got all1.npy").exit_code == 0);
  BOOST_TEST(assay("check sum --a x.npy --got all.npy --unit chain_f32 --policy bit-equal").exit_code == 0);
  BOOST_TEST(assay("check reduce --operation mean --axis 1 --a x.npy --got means.npy").exit_code == 0);
  BOOST_TEST(assay("check reduce --operation mean --axis -2 --a x.npy --got kept.npy").exit_code == 0);
  BOOST_TEST(assay("check reduce --operation mean --axis 1 --a x.npy --got means.npy --unit chain_f32 "
                   "--policy bit-equal")
                 .exit_code == 0);
  BOOST_TEST(holds(
      assay("check reduce --operation mean --axis 1 --a x.npy --got means.npy").out,
      "note   a mean may divide the sum by the number of terms, or multiply it by the rounded reciprocal"));
  BOOST_TEST(assay("check reduce --operation max --axis 1 --a x.npy --got largest.npy").exit_code == 0);
  BOOST_TEST(assay("check reduce --operation min --axis 1 --a x.npy --got largest.npy").exit_code == 1);
  BOOST_TEST(assay("check reduce --operation mean --axis 3 --a x.npy --got means.npy").exit_code == 2);
  BOOST_TEST(assay("check reduce --operation mean --axis 0 --a x.npy --got means.npy").exit_code == 2);
}

// A sum of values of the accumulator rounds n - 1 times: 1 + 2^-30 is 1 in every order and never 1 + 2^-23.
BOOST_FIXTURE_TEST_CASE(a_sum_has_a_rounding_less_than_a_dot_product, Folder) {
  write("two.npy", array_of(f32, {2}, {1, 0x1p-30}));
  write("right.npy", array_of(f32, {}, {1}));
  write("wrong.npy", array_of(f32, {}, {1 + 0x1p-23}));
  for (const char* how : {"", " --order sequential", " --order pairwise", " --product f32"}) {
    BOOST_TEST_CONTEXT("options" << how) {
      const std::string sum = std::string("check sum --a two.npy") + how + " --got ";
      BOOST_TEST(assay(sum + "right.npy").exit_code == 0);
      BOOST_TEST(assay(sum + "wrong.npy").exit_code == 1);
    }
  }
  // Both are values of bfloat16: rounding them to it first changes nothing. Of 1 + 2^-20 it leaves 1.
  BOOST_TEST(assay("check sum --a two.npy --product bf16 --got wrong.npy").exit_code == 1);
  write("odd.npy", array_of(f32, {2}, {1 + 0x1p-20, 0x1p-30}));
  BOOST_TEST(assay("check sum --a odd.npy --product bf16 --got right.npy").exit_code == 0);
  BOOST_TEST(assay("check sum --a odd.npy --got right.npy").exit_code == 1);
  // The sum of one value is that value.
  write("one.npy", array_of(f32, {3, 1}, {1, 2, 3}));
  write("one_sum.npy", array_of(f32, {3}, {1, 2, 3}));
  write("one_off.npy", array_of(f32, {3}, {1, 2, 3 + 0x1p-22}));
  BOOST_TEST(assay("check sum --axis 1 --a one.npy --got one_sum.npy").exit_code == 0);
  BOOST_TEST(assay("check sum --axis 1 --a one.npy --got one_off.npy").exit_code == 1);
}

BOOST_FIXTURE_TEST_CASE(convolutions, Folder) {
  const io::Array x = normal(bf16, {2, 3, 9, 8}, 1), w = normal(bf16, {4, 3, 3, 3}, 2),
                  bias = normal(f32, {4}, 3);
  io::Array y = io::make_array(f32, {2, 4, 5, 4});  // stride 2, padding 1
  for (std::size_t i = 0; i < 160; ++i) {
    const std::size_t q = i % 4, p = i / 4 % 5, o = i / 20 % 4, image = i / 80;
    float sum = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t s = 0; s < 3; ++s) {
          const std::size_t row = p * 2 + r, col = q * 2 + s;  // one more than in the image
          if (row == 0 || col == 0 || row > 9 || col > 8) continue;
          sum = std::fma(static_cast<float>(value(x, ((image * 3 + c) * 9 + row - 1) * 8 + col - 1)),
                         static_cast<float>(value(w, ((o * 3 + c) * 3 + r) * 3 + s)), sum);
        }
      }
    }
    set_value(y, i, static_cast<double>(sum + static_cast<float>(value(bias, o))));
  }
  write("x.safetensors", x);
  write("w.safetensors", w);
  write("bias.npy", bias);
  write("y.npy", y);
  const std::string operands = "check conv --a x.safetensors --b w.safetensors --stride 2 --pad 1 ";
  const Outcome right = assay(operands + "--bias bias.npy --got y.npy");
  BOOST_TEST(right.exit_code == 0, right.out + right.err);
  BOOST_TEST(assay(operands + "--got y.npy").exit_code == 1);
  BOOST_TEST(assay("check conv --a x.safetensors --b w.safetensors --got y.npy").exit_code == 2);
  BOOST_TEST(
      assay(operands + "--bias bias.npy --got y.npy --unit chain_f32_fused --policy bit-equal").exit_code ==
      0);
  BOOST_TEST(assay(operands + "--bias bias.npy --got y.npy --groups 2").exit_code == 2);
}

BOOST_FIXTURE_TEST_CASE(numbers_that_wrap_are_refused, Folder) {
  write("x.npy", normal(f32, {1, 2, 5, 5}, 1));
  write("w.npy", normal(f32, {2, 2, 3, 3}, 2));
  const std::string conv = "check conv --a x.npy --b w.npy --got x.npy ";
  for (const char* option : {"--pad -1", "--stride -2", "--dilation -1", "--groups -1",
                             "--pad 99999999999999999999999", "--dilation 9223372036854775808", "--stride 0",
                             "--groups 0", "--stride 1 -1", "--stride 4294967296 --dilation 4294967296",
                             "--dilation 9223372036854775807", "--pad 9223372036854775807"}) {
    BOOST_TEST_CONTEXT(option) { BOOST_TEST(assay(conv + option).exit_code == 2); }
  }
  BOOST_TEST(holds(assay(conv + "--pad -1").err, "takes a whole number from 0 to 2^63 - 1"));
  BOOST_TEST(holds(assay(conv + "--pad 9223372036854775807").err, "less than 2^64"));
  BOOST_TEST(assay("check gemm --a x.npy --b w.npy --got x.npy --batch -1").exit_code == 2);
}

// Numbers in text have no format: the product of one who read them as float32 fails, and the report says why.
BOOST_FIXTURE_TEST_CASE(sums_in_float64_for_the_sake_of_text_are_said, Folder) {
  io::SparseArray a;
  a.layout = io::SparseArray::Layout::csr;
  a.rows = a.cols = 2;
  a.offsets = {0, 2, 3};
  a.column_indices = {0, 1, 1};
  // 3 x 0.1 - 0.3 is what the reading left of both.
  a.values = array_of(formats::float64, {3}, {0.1, 0.3, 0.7});
  io::write_sparse(path / "a.mtx", a);
  write("b.npy", array_of(f32, {2, 1}, {3, -1}));
  const float left = std::fma(0.1F, 3.0F, -0.3F);
  write("d.npy", array_of(f32, {2, 1}, {static_cast<double>(left), static_cast<double>(-0.7F)}));
  const Outcome wide = assay("check spmm --a a.mtx --b b.npy --got d.npy");
  BOOST_TEST(wide.exit_code == 1);
  BOOST_TEST(holds(wide.out, "say --a-format f32"));
  const Outcome narrow = assay("check spmm --a a.mtx --b b.npy --got d.npy --a-format f32");
  BOOST_TEST(narrow.exit_code == 0);
  BOOST_TEST(!holds(narrow.out, "sums are taken to be in float64"));
}

BOOST_FIXTURE_TEST_CASE(files_without_a_header_have_shapes_of_their_own, Gemm) {
  const auto raw = [&](const std::string& name, const io::Array& x) {
    std::ofstream(path / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(x.bytes.data()), static_cast<std::streamsize>(x.bytes.size()));
  };
  raw("a.raw", a);
  raw("b.raw", b);
  raw("d.raw", d);
  const std::string files = "check gemm --a a.raw --b b.raw --got d.raw ";
  const std::string shapes = "--a-shape 24x40 --b-shape 40x17 --got-shape 24x17 ";
  BOOST_TEST(assay(files + shapes + "--dtype bfloat16 --got-dtype float32").exit_code == 0);
  BOOST_TEST(assay(files + shapes + "--dtype float32 --a-dtype bfloat16 --b-dtype bf16").exit_code == 0);
  BOOST_TEST(holds(assay(files + shapes + "--dtype bfloat16 --got-dtype flaot32").err, "--got-dtype takes "));
  BOOST_TEST(holds(assay(files + "--a-shape 24-40 --dtype bfloat16").err, "--a-shape takes "));
  BOOST_TEST(holds(assay(files + shapes + "--a-dtype bfloat16").err, "--b-shape requires "));
  BOOST_TEST(
      holds(assay(operands + "--a-dtype f32 --a-shape 24x40 --got d.npy").err, "a file without a header"));
}

BOOST_FIXTURE_TEST_CASE(the_name_of_a_case_holds_what_changes_the_result, Gemm) {
  const std::string plain = assay(operands + "--got d.npy").out;
  BOOST_TEST(holds(plain, "acc=f32  policy"));
  const Outcome full =
      assay(operands +
            "--c c.npy --bias bias.npy --alpha 0.5 --beta 2 --activation clip:-1:3 --order pairwise "
            "--got d.npy");
  BOOST_TEST(
      holds(full.out, "acc=f32 alpha=0.5 c=float32 beta=2 bias=float32 activation=clip:-1:3 order=pairwise"));
  BOOST_TEST(holds(assay(operands + "--got d.npy --overflow saturate --mode toward-zero").out,
                   "acc=f32 mode=toward-zero overflow=saturate"));
  write("x.npy", normal(f32, {1, 2, 9, 9}, 1));
  write("w.npy", normal(f32, {2, 2, 3, 3}, 2));
  write("y.npy", normal(f32, {1, 2, 5, 5}, 3));
  BOOST_TEST(holds(assay("check conv --a x.npy --b w.npy --dilation 2 --got y.npy").out,
                   "stride=1 pad=0 dilation=2 groups=1"));
  BOOST_TEST(
      holds(assay("check conv --a x.npy --b w.npy --stride 2 1 --pad 1 0 --dilation 1 2 --got y.npy").out,
            "stride=2x1 pad=1x0 dilation=1x2"));
}

BOOST_FIXTURE_TEST_CASE(a_message_names_the_option, Gemm) {
  const auto says = [&](const std::string& rest) { return assay(operands + "--got d.npy " + rest).err; };
  BOOST_TEST(holds(says("--alpha abc"), "--alpha takes "));
  const std::string number = " takes a finite number, decimal or C99 hexadecimal, not ";
  for (const char* typed : {"abc", "inf", "nan", "1,5", "bits:0x3f800000"}) {
    for (const char* option : {"--alpha", "--beta"}) {
      const std::string rest = std::string(option) == "--beta" ? "--c c.npy " : "";
      BOOST_TEST(holds(says(rest + option + " " + typed), std::string(option) + number + '"' + typed + '"'));
    }
  }
  BOOST_TEST(
      holds(says("--alpha 1e400"),
            "--alpha takes a number within the range of float32, the format of the sums: up to 3.403e+38, "
            "not \"1e400\""));
  BOOST_TEST(holds(says("--c c.npy --beta -1e39"), "--beta takes a number within the range of float32"));
  BOOST_TEST(holds(says("--alpha 1e-60"), "does not round to zero, not \"1e-60\""));
  BOOST_TEST(holds(says("--activation clip:a:1"), "--activation" + number));
  BOOST_TEST(holds(says("--activation clip:0:1e39"), "--activation takes a number within the range"));
  BOOST_TEST(holds(says("--acc foo"), "--acc takes "));
  BOOST_TEST(holds(says("--product fusd"), "--product takes fused, or "));
  BOOST_TEST(holds(says("--mode neerest"), "--mode takes "));
  BOOST_TEST(holds(says("--rounding neerest"), "--rounding takes "));
  BOOST_TEST(holds(says("--a-format foo"), "--a-format takes "));
  BOOST_TEST(holds(says("--format foo"), "--format takes "));
}

BOOST_FIXTURE_TEST_CASE(conversions, Folder) {
  const io::Array x = normal(f32, {1000}, 1);
  write("x.npy", x);
  write("y.safetensors", changed(x, bf16, [](double v, std::size_t) { return v; }));
  BOOST_TEST(assay("check convert --a x.npy --got y.safetensors").exit_code == 0);
  BOOST_TEST(assay("check convert --a x.npy --got y.safetensors --policy bit-equal").exit_code == 0);
  // Codes that are right have no worst one, though every exact value lies a little beside its code.
  BOOST_TEST(!holds(assay("check convert --a x.npy --got y.safetensors").out, "worst"));
  const Outcome cut =
      assay("check convert --a x.npy --got y.safetensors --policy bit-equal --rounding toward-zero");
  BOOST_TEST(cut.exit_code == 1);
  BOOST_TEST(assay("check convert --a x.npy --got y.safetensors --rounding stochastic").exit_code == 0);
  // Above the largest number: saturated or not is asked for.
  write("big.npy", array_of(f32, {2}, {1000, 1}));
  write("saturated.safetensors", array_of(formats::float8_e4m3fn, {2}, {448, 1}));
  BOOST_TEST(assay("check convert --a big.npy --got saturated.safetensors").exit_code == 1);
  BOOST_TEST(assay("check convert --a big.npy --got saturated.safetensors --overflow saturate").exit_code ==
             0);
}

// Numbers that the output holds, or that round to numbers of it, do not become infinite by the bound's own half ulp.
BOOST_FIXTURE_TEST_CASE(a_number_in_range_does_not_become_infinite, Folder) {
  const FormatSpec &f16 = formats::float16, &e4m3 = formats::float8_e4m3fn;
  const auto exit_code = [&](const FormatSpec& f, double x, double y, const std::string& rest = "") {
    write("x.npy", array_of(f32, {2}, {x, 1}));
    write("y.safetensors", array_of(f, {2}, {y, 1}));
    return assay("check convert --a x.npy --got y.safetensors" + rest).exit_code;
  };
  for (const double x : {65490.0, 65504.0, 65519.0, -65504.0}) {
    BOOST_TEST_CONTEXT(x) { BOOST_TEST(exit_code(f16, x, std::copysign(INFINITY, x)) == 1); }
  }
  BOOST_TEST(exit_code(f16, 65520, INFINITY) == 0);
  BOOST_TEST(exit_code(f16, 65520, INFINITY, " --overflow saturate") == 1);
  BOOST_TEST(exit_code(f16, 65505, INFINITY, " --rounding toward-positive") == 0);
  BOOST_TEST(exit_code(f16, 65505, INFINITY, " --rounding stochastic") == 0);
  BOOST_TEST(exit_code(f16, 65504, INFINITY, " --rounding stochastic") == 1);
  BOOST_TEST(exit_code(f16, 1e6, INFINITY, " --rounding toward-zero") == 1);
  for (const double x : {433.0, 448.0, 464.0, -440.0}) {
    BOOST_TEST_CONTEXT(x) { BOOST_TEST(exit_code(e4m3, x, NAN) == 1); }
  }
  BOOST_TEST(exit_code(e4m3, 465, NAN) == 0);
  BOOST_TEST(exit_code(bf16, 3.3895e38, INFINITY) == 1);
  // Products: 448 is exact, 463.9 below the tie at 464. 464.5 is above it, and its bfloat16 is the tie.
  write("a.npy", array_of(f32, {2, 1}, {448, 1}));
  write("b.npy", array_of(f32, {1, 1}, {1}));
  write("d.safetensors", array_of(e4m3, {2, 1}, {NAN, 1}));
  write("top.safetensors", array_of(e4m3, {2, 1}, {448, 1}));
  const auto product = [&](const std::string& got, const std::string& rest) {
    return assay("check gemm --a a.npy --b b.npy --got " + got + ".safetensors" + rest).exit_code;
  };
  BOOST_TEST(product("d", "") == 1);
  write("a.npy", array_of(f32, {2, 1}, {463.9, 1}));
  BOOST_TEST(product("d", "") == 1);
  BOOST_TEST(product("d", " --acc bf16") == 1);
  BOOST_TEST(product("top", "") == 0);
  write("a.npy", array_of(f32, {2, 1}, {464.5, 1}));
  BOOST_TEST(product("d", "") == 0);
  BOOST_TEST(product("top", "") == 1);
  BOOST_TEST(product("d", " --acc bf16") == 0);
  BOOST_TEST(product("top", " --acc bf16") == 0);
  BOOST_TEST(product("d", " --acc bf16 --overflow saturate") == 1);
  write("a.npy", array_of(f32, {2, 1}, {463.9, 1}));
  write("bias.npy", array_of(f32, {1}, {0}));
  BOOST_TEST(assay("check gemm --a a.npy --b b.npy --bias bias.npy --got d.safetensors").exit_code == 1);
}

// An output that saturates has no NaN and no infinity, however far the sums lie beyond its range.
BOOST_FIXTURE_TEST_CASE(a_saturated_output_holds_numbers, Gemm) {
  const FormatSpec& e4m3 = formats::float8_e4m3fn;
  write("a.safetensors", changed(a, bf16, [](double x, std::size_t) { return 64 * x; }));
  const auto scaled = [&](double x, std::size_t) { return std::clamp(64 * x, -448.0, 448.0); };
  write("right.safetensors", changed(d, e4m3, scaled));
  write("nan.safetensors", changed(d, e4m3, [](double x, std::size_t) { return 64 * x; }));
  BOOST_TEST(exit_code("--got right.safetensors --overflow saturate") == 0);
  BOOST_TEST(exit_code("--got nan.safetensors --overflow saturate") == 1);
  BOOST_TEST(exit_code("--got nan.safetensors") == 0);
}

BOOST_FIXTURE_TEST_CASE(what_proves_nothing_is_said, Gemm) {
  write("zero.safetensors", array_of(bf16, {24, 40}, std::vector<double>(960, 0)));
  write("zeros.npy", array_of(f32, {24, 17}, std::vector<double>(408, 0)));
  BOOST_TEST(assay("check gemm --a zero.safetensors --b b.safetensors --got zeros.npy").exit_code == 3);
  BOOST_TEST(
      assay("check gemm --a zero.safetensors --b b.safetensors --got zeros.npy --expects-zero").exit_code ==
      0);
  const Outcome loose = assay(operands + "--got d.npy --policy tolerance --atol 1000 --because 'a test'");
  BOOST_TEST(loose.exit_code == 3);
  BOOST_TEST(holds(loose.out, "why    an output of zeros would pass"));
  BOOST_TEST(exit_code("--got d.npy --policy tolerance --atol 1000 --because 'a test' --strict") == 3);
}
