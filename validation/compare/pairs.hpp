// Two arrays under a policy, one pair of elements at a time: the input for places, hints and weaknesses, whatever the
// element type.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/formats/format_spec.hpp"
#include "validation/compare/comparison.hpp"

namespace assay::compare {

class Pairs {
 public:
  virtual ~Pairs() = default;

  virtual std::size_t size() const = 0;
  virtual MatrixView view() const = 0;
  // Bits of element i, want's brought into the type of got.
  virtual std::uint64_t got_code(std::size_t i) const = 0;
  virtual std::uint64_t want_code(std::size_t i) const = 0;
  // Would this code of got's type be accepted in the place of element i?
  virtual bool accepts(std::uint64_t code, std::size_t i) const = 0;

  // The format of the codes; null for integers.
  virtual const FormatSpec* floating() const = 0;

  // Element i as numbers. Not to be asked for unless both are finite.
  struct Numbers {
    double got = 0, want = 0;
    double difference = 0;  // got - want, rounded once
    double bound = 0;       // what the policy proves, 0 if nothing
  };
  virtual bool are_finite(std::size_t i) const = 0;
  virtual Numbers numbers(std::size_t i) const = 0;

 protected:
  Pairs() = default;
  Pairs(const Pairs&) = default;
  Pairs& operator=(const Pairs&) = default;
};

}  // namespace assay::compare
