// CUDA's functions of barriers in shared memory: __mbarrier_*.
//
// Not here: nvcuda::experimental::awbarrier.
#pragma once

#include <cstdint>

#include "emulation/simt/async.hpp"

using __mbarrier_t = std::uint64_t;
using __mbarrier_token_t = std::uint64_t;

inline std::uint32_t __mbarrier_maximum_count() { return assay::simt::mbarrier_max_count; }
inline void __mbarrier_init(__mbarrier_t* barrier, std::uint32_t count) {
  assay::simt::mbarrier_init(barrier, count);
}
inline void __mbarrier_inval(__mbarrier_t* barrier) { assay::simt::mbarrier_inval(barrier); }
inline __mbarrier_token_t __mbarrier_arrive(__mbarrier_t* barrier) {
  return assay::simt::mbarrier_arrive(barrier);
}
inline __mbarrier_token_t __mbarrier_arrive_and_drop(__mbarrier_t* barrier) {
  return assay::simt::mbarrier_arrive_drop(barrier);
}
inline bool __mbarrier_test_wait(__mbarrier_t* barrier, __mbarrier_token_t token) {
  return assay::simt::mbarrier_test_wait(barrier, token);
}
inline bool __mbarrier_test_wait_parity(__mbarrier_t* barrier, bool parity) {
  return assay::simt::mbarrier_test_wait_parity(barrier, parity ? 1 : 0);
}
// The hardware waits for a while; here the others run once.
inline bool __mbarrier_try_wait(__mbarrier_t* barrier, __mbarrier_token_t token, std::uint32_t) {
  return assay::simt::mbarrier_test_wait(barrier, token);
}
inline bool __mbarrier_try_wait_parity(__mbarrier_t* barrier, bool parity, std::uint32_t) {
  return assay::simt::mbarrier_test_wait_parity(barrier, parity ? 1 : 0);
}
inline std::uint32_t __mbarrier_token_pending_count(__mbarrier_token_t token) {
  return assay::simt::mbarrier_pending(token);
}
