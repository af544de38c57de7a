// What the vector units of this CPU could do at most: multiply-adds on registers alone.
#pragma once

#include <cstdint>

// Flop done (2 for a multiply-add, 4 for a lane of VDPBF16PS) in `rounds` of as many independent chains as hide the
// latency. The caller has seen to it that the CPU has the instructions.
std::uint64_t fma_peak_avx512(std::uint64_t rounds);
std::uint64_t fma_peak_avx2(std::uint64_t rounds);
std::uint64_t vdpbf16ps_peak(std::uint64_t rounds);

// Float32 flop a second of one thread with the widest multiply-adds of this CPU, measured at the first call by the
// thread's own time, so that another's load does not count; the best of a few short runs. 0 without AVX2.
double fma_peak();
