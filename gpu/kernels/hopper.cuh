// Hopper's own: barriers in shared memory, TMA, products of a warpgroup. For sm_90a.
//
// Wrappers of PTX, an instruction each; and tensor maps, which the driver encodes. Its function is found by name, so
// that no program is linked to the driver.
#pragma once

#include <cuda.h>
#include <cudaTypedefs.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gpu/kernels/launch.cuh"

// nvcc compiles bodies that use these for sm_90a alone; the executor has them whatever GPU it imitates, and refuses a
// product where that GPU has none.
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || !defined(__NVCC__)
#define ASSAY_HAS_WGMMA 1
#else
#define ASSAY_HAS_WGMMA 0
#endif

namespace assay::gpu::hopper {

#if ASSAY_HAS_WGMMA

// --- barriers in shared memory; addresses are of shared memory -------------------------------------------------------

__device__ inline void init_barrier(std::uint32_t barrier, std::uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
// Barriers are there for copies too.
__device__ inline void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ inline void arrive(std::uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
// Arrives, and the phase ends when so many bytes have come as well.
__device__ inline void arrive_and_expect(std::uint32_t barrier, std::uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}
// Whether the phase of this parity has ended; waits a while for it.
__device__ inline bool try_wait(std::uint32_t barrier, std::uint32_t parity) {
  std::uint32_t ended = 0;
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
      "selp.b32 %0, 1, 0, p;\n"
      "}"
      : "=r"(ended)
      : "r"(barrier), "r"(parity)
      : "memory");
  return ended != 0;
}
__device__ inline void wait(std::uint32_t barrier, std::uint32_t parity) {
  while (!try_wait(barrier, parity)) {
  }
}

// --- TMA -------------------------------------------------------------------------------------------------------------

// The box at (column, row) of a matrix; what lies outside of it is zeros, and counts as bytes of the barrier.
__device__ inline void load_box(std::uint32_t to, const CUtensorMap* map, std::int32_t column,
                                std::int32_t row, std::uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(to),
      "l"(map), "r"(column), "r"(row), "r"(barrier)
      : "memory");
}

// --- wgmma -----------------------------------------------------------------------------------------------------------

// A matrix in rows of 64 or 128 bytes, swizzled, that starts at a multiple of 1024 bytes or within the first row there.
// `leading`: to the next bytes of a row that is longer; not read for a matrix whose rows lie along k.
template <std::uint32_t row_bytes>
__device__ inline std::uint64_t swizzled_rows(std::uint32_t start, std::uint32_t leading) {
  static_assert(row_bytes == 64 || row_bytes == 128);
  const auto field = [](std::uint32_t bytes) { return static_cast<std::uint64_t>((bytes & 0x3FFFF) >> 4); };
  return field(start) | field(leading) << 16 | field(8 * row_bytes) << 32 |
         std::uint64_t{row_bytes == 128 ? 1 : 2} << 62;
}
// Registers and shared memory that were written before are there for the products that follow.
__device__ inline void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until all groups but the last are done.
__device__ inline void wait_for_all_but_one() {
  asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
}
// Until the sums can be read.
__device__ inline void wait_for_sums(float (&d)[64]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]),
                 "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]),
                 "+f"(d[14]), "+f"(d[15]), "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]),
                 "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]),
                 "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]),
                 "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]), "+f"(d[41]),
                 "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]), "+f"(d[48]),
                 "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]),
                 "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]),
                 "+f"(d[63])
               :
               : "memory");
}
// d += a b, of 64 x 128 x 16: rows of A along k; of B along its columns (1) or along k (0).
template <int b_along_columns>
__device__ inline void multiply_64x128(float (&d)[64], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, 1, 1, 1, 0, %66;"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
        "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
        "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]),
        "+f"(d[23]), "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]),
        "+f"(d[30]), "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]),
        "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]),
        "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]), "+f"(d[48]), "+f"(d[49]), "+f"(d[50]),
        "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]), "+f"(d[56]), "+f"(d[57]),
        "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63])
      : "l"(a), "l"(b), "n"(b_along_columns));
}

#endif  // ASSAY_HAS_WGMMA

// --- tensor maps -----------------------------------------------------------------------------------------------------

struct MatrixOfMap {
  const std::uint16_t* data;  // 16-byte aligned
  std::size_t rows, columns;  // at least 1
  std::size_t stride;         // of rows, in numbers: a multiple of 8
};

// Boxes of `box_rows` rows of 32 or 64 bf16 numbers, swizzled by 64 or 128 bytes. `what` is "KERNEL: ARRAY".
inline void encode_map(CUtensorMap& map, const MatrixOfMap& m, unsigned box_rows, unsigned box_columns,
                       const std::string& what) {
  constexpr std::size_t most = 2147483647 - 256;  // coordinates are int32, those of a box's end too
  if (m.rows > most || m.columns > most)
    throw ContractError(what + " has " + std::to_string(m.rows) + " x " + std::to_string(m.columns) +
                        " numbers, and at most " + std::to_string(most) + " rows and columns are taken");
  if (reinterpret_cast<std::uintptr_t>(m.data) % 16 != 0 || m.stride % 8 != 0)
    throw ContractError(what + " begins at " + std::to_string(reinterpret_cast<std::uintptr_t>(m.data) % 16) +
                        " bytes behind a multiple of 16 and has a stride of " + std::to_string(m.stride) +
                        " numbers: TMA takes rows at multiples of 16 bytes");
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  ASSAY_CUDA(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault,
                                              &found));
  if (found != cudaDriverEntryPointSuccess)
    throw DeviceError(what + ": the driver has no cuTensorMapEncodeTiled of CUDA 12.0");
  const cuuint64_t sizes[] = {m.columns, m.rows}, strides[] = {m.stride * 2};
  const cuuint32_t box[] = {box_columns, box_rows}, ones[] = {1, 1};
  const CUresult result = reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function)(
      &map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, const_cast<std::uint16_t*>(m.data), sizes, strides, box,
      ones, CU_TENSOR_MAP_INTERLEAVE_NONE,
      box_columns == 64 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_64B,
      CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS)
    throw DeviceError(what + ": cuTensorMapEncodeTiled answers " + std::to_string(static_cast<int>(result)));
}

}  // namespace assay::gpu::hopper
