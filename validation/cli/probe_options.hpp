// Shared by `assay probe` and `assay invariance`: which program to ask, what, and how.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "validation/cli/progress_line.hpp"
#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/reveal/reveal.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

struct ProbeOptions {
  std::string operation, program, form = "binary";
  std::string format = "float32", a_format, b_format, c_format, output;
  std::size_t m = 1, n = 1;
  std::string k = "64";
  bool with_c = false;
  double alpha = 1, beta = 1;
  int threads = 0, offset = 0;
  double seconds = 60;
  std::uint64_t seed = 1, most_runs = 4'000'000;
  std::size_t round = 4096;
  bool json = false;
};
void add_probe_options(CLI::App& app, ProbeOptions& options);

judge::Problem problem_of(const ProbeOptions& options, std::size_t k);
// The line on a terminal that says what is asked for, of anything that takes over two seconds.
class ProbeProgress {
 public:
  explicit ProbeProgress(std::string name) : name_(std::move(name)) {}
  void show(std::string_view stage, std::uint64_t runs);
  void clear() { line_.clear(); }

 private:
  std::string name_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  ProgressLine line_{};
};

// `progress` must outlive what is asked with these.
diagnose::RevealOptions reveal_options(const ProbeOptions& options, ProbeProgress& progress);
diagnose::ProgramOptions program_options(const ProbeOptions& options);

}  // namespace assay::cli
