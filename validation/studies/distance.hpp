// Distances of results from a reference, counted one after the other, so that threads change nothing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "reference/formats/formats.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

// The distance of neighbours of a format at the magnitude of x.
inline double ulp_at(double x, const FormatSpec& f) {
  const int e = x == 0 ? f.emin : std::clamp(std::ilogb(x), f.emin, f.emax());
  return std::ldexp(1.0, e - f.precision + 1);
}

class DistanceCounter {
 public:
  void add(double reference, double error) {
    ++count_;
    const double bf16 = std::fabs(error) / ulp_at(reference, formats::bfloat16),
                 f32 = std::fabs(error) / ulp_at(reference, formats::float32);
    d_.mean_bf16_ulp += bf16;
    d_.mean_f32_ulp += f32;
    d_.max_bf16_ulp = std::max(d_.max_bf16_ulp, bf16);
    d_.max_f32_ulp = std::max(d_.max_f32_ulp, f32);
    error_squares_ += error * error;
    squares_ += reference * reference;
  }
  Distance distance() const {
    Distance d = d_;
    if (count_ == 0) return d;
    d.mean_bf16_ulp /= static_cast<double>(count_);
    d.mean_f32_ulp /= static_cast<double>(count_);
    if (squares_ > 0) d.relative = std::sqrt(error_squares_ / squares_);
    return d;
  }

 private:
  Distance d_{};
  std::uint64_t count_ = 0;
  double error_squares_ = 0, squares_ = 0;
};

}  // namespace assay::studies
