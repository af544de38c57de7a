// Sampled dense times dense: for each entry (i, j) of a mask in CSR, out = alpha A[i] . B[j] (scale) + beta c, A and
// B dense, row-major, both float32 or both bfloat16. Row j of B is a column of the product: a key of attention. B as
// k x n is turned first, by sddmm_csr_turn().
//
// A warp owns 32 entries that follow one another, of one row or of several, a lane each. 128 bytes of their 32 rows of
// B are copied to shared memory, eight lanes a row, while those before are multiplied; rows lie 144 bytes apart, so
// that lanes read 16 bytes of their own rows without conflicts. Rows of A are read by all lanes at once, 128 bytes
// ahead of their use. Where B or A does not lie at multiples of 16 bytes, numbers are read one by one, still side by
// side.
//
// Numerics: the contract of reference/sparse/sddmm_task.hpp, bit for bit.
//   sum    s starts at +0 and takes k ascending: s = fma(A[i][k], B[j][k], s), both widened exactly.
//   then   alpha, scale, beta c (rounded, then added): one rounding each. NaN 0x7FC00000.
//   hence  no tile or number of multiprocessors changes a bit; there are no atomics.
//
// A launch does 2 nnz k flops; it reads nnz rows of B (through the L2; from memory at least B once), A once for each 32
// entries of its rows or part of them, 4 bytes an entry of columns, and 4 each of c and scale; it writes 4 nnz bytes.
#pragma once

#include <cuda_bf16.h>
#include <cuda_pipeline_primitives.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/launch.cuh"
#include "gpu/kernels/vectors.cuh"
#include "reference/sparse/arguments.hpp"

namespace assay::gpu {

struct SddmmCsrConfig {
  static constexpr int threads = 128;
  static constexpr int blocks = 6;       // of a multiprocessor, at least: what shared memory has room for
  static constexpr int tile = 32;        // entries of a warp
  static constexpr int row_bytes = 128;  // of B at once
  static constexpr int pitch_bytes = row_bytes + 16;
  static constexpr int buffers = 2;
  static constexpr int turned = 32;       // rows and columns of B that a block turns
  static constexpr int turning_rows = 8;  // of threads
  static_assert(tile == 32, "a lane owns an entry");
  static_assert(row_bytes / 16 == 8 && pitch_bytes / 16 % 2 == 1, "eight lanes read 16 bytes of all banks");
  static_assert(threads / 32 * buffers * tile * pitch_bytes <= 48 * 1024,
                "the buffers fit without an opt-in");
};

// Offsets have 64 bits and columns 32, as sparse::CsrView has them: offsets rise from 0, columns lie below `cols`. All
// arrays are the device's.
struct SddmmCsrMask {
  std::int64_t rows = 0, cols = 0, nnz = 0;
  const std::int64_t* row_offsets = nullptr;
  const std::int32_t* column_indices = nullptr;
  // A workspace: the row of the first entry of each tile, and of the last entry. sddmm_csr_tiles() fills it, once a
  // mask.
  std::int64_t* tile_rows = nullptr;

  __host__ __device__ std::int64_t tiles() const {
    return (nnz + SddmmCsrConfig::tile - 1) / SddmmCsrConfig::tile;
  }
  std::size_t workspace_bytes() const {
    return (static_cast<std::size_t>(tiles()) + 1) * sizeof(std::int64_t);
  }
};

template <class T>
struct SddmmCsr {
  SddmmCsrMask mask{};
  std::int64_t depth = 0;
  const T *a = nullptr, *b = nullptr;       // rows x depth, cols x depth
  std::int64_t a_stride = 0, b_stride = 0;  // elements between rows
  float* out = nullptr;                     // nnz, as c and scale
  const float *c = nullptr,
              *scale = nullptr;  // null: none; may be the result itself. c is read if beta is not 0
  float alpha = 1, beta = 0;
};

// B as depth x cols into cols x depth.
template <class T>
struct SddmmCsrTurn {
  std::int64_t depth = 0, cols = 0;
  const T* b = nullptr;
  std::int64_t b_stride = 0;
  T* turned = nullptr;
  std::int64_t turned_stride = 0;

