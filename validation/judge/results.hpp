// The results of an operation, without a judgement: the exact ones, or the bits of an arithmetic.
#pragma once

#include <optional>
#include <string_view>

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

// The same bits for a contract of the sparse kernels, request.arithmetic, by those kernels and at their speed: of spmm
// and sddmm chain_f32_fused in float32, of spmm in bfloat16 vdpbf16ps and tdpbf16ps too, the latter over all of K, as
// bf16_spmm.hpp says; NaNs are 0x7FC00000. UsageError for another contract, another format, or an output other than
// float32.
Results kernel_results(Request request, const std::optional<FormatSpec>& output = {});
// UsageError for a name that no kernels have.
void require_kernel_contract(std::string_view name, Caller caller);

}  // namespace assay::judge
