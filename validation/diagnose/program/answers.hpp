// A program that answers the smaller inputs of a check (validation/judge/shrink.hpp).
#pragma once

#include <string_view>

#include "validation/diagnose/program/program.hpp"
#include "validation/judge/shrink.hpp"

namespace assay::diagnose {

// UsageError, naming `option`, for a check that no program can be asked about: operations other than gemm and dot, and
// checks with alpha, beta, bias, an activation, or a C of dot.
void require_askable(const judge::Request& request, std::string_view option);

// `program` must outlive the result. A fault of the program is a TargetError on the first inputs; on smaller inputs it
// counts as no answer.
judge::Answers answers_of(Program& program);

}  // namespace assay::diagnose
