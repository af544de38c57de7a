// AutoSparse's forward and backward of a layer's weights, each in one pass over them, float32.
//
// Numerics: the contract of reference/autosparse/gradient.hpp, bit for bit.
//   mask, v, dw  an element each, one rounding an operation; multiply-adds are written, never contracted
//   ds           a block sums a piece of 4096 weights: 16 threads in the order of the reference's lanes, in double,
//                those by halves; the pieces of a threshold pairwise by a second kernel, in order. No number of blocks
//                or multiprocessors changes a bit, and there are no atomics.
//
// Bytes a weight: forward reads 4 and writes 4 (v) and 1 (mask); backward reads 8, writes 4, and 8 a piece.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "gpu/kernels/launch.cuh"
#include "reference/autosparse/gradient_task.hpp"

namespace assay::gpu {

struct AutosparseConfig {
  static constexpr int threads = 256;
  static constexpr int vector = 4;  // weights that a thread reads at once
  static constexpr int piece = static_cast<int>(autosparse::ds_piece);
  static constexpr int lanes = static_cast<int>(autosparse::ds_lanes);
  static_assert(piece % (threads * vector) == 0, "a piece is whole vectors of all threads");
  static_assert(threads >= lanes && lanes <= 32, "the lanes of a sum are threads of one warp");
  static_assert(piece * sizeof(double) <= 48 * 1024, "the terms of a piece fit without an opt-in");
};

// A layer of `channels` of `per_channel` weights, under one threshold or one a channel. All arrays are the device's.
struct AutosparseLayer {
  std::size_t channels = 0, per_channel = 0;
  const float* w = nullptr;           // channels x per_channel
  const float* thresholds = nullptr;  // 1, or channels
  bool by_channel = false;

  __host__ __device__ std::size_t groups() const { return by_channel ? channels : 1; }
  __host__ __device__ std::size_t group_size() const {
    return by_channel ? per_channel : channels * per_channel;
  }
  __host__ __device__ std::size_t pieces() const {
    return (group_size() + autosparse::ds_piece - 1) / autosparse::ds_piece;
  }
};

// What is null is not written.
struct AutosparseForward {
  AutosparseLayer layer{};
  float* v = nullptr;
  std::uint8_t* mask = nullptr;  // 1 or 0
};

struct AutosparseBackward {
  AutosparseLayer layer{};
  const float* g = nullptr;  // dL/dv
  float alpha = 0, lambda = 0;
  float* dw = nullptr;
  // The gradient of s, one a threshold, from s in float and a workspace of a double a piece of a threshold.
  const float* s = nullptr;
  double lambda_s = 0;
  double *ds = nullptr, *workspace = nullptr;

