// The fused sums: their definition against a second, simpler one in rational numbers, their paths against the
// definition, and every wrong model against both.
#include <boost/multiprecision/cpp_int.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emulation/units/nvidia/fused_sum.hpp"
#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "tests/emulation/units/fused_sum_problems.hpp"

namespace {
using namespace assay;
using namespace assay::test;
using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

constexpr std::uint64_t seed = 20240817;

// --- the specification once more, in rational numbers

cpp_rational power(int e) {
  const cpp_int one = 1;
  return e >= 0 ? cpp_rational(one << e) : cpp_rational(one, one << -e);
}

// floor(log2 |x|) of x != 0.
int binade(const cpp_rational& x) {
  const cpp_rational magnitude = abs(x);
  int e = static_cast<int>(msb(numerator(magnitude))) - static_cast<int>(msb(denominator(magnitude)));
  while (power(e) > magnitude) --e;
  while (power(e + 1) <= magnitude) ++e;
  return e;
}

struct Number {
  enum { finite, plus_infinity, minus_infinity, nan } kind = finite;
  cpp_rational value = 0;
  int e = 0;  // of the format's binade, subnormals in the lowest
  bool zero() const { return kind == finite && value == 0; }
};

Number number(std::uint64_t code, int bits, int fraction_bits, int bias, bool one_nan) {
  const std::uint64_t magnitude = code & ((std::uint64_t{1} << (bits - 1)) - 1);
  const auto field = static_cast<int>(magnitude >> fraction_bits);
  const auto fraction = static_cast<std::int64_t>(magnitude & ((std::uint64_t{1} << fraction_bits) - 1));
  const bool negative = (code >> (bits - 1) & 1) != 0;
  const int top = (1 << (bits - 1 - fraction_bits)) - 1;
  Number x;
  if (one_nan ? magnitude == (std::uint64_t{1} << (bits - 1)) - 1 : field == top) {
    x.kind = one_nan || fraction != 0 ? Number::nan
             : negative               ? Number::minus_infinity
                                      : Number::plus_infinity;
    return x;
  }
  x.e = std::max(field, 1) - bias;
  const std::int64_t significand = field == 0 ? fraction : fraction + (std::int64_t{1} << fraction_bits);
  x.value = cpp_rational(negative ? -significand : significand) * power(x.e - fraction_bits);
  return x;
}

Number number(std::uint64_t code, const FormatSpec& f) {
  if (f == formats::float32) return number(code, 32, 23, 127, false);
  if (f == formats::tf32) return number(code, 19, 10, 127, false);
  if (f == formats::bfloat16) return number(code, 16, 7, 127, false);
  if (f == formats::float16) return number(code, 16, 10, 15, false);
  if (f == formats::float8_e5m2) return number(code, 8, 2, 15, false);
  return number(code, 8, 3, 7, true);
}

// The code of a value that is one: to float32 or float16.
std::uint64_t code_of(const cpp_rational& x, bool negative, int fraction_bits, int bias) {
  const std::uint64_t top = (std::uint64_t{1} << (fraction_bits == 23 ? 8 : 5)) - 1;
  const std::uint64_t sign = negative ? (top + 1) << fraction_bits : 0;
  if (x == 0) return sign;
  const int e = std::max(binade(x), 1 - bias);
  if (e > bias) return sign | top << fraction_bits;
  const auto units = static_cast<std::uint64_t>(numerator(cpp_rational(abs(x) / power(e - fraction_bits))));
  return sign | (units + (static_cast<std::uint64_t>(e + bias - 1) << fraction_bits));
}

std::uint64_t truncated(const cpp_rational& x, int places) {
  if (x == 0) return 0;
  const cpp_rational quantum = power(std::max(binade(x), -126) - places);
  const cpp_rational units = abs(x) / quantum;
  return code_of(cpp_rational(cpp_int(numerator(units) / denominator(units))) * quantum, x < 0, 23, 127);
}

std::uint64_t nearest(const cpp_rational& x, int fraction_bits, int bias) {
  if (x == 0) return 0;
  const cpp_rational quantum = power(std::max(binade(x), 1 - bias) - fraction_bits);
  const cpp_rational units = abs(x) / quantum;
  cpp_int whole = numerator(units) / denominator(units);
  const cpp_rational rest = units - cpp_rational(whole);
  if (rest * 2 > 1 || (rest * 2 == 1 && whole % 2 != 0)) ++whole;
  return code_of(cpp_rational(whole) * quantum, x < 0, fraction_bits, bias);
}

std::uint64_t simple_step(const FusedSumSpec& spec, const std::vector<Number>& a,
                          const std::vector<Number>& b, std::uint64_t c) {
  const bool f16 = spec.result == FusedResult::f16;
  const Number addend = number(c, f16 ? formats::float16 : formats::float32);
  std::vector<Number> terms;
  for (std::size_t i = 0; i < spec.terms; ++i) {
    Number p;
    if (i < a.size()) {
      const Number &x = a[i], &y = b[i];
      const bool infinite = x.kind != Number::finite || y.kind != Number::finite;
      if (x.kind == Number::nan || y.kind == Number::nan || (infinite && (x.zero() || y.zero()))) {
        p.kind = Number::nan;
      } else if (infinite) {
        const bool negative_x = x.kind == Number::minus_infinity || x.value < 0;
        const bool negative_y = y.kind == Number::minus_infinity || y.value < 0;
        p.kind = negative_x != negative_y ? Number::minus_infinity : Number::plus_infinity;
      } else {
        p.value = x.value * y.value;
        p.e = x.e + y.e;
      }
    }
    terms.push_back(p);
  }
  terms.push_back(addend);
  const auto holds = [&](auto kind) {
    return std::any_of(terms.begin(), terms.end(), [&](const Number& t) { return t.kind == kind; });
  };
  const std::uint64_t infinity = f16 ? 0x7C00 : 0x7F800000, sign = f16 ? 0x8000 : 0x80000000;
  if (holds(Number::nan) || (holds(Number::plus_infinity) && holds(Number::minus_infinity)))
    return f16 ? 0x7FFF : 0x7FFFFFFF;
  if (holds(Number::plus_infinity)) return infinity;
  if (holds(Number::minus_infinity)) return sign | infinity;
  std::optional<int> emax;
  for (const Number& t : terms) {
    const std::optional<int> e = t.zero() ? spec.floor : std::optional(t.e);
    if (e && (!emax || *e > *emax)) emax = e;
  }
  if (!emax) return 0;
  const cpp_rational q = power(*emax - spec.fraction);
  cpp_int sum = 0;
  for (const Number& t : terms) {
    const cpp_rational units = t.value / q;
    sum += cpp_int(numerator(units) / denominator(units));  // cpp_int divides toward zero
  }
  const cpp_rational result = cpp_rational(sum) * q;
  return f16 ? nearest(result, 10, 15) : truncated(result, spec.result == FusedResult::f32 ? 23 : 13);
}

std::uint64_t simple_dot(const FusedSumSpec& spec, const CodeVector& a, const CodeVector& b,
                         std::uint64_t c) {
  const auto read = [&](const CodeVector& x, std::size_t i) {
    if (x.format == formats::float32) return number(x.code(i) >> 13, formats::tf32);
    Number operand = number(x.code(i), x.format);
    // As a float16 every nonzero number of at least 2^-14 is normal.
    if (spec.by_f16_steps && operand.kind == Number::finite) {
      operand.e = operand.value == 0 ? -14 : std::max(binade(operand.value), -14);
    }
    return operand;
  };
  const std::size_t chunk = spec.by_f16_steps ? 32 : spec.terms;
  for (std::size_t from = 0; from < a.size; from += chunk) {
    std::vector<Number> x[2], y[2];
    for (std::size_t i = from; i < std::min(a.size, from + chunk); ++i) {
      const std::size_t step = spec.by_f16_steps ? (i - from) % 4 / 2 : 0;
      x[step].push_back(read(a, i));
      y[step].push_back(read(b, i));
    }
    if (!spec.by_f16_steps) {
      c = simple_step(spec, x[0], y[0], c);
      continue;
    }
    const bool f16 = spec.result == FusedResult::f16;
    const std::uint64_t t = simple_step(spec, x[1], y[1], simple_step(spec, x[0], y[0], 0));
    const Number n = number(t, f16 ? formats::float16 : formats::float32);
    const Number m = number(c, f16 ? formats::float16 : formats::float32);
    const std::uint64_t sign = f16 ? 0x8000 : 0x80000000;
    if (n.kind == Number::nan || m.kind == Number::nan ||
        (n.kind != Number::finite && m.kind != Number::finite && n.kind != m.kind)) {
      c = f16 ? 0x7FFF : 0x7FFFFFFF;
    } else if (n.kind != Number::finite) {
      c = t;
    } else if (m.kind == Number::finite) {
      const cpp_rational sum = n.value + m.value;
      const bool both_minus_zero = n.value == 0 && m.value == 0 && (t & sign) != 0 && (c & sign) != 0;
      c = both_minus_zero ? sign : f16 ? nearest(sum, 10, 15) : nearest(sum, 23, 127);
    }
  }
  return c;
}

// --- what every test goes through

std::vector<std::unique_ptr<const Unit>> all_units() {
  std::vector<std::unique_ptr<const Unit>> units;
  for (const FusedSumSpec& spec : fused_sum_specs()) units.push_back(make_fused_sum(spec));
  return units;
}

// A K of two chunks and a part of one.
std::size_t odd_k(const Unit& unit) { return 2 * unit.info().step_terms + unit.info().step_terms / 2 + 1; }

void compare_with_rational_numbers(std::size_t m, std::size_t n) {
  BOOST_TEST_MESSAGE("seed " << seed);
  std::size_t tried = 0;
  for (const auto& unit : all_units()) {
    const FusedSumSpec& spec = *find_fused_sum_spec(unit->info().name);
    for (std::size_t pair = 0; pair < spec.inputs.size(); ++pair) {
      for (const FusedSumClass kind : all_fused_sum_classes()) {
        const FusedSumProblem p = make_fused_sum_problem(kind, *unit, pair, m, n, odd_k(*unit), seed);
        const std::vector<std::uint64_t> got = definition_of(*unit, p);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < p.m; ++i) {
          for (std::size_t j = 0; j < p.n; ++j) {
            const std::uint64_t want = simple_dot(spec, p.a().row(i), p.b().column(j), p.c().code(i, j));
            wrong += got[i * p.n + j] != want;
            ++tried;
          }
        }
        BOOST_TEST(wrong == 0U, spec.name << " " << name(kind) << " pair " << pair << ": " << wrong);
      }
    }
  }
  BOOST_TEST_MESSAGE(tried << " dot products");
}

BOOST_AUTO_TEST_CASE(definition_equals_rational_numbers) { compare_with_rational_numbers(2, 1); }
BOOST_AUTO_TEST_CASE(definition_equals_rational_numbers_in_a_square, *boost::unit_test::label("full")) {
  compare_with_rational_numbers(3, 3);
}

BOOST_AUTO_TEST_CASE(paths_equal_the_definition) {
  std::map<std::string, std::size_t> vectors;
  for (const auto& unit : all_units()) {
    for (std::size_t pair = 0; pair < unit->info().inputs.size(); ++pair) {
      for (const FusedSumClass kind : all_fused_sum_classes()) {
        const FusedSumProblem p = make_fused_sum_problem(kind, *unit, pair, 9, 37, odd_k(*unit), seed + 1);
        const std::vector<std::uint64_t> expected = definition_of(*unit, p);
        for (const UnitPath& path : unit->paths()) {
          if (path.name == "definition") continue;
          if (!cpu_has(path.needs)) {
            BOOST_TEST_MESSAGE("SKIPPED " << path.name << ": " << why_unavailable(path.needs));
            continue;
          }
          const PathComparison compared = compare_path(*unit, path.name, p, expected);
          vectors[std::string(path.name)] += compared.outputs;
          BOOST_TEST(compared.mismatches == 0U,
                     unit->info().name << " " << path.name << " " << name(kind) << " pair " << pair << ": "
                                       << compared.mismatches << ", first (" << compared.row << ", "
                                       << compared.column << "): got " << std::hex << compared.got << ", not "
                                       << compared.expected);
        }
      }
    }
  }
  for (const auto& [path, count] : vectors) BOOST_TEST_MESSAGE(path << ": " << count << " outputs");
}

// Sizes about every tile, K beyond the blocks of the vector paths, and the rows of one class after those of another, so
// that fast and general forms alternate inside a tile.
BOOST_AUTO_TEST_CASE(shapes) {
  const auto check = [](const Unit& unit, FusedSumClass kind, std::size_t m, std::size_t n, std::size_t k) {
    const FusedSumProblem p = make_fused_sum_problem(kind, unit, 0, m, n, k, seed + m + n + k);
    const std::vector<std::uint64_t> expected = definition_of(unit, p);
    for (const UnitPath& path : unit.paths()) {
      if (!cpu_has(path.needs)) continue;
      const PathComparison compared = compare_path(unit, path.name, p, expected);
      BOOST_TEST(compared.mismatches == 0U, unit.info().name << " " << path.name << " " << name(kind) << " "
                                                             << m << " x " << n << " x " << k << ": "
                                                             << compared.mismatches);
    }
  };
  for (const char* name :
       {"sm80.bf16", "sm90.bf16", "sm80.f16:f16", "sm90.mma.f8_e5m2:f16", "sm89.f8_e4m3", "sm90.tf32"}) {
    const auto unit = make_fused_sum(*find_fused_sum_spec(name));
    for (const std::size_t m : {1U, 2U, 5U, 65U}) {
      for (const std::size_t n : {1U, 15U, 17U, 31U, 33U}) check(*unit, FusedSumClass::unit_scale, m, n, 40);
    }
    for (const std::size_t k : {0U, 1U, 3U, 127U, 129U, 1023U, 1025U, 1100U}) {
      check(*unit, FusedSumClass::unit_scale, 3, 5, k);
      check(*unit, FusedSumClass::wide_gaps, 3, 5, k);
    }
    for (const std::size_t empty : {0U, 4U}) check(*unit, FusedSumClass::unit_scale, empty, 4 - empty, 8);
  }
}

// Rows of unit scale beside rows of the far ends of bfloat16: every row by its own form.
BOOST_AUTO_TEST_CASE(rows_of_different_range) {
  const auto unit = make_fused_sum(*find_fused_sum_spec("sm90.bf16"));
  FusedSumProblem p = make_fused_sum_problem(FusedSumClass::unit_scale, *unit, 0, 40, 50, 1100, seed);
  const FusedSumProblem wide = make_fused_sum_problem(FusedSumClass::wide_gaps, *unit, 0, 40, 50, 1100, seed);
  for (std::size_t i = 0; i < p.m; i += 3) {
    // One row in three leaves the range, in its first half or in its second.
    const std::size_t half = p.k / 2, from = i * p.k + (i % 2) * half;
    std::copy_n(wide.a_codes.begin() + static_cast<std::ptrdiff_t>(2 * from), 2 * half,
                p.a_codes.begin() + static_cast<std::ptrdiff_t>(2 * from));
  }
  const std::vector<std::uint64_t> expected = definition_of(*unit, p);
  for (const UnitPath& path : unit->paths()) {
    if (cpu_has(path.needs))
      BOOST_TEST(compare_path(*unit, path.name, p, expected).mismatches == 0U, path.name);
  }
}

// gemm is dot, element by element: transposed operands, strides, C in place, no C.
BOOST_AUTO_TEST_CASE(gemm_equals_dot) {
  for (const auto& unit : all_units()) {
    const FusedSumProblem p =
        make_fused_sum_problem(FusedSumClass::addend_cancels, *unit, 0, 6, 35, odd_k(*unit), seed + 2);
    const std::size_t bytes = code_bytes(p.c_format);
    std::vector<unsigned char> in_place = p.c_codes, without(p.m * p.n * bytes),
                               turned(3 * p.m * p.n * bytes);
    const auto columns = static_cast<std::ptrdiff_t>(p.n), rows = static_cast<std::ptrdiff_t>(p.m);
    const MutableCodeMatrix d{in_place.data(), p.m, p.n, columns, 1, p.c_format};
    const MutableCodeMatrix plain{without.data(), p.m, p.n, columns, 1, p.c_format};
    // D^T = B^T A^T with a pitch of 3; products commute, so the bits are the same where both formats are.
    const MutableCodeMatrix other{turned.data(), p.n, p.m, 3 * rows, 3, p.c_format};
    unit->gemm(p.a(), p.b(), CodeMatrix(d), d);
    unit->gemm(p.a(), p.b(), {}, plain);
    unit->gemm(p.b().transposed(), p.a().transposed(), p.c().transposed(), other);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < p.m; ++i) {
      for (std::size_t j = 0; j < p.n; ++j) {
        const std::uint64_t with_c = unit->dot(p.a().row(i), p.b().column(j), p.c().code(i, j));
        wrong += CodeMatrix(d).code(i, j) != with_c;
        wrong += CodeMatrix(other).code(j, i) != with_c;
        wrong += CodeMatrix(plain).code(i, j) != unit->dot(p.a().row(i), p.b().column(j));
      }
    }
    BOOST_TEST(wrong == 0U, unit->info().name << ": " << wrong);
  }
}

// Every wrong model differs from the definition on some class; recorded_vectors_test tells which of them results of
// hardware refute as well.
BOOST_AUTO_TEST_CASE(mutants_are_killed_by_vectors) {
  std::size_t tried = 0;
  for (const auto& unit : all_units()) {
    const FusedSumSpec& spec = *find_fused_sum_spec(unit->info().name);
    std::vector<FusedSumMutant> alive = fused_sum_mutants(spec);
    tried += alive.size();
    const auto attack = [&](FusedSumClass kind, std::size_t n, std::uint64_t from) {
      if (alive.empty()) return;
      const FusedSumProblem p = make_fused_sum_problem(kind, *unit, 0, n, n, odd_k(*unit), from);
      const std::vector<std::uint64_t> right = definition_of(*unit, p);
      std::erase_if(alive, [&](const FusedSumMutant& mutant) {
        return definition_of(*make_fused_sum(mutant.spec), p) != right;
      });
    };
    for (const FusedSumClass kind : all_fused_sum_classes()) attack(kind, 16, seed + 3);
    for (std::uint64_t round = 0; round < 12; ++round) attack(FusedSumClass::half_way, 48, seed + 10 + round);
    for (const FusedSumMutant& mutant : alive) BOOST_ERROR(spec.name << ": " << mutant.name << " survives");
  }
  BOOST_TEST(tried > 300U);
  BOOST_TEST_MESSAGE(tried << " mutants");
}

// --- by hand

std::uint64_t f32(double x) { return encode(x, formats::float32).code; }

std::uint64_t dot_of(const char* name, const std::vector<double>& a, const std::vector<double>& b, double c) {
  const auto unit = make_fused_sum(*find_fused_sum_spec(name));
  const auto& [fa, fb] = unit->info().inputs.front();
  std::vector<std::uint32_t> x(a.size()), y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    detail::store_code(x.data(), static_cast<std::ptrdiff_t>(i), code_bytes(fa), encode(a[i], fa).code);
    detail::store_code(y.data(), static_cast<std::ptrdiff_t>(i), code_bytes(fb), encode(b[i], fb).code);
  }
  return unit->dot({x.data(), a.size(), 1, fa}, {y.data(), b.size(), 1, fb},
                   encode(c, unit->info().accumulator).code);
}

BOOST_AUTO_TEST_CASE(by_hand) {
  // q = 2^-24 beside 1: 2^-24 is kept, 2^-25 is not, and neither are two of them.
  BOOST_TEST(dot_of("sm80.f16", {-1, 0x1p-12, 0x1p-12}, {1, 0x1p-12, 0x1p-13}, 1) == f32(0x1p-24));
  BOOST_TEST(dot_of("sm90.f16", {-1, 0x1p-12, 0x1p-12}, {1, 0x1p-12, 0x1p-13}, 1) == f32(0x1.8p-24));
  BOOST_TEST(dot_of("sm70.f16", {-1, 0x1p-12, 0x1p-12}, {1, 0x1p-12, 0x1p-12}, 1) == f32(0));
  // The result is truncated: 1 + 2^-24 is 1, and 1 - 2^-25 (kept by F = 25 alone) is the number below 1.
  BOOST_TEST(dot_of("sm80.f16", {1, 0x1p-12}, {1, 0x1p-12}, 0) == f32(1));
  BOOST_TEST(dot_of("sm80.f16", {1, -0x1p-12}, {1, 0x1p-13}, 0) == f32(1));
  BOOST_TEST(dot_of("sm90.f16", {1, -0x1p-12}, {1, 0x1p-13}, 0) == f32(0x1.fffffep-1));
  // Products in [2, 4) do not raise emax: 1.5 * 1.5 is aligned as 1 is.
  BOOST_TEST(dot_of("sm80.f16", {1.5, 0x1p-12, -1.5}, {1.5, 0x1p-12, 1.5}, 0) == f32(0x1p-24));
  // Overflow: of truncation to Inf, not to the largest number.
  BOOST_TEST(dot_of("sm80.bf16", {0x1p127, 0x1p127}, {1, 1}, 0) == 0x7F800000U);
  BOOST_TEST(dot_of("sm80.bf16", {-0x1p127, -0x1p127}, {1, 1}, 0) == 0xFF800000U);
  BOOST_TEST(dot_of("sm80.f16:f16", {256, 1}, {255.875, 16}, 0) == 0x7C00U);  // 65520: a tie, to even
  BOOST_TEST(dot_of("sm80.f16:f16", {256, 1}, {255.875, 15}, 0) == 0x7BFFU);
  // Ada's fp8: 13 fraction bits.
  BOOST_TEST(dot_of("sm89.f8_e4m3", {1, 0x1p-6}, {1, 0x1p-7}, 0) == f32(1 + 0x1p-13));
  BOOST_TEST(dot_of("sm89.f8_e4m3", {1, 0x1p-7}, {1, 0x1p-7}, 0) == f32(1));
  BOOST_TEST(dot_of("sm100.f8_e4m3", {1, 0x1p-7}, {1, 0x1p-7}, 0) == f32(1 + 0x1p-14));
  // Zero sums, and signs.
  BOOST_TEST(dot_of("sm80.f16", {1, -1}, {1, 1}, -0.0) == 0U);
  BOOST_TEST(dot_of("sm80.f16", {-0.0}, {1}, -0.0) == 0U);
  BOOST_TEST(dot_of("sm80.f16", {}, {}, -0.0) == 0x80000000U);  // no products: C as it is
}

BOOST_AUTO_TEST_CASE(specials) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const char* name : {"sm70.f16", "sm90.bf16", "sm80.tf32", "sm90.mma.f8_e5m2", "sm90.wgmma.f8_e5m2"}) {
    BOOST_TEST(dot_of(name, {nan}, {1}, 0) == 0x7FFFFFFFU);
    BOOST_TEST(dot_of(name, {1}, {1}, nan) == 0x7FFFFFFFU);
    BOOST_TEST(dot_of(name, {inf}, {0}, 0) == 0x7FFFFFFFU);
    BOOST_TEST(dot_of(name, {inf, inf}, {1, -1}, 0) == 0x7FFFFFFFU);
    BOOST_TEST(dot_of(name, {inf}, {1}, -inf) == 0x7FFFFFFFU);
    BOOST_TEST(dot_of(name, {inf, 1}, {2, 1}, 1) == 0x7F800000U);
    BOOST_TEST(dot_of(name, {inf, 1}, {-2, 1}, 1) == 0xFF800000U);
  }
  BOOST_TEST(dot_of("sm80.f16:f16", {nan}, {1}, 0) == 0x7FFFU);
  BOOST_TEST(dot_of("sm80.f16:f16", {-inf}, {1}, 0) == 0xFC00U);
}

// The low 13 bits of a float32 are ignored, whatever they make of it.
BOOST_AUTO_TEST_CASE(tf32_reads_the_upper_bits) {
  const auto unit = make_fused_sum(*find_fused_sum_spec("sm80.tf32"));
  const std::uint32_t one = 0x3F801FFF, not_a_number = 0x7F800001;
  const std::uint32_t tf32_one = 0x3F800000 >> 13;
  const CodeVector x{&one, 1, 1, formats::float32}, odd{&not_a_number, 1, 1, formats::float32};
  const CodeVector y{&tf32_one, 1, 1, formats::tf32};
  BOOST_TEST(unit->dot(x, x) == f32(1));
  BOOST_TEST(unit->dot(x, y) == f32(1));
  BOOST_TEST(unit->dot(odd, y) == 0x7F800000U);
  BOOST_TEST(unit->exact(x, x, {}).value.rounded_up() == 1.0);
}

BOOST_AUTO_TEST_CASE(bounds_hold_and_are_sharp) {
  for (const auto& unit : all_units()) {
    double sharpest = 0;
    std::size_t above = 0, finite = 0;
    for (const FusedSumClass kind : all_fused_sum_classes()) {
      const FusedSumProblem p = make_fused_sum_problem(kind, *unit, 0, 8, 8, odd_k(*unit), seed + 4);
      for (std::size_t i = 0; i < p.m; ++i) {
        for (std::size_t j = 0; j < p.n; ++j) {
          const CodeVector a = p.a().row(i), b = p.b().column(j);
          const FormatSpec& f = p.c_format;
          const double bound = unit->bound(a, b, p.c().code(i, j), f);
          if (!std::isfinite(bound)) continue;
          ++finite;
          ExactSum error = unit->exact(a, b, p.c().code(i, j)).value;
          error.negate();
          error.add(exact_from_code(unit->dot(a, b, p.c().code(i, j)), f));
          const double magnitude = error.magnitude_up();
          above += magnitude > bound;
          if (bound > 0) sharpest = std::max(sharpest, magnitude / bound);
        }
      }
    }
    BOOST_TEST(above == 0U, unit->info().name << ": " << above << " errors above their bounds");
    BOOST_TEST(finite > 100U);
    // A bound ten times too large would be noticed.
    BOOST_TEST(sharpest > 0.1, unit->info().name << ": no error beyond " << sharpest << " of its bound");
  }
  const auto unit = make_fused_sum(*find_fused_sum_spec("sm80.bf16"));
  const std::uint16_t inf = 0x7F80, large = 0x7F00;
  const CodeVector infinite{&inf, 1, 1, formats::bfloat16}, overflows{&large, 1, 1, formats::bfloat16};
  BOOST_TEST(std::isinf(unit->bound(infinite, infinite, {}, formats::float32)));
  BOOST_TEST(std::isinf(unit->bound(overflows, overflows, {}, formats::float32)));
}

BOOST_AUTO_TEST_CASE(traces_tell_the_same) {
  for (const auto& unit : all_units()) {
    for (const FusedSumClass kind : {FusedSumClass::unit_scale, FusedSumClass::mixed_specials}) {
      const FusedSumProblem p = make_fused_sum_problem(kind, *unit, 0, 3, 3, odd_k(*unit), seed + 5);
      for (std::size_t i = 0; i < p.m; ++i) {
        const std::uint64_t c = p.c().code(i, i);
        const CodeVector a = p.a().row(i), b = p.b().column(i);
        const std::vector<TraceStep> steps = unit->trace(a, b, c, p.c_format);
        BOOST_TEST(!steps.empty());
        BOOST_TEST(steps.back().result == unit->dot(a, b, c));
        std::size_t products = 0;
        for (const TraceStep& step : steps) {
          ExactSum entered;
          for (const TraceTerm& term : step.terms) {
            entered.add(term.entered);
            products += term.name.starts_with("a[");
          }
          if (step.sum.kind != Kind::finite) continue;
          entered.negate();
          entered.add(step.sum);
          BOOST_TEST(entered.result().is_zero(), unit->info().name << " " << step.name);
        }
        BOOST_TEST(products == p.k);
      }
    }
    BOOST_TEST(unit->trace({nullptr, 0, 1, unit->info().inputs[0].first},
                           {nullptr, 0, 1, unit->info().inputs[0].second}, 1, unit->info().accumulator)
                   .back()
                   .result == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_step_is_a_chunk) {
  for (const auto& unit : all_units()) {
    const std::size_t chunk = unit->info().step_terms;
    const FusedSumProblem p =
        make_fused_sum_problem(FusedSumClass::unit_scale, *unit, 0, 1, 1, 2 * chunk, seed);
    const CodeVector a = p.a().row(0), b = p.b().column(0);
    const std::uint64_t first = unit->step(a.part(0, chunk), b.part(0, chunk), p.c().code(0, 0));
    BOOST_TEST(unit->step(a.part(chunk, chunk), b.part(chunk, chunk), first) ==
               unit->dot(a, b, p.c().code(0, 0)));
    BOOST_CHECK_THROW(unit->step(a.part(0, chunk + 1), b.part(0, chunk + 1), 0), ContractError);
  }
}

BOOST_AUTO_TEST_CASE(metadata_and_misuse) {
  ArithmeticRegistry registry;
  add_fused_sum_units(registry);
  BOOST_TEST(registry.list().size() == fused_sum_specs().size());
  for (const Arithmetic* member : registry.list()) {
    const ArithmeticInfo& info = member->info();
    BOOST_TEST(as_unit(*member) != nullptr);
    BOOST_TEST(!(info.summary.empty() || info.order.empty() || info.products.empty() || info.nan.empty() ||
                 info.source.empty() || info.parameters.size() < 5));
    BOOST_TEST((info.evidence != Evidence::HW && info.evidence != Evidence::DEF));
    // Nobody recorded these: Turing, Blackwell's tcgen05 on fp8, and its consumer GPUs.
    const bool unrecorded =
        info.name.starts_with("sm75") || info.name.starts_with("sm100.f8") || info.name.starts_with("sm120");
    if (unrecorded || info.name.starts_with("sm100"))
      BOOST_TEST(is_unverified(info.evidence) == unrecorded, info.name);
  }
  const Arithmetic& unit = registry.find("sm80.bf16");
  const std::uint16_t x[2] = {0x3F80, 0x3F80};
  const CodeVector half{x, 2, 1, formats::float16};
  BOOST_CHECK_EXCEPTION(unit.dot(half, half), ContractError, [](const ContractError& e) {
    return std::string(e.what()).find("bf16 x bf16") != std::string::npos;
  });
  BOOST_CHECK_THROW(
      unit.dot({x, 2, 1, formats::bfloat16}, {x, 2, 1, formats::bfloat16}, {}, formats::float16),
      ContractError);
  BOOST_CHECK_THROW(make_fused_sum({.name = "none"}), ContractError);
  FusedSumSpec bad = *find_fused_sum_spec("sm80.bf16");
  bad.terms = 0;
  BOOST_CHECK_THROW(make_fused_sum(bad), ContractError);
  BOOST_CHECK_THROW(as_unit(unit)->gemm_by("fastest", {}, {}, {}, {}), ContractError);
  BOOST_TEST((find_fused_sum_spec("sm80.f32") == nullptr));
}

}  // namespace
