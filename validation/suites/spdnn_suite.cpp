// Sparse DNN inference: the generated networks against the official files, every kernel against the scalar one bit for
// bit, and whole runs against official categories, a second implementation and a trained network's known accuracy.
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/idx.hpp"
#include "reference/core/random.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/simple_inference.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

namespace fs = std::filesystem;
using namespace spdnn;
using graphs::RadixNet;
using networks::Clip;
using networks::Layer;
using networks::Network;

constexpr std::int32_t neurons = 1024;
constexpr std::size_t side = 32;

CaseResult skipped(std::string reason) {
  CaseResult r;
  r.status = Status::skipped;
  r.reason = std::move(reason);
  return r;
}

CaseResult not_here(const fs::path& data, const fs::path& file, std::string_view what) {
  return skipped(fmt::format("no {}: looked for {}", what,
                             ((data.empty() ? fs::path("$ASSAY_DATA") : data) / file).string()));
}

// `file` under the data folder, plain or gzipped; empty if it is not there.
fs::path data_file(const RunContext& context, const fs::path& file) {
  return context.data.empty() ? fs::path{} : find_plain_or_gzipped(context.data / file);
}

const fs::path mnist_train = "mnist/train-images-idx3-ubyte";
const fs::path debian_fashion = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte";

// Cases of one process share what is dear to make. They run one after the other.
template <class Value, class Make>
std::shared_ptr<const Value> shared(const std::string& key, Make make) {
  static std::map<std::string, std::shared_ptr<const Value>> made;
  auto& entry = made[key];
  if (!entry) entry = std::make_shared<const Value>(make());
  return entry;
}

// The picture of the first `count` images of a source ("mnist", "fashion", "generated"); 0: of all.
std::shared_ptr<const BitMatrix> inputs(const RunContext& context, const std::string& source,
                                        std::size_t count) {
  return shared<BitMatrix>(fmt::format("{} {}", source, count), [&] {
    IdxImages images;
    if (source == "generated") {
      images = generate_digits(count);
    } else {
      images = read_idx_images(source == "mnist" ? data_file(context, mnist_train)
                                                 : find_plain_or_gzipped(debian_fashion));
      if (count != 0 && count < images.count) {
        images.count = count;
        images.pixels.resize(count * images.rows * images.cols);
      }
    }
    InterpolateOptions options;
    options.threads = context.threads;
    options.progress = [&](double fraction) { context.progress(fraction, "interpolating the images"); };
    return interpolate(images, side, options).pixels;
  });
}

std::shared_ptr<const Network> network(int layers) {
  return shared<Network>(fmt::format("radixnet {}", layers),
                         [&] { return challenge_network(neurons, layers); });
}

ExecuteOptions execute_options(const RunContext& context, bool keep_outputs) {
  ExecuteOptions options;
  options.threads = context.threads;
  options.keep_outputs = keep_outputs;
  options.progress = [&context](double fraction) { context.progress(fraction, "inference"); };
  return options;
}

void add_figures(CaseResult& r, const Plan& plan, const Inference& inference) {
  r.figures.push_back({"inference", inference.seconds, "s"});
  r.figures.push_back({"nominal", inference.nominal_edges_per_s(), "edges/s"});
  r.figures.push_back({"executed", inference.executed_edges_per_s(), "edges/s"});
  for (const CutInfo& info : all_cuts()) {
    if (plan.has(info.cut)) r.details.push_back(fmt::format("skipped: {}", info.text));
  }
}

// ---- generator

