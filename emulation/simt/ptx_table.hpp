// Inside of ptx.hpp: the rows of ptx.def, and the special registers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "emulation/simt/ptx_machine.hpp"

namespace assay::simt {

struct PtxRow {
  PtxExecute* execute;
  std::string_view pattern, operands;
};
// In the order of ptx.def: of those whose patterns match, the first whose operands do counts.
std::span<const PtxRow> ptx_rows_in_order();

struct PtxSpecialRegister {
  std::uint8_t number, bits;
};
// By its name without the percent signs.
std::optional<PtxSpecialRegister> ptx_special(std::string_view name);
// Of the calling thread.
std::uint64_t ptx_special_value(std::uint8_t number);

}  // namespace assay::simt
