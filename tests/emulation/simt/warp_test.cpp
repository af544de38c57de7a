// Warp operations against the tables of the CUDA C++ Programming Guide, written out lane by lane.
#include "emulation/simt/warp.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "emulation/simt/launch.hpp"

namespace {
using namespace assay::simt;

constexpr std::uint32_t all_lanes = 0xFFFFFFFF;

// What a lane of a segment of `width` lanes gets: the guide's words for each of the four.
enum class Kind { from, up, down, by_xor };
int expected_lane(Kind kind, int lane, int argument, int width) {
  const int begin = lane / width * width;
  switch (kind) {
    case Kind::from: return begin + ((argument % width) + width) % width;
    case Kind::up: return lane - argument >= begin ? lane - argument : lane;
    case Kind::down: return lane + argument < begin + width ? lane + argument : lane;
    case Kind::by_xor: break;
  }
  const int other = lane ^ argument;
  return other / width * width > begin ? lane : other;
}

}  // namespace

BOOST_AUTO_TEST_CASE(shuffles_are_those_of_the_guide) {
  int wrong = 0, checked = 0;
  for (const Kind kind : {Kind::from, Kind::up, Kind::down, Kind::by_xor}) {
    for (const int width : {1, 2, 4, 8, 16, 32}) {
      for (int argument = 0; argument < 32; ++argument) {
        std::vector<double> got(64);
        const std::string why = launch(1, 64, 0, [&] {
          const double mine = 100.0 + threadIdx.x;
          const auto delta = static_cast<unsigned>(argument);
          got[threadIdx.x] = kind == Kind::from   ? shuffle(all_lanes, mine, argument, width)
                             : kind == Kind::up   ? shuffle_up(all_lanes, mine, delta, width)
                             : kind == Kind::down ? shuffle_down(all_lanes, mine, delta, width)
                                                  : shuffle_xor(all_lanes, mine, argument, width);
        });
        BOOST_TEST(why == "");
        for (int t = 0; t < 64; ++t) {
          const int lane = expected_lane(kind, t % 32, argument, width);
          wrong += got[static_cast<std::size_t>(t)] == 100.0 + t / 32 * 32 + lane ? 0 : 1;
          ++checked;
        }
      }
    }
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(checked == 4 * 6 * 32 * 64);
}

BOOST_AUTO_TEST_CASE(lanes_of_disjoint_masks_do_not_wait_for_each_other) {
  for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    std::vector<int> got(32);
    const std::string why = launch(1, 32, 0,
                                   [&] {
                                     const int lane = static_cast<int>(threadIdx.x);
                                     // Odd lanes shuffle twice while even ones shuffle once.
                                     const std::uint32_t mask = lane % 2 == 0 ? 0x55555555 : 0xAAAAAAAA;
                                     int value = shuffle_xor(mask, lane, 2, 32);
                                     if (lane % 2 == 1) value = shuffle_xor(mask, value, 2, 32);
                                     got[threadIdx.x] = value;
                                   },
                                   {.block = {.schedule = schedule}});
    BOOST_TEST(why == "");
    for (int lane = 0; lane < 32; ++lane)
      BOOST_TEST(got[static_cast<std::size_t>(lane)] == (lane % 2 == 0 ? lane ^ 2 : lane));
  }
}

