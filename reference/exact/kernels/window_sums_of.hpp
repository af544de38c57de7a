// The body of window_sums_<isa>.cpp, over a type of lanes: see reference/exact/window_sums.hpp.
//
// In an unnamed namespace: a file that includes this has code of its own, compiled for its own ISA, and exports none.
#pragma once

#include "reference/exact/window_sums.hpp"

namespace assay {
namespace {

// Adds a * b to a sum in parts. `Lanes::add_product(a, b, part)` rounds part + a b once, a b being a value of float64;
// `Lanes::product_less(a, b, taken)` is a b - taken, which is a value too.
template <class Lanes, int parts>
inline void add_in_parts(Lanes a, Lanes b, Lanes (&sum)[parts]) {
  Lanes next = Lanes::add_product(a, b, sum[0]);
  Lanes rest = Lanes::product_less(a, b, next - sum[0]);
  sum[0] = next;
  for (int part = 1; part + 1 < parts; ++part) {
    next = sum[part] + rest;
    rest = rest - (next - sum[part]);
    sum[part] = next;
  }
  sum[parts - 1] = sum[parts - 1] + rest;
}

template <class Lanes, int parts, int rows>
inline void add_rows(const double* a, const double* b, double* sums, std::size_t depth,
                     std::size_t row_sums) {
  constexpr std::size_t lanes = Lanes::width;
  Lanes value[rows][parts], magnitude[rows][parts];
  for (int row = 0; row < rows; ++row) {
    const double* at = sums + static_cast<std::size_t>(row) * row_sums;
    for (int part = 0; part < parts; ++part, at += lanes) value[row][part] = Lanes::load(at);
    for (int part = 0; part < parts; ++part, at += lanes) magnitude[row][part] = Lanes::load(at);
  }
  for (std::size_t i = 0; i < depth; ++i) {
    const Lanes y = Lanes::load(b + i * lanes), size = y.magnitude();
    for (int row = 0; row < rows; ++row) {
      const Lanes x = Lanes::all(a[static_cast<std::size_t>(row) * depth + i]);
      add_in_parts(x, y, value[row]);
      add_in_parts(x.magnitude(), size, magnitude[row]);
    }
  }
  for (int row = 0; row < rows; ++row) {
    double* at = sums + static_cast<std::size_t>(row) * row_sums;
    for (int part = 0; part < parts; ++part, at += lanes) value[row][part].store(at);
    for (int part = 0; part < parts; ++part, at += lanes) magnitude[row][part].store(at);
  }
}

template <class Lanes, int parts>
inline void add_tile(const WindowTile& tile) {
  const std::size_t panel_sums = 2 * parts * Lanes::width, row_sums = tile.panels * panel_sums;
  for (std::size_t panel = 0; panel < tile.panels; ++panel) {
    const double* b = tile.b + panel * tile.depth * Lanes::width;
    double* sums = tile.sums + panel * panel_sums;
    std::size_t row = 0;
    for (; row + 2 <= tile.rows; row += 2)
      add_rows<Lanes, parts, 2>(tile.a + row * tile.depth, b, sums + row * row_sums, tile.depth, row_sums);
    if (row < tile.rows)
      add_rows<Lanes, parts, 1>(tile.a + row * tile.depth, b, sums + row * row_sums, tile.depth, row_sums);
  }
}

template <class Lanes>
inline void window_sums_of(const WindowTile& tile) {
  tile.parts == 2 ? add_tile<Lanes, 2>(tile) : add_tile<Lanes, 3>(tile);
}

}  // namespace
}  // namespace assay
