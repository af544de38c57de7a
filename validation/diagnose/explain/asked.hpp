// A result and the question that it answers as explain() takes it: the terms of some outputs, in every order in which a
// kernel may read them.
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

// Which outputs of a result of this shape: flat indices, ascending.
using Sample = std::function<std::vector<std::size_t>(const operations::Shape& shape)>;

// `request` is a gemm or dot, whose C starts the sums, an spmm or a conv, with got and nothing after the sum. Views: of
// spmm the stored entries and the same with the zeros filled in; of conv the channels outermost and innermost.
// `scales`: what those of blocks are, where the request has any. InputError for shapes that do not go together, for no
// terms, and for 2^17 and more of them.
Asked asked_of(judge::Request request, const std::optional<ScaleUse>& scales, const Sample& sample);

}  // namespace assay::diagnose
