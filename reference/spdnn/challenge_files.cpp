#include "reference/spdnn/challenge_files.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/spdnn/tsv.hpp"

namespace assay::spdnn {
namespace fs = std::filesystem;
using std::to_string;
namespace {

void append(std::string& text, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  text.append(digits, end);
}

// 0.0625 is "6.250000e-02". std::to_chars is exact about the digits it is asked for and knows no locale.
void append(std::string& text, float weight) {
  char digits[32];
  for (const int decimals : {6, 8}) {
    const auto end =
        std::to_chars(std::begin(digits), std::end(digits), weight, std::chars_format::scientific, decimals)
            .ptr;
    float back = 0;
    std::from_chars(digits, end, back);
    if (back == weight || decimals == 8) {
      text.append(digits, end);
      return;
    }
  }
}

// `output` of the last line had `count` inputs; outputs between it and `next` had none.
void check_width(const TsvReader& in, bool at_end, std::int64_t output, std::int64_t count, std::int64_t next,
                 std::int32_t wanted) {
  std::string expected, found;
  const std::string some = wanted == 0 ? "an input" : to_string(wanted) + " inputs";
  if (output > 0 && wanted != 0 && count != wanted) {
    expected = some + " of output " + to_string(output);
    found = to_string(count);
  } else if (next != output + 1) {
    expected = some + " of output " + to_string(output + 1);
    found = at_end ? "the end of the file" : "output " + to_string(next);
  } else {
    return;
  }
  if (at_end) in.fail_at_end(expected, found);
  in.fail(expected, found);
}

}  // namespace

std::string layer_file_name(std::int32_t neurons, int layer) {
  return std::string("n") + to_string(neurons) + "-l" + to_string(layer) + ".tsv";
}
std::string images_file_name(std::int32_t neurons) { return "sparse-images-" + to_string(neurons) + ".tsv"; }
std::string categories_file_name(std::int32_t neurons, int layers) {
  return "neuron" + to_string(neurons) + "-l" + to_string(layers) + "-categories.tsv";
}

fs::path find_plain_or_gzipped(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) return file;
  fs::path gzipped = file;
  gzipped += ".gz";
  return fs::exists(gzipped, ignored) ? gzipped : fs::path{};
}

std::vector<fs::path> find_layers(const fs::path& folder, std::int32_t neurons, int layers) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(folder.string(), "", "a folder of layer files",
                     fs::exists(folder, ignored) ? "a file" : "nothing there");
  }
  const fs::path subfolder = folder / ("neuron" + to_string(neurons));
  std::vector<fs::path> found;
  for (int l = 1; l <= layers; ++l) {
    fs::path file = find_plain_or_gzipped(folder / layer_file_name(neurons, l));
    if (file.empty()) file = find_plain_or_gzipped(subfolder / layer_file_name(neurons, l));
    if (file.empty()) {
      throw InputError(folder.string(), "",
                       "layer " + to_string(l) + " of " + to_string(layers) + " (" +
                           layer_file_name(neurons, l) + ", plain or .gz, here or in neuron" +
                           to_string(neurons) + ")",
                       "no such file");
    }
    found.push_back(std::move(file));
  }
  return found;
}

sparse::Csr<float> read_layer(const fs::path& file, std::int32_t neurons, std::int32_t inputs_per_neuron) {
  TsvReader in(file, 3);
  sparse::Csr<float> layer;
  sparse::CsrStructure& structure = layer.structure;
  structure.rows = structure.cols = neurons;
  std::int64_t output = 0, input = 0, count = 0;
  while (in.next()) {
    const std::int64_t i = in.integer(0, "an input neuron", 1, neurons);
    const std::int64_t j = in.integer(1, "an output neuron", 1, neurons);
    const float weight = in.value(2, "a weight");
    if (j < output)
      in.fail("outputs in ascending order", "output " + to_string(j) + " after " + to_string(output));
    if (j > output) {
      check_width(in, false, output, count, j, inputs_per_neuron);
      if (output > 0) structure.end_row();
      output = j;
      input = count = 0;
    }
    if (i == input)
      in.fail("every entry once", "input " + to_string(i) + " of output " + to_string(j) + " again");
    if (i < input) {
      in.fail("inputs in ascending order",
              "input " + to_string(i) + " after " + to_string(input) + " at output " + to_string(j));
    }
    input = i;
    ++count;
    if (inputs_per_neuron != 0 && count > inputs_per_neuron) {
      in.fail(to_string(inputs_per_neuron) + " inputs of output " + to_string(j), "one more");
    }
    structure.column_indices.push_back(static_cast<std::int32_t>(i - 1));
    layer.values.push_back(weight);
  }
  check_width(in, true, output, count, std::int64_t{neurons} + 1, inputs_per_neuron);
  structure.end_row();
  return layer;
}

