// Files that are wrong on purpose: each is an InputError that says what is wrong, and none costs memory first.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/validation/io/files.hpp"
#include "validation/io/zip.hpp"

using namespace assay;
using namespace assay::io;
using namespace assay::io::test;

namespace {

struct Bad {
  std::string name, bytes, says;
};

void expect_all_refused(const char* file, const std::vector<Bad>& all, const ReadOptions& options = {}) {
  const Folder folder;
  for (const Bad& bad : all) {
    BOOST_TEST_CONTEXT(bad.name) {
      const std::string path = folder.make(file, bad.bytes);
      BOOST_CHECK_EXCEPTION(read_any(path, options), InputError, says(bad.says));
      BOOST_CHECK_EXCEPTION(read_any(path, options), InputError, says(path));
    }
  }
}

std::string zeros(std::size_t n) { return std::string(n, '\0'); }
std::string repeated(std::string_view text, int n) {
  std::string out;
  while (n-- > 0) out += text;
  return out;
}

constexpr const char* dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";

std::string mtx(std::string_view banner, std::string_view rest) {
  return "%%MatrixMarket matrix " + std::string(banner) + "\n" + std::string(rest);
}

std::string tensor(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return "{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":" + std::string(offsets) + "}";
}
std::string one(std::string_view dtype, std::string_view shape, std::string_view offsets, std::size_t bytes) {
  return safetensors("{\"x\":" + tensor(dtype, shape, offsets) + "}", zeros(bytes));
}
std::string two(std::string_view first, std::string_view second, std::size_t bytes) {
  return safetensors("{\"x\":" + tensor("U8", "[4]", first) + ",\"y\":" + tensor("U8", "[4]", second) + "}",
                     zeros(bytes));
}

}  // namespace

BOOST_AUTO_TEST_CASE(npy_files) {
  const std::string good = npy(dict, zeros(8));
  std::string version9 = good;
  version9[6] = 9;
  expect_all_refused(
      "x.npy",
      {
          {"empty", "", "8 bytes of npy header, found the end after 0"},
          {"no magic", "hello, world, this is text", "an npy file"},
          {"only magic", good.substr(0, 6), "8 bytes of npy header"},
          {"version 9", version9, "npy version 1, 2 or 3, found 9"},
          {"header past the end", good.substr(0, 8) + "\xff\xff" + good.substr(10),
           "a header inside the file"},
          {"2^32 - 1 bytes of header", "\x93NUMPY" + std::string("\2\0\xff\xff\xff\xff", 6),
           "a header inside the file"},
          {"truncated data", good.substr(0, good.size() - 1), "8 bytes of data for float32 of shape [2]"},
          {"more data", good + "x", "the end after the array, found more bytes"},
          {"2^63", npy("<f4", "(9223372036854775808,)", ""), "a dimension from 0 to below 2^63"},
          {"2^62 elements", npy("<f4", "(4611686018427387904,)", ""), "a shape of less than 2^63 bytes"},
          {"a product of 2^64", npy("<f4", "(4294967296, 4294967296)", ""),
           "a shape of less than 2^63 bytes"},
          {"a product of 2^64 and none", npy("<f4", "(4294967296, 4294967296, 0)", ""),
           "less than 2^63 bytes"},
          {"2^40 bytes that are not there", npy("|u1", "(1099511627776,)", "x"),
           "1099511627776 bytes of data"},
          {"negative", npy("<f4", "(-2,)", zeros(8)), "a dimension from 0 to below 2^63, found \"-2"},
          {"float dimension", npy("<f4", "(2.0,)", zeros(8)), "found \".0,"},
          {"65 dimensions", npy("|u1", "(" + repeated("1, ", 65) + ")", "x"), "at most 64 dimensions"},
          {"a number for a shape", npy("<f4", "(2)", zeros(8)), "',' after a single dimension"},
          {"a list for a shape", npy("<f4", "[2]", zeros(8)), "expected '('"},
          {"object", npy("|O", "(1,)", zeros(8)), "Python objects"},
          {"structured", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", zeros(4)),
           "a structured type"},
          {"sub-array", npy("{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (1,), }", zeros(8)),
           "a structured type"},
          {"long double", npy("<f16", "(1,)", zeros(16)), "elements of 1, 2, 4 or 8 bytes"},
          {"void of 3", npy("|V3", "(1,)", zeros(3)), "elements of 1, 2, 4 or 8 bytes"},
          {"void of 2", npy("<V2", "(1,)", zeros(2)), "which format these codes have"},
          {"dates", npy("<M8", "(1,)", zeros(8)), "dates or times"},
          {"no type", npy("<f", "(1,)", zeros(8)), "elements of 1, 2, 4 or 8 bytes"},
          {"a type of 2^64 bytes", npy("<f18446744073709551616", "(1,)", zeros(8)),
           "elements of 1, 2, 4 or 8"},
          {"no type at all", npy("", "(1,)", zeros(8)), "elements of 1, 2, 4 or 8 bytes"},
          {"bool of 2", npy("|b1", "(2,)", "\1\2"), "element 1: expected a bool of 0 or 1, found 2"},
          {"no dict", npy("", ""), "expected '{', found the end of the header"},
          {"not closed", npy("{'descr': '<f4'", ""), "expected '}'"},
          {"no closing quote", npy("{'descr: 1}", ""), "the closing quote"},
          {"escape", npy("{'des\\x63r': '<f4'}", ""), "a word without escapes"},
          {"a key twice", npy("{'descr': '<f4', 'descr': '<f8'}", ""), "a second \"descr\""},
          {"a key of its own", npy("{'order': 1}", ""), "found \"order\""},
          {"a key less", npy("{'descr': '<f4', 'shape': ()}", zeros(4)), "found fewer"},
          {"code behind the dict", npy("{'descr': '<f4', 'fortran_order': True, 'shape': ()} or 1", zeros(4)),
           "the end of the header, found \"or 1\""},
          {"an expression", npy("{'descr': '<f4', 'fortran_order': 1 == 1, 'shape': ()}", zeros(4)),
           "True or False"},
      });
}

