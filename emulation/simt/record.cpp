#include "emulation/simt/record.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

#include "emulation/simt/matrix.hpp"
#include "emulation/simt/ptx.hpp"

namespace assay::simt {
namespace {

class LaunchRecord {
 public:
  explicit LaunchRecord(const char* file) : file_(file) {}

  void add(const std::string& where, const dim3& grid, const dim3& block) {
    const std::scoped_lock lock(mutex_);
    ++launches_[{where, extent_text(grid), extent_text(block)}];
  }

  void write() {
    const std::scoped_lock lock(mutex_);
    std::FILE* const out = std::fopen(file_, "w");
    if (out == nullptr) {
      std::fprintf(stderr, "simt: %s cannot be written\n", file_);
      return;
    }
    for (const auto& [launch, times] : launches_) {
      const auto& [where, grid, block] = launch;
      std::fprintf(out, "launch %llu %s %s %s\n", times, grid.c_str(), block.c_str(), where.c_str());
    }
    for (const auto& notes : {matrix_notes(), ptx_notes()}) {
      for (const std::string& note : notes) std::fprintf(out, "note %s\n", note.c_str());
    }
    std::fclose(out);
  }

 private:
  static std::string extent_text(const dim3& d) {
    return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
  }

  const char* file_;
  std::mutex mutex_{};
  std::map<std::tuple<std::string, std::string, std::string>, unsigned long long> launches_{};
};

// Null where nobody asked. It lives to the end of the process.
LaunchRecord* launch_record() {
  static LaunchRecord* const record = [] {
    const char* const file = std::getenv("ASSAY_SIMT_RECORD");
    if (file == nullptr) return static_cast<LaunchRecord*>(nullptr);
    std::atexit([] { launch_record()->write(); });
    return new LaunchRecord(file);
  }();
  return record;
}

}  // namespace

void record_launch(const std::string& where, const dim3& grid, const dim3& block) {
  if (LaunchRecord* const record = launch_record(); record != nullptr) record->add(where, grid, block);
}

}  // namespace assay::simt
