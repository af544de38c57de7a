#define BOOST_TEST_MODULE units_live_x86
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "emulation/units/live_x86.hpp"
#include "emulation/units/x86_mutants.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"

using namespace assay;

namespace {

constexpr std::uint64_t seed = 20240117;

BOOST_AUTO_TEST_CASE(mutants) {
  for (const MutantKills& k : run_x86_mutants(seed, 20000)) {
    std::cout << k.mutant->unit << "/" << k.mutant->name << " by " << k.by() << ":";
    for (const ClassKills& c : k.classes) std::cout << " " << c.kills;
    std::cout << "\n";
    BOOST_TEST(k.kills() > 0);
  }
}
BOOST_AUTO_TEST_CASE(live) {
  for (const X86ClassInfo& c : x86_classes()) {
    const auto begin = std::chrono::steady_clock::now();
    const CheckCounts d = check_vdpbf16ps_definition({c.id, seed, 0, 100'000});
    const auto mid = std::chrono::steady_clock::now();
    const CheckCounts l = check_vdpbf16ps_live({c.id, seed, 0, 10'000'000});
    const auto end = std::chrono::steady_clock::now();
    std::cout << c.name << " definition " << d.mismatches << "/" << d.vectors << " live " << l.mismatches << "/"
              << l.vectors << " " << std::chrono::duration<double>(mid - begin).count() << " s, "
              << std::chrono::duration<double>(end - mid).count() << " s\n";
    BOOST_TEST(l.mismatches == 0);
    BOOST_TEST(d.mismatches == 0);
    if (l.first) {
      std::cout << std::hex << l.first->lane.c << " " << l.first->lane.a << " " << l.first->lane.b << " got "
                << l.first->got << " want " << l.first->want << std::dec << "\n";
    }
  }
}

}  // namespace
