#include "emulation/simt/launch.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

namespace assay::simt {
namespace {

// What an OS thread keeps from launch to launch. Fibres stay on the OS thread that made them.
struct Worker {
  BlockOptions options{};
  std::unique_ptr<Block> block{};

  Block& block_for(const BlockOptions& wanted) {
    const bool same = block != nullptr && wanted.schedule == options.schedule &&
                      wanted.seed == options.seed && wanted.stack_bytes == options.stack_bytes;
    if (!same) {
      options = wanted;
      block = std::make_unique<Block>(options);
    }
    return *block;
  }
};
thread_local Worker worker;
constinit thread_local void* dynamic_shared_now = nullptr;

// Beside the static shared memory, which belongs to the OS thread too: so all of it lies within 32 bits of an address,
// as kernels want it.
alignas(1024) constinit thread_local unsigned char dynamic_bytes[LaunchLimits{}.shared_bytes] = {};

// Of an address of 32 bits: the hardware keeps the first KiB for itself, so that no variable lies at 0.
constexpr std::uint32_t reserved_bytes = 1024;

// Null for none.
void* poisoned(std::size_t bytes) { return bytes == 0 ? nullptr : std::memset(dynamic_bytes, 0xFF, bytes); }

std::string text_of(const dim3& d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + ")";
}

}  // namespace

void* dynamic_shared() { return dynamic_shared_now; }

std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(p) -
                                    reinterpret_cast<std::uintptr_t>(dynamic_bytes)) +
         reserved_bytes;
}
void* shared_pointer(std::uint32_t address) {
  const auto offset = static_cast<std::int32_t>(address - reserved_bytes);
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(dynamic_bytes) +
                                 static_cast<std::uintptr_t>(std::intptr_t{offset}));
}

std::string why_not_launched(const dim3& grid, const dim3& block, std::size_t shared_bytes,
                             const LaunchLimits& limits) {
  const auto within = [](const dim3& d, const dim3& most) {
    return d.x != 0 && d.y != 0 && d.z != 0 && d.x <= most.x && d.y <= most.y && d.z <= most.z;
  };
  if (!within(grid, limits.grid)) return "grid " + text_of(grid) + ", not 1 to " + text_of(limits.grid);
  if (!within(block, limits.block)) return "block " + text_of(block) + ", not 1 to " + text_of(limits.block);
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads > limits.threads_per_block)
    return "block " + text_of(block) + " has " + std::to_string(threads) + " threads, more than " +
           std::to_string(limits.threads_per_block);
  if (shared_bytes > limits.shared_bytes)
    return std::to_string(shared_bytes) + " bytes of shared memory, more than " +
           std::to_string(limits.shared_bytes);
  return "";
}

std::string launch(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Kernel& kernel,
                   const LaunchOptions& options) {
  if (std::string why = why_not_launched(grid, block, shared_bytes, {}); !why.empty()) return why;
  if (Block::current() != nullptr) throw ContractError("simt: a kernel launches a kernel");
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  std::mutex mutex;
  std::uint64_t first_failed = blocks;
  std::string failure;
  std::atomic<bool> failed{false};
  const MxcsrGuard no_flushing(0x1F80);
  parallel_for(static_cast<std::size_t>(blocks), options.threads, [&](std::size_t number) {
    if (failed.load(std::memory_order_relaxed)) return;
    blockDim = block;
    gridDim = grid;
    const auto x = number % grid.x, y = number / grid.x % grid.y, z = number / grid.x / grid.y;
    blockIdx = {static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z)};
    dynamic_shared_now = poisoned(shared_bytes);
    const std::string why = worker.block_for(options.block).run(block, kernel, number);
    dynamic_shared_now = nullptr;
    if (why.empty()) return;
    const std::scoped_lock lock(mutex);
    failed = true;
    if (number >= first_failed) return;
    first_failed = number;
    failure = "block " + text_of(dim3(blockIdx)) + ": " + why;
  });
  return failure;
}

}  // namespace assay::simt
