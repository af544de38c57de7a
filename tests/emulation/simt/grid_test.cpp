// What blocks and threads wait for beside barriers: groups, memory, the grid; what is deferred; limits of time; stacks.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulation/simt/grid.hpp"
#include "emulation/simt/launch.hpp"
#include "emulation/simt/warp.hpp"

namespace {
using namespace assay::simt;

std::vector<LaunchOptions> options_of_grids() {
  std::vector<LaunchOptions> all;
  for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    for (const int threads : {1, 3}) {
      LaunchOptions options;
      options.block.schedule = schedule;
      options.threads = threads;
      all.push_back(options);
    }
  }
  return all;
}
void wait_until(const std::atomic<int>& x, int least, Scope scope) {
  struct What {
    const std::atomic<int>* x;
    int least;
  } const what{&x, least};
  Block::current()->wait_until(
      [](const void* w) {
        const auto& [value, wanted] = *static_cast<const What*>(w);
        return value->load() >= wanted;
      },
      &what, scope);
}
template <class Body>
Outcome run_body(unsigned blocks, unsigned threads, const Body& body, const LaunchOptions& options) {
  return run_grid(blocks, threads, 0,
                  Kernel{[](const void* closure) { (*static_cast<const Body*>(closure))(); }, &body},
                  options);
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

// Rows of seven threads: each gets the sum of its row, where the last row is short and some threads have exited.
BOOST_AUTO_TEST_CASE(threads_of_a_group_meet_across_warps) {
  for (const LaunchOptions& options : options_of_grids()) {
    constexpr unsigned n = 100, width = 7;
    std::vector<int> got(n, -1);
    const std::string why = launch(
        2, n, 0,
        [&] {
          const unsigned t = threadIdx.x, first = t / width * width;
          if (t % 10 == 9) return;
          for (int round = 1; round <= 3; ++round) {
            const int own = static_cast<int>(t) * round;
            int sum = 0;
            Block::current()->group(first, width, &own, &sum,
                                    [](const void* const* in, void* const* out, std::uint32_t count) {
                                      int all = 0;
                                      for (std::uint32_t i = 0; i < count; ++i)
                                        all += in[i] != nullptr ? *static_cast<const int*>(in[i]) : 0;
                                      for (std::uint32_t i = 0; i < count; ++i) {
                                        if (out[i] != nullptr) *static_cast<int*>(out[i]) = all;
                                      }
                                    });
            if (round == 3 && blockIdx.x == 1) got[t] = sum;
          }
        },
        options);
    BOOST_TEST(why == "");
    int wrong = 0;
    for (unsigned t = 0; t < n; ++t) {
      int want = 0;
      for (unsigned i = t / width * width; i < n && i < t / width * width + width; ++i)
        want += i % 10 == 9 ? 0 : 3 * static_cast<int>(i);
      wrong += got[t] == (t % 10 == 9 ? -1 : want) ? 0 : 1;
    }
    BOOST_TEST(wrong == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_thread_waits_for_memory_while_others_do_what_they_do) {
  for (const LaunchOptions& options : options_of_grids()) {
    std::vector<std::atomic<int>> step(3);
    std::vector<std::uint32_t> together(3);
    const std::string why = launch(
        3, 64, 0,
        [&] {
          static const char here = 0;
          std::atomic<int>& x = step[blockIdx.x];
          const unsigned t = threadIdx.x;
          if (t < 32) {
            wait_until(x, static_cast<int>(t), Scope::block);
            ++x;
          } else if (t < 40) {
            // Lanes meet while the first warp waits, and one of them only looks now and then.
            together[blockIdx.x] = Block::current()->active_mask(&here);
          } else if (t == 40) {
            while (x < 32) Block::current()->yield();
          }
          Block::current()->barrier(0, false, Vote::none);
        },
        options);
    BOOST_TEST(why == "");
    for (const auto& x : step) BOOST_TEST(x == 32);
    for (const std::uint32_t mask : together) BOOST_TEST(mask == 0xFFU);
  }
}

BOOST_AUTO_TEST_CASE(a_wait_for_what_nobody_writes_is_a_deadlock) {
  const std::atomic<int> never = 0;
  for (const Scope scope : {Scope::block, Scope::device}) {
    const std::string why = launch(
        1, 33, 0, [&] { wait_until(never, 1, scope); }, options_of_grids()[0]);
    BOOST_TEST(contains(why, "deadlock: 33 of 33 threads wait"));
    BOOST_TEST(contains(why, "33 for what others write"));
  }
}

BOOST_AUTO_TEST_CASE(all_arrive_and_wait_later) {
  for (const LaunchOptions& options : options_of_grids()) {
    std::atomic<int> early = 0;
    std::vector<std::atomic<int>> arrived(2);
    const std::string why = launch(
        2, 100, 0,
        [&] {
          Block& block = *Block::current();
          if (threadIdx.x % 25 == 3) return;
          for (int round = 1; round <= 3; ++round) {
            ++arrived[blockIdx.x];
            const std::uint64_t phase = block.arrive_of_all();
            if (round == 3 && threadIdx.x == 50) return;  // without a wait
            block.wait_for_all(phase);
            if (arrived[blockIdx.x] < 96 * round) ++early;
          }
        },
        options);
    BOOST_TEST(why == "");
    BOOST_TEST(early == 0);
  }
}

BOOST_AUTO_TEST_CASE(blocks_of_a_cooperative_grid_wait_for_each_other) {
  for (LaunchOptions options : options_of_grids()) {
    options.cooperative = true;
    std::atomic<int> there = 0, early = 0, turn = 0;
    const Outcome outcome = run_body(
        9, 40,
        [&] {
          for (int round = 1; round <= 5; ++round) {
            ++there;
            Block::current()->grid_barrier();
            if (there < 9 * 40 * round) ++early;
            Block::current()->grid_barrier();
          }
          // The last block first.
          if (threadIdx.x == 0) {
            wait_until(turn, 8 - static_cast<int>(blockIdx.x), Scope::device);
            ++turn;
          }
        },
        options);
    BOOST_TEST((outcome.how == Ended::well), outcome.text);
    BOOST_TEST(early == 0);
    BOOST_TEST(turn == 9);
  }
}

BOOST_AUTO_TEST_CASE(a_cooperative_grid_throws_what_its_lowest_block_throws) {
  LaunchOptions options;
  options.cooperative = true;
  BOOST_CHECK_EXCEPTION(run_body(
                            6, 8,
                            [&] {
                              Block::current()->grid_barrier();
                              if (blockIdx.x == 3 && threadIdx.x == 2) throw std::runtime_error("three");
                              Block::current()->grid_barrier();
                            },
                            options),
                        std::runtime_error,
                        [](const std::runtime_error& e) { return e.what() == std::string("three"); });
}

namespace {
struct Note final : Deferred {
  Note(std::vector<int>& all_, int what_, bool fails_ = false) : all(all_), what(what_), fails(fails_) {}
  Outcome run() override {
    all.push_back(what);
    return fails ? Outcome{Ended::failed, "note " + std::to_string(what)} : Outcome{};
  }
  std::vector<int>& all;
  int what;
  bool fails;
};
}  // namespace

// By block, whichever came first: here the last one does.
BOOST_AUTO_TEST_CASE(what_is_deferred_runs_in_order_after_the_grid) {
  for (LaunchOptions options : options_of_grids()) {
    options.cooperative = true;
    std::vector<int> order;
    std::atomic<int> turn = 0;
    const auto body = [&] {
      Block& block = *Block::current();
      if (threadIdx.x != 0) return;
      const int b = static_cast<int>(blockIdx.x);
      wait_until(turn, 19 - b, Scope::device);
      block.grid()->defer(block.number(), true, std::make_unique<Note>(order, 1000 + b));
      block.grid()->defer(block.number(), false, std::make_unique<Note>(order, 10 * b));
      block.grid()->defer(block.number(), false, std::make_unique<Note>(order, 10 * b + 1));
      ++turn;
    };
    BOOST_TEST((run_body(20, 4, body, options).how == Ended::well));
    std::vector<int> want;
    for (int b = 0; b < 20; ++b) want.insert(want.end(), {10 * b, 10 * b + 1});
    for (int b = 0; b < 20; ++b) want.push_back(1000 + b);
    BOOST_TEST(order == want, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(what_is_deferred_after_a_failure_does_not_run) {
  std::vector<int> order;
  const Outcome outcome = run_body(1, 1,
                                   [&] {
                                     Block& block = *Block::current();
                                     block.grid()->defer(0, false, std::make_unique<Note>(order, 1));
                                     block.grid()->defer(0, false, std::make_unique<Note>(order, 2, true));
                                     block.grid()->defer(0, false, std::make_unique<Note>(order, 3));
                                   },
                                   {});
  BOOST_TEST((outcome.how == Ended::failed));
  BOOST_TEST(outcome.text == "note 2");
  BOOST_TEST(order == (std::vector<int>{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_grid_ends_when_its_time_is_over) {
  for (const bool cooperative : {false, true}) {
    LaunchOptions options;
    options.seconds = 0.05;
    options.cooperative = cooperative;
    options.threads = 2;
    const Outcome outcome = run_body(
        4, 33,
        [&] {
          if (blockIdx.x % 2 == 1) return;
          for (;;) Block::current()->barrier(0, false, Vote::none);
        },
        options);
    BOOST_TEST((outcome.how == Ended::timed_out));
    BOOST_TEST(contains(outcome.text, "no end within 0.05 s; block (0, 0, 0): 33 of 33 threads wait"),
               outcome.text);
  }
  // One that ends in time is well, be the limit passed later.
  LaunchOptions options;
  options.seconds = 0.05;
  for (int i = 0; i < 100; ++i)
    BOOST_TEST((run_body(
                    3, 5, [] {}, options)
                    .how == Ended::well));
}

BOOST_AUTO_TEST_CASE(subnormal_numbers_are_flushed_on_request) {
  for (const bool cooperative : {false, true}) {
    for (const bool flush : {false, true}) {
      LaunchOptions options;
      options.flush_subnormals = flush;
      options.cooperative = cooperative;
      options.threads = 3;
      std::vector<float> out(8);
      volatile float half = 0.5F, least = 1.17549435e-38F;
      BOOST_TEST((run_body(
                      8, 1, [&] { out[blockIdx.x] = half * least; }, options)
                      .how == Ended::well));
      for (const float x : out) BOOST_TEST(x == (flush ? 0.0F : 5.87747175e-39F));
      // As operands too: 2^-130 · 2^10.
      volatile float subnormal = 0x1p-130F, factor = 1024;
      BOOST_TEST((run_body(
                      8, 1, [&] { out[blockIdx.x] = subnormal * factor; }, options)
                      .how == Ended::well));
      for (const float x : out) BOOST_TEST(x == (flush ? 0.0F : 0x1p-120F));
      BOOST_TEST(half * least == 5.87747175e-39F);
    }
  }
}

// So many blocks with so many threads that the system would have no guard pages for them.
BOOST_AUTO_TEST_CASE(many_stacks_wait_at_once) {
  LaunchOptions options;
  options.cooperative = true;
  options.block.stack_bytes = 1 << 15;
  std::atomic<int> passed = 0;
  const Outcome outcome = run_body(
      48, 1024,
      [&] {
        Block::current()->barrier(0, false, Vote::none);
        Block::current()->grid_barrier();
        ++passed;
      },
      options);
  BOOST_TEST((outcome.how == Ended::well), outcome.text);
  BOOST_TEST(passed == 48 * 1024);
}
