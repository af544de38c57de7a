// The arguments of a kernel of SpMV: plain pointers and sizes, so that a kernel compiled for a wide ISA shares no
// inline code with the rest of the program.
//
// Numerics: the contract of spmm_task.hpp, for one column.
#pragma once

#include <cstdint>

#include "reference/sparse/spmm_task.hpp"

namespace assay::sparse {

// Some rows and all their entries. Groups of as many rows as a register has lanes come first: of each group, `common`
// times one entry of every row, then the `extra` ones of each row. The rows that are left follow, one after another.
struct SpmvTask {
  const float* values = nullptr;
  const void* columns = nullptr;           // of each value: uint16 (`near`) or int32
  const std::uint32_t* common = nullptr;   // of each group
  const std::uint32_t* numbers = nullptr;  // of the rows, in the order of their entries
  const std::uint32_t* extra = nullptr;    // of the same rows
  std::uint32_t groups = 0, rows = 0;
  const float* x = nullptr;
  float* sums = nullptr;    // of row i: sums[i]; 64-byte aligned, and whole registers
  float* y = nullptr;       // of row 0
  SpmmEpilogue epilogue{};  // along one row of outputs
};

using SpmvFn = void(const SpmvTask& task) noexcept;

}  // namespace assay::sparse
