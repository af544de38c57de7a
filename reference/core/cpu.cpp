#include "reference/core/cpu.hpp"

#include <cpuid.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace assay {
namespace {

struct Registers {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

}  // namespace

std::string cpu_model() {
  std::array<char, 49> brand{};
  if (cpuid(0x80000000).a >= 0x80000004) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      const Registers r = cpuid(0x80000002 + i);
      std::memcpy(brand.data() + 16 * i, &r, 16);
    }
  }
  std::string name(brand.data());
  name.erase(0, name.find_first_not_of(' '));
  name.erase(name.find_last_not_of(' ') + 1);
  const std::uint32_t signature = cpuid(1).a;
  const std::uint32_t base_family = signature >> 8 & 15, base_model = signature >> 4 & 15;
  const std::uint32_t family = base_family == 15 ? base_family + (signature >> 20 & 255) : base_family;
  const std::uint32_t model =
      base_family == 6 || base_family == 15 ? base_model + (signature >> 12 & 0xF0) : base_model;
  return name + " (family " + std::to_string(family) + ", model " + std::to_string(model) + ")";
}

int hardware_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// The number behind `key` in a file of lines "key number", or `otherwise`.
std::uint64_t number_of(const std::filesystem::path& file, std::string_view key, std::uint64_t otherwise) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string found;
    std::uint64_t number = 0;
    if (words >> found >> number && found == key) return number;
  }
  return otherwise;
}

// The one number in a file, or `otherwise` ("max" is none).
std::uint64_t number_in(const std::filesystem::path& file, std::uint64_t otherwise) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  return in >> number ? number : otherwise;
}

// What the control groups of this process, of which a container is one, leave it. Cached file pages count as used there
// and are given up first.
std::uint64_t left_by_control_groups() {
  std::uint64_t left = unlimited;
  std::ifstream in(
      "/proc/self/cgroup");  // lines "number:controllers:path", no controllers in the second version
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
    const std::filesystem::path root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    // Every group above limits it too; inside a container the path may be one of the host's and only the root is there.
    for (std::string group = line.substr(second + 1);; group.erase(group.rfind('/'))) {
      const std::filesystem::path folder = root.string() + group;
      const std::uint64_t most = number_in(folder / (v2 ? "memory.max" : "memory.limit_in_bytes"), unlimited);
      if (most != unlimited) {
        const std::uint64_t used = number_in(folder / (v2 ? "memory.current" : "memory.usage_in_bytes"), 0),
                            cached = number_of(folder / "memory.stat",
                                               v2 ? "inactive_file" : "total_inactive_file", 0),
                            held = used - std::min(used, cached);
        left = std::min(left, most - std::min(most, held));
      }
      if (group.find('/') == std::string::npos) break;
    }
  }
  return left;
}

// What `ulimit -v` leaves.
std::uint64_t left_by_address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  const std::uint64_t taken =
      number_in("/proc/self/statm", 0) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, taken);
}

}  // namespace

std::uint64_t available_memory_bytes() {
  const std::uint64_t kib = number_of("/proc/meminfo", "MemAvailable:", 0);
  const std::uint64_t machine = kib != 0 ? kib * 1024
                                         : static_cast<std::uint64_t>(sysconf(_SC_AVPHYS_PAGES)) *
                                               static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min({machine, left_by_control_groups(), left_by_address_space()});
}

MxcsrGuard::MxcsrGuard(std::uint32_t value) noexcept : saved_(_mm_getcsr()) { _mm_setcsr(value); }
MxcsrGuard::~MxcsrGuard() { _mm_setcsr(saved_); }
std::uint32_t mxcsr() noexcept { return _mm_getcsr(); }

}  // namespace assay
