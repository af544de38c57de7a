// Machines' dot-product and matrix units: arithmetics that give the bits of some hardware.
//
// Each unit has a definition in integer arithmetic that reads like its specification; some also have faster paths,
// which are tested against it. It does not matter which one runs: all give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/exact/arithmetic.hpp"
#include "reference/exact/trace.hpp"

namespace assay {

// An implementation of a unit's gemm(): "definition", "scalar", "avx2", "avx512", "avx512 any range".
using UnitPath = KernelInfo;

class Unit : public Arithmetic {
 public:
  // How dot(a, b, c, output) came about, in the order of evaluation; the last step's result is dot()'s, unless a
  // conversion to `output` follows, which is then a separate step. Errors as
  // dot().
  std::vector<TraceStep> trace(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                               const FormatSpec& output) const;

  // Best first, the definition last. gemm() takes the best that this CPU has and ASSAY_ISA allows.
  virtual std::vector<UnitPath> paths() const { return {{"definition"}}; }

  // gemm() by the path of this name. ContractError if the unit has none of it, Unavailable if this CPU lacks its ISA.
  void gemm_by(std::string_view path, const CodeMatrix& a, const CodeMatrix& b,
               const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const;

 protected:
  using Arithmetic::Arithmetic;

  virtual std::vector<TraceStep> trace_checked(const CodeVector& a, const CodeVector& b,
                                               std::optional<std::uint64_t> c,
                                               const FormatSpec& output) const = 0;
  // `path` is a member of paths() that this CPU runs. The default is right for a unit with nothing but a definition.
  virtual void gemm_by_checked(const UnitPath& path, const CodeMatrix& a, const CodeMatrix& b,
                               const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const;
  // The best of paths(), by gemm_by_checked(): no unit draws random bits, so none asks where its outputs lie.
  void gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                    const MutableCodeMatrix& d, OutputOrigin origin) const override;
};

// The families of units.def, each in its own file.
void add_fma_chain_units(ArithmeticRegistry& registry);
void add_fused_sum_units(ArithmeticRegistry& registry);
void add_block_scaled_units(ArithmeticRegistry& registry);
void add_amd_mfma_units(ArithmeticRegistry& registry);
void add_arm_bfdot_units(ArithmeticRegistry& registry);

// All of them. Every member of the registry that came from here is a Unit.
void add_units(ArithmeticRegistry& registry);

// The Unit behind an arithmetic; null if it is not a unit but a float chain.
inline const Unit* as_unit(const Arithmetic& arithmetic) { return dynamic_cast<const Unit*>(&arithmetic); }

}  // namespace assay
