#include <boost/test/unit_test.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/fma_chain.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
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

std::uint64_t dot(const Arithmetic& unit, const std::vector<std::uint64_t>& a,
                  const std::vector<std::uint64_t>& b, std::optional<std::uint64_t> c = {}) {
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
  BOOST_TEST(less(-150) == 0U);  // representable as 24 bits below 2^-126: flushed, and so is the tie to even
  BOOST_TEST(less(-149) == 0U);
  BOOST_TEST(less(-151) == fl(-126));  // a tie of 24 bits without limit: to even, which is 2^-126
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
  BOOST_TEST(dot(unit, {0, 0x7F80}, {0, 0}, 0x7F812345) == 0x7FC12345U);  // a NaN goes before 0 * Inf
  BOOST_TEST(dot(unit, {0x7F82, 0x7F81}, {0, 0}, fl(0)) == 0x7FC20000U);  // the even step's a before its acc
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
  BOOST_TEST(dot(unit, a, b, fl(-24)) == fl(0));  // c + block 0 first
  a[0] = 0;
  BOOST_TEST(dot(unit, a, b, fl(0)) == fl(0));  // two ties one after the other
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

// The sequential units are chains of reference/exact with NaNs of their own, where a chain of that kind exists.
BOOST_AUTO_TEST_CASE(cuda_units_equal_chains) {
  const Units units;
  ArithmeticRegistry chains;
  add_chains(chains);
  constexpr std::pair<const char*, const char*> twins[] = {
      {"fma_f32", "chain_f32_fused"}, {"mul_add_f32", "chain_f32"},          {"fma_bf16.sm80", "chain_bf16"},
      {"mul_add_bf16", "chain_bf16"}, {"fma_bf16.sm90", "chain_bf16_fused"}, {"fma_f64", "chain_f64_fused"}};
  for (const auto& [name, twin] : twins) {
    const Unit& unit = units.find(name);
    const Arithmetic& chain = chains.find(twin);
    const FormatSpec& f = unit.info().accumulator;
    const std::uint64_t nan = f == formats::float64 ? 0xFFF8000000000000 : f.magnitude_mask();
    std::size_t wrong = 0, nans = 0;
    for (const Operands kind : all_operands) {
      for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const std::size_t n = 1 + seed % 19;
        const auto [a, b] = make_operands(kind, n, f, f, seed);
        const std::uint64_t want = chain.dot(a.view(), b.view(), b.code(0));
        nans += f.is_nan(want);
        wrong += unit.dot(a.view(), b.view(), b.code(0)) != (f.is_nan(want) ? nan : want);
      }
    }
    BOOST_TEST(wrong == 0U, name << ": " << wrong);
    BOOST_TEST(nans > 10U);
  }
}

// a*b + c on __nv_bfloat16: one rounding or two matter in 6 to 14 % of cases uniform in [0, 1). (More where the product
// and c are closer to each other: 23 % of standard normal ones.)
BOOST_AUTO_TEST_CASE(bf16_units_differ_as_often_as_known) {
  const Units units;
  const Unit &twice = units.find("fma_bf16.sm80"), &once = units.find("fma_bf16.sm90");
  const CounterRandom random(3);
  std::size_t differ = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const auto code = [&](std::uint64_t j) { return encode(random.uniform(3 * i + j), bf16).code; };
    differ += dot(twice, {code(0)}, {code(1)}, code(2)) != dot(once, {code(0)}, {code(1)}, code(2));
  }
  BOOST_TEST(differ > 1200U);
  BOOST_TEST(differ < 2800U);
}

BOOST_AUTO_TEST_CASE(ftz_by_hand) {
  const Units units;
  const Unit &fma = units.find("fma_f32_ftz"), &both = units.find("mul_add_f32_ftz"),
             &keep = units.find("fma_f32");
  BOOST_TEST(dot(keep, {1}, {fl(0)}) == 1U);
  BOOST_TEST(dot(fma, {1}, {fl(0)}) == 0U);
  BOOST_TEST(dot(fma, {1 | minus32}, {fl(0)}, minus32) == minus32);
  BOOST_TEST(dot(fma, {fl(-100)}, {fl(-27)}, fl(-127)) == 0U);
  // The product alone would be flushed; fused it is not.
  BOOST_TEST(dot(fma, {fl(-100)}, {fl(-27)}, fl(-126)) == fl(-126) + 0x400000);
  BOOST_TEST(dot(both, {fl(-100)}, {fl(-27)}, fl(-126)) == fl(-126));
  BOOST_TEST(dot(fma, {0x7F800000}, {0}) == 0x7FFFFFFFU);
  BOOST_TEST(dot(fma, {fl(0)}, {fl(0)}, 0xFFC12345) == 0x7FFFFFFFU);
  BOOST_TEST(dot(fma, {}, {}, 0xFFC12345) == 0xFFC12345U);
}

