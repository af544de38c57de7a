// Shared by `assay gen` and `assay verify`: the options of cases, which both make alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "validation/diagnose/program/generate.hpp"
#include "validation/suites/case_request.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

struct CaseOptions {
  CaseRequest asked;
  std::string as = "codes";  // codes, values, binary
};
void add_case_options(CLI::App& app, CaseOptions& options);
// UsageError for an option that the operation does not look at.
void refuse_unused(const CaseOptions& options, const CLI::App& app);

// UsageError for a case that takes more memory than is available, with `outputs_kept` bytes for each output of all
// cases. `command` is who says so.
void check_case_memory(std::string_view command, const CaseRequest& asked, const diagnose::CaseSpec& spec,
                       std::uint64_t outputs_kept = 0);

}  // namespace assay::cli
