// What a program calls that was compiled with -fsanitize=thread and -fsanitize-coverage=trace-pc: every access to
// memory and every basic block. It is linked with this in place of the sanitizer's runtime, and so any source is
// profiled as it stands. Names and arguments are the compilers' interface (GCC's tsan.cc and sancov.cc; LLVM's
// tsan_interface.h and tsan_interface_atomic.h).
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "emulation/simt/profile/recorder.hpp"

using assay::simt::Access;
using assay::simt::record_access;
using assay::simt::record_branch;

#define ASSAY_SIMT_CALLER reinterpret_cast<std::uint64_t>(__builtin_return_address(0))

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) {}
void __sanitizer_cov_trace_pc() { record_branch(ASSAY_SIMT_CALLER); }

#define ASSAY_SIMT_PLAIN(name, bytes, kind) \
  void __tsan_##name(void* address) { record_access(ASSAY_SIMT_CALLER, Access::kind, address, bytes); }
#define ASSAY_SIMT_SIZES(prefix, kind) \
  ASSAY_SIMT_PLAIN(prefix##1, 1, kind) \
  ASSAY_SIMT_PLAIN(prefix##2, 2, kind) \
  ASSAY_SIMT_PLAIN(prefix##4, 4, kind) \
  ASSAY_SIMT_PLAIN(prefix##8, 8, kind) \
  ASSAY_SIMT_PLAIN(prefix##16, 16, kind)
ASSAY_SIMT_SIZES(read, read)
ASSAY_SIMT_SIZES(write, write)
ASSAY_SIMT_SIZES(volatile_read, read)
ASSAY_SIMT_SIZES(volatile_write, write)
ASSAY_SIMT_SIZES(unaligned_read, read)
ASSAY_SIMT_SIZES(unaligned_write, write)
ASSAY_SIMT_SIZES(unaligned_volatile_read, read)
ASSAY_SIMT_SIZES(unaligned_volatile_write, write)

void __tsan_read_range(void* address, std::size_t bytes) {
  record_access(ASSAY_SIMT_CALLER, Access::read, address, bytes);
}
void __tsan_write_range(void* address, std::size_t bytes) {
  record_access(ASSAY_SIMT_CALLER, Access::write, address, bytes);
}

// Atomics do what they say, sequentially consistent, whatever order was asked for.
#define ASSAY_SIMT_FETCH(bits, name, builtin)                                                               \
  std::uint##bits##_t __tsan_atomic##bits##_##name(volatile std::uint##bits##_t* at, std::uint##bits##_t x, \
                                                   int) {                                                   \
    record_access(ASSAY_SIMT_CALLER, Access::atomic, const_cast<std::uint##bits##_t*>(at), bits / 8);       \
    return builtin(at, x, __ATOMIC_SEQ_CST);                                                                \
  }
#define ASSAY_SIMT_ATOMICS(bits)                                                                              \
  std::uint##bits##_t __tsan_atomic##bits##_load(const volatile std::uint##bits##_t* at, int order) {         \
    /* The look before a loop of compare-and-exchange, which is one operation of a GPU, is marked by this. */ \
    if (order != __ATOMIC_CONSUME)                                                                            \
      record_access(ASSAY_SIMT_CALLER, Access::read, const_cast<std::uint##bits##_t*>(at), bits / 8);         \
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                             \
  }                                                                                                           \
  void __tsan_atomic##bits##_store(volatile std::uint##bits##_t* at, std::uint##bits##_t x, int) {            \
    record_access(ASSAY_SIMT_CALLER, Access::write, const_cast<std::uint##bits##_t*>(at), bits / 8);          \
    __atomic_store_n(at, x, __ATOMIC_SEQ_CST);                                                                \
  }                                                                                                           \
  ASSAY_SIMT_FETCH(bits, exchange, __atomic_exchange_n)                                                       \
  ASSAY_SIMT_FETCH(bits, fetch_add, __atomic_fetch_add)                                                       \
  ASSAY_SIMT_FETCH(bits, fetch_sub, __atomic_fetch_sub)                                                       \
  ASSAY_SIMT_FETCH(bits, fetch_and, __atomic_fetch_and)                                                       \
  ASSAY_SIMT_FETCH(bits, fetch_or, __atomic_fetch_or)                                                         \
  ASSAY_SIMT_FETCH(bits, fetch_xor, __atomic_fetch_xor)                                                       \
  ASSAY_SIMT_FETCH(bits, fetch_nand, __atomic_fetch_nand)                                                     \
  int __tsan_atomic##bits##_compare_exchange_strong(                                                          \
      volatile std::uint##bits##_t* at, std::uint##bits##_t* expected, std::uint##bits##_t x, int, int) {     \
    record_access(ASSAY_SIMT_CALLER, Access::atomic, const_cast<std::uint##bits##_t*>(at), bits / 8);         \
    return __atomic_compare_exchange_n(at, expected, x, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 1 : 0;   \
  }                                                                                                           \
  int __tsan_atomic##bits##_compare_exchange_weak(                                                            \
      volatile std::uint##bits##_t* at, std::uint##bits##_t* expected, std::uint##bits##_t x, int, int) {     \
    record_access(ASSAY_SIMT_CALLER, Access::atomic, const_cast<std::uint##bits##_t*>(at), bits / 8);         \
    return __atomic_compare_exchange_n(at, expected, x, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 1 : 0;   \
  }
ASSAY_SIMT_ATOMICS(8)
ASSAY_SIMT_ATOMICS(16)
ASSAY_SIMT_ATOMICS(32)
ASSAY_SIMT_ATOMICS(64)
}
