// Operands of a unit's dot product by class, as arrays.
#pragma once

#include <cstdint>

#include "emulation/units/discriminating.hpp"
#include "tests/reference/exact/operands.hpp"

namespace assay::test {

struct StepOperands {
  CodeArray a, b;
  std::uint64_t c = 0;  // a float32 code
};

inline StepOperands make_step_operands(InputClass kind, std::size_t n, const FormatSpec& fa,
                                       const FormatSpec& fb, std::uint64_t seed) {
  const DotInput made = discriminating_input(kind, n, fa, fb, formats::float32, seed);
  StepOperands x{CodeArray(n, fa), CodeArray(n, fb), made.c.value_or(0)};
  for (std::size_t i = 0; i < n; ++i) {
    x.a.set(i, made.a[i]);
    x.b.set(i, made.b[i]);
  }
  return x;
}

}  // namespace assay::test