BOOST_AUTO_TEST_CASE(sound_but_unusual_npy_headers) {
  const Folder folder;
  const auto read = [&](const std::string& bytes) { return read_array(folder.make("x.npy", bytes)); };
  BOOST_TEST(read(npy(R"({"shape":(2,),"fortran_order":True,"descr":"=f4"})", zeros(8))).size() == 2);
  BOOST_TEST(read(npy("{'shape': (2L, 1L), 'fortran_order': False, 'descr': '|i1'}", zeros(2))).size() == 2);
  BOOST_TEST(read(npy("bfloat16", "(1,)", zeros(2))).element.name() == "bfloat16");
  BOOST_TEST(to_string(read(npy("|u1", "(0, 9223372036854775807)", "")).shape) == "[0,9223372036854775807]");
  BOOST_TEST(read(npy(">u2", "(1,)", "\1\2")).code(0) == 0x0102U);
}

BOOST_AUTO_TEST_CASE(safetensors_files) {
  const std::string good = one("F32", "[2]", "[0,8]", 8);
  expect_all_refused(
      "x.safetensors",
      {
          {"empty", "", "8 bytes of header length, found the end after 0"},
          {"seven bytes", zeros(7), "8 bytes of header length"},
          {"header past the end", little(1000, 8) + "{}", "a header of at most 2 bytes, found 1000"},
          {"2^64 - 1 bytes of header", little(UINT64_MAX, 8) + "{}", "a header of at most 2 bytes"},
          {"no brace", little(2, 8) + "[]", "starts with '{'"},
          {"no header", zeros(8), "starts with '{'"},
          {"no JSON", safetensors("{\"x\":", ""), "byte 14: expected JSON"},
          {"not UTF-8", safetensors("{\"\xff\":1}", ""), "expected JSON"},
          {"nested", safetensors("{\"x\":" + repeated("[", 1000), ""), "nested deeper"},
          {"name twice",
           safetensors(
               "{\"x\":" + tensor("U8", "[1]", "[0,1]") + ",\"x\":" + tensor("U8", "[1]", "[0,1]") + "}",
               "1"),
           "a second \"x\""},
          {"field twice",
           safetensors(R"({"x":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}})", "1"),
           "a second \"dtype\""},
          {"field of its own",
           safetensors(R"({"x":{"dtype":"U8","shape":[],"data_offsets":[0,1],"a":1}})", "1"), "found \"a\""},
          {"no dtype", safetensors(R"({"x":{"shape":[],"data_offsets":[0,1]}})", "1"), "the field dtype"},
          {"no tensor", safetensors(R"({"x":3})", ""), "an object, found number"},
          {"another dtype", one("F128", "[1]", "[0,16]", 16), "found \"F128\""},
          {"complex", one("C64", "[1]", "[0,8]", 8), "found C64: complex numbers"},
          {"six bits", one("F6_E2M3", "[4]", "[0,3]", 3), "found F6_E2M3: 6-bit codes"},
          {"six bits in part of a byte", one("F6_E3M2", "[3]", "[0,3]", 3), "F6_E3M2 codes fill whole bytes"},
          {"half a byte", one("F4", "[3]", "[0,2]", 2), "a shape whose F4 codes fill whole bytes, found [3]"},
          {"padded with NUL", safetensors("{\"x\":" + tensor("U8", "[1]", "[0,1]") + "}" + zeros(3), "1"),
           "byte 61: expected a header padded with blanks, found a NUL"},
          {"starts with NUL", safetensors(zeros(1) + "{}", ""), "starts with '{'"},
          {"offsets lie, more", one("F32", "[2]", "[0,12]", 12), "data_offsets 8 bytes apart"},
          {"offsets lie, less", one("F32", "[2]", "[0,4]", 4), "data_offsets 8 bytes apart"},
          {"offsets fall", one("F32", "[2]", "[8,0]", 8), "data_offsets that do not fall"},
          {"one offset", one("F32", "[2]", "[0]", 8), "two data_offsets, found 1"},
          {"negative offset", one("F32", "[2]", "[-8,0]", 8), "data_offsets of whole numbers"},
          {"2^64 offset", one("F32", "[2]", "[0,18446744073709551616]", 8), "data_offsets of whole numbers"},
          {"float offset", one("F32", "[2]", "[0,8.0]", 8), "data_offsets of whole numbers"},
          {"2^63", one("F32", "[9223372036854775808]", "[0,8]", 8), "dimensions below 2^63"},
          {"a product of 2^64", one("U8", "[4294967296,4294967296]", "[0,0]", 0),
           "a shape of less than 2^60 bytes"},
          {"2^50 bytes", one("U8", "[1125899906842624]", "[0,1125899906842624]", 0),
           "1125899906842624 bytes of data"},
          {"a number for a shape", one("F32", "2", "[0,8]", 8), "shape as a list"},
          {"does not start at 0", one("U8", "[1]", "[1,2]", 2),
           "data from byte 0 on, found byte 1, after a gap"},
          {"gap", two("[0,4]", "[5,9]", 9), "found byte 5, after a gap"},
          {"overlap", two("[0,4]", "[2,6]", 6), "found byte 2, inside the tensor before"},
          {"same place", two("[0,4]", "[0,4]", 4), "inside the tensor before"},
          {"truncated", good.substr(0, good.size() - 1), "8 bytes of data, found at most 7"},
          {"more data", good + "x", "the end after the tensors"},
          {"metadata no object", safetensors(R"({"__metadata__":[]})", ""),
           "__metadata__: expected an object"},
          {"metadata no string", safetensors(R"({"__metadata__":{"k":3}})", ""), "\"k\" as a string"},
          {"bool of 2", one("BOOL", "[1]", "[0,1]", 0) + "\2", "a bool of 0 or 1"},
          {"nothing in it", safetensors("{}", ""), "one tensor, or the name of one"},
      });
}

