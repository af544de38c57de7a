#include "tests/gpu/kernels/spdnn_planted.hpp"

#include <cuda_runtime.h>

#include <span>

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/spdnn_layout.hpp"

namespace assay::test {
namespace {

constexpr unsigned tile = 64, footprint = 16, features = 12;

struct Task {
  unsigned inputs, outputs;
  const std::uint32_t *stages, *rows, *neurons, *columns;
  const std::uint16_t* index;
  const float* weight;
  const std::uint32_t* target;
  const float* bias;
  float lower, upper;
  const float* x;  // slabs of 12 images
  float* y;
  SpdnnPlant plant;
};

__device__ float added(float sum, float weight, float x, SpdnnPlant plant) {
  if (plant == SpdnnPlant::two_roundings) return __fadd_rn(__fmul_rn(weight, x), sum);
  sum = fmaf(weight, x, sum);
  return plant == SpdnnPlant::bf16_sum ? __uint_as_float(__float_as_uint(sum) & 0xFFFF0000U) : sum;
}

__global__ void planted(Task o) {
  __shared__ float staged[footprint * features];
  const unsigned lane = threadIdx.x % gpu::lanes_of_slice, warp = threadIdx.x / gpu::lanes_of_slice;
  const unsigned output = blockIdx.y * tile + threadIdx.x;
  const bool live = output < o.outputs;
  const float* const x = o.x + static_cast<std::size_t>(blockIdx.x) * o.inputs * features;
  float sum[features];
  for (unsigned f = 0; f < features; ++f)
    sum[f] = live && o.plant == SpdnnPlant::bias_first ? o.bias[output] : 0.0F;
  const unsigned first = o.stages[blockIdx.y], last = o.stages[blockIdx.y + 1];
  for (unsigned s = first; s < last; ++s) {
    const unsigned stage = o.plant == SpdnnPlant::stages_swapped ? last - 1 - (s - first) : s;
    const unsigned row = o.rows[stage], rows = o.rows[stage + 1] - row;
    for (unsigned i = threadIdx.x; i < rows * features; i += tile)
      staged[i] = x[static_cast<std::size_t>(o.neurons[row + i / features]) * features + i % features];
    __syncthreads();
    const std::uint32_t* const columns = o.columns + stage * (tile / gpu::lanes_of_slice) + warp;
    for (unsigned c = columns[0]; c < columns[1]; ++c) {
      const unsigned column = o.plant == SpdnnPlant::descending ? columns[1] - 1 - (c - columns[0]) : c;
      const unsigned edge = column * gpu::lanes_of_slice + lane;
      const unsigned index = o.index[edge];
      if (index == gpu::no_edge && o.plant != SpdnnPlant::pads_multiplied) continue;
      for (unsigned f = 0; f < features; ++f)
        sum[f] = added(sum[f], o.weight[edge], staged[(index == gpu::no_edge ? 0 : index) * features + f],
                       o.plant);
    }
    if (o.plant != SpdnnPlant::stale_stage) __syncthreads();
  }
  if (!live || (o.plant == SpdnnPlant::no_tail && output + 1 == o.outputs)) return;
  for (unsigned f = 0; f < features; ++f) {
    const float z = o.plant == SpdnnPlant::bias_first ? sum[f] : __fadd_rn(sum[f], o.bias[output]);
    float y = z <= o.lower ? o.lower : z > o.upper && o.plant != SpdnnPlant::no_upper ? o.upper : z;
    if (isnan(z)) y = __int_as_float(static_cast<int>(0xFFC00000U));
    const unsigned to = o.plant == SpdnnPlant::wrong_lane && f / 2 == 2 ? f ^ 1U : f;
    o.y[(static_cast<std::size_t>(blockIdx.x) * o.outputs + o.target[output]) * features + to] = y;
  }
}

template <class T>
gpu::DeviceArray<T> upload(const std::vector<T>& host) {
  return gpu::DeviceArray<T>(std::span<const T>{host});
}

}  // namespace

spdnn::Inference run_planted(const networks::Layer& layer, const spdnn::DenseRows& rows, SpdnnPlant plant) {
  const gpu::SpdnnTiledLayout l = gpu::tiled_layout(layer, tile, footprint);
  const std::size_t slabs = (rows.rows + features - 1) / features;
  std::vector<float> x(slabs * l.inputs * features, 0.0F), y(slabs * l.outputs * features, 0.0F);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t n = 0; n < rows.cols; ++n)
      x[(i / features * rows.cols + n) * features + i % features] = rows.row(i)[n];
  }
  const auto stages = upload(l.stages), first_rows = upload(l.rows), neurons = upload(l.neurons),
             columns = upload(l.columns), target = upload(l.target);
  const auto index = upload(l.index);
  const auto weight = upload(l.weight), bias = upload(l.bias), device_x = upload(x), device_y = upload(y);
  const Task task{l.inputs,         l.outputs,        stages.data(),   first_rows.data(), neurons.data(),
                  columns.data(),   index.data(),     weight.data(),   target.data(),     bias.data(),
                  layer.clip.lower, layer.clip.upper, device_x.data(), device_y.data(),   plant};
  const dim3 grid(static_cast<unsigned>(slabs), (l.outputs + tile - 1) / tile);
  planted<<<grid, tile>>>(task);
  ASSAY_CUDA(cudaGetLastError());
  y = device_y.on_host();
  spdnn::Inference result;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    std::vector<float> row;
    bool alive = false;
    for (std::size_t n = 0; n < l.outputs; ++n) {
      row.push_back(y[(i / features * l.outputs + n) * features + i % features]);
      alive = alive || row.back() != 0;
    }
    if (!alive) continue;
    result.categories.push_back(static_cast<std::uint32_t>(i) + 1);
    result.outputs.insert(result.outputs.end(), row.begin(), row.end());
  }
  return result;
}

}  // namespace assay::test
