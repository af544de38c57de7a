// Child processes of a command: a compiler, or the program that it made.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::simt {

struct Child {
  std::vector<std::string> words;  // the program first; it is looked for in PATH unless it names a folder
  std::vector<std::pair<std::string, std::string>> environment{};  // added to this process's own
  std::optional<double> seconds{};                                 // after which it is killed
  // Where its output goes, both streams; empty: where this process's own goes.
  std::filesystem::path output{};
  std::filesystem::path standard_output{};  // this stream alone
};

struct Ending {
  int status = 0;  // of exit
  int signal = 0;  // that ended it, or 0
  bool in_time = true;
};

// Runs it to its end. An interrupt from the terminal reaches the child alone, and what asks this process to end is
// handed on, so that the caller can clean up. Unavailable if it cannot be started.
Ending run(const Child& child);

// False when the time is over before the child is.
bool ends_in_time(pid_t pid, double seconds);

// The executable that PATH or one of `more` folders holds; empty if none does.
std::filesystem::path find_program(std::string_view name,
                                   const std::vector<std::filesystem::path>& more = {});

// The whole of a file; empty if it is not there. InputError if it cannot be read.
std::string text_of(const std::filesystem::path& file);

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace assay::simt
