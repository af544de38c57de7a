// Compares integers as integers. No value, difference, tolerance or range is rounded on the way to the verdict.
//
// Rules
//   bit-equal, correctly-rounded   the integers are equal. bit-equal asks for one type on both sides unless
//                                  Options::convert says that types may differ.
//   tolerance                      |got - want| <= atol + rtol * |want| as real numbers, atol and rtol being the
//                                  float64 values that they are; or |got - want| <= ulps, as an integer's neighbour
//                                  is one away.
//   bound                          |got - want| <= factor * bound as real numbers; every bound is finite.
// Verdicts are those of judge() for floating-point numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "validation/compare/comparator.hpp"
#include "validation/compare/integer_type.hpp"
#include "validation/compare/pairs.hpp"

namespace assay::compare {

// Integers as they lie in memory, row-major.
struct Integers {
  const void* data = nullptr;
  IntegerType type{};
  Shape shape{};

  std::size_t size() const;
  std::uint64_t code(std::size_t i) const;
  Int128 value(std::size_t i) const { return integer_value(code(i), type); }
};

struct ExpectedIntegers {
  Integers values{};
  std::span<const double> bound{};  // PolicyKind::bound only
  std::optional<Integers> stale{};  // what the output's memory held before, of got's type and shape
};

// Of `options`, rounding, overflow, stale and threads mean nothing here. ContractError as judge() of comparator.hpp.
Comparison judge(const Integers& got, const ExpectedIntegers& want, const Options& options);

// Is `distance` <= addend + factor * magnitude, in real numbers? All are 0 or more, and the numbers finite.
bool is_within(Int128 distance, double addend, double factor, Int128 magnitude);
// The least float64 that is no less than x, which is 0 or more.
double rounded_up(Int128 x);

}  // namespace assay::compare
