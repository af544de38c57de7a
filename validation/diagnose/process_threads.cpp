#include "validation/diagnose/process_threads.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace assay::diagnose {
namespace {

struct ProcessStat {
  int group = 0;
  std::size_t threads = 0;
};

// proc(5): "PID (NAME) STATE PPID GROUP ...", the threads are the 20th; NAME may hold anything.
ProcessStat parse_stat(const std::string& text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream in(text.substr(name_end + 1));
  ProcessStat stat;
  std::string skipped;
  in >> skipped >> skipped >> stat.group;
  for (int field = 6; field < 20; ++field) in >> skipped;
  in >> stat.threads;
  return in ? stat : ProcessStat{};
}

}  // namespace

std::size_t most_threads_in_group(int group) {
  std::size_t most = 0;
  std::error_code code;
  for (std::filesystem::directory_iterator at("/proc", code), end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream in(at->path() / "stat");  // of a process that may have ended meanwhile
    const ProcessStat stat = parse_stat(std::string(std::istreambuf_iterator<char>(in), {}));
    if (stat.group == group) most = std::max(most, stat.threads);
  }
  return most;
}

}  // namespace assay::diagnose
