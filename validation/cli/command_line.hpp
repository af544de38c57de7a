// From argv to an exit code: the only place where options are parsed, exceptions become messages, and the process ends.
#pragma once

#include <span>

#include "validation/cli/command.hpp"

namespace assay::cli {

// Runs the command that argv names. Messages of errors go to stderr. A pipe that closes ends the process by SIGPIPE,
// without a message, as other tools do; Interrupted by its signal.
int run_command_line(std::span<const Command> commands, int argc, char** argv);

// Thrown by a command that a signal has stopped, after it has put its things in order.
struct Interrupted {
  int signal;
};

}  // namespace assay::cli
