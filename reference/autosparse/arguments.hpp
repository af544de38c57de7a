// What the functions of a layer ask of their arguments.
#pragma once

#include <cstddef>
#include <string_view>

#include "reference/autosparse/gradient.hpp"

namespace assay::autosparse {

// ContractError for an array that has not an element a weight, and for thresholds that are neither one nor one a
// channel.
void require_size(std::string_view what, std::size_t size, const LayerShape& shape);
void require_threshold_count(std::size_t thresholds, const LayerShape& shape);

}  // namespace assay::autosparse
