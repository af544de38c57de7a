// 16 floats without intrinsics, for kernels of AutoSparse's gradient path: the logic of a register on every machine.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace assay::autosparse {
namespace {

struct PlainLanes {
  static constexpr std::uint32_t width = 16;
  struct Mask {
    bool set[width];
  };
  float v[width];

  template <class F>
  static PlainLanes each(const F& f) {
    PlainLanes out;
    for (std::uint32_t i = 0; i < width; ++i) out.v[i] = f(i);
    return out;
  }
  static PlainLanes all(float x) {
    return each([&](std::uint32_t) { return x; });
  }
  static PlainLanes load(const float* p) {
    return each([&](std::uint32_t i) { return p[i]; });
  }
  void store(float* p) const {
    for (std::uint32_t i = 0; i < width; ++i) p[i] = v[i];
  }
  void stream(float* p) const { store(p); }
  static void store_mask(Mask mask, std::uint8_t* p) {
    for (std::uint32_t i = 0; i < width; ++i) p[i] = mask.set[i] ? 1 : 0;
  }
  // Rounded to nearest even. No lane is NaN.
  template <bool stream>
  void store_bf16(std::uint16_t* p) const {
    for (std::uint32_t i = 0; i < width; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(v[i]);
      p[i] = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
  }
  friend PlainLanes operator*(PlainLanes a, PlainLanes b) {
    return each([&](std::uint32_t i) { return a.v[i] * b.v[i]; });
  }
  static PlainLanes fma(PlainLanes a, PlainLanes b, PlainLanes c) {
    return each([&](std::uint32_t i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  Mask magnitude_above(PlainLanes threshold) const {
    Mask mask;
    for (std::uint32_t i = 0; i < width; ++i) mask.set[i] = std::fabs(v[i]) > threshold.v[i];
    return mask;
  }
  // Magnitudes less the threshold with their signs where the mask is set, +0 elsewhere.
  PlainLanes shrunk(PlainLanes threshold, Mask kept) const {
    return each([&](std::uint32_t i) {
      return kept.set[i] ? std::copysign(std::fabs(v[i]) - threshold.v[i], v[i]) : 0.0F;
    });
  }
  PlainLanes where(Mask mask, PlainLanes elsewhere) const {
    return each([&](std::uint32_t i) { return mask.set[i] ? v[i] : elsewhere.v[i]; });
  }
  // Times the sign of w; +0 where w is 0 or NaN.
  PlainLanes with_sign_by(PlainLanes w) const {
    return each([&](std::uint32_t i) { return w.v[i] > 0 ? v[i] : w.v[i] < 0 ? -v[i] : 0.0F; });
  }
  PlainLanes with_one_nan() const {
    return each([&](std::uint32_t i) { return std::isnan(v[i]) ? std::bit_cast<float>(0x7FC00000) : v[i]; });
  }

  // 16 sums of exact products of two floats.
  struct Sums {
    double v[width] = {};
    void add(PlainLanes a, PlainLanes b) {
      for (std::uint32_t i = 0; i < width; ++i)
        v[i] += static_cast<double>(a.v[i]) * static_cast<double>(b.v[i]);
    }
    void store(double* p) const {
      for (std::uint32_t i = 0; i < width; ++i) p[i] = v[i];
    }
  };
};

}  // namespace
}  // namespace assay::autosparse
