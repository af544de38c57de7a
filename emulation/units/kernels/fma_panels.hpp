// The product of packed panels, for vectors of any width: what every fma_gemm_<isa>.cpp instantiates.
//
// In an unnamed namespace, as everything that more than one kernel file includes: a copy per ISA, none exported.
//
// A Vector has: floats (lanes), load, store (any address), all (one float in every lane), zero,
// fma(acc, a, b) = a * b + acc in one rounding with the NaN order a, b, acc, multiply_add(acc, a, b) in two roundings,
// add(x, y) with the NaN order x, y.
#pragma once

#include <cstddef>
#include <cstring>

#include "emulation/units/fma_gemm.hpp"

namespace assay {
namespace {

// Compilers unroll loops over registers of their own accord only up to a size.
#ifdef __clang__
#define ASSAY_UNROLL _Pragma("clang loop unroll(full)")
#else
#define ASSAY_UNROLL _Pragma("GCC unroll 64")
#endif

template <class Vector, bool fused>
inline void accumulate(Vector& acc, Vector a, Vector b) {
  if constexpr (fused) {
    Vector::fma(acc, a, b);
  } else {
    Vector::multiply_add(acc, a, b);
  }
}

// acc += A B over `depth` elements of the panels. Inlined whatever a compiler thinks of its size: called, it would keep
// the accumulators in memory (Clang 14: less than half the speed).
template <class Vector, std::size_t rows, std::size_t vectors, bool fused>
[[gnu::always_inline]] inline void chain(Vector (&acc)[rows][vectors], const float* a, const float* b,
                                         std::size_t depth) {
  for (std::size_t k = 0; k < depth; ++k, a += rows, b += vectors * Vector::floats) {
    Vector row[vectors];
    ASSAY_UNROLL
    for (std::size_t v = 0; v < vectors; ++v) row[v] = Vector::load(b + v * Vector::floats);
    ASSAY_UNROLL
    for (std::size_t r = 0; r < rows; ++r) {
      const Vector x = Vector::all(a + r);
      ASSAY_UNROLL
      for (std::size_t v = 0; v < vectors; ++v) accumulate<Vector, fused>(acc[r][v], x, row[v]);
    }
  }
}

// One chain an output, from D on.
template <class Vector, std::size_t rows, std::size_t vectors, bool fused>
inline void one_chain_tile(const float* a, const float* b, std::size_t depth, bool fresh, unsigned char* d,
                           std::ptrdiff_t row_bytes) {
  constexpr std::size_t bytes = Vector::floats * sizeof(float);
  Vector acc[rows][vectors];
  ASSAY_UNROLL
  for (std::size_t r = 0; r < rows; ++r) {
    ASSAY_UNROLL
    for (std::size_t v = 0; v < vectors; ++v) {
      acc[r][v] =
          fresh ? Vector::zero() : Vector::load(d + static_cast<std::ptrdiff_t>(r) * row_bytes + v * bytes);
    }
  }
  chain<Vector, rows, vectors, fused>(acc, a, b, depth);
  ASSAY_UNROLL
  for (std::size_t r = 0; r < rows; ++r) {
    ASSAY_UNROLL
    for (std::size_t v = 0; v < vectors; ++v)
      acc[r][v].store(d + static_cast<std::ptrdiff_t>(r) * row_bytes + v * bytes);
  }
}

// For each block of 32: the chain of odd elements, then that of the even ones, and two additions. The odd sums and D
// wait in memory, for the registers hold the accumulators of one chain; in memory of their own, as rows of D may lie a
// power of two apart and drive each other out of the cache.
template <class Vector, std::size_t rows, std::size_t vectors>
inline void two_chain_tile(const float* a, const float* b, std::size_t depth, bool fresh, unsigned char* d,
                           std::ptrdiff_t row_bytes) {
  constexpr std::size_t block = 32;
  alignas(64) float odd[rows][vectors * Vector::floats], sums[rows][vectors * Vector::floats];
  for (std::size_t r = 0; r < rows; ++r) {
    if (fresh) {
      std::memset(sums[r], 0, sizeof sums[r]);
    } else {
      std::memcpy(sums[r], d + static_cast<std::ptrdiff_t>(r) * row_bytes, sizeof sums[r]);
    }
  }
  for (std::size_t begin = 0; begin < depth; begin += block) {
    const std::size_t half = (depth - begin < block ? depth - begin : block) / 2;
    Vector acc[rows][vectors];
    ASSAY_UNROLL
    for (std::size_t r = 0; r < rows; ++r) {
      ASSAY_UNROLL
      for (std::size_t v = 0; v < vectors; ++v) acc[r][v] = Vector::zero();
    }
    chain<Vector, rows, vectors, true>(acc, a, b, half);
    ASSAY_UNROLL
    for (std::size_t r = 0; r < rows; ++r) {
      ASSAY_UNROLL
      for (std::size_t v = 0; v < vectors; ++v) {
        acc[r][v].store(odd[r] + v * Vector::floats);
        acc[r][v] = Vector::zero();
      }
    }
    a += half * rows;
    b += half * vectors * Vector::floats;
    chain<Vector, rows, vectors, true>(acc, a, b, half);
    a += half * rows;
    b += half * vectors * Vector::floats;
    ASSAY_UNROLL
    for (std::size_t r = 0; r < rows; ++r) {
      ASSAY_UNROLL
      for (std::size_t v = 0; v < vectors; ++v) {
        float* const p = sums[r] + v * Vector::floats;
        const Vector sum = Vector::add(acc[r][v], Vector::load(odd[r] + v * Vector::floats));
        Vector::add(Vector::load(p), sum).store(p);
      }
    }
  }
  for (std::size_t r = 0; r < rows; ++r)
    std::memcpy(d + static_cast<std::ptrdiff_t>(r) * row_bytes, sums[r], sizeof sums[r]);
}

template <class Vector, std::size_t rows, std::size_t vectors>
inline void full_tile(const FmaPanels& p, const float* a, const float* b, unsigned char* d,
                      std::ptrdiff_t row_bytes) {
  if (p.tiles) {
    two_chain_tile<Vector, rows, vectors>(a, b, p.depth, p.fresh, d, row_bytes);
  } else if (p.fused) {
    one_chain_tile<Vector, rows, vectors, true>(a, b, p.depth, p.fresh, d, row_bytes);
  } else {
    one_chain_tile<Vector, rows, vectors, false>(a, b, p.depth, p.fresh, d, row_bytes);
  }
}

// Not inlined: what sets MXCSR around it must not mix with it.
template <class Vector, std::size_t rows, std::size_t vectors>
[[gnu::noinline]] void run_panels(const FmaPanels& p) {
  constexpr std::size_t columns = vectors * Vector::floats;
  for (std::size_t j = 0; j * columns < p.columns; ++j) {
    const std::size_t wide = p.columns - j * columns < columns ? p.columns - j * columns : columns;
    for (std::size_t i = 0; i * rows < p.rows; ++i) {
      const std::size_t high = p.rows - i * rows < rows ? p.rows - i * rows : rows;
      const float* const a = p.a + i * p.a_panel;
      const float* const b = p.b + j * p.b_panel;
      unsigned char* const d =
          p.d + static_cast<std::ptrdiff_t>(i * rows) * p.d_row_bytes + j * columns * sizeof(float);
      // The next tile of D, which no hardware foresees.
      for (std::size_t r = 0; r < rows && (i + 1) * rows + r < p.rows; ++r) {
        const unsigned char* const next = d + static_cast<std::ptrdiff_t>(rows + r) * p.d_row_bytes;
        for (std::size_t line = 0; line < columns * sizeof(float); line += 64)
          __builtin_prefetch(next + line, 1);
      }
      if (high == rows && wide == columns) {
        full_tile<Vector, rows, vectors>(p, a, b, d, p.d_row_bytes);
        continue;
      }
      // At an edge the tile is computed apart, the part outside from zeros.
      alignas(64) unsigned char edge[rows][columns * sizeof(float)] = {};
      for (std::size_t r = 0; r < high; ++r)
        std::memcpy(edge[r], d + static_cast<std::ptrdiff_t>(r) * p.d_row_bytes, wide * sizeof(float));
      full_tile<Vector, rows, vectors>(p, a, b, edge[0], sizeof edge[0]);
      for (std::size_t r = 0; r < high; ++r)
        std::memcpy(d + static_cast<std::ptrdiff_t>(r) * p.d_row_bytes, edge[r], wide * sizeof(float));
    }
  }
}

}  // namespace
}  // namespace assay
