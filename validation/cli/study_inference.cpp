// assay study spdnn: what rounding does to the answers of sparse networks.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "reference/core/error.hpp"
#include "reference/core/idx.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/spdnn_inputs.hpp"
#include "validation/cli/study_command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/studies/spdnn_study.hpp"

namespace assay::cli {
namespace {

using namespace studies;

struct Options {
  StudyOptions study;
  std::int32_t neurons = 1024;
  int layers = 120;
  std::uint64_t images = 0;
  std::string data, inputs, network;
  std::vector<std::string> weights, activations, biases, accumulators;
};

std::vector<Quantity> quantities(std::string_view option, const std::vector<std::string>& typed) {
  std::vector<Quantity> all;
  for (const std::string& text : typed) {
    const Quantity q = parse_quantity(option, text);
    if (std::find(all.begin(), all.end(), q) == all.end()) all.push_back(q);
  }
  if (all.empty()) all.emplace_back();
  return all;
}

// Every combination of what was typed; float32 where nothing was. Nothing at all: the usual ones.
std::vector<InferenceCase> cases_of(const Options& o, Question question) {
  if (o.weights.empty() && o.activations.empty() && o.biases.empty() && o.accumulators.empty())
    return usual_cases(question, o.study.seed);
  std::vector<InferenceCase> cases;
  for (const Quantity& w : quantities("--weights", o.weights)) {
    for (const Quantity& x : quantities("--activations", o.activations)) {
      for (const Quantity& b : quantities("--bias", o.biases)) {
        for (const Quantity& s : quantities("--acc", o.accumulators)) {
          const InferenceArithmetic a{w, x, b, s, o.study.seed};
          cases.push_back({arithmetic_text(a), a});
        }
      }
    }
  }
  return cases;
}

int finish(const Options& o, StudyFiles& files, const InferenceRequest& request) {
  const InferenceStudy study = study_inference(request, study_progress("assay study spdnn"));
  files.write(o.study, inference_page(study));
  return agree;
}

std::size_t images_of(const Options& o, std::size_t there) {
  if (o.images > there)
    throw InputError("--images", "", fmt::format("at most {}, all of the inputs", there),
                     std::to_string(o.images));
  return o.images == 0 ? there : static_cast<std::size_t>(o.images);
}

int run_challenge(const Options& o) {
  check_neurons(o.neurons);
  InferenceRequest request{.question = Question::category, .seed = o.study.seed, .threads = o.study.threads};
  request.cases = cases_of(o, request.question);
  const InputSource source = find_inputs(o.inputs, find_data(o.data));
  StudyFiles files(o.study);
  const auto progress = study_progress("assay study spdnn");
  progress(0, "the inputs");
  spdnn::BitMatrix pixels;
  if (source.kind == "file") {
    pixels = spdnn::read_images(source.path, o.neurons);
  } else {
    const IdxImages images =
        source.path.empty() ? spdnn::generate_digits(spdnn::challenge_images) : read_idx_images(source.path);
    spdnn::InterpolateOptions options;
    options.threads = o.study.threads;
    options.progress = [&](double fraction) { progress(fraction, "interpolating the images"); };
    pixels = spdnn::interpolate(images, side_of(o.neurons), options).pixels;
  }
  request.images = images_of(o, pixels.rows());
  request.layers = spdnn::challenge_network(o.neurons, o.layers);
  request.network = fmt::format("{} neurons x {} layers of the Sparse DNN Challenge", o.neurons, o.layers);
  request.inputs = source.path.empty() ? source.kind : source.path.string();
  request.source = [view = pixels.view()](std::size_t i, std::span<float> x) {
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = view.test(i, j) ? 1.0F : 0.0F;
  };
  return finish(o, files, request);
}

int run_network(const Options& o) {
  InferenceRequest request{
      .question = Question::largest_output, .seed = o.study.seed, .threads = o.study.threads};
  request.cases = cases_of(o, request.question);
  if (!std::filesystem::is_directory(o.network))
    throw InputError("--network", "", "a folder with weights-l1-dense.tsv and more", quoted(o.network));
  const Data data = find_data(o.data);
  const auto images_file = mnist_test_file(data, "t10k-images-idx3-ubyte"),
             labels_file = mnist_test_file(data, "t10k-labels-idx1-ubyte");
  StudyFiles files(o.study);
  const IdxImages images = read_idx_images(images_file);
  const std::vector<std::uint8_t> labels = read_idx_labels(labels_file);
  if (labels.size() != images.count)
    throw InputError(labels_file.string(), "", std::to_string(images.count) + " labels",
                     std::to_string(labels.size()));
  const std::size_t pixels = images.rows * images.cols;
  request.layers = spdnn::read_trained_network(o.network, static_cast<std::int64_t>(pixels)).network;
  const std::vector<float> values = spdnn::scaled_pixels(images);
  request.images = images_of(o, images.count);
  request.labels = labels;
  request.network = "the trained network " + o.network;
  request.inputs = images_file.string();
  request.source = [&](std::size_t i, std::span<float> x) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * pixels), pixels, x.begin());
  };
  return finish(o, files, request);
}

}  // namespace

std::function<int()> make_study_spdnn(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("--neurons", o->neurons, "1024, 4096, 16384 or 65536")->capture_default_str();
  app.add_option("--layers", o->layers, "Layers, 1..1920")
      ->capture_default_str()
      ->check(CLI::Range(1, graphs::RadixNet::most_layers));
  app.add_option("--inputs", o->inputs, "mnist, fashion, generated, or a file as sparse-images-1024.tsv");
  app.add_option("--network", o->network,
                 "Instead: the trained network in this folder, on MNIST's test images")
      ->check(not_empty)
      ->excludes(app.get_option("--neurons"), app.get_option("--layers"), app.get_option("--inputs"));
  app.add_option("--data", o->data, "Folder with mnist/ (default: the variable ASSAY_DATA)");
  add_unsigned(app, "--images", o->images,
               "Only the first N images (all are interpolated: neighbours leak into each other)", 1);
  app.add_option("--weights", o->weights,
                 "Formats of the weights to try, FORMAT or FORMAT:ROUNDING (default: f32); may be repeated")
      ->allow_extra_args(false);
  app.add_option("--activations", o->activations, "Formats of the activations to try, as --weights")
      ->allow_extra_args(false);
  app.add_option("--bias", o->biases, "Formats of the bias to try, as --weights")->allow_extra_args(false);
  app.add_option("--acc", o->accumulators, "Formats of the sums to try, rounded at every step, as --weights")
      ->allow_extra_args(false);
  add_study_options(app, o->study);
  app.footer(
      app.get_footer() +
      "\n\nWithout --weights, --activations, --bias and --acc: the usual combinations of bf16 and f16.");
  return [o] { return o->network.empty() ? run_challenge(*o) : run_network(*o); };
}

}  // namespace assay::cli
