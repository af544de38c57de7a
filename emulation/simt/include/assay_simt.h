// What the rewriter makes of launches and of dynamic shared memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "emulation/simt/launch.hpp"
#include "emulation/simt/stream_capture.hpp"

namespace assay_simt {

using assay::simt::dynamic_shared;

// An array of T whose size a launch gives, declared outside of functions.
template <class T>
struct DynamicShared {
  operator T*() const { return static_cast<T*>(dynamic_shared()); }
};

// Keeps an error for cudaGetLastError(): one of the CUDA thread that calls, else of the host thread. With a text it is
// one of a kernel, which stays.
void report(int error, const std::string& text = "");

// Of a launch of this process: schedule, threads, stacks, flushing and time from ASSAY_SIMT_SCHEDULE (forward, reverse,
// random:SEED), ASSAY_SIMT_THREADS, ASSAY_SIMT_STACK (bytes), ASSAY_SIMT_FTZ (1) and ASSAY_SIMT_SECONDS. A value that
// is none of these ends the process with code 2 and a message.
const assay::simt::LaunchOptions& options_of_environment();

// kernel<<<grid, block, shared, stream>>>(arguments): arguments are evaluated once, and every thread gets copies.
// Streams run in order, so a launch has ended when it returns. One by a kernel runs when the kernel's grid has ended.
class Launch {
 public:
  Launch(dim3 grid, dim3 block, std::size_t shared_bytes = 0, const void* stream = nullptr,
         const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : grid_(grid), block_(block), shared_bytes_(shared_bytes), stream_(stream), file_(file), line_(line) {}

  Launch& cooperative(bool is = true) {
    cooperative_ = is;
    return *this;
  }

  // The same place of the program, with another configuration.
  Launch with(dim3 grid, dim3 block, std::size_t shared_bytes, const void* stream) const {
    return {grid, block, shared_bytes, stream, file_, line_};
  }

  template <class Call, class... Arguments>
  void run(const Call& call, Arguments... arguments) const {
    if constexpr (std::is_empty_v<Call>) {
      run_body([call, arguments...] { call(arguments...); });
    } else if (assay::simt::Block* const block = assay::simt::Block::current(); block != nullptr) {
      block->fail("a kernel launches another one through a variable");
    } else if (captures(stream_)) {
      report_variable_captured();
    } else {
      start([&] { call(arguments...); });
    }
  }
  // As run(), where `body` owns all that it needs. The error of the launch, 0 for none.
  template <class Body>
  int run_body(const Body& body) const {
    if (assay::simt::Block::current() != nullptr) return defer(body);
    if (!captures(stream_)) return start(body);
    if (const int error = why_not(); error != 0) {
      report(error);
      return error;
    }
    const auto again = [*this, body](dim3 grid, dim3 block, std::size_t shared_bytes) {
      with(grid, block, shared_bytes, nullptr).cooperative(cooperative_).run_body(body);
    };
    capture(stream_, {nullptr, grid_, block_, shared_bytes_, {again, {}}});
    return 0;
  }

 private:
  using Kernel = assay::simt::Kernel;
  using Outcome = assay::simt::Outcome;

  template <class Body>
  static Kernel kernel_of(const Body& body) {
    return {[](const void* closure) { (*static_cast<const Body*>(closure))(); }, &body};
  }
  template <class Body>
  struct Held;
  static void report_variable_captured();
  template <class Body>
  int start(const Body& body) const {
    return start_kernel(kernel_of(body));
  }
  template <class Body>
  int defer(const Body& body) const {
    return defer_kernel(std::make_unique<Held<Body>>(*this, body));
  }
  Outcome run_now(const Kernel& kernel) const;
  int start_kernel(const Kernel& kernel) const;
  int defer_kernel(std::unique_ptr<assay::simt::Deferred> kernel) const;
  int why_not() const;

  dim3 grid_, block_;
  std::size_t shared_bytes_;
  const void* stream_;
  const char* file_;
  int line_;
  bool cooperative_ = false;
};

template <class Body>
struct Launch::Held final : assay::simt::Deferred {
  Held(const Launch& launch_, const Body& body_) : launch(launch_), body(body_) {}
  Outcome run() override { return launch.run_now(kernel_of(body)); }
  Launch launch;
  Body body;
};

// Of a variable in static shared memory.
template <class T>
inline constexpr std::size_t shared_alignment = alignof(T) > 16 ? alignof(T) : 16;
// A literal 0 among a launch's arguments: an integer, or what else a kernel takes for it.
struct Zero {
  template <class T>
  constexpr operator T() const {
    if constexpr (std::is_pointer_v<T>) {
      return nullptr;
    } else {
      return T(0);
    }
  }
};
template <class T>
constexpr T zero_as_integer(T value) {
  return value;
}
constexpr int zero_as_integer(Zero) { return 0; }
template <class Call, class... A>
void with_zeros(const Call& call, const A&... arguments) {
  if constexpr (std::is_invocable_v<const Call&, decltype(zero_as_integer(arguments))...>) {
    call(zero_as_integer(arguments)...);
  } else {
    call(arguments...);
  }
}
// Static shared memory of a kernel: 0xFF at first, in every block. `run`: the block that it was last told of.
void poison_shared(const volatile void* variable, std::size_t bytes, unsigned long long& run);

// Kernels by their addresses, for calls that have no more of them.
using Invoker = int (*)(const void* kernel, const Launch& launch, void* const* arguments);
bool register_kernel(const void* kernel, Invoker invoker, BindKernel bind);
// Null if it is not registered.
Invoker invoker_of(const void* kernel);

// The parameters of the kernel are copied from where `arguments` point.
template <class... P>
int launch_by_pointers(void (*kernel)(P...), const Launch& launch, void* const* arguments) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    const auto bind = [&](const std::remove_cvref_t<P>&... values) {
      return launch.run_body([kernel, values...] { kernel(values...); });
    };
    return bind(*static_cast<const std::remove_cvref_t<P>*>(arguments[i])...);
  }
  (std::index_sequence_for<P...>{});
}
template <class... P>
bool register_kernel(void (*kernel)(P...)) {
  static_assert(((!std::is_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>)&&...),
                "a parameter of this kernel is a reference, which would be one to a copy: take a pointer");
  using Pointer = void (*)(P...);
  const auto invoke = [](const void* address, const Launch& launch, void* const* arguments) {
    return launch_by_pointers(reinterpret_cast<Pointer>(const_cast<void*>(address)), launch, arguments);
  };
  // Copies of the arguments, which the graph's node keeps.
  const auto bind = [](const void* address, void** arguments) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      using Values = std::tuple<std::remove_cvref_t<P>...>;
      const auto values =
          std::make_shared<Values>(*static_cast<const std::remove_cvref_t<P>*>(arguments[i])...);
      BoundKernel bound;
      bound.parameters = {static_cast<void*>(&std::get<i>(*values))...};
      bound.run = [address, values, pointers = bound.parameters](dim3 grid, dim3 block,
                                                                 std::size_t shared_bytes) {
        launch_by_pointers(reinterpret_cast<Pointer>(const_cast<void*>(address)),
                           Launch(grid, block, shared_bytes, nullptr, "a node of a graph", 0),
                           pointers.data());
      };
      return bound;
    }
    (std::index_sequence_for<P...>{});
  };
  return register_kernel(reinterpret_cast<const void*>(kernel), invoke, bind);
}

}  // namespace assay_simt