// Every path gives the definition's bits: all kinds of data, sizes around every tile, C, strides, MXCSR, threads.
std::uint64_t compare_paths(const Unit& unit, const CodeMatrix& a, const CodeMatrix& b,
                            const std::optional<CodeMatrix>& c) {
  const FormatSpec& f = unit.info().accumulator;
  const std::size_t m = a.rows, n = b.cols;
  CodeArray want(m * n, f);
  unit.gemm_by("definition", a, b, c, want.out(m, n));
  std::uint64_t wrong = 0;
  for (const UnitPath& path : unit.paths()) {
    if (!cpu_has(path.needs)) continue;
    CodeArray got((m + 2) * (n + 3), f);  // with a rim that must stay
    for (std::size_t i = 0; i < got.size(); ++i) got.set(i, 0x12345678);
    const auto stride = static_cast<std::ptrdiff_t>(n + 3);
    const MutableCodeMatrix d{
        detail::advance_codes(got.out().data, stride + 1, code_bytes(f)), m, n, stride, 1, f};
    unit.gemm_by(path.name, a, b, c, d);
    for (std::size_t i = 0; i < m + 2; ++i) {
      for (std::size_t j = 0; j < n + 3; ++j) {
        const bool inside = i >= 1 && i <= m && j >= 1 && j <= n;
        wrong += got.code(i * (n + 3) + j) != (inside ? want.code((i - 1) * n + j - 1) : 0x12345678);
      }
    }
  }
  return wrong;
}

constexpr const char* float_units[] = {"vdpbf16ps",   "tdpbf16ps",   "fma_f32",
                                       "fma_f32_ftz", "mul_add_f32", "mul_add_f32_ftz"};

void compare_paths_for_all_data(const std::vector<std::size_t>& lengths) {
  const Units units;
  for (const char* const name : float_units) {
    const Unit& unit = units.find(name);
    for (const auto& [fa, fb] : unit.info().inputs) {
      std::uint64_t wrong = 0;
      for (const Operands kind : all_operands) {
        for (const std::size_t k : lengths) {
          const std::size_t m = 13, n = 35;
          const auto [a, b] = make_operands(kind, m * k + k * n, fa, fb, k);
          const auto [c, unused] = make_operands(kind, m * n, f32, f32, k + 1);
          wrong += compare_paths(unit, a.matrix(m, k), b.matrix(k, n), {});
          wrong += compare_paths(unit, a.matrix(m, k), b.matrix(n, k).transposed(), c.matrix(m, n));
        }
      }
      BOOST_TEST(wrong == 0U, name << " of " << fa.short_name << ": " << wrong);
    }
  }
}
BOOST_AUTO_TEST_CASE(paths_equal_the_definition_for_all_data) {
  compare_paths_for_all_data({1, 2, 3, 33, 67});
}
BOOST_AUTO_TEST_CASE(paths_equal_the_definition_for_more_lengths, *boost::unit_test::label("full")) {
  compare_paths_for_all_data({31, 32, 64, 200});
}

BOOST_AUTO_TEST_CASE(paths_equal_the_definition_for_all_sizes) {
  const Units units;
  const std::size_t sizes[] = {1, 2, 3, 5, 7, 8, 11, 12, 13, 15, 16, 17, 31, 32, 33, 47};
  for (const char* const name : float_units) {
    const Unit& unit = units.find(name);
    const FormatSpec& f = unit.info().inputs.front().first;
    std::uint64_t wrong = 0;
    for (const std::size_t size : sizes) {
      const auto [a, b] = make_operands(Operands::with_specials, 4000, f, f, size);
      const auto [c, unused] = make_operands(Operands::with_specials, 4000, f32, f32, size);
      for (const std::size_t other : {std::size_t{1}, std::size_t{33}}) {
        wrong += compare_paths(unit, a.matrix(size, 5), b.matrix(5, other), c.matrix(size, other));
        wrong += compare_paths(unit, a.matrix(other, 5), b.matrix(5, size), c.matrix(other, size));
        wrong += compare_paths(unit, a.matrix(other, size), b.matrix(size, 3), c.matrix(other, 3));
      }
      wrong += compare_paths(unit, a.matrix(size, 0), b.matrix(0, size), c.matrix(size, size));
      wrong += compare_paths(unit, a.matrix(size, 0), b.matrix(0, size), {});
    }
    BOOST_TEST(wrong == 0U, name << ": " << wrong);
  }
}

