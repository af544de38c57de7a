// What this CPU can run, and the floating-point control word.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace assay {

// What a kernel needs, as named by ASSAY_ISA and by the suffix of its file. Not a ladder: `f16c` and `avx512bf16` stand
// for one instruction family each.
enum class Isa : std::uint8_t {
  scalar,      // x86-64-v2, the baseline of the whole program
  f16c,        // VCVTPS2PH, VCVTPH2PS
  avx2,        // AVX2 + FMA + F16C + BMI2
  avx512,      // F + BW + DQ + VL
  avx512bf16,  // avx512 + AVX512_BF16
  amx_bf16,    // AMX-TILE + AMX-BF16
};

std::span<const Isa> all_isas();
std::string_view isa_name(Isa isa);

// Empty if this CPU and operating system run it, else the reason ("this CPU has no AVX512_BF16").
std::string why_unavailable(Isa isa);
inline bool cpu_has(Isa isa) { return why_unavailable(isa).empty(); }

// The ISA that ASSAY_ISA forces, as a filter on dispatch: a kernel is a candidate if allowed(needs). Without the
// variable all are. ASSAY_ISA=avx2 allows scalar, f16c and avx2. Throws InputError with the known names for another.
bool isa_allowed(Isa isa);

// The same order of width, for a command's --isa: `isa` is no wider than `widest`.
bool isa_within(Isa isa, Isa widest);
// Throws InputError with the known names. `where` names the option or the variable.
Isa parse_isa(std::string_view name, std::string_view where);

std::string cpu_model();  // "AMD EPYC 9B45", with family and model, from CPUID
int hardware_threads();   // processors that this process may run on
// What this process may still take: of the machine, of its control groups (a container), of its address space.
std::uint64_t available_memory_bytes();

// Sets MXCSR for a scope. 0x1F80 is the default: nearest-even, no flushing, all exceptions masked.
class MxcsrGuard {
 public:
  explicit MxcsrGuard(std::uint32_t value) noexcept;
  ~MxcsrGuard();
  MxcsrGuard(const MxcsrGuard&) = delete;
  MxcsrGuard& operator=(const MxcsrGuard&) = delete;

 private:
  std::uint32_t saved_;
};
std::uint32_t mxcsr() noexcept;

}  // namespace assay
