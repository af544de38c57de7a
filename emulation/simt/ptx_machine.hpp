// Inside of ptx.hpp: what the parser makes of a text, and what its instructions work on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulation/simt/ptx.hpp"
#include "reference/formats/format_spec.hpp"
#include "reference/formats/rounding.hpp"

namespace assay::simt {

enum class PtxType : std::uint8_t {
#define PTX_TYPE(name, bits, kind) name,
#include "emulation/simt/ptx_types.def"
#undef PTX_TYPE
  none
};
enum class PtxKind : std::uint8_t { bits, is_signed, is_unsigned, floating, packed, predicate };

int ptx_bits(PtxType type);
PtxKind ptx_kind(PtxType type);
// Of floating types, and of the elements of packed ones.
const FormatSpec& ptx_format(PtxType type);
// By its name without the dot; none.
PtxType ptx_type_named(std::string_view name);

enum class PtxOperandKind : std::uint8_t { slot, constant, special, vector, address, label, sink };

struct PtxArgument {
  PtxOperandKind kind = PtxOperandKind::constant;
  bool negated = false;                // of a predicate
  bool minus = false;                  // of a register
  char literal = 'i';                  // of a constant: i, f (bits of float32), d (bits of float64)
  std::uint16_t slot = 0;              // of a slot, or of an address unless `absolute`
  bool absolute = false;               // an address without a register
  bool parameter = false;              // an operand of the statement
  std::uint8_t bits = 0;               // of the slot; 0: not known, 1: predicate
  char type = '?';                     // of the slot: i, f, p, ?
  std::uint16_t second = 0;            // p|q: the slot of q, plus one; 0: none
  std::uint16_t first = 0, count = 0;  // of a vector, or the coordinates of an address, in `parts`
  char part = 0;                       // what is taken of the slot: b bytes, h halves, 0 the whole
  std::uint8_t picked = 0;             // how many of them, and which: element 0 in the lowest four bits
  std::uint32_t picks = 0;
  std::int64_t value = 0;  // constant, offset, special register, label
};

enum class PtxCompare : std::uint8_t {
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  lo,
  ls,
  hi,
  hs,
  equ,
  neu,
  ltu,
  leu,
  gtu,
  geu,
  num,
  nan
};

struct PtxContext;
struct PtxInstruction;
using PtxExecute = void(const PtxInstruction&, PtxContext&);

enum PtxFlag : std::uint32_t {
  ptx_ftz = 1,
  ptx_sat = 2,
  ptx_satfinite = 4,
  ptx_relu = 8,
  ptx_cc = 16,
  ptx_nan = 32,
  ptx_xorsign = 64,
  ptx_trans = 128,
  ptx_approx = 256,
  ptx_integer = 512,  // rni and kin
  ptx_volatile = 1024,
  ptx_noinc = 2048,
  ptx_rna = 4096
};

struct PtxInstruction {
  PtxExecute* execute = nullptr;
  PtxType t = PtxType::none, u = PtxType::none, v = PtxType::none, w = PtxType::none;  // types in order
  Rounding rounding = Rounding::nearest_even;
  std::uint32_t flags = 0;
  PtxCompare compare = PtxCompare::eq;
  std::uint8_t vector = 1;  // .v2 .v4, .x1 .x2 .x4
  char space = 'g';         // g generic or global, s shared
  std::int32_t guard = -1;  // a slot
  bool guard_negated = false;
  std::uint16_t m = 0, n = 0, k = 0;  // of matrices
  std::vector<PtxArgument> arguments{};
  std::vector<PtxArgument> parts{};
  std::vector<std::string> words{};  // of the opcode
  std::size_t offset = 0;            // in the text

  bool has(PtxFlag flag) const { return (flags & flag) != 0; }
  bool says(std::string_view word) const {
    for (const std::string& w_ : words) {
      if (w_ == word) return true;
    }
    return false;
  }
};

class PtxProgram {
 public:
  std::vector<PtxInstruction> instructions{};
  std::size_t parameters = 0, slots = 0;
  std::string error{};  // that ends a block
};

struct PtxContext {
  std::uint64_t* slots;
  std::size_t next = 0;

  std::uint64_t get(const PtxArgument& a) const {
    if (a.kind == PtxOperandKind::slot) return slots[a.slot];
    if (a.kind == PtxOperandKind::constant) return static_cast<std::uint64_t>(a.value);
    return get_rarely(a);
  }
  bool predicate(const PtxArgument& a) const { return ((get(a) & 1) != 0) != a.negated; }
  void set(const PtxArgument& a, std::uint64_t value) {
    if (a.kind == PtxOperandKind::slot) slots[a.slot] = value;
  }
  void set_second(const PtxArgument& a, bool value) {
    if (a.second != 0) slots[a.second - 1] = value ? 1 : 0;
  }
  std::uint64_t get_rarely(const PtxArgument& a) const;
};

[[noreturn]] void ptx_fail(std::string reason);
// `line` once in ptx_notes().
void ptx_note(const char* line);
// A host pointer from an address operand; the space is the instruction's. Fails the block where `bytes` from there do
// not lie in shared memory, or are not aligned.
void* ptx_pointer(const PtxInstruction& i, const PtxContext& c, const PtxArgument& a, std::size_t bytes,
                  std::size_t alignment);
void* ptx_shared(std::uint64_t address, std::size_t bytes, std::size_t alignment);

// The instructions, by their names in ptx.def.
namespace ptx_rows {
#define PTX(function, pattern, operands) PtxExecute function;
#include "emulation/simt/ptx.def"
#undef PTX
}  // namespace ptx_rows

}  // namespace assay::simt