// Deeper and wider than the blocks of the packed panels; and in the depth's last block both parities.
BOOST_AUTO_TEST_CASE(paths_equal_the_definition_past_the_blocks) {
  const Units units;
  for (const char* const name : {"vdpbf16ps", "tdpbf16ps", "fma_f32"}) {
    const Unit& unit = units.find(name);
    const FormatSpec& f = unit.info().inputs.front().first;
    for (const Operands kind : {Operands::normal, Operands::with_specials}) {
      const auto [a, b] = make_operands(kind, 2060 * 12, f, f, 9);
      BOOST_TEST(compare_paths(unit, a.matrix(3, 401), b.matrix(401, 5), {}) == 0U);
      BOOST_TEST(compare_paths(unit, a.matrix(3, 576), b.matrix(576, 5), {}) == 0U);
      BOOST_TEST(compare_paths(unit, a.matrix(2, 3), b.matrix(3, 2055), {}) == 0U);
      BOOST_TEST(compare_paths(unit, a.matrix(415, 3), b.matrix(3, 2), {}) == 0U);
    }
  }
}

// The baseline multiplies and adds where every product is exact. At either end of that range, one binade decides: each
// matrix has products of one exponent, and addends that make the product's own rounding, flush or overflow show.
BOOST_AUTO_TEST_CASE(baseline_at_the_ends_of_its_range) {
  const Units units;
  for (const char* const name : {"vdpbf16ps", "tdpbf16ps", "fma_f32", "fma_f32_ftz"}) {
    const Unit& unit = units.find(name);
    std::uint64_t wrong = 0;
    for (const int sum : {-152, -142, -141, -134, -133, -128, -127, -126, -125, 124, 125, 126, 127, 128}) {
      const int half = sum / 2;
      for (const std::uint64_t fraction : {0U, 0x41U, 0x7FU}) {
        const std::uint64_t x = bf(half) + fraction, y = bf(sum - half) + fraction;
        const CodeArray a = codes(bf16, {x, x | minus16, 0, x}), b = codes(bf16, {y, y, y | minus16, 0});
        const std::uint64_t end = sum < 0 ? fl(-126) : fl(127) + 0x7F0000;
        const CodeArray c = codes(f32, {end, end | minus32, end + 1, (end + 3) | minus32});
        wrong += compare_paths(unit, a.matrix(2, 2), b.matrix(2, 2), c.matrix(2, 2));
        wrong += compare_paths(unit, a.matrix(4, 1), b.matrix(1, 1), c.matrix(4, 1));
        wrong += compare_paths(unit, a.matrix(1, 4), b.matrix(4, 1), c.matrix(1, 1));
      }
    }
    BOOST_TEST(wrong == 0U, name << ": " << wrong);
  }
}

// A product at a tie of float32, and an addend below float64's last place that decides it: rounding twice shows.
BOOST_AUTO_TEST_CASE(float64_rounds_to_odd) {
  const Units units;
  const std::uint64_t x = fl(0) + 0x800;  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24
  const CodeArray a = codes(f32, {x, x | minus32, x, x | minus32}), b = codes(f32, {x});
  const CodeArray c = codes(f32, {fl(-60), fl(-60), fl(-60) | minus32, fl(-60) | minus32});
  const std::uint64_t tie = fl(0) + 0x1000;  // to even: down
  BOOST_TEST(dot(units.find("fma_f32"), {x}, {x}) == tie);
  BOOST_TEST(dot(units.find("fma_f32"), {x}, {x}, fl(-60)) == tie + 1);
  BOOST_TEST(compare_paths(units.find("fma_f32"), a.matrix(4, 1), b.matrix(1, 1), c.matrix(4, 1)) == 0U);
  BOOST_TEST(compare_paths(units.find("fma_f32_ftz"), a.matrix(4, 1), b.matrix(1, 1), c.matrix(4, 1)) == 0U);
}