  // With it, rows of `turned` lie aligned to 16 bytes.
  static std::int64_t aligned_stride(std::int64_t depth) {
    return (depth + Vector<T>::count - 1) / Vector<T>::count * Vector<T>::count;
  }
};

namespace sddmm_csr_kernels {

using Config = SddmmCsrConfig;

// The row of an entry, which is one of low ... high.
__device__ inline std::int64_t row_of(const std::int64_t* offsets, std::int64_t low, std::int64_t high,
                                      std::int64_t entry) {
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (offsets[middle] <= entry) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// A template, as a kernel cannot be inline and this file may be included by several.
template <class Mask>
__global__ void __launch_bounds__(Config::threads) find_rows(Mask mask) {
  const std::int64_t tile = std::int64_t{blockIdx.x} * Config::threads + threadIdx.x;
  if (tile > mask.tiles()) return;
  const std::int64_t entry = tile == mask.tiles() ? mask.nnz - 1 : tile * Config::tile;
  mask.tile_rows[tile] = row_of(mask.row_offsets, 0, mask.rows - 1, entry);
}

__device__ inline std::uint32_t code(float x) { return __float_as_uint(x); }
__device__ inline std::uint32_t code(__nv_bfloat16 x) { return __bfloat16_as_ushort(x); }

// 16 bytes of a row of which `left` numbers are left, at least one; what is missing is 0, and not multiplied.
template <class T, bool aligned>
__device__ inline Vector<T> read_piece(const T* from, std::int64_t left) {
  constexpr int count = Vector<T>::count;
  if (aligned && left >= count) return read_vector(from);
  std::uint32_t words[4] = {};
#pragma unroll
  for (int i = 0; i < count; ++i) {
    if (i < left) words[i * 4 / count] |= code(from[i]) << i % (count / 4) * 16;
  }
  return {make_uint4(words[0], words[1], words[2], words[3])};
}

// The pieces of B's rows that a lane copies: of eight rows of the 32.
template <class T, bool aligned>
struct Copies {
  static constexpr int per_piece = Vector<T>::count, depth_at_once = Config::row_bytes / 16 * per_piece;
  static constexpr int pitch = Config::pitch_bytes / static_cast<int>(sizeof(T));
  std::int32_t column[8];

  __device__ void start(const SddmmCsr<T>& o, std::int64_t k, T* buffer) const {
    const int lane = static_cast<int>(threadIdx.x) % 32, within = lane % 8 * per_piece;
    const std::int64_t left = o.depth - k - within;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      if (left <= 0) continue;
      const T* const from = o.b + column[i] * o.b_stride + k + within;
      T* const to = buffer + (4 * i + lane / 8) * pitch + within;
      if constexpr (aligned) {
        const std::size_t missing =
            left < per_piece ? static_cast<std::size_t>(per_piece - left) * sizeof(T) : 0;
        __pipeline_memcpy_async(to, from, 16, missing);
      } else {
        *reinterpret_cast<uint4*>(to) = read_piece<T, false>(from, left).words;
      }
    }
    __pipeline_commit();
  }
};

template <class T, bool aligned>
__global__ void __launch_bounds__(Config::threads, aligned ? Config::blocks : 4) multiply(SddmmCsr<T> o) {
  using Copy = Copies<T, aligned>;
  constexpr int warps = Config::threads / 32, pieces = Config::row_bytes / 16, count = Vector<T>::count;
  __shared__ alignas(16) T staged[warps][Config::buffers][Config::tile * Copy::pitch];
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t tile = std::int64_t{blockIdx.x} * warps + warp;
  if (tile >= o.mask.tiles()) return;
  const std::int64_t own = tile * Config::tile + lane;
  const bool live = own < o.mask.nnz;
  const std::int64_t entry = live ? own : o.mask.nnz - 1;  // computed again, and not written
  const std::int64_t row =
      row_of(o.mask.row_offsets, o.mask.tile_rows[tile], o.mask.tile_rows[tile + 1], entry);
  const std::int32_t column = o.mask.column_indices[entry];
  Copy copies;
#pragma unroll
  for (int i = 0; i < 8; ++i) copies.column[i] = __shfl_sync(0xFFFFFFFF, column, 4 * i + lane / 8);

  const T* const a = o.a + row * o.a_stride;
  float s = 0;
  if (o.depth > 0) copies.start(o, 0, staged[warp][0]);
  int buffer = 0;
  for (std::int64_t k = 0; k < o.depth; k += Copy::depth_at_once, buffer = 1 - buffer) {
    const std::int64_t left = o.depth - k;
    const bool whole = left >= Copy::depth_at_once;
    Vector<T> x[pieces] = {};
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
      if (p * count < left) x[p] = read_piece<T, aligned>(a + k + p * count, left - p * count);
    }
    __syncwarp();  // the other buffer has been read
    if (left > Copy::depth_at_once) {
      copies.start(o, k + Copy::depth_at_once, staged[warp][1 - buffer]);
      __pipeline_wait_prior(1);
    } else {
      __pipeline_wait_prior(0);
    }
    __syncwarp();  // what every lane has copied is there
    const T* const b = staged[warp][buffer] + lane * Copy::pitch;
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
      if (!whole && p * count >= left) break;
      const Vector<T> y = read_vector(b + p * count);
#pragma unroll
      for (int i = 0; i < count; ++i) {
        if (whole || p * count + i < left) s = __fmaf_rn(x[p][i], y[i], s);
      }
    }
  }
  if (!live) return;
  s = o.alpha == 0 ? 0.0F : o.alpha == 1 ? s : __fmul_rn(o.alpha, s);
  if (o.scale != nullptr) s = __fmul_rn(s, o.scale[own]);
  if (o.beta != 0) s = __fadd_rn(s, __fmul_rn(o.beta, o.c[own]));
  o.out[own] = one_nan(s);
}

