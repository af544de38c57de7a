// TDPBF16PS itself. The caller has asked the operating system for the tile registers.
#include "emulation/units/kernels/scoped_mxcsr.hpp"
#include "emulation/units/x86/live_x86.hpp"
#include "reference/core/tile_config.hpp"

namespace assay {
namespace {

// Tiles 0, 1, 2 are C, A, B.
[[gnu::noinline]] void run(std::size_t rows, std::size_t columns, std::size_t pairs, std::uint32_t* c,
                           const std::uint32_t* a, const std::uint32_t* b) {
  TileConfig config;
  config.rows[0] = config.rows[1] = static_cast<std::uint8_t>(rows);
  config.rows[2] = static_cast<std::uint8_t>(pairs);
  config.row_bytes[0] = config.row_bytes[2] = static_cast<std::uint16_t>(4 * columns);
  config.row_bytes[1] = static_cast<std::uint16_t>(4 * pairs);
  // GCC's intrinsics do not say that they read all of their operands.
  asm volatile("" : : "r"(&config) : "memory");
  _tile_loadconfig(&config);
  _tile_loadd(0, c, 4 * columns);
  _tile_loadd(1, a, 4 * pairs);
  _tile_loadd(2, b, 4 * columns);
  _tile_dpbf16ps(0, 1, 2);
  _tile_stored(0, c, 4 * columns);
  _tile_release();
}

}  // namespace

void kernels::tdpbf16ps_live_amx_bf16(std::size_t rows, std::size_t columns, std::size_t pairs,
                                      std::uint32_t mxcsr, std::uint32_t* c, const std::uint32_t* a,
                                      const std::uint32_t* b) noexcept {
  const ScopedMxcsr control(mxcsr);
  run(rows, columns, pairs, c, a, b);
}

}  // namespace assay
