// MXCSR at its default for a scope, for instructions that honour it. MxcsrGuard of reference/core in a form that
// exports and imports no symbol.
#pragma once

#include "reference/formats/kernels/immintrin.hpp"

namespace assay {
namespace {

class DefaultMxcsr {
 public:
  DefaultMxcsr() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~DefaultMxcsr() { _mm_setcsr(saved_); }
  DefaultMxcsr(const DefaultMxcsr&) = delete;
  DefaultMxcsr& operator=(const DefaultMxcsr&) = delete;

 private:
  unsigned saved_;
};

}  // namespace
}  // namespace assay
