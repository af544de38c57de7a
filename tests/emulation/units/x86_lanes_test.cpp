// The operands of the live checks, the fast forms of VDPBF16PS and TDPBF16PS against their definitions, and the
// mutants: all that needs no special CPU.
#include <boost/test/unit_test.hpp>

#include <array>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "emulation/units/x86/live_x86.hpp"
#include "emulation/units/x86/x86_mutants.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"

using namespace assay;

namespace {

constexpr std::uint64_t seed = 20240119;

struct Operands {
  explicit Operands(std::size_t n) : c(n), a(n), b(n) {}
  std::vector<std::uint32_t> c, a, b;
  friend bool operator==(const Operands&, const Operands&) = default;
};

// Uniform bits are the words of the generator that the rest of the project uses.
BOOST_AUTO_TEST_CASE(operands_are_philox) {
  const std::uint64_t first = (std::uint64_t{1} << 32) - 40, big_seed = 0x123456789ABCDEF;
  Operands x(100);
  x86_operands({X86Class::uniform_bits, big_seed, first, 100}, x.c.data(), x.a.data(), x.b.data());
  for (std::size_t i = 0; i < 100; ++i) {
    const PhiloxBlock block = CounterRandom(big_seed, 0).block(first + i);
    BOOST_TEST((x.c[i] == block[0] && x.a[i] == block[1] && x.b[i] == block[2]));
  }
}

BOOST_AUTO_TEST_CASE(operands_depend_on_class_seed_and_index_alone) {
  std::set<std::vector<std::uint32_t>> seen;
  for (const X86ClassInfo& c : x86_classes()) {
    Operands whole(1000), parts(1000), other(1000);
    x86_operands({c.id, seed, 5, 1000}, whole.c.data(), whole.a.data(), whole.b.data());
    for (std::size_t at = 0; at < 1000; at += 77) {
      const std::size_t n = std::min<std::size_t>(77, 1000 - at);
      x86_operands({c.id, seed, 5 + at, n}, parts.c.data() + at, parts.a.data() + at, parts.b.data() + at);
    }
    BOOST_TEST((whole == parts));
    for (const X86LanesKernel& kernel : x86_lanes_kernels()) {
      if (!cpu_has(kernel.needs)) continue;
      kernel.operands(c.id, seed, 5, 1000, parts.c.data(), parts.a.data(), parts.b.data());
      BOOST_TEST((whole == parts));
    }
    x86_operands({c.id, seed + 1, 5, 1000}, other.c.data(), other.a.data(), other.b.data());
    BOOST_TEST((whole.c != other.c));
    seen.insert(whole.b);
  }
  BOOST_TEST(seen.size() == x86_classes().size());
}

// What each class promises, counted.
BOOST_AUTO_TEST_CASE(classes_hold_what_they_say) {
  constexpr std::size_t n = 20'000;
  const auto share = [](X86Class kind, auto holds) {
    Operands x(n);
    x86_operands({kind, seed, 0, n}, x.c.data(), x.a.data(), x.b.data());
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) count += holds(X86Lane{x.c[i], x.a[i], x.b[i]}) ? 1U : 0U;
    return static_cast<double>(count) / n;
  };
  const auto magnitude = [](const X86Lane& x) { return vdpbf16ps_lane(x) & 0x7FFFFFFF; };
  const auto ieee = [](const X86Lane& x) {
    return vdpbf16ps_lane(x, {.flush_inputs = false, .tiny = Tiny::kept}) & 0x7FFFFFFF;
  };
  const auto subnormal = [](std::uint32_t code) { return code != 0 && code < 0x00800000; };
  BOOST_TEST(share(X86Class::underflow, [&](const X86Lane& x) { return subnormal(ieee(x)); }) > 0.1);
  BOOST_TEST(share(X86Class::overflow, [&](const X86Lane& x) { return magnitude(x) == 0x7F800000; }) > 0.1);
  BOOST_TEST(share(X86Class::overflow, [&](const X86Lane& x) { return magnitude(x) < 0x7F800000; }) > 0.1);
  BOOST_TEST(share(X86Class::specials, [&](const X86Lane& x) { return magnitude(x) > 0x7F800000; }) > 0.1);
  BOOST_TEST(share(X86Class::specials, [&](const X86Lane& x) { return magnitude(x) < 0x7F800000; }) > 0.1);
  BOOST_TEST(share(X86Class::cancel_addend,
                   [&](const X86Lane& x) { return magnitude(x) + 0x05000000 < (x.c & 0x7FFFFFFF); }) > 0.1);
  BOOST_TEST(share(X86Class::cancel_products, [&](const X86Lane& x) {
               const std::uint32_t odd_product =
                   (x.a >> 23 & 0xFF) + (x.b >> 23 & 0xFF) - 127;  // its exponent field
               return (magnitude(x) >> 23) + 6 <= odd_product;
             }) > 0.5);
  BOOST_TEST(share(X86Class::tiny_boundary, [&](const X86Lane& x) {
               const std::uint32_t m = ieee(x);
               return m >= 0x007FFFF0 && m <= 0x00800010;
             }) > 0.5);
  // A tie: the sum of c and twice the products is a neighbour of c, or c.
  BOOST_TEST(share(X86Class::half_way, [&](const X86Lane& x) {
               const std::uint32_t m = magnitude(x), c = x.c & 0x7FFFFFFF;
               return m + 1 == c || m == c + 1;
             }) > 0.2);
}

