// The emulation against this CPU's TDPBF16PS.
#include <boost/test/unit_test.hpp>
#include <iostream>

#include "emulation/units/x86/live_x86.hpp"
#include "emulation/units/x86/x86_mutants.hpp"
#include "reference/core/cpu.hpp"
#include "tests/emulation/units/needs_isa.hpp"

using namespace assay;

namespace {

constexpr std::uint64_t seed = 20240118;
const auto on_this_cpu = boost::unit_test::precondition(test::NeedsIsa{Isa::amx_bf16});

BOOST_AUTO_TEST_CASE(full_tiles_equal_the_emulation, *on_this_cpu) {
  std::cout << "against " << cpu_model() << "\n";
  CheckCounts all;
  for (const X86ClassInfo& c : x86_classes()) {
    const CheckCounts counts = check_tdpbf16ps_live(c.id, seed, 0, 5'000, {});
    BOOST_TEST(counts.mismatches == 0U, c.name << ": " << counts.mismatches << " of " << counts.vectors);
    all += counts;
  }
  BOOST_TEST(all.vectors >= 10'000'000U);
}

BOOST_AUTO_TEST_CASE(every_shape_and_mxcsr, *on_this_cpu) {
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

BOOST_AUTO_TEST_CASE(the_cpu_kills_every_mutant, *on_this_cpu) {
  for (const MutantKills& k : run_x86_mutants(seed, 5'000)) {
    if (k.mutant->unit != "tdpbf16ps") continue;
    BOOST_TEST(k.live);
    BOOST_TEST(k.kills() >= 100U, k.mutant->name << ": " << k.kills());
  }
}

}  // namespace
