// A kernel over a grid: its blocks on several OS threads, each block by block.hpp.
//
// Where a kernel's result does not depend on the order of its threads, it is the same for any number of OS threads and
// any schedule. Kernels compute with MXCSR's default: to nearest, without flushing unless that is asked for.
//
// The blocks of a cooperative grid run on an OS thread each, so that they may wait for each other. What a kernel
// launches runs when its grid has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "emulation/simt/block.hpp"

namespace assay::simt {

// How a launch has ended.
enum class Ended : std::uint8_t { well, not_started, failed, timed_out };

struct Outcome {
  Ended how = Ended::well;
  std::string text{};  // empty if well
};

// What runs when the grid that asked for it has ended: a launch, a copy.
class Deferred {
 public:
  Deferred() = default;
  virtual ~Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual Outcome run() = 0;
};

struct LaunchOptions {
  BlockOptions block{};
  int threads = 0;  // OS threads; 0: default_threads()
  bool cooperative = false;
  bool flush_subnormals = false;  // MXCSR's FTZ and DAZ
  double seconds = 0;             // for the grid, 0: without a limit. See TimeLimit.
  std::string name = "a kernel";  // for messages
};

// Launches of kernels by kernels nest so deep at most.
inline constexpr int most_nested_launches = 24;

// What the hardware limits. A launch beyond them fails as on the GPU.
struct LaunchLimits {
  std::uint32_t threads_per_block = 1024;
  dim3 block{1024, 1024, 64};
  dim3 grid{2147483647, 65535, 65535};
  std::size_t shared_bytes = 227 * 1024;
};

// Empty if the grid and the block may be launched; else which limit is passed.
std::string why_not_launched(const dim3& grid, const dim3& block, std::size_t shared_bytes,
                             const LaunchLimits& limits);

// Runs the kernel for all threads of the grid, and then what it has deferred. The text says why a block could not end,
// and which: the lowest that failed among those that were begun. ContractError if a kernel calls.
Outcome run_grid(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Kernel& kernel,
                 const LaunchOptions& options = {});
// Its text.
std::string launch(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Kernel& kernel,
                   const LaunchOptions& options = {});

template <class Body>
std::string launch(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Body& body,
                   const LaunchOptions& options = {}) {
  return launch(grid, block, shared_bytes,
                Kernel{[](const void* closure) { (*static_cast<const Body*>(closure))(); }, &body}, options);
}

// Of the grid of the CUDA thread that calls: whether its blocks may wait for each other; a barrier in two steps.
bool is_cooperative(const Block& block);
std::uint64_t arrive_at_grid();
void wait_at_grid(std::uint64_t phase);

// Lets others run: of a block, or of the host where no block runs.
void give_way();

// The dynamic shared memory of the block that runs on this OS thread: 0xFF when the block begins, 1024-byte aligned.
// Null for none.
void* dynamic_shared();

// Whether the block that runs has this shared memory: the dynamic one of its launch, or static variables whose
// declarations it has passed.
void add_shared_variable(const void* p, std::size_t bytes);
bool is_shared_of_block(const void* p, std::size_t bytes);

// Shared memory of the block that runs on this OS thread, static or dynamic, by an address of 32 bits as PTX has it,
// and back. Any alignment to 1024 bytes or less is kept.
std::uint32_t shared_address(const void* p);
void* shared_pointer(std::uint32_t address);

}  // namespace assay::simt
