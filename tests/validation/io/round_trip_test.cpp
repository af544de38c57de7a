// What we write, we read back: every kind of file, element type and shape; and what a failed write leaves behind.
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <thread>

#include "reference/core/file.hpp"
#include "reference/core/random.hpp"
#include "tests/validation/io/files.hpp"
#include "validation/io/zip.hpp"

using namespace assay;
using namespace assay::io;
using namespace assay::io::test;

namespace {

const std::vector<Shape> shapes{{}, {0}, {1}, {7}, {3, 5}, {0, 4}, {4, 0, 2}, {2, 3, 4}, {1, 1, 1, 9}};

std::vector<ElementType> element_types() {
  std::vector<ElementType> types{ElementType::boolean()};
  for (const int bits : {8, 16, 32, 64}) {
    types.push_back(ElementType::signed_integer(bits));
    types.push_back(ElementType::unsigned_integer(bits));
  }
  for (const FormatSpec* f : formats::all) types.emplace_back(*f);
  return types;
}

// Any code of the type, NaNs included.
Array random_array(const ElementType& element, const Shape& shape, std::uint64_t seed) {
  Array array = make_array(element, shape);
  const CounterRandom random(seed);
  const int bits = element.kind() == ElementType::Kind::boolean ? 1 : element.bits();
  const std::size_t width = element.bytes();
  for (std::int64_t i = 0; i < array.size(); ++i) {
    const std::uint64_t code = random.u64(static_cast<std::uint64_t>(i)) >> (64 - bits);
    std::memcpy(array.bytes.data() + static_cast<std::size_t>(i) * width, &code, width);
  }
  return array;
}

void expect_same(const Array& got, const Array& want) {
  BOOST_TEST(got.element.name() == want.element.name());
  BOOST_TEST(to_string(got.shape) == to_string(want.shape));
  BOOST_TEST((got.bytes == want.bytes));
}

// Of the formats that npy has no name for, the reader is told.
ReadOptions options_for(const Array& array) {
  ReadOptions options;
  if (array.element.is_floating()) options.format = array.element.format();
  return options;
}

bool npy_holds(const ElementType& element) { return element.name() != "tf32"; }
// Two F4 codes share a byte.
bool safetensors_holds(const Array& array) {
  const ElementType& element = array.element;
  if (element == ElementType(formats::float4_e2m1fn)) return array.size() % 2 == 0;
  return element.bits() == static_cast<int>(element.bytes()) * 8;
}

SparseArray random_sparse(SparseArray::Layout layout, const ElementType& element, std::uint64_t seed) {
  const CounterRandom random(seed);
  constexpr std::int64_t entries = 40;
  SparseArray a;
  a.layout = layout;
  a.rows = 6;
  a.cols = 9;
  const bool bsr = layout == SparseArray::Layout::bsr;
  if (bsr) {
    a.block_rows = 2;
    a.block_cols = 3;
  }
  a.values = random_array(element, bsr ? Shape{entries, 2, 3} : Shape{entries}, seed + 1);
  const auto indices = [&](std::int64_t limit, std::uint64_t from) {
    std::vector<std::int32_t> all;
    for (std::uint64_t e = 0; e < entries; ++e) {
      all.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(limit), from + e)));
    }
    return all;
  };
  const bool csc = layout == SparseArray::Layout::csc, coo = layout == SparseArray::Layout::coo;
  if (csc || coo) a.row_indices = indices(a.rows, 0);
  if (!csc) a.column_indices = indices(a.cols / a.block_cols, entries);
  if (!coo) {
    const std::int64_t groups = csc ? a.cols : a.rows / a.block_rows;
    a.offsets.assign(static_cast<std::size_t>(groups) + 1, entries);
    a.offsets.front() = 0;
    for (std::size_t g = 1; g + 1 < a.offsets.size(); ++g) a.offsets[g] = static_cast<std::int64_t>(4 * g);
  }
  a.metadata = {{"op", "spmm"}};
  return a;
}

}  // namespace

