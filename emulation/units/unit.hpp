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
  // The steps of dot(a, b, c, output), in the order of evaluation. The last step's result is that of dot(); a
  // conversion to `output`, if there is one, is a separate last step. Errors as dot().
  std::vector<TraceStep> trace(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                               const FormatSpec& output) const;

  // Best first, the definition last. gemm() uses the best one that this CPU supports and ASSAY_ISA allows.
  virtual std::vector<UnitPath> paths() const { return {{"definition"}}; }

  // gemm() by the path of this name. ContractError if the unit has no such path, Unavailable if this CPU lacks its ISA.
  void gemm_by(std::string_view path, const CodeMatrix& a, const CodeMatrix& b,
               const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const;

 protected:
  using Arithmetic::Arithmetic;

  virtual std::vector<TraceStep> trace_checked(const CodeVector& a, const CodeVector& b,
                                               std::optional<std::uint64_t> c,
                                               const FormatSpec& output) const = 0;
  // `path` is a member of paths() that this CPU supports. The default is for a unit that has only a definition.
  virtual void gemm_by_checked(const UnitPath& path, const CodeMatrix& a, const CodeMatrix& b,
                               const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const;
  // The best of paths(), by gemm_by_checked(). `origin` is not needed: no unit draws random bits.
  void gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                    const MutableCodeMatrix& d, OutputOrigin origin) const override;
};

// The families of units.def, each in its own file.
void add_fma_chain_units(ArithmeticRegistry& registry);
void add_fused_sum_units(ArithmeticRegistry& registry);
void add_block_scaled_units(ArithmeticRegistry& registry);
void add_amd_mfma_units(ArithmeticRegistry& registry);
void add_arm_bfdot_units(ArithmeticRegistry& registry);

// Adds all families. Every member added to the registry here is a Unit.
void add_units(ArithmeticRegistry& registry);

// The Unit behind an arithmetic; null for an arithmetic that is not a unit (a float chain).
inline const Unit* as_unit(const Arithmetic& arithmetic) { return dynamic_cast<const Unit*>(&arithmetic); }

}  // namespace assay