BOOST_AUTO_TEST_CASE(votes_matches_and_reductions) {
  struct Got {
    std::uint32_t odd, partial, same;
    bool all, most;
    int sum;
  };
  std::vector<Got> got(45);
  const std::string why = launch(1, 45, 0, [&] {
    const std::uint32_t t = threadIdx.x, lane = t % 32;
    constexpr auto add = [](int a, int b) { return a + b; };
    // The second warp has 13 lanes: those that are not there do not take part.
    got[t] = {ballot(all_lanes, lane % 2 == 1),   0,
              match_any(all_lanes, lane / 5),     all_of_lanes(all_lanes, lane < 32),
              all_of_lanes(all_lanes, lane < 12), reduce_lanes<int, add>(all_lanes, static_cast<int>(lane))};
    if (lane < 8) got[t].partial = ballot(0xFF, lane % 2 == 0);
  });
  BOOST_TEST(why == "");
  for (std::uint32_t t = 0; t < 45; ++t) {
    const std::uint32_t there = t < 32 ? all_lanes : 0x1FFF, lane = t % 32;
    BOOST_TEST(got[t].odd == (0xAAAAAAAA & there));
    BOOST_TEST(got[t].partial == (lane < 8 ? 0x55U : 0U));
    BOOST_TEST(got[t].same == ((std::uint64_t{0x1F} << lane / 5 * 5) & there));
    BOOST_TEST(got[t].all);
    BOOST_TEST(!got[t].most);
    BOOST_TEST(got[t].sum == (t < 32 ? 31 * 16 : 12 * 13 / 2));
  }
}

// A lane that has exited is not waited for, and gives nothing: the caller keeps its own value.
BOOST_AUTO_TEST_CASE(exited_lanes_take_no_part) {
  for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    std::vector<int> got(32, -1);
    const std::string why = launch(1, 32, 0,
                                   [&] {
                                     if (threadIdx.x >= 20) return;
                                     got[threadIdx.x] =
                                         shuffle_down(all_lanes, static_cast<int>(threadIdx.x), 8, 32);
                                   },
                                   {.block = {.schedule = schedule}});
    BOOST_TEST(why == "");
    for (int lane = 0; lane < 32; ++lane)
      BOOST_TEST(got[static_cast<std::size_t>(lane)] == (lane >= 20 ? -1 : lane + 8 < 20 ? lane + 8 : lane));
  }
}

// The lanes of a branch are active together, whatever the others wait for.
BOOST_AUTO_TEST_CASE(the_active_mask_is_that_of_a_branch) {
  for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    std::vector<std::uint32_t> got(64);
    std::vector<int> sums(64);
    const std::string why = launch(1, 64, 0,
                                   [&] {
                                     static constexpr char here = 0, there = 0;
                                     const std::uint32_t lane = threadIdx.x % 32;
                                     constexpr auto add = [](int a, int b) { return a + b; };
                                     const std::uint32_t mask =
                                         Block::current()->active_mask(lane % 3 == 0 ? &here : &there);
                                     got[threadIdx.x] = mask;
                                     sums[threadIdx.x] = reduce_lanes<int, add>(mask, 1);
                                     synchronize(all_lanes);
                                   },
                                   {.block = {.schedule = schedule}});
    BOOST_TEST(why == "");
    for (std::uint32_t t = 0; t < 64; ++t) {
      const bool third = t % 32 % 3 == 0;
      BOOST_TEST(got[t] == (third ? 0x49249249U : 0xB6DB6DB6U));
      BOOST_TEST(sums[t] == (third ? 11 : 21));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_mask_without_the_caller_is_said) {
  const std::string why = launch(1, 32, 0, [] {
    if (threadIdx.x == 3) synchronize(1);
  });
  BOOST_TEST(
      why ==
      "block (0, 0, 0): a thread calls a warp operation whose mask does not name its lane, thread (3, 0, 0)");
}

// A shuffle of some lanes and a ballot of others under one mask never end.
BOOST_AUTO_TEST_CASE(lanes_at_different_operations_are_said) {
  const std::string why = launch(1, 32, 0, [] {
    if (threadIdx.x < 16) {
      ballot(all_lanes, true);
    } else {
      shuffle(all_lanes, 1, 0, 32);
    }
  });
  BOOST_TEST(why ==
             "block (0, 0, 0): deadlock: 32 of 32 threads wait, 0 at a barrier and 32 in a warp operation; "
             "the first is "
             "thread (0, 0, 0)");
}
