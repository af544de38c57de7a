// The function whose gradient AutoSparse's dw and ds are, at a base point (w0, s0) off the kinks:
//
//     w~ = sign(w) phi(|w| - g(s)) - sign(w0) (phi(x0) - relu(x0)),   phi(x) = x for x > 0, alpha x otherwise,
//
// whose last term is held constant. For any Real, by the C library's exponential function.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "reference/core/random.hpp"

namespace assay::suites::ladder {

template <class Real>
Real sigmoid_of(Real s) {
  return 1 / (1 + std::exp(-s));
}
template <class Real>
Real sign_of_weight(Real w) {
  return w > 0 ? Real{1} : w < 0 ? Real{-1} : Real{0};
}

template <class Real>
Real surrogate_weight(Real w, Real s, double base_w, double base_s, double alpha) {
  const auto phi = [&](Real x) { return x > 0 ? x : static_cast<Real>(alpha) * x; };
  const Real w0 = static_cast<Real>(base_w), x0 = std::fabs(w0) - sigmoid_of(static_cast<Real>(base_s));
  return sign_of_weight(w) * phi(std::fabs(w) - sigmoid_of(s)) -
         sign_of_weight(w0) * (phi(x0) - std::max(x0, Real{0}));
}

// Whether w = 0 or |w| = g(s) lies between two points.
template <class Real>
bool crosses_kink(Real w, Real s, Real other_w, Real other_s) {
  return (w > 0) != (other_w > 0) ||
         (std::fabs(w) > sigmoid_of(s)) != (std::fabs(other_w) > sigmoid_of(other_s));
}

// A normal number that is further from 0 and from the threshold than any step; `i` goes on to the next.
inline double off_kinks(double threshold, const CounterRandom& random, std::uint64_t& i) {
  for (;;) {
    const double w = 0.4 * random.normal(i++);
    if (std::fabs(std::fabs(w) - threshold) > 1e-3 && std::fabs(w) > 1e-3) return w;
  }
}

}  // namespace assay::suites::ladder