BOOST_AUTO_TEST_CASE(matrix_market_files) {
  const std::string real = "coordinate real general", dense = "array real general";
  expect_all_refused(
      "x.mtx",
      {
          {"empty", "", "line 1: expected %%MatrixMarket"},
          {"no banner", "1 1 1\n1 1 1\n", "%%MatrixMarket matrix"},
          {"vector", "%%MatrixMarket vector coordinate real general\n", "%%MatrixMarket matrix"},
          {"another word", mtx("coordinate real general too", ""), "%%MatrixMarket matrix"},
          {"a word less", mtx("coordinate real", ""), "%%MatrixMarket matrix"},
          {"complex", mtx("coordinate complex general", "1 1 0\n"), "found complex general"},
          {"hermitian", mtx("array complex hermitian", "1 1\n"), "found complex hermitian"},
          {"pattern array", mtx("array pattern general", "1 1\n"), "%%MatrixMarket matrix"},
          {"pattern skew", mtx("coordinate pattern skew-symmetric", "1 1 0\n"), "%%MatrixMarket matrix"},
          {"no sizes", mtx(real, "% only this\n"), "line with rows, columns and entries"},
          {"two sizes", mtx(real, "2 2\n"),
           "line 2: expected entries from 0 to 9223372036854775807, found the end of the line"},
          {"no sizes at all", mtx(real, ""), "line 2: expected 1 line with rows, columns and entries"},
          {"four sizes", mtx(real, "2 2 0 0\n"), "the end of the line, found \"0\""},
          {"negative size", mtx(real, "-2 2 0\n"), "rows from 0 to 2147483647"},
          {"2^31 rows", mtx(real, "2147483648 2 0\n"), "rows from 0 to 2147483647"},
          {"2^63 columns", mtx(real, "2 9223372036854775808 0\n"), "columns from 0 to 2147483647"},
          {"10^15 entries", mtx(real, "2 2 1000000000000000\n1 1 1\n"),
           "line 4: expected 1000000000000000 entries, found the end of the file after 1"},
          {"no entries", mtx(real, "2 2 3\n"),
           "line 3: expected 3 entries, found the end of the file after 0"},
          {"2^63 entries", mtx(real, "2 2 9223372036854775808\n"), "line 2: expected entries from 0"},
          // A pattern's entries under a header that says real: the fault is the entry's.
          {"values missing in every entry", mtx(real, "2 2 2\n1 1\n2 2\n"),
           "line 3: expected a value after row and column, since the matrix is real by line 1, found the end "
           "of the "
           "line"},
          {"a count too high", mtx(real, "2 2 3\n1 1 1.00000\n2 2 1.000000\n"), "3 entries, found the end"},
          {"a count too low", mtx(real, "2 2 1\n1 1 1\n2 2 1\n"), "the end after 1 entries"},
          {"row 0", mtx(real, "2 2 1\n0 1 1\n"), "line 3: expected a row from 1 to 2, found \"0\""},
          {"row 3", mtx(real, "2 2 1\n3 1 1\n"), "a row from 1 to 2, found \"3\""},
          {"column 3", mtx(real, "2 2 1\n1 3 1\n"), "a column from 1 to 2, found \"3\""},
          {"an entry in an empty matrix", mtx(real, "0 0 1\n1 1 1\n"), "a row from 1 to 0"},
          {"float row", mtx(real, "2 2 1\n1.0 1 1\n"), "a row from 1 to 2"},
          {"no value", mtx(real, "2 2 1\n1 1    \n"),
           "a value after row and column, since the matrix is real"},
          {"two values", mtx(real, "2 2 1\n1 1 1 2\n"), "the end of the line, found \"2\""},
          {"no number", mtx(real, "2 2 1\n1 1 one\n"), "a number, found \"one\""},
          {"Fortran's D", mtx(real, "2 2 1\n1 1 1D0\n"), "a number, found \"1D0\""},
          {"float in integer", mtx("coordinate integer general", "2 2 1\n1 1 1.5\n"),
           "an integer of 64 bits"},
          {"2^63 in integer", mtx("coordinate integer general", "2 2 1\n1 1 9223372036854775808\n"),
           "an integer of 64 bits"},
          {"a value in a pattern", mtx("coordinate pattern general", "2 2 1\n1 1 1\n"),
           "the end of the line"},
          {"cut line", mtx(real, "2 2 2\n1 1 1.2"),
           "line 4: expected 2 entries, found the end of the file after 1"},
          {"cut entry", mtx(real, "2 2 1\n1 1"), "line 3: expected a value after row and column"},
          {"long line", mtx(real, std::string(5000, ' ') + "\n"), "a line of at most 4096 bytes"},
          {"symmetric, not square", mtx("coordinate real symmetric", "2 3 0\n"), "a square matrix"},
          {"symmetric, above", mtx("coordinate real symmetric", "2 2 1\n1 2 1\n"),
           "on or below the diagonal"},
          {"skew, diagonal", mtx("coordinate real skew-symmetric", "2 2 1\n1 1 1\n"),
           "line 3: expected a zero on the diagonal, the matrix being skew-symmetric, found \"1\" in row 1, "
           "column 1"},
          {"skew, NaN diagonal", mtx("coordinate real skew-symmetric", "2 2 1\n1 1 nan\n"),
           "a zero on the diagonal"},
          {"skew, -2^63", mtx("coordinate integer skew-symmetric", "2 2 1\n2 1 -9223372036854775808\n"),
           "-2^63"},
          {"values missing", mtx(dense, "2 2\n1.00\n2.00\n3.00\n"),
           "4 values, found the end of the file after 3"},
          {"values too many", mtx(dense, "1 1\n1\n2\n"), "the end after 1 values"},
          {"array too large", mtx(dense, "2147483647 2147483647\n1\n"),
           "line 4: expected 4611686014132420609 values, found the end of the file after 1"},
          {"symmetric array too large", mtx("array real symmetric", "2147483647 2147483647\n1\n"),
           "line 4: expected 2305843008139952128 values, found the end of the file after 1"},
          {"array too large, with a wrong value", mtx(dense, "2147483647 2147483647\nx\n"),
           "line 3: expected a number"},
      });
  expect_all_refused("x.mtx",
                     {{"NaN in a format without", mtx(real, "2 2 1\n1 1 nan\n"), "float6_e3m2fn has"}},
                     {formats::float6_e3m2fn, {}});
}

