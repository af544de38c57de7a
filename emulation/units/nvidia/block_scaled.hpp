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
//   tensor    the float32 scale of a tensor in NVFP4 is not the unit's: the epilogue multiplies by it.
//   bound     a step costs at most n 2^(emax - F) for its n nonzero terms, c among them, and 2^-23 |S q|, or 2^-149
//             below the normal range: everything else is exact. Summed over the steps; see step_unit.hpp for why sums
//             of them hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/formats/block_scaled.hpp"

namespace assay {

enum class ScaleFormat : std::uint8_t { e8m0, ue4m3 };
std::string_view scale_format_name(ScaleFormat format);

// Codes of scales, row-major, rows `row_stride` apart: one row for a row of A or for a column of B, one column a block.
struct ScaleMatrix {
  const std::uint8_t* data = nullptr;
  std::size_t rows = 0, cols = 0;
  std::size_t row_stride = 0;

  std::span<const std::uint8_t> row(std::size_t i) const { return {data + i * row_stride, cols}; }
};

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

// dot() and gemm() take scales of one everywhere. ContractErrors name the formats, block and count of scales that it
// takes.
class BlockScaledUnit : public Unit {
 public:
  using Scales = std::span<const std::uint8_t>;

  explicit BlockScaledUnit(const BlockScaledSpec& spec);

  std::size_t block() const { return spec_.block; }
  ScaleFormat scale_format() const { return spec_.scales; }
  std::uint8_t unit_scale() const { return spec_.scales == ScaleFormat::e8m0 ? 127 : 0x38; }
  std::size_t blocks(std::size_t k) const { return k / spec_.block + (k % spec_.block != 0 ? 1 : 0); }

  // a . b with blocks(K) scales each, plus c if given; a float32 code. ContractError if the counts differ.
  std::uint64_t dot_scaled(const CodeVector& a, const CodeVector& b, Scales a_scales, Scales b_scales,
                           std::optional<std::uint64_t> c = {}) const;
  // The same of quantized vectors, whose tensor scales are left out. ContractError also if their blocks have another
  // length than the unit's or their formats are not its own. (What kind of scales they have they do not say.)
  std::uint64_t dot_scaled(const BlockScaled& a, const BlockScaled& b,
                           std::optional<std::uint64_t> c = {}) const;
  // D = A B + C: A m x k with m x blocks(k) scales, B k x n with n x blocks(k) scales. As Arithmetic::gemm() otherwise.
  void gemm_scaled(const CodeMatrix& a, const CodeMatrix& b, const ScaleMatrix& a_scales,
                   const ScaleMatrix& b_scales, const std::optional<CodeMatrix>& c,
                   const MutableCodeMatrix& d) const;

  // trace(), exact() and bound() of dot_scaled().
  std::vector<TraceStep> trace_scaled(const CodeVector& a, const CodeVector& b, Scales a_scales,
                                      Scales b_scales, std::optional<std::uint64_t> c = {}) const;
  ExactDot exact_scaled(const CodeVector& a, const CodeVector& b, Scales a_scales, Scales b_scales,
                        std::optional<std::uint64_t> c = {}) const;
  double bound_scaled(const CodeVector& a, const CodeVector& b, Scales a_scales, Scales b_scales,
                      std::optional<std::uint64_t> c = {}) const;

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
  struct Operands;
  struct Log;
  void check_scales(const CodeVector& a, const CodeVector& b, Scales a_scales, Scales b_scales) const;
  std::uint64_t chain(const Operands& x, std::optional<std::uint64_t> c, const Log& log) const;
  std::uint64_t take_step(const Operands& x, std::size_t begin, std::uint64_t c, const Log& log) const;

  BlockScaledSpec spec_;
};

// ContractError for a block or step that groups do not fill, no inputs, or an F beyond 36.
std::unique_ptr<const BlockScaledUnit> make_block_scaled(const BlockScaledSpec& spec);

// The BlockScaledUnit behind an arithmetic; null if it is none.
inline const BlockScaledUnit* as_block_scaled(const Arithmetic& arithmetic) {
  return dynamic_cast<const BlockScaledUnit*>(&arithmetic);
}

}  // namespace assay
