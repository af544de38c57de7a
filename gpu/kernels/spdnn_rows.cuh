// What moves rows of a sparse network's activations between its layers: inputs into slabs, rows that live to the
// front, results out. Copies and counts alone; no arithmetic.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "gpu/kernels/launch.cuh"
#include "gpu/kernels/spdnn_activation.cuh"

namespace assay::gpu {

struct SpdnnRowsConfig {
  static constexpr int threads = 256;
  static constexpr int piece = 4096;         // elements of a block
  static constexpr int index_threads = 256;  // of the one block that numbers the rows
  static_assert((index_threads & (index_threads - 1)) == 0, "a scan by doubling");
};

namespace spdnn_kernels {

using RowsConfig = SpdnnRowsConfig;

// `to`, slab by slab: element (neuron, row i) is source(from[i], neuron), and 0 in lanes behind the last row.
template <class Source>
__global__ void __launch_bounds__(RowsConfig::threads)
    fill_slabs(Source source, const std::uint32_t* from, SpdnnSlabs slabs, std::uint32_t neurons, float* to) {
  const std::uint32_t elements = neurons * slabs.lanes;
  const std::uint32_t first = blockIdx.y * RowsConfig::piece;
  float* const slab = to + static_cast<std::size_t>(blockIdx.x) * elements;
  for (std::uint32_t i = first + threadIdx.x; i < elements && i < first + RowsConfig::piece;
       i += RowsConfig::threads) {
    const std::uint32_t row = blockIdx.x * slabs.lanes + i % slabs.lanes;
    slab[i] = row < slabs.rows ? source(from[row], i / slabs.lanes) : 0.0F;
  }
}

struct RowsOfBits {
  const std::uint64_t* words;
  std::size_t words_per_row;
  __device__ float operator()(std::uint32_t row, std::uint32_t neuron) const {
    return (words[row * words_per_row + neuron / 64] >> (neuron % 64) & 1) != 0 ? 1.0F : 0.0F;
  }
};
struct RowsOfFloats {
  const float* values;
  std::size_t cols;
  __device__ float operator()(std::uint32_t row, std::uint32_t neuron) const {
    return values[row * cols + neuron];
  }
};
struct RowsOfSlabs {
  const float* values;
  std::uint32_t neurons, lanes;
  __device__ float operator()(std::uint32_t row, std::uint32_t neuron) const {
    return values[(static_cast<std::size_t>(row / lanes) * neurons + neuron) * lanes + row % lanes];
  }
};

// to[i] = source(from[i], .), row-major: a block a row.
template <class Source>
__global__ void __launch_bounds__(RowsConfig::threads)
    fill_rows(Source source, const std::uint32_t* from, std::uint32_t neurons, float* to) {
  for (std::uint32_t n = threadIdx.x; n < neurons; n += RowsConfig::threads)
    to[static_cast<std::size_t>(blockIdx.x) * neurons + n] = source(from[blockIdx.x], n);
}

// One block: live[0 .. *count) are the rows whose bit is set, ascending, and names[i] what `name` says of them.
template <class Config>
__global__ void __launch_bounds__(Config::index_threads)
    index_live(const unsigned long long* alive, SpdnnSlabs slabs, const std::uint32_t* name,
               std::uint32_t* live, std::uint32_t* names, std::uint32_t* count) {
  __shared__ std::uint32_t sums[Config::index_threads];
  const auto mask_of = [&](std::uint32_t slab) {
    const std::uint32_t left = slabs.rows - slab * slabs.lanes,
                        used = left < slabs.lanes ? left : slabs.lanes;
    return alive[slab] & (used == 64 ? ~0ULL : (1ULL << used) - 1);
  };
  const std::uint32_t all = slabs.count();
  const std::uint32_t share = (all + Config::index_threads - 1) / Config::index_threads;
  const std::uint32_t first = threadIdx.x * share < all ? threadIdx.x * share : all;
  const std::uint32_t end = all - first < share ? all : first + share;
  std::uint32_t own = 0;
  for (std::uint32_t slab = first; slab < end; ++slab)
    own += static_cast<std::uint32_t>(__popcll(mask_of(slab)));
  sums[threadIdx.x] = own;
  __syncthreads();
  for (unsigned step = 1; step < Config::index_threads; step *= 2) {
    const std::uint32_t before = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sums[threadIdx.x] += before;
    __syncthreads();
  }
  std::uint32_t at = sums[threadIdx.x] - own;
  for (std::uint32_t slab = first; slab < end; ++slab) {
    for (unsigned long long mask = mask_of(slab); mask != 0; mask &= mask - 1) {
      const std::uint32_t row =
          slab * slabs.lanes + static_cast<std::uint32_t>(__ffsll(static_cast<long long>(mask))) - 1;
      live[at] = row;
      names[at] = name[row];
      ++at;
    }
  }
  if (threadIdx.x == Config::index_threads - 1) *count = sums[threadIdx.x];
}

}  // namespace spdnn_kernels

// Rows `from[0 .. slabs.rows)` of the source into slabs. All arrays are the device's.
template <class Source>
void spdnn_fill_slabs(const Source& source, const std::uint32_t* from, const SpdnnSlabs& slabs,
                      std::uint32_t neurons, float* to, cudaStream_t stream) {
  require_array(from, slabs.rows, sizeof(std::uint32_t), "spdnn rows: from");
  require_array(to, std::size_t{slabs.count()} * neurons, sizeof(float), "spdnn rows: to");
  const std::size_t elements = std::size_t{neurons} * slabs.lanes;
  const std::size_t pieces = (elements + SpdnnRowsConfig::piece - 1) / SpdnnRowsConfig::piece;
  if (pieces > 65535)
    throw ContractError("spdnn rows: " + std::to_string(neurons) + " neurons x " +
                        std::to_string(slabs.lanes) + " rows, and a slab has at most " +
                        std::to_string(std::size_t{65535} * SpdnnRowsConfig::piece) + " elements");
  if (slabs.rows == 0 || pieces == 0) return;
  const dim3 grid(blocks_in_x(slabs.count(), "spdnn rows"), static_cast<unsigned>(pieces));
  spdnn_kernels::fill_slabs<<<grid, SpdnnRowsConfig::threads, 0, stream>>>(source, from, slabs, neurons, to);
  ASSAY_CUDA(cudaGetLastError());
}

// Rows `from[0 .. rows)` of the source, row-major.
template <class Source>
void spdnn_fill_rows(const Source& source, const std::uint32_t* from, std::uint32_t rows,
                     std::uint32_t neurons, float* to, cudaStream_t stream) {
  require_array(from, rows, sizeof(std::uint32_t), "spdnn rows: from");
  require_array(to, std::size_t{rows} * neurons, sizeof(float), "spdnn rows: to");
  if (rows == 0 || neurons == 0) return;
  spdnn_kernels::fill_rows<<<blocks_in_x(rows, "spdnn rows"), SpdnnRowsConfig::threads, 0, stream>>>(
      source, from, neurons, to);
  ASSAY_CUDA(cudaGetLastError());
}

// The rows that live: their places, ascending, the names that they had, and how many there are. `live` and `names` have
// room for all rows; `name` is not `names`.
inline void spdnn_index_live(const unsigned long long* alive, const SpdnnSlabs& slabs,
                             const std::uint32_t* name, std::uint32_t* live, std::uint32_t* names,
                             std::uint32_t* count, cudaStream_t stream) {
  if (slabs.lanes == 0 || slabs.lanes > most_spdnn_lanes)
    throw ContractError("spdnn rows: slabs of " + std::to_string(slabs.lanes) +
                        " rows, and a mask has 64 bits");
  require_array(alive, slabs.count(), sizeof(unsigned long long), "spdnn rows: alive");
  require_array(name, slabs.rows, sizeof(std::uint32_t), "spdnn rows: name");
  require_array(live, slabs.rows, sizeof(std::uint32_t), "spdnn rows: live");
  require_array(names, slabs.rows, sizeof(std::uint32_t), "spdnn rows: names");
  require_array(count, 1, sizeof(std::uint32_t), "spdnn rows: count");
  spdnn_kernels::index_live<SpdnnRowsConfig>
      <<<1, SpdnnRowsConfig::index_threads, 0, stream>>>(alive, slabs, name, live, names, count);
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace assay::gpu
