// Which kernel runs. An ISA is a set of instruction families; each family of kernels has one table, best first.
//
// ASSAY_ISA names a set: a kernel is a candidate if it needs nothing beyond it. Without the variable all are.
// ASSAY_ISA=avx2 leaves scalar, f16c and avx2; ASSAY_ISA=amx_bf16+vbmi2 the members of both sets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// One family of instructions that CPUID announces by itself, isa.def.
enum class Family : std::uint8_t {
#define FAMILY(name, text, flag, leaf, subleaf, reg, bit, state) name,
#define ISA(name, text, ...)
#include "reference/core/isa.def"
#undef ISA
#undef FAMILY
};

// A set of instruction families. Those with a name are members: Isa::scalar (x86-64-v2, the baseline of the whole
// program), Isa::avx2, ...
class Isa {
 public:
  constexpr Isa() = default;
  constexpr Isa(std::initializer_list<Family> families) {
    for (const Family f : families) bits_ |= std::uint32_t{1} << static_cast<unsigned>(f);
  }
  constexpr bool includes(Isa other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr bool has(Family f) const { return includes(Isa{f}); }
  constexpr Isa without(Isa other) const { return Isa(bits_ & ~other.bits_); }
  friend constexpr Isa operator|(Isa a, Isa b) { return Isa(a.bits_ | b.bits_); }
  friend constexpr bool operator==(Isa, Isa) = default;

#define FAMILY(name, text, flag, leaf, subleaf, reg, bit, state)
#define ISA(name, text, ...) static const Isa name;
#include "reference/core/isa.def"
#undef ISA
#undef FAMILY
  static const Isa everything;

 private:
  constexpr explicit Isa(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

#define FAMILY(name, text, flag, leaf, subleaf, reg, bit, state)
#define ISA(name, text, ...)            \
  inline constexpr Isa Isa::name = [] { \
    using enum Family;                  \
    return __VA_ARGS__;                 \
  }();
#include "reference/core/isa.def"
#undef ISA
#undef FAMILY
inline constexpr Isa Isa::everything = Isa(~std::uint32_t{0});

// The sets with a name, in the order of isa.def.
std::span<const Isa> all_isas();
// "avx512bf16"; the families, joined by '+', for a set without a name.
std::string isa_name(Isa isa);

// Empty if this CPU and operating system run it, else the reason ("this CPU has no AVX512_BF16").
std::string why_unavailable(Isa isa);
bool cpu_has(Isa isa);

// Whether ASSAY_ISA leaves it in. Throws InputError with the known names for another value.
bool isa_allowed(Isa isa);

// One of the names, or several joined by '+'. Throws InputError with the known names. `where` names the option or the
// variable.
Isa parse_isa(std::string_view name, std::string_view where);

// What all entries of all tables have in common. A family derives its own entry from it, with the functions.
struct KernelInfo {
  std::string_view name;  // "ell_avx512"
  Isa needs = Isa::scalar;
  std::string_view description = {};
};

// Empty if the kernel may run: this CPU has what it needs, and ASSAY_ISA leaves it in. Else the reason.
std::string why_not(const KernelInfo& kernel);
inline bool runs_here(const KernelInfo& kernel) { return cpu_has(kernel.needs) && isa_allowed(kernel.needs); }
// Unavailable, "NAME: reason", if this CPU lacks what the kernel needs, whatever ASSAY_ISA says.
void require_cpu(const KernelInfo& kernel);

namespace detail {
[[noreturn]] void no_kernel_named(std::string_view family, std::string_view name,
                                  std::span<const KernelInfo> kernels);
[[noreturn]] void no_kernel_runs(std::string_view family);
}  // namespace detail

// The kernels of a family, best first, from its .def list. `Kernel` derives from KernelInfo.
template <class Kernel>
class KernelTable {
 public:
  constexpr KernelTable(std::string_view family, std::span<const Kernel> best_first)
      : family_(family), kernels_(best_first) {}

  constexpr std::string_view family() const { return family_; }
  constexpr auto begin() const { return kernels_.begin(); }
  constexpr auto end() const { return kernels_.end(); }
  constexpr std::size_t size() const { return kernels_.size(); }
  constexpr const Kernel& operator[](std::size_t i) const { return kernels_[i]; }

  // The first one that may run and for which takes(kernel); null if there is none.
  template <class Takes>
  const Kernel* find(const Takes& takes) const {
    const auto at = std::ranges::find_if(kernels_, [&](const Kernel& k) { return takes(k) && runs_here(k); });
    return at == kernels_.end() ? nullptr : &*at;
  }
  // The same; Unavailable if there is none.
  template <class Takes>
  const Kernel& best(const Takes& takes) const {
    const Kernel* const found = find(takes);
    if (found == nullptr) detail::no_kernel_runs(family_);
    return *found;
  }
  const Kernel& best() const {
    return best([](const Kernel&) { return true; });
  }
  // Null, or ContractError with the names there are, for a name that is not in the table.
  const Kernel* lookup(std::string_view name) const {
    const auto at = std::ranges::find_if(kernels_, [&](const Kernel& k) { return k.name == name; });
    return at == kernels_.end() ? nullptr : &*at;
  }
  const Kernel& named(std::string_view name) const {
    const Kernel* const found = lookup(name);
    if (found == nullptr) detail::no_kernel_named(family_, name, infos());
    return *found;
  }
  // What `assay list kernels` shows.
  std::vector<KernelInfo> infos() const { return {kernels_.begin(), kernels_.end()}; }

 private:
  std::string_view family_;
  std::span<const Kernel> kernels_;
};

}  // namespace assay
