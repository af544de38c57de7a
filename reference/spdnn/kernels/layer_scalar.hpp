// The contract of kernel_task.hpp as plain code: image by image, output by output. Tiles are one lane wide.
#pragma once

#include <cmath>

#include "reference/spdnn/kernel_task.hpp"

namespace assay::spdnn::kernels {
namespace {

// `first_edge(j)` is where the edges of output j begin; those of j end where those of j + 1 begin.
template <class FirstEdge>
void run_layer(const LayerTask& task, FirstEdge first_edge) {
  bool alive = false;
  for (std::uint32_t j = 0; j < task.outputs; ++j) {
    float sum = 0.0F;
    for (std::uint32_t e = first_edge(j); e < first_edge(j + 1); ++e) {
      sum = std::fma(task.edges[e].weight, task.x[task.edges[e].source], sum);
    }
    const float z = sum + task.bias[j];
    const float y = z <= task.lower ? task.lower : z > task.upper ? task.upper : z;
    task.y[task.targets[j]] = y;
    alive = alive || y != 0.0F;
  }
  task.alive[0] = alive ? 1 : 0;
}

}  // namespace
}  // namespace assay::spdnn::kernels
