// Programs started as a person starts them: through a shell, with what they print and how they end.
#pragma once

#include <string>

namespace assay::shell {

struct Outcome {
  int exit_code = -1;  // -1 if a signal ended it
  int signal = 0;
  std::string out, err;
};

// `command` by /bin/sh, with stdout and stderr in files. The shell is replaced by the command (`exec` in front of it)
// where its own end is looked at.
Outcome run(const std::string& command);

std::string contents(const std::string& path);

}  // namespace assay::shell
