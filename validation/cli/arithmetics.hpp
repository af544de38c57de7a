// The arithmetics that a person can name: float chains and whatever machines this program knows.
#pragma once

#include "reference/exact/arithmetic.hpp"

namespace assay::cli {

// Built at the first call.
const ArithmeticRegistry& arithmetics();

}  // namespace assay::cli
