// Device code of the tests of sparse inference: a kernel in the design of spdnn_layer_tiled.cuh that makes one mistake,
// which the tests must refuse, and launchers with arguments that they must refuse.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/networks/network.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::test {

enum class SpdnnPlant : std::uint8_t {
  none,
  two_roundings,    // a product rounded before it is added
  descending,       // the edges of a stage from the last to the first
  stages_swapped,   // the last stage first
  pads_multiplied,  // places without an edge add 0 * x
  stale_stage,      // no barrier between a stage's last reader and the next stage
  no_tail,          // the last output is not computed
  bias_first,       // sums begin at the bias
  no_upper,         // not clipped from above
  wrong_lane,       // images 4 and 5 of a slab change places
  bf16_sum,         // sums kept in bfloat16, truncated
};

// One layer on dense rows, 12 a block, a footprint of 16 rows.
spdnn::Inference run_planted(const networks::Layer& layer, const spdnn::DenseRows& rows, SpdnnPlant plant);

// What a launcher said, "taken" if nothing, and what it must say.
struct Refusal {
  std::string said{}, expected{};
};
std::vector<Refusal> refusals_of_spdnn_launchers();

}  // namespace assay::test
