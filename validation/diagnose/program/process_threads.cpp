#include "validation/diagnose/program/process_threads.hpp"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

ProcessStat stat_of(int process) {
  // The process may end at any time, and reading then fails, which getline() leaves in the stream's state; an iterator
  // would throw.
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(in, text, '\0');
  return parse_stat(text);
}

// CPU time of a process less that of the threads that it has: what ended threads took. The process is read first, so
// that a thread that runs on makes it less, not more. 0 where the kernel does not tell.
long long nanoseconds_of_ended_threads(int process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  long long left = static_cast<long long>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  std::error_code code;
  const std::filesystem::path threads = "/proc/" + std::to_string(process) + "/task";
  for (std::filesystem::directory_iterator at(threads, code), end; !code && at != end; at.increment(code)) {
    long long on_cpu = -1;
    std::ifstream(at->path() / "schedstat") >> on_cpu;
    if (on_cpu < 0) return 0;
    left -= on_cpu;
  }
  return code ? 0 : left;
}

}  // namespace

void GroupThreads::look() {
  for (const int process : processes_) {
    const ProcessStat stat = stat_of(process);
    if (stat.group == group_) seen_.most = std::max(seen_.most, stat.threads);
  }
}

void GroupThreads::look_through() {
  constexpr long long least = 10'000;  // a thread that does nothing takes as much
  processes_.clear();
  std::error_code code;
  for (std::filesystem::directory_iterator at("/proc", code), end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const int process = std::atoi(name.c_str());
    if (stat_of(process).group == group_) processes_.push_back(process);
  }
  look();
  for (const int process : processes_)
    seen_.ended = seen_.ended || nanoseconds_of_ended_threads(process) >= least;
}

}  // namespace assay::diagnose
