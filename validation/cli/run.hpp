// `assay run` over any list of suites.
#pragma once

#include <functional>
#include <vector>

#include "validation/suites/suite.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

// Adds the options of `assay run` to the parser; the result runs the cases of `suites` and returns the exit code.
std::function<int()> make_run_over(CLI::App& app, std::vector<suites::Suite> suites);

}  // namespace assay::cli
