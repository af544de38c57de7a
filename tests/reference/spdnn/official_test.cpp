// Real data, from ASSAY_DATA: without it every test here is skipped, with the path that was looked for.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "reference/core/file.hpp"
#include "reference/core/idx.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "tests/reference/spdnn/temporary_folder.hpp"

namespace {
using namespace assay;
using namespace assay::spdnn;
namespace fs = std::filesystem;
namespace utf = boost::unit_test;

fs::path data(const std::string& file) {
  const char* const folder = std::getenv("ASSAY_DATA");
  return fs::path(folder == nullptr ? "$ASSAY_DATA" : folder) / file;
}

struct Needs {
  std::string file;
  boost::test_tools::assertion_result operator()(utf::test_unit_id) const {
    boost::test_tools::assertion_result there(fs::exists(data(file)));
    if (!there) there.message() << "SKIPPED: looked for " << data(file).string();
    return there;
  }
};

const std::string mnist = "mnist/train-images-idx3-ubyte.gz";

BOOST_TEST_DECORATOR(*utf::label("full") * utf::precondition(Needs{"spdnn/n1024-l120.tsv.gz"}))
BOOST_AUTO_TEST_CASE(layers_byte_for_byte) {
  const graphs::RadixNet net(1024, 120);
  for (const int l : {1, 7, 64, 120}) {
    const fs::path file = data("spdnn/" + layer_file_name(1024, l) + ".gz");
    const std::vector<std::byte> official = read_bytes(file, std::uint64_t{1} << 30);
    const std::string text = layer_text(net.layer(l - 1));
    BOOST_TEST(
        (text.size() == official.size() && std::memcmp(text.data(), official.data(), text.size()) == 0),
        file);
    BOOST_TEST((read_layer(file, 1024) == net.layer(l - 1)), file);
  }
}

// Figures of the specification: the maximum, the margin and the set pixels of the picture, live rows, categories.
BOOST_TEST_DECORATOR(*utf::label("full") * utf::precondition(Needs{mnist}))
BOOST_AUTO_TEST_CASE(mnist_1024_x_120) {
  const InterpolatedInputs inputs = interpolate(read_idx_images(data(mnist)), 32);
  BOOST_TEST(std::fabs(inputs.maximum - 369.32048514554907) <= 1e-9);
  BOOST_TEST(std::fabs(inputs.nearest - 1.4e-5) <= 0.05e-5);
  BOOST_TEST(inputs.pixels.count() == 6'374'505U);

  const networks::Network network = challenge_network(1024, 120);
  const std::vector<std::uint32_t> truth = read_categories(data("spdnn/neuron1024-l120-categories.tsv"));
  BOOST_TEST(truth.size() == 1812U);
  for (const Kernel& kernel : all_kernels()) {
    if (!cpu_has(kernel.needs) || kernel.lanes == 1)
      continue;  // the scalar ones: the suite, ten seconds each
    const Plan plan(kernel, network, {Cut::zero_rows});
    const Inference r = execute(plan, inputs.pixels.view());
    BOOST_TEST(compare_categories(r.categories, truth).agrees(), kernel.name);
    const std::vector<std::uint64_t> live{60000, 54687, 40498, 23042, 12010, 6537,
                                          4087,  2774,  2128,  1939,  1874};
    BOOST_TEST(std::vector<std::uint64_t>(r.rows_computed.begin(), r.rows_computed.begin() + 11) == live,
               boost::test_tools::per_element());
    BOOST_TEST(r.rows_computed[28] == 1812U);
    BOOST_TEST(r.nominal_edges == 235'929'600'000U);
  }
}

BOOST_TEST_DECORATOR(*utf::label("full") *
                     utf::precondition(Needs{"sparse_mnist_net/n128-l18-acc94.94.tar.xz"}))
BOOST_AUTO_TEST_CASE(trained_network) {
  const test::TemporaryFolder folder;
  const std::string command = "tar -xf '" + data("sparse_mnist_net/n128-l18-acc94.94.tar.xz").string() +
                              "' -C '" + folder.path().string() + "'";
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const TrainedNetwork trained = read_trained_network(folder.path(), 784);
  const networks::Network& net = trained.network;
  BOOST_TEST(net.layers.size() == 20U);
  BOOST_TEST(trained.sparse_nnz == 176'940);
  const IdxImages images = read_idx_images(data("mnist/t10k-images-idx3-ubyte.gz"));
  const std::vector<std::uint8_t> labels = read_idx_labels(data("mnist/t10k-labels-idx1-ubyte.gz"));
  const std::vector<float> pixels = scaled_pixels(images);
  ExecuteOptions options;
  options.keep_outputs = true;
  const Inference r =
      execute(Plan(best_kernel(Format::csr), net), DenseRows{pixels.data(), images.count, 784}, options);
  const std::vector<std::uint8_t> classes = classify(r, images.count, net.outputs());
  std::size_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) correct += classes[i] == labels[i] ? 1U : 0U;
  BOOST_TEST(correct == 9494U);
}
}  // namespace