BOOST_AUTO_TEST_CASE(npy_npz_safetensors_of_every_type_and_shape) {
  const Folder folder;
  std::uint64_t seed = 0;
  for (const ElementType& element : element_types()) {
    for (const Shape& shape : shapes) {
      BOOST_TEST_CONTEXT(element.name() << to_string(shape)) {
        Array array = random_array(element, shape, ++seed);
        array.metadata = {{"op", "gemm"}, {"k", "64"}, {"note", "quote \" and \xc3\xa9"}};
        if (npy_holds(element)) {
          write_array(folder / "x.npy", array);
          expect_same(read_array(folder / "x.npy", options_for(array)), array);
          write_array(folder / "x.npz", array);
          const Array back = read_array(folder / "x.npz", options_for(array));
          expect_same(back, array);
          BOOST_TEST((back.metadata == array.metadata));
        } else {
          BOOST_CHECK_THROW(write_array(folder / "x.npy", array), InputError);
        }
        if (safetensors_holds(array)) {
          write_array(folder / "x.safetensors", array);
          const Array back = read_array(folder / "x.safetensors");
          expect_same(back, array);
          BOOST_TEST((back.metadata == array.metadata));
        } else {
          BOOST_CHECK_THROW(write_array(folder / "x.safetensors", array), InputError);
        }
        write_array(folder / "x.raw", array);
        expect_same(read_array(folder / "x.raw", {{}, RawLayout{element, shape}}), array);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(several_arrays_in_one_file) {
  const Folder folder;
  const std::vector<NamedArray> arrays{{"out", random_array(formats::bfloat16, {5, 3}, 1)},
                                       {"a:b.c", random_array(formats::float64, {2, 2}, 2)},
                                       {"codes", random_array(ElementType::unsigned_integer(8), {7}, 3)}};
  for (const std::string file : {"x.safetensors", "x.npz"}) {
    write_arrays(folder / file, arrays, {{"unit", "sm90"}});
    BOOST_TEST(array_names(folder / file).size() == 3U);
    for (const auto& [name, array] : arrays) {
      const Array back = read_array(folder / (file + ":" + name), options_for(array));
      expect_same(back, array);
      BOOST_TEST(back.metadata.at("unit") == "sm90");
      BOOST_TEST(back.origin == folder / (file + ":" + name));
    }
  }
  BOOST_CHECK_EXCEPTION(write_arrays(folder / "x.npy", arrays), InputError, says(".npz or .safetensors"));
  BOOST_CHECK_THROW(write_arrays(folder / "y.safetensors", {arrays[0], arrays[0]}), ContractError);
  BOOST_CHECK_THROW(write_arrays(folder / "y.npz", {arrays[0], arrays[0]}), ContractError);
  BOOST_CHECK_THROW(write_arrays(folder / "y.safetensors", arrays, {{"k", "\xff"}}), ContractError);
}

BOOST_AUTO_TEST_CASE(matrix_market_is_exact) {
  const Folder folder;
  std::uint64_t seed = 100;
  for (const ElementType& element : element_types()) {
    BOOST_TEST_CONTEXT(element.name()) {
      Array array = random_array(element, {6, 9}, ++seed);
      if (element.is_floating() && element.format().has_nan()) {
        // NaNs come back as the format's one NaN; here there are none.
        const FormatSpec& f = element.format();
        for (std::int64_t i = 0; i < array.size(); ++i) {
          if (!f.is_nan(array.code(i))) continue;
          std::memset(array.bytes.data() + static_cast<std::size_t>(i) * element.bytes(), 0, element.bytes());
        }
      }
      write_array(folder / "x.mtx.gz", array);
      const Array back = read_array(folder / "x.mtx.gz", options_for(array));
      BOOST_TEST(to_string(back.shape) == "[6,9]");
      int wrong = 0;
      for (std::int64_t i = 0; i < array.size(); ++i) {
        wrong += element.is_floating() ? back.code(i) != array.code(i) : number(back, i) != number(array, i);
      }
      BOOST_TEST(wrong == 0);
    }
  }
  BOOST_CHECK_THROW(write_array(folder / "x.mtx", make_array(formats::float32, {3})), InputError);
}

BOOST_AUTO_TEST_CASE(sparse_layouts) {
  const Folder folder;
  using Layout = SparseArray::Layout;
  for (const Layout layout : {Layout::csr, Layout::csc, Layout::bsr, Layout::coo}) {
    BOOST_TEST_CONTEXT(name(layout)) {
      const SparseArray a = random_sparse(layout, formats::float32, 7);
      check(a);
      write_sparse(folder / "x.npz", a);
      const SparseArray back = read_sparse(folder / "x.npz");
      BOOST_TEST((back.layout == a.layout && back.rows == a.rows && back.cols == a.cols));
      BOOST_TEST((back.block_rows == a.block_rows && back.block_cols == a.block_cols));
      BOOST_TEST((back.offsets == a.offsets && back.row_indices == a.row_indices));
      BOOST_TEST((back.column_indices == a.column_indices && back.metadata == a.metadata));
      expect_same(back.values, a.values);

      // bf16 goes as void and comes back when named.
      const SparseArray narrow = random_sparse(layout, formats::bfloat16, 8);
      write_sparse(folder / "x.npz", narrow);
      expect_same(read_sparse(folder / "x.npz", {formats::bfloat16, {}}).values, narrow.values);

      // Matrix Market holds entries in stored order, so both are the same as csr.
      SparseArray whole = random_sparse(layout, formats::float32, 9);
      for (auto& code : whole.values.as<std::uint32_t>()) code &= 0x3FFFFFFF;  // no NaN
      write_sparse(folder / "x.mtx", whole);
      const SparseArray one = to_csr(read_sparse(folder / "x.mtx", {formats::float32, {}})),
                        two = to_csr(whole);
      BOOST_TEST((one.offsets == two.offsets && one.column_indices == two.column_indices));
      expect_same(one.values, two.values);
    }
  }
}

BOOST_AUTO_TEST_CASE(raw_in_either_order) {
  const Folder folder;
  const std::string path = folder.make("x", std::string("\1\2\3\4\5\6", 6));
  const ElementType byte = ElementType::unsigned_integer(8);
  const Array rows = read_array(path, {{}, RawLayout{byte, {2, 3}}});
  const Array columns = read_array(path, {{}, RawLayout{byte, {2, 3}, Order::column_major}});
  BOOST_TEST((rows.code(1) == 2 && columns.code(1) == 3 && columns.code(3) == 2));
  BOOST_CHECK_EXCEPTION(read_array(path, {{}, RawLayout{byte, {2, 2}}}), InputError,
                        says("the end after uint8"));
  BOOST_CHECK_EXCEPTION(read_array(path, {{}, RawLayout{byte, {2, 4}}}), InputError, says("8 bytes of data"));
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_the_old_file) {
  const Folder folder;
  const Array small = make_array(formats::float32, {2}), tf32 = make_array(formats::tf32, {2});
  for (const char* file : {"x.npy", "x.npz", "x.safetensors"}) {
    write_array(folder / file, small);
    const std::string before = contents(folder / file);
    BOOST_CHECK_THROW(write_array(folder / file, tf32), InputError);
    BOOST_TEST((contents(folder / file) == before));
  }
  BOOST_TEST(folder.entries() == 3U);
  BOOST_CHECK_THROW(write_array(folder / "absent/x.npz", small), InputError);
  BOOST_CHECK_THROW(write_array(folder / "absent/x.npy", small), InputError);
  BOOST_CHECK_EXCEPTION(write_array(folder / "x.txt", small), InputError, says("a name that ends in .npy"));
  Array torn = small;
  torn.bytes.pop_back();
  BOOST_CHECK_THROW(write_array(folder / "x.npy", torn), ContractError);
}

// Two names more than the plain end of a zip archive counts.
BOOST_AUTO_TEST_CASE(more_arrays_than_65535) {
  const Folder folder;
  constexpr std::size_t n = 65537;
  std::vector<NamedArray> arrays;
  for (std::size_t i = 0; i < n; ++i) {
    Array one = make_array(ElementType::unsigned_integer(32), {1});
    one.as<std::uint32_t>()[0] = static_cast<std::uint32_t>(i);
    arrays.push_back({"a" + std::to_string(i), std::move(one)});
  }
  write_arrays(folder / "x.npz", arrays);
  BOOST_TEST(array_names(folder / "x.npz").size() == n);
  const Array last = read_array(folder / "x.npz:a65536");
  BOOST_TEST(last.as<std::uint32_t>()[0] == 65536U);
}

// What a signal's handler removes is all that has been begun: here, an archive that never ends.
BOOST_AUTO_TEST_CASE(an_unfinished_npz_is_removed_by_a_signal) {
  const Folder folder;
  io::ZipWriter writer(folder / "x.npz");
  const Array array = make_array(formats::float32, {1000});
  writer.add("a.npy", "", array.bytes);
  BOOST_TEST(folder.entries() == 1U);
  remove_unfinished_files();
  BOOST_TEST(folder.entries() == 0U);
}

// A file may not grow beyond `bytes` while this lives, and a write that would make it grow fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_) == 0);
    const rlimit limit{bytes, old_.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*handler_)(int);
};

BOOST_AUTO_TEST_CASE(a_disk_without_room_is_said_and_leaves_nothing) {
  const Folder folder;
  const Array array = make_array(formats::float32, {1 << 20});
  for (const char* file : {"x.npy", "x.npz", "x.safetensors"}) {
    const FileSizeLimit limit(2 << 20);
    BOOST_CHECK_EXCEPTION(write_array(folder / file, array), InputError,
                          says("expected room to write, found File too large"));
  }
  BOOST_TEST(folder.entries() == 0U);
}

// What a pipe is given cannot be changed afterwards, though an archive's headers are written last.
BOOST_AUTO_TEST_CASE(an_npz_is_written_into_a_pipe) {
  const Folder folder;
  const std::string pipe = folder / "pipe.npz", file = folder / "file.npz";
  BOOST_REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const Array array = random_array(formats::float32, {1 << 19}, 1);
  std::string got;
  std::thread reader([&] { got = contents(pipe); });
  write_array(pipe, array);
  reader.join();
  write_array(file, array);
  BOOST_TEST((got == contents(file)));
}

BOOST_AUTO_TEST_CASE(names_in_an_npz) {
  const Folder folder;
  const Array array = make_array(formats::float32, {1});
  const std::string longest(65531, 'n'), umlaut = "gr\xC3\xB6sse";
  write_arrays(folder / "x.npz", {{longest, array}, {umlaut, array}});
  BOOST_TEST((array_names(folder / "x.npz") == std::vector<std::string>{longest, umlaut}));
  write_arrays(folder / "none.npz", {});
  BOOST_TEST(array_names(folder / "none.npz").empty());
  for (const std::string& name : {longest + "n", std::string("a\0b", 3)})
    BOOST_CHECK_THROW(write_arrays(folder / "y.npz", {{name, array}}), ContractError);
}

BOOST_AUTO_TEST_CASE(same_arrays_same_bytes) {
  const Folder folder;
  const Array array = random_array(formats::float16, {3, 5}, 1);
  for (const std::string extension : {".npz", ".safetensors", ".npy"}) {
    write_array(folder / ("a" + extension), array);
    write_array(folder / ("b" + extension), array);
    BOOST_TEST((contents(folder / ("a" + extension)) == contents(folder / ("b" + extension))));
  }
}
