// Tiles through mma.sync and wgmma, one warp or warpgroup a tile. Nothing here is meant to be quick: every register is
// filled element by element by the functions of fragments.hpp, which the tests check.
//
// Numerics
//   The arithmetic is the instruction's own; the code around it moves bits and computes nothing. Chunks are chained by
//   leaving D in the registers that are C of the next instruction.
#include <cstdint>
#include <stdexcept>

#include "emulation/units/nvidia/fragments.hpp"
#include "gpu/host/cuda_launch.cuh"

namespace assay::gpu {
namespace {

constexpr int bits_float16 = 16;
constexpr int bits_bfloat16 = 16;
constexpr int bits_tf32 = 32;  // in the register of a float32
constexpr int bits_float8_e4m3fn = 8;
constexpr int bits_float8_e5m2 = 8;

// An instruction that the image being compiled lacks traps: open_cuda_device() reports what there is, and nobody should
// come here.
#if __CUDA_ARCH__ >= 750
#define ASSAY_ON_sm75(body) body
#else
#define ASSAY_ON_sm75(body) __trap();
#endif
#if __CUDA_ARCH__ >= 800
#define ASSAY_ON_sm80(body) body
#else
#define ASSAY_ON_sm80(body) __trap();
#endif
#if __CUDA_ARCH__ >= 890
#define ASSAY_ON_sm89(body) body
#else
#define ASSAY_ON_sm89(body) __trap();
#endif
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define ASSAY_ON_sm90a(body) body
#else
#define ASSAY_ON_sm90a(body) __trap();
#endif

// The operands of each form. C and D are the same registers: .f32 operands may live in untyped 32-bit registers, so
// that no conversion or canonical NaN can come between.
#define ASSAY_MMA "mma.sync.aligned."
#define ASSAY_D4 "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
#define ASSAY_D2 "+r"(d[0]), "+r"(d[1])
#define ASSAY_A4 "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3])
#define ASSAY_A2 "r"(a[0]), "r"(a[1])
#define ASSAY_B2 "r"(b[0]), "r"(b[1])
#define ASSAY_B1 "r"(b[0])
#define ASSAY_ISSUE_A4D4(ptx)                                                                   \
  asm volatile(ASSAY_MMA ptx " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
               : ASSAY_D4                                                                       \
               : ASSAY_A4, ASSAY_B2);
#define ASSAY_ISSUE_A4D2(ptx)                                                   \
  asm volatile(ASSAY_MMA ptx " {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};" \
               : ASSAY_D2                                                       \
               : ASSAY_A4, ASSAY_B2);
#define ASSAY_ISSUE_A2D4(ptx)                                                       \
  asm volatile(ASSAY_MMA ptx " {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};" \
               : ASSAY_D4                                                           \
               : ASSAY_A2, ASSAY_B1);
#define ASSAY_ISSUE_A2D2(ptx) \
  asm volatile(ASSAY_MMA ptx " {%0, %1}, {%2, %3}, {%4}, {%0, %1};" : ASSAY_D2 : ASSAY_A2, ASSAY_B1);
// scale-d 1: D = A B + D; imm-scale 1: no operand negated; imm-trans-b 0: B is K-major. One statement from the fence to
// the wait, so that the compiler cannot move a register of the fragments in between.
#define ASSAY_WGMMA_BEGIN "wgmma.fence.sync.aligned;\n\twgmma.mma_async.sync.aligned."
#define ASSAY_WGMMA_END ";\n\twgmma.commit_group.sync.aligned;\n\twgmma.wait_group.sync.aligned 0;"
#define ASSAY_ISSUE_W4(ptx, immediates)                                                                     \
  asm volatile(ASSAY_WGMMA_BEGIN ptx " {%0, %1, %2, %3}, {%4, %5, %6, %7}, %8, " immediates ASSAY_WGMMA_END \
:ASSAY_D4                                                                                                   \
               : ASSAY_A4, "l"(b)                                                                           \
               : "memory");
#define ASSAY_ISSUE_W2(ptx, immediates)                                                                      \
  asm volatile(ASSAY_WGMMA_BEGIN ptx " {%0, %1}, {%2, %3, %4, %5}, %6, " immediates ASSAY_WGMMA_END:ASSAY_D2 \
               : ASSAY_A4, "l"(b)                                                                            \
               : "memory");
#define ASSAY_ISSUE_WD4(ptx) ASSAY_ISSUE_W4(ptx, "1, 1, 1")
#define ASSAY_ISSUE_WTD4(ptx) ASSAY_ISSUE_W4(ptx, "1, 1, 1, 0")
#define ASSAY_ISSUE_WD2(ptx) ASSAY_ISSUE_W2(ptx, "1, 1, 1")
#define ASSAY_ISSUE_WTD2(ptx) ASSAY_ISSUE_W2(ptx, "1, 1, 1, 0")

template <int registers, int bits, class PlaceOf>
__device__ void gather(std::uint32_t (&fragment)[registers], const std::uint64_t* words, int stride,
                       PlaceOf place) {
  for (int r = 0; r < registers; ++r) {
    fragment[r] = 0;
    for (int e = 0; e < 32 / bits; ++e) {
      const Place at = place(r, e);
      fragment[r] |= static_cast<std::uint32_t>(words[at.row * stride + at.column]) << (bits * e);
    }
  }
}

// Accumulators of one lane, from and to its tile of m16 x 8 words.
template <int registers>
__device__ void load_accumulators(std::uint32_t (&d)[registers], const std::uint64_t* tile, int lane) {
  constexpr int per_register = 4 / registers;
  for (int r = 0; r < registers; ++r) {
    d[r] = 0;
    for (int e = 0; e < per_register; ++e) {
      const Place at = place_d(lane, per_register * r + e);
      d[r] |= static_cast<std::uint32_t>(tile[at.row * 8 + at.column]) << (16 * e);
    }
  }
}
template <int registers>
__device__ void store_accumulators(const std::uint32_t (&d)[registers], std::uint64_t* tile, int lane) {
  constexpr int per_register = 4 / registers;
  for (int r = 0; r < registers; ++r) {
    for (int e = 0; e < per_register; ++e) {
      const Place at = place_d(lane, per_register * r + e);
      tile[at.row * 8 + at.column] = registers == 4 ? d[r] : d[r] >> (16 * e) & 0xFFFF;
    }
  }
}

template <class Op>
__global__ void __launch_bounds__(32) warp_tiles(DevicePointers p, int chunks) {
  constexpr int bits = Op::bits;
  const int lane = static_cast<int>(threadIdx.x);
  const int stride = chunks * Op::k;
  const std::uint64_t* const a_tile = p.a + std::size_t{blockIdx.x} * 16 * stride;
  const std::uint64_t* const b_tile = p.b + std::size_t{blockIdx.x} * 8 * stride;
  std::uint32_t a[Op::a_registers], b[Op::a_registers / 2], d[Op::d_registers];
  load_accumulators(d, p.c + std::size_t{blockIdx.x} * 16 * 8, lane);
  for (int chunk = 0; chunk < chunks; ++chunk) {
    gather<Op::a_registers, bits>(a, a_tile + chunk * Op::k, stride,
                                  [=](int r, int e) { return place_a(bits, lane, r, e); });
    gather<Op::a_registers / 2, bits>(b, b_tile + chunk * Op::k, stride, [=](int r, int e) {
      const Place at = place_b(bits, lane, r, e);
      return Place{at.column, at.row};
    });
    Op::issue(d, a, b);
  }
  store_accumulators(d, p.d + std::size_t{blockIdx.x} * 16 * 8, lane);
}

template <class Op>
__global__ void __launch_bounds__(128) warpgroup_tiles(DevicePointers p, int chunks) {
  constexpr int bits = Op::bits;
  constexpr int chunk_bytes = 8 * 32;  // of B: every k is 32 bytes
  static_assert(Op::k * bits == 256, "a chunk of wgmma has 32 bytes a column");
  __shared__ __align__(128) unsigned char shared_b[chunk_bytes];
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / 32;
  const int lane = thread % 32;
  const int stride = chunks * Op::k;
  const std::uint64_t* const a_rows = p.a + (std::size_t{blockIdx.x} * 64 + 16 * warp) * stride;
  const std::uint64_t* const b_tile = p.b + std::size_t{blockIdx.x} * 8 * stride;
  const std::size_t d_rows = (std::size_t{blockIdx.x} * 64 + 16 * warp) * 8;

  // The matrix descriptor: address, leading and stride byte offsets in units of 16 bytes, no swizzling. With eight
  // columns there is one core matrix across and two in K, so whichever offset the hardware takes for K must be theirs.
  const auto address = static_cast<std::uint64_t>(__cvta_generic_to_shared(shared_b));
  constexpr std::uint64_t offset = core_matrix_bytes >> 4;
  const std::uint64_t b = (address & 0x3FFFF) >> 4 | offset << 16 | offset << 32;

  std::uint32_t a[4], d[Op::d_registers];
  load_accumulators(d, p.c + d_rows, lane);
  for (int chunk = 0; chunk < chunks; ++chunk) {
    for (int i = thread; i < 8 * Op::k; i += 128) {
      const int column = i / Op::k, k = i % Op::k;
      const std::uint64_t word = b_tile[column * stride + chunk * Op::k + k];
      const int at = shared_byte_b(bits, k, column);
      for (int byte = 0; byte < bits / 8; ++byte) {
        shared_b[at + byte] = static_cast<unsigned char>(word >> (8 * byte));
      }
    }
    gather<4, bits>(a, a_rows + chunk * Op::k, stride,
                    [=](int r, int e) { return place_a(bits, lane, r, e); });
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");  // wgmma reads what threads wrote
#endif
    __syncthreads();
    Op::issue(d, a, b);
    __syncthreads();  // before the next chunk overwrites B
  }
  store_accumulators(d, p.d + d_rows, lane);
}

__global__ void __launch_bounds__(32) f64_tiles(DevicePointers p, int chunks) {
  const int lane = static_cast<int>(threadIdx.x);
  const int stride = chunks * 4;
  const std::uint64_t* const a_tile = p.a + std::size_t{blockIdx.x} * 8 * stride;
  const std::uint64_t* const b_tile = p.b + std::size_t{blockIdx.x} * 8 * stride;
  const std::size_t tile = std::size_t{blockIdx.x} * 8 * 8;
  const auto at = [=](int i) { return tile + place_d_f64(lane, i).row * 8 + place_d_f64(lane, i).column; };
  double d0 = __longlong_as_double(static_cast<long long>(p.c[at(0)]));
  double d1 = __longlong_as_double(static_cast<long long>(p.c[at(1)]));
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const Place pa = place_a_f64(lane), pb = place_b_f64(lane);
    const double a =
        __longlong_as_double(static_cast<long long>(a_tile[pa.row * stride + chunk * 4 + pa.column]));
    const double b =
        __longlong_as_double(static_cast<long long>(b_tile[pb.column * stride + chunk * 4 + pb.row]));
    ASSAY_ON_sm80(asm volatile(ASSAY_MMA "m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
                               : "+d"(d0), "+d"(d1)
                               : "d"(a), "d"(b));)
  }
  p.d[at(0)] = static_cast<std::uint64_t>(__double_as_longlong(d0));
  p.d[at(1)] = static_cast<std::uint64_t>(__double_as_longlong(d1));
}

#define ASSAY_WARP_OP(id, ptx, k_, input, a_count, d_count, form, needs)                            \
  struct Op_##id {                                                                                  \
    static constexpr int bits = bits_##input, k = k_, a_registers = a_count, d_registers = d_count; \
    static __device__ void issue(std::uint32_t (&d)[d_count], const std::uint32_t (&a)[a_count],    \
                                 const std::uint32_t (&b)[a_count / 2]) {                           \
      ASSAY_ON_##needs(ASSAY_ISSUE_##form(ptx))                                                     \
    }                                                                                               \
  };                                                                                                \
  static_assert(Op_##id::k * Op_##id::bits == 64 * a_count, #id ": registers and k do not agree");
#define ASSAY_WARPGROUP_OP(id, ptx, k_, input, d_count, form, needs)                       \
  struct Op_##id {                                                                         \
    static constexpr int bits = bits_##input, k = k_, d_registers = d_count;               \
    static __device__ void issue(std::uint32_t (&d)[d_count], const std::uint32_t (&a)[4], \
                                 std::uint64_t b) {                                        \
      ASSAY_ON_##needs(ASSAY_ISSUE_##form(ptx))                                            \
    }                                                                                      \
  };
