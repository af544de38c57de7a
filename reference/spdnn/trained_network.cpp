#include "reference/spdnn/trained_network.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/spdnn/tsv.hpp"

namespace assay::spdnn {
namespace fs = std::filesystem;
using std::to_string;
namespace {

// K of "weights-l<K>-dense.tsv" or "weights-l<K>-sparse.tsv", or 0.
int layer_number(const std::string& name, std::string_view kind) {
  const std::string_view prefix = "weights-l";
  const std::string suffix = std::string("-").append(kind) + ".tsv";
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size())
    return 0;
  int number = 0;
  const char* const end = name.data() + (name.size() - suffix.size());
  const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, number);
  return error == std::errc{} && stop == end && number > 0 ? number : 0;
}

std::string weights_name(int layer, bool dense) {
  return "weights-l" + to_string(layer) + (dense ? "-dense.tsv" : "-sparse.tsv");
}

int last_layer(const fs::path& folder) {
  std::error_code error;
  int last = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    last = std::max({last, layer_number(name, "dense"), layer_number(name, "sparse")});
  }
  if (error) throw InputError(folder.string(), "", "a folder with a trained network", error.message());
  if (last == 0) throw InputError(folder.string(), "", "weights-l1-dense.tsv and more", "no file of weights");
  return last;
}

std::vector<float> read_biases(const fs::path& file) {
  TsvReader in(file, 1);
  std::vector<float> values;
  while (in.next()) values.push_back(in.value(0, "a bias"));
  if (values.empty()) in.fail_at_end("a bias for every output", "an empty file");
  return values;
}

[[noreturn]] void wrong_biases(const fs::path& file, std::int64_t expected, std::string_view why,
                               std::int64_t found) {
  throw InputError(file.string(), "", to_string(expected) + " biases, " + std::string(why), to_string(found));
}

// Both readers make W with a row an input, as it stands in the file.
sparse::Csr<float> read_dense(const fs::path& file, std::int64_t inputs, std::int64_t outputs,
                              const fs::path& biases) {
  TsvReader in(file, 1);
  sparse::Csr<float> w;
  w.structure.rows = inputs;
  w.structure.cols = outputs;
  const std::int64_t wanted = inputs * outputs;  // both have 31 bits
  std::int64_t count = 0;
  for (; in.next(); ++count) {
    if (count >= wanted) continue;  // counted, to say which file is wrong
    w.structure.column_indices.push_back(static_cast<std::int32_t>(count % outputs));
    w.values.push_back(in.value(0, "a weight"));
    if ((count + 1) % outputs == 0) w.structure.end_row();
  }
  if (count == wanted) return w;
  const std::string shape = to_string(inputs) + " x " + to_string(outputs) + " weights";
  if (count > 0 && count % inputs == 0) {
    const std::int64_t per_input = count / inputs;
    wrong_biases(biases, per_input,
                 "as " + file.filename().string() + " has " + to_string(inputs) + " x " +
                     to_string(per_input) + " weights",
                 outputs);
  }
  if (count < wanted) in.fail_at_end(shape, to_string(count));
  throw InputError(file.string(), "line " + to_string(wanted + 1), "the end of the file after " + shape,
                   to_string(count - wanted) + " more");
}

sparse::Csr<float> read_sparse(const fs::path& file, std::int64_t inputs, std::int64_t outputs) {
  TsvReader in(file, 3);
  sparse::Csr<float> w;
  w.structure.rows = inputs;
  w.structure.cols = outputs;
  std::int64_t row = 0, column = -1;
  while (in.next()) {
    const std::int64_t i = in.integer(0, "an input", 0, inputs - 1);
    const std::int64_t j = in.integer(1, "an output", 0, outputs - 1);
    if (i < row) in.fail("inputs in ascending order", "input " + to_string(i) + " after " + to_string(row));
    for (; row < i; ++row) {
      w.structure.end_row();
      column = -1;
    }
    if (j == column)
      in.fail("every entry once", "output " + to_string(j) + " of input " + to_string(i) + " again");
    if (j < column) {
      in.fail("outputs in ascending order",
              "output " + to_string(j) + " after " + to_string(column) + " at input " + to_string(i));
    }
    column = j;
    w.structure.column_indices.push_back(static_cast<std::int32_t>(j));
    w.values.push_back(in.value(2, "a weight"));
  }
  if (w.values.empty()) in.fail_at_end("a weight", "an empty file");
  for (; row < inputs; ++row) w.structure.end_row();
  return w;
}

}  // namespace

