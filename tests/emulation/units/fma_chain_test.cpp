#define BOOST_TEST_MODULE units_fma_chain
#include <boost/test/unit_test.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "emulation/units/fma_chain.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/exact_dot.hpp"
#include "tests/reference/exact/operands.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;
const FormatSpec& bf16 = formats::bfloat16;

struct Units {
  Units() { add_fma_chain_units(registry); }
  const Unit& find(std::string_view name) const { return *as_unit(registry.find(name)); }
  ArithmeticRegistry registry;
};

CodeArray codes(const FormatSpec& f, const std::vector<std::uint64_t>& list) {
  CodeArray array(list.size(), f);
  for (std::size_t i = 0; i < list.size(); ++i) array.set(i, list[i]);
  return array;
}

std::uint64_t dot(const Arithmetic& unit, const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b,
                  std::optional<std::uint64_t> c = {}) {
  const FormatSpec& f = unit.info().inputs.front().first;
  const CodeArray x = codes(f, a), y = codes(f, b);
  return unit.dot(x.view(), y.view(), c);
}

// bfloat16 and float32 codes of powers of two.
constexpr std::uint64_t bf(int e) { return static_cast<std::uint64_t>(e + 127) << 7; }
constexpr std::uint64_t fl(int e) { return static_cast<std::uint64_t>(e + 127) << 23; }
constexpr std::uint64_t minus16 = 0x8000, minus32 = 0x80000000;

BOOST_AUTO_TEST_CASE(vdpbf16ps_by_hand) {
  const Units units;
  const Unit& unit = units.find("vdpbf16ps");
  // Odd first: 1 + 2^-24 is a tie and stays 1, then 2^-23 counts; even first would give 1 + 2^-23 + (tie to even).
  BOOST_TEST(dot(unit, {bf(-23), bf(-24)}, {bf(0), bf(0)}, fl(0)) == fl(0) + 1);
  BOOST_TEST(dot(unit, {bf(-24), bf(-23)}, {bf(0), bf(0)}, fl(0)) == fl(0) + 2);
  // One rounding: the product lies far below float32's range, and still decides the tie.
  BOOST_TEST(dot(unit, {0, bf(-24) + 1}, {0, bf(0)}, fl(0)) == fl(0) + 1);
  // Subnormal operands are zeros of their sign.
  BOOST_TEST(dot(unit, {0, 0x007F}, {0, bf(100)}, fl(0)) == fl(0));
  BOOST_TEST(dot(unit, {0, 0}, {0, 0}, 0x807FFFFF) == 0U);  // -0 + +0
  BOOST_TEST(dot(unit, {minus16, minus16}, {0, 0}, 0x807FFFFF) == minus32);
  BOOST_TEST(dot(unit, {0x807F, 0x807F}, {bf(0), bf(0)}, 0x807FFFFF) == minus32);
  // Exact cancellation is +0.
  BOOST_TEST(dot(unit, {0, bf(0) | minus16}, {0, bf(0)}, fl(0)) == 0U);
  // Tiny after rounding: 2^-126 less a part of its last place. The product is (1 + 2^-7)^2 2^-1xx and so on.
  const auto less = [&](int e) { return dot(unit, {0, bf(e + 60) | minus16}, {0, bf(-60)}, fl(-126)); };
  BOOST_TEST(less(-150) == 0U);             // representable as 24 bits below 2^-126: flushed, and so is the tie to even
  BOOST_TEST(less(-149) == 0U);
  BOOST_TEST(less(-151) == fl(-126));       // a tie of 24 bits without limit: to even, which is 2^-126
  BOOST_TEST(less(-152) == fl(-126));
  BOOST_TEST(dot(unit, {0, (bf(-91) + 1) | minus16}, {0, bf(-60)}, fl(-126)) == 0U);  // just above the tie
  BOOST_TEST(dot(unit, {minus16, bf(-90)}, {0, bf(-60)}, fl(-126) | minus32) == minus32);  // the sign stays
  // The odd step's result is flushed before the even one adds.
  BOOST_TEST(dot(unit, {bf(-66), bf(-90) | minus16}, {bf(-60), bf(-60)}, fl(-126)) == fl(-126));
  // Overflow, infinities and NaN.
  BOOST_TEST(dot(unit, {0, bf(127)}, {0, bf(1)}, 0) == 0x7F800000U);
  BOOST_TEST(dot(unit, {bf(127) | minus16, bf(127)}, {bf(127), bf(127)}, 0) == 0x7F800000U);
  BOOST_TEST(dot(unit, {0, 0x7F80}, {0, bf(0)}, 0xFF800000) == 0xFFC00000U);
  BOOST_TEST(dot(unit, {0, 0x7F80}, {0, 0}, fl(0)) == 0xFFC00000U);
  BOOST_TEST(dot(unit, {0, 0x7F80}, {0, 0x0001}, fl(0)) == 0xFFC00000U);  // a subnormal is a zero
  BOOST_TEST(dot(unit, {0, 0xFFA5}, {0, 0x7F81}, 0x7F812345) == 0xFFE50000U);
  BOOST_TEST(dot(unit, {0, bf(0)}, {0, 0x7F81}, 0x7F812345) == 0x7FC10000U);
  BOOST_TEST(dot(unit, {0, bf(0)}, {0, bf(0)}, 0x7F812345) == 0x7FC12345U);
  BOOST_TEST(dot(unit, {0, 0x7F80}, {0, 0}, 0x7F812345) == 0x7FC12345U);   // a NaN goes before 0 * Inf
  BOOST_TEST(dot(unit, {0x7F82, 0x7F81}, {0, 0}, fl(0)) == 0x7FC20000U);   // the even step's a before its acc
  // K = 0 and odd K.
  BOOST_TEST(dot(unit, {}, {}, 0x7F812345) == 0x7F812345U);
  BOOST_TEST(dot(unit, {}, {}) == 0U);
  BOOST_TEST(dot(unit, {bf(0)}, {bf(1)}, fl(1)) == fl(2));
  BOOST_TEST(dot(unit, {minus16}, {0}, minus32) == 0U);  // the padding's +0 goes first
}

