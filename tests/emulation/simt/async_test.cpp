// Copies in groups, mbarriers, and barriers of some warps, under all schedules.
#include "emulation/simt/async.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "emulation/simt/launch.hpp"

namespace {
using namespace assay::simt;

std::vector<LaunchOptions> schedules() {
  std::vector<LaunchOptions> all(2);
  all[1].block.schedule = Schedule::reverse;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    LaunchOptions random;
    random.block.schedule = Schedule::random;
    random.block.seed = seed;
    all.push_back(random);
  }
  for (LaunchOptions& options : all) options.threads = 1;
  return all;
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(groups_end_in_order) {
  std::vector<int> seen;
  const std::string why = launch(1, 1, 0, [&] {
    int from[4] = {1, 2, 3, 4}, to[4] = {};
    const auto now = [&] { seen.push_back(to[0] * 1000 + to[1] * 100 + to[2] * 10 + to[3]); };
    async_copy(&to[0], &from[0], 4);
    async_copy(&to[1], &from[1], 4);
    async_commit();
    async_copy(&to[2], &from[2], 4);
    async_commit();
    async_commit();
    async_copy(&to[3], &from[3], 4);
    now();
    async_wait(3);
    now();
    async_wait(2);
    now();
    from[2] = 7;  // too early
    async_wait(1);
    now();
    async_wait(0);
    now();
    async_wait_all();
    now();
    async_copy(&to[0], &from[1], 4, 3);
    async_wait_all();
    now();
  });
  BOOST_TEST(why == "");
  BOOST_TEST(seen == (std::vector<int>{0, 0, 1200, 1270, 1270, 1274, 2274}),
             boost::test_tools::per_element());
}

// What a thread of an earlier run did not wait for is gone.
BOOST_AUTO_TEST_CASE(copies_end_with_their_block) {
  int from = 5, to = 0;
  for (int run = 0; run < 2; ++run) {
    const std::string why = launch(1, 1, 0, [&] {
      if (run == 0) async_copy(&to, &from, 4);
      if (run == 1) async_wait_all();
    });
    BOOST_TEST(why == "");
  }
  BOOST_TEST(to == 0);
}

// Two producer warps fill two stages for two consumer warps: full and empty barriers, as pipelines have them.
BOOST_AUTO_TEST_CASE(stages_of_producers_and_consumers) {
  constexpr int steps = 9;
  for (const LaunchOptions& options : schedules()) {
    std::vector<int> sums(64);
    const std::string why = launch(
        1, 128, 0,
        [&] {
          static thread_local Mbarrier full[2], empty[2];
          static thread_local int stage[2][64];
          const int t = static_cast<int>(threadIdx.x);
          if (t == 0) {
            for (int s = 0; s < 2; ++s) {
              mbarrier_init(&full[s], 64);
              mbarrier_init(&empty[s], 64);
            }
          }
          Block::current()->barrier(0, false, Vote::none);
          int sum = 0;
          for (int step = 0; step < steps; ++step) {
            const int s = step % 2;
            const auto phase = static_cast<std::uint32_t>(step / 2 % 2);
            if (t < 64) {
              // The first time round the stage is empty: the phase before the first has ended.
              mbarrier_wait_parity(&empty[s], phase ^ 1);
              stage[s][t] = 100 * step + t;
              mbarrier_arrive(&full[s]);
            } else {
              mbarrier_wait_parity(&full[s], phase);
              sum += stage[s][127 - t];
              mbarrier_arrive(&empty[s]);
            }
          }
          if (t >= 64) sums[static_cast<std::size_t>(t - 64)] = sum;
        },
        options);
    BOOST_TEST(why == "");
    for (int t = 0; t < 64; ++t)
      BOOST_TEST(sums[static_cast<std::size_t>(t)] == 100 * (steps * (steps - 1) / 2) + steps * (63 - t));
  }
}

BOOST_AUTO_TEST_CASE(bytes_and_arrivals_end_a_phase_together) {
  const std::string why = launch(1, 1, 0, [&] {
    Mbarrier b;
    char from[16] = "fifteen letters", to[16] = {};
    mbarrier_init(&b, 2);
    const std::uint64_t first = mbarrier_arrive(&b);
    BOOST_TEST(mbarrier_pending(first) == 2U);
    mbarrier_expect_tx(&b, 16);
    mbarrier_arrive(&b);
    mbarrier_copy(
        &b, [&] { std::copy_n(from, 8, to); }, 8);
    BOOST_TEST(to[0] == 0);  // not before somebody asks
    BOOST_TEST(!mbarrier_test_wait(&b, first));
    BOOST_TEST(to[7] == ' ');
    mbarrier_copy(
        &b, [&] { std::copy_n(from + 8, 8, to + 8); }, 8);
    BOOST_TEST(mbarrier_test_wait(&b, first));
    BOOST_TEST(std::string(to) == "fifteen letters");
    BOOST_TEST(mbarrier_test_wait_parity(&b, 0));
    BOOST_TEST(!mbarrier_test_wait_parity(&b, 1));
    // One fewer from now on.
    mbarrier_arrive_drop(&b);
    const std::uint64_t second = mbarrier_arrive(&b);
    BOOST_TEST(mbarrier_test_wait(&b, second));
    BOOST_TEST(mbarrier_pending(mbarrier_arrive(&b)) == 1U);
  });
  BOOST_TEST(why == "");
}

BOOST_AUTO_TEST_CASE(waits_for_ever_are_failures) {
  for (const LaunchOptions& options : schedules()) {
    const std::string why = launch(
        1, 64, 0,
        [&] {
          static thread_local Mbarrier b;
          if (threadIdx.x == 0) mbarrier_init(&b, 64);
          Block::current()->barrier(0, false, Vote::none);
          if (threadIdx.x != 5) mbarrier_arrive(&b);
          mbarrier_wait_parity(&b, 0);
        },
        options);
    BOOST_TEST(contains(why, "deadlock"), why);
    BOOST_TEST(contains(why, "1 arrivals"), why);
  }
}

// A barrier of warps 0 and 1, one of 2 and 3, at which 3 only arrives and may leave; predicates are counted.
BOOST_AUTO_TEST_CASE(barriers_of_some_warps) {
  for (const LaunchOptions& options : schedules()) {
    std::vector<int> order;
    std::uint32_t votes = 0;
    const std::string why = launch(
        1, 128, 0,
        [&] {
          const std::uint32_t warp = threadIdx.x / warp_lanes;
          Block& block = *Block::current();
          if (warp == 3) {
            order.push_back(3);
            block.arrive(2, 64);
            return;
          }
          if (warp == 2) {
            block.barrier(2, false, Vote::none, 64);
            order.push_back(2);
            return;
          }
          const std::uint32_t got = block.barrier(1, threadIdx.x % 4 == 0, Vote::count, 64);
          votes += got == 16 ? 1 : 0;
          block.barrier(0, false, Vote::none);  // of all that live
        },
        options);
    BOOST_TEST(why == "");
    BOOST_TEST(votes == 64U);
    BOOST_REQUIRE(order.size() == 64U);
    for (std::size_t k = 0; k < 64; ++k) BOOST_TEST(order[k] == (k < 32 ? 3 : 2));
  }
  const auto failure = [](std::uint32_t a, std::uint32_t b) {
    return launch(1, 96, 0,
                  [&] { Block::current()->barrier(1, false, Vote::none, threadIdx.x < 32 ? a : b); });
  };
  BOOST_TEST(contains(failure(64, 96), "barrier 1 of"));
  BOOST_TEST(contains(failure(40, 40), "not whole warps"));
  BOOST_TEST(contains(failure(128, 128), "not whole warps"));
  BOOST_TEST(failure(96, 0) == "");  // all of them, either way
}

BOOST_AUTO_TEST_CASE(a_thread_may_end_anywhere) {
  struct Owner {
    int& count;
    ~Owner() { ++count; }
  };
  int released = 0, after = 0;
  const std::string why = launch(1, 64, 0,
                                 [&] {
                                   const Owner owner{released};
                                   if (threadIdx.x % 2 == 1) Block::current()->exit_thread();
                                   Block::current()->barrier(0, false, Vote::none);
                                   ++after;
                                 },
                                 {.threads = 1});
  BOOST_TEST(why == "");
  BOOST_TEST(released == 64);
  BOOST_TEST(after == 32);
}
