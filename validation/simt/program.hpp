// CUDA programs, built by the host's C++ compiler for the CPU, and run there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/report/simt_results.hpp"
#include "validation/simt/process.hpp"

namespace assay::simt {

// A folder of this process's own below the system's temporary one, removed with all that it holds.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What programs are compiled against: headers, and the archive of the runtime.
struct Runtime {
  std::filesystem::path include, archive, profile_archive;
};
// The runtime that belongs to this executable or Python module. Unavailable, with where it was looked for.
Runtime installed_runtime();

// CXX where it is set, else the first of c++, g++ and clang++ in PATH. Unavailable where there is none.
std::string host_compiler();

struct BuildOptions {
  std::vector<std::string> include_folders{};
  std::vector<std::string> defines{};           // NAME or NAME=VALUE
  std::vector<std::string> compiler_options{};  // as they are
  std::string architecture = "sm_90";           // of the imitated GPU
  std::string machine{};                        // -march of this CPU; empty: x86-64-v2
  bool fuse = false;     // a * b + c in one rounding, where the host's compiler finds it
  bool library = false;  // a shared library and no program
  bool profile = false;  // with call-outs, and what counts them
};

// 900 of "sm_90". InputError for what is no architecture.
int architecture_number(std::string_view name);

// Compiles and links. .cu files are CUDA, others what the compiler takes them for. InputError for a file that cannot be
// read or holds what the dialect lacks; CompileError, with what the compiler said, in the user's own lines.
struct CompileError : UsageError {
  using UsageError::UsageError;
};
void build(const std::vector<std::string>& files, const std::filesystem::path& out,
           const BuildOptions& options);

struct RunOptions {
  std::string architecture = "sm_90";
  std::string schedule{};  // forward, reverse, random:SEED; empty: forward
  int threads = 0;         // of the CPU; 0: all
  bool flush = false;      // subnormal numbers of kernels are zero
  std::optional<double> seconds{};
  std::filesystem::path standard_output{};  // empty: this process's own
  std::vector<std::pair<std::string, std::string>> environment{};
};
// InputError for a schedule that is none.
void require_schedule(const std::string& schedule);

// What the program wrote of itself at its end: launches, and notes on its bits.
struct ProgramRecord {
  std::vector<SimtLaunch> launches{};
  std::vector<std::string> notes{};
};
ProgramRecord parse_program_record(const std::string& text);

Ending run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   const RunOptions& options);

struct RunRequest {
  std::vector<std::string> files{}, arguments{};
  BuildOptions build{};
  RunOptions how{};                // its architecture is that of `build`
  bool keeps_output = false;       // what the program prints goes into the result, and nowhere else
  bool finds_contraction = false;  // two more builds, which say where it matters
};
// Builds a program in a folder of the caller's and runs it. Programs look for their data beside themselves, by their
// own name: it is that of the first file.
SimtRun build_and_run(const RunRequest& request, const std::filesystem::path& folder);
std::filesystem::path program_in(const std::filesystem::path& folder, const std::vector<std::string>& files);

}  // namespace assay::simt