#define ASSAY_OP_A4D4(id, ptx, k, input, needs) ASSAY_WARP_OP(id, ptx, k, input, 4, 4, A4D4, needs)
#define ASSAY_OP_A4D2(id, ptx, k, input, needs) ASSAY_WARP_OP(id, ptx, k, input, 4, 2, A4D2, needs)
#define ASSAY_OP_A2D4(id, ptx, k, input, needs) ASSAY_WARP_OP(id, ptx, k, input, 2, 4, A2D4, needs)
#define ASSAY_OP_A2D2(id, ptx, k, input, needs) ASSAY_WARP_OP(id, ptx, k, input, 2, 2, A2D2, needs)
#define ASSAY_OP_WD4(id, ptx, k, input, needs) ASSAY_WARPGROUP_OP(id, ptx, k, input, 4, WD4, needs)
#define ASSAY_OP_WD2(id, ptx, k, input, needs) ASSAY_WARPGROUP_OP(id, ptx, k, input, 2, WD2, needs)
#define ASSAY_OP_WTD4(id, ptx, k, input, needs) ASSAY_WARPGROUP_OP(id, ptx, k, input, 4, WTD4, needs)
#define ASSAY_OP_WTD2(id, ptx, k, input, needs) ASSAY_WARPGROUP_OP(id, ptx, k, input, 2, WTD2, needs)
#define ASSAY_OP_F64(id, ptx, k, input, needs)
#define TENSOR_CORE(id, form, ptx, m, k, input, accumulator, needs) ASSAY_OP_##form(id, ptx, k, input, needs)
#include "emulation/units/nvidia/tensor_core_instructions.def"

