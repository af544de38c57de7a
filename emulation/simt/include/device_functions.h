// CUDA's device functions: barriers, warp operations, atomics, loads and stores, time; and those of math_functions.h,
// integer_intrinsics.h and simd_intrinsics.h.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "emulation/simt/include/integer_intrinsics.h"
#include "emulation/simt/include/math_functions.h"
#include "emulation/simt/include/simd_intrinsics.h"
#include "emulation/simt/warp.hpp"

// --- barriers and fences ---------------------------------------------------------------------------------------------

[[gnu::always_inline]] inline void __syncthreads() {
  assay::simt::Block::current()->barrier(0, false, assay::simt::Vote::none);
}
[[gnu::always_inline]] inline int __syncthreads_count(int predicate) {
  return static_cast<int>(
      assay::simt::Block::current()->barrier(0, predicate != 0, assay::simt::Vote::count));
}
[[gnu::always_inline]] inline int __syncthreads_and(int predicate) {
  return static_cast<int>(assay::simt::Block::current()->barrier(0, predicate != 0, assay::simt::Vote::all));
}
[[gnu::always_inline]] inline int __syncthreads_or(int predicate) {
  return static_cast<int>(assay::simt::Block::current()->barrier(0, predicate != 0, assay::simt::Vote::any));
}
[[gnu::always_inline]] inline void __syncwarp(unsigned mask = 0xFFFFFFFFU) { assay::simt::synchronize(mask); }
[[gnu::always_inline]] inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
[[gnu::always_inline]] inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
[[gnu::always_inline]] inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// --- warp operations -------------------------------------------------------------------------------------------------

template <class T>
[[gnu::always_inline]] inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return assay::simt::shuffle(mask, value, lane, width);
}
template <class T>
[[gnu::always_inline]] inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  return assay::simt::shuffle_up(mask, value, delta, width);
}
template <class T>
[[gnu::always_inline]] inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  return assay::simt::shuffle_down(mask, value, delta, width);
}
template <class T>
[[gnu::always_inline]] inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32) {
  return assay::simt::shuffle_xor(mask, value, lane_mask, width);
}
[[gnu::always_inline]] inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return assay::simt::ballot(mask, predicate != 0);
}
[[gnu::always_inline]] inline int __any_sync(unsigned mask, int predicate) {
  return assay::simt::ballot(mask, predicate != 0) != 0;
}
[[gnu::always_inline]] inline int __all_sync(unsigned mask, int predicate) {
  return assay::simt::all_of_lanes(mask, predicate != 0);
}
// The place is that of the call: each has a function of its own.
#define __activemask()                             \
  (assay::simt::Block::current()->active_mask([] { \
    static const char here = 0;                    \
    return &here;                                  \
  }()))
template <class T>
[[gnu::always_inline]] inline unsigned __match_any_sync(unsigned mask, T value) {
  return assay::simt::match_any(mask, value);
}
template <class T>
[[gnu::always_inline]] inline unsigned __match_all_sync(unsigned mask, T value, int* predicate) {
  const bool all =
      assay::simt::all_of_lanes(mask, assay::simt::match_any(mask, value) == assay::simt::ballot(mask, true));
  *predicate = all ? 1 : 0;
  return all ? mask : 0;
}
[[gnu::always_inline]] inline int __reduce_add_sync(unsigned mask, int value) {
  constexpr auto add = [](int a, int b) {
    return static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b));
  };
  return assay::simt::reduce_lanes<int, add>(mask, value);
}
[[gnu::always_inline]] inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  constexpr auto add = [](unsigned a, unsigned b) { return a + b; };
  return assay::simt::reduce_lanes<unsigned, add>(mask, value);
}
#define ASSAY_SIMT_REDUCTION(name, type, expression)                                     \
  [[gnu::always_inline]] inline type __reduce_##name##_sync(unsigned mask, type value) { \
    constexpr auto combine = [](type a, type b) -> type { return expression; };          \
    return assay::simt::reduce_lanes<type, combine>(mask, value);                        \
  }
ASSAY_SIMT_REDUCTION(min, int, a < b ? a : b)
ASSAY_SIMT_REDUCTION(min, unsigned, a < b ? a : b)
ASSAY_SIMT_REDUCTION(max, int, a > b ? a : b)
ASSAY_SIMT_REDUCTION(max, unsigned, a > b ? a : b)
ASSAY_SIMT_REDUCTION(and, unsigned, a& b)
ASSAY_SIMT_REDUCTION(or, unsigned, a | b)
ASSAY_SIMT_REDUCTION(xor, unsigned, a ^ b)
#undef ASSAY_SIMT_REDUCTION

// --- atomics ---------------------------------------------------------------------------------------------------------

