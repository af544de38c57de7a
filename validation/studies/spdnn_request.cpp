#include "validation/studies/spdnn_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/idx.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/trained_network.hpp"
#include "validation/studies/spdnn_inputs.hpp"
#include "validation/studies/spdnn_study.hpp"

namespace assay::studies {
namespace {

using Progress = std::function<void(double fraction, const std::string& what)>;

std::vector<Quantity> quantities(const std::string& option, const std::vector<std::string>& typed) {
  std::vector<Quantity> all;
  for (const std::string& text : typed) {
    const Quantity quantity = parse_quantity(option, text);
    if (std::find(all.begin(), all.end(), quantity) == all.end()) all.push_back(quantity);
  }
  if (all.empty()) all.emplace_back();
  return all;
}

std::vector<InferenceCase> cases_of(const InferenceQuestion& q, Question question) {
  if (q.weights.empty() && q.activations.empty() && q.biases.empty() && q.accumulators.empty())
    return usual_cases(question, q.seed);
  const auto read = [&](std::string_view option, const std::vector<std::string>& typed) {
    return quantities(judge::option_name(q.caller, option), typed);
  };
  const std::vector<Quantity> weights = read("weights", q.weights),
                              activations = read("activations", q.activations),
                              biases = read("bias", q.biases), accumulators = read("acc", q.accumulators);
  std::vector<InferenceCase> cases;
  for (const Quantity& w : weights) {
    for (const Quantity& x : activations) {
      for (const Quantity& b : biases) {
        for (const Quantity& s : accumulators) {
          const InferenceArithmetic a{w, x, b, s, q.seed};
          cases.push_back({arithmetic_text(a), a});
        }
      }
    }
  }
  return cases;
}

std::size_t images_of(const InferenceQuestion& q, std::size_t there) {
  if (q.images > there)
    throw InputError::of_option(judge::option_name(q.caller, "images"),
                                fmt::format("at most {}, all of the inputs", there),
                                std::to_string(q.images));
  return q.images == 0 ? there : static_cast<std::size_t>(q.images);
}

InferenceRequest request_of(const InferenceQuestion& q, Question question) {
  InferenceRequest request{.question = question, .seed = q.seed, .threads = q.threads};
  request.cases = cases_of(q, question);
  return request;
}

InferenceStudy of_challenge(const InferenceQuestion& q, const Progress& progress) {
  check_neurons(q.neurons);
  if (q.layers < 1 || q.layers > graphs::RadixNet::most_layers) {
    throw InputError::of_option(judge::option_name(q.caller, "layers"),
                                fmt::format("1 to {} layers", graphs::RadixNet::most_layers),
                                std::to_string(q.layers));
  }
  InferenceRequest request = request_of(q, Question::category);
  const InputSource source = find_inputs(q.inputs, find_data(q.data));
  if (progress) progress(0, "the inputs");
  spdnn::BitMatrix pixels;
  if (source.kind == "file") {
    pixels = spdnn::read_images(source.path, q.neurons);
  } else {
    const IdxImages images =
        source.path.empty() ? spdnn::generate_digits(spdnn::challenge_images) : read_idx_images(source.path);
    spdnn::InterpolateOptions options;
    options.threads = q.threads;
    if (progress) options.progress = [&](double fraction) { progress(fraction, "interpolating the images"); };
    pixels = spdnn::interpolate(images, side_of(q.neurons), options).pixels;
  }
  request.images = images_of(q, pixels.rows());
  request.layers = spdnn::challenge_network(q.neurons, q.layers);
  request.network = fmt::format("{} neurons x {} layers of the Sparse DNN Challenge", q.neurons, q.layers);
  request.inputs = source.path.empty() ? source.kind : source.path.string();
  request.source = [view = pixels.view()](std::size_t i, std::span<float> x) {
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = view.test(i, j) ? 1.0F : 0.0F;
  };
  return study_inference(request, progress);
}

InferenceStudy of_network(const InferenceQuestion& q, const Progress& progress) {
  InferenceRequest request = request_of(q, Question::largest_output);
  if (!std::filesystem::is_directory(q.network))
    throw InputError::of_option(judge::option_name(q.caller, "network"),
                                "a folder with weights-l1-dense.tsv and more", quoted(q.network));
  const Data data = find_data(q.data);
  const auto images_file = mnist_test_file(data, "t10k-images-idx3-ubyte"),
             labels_file = mnist_test_file(data, "t10k-labels-idx1-ubyte");
  const IdxImages images = read_idx_images(images_file);
  const std::vector<std::uint8_t> labels = read_idx_labels(labels_file);
  if (labels.size() != images.count)
    throw InputError(labels_file.string(), "", std::to_string(images.count) + " labels",
                     std::to_string(labels.size()));
  const std::size_t pixels = images.rows * images.cols;
  request.layers = spdnn::read_trained_network(q.network, static_cast<std::int64_t>(pixels)).network;
  const std::vector<float> values = spdnn::scaled_pixels(images);
  request.images = images_of(q, images.count);
  request.labels = labels;
  request.network = "the trained network " + q.network;
  request.inputs = images_file.string();
  request.source = [&](std::size_t i, std::span<float> x) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * pixels), pixels, x.begin());
  };
  return study_inference(request, progress);
}

}  // namespace

InferenceStudy answer(const InferenceQuestion& question, const Progress& progress) {
  return question.network.empty() ? of_challenge(question, progress) : of_network(question, progress);
}

}  // namespace assay::studies
