// SparseArray and Array in memory.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "tests/validation/io/files.hpp"

using namespace assay;
using namespace assay::io;
using namespace assay::io::test;

namespace {

// 3 x 4; row 0 holds columns 3 and 0 in this order, row 1 nothing, row 2 column 1.
SparseArray small() {
  SparseArray a;
  a.layout = SparseArray::Layout::csr;
  a.rows = 3;
  a.cols = 4;
  a.offsets = {0, 2, 2, 3};
  a.column_indices = {3, 0, 1};
  a.values = make_array(formats::float32, {3});
  a.values.as<float>()[0] = 1;
  a.values.as<float>()[1] = 2;
  a.values.as<float>()[2] = 3;
  a.origin = "small";
  return a;
}

void expect_fault(const std::function<void(SparseArray&)>& plant, const char* said) {
  SparseArray a = small();
  plant(a);
  BOOST_CHECK_EXCEPTION(check(a), InputError, says(said));
}

}  // namespace

BOOST_AUTO_TEST_CASE(check_finds_every_plant) {
  check(small());
  expect_fault([](SparseArray& a) { a.rows = -1; }, "rows and columns from 0");
  expect_fault([](SparseArray& a) { a.cols = std::int64_t{1} << 31; }, "rows and columns from 0");
  expect_fault([](SparseArray& a) { a.offsets.pop_back(); }, "offsets: expected 4 elements, found 3");
  expect_fault([](SparseArray& a) { a.offsets[0] = 1; }, "offsets[0]");
  expect_fault([](SparseArray& a) { a.offsets[2] = 1; }, "offsets[2]: expected at least 2, found 1");
  expect_fault([](SparseArray& a) { a.offsets[3] = 4; }, "offsets[3]: expected 3, the number of entries");
  expect_fault([](SparseArray& a) { a.column_indices[1] = 4; },
               "column_indices[1]: expected an index from 0");
  expect_fault([](SparseArray& a) { a.column_indices[1] = -1; }, "column_indices[1]");
  expect_fault([](SparseArray& a) { a.column_indices.pop_back(); }, "data: expected the shape [2]");
  expect_fault([](SparseArray& a) { a.row_indices = {0}; }, "row_indices: expected 0 elements");
  expect_fault(
      [](SparseArray& a) {
        a.layout = SparseArray::Layout::bsr;
        a.block_rows = 2;
      },
      "blocks that divide [3,4]");
}

