// The networks of the Sparse DNN Graph Challenge: its topologies with its bias and its clip.
#pragma once

#include <cstdint>

#include "reference/networks/network.hpp"

namespace assay::spdnn {

inline constexpr networks::Clip challenge_clip{0, 32};

// Square weights, as RadixNet makes or read_layer() reads them, with the bias of their size: ContractError for a size
// that the challenge does not have.
networks::Layer challenge_layer(sparse::Csr<float> weights);

// The first `layers` layers, all in memory: neurons * layers * 268 bytes. ContractError unless the challenge has the
// size and 1 <= layers <= 1920.
networks::Network challenge_network(std::int32_t neurons, int layers);

}  // namespace assay::spdnn
