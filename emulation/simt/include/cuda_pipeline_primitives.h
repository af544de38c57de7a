// CUDA's functions of asynchronous copies to shared memory: __pipeline_*. A copy happens when it is waited for
// (async.hpp).
#pragma once

#include <cstddef>

#include "emulation/simt/async.hpp"
#include "emulation/simt/block.hpp"
#include "emulation/simt/include/cuda_awbarrier_primitives.h"

// `bytes`: 4, 8 or 16, which both addresses are aligned to; the last `zero_fill` of them become zeros.
inline void __pipeline_memcpy_async(void* shared, const void* global, std::size_t bytes,
                                    std::size_t zero_fill = 0) {
  const auto aligned = [&](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % bytes == 0; };
  if ((bytes != 4 && bytes != 8 && bytes != 16) || zero_fill > bytes || !aligned(shared) || !aligned(global))
    assay::simt::Block::current()->fail("__pipeline_memcpy_async of other than 4, 8 or 16 aligned bytes");
  assay::simt::async_copy(shared, global, bytes, zero_fill);
}
inline void __pipeline_commit() { assay::simt::async_commit(); }
inline void __pipeline_wait_prior(std::size_t groups) { assay::simt::async_wait(groups); }
inline void __pipeline_arrive_on(__mbarrier_t* barrier) {
  assay::simt::mbarrier_arrive_after_copies(barrier, false);
}