// What SciPy's mmread takes as well.
BOOST_AUTO_TEST_CASE(sound_but_unusual_matrix_market_files) {
  const Folder folder;
  const std::string real = "coordinate real general";
  const auto dense = [&](const std::string& bytes) {
    const AnyArray any = read_any(folder.make("x.mtx", bytes));
    const Array array =
        std::holds_alternative<Array>(any) ? std::get<Array>(any) : to_dense(std::get<SparseArray>(any));
    std::vector<double> values;
    for (std::int64_t i = 0; i < array.size(); ++i) values.push_back(number(array, i));
    return values;
  };
  const std::vector<double> one{1.5, 0, 0, 0}, skew{0, -3, 3, 0}, column{1, 2};
  for (const std::string& bytes :
       {mtx(real, "2 2 1\n1 1 1.5"), mtx(real, "2 2 1\r\n1 1 1.5\r\n"),
        mtx(real, "   % blank first\n2 2 1\n1 1 1.5\n"),
        mtx(real, "\n\n% after an empty line\n2 2 1\n1 1 1.5\n"), mtx(real, "\t2 2 1 \n  1 1\t1.5  \n\n  \n"),
        mtx(real, "2 2 1\n1 1 1.5\n % at the end, no LF"), " " + mtx(real, "2 2 1\n1 1 1.5\n"),
        std::string("%%MATRIXMARKET MATRIX Coordinate Real General\n2 2 1\n1 1 1.5\n")}) {
    BOOST_TEST(dense(bytes) == one, boost::test_tools::per_element());
  }
  BOOST_TEST(dense(mtx("array real general", "2 1\n1\n2")) == column, boost::test_tools::per_element());
  for (const char* const zero : {"0", "-0.0", "0e5"}) {
    const std::string bytes =
        mtx("coordinate real skew-symmetric", "2 2 2\n1 1 " + std::string(zero) + "\n2 1 3\n");
    BOOST_TEST(dense(bytes) == skew, boost::test_tools::per_element());
    BOOST_TEST(read_sparse(folder.make("x.mtx", bytes)).nnz() == 3);  // the zero stays
  }
  BOOST_TEST(dense(mtx("coordinate integer skew-symmetric", "2 2 2\n2 2 0\n2 1 3\n")) == skew,
             boost::test_tools::per_element());
  BOOST_TEST(read_sparse(folder.make("x.mtx", mtx("coordinate pattern general", "2 2 2\n1 1\n2 2"))).nnz() ==
             2);
  BOOST_TEST(read_sparse(folder.make("no_end", mtx(real, "2 2 1\n1 1 1.5"))).nnz() ==
             1);  // told by its banner
}

