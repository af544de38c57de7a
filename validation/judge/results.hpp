// The results of an operation, without a judgement: the exact ones, or the bits of an arithmetic.
#pragma once

#include <optional>

#include "validation/judge/answer.hpp"
#include "validation/judge/request.hpp"

namespace assay::judge {

struct Results {
  operations::Shape shape{};  // of sddmm: one value an entry of the mask, row by row
  FormatSpec format = formats::float32;
  Answer answer{};
};

// `request` without got. The exact results, rounded once into `output` (empty: float64 where an operand is, else
// float32), with the bound of its sums. Errors as check() has them.
Results exact_results(Request request, const std::optional<FormatSpec>& output = {});

// The bits that request.arithmetic gives, in `output` (empty: its first format). UsageError without an arithmetic or
// for an operation that does not sum; ContractError for a format that it does not give.
Results predicted_results(Request request, const std::optional<FormatSpec>& output = {});

}  // namespace assay::judge