std::string layer_text(const sparse::Csr<float>& layer) {
  std::string text;
  for (std::int64_t j = 0; j < layer.rows(); ++j) {
    const auto inputs = layer.row_columns(j);
    const auto weights = layer.row_values(j);
    for (std::size_t e = 0; e < inputs.size(); ++e) {
      append(text, static_cast<std::uint64_t>(inputs[e]) + 1);
      text += '\t';
      append(text, static_cast<std::uint64_t>(j) + 1);
      text += '\t';
      append(text, weights[e]);
      text += '\n';
    }
  }
  return text;
}

void write_layer(const fs::path& file, const sparse::Csr<float>& layer) {
  AtomicFile out(file);
  out.write(layer_text(layer));
  out.commit();
}

std::uint64_t layer_file_bytes(std::int32_t neurons, std::int32_t inputs_per_neuron) {
  // Every neuron is an output `inputs_per_neuron` times and, in these networks, an input as often.
  std::uint64_t digits = 0;
  for (std::uint64_t width = 1, first = 1; first <= static_cast<std::uint64_t>(neurons);
       ++width, first *= 10) {
    const std::uint64_t last = std::min(static_cast<std::uint64_t>(neurons), first * 10 - 1);
    digits += width * (last - first + 1);
  }
  constexpr std::uint64_t tabs_weight_newline = 2 + 12 + 1;
  return static_cast<std::uint64_t>(inputs_per_neuron) *
         (2 * digits + static_cast<std::uint64_t>(neurons) * tabs_weight_newline);
}

BitMatrix read_images(const fs::path& file, std::int32_t neurons, std::size_t most_images) {
  TsvReader in(file, 3);
  BitMatrix images(0, static_cast<std::size_t>(neurons));
  std::int64_t image = 0, pixel = 0;
  while (in.next()) {
    const std::int64_t i = in.integer(0, "an image", 1, static_cast<std::int64_t>(most_images));
    const std::int64_t j = in.integer(1, "a pixel", 1, neurons);
    if (const float value = in.value(2, "the value 1"); value != 1.0F)
      in.fail("the value 1", "another number");
    if (i < image)
      in.fail("images in ascending order", "image " + to_string(i) + " after " + to_string(image));
    if (i > image) {
      images.append_rows(static_cast<std::size_t>(i - image));
      image = i;
      pixel = 0;
    }
    if (j == pixel)
      in.fail("every entry once", "pixel " + to_string(j) + " of image " + to_string(i) + " again");
    if (j < pixel) {
      in.fail("pixels in ascending order",
              "pixel " + to_string(j) + " after " + to_string(pixel) + " in image " + to_string(i));
    }
    pixel = j;
    images.set(static_cast<std::size_t>(i - 1), static_cast<std::size_t>(j - 1));
  }
  if (image == 0) in.fail_at_end("an image", "an empty file");
  return images;
}

void write_images(const fs::path& file, const BitRows& images) {
  AtomicFile out(file);
  std::string text;
  for (std::size_t i = 0; i < images.rows; ++i) {
    const auto row = images.row(i);
    for (std::size_t w = 0; w < row.size(); ++w) {
      for (std::uint64_t bits = row[w]; bits != 0; bits &= bits - 1) {
        append(text, std::uint64_t{i} + 1);
        text += '\t';
        append(text, std::uint64_t{w} * 64 + static_cast<std::uint64_t>(std::countr_zero(bits)) + 1);
        text += "\t1\n";
      }
    }
    out.write(text);
    text.clear();
  }
  out.commit();
}

std::vector<std::uint32_t> read_categories(const fs::path& file, std::size_t images) {
  TsvReader in(file, 1);
  std::vector<std::uint32_t> categories;
  while (in.next()) {
    const auto image =
        static_cast<std::uint32_t>(in.integer(0, "an image", 1, static_cast<std::int64_t>(images)));
    if (!categories.empty() && image == categories.back())
      in.fail("every image once", to_string(image) + " again");
    if (!categories.empty() && image < categories.back()) {
      in.fail("images in ascending order", to_string(image) + " after " + to_string(categories.back()));
    }
    categories.push_back(image);
  }
  return categories;
}

void write_categories(const fs::path& file, std::span<const std::uint32_t> categories) {
  AtomicFile out(file);
  std::string text;
  for (const std::uint32_t image : categories) {
    append(text, std::uint64_t{image});
    text += '\n';
  }
  out.write(text);
  out.commit();
}

CategoryDifference compare_categories(std::span<const std::uint32_t> answer,
                                      std::span<const std::uint32_t> truth) {
  CategoryDifference difference;
  std::ranges::set_difference(truth, answer, std::back_inserter(difference.missing));
  std::ranges::set_difference(answer, truth, std::back_inserter(difference.extra));
  return difference;
}

}  // namespace assay::spdnn
