// The trained network: unpacked, run by a kernel, its accuracy and its bits.
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/idx.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "validation/suites/spdnn_parts.hpp"

namespace assay::suites::spdnn_parts {
namespace {

namespace fs = std::filesystem;
using namespace spdnn;
using networks::Clip;

// A folder that goes when the process has no more use for it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "assay-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Unavailable("no temporary folder " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Throws Unavailable if tar or xz is missing or refuses the archive.
void unpack(const fs::path& archive, const fs::path& folder) {
  std::string from = archive.string(), to = folder.string();
  std::string words[] = {"tar", "-xf", from, "-C", to};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(),
                  words[3].data(), words[4].data(), nullptr};
  pid_t child = 0;
  if (const int error = ::posix_spawnp(&child, "tar", nullptr, nullptr, argv, environ); error != 0) {
    throw Unavailable(fmt::format("tar: {}", std::strerror(error)));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw Unavailable("tar cannot unpack " + from);
}

}  // namespace

CaseResult trained_network_case(const RunContext& context, const Kernel& kernel) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped(why);
  const fs::path archive_name = "sparse_mnist_net/n128-l18-acc94.94.tar.xz";
  const fs::path images_name = "mnist/t10k-images-idx3-ubyte", labels_name = "mnist/t10k-labels-idx1-ubyte";
  const fs::path images_file = data_file(context, images_name), labels_file = data_file(context, labels_name);
  const fs::path archive = data_file(context, archive_name);
  if (archive.empty()) return not_here(context.data, archive_name, "trained network");
  if (images_file.empty()) return not_here(context.data, images_name.string() + ".gz", "MNIST test images");
  if (labels_file.empty()) return not_here(context.data, labels_name.string() + ".gz", "MNIST test labels");
  const auto images = shared<IdxImages>("test images", [&] { return read_idx_images(images_file); });
  const std::vector<std::uint8_t> labels = read_idx_labels(labels_file);
  std::shared_ptr<const TrainedNetwork> net;
  try {
    net = shared<TrainedNetwork>("trained network", [&] {
      const TemporaryFolder folder;
      unpack(archive, folder.path());
      return read_trained_network(folder.path(), static_cast<std::int64_t>(images->rows * images->cols));
    });
  } catch (const Unavailable& e) {
    return skipped(e.what());
  }
  const std::vector<float> pixels = scaled_pixels(*images);
  const DenseRows rows{pixels.data(), images->count, images->rows * images->cols};
  const Plan plan(kernel, net->network);
  const Inference got = execute(plan, rows, execute_options(context, true));
  // The scalar kernel on the first images only: it is a hundred times slower.
  const DenseRows some{rows.values, std::min<std::size_t>(rows.rows, 1000), rows.cols};
  const auto want = shared<Inference>("trained scalar", [&] {
    return execute(Plan(kernel_named("csr_scalar"), net->network), some, execute_options(context, true));
  });
  CaseResult r;
  r.evidence = "the known accuracy, 9494 of 10000, and the scalar kernel bit for bit on 1000 images";
  add_figures(r, plan, got);
  const BitComparison c =
      compare_bits(got, *want, some.rows, static_cast<std::size_t>(net->network.outputs()), Clip::none());
  judge(r, c);
  conclude(r, c.inside);
  const std::vector<std::uint8_t> classes = classify(got, images->count, net->network.outputs());
  std::size_t correct = 0;
  for (std::size_t i = 0; i < std::min(labels.size(), classes.size()); ++i)
    correct += classes[i] == labels[i] ? 1U : 0U;
  r.figures.push_back({"correct", static_cast<double>(correct), "images"});
  r.checked += 1;
  if (correct != 9494) {
    r.mismatches += 1;
    r.status = Status::failed;
    r.reason = fmt::format("{} of {} images are classified correctly, 9494 of 10000 are known", correct,
                           images->count);
  }
  return r;
}

}  // namespace assay::suites::spdnn_parts
