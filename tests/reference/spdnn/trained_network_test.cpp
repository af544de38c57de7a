#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "tests/reference/spdnn/temporary_folder.hpp"

namespace {
using namespace assay;
using namespace assay::spdnn;
namespace fs = std::filesystem;

// 3 inputs, a dense layer to 2, a sparse 2 x 2, a dense one to 2.
void put_network(const test::TemporaryFolder& folder) {
  folder.put("weights-l1-dense.tsv", "1\n0\n0.5\n0.5\n0\n2\n");
  folder.put("biases-l1-dense.tsv", "0\n0.25\n");
  folder.put("weights-l2-sparse.tsv", "0\t1\t-1\n1\t0\t0.5\n1\t1\t1\n");
  folder.put("biases-l2-sparse.tsv", "0.125\n0\n");
  folder.put("weights-l3-dense.tsv", "1\n2\n3\n-4\n");
  folder.put("biases-l3-dense.tsv", "0\n1\n");
}

BOOST_AUTO_TEST_CASE(reads_and_runs) {
  const test::TemporaryFolder folder;
  put_network(folder);
  const TrainedNetwork trained = read_trained_network(folder.path(), 3);
  const networks::Network& net = trained.network;
  BOOST_TEST(net.layers.size() == 3U);
  BOOST_TEST(net.inputs() == 3);
  BOOST_TEST(net.outputs() == 2);
  BOOST_TEST(net.nnz() == 6 + 3 + 4);
  BOOST_TEST((net.layers[1].clip == networks::Clip{0, 1} && net.layers[2].clip == networks::Clip::none()));
  BOOST_TEST(trained.sparse_nnz == 3);
  // Worked by hand. x = (1, 0, 0): (1, .25) -> (.125 + .125, clip(-1 + .25)) = (.25, 0) -> (.25, 1.5).
  // x = (0, 0, 1): (0, clip(2.25)) = (0, 1) -> (.625, 1) -> (3.625, 1 + 1.25 - 4) = (3.625, -1.75).
  const std::vector<float> pixels{1, 0, 0, 0, 0, 1, 0, 0, 0};
  // x = 0: (0, .25) -> (.25, .25) -> (1, 1 + .5 - 1) = (1, .5): a row of zeros does not stay one.
  const std::vector<float> expected{0.25F, 1.5F, 3.625F, -1.75F, 1.0F, 0.5F};
  for (const Kernel& kernel : all_kernels()) {
    if (kernel.format != Format::csr || !cpu_has(kernel.needs)) continue;
    ExecuteOptions options;
    options.keep_outputs = true;
    const Inference r = execute(Plan(kernel, net), DenseRows{pixels.data(), 3, 3}, options);
    BOOST_TEST(r.outputs == expected, boost::test_tools::per_element());
    const std::vector<std::uint8_t> classes{1, 0, 0};
    BOOST_TEST(classify(r, 3, 2) == classes, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(inputs_have_31_bits) {
  const test::TemporaryFolder folder;
  put_network(folder);
  BOOST_CHECK_THROW(read_trained_network(folder.path(), std::int64_t{1} << 31), ContractError);
}

BOOST_AUTO_TEST_CASE(first_of_equals) {
  Inference r;
  r.categories = {2};
  r.outputs = {1, 3, 3};
  const std::vector<std::uint8_t> classes{0, 1, 0};  // images 1 and 3: all outputs zero
  BOOST_TEST(classify(r, 3, 3) == classes, boost::test_tools::per_element());
  BOOST_CHECK_THROW(classify(r, 3, 2), ContractError);
}

BOOST_AUTO_TEST_CASE(pixels_are_scaled_with_one_rounding) {
  IdxImages images{1, 1, 256, {}};
  for (int p = 0; p < 256; ++p) images.pixels.push_back(static_cast<std::uint8_t>(p));
  const std::vector<float> scaled = scaled_pixels(images);
  int wrong = 0;
  // The double quotient is within 2^-53 of p / 255, which is never that near a midpoint of floats.
  for (int p = 0; p < 256; ++p)
    wrong += scaled[static_cast<std::size_t>(p)] == static_cast<float>(p / 255.0) ? 0 : 1;
  BOOST_TEST(wrong == 0);
}

struct Fault {
  std::string file, text, place, expected, found;
};

BOOST_AUTO_TEST_CASE(bad_files) {
  const std::vector<Fault> faults = {
      {"weights-l1-dense.tsv", "1\n0\n0.5\n0.5\n0\n", "after line 5", "3 x 2 weights", "5"},
      {"weights-l1-dense.tsv", "1\n0\n0.5\n0.5\n0\n2\n7\n", "line 7",
       "the end of the file after 3 x 2 weights", "1 more"},
      {"weights-l1-dense.tsv", "1\n0\nnan\n0.5\n0\n2\n", "line 3", "a finite float32", "nan"},
      {"weights-l1-dense.tsv", "1\n0\n0.5\n0.5\n0\n2", "line 6", "LF", "truncated"},
      {"weights-l1-dense.tsv", "1\t2\n", "line 1", "1 field", "1\\t2"},
      {"weights-l2-sparse.tsv", "", "after line 0", "a weight", "an empty file"},
      {"weights-l2-sparse.tsv", "2\t0\t1\n", "line 1", "an input in 0..1", "\"2\""},
      {"weights-l2-sparse.tsv", "0\t2\t1\n", "line 1", "an output in 0..1", "\"2\""},
      {"weights-l2-sparse.tsv", "-1\t0\t1\n", "line 1", "an input in 0..1", "\"-1\""},
      {"weights-l2-sparse.tsv", "1\t0\t1\n0\t0\t1\n", "line 2", "inputs in ascending order",
       "input 0 after 1"},
      {"weights-l2-sparse.tsv", "0\t1\t1\n0\t0\t1\n", "line 2", "outputs in ascending order",
       "output 0 after 1"},
      {"weights-l2-sparse.tsv", "0\t1\t1\n0\t1\t1\n", "line 2", "every entry once",
       "output 1 of input 0 again"},
      {"weights-l2-sparse.tsv", "0\t1\t1e99\n", "line 1", "a finite float32", "1e99"},
      {"weights-l2-sparse.tsv", "0\t1\t1\r\n", "line 1", "LF", "CRLF"},
      {"biases-l3-dense.tsv", "", "after line 0", "a bias for every output", "an empty file"},
      {"biases-l3-dense.tsv", "0\n1\n2\n", "", "2 biases, as weights-l3-dense.tsv has 2 x 2 weights", "3"},
      {"biases-l1-dense.tsv", "0\n", "", "2 biases, as weights-l1-dense.tsv has 3 x 2 weights", "1"},
      // One output more of a sparse layer, without weights, would leave outputs and biases out of step.
      {"biases-l2-sparse.tsv", "0.125\n0\n0\n", "", "2 biases, as a sparse layer", "3"},
      {"biases-l2-sparse.tsv", "0.125\n", "", "2 biases, as a sparse layer", "1"},
      {"biases-l2-sparse.tsv", "inf\n0\n", "line 1", "a finite float32", "inf"},
  };
  for (const Fault& fault : faults) {
    const test::TemporaryFolder folder;
    put_network(folder);
    folder.put(fault.file, fault.text);
    try {
      read_trained_network(folder.path(), 3);
      BOOST_TEST(false, fault.file << " was accepted: " << fault.text);
    } catch (const InputError& e) {
      BOOST_TEST(e.place() == fault.place, fault.file << ": " << e.what());
      BOOST_TEST(e.expected().find(fault.expected) != std::string::npos, fault.file << ": " << e.what());
      BOOST_TEST(e.found().find(fault.found) != std::string::npos, fault.file << ": " << e.what());
    }
  }
}

// Weights of the next layer that use no more inputs than there were leave only the number of biases to tell.
BOOST_AUTO_TEST_CASE(a_bias_too_many_between_sparse_layers) {
  const test::TemporaryFolder folder;
  put_network(folder);
  fs::rename(folder / "weights-l3-dense.tsv", folder / "weights-l4-dense.tsv");
  fs::rename(folder / "biases-l3-dense.tsv", folder / "biases-l4-dense.tsv");
  folder.put("weights-l3-sparse.tsv", "0\t0\t1\n1\t1\t1\n");
  folder.put("biases-l3-sparse.tsv", "0\n0\n");
  BOOST_CHECK_NO_THROW(read_trained_network(folder.path(), 3));
  folder.put("biases-l2-sparse.tsv", "0.5\n0.125\n0\n");
  BOOST_CHECK_EXCEPTION(read_trained_network(folder.path(), 3), InputError, [](const InputError& e) {
    return e.path().ends_with("biases-l2-sparse.tsv") && e.expected().starts_with("2 biases") &&
           e.found() == "3";
  });
}

BOOST_AUTO_TEST_CASE(missing_files) {
  for (const char* name : {"weights-l1-dense.tsv", "weights-l2-sparse.tsv", "biases-l1-dense.tsv",
                           "biases-l2-sparse.tsv", "biases-l3-dense.tsv"}) {
    const test::TemporaryFolder folder;
    put_network(folder);
    fs::remove(folder / name);
    BOOST_CHECK_THROW(read_trained_network(folder.path(), 3), InputError);
  }
  const test::TemporaryFolder folder;
  BOOST_CHECK_THROW(read_trained_network(folder.path(), 3), InputError);
  BOOST_CHECK_THROW(read_trained_network(folder / "nowhere", 3), InputError);
  put_network(folder);
  folder.put("weights-l2-dense.tsv", "1\n1\n1\n1\n");
  BOOST_CHECK_THROW(read_trained_network(folder.path(), 3), InputError);
}
}  // namespace