TrainedNetwork read_trained_network(const fs::path& folder, std::int64_t inputs) {
  narrow<std::int32_t>(inputs, "inputs of a trained network");
  TrainedNetwork trained;
  const int last = last_layer(folder);
  for (int l = 1; l <= last; ++l) {
    const bool dense = fs::exists(folder / weights_name(l, true));
    const bool sparse = fs::exists(folder / weights_name(l, false));
    if (dense == sparse) {
      throw InputError(folder.string(), "",
                       "one of " + weights_name(l, true) + " and " + weights_name(l, false),
                       dense ? "both" : "neither, though layer " + to_string(last) + " is there");
    }
    networks::Layer layer;
    layer.clip = l == last ? networks::Clip::none() : networks::Clip{0, 1};
    const fs::path biases = folder / ("biases-l" + to_string(l) + (dense ? "-dense.tsv" : "-sparse.tsv"));
    layer.bias = read_biases(biases);
    const auto outputs = static_cast<std::int64_t>(layer.bias.size());
    if (!std::in_range<std::int32_t>(outputs))
      throw InputError(biases.string(), "", "at most 2147483647 biases", to_string(outputs));
    // The weights of a sparse layer do not say how many outputs there are.
    if (sparse && outputs != inputs)
      wrong_biases(biases, inputs, "as a sparse layer has as many outputs as inputs", outputs);
    const fs::path file = folder / weights_name(l, dense);
    layer.weights = sparse::transpose(dense ? read_dense(file, inputs, outputs, biases)
                                            : read_sparse(file, inputs, outputs));
    inputs = outputs;
    if (sparse) trained.sparse_nnz += layer.weights.nnz();
    trained.network.layers.push_back(std::move(layer));
  }
  return trained;
}

std::vector<float> scaled_pixels(const IdxImages& images) {
  std::vector<float> scaled(images.pixels.size());
  std::ranges::transform(images.pixels, scaled.begin(),
                         [](std::uint8_t p) { return static_cast<float>(p) / 255.0F; });
  return scaled;
}

std::vector<std::uint8_t> classify(const Inference& inference, std::size_t images, std::int64_t outputs) {
  const auto width = static_cast<std::size_t>(outputs);
  if (inference.outputs.size() != inference.categories.size() * width || width == 0 || width > 256) {
    throw ContractError("classify: " + to_string(inference.outputs.size()) + " kept outputs for " +
                        to_string(inference.categories.size()) + " images of " + to_string(outputs));
  }
  std::vector<std::uint8_t> classes(images, 0);  // an image whose outputs are all zero: the first of equals
  for (std::size_t i = 0; i < inference.categories.size(); ++i) {
    const auto row = std::span(inference.outputs).subspan(i * width, width);
    classes[inference.categories[i] - 1] =
        static_cast<std::uint8_t>(std::ranges::max_element(row) - row.begin());
  }
  return classes;
}

void read_image(const BitRows& images, std::size_t image, std::span<float> x) {
  if (image >= images.rows || x.size() > images.cols)
    throw ContractError("read_image: image " + std::to_string(image) + " of " + std::to_string(images.rows) +
                        ", " + std::to_string(x.size()) + " pixels of " + std::to_string(images.cols));
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = images.test(image, j) ? 1.0F : 0.0F;
}

std::size_t count_correct(const std::vector<std::uint8_t>& classes, const std::vector<std::uint8_t>& labels) {
  if (labels.size() < classes.size()) throw ContractError("count_correct: fewer labels than classes");
  std::size_t correct = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) correct += classes[i] == labels[i] ? 1 : 0;
  return correct;
}

}  // namespace assay::spdnn
