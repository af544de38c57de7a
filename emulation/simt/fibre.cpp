#include "emulation/simt/fibre.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#if !defined(__x86_64__)
#error "emulation/simt switches stacks in the assembly of x86-64"
#endif

// Saves where this stack stands to *from, and returns `hop` on the other one: from a call of this function, or into the
// function that a new stack names, with `hop` as its argument.
extern "C" const void* assay_simt_switch(void** from, void* to, const void* hop) noexcept;
asm(R"(
.pushsection .text
.globl assay_simt_switch
.hidden assay_simt_switch
.type assay_simt_switch, @function
assay_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  movq %rdx, %rax
  movq %rdx, %rdi
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size assay_simt_switch, .-assay_simt_switch
.popsection
)");

namespace assay::simt {
// What one stack hands to the next.
struct Fibre::Hop {
  Fibre *from, *to;
};

Fibre::Fibre(std::size_t stack_bytes, std::size_t number, void (*entry)(void*), void* argument,
             bool guard_page)
    : entry_(entry), argument_(argument) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  bytes_ = (stack_bytes + 2 * page - 1) / page * page;
  mapped_bytes_ = bytes_ + (guard_page ? page : 0);
  mapped_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc();
  lowest_ = static_cast<char*>(mapped_) + (guard_page ? page : 0);
  if (guard_page && mprotect(mapped_, page, PROT_NONE) != 0) {
    munmap(mapped_, mapped_bytes_);
    throw std::bad_alloc();
  }

  constexpr std::size_t apart = 5 * 64;  // lines that a waiting thread has at its top
  // As assay_simt_switch() leaves a stack: six registers, and where it returns to. There a function begins, eight bytes
  // below a multiple of 16, and finds no frame above it.
  struct First {
    std::array<void*, 6> registers;
    void (*begin)(const Hop*);
    void* nothing_above;
  };
  static_assert(sizeof(First) == 64);
  char* const top = static_cast<char*>(mapped_) + mapped_bytes_ - number * apart % page / 64 * 64;
  at_ = new (top - sizeof(First)) First{{}, &Fibre::begin, nullptr};
#if defined(__SANITIZE_THREAD__)
  thread_ = __tsan_create_fiber(0);
#endif
}

bool Fibre::has_overflowed() const { return *static_cast<const std::uint64_t*>(lowest_) != 0; }

Fibre::~Fibre() {
#if defined(__SANITIZE_THREAD__)
  if (mapped_ != nullptr) __tsan_destroy_fiber(thread_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  // Frames that never ended have left their shadow, and these addresses come again.
  if (mapped_ != nullptr) __asan_unpoison_memory_region(mapped_, mapped_bytes_);
#endif
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

void Fibre::begin(const Hop* hop) {
  const Hop came = *hop;
  arrive(came);
  came.to->entry_(came.to->argument_);
  __builtin_trap();  // entry() returned
}

// On the stack of hop.to.
void Fibre::arrive([[maybe_unused]] const Hop& hop) {
#if defined(__SANITIZE_ADDRESS__)
  // Tells where the stack lies that was left: that of an OS thread is not known before.
  __sanitizer_finish_switch_fiber(hop.to->fake_stack_, &hop.from->lowest_, &hop.from->bytes_);
#endif
}

void Fibre::switch_to(Fibre& to) {
  const Hop hop{this, &to};
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_stack_, to.lowest_, to.bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
  if (mapped_ == nullptr) thread_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.thread_, 0);
#endif
  const auto* const back = static_cast<const Hop*>(assay_simt_switch(&at_, to.at_, &hop));
  arrive(*back);
}

}  // namespace assay::simt
