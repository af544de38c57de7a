// Loops on several threads, whose bodies may throw. All threads of the libraries come from here.
//
// What every region promises
//   exceptions  A loop throws what a serial loop would throw: the exception of the lowest index whose body throws.
//               Indices above it are not begun any more, and all workers have ended before the caller sees it.
//   results     Each index is visited once, by one worker. A body that writes only what belongs to its index gives the
//               same result for any number of threads.
//   MXCSR       Workers compute under the control bits of the caller.
//   nesting     A region within a region of several workers runs on the worker that meets it.
//   worker 0    is the calling thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace assay {

// Workers of a region that asks for 0: the number of the innermost ThreadScope of this thread, else OMP_NUM_THREADS,
// else one a processor that this process may use. 1 within a region of several workers.
int default_threads();

// No region takes more workers: the threads of a process end somewhere, and OpenMP's answer to that is to end it.
inline constexpr int most_threads = 4096;

// `threads` if it is positive, else default_threads(). ContractError unless it is 0 to most_threads.
int threads_or_default(int threads);

// Sets default_threads() of this thread for a scope; 0 leaves it as it is. ContractError as above.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

enum class Share : std::uint8_t {
  dynamic,  // a worker that is done takes the next chunk
  fixed,    // one contiguous share a worker, of equal size
};

// How a loop is shared out. An int stands for a number of threads.
struct Sharing {
  Sharing(int threads_ = 0, Share share_ = Share::dynamic, std::size_t chunk_ = 0)  // NOLINT: implicit
      : threads(threads_), share(share_), chunk(chunk_) {}
  int threads;  // 0: default_threads()
  Share share;
  std::size_t chunk;  // of Share::dynamic: indices that a worker takes at once. 0: a 16th of its share
};

namespace detail {

// Visits [at, end), `at` being the index that it is at, and stops before `stop`.
using Visit = void (*)(const void* body, std::size_t& at, std::size_t end, std::size_t worker,
                       const std::atomic<std::size_t>& stop);
void run_loop(std::size_t n, const Sharing& sharing, Visit visit, const void* body);

}  // namespace detail

// body(i) or body(i, worker) for every i of [0, n), in any order; worker < threads_or_default(sharing.threads).
template <class Body>
void parallel_for(std::size_t n, const Sharing& sharing, const Body& body) {
  detail::run_loop(
      n, sharing,
      [](const void* erased, std::size_t& at, std::size_t end, std::size_t worker,
         const std::atomic<std::size_t>& stop) {
        const Body& visit = *static_cast<const Body*>(erased);
        for (; at < end && at < stop.load(std::memory_order_relaxed); ++at) {
          if constexpr (std::is_invocable_v<const Body&, std::size_t, std::size_t>) {
            visit(at, worker);
          } else {
            visit(at);
          }
        }
      },
      &body);
}

// One object a worker, made by make() on the worker when it first asks: buffers, sums. Each has its own cache lines.
template <class Make>
class PerWorker {
 public:
  using State = std::invoke_result_t<const Make&>;

  PerWorker(int threads, Make make)
      : make_(std::move(make)), slots_(static_cast<std::size_t>(threads_or_default(threads))) {}

  State& operator[](std::size_t worker) {
    std::unique_ptr<Slot>& slot = slots_[worker];
    if (!slot) slot.reset(new Slot{make_()});
    return slot->state;
  }
  // visit(state) for those that were made, by worker.
  template <class Each>
  void for_each(const Each& visit) {
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (slot) visit(slot->state);
    }
  }

 private:
  struct alignas(64) Slot {
    State state;
  };
  Make make_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

// body(state, i) for every i of [0, n), each worker with its own state from make(); merge(total, state) puts them
// together. Which worker sees which index is chance: the total must not depend on it (counts, minima; sums of floating
// point belong into an array by index).
template <class Make, class Body, class Merge>
std::invoke_result_t<const Make&> parallel_reduce(std::size_t n, const Sharing& sharing, const Make& make,
                                                  const Body& body, const Merge& merge) {
  using State = std::invoke_result_t<const Make&>;
  PerWorker<const Make&> states(sharing.threads, make);
  parallel_for(n, sharing, [&](std::size_t i, std::size_t worker) { body(states[worker], i); });
  std::optional<State> total;
  states.for_each([&](State& state) {
    if (total) {
      merge(*total, std::move(state));
    } else {
      total.emplace(std::move(state));
    }
  });
  return total ? *std::move(total) : make();
}

// One call of a body a worker, for loops that share out their work themselves.
struct Worker {
  std::size_t index;                // from 0
  const std::atomic<bool>& failed;  // another one has thrown: this one should end
};

namespace detail {
using Work = void (*)(const void* body, const Worker& worker);
void run_workers(int threads, Work work, const void* body);
}  // namespace detail

// body(worker) on each of at most `threads` workers (0: default_threads()). Of several exceptions the first is thrown.
template <class Body>
void parallel_workers(int threads, const Body& body) {
  detail::run_workers(
      threads, [](const void* erased, const Worker& worker) { (*static_cast<const Body*>(erased))(worker); },
      &body);
}

// How many regions had more than one worker in this process so far.
std::uint64_t parallel_regions();

// ContractError if there was one: GNU's OpenMP keeps its threads for the next region, a child of fork() has none of
// them, and its first region would wait for them for ever. `who` is about to fork.
void check_before_fork(std::string_view who);

// The date of the OpenMP specification behind the threads, as YYYYMM.
int openmp_version();

}  // namespace assay
