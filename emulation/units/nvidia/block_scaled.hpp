// Blackwell's block-scaled tensor-core units: MX with fp8, fp6 and fp4 elements, and NVFP4.
//
// Source: P. Xie et al., arXiv:2511.10909 (the published models of MMA-Sim) and the PTX ISA's list of kinds: by
// literature, no device was compared here.
//
// Numerics
//   scales    block j of a row of A and of a column of B has a scale of each. e8m0: 2^(code - 127), code 255 is NaN.
//             ue4m3: an e4m3fn code whose top bit is ignored; 0x7F is NaN, 0 is zero.
//   step      of L products and c, x = m 2^e with e that of the smallest normal for subnormals:
//             MX, k = 32    a term is a product times both scales, of exponent e_a + e_b + e_scale_a + e_scale_b.
//                           F = 25, L = 32.
//             fp4, k = 64   a term is the exact sum of 16 products times both scales; its exponent is that of the
//                           scales alone, e_scale_a + e_scale_b. F = 35, L = 64.
//             A zero product, a zero scale, a group whose products are all zero, and a zero c have exponent ezero. (A
//             group that cancels keeps its scales'.) emax = the largest of all; each term and c is truncated toward
//             zero to a multiple of q = 2^(emax - F), all are added exactly, the sum is truncated to float32
//             (subnormals kept).
//   order     c = step(products 0 .. L-1, c); ... A sum without c starts at +0. K = 0 gives c as it is, or +0.
//   filling   a last block or step that K does not fill is filled up with +0 * +0, scales of one.
//   overflow  no scale is too large for a term: only the sum is compared with float32, and |sum| >= 2^128 is infinite.
//   NaN       a NaN among operands, c or scales of a block that exists (of any elements), 0 * Inf, or infinities of
//             both signs give 0x7FFFFFFF; else an infinity wins.
//   zero      an exactly zero sum is +0 (unverified, as is ezero).
//   tensor    a tensor's float32 scale is not the unit's: a kernel multiplies the finished sum, as here. alpha = the
//             product of both tensors' scales, rounded to float32, nearest-even; then alpha times the sum, rounded
//             again (a NaN is 0x7FFFFFFF). Where both are one, nothing happens. A sum that starts at c takes none:
//             alpha would scale c too.
//   bound     a step costs at most n 2^(emax - F) for its n nonzero terms, c among them, and 2^-23 |S q|, or 2^-149
//             below the normal range: everything else is exact. Summed over the steps; see step_unit.hpp for why sums
//             of them hold.
//             With tensors' scales: alpha times that, the sum times the rounding of alpha, and the last rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/exact/operand_extras.hpp"
#include "reference/formats/block_scaled.hpp"

namespace assay {

struct BlockScaledSpec {
  std::string name{};
  std::string summary{};
  std::vector<std::pair<FormatSpec, FormatSpec>> inputs{};
  std::size_t block = 32;  // elements that share a scale
  std::size_t group = 1;   // products that are added exactly before they are scaled
  std::size_t step = 32;   // L
  ScaleFormat scales = ScaleFormat::e8m0;
  int fraction = 25;  // F
  int ezero = -133;
};

// Operands bring their scales (CodeVector::scales, CodeMatrix::scales); those without have scales of one everywhere.
class BlockScaledUnit : public Unit {
 public:
  explicit BlockScaledUnit(const BlockScaledSpec& spec);

  std::size_t block() const { return spec_.block; }
  ScaleFormat scale_format() const { return spec_.scales; }
  std::size_t blocks(std::size_t k) const { return blocks_of(k, spec_.block); }

  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override;

 protected:
  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& output, OutputPlace place) const override;
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace place) const override;
  std::vector<TraceStep> trace_checked(const CodeVector& a, const CodeVector& b,
                                       std::optional<std::uint64_t> c,
                                       const FormatSpec& output) const override;

 private:
  struct Log;
  std::uint64_t chain(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                      const Log& log) const;
  std::uint64_t take_step(const CodeVector& a, const CodeVector& b, std::size_t begin, std::uint64_t c,
                          const Log& log) const;

  BlockScaledSpec spec_;
};

// ContractError for a block or step that groups do not fill, no inputs, or an F beyond 36.
std::unique_ptr<const BlockScaledUnit> make_block_scaled(const BlockScaledSpec& spec);

// A quantized vector with its scales, which are of `format`, and the scale of its tensor.
CodeVector scaled_view(const BlockScaled& x, ScaleFormat format);

// The BlockScaledUnit behind an arithmetic; null for any other arithmetic.
inline const BlockScaledUnit* as_block_scaled(const Arithmetic& arithmetic) {
  return dynamic_cast<const BlockScaledUnit*>(&arithmetic);
}

}  // namespace assay
