// Files that NumPy, SciPy and safetensors' own package wrote (tests/data/io/make.py).
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>

#include "tests/validation/io/files.hpp"

using namespace assay;
using namespace assay::io;
using namespace assay::io::test;

namespace {

double half_steps(std::int64_t i) { return static_cast<double>(i) / 2 - 2; }

void expect_values(const Array& array, const Shape& shape, const ElementType& element,
                   const std::function<double(std::int64_t)>& value = half_steps) {
  BOOST_TEST(to_string(array.shape) == to_string(shape));
  BOOST_TEST(array.element.name() == element.name());
  BOOST_TEST_REQUIRE(array.bytes.size() == static_cast<std::size_t>(array.size()) * element.bytes());
  int wrong = 0;
  for (std::int64_t i = 0; i < array.size(); ++i) wrong += number(array, i) != value(i);
  BOOST_TEST(wrong == 0);
}

struct Entry {
  std::int64_t row, column;
  double value;
  friend bool operator==(const Entry&, const Entry&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Entry& e) {
    return out << "(" << e.row << "," << e.column << ") " << e.value;
  }
};

std::vector<Entry> by_row(const SparseArray& a) {
  const SparseArray csr = to_csr(a);
  check(csr);
  std::vector<Entry> entries;
  for (std::int64_t i = 0; i < csr.rows; ++i) {
    for (auto e = static_cast<std::size_t>(csr.offsets[static_cast<std::size_t>(i)]);
         e < static_cast<std::size_t>(csr.offsets[static_cast<std::size_t>(i) + 1]); ++e) {
      entries.push_back({i, csr.column_indices[e], number(csr.values, static_cast<std::int64_t>(e))});
    }
  }
  return entries;
}

void expect_entries(const SparseArray& a, SparseArray::Layout layout, const std::vector<Entry>& expected) {
  BOOST_TEST(name(a.layout) == name(layout));
  BOOST_TEST(a.rows == 4);
  BOOST_TEST(a.cols == 6);
  const std::vector<Entry> found = by_row(a);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

const std::vector<Entry> csr_entries{{0, 4, 1.5}, {0, 1, -2}, {1, 0, 0}, {3, 5, 4}, {3, 5, 5}, {3, 2, 6}};

}  // namespace

BOOST_AUTO_TEST_CASE(npy_of_numpy) {
  expect_values(read_array(file_of("f4.npy")), {3, 4}, formats::float32);
  expect_values(read_array(file_of("f4.npy.gz")), {3, 4}, formats::float32);
  expect_values(read_array(file_of("version2.npy")), {3, 4}, formats::float32);
  expect_values(read_array(file_of("version3.npy")), {3, 4}, formats::float32);
  expect_values(read_array(file_of("f8_big_endian.npy")), {3, 4}, formats::float64);
  expect_values(read_array(file_of("f2.npy")), {3, 4}, formats::float16);
  expect_values(read_array(file_of("i8.npy")), {3, 4}, ElementType::signed_integer(64),
                [](std::int64_t i) { return std::trunc(half_steps(i)); });
  expect_values(read_array(file_of("u1.npy")), {3, 4}, ElementType::unsigned_integer(8),
                [](std::int64_t i) { return static_cast<double>(i); });
  expect_values(read_array(file_of("bool.npy")), {3, 4}, ElementType::boolean(),
                [](std::int64_t i) { return half_steps(i) > 0; });
  expect_values(read_array(file_of("scalar.npy")), {}, formats::float64, [](std::int64_t) { return 0.1; });
  expect_values(read_array(file_of("empty.npy")), {0, 5}, formats::float32);
}

BOOST_AUTO_TEST_CASE(fortran_order_becomes_row_major) {
  const Array two = read_array(file_of("fortran.npy"));
  expect_values(two, {3, 4}, formats::float32);
  BOOST_TEST((two.file_order == Order::column_major));
  const Array three = read_array(file_of("three.npy"));
  expect_values(three, {2, 3, 4}, ElementType::signed_integer(32),
                [](std::int64_t i) { return static_cast<double>(i); });
  BOOST_TEST((three.file_order == Order::column_major));
}

BOOST_AUTO_TEST_CASE(npy_of_ml_dtypes) {
  // NumPy has no name for them, so the reader has to be told; float8_e5m2 alone is saved with a name of its own.
  for (const FormatSpec& f : {formats::bfloat16, formats::float8_e4m3fn}) {
    const std::string path = file_of(std::string(f.dtype) + ".npy");
    BOOST_CHECK_EXCEPTION(read_array(path), InputError, says("which format these codes have"));
    expect_values(read_array(path, {f, {}}), {3, 4}, f);
  }
  expect_values(read_array(file_of("float8_e5m2.npy")), {3, 4}, formats::float8_e5m2);
  const Array four = read_array(file_of("float4_e2m1fn.npy"), {formats::float4_e2m1fn, {}});
  BOOST_TEST(number(four, 0) == -2);
  BOOST_TEST(number(four, 7) == 1.5);
  // Codes of eight bits are no codes of four.
  BOOST_CHECK_EXCEPTION(read_array(file_of("float8_e4m3fn.npy"), {formats::float4_e2m1fn, {}}), InputError,
                        says("a code of float4_e2m1fn"));
}

BOOST_AUTO_TEST_CASE(npz_of_numpy) {
  expect_values(read_array(file_of("stored.npz:a")), {3, 4}, formats::float32);
  expect_values(read_array(file_of("stored.npz:b")), {3, 4}, formats::float64);
  expect_values(read_array(file_of("deflated.npz:a")), {64, 64}, formats::float32,
                [](std::int64_t) { return 0.0; });
  expect_values(read_array(file_of("deflated.npz:b")), {3, 4}, formats::float64);
  expect_values(read_array(file_of("single.npz")), {3, 4}, formats::float32);
  const std::vector<std::string> names = array_names(file_of("stored.npz")), expected{"a", "b"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(npz_of_scipy_keeps_order_zeros_and_repeats) {
  using Layout = SparseArray::Layout;
  expect_entries(read_sparse(file_of("scipy_csr.npz")), Layout::csr, csr_entries);
  expect_entries(read_sparse(file_of("scipy_csr_array.npz")), Layout::csr, csr_entries);
  expect_entries(read_sparse(file_of("scipy_csc.npz")), Layout::csc,
                 {{0, 0, -2}, {0, 5, 5}, {1, 2, 0}, {1, 4, 4}, {3, 0, 1.5}, {3, 5, 6}});
  expect_entries(read_sparse(file_of("scipy_coo.npz")), Layout::coo,
                 {{0, 4, -2}, {0, 1, 0}, {1, 0, 6}, {3, 5, 1.5}, {3, 5, 4}, {3, 2, 5}});
  expect_entries(read_sparse(file_of("scipy_bsr.npz")), Layout::bsr,
                 {{0, 4, 0},
                  {0, 5, 1},
                  {0, 0, 4},
                  {0, 1, 5},
                  {1, 4, 2},
                  {1, 5, 3},
                  {1, 0, 6},
                  {1, 1, 7},
                  {2, 2, 8},
                  {2, 3, 9},
                  {3, 2, 10},
                  {3, 3, 11}});
}

BOOST_AUTO_TEST_CASE(safetensors_of_its_package) {
  expect_values(read_array(file_of("single.safetensors")), {3, 4}, formats::float32);
  const std::string several = file_of("several.safetensors");
  expect_values(read_array(several + ":f64"), {3, 4}, formats::float64);
  expect_values(read_array(several + ":f32"), {3, 4}, formats::float32);
  expect_values(read_array(several + ":f16"), {3, 4}, formats::float16);
  expect_values(read_array(several + ":bf16"), {3, 4}, formats::bfloat16);
  expect_values(read_array(several + ":i32"), {3, 4}, ElementType::signed_integer(32),
                [](std::int64_t i) { return std::trunc(half_steps(i)); });
  expect_values(read_array(several + ":u8"), {3, 4}, ElementType::unsigned_integer(8),
                [](std::int64_t i) { return static_cast<double>(i); });
  expect_values(read_array(several + ":bool"), {3, 4}, ElementType::boolean(),
                [](std::int64_t i) { return half_steps(i) > 0; });
  expect_values(read_array(several + ":empty"), {0, 3}, formats::float32);
  expect_values(read_array(several + ":scalar"), {}, formats::float32,
                [](std::int64_t) { return double{0.1F}; });
  const Metadata expected{{"k", "4"}, {"op", "gemm"}, {"unit", "f32"}};
  BOOST_TEST((read_array(several + ":bf16").metadata == expected));
  BOOST_TEST(array_names(several).size() == 9U);
  expect_values(read_array(file_of("float8.safetensors:e4m3")), {3, 4}, formats::float8_e4m3fn);
  expect_values(read_array(file_of("float8.safetensors:e5m2")), {3, 4}, formats::float8_e5m2);
}

BOOST_AUTO_TEST_CASE(matrix_market_of_scipy) {
  using Layout = SparseArray::Layout;
  expect_entries(read_sparse(file_of("coordinate.mtx")), Layout::coo, csr_entries);
  expect_entries(read_sparse(file_of("coordinate.mtx.gz")), Layout::coo, csr_entries);
  const Array dense = read_array(file_of("array.mtx"));
  expect_values(dense, {3, 4}, formats::float64);
  BOOST_TEST((dense.file_order == Order::column_major));
  expect_values(read_array(file_of("array.mtx"), {formats::bfloat16, {}}), {3, 4}, formats::bfloat16);

  const SparseArray integer = read_sparse(file_of("integer.mtx"));
  BOOST_TEST(integer.values.element.name() == "int64");
  BOOST_TEST(number(integer.values, 4) == 9);

  const std::vector<double> lower{1, 0, 2, 0, 3, -4, 2, -4, 0.5}, skew{0, 1, -2, -1, 0, 3, 2, -3, 0};
  const auto of = [](const std::vector<double>& values) {
    return [&values](std::int64_t i) { return values[static_cast<std::size_t>(i)]; };
  };
  expect_values(to_dense(read_sparse(file_of("symmetric.mtx"))), {3, 3}, formats::float64, of(lower));
  expect_values(read_array(file_of("symmetric_array.mtx")), {3, 3}, formats::float64, of(lower));
  expect_values(to_dense(read_sparse(file_of("skew.mtx"))), {3, 3}, ElementType::signed_integer(64),
                of(skew));
  expect_values(to_dense(read_sparse(file_of("pattern.mtx"))), {3, 3}, formats::float64,
                [&](std::int64_t i) { return lower[static_cast<std::size_t>(i)] != 0; });
}

BOOST_AUTO_TEST_CASE(refused_with_a_sentence) {
  BOOST_CHECK_EXCEPTION(read_array(file_of("refused_object.npy")), InputError, says("Python objects"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("refused_structured.npy")), InputError, says("a structured type"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("refused_complex.npy")), InputError, says("complex numbers"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("refused_text.npy")), InputError, says("text"));
  BOOST_CHECK_EXCEPTION(read_sparse(file_of("refused_dia.npz")), InputError,
                        says("\"dia\"; SciPy converts with"));
  BOOST_CHECK_EXCEPTION(read_sparse(file_of("refused_complex.mtx")), InputError,
                        says("found complex symmetric"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("stored.npz")), InputError, says("2 arrays: a, b"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("stored.npz:c")), InputError, says("known: a, b"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("several.safetensors:f23")), InputError, says("near names: "));
  BOOST_CHECK_EXCEPTION(read_array(file_of("f4.npy:a")), InputError,
                        says("npz or safetensors, to hold an array"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("scipy_csr.npz")), InputError, says("a sparse matrix in csr"));
  BOOST_CHECK_EXCEPTION(read_sparse(file_of("f4.npy")), InputError, says("a dense array of shape [3,4]"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("absent.npy")), InputError, says("No such file"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("make.py")), InputError,
                        says("npy, npz, safetensors or Matrix Market"));
  BOOST_CHECK_EXCEPTION(read_array(file_of("f4.npy"), {formats::bfloat16, {}}), InputError,
                        says("found float32"));
}