// 1e6 of each class.
BOOST_AUTO_TEST_CASE(lanes_equal_the_definition) {
  std::uint64_t vectors = 0;
  for (const X86ClassInfo& c : x86_classes()) {
    const CheckCounts counts = check_vdpbf16ps_definition({c.id, seed, 0, 1'000'000});
    BOOST_TEST(counts.mismatches == 0U, c.name << ": " << counts.mismatches << " of " << counts.vectors);
    vectors += counts.vectors;
  }
  BOOST_TEST(vectors == 9'000'000U);
}

BOOST_AUTO_TEST_CASE(every_path_of_lanes_equals_the_definition) {
  std::vector<X86LanesFn*> paths;
  for (const X86LanesKernel& kernel : x86_lanes_kernels()) {
    if (cpu_has(kernel.needs)) paths.push_back(kernel.lanes);
  }
  for (const X86ClassInfo& c : x86_classes()) {
    for (const std::size_t n : {1U, 7U, 8U, 15U, 17U, 5000U}) {
      Operands x(n);
      x86_operands({c.id, seed + 1, n, n}, x.c.data(), x.a.data(), x.b.data());
      for (X86LanesFn* const path : paths) {
        for (const std::uint32_t control : mxcsr_settings) {
          std::vector<std::uint32_t> d(n + 1, 0xDEADBEEF);
          {
            const MxcsrGuard guard(control);
            path(x.c.data(), x.a.data(), x.b.data(), d.data(), n);
            BOOST_TEST((mxcsr() & ~0x3FU) == (control & ~0x3FU));
          }
          std::size_t wrong = 0;
          for (std::size_t i = 0; i < n; ++i) wrong += d[i] != vdpbf16ps_lane({x.c[i], x.a[i], x.b[i]});
          BOOST_TEST(wrong == 0U);
          BOOST_TEST(d[n] == 0xDEADBEEF);
        }
      }
    }
  }
}