namespace assay_simt {

// Blocks run on several OS threads. A thread that waits for another one by an atomic lets it run now and then.
__attribute__((no_sanitize("thread"))) inline void after_atomic() {
  static constinit thread_local unsigned count = 0;
  if (++count % 64 == 0 && assay::simt::Block::current() != nullptr) assay::simt::Block::current()->yield();
}

// *address = change(*address) at once; what was there before.
template <class T, class Change>
T atomically(T* address, const Change& change) {
  static_assert(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
  using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
  auto* const bits = reinterpret_cast<Bits*>(address);
  // Consume: a profile knows by it that this look and the exchange are one operation.
  Bits before = __atomic_load_n(bits, __ATOMIC_CONSUME), after;
  do {
    after = std::bit_cast<Bits>(static_cast<T>(change(std::bit_cast<T>(before))));
  } while (!__atomic_compare_exchange_n(bits, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  after_atomic();
  return std::bit_cast<T>(before);
}

}  // namespace assay_simt

#define ASSAY_SIMT_ATOMIC(name, expression)                                         \
  template <class T>                                                                \
  T name(T* address, std::type_identity_t<T> value) {                               \
    return assay_simt::atomically(address, [=](T old) -> T { return expression; }); \
  }                                                                                 \
  template <class T>                                                                \
  T name##_block(T* address, std::type_identity_t<T> value) {                       \
    return name(address, value);                                                    \
  }                                                                                 \
  template <class T>                                                                \
  T name##_system(T* address, std::type_identity_t<T> value) {                      \
    return name(address, value);                                                    \
  }
ASSAY_SIMT_ATOMIC(atomicAdd, static_cast<T>(old + value))
ASSAY_SIMT_ATOMIC(atomicSub, static_cast<T>(old - value))
ASSAY_SIMT_ATOMIC(atomicExch, (static_cast<void>(old), value))
ASSAY_SIMT_ATOMIC(atomicMin, value < old ? value : old)
ASSAY_SIMT_ATOMIC(atomicMax, value > old ? value : old)
ASSAY_SIMT_ATOMIC(atomicAnd, old& value)
ASSAY_SIMT_ATOMIC(atomicOr, old | value)
ASSAY_SIMT_ATOMIC(atomicXor, old ^ value)
ASSAY_SIMT_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
ASSAY_SIMT_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef ASSAY_SIMT_ATOMIC
// Compares bits, as the hardware does.
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return assay_simt::atomically(
      address, [=](T old) { return std::memcmp(&old, &compare, sizeof(T)) == 0 ? value : old; });
}

template <class T>
T atomicCAS_block(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return atomicCAS(address, compare, value);
}
template <class T>
T atomicCAS_system(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return atomicCAS(address, compare, value);
}

// --- loads and stores, time, ends ------------------------------------------------------------------------------------

// What a cache is asked to keep changes no result.
#define ASSAY_SIMT_LOAD(name) \
  template <class T>          \
  T name(const T* address) {  \
    return *address;          \
  }
#define ASSAY_SIMT_STORE(name)                           \
  template <class T>                                     \
  void name(T* address, std::type_identity_t<T> value) { \
    *address = value;                                    \
  }
ASSAY_SIMT_LOAD(__ldg)
ASSAY_SIMT_LOAD(__ldcg)
ASSAY_SIMT_LOAD(__ldca)
ASSAY_SIMT_LOAD(__ldcs)
ASSAY_SIMT_LOAD(__ldlu)
ASSAY_SIMT_STORE(__stwb)
ASSAY_SIMT_STORE(__stcg)
ASSAY_SIMT_STORE(__stcs)
ASSAY_SIMT_STORE(__stwt)
#undef ASSAY_SIMT_STORE
#undef ASSAY_SIMT_LOAD
// Reads memory again: a thread that waits by it lets the others run, as one that waits by an atomic.
template <class T>
T __ldcv(const T* address) {
  assay_simt::after_atomic();
  asm volatile("" ::: "memory");
  return *address;
}

// Counts of this CPU's clock: they order what a thread does, and are no time of a GPU.
inline long long clock64() { return static_cast<long long>(__builtin_ia32_rdtsc()); }
inline void __nanosleep(unsigned) {
  if (assay::simt::Block::current() != nullptr) assay::simt::Block::current()->yield();
}
[[noreturn]] inline void __trap() { assay::simt::Block::current()->fail("__trap()"); }
[[noreturn]] inline void __brkpt() { assay::simt::Block::current()->fail("__brkpt()"); }
#define __prof_trigger(counter) static_cast<void>(counter)
#ifndef __clang__
#define __builtin_assume(condition) static_cast<void>(0)
#endif
#define __assume(condition) __builtin_assume(condition)
