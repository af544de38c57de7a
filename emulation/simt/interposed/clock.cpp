#include <ctime>

#include "emulation/simt/block.hpp"

// clock(), in place of the C library's: in a kernel it counts clocks, as clock64() does; elsewhere the process's time.
extern "C" std::clock_t clock() noexcept {
  if (assay::simt::Block::current() != nullptr) return static_cast<std::clock_t>(__builtin_ia32_rdtsc());
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return static_cast<std::clock_t>(-1);
  return used.tv_sec * CLOCKS_PER_SEC + used.tv_nsec / (1'000'000'000 / CLOCKS_PER_SEC);
}