// What the package's own reader takes as well.
BOOST_AUTO_TEST_CASE(sound_but_unusual_safetensors_files) {
  const Folder folder;
  const auto read = [&](const std::string& header, const std::string& bytes) {
    return read_array(folder.make("told_by_its_bytes", safetensors(header, bytes)));
  };
  const std::string header = "{\"x\":" + tensor("U8", "[4]", "[0,4]") + "}";
  for (const std::string& padded :
       {" " + header, "\r\n\t " + header + "  ", std::string(20, ' ') + header, header + " \n\t"}) {
    BOOST_TEST(read(padded, "\1\2\3\4").code(3) == 4U);
  }
  // Scales: one a byte, exact in float32; the smallest is subnormal there.
  const Array scales =
      read("{\"x\":" + tensor("F8_E8M0", "[2,2]", "[0,4]") + "}", std::string("\x00\x7f\xfe\xff", 4));
  BOOST_TEST(scales.element.name() == "float32");
  BOOST_TEST(to_string(scales.shape) == "[2,2]");
  BOOST_TEST(scales.as<float>()[0] == 0x1p-127F);
  BOOST_TEST(scales.as<float>()[1] == 1);
  BOOST_TEST(scales.as<float>()[2] == 0x1p127F);
  BOOST_TEST(std::isnan(scales.as<float>()[3]));
  // Two codes a byte, the first in the low bits.
  const Array four = read("{\"x\":" + tensor("F4", "[3,2]", "[0,3]") + "}", "\x21\x43\xf8");
  BOOST_TEST(four.element.name() == "float4_e2m1fn");
  const std::uint64_t codes[] = {1, 2, 3, 4, 8, 15};
  for (std::int64_t i = 0; i < 6; ++i) BOOST_TEST(four.code(i) == codes[i]);
  write_array(folder / "four.safetensors", four);
  BOOST_TEST(read_array(folder / "four.safetensors").bytes == four.bytes);
  BOOST_TEST(contents(folder / "four.safetensors").ends_with("\x21\x43\xf8"));
  BOOST_CHECK_EXCEPTION(write_array(folder / "odd.safetensors", make_array(formats::float4_e2m1fn, {3})),
                        InputError, says("an even number of F4 elements"));
}

