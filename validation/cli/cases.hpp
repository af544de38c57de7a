// Shared by `assay gen` and `assay verify`: the options of cases, which both make alike.
#pragma once

#include <string>

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

}  // namespace assay::cli
