#include "emulation/simt/faults.hpp"

#include <ucontext.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "emulation/simt/block.hpp"

namespace assay::simt {
namespace {

std::atomic<bool> catches_faults{false};

struct SeenFault {
  int signal = 0;
  const void* address = nullptr;
  bool has_address = true;
};
constinit thread_local SeenFault seen_fault;

// Entered by the return of the handler, on the stack of the CUDA thread that faulted.
[[noreturn]] void fail_by_fault() {
  char text[192];
  if (seen_fault.signal == SIGFPE) {
    std::snprintf(text, sizeof text, "an integer division by zero, or one whose quotient does not fit");
  } else if (seen_fault.signal == SIGILL) {
    std::snprintf(text, sizeof text,
                  "an illegal instruction, as compilers make of a division by a zero that they see");
  } else if (!seen_fault.has_address) {
    std::snprintf(text, sizeof text, "an illegal memory access at an address that is misaligned, or none");
  } else {
    std::snprintf(text, sizeof text, "an illegal memory access at %p", seen_fault.address);
  }
  Block::current()->fail(text);
}

void handle_fault(int signal, siginfo_t* info, void* context) {
  const Block* const block = Block::current();
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  auto stack = static_cast<std::uintptr_t>(registers[REG_RSP]);
  constexpr std::uintptr_t red_zone = 128, near = 4096;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  // Of the host; or there is no stack left to go on with. The instruction faults again, and ends the process.
  const bool overflow =
      signal != SIGFPE && signal != SIGILL && address + near >= stack && address < stack + near;
  if (block == nullptr || overflow) {
    std::signal(signal, SIG_DFL);
    return;
  }
  // The CPU does not say where: neither of an instruction that wants its operand aligned, nor of an address beyond
  // those that there are.
  seen_fault = {signal, info->si_addr, info->si_code != SI_KERNEL};
  stack = (stack - red_zone) / 16 * 16 - 8;  // as a call leaves it
  registers[REG_RSP] = static_cast<greg_t>(stack);
  registers[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(&fail_by_fault));
}

// A fibre's own stack may be what faulted.
struct HandlerStack {
  static constexpr std::size_t bytes = 1 << 16;
  std::unique_ptr<char[]> memory{};

  void install() {
    if (memory != nullptr) return;
    memory = std::make_unique<char[]>(bytes);
    const stack_t stack{.ss_sp = memory.get(), .ss_flags = 0, .ss_size = bytes};
    ::sigaltstack(&stack, nullptr);
  }
  ~HandlerStack() {
    if (memory == nullptr) return;
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    ::sigaltstack(&none, nullptr);
  }
};
thread_local HandlerStack handler_stack;

}  // namespace

void catch_faults_of_kernels() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (catches_faults.exchange(true)) return;
  struct sigaction fault {};
  fault.sa_sigaction = handle_fault;
  fault.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    // A handler of the program's own stays.
    if ((before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL)
      ::sigaction(signal, &fault, nullptr);
  }
#endif
}

void prepare_for_faults() {
  if (catches_faults.load(std::memory_order_relaxed)) handler_stack.install();
}

}  // namespace assay::simt
