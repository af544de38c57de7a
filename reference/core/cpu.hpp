// This CPU, what this process may use of the machine, and the floating-point control word.
#pragma once

#include <cstdint>
#include <string>

namespace assay {

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
