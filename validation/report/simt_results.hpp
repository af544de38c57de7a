// What is known of a CUDA program or kernel that ran on the CPU, as data.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace assay {

// How a program was built and ran.
struct SimtRun {
  std::vector<std::string> files{}, arguments{};
  std::string architecture{}, schedule{};
  bool fused = false, flushed = false;
  int threads = 0;  // 0: all of the CPU
  double build_seconds = 0, run_seconds = 0;
  int status = 0, signal = 0;
  bool in_time = true;
  std::string output{};  // its stdout
};

// An array of a kernel that was checked, and where its bits first differed between schedules.
struct SimtArray {
  std::string type{};
  std::uint64_t elements = 0;
  bool written = false;  // by the kernel
};

struct SimtScheduleRun {
  std::string schedule{};
  double seconds = 0;
  std::string failure{};                   // why it did not end well, or empty
  std::vector<std::uint64_t> checksums{};  // of each array
};

struct SimtDifference {
  std::size_t argument = 0;
  std::uint64_t element = 0, elements_that_differ = 0;
  std::string first_schedule{}, other_schedule{};
  std::string first{}, other{};  // the values
};

struct SimtCheck {
  std::string file{}, kernel{}, architecture{};
  std::vector<std::string> arguments{};  // as they were given or chosen, with the types of the parameters
  std::vector<SimtArray> arrays{};       // of each parameter; scalars have no elements
  std::uint32_t grid[3] = {1, 1, 1}, block[3] = {1, 1, 1};
  std::uint64_t shared_bytes = 0;
  double build_seconds = 0;
  std::vector<SimtScheduleRun> runs{};
  std::vector<SimtDifference> differences{};  // the first of each array and schedule

  bool agrees() const {
    for (const SimtScheduleRun& run : runs) {
      if (!run.failure.empty()) return false;
    }
    return differences.empty();
  }
};

}  // namespace assay
