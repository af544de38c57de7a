#include "tests/bench/fma_peak.hpp"

#include <time.h>

#include <algorithm>

#include "reference/core/dispatch.hpp"
#include "reference/formats/kernels/immintrin.hpp"

// Assembly: a compiler would fold chains whose operands it knows.
#define CHAINS(instruction, constraint)                                                                    \
  for (std::uint64_t i = 0; i < rounds; ++i) {                                                             \
    asm volatile(instruction                                                                               \
                 " %12, %12, %0\n" instruction " %12, %12, %1\n" instruction " %12, %12, %2\n" instruction \
                 " %12, %12, %3\n" instruction " %12, %12, %4\n" instruction " %12, %12, %5\n" instruction \
                 " %12, %12, %6\n" instruction " %12, %12, %7\n" instruction " %12, %12, %8\n" instruction \
                 " %12, %12, %9\n" instruction " %12, %12, %10\n" instruction " %12, %12, %11\n"           \
                 : "+" constraint(acc[0]), "+" constraint(acc[1]), "+" constraint(acc[2]),                 \
                   "+" constraint(acc[3]), "+" constraint(acc[4]), "+" constraint(acc[5]),                 \
                   "+" constraint(acc[6]), "+" constraint(acc[7]), "+" constraint(acc[8]),                 \
                   "+" constraint(acc[9]), "+" constraint(acc[10]), "+" constraint(acc[11])                \
                 : constraint(x));                                                                         \
  }

[[gnu::target("avx512f")]] std::uint64_t fma_peak_avx512(std::uint64_t rounds) {
  __m512 acc[12] = {}, x = {};
  CHAINS("vfmadd231ps", "v")
  return rounds * 12 * 16 * 2;
}

[[gnu::target("avx2,fma")]] std::uint64_t fma_peak_avx2(std::uint64_t rounds) {
  __m256 acc[12] = {}, x = {};
  CHAINS("vfmadd231ps", "x")
  return rounds * 12 * 8 * 2;
}

[[gnu::target("avx512f,avx512bf16")]] std::uint64_t vdpbf16ps_peak(std::uint64_t rounds) {
  __m512 acc[12] = {}, x = {};
  CHAINS("vdpbf16ps", "v")
  return rounds * 12 * 16 * 4;
}

double fma_peak() {
  static const double value = [] {
    const auto seconds = [] {
      timespec now{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
      return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    };
    auto* const run = assay::cpu_has(assay::Isa::avx512) ? fma_peak_avx512
                      : assay::cpu_has(assay::Isa::avx2) ? fma_peak_avx2
                                                         : nullptr;
    double best = 0;
    for (int attempt = 0; run != nullptr && attempt < 8; ++attempt) {
      const double begin = seconds();
      const auto flop = static_cast<double>(run(1'000'000));
      best = std::max(best, flop / (seconds() - begin));
    }
    return best;
  }();
  return value;
}
