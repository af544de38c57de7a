// Sectors, passes over banks, and lanes that go together, against counts by hand.
#include "emulation/simt/profile/warp_profile.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <functional>

using namespace assay::simt;

namespace {

WarpAccess access(std::uint32_t bytes, std::uint32_t lanes,
                  const std::function<std::uint64_t(std::uint64_t)>& at) {
  WarpAccess a{.lanes = lanes, .bytes = bytes};
  for (std::uint32_t lane = 0; lane < 32; ++lane) a.address[lane] = 4096 + at(lane);
  return a;
}
constexpr std::uint32_t all = 0xFFFFFFFF;

}  // namespace

BOOST_AUTO_TEST_CASE(sectors_of_global_memory) {
  const auto sectors = [](const WarpAccess& a, std::uint64_t want, std::uint64_t least) {
    const EventCounts c = counts_of_global(a);
    BOOST_TEST(c.sectors == want);
    BOOST_TEST(c.least_sectors == least);
  };
  sectors(access(4, all, [](auto l) { return 4 * l; }), 4, 4);         // side by side
  sectors(access(4, all, [](auto l) { return 4 * l + 4; }), 5, 4);     // from the middle of a sector
  sectors(access(4, all, [](auto l) { return 4 * (31 - l); }), 4, 4);  // backwards
  sectors(access(4, all, [](auto l) { return 8 * l; }), 8, 4);         // every second
  sectors(access(4, all, [](auto l) { return 32 * l; }), 32, 4);       // a sector each
  sectors(access(4, all, [](auto) { return 0; }), 1, 1);               // one for all
  sectors(access(16, all, [](auto l) { return 16 * l; }), 16, 16);
  sectors(access(8, 0xFFFF, [](auto l) { return 8 * l; }), 4, 4);
  sectors(access(1, all, [](auto l) { return l; }), 1, 1);
  sectors(access(8, 1, [](auto) { return 28; }), 2, 1);  // across a border
  const EventCounts c = counts_of_global(access(2, 0x10F, [](auto l) { return 2 * l; }));
  BOOST_TEST(c.lanes == 5U);
  BOOST_TEST(c.bytes == 10U);
  BOOST_TEST(c.warps == 1U);
}

BOOST_AUTO_TEST_CASE(banks_of_shared_memory) {
  const auto passes = [](const WarpAccess& a, std::uint64_t want, std::uint64_t least) {
    const EventCounts c = counts_of_shared(a);
    BOOST_TEST(c.passes == want);
    BOOST_TEST(c.least_passes == least);
  };
  passes(access(4, all, [](auto l) { return 4 * l; }), 1, 1);
  passes(access(4, all, [](auto) { return 0; }), 1, 1);           // one word for all
  passes(access(4, all, [](auto l) { return 8 * l; }), 2, 1);     // two words a bank
  passes(access(4, all, [](auto l) { return 128 * l; }), 32, 1);  // a column of a 32 x 32 tile
  passes(access(4, all, [](auto l) { return 132 * l; }), 1, 1);   // the same, padded
  passes(access(1, all, [](auto l) { return l; }), 1, 1);         // four lanes a word
  passes(access(8, all, [](auto l) { return 8 * l; }), 2, 2);     // half a warp a pass
  passes(access(16, all, [](auto l) { return 16 * l; }), 4, 4);   // a quarter
  passes(access(8, all, [](auto l) { return 16 * l; }), 4, 2);
  passes(access(16, 0xFF, [](auto l) { return 16 * l; }), 1, 1);
}

BOOST_AUTO_TEST_CASE(lanes_of_a_warp_go_together) {
  WarpProfile profile;
  const WarpProfile::Place read{100, Event::global_read}, branch{200, Event::branch};
  // Two rounds of a loop, lane after lane; then half of the lanes come once more; a second warp of eight lanes.
  for (std::uint32_t lane = 0; lane < 32; ++lane) {
    for (std::uint64_t round = 0; round < 2; ++round)
      profile.add(read, 0, lane, all, 128 * round + 4 * lane, 4);
    if (lane % 2 == 0) profile.add(branch, 0, lane, all);
  }
  for (std::uint32_t lane = 0; lane < 8; ++lane) profile.add(read, 1, lane, 0xFF, 4096 + 4 * lane, 4);
  profile.end_interval();
  // After a barrier the first time is the first again.
  profile.add(read, 0, 3, all, 0, 4);
  profile.end_interval();
  profile.add_together({300, Event::matrix}, all, all, 4096);
  const auto lines = profile.lines();
  BOOST_TEST_REQUIRE(lines.size() == 3U);
  BOOST_TEST(lines[0].place.pc == 100U);
  BOOST_TEST(lines[0].counts.warps == 4U);
  BOOST_TEST(lines[0].counts.lanes == 73U);
  BOOST_TEST(lines[0].counts.sectors == 4U + 4U + 1U + 1U);
  BOOST_TEST(lines[0].counts.divergent == 1U);
  BOOST_TEST(lines[1].counts.warps == 1U);
  BOOST_TEST(lines[1].counts.lanes == 16U);
  BOOST_TEST(lines[1].counts.divergent == 1U);
  BOOST_TEST(lines[2].counts.flops == 4096U);
}
