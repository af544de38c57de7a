#include "reference/core/dispatch.hpp"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "reference/core/error.hpp"

namespace assay {
namespace {

struct NamedIsa {
  std::string_view name, text;
  Isa isa;
};
constexpr auto named_isas = std::to_array<NamedIsa>({
#define FAMILY(name, text, flag, leaf, subleaf, reg, bit, state)
#define ISA(name, text, ...) {#name, text, Isa::name},
#include "reference/core/isa.def"
#undef ISA
#undef FAMILY
});
constexpr auto isas = [] {
  std::array<Isa, named_isas.size()> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = named_isas[i].isa;
  return all;
}();

// What the operating system must have enabled in XCR0: the upper halves of YMM, the masks and upper parts of ZMM, the
// tiles and their configuration.
enum class State : std::uint32_t { ymm = 0x6, zmm = 0xE6, tiles = 0x60000 };

struct FamilyInfo {
  Family family;
  std::string_view name, text;
  std::uint32_t leaf, subleaf;
  char reg;
  int bit;
  State state;
};
constexpr auto families = std::to_array<FamilyInfo>({
#define FAMILY(name, text, flag, leaf, subleaf, reg, bit, state) \
  {Family::name, #name, text, leaf, subleaf, (#reg)[0], bit, State::state},
#define ISA(name, text, ...)
#include "reference/core/isa.def"
#undef ISA
#undef FAMILY
});

// Read with CPUID itself: a compiler of 2022 knows neither the names nor all features of a CPU of 2024.
bool announced(const FamilyInfo& f) {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(f.leaf, f.subleaf, &a, &b, &c, &d) == 0) return false;
  const std::uint32_t word = f.reg == 'a' ? a : f.reg == 'b' ? b : f.reg == 'c' ? c : d;
  return (word >> f.bit & 1) != 0;
}

std::uint64_t enabled_state() {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  __get_cpuid_count(1, 0, &a, &b, &c, &d);
  if ((c >> 27 & 1) == 0) return 0;  // no OSXSAVE
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

// Linux lends the tile registers to a process that asks. ARCH_REQ_XCOMP_PERM = 0x1023, feature 18 = tile data.
bool tiles_granted() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

struct Here {
  Isa cpu, enabled;  // what the CPU has; what of it the operating system enables
};
const Here& here() {
  static const Here found = [] {
    Here h;
    const std::uint64_t state = enabled_state();
    for (const FamilyInfo& f : families) {
      if (!announced(f)) continue;
      h.cpu = h.cpu | Isa{f.family};
      const auto due = static_cast<std::uint64_t>(f.state);
      if ((state & due) != due) continue;
      if (f.state == State::tiles && !tiles_granted()) continue;
      h.enabled = h.enabled | Isa{f.family};
    }
    return h;
  }();
  return found;
}

// What a CPU without `missing` lacks of `isa`: the text of a set that has a name, else the families.
std::string text_of(Isa isa, Isa missing) {
  for (const NamedIsa& n : named_isas) {
    if (n.isa == isa) return std::string(n.text);
  }
  std::string text;
  for (const FamilyInfo& f : families) {
    if (missing.has(f.family)) text += (text.empty() ? "" : ", ") + std::string(f.text);
  }
  return text;
}

// The set of ASSAY_ISA; everything without it.
Isa forced() {
  static const char* const value = std::getenv("ASSAY_ISA");
  if (value == nullptr || *value == '\0') return Isa::everything;
  static const Isa isa = parse_isa(value, "ASSAY_ISA");
  return isa;
}

}  // namespace

std::span<const Isa> all_isas() { return isas; }

std::string isa_name(Isa isa) {
  for (const NamedIsa& n : named_isas) {
    if (n.isa == isa) return std::string(n.name);
  }
  std::string name;
  for (const FamilyInfo& f : families) {
    if (isa.has(f.family)) name += (name.empty() ? "" : "+") + std::string(f.name);
  }
  return name;
}

bool cpu_has(Isa isa) { return here().enabled.includes(isa); }

std::string why_unavailable(Isa isa) {
  if (const Isa missing = isa.without(here().cpu); missing != Isa{})
    return "this CPU has no " + text_of(isa, missing);
  if (const Isa missing = isa.without(here().enabled); missing != Isa{})
    return "the operating system does not enable " + text_of(isa, missing);
  return {};
}

bool isa_allowed(Isa isa) { return forced().includes(isa); }

Isa parse_isa(std::string_view name, std::string_view where) {
  Isa found;
  for (std::string_view rest = name;;) {
    const std::size_t plus = rest.find('+');
    const std::string_view part = rest.substr(0, plus);
    const auto at = std::ranges::find(named_isas, part, &NamedIsa::name);
    if (at == named_isas.end()) {
      std::string known;
      for (const NamedIsa& n : named_isas) known += (known.empty() ? "" : ", ") + std::string(n.name);
      throw InputError(std::string(where), "", "one of " + known, quoted(name));
    }
    found = found | at->isa;
    if (plus == std::string_view::npos) return found;
    rest.remove_prefix(plus + 1);
  }
}

std::string why_not(const KernelInfo& kernel) {
  if (std::string why = why_unavailable(kernel.needs); !why.empty()) return why;
  if (isa_allowed(kernel.needs)) return {};
  return "ASSAY_ISA=" + std::string(std::getenv("ASSAY_ISA")) + " leaves it out";
}

void require_cpu(const KernelInfo& kernel) {
  if (const std::string why = why_unavailable(kernel.needs); !why.empty())
    throw Unavailable(std::string(kernel.name) + ": " + why);
}

namespace detail {

void no_kernel_named(std::string_view family, std::string_view name, std::span<const KernelInfo> kernels) {
  std::string known;
  for (const KernelInfo& k : kernels) known += (known.empty() ? "" : ", ") + std::string(k.name);
  throw ContractError("no " + std::string(family) + " kernel is named " + quoted(name) + "; there are " +
                      known);
}

void no_kernel_runs(std::string_view family) {
  throw Unavailable("no " + std::string(family) + " kernel is allowed here");
}

}  // namespace detail
}  // namespace assay
