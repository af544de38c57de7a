// Wrong models of VDPBF16PS and TDPBF16PS, and how often the hardware contradicts each: operands that do not expose a
// wrong model prove nothing about the right one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "emulation/units/x86/live_x86.hpp"

namespace assay {

struct X86Mutant {
  std::string_view name, unit, description;
  X86Rules rules;
};
// "even_first" of "vdpbf16ps", ...
std::span<const X86Mutant> x86_mutants();

// The mutant's dot product: bfloat16 operands, float32 addend and result.
std::uint32_t mutant_dot(const X86Mutant& mutant, const CodeVector& a, const CodeVector& b,
                         std::optional<std::uint64_t> c);

struct ClassKills {
  X86Class kind;
  std::uint64_t vectors = 0, kills = 0;
};
struct MutantKills {
  const X86Mutant* mutant = nullptr;
  bool live =
      false;  // killed by this CPU's instruction; else by the definition alone, which is no hardware evidence
  std::vector<ClassKills> classes{};

  std::uint64_t kills() const;
  std::string_view by() const { return live ? "live CPU" : "definition only"; }
};
// `vectors` operands of each class through every mutant, and through the instruction where this CPU has it, else the
// definition. Dot products of TDPBF16PS have 1, 2, 16 and 33 pairs in turn, one tile of one output each but the last,
// which takes three.
std::vector<MutantKills> run_x86_mutants(std::uint64_t seed, std::uint64_t vectors);

}  // namespace assay
