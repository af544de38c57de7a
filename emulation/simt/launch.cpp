#include "emulation/simt/launch.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <system_error>
#include <utility>

#include "emulation/simt/faults.hpp"
#include "emulation/simt/grid.hpp"
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
                      wanted.seed == options.seed && wanted.stack_bytes == options.stack_bytes &&
                      wanted.guard_pages == options.guard_pages;
    if (!same) {
      options = wanted;
      block = std::make_unique<Block>(options);
    }
    return *block;
  }
};
thread_local Worker worker;
constinit thread_local void* dynamic_shared_now = nullptr;
constinit thread_local int depth_now = 0;  // of nested launches

// Beside the static shared memory, which belongs to the OS thread too: so all of it lies within 32 bits of an address,
// as kernels want it.
alignas(1024) constinit thread_local unsigned char dynamic_bytes[LaunchLimits{}.shared_bytes] = {};

// Of an address of 32 bits: the hardware keeps the first KiB for itself, so that no variable lies at 0.
constexpr std::uint32_t reserved_bytes = 1024;

// What the block that runs has of it. Static variables count from where a thread has passed their declaration: the
// memory of an OS thread holds those of all kernels, of which a block has few.
struct SharedOfBlock {
  std::size_t dynamic_bytes = 0;
  std::vector<std::pair<std::uintptr_t, std::size_t>> variables{};
};
thread_local SharedOfBlock shared_of_block;

// Null for none.
void* poisoned(std::size_t bytes) { return bytes == 0 ? nullptr : std::memset(dynamic_bytes, 0xFF, bytes); }

std::string text_of(const dim3& d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + ")";
}

}  // namespace

void* dynamic_shared() { return dynamic_shared_now; }

void give_way() {
  if (Block* const block = Block::current(); block != nullptr) return block->yield();
  sched_yield();
}

bool is_cooperative(const Block& block) { return block.grid() != nullptr && block.grid()->cooperative(); }
std::uint64_t arrive_at_grid() {
  Block& block = *Block::current();
  if (!is_cooperative(block)) block.fail("a barrier of the grid in a launch that is not cooperative");
  return block.grid()->arrive();
}
void wait_at_grid(std::uint64_t phase) {
  struct What {
    const Grid* grid;
    std::uint64_t phase;
  } const what{Block::current()->grid(), phase};
  Block::current()->wait_until(
      [](const void* w) {
        const auto& [grid, of] = *static_cast<const What*>(w);
        return grid->has_ended(of);
      },
      &what, Scope::device);
}

void add_shared_variable(const void* p, std::size_t bytes) {
  shared_of_block.variables.emplace_back(reinterpret_cast<std::uintptr_t>(p), bytes);
}
bool is_shared_of_block(const void* p, std::size_t bytes) {
  const auto within = [&](std::uintptr_t begin, std::size_t size) {
    const auto at = reinterpret_cast<std::uintptr_t>(p);
    return at >= begin && at - begin <= size && bytes <= size - (at - begin);
  };
  return within(reinterpret_cast<std::uintptr_t>(dynamic_bytes), shared_of_block.dynamic_bytes) ||
         std::any_of(shared_of_block.variables.begin(), shared_of_block.variables.end(),
                     [&](const auto& variable) { return within(variable.first, variable.second); });
}

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

namespace {

// A grid while it runs.
class Run {
 public:
  Run(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Kernel& kernel,
      const LaunchOptions& options)
      : dims_(grid),
        block_(block),
        shared_bytes_(shared_bytes),
        kernel_(kernel),
        options_(options),
        blocks_(std::uint64_t{grid.x} * grid.y * grid.z),
        stride_(stride_of(blocks_, options.block.seed)),
        offset_(options.block.seed * 0xBF58476D1CE4E5B9U % blocks_),
        first_failed_(blocks_),
        grid_(blocks_, blocks_ * block.x * block.y * block.z, options.cooperative,
              blocks_ > 1 && (options.cooperative || threads_or_default(options.threads) > 1), depth_now),
        what_(options.name + ", grid " + text_of(grid) + ", block " + text_of(block) + ',') {
    // See BlockOptions.
    constexpr std::uint64_t most_guarded = 8192;
    const auto threads = static_cast<std::uint64_t>(threads_or_default(options.threads));
    const std::uint64_t at_once = options.cooperative ? blocks_ : std::min(blocks_, threads);
    if (at_once * block.x * block.y * block.z > most_guarded) options_.block.guard_pages = false;
  }

