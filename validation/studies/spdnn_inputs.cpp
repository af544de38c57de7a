#include "validation/studies/spdnn_inputs.hpp"

#include <bit>

#include "reference/core/error.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"

namespace assay::studies {
namespace fs = std::filesystem;
using spdnn::find_plain_or_gzipped;

void check_neurons(std::int32_t neurons) {
  if (!graphs::RadixNet::is_size(neurons)) {
    throw InputError("--neurons", "", "1024, 4096, 16384 or 65536", std::to_string(neurons));
  }
}

fs::path idx_file(const fs::path& folder, const std::string& name) {
  return folder.empty() ? fs::path{} : find_plain_or_gzipped(folder / name);
}

InputSource find_inputs(const std::string& inputs, const Data& data) {
  const std::string name = "train-images-idx3-ubyte";
  const fs::path mnist = idx_file(data.folder.empty() ? fs::path{} : data.folder / "mnist", name);
  const fs::path fashion = idx_file(data.fashion_mnist, name);
  const std::string looked_for =
      (data.folder.empty() ? fs::path("DATA") : data.folder) / "mnist" / (name + ".gz");
  if (inputs.empty()) {
    if (!mnist.empty()) return {"mnist", mnist, "found under " + data.source};
    const std::string no_mnist = "MNIST was looked for at " + looked_for;
    if (!fashion.empty()) return {"fashion", fashion, no_mnist};
    return {"generated", {}, no_mnist + ", and Debian's dataset-fashion-mnist is not installed"};
  }
  if (inputs == "generated") return {"generated", {}, ""};
  if (inputs == "mnist") {
    if (mnist.empty())
      throw InputError(looked_for, "", "MNIST's training images (--data, ASSAY_DATA)", "no such file");
    return {"mnist", mnist, ""};
  }
  if (inputs == "fashion") {
    if (fashion.empty())
      throw UsageError("--inputs fashion requires Debian's dataset-fashion-mnist, which is not installed");
    return {"fashion", fashion, ""};
  }
  return {"file", inputs, ""};
}

std::size_t side_of(std::int32_t neurons) {
  return std::size_t{1} << (std::countr_zero(static_cast<std::uint32_t>(neurons)) / 2);
}

fs::path mnist_test_file(const Data& data, const std::string& name) {
  const fs::path mnist = data.folder.empty() ? fs::path{} : data.folder / "mnist";
  const fs::path found = idx_file(mnist, name);
  if (found.empty()) {
    throw InputError(((mnist.empty() ? fs::path("DATA/mnist") : mnist) / (name + ".gz")).string(), "",
                     "MNIST's test images and labels (--data, ASSAY_DATA)", "no such file");
  }
  return found;
}

}  // namespace assay::studies
