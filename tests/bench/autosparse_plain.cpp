#include "tests/bench/autosparse_plain.hpp"

#include <cmath>

void assay::bench::plain_forward(const float* w, float* v, std::size_t n, float threshold) {
  for (std::size_t i = 0; i < n; ++i) {
    const float x = std::fabs(w[i]) - threshold;
    v[i] = x > 0 ? std::copysign(x, w[i]) : 0.0F;
  }
}

double assay::bench::plain_backward(const float* w, const float* g, float* dw, std::size_t n, float threshold,
                                    float alpha, float lambda) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float h = std::fabs(w[i]) > threshold ? g[i] : alpha * g[i];
    dw[i] = h + lambda * w[i];
    sum += static_cast<double>(w[i] > 0 ? h : -h);
  }
  return sum;
}
