#include "reference/core/cpu.hpp"

#include <cpuid.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "reference/core/error.hpp"

namespace assay {
namespace {

constexpr auto isas =
    std::to_array<Isa>({Isa::scalar, Isa::f16c, Isa::avx2, Isa::avx512, Isa::avx512bf16, Isa::amx_bf16});

struct Registers {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

constexpr bool bit(std::uint32_t word, int position) { return (word >> position & 1) != 0; }

// Read with CPUID itself: a compiler of 2022 knows neither the names nor all features of a CPU of 2024.
struct Features {
  bool f16c = false, avx2 = false, avx512 = false, avx512bf16 = false, amx = false;
  bool os_ymm = false, os_zmm = false, os_tiles = false;
};

std::uint64_t enabled_state() {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

Features read_features() {
  Features f;
  const Registers one = cpuid(1), seven = cpuid(7), seven_one = cpuid(7, 1);
  if (!bit(one.c, 27)) return f;  // no OSXSAVE
  const std::uint64_t state = enabled_state();
  f.os_ymm = (state & 0x6) == 0x6;
  f.os_zmm = (state & 0xE6) == 0xE6;
  f.os_tiles = (state & 0x60000) == 0x60000;
  const bool fma = bit(one.c, 12), bmi = bit(seven.b, 3), bmi2 = bit(seven.b, 8);
  f.f16c = bit(one.c, 28) && bit(one.c, 29);
  f.avx2 = bit(seven.b, 5) && fma && f.f16c && bmi && bmi2;
  f.avx512 = f.avx2 && bit(seven.b, 16) && bit(seven.b, 17) && bit(seven.b, 30) && bit(seven.b, 31);
  f.avx512bf16 = f.avx512 && bit(seven_one.a, 5);
  f.amx = bit(seven.d, 22) && bit(seven.d, 24);
  return f;
}

const Features& features() {
  static const Features f = read_features();
  return f;
}

// Linux lends the tile registers to a process that asks. ARCH_REQ_XCOMP_PERM = 0x1023, feature 18 = tile data.
bool tiles_granted() {
  static const bool granted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
  return granted;
}

int width(Isa isa) {
  switch (isa) {
    case Isa::scalar: return 0;
    case Isa::f16c: return 1;
    case Isa::avx2: return 2;
    case Isa::avx512: return 3;
    case Isa::avx512bf16: return 4;
    case Isa::amx_bf16: return 5;
  }
  return 0;
}

}  // namespace

std::span<const Isa> all_isas() { return isas; }

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::f16c: return "f16c";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512bf16: return "avx512bf16";
    case Isa::amx_bf16: return "amx_bf16";
  }
  return "?";
}

std::string why_unavailable(Isa isa) {
  const Features& f = features();
  const auto because = [](bool cpu, bool os, const char* what) -> std::string {
    if (!cpu) return std::string("this CPU has no ") + what;
    if (!os) return std::string("the operating system does not enable ") + what;
    return {};
  };
  switch (isa) {
    case Isa::scalar: return {};
    case Isa::f16c: return because(f.f16c, f.os_ymm, "F16C");
    case Isa::avx2: return because(f.avx2, f.os_ymm, "AVX2 with FMA and BMI2");
    case Isa::avx512: return because(f.avx512, f.os_zmm, "AVX-512 (F, BW, DQ, VL)");
    case Isa::avx512bf16: return because(f.avx512bf16, f.os_zmm, "AVX512_BF16");
    case Isa::amx_bf16: return because(f.amx, f.os_tiles && f.amx && tiles_granted(), "AMX-BF16");
  }
  return "unknown ISA";
}

bool isa_within(Isa isa, Isa widest) { return width(isa) <= width(widest); }

Isa parse_isa(std::string_view name, std::string_view where) {
  std::string known;
  for (const Isa isa : isas) {
    if (name == isa_name(isa)) return isa;
    known += (known.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  throw InputError(std::string(where), "", "one of " + known, quoted(name));
}

bool isa_allowed(Isa isa) {
  static const char* const forced = std::getenv("ASSAY_ISA");
  if (forced == nullptr || *forced == '\0') return true;
  static const Isa widest = parse_isa(forced, "ASSAY_ISA");
  return isa_within(isa, widest);
}

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
