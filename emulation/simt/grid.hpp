// What the blocks of one launch share: when they have to end, a barrier of all of them, and what their threads launch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "emulation/simt/launch.hpp"

namespace assay::simt {

class Grid {
 public:
  // `depth`: of the launches of kernels by kernels, 0 for the host's.
  // `concurrent`: several of its blocks run at the same time.
  Grid(std::uint64_t blocks, std::uint64_t threads, bool cooperative, bool concurrent, int depth)
      : blocks_(blocks),
        threads_(threads),
        depth_(depth),
        cooperative_(cooperative),
        concurrent_(concurrent) {}

  bool cooperative() const { return cooperative_; }
  bool concurrent() const { return concurrent_; }
  int depth() const { return depth_; }

  // Once it holds, the threads of every block end where they next wait.
  const std::atomic<bool>& stopped() const { return stopped_; }
  void stop();

  // Ends when all blocks are here. False if that cannot be: a block has ended, or all have to. Of a cooperative grid,
  // whose blocks have an OS thread each.
  bool wait_for_all_blocks();
  void end_block();
  // One of all threads of the grid arrives; the phase ends with the last one.
  std::uint64_t arrive();
  bool has_ended(std::uint64_t phase) const { return thread_phase_ != phase; }
  // Why wait_for_all_blocks() could not end; empty if it could.
  std::string why_not_all() const;

  // By a thread of block `block`: runs after the grid has ended, in the order of the blocks and in each of the calls;
  // those with `last` after all others.
  void defer(std::uint64_t block, bool last, std::unique_ptr<Deferred> what);
  // Runs them, up to one that fails.
  Outcome run_deferred();

  // The block that was begun last: for a message.
  std::atomic<std::uint64_t> begun{0};

 private:
  bool cannot_meet() const { return ended_ != 0 && waiting_ + ended_ == blocks_; }

  struct Entry {
    std::uint64_t block;
    bool last;
    std::unique_ptr<Deferred> what;
  };

  const std::uint64_t blocks_, threads_;
  const int depth_;
  const bool cooperative_, concurrent_;
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_{};
  std::condition_variable all_here_{};
  std::uint64_t waiting_ = 0, ended_ = 0, phase_ = 0;
  std::string why_not_all_{};
  std::atomic<std::uint64_t> arrived_{0}, thread_phase_{0};
  std::vector<Entry> deferred_{};
};

// body(i) for every i of [0, n), each on an OS thread that runs no other one of them at the same time.
// std::system_error where the system has not so many.
void on_threads_of_their_own(std::uint64_t n, const std::function<void(std::uint64_t)>& body);

// Stops the grid when the time is over, and ends the process with code 124 and a message if that does not help: a
// thread runs that never waits.
class TimeLimit {
 public:
  // No limit for 0 seconds.
  TimeLimit(Grid& grid, double seconds, std::string what);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  bool is_over() const;

 private:
  friend class Watchdog;
  Grid& grid_;
  double seconds_;
  std::string what_;
  std::chrono::steady_clock::time_point due_{};
  std::atomic<bool> over_{false};
};

}  // namespace assay::simt
