#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "tests/reference/spdnn/temporary_folder.hpp"

namespace {
using namespace assay;
using namespace assay::spdnn;
namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A file that must be refused: where, and a part of what was expected and of what was found.
struct Fault {
  std::string name, text, place, expected, found;
};

void check_faults(const std::vector<Fault>& faults, const std::function<void(const fs::path&)>& read) {
  const test::TemporaryFolder folder;
  for (const Fault& fault : faults) {
    const fs::path file = folder.put("file.tsv", fault.text);
    try {
      read(file);
      BOOST_TEST(false, fault.name << ": was accepted");
    } catch (const InputError& e) {
      BOOST_TEST(e.path() == file.string(), fault.name << ": path " << e.path());
      BOOST_TEST(e.place() == fault.place, fault.name << ": place " << e.place());
      BOOST_TEST(e.expected().find(fault.expected) != std::string::npos,
                 fault.name << ": expected " << e.expected());
      BOOST_TEST(e.found().find(fault.found) != std::string::npos, fault.name << ": found " << e.found());
    }
  }
}

// 2 neurons with 2 inputs each.
const std::string good = "1\t1\t0.5\n2\t1\t0.25\n1\t2\t-1\n2\t2\t1e-3\n";

BOOST_AUTO_TEST_CASE(layer_reads) {
  const test::TemporaryFolder folder;
  const sparse::Csr<float> layer = read_layer(folder.put("l.tsv", good), 2, 2);
  sparse::check(layer);
  BOOST_TEST(layer.values == (std::vector<float>{0.5F, 0.25F, -1.0F, 0.001F}),
             boost::test_tools::per_element());
  BOOST_TEST((read_layer(folder.path() / "l.tsv", 2, 0) == layer));
  // Any number of inputs: rows of different lengths.
  const sparse::Csr<float> uneven = read_layer(folder.put("u.tsv", "2\t1\t1\n1\t2\t1\n2\t2\t1\n"), 2, 0);
  BOOST_TEST(uneven.structure.row_offsets == (std::vector<std::int64_t>{0, 1, 3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(layer_faults) {
  check_faults(
      {
          {"empty", "", "after line 0", "2 inputs of output 1", "the end of the file"},
          {"input 0", "0\t1\t0.5\n", "line 1", "an input neuron in 1..2", "\"0\""},
          {"input above N", "1\t1\t0.5\n3\t1\t0.5\n", "line 2", "an input neuron in 1..2", "\"3\""},
          {"output 0", "1\t0\t0.5\n", "line 1", "an output neuron in 1..2", "\"0\""},
          {"output above N", good + "1\t3\t0.5\n", "line 5", "an output neuron in 1..2", "\"3\""},
          {"negative", "-1\t1\t0.5\n", "line 1", "in 1..2", "\"-1\""},
          {"index beyond 64 bits", "99999999999999999999\t1\t0.5\n", "line 1", "in 1..2",
           "99999999999999999999"},
          {"index not a number", "one\t1\t0.5\n", "line 1", "in 1..2", "\"one\""},
          {"index with a fraction", "1.0\t1\t0.5\n", "line 1", "in 1..2", "\"1.0\""},
          {"index with a space", " 1\t1\t0.5\n", "line 1", "in 1..2", "\" 1\""},
          {"index empty", "\t1\t0.5\n", "line 1", "in 1..2", "\"\""},
          {"entry twice", "1\t1\t0.5\n1\t1\t0.5\n", "line 2", "every entry once",
           "input 1 of output 1 again"},
          {"row again later", good + "1\t1\t0.5\n", "line 5", "outputs in ascending order",
           "output 1 after 2"},
          {"inputs descend", "2\t1\t0.5\n1\t1\t0.5\n", "line 2", "inputs in ascending order",
           "input 1 after 2"},
          {"an output missing", "1\t2\t0.5\n2\t2\t0.5\n", "line 1", "2 inputs of output 1", "output 2"},
          {"an input missing", "1\t1\t0.5\n1\t2\t0.5\n2\t2\t1\n", "line 2", "2 inputs of output 1", "1"},
          {"cut between lines", "1\t1\t0.5\n2\t1\t0.25\n1\t2\t-1\n", "after line 3", "2 inputs of output 2",
           "1"},
          {"cut between rows", "1\t1\t0.5\n2\t1\t0.25\n", "after line 2", "2 inputs of output 2",
           "the end of the file"},
          {"cut in a line", good.substr(0, good.size() - 3), "line 4", "a line that ends in LF",
           "the end of the file"},
          {"cut in a line, with LF", "1\t1\t0.5\n2\t1\n", "line 2", "3 fields", "2\\t1"},
          {"two fields", "1\t1\n", "line 1", "3 fields separated by tabs", "1\\t1"},
          {"four fields", "1\t1\t0.5\t1\n", "line 1", "3 fields", "0.5\\t1"},
          {"spaces for tabs", "1 1 0.5\n", "line 1", "3 fields", "1 1 0.5"},
          {"an empty line", "1\t1\t0.5\n\n2\t1\t1\n", "line 2", "3 fields", "\"\""},
          {"NaN", "1\t1\tnan\n", "line 1", "a finite float32", "nan"},
          {"NaN with a payload", "1\t1\tnan(1)\n", "line 1", "a finite float32", "nan(1)"},
          {"infinity", "1\t1\t-inf\n", "line 1", "a finite float32", "-inf"},
          {"overflow", "1\t1\t1e39\n", "line 1", "a finite float32", "1e39"},
          {"weight empty", "1\t1\t\n", "line 1", "a weight", "\"\""},
          {"weight with more behind", "1\t1\t0.5x\n", "line 1", "a weight", "0.5x"},
          {"hexadecimal", "1\t1\t0x1p-4\n", "line 1", "a weight", "0x1p-4"},
          {"comma", "1\t1\t0,5\n", "line 1", "a weight", "0,5"},
          {"CRLF", "1\t1\t0.5\r\n", "line 1", "LF", "CRLF"},
          {"NUL", std::string("1\t1\t0.\0\n", 9), "line 1", "text", "NUL"},
          {"a long line", std::string(5000, '1') + "\n", "line 1", "4096", "5000"},
          {"a file of one long line", std::string(200'000, '1'), "line 1", "4096", "longer"},
      },
      [](const fs::path& file) { read_layer(file, 2, 2); });
  check_faults({{"an input more", good + "3\t2\t0.5\n", "line 5", "2 inputs of output 2", "one more"}},
               [](const fs::path& file) { read_layer(file, 3, 2); });
}

BOOST_AUTO_TEST_CASE(image_faults) {
  check_faults(
      {
          {"empty", "", "after line 0", "an image", "an empty file"},
          {"image 0", "0\t1\t1\n", "line 1", "an image in 1..5", "\"0\""},
          {"image too large", "6\t1\t1\n", "line 1", "an image in 1..5", "\"6\""},
          {"pixel 0", "1\t0\t1\n", "line 1", "a pixel in 1..4", "\"0\""},
          {"pixel too large", "1\t5\t1\n", "line 1", "a pixel in 1..4", "\"5\""},
          {"pixel twice", "1\t4\t1\n1\t4\t1\n", "line 2", "every entry once", "pixel 4 of image 1 again"},
          {"pixels descend", "1\t4\t1\n1\t3\t1\n", "line 2", "pixels in ascending order", "pixel 3 after 4"},
          {"images descend", "2\t4\t1\n1\t4\t1\n", "line 2", "images in ascending order", "image 1 after 2"},
          {"value 2", "1\t1\t2\n", "line 1", "the value 1", "another number"},
          {"value 0", "1\t1\t0\n", "line 1", "the value 1", "another number"},
          {"value NaN", "1\t1\tnan\n", "line 1", "the value 1", "nan"},
          {"two fields", "1\t1\n", "line 1", "3 fields", "1\\t1"},
          {"CRLF", "1\t1\t1\r\n", "line 1", "LF", "CRLF"},
          {"cut", "1\t1\t1\n2\t", "line 2", "LF", "truncated"},
      },
      [](const fs::path& file) { read_images(file, 4, 5); });
}

BOOST_AUTO_TEST_CASE(category_faults) {
  check_faults(
      {
          {"zero", "0\n", "line 1", "an image in 1..9", "\"0\""},
          {"too large", "3\n10\n", "line 2", "an image in 1..9", "\"10\""},
          {"twice", "3\n3\n", "line 2", "every image once", "3 again"},
          {"descending", "3\n2\n", "line 2", "images in ascending order", "2 after 3"},
          {"two fields", "3\t4\n", "line 1", "1 field", "3\\t4"},
          {"empty line", "3\n\n", "line 2", "an image", "\"\""},
          {"NaN", "nan\n", "line 1", "an image", "nan"},
          {"CRLF", "3\r\n", "line 1", "LF", "CRLF"},
          {"cut", "3\n4", "line 2", "LF", "truncated"},
      },
      [](const fs::path& file) { read_categories(file, 9); });
  const test::TemporaryFolder folder;
  BOOST_TEST(read_categories(folder.put("none.tsv", ""), 9).empty());
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read) {
  const test::TemporaryFolder folder;
  const std::string none = (folder / "none.tsv").string();
  for (const auto& read : std::vector<std::function<void(const fs::path&)>>{
           [](const fs::path& p) { read_layer(p, 2, 2); }, [](const fs::path& p) { read_images(p, 4); },
           [](const fs::path& p) { read_categories(p); }}) {
    BOOST_CHECK_THROW(read(none), InputError);
    BOOST_CHECK_THROW(read(folder.path()), InputError);
    if (geteuid() != 0) {  // root reads everything
      const fs::path file = folder.put("secret.tsv", good);
      fs::permissions(file, fs::perms::none);
      BOOST_CHECK_THROW(read(file), InputError);
      fs::remove(file);
    }
  }
}

BOOST_AUTO_TEST_CASE(gzip_cut_short_or_damaged) {
  const test::TemporaryFolder folder;
  write_layer(folder / "l.tsv.gz", graphs::RadixNet(1024, 1).layer(0));
  const std::string bytes = bytes_of(folder / "l.tsv.gz");
  int accepted = 0;
  const std::size_t step = bytes.size() / 50;
  for (std::size_t n = 3; n < bytes.size(); n += step) {
    try {
      read_layer(folder.put("cut.tsv.gz", bytes.substr(0, n)), 1024);
      ++accepted;
    } catch (const InputError&) {
    }
    std::string damaged = bytes;
    damaged[n] = static_cast<char>(damaged[n] ^ 0x10);
    try {
      // A flag or the time stamp of the header may change without harm; the data are protected by their sum.
      if (n >= 10) accepted += read_layer(folder.put("bad.tsv.gz", damaged), 1024).rows() > 0 ? 1 : 0;
    } catch (const InputError&) {
    }
  }
  BOOST_TEST(accepted == 0);
}

BOOST_AUTO_TEST_CASE(written_files_read_back) {
  const test::TemporaryFolder folder;
  // Every finite float, as weight: six decimals where they are enough, eight where not.
  const CounterRandom random(1);
  sparse::Csr<float> layer;
  layer.structure.rows = layer.structure.cols = 64;
  std::uint64_t n = 0;
  for (std::int32_t j = 0; j < 64; ++j) {
    for (std::int32_t i = j % 3; i < 64; i += 3) {
      std::uint32_t bits = random.u32(n++);
      if ((bits >> 23 & 0xFF) == 0xFF) bits &= 0xFF7FFFFF;
      float weight = 0;
      std::memcpy(&weight, &bits, sizeof weight);
      layer.structure.column_indices.push_back(i);
      layer.values.push_back(weight);
    }
    layer.structure.end_row();
  }
  BitMatrix images(70, 64);
  for (std::size_t i = 1; i < 70;
       i += 2) {  // images without a pixel between, and one at the end that is cut off
    for (std::size_t j = 0; j < 64; ++j) {
      if (random.below(3, n++) == 0 || j == 63) images.set(i, j);
    }
  }
  const std::vector<std::uint32_t> categories{1, 2, 9, 60'000};
  for (const std::string suffix : {"", ".gz"}) {
    write_layer(folder / ("l.tsv" + suffix), layer);
    BOOST_TEST((read_layer(folder / ("l.tsv" + suffix), 64, 0) == layer));
    write_images(folder / ("i.tsv" + suffix), images.view());
    BOOST_TEST((read_images(folder / ("i.tsv" + suffix), 64) == images));
    write_categories(folder / ("c.tsv" + suffix), categories);
    BOOST_TEST(read_categories(folder / ("c.tsv" + suffix)) == categories, boost::test_tools::per_element());
  }
  BOOST_TEST(bytes_of(folder / "c.tsv") == "1\n2\n9\n60000\n");
}

BOOST_AUTO_TEST_CASE(official_form) {
  const test::TemporaryFolder folder;
  const graphs::RadixNet net(1024, 7);
  const std::string text = layer_text(net.layer(6));
  BOOST_TEST(text.substr(0, text.find('\t')).size() <= 4U);
  BOOST_TEST(text.find("\t1\t6.250000e-02\n") != std::string::npos);
  BOOST_TEST(text.size() == layer_file_bytes(1024));
  for (const std::int32_t n : {4096, 16384}) {
    BOOST_TEST(layer_text(graphs::RadixNet(n, 1).layer(0)).size() == layer_file_bytes(n));
  }
  write_layer(folder / "x.tsv", net.layer(6));
  BOOST_TEST(bytes_of(folder / "x.tsv") == text);
}

BOOST_AUTO_TEST_CASE(a_missing_layer_is_named) {
  const test::TemporaryFolder folder;
  for (const char* name : {"n1024-l1.tsv", "n1024-l2.tsv.gz"}) folder.put(name, "");
  fs::create_directory(folder / "neuron1024");
  folder.put("neuron1024/n1024-l3.tsv", "");
  BOOST_TEST(find_layers(folder.path(), 1024, 3).size() == 3U);
  try {
    find_layers(folder.path(), 1024, 5);
    BOOST_TEST(false);
  } catch (const InputError& e) {
    BOOST_TEST(e.path() == folder.path().string());
    BOOST_TEST(e.expected().find("layer 4 of 5 (n1024-l4.tsv") != std::string::npos, e.expected());
    BOOST_TEST(e.found() == "no such file");
  }
  BOOST_CHECK_THROW(find_layers(folder / "nowhere", 1024, 1), InputError);
  BOOST_CHECK_THROW(find_layers(folder / "n1024-l1.tsv", 1024, 1), InputError);
}

BOOST_AUTO_TEST_CASE(nothing_half_is_left) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "l.tsv");
  BOOST_CHECK_THROW(write_layer(folder / "l.tsv", graphs::RadixNet(1024, 1).layer(0)), InputError);
  BOOST_CHECK_THROW(write_categories(folder / "nowhere/c.tsv", std::vector<std::uint32_t>{1}), InputError);
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

BOOST_AUTO_TEST_CASE(categories_are_compared) {
  const std::vector<std::uint32_t> truth{1, 3, 5, 9}, answer{2, 3, 9, 10};
  const CategoryDifference d = compare_categories(answer, truth);
  BOOST_TEST(d.missing == (std::vector<std::uint32_t>{1, 5}), boost::test_tools::per_element());
  BOOST_TEST(d.extra == (std::vector<std::uint32_t>{2, 10}), boost::test_tools::per_element());
  BOOST_TEST(!d.agrees());
  BOOST_TEST(compare_categories(truth, truth).agrees());
  BOOST_TEST(!compare_categories({}, truth).agrees());
}
}  // namespace
