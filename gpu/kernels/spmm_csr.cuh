// Sparse times dense: Y = activation(alpha A X + beta C + bias), A in CSR, X, C and Y dense and row-major, for
// unstructured A. Values and X are float32 or bfloat16, sums float32, Y and C both float32 or both bfloat16.
//
// A row of A and a tile of columns of Y belong to a group of 8, 16 or 32 lanes. The group stages 32 entries of the row
// in shared memory, and has read the next ones from memory meanwhile; a lane keeps the sums of 16 bytes of columns of
// X in registers and loads 8 rows of X before it adds the first. The blocks of one tile of columns follow one
// another, so that the tile's part of X stays in the L2. Rows by descending length (row_order) end together.
//
// Numerics: the contract of reference/sparse/spmm_task.hpp, bit for bit in float32.
//   sum    s starts at +0 and takes the entries of its row in stored order: s = fma(value, x, s), both widened exactly.
//   then   alpha, beta c (rounded, then added), bias, activation: one rounding each. NaN 0x7FC00000.
//   bf16   a result is rounded once more, to nearest even; NaN 0x7FC0.
//   hence  no tile, order of rows or number of multiprocessors changes a bit; there are no atomics.
//
// A launch does 2 nnz n flops, reads nnz n values of X (through L1 and L2; from memory at least cols n once), writes
// rows n values of Y, and reads A once for each tile of columns (128 of float32, 256 of bfloat16, or fewer).
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/launch.cuh"
#include "gpu/kernels/vectors.cuh"
#include "reference/sparse/arguments.hpp"
#include "reference/sparse/spmm_task.hpp"

namespace assay::gpu {

struct SpmmCsrConfig {
  static constexpr int threads = 128;
  static constexpr int blocks = 7;   // of a multiprocessor, at least: 72 registers a thread
  static constexpr int staged = 32;  // entries of a row that lie in shared memory at once
  static constexpr int ahead = 8;    // rows of X that a lane asks for before it adds
  static constexpr int strips = 4;   // columns of a lane, where they are read one by one
  // Groups of lanes lie a quarter of the banks apart.
  static constexpr int pitch = staged + 8;
  static constexpr int least_whole = 32;  // columns by vectors that are worth a launch beside the others
  static_assert(threads % 32 == 0 && staged % 32 == 0, "lanes of every group read as many entries");
  static_assert(staged % ahead == 0 && ahead == 8, "what is left of 8 is taken as 4, 2 and 1");
  static_assert(pitch % 4 == 0, "entries are read four at once");
};

// Offsets have 64 bits and columns 32, as sparse::CsrView has them: offsets rise from 0, columns lie below `cols`. All
// arrays are the device's.
template <class Value, class X, class Y>
struct SpmmCsr {
  std::int64_t rows = 0, cols = 0, n = 0, nnz = 0;  // A is rows x cols, X cols x n, Y rows x n
  const std::int64_t* row_offsets = nullptr;
  const std::int32_t* column_indices = nullptr;
  const Value* values = nullptr;
  const std::int32_t* row_order =
      nullptr;  // each row once, in the order of the work; null: as they are numbered
  const X* x = nullptr;
  Y* y = nullptr;
  const Y* c = nullptr;                                   // may be y itself; read if beta is not 0
  std::int64_t x_stride = 0, y_stride = 0, c_stride = 0;  // elements between rows
  float alpha = 1, beta = 0;
  const float* row_bias = nullptr;     // `rows` of them; null: none
  const float* column_bias = nullptr;  // `n` of them; null: none
  sparse::SpmmActivation activation = sparse::SpmmActivation::none;
  float low = 0, high = 0;  // clip
};

namespace spmm_csr_kernels {

using Config = SpmmCsrConfig;

// The columns of a launch and its grid: the blocks of all rows, tile after tile.
struct Tiles {
  std::int64_t first = 0, end = 0, row_blocks = 0;
};

template <class Value, class X, class Y>
__device__ inline float finish(const SpmmCsr<Value, X, Y>& o, float s, std::int64_t row, std::int64_t column,
                               float c) {
  s = o.alpha == 0 ? 0.0F : o.alpha == 1 ? s : __fmul_rn(o.alpha, s);
  if (o.beta != 0) s = __fadd_rn(s, __fmul_rn(o.beta, c));
  if (o.column_bias != nullptr) s = __fadd_rn(s, o.column_bias[column]);
  if (o.row_bias != nullptr) s = __fadd_rn(s, o.row_bias[row]);
  switch (o.activation) {
    case sparse::SpmmActivation::none: break;
    case sparse::SpmmActivation::relu: s = s <= 0 ? 0.0F : s; break;
    case sparse::SpmmActivation::relu_max: s = s > 0 ? s : 0.0F; break;
    case sparse::SpmmActivation::clip: s = s < o.low ? o.low : s > o.high ? o.high : s; break;
  }
  return one_nan(s);
}

// The sums of a lane: `strips` times `vector` columns. A column beyond the last is summed as the first, not written.
template <class X, int lanes, int vector, int strips>
struct Sums {
  static constexpr int width = lanes * vector;
  const char* from[strips];
  std::uint32_t row_bytes;
  float sum[strips][vector];

