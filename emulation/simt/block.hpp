// The CUDA threads of one block, run on one OS thread: each is a fibre while it waits, and a plain call while it does
// not.
//
// Order. Threads begin in the order of the schedule and run until they wait or end. Those that may go on do so in the
// order in which they became ready, or at random under Schedule::random. A run is a function of the schedule alone.
//
// Waiting
//   barrier      ends when every thread of the block that has not exited waits there, as on the hardware, which counts
//                threads that have exited as arrived; or when as many threads have come as it is for.
//   collective   of the lanes of a mask ends when all of them that have not exited wait with this mask at the same
//                operation.
//   group        of threads with successive numbers ends as a collective does, across warps.
//   wait_until   ends when something in memory has become true, which is looked at when nothing else in the block can
//                run.
//   convergence  ends when nothing else in the block can run: the lanes of a warp that wait at one place are its active
//                mask.
//   grid         ends when all blocks of a cooperative grid are there.
// Where nothing can go on the block has failed, and says who waits where.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "emulation/simt/fibre.hpp"
#include "emulation/simt/include/vector_types.h"

namespace assay::simt {

class Grid;

enum class Schedule : std::uint8_t { forward, reverse, random };

inline constexpr std::uint32_t warp_lanes = 32;

struct BlockOptions {
  Schedule schedule = Schedule::forward;
  std::uint64_t seed = 1;  // of Schedule::random, with the block's number
  std::size_t stack_bytes = std::size_t{1} << 17;
  // A page below each stack that nothing may touch. Without it a stack that overflows is found when the block has
  // ended: for many blocks at once, as the system allows a process some ten thousand such pages.
  bool guard_pages = true;
};

// What a thread that waits for memory looks at: of its block, which nobody else writes, or of all.
enum class Scope : std::uint8_t { block, device };

// What the threads of the block run.
struct Kernel {
  void (*call)(const void* closure) = nullptr;
  const void* closure = nullptr;
};

// What a barrier tells of the predicates of its threads.
enum class Vote : std::uint8_t { none, count, all, any };

// Of the lanes of a mask that are there, once for all: out[lane] from in[lane]. Other pointers are null.
using Collective = void(const void* const* in, void* const* out, std::uint32_t lanes);
// Of `count` threads; null where one has exited.
using GroupOperation = void(const void* const* in, void* const* out, std::uint32_t count);

class Block {
 public:
  explicit Block(const BlockOptions& options);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Runs all threads of a block of this extent. Empty, or why it could not end: "deadlock: ...". Throws what the kernel
  // throws. After a failure the frames of threads that waited are gone, and what they owned is not released. Always on
  // the same OS thread. `grid`: to which it belongs; none if it is alone.
  std::string run(const dim3& extent, const Kernel& kernel, std::uint64_t number, Grid* grid = nullptr);
  // The last run ended because the grid was stopped.
  bool was_stopped() const { return was_stopped_; }

  // The block whose thread calls, on this OS thread; null outside.
  // Not a thing that a program reads, so no profile counts it.
  __attribute__((no_sanitize("thread"))) static Block* current() { return current_; }

