// Private to the judge: a request with its options parsed and its operation made.
#pragma once

#include <memory>
#include <string>

#include "reference/operations/operation.hpp"
#include "validation/judge/operands.hpp"
#include "validation/judge/request.hpp"

namespace assay::judge {

struct Question {
  const operations::OperationKind* kind = nullptr;
  std::unique_ptr<const operations::Operation> operation{};
  operations::OutputSpec output{};
  Accumulation how{};         // where no arithmetic was named
  std::string arguments{};    // what changes the result beside the operands: " bias=float32 alpha=2"
  bool wide_operand = false;  // float64 stands in an operand, and not in the output
  FormatSpec a{}, b{};        // of the operands
  std::string sparse{};       // what messages call the sparse operand
};

// Takes the operands out of the request. UsageError for an option that the operation does not look at or that does not
// go with another one; InputError for arrays that do not go together.
Question make_question(Request& request);

// The scales of blocks of a and b, which are in place, for an arithmetic of this description.
void take_scales(const Request& request, const operations::OperationKind& kind, const ArithmeticInfo& info,
                 Operands& operands);

// Of the options of conv; sizes come from the arrays.
ConvProblem conv_problem(const Request& request);

// InputError if an array that the operation needs is missing or unused options were given.
const operations::OperationKind& kind_of(const Request& request);

// `got` with the shape of the result; one that keeps dimensions of 1 (keepdims) or has [1] for [] is the same.
// InputError, with both shapes, for another one.
void require_shape(io::Array& got, const operations::Shape& wanted);

}  // namespace assay::judge
