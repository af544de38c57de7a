// A suite as a person runs it, on a CPU with and without wide instructions.
#pragma once

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/validation/shell.hpp"

namespace assay::shell {

// The records of `assay run --quick --json` with these arguments, the summary last; its exit code must be 0.
inline std::vector<nlohmann::json> run_records(const std::string& isa, const std::string& arguments) {
  const Outcome outcome = run("ASSAY_ISA=" + isa + " '" ASSAY_PROGRAM "' run --quick --json " + arguments);
  BOOST_TEST(outcome.exit_code == 0, outcome.err);
  std::istringstream lines(outcome.out);
  std::vector<nlohmann::json> records;
  for (std::string line; std::getline(lines, line);) records.push_back(nlohmann::json::parse(line));
  return records;
}

}  // namespace assay::shell
