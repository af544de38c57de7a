// What is known of a CUDA program or kernel that ran on the CPU, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay {

struct SimtLaunch {
  std::string kernel{}, grid{}, block{};  // the first: where it was launched
  std::uint64_t times = 0;
};

// A line of a program.
struct SimtPlace {
  std::string file{};
  std::uint64_t line = 0;
};

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
  std::vector<SimtLaunch> launches{};
  std::vector<std::string> notes{};                    // what of its bits is not known to be a GPU's
  std::optional<std::vector<SimtPlace>> contracted{};  // where a * b + c may be rounded once, if it was asked
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

// What warps did at a line of a program.
struct SimtLine {
  std::string file{};
  std::uint64_t line = 0;
  std::uint64_t blocks = 0;     // basic blocks that warps, or parts of them, went through
  std::uint64_t lanes = 0;      // of those
  std::uint64_t divergent = 0;  // blocks without all lanes of their warp
  std::uint64_t reads = 0, writes = 0, atomics = 0;  // accesses of warps to global memory
  std::uint64_t bytes = 0;                           // asked for
  std::uint64_t sectors = 0, least_sectors = 0;      // of 32 bytes: moved, and filled by what was asked for
  std::uint64_t shared = 0;                          // accesses of warps to shared memory
  std::uint64_t passes = 0, least_passes = 0;        // over its banks
  std::uint64_t barriers = 0;                        // of warps
  std::uint64_t collectives = 0;                     // shuffles, votes and kin, of warps
  std::uint64_t matrix = 0;                          // multiply-adds of warps
  std::uint64_t flops = 0;                           // float operations, of matrices too; an fma is two

  SimtLine& operator+=(const SimtLine& other);
};

// A file of a program, for who shows its lines.
struct SimtSource {
  std::string file{};
  std::vector<std::string> lines{};
};

// What was launched between a push and a pop of NVTX.
struct SimtRange {
  std::string name{};  // from the outermost, " / " between them; empty outside of all
  SimtLine total{};
};

struct SimtProfile {
  SimtRun run{};
  std::vector<SimtLine> lines{};    // by file and line
  std::vector<SimtRange> ranges{};  // by their first launches; what lies outside of all first
  SimtLine total{};
  std::vector<SimtSource> sources{};  // of `lines`, those that could be read
};

}  // namespace assay
