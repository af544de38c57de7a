#include "validation/report/result.hpp"

#include <array>
#include <string>

#include "reference/core/error.hpp"

namespace assay {
namespace {

constexpr auto statuses = std::to_array<std::pair<Status, std::string_view>>({{Status::passed, "PASSED"},
                                                                              {Status::failed, "FAILED"},
                                                                              {Status::vacuous, "VACUOUS"},
                                                                              {Status::skipped, "SKIPPED"},
                                                                              {Status::error, "ERROR"}});
constexpr auto faults = std::to_array<std::pair<Fault, std::string_view>>(
    {{Fault::ours, "ours"}, {Fault::code_under_test, "code_under_test"}, {Fault::input, "input"}});

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "?";
}

template <class Table>
auto parse_in(const Table& table, std::string_view kind, std::string_view wanted) {
  for (const auto& [entry, name] : table) {
    if (name == wanted) return entry;
  }
  throw InputError("", "", std::string(kind), quoted(wanted));
}

}  // namespace

std::string_view status_name(Status status) { return name_in(statuses, status); }
Status parse_status(std::string_view name) { return parse_in(statuses, "a status", name); }
std::string_view fault_name(Fault fault) { return name_in(faults, fault); }
Fault parse_fault(std::string_view name) { return parse_in(faults, "whose fault an error is", name); }

std::string mutant_text(const TriedMutant& m) {
  const std::string by = !m.by_definition ? m.by
                         : m.by.empty()   ? "definition only"
                                          : "definition only, " + m.by;
  const std::string vectors = std::to_string(m.vectors);
  return m.kills == 0 ? "LIVES  " + m.name + ": " + vectors + " vectors"
                      : "killed " + m.name + " by " + by + ": " + std::to_string(m.kills) + " of " + vectors;
}

std::vector<std::string> detail_lines(const CaseResult& result) {
  std::vector<std::string> lines = result.details;
  for (const TriedMutant& mutant : result.mutants) lines.push_back(mutant_text(mutant));
  return lines;
}

CaseResult judged(CaseResult result) {
  if (result.status != Status::passed) return result;
  if (result.mismatches > 0) {
    result.status = Status::failed;
    if (result.reason.empty()) result.reason = "the case counted mismatches";
  } else if (result.checked == 0) {
    result.status = Status::vacuous;
    if (result.reason.empty()) result.reason = "nothing was compared";
  }
  return result;
}

CaseResult result_of(compare::Comparison comparison) {
  CaseResult result;
  switch (comparison.verdict) {
    case compare::Verdict::agree: result.status = Status::passed; break;
    case compare::Verdict::disagree: result.status = Status::failed; break;
    case compare::Verdict::vacuous: result.status = Status::vacuous; break;
  }
  result.reason = comparison.reason;
  result.checked = comparison.values;
  result.mismatches = comparison.outside;
  result.not_judged = comparison.not_judged;
  result.comparison = std::make_shared<const compare::Comparison>(std::move(comparison));
  return result;
}

Counts count(std::span<const CaseRecord> records) {
  Counts counts;
  for (const CaseRecord& record : records) {
    const CaseResult& result = record.result;
    counts.checked += result.checked;
    counts.mismatches += result.mismatches;
    counts.not_judged += result.not_judged;
    if (result.status == Status::passed && result.not_judged > 0) ++counts.partly;
    switch (result.status) {
      case Status::passed: ++counts.passed; break;
      case Status::failed: ++counts.failed; break;
      case Status::vacuous: ++counts.vacuous; break;
      case Status::skipped: ++counts.skipped; break;
      case Status::error:
        switch (result.fault) {
          case Fault::ours: ++counts.errors_ours; break;
          case Fault::code_under_test: ++counts.errors_under_test; break;
          case Fault::input: ++counts.errors_input; break;
        }
        break;
    }
  }
  return counts;
}

}  // namespace assay
