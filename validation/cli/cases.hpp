// Shared by `assay gen` and `assay verify`: cases, which the same options make again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/program/generate.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

struct CaseOptions {
  std::string operation, values = "normal", terms = "64", format = "float32", b_format, accumulator, output;
  std::string as = "codes";  // codes, values, binary
  std::uint64_t seed = 1, cases = 1000, m = 8, n = 8;
  bool with_c = false;
};
// Both are defined in cmd_gen.cpp. UsageError for an option that the operation does not look at.
void add_case_options(CLI::App& app, CaseOptions& options);
void refuse_unused(const CaseOptions& options, const CLI::App& app);

// UsageError for a case that takes more memory than is available, with `outputs_kept` bytes for each output of all
// cases. `command` is who says so.
void check_case_memory(std::string_view command, const CaseOptions& options, const diagnose::CaseSpec& spec,
                       std::uint64_t outputs_kept = 0);

// InputError for a bad name or number, UsageError for cases that cannot be made.
diagnose::CaseSpec case_spec(const CaseOptions& options);

}  // namespace assay::cli
