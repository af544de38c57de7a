// The cost of training and inference by the densities of layers, in multiply-adds of an image.
#pragma once

#include <vector>

#include "reference/autosparse/layers.hpp"

namespace assay::autosparse {

// Densities of all layers, in (0, 1], whose mean by parameters is `density`, but where said.
//
// Every layer the same; `dense_first` leaves the first one whole and the others at `density`, as is usual.
std::vector<double> uniform_densities(const std::vector<Layer>& layers, double density, bool dense_first);
// By the sums of a layer's dimensions over their product: Erdos-Renyi by channels alone, Erdos-Renyi-Kernel by the
// kernel's height and width too (Evci et al., "Rigging the Lottery", ICML 2020). Layers that would have more than all
// of their weights are dense, and the others share what is left.
std::vector<double> erdos_renyi_densities(const std::vector<Layer>& layers, double density, bool with_kernel);

// Multiply-adds of inference, and of the parameters that are left.
double sparse_multiply_adds(const std::vector<Layer>& layers, const std::vector<double>& densities);
double sparse_parameters(const std::vector<Layer>& layers, const std::vector<double>& densities);

// What one step of training costs beside inference: forward, the gradient of the inputs, that of the weights.
enum class WeightGradient : std::uint8_t {
  dense,     // of every weight: while alpha > 0
  top_half,  // of the larger half of |w| - T
  sparse     // of the weights that are not masked: alpha = 0
};
double training_multiply_adds(const std::vector<Layer>& layers, const std::vector<double>& densities,
                              WeightGradient weight_gradient);

// ContractError: densities of another number than layers or outside [0, 1]; a density that is asked for outside (0, 1].

}  // namespace assay::autosparse
