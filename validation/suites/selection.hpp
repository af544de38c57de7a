// Which cases a run consists of.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "validation/suites/suite.hpp"

namespace assay::suites {

struct Selection {
  std::vector<std::string> suites{};  // names; empty: all
  std::string filter{};               // a glob over whole names (fnmatch); empty: all
  std::string case_name{};            // exactly this case; the other two are not looked at
};

struct SelectedCase {
  std::string name;
  std::function<CaseResult(const RunContext&)> run;
  RunContext context;
  bool one_thread = false;
};

// The cases of `suites` that `selection` names, in the order of the suites. A name given with --case brings its seed
// along (its parameter `seed`) and is looked for at every scale, that of `context` first, so a name printed by any run
// is found. Empty only if the suites have no case at this scale. InputError, with near names, for a suite or case that
// does not exist and for a filter that matches nothing; ContractError if two cases share a name.
std::vector<SelectedCase> select_cases(std::span<const Suite> suites, const Selection& selection,
                                       const RunContext& context);

}  // namespace assay::suites
