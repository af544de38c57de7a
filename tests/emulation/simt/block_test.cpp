// Kernels as closures: indices, barriers, shared memory, schedules, and what cannot end.
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulation/simt/launch.hpp"
#include "emulation/simt/warp.hpp"
#include "reference/core/error.hpp"

namespace {
using namespace assay;
using namespace assay::simt;

unsigned linear_thread() { return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x; }
unsigned linear_block() { return (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x; }
void synchronize_block() { Block::current()->barrier(0, false, Vote::none); }

std::vector<LaunchOptions> all_options() {
  std::vector<LaunchOptions> all;
  for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    for (const int threads : {1, 3})
      all.push_back({.block = {.schedule = schedule, .seed = 7}, .threads = threads});
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_thread_of_the_grid_runs_once) {
  const dim3 grid(3, 2, 2), block(5, 3, 2);
  for (const LaunchOptions& options : all_options()) {
    std::vector<std::atomic<int>> runs(12 * 30);
    const std::string why = launch(
        grid, block, 0, [&] { ++runs[linear_block() * 30 + linear_thread()]; }, options);
    BOOST_TEST(why == "");
    int wrong = 0;
    for (const auto& n : runs) wrong += n == 1 ? 0 : 1;
    BOOST_TEST(wrong == 0);
  }
}

// Each thread writes its value and reads its mirror image's, twice over the same memory.
BOOST_AUTO_TEST_CASE(a_barrier_waits_for_all_threads) {
  for (const unsigned n : {1U, 31U, 32U, 33U, 257U, 1024U}) {
    for (const LaunchOptions& options : all_options()) {
      constexpr unsigned blocks = 4;
      std::vector<unsigned> out(blocks * n);
      const std::string why = launch(
          blocks, n, n * sizeof(unsigned),
          [&] {
            auto* const shared = static_cast<unsigned*>(dynamic_shared());
            const unsigned t = threadIdx.x;
            shared[t] = 1000 * blockIdx.x + t;
            synchronize_block();
            const unsigned mirrored = shared[n - 1 - t];
            synchronize_block();
            shared[t] = 2 * mirrored;
            synchronize_block();
            out[blockIdx.x * n + t] = shared[n - 1 - t];
          },
          options);
      BOOST_TEST(why == "");
      int wrong = 0;
      for (unsigned i = 0; i < out.size(); ++i) wrong += out[i] == 2 * (1000 * (i / n) + i % n) ? 0 : 1;
      BOOST_TEST(wrong == 0, n);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_barrier_counts_predicates) {
  std::vector<std::array<std::uint32_t, 5>> got(100);
  const std::string why = launch(1, 100, 0, [&] {
    const unsigned t = threadIdx.x;
    Block& b = *Block::current();
    got[t] = {b.barrier(0, t % 3 == 0, Vote::count), b.barrier(0, t < 100, Vote::all),
              b.barrier(0, t < 99, Vote::all), b.barrier(0, t == 57, Vote::any),
              b.barrier(0, false, Vote::any)};
  });
  BOOST_TEST(why == "");
  const std::array<std::uint32_t, 5> want{34, 1, 0, 1, 0};
  for (const auto& g : got) BOOST_TEST((g == want));
}

// As on the hardware: who has left is not waited for, be it before or after the others came to the barrier.
BOOST_AUTO_TEST_CASE(threads_that_have_exited_are_not_waited_for) {
  for (const LaunchOptions& options : all_options()) {
    std::atomic<int> passed = 0;
    const std::string why = launch(
        2, 70, 0,
        [&] {
          if (threadIdx.x % 2 == 1) return;
          synchronize_block();
          ++passed;
        },
        options);
    BOOST_TEST(why == "");
    BOOST_TEST(passed == 70);
  }
}

BOOST_AUTO_TEST_CASE(barriers_of_other_numbers_are_apart) {
  // Each half of the block meets at its own, and then all at one; they would wait for ever at one number.
  std::atomic<int> passed = 0;
  const std::string why = launch(1, 64, 0, [&] {
    Block& b = *Block::current();
    const std::uint32_t half = threadIdx.x / 32;
    if (half == 0) synchronize(0xFFFFFFFF);
    b.barrier(0, false, Vote::none);
    ++passed;
  });
  BOOST_TEST(why == "");
  BOOST_TEST(passed == 64);
}

BOOST_AUTO_TEST_CASE(dynamic_shared_memory_is_new_in_every_block) {
  std::atomic<int> wrong = 0;
  const std::string why = launch(5, 32, 100,
                                 [&] {
                                   auto* const bytes = static_cast<unsigned char*>(dynamic_shared());
                                   wrong += reinterpret_cast<std::uintptr_t>(bytes) % 128 == 0 ? 0 : 1;
                                   for (int i = 0; i < 100; ++i) wrong += bytes[i] == 0xFF ? 0 : 1;
                                   synchronize_block();
                                   bytes[threadIdx.x] = 3;
                                 },
                                 {.threads = 1});
  BOOST_TEST(why == "");
  BOOST_TEST(wrong == 0);
}

// The order in which threads begin is the schedule's, and a seed gives the same one again.
BOOST_AUTO_TEST_CASE(a_schedule_orders_the_threads) {
  const auto order = [](Schedule schedule, std::uint64_t seed) {
    std::vector<unsigned> seen;
    const std::string why = launch(1, 40, 0,
                                   [&] {
                                     seen.push_back(threadIdx.x);
                                     synchronize_block();
                                     seen.push_back(threadIdx.x);
                                   },
                                   {.block = {.schedule = schedule, .seed = seed}, .threads = 1});
    BOOST_TEST(why == "");
    return seen;
  };
  const auto forward = order(Schedule::forward, 1), reverse = order(Schedule::reverse, 1);
  for (unsigned i = 0; i < 40; ++i) {
    BOOST_TEST(forward[i] == i);
    BOOST_TEST(reverse[i] == 39 - i);
  }
  const auto random = order(Schedule::random, 1);
  BOOST_TEST((random == order(Schedule::random, 1)));
  BOOST_TEST((random != order(Schedule::random, 2)));
  BOOST_TEST((random != forward));
}

// A thread that waits for what another one writes lets it run.
BOOST_AUTO_TEST_CASE(a_yield_lets_the_others_run) {
  for (const LaunchOptions& options : all_options()) {
    std::atomic<int> flag = 0;
    const std::string why = launch(
        1, 64, 0,
        [&] {
          while (flag.load() != static_cast<int>(threadIdx.x)) Block::current()->yield();
          ++flag;
        },
        options);
    BOOST_TEST(why == "");
    BOOST_TEST(flag == 64);
  }
}

BOOST_AUTO_TEST_CASE(what_waits_for_ever_is_said) {
  for (const LaunchOptions& options : all_options()) {
    const std::string why = launch(
        3, 40, 0,
        [] {
          if (blockIdx.x != 1) return;
          if (threadIdx.x < 5) {
            synchronize(0xFFFFFFFF);
          } else {
            synchronize_block();
          }
        },
        options);
    BOOST_TEST(why ==
               "block (1, 0, 0): deadlock: 40 of 40 threads wait, 35 at a barrier and 5 in a warp operation; "
               "the first is "
               "thread (0, 0, 0)");
    // The next launch is as good as new.
    std::atomic<int> passed = 0;
    BOOST_TEST(launch(
                   3, 40, 0,
                   [&] {
                     synchronize_block();
                     ++passed;
                   },
                   options) == "");
    BOOST_TEST(passed == 120);
  }
}

BOOST_AUTO_TEST_CASE(what_a_kernel_throws_is_thrown) {
  for (const LaunchOptions& options : all_options()) {
    const auto run = [&] {
      launch(
          4, 33, 0,
          [] {
            synchronize_block();
            if (threadIdx.x == 20) throw std::runtime_error("20");
            synchronize_block();
          },
          options);
    };
    BOOST_CHECK_EXCEPTION(run(), std::runtime_error,
                          [](const std::exception& e) { return std::string(e.what()) == "20"; });
  }
  const auto nested = [] { launch(1, 1, 0, [] { launch(1, 1, 0, [] {}); }); };
  BOOST_CHECK_THROW(nested(), ContractError);
}

BOOST_AUTO_TEST_CASE(limits_of_a_launch_are_kept) {
  const auto why = [](const dim3& grid, const dim3& block, std::size_t shared) {
    return launch(grid, block, shared, [] {});
  };
  BOOST_TEST(why(0, 1, 0) == "grid (0, 1, 1), not 1 to (2147483647, 65535, 65535)");
  BOOST_TEST(why(1, dim3(1, 1, 65), 0) == "block (1, 1, 65), not 1 to (1024, 1024, 64)");
  BOOST_TEST(why(1, dim3(33, 32), 0) == "block (33, 32, 1) has 1056 threads, more than 1024");
  BOOST_TEST(why(1, 1, 300000) == "300000 bytes of shared memory, more than 232448");
  BOOST_TEST(why(1, 1024, 232448) == "");
}