  // For its threads.
  // Of the hardware's 0 to 15, and 16 for a cluster of one block.
  // `threads`: how many the barrier is for, as with bar.sync's count; 0: all that have not exited.
  std::uint32_t barrier(std::uint32_t id, bool predicate, Vote vote, std::uint32_t threads = 0);
  // Counts for a barrier of so many threads, without waiting there.
  void arrive(std::uint32_t id, std::uint32_t threads);
  void collective(std::uint32_t mask, const void* in, void* out, Collective* operation);
  // Arrives where all threads of the block arrive that have not exited; the phase, which wait_for_all() takes.
  std::uint32_t arrive_of_all();
  void wait_for_all(std::uint64_t phase);
  // Once for all threads of [first, first + count) that have not exited, by their numbers in the block.
  void group(std::uint32_t first, std::uint32_t count, const void* in, void* out, GroupOperation* operation);
  // Until done(what): it is called again and again, on behalf of the waiting thread.
  void wait_until(bool (*done)(const void* what), const void* what, Scope scope);
  // Of all blocks of a cooperative grid.
  void grid_barrier();
  // The lanes of the calling thread's warp that reach `site` together.
  std::uint32_t active_mask(const void* site);
  // Lets the others run: for a thread that waits for what another one writes.
  void yield();
  // The same for a thread that does nothing but ask again, which is no activity.
  void yield_asking();
  // Grows whenever a thread goes on that did not only ask: while it stands, those that ask in turn do so in vain.
  std::uint64_t activity() const { return activity_; }
  std::uint32_t lane() const;
  // Of the calling thread in the block, from 0; x fastest.
  std::uint32_t thread_number() const;
  // Differs from run to run: what is kept for a block's threads ends with it.
  std::uint64_t run_number() const { return runs_; }
  // Ends the calling thread, as by a return from the kernel. What its frames own is released.
  [[noreturn]] void exit_thread();
  std::uint32_t live() const { return live_; }
  std::uint32_t threads() const { return count_; }
  // On the stack of the thread that calls.
  bool on_stack(const void* p) const { return running_->holds(p); }
  std::uint64_t number() const { return number_; }
  Grid* grid() const { return grid_; }
  // The CUDA error that the thread saw last.
  int& last_error();
  // Ends the block with this reason; the calling thread does not go on.
  [[noreturn]] void fail(std::string reason);

 private:
  enum class Waiting : std::uint8_t;
  struct Thread;
  struct Warp;
  struct Barrier;
  struct Group;

  static constinit thread_local Block* current_;

  static void fibre_main(void* block);
  void prepare(const dim3& extent);
  void run_new_threads();
  void end(Thread& thread);
  void go_on_without(Warp& warp, const Thread& ended);
  bool all_have_arrived(std::uint32_t phase);
  void suspend();
  void resume_next(Fibre& from);
  void make_ready(Thread& thread);
  Thread* take_ready();
  Barrier& barrier_of(std::uint32_t id, std::uint32_t threads);
  void release_if_full(Barrier& barrier);
  void release(Barrier& barrier);
  void complete(Group& group);
  bool complete(Warp& warp, std::uint32_t mask);
  void complete_all(Warp& warp);
  bool refill();
  bool look();
  bool converge();
  void stop();
  void check_stacks();
  void enter(Thread& thread);
  Fibre& spare_fibre();
  std::string who_waits() const;
  std::uint64_t random();

  BlockOptions options_;
  Kernel kernel_{};
  dim3 extent_{};
  std::uint32_t count_ = 0, begun_ = 0, live_ = 0;
  std::uint32_t at_barriers_ = 0;  // threads that wait there
  // Of arrive_of_all(): the phase, who has arrived, and who has exited and had not.
  std::uint32_t phase_ = 1, arrived_ = 0, absent_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::uint32_t> order_{};
  std::vector<Thread*> ready_{};  // from next_ready_ on
  std::size_t next_ready_ = 0;
  std::vector<Thread*> yielded_{}, looking_{};  // looking_: in wait_until()
  std::uint32_t rounds_ = 0;                    // of those that yield alone
  std::vector<Barrier> barriers_;
  std::vector<std::unique_ptr<Group>> groups_{};
  std::uint32_t at_groups_ = 0;
  std::vector<std::unique_ptr<Fibre>> fibres_{};
  std::vector<Fibre*> spare_{};
  Fibre host_{};
  Fibre* running_ = nullptr;
  Thread* thread_ = nullptr;  // that runs
  std::uint64_t random_ = 0, number_ = 0, runs_ = 0, activity_ = 0;
  Grid* grid_ = nullptr;
  const std::atomic<bool>* stop_ = nullptr;
  bool failed_ = false, was_stopped_ = false;
  std::string failure_{};
  std::exception_ptr thrown_{};
};

}  // namespace assay::simt

// CUDA's own variables: of the thread that runs on this OS thread. Objects and not macros, for a program may have
// variables of these names.
extern constinit thread_local uint3 threadIdx, blockIdx;
extern constinit thread_local dim3 blockDim, gridDim;
