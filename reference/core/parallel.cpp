#include "reference/core/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <string>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"

// ThreadSanitizer does not see how GNU's OpenMP hands work to its threads and waits for them. Told, it sees the rest.
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define ASSAY_NOT_WATCHED [[gnu::no_sanitize_thread]]
#else
#define ASSAY_NOT_WATCHED
#endif

namespace assay {
namespace {

#ifdef __SANITIZE_THREAD__
char handed_over, handed_back;
void release(char& place) { __tsan_release(&place); }
void acquire(char& place) { __tsan_acquire(&place); }
#else
constexpr char handed_over = 0, handed_back = 0;
void release(char) {}
void acquire(char) {}
#endif

std::atomic<std::uint64_t> regions = 0;

constexpr std::uint32_t exception_flags = 0x3F;  // of MXCSR: results, not settings

// Workers of a region now. Regions do not nest.
int team_of(int threads) { return omp_in_parallel() != 0 ? 1 : threads_or_default(threads); }

// body(worker, workers) on a team; it must not throw. OpenMP may give fewer workers than asked.
template <class Body>
ASSAY_NOT_WATCHED void region(int team, const Body& body) {
  const std::uint32_t control = mxcsr() & ~exception_flags;
  release(handed_over);
#pragma omp parallel num_threads(team)
  {
    acquire(handed_over);
    const auto worker = static_cast<std::size_t>(omp_get_thread_num()),
               workers = static_cast<std::size_t>(omp_get_num_threads());
    if (worker == 0 && workers > 1) ++regions;
    const MxcsrGuard guard(control);
    body(worker, workers);
    release(handed_back);
  }
  acquire(handed_back);
}

// The exception of the lowest index.
class Failure {
 public:
  std::atomic<std::size_t> lowest = std::numeric_limits<std::size_t>::max();

  void keep(std::size_t index) {
    const std::scoped_lock lock(mutex_);
    if (exception_ && index >= lowest) return;
    exception_ = std::current_exception();
    lowest = index;
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr exception_;
};

}  // namespace

int default_threads() { return omp_in_parallel() != 0 ? 1 : std::min(omp_get_max_threads(), most_threads); }

int threads_or_default(int threads) {
  if (threads < 0 || threads > most_threads)
    throw ContractError("threads: " + std::to_string(threads) + ", not 0 to " + std::to_string(most_threads));
  return threads > 0 ? threads : default_threads();
}

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) {
  if (threads != 0) omp_set_num_threads(threads_or_default(threads));
}
ThreadScope::~ThreadScope() { omp_set_num_threads(before_); }

namespace detail {

void run_loop(std::size_t n, const Sharing& sharing, Visit visit, const void* body) {
  Failure failure;
  const int team = team_of(sharing.threads);
  const std::size_t chunk = sharing.chunk > 0 ? sharing.chunk : n / (16 * static_cast<std::size_t>(team)) + 1;
  if (team == 1 || n <= (sharing.share == Share::dynamic ? chunk : 1)) {
    std::size_t at = 0;
    visit(body, at, n, 0, failure.lowest);
    return;
  }
  std::atomic<std::size_t> next = 0;
  region(team, [&](std::size_t worker, std::size_t workers) {
    std::size_t at = 0;
    try {
      if (sharing.share == Share::fixed) {
        const std::size_t share = n / workers, longer = n % workers;  // the first ones take one index more
        at = worker * share + std::min(worker, longer);
        visit(body, at, at + share + (worker < longer ? 1 : 0), worker, failure.lowest);
        return;
      }
      // Chunks are taken in ascending order: below a failure all are begun, and whoever has one goes on with it.
      while ((at = next.fetch_add(chunk)) < n && at < failure.lowest) {
        visit(body, at, std::min(at + chunk, n), worker, failure.lowest);
      }
    } catch (...) {
      failure.keep(at);
    }
  });
  failure.rethrow();
}

void run_workers(int threads, Work work, const void* body) {
  std::atomic<bool> failed = false;
  const int team = team_of(threads);
  if (team == 1) return work(body, {0, failed});
  Failure failure;
  region(team, [&](std::size_t worker, std::size_t) {
    try {
      work(body, {worker, failed});
    } catch (...) {
      failed = true;
      failure.keep(0);
    }
  });
  failure.rethrow();
}

}  // namespace detail

std::uint64_t parallel_regions() { return regions; }

void check_before_fork(std::string_view who) {
  if (regions == 0) return;
  throw ContractError(
      std::string(who) + " would fork after " + std::to_string(regions) +
      " parallel regions; OpenMP's threads do not survive a fork, and the child's first region would "
      "hang");
}

int openmp_version() { return _OPENMP; }

}  // namespace assay
