// Matrices for the tests of SpMM, and the contract written out: one multiply-add after another.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/operations/epilogue.hpp"
#include "reference/sparse/spmm.hpp"

namespace assay::tests {

using sparse::Csr, sparse::DenseView, sparse::MutableDenseView, sparse::SpmmActivation, sparse::SpmmBias;
using sparse::spmm_kernels, sparse::SpmmExtras, sparse::SpmmKernel;

constexpr float inf = std::numeric_limits<float>::infinity();

// Numbers of unit scale; with `wild`, zeros of both signs, subnormals, infinities and NaN too, one in eight.
inline float value_of(const CounterRandom& random, std::uint64_t i, bool wild) {
  constexpr float special[] = {0.0F,  -0.0F, 1e-45F, -3e-39F,
                               1e30F, -inf,  inf,    std::numeric_limits<float>::quiet_NaN()};
  if (wild && random.below(8, 2 * i) == 0) return special[random.below(8, 2 * i + 1)];
  return static_cast<float>(random.normal(i));
}

inline std::vector<float> values_of(std::size_t n, std::uint64_t seed, bool wild = false) {
  const CounterRandom random(seed);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = value_of(random, i, wild);
  return all;
}

// Row 1 is full and row 2 empty, where they exist; with `stored`, columns stand in any order, and one twice.
inline Csr<float> pattern(std::int32_t rows, std::int32_t cols, double density, std::uint64_t seed,
                          bool wild = false, bool stored = false) {
  const CounterRandom random(seed);
  Csr<float> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  std::uint64_t n = 0;
  for (std::int32_t i = 0; i < rows; ++i) {
    const std::size_t begin = a.structure.column_indices.size();
    for (std::int32_t j = 0; j < cols; ++j) {
      if (i != 1 && (i == 2 || random.uniform(n++) >= density)) continue;
      a.structure.column_indices.push_back(j);
    }
    std::vector<std::int32_t>& columns = a.structure.column_indices;
    if (stored && columns.size() > begin + 1) {
      for (std::size_t k = columns.size() - 1; k > begin; --k)
        std::swap(columns[k], columns[begin + random.below(k - begin + 1, n++)]);
      columns.push_back(columns[begin]);
    }
    a.structure.end_row();
  }
  a.values = values_of(a.structure.column_indices.size(), seed + 1, wild);
  return a;
}

struct Dense {
  std::int64_t rows, cols, stride;
  std::vector<float> data;

  Dense(std::int64_t r, std::int64_t c, std::int64_t gap, std::uint64_t seed, bool wild = false)
      : rows(r),
        cols(c),
        stride(c + gap),
        data(values_of(static_cast<std::size_t>(r * (c + gap)) + 1, seed, wild)) {}
  DenseView view() const { return {data.data(), rows, cols, stride}; }
  MutableDenseView mutable_view() { return {data.data(), rows, cols, stride}; }
  float at(std::int64_t i, std::int64_t j) const { return data[static_cast<std::size_t>(i * stride + j)]; }
};

inline std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

// The contract as spmm_task.hpp words it, one output.
inline std::uint32_t expected(const Csr<float>& a, const Dense& x, std::int64_t i, std::int64_t j,
                              const SpmmExtras& e) {
  float s = 0;
  for (std::int64_t k = a.structure.row_begin(i); k < a.structure.row_begin(i + 1); ++k) {
    const auto at = static_cast<std::size_t>(k);
    s = std::fma(a.values[at], x.at(a.structure.column_indices[at], j), s);
  }
  const bool alone =
      e.alpha == 1 && e.beta == 0 && e.bias_along == SpmmBias::none && e.activation == SpmmActivation::none;
  if (alone) return std::isnan(s) ? 0x7FC00000U : bits(s);
  const auto code = [](float f) { return Addend{bits(f), formats::float32}; };
  const Epilogue how{.alpha = e.alpha,
                     .beta = e.beta,
                     .activation = static_cast<Activation>(e.activation),
                     .low = e.low,
                     .high = e.high};
  const std::optional<Addend> c =
      e.beta == 0 ? std::nullopt : std::optional(code(e.c.data[i * e.c.stride + j]));
  std::optional<Addend> bias;
  if (e.bias_along != SpmmBias::none)
    bias = code(e.bias[static_cast<std::size_t>(e.bias_along == SpmmBias::rows ? i : j)]);
  return static_cast<std::uint32_t>(
      apply_epilogue(how, formats::float32, code(s), c, bias, formats::float32));
}

inline int wrong(const Csr<float>& a, const Dense& x, const Dense& y, const SpmmExtras& e) {
  int count = 0;
  for (std::int64_t i = 0; i < y.rows; ++i) {
    for (std::int64_t j = 0; j < y.cols; ++j) count += bits(y.at(i, j)) == expected(a, x, i, j, e) ? 0 : 1;
  }
  return count;
}

// What lies between the rows of Y is not written.
inline bool gaps_are_kept(const Dense& y, const Dense& before) {
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const bool gap = i + 1 == y.data.size() || static_cast<std::int64_t>(i) % y.stride >= y.cols;
    if (gap && bits(y.data[i]) != bits(before.data[i])) return false;
  }
  return true;
}

inline std::vector<std::string_view> kernels_here() {
  std::vector<std::string_view> names;
  for (const SpmmKernel& kernel : spmm_kernels()) {
    if (runs_here(kernel)) names.push_back(kernel.name);
  }
  return names;
}

// Rows in blocks of `height`, which share their columns but for one entry in fifty; a few rows are left over.
inline Csr<float> blocks(std::int32_t rows, std::int32_t cols, std::int32_t height, double density,
                         std::uint64_t seed, bool exact) {
  const CounterRandom random(seed);
  Csr<float> a;
  a.structure.rows = rows;
  a.structure.cols = cols;
  for (std::int32_t i = 0; i < rows; ++i) {
    for (std::int32_t j = 0; j < cols; ++j) {
      const auto block = static_cast<std::uint64_t>(i / height) * static_cast<std::uint64_t>(cols) +
                         static_cast<std::uint64_t>(j);
      const auto place =
          static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(cols) + static_cast<std::uint64_t>(j);
      const bool here = random.uniform(2 * block) < density;
      if (here != (!exact && random.uniform(2 * place + 1) < 0.02)) a.structure.column_indices.push_back(j);
    }
    a.structure.end_row();
  }
  a.values = values_of(a.structure.column_indices.size(), seed + 1);
  return a;
}

}  // namespace assay::tests