  std::size_t workspace_bytes() const { return layer.groups() * layer.pieces() * sizeof(double); }
};

namespace autosparse_kernels {

using Config = AutosparseConfig;

// The weights of a block: one piece of one group.
struct Piece {
  std::size_t group, first;
  int size;
};
__device__ inline Piece piece_of(std::size_t pieces, std::size_t group_size) {
  const std::size_t group = blockIdx.x / pieces, within = blockIdx.x % pieces * Config::piece;
  const std::size_t left = group_size - within;
  return {group, group * group_size + within, left < Config::piece ? static_cast<int>(left) : Config::piece};
}

__device__ inline bool is_kept(float w, float threshold) { return fabsf(w) > threshold; }

__device__ inline float pruned(float w, float threshold) {
  return is_kept(w, threshold) ? copysignf(__fsub_rn(fabsf(w), threshold), w) : 0.0F;
}

__device__ inline float one_nan(float x) { return isnan(x) ? __int_as_float(0x7FC00000) : x; }

// Vectors where every array lies so; then `whole` of the piece's weights are read by them.
__device__ inline bool at_vector(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p) % (Config::vector * sizeof(float)) == 0;
}

static __global__ void __launch_bounds__(Config::threads) forward(AutosparseForward o, std::size_t pieces) {
  const Piece piece = piece_of(pieces, o.layer.group_size());
  const float threshold = o.layer.thresholds[o.layer.by_channel ? piece.group : 0];
  const float* const w = o.layer.w + piece.first;
  float* const v = o.v == nullptr ? nullptr : o.v + piece.first;
  std::uint8_t* const mask = o.mask == nullptr ? nullptr : o.mask + piece.first;
  const bool vectors = at_vector(w) && at_vector(v) && reinterpret_cast<std::uintptr_t>(mask) % 4 == 0;
  const int whole = vectors ? piece.size / Config::vector * Config::vector : 0;
  for (int i = static_cast<int>(threadIdx.x) * Config::vector; i < whole;
       i += Config::threads * Config::vector) {
    const float4 x = *reinterpret_cast<const float4*>(w + i);
    if (v != nullptr) {
      *reinterpret_cast<float4*>(v + i) = make_float4(pruned(x.x, threshold), pruned(x.y, threshold),
                                                      pruned(x.z, threshold), pruned(x.w, threshold));
    }
    if (mask != nullptr) {
      *reinterpret_cast<uchar4*>(mask + i) = make_uchar4(is_kept(x.x, threshold), is_kept(x.y, threshold),
                                                         is_kept(x.z, threshold), is_kept(x.w, threshold));
    }
  }
  for (int i = whole + static_cast<int>(threadIdx.x); i < piece.size; i += Config::threads) {
    if (v != nullptr) v[i] = pruned(w[i], threshold);
    if (mask != nullptr) mask[i] = is_kept(w[i], threshold) ? 1 : 0;
  }
}

// dw of a weight, and its term of the sum.
struct Gradient {
  float alpha, lambda, threshold;

  __device__ float dw(float w, float g) const {
    const float t = is_kept(w, threshold) ? g : __fmul_rn(alpha, g);
    return one_nan(lambda == 0 ? t : __fmaf_rn(lambda, w, t));
  }
  // Exact: a product of two floats. A weight without a sign adds nothing.
  __device__ double term(float w, float g) const {
    const double h_g =
        __dmul_rn(is_kept(w, threshold) ? 1.0 : static_cast<double>(alpha), static_cast<double>(g));
    return w > 0 ? h_g : w < 0 ? -h_g : 0.0;
  }
};

static __global__ void __launch_bounds__(Config::threads) backward(AutosparseBackward o, std::size_t pieces) {
  __shared__ double terms[Config::piece];
  const Piece piece = piece_of(pieces, o.layer.group_size());
  const Gradient gradient{o.alpha, o.lambda, o.layer.thresholds[o.layer.by_channel ? piece.group : 0]};
  const float* const w = o.layer.w + piece.first;
  const float* const g = o.g + piece.first;
  float* const dw = o.dw == nullptr ? nullptr : o.dw + piece.first;
  const bool vectors = at_vector(w) && at_vector(g) && at_vector(dw);
  const int whole = vectors ? piece.size / Config::vector * Config::vector : 0;
  for (int i = static_cast<int>(threadIdx.x) * Config::vector; i < whole;
       i += Config::threads * Config::vector) {
    const float4 x = *reinterpret_cast<const float4*>(w + i), y = *reinterpret_cast<const float4*>(g + i);
    if (dw != nullptr) {
      *reinterpret_cast<float4*>(dw + i) = make_float4(gradient.dw(x.x, y.x), gradient.dw(x.y, y.y),
                                                       gradient.dw(x.z, y.z), gradient.dw(x.w, y.w));
    }
    terms[i] = gradient.term(x.x, y.x);
    terms[i + 1] = gradient.term(x.y, y.y);
    terms[i + 2] = gradient.term(x.z, y.z);
    terms[i + 3] = gradient.term(x.w, y.w);
  }
  for (int i = whole + static_cast<int>(threadIdx.x); i < piece.size; i += Config::threads) {
    if (dw != nullptr) dw[i] = gradient.dw(w[i], g[i]);
    terms[i] = gradient.term(w[i], g[i]);
  }
  if (o.ds == nullptr) return;
  __syncthreads();
  if (threadIdx.x >= Config::lanes) return;
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < piece.size; i += Config::lanes)
    sum = __dadd_rn(sum, terms[i]);
  constexpr unsigned lanes = (1U << Config::lanes) - 1;
  for (int half = Config::lanes / 2; half > 0; half /= 2)
    sum = __dadd_rn(sum, __shfl_down_sync(lanes, sum, static_cast<unsigned>(half)));
  if (threadIdx.x == 0) o.workspace[blockIdx.x] = sum;
}

