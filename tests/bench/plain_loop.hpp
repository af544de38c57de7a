// What a compiler makes of the conversion when it is written as a C loop.
#pragma once

#include <cstddef>

namespace assay::bench {

// float32 to bfloat16, nearest-even, NaN to 0x7FC0. Compiled with -O3 for the CPU that builds it.
void plain_loop(const void* src, void* dst, std::size_t n);

}  // namespace assay::bench
