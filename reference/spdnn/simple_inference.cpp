#include "reference/spdnn/simple_inference.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

#include "reference/core/parallel.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <Eigen/SparseCore>
#pragma GCC diagnostic pop

#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"

namespace assay::spdnn {
namespace {

using Matrix = Eigen::SparseMatrix<float, Eigen::RowMajor, std::int32_t>;

Matrix activations(const BitRows& images) {
  std::vector<Eigen::Triplet<float, std::int32_t>> entries;
  for (std::size_t i = 0; i < images.rows; ++i) {
    for (std::size_t j = 0; j < images.cols; ++j) {
      if (images.test(i, j))
        entries.emplace_back(static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), 1.0F);
    }
  }
  Matrix y(static_cast<Eigen::Index>(images.rows), static_cast<Eigen::Index>(images.cols));
  y.setFromTriplets(entries.begin(), entries.end());
  return y;
}

// The 1-based rows of Y_L, counted from `first`, with an entry.
std::vector<std::uint32_t> categories_of(const BitRows& images, std::size_t first,
                                         const std::vector<Matrix>& weights,
                                         const networks::Network& network) {
  Matrix y = activations(images);
  for (std::size_t l = 0; l < weights.size(); ++l) {
    const networks::Layer& layer = network.layers[l];
    Matrix z = y * weights[l];
    z.prune([](auto, auto, float value) { return value != 0.0F; });
    for (std::size_t e = 0; e < static_cast<std::size_t>(z.nonZeros()); ++e) {
      float& value = z.valuePtr()[e];
      const float bias = layer.bias[static_cast<std::size_t>(z.innerIndexPtr()[e])];
      value = std::min(layer.clip.upper, std::max(layer.clip.lower, value + bias));
    }
    z.prune([](auto, auto, float value) { return value != 0.0F; });
    y = std::move(z);
  }
  std::vector<std::uint32_t> categories;
  for (Eigen::Index i = 0; i < y.rows(); ++i) {
    if (Matrix::InnerIterator(y, i))
      categories.push_back(static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(i) + 1);
  }
  return categories;
}

}  // namespace

SimpleInference simple_inference(const BitRows& images, const networks::Network& network) {
  check(network);
  std::vector<Matrix> weights;
  for (const networks::Layer& layer : network.layers) {
    if (layer.clip.lower != 0 || !std::ranges::all_of(layer.bias, [](float b) { return b <= 0; }))
      throw ContractError("simple_inference: a bias above 0 or a lower clip other than 0");
    const std::vector<std::int64_t>& wide = layer.weights.structure.row_offsets;
    narrow<std::int32_t>(layer.weights.nnz(), "weights of a layer for Eigen");  // the last and largest offset
    const std::vector<std::int32_t> offsets(wide.begin(), wide.end());
    const Eigen::Map<const Matrix> inputs_of(layer.outputs(), layer.inputs(), layer.weights.nnz(),
                                             offsets.data(), layer.weights.structure.column_indices.data(),
                                             layer.weights.values.data());
    weights.emplace_back(inputs_of.transpose());
  }
  const auto begin = std::chrono::steady_clock::now();
  constexpr std::size_t batch = 250;
  std::vector<std::vector<std::uint32_t>> parts((images.rows + batch - 1) / batch);
  parallel_for(parts.size(), {0, Share::dynamic, 1}, [&](std::size_t p) {
    BitRows rows = images;
    rows.words += p * batch * images.words_per_row;
    rows.rows = std::min(batch, images.rows - p * batch);
    parts[p] = categories_of(rows, p * batch, weights, network);
  });
  SimpleInference result;
  for (const auto& part : parts) result.categories.insert(result.categories.end(), part.begin(), part.end());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace assay::spdnn
