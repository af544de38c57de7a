// Private to inputs.cpp: kinds of inputs that are designed term by term. deep_inputs.cpp has cancelling terms,
// edge_inputs.cpp ties, the top of the range, and patterns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "reference/core/random.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

class TermInputs {
 public:
  virtual ~TermInputs() = default;
  TermInputs(const TermInputs&) = delete;
  TermInputs& operator=(const TermInputs&) = delete;

  // Element i of A (operand 0), B (1) or C (2), before it is rounded to its format `f`.
  virtual double value(const FormatSpec& f, std::size_t i, int operand) const = 0;

 protected:
  // Each input has its `index`, each kind its `stream`. The problem must outlive this object.
  TermInputs(const Problem& p, std::uint64_t seed, std::uint64_t index, std::uint64_t stream)
      : p_(p), random_(seed ^ 0x9E3779B97F4A7C15U * (index + 1), stream) {}

  std::uint64_t draw(std::uint64_t n) { return random_.below(n, next_++); }
  bool one_in(std::uint64_t n) { return draw(n) == 0; }
  double draw_sign() { return one_in(2) ? -1 : 1; }
  template <class T, std::size_t n>
  T draw_of(const T (&list)[n]) {
    return list[draw(n)];
  }
  // All terms, shuffled.
  std::vector<std::size_t> drawn_places() {
    std::vector<std::size_t> places(p_.k);
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
    for (std::size_t i = places.size(); i-- > 1;) std::swap(places[i], places[draw(i + 1)]);
    return places;
  }

  // Random bits of one element, independent of earlier draws.
  std::uint64_t bits(int operand, std::size_t term, std::size_t line) const {
    const CounterRandom elements(random_.u64(std::uint64_t{1} << 40), static_cast<std::uint64_t>(operand));
    return elements.u64((static_cast<std::uint64_t>(term) << 24) + line);
  }
  double normal(int operand, std::size_t i) const {
    return CounterRandom(random_.u64(std::uint64_t{1} << 41), static_cast<std::uint64_t>(operand)).normal(i);
  }
  // The exponent of A's factor of a term that has exponent e: half of it, or as near as the formats allow.
  int first_exponent(int e) const {
    if (!p_.has_b()) return e;
    return std::clamp(std::clamp(e / 2, e - p_.b.emax(), e - p_.b.emin), p_.a.emin, p_.a.emax());
  }
  // Exponents of the smallest and largest term whose factors are normal numbers.
  int lowest() const { return p_.has_b() ? p_.a.emin + p_.b.emin : p_.a.emin; }
  int highest() const { return p_.has_b() ? p_.a.emax() + p_.b.emax() : p_.a.emax(); }

  const Problem& p_;
  CounterRandom random_;
  std::uint64_t next_ = 0;
};

std::unique_ptr<const TermInputs> deep_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index);
std::unique_ptr<const TermInputs> tie_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index);
std::unique_ptr<const TermInputs> top_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index);
std::unique_ptr<const TermInputs> patterned_inputs(const Problem& p, std::uint64_t seed, std::uint64_t index);

}  // namespace assay::diagnose