// Tiles of every shape.
BOOST_AUTO_TEST_CASE(tiles_equal_the_definition) {
  for (const X86ClassInfo& c : x86_classes()) {
    CheckCounts counts;
    for (std::size_t size = 1; size <= 16; ++size) {
      for (const TileShape& shape : {TileShape{size, 16, 1 + size % 3}, TileShape{16, size, 2},
                                     TileShape{4, 3, size}, TileShape{size, 17 - size, 17 - size}})
        counts += check_tdpbf16ps_definition(c.id, seed, 0, 40, shape);
    }
    BOOST_TEST(counts.mismatches == 0U, c.name << ": " << counts.mismatches << " of " << counts.vectors);
    BOOST_TEST(counts.vectors > 100'000U);
  }
}

// Matrix products of the classes, NaN payloads among them: every path, with the addend and without.
BOOST_AUTO_TEST_CASE(every_path_of_gemm_equals_the_definition) {
  ArithmeticRegistry registry;
  add_fma_chain_units(registry);
  constexpr std::size_t m = 14, n = 37, pairs = 19;
  constexpr std::ptrdiff_t depth = 2 * pairs;
  for (const char* const name : {"vdpbf16ps", "tdpbf16ps"}) {
    const Unit& unit = *as_unit(registry.find(name));
    for (const X86ClassInfo& k : x86_classes()) {
      Operands x(m * n * pairs);
      x86_operands({k.id, seed + 3, 0, m * n * pairs}, x.c.data(), x.a.data(), x.b.data());
      const CodeMatrix a{x.a.data(), m, depth, depth, 1, formats::bfloat16};
      const CodeMatrix b = CodeMatrix{x.b.data(), n, depth, depth, 1, formats::bfloat16}.transposed();
      const CodeMatrix c{x.c.data(), m, n, n, 1, formats::float32};
      for (const std::optional<CodeMatrix>& addend : {std::optional(c), std::optional<CodeMatrix>()}) {
        std::vector<std::uint32_t> want(m * n), got(m * n);
        unit.gemm_by("definition", a, b, addend, {want.data(), m, n, n, 1, formats::float32});
        for (const UnitPath& path : unit.paths()) {
          if (!cpu_has(path.needs)) continue;
          unit.gemm_by(path.name, a, b, addend, {got.data(), m, n, n, 1, formats::float32});
          BOOST_TEST((got == want), name << ", " << k.name << ", " << path.name);
        }
      }
    }
  }
}

// The checks see what is wrong: under a mutant's rules they count, and name the first.
BOOST_AUTO_TEST_CASE(checks_can_fail) {
  const X86Lanes lanes{X86Class::tiny_boundary, seed, 100, 50'000};
  const CheckCounts counts = check_vdpbf16ps_definition(lanes, {.tiny = Tiny::before_rounding});
  BOOST_TEST(counts.vectors == 50'000U);
  BOOST_TEST(counts.mismatches > 1'000U);
  BOOST_REQUIRE(counts.first);
  BOOST_TEST(counts.first->index >= 100U);
  BOOST_TEST(counts.first->got == vdpbf16ps_lane(counts.first->lane));
  BOOST_TEST(counts.first->want == vdpbf16ps_lane(counts.first->lane, {.tiny = Tiny::before_rounding}));
  BOOST_TEST(counts.first->got != counts.first->want);
  const CheckCounts alone = [&] {
    const ThreadScope team(1);
    return check_vdpbf16ps_definition(lanes, {.tiny = Tiny::before_rounding});
  }();
  BOOST_TEST(alone.mismatches == counts.mismatches);
  BOOST_TEST(alone.first->index == counts.first->index);
  BOOST_TEST(
      check_tdpbf16ps_definition(X86Class::underflow, seed, 0, 100, {}, {.one_chain = true}).mismatches >
      100U);
}

// Every mutant differs from the definition, on the classes that are meant for it.
void kill_every_mutant(std::size_t vectors, std::size_t least) {
  const auto classes_of = [&](const MutantKills& k) {
    std::set<X86Class> killing;
    for (const ClassKills& c : k.classes) {
      BOOST_TEST(c.vectors == vectors);
      if (c.kills != 0) killing.insert(c.kind);
    }
    return killing;
  };
  std::size_t mutants = 0;
  for (const MutantKills& k : run_x86_mutants(seed, vectors)) {
    ++mutants;
    const std::string name = std::string(k.mutant->unit) + "/" + std::string(k.mutant->name);
    BOOST_TEST(k.kills() >= least, name << ": " << k.kills());
    BOOST_TEST(k.by() == (k.live ? "live CPU" : "definition only"));
    const std::set<X86Class> killing = classes_of(k);
    if (k.mutant->rules.tiny != Tiny::after_rounding)
      BOOST_TEST(killing.contains(X86Class::tiny_boundary), name);
    if (k.mutant->rules.nan != NanOrder::a_b_c) BOOST_TEST(killing.contains(X86Class::specials), name);
    if (k.mutant->rules.even_first) BOOST_TEST(killing.contains(X86Class::half_way), name);
    std::cout << name << ", by " << k.by() << ":";
    for (const ClassKills& c : k.classes) std::cout << ' ' << c.kills;
    std::cout << '\n';
  }
  BOOST_TEST(mutants == x86_mutants().size());
  BOOST_TEST(mutants == 12U);
}

BOOST_AUTO_TEST_CASE(every_mutant_is_killed) { kill_every_mutant(4000, 20); }
BOOST_AUTO_TEST_CASE(every_mutant_is_killed_often, *boost::unit_test::label("full")) {
  kill_every_mutant(20'000, 100);
}

BOOST_AUTO_TEST_CASE(misuse) {
  std::array<std::uint32_t, 256> x{};
  BOOST_CHECK_THROW(tdpbf16ps_live({17, 1, 1}, 0x1F80, x.data(), x.data(), x.data()), ContractError);
  BOOST_CHECK_THROW(tdpbf16ps_live({1, 0, 1}, 0x1F80, x.data(), x.data(), x.data()), ContractError);
  if (!cpu_has(Isa::amx_bf16))
    BOOST_CHECK_THROW(tdpbf16ps_live({1, 1, 1}, 0x1F80, x.data(), x.data(), x.data()), Unavailable);
  if (!cpu_has(Isa::avx512bf16)) BOOST_CHECK_THROW(check_vdpbf16ps_live({}), Unavailable);
}

}  // namespace