template <class T>
__global__ void __launch_bounds__(Config::turned* Config::turning_rows)
    turn(SddmmCsrTurn<T> o, std::int64_t tiles_across) {
  __shared__ T tile[Config::turned][Config::turned + 4 / sizeof(T)];  // columns lie in banks of their own
  const std::int64_t k = blockIdx.x / tiles_across * Config::turned,
                     j = blockIdx.x % tiles_across * Config::turned;
  const int across = static_cast<int>(threadIdx.x) % Config::turned;
  const int down = static_cast<int>(threadIdx.x) / Config::turned;
  for (int i = down; i < Config::turned; i += Config::turning_rows) {
    if (k + i < o.depth && j + across < o.cols) tile[i][across] = o.b[(k + i) * o.b_stride + j + across];
  }
  __syncthreads();
  for (int i = down; i < Config::turned; i += Config::turning_rows) {
    if (j + i < o.cols && k + across < o.depth)
      o.turned[(j + i) * o.turned_stride + k + across] = tile[across][i];
  }
}

inline std::size_t count_of(std::int64_t i) { return static_cast<std::size_t>(i); }

inline void require_mask(const SddmmCsrMask& mask) {
  if (mask.rows < 0 || mask.cols < 0 || mask.nnz < 0 || mask.cols > 2147483648)
    throw ContractError("sddmm_csr: the mask is " + std::to_string(mask.rows) + " x " +
                        std::to_string(mask.cols) + " with " + std::to_string(mask.nnz) + " entries");
  require_array(mask.row_offsets, count_of(mask.rows) + 1, sizeof(std::int64_t), "sddmm_csr: row_offsets");
  require_array(mask.column_indices, count_of(mask.nnz), sizeof(std::int32_t), "sddmm_csr: column_indices");
  if (mask.nnz != 0)
    require_array(mask.tile_rows, count_of(mask.tiles()) + 1, sizeof(std::int64_t), "sddmm_csr: tile_rows");
}

template <class T>
void require_rows(const T* p, std::int64_t rows, std::int64_t depth, std::int64_t stride, const char* what) {
  if (depth < 0)
    throw ContractError(std::string(what) + " has rows of " + std::to_string(depth) + " numbers");
  if (stride < depth)
    throw ContractError(std::string(what) + " has rows " + std::to_string(stride) + " apart, of " +
                        std::to_string(depth) + " numbers");
  require_array(p, count_of(rows) * count_of(depth), alignof(T), what);
}

