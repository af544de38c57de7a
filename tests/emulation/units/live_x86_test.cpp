// The emulation against this CPU's VDPBF16PS, VCVTNEPS2BF16 and VCVTNE2PS2BF16.
#include <boost/test/unit_test.hpp>

#include <iostream>
#include <string>
#include <vector>

#include "emulation/units/x86/live_x86.hpp"
#include "emulation/units/x86/x86_mutants.hpp"
#include "reference/core/cpu.hpp"
#include "tests/emulation/units/needs_isa.hpp"

using namespace assay;

namespace {

constexpr std::uint64_t seed = 20240117;
const auto on_this_cpu = boost::unit_test::precondition(test::NeedsIsa{Isa::avx512bf16});

std::string describe(const CheckCounts& counts) {
  std::string text = std::to_string(counts.mismatches) + " of " + std::to_string(counts.vectors);
  if (!counts.first) return text;
  const auto hex = [](std::uint32_t x) {
    std::string digits(8, '0');
    for (std::size_t i = 8; i-- > 0; x >>= 4) digits[i] = "0123456789abcdef"[x & 15];
    return digits;
  };
  const X86Mismatch& m = *counts.first;
  return text + "; first " + std::to_string(m.index) + ": c " + hex(m.lane.c) + " a " + hex(m.lane.a) +
         " b " + hex(m.lane.b) + " got " + hex(m.got) + " want " + hex(m.want);
}

BOOST_AUTO_TEST_CASE(vdpbf16ps_equals_its_emulation, *on_this_cpu) {
  std::cout << "against " << cpu_model() << "\n";
  CheckCounts all;
  for (const X86ClassInfo& c : x86_classes()) {
    const CheckCounts counts = check_vdpbf16ps_live({c.id, seed, 0, 1'200'000});
    BOOST_TEST(counts.mismatches == 0U, c.name << ": " << describe(counts));
    all += counts;
  }
  std::cout << all.vectors << " vectors of VDPBF16PS, seed " << seed << "\n";
  BOOST_TEST(all.vectors >= 10'000'000U);
}

BOOST_AUTO_TEST_CASE(every_width_mask_and_mxcsr, *on_this_cpu) {
  for (const X86ClassInfo& c : x86_classes()) {
    for (const LaneForm form : lane_forms()) {
      for (const std::uint32_t mxcsr : mxcsr_settings) {
        // Not a multiple of any width.
        const CheckCounts counts = check_vdpbf16ps_live({c.id, seed + 1, 7, 20'003}, form, mxcsr);
        BOOST_TEST(counts.mismatches == 0U,
                   c.name << ", " << lane_form_name(form) << ", MXCSR " << mxcsr << ": " << describe(counts));
        BOOST_TEST(counts.vectors == 20'003U);
      }
    }
  }
}

// The instruction against the definition itself, with no fast path between them.
BOOST_AUTO_TEST_CASE(vdpbf16ps_equals_its_definition, *on_this_cpu) {
  std::vector<std::uint32_t> c(10'000), a(c.size()), b(c.size()), d(c.size());
  for (const X86ClassInfo& k : x86_classes()) {
    x86_operands({k.id, seed + 2, 0, c.size()}, c.data(), a.data(), b.data());
    vdpbf16ps_live(LaneForm::zmm, 0x1F80, c.data(), a.data(), b.data(), d.data(), c.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < c.size(); ++i) wrong += vdpbf16ps_lane({c[i], a[i], b[i]}) != d[i];
    BOOST_TEST(wrong == 0U, k.name << ": " << wrong);
  }
}

BOOST_AUTO_TEST_CASE(conversions_equal_the_policy, *on_this_cpu) {
  std::uint64_t vectors = 0;
  for (const X86ClassInfo& c : x86_classes()) {
    for (const ConversionForm form : conversion_forms()) {
      for (const std::uint32_t mxcsr : mxcsr_settings) {
        const CheckCounts counts = check_vcvtneps2bf16_live({c.id, seed, 3, 5'003}, form, mxcsr);
        BOOST_TEST(counts.mismatches == 0U, conversion_form_name(form) << ": " << describe(counts));
        vectors += counts.vectors;
      }
    }
  }
  BOOST_TEST(vectors == 9U * 6U * 6U * 5'003U);
}

// Each rejected model of VDPBF16PS is refuted by this CPU.
BOOST_AUTO_TEST_CASE(the_cpu_kills_every_mutant, *on_this_cpu) {
  for (const MutantKills& k : run_x86_mutants(seed, 5'000)) {
    if (k.mutant->unit != "vdpbf16ps") continue;
    BOOST_TEST(k.live);
    BOOST_TEST(k.by() == "live CPU");
    BOOST_TEST(k.kills() >= 100U, k.mutant->name << ": " << k.kills());
  }
}

}  // namespace
