// Operands that tell one dot-product arithmetic from another, in classes: what the probe runs on a GPU.
//
// Integers only, from counter-based random numbers: a seed gives the same operands on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reference/formats/format_spec.hpp"

namespace assay::gpu {

// Rows [begin, end) of one class, whose addends are values of `accumulator`.
struct VectorClass {
  std::string name;
  FormatSpec accumulator;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Dot products d = a . b + c, one a row.
struct ProbeVectors {
  FormatSpec input;
  FormatSpec addend;  // float32, or float64: holds every accumulator of the classes
  std::size_t k = 0;
  std::vector<std::uint64_t> a, b;  // codes of `input`, rows x k
  std::vector<std::uint64_t> c;     // codes of `addend`
  std::vector<VectorClass> classes;

  std::size_t rows() const { return c.size(); }
};

struct ProbeClass {
  std::string_view name;
  std::string_view what;
};

// The classes in the order of ProbeVectors::classes, for lists.
const std::vector<ProbeClass>& probe_classes();

// `rows` of each class for each accumulator. A class that the formats cannot reach is left out: `floor` needs products
// below the last place of the accumulator. ContractError if `k` or `accumulators` is empty.
ProbeVectors make_probe_vectors(const FormatSpec& input, const std::vector<FormatSpec>& accumulators,
                                std::size_t k, std::size_t rows, std::uint64_t seed);

}  // namespace assay::gpu