// Lengths and CRC-32 of the official files, uncompressed: what an installed program carries of them. tests/data/spdnn
// has their SHA-256.
struct OfficialLayer {
  int layer;
  std::size_t bytes;
  std::uint32_t crc;
};
constexpr OfficialLayer official_layers[] = {{1, 682'816, 0xa5eb90d9},
                                             {7, 682'816, 0x0176db02},
                                             {64, 682'816, 0x2bada23c},
                                             {120, 682'816, 0xb93e36fa}};

std::uint32_t crc32(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

CaseResult layer_checksum(const OfficialLayer& official) {
  const std::string text = layer_text(RadixNet(neurons, official.layer).layer(official.layer - 1));
  CaseResult r;
  r.checked = official.bytes;
  r.evidence = "length and CRC-32 of the official file";
  const bool equal = text.size() == official.bytes && crc32(text) == official.crc;
  r.status = equal ? Status::passed : Status::failed;
  if (!equal) {
    r.mismatches = 1;
    r.reason = fmt::format("{} bytes with CRC-32 {:#010x}, official {} with {:#010x}", text.size(),
                           crc32(text), official.bytes, official.crc);
  }
  return r;
}

CaseResult layer_file(const RunContext& context, int layer) {
  const fs::path name = fs::path("spdnn") / layer_file_name(neurons, layer);
  const fs::path file = data_file(context, name);
  if (file.empty()) return not_here(context.data, name.string() + ".gz", "official layer");
  const std::string text = layer_text(RadixNet(neurons, layer).layer(layer - 1));
  const std::vector<std::byte> official = read_bytes(file, std::uint64_t{1} << 30);
  CaseResult r;
  r.checked = official.size();
  r.evidence = file.string() + ", byte for byte";
  const std::size_t common = std::min(text.size(), official.size());
  for (std::size_t i = 0; i < common; ++i) r.mismatches += std::byte(text[i]) == official[i] ? 0U : 1U;
  r.mismatches += std::max(text.size(), official.size()) - common;
  r.status = r.mismatches == 0 ? Status::passed : Status::failed;
  if (r.mismatches != 0) r.reason = fmt::format("{} of {} bytes differ", r.mismatches, official.size());
  return r;
}

// ---- kernels against the scalar one

float random_weight(const CounterRandom& random, std::uint64_t i) {
  const PhiloxBlock b = random.block(i);
  if (b[0] % 8 != 0) return static_cast<float>(random.normal(i)) / 4;
  std::uint32_t bits = b[1];
  if ((bits >> 23 & 0xFF) == 0xFF) bits ^= 0x00800000;
  if (b[0] % 32 == 0) bits = (bits & 0x807FFFFF) | 0x7F000000;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Layers that a kernel may meet and RadiX-Nets do not have: any shape, any values. One weight in eight is any finite
// float at all, subnormal ones among them, one in 32 is so large that sums overflow, and without a clip become NaN; the
// others keep sums of the size of the clip.
Layer random_layer(std::uint64_t seed, std::uint64_t stream, std::int32_t in, std::int32_t out,
                   bool same_length, bool bias_may_be_positive, Clip clip) {
  const CounterRandom random(seed, stream);
  Layer layer;
  layer.clip = clip;
  layer.weights.structure.rows = out;
  layer.weights.structure.cols = in;
  std::uint64_t i = 0;
  for (std::int32_t j = 0; j < out; ++j) {
    // Without same_length: empty rows, a full one, and all between.
    const auto wanted = same_length ? 32 : j == 0 ? in : static_cast<std::int32_t>(random.below(65, i++)) - 8;
    std::vector<std::int32_t> columns;
    for (std::int32_t c = 0; c < in; ++c) {
      const auto left = static_cast<std::uint64_t>(in - c);
      const auto need = static_cast<std::int64_t>(wanted) - static_cast<std::int64_t>(columns.size());
      if (need > 0 && random.below(left, i++) < static_cast<std::uint64_t>(need)) columns.push_back(c);
    }
    for (const std::int32_t c : columns) {
      layer.weights.structure.column_indices.push_back(c);
      layer.weights.values.push_back(random_weight(random, i++));
    }
    layer.weights.structure.end_row();
    const auto bias = static_cast<float>(random.normal(i++));
    layer.bias.push_back(bias_may_be_positive ? bias : -std::fabs(bias));
  }
  return layer;
}

// Outputs of two runs, image by image. Images that one of them does not list are rows of zeros there.
struct BitComparison {
  std::uint64_t checked = 0, mismatches = 0, inside = 0, nans = 0;
  std::string first;
};

BitComparison compare_bits(const Inference& got, const Inference& want, std::size_t images,
                           std::size_t outputs, Clip clip) {
  BitComparison c;
  const std::vector<float> zeros(outputs, 0.0F);
  std::size_t g = 0, w = 0;
  for (std::size_t image = 0; image < images; ++image) {
    const auto row = [&](const Inference& from, std::size_t& at) {
      if (at == from.categories.size() || from.categories[at] != image + 1)
        return std::span<const float>(zeros);
      return std::span<const float>(from.outputs).subspan(outputs * at++, outputs);
    };
    const auto a = row(got, g), b = row(want, w);
    for (std::size_t j = 0; j < outputs; ++j) {
      ++c.checked;
      c.inside += b[j] > clip.lower && b[j] < clip.upper ? 1U : 0U;
      c.nans += std::isnan(b[j]) ? 1U : 0U;
      if (std::memcmp(&a[j], &b[j], sizeof(float)) == 0) continue;
      if (c.mismatches++ == 0)
        c.first = fmt::format("image {} output {}: want {:a} got {:a}", image + 1, j, b[j], a[j]);
    }
  }
  return c;
}

void judge(CaseResult& r, const BitComparison& c) {
  r.checked += c.checked;
  r.mismatches += c.mismatches;
  if (!c.first.empty() && r.details.empty()) r.details.push_back(c.first);
}

void conclude(CaseResult& r, std::uint64_t inside) {
  r.figures.push_back(
      {"outputs inside the clip", 100.0 * static_cast<double>(inside) / static_cast<double>(r.checked), "%"});
  if (r.mismatches != 0) {
    r.status = Status::failed;
    r.reason = fmt::format("{} of {} outputs differ in their bits", r.mismatches, r.checked);
  } else if (inside == 0) {
    r.status = Status::vacuous;
    r.reason = "every output is clipped: a wrong sum would show in none";
  } else {
    r.status = Status::passed;
  }
}

Plan plan_of(const Kernel& kernel, std::span<const Layer> layers, std::vector<Cut> cuts) {
  Plan plan(kernel, std::move(cuts));
  for (const Layer& layer : layers) plan.add_layer(layer);
  return plan;
}

// Y = clip(X W + b) as kernel_task.hpp says it, from CSR as it stands: no plan, no tiles. The scalar kernels'
// reference.
Inference direct(std::span<const Layer> layers, const DenseRows& rows) {
  Inference result;
  for (std::size_t image = 0; image < rows.rows; ++image) {
    std::vector<float> x(rows.row(image).begin(), rows.row(image).end());
    for (const Layer& layer : layers) {
      std::vector<float> y;
      for (std::int64_t j = 0; j < layer.weights.rows(); ++j) {
        float sum = 0.0F;
        const auto columns = layer.weights.row_columns(j);
        const auto values = layer.weights.row_values(j);
        for (std::size_t e = 0; e < columns.size(); ++e)
          sum = std::fma(values[e], x[static_cast<std::size_t>(columns[e])], sum);
        const float z = sum + layer.bias[static_cast<std::size_t>(j)];
        y.push_back(z <= layer.clip.lower ? layer.clip.lower : z > layer.clip.upper ? layer.clip.upper : z);
      }
      x = std::move(y);
    }
    if (std::ranges::all_of(x, [](float v) { return v == 0; })) continue;
    result.categories.push_back(static_cast<std::uint32_t>(image) + 1);
    result.outputs.insert(result.outputs.end(), x.begin(), x.end());
  }
  return result;
}

CaseResult random_network_case(const RunContext& context, const Kernel& kernel, std::uint64_t seed) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped(why);
  const bool same_length = kernel.format == Format::ell;
  constexpr std::size_t images = 331;  // tiles of every width, and a tail
  CaseResult r;
  r.evidence = kernel.needs == Isa::scalar ? "the definition, one fused multiply-add after the other"
                                           : "the scalar kernel, bit for bit";
  std::uint64_t inside = 0, nans = 0;
  struct Variant {
    bool cut;
    Clip clip;
  };
  for (const auto& [cut, clip] :
       {Variant{false, challenge_clip}, Variant{true, challenge_clip}, Variant{false, Clip::none()}}) {
    const std::vector<Layer> layers = {random_layer(seed, 1, 97, 130, same_length, !cut, clip),
                                       random_layer(seed, 2, 130, 65, same_length, !cut, clip),
                                       random_layer(seed, 3, 65, 64, same_length, !cut, clip)};
    std::vector<float> pixels(images * 97);
    const CounterRandom random(seed, 4);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = random.below(3, 2 * i) == 0 ? static_cast<float>(random.uniform(2 * i + 1)) : 0.0F;
    std::fill_n(pixels.begin(), 97 * 3, 0.0F);  // images that are all zero
    const DenseRows rows{pixels.data(), images, 97};
    for (std::size_t depth = 1; depth <= layers.size(); ++depth) {
      const auto first = std::span(layers).first(depth);
      const std::vector<Cut> cuts = cut ? std::vector{Cut::zero_rows} : std::vector<Cut>{};
      const Inference got = execute(plan_of(kernel, first, cuts), rows, execute_options(context, true));
      const Kernel& scalar = kernel_named(same_length ? "ell_scalar" : "csr_scalar");
      // The scalar kernel never skips here: with the cut this also checks that the cut is exact.
      const Inference want = kernel.needs == Isa::scalar
                                 ? direct(first, rows)
                                 : execute(plan_of(scalar, first, {}), rows, execute_options(context, true));
      const BitComparison c =
          compare_bits(got, want, images, static_cast<std::size_t>(first.back().outputs()), clip);
      judge(r, c);
      inside += c.inside;
      nans += c.nans;
    }
  }
  r.figures.push_back({"NaN outputs", static_cast<double>(nans), ""});
  conclude(r, inside);
  return r;
}

Plan challenge_plan(const Kernel& kernel, int layers) { return {kernel, *network(layers), {Cut::zero_rows}}; }

// Few layers: after 22 of them every live activation is 32, and any order of summation would agree.
CaseResult real_network_case(const RunContext& context, const Kernel& kernel, int layers,
                             std::size_t images) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped(why);
  const auto pixels = inputs(context, "generated", images);
  const Plan plan = challenge_plan(kernel, layers);
  const Inference got = execute(plan, pixels->view(), execute_options(context, true));
  const auto want = shared<Inference>(fmt::format("scalar {} {}", layers, images), [&] {
    return execute(challenge_plan(kernel_named("csr_scalar"), layers), pixels->view(),
                   execute_options(context, true));
  });
  CaseResult r;
  r.evidence = "the scalar CSR kernel, bit for bit";
  add_figures(r, plan, got);
  const BitComparison c = compare_bits(got, *want, images, static_cast<std::size_t>(neurons), challenge_clip);
  judge(r, c);
  conclude(r, c.inside);
  return r;
}

// ---- whole runs

void judge(CaseResult& r, const CategoryDifference& d, std::size_t images, std::size_t expected) {
  r.checked = images;  // each image is in the list or not
  r.mismatches = d.missing.size() + d.extra.size();
  r.figures.push_back({"categories", static_cast<double>(expected), ""});
  if (!d.agrees()) {
    r.status = Status::failed;
    r.reason = fmt::format("{} categories missing, {} extra", d.missing.size(), d.extra.size());
  } else if (expected == 0) {
    r.status = Status::vacuous;
    r.reason = "no image has a category: an empty answer would pass";
  } else {
    r.status = Status::passed;
  }
}

CaseResult official_categories(const RunContext& context, const Kernel& kernel) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped(why);
  const fs::path truth_name = fs::path("spdnn") / categories_file_name(neurons, 120);
  const fs::path truth_file = data_file(context, truth_name);
  if (data_file(context, mnist_train).empty())
    return not_here(context.data, mnist_train.string() + ".gz", "MNIST");
  if (truth_file.empty()) return not_here(context.data, truth_name, "official categories");
  const std::vector<std::uint32_t> truth = read_categories(truth_file);
  const auto pixels = inputs(context, "mnist", 0);
  const Plan plan = challenge_plan(kernel, 120);
  const Inference inference = execute(plan, pixels->view(), execute_options(context, false));
  CaseResult r;
  r.evidence = "MNIST and " + truth_file.string();
  add_figures(r, plan, inference);
  judge(r, compare_categories(inference.categories, truth), pixels->rows(), truth.size());
  return r;
}

CaseResult independent_categories(const RunContext& context, const std::string& source, std::size_t images) {
  const auto pixels = inputs(context, source, images);
  const Kernel& kernel = best_kernel(Format::ell);
  const Plan plan = challenge_plan(kernel, 120);
  const Inference inference = execute(plan, pixels->view(), execute_options(context, false));
  context.progress(0, "Eigen's sparse product");
  const SimpleInference simple = simple_inference(pixels->view(), *network(120));
  CaseResult r;
  r.evidence = fmt::format("Eigen's sparse product on {} {} images", images, source);
  add_figures(r, plan, inference);
  r.figures.push_back({"Eigen", simple.seconds, "s"});
  r.details.push_back(fmt::format("kernel {}", kernel.name));
  judge(r, compare_categories(inference.categories, simple.categories), images, simple.categories.size());
  return r;
}

// ---- the trained network

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

}  // namespace

std::vector<Case> spdnn_cases(const RunContext& context) {
  const auto text = [](auto number) { return fmt::format("{}", number); };
  const bool quick = context.scale == Scale::quick, exhaustive = context.scale == Scale::exhaustive;
  const bool has_mnist = !data_file(context, mnist_train).empty();
  std::vector<Case> cases;
  for (const OfficialLayer& official : official_layers) {
    cases.push_back({"layer/checksum",
                     {{"neurons", text(neurons)}, {"layer", text(official.layer)}},
                     [&official](const RunContext&) { return layer_checksum(official); }});
  }
  for (const OfficialLayer& official : official_layers) {
    cases.push_back({"layer/official",
                     {{"neurons", text(neurons)}, {"layer", text(official.layer)}},
                     [&official](const RunContext& c) { return layer_file(c, official.layer); }});
  }
  for (const Kernel& kernel : all_kernels()) {
    const std::uint64_t seeds = exhaustive ? 20 : quick ? 1 : 4;
    for (std::uint64_t s = 0; s < seeds; ++s) {
      const std::uint64_t seed = context.seed + s;
      cases.push_back(
          {"kernel/" + std::string(kernel.name),
           {{"network", "random"}, {"seed", text(seed)}},
           [&kernel, seed](const RunContext& c) { return random_network_case(c, kernel, seed); }});
    }
    const std::size_t images = quick ? 300 : 2000;
    cases.push_back(
        {"kernel/" + std::string(kernel.name),
         {{"network", "radixnet"}, {"neurons", text(neurons)}, {"layers", "8"}, {"images", text(images)}},
         [&kernel, images](const RunContext& c) { return real_network_case(c, kernel, 8, images); }});
  }
  // The scalar kernels take ten seconds each: one of them in a standard run, both in an exhaustive one.
  bool best = true;
  for (const Kernel& kernel : all_kernels()) {
    if (!exhaustive && kernel.name == "csr_scalar") continue;
    if (quick && !(best && why_not(kernel).empty())) continue;
    best = best && !why_not(kernel).empty();
    cases.push_back({"categories/official",
                     {{"neurons", text(neurons)},
                      {"layers", "120"},
                      {"inputs", "mnist"},
                      {"kernel", std::string(kernel.name)}},
                     [&kernel](const RunContext& c) { return official_categories(c, kernel); }});
  }
  // Where there is no MNIST, this is the main job.
  const std::string source = find_plain_or_gzipped(debian_fashion).empty() ? "generated" : "fashion";
  const std::size_t images = quick ? 300 : has_mnist && !exhaustive ? 1500 : 6000;
  cases.push_back(
      {"categories/independent",
       {{"neurons", text(neurons)}, {"layers", "120"}, {"inputs", source}, {"images", text(images)}},
       [source, images](const RunContext& c) { return independent_categories(c, source, images); }});
  for (const Kernel& kernel : all_kernels()) {
    if (kernel.format != Format::csr || (quick && kernel.needs == Isa::scalar)) continue;
    cases.push_back({"trained/" + std::string(kernel.name),
                     {{"network", "n128-l18"}},
                     [&kernel](const RunContext& c) { return trained_network_case(c, kernel); }});
  }
  return cases;
}

}  // namespace assay::suites
