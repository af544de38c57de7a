// Parses what `assay invariance` varies, and asks a program about every setting.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/reveal/invariance.hpp"

namespace assay::diagnose {

// "8,33,64" or "1:16" or "1:64:8": numbers, none below `least`, in that order, at most 100,000. UsageError.
std::vector<std::size_t> parse_numbers(std::string_view option, const std::string& typed,
                                       std::size_t least = 1);

// "m=1:256,row,threads=1,2,offset=0,4,16,run=5": a comma before a digit belongs to the numbers. `threads` alone is 1
// and `threads_here`, `offset` alone 0, 4, 8, 16 and 32, `run` alone 3. UsageError that names the option.
Variation parse_variation(std::string_view option, const std::string& typed, int threads_here);

struct ProgramInvariance {
  Invariance found{};
  std::map<int, ThreadsSeen>
      threads_seen{};  // by the requested number; empty if only one number was requested
};

// invariance() of a program, which is restarted for each run that needs a new process. Watches the program's threads if
// their number is varied: a number that did not reach the program proves nothing.
ProgramInvariance program_invariance(const Problem& problem, ProgramOptions program,
                                     const Variation& variation, RevealOptions options, std::size_t trials,
                                     std::size_t most_trees);

}  // namespace assay::diagnose
