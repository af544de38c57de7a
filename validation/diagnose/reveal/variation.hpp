// What `assay invariance` is to vary, as typed, and a program asked about all of it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/reveal/invariance.hpp"

namespace assay::diagnose {

// "8,33,64" or "1:16" or "1:64:8": numbers of `least` and more, in that order. UsageError; at most 100,000 of them.
std::vector<std::size_t> parse_numbers(std::string_view option, const std::string& typed,
                                       std::size_t least = 1);

// "m=1:256,row,threads=1,2,offset=0,4,16,run=5": a comma before a digit belongs to the numbers. `threads` alone is 1
// and `threads_here`, `offset` alone 0, 4, 8, 16 and 32, `run` alone 3. UsageError that names the option.
Variation parse_variation(std::string_view option, const std::string& typed, int threads_here);

struct ProgramInvariance {
  Invariance found{};
  std::map<int, ThreadsSeen> threads_seen{};  // by what was asked for; empty where one number was
};

// Of a program, started anew where a run is to be a process of its own. Its threads are watched where their number
// varies: a number that did not reach the program proves nothing.
ProgramInvariance program_invariance(const Problem& problem, ProgramOptions program,
                                     const Variation& variation, RevealOptions options, std::size_t trials,
                                     std::size_t most_trees);

}  // namespace assay::diagnose
