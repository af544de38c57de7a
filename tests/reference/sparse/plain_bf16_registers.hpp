// The registers of the kernels of bf16_spmm.hpp in plain C++, and the instructions on them by their Arithmetic: so the
// logic of these kernels runs on a CPU that has none of them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "reference/exact/arithmetic.hpp"
#include "reference/formats/formats.hpp"

namespace assay::tests {

struct PlainWords {
  static constexpr std::uint32_t width = 32;
  std::array<std::uint16_t, width> v{};

  template <class F>
  static PlainWords each(const F& f) {
    PlainWords out;
    for (std::uint32_t i = 0; i < width; ++i) out.v[i] = static_cast<std::uint16_t>(f(i));
    return out;
  }
  static PlainWords all(std::uint16_t x) {
    return each([&](std::uint32_t) { return x; });
  }
  static PlainWords load(const std::uint16_t* p) {
    return each([&](std::uint32_t i) { return p[i]; });
  }
  static PlainWords load_first(const std::uint16_t* p, std::uint32_t n) {
    return each([&](std::uint32_t i) { return i < n ? p[i] : 0; });
  }
  void store(std::uint16_t* p) const { std::copy(v.begin(), v.end(), p); }
  friend PlainWords operator&(const PlainWords& a, const PlainWords& b) {
    return each([&](std::uint32_t i) { return a.v[i] & b.v[i]; });
  }
  friend PlainWords operator-(const PlainWords& a, const PlainWords& b) {
    return each([&](std::uint32_t i) { return a.v[i] - b.v[i]; });
  }
  static PlainWords smaller(const PlainWords& a, const PlainWords& b) {
    return each([&](std::uint32_t i) { return std::min(a.v[i], b.v[i]); });
  }
  static PlainWords larger(const PlainWords& a, const PlainWords& b) {
    return each([&](std::uint32_t i) { return std::max(a.v[i], b.v[i]); });
  }
  struct Interleave {
    PlainWords low(const PlainWords& a, const PlainWords& b) const {
      return each([&](std::uint32_t i) { return (i % 2 == 0 ? a : b).v[i / 2]; });
    }
    PlainWords high(const PlainWords& a, const PlainWords& b) const {
      return each([&](std::uint32_t i) { return (i % 2 == 0 ? a : b).v[width / 2 + i / 2]; });
    }
  };
};

// `instruction` gives the Arithmetic of VDPBF16PS, or of TDPBF16PS.
template <auto instruction>
struct PlainPairSums {
  std::array<float, 16> v{};

  static PlainPairSums zero() { return {}; }
  static std::array<std::uint16_t, 2> pair(std::uint32_t codes) {
    return {static_cast<std::uint16_t>(codes), static_cast<std::uint16_t>(codes >> 16)};
  }
  void add(const std::array<std::uint16_t, 2>& values, const PlainWords& x) {
    // One row of two times two rows of 16, which stand side by side.
    instruction().gemm(
        {values.data(), 1, 2, 2, 1, formats::bfloat16}, {x.v.data(), 2, 16, 1, 2, formats::bfloat16},
        CodeMatrix{v.data(), 1, 16, 16, 1, formats::float32}, {v.data(), 1, 16, 16, 1, formats::float32});
  }
  void store(float* p) const { std::copy(v.begin(), v.end(), p); }
};

template <auto instruction>
class PlainTiles {
 public:
  template <class T>
  void will_load(const T&) {}
  template <int t>
  void zero() {
    tile_[t] = {};
  }
  template <int t>
  void load(const void* from, std::size_t row_bytes) {
    for (std::size_t row = 0; row < 16; ++row)
      std::memcpy(tile_[t].data() + 64 * row, static_cast<const unsigned char*>(from) + row * row_bytes, 64);
  }
  template <int t>
  void store(void* to, std::size_t row_bytes) {
    for (std::size_t row = 0; row < 16; ++row)
      std::memcpy(static_cast<unsigned char*>(to) + row * row_bytes, tile_[t].data() + 64 * row, 64);
  }
  template <int sums, int a, int b>
  void add() {
    // Row p of b has rows 2p and 2p + 1 of the matrix, their columns in turn.
    std::array<std::uint16_t, 512> paired, rows;
    std::memcpy(paired.data(), tile_[b].data(), 1024);
    for (std::size_t k = 0; k < 32; ++k) {
      for (std::size_t j = 0; j < 16; ++j) rows[k * 16 + j] = paired[k / 2 * 32 + 2 * j + k % 2];
    }
    instruction().gemm({tile_[a].data(), 16, 32, 32, 1, formats::bfloat16},
                       {rows.data(), 32, 16, 16, 1, formats::bfloat16},
                       CodeMatrix{tile_[sums].data(), 16, 16, 16, 1, formats::float32},
                       {tile_[sums].data(), 16, 16, 16, 1, formats::float32});
  }
  static void expand_row(std::uint32_t bits, const unsigned char* from, std::uint16_t* to) {
    for (std::uint32_t i = 0; i < 32; ++i) {
      to[i] = 0;
      if ((bits >> i & 1) == 0) continue;
      std::memcpy(to + i, from, 2);
      from += 2;
    }
  }

 private:
  struct alignas(64) Tile : std::array<unsigned char, 1024> {};
  std::array<Tile, 8> tile_{};
};

}  // namespace assay::tests
