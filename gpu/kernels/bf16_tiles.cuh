// What the bf16 kernels on tensor cores share: copies into swizzled tiles of shared memory, fragments, the multiply-add
// of a warp, and what becomes of a sum. For sm_80 and later.
//
// bf16 numbers are their codes, std::uint16_t. A tile's rows are pieces of 16 bytes, 8 numbers; a piece's place within
// its row is exchanged by the row's number, so that the eight rows that ldmatrix reads together lie in different banks.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "gpu/kernels/launch.cuh"

namespace assay::gpu::bf16_tiles {

inline constexpr int piece = 8;   // numbers
inline constexpr int chunk = 16;  // of k, that one mma multiplies

__device__ inline std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// Offset in bytes of a piece of a tile whose rows have `pieces`.
template <int pieces>
__device__ inline std::uint32_t at_piece(int row, int which) {
  static_assert(pieces == 4 || pieces % 8 == 0, "a row of a tile is 64 bytes, or whole lines of 128");
  const int mask = pieces == 4 ? row / 2 & 3 : row & 7;
  return static_cast<std::uint32_t>((row * pieces + (which ^ mask)) * 16);
}

// --- PTX -------------------------------------------------------------------------------------------------------------

// 16 bytes into shared memory, those beyond `bytes` zeros.
__device__ inline void cp_async(std::uint32_t to, const void* from, std::uint32_t bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}
__device__ inline void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int groups_left>
__device__ inline void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(groups_left) : "memory");
}
__device__ inline void store_shared(std::uint32_t to, const std::uint32_t (&words)[4]) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(words[0]), "r"(words[1]),
               "r"(words[2]), "r"(words[3])
               : "memory");
}
__device__ inline void ldmatrix(std::uint32_t (&r)[4], std::uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row)
               : "memory");
}
__device__ inline void ldmatrix_transposed(std::uint32_t (&r)[4], std::uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row)
               : "memory");
}
// d += a b, of 16 x 8 x 16.
__device__ inline void mma(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// Rounded to nearest even, a NaN to 0x7FFF; `low` in the low half.
__device__ inline std::uint32_t bf16_pair(float low, float high) {
  std::uint32_t pair = 0;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

// --- steps of a kernel -----------------------------------------------------------------------------------------------

// Kernels take these as a parameter, so that a test can show that it notices when one is wrong.
struct Steps {
  // Numbers of a piece that lie within the matrix, `left` of it from the piece's first on.
  __device__ static int numbers(std::ptrdiff_t left) {
    return left >= piece ? piece : left > 0 ? static_cast<int>(left) : 0;
  }
  // The i-th chunk of k that is multiplied, of the stage's.
  __device__ static int place_of(int i, int) { return i; }
  template <int groups_left>
  __device__ static void wait() {
    cp_async_wait<groups_left>();
  }
  // The fragment of rows 0 to 15 of A and a chunk; each lane names row lane % 16 of piece lane / 16 of the chunk.
  __device__ static void fragment_a(std::uint32_t (&a)[4], std::uint32_t row) { ldmatrix(a, row); }
  // Two fragments of B, of 8 columns each: row lane % 16 of the chunk, piece lane / 16.
  __device__ static void fragments_b(std::uint32_t (&b)[4], std::uint32_t row) {
    ldmatrix_transposed(b, row);
  }
  __device__ static void multiply(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                  std::uint32_t b1) {
    mma(d, a, b0, b1);
  }
};

// --- tiles -----------------------------------------------------------------------------------------------------------

// A matrix in global memory, row-major. `direct`: every row begins at a multiple of 16 bytes.
struct Source {
  const std::uint16_t* data;
  std::size_t stride;
  bool direct;
};
__device__ inline bool at_pieces(const void* p, std::size_t stride) {
  return reinterpret_cast<std::uintptr_t>(p) % 16 == 0 && stride % piece == 0;
}

// `count` numbers of a row into a piece of a tile, zeros behind them. Not `direct`: through registers.
__device__ inline void load_piece(std::uint32_t to, const Source& from, std::size_t row, std::size_t column,
                                  int count) {
  const std::uint16_t* const at = count == 0 ? from.data : from.data + row * from.stride + column;
  if (from.direct) {
    cp_async(to, at, static_cast<std::uint32_t>(2 * count));
    return;
  }
  std::uint32_t words[4] = {};
#pragma unroll
  for (int i = 0; i < piece; ++i) {
    if (i < count) words[i / 2] |= static_cast<std::uint32_t>(at[i]) << (16 * (i % 2));
  }
  store_shared(to, words);
}

// The product of a warp's part of a chunk: `blocks_m` of 16 rows by `pairs_n` of 16 columns.
template <class S, int pieces_a, int pieces_b, int blocks_m, int pairs_n>
__device__ inline void multiply_chunk(float (&sums)[blocks_m][2 * pairs_n][4], std::uint32_t tile_a,
                                      std::uint32_t tile_b, int row, int column, int k) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  std::uint32_t a[blocks_m][4], b[pairs_n][4];
#pragma unroll
  for (int m = 0; m < blocks_m; ++m)
    S::fragment_a(a[m], tile_a + at_piece<pieces_a>(row + 16 * m + lane % 16, k / piece + lane / 16));
#pragma unroll
  for (int n = 0; n < pairs_n; ++n)
    S::fragments_b(b[n], tile_b + at_piece<pieces_b>(k + lane % 16, column / piece + 2 * n + lane / 16));
#pragma unroll
  for (int m = 0; m < blocks_m; ++m) {
#pragma unroll
    for (int n = 0; n < 2 * pairs_n; ++n)
      S::multiply(sums[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
  }
}

// --- results ---------------------------------------------------------------------------------------------------------

// A NaN is the unit's.
__device__ inline float one_nan(float x) { return isnan(x) ? __int_as_float(0x7FFFFFFF) : x; }

// Of an array of the device: at a pair of numbers, for every row of this stride.
template <class Out>
__device__ inline bool at_pairs(const Out* p, std::size_t stride) {
  return reinterpret_cast<std::uintptr_t>(p) % (2 * sizeof(Out)) == 0 && stride % 2 == 0;
}
// Neighbours of a row, the second where there are `left` > 1 columns.
__device__ inline void store_pair(float* to, float first, float second, bool pairs, std::size_t left) {
  if (pairs && left > 1) {
    *reinterpret_cast<float2*>(to) = make_float2(first, second);
    return;
  }
  to[0] = first;
  if (left > 1) to[1] = second;
}
__device__ inline void store_pair(std::uint16_t* to, float first, float second, bool pairs,
                                  std::size_t left) {
  const std::uint32_t both = bf16_pair(first, second);
  if (pairs && left > 1) {
    *reinterpret_cast<std::uint32_t*>(to) = both;
    return;
  }
  to[0] = static_cast<std::uint16_t>(both & 0xFFFF);
  if (left > 1) to[1] = static_cast<std::uint16_t>(both >> 16);
}

// At four numbers, for every row of this stride.
template <class Out>
__device__ inline bool at_fours(const Out* p, std::size_t stride) {
  return reinterpret_cast<std::uintptr_t>(p) % (4 * sizeof(Out)) == 0 && stride % 4 == 0;
}
// What store_sixteen() needs to know of the matrix that it writes.
struct Alignment {
  bool pairs, fours;

  template <class Out>
  __device__ Alignment(const Out* p, std::size_t stride)
      : pairs(at_pairs(p, stride)), fours(at_fours(p, stride)) {}
};
// Sixteen neighbours of a row of `n` numbers, from `column` on, of which a lane has v[0] and v[1] at 2 (lane % 4) and
// v[2] and v[3] eight further. By whole warps; `row` is null for lanes whose row is beyond the matrix.
__device__ inline void store_sixteen(float* row, std::size_t column, std::size_t n, const float (&v)[4],
                                     Alignment at) {
  column += 2 * (threadIdx.x % 4);
  if (row == nullptr) return;
  if (column < n) store_pair(row + column, v[0], v[1], at.pairs, n - column);
  if (column + 8 < n) store_pair(row + column + 8, v[2], v[3], at.pairs, n - column - 8);
}
__device__ inline void store_sixteen(std::uint16_t* row, std::size_t column, std::size_t n,
                                     const float (&v)[4], Alignment at) {
  if (!at.fours) {
    column += 2 * (threadIdx.x % 4);
    if (row == nullptr) return;
    if (column < n) store_pair(row + column, v[0], v[1], at.pairs, n - column);
    if (column + 8 < n) store_pair(row + column + 8, v[2], v[3], at.pairs, n - column - 8);
    return;
  }
  // The four lanes of a row hand each other what makes four neighbours, and so a warp writes whole sectors.
  const std::uint32_t left = bf16_pair(v[0], v[1]), right = bf16_pair(v[2], v[3]);
  const int lane = static_cast<int>(threadIdx.x % 32), from = lane / 4 * 4 + lane % 2 * 2;
  const auto of = [](std::uint32_t word, int other) { return __shfl_sync(0xFFFFFFFFU, word, other); };
  const uint2 lefts = make_uint2(of(left, from), of(left, from + 1)),
              rights = make_uint2(of(right, from), of(right, from + 1));
  const uint2 words = lane % 4 < 2 ? lefts : rights;
  column += static_cast<std::size_t>(lane % 4 / 2 * 8 + lane % 2 * 4);
  if (row == nullptr || column >= n) return;
  if (n - column >= 4) {
    *reinterpret_cast<uint2*>(row + column) = words;
    return;
  }
  const std::uint16_t codes[] = {static_cast<std::uint16_t>(words.x & 0xFFFF),
                                 static_cast<std::uint16_t>(words.x >> 16),
                                 static_cast<std::uint16_t>(words.y & 0xFFFF)};
#pragma unroll
  for (int i = 0; i < 3; ++i) {
    if (column + static_cast<std::size_t>(i) < n) row[column + static_cast<std::size_t>(i)] = codes[i];
  }
}

// A kernel that asks for more shared memory than every kernel has.
template <class Kernel>
void allow_shared(Kernel* kernel, std::size_t bytes) {
  ASSAY_CUDA(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)));
}

}  // namespace assay::gpu::bf16_tiles
