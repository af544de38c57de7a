// What holds for every unit whose dot product is a chain of steps, checked on data; each function counts violations.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "emulation/units/unit.hpp"
#include "tests/emulation/units/step_operands.hpp"

namespace assay::test {

struct Tally {
  std::size_t tried = 0, wrong = 0;
  std::string worst{};

  void count(bool good, const std::string& where) {
    ++tried;
    if (good) return;
    if (++wrong == 1) worst = where;
  }
};

inline std::string place(const Unit& unit, InputClass kind, std::size_t n, std::uint64_t seed) {
  return unit.info().name + " " + std::string(input_class_name(kind)) + " n=" + std::to_string(n) +
         " seed=" + std::to_string(seed);
}

inline std::vector<std::size_t> step_sizes(std::size_t terms) {
  return {1, terms > 1 ? terms - 1 : 1, terms, terms + 1, 2 * terms, 3 * terms + 1};
}

// visit(kind, n, operands, c, seed) over all classes and sizes; every third case has no c. A visit that returns false
// is the last.
template <class Visit>
void each_case(const FormatSpec& fa, const FormatSpec& fb, std::size_t terms, std::uint64_t seeds,
               const Visit& visit) {
  for (const InputClass kind : all_input_classes) {
    for (const std::size_t n : step_sizes(terms)) {
      // What tells the floors of a tail apart is rare.
      const std::uint64_t most = kind == InputClass::tail ? 8 * seeds : seeds;
      for (std::uint64_t seed = 1; seed <= most; ++seed) {
        const StepOperands x = make_step_operands(kind, n, fa, fb, 1000 * n + seed);
        const std::optional<std::uint64_t> c = seed % 3 == 0 ? std::nullopt : std::optional(x.c);
        if constexpr (std::is_same_v<decltype(visit(kind, n, x, c, seed)), bool>) {
          if (!visit(kind, n, x, c, seed)) return;
        } else {
          visit(kind, n, x, c, seed);
        }
      }
    }
  }
}

// |dot - exact| in units of the bound: at most 1. 0 where there is no bound.
inline double error_share(const ExactDot& truth, std::uint64_t result, double bound) {
  if (std::isinf(bound)) return 0;
  ExactSum difference = truth.value;
  difference.negate();
  difference.add(result, formats::float32);
  const double error = difference.magnitude_up();
  return error == 0 ? 0 : error / bound;
}

// The trace ends with dot()'s bits, and what enters each of its sums adds up to the sum it names.
inline bool trace_is_sound(const std::vector<TraceStep>& steps, std::uint64_t result) {
  if (steps.empty() || steps.back().result != result || steps.back().format != formats::float32) return false;
  for (const TraceStep& step : steps) {
    ExactSum sum;
    for (const TraceTerm& term : step.terms) sum.add(term.entered);
    const ExactValue<Wide> entered = sum.result();
    if (entered.kind != step.sum.kind) return false;
    if (step.sum.kind != Kind::finite || step.sum.sticky) continue;
    ExactSum difference = sum;
    ExactValue<Wide> minus = step.sum;
    minus.negative = !minus.negative;
    difference.add(minus);
    if (!difference.result().is_zero()) return false;
  }
  return true;
}

}  // namespace assay::test
