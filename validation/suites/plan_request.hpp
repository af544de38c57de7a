// A sparse product to be planned, as a person asks for it. `assay plan` and Python's plan_spmm() are the callers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "validation/io/array.hpp"
#include "validation/judge/option.hpp"
#include "validation/report/plan_results.hpp"

namespace assay {

struct PlanRequest {
  io::SparseArray a{};          // of any element type; passes check()
  std::uint64_t columns = 256;  // n
  std::string kernel{};         // a name of spmm_kernels(); empty: the plan's choice
  bool measure = false;         // time planning and one product
  std::uint64_t seed = 1;       // of X
  judge::Caller caller = judge::Caller::command;

  std::string option(std::string_view name) const { return judge::option_name(caller, name); }
};

// InputError for a number of columns or a kernel that there is not, Unavailable for a kernel that cannot run here. The
// matrix is not looked at, so that a caller may ask before it reads a file.
void require_plannable(const PlanRequest& request);

// What plan_spmm() takes beside the matrix itself. Nothing: 2^64 bytes and more.
struct PlanMemory {
  std::string why{};
  std::optional<std::uint64_t> needed{};
};
PlanMemory plan_memory(const PlanRequest& request);

// The same errors as require_plannable(); InputError for integers that float64 does not hold.
PlannedSpmm plan_spmm(PlanRequest request);

}  // namespace assay