  Outcome run() {
    constexpr std::uint32_t to_nearest = 0x1F80, flushing = 0x8040;
    const std::uint32_t control = options_.flush_subnormals ? to_nearest | flushing : to_nearest;
    const MxcsrGuard guard(control);
    const TimeLimit limit(grid_, options_.seconds, what_);
    if (options_.cooperative) {
      try {
        on_threads_of_their_own(blocks_, [&](std::uint64_t number) {
          const MxcsrGuard guard_of_thread(control);
          try {
            run_block(number);
          } catch (...) {
            keep_exception(number);
          }
          grid_.end_block();
        });
      } catch (const std::system_error& error) {
        return {Ended::not_started, std::to_string(blocks_) + " OS threads, one a block: " + error.what()};
      }
      if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    } else {
      parallel_for(static_cast<std::size_t>(blocks_), options_.threads,
                   [&](std::size_t turn) { run_block(block_at(turn)); });
    }
    if (!failure_.empty()) return {Ended::failed, failure_};
    if (skipped_ || !stopped_text_.empty()) {
      char seconds[32];
      std::snprintf(seconds, sizeof seconds, "%g", options_.seconds);
      return {Ended::timed_out, std::string("no end within ") + seconds + " s; " +
                                    (stopped_text_.empty() ? "not all blocks have begun" : stopped_text_)};
    }
    return {};
  }
  Outcome run_deferred() {
    ++depth_now;
    Outcome outcome = grid_.run_deferred();
    --depth_now;
    return outcome;
  }

 private:
  // Blocks begin in the order of the schedule, as the threads of each do.
  std::uint64_t block_at(std::uint64_t turn) const {
    __extension__ using Wide = unsigned __int128;
    switch (options_.block.schedule) {
      case Schedule::reverse: return blocks_ - 1 - turn;
      case Schedule::random: return static_cast<std::uint64_t>((Wide{turn} * stride_ + offset_) % blocks_);
      default: return turn;
    }
  }
  // Coprime to the number of blocks, so that each has its turn.
  static std::uint64_t stride_of(std::uint64_t blocks, std::uint64_t seed) {
    std::uint64_t stride = (seed * 0x9E3779B97F4A7C15U | 1) % blocks;
    while (std::gcd(stride, blocks) != 1) ++stride;
    return stride;
  }

  void run_block(std::uint64_t number) {
    if (grid_.stopped().load(std::memory_order_relaxed)) {
      skipped_.store(true, std::memory_order_relaxed);
      return;
    }
    grid_.begun.store(number, std::memory_order_relaxed);
    blockDim = block_;
    gridDim = dims_;
    const auto x = number % dims_.x, y = number / dims_.x % dims_.y, z = number / dims_.x / dims_.y;
    blockIdx = {static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z)};
    dynamic_shared_now = poisoned(shared_bytes_);
    shared_of_block.dynamic_bytes = shared_bytes_;
    shared_of_block.variables.clear();
    prepare_for_faults();
    Block& block = worker.block_for(options_.block);
    const std::string why = block.run(block_, kernel_, number, &grid_);
    dynamic_shared_now = nullptr;
    if (why.empty()) return;
    if (!block.was_stopped()) grid_.stop();
    const std::scoped_lock lock(mutex_);
    const std::string text = "block " + text_of(dim3(blockIdx)) + ": " + why;
    if (block.was_stopped()) {
      if (stopped_text_.empty() || number < first_stopped_) {
        first_stopped_ = number;
        stopped_text_ = text;
      }
    } else if (number < first_failed_) {
      first_failed_ = number;
      failure_ = text;
    }
  }
  void keep_exception(std::uint64_t number) {
    grid_.stop();
    const std::scoped_lock lock(mutex_);
    if (thrown_ != nullptr && number > first_thrown_) return;
    thrown_ = std::current_exception();
    first_thrown_ = number;
  }

  dim3 dims_, block_;
  std::size_t shared_bytes_;
  Kernel kernel_;
  LaunchOptions options_;
  std::uint64_t blocks_, stride_, offset_;  // see block_at()
  std::mutex mutex_{};
  std::uint64_t first_failed_, first_stopped_ = 0, first_thrown_ = 0;
  std::string failure_{}, stopped_text_{};
  std::exception_ptr thrown_{};
  Grid grid_;
  std::string what_;
  std::atomic<bool> skipped_{false};
};

}  // namespace

Outcome run_grid(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Kernel& kernel,
                 const LaunchOptions& options) {
  if (std::string why = why_not_launched(grid, block, shared_bytes, {}); !why.empty())
    return {Ended::not_started, std::move(why)};
  if (Block::current() != nullptr)
    throw ContractError("simt: a kernel launches a kernel that is not deferred");
  Run run(grid, block, shared_bytes, kernel, options);
  Outcome outcome = run.run();
  if (outcome.how == Ended::well) outcome = run.run_deferred();
  return outcome;
}

std::string launch(const dim3& grid, const dim3& block, std::size_t shared_bytes, const Kernel& kernel,
                   const LaunchOptions& options) {
  return run_grid(grid, block, shared_bytes, kernel, options).text;
}

}  // namespace assay::simt
