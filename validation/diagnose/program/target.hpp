// Who answers a problem (judge/problem.hpp): a function that computes its cases. A child process (program.hpp), a
// callable of another language and plain C++ are all the same here.
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

// The judge's, as saved arithmetics hold them.
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

// One input: codes of the problem's formats as they lie in memory, row-major.
struct Case {
  std::vector<std::byte> a, b, c;
};

// For each case the codes of all outputs, row-major.
using Answer = std::vector<std::uint64_t>;
using Target = std::function<std::vector<Answer>(const Problem& problem, std::span<const Case> cases)>;

// The code under test did what it must not: it hung, died, said too little or too much, or changed its
// answer.
class TargetError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An arithmetic as a target: output i of a case is its element i. The arithmetic outlives it. It knows no alpha,
// beta and mean: ContractError.
Target target_of(const Arithmetic& arithmetic);

}  // namespace assay::diagnose
