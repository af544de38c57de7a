// Cases for a program under test, as a person asks for them, and the verdict on its answers. The callers are
// `assay gen`, `assay verify` and Python's gen() and verify().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/diagnose/program/generate.hpp"
#include "validation/judge/request.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay {

struct CaseRequest {
  // As typed. Empty: the format of a, float32 or float64 as the operands, the format of the sums.
  std::string operation{}, values = "normal", terms = "64", format = "float32", b_format{}, accumulator{},
                           output{};
  std::uint64_t seed = 1, cases = 1000, m = 8, n = 8;
  bool with_c = false;
  judge::Caller caller = judge::Caller::command;

  std::string option(std::string_view name) const { return judge::option_name(caller, name); }
};

// InputError for a bad name or number, UsageError for cases that cannot be made.
diagnose::CaseSpec case_spec(const CaseRequest& request);

// Answers to all cases of the request: spec.m spec.n a case of gemm, else one. UsageError for 2^64 and more.
std::size_t answers_wanted(const CaseRequest& request, const diagnose::CaseSpec& spec);

// What cases of this size take: `of_operand` bytes for each number of `cases_kept` cases, `of_output` for each output
// of all cases. Nothing: 2^64 bytes and more.
struct CaseMemory {
  std::string options{}, why{};
  std::optional<std::uint64_t> needed{};
};
CaseMemory case_memory(const CaseRequest& request, const diagnose::CaseSpec& spec, std::uint64_t of_operand,
                       std::uint64_t of_output, std::uint64_t cases_kept);

// `spec` is case_spec(request); `answers` are codes of spec.output, as many as answers_wanted(). With an arithmetic its
// bits are expected; without, the exact result where no order rounds, else one within the bound of any order.
// UsageError for an arithmetic that does not give spec.output of the operands.
judge::Judgement verify_answers(const CaseRequest& request, const diagnose::CaseSpec& spec,
                                const std::vector<std::uint64_t>& answers, const NamedArithmetic& unit,
                                int threads);

}  // namespace assay
