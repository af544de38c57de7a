// `assay run` over the suites of selftest_suite.cpp.
#include "tests/validation/selftest_suite.hpp"
#include "validation/cli/command_line.hpp"
#include "validation/cli/run.hpp"

int main(int argc, char** argv) {
  const assay::cli::Command commands[] = {
      {"run", "Run the suites that test the runner", "assay_selftest run --suite calm",
       [](CLI::App& app) { return assay::cli::make_run_over(app, assay::selftest::all_suites()); }}};
  return assay::cli::run_command_line(commands, argc, argv);
}
