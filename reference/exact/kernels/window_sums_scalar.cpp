#include <array>
#include <cmath>

#include "reference/exact/kernels/window_sums_of.hpp"

namespace assay {
namespace {

// Four lanes in plain C++, which the compiler may pair.
struct F64x4 {
  static constexpr int width = 4;
  std::array<double, 4> v;

  template <class F>
  static F64x4 of(const F& lane) {
    return {{lane(0), lane(1), lane(2), lane(3)}};
  }
  static F64x4 all(double x) { return {{x, x, x, x}}; }
  static F64x4 load(const double* p) {
    return of([&](std::size_t i) { return p[i]; });
  }
  static F64x4 add_product(const F64x4& a, const F64x4& b, const F64x4& part) {
    return of([&](std::size_t i) { return a.v[i] * b.v[i] + part.v[i]; });
  }
  static F64x4 product_less(const F64x4& a, const F64x4& b, const F64x4& taken) {
    return of([&](std::size_t i) { return a.v[i] * b.v[i] - taken.v[i]; });
  }
  void store(double* p) const {
    for (std::size_t i = 0; i < v.size(); ++i) p[i] = v[i];
  }
  F64x4 magnitude() const {
    return of([&](std::size_t i) { return std::fabs(v[i]); });
  }
  F64x4 operator+(const F64x4& b) const {
    return of([&](std::size_t i) { return v[i] + b.v[i]; });
  }
  F64x4 operator-(const F64x4& b) const {
    return of([&](std::size_t i) { return v[i] - b.v[i]; });
  }
};

}  // namespace
}  // namespace assay

void assay::kernels::window_sums_scalar(const WindowTile& tile) noexcept { window_sums_of<F64x4>(tile); }
