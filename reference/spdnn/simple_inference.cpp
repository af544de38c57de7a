#include "reference/spdnn/simple_inference.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <Eigen/SparseCore>
#pragma GCC diagnostic pop

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
                                         const std::vector<Matrix>& weights, float bias) {
  Matrix y = activations(images);
  for (const Matrix& w : weights) {
    Matrix z = y * w;
    z.prune([](auto, auto, float value) { return value != 0.0F; });
    for (float& value : std::span(z.valuePtr(), static_cast<std::size_t>(z.nonZeros()))) {
      value = std::min(32.0F, std::max(0.0F, value + bias));
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

SimpleInference simple_inference(const BitRows& images, std::span<const sparse::Csr<float>> layers,
                                 float bias) {
  std::vector<Matrix> weights;
  for (const sparse::Csr<float>& layer : layers) {
    const std::vector<std::int64_t>& wide = layer.structure.row_offsets;
    narrow<std::int32_t>(layer.nnz(), "weights of a layer for Eigen");  // the last and largest offset
    const std::vector<std::int32_t> offsets(wide.begin(), wide.end());
    const Eigen::Map<const Matrix> inputs_of(layer.rows(), layer.cols(), layer.nnz(), offsets.data(),
                                             layer.structure.column_indices.data(), layer.values.data());
    weights.emplace_back(inputs_of.transpose());
  }
  const auto begin = std::chrono::steady_clock::now();
  constexpr std::size_t batch = 250;
  std::vector<std::vector<std::uint32_t>> parts((images.rows + batch - 1) / batch);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t p = 0; p < parts.size(); ++p) {
    BitRows rows = images;
    rows.words += p * batch * images.words_per_row;
    rows.rows = std::min(batch, images.rows - p * batch);
    parts[p] = categories_of(rows, p * batch, weights, bias);
  }
  SimpleInference result;
  for (const auto& part : parts) result.categories.insert(result.categories.end(), part.begin(), part.end());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace assay::spdnn
