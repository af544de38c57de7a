// This CPU's own VDPBF16PS, VCVTNEPS2BF16, VCVTNE2PS2BF16 and TDPBF16PS beside their emulation: operands that tell
// models apart, arrays of lanes through both, and counts of where they differ.
//
// Numerics: as fma_chain.hpp. A lane is one pair of VDPBF16PS: d = FMA(a[0], b[0], FMA(a[1], b[1], c)), with element 0
// in the lower half of a and of b. Operands are a function of (class, seed, index): the same for any path and any
// number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "emulation/units/fma_chain.hpp"

namespace assay {

// What random data of unit scale never shows, by class.
enum class X86Class : std::uint8_t {
  uniform_bits,
  cancel_addend,
  cancel_products,
  underflow,
  overflow,
  specials,
  wide_gaps,
  tiny_boundary,
  half_way,
};
struct X86ClassInfo {
  X86Class id;
  std::string_view name, description;
};
std::span<const X86ClassInfo> x86_classes();

struct X86Lane {
  std::uint32_t c = 0, a = 0, b = 0;  // float32; two bfloat16 each
};

// Lanes `first` to first + n - 1 of a class.
struct X86Lanes {
  X86Class kind = X86Class::uniform_bits;
  std::uint64_t seed = 1, first = 0, count = 0;
};
void x86_operands(const X86Lanes& lanes, std::uint32_t* c, std::uint32_t* a, std::uint32_t* b);

// d[i] = VDPBF16PS of lane i: by the definition, or by the best path of this CPU that ASSAY_ISA allows.
std::uint32_t vdpbf16ps_lane(const X86Lane& lane, const X86Rules& rules = {});
void vdpbf16ps_lanes(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* d,
                     std::size_t n);

// The forms of the instruction. Masked: every lane is computed by one of two instructions with complementary masks, and
// must survive the other.
enum class LaneForm : std::uint8_t { xmm, ymm, zmm, merge_masked, zero_masked };
std::span<const LaneForm> lane_forms();
std::string_view lane_form_name(LaneForm form);

// The default; the directed modes; flushing of results, of operands, with toward-zero: exceptions masked in all.
inline constexpr std::array<std::uint32_t, 6> mxcsr_settings{0x1F80, 0x3F80, 0x5F80, 0x7F80, 0x9FC0, 0xFFC0};

// The instruction itself. Unavailable without AVX512_BF16.
void vdpbf16ps_live(LaneForm form, std::uint32_t mxcsr, const std::uint32_t* c, const std::uint32_t* a,
                    const std::uint32_t* b, std::uint32_t* d, std::size_t n);

// One output that differed.
struct X86Mismatch {
  std::uint64_t index = 0;  // of the lane, or of the output
  X86Lane lane{};           // conversions: a is the float32; tiles: c, and the first pair of a and b
  std::uint32_t got = 0, want = 0;
};
struct CheckCounts {
  std::uint64_t vectors = 0, mismatches = 0;
  std::optional<X86Mismatch> first{};  // of the lowest index

  CheckCounts& operator+=(const CheckCounts& other);
};

// The instruction (got) against vdpbf16ps_lanes (want), on OpenMP's threads. Unavailable without AVX512_BF16.
CheckCounts check_vdpbf16ps_live(const X86Lanes& lanes, LaneForm form = LaneForm::zmm,
                                 std::uint32_t mxcsr = 0x1F80);
// vdpbf16ps_lanes (got) against the definition, or one of its mutants (want).
CheckCounts check_vdpbf16ps_definition(const X86Lanes& lanes, const X86Rules& rules = {});

// Conversions of float32, the words c of the lanes and of all classes alike: the instruction (got) against the policy
// "intel" of convert_bits32 (want). Unavailable without AVX512_BF16.
enum class ConversionForm : std::uint8_t { ps_xmm, ps_ymm, ps_zmm, two_ps_xmm, two_ps_ymm, two_ps_zmm };
std::span<const ConversionForm> conversion_forms();
std::string_view conversion_form_name(ConversionForm form);  // "VCVTNEPS2BF16 xmm"
void vcvtneps2bf16_live(ConversionForm form, std::uint32_t mxcsr, const std::uint32_t* src,
                        std::uint16_t* dst, std::size_t n);
CheckCounts check_vcvtneps2bf16_live(const X86Lanes& lanes, ConversionForm form,
                                     std::uint32_t mxcsr = 0x1F80);

// Tiles of TDPBF16PS: C rows x columns, A rows x 2 pairs, B 2 pairs x columns, each 1 to 16.
struct TileShape {
  std::size_t rows = 16, columns = 16, pairs = 16;
};
// c += a b for one tile, row-major and dense: c float32 codes, a rows x pairs and b pairs x columns words of two
// bfloat16 (AMX's own layout). Unavailable without AMX-BF16; ContractError for a shape outside 1 to 16.
void tdpbf16ps_live(const TileShape& shape, std::uint32_t mxcsr, std::uint32_t* c, const std::uint32_t* a,
                    const std::uint32_t* b);
// The operands of tile `index`: those of output (i, i mod columns) are lanes of the class in the order of pairs.
void tile_operands(X86Class kind, std::uint64_t seed, std::uint64_t index, const TileShape& shape,
                   std::uint32_t* c, std::uint32_t* a, std::uint32_t* b);
// `count` tiles through the instruction (got) and the emulation's gemm (want); a vector is one output.
CheckCounts check_tdpbf16ps_live(X86Class kind, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                                 const TileShape& shape, std::uint32_t mxcsr = 0x1F80);
// The same, the emulation's gemm (got) against the definition, or one of its mutants (want).
CheckCounts check_tdpbf16ps_definition(X86Class kind, std::uint64_t seed, std::uint64_t first,
                                       std::uint64_t count, const TileShape& shape,
                                       const X86Rules& rules = {});

// --- for kernels/

using X86OperandsFn = void(X86Class kind, std::uint64_t seed, std::uint64_t first, std::size_t n,
                           std::uint32_t* c, std::uint32_t* a, std::uint32_t* b) noexcept;
using X86LanesFn = void(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                        std::uint32_t* d, std::size_t n) noexcept;
// n a multiple of 16.
using LiveLanesFn = void(LaneForm form, std::uint32_t mxcsr, const std::uint32_t* c, const std::uint32_t* a,
                         const std::uint32_t* b, std::uint32_t* d, std::size_t n) noexcept;
// n a multiple of 32.
using LiveConversionsFn = void(ConversionForm form, std::uint32_t mxcsr, const std::uint32_t* src,
                               std::uint16_t* dst, std::size_t n) noexcept;
using LiveTilesFn = void(std::size_t rows, std::size_t columns, std::size_t pairs, std::uint32_t mxcsr,
                         std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b) noexcept;
namespace kernels {
#define X86_LANES(isa, description) \
  X86OperandsFn x86_operands_##isa; \
  X86LanesFn vdpbf16ps_lanes_##isa;
#include "emulation/units/x86/x86_lanes.def"
#undef X86_LANES
#define LIVE_X86(name, isa, type, description) type name##_##isa;
#include "emulation/units/x86/live_x86.def"
#undef LIVE_X86
}  // namespace kernels

struct X86LanesKernel : KernelInfo {
  X86OperandsFn* operands;
  X86LanesFn* lanes;
};
// x86_lanes.def.
const KernelTable<X86LanesKernel>& x86_lanes_kernels();
// live_x86.def: the instructions themselves, in no order.
const KernelTable<KernelInfo>& live_x86_kernels();

}  // namespace assay