// A header of a few bytes may claim any shape below 2^31.
BOOST_AUTO_TEST_CASE(dense_forms_beyond_memory_are_refused) {
  for (const std::int64_t side : {std::int64_t{1} << 22, std::int64_t{2'000'000'000}}) {
    SparseArray a;
    a.rows = a.cols = side;
    a.row_indices = {0};
    a.column_indices = {static_cast<std::int32_t>(side - 1)};
    a.values = make_array(formats::float64, {1});
    a.origin = "huge.mtx";
    check(a);
    BOOST_CHECK_EXCEPTION(to_dense(a), InputError, says("huge.mtx: expected a dense array of shape"));
  }
}

BOOST_AUTO_TEST_CASE(to_reference_keeps_what_it_can_hold) {
  BOOST_CHECK_EXCEPTION(to_reference_csr(small()), InputError, says("row 0: expected columns that ascend"));
  SparseArray a = small();
  a.column_indices = {0, 3, 1};
  const sparse::Csr<float> csr = to_reference_csr(a);
  sparse::check(csr);
  BOOST_TEST(csr.nnz() == 3);
  BOOST_TEST(csr.row_values(2)[0] == 3);
  a.column_indices = {0, 0, 1};
  BOOST_CHECK_THROW(to_reference_csr(a), InputError);
  a.column_indices = {0, 3, 1};
  a.values = reinterpret_as(make_array(ElementType::unsigned_integer(16), {3}), formats::bfloat16);
  BOOST_CHECK_EXCEPTION(to_reference_csr(a), InputError, says("found bfloat16"));
}

BOOST_AUTO_TEST_CASE(indices_are_narrowed_with_a_check) {
  const SparseArray a = small();
  BOOST_TEST((narrowed_indices(a, "column_indices", {0, 2147483647, -1}, 4) ==
              std::vector<std::int32_t>{0, 2147483647, -1}));  // check() says what is wrong with them
  BOOST_CHECK_EXCEPTION(narrowed_indices(a, "column_indices", {0, std::int64_t{1} << 31}, 4), InputError,
                        says("column_indices[1]: expected an index from 0 to below 4, found 2147483648"));
}

BOOST_AUTO_TEST_CASE(rows_are_a_view_of_csr_alone) {
  SparseArray a = small();
  const sparse::CsrView view = a.csr_view();
  BOOST_TEST(view.nnz() == 3);
  BOOST_TEST(view.row_columns(2)[0] == 1);
  sparse::check(view, sparse::ColumnOrder::stored);
  a.layout = SparseArray::Layout::csc;
  BOOST_CHECK_THROW(a.csr_view(), ContractError);
}

BOOST_AUTO_TEST_CASE(to_dense_places_entries_once) {
  const Array dense = to_dense(small());
  const float expected[] = {2, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0};
  BOOST_TEST(dense.as<float>() == expected, boost::test_tools::per_element());
  SparseArray twice = small();
  twice.column_indices[1] = 3;
  BOOST_CHECK_EXCEPTION(to_dense(twice), InputError, says("entry [0,3]"));
}

BOOST_AUTO_TEST_CASE(codes_become_a_format) {
  Array codes = make_array(ElementType::unsigned_integer(16), {2});
  codes.as<std::uint16_t>()[0] = 0x3F80;
  codes.origin = "codes.npy";
  BOOST_TEST(number(reinterpret_as(Array(codes), formats::bfloat16), 0) == 1);
  BOOST_TEST(number(reinterpret_as(Array(codes), formats::float16), 0) == 1.875);
  BOOST_CHECK_EXCEPTION(reinterpret_as(Array(codes), formats::float32), InputError,
                        says("codes.npy: expected codes of float32: integers of 32 bits, found uint16"));
  BOOST_CHECK_THROW(reinterpret_as(make_array(formats::float16, {1}), formats::bfloat16), InputError);
  BOOST_CHECK_THROW(reinterpret_as(make_array(ElementType::boolean(), {1}), formats::float8_e5m2),
                    InputError);

  Array six = make_array(ElementType::unsigned_integer(8), {2});
  six.as<std::uint8_t>()[1] = 0x40;
  BOOST_CHECK_EXCEPTION(reinterpret_as(std::move(six), formats::float6_e3m2fn), InputError,
                        says("element 1: expected a code of float6_e3m2fn, at most 63, found 64"));
}

BOOST_AUTO_TEST_CASE(views_are_of_what_the_array_holds) {
  const Array bf16 = make_array(formats::bfloat16, {3});
  BOOST_TEST(bf16.as<bf16_t>().size() == 3U);
  BOOST_TEST(bf16.as<std::uint16_t>().size() == 3U);
  BOOST_CHECK_THROW(bf16.as<f16_t>(), ContractError);
  BOOST_CHECK_THROW(bf16.as<std::int16_t>(), ContractError);
  BOOST_CHECK_THROW(bf16.as<float>(), ContractError);
  BOOST_CHECK_THROW(make_array(ElementType::signed_integer(32), {1}).as<float>(), ContractError);
  BOOST_CHECK_THROW(make_array(ElementType::boolean(), {1}).element.format(), ContractError);
}

BOOST_AUTO_TEST_CASE(shapes_and_names) {
  BOOST_TEST(make_array(formats::float32, {}).size() == 1);
  BOOST_TEST(make_array(formats::float32, {0, std::int64_t{1} << 40}).size() == 0);
  BOOST_CHECK_THROW(make_array(formats::float32, {-1}), ContractError);
  BOOST_CHECK_THROW(make_array(formats::float32, {std::int64_t{1} << 62}), ContractError);
  BOOST_CHECK_THROW(make_array(formats::float32, {std::int64_t{1} << 60}), Unavailable);
  for (const char* name : {"bool", "int8", "uint64", "bfloat16", "float8_e4m3fn"}) {
    BOOST_TEST(parse_element_type(name).name() == name);
  }
  BOOST_TEST(parse_element_type("bf16").name() == "bfloat16");
  BOOST_CHECK_EXCEPTION(parse_element_type("int3"), InputError, says("near names: int"));
}