// Files of other kinds: what they are, and a line that makes one that is read.
BOOST_AUTO_TEST_CASE(foreign_files) {
  struct Foreign {
    const char* name;
    std::string bytes, says;
  };
  const Folder folder;
  for (const Foreign& f :
       {Foreign{"x.h5", "\x89HDF\r\n\x1a\n" + zeros(100),
                "an HDF5 file; to convert it: python3 -c \"import h5py"},
        {"x.npy", "\x89HDF\r\n\x1a\n" + zeros(100), "an HDF5 file"},
        {"x.pt", "\x80\x02\x8a\nl\xfc",
         "a file of PyTorch's torch.save; to convert it: python3 -c \"import torch"},
        {"x.pth", zeros(100), "a file of PyTorch's torch.save"},
        {"x.pkl", "\x80\x04\x95" + zeros(9),
         "a Python pickle; to convert it: python3 -c \"import pickle, numpy"},
        {"x", "\x80\x05\x95" + zeros(9), "a Python pickle"},
        {"x.onnx", "\x08\x07\x12\x07pytorch", "an ONNX model"},
        {"x.gguf", "GGUF\3" + zeros(20), "a GGUF file"},
        {"x.csv", "1,2,3\n4,5,6\n",
         "a table of comma-separated text; to convert it: python3 -c \"import numpy; numpy.save('" +
             (folder / "x.npy") + "', numpy.loadtxt('" + (folder / "x.csv") + "', delimiter=','))\""},
        {"x.txt", "1 2 3\n", "a table of text"},
        {"x.mat", "MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file"},
        {"x.parquet", "PAR1" + zeros(20), "a Parquet file"},
        {"x.feather", "ARROW1" + zeros(20), "an Arrow or Feather file"},
        {"it's.csv", "1,2\n", "numpy.loadtxt('FILE'"}}) {
    const std::string path = folder.make(f.name, f.bytes);
    BOOST_CHECK_EXCEPTION(read_any(path), InputError, says(f.says));
    BOOST_CHECK_EXCEPTION(array_names(path), InputError, says(f.says));
  }
  // PyTorch's zip archives, whatever they are called.
  for (const char* const name : {"m.pt", "m.npz", "m"}) {
    const std::string path = folder / name;
    ZipWriter zip(path);
    zip.add("model/data.pkl", "\x80\x02.", {});
    zip.add("model/data/0", "1234", {});
    zip.commit();
    BOOST_CHECK_EXCEPTION(read_any(path), InputError, says("PyTorch"));
    BOOST_CHECK_EXCEPTION(array_names(path), InputError, says("PyTorch"));
  }
  // What starts like none of them stays with what the name says.
  BOOST_CHECK_EXCEPTION(read_any(folder.make("x.bin", "\x80\x3f")), InputError,
                        says("the dtype and shape of raw data"));
  BOOST_CHECK_EXCEPTION(read_any(folder.make("empty.csv", "")), InputError, says("an empty file"));
}

