// Private to the judge: the bits that a contract gives for the results of a layer.
//
// The contract of the library: gradient.hpp and layer.hpp, of float32, of bfloat16 operands with float32 weights, and
// of float64. With an arithmetic, dX and G are its products of whole matrices, v in the format of dy.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "validation/judge/autosparse_truth.hpp"

namespace assay::judge {

struct AutosparseBits {
  std::vector<std::byte> codes{};  // of the format of the result
  std::string contract{};          // its name
};

// Of one result, by its name; empty where there is no contract for these formats.
std::optional<AutosparseBits> contract_bits(const AutosparseRequest& request, const AutosparseLayer& layer,
                                            const std::string& array, const FormatSpec& got);

}  // namespace assay::judge
