// The registers of a kernel in plain C++, of any width: the scalar kernels, and in the tests the logic of the wide ones
// on a CPU that has no such registers.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace assay::sparse {
namespace {

template <std::uint32_t lanes>
struct PlainLanes {
  static constexpr std::uint32_t width = lanes;
  float v[lanes];

  template <class F>
  static PlainLanes each(const F& f) {
    PlainLanes out;
    for (std::uint32_t i = 0; i < lanes; ++i) out.v[i] = f(i);
    return out;
  }
  static PlainLanes all(float x) {
    return each([&](std::uint32_t) { return x; });
  }
  static PlainLanes load(const float* p) {
    return each([&](std::uint32_t i) { return p[i]; });
  }
  static PlainLanes load_any(const float* p) { return load(p); }
  static PlainLanes load_first(const float* p, std::uint32_t n) {
    return each([&](std::uint32_t i) { return i < n ? p[i] : 0.0F; });
  }
  void store(float* p) const { store_first(p, lanes); }
  void store_any(float* p) const { store_first(p, lanes); }
  void store_first(float* p, std::uint32_t n) const {
    for (std::uint32_t i = 0; i < n; ++i) p[i] = v[i];
  }
  static PlainLanes fma(const PlainLanes& a, const PlainLanes& b, const PlainLanes& c) {
    return each([&](std::uint32_t i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  friend PlainLanes operator*(const PlainLanes& a, const PlainLanes& b) {
    return each([&](std::uint32_t i) { return a.v[i] * b.v[i]; });
  }
  friend PlainLanes operator+(const PlainLanes& a, const PlainLanes& b) {
    return each([&](std::uint32_t i) { return a.v[i] + b.v[i]; });
  }
  PlainLanes positive_or_nan() const {
    return each([&](std::uint32_t i) { return v[i] <= 0 ? 0.0F : v[i]; });
  }
  PlainLanes positive() const {
    return each([&](std::uint32_t i) { return v[i] > 0 ? v[i] : 0.0F; });
  }
  PlainLanes clipped(float low, float high) const {
    return each([&](std::uint32_t i) { return v[i] < low ? low : v[i] > high ? high : v[i]; });
  }
  PlainLanes with_one_nan() const {
    return each([&](std::uint32_t i) { return std::isnan(v[i]) ? std::bit_cast<float>(0x7FC00000) : v[i]; });
  }
  // Elements index[0], index[1], ... of x.
  template <class Index>
  static PlainLanes gather(const float* x, const Index* index) {
    return each([&](std::uint32_t i) { return x[index[i]]; });
  }
  static float fma(float a, float b, float c) { return std::fma(a, b, c); }
  // Lane i of tile[j] is rows[i][from + j].
  static void read_tile(const float* const* rows, std::int64_t from, PlainLanes (&tile)[lanes]) {
    for (std::uint32_t j = 0; j < lanes; ++j)
      tile[j] = each([&](std::uint32_t i) { return rows[i][from + j]; });
  }
};

}  // namespace
}  // namespace assay::sparse