// A number beyond the format is another number than the one written; infinity is read where it stands.
BOOST_AUTO_TEST_CASE(matrix_market_numbers_that_overflow) {
  const Folder folder;
  const std::string banner = "%%MatrixMarket matrix array real general\n1 1\n";
  for (const char* text : {"1e400", "-1e400", "1.8e308", "0x1p1024"}) {
    const std::string path = folder.make("x.mtx", banner + text + "\n");
    BOOST_CHECK_EXCEPTION(read_any(path), InputError, says("line 3: expected a value that float64 has"));
  }
  const std::string narrow = folder.make("x.mtx", banner + "65520\n");
  BOOST_TEST(read_array(narrow).as<double>()[0] == 65520);
  BOOST_CHECK_EXCEPTION(read_array(narrow, {.format = formats::float16, .raw = {}}), InputError,
                        says("a value that float16 has"));
  for (const char* text : {"inf", "-Infinity", "1e-400", "1.7976931348623157e308"}) {
    BOOST_CHECK_NO_THROW(read_any(folder.make("x.mtx", banner + text + "\n")));
  }
}

BOOST_AUTO_TEST_CASE(matrix_market_that_is_sound) {
  const Folder folder;
  const auto read = [&](const std::string& text, const ReadOptions& options = {}) {
    return read_sparse(folder.make("x.mtx", text), options);
  };
  const SparseArray crlf = read(
      "%%matrixmarket MATRIX Coordinate REAL General\r\n% c\r\n\r\n2 2 2\r\n1\t1 +1\r\n"
      "  2 2 inf\r\n");
  BOOST_TEST(number(crlf.values, 0) == 1);
  BOOST_TEST(crlf.values.code(1) == formats::float64.infinity_code());
  // Once into bfloat16; by way of float64 the tail is lost, and the tie goes to even.
  const std::string above_tie = mtx("coordinate real general", "1 1 1\n1 1 1.00390625000000000000000001\n");
  BOOST_TEST(read(above_tie, {formats::bfloat16, {}}).values.code(0) == 0x3F81U);
  const SparseArray repeated_entry = read(mtx("coordinate real general", "1 1 2\n1 1 1\n1 1 0\n"));
  BOOST_TEST(repeated_entry.nnz() == 2);
  BOOST_TEST(read(mtx("coordinate real general", "0 0 0\n")).nnz() == 0);
  BOOST_TEST(read_array(folder.make("y.mtx", mtx("array real general", "0 2147483647\n"))).size() == 0);
}

BOOST_AUTO_TEST_CASE(npz_files) {
  const Folder folder;
  const std::string stored = contents(file_of("stored.npz")), deflated = contents(file_of("deflated.npz"));
  expect_all_refused("x.npz", {{"empty", "", "a zip archive"},
                               {"text", "text that is no archive", "a zip archive"},
                               {"cut", stored.substr(0, stored.size() / 2), "a zip archive"},
                               {"only the start", stored.substr(0, 4), "a zip archive"}});
  expect_all_refused("x.dat",
                     {{"empty", "", "npy, npz, safetensors or Matrix Market, or the dtype and shape of raw"},
                      {"text", "hello, world, this is text", "found \"hello, world, th\""}});

  const auto with = [](std::string bytes, std::size_t at, std::string_view patch) {
    return bytes.replace(at, patch.size(), patch);
  };
  const std::size_t central = stored.find("PK\1\2");
  const auto expect = [&](const std::string& bytes, const char* said) {
    BOOST_CHECK_EXCEPTION(read_array(folder.make("y.npz", bytes) + ":a"), InputError, says(said));
  };
  expect(with(stored, central + 8, "\1"), "no encryption");
  expect(with(stored, central + 10, "\14"), "a stored or deflated member, found method 12");
  expect(with(stored, central + 24, "\1"), "one size for stored data");
  expect(with(stored, central + 20, "\xff\xff\xff\x7f"), "the archive's, found 2147483647 compressed bytes");
  const std::size_t deflated_central = deflated.find("PK\1\2");
  expect(with(deflated, deflated_central + 24, "\xff\xff\xff\x7f"),
         "at most 1032 times the compressed bytes");
  // A wrong byte in the data: the checksum finds it, or inflate does.
  const std::size_t data = stored.find("\n") + 3;
  expect(with(stored, data, "\x55"), "an undamaged member");
  expect(with(deflated, deflated.find("a.npy") + 60, "\x55\x55\x55"), "an undamaged member");

  // The same name twice.
  std::string twice = stored;
  for (std::size_t at = twice.find("b.npy"); at != std::string::npos; at = twice.find("b.npy"))
    twice[at] = 'a';
  expect(twice, "a second member of that name");
}