// The pieces of a threshold a block, pairwise: neighbours first.
static __global__ void __launch_bounds__(Config::threads) finish(AutosparseBackward o, std::size_t pieces) {
  double* const terms = o.workspace + blockIdx.x * pieces;
  for (std::size_t step = 1; step < pieces; step *= 2) {
    for (std::size_t i = 2 * step * threadIdx.x; i + step < pieces; i += 2 * step * Config::threads)
      terms[i] = __dadd_rn(terms[i], terms[i + step]);
    __syncthreads();
  }
  if (threadIdx.x != 0) return;
  const double sum = isnan(terms[0]) ? __longlong_as_double(0x7FF8000000000000LL) : terms[0];
  const double t = static_cast<double>(o.layer.thresholds[blockIdx.x]);
  const double slope = __dmul_rn(t, __dsub_rn(1.0, t));
  o.ds[blockIdx.x] =
      __dadd_rn(-__dmul_rn(slope, sum), __dmul_rn(o.lambda_s, static_cast<double>(o.s[blockIdx.x])));
}

inline void require_layer(const AutosparseLayer& layer, const char* w, const char* thresholds) {
  require_array(layer.w, layer.channels * layer.per_channel, sizeof(float), w);
  require_array(layer.thresholds, layer.groups(), sizeof(float), thresholds);
}

}  // namespace autosparse_kernels

inline void autosparse_forward(const AutosparseForward& o, cudaStream_t stream) {
  autosparse_kernels::require_layer(o.layer, "autosparse forward: w", "autosparse forward: thresholds");
  const std::size_t pieces = o.layer.pieces();
  if (o.layer.groups() * pieces == 0 || (o.v == nullptr && o.mask == nullptr)) return;
  autosparse_kernels::forward<<<blocks_in_x(o.layer.groups() * pieces, "autosparse forward"),
                                AutosparseConfig::threads, 0, stream>>>(o, pieces);
  ASSAY_CUDA(cudaGetLastError());
}

inline void autosparse_backward(const AutosparseBackward& o, cudaStream_t stream) {
  autosparse_kernels::require_layer(o.layer, "autosparse backward: w", "autosparse backward: thresholds");
  require_array(o.g, o.layer.channels * o.layer.per_channel, sizeof(float), "autosparse backward: g");
  const std::size_t pieces = o.layer.pieces(), groups = o.layer.groups();
  if (!(o.alpha >= 0 && o.alpha <= 1))
    throw ContractError("autosparse backward: alpha is a share, from 0 to 1, not " + std::to_string(o.alpha));
  if (!(o.lambda >= 0) || !(o.lambda_s >= 0))
    throw ContractError("autosparse backward: decays are 0 or more, not " + std::to_string(o.lambda) +
                        " and " + std::to_string(o.lambda_s));
  if (o.ds != nullptr) {
    require_array(o.s, groups, sizeof(float), "autosparse backward: s");
    require_array(o.workspace, groups * pieces, sizeof(double), "autosparse backward: the workspace");
  }
  if (groups * pieces == 0) return;
  autosparse_kernels::
      backward<<<blocks_in_x(groups * pieces, "autosparse backward"), AutosparseConfig::threads, 0, stream>>>(
          o, pieces);
  ASSAY_CUDA(cudaGetLastError());
  if (o.ds == nullptr) return;
  autosparse_kernels::
      finish<<<blocks_in_x(groups, "autosparse backward"), AutosparseConfig::threads, 0, stream>>>(o, pieces);
  ASSAY_CUDA(cudaGetLastError());
}

}  // namespace assay::gpu
