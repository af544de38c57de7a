// Loops on 1, 2 and 5 threads: every index once, the same results, a serial loop's exception.
#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

using namespace assay;

namespace {

constexpr auto thread_counts = {1, 2, 5};
const std::vector<Sharing> sharings(int threads) {
  return {{threads}, {threads, Share::dynamic, 1}, {threads, Share::dynamic, 7}, {threads, Share::fixed}};
}

// A task that must not run in this process: true if `task` returned true in a child of it.
template <class Task>
bool in_a_child(const Task& task) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(task() ? 0 : 1);
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

// First: no region has run in this process, so that a child may have threads.
BOOST_AUTO_TEST_CASE(regions_of_several_workers_are_counted_and_forbid_a_fork) {
  BOOST_TEST(parallel_regions() == 0U);
  BOOST_CHECK_NO_THROW(check_before_fork("the test"));
  parallel_for(100, 1, [](std::size_t) {});
  parallel_for(1, 5, [](std::size_t) {});
  parallel_for(0, 5, [](std::size_t) {});
  parallel_workers(1, [](const Worker&) {});
  BOOST_TEST(parallel_regions() == 0U);
  BOOST_TEST(in_a_child([] {
    parallel_for(100, 2, [](std::size_t) {});
    parallel_workers(2, [](const Worker&) {});
    try {
      check_before_fork("the test");
    } catch (const ContractError& e) {
      return parallel_regions() == 2 &&
             std::string(e.what()).starts_with("the test would fork after 2 parallel regions; ");
    }
    return false;
  }));
  BOOST_TEST(parallel_regions() == 0U);
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_has_one_source) {
  const int before = default_threads();
  {
    const ThreadScope three(3);
    BOOST_TEST(default_threads() == 3);
    BOOST_TEST(threads_or_default(0) == 3);
    BOOST_TEST(threads_or_default(7) == 7);
    const ThreadScope same(0);
    BOOST_TEST(default_threads() == 3);
    std::atomic<int> workers = 0;
    parallel_workers(0, [&](const Worker&) { ++workers; });
    BOOST_TEST(workers == 3);
  }
  BOOST_TEST(default_threads() == before);
  BOOST_CHECK_THROW(ThreadScope(-1), ContractError);
  BOOST_CHECK_THROW(ThreadScope(most_threads + 1), ContractError);
  BOOST_CHECK_THROW(parallel_for(2, 100000, [](std::size_t) {}), ContractError);
}

// OpenMP reads the variable when a program starts: this one is started anew with it.
BOOST_AUTO_TEST_CASE(omp_num_threads_is_honoured) {
  if (const char* const asked = std::getenv("OMP_NUM_THREADS")) {
    BOOST_TEST(default_threads() == std::atoi(asked));
    return;
  }
  BOOST_TEST(default_threads() == hardware_threads());
  BOOST_TEST(in_a_child([] {
    ::setenv("OMP_NUM_THREADS", "3", 1);
    ::unsetenv("BOOST_TEST_LOGGER");  // the files of this process
    return ::execl("/proc/self/exe", "reference_core_test",
                   "--run_test=parallel_test/omp_num_threads_is_honoured", nullptr) == 0;
  }));
}

BOOST_AUTO_TEST_CASE(every_index_once) {
  std::size_t wrong = 0;
  for (const int threads : thread_counts) {
    for (const Sharing& sharing : sharings(threads)) {
      for (const std::size_t n : {0U, 1U, 2U, 4U, 5U, 6U, 7U, 8U, 79U, 80U, 81U, 1000U}) {
        std::vector<std::atomic<int>> visits(n);
        std::atomic<std::size_t> strangers = 0;
        parallel_for(n, sharing, [&](std::size_t i, std::size_t worker) {
          ++visits[i];
          if (worker >= static_cast<std::size_t>(threads)) ++strangers;
        });
        wrong += strangers + static_cast<std::size_t>(
                                 std::ranges::count_if(visits, [](const auto& count) { return count != 1; }));
      }
    }
  }
  BOOST_TEST(wrong == 0U);
}

// The bodies at `first` and at all indices behind it throw.
BOOST_AUTO_TEST_CASE(the_caller_sees_the_exception_of_the_lowest_index) {
  constexpr std::size_t n = 61;
  std::size_t wrong = 0;
  for (const int threads : thread_counts) {
    for (const Sharing& sharing : sharings(threads)) {
      for (std::size_t first = 0; first < n; ++first) {
        for (const bool alone : {true, false}) {
          std::vector<std::atomic<int>> visits(n);
          std::string caught = "nothing";
          try {
            parallel_for(n, sharing, [&](std::size_t i) {
              ++visits[i];
              if (alone ? i == first : i >= first) throw std::runtime_error(std::to_string(i));
            });
          } catch (const std::runtime_error& e) {
            caught = e.what();
          }
          wrong += caught != std::to_string(first);
          for (std::size_t i = 0; i < n; ++i) wrong += i <= first ? visits[i] != 1 : visits[i] > 1;
        }
      }
    }
  }
  BOOST_TEST(wrong == 0U);
  // It keeps its type.
  BOOST_CHECK_THROW(parallel_for(9, 2,
                                 [](std::size_t i) {
                                   if (i == 8) throw InputError("a", "b", "c", "d");
                                 }),
                    InputError);
  BOOST_CHECK_THROW(parallel_for(9, 2,
                                 [](std::size_t i) {
                                   if (i == 8) throw 3;
                                 }),
                    int);
}

BOOST_AUTO_TEST_CASE(workers_stop_early) {
  constexpr std::size_t n = 1'000'000;
  for (const int threads : {2, 5}) {
    std::atomic<std::size_t> visits = 0;
    BOOST_CHECK_THROW(parallel_for(n, {threads, Share::dynamic, 1},
                                   [&](std::size_t i) {
                                     ++visits;
                                     if (i == 10) throw std::runtime_error("stop");
                                   }),
                      std::runtime_error);
    BOOST_TEST(visits < n);
    // A worker that would otherwise wait for ever.
    BOOST_CHECK_THROW(parallel_workers(threads,
                                       [](const Worker& worker) {
                                         if (worker.index == 1) throw std::runtime_error("stop");
                                         while (!worker.failed) std::this_thread::yield();
                                       }),
                      std::runtime_error);
  }
}

BOOST_AUTO_TEST_CASE(results_do_not_depend_on_the_threads) {
  constexpr std::size_t n = 10'007;
  std::set<std::string> results;
  for (const int threads : thread_counts) {
    for (const Sharing& sharing : sharings(threads)) {
      std::vector<double> roots(n);
      parallel_for(n, sharing, [&](std::size_t i) { roots[i] = 1.0 / static_cast<double>(i + 1); });
      struct Own {
        std::size_t count = 0, least = n;
      };
      const Own own = parallel_reduce(
          n, sharing, [] { return Own{}; },
          [](Own& mine, std::size_t i) {
            if (i % 11 != 3) return;
            ++mine.count;
            mine.least = std::min(mine.least, i);
          },
          [](Own& all, const Own& mine) {
            all.count += mine.count;
            all.least = std::min(all.least, mine.least);
          });
      results.insert(std::to_string(std::accumulate(roots.begin(), roots.end(), 0.0)) + " " +
                     std::to_string(own.count) + " " + std::to_string(own.least));
    }
  }
  BOOST_TEST(results.size() == 1U);
  BOOST_TEST(results.begin()->ends_with(" 910 3"));
  BOOST_TEST(parallel_reduce(
                 0, 5, [] { return 4; }, [](int&, std::size_t) {}, [](int&, int) {}) == 4);
}

BOOST_AUTO_TEST_CASE(a_state_that_cannot_be_made_is_an_exception_too) {
  for (const int threads : thread_counts) {
    BOOST_CHECK_THROW(parallel_reduce(
                          100, threads, []() -> int { throw std::bad_alloc(); }, [](int&, std::size_t) {},
                          [](int&, int) {}),
                      std::bad_alloc);
  }
}

BOOST_AUTO_TEST_CASE(a_region_within_a_region_is_serial) {
  std::atomic<int> wrong = 0;
  std::atomic<std::size_t> visits = 0;
  parallel_for(20, 2, [&](std::size_t) {
    if (default_threads() != 1) ++wrong;
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(10, 5, [&](std::size_t, std::size_t worker) {
      ++visits;
      if (worker != 0 || std::this_thread::get_id() != self) ++wrong;
    });
  });
  BOOST_TEST(wrong == 0);
  BOOST_TEST(visits == 200U);
  // A loop of one worker is no region: what it calls may use threads.
  std::atomic<int> workers = 0;
  parallel_for(1, 1, [&](std::size_t) { parallel_workers(2, [&](const Worker&) { ++workers; }); });
  BOOST_TEST(workers == 2);
}

BOOST_AUTO_TEST_CASE(workers_take_over_mxcsr) {
  for (const std::uint32_t control : {0x1F80U, 0x9FC0U, 0x7F80U}) {
    std::atomic<int> wrong = 0;
    const MxcsrGuard guard(control);
    for (const int threads : thread_counts) {
      parallel_for(50, {threads, Share::fixed}, [&](std::size_t) { wrong += (mxcsr() & ~0x3FU) != control; });
      parallel_workers(threads, [&](const Worker&) { wrong += (mxcsr() & ~0x3FU) != control; });
    }
    BOOST_TEST((mxcsr() & ~0x3FU) == control);
    BOOST_TEST(wrong == 0);
  }
}
