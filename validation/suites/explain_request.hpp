// A question to explain(), as a person asks it: arrays and options in, an explanation out. The command and Python are
// its callers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/explain/explained.hpp"
#include "validation/judge/request.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay {

// "gemm", "spmm", "dot", "conv", "convert".
const std::vector<std::string>& explained_operations();

struct ExplainRequest {
  // The operation, its arrays with got, transposes, what a convolution looks at, block scales, the seed of the sample
  // and of the search for separating inputs, the threads, the names of the options that were given, the progress, and
  // who asks. Whatever else a request has is no option of explain.
  judge::Request asked{};
  std::size_t sample = 64;                       // outputs to replay
  std::optional<std::vector<std::size_t>> at{};  // indices of the only output to replay
  std::size_t top = 8;                           // candidates to show
  std::string scale_format = "e8m0";             // of block scales, or "ue4m3"
  std::vector<NamedArithmetic> also{};           // candidates besides those of arithmetics()
};

// Is this the name, as judge::Request::given has it, of an option that some operation looks at?
bool is_explain_option(std::string_view name);

// InputError for an operation that is none of explained_operations(); UsageError for a given option that the operation
// does not look at. No array is looked at, so that a caller may ask before it reads files.
void require_explainable(const judge::Request& asked);

// The same errors, and InputError for arrays that do not go together, for `at` outside the output, and for an operand
// that is missing; UsageError for a candidate in `also` that does not take the operands, knows other places, or shares
// its name with another candidate.
diagnose::Explained explain_arrays(ExplainRequest request);

}  // namespace assay
