// An input that tells two arithmetics apart, as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/distinction.hpp"
#include "reference/exact/trace.hpp"

namespace assay {

// One of the two arithmetics.
struct DistinguishedSide {
  std::string name{};                    // as it was typed
  const ArithmeticInfo* info = nullptr;  // never null
  std::vector<TraceStep> trace{};        // how it came to its answer; empty where it does not say
};

// The input as a table and how each side came to its answer; or that none was found.
std::string distinction_text(const Distinction& d, const DistinguishedSide& x, const DistinguishedSide& y);
// One object on one line, without the line feed.
std::string distinction_json(const Distinction& d, const DistinguishedSide& x, const DistinguishedSide& y);

// "K = 2, 3 of 5 operands not zero: 0x3f800000 or 0x3f800001", or "no difference found in 20000 inputs".
std::string distinction_summary(const Distinction& d);

// Of one that was found: "K = 2: [0] 0x1p+0 * 0x1.8p-3 + c 0x1p-24 gives 0x1p+0 or 0x1.000002p+0".
std::string separating_text(const Distinction& d);

}  // namespace assay
