// Turns a request into the input of explain(): the terms of a sample of outputs, in every order in which a kernel may
// read them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "validation/diagnose/explain/explain.hpp"
#include "validation/judge/request.hpp"

namespace assay::diagnose {

struct Asked {
  ExplainInput input{};
  operations::Shape shape{};  // of the result
  std::string parameters{};   // "m=64 n=33 k=1024 a=bfloat16 b=bfloat16"
};

// Chooses outputs of a result of this shape: flat indices, ascending.
using Sample = std::function<std::vector<std::size_t>(const operations::Shape& shape)>;

// `request` is a gemm or dot (C starts the sums), an spmm or a conv, with got and with nothing after the sum. An spmm
// has two views: the stored entries, and all entries with the zeros filled in. A conv has two: channels outermost and
// channels innermost. `scales` describes the block scales of the request, if it has any. InputError for shapes that do
// not match, for sums of no terms, and for sums of 2^17 or more terms. Takes the operands out of `request`.
Asked asked_of(judge::Request& request, const std::optional<ScaleUse>& scales, const Sample& sample);

}  // namespace assay::diagnose