template <class T>
sparse::Extent extent(const T* p, std::int64_t rows, std::int64_t depth, std::int64_t stride) {
  if (rows == 0 || depth == 0) return {};
  return {p, p + (rows - 1) * stride + depth};
}

}  // namespace sddmm_csr_kernels

inline void sddmm_csr_tiles(const SddmmCsrMask& mask, cudaStream_t stream) {
  using namespace sddmm_csr_kernels;
  require_mask(mask);
  if (mask.nnz == 0) return;
  const std::size_t blocks = (count_of(mask.tiles()) + Config::threads) / Config::threads;
  find_rows<<<blocks_in_x(blocks, "sddmm_csr"), Config::threads, 0, stream>>>(mask);
  ASSAY_CUDA(cudaGetLastError());
}

// T: float or __nv_bfloat16. ContractError names the array.
template <class T>
void sddmm_csr(const SddmmCsr<T>& o, cudaStream_t stream) {
  using namespace sddmm_csr_kernels;
  const SddmmCsrMask& mask = o.mask;
  require_mask(mask);
  require_rows(o.a, mask.rows, o.depth, o.a_stride, "sddmm_csr: a");
  require_rows(o.b, mask.cols, o.depth, o.b_stride, "sddmm_csr: b");
  require_array(o.out, count_of(mask.nnz), sizeof(float), "sddmm_csr: out");
  if (o.alpha != o.alpha || o.beta != o.beta) throw ContractError("sddmm_csr: alpha or beta is NaN");
  const sparse::Extent out = extent(o.out, 1, mask.nnz, mask.nnz);
  if (sparse::overlap(out, extent(o.a, mask.rows, o.depth, o.a_stride)) ||
      sparse::overlap(out, extent(o.b, mask.cols, o.depth, o.b_stride)))
    throw ContractError("sddmm_csr: out shares memory with a or b");
  if (o.beta != 0) require_array(o.c, count_of(mask.nnz), sizeof(float), "sddmm_csr: c");
  if (o.scale != nullptr) require_array(o.scale, count_of(mask.nnz), sizeof(float), "sddmm_csr: scale");
  for (const float* p : {o.beta != 0 ? o.c : nullptr, o.scale}) {
    if (p != nullptr && p != o.out && sparse::overlap(out, extent(p, 1, mask.nnz, mask.nnz)))
      throw ContractError("sddmm_csr: out shares memory with c or scale, and is not the same array");
  }
  if (mask.nnz == 0) return;
  const auto lies = [](const T* p, std::int64_t stride) {
    return is_aligned(p, 16) && count_of(stride) * sizeof(T) % 16 == 0;
  };
  constexpr std::size_t warps = Config::threads / 32;
  const unsigned blocks = blocks_in_x((count_of(mask.tiles()) + warps - 1) / warps, "sddmm_csr");
  if (lies(o.a, o.a_stride) && lies(o.b, o.b_stride)) {
    multiply<T, true><<<blocks, Config::threads, 0, stream>>>(o);
  } else {
    multiply<T, false><<<blocks, Config::threads, 0, stream>>>(o);
  }
  ASSAY_CUDA(cudaGetLastError());
}

// What sddmm_csr() takes as B, from B as depth x cols. Reads and writes B once.
template <class T>
void sddmm_csr_turn(const SddmmCsrTurn<T>& o, cudaStream_t stream) {
  using namespace sddmm_csr_kernels;
  require_rows(o.b, o.depth, o.cols, o.b_stride, "sddmm_csr_turn: b");
  require_rows(o.turned, o.cols, o.depth, o.turned_stride, "sddmm_csr_turn: turned");
  if (o.depth == 0 || o.cols == 0) return;
  const auto tiles = [](std::int64_t n) { return (n + Config::turned - 1) / Config::turned; };
  const unsigned blocks = blocks_in_x(count_of(tiles(o.depth)) * count_of(tiles(o.cols)), "sddmm_csr_turn");
  turn<T><<<blocks, Config::turned * Config::turning_rows, 0, stream>>>(o, tiles(o.cols));
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace assay::gpu
