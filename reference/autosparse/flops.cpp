#include "reference/autosparse/flops.hpp"

#include <cstddef>
#include <string>

#include "reference/core/error.hpp"

namespace assay::autosparse {
namespace {

void require_density(double density) {
  if (!(density > 0 && density <= 1))
    throw ContractError("a density is above 0 and at most 1, not " + std::to_string(density));
}

void require_densities(const std::vector<Layer>& layers, const std::vector<double>& densities) {
  if (layers.size() != densities.size())
    throw ContractError(std::to_string(densities.size()) + " densities for " + std::to_string(layers.size()) +
                        " layers");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!(densities[i] >= 0 && densities[i] <= 1))
      throw ContractError("the density of " + layers[i].name + " is " + std::to_string(densities[i]) +
                          ", not from 0 to 1");
  }
}

// What a layer's density is in proportion to.
double share_of(const Layer& layer, bool with_kernel) {
  const double channels = static_cast<double>(layer.inputs + layer.outputs);
  if (!with_kernel) return channels / static_cast<double>(layer.inputs * layer.outputs);
  return (channels + static_cast<double>(layer.height + layer.width)) /
         static_cast<double>(layer.parameters());
}

}  // namespace

std::vector<double> uniform_densities(const std::vector<Layer>& layers, double density, bool dense_first) {
  require_density(density);
  std::vector<double> all(layers.size(), density);
  if (dense_first && !all.empty()) all.front() = 1;
  return all;
}

std::vector<double> erdos_renyi_densities(const std::vector<Layer>& layers, double density,
                                          bool with_kernel) {
  require_density(density);
  std::vector<bool> dense(layers.size(), false);
  for (;;) {
    double left = density * static_cast<double>(parameters(layers)), weight = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto n = static_cast<double>(layers[i].parameters());
      if (dense[i]) {
        left -= n;
      } else {
        weight += share_of(layers[i], with_kernel) * n;
      }
    }
    std::vector<double> all(layers.size(), 1);
    bool changed = false;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (dense[i]) continue;
      all[i] = left / weight * share_of(layers[i], with_kernel);
      if (all[i] > 1) dense[i] = changed = true;
    }
    if (!changed) return all;
  }
}

double sparse_multiply_adds(const std::vector<Layer>& layers, const std::vector<double>& densities) {
  require_densities(layers, densities);
  double sum = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    sum += densities[i] * static_cast<double>(layers[i].multiply_adds());
  return sum;
}

double sparse_parameters(const std::vector<Layer>& layers, const std::vector<double>& densities) {
  require_densities(layers, densities);
  double sum = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    sum += densities[i] * static_cast<double>(layers[i].parameters());
  return sum;
}

double training_multiply_adds(const std::vector<Layer>& layers, const std::vector<double>& densities,
                              WeightGradient weight_gradient) {
  const double sparse = sparse_multiply_adds(layers, densities),
               dense = static_cast<double>(multiply_adds(layers));
  switch (weight_gradient) {
    case WeightGradient::dense: return 2 * sparse + dense;
    case WeightGradient::top_half: return 2 * sparse + dense / 2;
    case WeightGradient::sparse: return 3 * sparse;
  }
  return 0;
}

}  // namespace assay::autosparse
