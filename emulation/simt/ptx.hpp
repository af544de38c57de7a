// Inline PTX: the text of an asm statement, taken apart once, and run for the thread that comes to it.
//
// ptx.def lists the instructions. The machine is that of the manual (PTX ISA 9.0): registers of the statement, its
// operands, predicates, labels and branches, special registers.
//
// Numerics
//   integers   as the manual says.
//   float      add, sub, mul, fma, div, rcp, sqrt, conversions: the exact value rounded once, in four directions. NaN
//              results of f32, f16 and bf16 are the canonical ones (0x7FFFFFFF, 0x7FFF); of f64 the host's. With .ftz
//              results are flushed that are tiny after rounding.
//   .approx    ex2, lg2, sin, cos, tanh, rcp, rsqrt, sqrt, div: computed in double and rounded to nearest: within the
//              error that the manual allows a GPU, and not its bits. ptx_notes() says which of them have run.
//   matrices   matrix.hpp.
//
// The carry of add.cc and kin stays from one statement to the next while the thread does not wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace assay::simt {

// An operand of an asm statement.
struct PtxOperand {
  void* value = nullptr;       // read before, written after, as the constraint says
  const char* name = nullptr;  // %[name]; null for none
  char type = 'r';             // h r l f d, or n for a constant; ? where it is not known
  bool reads = true, writes = false;
  std::uint8_t bytes = 4;  // of the value
  bool is_signed = false;  // a constant's type
};

class PtxProgram;
struct PtxProgramDelete {
  void operator()(PtxProgram* program) const;
};
using PtxProgramPointer = std::unique_ptr<PtxProgram, PtxProgramDelete>;

// Why a text is not understood, and where.
struct PtxError {
  std::size_t offset = 0;
  std::string expected, found;
};

// Null with `error` filled for what is not understood. Values of operands are not read, their types only.
PtxProgramPointer parse_ptx(std::string_view text, const PtxOperand* operands, std::size_t count,
                            PtxError& error);
// For the calling thread of a block. What goes wrong ends the block with a message. `site`: the place of the asm
// statement in the program, for who looks on.
void run_ptx(const PtxProgram& program, const PtxOperand* operands, std::size_t count,
             const void* site = nullptr);

// For a call site, which keeps what it gets for ever. A text that is not understood gives a program that ends the block
// with file, line and what was expected and found.
const PtxProgram& ptx_program(const char* text, const char* file, int line, const PtxOperand* operands,
                              std::size_t count);

// Whether these bytes are shared memory of the block that runs on this OS thread: static or dynamic.
bool is_shared_memory(const void* p, std::size_t bytes);

// What a report must say of the instructions that have run: a line each, in the order of first use.
std::vector<std::string> ptx_notes();
void clear_ptx_notes();

// The table, for tests and lists: patterns of opcodes, and of each its operands.
struct PtxForm {
  std::string_view pattern, operands;
};
std::vector<PtxForm> ptx_forms();
// Opcodes of a pattern, with every alternative of every group in one of them.
std::vector<std::string> ptx_opcodes(std::string_view pattern);
bool is_ptx_opcode(std::string_view pattern, std::string_view opcode);

}  // namespace assay::simt
