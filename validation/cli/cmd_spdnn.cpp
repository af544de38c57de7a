// assay spdnn: the Sparse DNN Graph Challenge and trained sparse networks, from files to categories.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/idx.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/spdnn_runner.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/environment.hpp"
#include "validation/report/spdnn_report.hpp"
#include "validation/studies/spdnn_inputs.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using namespace spdnn;
using studies::check_neurons;
using studies::find_inputs;
using studies::InputSource;
using studies::mnist_test_file;
using studies::side_of;

constexpr std::uint64_t gib = std::uint64_t{1} << 30;

struct SpdnnCommand {
  std::int32_t neurons = 1024;
  int layers = 120, threads = 0;
  std::uint64_t images = 0;  // 0: all
  std::string data, weights, inputs, truth, isa, out, network, device = "cpu";
  bool json = false, expects_zero = false;
  // generate
  std::string folder;
  bool yes = false, gzip = false;
};

// Seconds of the parts of a run, and a line on stderr while they last, if somebody watches it.
class Stopwatch {
 public:
  double read = 0, generate = 0;

  template <class Work>
  auto measure(double& seconds, std::string_view what, Work work) {
    show(what, 0);
    const Clearing clearing{*this};
    const auto begin = std::chrono::steady_clock::now();
    auto result = work();
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
  }
  void show(std::string_view what, double fraction) {
    if (!watched_) return;
    const auto now = std::chrono::steady_clock::now();
    if (shown_ && fraction > 0 && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    shown_ = true;
    fmt::print(stderr, "\r\033[K{} {:.0f} %", what, 100 * fraction);
    std::fflush(stderr);
  }
  std::function<void(double)> shower(std::string what) {
    return [this, what = std::move(what)](double fraction) { show(what, fraction); };
  }

 private:
  // The line goes however the work ends: a message of an error begins on a clean one.
  struct Clearing {
    Stopwatch& watch;
    ~Clearing() {
      if (watch.shown_) std::fputs("\r\033[K", stderr);
      watch.shown_ = false;
    }
  };

  bool watched_ = is_terminal(stderr), shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

// The bits of all images of the source: neighbours leak into each other, so --images takes the first rows only here.
BitMatrix make_inputs(const SpdnnCommand& o, const InputSource& source, Stopwatch& watch) {
  if (source.kind == "file") {
    return watch.measure(watch.read, "reading the inputs",
                         [&] { return read_images(source.path, o.neurons); });
  }
  const IdxImages images =
      source.path.empty()
          ? watch.measure(watch.generate, "drawing digits", [] { return generate_digits(challenge_images); })
          : watch.measure(watch.read, "reading the images", [&] { return read_idx_images(source.path); });
  InterpolateOptions options;
  options.threads = o.threads;
  options.progress = watch.shower("interpolating the images");
  return watch.measure(watch.generate, "interpolating the images",
                       [&] { return std::move(interpolate(images, side_of(o.neurons), options).pixels); });
}

// What must fit at once: the network beside the interpolation, and then beside inputs and activations.
std::uint64_t needed_bytes(const SpdnnCommand& o, const InputSource& source, const SpdnnRunner& runner) {
  const auto neurons = static_cast<std::uint64_t>(o.neurons), layers = static_cast<std::uint64_t>(o.layers);
  const std::uint64_t interpolation =
      source.kind == "file" ? 0 : interpolate_bytes(challenge_images, 28, 28, side_of(o.neurons), o.threads);
  const std::uint64_t inputs = BitMatrix::bytes(challenge_images, static_cast<std::size_t>(neurons));
  const std::uint64_t images = o.images == 0 ? challenge_images : o.images;
  return std::max(plan_bytes(neurons, layers, challenge_inputs_per_neuron) + interpolation,
                  inputs + runner.bytes(images, layers, challenge_inputs_per_neuron));
}

void add_layers(const SpdnnCommand& o, SpdnnRunner& runner, Stopwatch& watch) {
  if (o.weights.empty()) {
    watch.measure(watch.generate, "generating the network", [&] {
      const graphs::RadixNet net(o.neurons, o.layers);
      for (int l = 0; l < o.layers; ++l) {
        runner.add_layer(challenge_layer(net.layer(l)));
        watch.show("generating the network", static_cast<double>(l + 1) / o.layers);
      }
      return 0;
    });
    return;
  }
  const std::vector<fs::path> files = find_layers(o.weights, o.neurons, o.layers);
  for (std::size_t l = 0; l < files.size(); ++l) {
    sparse::Csr<float> layer = watch.measure(watch.read, "reading layer " + std::to_string(l + 1),
                                             [&] { return read_layer(files[l], o.neurons); });
    watch.measure(watch.generate, "laying out the network", [&] {
      runner.add_layer(challenge_layer(std::move(layer)));
      return 0;
    });
  }
}

struct Truth {
  fs::path path;     // empty: there is none
  std::string none;  // why
  CategoryDifference difference;
  std::size_t categories = 0;  // among the images that were run
};

// Nothing without a truth. A truth without a category is met by every network that is dead: VACUOUS, unless that is
// what was expected.
std::optional<Status> status_of(const SpdnnCommand& o, const Truth& truth) {
  if (truth.path.empty()) return std::nullopt;
  if (!truth.difference.agrees()) return Status::failed;
  return truth.categories == 0 && !o.expects_zero ? Status::vacuous : Status::passed;
}

Truth find_truth(const SpdnnCommand& o, const Data& data, const InputSource& source) {
  if (!o.truth.empty()) return {o.truth, "", {}};
  const std::string name = categories_file_name(o.neurons, o.layers);
  if (source.kind != "mnist") return {{}, "no truth is known for these inputs; --truth FILE names one", {}};
  const fs::path file = find_plain_or_gzipped(data.folder / "spdnn" / name);
  if (file.empty())
    return {{},
            fmt::format("no truth at {}; --truth FILE names one", (data.folder / "spdnn" / name).string()),
            {}};
  return {file, "", {}};
}

std::vector<std::string> texts_of(const std::vector<Cut>& cuts) {
  std::vector<std::string> texts;
  for (const CutInfo& info : all_cuts()) {
    if (std::ranges::find(cuts, info.cut) != cuts.end()) texts.emplace_back(info.text);
  }
  return texts;
}

SpdnnFigures figures_of(const SpdnnRunner& runner, const std::vector<Cut>& cuts, const Inference& result,
                        const Stopwatch& watch, std::size_t images) {
  return {.images = images,
          .kernel = runner.kernel(),
          .isa = runner.isa(),
          .device = runner.device(),
          .cpu = cpu_model(),
          .threads = result.threads,
          .skipped = texts_of(cuts),
          .read = watch.read,
          .generate = watch.generate,
          .inference = result.seconds,
          .nominal_edges_per_s = result.nominal_edges_per_s(),
          .executed_edges_per_s = result.executed_edges_per_s(),
          .row_layers = std::uint64_t{images} * result.rows_computed.size(),
          .row_layers_computed = result.row_layers_computed()};
}

// A run that cannot fit ends before it has cost minutes.
void require_room(const SpdnnTask& task) {
  if (task.needed_memory <= task.available_memory) return;
  throw Unavailable(fmt::format("{} neurons x {} layers need {} of memory, {} are available", task.neurons,
                                task.layers, size_text(task.needed_memory),
                                size_text(task.available_memory)));
}

int run_challenge(const SpdnnCommand& o) {
  check_neurons(o.neurons);
  const Data data = find_data(o.data);
  const InputSource source = find_inputs(o.inputs, data);
  const std::vector<Cut> cuts{Cut::zero_rows};
  const std::unique_ptr<SpdnnRunner> runner =
      make_spdnn_runner({o.device, o.isa, o.threads}, Format::ell, o.neurons, cuts);
  Truth truth = find_truth(o, data, source);
  SpdnnResult found{.task = {.neurons = o.neurons,
                             .layers = o.layers,
                             .weights = o.weights,
                             .inputs = source.kind,
                             .inputs_path = source.path.string(),
                             .reason = source.reason,
                             .needed_memory = needed_bytes(o, source, *runner),
                             .available_memory = available_memory_bytes()},
                    .out = o.out};
  if (!o.json) put(spdnn_task_text(found.task));
  require_room(found.task);

  Stopwatch watch;
  // Read first: a fault in it should not show after minutes.
  const std::vector<std::uint32_t> categories_of_truth =
      truth.path.empty()
          ? std::vector<std::uint32_t>{}
          : watch.measure(watch.read, "reading the truth", [&] { return read_categories(truth.path); });
  add_layers(o, *runner, watch);
  const BitMatrix pixels = make_inputs(o, source, watch);
  if (o.images > pixels.rows()) {
    throw UsageError(fmt::format("--images {}: there are only {} images", o.images, pixels.rows()));
  }
  const BitRows rows = pixels.first(o.images == 0 ? pixels.rows() : o.images);
  double unused = 0;
  const Inference result = watch.measure(
      unused, "inference", [&] { return runner->infer(rows, false, watch.shower("inference")); });
  if (!o.out.empty()) write_categories(o.out, result.categories);

  if (!truth.path.empty()) {
    std::vector<std::uint32_t> prefix = categories_of_truth;
    std::erase_if(prefix, [&](std::uint32_t image) { return image > rows.rows; });
    truth.difference = compare_categories(result.categories, prefix);
    truth.categories = prefix.size();
  }
  const std::optional<Status> status = status_of(o, truth);
  found.figures = figures_of(*runner, cuts, result, watch, rows.rows);
  found.all_images = pixels.rows();
  found.categories = result.categories.size();
  found.truth = {.path = truth.path.string(),
                 .none = truth.none,
                 .status = status,
                 .missing = truth.difference.missing,
                 .extra = truth.difference.extra};
  put(o.json ? spdnn_json(found) + '\n' : spdnn_text(found));
  if (!status || *status == Status::passed) return agree;
  return *status == Status::failed ? disagree : nothing_verified;
}

int run_network(const SpdnnCommand& o) {
  const Data data = find_data(o.data);
  const fs::path images_file = mnist_test_file(data, "t10k-images-idx3-ubyte"),
                 labels_file = mnist_test_file(data, "t10k-labels-idx1-ubyte");
  Stopwatch watch;
  const IdxImages images =
      watch.measure(watch.read, "reading the images", [&] { return read_idx_images(images_file); });
  const auto labels =
      watch.measure(watch.read, "reading the labels", [&] { return read_idx_labels(labels_file); });
  if (labels.size() != images.count) {
    throw InputError(labels_file.string(), "", std::to_string(images.count) + " labels",
                     std::to_string(labels.size()));
  }
  if (o.images > images.count) {
    throw UsageError(fmt::format("--images {}: there are only {} images", o.images, images.count));
  }
  const auto pixels = static_cast<std::int64_t>(images.rows * images.cols);
  const TrainedNetwork trained = watch.measure(watch.read, "reading the network",
                                               [&] { return read_trained_network(o.network, pixels); });
  const std::int64_t widest = trained.network.widest();
  const std::unique_ptr<SpdnnRunner> runner =
      make_spdnn_runner({o.device, o.isa, o.threads}, Format::csr, widest, {});
  watch.measure(watch.generate, "laying out the network", [&] {
    for (const networks::Layer& layer : trained.network.layers) runner->add_layer(layer);
    return 0;
  });
  const std::vector<float> values = scaled_pixels(images);
  const DenseRows rows{values.data(), o.images == 0 ? images.count : o.images, images.rows * images.cols};
  double unused = 0;
  const Inference result = watch.measure(
      unused, "inference", [&] { return runner->infer(rows, true, watch.shower("inference")); });

  const std::vector<std::uint8_t> classes = classify(result, rows.rows, trained.network.outputs());
  const std::size_t correct = count_correct(classes, labels);
  const double accuracy = static_cast<double>(correct) / static_cast<double>(rows.rows);
  const TrainedResult found{.network = o.network,
                            .images_path = images_file.string(),
                            .neurons = widest,
                            .layers = static_cast<std::int64_t>(trained.network.layers.size()),
                            .sparse_nonzeros = trained.sparse_nnz,
                            .figures = figures_of(*runner, {}, result, watch, rows.rows),
                            .correct = correct,
                            .accuracy = accuracy};
  put(o.json ? trained_json(found) + '\n' : trained_text(found));
  return agree;
}

int run_generate(const SpdnnCommand& o) {
  check_neurons(o.neurons);
  const std::uint64_t bytes = layer_file_bytes(o.neurons) * static_cast<std::uint64_t>(o.layers);
  WrittenLayers written{
      .neurons = o.neurons, .layers = o.layers, .folder = o.folder, .bytes = bytes, .gzip = o.gzip};
  if (!o.json) put(layers_to_write_text(written));
  if (bytes > gib && !o.yes) {
    throw UsageError(fmt::format("writing {} requires --yes: it is more than 1 GiB", size_text(bytes)));
  }
  std::error_code error;
  fs::create_directories(o.folder, error);
  if (error) throw InputError(o.folder, "", "a folder to write to", error.message());
  const fs::space_info space = fs::space(o.folder, error);
  if (!error && !o.gzip && space.available < bytes) {
    throw InputError(o.folder, "", fmt::format("room for {} ({} bytes)", size_text(bytes), bytes),
                     fmt::format("{} ({} bytes)", size_text(space.available), space.available));
  }
  Stopwatch watch;
  watch.measure(watch.generate, "writing layers", [&] {
    const graphs::RadixNet net(o.neurons, o.layers);
    for (int l = 1; l <= o.layers; ++l) {
      write_layer(fs::path(o.folder) / (layer_file_name(o.neurons, l) + (o.gzip ? ".gz" : "")),
                  net.layer(l - 1));
      watch.show("writing layers", static_cast<double>(l) / o.layers);
    }
    return 0;
  });
  written.seconds = watch.generate;
  put(o.json ? written_layers_json(written) + '\n' : written_layers_text(written));
  return agree;
}

void add_size_options(CLI::App& app, SpdnnCommand& o) {
  app.add_option("--neurons", o.neurons, "Neurons per layer: 1024, 4096, 16384 or 65536")
      ->capture_default_str();
  app.add_option("--layers", o.layers, "Number of layers, 1 to 1920")
      ->capture_default_str()
      ->check(CLI::Range(1, graphs::RadixNet::most_layers));
}

}  // namespace

std::function<int()> make_spdnn(CLI::App& app) {
  auto o = std::make_shared<SpdnnCommand>();
  add_size_options(app, *o);
  app.add_option("--data", o->data, "Folder with mnist/ and spdnn/ (default: the variable ASSAY_DATA)");
  auto* const weights =
      app.add_option("--weights", o->weights,
                     "Read the official layer files in this folder instead of generating the network");
  auto* const inputs = app.add_option(
      "--inputs", o->inputs,
      "mnist, fashion, generated, or a file like sparse-images-1024.tsv (default: the first one available)");
  add_unsigned(app, "--images", o->images, "Run only the first N images, and compare the truth on those", 1);
  auto* const truth = app.add_option(
      "--truth", o->truth,
      "Compare the categories with this file (default, for MNIST: the official one under --data)");
  auto* const expects_zero = app.add_flag(
      "--expects-zero", o->expects_zero, "Accept that no image has a category instead of calling it VACUOUS");
  app.add_option("--threads", o->threads, "Number of threads (default: all processors)")
      ->check(CLI::Range(1, 4096));
  auto* const isa = app.add_option("--isa", o->isa, "Use no kernel wider than this: scalar, avx2 or avx512");
  app.add_option(
         "--device", o->device,
         "cpu: this CPU's kernels; simt: CUDA's kernels thread by thread on this CPU, the same bits but "
         "slow; gpu: CUDA's kernels on a GPU")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "simt", "gpu"}));
  auto* const out = app.add_option("--out", o->out, "Write the categories to this file");
  app.add_option("--network", o->network, "Run the trained network in this folder on MNIST's test images")
      ->excludes(weights, inputs, truth, expects_zero, out, app.get_option("--neurons"),
                 app.get_option("--layers"));
  app.add_flag("--json", o->json, "Print one JSON object on stdout");

  CLI::App* const generate = app.add_subcommand("generate", "Write the official layer files");
  add_size_options(*generate, *o);
  generate->add_option("--out", o->folder, "Folder to write the files n<N>-l<l>.tsv to")->required();
  generate->add_flag("--gzip", o->gzip, "Write n<N>-l<l>.tsv.gz instead");
  generate->add_flag("--yes", o->yes, "Allow more than 1 GiB of files");
  generate->add_flag("--json", o->json, "Print one JSON object on stdout");
  generate->footer("Example:\n  assay spdnn generate --neurons 1024 --layers 120 --out layers");
  app.footer(app.get_footer() +
             "\n\nThe categories are compared with the truth: exit code 0 if they agree, 1 if not, 3 "
             "(VACUOUS) if\nthere are none on either side. Without a truth, and with --network, the run only "
             "measures: it\ngives no verdict and exits with 0; \"status\" is null in the JSON.");
  return [o, generate, isa] {
    if (isa->count() != 0 && o->device != "cpu")
      throw UsageError("--isa: the kernels of --device " + o->device + " use no instructions of a CPU");
    if (generate->parsed()) return run_generate(*o);
    return o->network.empty() ? run_challenge(*o) : run_network(*o);
  };
}

}  // namespace assay::cli
