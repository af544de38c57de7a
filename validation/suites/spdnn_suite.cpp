// Sparse DNN inference: the generated networks against the official files, every kernel against the scalar one bit for
// bit, and whole runs against official categories, a second implementation and a trained network's known accuracy.
#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/core/file.hpp"
#include "reference/core/idx.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/simple_inference.hpp"
#include "validation/suites/spdnn_parts.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

namespace fs = std::filesystem;
using namespace spdnn;
using namespace spdnn_parts;
using graphs::RadixNet;
using networks::Network;

constexpr std::size_t side = 32;

const fs::path mnist_train = "mnist/train-images-idx3-ubyte";
const fs::path debian_fashion = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte";

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

// ---- whole networks against the scalar kernel

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