BOOST_AUTO_TEST_CASE(neither_mxcsr_nor_threads_matter) {
  const Units units;
  const std::size_t m = 100, n = 70, k = 66;
  for (const char* const name : float_units) {
    const Unit& unit = units.find(name);
    const FormatSpec& f = unit.info().inputs.front().first;
    const auto [a, b] = make_operands(Operands::subnormal, m * k + k * n, f, f, 5);
    CodeArray want(m * n, f32);
    unit.gemm_by("definition", a.matrix(m, k), b.matrix(k, n), {}, want.out(m, n));
    std::size_t wrong = 0;
    for (const UnitPath& path : unit.paths()) {
      if (!cpu_has(path.needs) || path.name == "definition") continue;
      for (const std::uint32_t control : {0x1F80U, 0x3F80U, 0x5F80U, 0x7F80U, 0x9FC0U, 0xFFC0U}) {
        for (const int count : {1, 2, 3}) {
          const ThreadScope team(count);
          CodeArray got(m * n, f32);
          const MxcsrGuard guard(control);
          unit.gemm_by(path.name, a.matrix(m, k), b.matrix(k, n), {}, got.out(m, n));
          wrong += (mxcsr() & ~0x3FU) != (control & ~0x3FU);
          for (std::size_t i = 0; i < m * n; ++i) wrong += got.code(i) != want.code(i);
        }
      }
    }
    BOOST_TEST(wrong == 0U, name << ": " << wrong);
  }
}

// gemm() is dot(), C may be D, and D may be any strided matrix.
BOOST_AUTO_TEST_CASE(gemm_equals_dot) {
  const Units units;
  const std::size_t m = 5, n = 7, k = 37;
  for (const Arithmetic* const member : units.registry.list()) {
    const auto& [fa, fb] = member->info().inputs.front();
    const FormatSpec& f = member->info().accumulator;
    std::size_t wrong = 0;
    for (const Operands kind : all_operands) {
      const auto [a, b] = make_operands(kind, m * k + k * n, fa, fb, 4);
      const auto [c, unused] = make_operands(kind, m * n, f, f, 5);
      const CodeMatrix A = a.matrix(m, k), B = b.matrix(n, k).transposed();
      CodeArray in_place(m * n, f), across(m * n, f);
      for (std::size_t i = 0; i < m * n; ++i) in_place.set(i, c.code(i));
      member->gemm(A, B, in_place.matrix(m, n), in_place.out(m, n));
      MutableCodeMatrix column_major = across.out(n, m);
      std::swap(column_major.rows, column_major.cols);
      std::swap(column_major.row_stride, column_major.col_stride);
      member->gemm(A, B, c.matrix(m, n), column_major);
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          const std::uint64_t want = member->dot(A.row(i), B.column(j), c.code(i * n + j));
          wrong += in_place.code(i * n + j) != want;
          wrong += across.code(j * m + i) != want;
        }
      }
    }
    BOOST_TEST(wrong == 0U, member->info().name << ": " << wrong);
  }
}

BOOST_AUTO_TEST_CASE(bounds_hold) {
  const Units units;
  for (const Arithmetic* const member : units.registry.list()) {
    const auto& [fa, fb] = member->info().inputs.front();
    const FormatSpec& f = member->info().accumulator;
    std::size_t above = 0, finite = 0;
    double worst = 0;
    for (const Operands kind :
         {Operands::normal, Operands::positive, Operands::cancelling, Operands::wide, Operands::subnormal}) {
      for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const std::size_t n = seed % 71;
        const auto [a, b] = make_operands(kind, n, fa, fb, seed);
        const auto [c, unused] = make_operands(kind, 1, f, f, seed + 1);
        const std::optional<std::uint64_t> start = seed % 3 == 0 ? std::nullopt : std::optional(c.code(0));
        const std::uint64_t got = member->dot(a.view(), b.view(), start);
        const ExactDot truth = member->exact(a.view(), b.view(), start);
        if (!f.is_finite(got) || n == 0) continue;
        ++finite;
        ExactSum error = truth.value;
        ExactSum computed;
        computed.add(got, f);
        computed.negate();
        error.merge(computed);
        const double bound = member->bound(a.view(), b.view(), start, f);
        above += error.magnitude_up() > bound;
        worst = std::max(worst, error.magnitude_up() / bound);
      }
    }
    BOOST_TEST(above == 0U, member->info().name << ": " << above << " of " << finite);
    BOOST_TEST(finite > 300U);
    BOOST_TEST(worst > 0.05, member->info().name << ": the bound is " << 1 / worst << " times too wide");
  }
  const float bad[1] = {std::numeric_limits<float>::infinity()}, x[1] = {1};
  BOOST_TEST(std::isinf(units.find("fma_f32").bound(code_vector(bad, 1), code_vector(x, 1), {}, f32)));
}

BOOST_AUTO_TEST_CASE(traces_end_in_the_result) {
  const Units units;
  for (const Arithmetic* const member : units.registry.list()) {
    const Unit& unit = *as_unit(*member);
    const auto& [fa, fb] = unit.info().inputs.front();
    const FormatSpec& f = unit.info().accumulator;
    for (const Operands kind : all_operands) {
      for (const std::size_t n : {0U, 1U, 2U, 33U, 40U}) {
        const auto [a, b] = make_operands(kind, n, fa, fb, n + 1);
        const std::vector<TraceStep> steps = unit.trace(a.view(), b.view(), {}, f);
        BOOST_TEST(steps.empty() == (n == 0));
        if (n != 0) BOOST_TEST((steps.back().result == unit.dot(a.view(), b.view())));
        std::size_t wrong = 0;
        for (const TraceStep& step : steps) {
          wrong += step.name.empty() || step.terms.empty() || !(step.format == f);
          if (step.note.empty()) wrong += step.result != encode(step.sum, f).code;
        }
        BOOST_TEST(wrong == 0U);
      }
    }
  }
  // Read by hand: the order, the padding, what was flushed.
  const CodeArray a = codes(bf16, {bf(0), 0x0001, bf(-120)}), b = codes(bf16, {bf(1), bf(0), bf(-20)});
  const std::vector<TraceStep> vdp = units.find("vdpbf16ps").trace(a.view(), b.view(), {}, f32);
  BOOST_REQUIRE(vdp.size() == 4U);
  BOOST_TEST(vdp[0].name == "fma a[1] b[1]");
  BOOST_TEST(vdp[0].terms[0].name == "a[1] b[1]");
  BOOST_TEST(!vdp[0].terms[0].exact.is_zero());
  BOOST_TEST(vdp[0].terms[0].entered.is_zero());
  BOOST_TEST(vdp[1].name == "fma a[0] b[0]");
  BOOST_TEST(vdp[2].terms[0].name == "a[3] b[3] (padding)");
  BOOST_TEST(vdp[3].result == fl(1));
  const std::vector<TraceStep> tdp = units.find("tdpbf16ps").trace(a.view(), b.view(), {}, f32);
  BOOST_REQUIRE(tdp.size() == 6U);
  BOOST_TEST(tdp[4].name == "add even chain + odd chain");
  BOOST_TEST(tdp[5].name == "add c + block");
  const CodeArray tiny = codes(bf16, {bf(-100)}), less = codes(bf16, {bf(-40)});
  BOOST_TEST(units.find("tdpbf16ps").trace(tiny.view(), less.view(), {}, f32).front().note ==
             "tiny: flushed");
}

BOOST_AUTO_TEST_CASE(steps) {
  const Units units;
  const CodeArray a = codes(bf16, {bf(0), bf(1)}), b = codes(bf16, {bf(1), bf(1)});
  BOOST_TEST(units.find("vdpbf16ps").step(a.view(), b.view(), fl(0)) == encode(7.0, f32).code);
  const CodeArray three = codes(bf16, {bf(0), bf(1), bf(1)});
  BOOST_CHECK_THROW(units.find("vdpbf16ps").step(three.view(), three.view(), 0), ContractError);
  BOOST_TEST(units.find("tdpbf16ps").info().step_terms == 32U);
}

BOOST_AUTO_TEST_CASE(metadata) {
  const Units units;
  BOOST_TEST(units.registry.list().size() == 10U);
  for (const Arithmetic* const member : units.registry.list()) {
    const ArithmeticInfo& info = member->info();
    BOOST_TEST(!(info.summary.empty() || info.order.empty() || info.products.empty() || info.nan.empty() ||
                 info.source.empty() || info.inputs.empty() || info.parameters.empty()));
    BOOST_TEST((info.evidence != Evidence::DEF));
    BOOST_TEST(info.family == "fma_chain");
  }
  BOOST_TEST((units.find("vdpbf16ps").info().evidence == Evidence::HW));
  BOOST_TEST(is_unverified(units.find("fma_f32_ftz").info().evidence));
}

BOOST_AUTO_TEST_CASE(misuse) {
  const Units units;
  const Unit& unit = units.find("vdpbf16ps");
  const float x[4] = {1, 2, 3, 4};
  BOOST_CHECK_EXCEPTION(
      unit.dot(code_vector(x, 4), code_vector(x, 4)), ContractError,
      [](const ContractError& e) { return std::string(e.what()).find("bf16 x bf16") != std::string::npos; });
  std::uint32_t d[4] = {};
  const CodeArray a = codes(bf16, {0, 0, 0, 0});
  BOOST_CHECK_THROW(unit.gemm_by("avx1024", a.matrix(2, 2), a.matrix(2, 2), {}, {d, 2, 2, 2, 1, f32}),
                    ContractError);
  BOOST_CHECK_THROW(unit.gemm_by("avx2", a.matrix(2, 2), a.matrix(1, 4), {}, {d, 2, 2, 2, 1, f32}),
                    ContractError);
}

}  // namespace
