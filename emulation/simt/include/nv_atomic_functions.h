// CUDA's built-in atomic functions, __nv_atomic_load() to __nv_atomic_max(). Orders and scopes are checked by nobody:
// every operation is sequentially consistent among all threads, which no weaker one can tell.
//
// Not here: operands of 16 bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "emulation/simt/include/device_functions.h"

#define __NV_ATOMIC_RELAXED 0
#define __NV_ATOMIC_CONSUME 1
#define __NV_ATOMIC_ACQUIRE 2
#define __NV_ATOMIC_RELEASE 3
#define __NV_ATOMIC_ACQ_REL 4
#define __NV_ATOMIC_SEQ_CST 5
#define __NV_THREAD_SCOPE_THREAD 0
#define __NV_THREAD_SCOPE_BLOCK 1
#define __NV_THREAD_SCOPE_CLUSTER 2
#define __NV_THREAD_SCOPE_DEVICE 3
#define __NV_THREAD_SCOPE_SYSTEM 4

namespace assay_simt {

template <class T>
struct NvAtomic {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
  using Bits = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  static Bits* at(T* address) { return reinterpret_cast<Bits*>(address); }

  static T load(T* address) {
    const Bits bits = __atomic_load_n(at(address), __ATOMIC_SEQ_CST);
    after_atomic();
    return std::bit_cast<T>(bits);
  }
  static void store(T* address, T value) {
    __atomic_store_n(at(address), std::bit_cast<Bits>(value), __ATOMIC_SEQ_CST);
    after_atomic();
  }
  static T exchange(T* address, T value) {
    const Bits old = __atomic_exchange_n(at(address), std::bit_cast<Bits>(value), __ATOMIC_SEQ_CST);
    after_atomic();
    return std::bit_cast<T>(old);
  }
  static bool compare_exchange(T* address, T* expected, T desired) {
    auto bits = std::bit_cast<Bits>(*expected);
    const bool done = __atomic_compare_exchange_n(at(address), &bits, std::bit_cast<Bits>(desired), false,
                                                  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (!done) *expected = std::bit_cast<T>(bits);
    after_atomic();
    return done;
  }
};

}  // namespace assay_simt

inline void __nv_atomic_thread_fence(int, int = __NV_THREAD_SCOPE_SYSTEM) { __threadfence_system(); }
template <class T>
T __nv_atomic_load_n(T* address, int, int = __NV_THREAD_SCOPE_SYSTEM) {
  return assay_simt::NvAtomic<T>::load(address);
}
template <class T>
void __nv_atomic_load(T* address, T* result, int, int = __NV_THREAD_SCOPE_SYSTEM) {
  *result = assay_simt::NvAtomic<T>::load(address);
}
template <class T>
void __nv_atomic_store_n(T* address, std::type_identity_t<T> value, int, int = __NV_THREAD_SCOPE_SYSTEM) {
  assay_simt::NvAtomic<T>::store(address, value);
}
template <class T>
void __nv_atomic_store(T* address, T* value, int, int = __NV_THREAD_SCOPE_SYSTEM) {
  assay_simt::NvAtomic<T>::store(address, *value);
}
template <class T>
T __nv_atomic_exchange_n(T* address, std::type_identity_t<T> value, int, int = __NV_THREAD_SCOPE_SYSTEM) {
  return assay_simt::NvAtomic<T>::exchange(address, value);
}
template <class T>
void __nv_atomic_exchange(T* address, T* value, T* result, int, int = __NV_THREAD_SCOPE_SYSTEM) {
  *result = assay_simt::NvAtomic<T>::exchange(address, *value);
}
// True if *address was *expected, else *expected is what it was; a weak one does not fail by itself.
template <class T>
bool __nv_atomic_compare_exchange_n(T* address, T* expected, std::type_identity_t<T> desired, bool, int, int,
                                    int = __NV_THREAD_SCOPE_SYSTEM) {
  return assay_simt::NvAtomic<T>::compare_exchange(address, expected, desired);
}
template <class T>
bool __nv_atomic_compare_exchange(T* address, T* expected, T* desired, bool, int, int,
                                  int = __NV_THREAD_SCOPE_SYSTEM) {
  return assay_simt::NvAtomic<T>::compare_exchange(address, expected, *desired);
}

// As the functions without a prefix.
#define ASSAY_SIMT_NV_ATOMIC(name, function, types)                             \
  template <class T>                                                            \
  T __nv_atomic_fetch_##name(T* address, std::type_identity_t<T> value, int,    \
                             int = __NV_THREAD_SCOPE_SYSTEM) {                  \
    static_assert(types);                                                       \
    return function(address, value);                                            \
  }                                                                             \
  template <class T>                                                            \
  void __nv_atomic_##name(T* address, std::type_identity_t<T> value, int order, \
                          int scope = __NV_THREAD_SCOPE_SYSTEM) {               \
    static_cast<void>(__nv_atomic_fetch_##name(address, value, order, scope));  \
  }
ASSAY_SIMT_NV_ATOMIC(add, atomicAdd, std::is_arithmetic_v<T>)
ASSAY_SIMT_NV_ATOMIC(sub, atomicSub, std::is_arithmetic_v<T>)
ASSAY_SIMT_NV_ATOMIC(min, atomicMin, std::is_integral_v<T>)
ASSAY_SIMT_NV_ATOMIC(max, atomicMax, std::is_integral_v<T>)
ASSAY_SIMT_NV_ATOMIC(and, atomicAnd, std::is_integral_v<T>)
ASSAY_SIMT_NV_ATOMIC(or, atomicOr, std::is_integral_v<T>)
ASSAY_SIMT_NV_ATOMIC(xor, atomicXor, std::is_integral_v<T>)
#undef ASSAY_SIMT_NV_ATOMIC
