// The configuration of AMX's tile registers, for kernels that have them.
#pragma once

#include <cstdint>

namespace assay {

// What LDTILECFG reads: palette 1, for each tile the bytes of a row and the rows.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

}  // namespace assay
