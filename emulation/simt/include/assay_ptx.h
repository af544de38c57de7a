// Inline PTX as the rewriter makes calls of it, and addresses of shared memory: __cvta_generic_to_shared and kin.
//
// Not here: constraints "C" and "q", and asm statements whose text is no PTX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "emulation/simt/launch.hpp"
#include "emulation/simt/ptx.hpp"

// Of a kernel's parameter whose address is taken: a tensor map.
#ifndef __grid_constant__
#define __grid_constant__
#endif

namespace assay_simt {

// What "=r", "+f", "n" and kin ask for.
struct PtxConstraint {
  char type = '?';
  bool reads = true, writes = false;
};
constexpr PtxConstraint ptx_constraint(const char* text) {
  PtxConstraint c;
  for (; *text != 0; ++text) {
    if (*text == '=') {
      c.reads = false;
      c.writes = true;
    } else if (*text == '+') {
      c.writes = true;
    } else if (*text != '&' && *text != ' ') {
      c.type = c.type == '?' ? *text == 'i' ? 'n' : *text : '!';
    }
  }
  return c;
}

// An operand by its address, which a register holds: where thousands of asm statements are inlined, each is little more
// than a call.
template <PtxConstraint constraint, class Value>
struct BoundOperand {
  const volatile Value* value;
  const char* name;

  assay::simt::PtxOperand operand() const {
    constexpr char type = constraint.type;
    // Written to only where the constraint says so.
    return {const_cast<void*>(static_cast<const volatile void*>(value)),
            name,
            type,
            constraint.reads,
            constraint.writes,
            static_cast<std::uint8_t>(sizeof(Value)),
            type == 'n' && std::is_signed_v<Value>};
  }
};
template <PtxConstraint constraint, class T>
[[gnu::always_inline]] inline auto ptx_operand(T&& value, const char* name = nullptr) {
  constexpr char type = constraint.type;
  constexpr bool writes = constraint.writes;
  using Value = std::remove_cv_t<std::remove_reference_t<T>>;
  static_assert(type == 'h' || type == 'r' || type == 'l' || type == 'f' || type == 'd' || type == 'n',
                "a constraint of inline PTX is h, r, l, f, d or n");
  constexpr std::size_t bytes = type == 'h' ? 2 : type == 'r' || type == 'f' ? 4 : 8;
  static_assert(type == 'n' || sizeof(Value) == bytes, "the operand's size is not that of its constraint");
  static_assert(std::is_scalar_v<Value>, "an operand of inline PTX is a number or a pointer");
  static_assert((type == 'f' || type == 'd') == std::is_floating_point_v<Value> || type == 'n',
                "f and d are for floating-point operands, h, r and l for others");
  static_assert(!writes || (std::is_lvalue_reference_v<T> && !std::is_const_v<std::remove_reference_t<T>>),
                "an output of inline PTX can be written");
  return BoundOperand<constraint, Value>{&value, name};
}
// Every call has a Text of its own, so the text is taken apart once.
template <class Text, class... Operands>
[[gnu::noinline]] void ptx(Text text, const char* file, int line, Operands... operands) {
  const assay::simt::PtxOperand all[] = {operands.operand()..., {}};
  static const assay::simt::PtxProgram& program =
      assay::simt::ptx_program(text(), file, line, all, sizeof...(operands));
  assay::simt::run_ptx(program, all, sizeof...(operands), __builtin_return_address(0));
}

}  // namespace assay_simt

inline std::size_t __cvta_generic_to_shared(const void* p) { return assay::simt::shared_address(p); }
inline void* __cvta_shared_to_generic(std::size_t address) {
  return assay::simt::shared_pointer(static_cast<std::uint32_t>(address));
}
inline std::size_t __cvta_generic_to_global(const void* p) { return reinterpret_cast<std::size_t>(p); }
inline void* __cvta_global_to_generic(std::size_t address) { return reinterpret_cast<void*>(address); }
inline unsigned __isShared(const void* p) { return assay::simt::is_shared_memory(p, 1) ? 1 : 0; }
inline unsigned __isGlobal(const void* p) { return assay::simt::is_shared_memory(p, 1) ? 0 : 1; }
