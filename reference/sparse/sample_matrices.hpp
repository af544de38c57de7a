// Matrices and numbers made from a seed, on which kernels are checked: the same on any machine, for any number of
// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::sparse {

struct SamplePattern {
  std::string_view name;  // where entries are: one of sample_patterns(), else 5 % of all places
  std::int32_t rows, cols;
  bool wild = false;  // zeros, infinities and NaN among the numbers
};
// Rows without an entry, dense ones, blocks, one column, columns that repeat and stand in no order.
std::span<const SamplePattern> sample_patterns();

Csr<float> sample_matrix(const SamplePattern& p, std::uint64_t seed);
// Of the pattern's kind; each stream has its own.
std::vector<float> sample_numbers(const SamplePattern& p, std::size_t count, std::uint64_t seed,
                                  std::uint64_t stream);

}  // namespace assay::sparse
