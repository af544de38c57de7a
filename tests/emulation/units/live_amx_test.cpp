// The emulation against this CPU's TDPBF16PS.
#define BOOST_TEST_MODULE units_live_amx
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>

#include "emulation/units/x86/live_x86.hpp"
#include "emulation/units/x86/x86_mutants.hpp"
#include "tests/emulation/units/live_or_skip.hpp"

using namespace assay;

namespace {

constexpr std::uint64_t seed = 20240118;

BOOST_AUTO_TEST_CASE(full_tiles_equal_the_emulation) {
  CheckCounts all;
  for (const X86ClassInfo& c : x86_classes()) {
    const CheckCounts counts = check_tdpbf16ps_live(c.id, seed, 0, 5'000, {});
    BOOST_TEST(counts.mismatches == 0U, c.name << ": " << counts.mismatches << " of " << counts.vectors);
    all += counts;
  }
  BOOST_TEST(all.vectors >= 10'000'000U);
}

BOOST_AUTO_TEST_CASE(every_shape_and_mxcsr) {
  for (const X86ClassInfo& c : x86_classes()) {
    for (std::size_t size = 1; size <= 16; ++size) {
      for (const TileShape& shape : {TileShape{size, 16, 16}, TileShape{16, size, 16},
                                     TileShape{16, 16, size}, TileShape{size, 17 - size, size}}) {
        const std::uint32_t mxcsr = mxcsr_settings[size % mxcsr_settings.size()];
        const CheckCounts counts = check_tdpbf16ps_live(c.id, seed + 1, 0, 20, shape, mxcsr);
        BOOST_TEST(counts.mismatches == 0U, c.name << ", size " << size << ": " << counts.mismatches);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_cpu_kills_every_mutant) {
  for (const MutantKills& k : run_x86_mutants(seed, 5'000)) {
    if (k.mutant->unit != "tdpbf16ps") continue;
    BOOST_TEST(k.live);
    BOOST_TEST(k.kills() >= 100U, k.mutant->name << ": " << k.kills());
  }
}

}  // namespace

int main(int argc, char** argv) {
  return assay::test::run_or_skip(
      Isa::amx_bf16, [] { return true; }, argc, argv);
}
