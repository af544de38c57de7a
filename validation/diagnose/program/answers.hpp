// A program as the one that answers a check's smaller inputs (validation/judge/shrink.hpp).
#pragma once

#include <string_view>

#include "validation/diagnose/program/program.hpp"
#include "validation/judge/shrink.hpp"

namespace assay::diagnose {

// UsageError, naming `option`, for a check of which no program can be asked: others than gemm and dot, and those with
// alpha, beta, bias, an activation, or a C of dot.
void require_askable(const judge::Request& request, std::string_view option);

// `program` must outlive it. What the program does wrong with the first inputs is thrown, a TargetError; with smaller
// ones it is no answer.
judge::Answers answers_of(Program& program);

}  // namespace assay::diagnose
