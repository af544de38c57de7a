#include <cuda_runtime.h>

#include "gpu/kernels/spdnn_layer_tiled.cuh"
#include "gpu/kernels/spdnn_layers_fused.cuh"
#include "gpu/kernels/spdnn_rows.cuh"
#include "tests/gpu/kernels/spdnn_planted.hpp"

namespace assay::test {
namespace {

using namespace gpu;

alignas(16) float floats[16];
unsigned long long masks[1];
std::uint32_t numbers[8];
std::uint16_t indices[8];
SpdnnFusedLayer layer;

// A task that nothing is wrong with, but for what `change` does.
template <class Change>
std::string tiled(Change change) {
  SpdnnTiled task{{2, 3, numbers, numbers, numbers, numbers, indices, floats, numbers, floats},
                  0,
                  1,
                  {5, 12},
                  floats,
                  floats + 4,
                  masks};
  change(task);
  try {
    spdnn_layer_tiled(task, nullptr);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "taken";
}

template <class Change>
std::string fused(Change change) {
  SpdnnFused task{&layer, 1, 2, 3, 3, {5, 48}, floats, floats + 4, masks};
  change(task);
  try {
    spdnn_layers_fused(task, nullptr);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "taken";
}

template <class Change>
std::string index(Change change) {
  SpdnnSlabs slabs{5, 48};
  const unsigned long long* alive = masks;
  change(slabs, alive);
  try {
    spdnn_index_live(alive, slabs, numbers, numbers, numbers, numbers, nullptr);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

// No launch is reached: what the pointers point to is not read.
std::vector<Refusal> refusals_of_spdnn_launchers() {
  return {
      {tiled([](SpdnnTiled& t) { t.slabs.lanes = 48; }), "spdnn layer tiled: slabs of 48 rows"},
      {tiled([](SpdnnTiled& t) { t.x = nullptr; }), "spdnn layer tiled: x is null"},
      {tiled([](SpdnnTiled& t) { t.y = floats + 1; }), "spdnn layer tiled: y is not aligned to 16 bytes"},
      {tiled([](SpdnnTiled& t) { t.y = floats; }), "spdnn layer tiled: y is x"},
      {tiled([](SpdnnTiled& t) { t.alive = nullptr; }), "spdnn layer tiled: alive is null"},
      {tiled([](SpdnnTiled& t) { t.weights.stages = nullptr; }), "spdnn layer tiled: stages is null"},
      {tiled([](SpdnnTiled& t) { t.weights.bias = nullptr; }), "spdnn layer tiled: bias is null"},
      {tiled([](SpdnnTiled& t) { t.weights.outputs = 65536 * 256; }),
       "spdnn layer tiled: 16777216 outputs, and a grid has at most 16776960"},
      {fused([](SpdnnFused& t) { t.count = 0; }), "spdnn layers fused: no layers"},
      {fused([](SpdnnFused& t) { t.layers = nullptr; }), "spdnn layers fused: layers is null"},
      {fused([](SpdnnFused& t) { t.x = floats + 2; }), "spdnn layers fused: x is not aligned to 16 bytes"},
      {fused([](SpdnnFused& t) { t.y = nullptr; }), "spdnn layers fused: y is null"},
      {fused([](SpdnnFused& t) { t.inputs = 4; }),
       "spdnn layers fused: 4 inputs and 3 outputs, and at most 3 neurons"},
      {fused([](SpdnnFused& t) {
         t.slabs.rows = 50;
         t.y = floats;
       }),
       "spdnn layers fused: y is x, and its slabs are of another size"},
      {fused([](SpdnnFused& t) { t.slabs.lanes = 16; }), "there are kernels for 12, 24, 36 and 48"},
      {fused([](SpdnnFused& t) { t.widest = 1025; }), "1025 neurons x 48 images"},
      {index([](SpdnnSlabs& slabs, const unsigned long long*&) { slabs.lanes = 65; }), "a mask has 64 bits"},
      {index([](SpdnnSlabs&, const unsigned long long*& alive) { alive = nullptr; }),
       "spdnn rows: alive is null"},
  };
}

}  // namespace assay::test
