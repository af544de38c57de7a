// TDPBF16PS over compressed weights: a stripe of 32 rows is expanded into tiles once, and multiplies all columns.
#include <immintrin.h>

#include "reference/core/tile_config.hpp"
#include "reference/sparse/bf16_spmm.hpp"
#include "reference/sparse/kernels/bf16_spmm_of.hpp"
#include "reference/sparse/kernels/words_avx512.hpp"

namespace assay::sparse {
namespace {

// The tile registers of this core, from construction to destruction. GCC's intrinsics do not say that they read all of
// their operands.
class AmxTiles {
 public:
  AmxTiles() {
    TileConfig config;
    for (int i = 0; i < 8; ++i) {
      config.row_bytes[i] = 64;
      config.rows[i] = 16;
    }
    asm volatile("" : : "r"(&config) : "memory");
    _tile_loadconfig(&config);
  }
  ~AmxTiles() {
    _tile_release();
    asm volatile("" : : : "memory");
  }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  void will_load(const Expanded& a) { asm volatile("" : : "r"(&a) : "memory"); }
  // GCC 12's intrinsics take no number that is a template's argument.
  template <int t>
  void zero() {
    asm volatile("tilezero %%tmm%c0" : : "n"(t));
  }
  template <int t>
  void load(const void* from, std::size_t row_bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(row_bytes), "n"(t));
  }
  template <int sums, int a, int b>
  void add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "n"(sums), "n"(a), "n"(b));
  }
  template <int t>
  void store(void* to, std::size_t row_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(row_bytes), "n"(t) : "memory");
  }
  // A row of 32 codes of which those whose bit is set are packed at `from`.
  static void expand_row(std::uint32_t bits, const unsigned char* from, std::uint16_t* to) {
    _mm512_store_si512(to, _mm512_maskz_expand_epi16(bits, _mm512_loadu_si512(from)));
  }
};

}  // namespace

void kernels::bf16_spmm_tiles_amx_vbmi2(const Bf16TileTask& task) noexcept { add_tiles<AmxTiles>(task); }
Bf16Range kernels::bf16_pack_tiles_amx_vbmi2(const Bf16TilePacking& packing) noexcept {
  return pack_tiles<Words512>(packing);
}

}  // namespace assay::sparse
