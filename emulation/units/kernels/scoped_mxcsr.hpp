// MXCSR at a value for a scope. MxcsrGuard of reference/core in a form that exports and imports no symbol.
#pragma once

#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

// Nearest-even, exceptions masked; with flushing: operands and results.
inline constexpr unsigned mxcsr_keep = 0x1F80, mxcsr_flush = 0x9FC0;

class ScopedMxcsr {
 public:
  explicit ScopedMxcsr(unsigned value) : saved_(_mm_getcsr()) { _mm_setcsr(value); }
  ~ScopedMxcsr() { _mm_setcsr(saved_); }
  ScopedMxcsr(const ScopedMxcsr&) = delete;
  ScopedMxcsr& operator=(const ScopedMxcsr&) = delete;

 private:
  unsigned saved_;
};

}  // namespace
}  // namespace assay
