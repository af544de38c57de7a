// Small random operations of every kind that `assay check` knows: as it takes them, and as sums of rational numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/any_legal_order.hpp"
#include "validation/judge/operands.hpp"

namespace assay::oracle {

struct RandomOperation {
  std::string text;  // everything that went in, as literals
  judge::OutputSpec output;
  Accumulation how;
  std::unique_ptr<const judge::Operation> operation;
  std::vector<Sum> sums;  // one an output, in order
};

// Operation `number` of a seed: operands from normal to near overflow, subnormal, cancelling, infinite and NaN;
// formats, alpha, beta, C, bias, activation, accumulator and roundings at random.
RandomOperation random_operation(std::uint64_t seed, std::uint64_t number);

}  // namespace assay::oracle