BOOST_AUTO_TEST_CASE(scipy_npz_files) {
  const Folder folder;
  const auto archive = [&](const std::vector<std::pair<std::string, std::string>>& members) {
    const std::string path = folder / "x.npz";
    ZipWriter writer(path);
    for (const auto& [name, bytes] : members) writer.add(name + ".npy", bytes, {});
    writer.commit();
    return path;
  };
  using Members = std::vector<std::pair<std::string, std::string>>;
  const std::string one32 = little(1, 4), zero32 = little(0, 4), i2 = "<i4";
  // 1 x 2 with one entry in column 1.
  const Members good{{"format", npy("|S3", "()", "csr")},
                     {"shape", npy("<i8", "(2,)", little(1, 8) + little(2, 8))},
                     {"data", npy("<f4", "(1,)", zeros(4))},
                     {"indices", npy(i2, "(1,)", one32)},
                     {"indptr", npy(i2, "(2,)", zero32 + one32)}};
  BOOST_TEST(read_sparse(archive(good)).nnz() == 1);
  const auto expect = [&](const char* member, const std::string& bytes, const char* said) {
    Members members = good;
    for (auto& [name, old] : members) {
      if (name == member) old = bytes;
    }
    BOOST_CHECK_EXCEPTION(read_sparse(archive(members)), InputError, says(said));
  };
  expect("format", npy("|S3", "()", "lil"), "csr, csc, bsr or coo");
  expect("format", npy("|S99", "()", zeros(99)), "one short text");
  expect("format", npy("<i8", "()", zeros(8)), "one short text");
  expect("shape", npy("<i8", "(1,)", little(1, 8)), "rows and columns, found 1 dimensions");
  expect("shape", npy("<f8", "(2,)", zeros(16)), "shape: expected int32 or int64, found float64");
  expect("shape", npy("<i8", "(2,)", little(std::uint64_t{1} << 62, 8) + little(2, 8)),
         "rows and columns from 0");
  expect("shape", npy("<i8", "(2,)", little(5, 8) + little(2, 8)), "offsets: expected 6 elements, found 2");
  expect("data", npy("<f4", "(2,)", zeros(8)), "data: expected the shape [1], found [2]");
  expect("data", npy("|O", "(1,)", zeros(8)), "Python objects");
  expect("indices", npy(i2, "(1,)", little(2, 4)),
         "column_indices[0]: expected an index from 0 to below 2, found 2");
  expect("indices", npy("<i8", "(1,)", little((std::uint64_t{1} << 32) + 1, 8)),
         "column_indices[0]: expected an index from 0 to below 2, found 4294967297");
  expect("indices", npy(i2, "(1, 1)", one32), "indices: expected one dimension, found [1,1]");
  expect("indptr", npy(i2, "(2,)", one32 + one32), "offsets[0]");
  expect("indptr", npy(i2, "(2,)", zero32 + little(UINT32_MAX, 4)),
         "offsets[1]: expected at least 0, found -1");
  Members less = good;
  less.pop_back();
  BOOST_CHECK_EXCEPTION(read_sparse(archive(less)), InputError,
                        says("indptr: expected this array of a SciPy matrix"));
}

BOOST_AUTO_TEST_CASE(gzipped_files) {
  const Folder folder;
  const std::string whole = contents(file_of("coordinate.mtx.gz"));
  BOOST_CHECK_EXCEPTION(read_any(folder.make("x.mtx.gz", whole.substr(0, whole.size() - 9))), InputError,
                        says("the rest of a gzip stream"));
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 1;
  BOOST_CHECK_THROW(read_any(folder.make("x.mtx.gz", damaged)), InputError);
}
