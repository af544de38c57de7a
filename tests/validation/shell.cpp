#include "tests/validation/shell.hpp"

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace assay::shell {
namespace fs = std::filesystem;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Outcome run(const std::string& command) {
  std::string folder = (fs::temp_directory_path() / "assay-shell-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no place for " + folder);
  // The braces keep the redirections off what the command itself redirects.
  const std::string line = "{ " + command + "\n} >" + folder + "/out 2>" + folder + "/err </dev/null";
  const int status = std::system(line.c_str());  // NOLINT: the shell is what is wanted
  Outcome outcome;
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.out = contents(folder + "/out");
  outcome.err = contents(folder + "/err");
  fs::remove_all(folder);
  return outcome;
}

}  // namespace assay::shell