BOOST_AUTO_TEST_CASE(tdpbf16ps_by_hand) {
  const Units units;
  const Unit& unit = units.find("tdpbf16ps");
  // Even and odd elements in chains of their own: (1 + 2^-24) + 2^-24 in one chain is 1; e + o = 1 + 2^-23.
  BOOST_TEST(dot(unit, {bf(0), bf(-24), 0, bf(-24)}, {bf(0), bf(0), 0, bf(0)}) == fl(0) + 1);
  BOOST_TEST(dot(unit, {bf(0), 0, bf(-24), bf(-24)}, {bf(0), 0, bf(0), bf(0)}) == fl(0));
  // A new block starts new chains: element 32 is not added to the chain of 0 ... 30.
  std::vector<std::uint64_t> a(33, 0), b(33, bf(0));
  a[0] = bf(0);
  a[30] = bf(-24);
  a[32] = bf(-24);
  BOOST_TEST(dot(unit, a, b) == fl(0));
  BOOST_TEST(dot(unit, a, b, fl(-24)) == fl(0));       // c + block 0 first
  a[0] = 0;
  BOOST_TEST(dot(unit, a, b, fl(0)) == fl(0));          // two ties one after the other
  a[30] = 0;
  a[28] = bf(-25);
  a[26] = bf(-25);
  a[24] = bf(-24);
  BOOST_TEST(dot(unit, a, b, fl(0)) == fl(0) + 2);  // 2^-23 from block 0, then a tie from block 1: to even
  // Flushing in the additions.
  BOOST_TEST(dot(unit, {bf(-126)}, {bf(0)}, (fl(-126) + 1) | minus32) == minus32);
  BOOST_TEST(dot(unit, {0}, {0}, 0x80000001) == 0U);
  // The first NaN: c before the chains, the even chain before the odd one.
  BOOST_TEST(dot(unit, {0x7F82, 0x7F81}, {0, 0}, 0x7F812345) == 0x7FC12345U);
  BOOST_TEST(dot(unit, {0x7F82, 0x7F81}, {0, 0}) == 0x7FC20000U);
  BOOST_TEST(dot(unit, {0, 0x7F81}, {0, 0}) == 0x7FC10000U);
  BOOST_TEST(dot(unit, {0x7F80, 0x7F80}, {bf(0), bf(0) | minus16}) == 0xFFC00000U);
  BOOST_TEST(dot(unit, {}, {}, 0x80000001) == 0x80000001U);
}

}  // namespace
