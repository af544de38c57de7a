// The command `assay`.
#include "validation/cli/command_line.hpp"

int main(int argc, char** argv) {
  return assay::cli::run_command_line(assay::cli::all_commands(), argc, argv);
}
