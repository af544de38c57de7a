// Smaller inputs near an input, for the search of distinguish.hpp, which says what smaller means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "emulation/units/discriminating.hpp"
#include "reference/formats/exact_value.hpp"
#include "reference/formats/format_spec.hpp"

namespace assay {

// An operand in parts: an odd significand (0 for a zero) and the exponent of its first place.
struct NumberParts {
  Kind kind = Kind::finite;
  bool negative = false;
  std::uint64_t significand = 0;
  int exponent = 0;

  int bits() const { return bit_width(significand); }
};

NumberParts parts_of(std::uint64_t code, const FormatSpec& f);

using VisitInput = std::function<bool(const DotInput&)>;

// Reductions are made at sites, one group of them at a time, so that a long input need not be tried from its start
// again after each that works: 0 for whole stretches, 1 for c, 2 for everything at once, then the terms, then pairs of
// operands.
std::size_t reduction_sites(const DotInput& input);

// Hands the smaller inputs of one site to visit() until that says true; whether it did. `removable`: terms may be left
// out; else they become zero, as for an arithmetic that is known for one length.
bool visit_reductions(const DotInput& input, std::size_t site, const VisitInput& visit, bool removable);

}  // namespace assay
