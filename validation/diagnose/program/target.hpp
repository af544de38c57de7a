// A target answers a problem (judge/problem.hpp): a function that computes its cases. It may be a child process
// (program.hpp), a callable of another language, or plain C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/code_view.hpp"
#include "validation/judge/own_scaling.hpp"
#include "validation/judge/problem.hpp"

namespace assay::diagnose {

// From the judge, because saved arithmetics contain them.
using judge::check_problem;
using judge::operation_name;
using judge::parse_operation;
using judge::Problem;
using judge::scale_of;
using judge::scale_text;
using judge::SumOperands;
using judge::SumOperation;
using judge::to_string;
using judge::with_even_scales;

// One input: codes of the problem's formats as in memory, row-major.
struct Case {
  std::vector<std::byte> a, b, c;
};

// The codes of all outputs of a case, row-major. A target returns one answer for each case.
using Answer = std::vector<std::uint64_t>;
using Target = std::function<std::vector<Answer>(const Problem& problem, std::span<const Case> cases)>;

// A fault of the code under test: it hung, died, printed too little or too much, or changed its answer.
class TargetError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An arithmetic as a target: output i of a case is its element i. The arithmetic must outlive the target. ContractError
// for alpha, beta and mean.
Target target_of(const Arithmetic& arithmetic);

}  // namespace assay::diagnose
