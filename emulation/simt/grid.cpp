#include "emulation/simt/grid.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

namespace assay::simt {

// --- blocks that wait for each other ---------------------------------------------------------------------------------

void Grid::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  all_here_.notify_all();
}

bool Grid::wait_for_all_blocks() {
  std::unique_lock lock(mutex_);
  const std::uint64_t phase = phase_;
  if (++waiting_ == blocks_) {
    waiting_ = 0;
    ++phase_;
    all_here_.notify_all();
    return true;
  }
  const auto is_over = [&] { return phase_ != phase || stopped_ || cannot_meet(); };
  if (cannot_meet()) all_here_.notify_all();
  all_here_.wait(lock, is_over);
  if (phase_ != phase) return true;
  if (!stopped_ && why_not_all_.empty())
    why_not_all_ = "deadlock: " + std::to_string(waiting_) + " of " + std::to_string(blocks_) +
                   " blocks wait for all of the grid, and the others have ended";
  return false;
}

void Grid::end_block() {
  const std::scoped_lock lock(mutex_);
  ++ended_;
  if (cannot_meet()) all_here_.notify_all();
}

std::uint64_t Grid::arrive() {
  const std::uint64_t phase = thread_phase_;
  if (++arrived_ == threads_) {
    arrived_ = 0;
    ++thread_phase_;
  }
  return phase;
}

std::string Grid::why_not_all() const {
  const std::scoped_lock lock(mutex_);
  return why_not_all_;
}

// --- what kernels launch ---------------------------------------------------------------------------------------------

void Grid::defer(std::uint64_t block, bool last, std::unique_ptr<Deferred> what) {
  const std::scoped_lock lock(mutex_);
  deferred_.push_back({block, last, std::move(what)});
}

Outcome Grid::run_deferred() {
  std::stable_sort(deferred_.begin(), deferred_.end(), [](const Entry& a, const Entry& b) {
    return a.last != b.last ? b.last : a.block < b.block;
  });
  for (Entry& entry : deferred_) {
    Outcome outcome = entry.what->run();
    entry.what.reset();
    if (outcome.how != Ended::well) return outcome;
  }
  return {};
}

// --- OS threads ------------------------------------------------------------------------------------------------------

namespace {

// OS threads that are kept: each has its fibres and its shared memory.
class Crew {
 public:
  void run(std::uint64_t n, const std::function<void(std::uint64_t)>& body) {
    const std::scoped_lock alone(one_at_a_time_);
    {
      std::unique_lock lock(mutex_);
      for (; threads_ < n; ++threads_)
        std::thread([this, index = threads_, phase = phase_] { work(index, phase); }).detach();
      body_ = &body;
      wanted_ = left_ = n;
      ++phase_;
      begin_.notify_all();
      done_.wait(lock, [&] { return left_ == 0; });
      body_ = nullptr;
    }
  }

 private:
  void work(std::uint64_t index, std::uint64_t phase) {
    for (;;) {
      const std::function<void(std::uint64_t)>* body = nullptr;
      {
        std::unique_lock lock(mutex_);
        begin_.wait(lock, [&] { return phase_ != phase; });
        phase = phase_;
        if (index < wanted_) body = body_;
      }
      if (body == nullptr) continue;
      (*body)(index);
      const std::scoped_lock lock(mutex_);
      if (--left_ == 0) done_.notify_one();
    }
  }

  std::mutex one_at_a_time_{}, mutex_{};
  std::condition_variable begin_{}, done_{};
  std::uint64_t threads_ = 0, phase_ = 0, wanted_ = 0, left_ = 0;
  const std::function<void(std::uint64_t)>* body_ = nullptr;
};

}  // namespace

void on_threads_of_their_own(std::uint64_t n, const std::function<void(std::uint64_t)>& body) {
  static auto* const crew = new Crew;  // its threads outlive main()
  crew->run(n, body);
}

// --- time ------------------------------------------------------------------------------------------------------------

class Watchdog {
 public:
  static Watchdog& one() {
    static auto* const all = new Watchdog;
    return *all;
  }
  void add(TimeLimit& limit) {
    const std::scoped_lock lock(mutex_);
    limits_.push_back(&limit);
    changed_.notify_one();
  }
  void remove(TimeLimit& limit) {
    const std::scoped_lock lock(mutex_);
    limits_.erase(std::find(limits_.begin(), limits_.end(), &limit));
  }

 private:
  using Clock = std::chrono::steady_clock;

  Watchdog() {
    std::thread([this] { watch(); }).detach();
  }
  void watch() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto now = Clock::now();
      auto next = now + std::chrono::hours(1);
      for (TimeLimit* const limit : limits_) {
        if (now >= limit->due_) pass(*limit, now);
        next = std::min(next, limit->due_);
      }
      changed_.wait_until(lock, next);
    }
  }
  // A second for the blocks to end where they wait.
  static void pass(TimeLimit& limit, Clock::time_point now) {
    limit.due_ = now + std::chrono::seconds(1);
    if (!limit.over_.exchange(true)) return limit.grid_.stop();
    std::fprintf(stderr,
                 "simt: %s did not end within %g s (ASSAY_SIMT_SECONDS), and a thread of it never waits; "
                 "block %llu of the grid was the last to begin\n",
                 limit.what_.c_str(), limit.seconds_,
                 static_cast<unsigned long long>(limit.grid_.begun.load()));
    std::fflush(stderr);
    _exit(124);
  }

  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::vector<TimeLimit*> limits_{};
};

TimeLimit::TimeLimit(Grid& grid, double seconds, std::string what)
    : grid_(grid), seconds_(seconds), what_(std::move(what)) {
  if (seconds_ <= 0) return;
  due_ = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                std::chrono::duration<double>(seconds_));
  Watchdog::one().add(*this);
}
TimeLimit::~TimeLimit() {
  if (seconds_ > 0) Watchdog::one().remove(*this);
}
bool TimeLimit::is_over() const { return over_; }

}  // namespace assay::simt
