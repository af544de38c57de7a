// Units whose dot product is a chain of multiply-adds: VDPBF16PS and TDPBF16PS of x86, and CUDA's cores.
//
// Numerics
//   vdpbf16ps    acc = c or +0; for each pair i of elements: acc = FMA(a[2i+1], b[2i+1], acc), then
//                acc = FMA(a[2i], b[2i], acc). The accumulator is carried from pair to pair, as in a loop over the
//                instruction. An odd K is padded at its end with the product +0 * +0, as a zeroed register does:
//                that FMA comes first in its pair, so that an accumulator of -0 becomes +0.
//   tdpbf16ps    for each block of 32 elements of K (one tile instruction; the last may be shorter): e = o = +0; for
//                each pair of the block e = FMA(a[2k], b[2k], e) and o = FMA(a[2k+1], b[2k+1], o); then
//                c = ADD(c, ADD(e, o)). Each block starts new chains, so the result depends on the blocking: this
//                is that of tiles of 64 bytes a row. An odd K is padded as above, here in the chain o.
//   both         every operation rounds once, nearest-even. Subnormal operands are read as zeros of their sign; results
//                are flushed to such zeros if they are tiny after rounding with no limit on the exponent. A NaN is the
//                first of (a, b, acc) that is one, or of (x, y) in ADD, quieted; 0 * Inf and Inf - Inf give 0xFFC00000.
//                MXCSR has no effect.
//   sequential   CUDA's cores: acc = c or +0, then one term after another in the order of k. `fused`: one rounding for
//                product and sum. Else the product is rounded to the accumulator's format first, then the sum.
//                Subnormals are kept, or under -ftz=true flushed, operands and results, as above: that a result is tiny
//                after rounding, not before, is unverified. bfloat16 operands of a float32 unit are converted, exactly.
//                Every NaN is the canonical one: 0x7FFFFFFF, 0x7FFF for bfloat16 (PTX: SRC), 0xFFF8000000000000 for
//                float64 (CUDART_NAN of math_constants.h: SRC; that a NaN operand's payload is lost there is UNV).
//   K = 0        gives c as it is, or +0.
//   hence        all paths give the same bits, for any operands, MXCSR and number of threads. A path that the CPU or
//                the operands do not support passes on to the next one.
//
// Bound: every unit is a tree of fused or rounded products, so error_bound.hpp's dot_bound applies unchanged.
// It counts 2n flushes, and one more with c. There are no more: a product and a sum for each term; TDPBF16PS has n
// multiply-adds and for each block two additions, but for e + o of a block of one element, where o is a zero, and the
// first block's without c: n + 2 ceil(n/32) in all, and less where n < 3. The padding's products are exact zeros.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulation/units/fused_op.hpp"
#include "emulation/units/unit.hpp"

namespace assay {

// The behaviour of the two x86 units, and alternatives: every value other than a default is a model that the hardware
// refutes, kept as a mutant for the tests (x86_mutants.hpp).
struct X86Rules {
  bool even_first = false;  // vdpbf16ps: element 2i before 2i+1
  bool sum_first = false;   // vdpbf16ps: both products are added, starting at +0, and then to acc
  bool one_chain = false;   // tdpbf16ps: even and odd elements in one chain
  bool flush_inputs = true;
  Tiny tiny = Tiny::after_rounding;
  bool flush_adds = true;  // tdpbf16ps: its two ADDs flush too
  NanOrder nan = NanOrder::a_b_c;

  FusedRules operation() const { return {formats::float32, flush_inputs, tiny, nan, 0xFFC00000}; }
};

// The two units in integer arithmetic: a and b are bfloat16 codes, c and the result float32 codes. Appends each
// operation to `trace`, if there is one.
std::uint32_t vdpbf16ps_definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                   const X86Rules& rules = {}, std::vector<TraceStep>* trace = nullptr);
std::uint32_t tdpbf16ps_definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                   const X86Rules& rules = {}, std::vector<TraceStep>* trace = nullptr);

// Elements of K in one TDPBF16PS of full tiles.
inline constexpr std::size_t tile_depth = 32;

}  // namespace assay