  // `count` entries, whose rows of X are all asked for before the first is added.
  template <int count>
  __device__ void add(const float* values, const std::uint32_t* columns) {
    float value[count];
    std::uint32_t column[count];
    if constexpr (count % 4 == 0) {
#pragma unroll
      for (int t = 0; t < count; t += 4) {
        const float4 v = *reinterpret_cast<const float4*>(values + t);
        const uint4 at = *reinterpret_cast<const uint4*>(columns + t);
        value[t] = v.x, value[t + 1] = v.y, value[t + 2] = v.z, value[t + 3] = v.w;
        column[t] = at.x, column[t + 1] = at.y, column[t + 2] = at.z, column[t + 3] = at.w;
      }
    } else {
#pragma unroll
      for (int t = 0; t < count; ++t) value[t] = values[t], column[t] = columns[t];
    }
    if constexpr (vector == 1) {
      float x[count][strips];
#pragma unroll
      for (int t = 0; t < count; ++t) {
#pragma unroll
        for (int s = 0; s < strips; ++s) x[t][s] = widen(*at(column[t], s));
      }
#pragma unroll
      for (int t = 0; t < count; ++t) {
#pragma unroll
        for (int s = 0; s < strips; ++s) sum[s][0] = __fmaf_rn(value[t], x[t][s], sum[s][0]);
      }
    } else {
      Vector<X> x[count];
#pragma unroll
      for (int t = 0; t < count; ++t) x[t] = read_vector(at(column[t], 0));
#pragma unroll
      for (int t = 0; t < count; ++t) {
#pragma unroll
        for (int v = 0; v < vector; ++v) sum[0][v] = __fmaf_rn(value[t], x[t][v], sum[0][v]);
      }
    }
  }
  __device__ const X* at(std::uint32_t row, int strip) const {
    return reinterpret_cast<const X*>(from[strip] + static_cast<std::uint64_t>(row) * row_bytes);
  }
};

template <class Value, class X, class Y, int lanes, int vector, int strips>
__global__ void __launch_bounds__(Config::threads, Config::blocks)
    multiply(SpmmCsr<Value, X, Y> o, Tiles tiles) {
  static_assert(vector == 1 || (vector == Vector<X>::count && strips == 1),
                "a lane reads a vector, or numbers");
  constexpr int groups = Config::threads / lanes, own = Config::staged / lanes;
  __shared__ alignas(16) float staged_values[groups][Config::pitch];
  __shared__ alignas(16) std::uint32_t staged_columns[groups][Config::pitch];
  const int lane = static_cast<int>(threadIdx.x) % lanes, group = static_cast<int>(threadIdx.x) / lanes;
  const unsigned mask =
      lanes == 32 ? 0xFFFFFFFF : ((1U << lanes % 32) - 1) << (threadIdx.x % 32 / lanes * lanes);
  const std::int64_t place = blockIdx.x % tiles.row_blocks * groups + group;
  if (place >= o.rows) return;
  const std::int64_t row = o.row_order == nullptr ? place : o.row_order[place];

  Sums<X, lanes, vector, strips> sums;
  sums.row_bytes = static_cast<std::uint32_t>(o.x_stride) * static_cast<std::uint32_t>(sizeof(X));
  std::int64_t column[strips];
#pragma unroll
  for (int s = 0; s < strips; ++s) {
    column[s] =
        tiles.first + blockIdx.x / tiles.row_blocks * (lanes * vector * strips) + (s * lanes + lane) * vector;
    sums.from[s] = reinterpret_cast<const char*>(o.x + (column[s] < tiles.end ? column[s] : tiles.first));
#pragma unroll
    for (int v = 0; v < vector; ++v) sums.sum[s][v] = 0;
  }

  const std::int64_t end = o.row_offsets[row + 1];
  float value[own] = {};
  std::uint32_t index[own] = {};
  const auto read = [&](std::int64_t from) {
#pragma unroll
    for (int i = 0; i < own; ++i) {
      const std::int64_t e = from + i * lanes + lane;
      if (e >= end) continue;
      value[i] = widen(o.values[e]);
      index[i] = static_cast<std::uint32_t>(o.column_indices[e]);
    }
  };
  std::int64_t from = o.row_offsets[row];
  read(from);
  for (; from < end; from += Config::staged) {
    __syncwarp(mask);  // what was staged has been read
#pragma unroll
    for (int i = 0; i < own; ++i) {
      staged_values[group][i * lanes + lane] = value[i];
      staged_columns[group][i * lanes + lane] = index[i];
    }
    __syncwarp(mask);
    read(from + Config::staged);
    const int count = end - from < Config::staged ? static_cast<int>(end - from) : Config::staged;
    const float* values = staged_values[group];
    const std::uint32_t* columns = staged_columns[group];
    int left = count;
    for (; left >= Config::ahead; left -= Config::ahead, values += Config::ahead, columns += Config::ahead)
      sums.template add<Config::ahead>(values, columns);
    if ((left & 4) != 0) {
      sums.template add<4>(values, columns);
      values += 4, columns += 4;
    }
    if ((left & 2) != 0) {
      sums.template add<2>(values, columns);
      values += 2, columns += 2;
    }
    if ((left & 1) != 0) sums.template add<1>(values, columns);
  }

#pragma unroll
  for (int s = 0; s < strips; ++s) {
    if (column[s] >= tiles.end) continue;
    float c[vector] = {};
    Y* const y = o.y + row * o.y_stride + column[s];
    const Y* const from_c = o.c + row * o.c_stride + column[s];
    if constexpr (vector == 1) {
      if (o.beta != 0) c[0] = widen(*from_c);
      write(y, finish(o, sums.sum[s][0], row, column[s], c[0]));
    } else {
      if (o.beta != 0) read_floats(from_c, c);
#pragma unroll
      for (int v = 0; v < vector; ++v) c[v] = finish(o, sums.sum[s][v], row, column[s] + v, c[v]);
      write_floats(y, c);
    }
  }
}

template <int lanes, int vector, int strips, class Value, class X, class Y>
void launch(const SpmmCsr<Value, X, Y>& o, std::int64_t first, std::int64_t end, cudaStream_t stream) {
  constexpr int groups = Config::threads / lanes, width = lanes * vector * strips;
  const std::int64_t row_blocks = (o.rows + groups - 1) / groups;
  const auto tiles = static_cast<std::size_t>((end - first + width - 1) / width);
  if (tiles > 2147483647) blocks_in_x(tiles, "spmm_csr");
  const unsigned blocks = blocks_in_x(static_cast<std::size_t>(row_blocks) * tiles, "spmm_csr");
  multiply<Value, X, Y, lanes, vector, strips>
      <<<blocks, Config::threads, 0, stream>>>(o, Tiles{first, end, row_blocks});
  ASSAY_CUDA(cudaGetLastError());
}

// A dense matrix as an argument. Rows of one that has several lie `stride` apart.
template <class T>
void require_matrix(const T* p, std::int64_t rows, std::int64_t n, std::int64_t stride, const char* what) {
  if (stride < n)
    throw ContractError(std::string(what) + " has rows " + std::to_string(stride) + " apart, of " +
                        std::to_string(n) + " columns");
  if (stride > static_cast<std::int64_t>(4294967295 / sizeof(T)))
    throw ContractError(std::string(what) + " has rows " + std::to_string(stride) +
                        " apart, and at most 4294967295 bytes can lie between them");
  require_array(p, static_cast<std::size_t>(rows) * static_cast<std::size_t>(n), alignof(T), what);
}

template <class T>
sparse::Extent extent(const T* p, std::int64_t rows, std::int64_t n, std::int64_t stride) {
  if (rows == 0 || n == 0) return {};
  return {p, p + (rows - 1) * stride + n};
}

template <class Value, class X, class Y>
void require_operands(const SpmmCsr<Value, X, Y>& o) {
  if (o.rows < 0 || o.cols < 0 || o.n < 0 || o.nnz < 0 || o.rows > 2147483647LL * Config::threads ||
      o.cols > 2147483648)
    throw ContractError("spmm_csr: A is " + std::to_string(o.rows) + " x " + std::to_string(o.cols) +
                        " with " + std::to_string(o.nnz) + " entries, and X has " + std::to_string(o.n) +
                        " columns");
  const auto count = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  require_array(o.row_offsets, count(o.rows) + 1, sizeof(std::int64_t), "spmm_csr: row_offsets");
  require_array(o.column_indices, count(o.nnz), sizeof(std::int32_t), "spmm_csr: column_indices");
  require_array(o.values, count(o.nnz), alignof(Value), "spmm_csr: values");
  require_matrix(o.x, o.cols, o.n, o.x_stride, "spmm_csr: x");
  require_matrix(o.y, o.rows, o.n, o.y_stride, "spmm_csr: y");
  const sparse::Extent y = extent(o.y, o.rows, o.n, o.y_stride);
  if (sparse::overlap(extent(o.x, o.cols, o.n, o.x_stride), y))
    throw ContractError("spmm_csr: y shares memory with x");
  if (o.alpha != o.alpha || o.beta != o.beta) throw ContractError("spmm_csr: alpha or beta is NaN");
  if (o.beta != 0) {
    require_matrix(o.c, o.rows, o.n, o.c_stride, "spmm_csr: c");
    const bool same = o.c == o.y && o.c_stride == o.y_stride;
    if (!same && sparse::overlap(extent(o.c, o.rows, o.n, o.c_stride), y))
      throw ContractError("spmm_csr: y shares memory with c, and is not the same matrix");
  }
  if (o.activation == sparse::SpmmActivation::clip && !(o.low <= o.high))
    throw ContractError("spmm_csr: clip to [" + std::to_string(o.low) + ", " + std::to_string(o.high) + "]");
  for (const void* p : {static_cast<const void*>(o.row_order), static_cast<const void*>(o.row_bias),
                        static_cast<const void*>(o.column_bias)}) {
    if (p != nullptr) require_array(p, 1, 4, "spmm_csr: the order of rows or a bias");
  }
}

// Columns that are read and written by vectors: all that fill one, where every row of every matrix begins aligned.
template <class Value, class X, class Y>
std::int64_t whole_columns(const SpmmCsr<Value, X, Y>& o) {
  constexpr int vector = Vector<X>::count;
  constexpr std::size_t y_bytes = vector * sizeof(Y) < 16 ? vector * sizeof(Y) : 16;
  const auto lies = [](const auto* p, std::int64_t stride, std::size_t bytes) {
    return is_aligned(p, bytes) && static_cast<std::size_t>(stride) * sizeof *p % bytes == 0;
  };
  if (!lies(o.x, o.x_stride, 16) || !lies(o.y, o.y_stride, y_bytes)) return 0;
  if (o.beta != 0 && !lies(o.c, o.c_stride, y_bytes)) return 0;
  const std::int64_t whole = o.n / vector * vector;
  return whole == o.n || whole >= Config::least_whole ? whole : 0;
}

}  // namespace spmm_csr_kernels

// Value and X: float or __nv_bfloat16. ContractError names the array.
template <class Value, class X, class Y>
void spmm_csr(const SpmmCsr<Value, X, Y>& o, cudaStream_t stream) {
  using namespace spmm_csr_kernels;
  require_operands(o);
  if (o.rows == 0 || o.n == 0) return;
  constexpr int vector = Vector<X>::count;
  const std::int64_t whole = whole_columns(o), left = o.n - whole;
  if (whole > 16 * vector) {
    launch<32, vector, 1>(o, 0, whole, stream);
  } else if (whole > 8 * vector) {
    launch<16, vector, 1>(o, 0, whole, stream);
  } else if (whole > 0) {
    launch<8, vector, 1>(o, 0, whole, stream);
  }
  if (left > 8) {
    launch<32, 1, Config::strips>(o, whole, o.n, stream);
  } else if (left > 0) {
    launch<8, 1, 1>(o, whole, o.n, stream);
  }
}

}  // namespace assay::gpu