#define ASSAY_LAUNCH_A4D4(id) warp_tiles<Op_##id><<<blocks, 32>>>(p, chunks)
#define ASSAY_LAUNCH_A4D2(id) ASSAY_LAUNCH_A4D4(id)
#define ASSAY_LAUNCH_A2D4(id) ASSAY_LAUNCH_A4D4(id)
#define ASSAY_LAUNCH_A2D2(id) ASSAY_LAUNCH_A4D4(id)
#define ASSAY_LAUNCH_WD4(id) warpgroup_tiles<Op_##id><<<blocks, 128>>>(p, chunks)
#define ASSAY_LAUNCH_WD2(id) ASSAY_LAUNCH_WD4(id)
#define ASSAY_LAUNCH_WTD4(id) ASSAY_LAUNCH_WD4(id)
#define ASSAY_LAUNCH_WTD2(id) ASSAY_LAUNCH_WD4(id)
#define ASSAY_LAUNCH_F64(id) f64_tiles<<<blocks, 32>>>(p, chunks)

}  // namespace

void launch_tensor_core(TensorCore instruction, std::size_t tiles, int chunks, const DevicePointers& p) {
  const auto blocks = static_cast<unsigned>(tiles);
  switch (instruction) {
#define TENSOR_CORE(id, form, ptx, m, k, input, accumulator, needs) \
  case TensorCore::id:                                              \
    ASSAY_LAUNCH_##form(id);                                        \
    return;
#include "emulation/units/nvidia/tensor_core_instructions.def"
    case TensorCore::none: break;
  }
  throw std::logic_error("no such matrix instruction");
}

}  // namespace assay::gpu
