// CUDA's device functions: barriers, warp operations, atomics, integer and rounding intrinsics.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "emulation/simt/warp.hpp"

// --- barriers and fences ---------------------------------------------------------------------------------------------

inline void __syncthreads() { assay::simt::Block::current()->barrier(0, false, assay::simt::Vote::none); }
inline int __syncthreads_count(int predicate) {
  return static_cast<int>(
      assay::simt::Block::current()->barrier(0, predicate != 0, assay::simt::Vote::count));
}
inline int __syncthreads_and(int predicate) {
  return static_cast<int>(assay::simt::Block::current()->barrier(0, predicate != 0, assay::simt::Vote::all));
}
inline int __syncthreads_or(int predicate) {
  return static_cast<int>(assay::simt::Block::current()->barrier(0, predicate != 0, assay::simt::Vote::any));
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFU) { assay::simt::synchronize(mask); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// --- warp operations -------------------------------------------------------------------------------------------------

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return assay::simt::shuffle(mask, value, lane, width);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  return assay::simt::shuffle_up(mask, value, delta, width);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  return assay::simt::shuffle_down(mask, value, delta, width);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32) {
  return assay::simt::shuffle_xor(mask, value, lane_mask, width);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return assay::simt::ballot(mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate) { return assay::simt::ballot(mask, predicate != 0) != 0; }
inline int __all_sync(unsigned mask, int predicate) {
  return assay::simt::all_of_lanes(mask, predicate != 0);
}
// The place is that of the call: each has a function of its own.
#define __activemask()                             \
  (assay::simt::Block::current()->active_mask([] { \
    static const char here = 0;                    \
    return &here;                                  \
  }()))
template <class T>
unsigned __match_any_sync(unsigned mask, T value) {
  return assay::simt::match_any(mask, value);
}
template <class T>
unsigned __match_all_sync(unsigned mask, T value, int* predicate) {
  const bool all =
      assay::simt::all_of_lanes(mask, assay::simt::match_any(mask, value) == assay::simt::ballot(mask, true));
  *predicate = all ? 1 : 0;
  return all ? mask : 0;
}
inline int __reduce_add_sync(unsigned mask, int value) {
  constexpr auto add = [](int a, int b) {
    return static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b));
  };
  return assay::simt::reduce_lanes<int, add>(mask, value);
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  constexpr auto add = [](unsigned a, unsigned b) { return a + b; };
  return assay::simt::reduce_lanes<unsigned, add>(mask, value);
}
#define ASSAY_SIMT_REDUCTION(name, type, expression)                            \
  inline type __reduce_##name##_sync(unsigned mask, type value) {               \
    constexpr auto combine = [](type a, type b) -> type { return expression; }; \
    return assay::simt::reduce_lanes<type, combine>(mask, value);               \
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
inline void after_atomic() {
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
  Bits before = __atomic_load_n(bits, __ATOMIC_RELAXED), after;
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

// --- loads, integers, bits -------------------------------------------------------------------------------------------

template <class T>
T __ldg(const T* address) {
  return *address;
}
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  unsigned out = 0;
  for (int i = 0; i < 32; ++i) out |= (x >> i & 1U) << (31 - i);
  return out;
}
inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<std::int64_t>(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<std::uint64_t>(a) * b >> 32);
}
inline int __mul24(int a, int b) {
  const auto low = [](int x) { return static_cast<int>(static_cast<unsigned>(x) << 8) >> 8; };
  return static_cast<int>(static_cast<unsigned>(low(a)) * static_cast<unsigned>(low(b)));
}
// Byte i of the result is byte (selector >> 4 i) & 7 of b and a, or its sign with bit 3.
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const std::uint64_t all = std::uint64_t{b} << 32 | a;
  unsigned out = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned s = selector >> (4 * i);
    unsigned byte = static_cast<unsigned>(all >> (8 * (s & 7U))) & 0xFFU;
    if ((s & 8U) != 0) byte = (byte & 0x80U) != 0 ? 0xFFU : 0U;
    out |= byte << (8 * i);
  }
  return out;
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>(((std::uint64_t{high} << 32 | low) << (shift & 31U)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((std::uint64_t{high} << 32 | low) >> (shift & 31U));
}
// Counts of this CPU's clock: they order what a thread does, and are no time of a GPU.
inline long long clock64() { return static_cast<long long>(__builtin_ia32_rdtsc()); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }

// --- correctly rounded arithmetic ------------------------------------------------------------------------------------

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __frcp_rn(float a) { return 1.0F / a; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }

#define ASSAY_SIMT_MIN_MAX(type)                               \
  constexpr type min(type a, type b) { return b < a ? b : a; } \
  constexpr type max(type a, type b) { return a < b ? b : a; }
ASSAY_SIMT_MIN_MAX(int)
ASSAY_SIMT_MIN_MAX(unsigned)
ASSAY_SIMT_MIN_MAX(long)
ASSAY_SIMT_MIN_MAX(unsigned long)
ASSAY_SIMT_MIN_MAX(long long)
ASSAY_SIMT_MIN_MAX(unsigned long long)
#undef ASSAY_SIMT_MIN_MAX
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }
