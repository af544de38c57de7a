// Stacks that are switched by hand, one for each CUDA thread that waits.
//
// A switch saves the registers that a call preserves and returns on the other stack, without a system call. It takes a
// quarter to two thirds of the time of Boost.Context's (simt_bench), which is left through a jump, after which the CPU
// mispredicts every return, and which saves the control words of SSE and x87 too. Here those belong to the OS thread,
// and kernels do not change them.
#pragma once

#include <cstddef>

namespace assay::simt {

class Fibre {
 public:
  // The stack of the OS thread that runs.
  Fibre() = default;
  // A new stack with a guard page below it. The first switch to it calls entry(argument), which must never return.
  // `number`: of this fibre among those that it takes turns with. The tops of their stacks lie in different sets of the
  // first cache: pages alone would put all of them into one. std::bad_alloc where the system has no more address space,
  // or no more pieces of it that are apart.
  Fibre(std::size_t stack_bytes, std::size_t number, void (*entry)(void*), void* argument,
        bool guard_page = true);
  // The fibre must not run. What the frames on its stack own is not released.
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Called on this stack: `to` runs from where it stands. Returns when another one switches back.
  void switch_to(Fibre& to);

  // Whether the stack lies around p; never for that of an OS thread.
  bool holds(const void* p) const {
    const auto* const at = static_cast<const char*>(p);
    return mapped_ != nullptr && at >= static_cast<const char*>(mapped_) &&
           at < static_cast<const char*>(mapped_) + mapped_bytes_;
  }
  // The last word of the stack has been written: for one without a guard page.
  bool has_overflowed() const;

 private:
  struct Hop;
  static void arrive(const Hop& hop);
  static void begin(const Hop* hop);

  void* at_ = nullptr;  // the stack pointer, while another one runs
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  // For sanitizers, which keep a shadow of each stack.
  const void* lowest_ = nullptr;
  std::size_t bytes_ = 0;
  void* fake_stack_ = nullptr;
  void* thread_ = nullptr;
};

}  // namespace assay::simt
