// A warp's multiply-add: fragments against the formulas of PTX ISA, shape by shape; bits against the units' own gemm(),
// by their definition where that is quick; integers and bits by plain loops.
#include "emulation/simt/matrix.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulation/simt/launch.hpp"
#include "emulation/units/unit.hpp"
#include "reference/formats/formats.hpp"

namespace assay::simt::matrix_test {
namespace {
using enum MatrixFormat;
using Codes = std::vector<std::uint64_t>;

// --- PTX ISA's formulas ----------------------------------------------------------------------------------------------

using Formula = std::function<int(int group, int member, int i)>;  // groupID, threadID_in_group, index
struct ManualFragment {
  int elements;
  Formula row, column;
};
struct ManualShape {
  int m, n, k;
  std::vector<MatrixFormat> formats;
  ManualFragment a, b, c;
};

// As the manual states each shape, condition by condition.
std::vector<ManualShape> manual() {
  const Formula group = [](int g, int, int) { return g; };
  const ManualFragment c16{4, [](int g, int, int i) { return i < 2 ? g : g + 8; },
                           [](int, int t, int i) { return t * 2 + (i & 1); }};
  const ManualFragment c8{2, group, [](int, int t, int i) { return t * 2 + i; }};
  std::vector<ManualShape> shapes;
  shapes.push_back({8,
                    8,
                    4,
                    {f64},
                    {1, group, [](int, int t, int) { return t; }},
                    {1, [](int, int t, int) { return t; }, group},
                    c8});
  shapes.push_back({8,
                    8,
                    16,
                    {s8, u8},
                    {4, group, [](int, int t, int i) { return t * 4 + i; }},
                    {4, [](int, int t, int i) { return t * 4 + i; }, group},
                    c8});
  shapes.push_back({8,
                    8,
                    32,
                    {s4, u4},
                    {8, group, [](int, int t, int i) { return t * 8 + i; }},
                    {8, [](int, int t, int i) { return t * 8 + i; }, group},
                    c8});
  shapes.push_back({8,
                    8,
                    128,
                    {b1},
                    {32, group, [](int, int t, int i) { return t * 32 + i; }},
                    {32, [](int, int t, int i) { return t * 32 + i; }, group},
                    c8});
  shapes.push_back(
      {16,
       8,
       4,
       {tf32, f64},
       {2, [](int g, int, int i) { return i == 0 ? g : g + 8; }, [](int, int t, int) { return t; }},
       {1, [](int, int t, int) { return t; }, group},
       c16});
  shapes.push_back({16,
                    8,
                    8,
                    {f16, bf16},
                    {4, [](int g, int, int i) { return i == 0 || i == 1 ? g : g + 8; },
                     [](int, int t, int i) { return t * 2 + (i & 1); }},
                    {2, [](int, int t, int i) { return t * 2 + i; }, group},
                    c16});
  shapes.push_back({16,
                    8,
                    8,
                    {tf32, f64},
                    {4, [](int g, int, int i) { return i == 0 || i == 2 ? g : g + 8; },
                     [](int, int t, int i) { return i == 0 || i == 1 ? t : t + 4; }},
                    {2, [](int, int t, int i) { return i == 0 ? t : t + 4; }, group},
                    c16});
  shapes.push_back(
      {16,
       8,
       16,
       {f16, bf16},
       {8, [](int g, int, int i) { return (0 <= i && i < 2) || (4 <= i && i < 6) ? g : g + 8; },
        [](int, int t, int i) { return i < 4 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8; }},
       {4, [](int, int t, int i) { return i < 2 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8; }, group},
       c16});
  shapes.push_back({16,
                    8,
                    16,
                    {f64},
                    {8, [](int g, int, int i) { return i % 2 == 0 ? g : g + 8; },
                     [](int, int t, int i) { return i % 2 == 0 ? i * 2 + t : i * 2 - 2 + t; }},
                    {4, [](int, int t, int i) { return t + i * 4; }, group},
                    c16});
  shapes.push_back({16,
                    8,
                    16,
                    {s8, u8, e4m3, e5m2},
                    {8, [](int g, int, int i) { return i < 4 ? g : g + 8; },
                     [](int, int t, int i) { return t * 4 + (i & 3); }},
                    {4, [](int, int t, int i) { return t * 4 + i; }, group},
                    c16});
  shapes.push_back({16,
                    8,
                    32,
                    {s4, u4},
                    {16, [](int g, int, int i) { return i < 8 ? g : g + 8; },
                     [](int, int t, int i) { return t * 8 + (i & 7); }},
                    {8, [](int, int t, int i) { return t * 8 + (i & 7); }, group},
                    c16});
  shapes.push_back(
      {16,
       8,
       32,
       {s8, u8, e4m3, e5m2},
       {16, [](int g, int, int i) { return (0 <= i && i < 4) || (8 <= i && i < 12) ? g : g + 8; },
        [](int, int t, int i) { return i < 8 ? t * 4 + (i & 3) : t * 4 + (i & 3) + 16; }},
       {8, [](int, int t, int i) { return i < 4 ? t * 4 + (i & 3) : t * 4 + (i & 3) + 16; }, group},
       c16});
  shapes.push_back(
      {16,
       8,
       64,
       {s4, u4},
       {32, [](int g, int, int i) { return (0 <= i && i < 8) || (16 <= i && i < 24) ? g : g + 8; },
        [](int, int t, int i) { return i < 16 ? t * 8 + (i & 7) : t * 8 + (i & 7) + 32; }},
       {16, [](int, int t, int i) { return i < 8 ? t * 8 + (i & 7) : t * 8 + (i & 7) + 32; }, group},
       c16});
  shapes.push_back({16,
                    8,
                    128,
                    {b1},
                    {64, [](int g, int, int i) { return i < 32 ? g : g + 8; },
                     [](int, int t, int i) { return t * 32 + (i & 31); }},
                    {32, [](int, int t, int i) { return t * 32 + i; }, group},
                    c16});
  shapes.push_back(
      {16,
       8,
       256,
       {b1},
       {128, [](int g, int, int i) { return (0 <= i && i < 32) || (64 <= i && i < 96) ? g : g + 8; },
        [](int, int t, int i) { return i < 64 ? t * 32 + (i & 31) : t * 32 + (i & 31) + 128; }},
       {64, [](int, int t, int i) { return i < 32 ? t * 32 + (i & 31) : t * 32 + (i & 31) + 128; }, group},
       c16});
  return shapes;
}

MatrixFormat accumulator_for(MatrixFormat f) {
  if (f == f64) return f64;
  return f == s8 || f == u8 || f == s4 || f == u4 || f == b1 ? s32 : f32;
}

MatrixOperation operation(int m, int n, int k, MatrixFormat f, MatrixFormat accumulator) {
  MatrixOperation o;
  o.m = m;
  o.n = n;
  o.k = k;
  o.a = o.b = f;
  o.accumulator = accumulator;
  return o;
}

// --- operands --------------------------------------------------------------------------------------------------------

enum class Data : std::uint8_t { any_code, near_one, tiny, huge, sparse, special };
constexpr auto all_data = {Data::any_code, Data::near_one, Data::tiny,
                           Data::huge,     Data::sparse,   Data::special};

std::uint64_t low_bits(int bits) { return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

// Codes of one kind: any; with exponents near one, or near an end of the range; mostly zeros, the rest of all these;
// with NaN and infinities among them.
std::uint64_t float_code(std::mt19937_64& rng, int bits, int fraction, Data data) {
  if (data == Data::sparse) {
    constexpr std::array kinds{Data::near_one, Data::tiny, Data::huge};
    return rng() % 4 == 0 ? float_code(rng, bits, fraction, kinds[rng() % kinds.size()]) : 0;
  }
  if (data == Data::special) {
    const std::uint64_t infinity = low_bits(bits - 1) & ~low_bits(fraction), sign = rng() % 2 << (bits - 1);
    const std::uint64_t payload = rng() % 4 == 0 ? rng() & low_bits(fraction) : 0;
    return rng() % 32 == 0 ? sign | infinity | payload : float_code(rng, bits, fraction, Data::near_one);
  }
  const std::uint64_t code = rng() & low_bits(bits);
  if (data == Data::any_code) return code;
  const int exponent_bits = bits - 1 - fraction, bias = (1 << (exponent_bits - 1)) - 1;
  const int spread = std::min(6, bias);
  int field = static_cast<int>(rng() % static_cast<std::uint64_t>(2 * spread)) + bias - spread;
  if (data == Data::tiny) field = static_cast<int>(rng() % 4);
  if (data == Data::huge) field = 2 * bias - static_cast<int>(rng() % 3);
  const std::uint64_t mask = low_bits(exponent_bits) << fraction;
  if (rng() % 16 == 0) return code & ~mask & ~low_bits(fraction);  // zeros of both signs
  return (code & ~mask) | static_cast<std::uint64_t>(field) << fraction;
}

std::uint64_t random_code(std::mt19937_64& rng, MatrixFormat f, Data data) {
  switch (f) {
    case f16: return float_code(rng, 16, 10, data);
    case bf16: return float_code(rng, 16, 7, data);
    case tf32:
    case f32: return float_code(rng, 32, 23, data);
    case e4m3: return float_code(rng, 8, 3, data);
    case e5m2: return float_code(rng, 8, 2, data);
    case f64: return float_code(rng, 64, 52, data);
    default: return rng() & low_bits(matrix_format_bits(f));
  }
}
Codes random_codes(std::mt19937_64& rng, int count, MatrixFormat f, Data data) {
  Codes codes(static_cast<std::size_t>(count));
  for (auto& code : codes) code = random_code(rng, f, data);
  return codes;
}

struct Tile {
  Codes a, b, c;
};
Tile random_tile(std::mt19937_64& rng, const MatrixOperation& o, Data data) {
  return {random_codes(rng, o.m * o.k, o.a, data), random_codes(rng, o.k * o.n, o.b, data),
          random_codes(rng, o.m * o.n, o.accumulator, data)};
}

Codes product(const MatrixOperation& o, const Tile& t) {
  Codes d(t.c.size());
  multiply_add(o, t.a.data(), t.b.data(), t.c.data(), d.data());
  return d;
}

// By a unit that is asked for by name: codes are stored anew, in the bytes of their format.
const FormatSpec& format_of(MatrixFormat f) {
  using namespace assay::formats;
  switch (f) {
    case f16: return float16;
    case bf16: return bfloat16;
    case e4m3: return float8_e4m3fn;
    case e5m2: return float8_e5m2;
    case f64: return float64;
    default: return float32;
  }
}
struct Stored {
  std::vector<unsigned char> bytes;
  CodeMatrix view;
};
void store(Stored& to, const Codes& codes, int rows, int columns, const FormatSpec& f) {
  to.bytes.resize(codes.size() * assay::code_bytes(f));
  const assay::MutableCodeMatrix matrix{
      to.bytes.data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(columns), columns, 1, f};
  for (std::size_t i = 0; i < codes.size(); ++i) matrix.set(i / matrix.cols, i % matrix.cols, codes[i]);
  to.view = matrix;
}
Codes product_of_unit(const assay::Unit& unit, std::string_view path, const MatrixOperation& o,
                      const Tile& t) {
  Stored a, b, c;
  store(a, t.a, o.m, o.k, format_of(o.a));
  store(b, t.b, o.k, o.n, format_of(o.b));
  store(c, t.c, o.m, o.n, format_of(o.accumulator));
  const assay::MutableCodeMatrix d{c.bytes.data(), c.view.rows, c.view.cols, o.n, 1, c.view.format};
  unit.gemm_by(path, a.view, b.view, c.view, d);
  Codes codes(t.c.size());
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = c.view.code(i / d.cols, i % d.cols);
  return codes;
}

const ArithmeticRegistry& units() {
  static const ArithmeticRegistry& all = *[] {
    auto* const registry = new ArithmeticRegistry;  // lives as long as the program
    assay::add_units(*registry);
    return registry;
  }();
  return all;
}

struct Architecture {
  explicit Architecture(const std::string& name) : before_(imitated_architecture()) {
    imitate_architecture(name);
  }
  ~Architecture() { imitate_architecture(before_); }
  Architecture(const Architecture&) = delete;
  Architecture& operator=(const Architecture&) = delete;

 private:
  std::string before_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(fragments_are_those_of_the_manual) {
  int shapes = 0;
  for (const ManualShape& shape : manual()) {
    for (const MatrixFormat f : shape.formats) {
      const MatrixOperation o = operation(shape.m, shape.n, shape.k, f, accumulator_for(f));
      BOOST_TEST(elements_of_a(o) == shape.a.elements);
      BOOST_TEST(elements_of_b(o) == shape.b.elements);
      BOOST_TEST(elements_of_c(o) == shape.c.elements);
      int wrong = 0;
      const auto compare = [&](const ManualFragment& fragment, int rows, int columns, const auto& place) {
        std::set<std::pair<int, int>> seen;
        for (int lane = 0; lane < 32; ++lane) {
          for (int i = 0; i < fragment.elements; ++i) {
            const MatrixPlace p = place(lane, i);
            wrong += p.row == fragment.row(lane >> 2, lane % 4, i) &&
                             p.column == fragment.column(lane >> 2, lane % 4, i)
                         ? 0
                         : 1;
            wrong += p.row >= 0 && p.row < rows && p.column >= 0 && p.column < columns ? 0 : 1;
            seen.insert({p.row, p.column});
          }
        }
        wrong += static_cast<int>(seen.size()) == rows * columns ? 0 : 1;
      };
      compare(shape.a, o.m, o.k, [&](int lane, int i) { return place_of_a(o, lane, i); });
      compare(shape.b, o.k, o.n, [&](int lane, int i) { return place_of_b(o, lane, i); });
      compare(shape.c, o.m, o.n, [&](int lane, int i) { return place_of_c(o, lane, i); });
      BOOST_TEST(wrong == 0, "m" << o.m << "n" << o.n << "k" << o.k << " " << matrix_format_name(f));
      ++shapes;
    }
  }
  BOOST_TEST(shapes == 29);
}

BOOST_AUTO_TEST_CASE(larger_tiles_hold_every_element_once) {
  for (const MatrixFormat f : {f16, s8, tf32}) {
    const int k = f == tf32 ? 8 : 16;
    for (const auto& [m, n] : {std::pair{16, 16}, {32, 8}, {8, 32}}) {
      const MatrixOperation o = operation(m, n, k, f, accumulator_for(f));
      std::set<std::pair<int, int>> a, b, c;
      for (int lane = 0; lane < 32; ++lane) {
        const auto add = [](auto& to, MatrixPlace p) { to.insert({p.row, p.column}); };
        for (int i = 0; i < elements_of_a(o); ++i) add(a, place_of_a(o, lane, i));
        for (int i = 0; i < elements_of_b(o); ++i) add(b, place_of_b(o, lane, i));
        for (int i = 0; i < elements_of_c(o); ++i) add(c, place_of_c(o, lane, i));
      }
      const auto is_full = [](const auto& places, int rows, int columns) {
        return static_cast<int>(places.size()) == rows * columns && *places.begin() == std::pair(0, 0) &&
               *places.rbegin() == std::pair(rows - 1, columns - 1);
      };
      BOOST_TEST(is_full(a, m, k));
      BOOST_TEST(is_full(b, k, n));
      BOOST_TEST(is_full(c, m, n));
    }
  }
}

namespace {

struct UnitCase {
  const char* architecture;
  const char* unit;
  MatrixFormat a, b, accumulator;
  MatrixInstruction instruction;
};
std::vector<UnitCase> unit_cases() {
  std::vector<UnitCase> cases;
  constexpr auto mma = MatrixInstruction::mma, wgmma = MatrixInstruction::wgmma;
  cases.push_back({"sm_70", "sm70.f16", f16, f16, f32, mma});
  cases.push_back({"sm_70", "sm70.f16:f16", f16, f16, f16, mma});
  cases.push_back({"sm_75", "sm75.f16", f16, f16, f32, mma});
  cases.push_back({"sm_75", "sm75.f16:f16", f16, f16, f16, mma});
  cases.push_back({"sm_80", "sm80.f16", f16, f16, f32, mma});
  cases.push_back({"sm_80", "sm80.f16:f16", f16, f16, f16, mma});
  cases.push_back({"sm_80", "sm80.bf16", bf16, bf16, f32, mma});
  cases.push_back({"sm_80", "sm80.tf32", tf32, tf32, f32, mma});
  cases.push_back({"sm_86", "sm80.bf16", bf16, bf16, f32, mma});
  cases.push_back({"sm_89", "sm89.bf16", bf16, bf16, f32, mma});
  cases.push_back({"sm_89", "sm89.f8_e4m3", e4m3, e4m3, f32, mma});
  cases.push_back({"sm_89", "sm89.f8_e4m3", e4m3, e5m2, f32, mma});
  cases.push_back({"sm_89", "sm89.f8_e5m2:f16", e5m2, e5m2, f16, mma});
  cases.push_back({"sm_90", "sm90.f16", f16, f16, f32, mma});
  cases.push_back({"sm_90a", "sm90.f16", f16, f16, f32, wgmma});
  cases.push_back({"sm_90", "sm90.f16:f16", f16, f16, f16, mma});
  cases.push_back({"sm_90", "sm90.bf16", bf16, bf16, f32, mma});
  cases.push_back({"sm_90", "sm90.tf32", tf32, tf32, f32, mma});
  cases.push_back({"sm_90", "sm90.mma.f8_e4m3", e4m3, e4m3, f32, mma});
  cases.push_back({"sm_90", "sm90.mma.f8_e5m2", e5m2, e4m3, f32, mma});
  cases.push_back({"sm_90", "sm90.mma.f8_e4m3:f16", e4m3, e4m3, f16, mma});
  cases.push_back({"sm_90", "sm90.mma.f8_e5m2:f16", e5m2, e5m2, f16, mma});
  cases.push_back({"sm_90", "sm90.wgmma.f8_e4m3", e4m3, e5m2, f32, wgmma});
  cases.push_back({"sm_90", "sm90.wgmma.f8_e5m2", e5m2, e5m2, f32, wgmma});
  cases.push_back({"sm_90", "sm90.wgmma.f8_e4m3:f16", e4m3, e4m3, f16, wgmma});
  cases.push_back({"sm_100", "sm100.bf16", bf16, bf16, f32, mma});
  cases.push_back({"sm_100a", "sm100.mma.f8_e4m3", e4m3, e4m3, f32, mma});
  cases.push_back({"sm_120", "sm120.f8_e4m3", e4m3, e4m3, f32, mma});
  return cases;
}

}  // namespace

// Shapes of instructions, with one step of the unit, with several, and with less than one.
BOOST_AUTO_TEST_CASE(bits_are_those_of_the_units_gemm) {
  struct Shape {
    int m, n, k;
  };
  for (const UnitCase& u : unit_cases()) {
    const Architecture architecture(u.architecture);
    const assay::Unit& unit = *assay::as_unit(units().find(u.unit));
    std::mt19937_64 rng(7);
    long wrong = 0, checked = 0;
    for (const Shape& s : {Shape{16, 8, 64},
                           Shape{16, 8, 4},
                           {16, 8, 8},
                           {16, 8, 16},
                           {16, 8, 32},
                           {16, 16, 16},
                           {8, 32, 16},
                           {32, 8, 16},
                           {64, 24, 16},
                           {3, 5, 7}}) {
      MatrixOperation o = operation(s.m, s.n, s.k, u.a, u.accumulator);
      o.b = u.b;
      o.instruction = u.instruction;
      BOOST_TEST(why_no_matrix_operation(o) == "");
      for (const Data data : all_data) {
        const Tile t = random_tile(rng, o, data);
        const bool quick = data != Data::any_code && s.m * s.n <= 128;
        const Codes got = product(o, t);
        const Codes expected = product_of_unit(unit, quick ? "definition" : unit.paths().front().name, o, t);
        for (std::size_t i = 0; i < got.size(); ++i) wrong += got[i] == expected[i] ? 0 : 1;
        checked += static_cast<long>(got.size());
        // C may be D.
        Codes in_place = t.c;
        multiply_add(o, t.a.data(), t.b.data(), in_place.data(), in_place.data());
        BOOST_TEST((in_place == got));
      }
    }
    BOOST_TEST(wrong == 0, u.architecture << " " << u.unit << ": " << wrong << " of " << checked);
  }
}

BOOST_AUTO_TEST_CASE(doubles_are_those_of_the_unit) {
  const assay::Unit& unit = *assay::as_unit(units().find("fma_f64"));
  std::mt19937_64 rng(3);
  for (const int k : {4, 8, 16}) {
    const MatrixOperation o = operation(k == 4 ? 8 : 16, 8, k, f64, f64);
    for (const Data data : all_data) {
      const Tile t = random_tile(rng, o, data);
      BOOST_TEST((product(o, t) == product_of_unit(unit, "definition", o, t)));
    }
  }
}

namespace {
std::int64_t value_of(std::uint64_t code, MatrixFormat f) {
  const auto x = static_cast<std::int64_t>(code);
  switch (f) {
    case s8: return x < 128 ? x : x - 256;
    case s4: return x < 8 ? x : x - 16;
    case s32: return x < (std::int64_t{1} << 31) ? x : x - (std::int64_t{1} << 32);
    default: return x;
  }
}
}  // namespace

BOOST_AUTO_TEST_CASE(integers_wrap_or_saturate) {
  std::mt19937_64 rng(5);
  int overflows = 0;
  for (const auto& [a, b] :
       {std::pair{s8, s8}, {u8, u8}, {s8, u8}, {u8, s8}, {s4, s4}, {u4, u4}, {s4, u4}, {u4, s4}}) {
    for (const auto& [m, k] : {std::pair{16, 16}, {16, 32}, {16, 64}, {8, 16}, {8, 32}}) {
      for (const bool saturate : {false, true}) {
        for (const bool at_the_ends : {false, true}) {
          MatrixOperation o = operation(m, 8, k, a, s32);
          o.b = b;
          o.saturate = saturate;
          Tile t = random_tile(rng, o, Data::any_code);
          if (at_the_ends) {
            for (auto& c : t.c) c = (rng() % 2 == 0 ? 0x7FFFFFFF : 0x80000000) ^ (rng() & 0xFF);
          }
          const Codes d = product(o, t);
          int wrong = 0;
          for (int i = 0; i < m; ++i) {
            for (int j = 0; j < 8; ++j) {
              const auto at = static_cast<std::size_t>(i * 8 + j);
              std::int64_t sum = value_of(t.c[at], s32);
              for (int p = 0; p < k; ++p) {
                sum += value_of(t.a[static_cast<std::size_t>(i * k + p)], a) *
                       value_of(t.b[static_cast<std::size_t>(p * 8 + j)], b);
              }
              const std::int64_t most = 0x7FFFFFFF, least = -most - 1;
              overflows += sum > most || sum < least ? 1 : 0;
              if (saturate) sum = sum > most ? most : sum < least ? least : sum;
              wrong += d[at] == (static_cast<std::uint64_t>(sum) & 0xFFFFFFFF) ? 0 : 1;
            }
          }
          BOOST_TEST(wrong == 0);
        }
      }
    }
  }
  BOOST_TEST(overflows > 100);
}

BOOST_AUTO_TEST_CASE(bits_are_counted) {
  std::mt19937_64 rng(6);
  for (const int k : {128, 256}) {
    for (const BitProduct bits : {BitProduct::exclusive_or, BitProduct::conjunction}) {
      MatrixOperation o = operation(16, 8, k, b1, s32);
      o.bits = bits;
      const Tile t = random_tile(rng, o, Data::any_code);
      const Codes d = product(o, t);
      int wrong = 0;
      for (int i = 0; i < 16; ++i) {
        for (int j = 0; j < 8; ++j) {
          std::uint64_t sum = t.c[static_cast<std::size_t>(i * 8 + j)];
          for (int p = 0; p < k; ++p) {
            const std::uint64_t x = t.a[static_cast<std::size_t>(i * k + p)];
            const std::uint64_t y = t.b[static_cast<std::size_t>(p * 8 + j)];
            sum += bits == BitProduct::conjunction ? x * y : (x + y) % 2;
          }
          wrong += d[static_cast<std::size_t>(i * 8 + j)] == (sum & 0xFFFFFFFF) ? 0 : 1;
        }
      }
      BOOST_TEST(wrong == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_gpu_lacks_is_said) {
  const auto why_not = [](const char* gpu, MatrixOperation o) {
    const Architecture architecture(gpu);
    return why_no_matrix_operation(o);
  };
  const auto contains = [](const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
  };
  const MatrixOperation bfloat = operation(16, 8, 16, bf16, f32), fp8 = operation(16, 8, 32, e4m3, f32);
  BOOST_TEST(contains(why_not("sm_75", bfloat), "sm_75"));
  BOOST_TEST(contains(why_not("sm_75", bfloat), "bf16"));
  BOOST_TEST(contains(why_not("sm_80", fp8), "e4m3"));
  BOOST_TEST(contains(why_not("sm_120", bfloat), "sm_120"));
  BOOST_TEST(why_not("sm_70", operation(16, 8, 16, s8, s32)) != "");
  BOOST_TEST(why_not("sm_75", operation(8, 8, 4, f64, f64)) != "");
  BOOST_TEST(why_not("sm_90", operation(16, 8, 16, bf16, f16)) != "");
  BOOST_TEST(why_not("sm_90", operation(16, 8, 16, f16, s32)) != "");
  BOOST_TEST(why_not("sm_90", operation(16, 8, 16, f32, f32)) != "");
  MatrixOperation bits = operation(16, 8, 256, b1, s32);
  BOOST_TEST(why_not("sm_75", bits) == "");
  bits.bits = BitProduct::conjunction;
  BOOST_TEST(why_not("sm_75", bits) != "");
  BOOST_TEST(why_not("sm_80", bits) == "");
  MatrixOperation wgmma = operation(64, 8, 16, f16, f32);
  wgmma.instruction = MatrixInstruction::wgmma;
  BOOST_TEST(contains(why_not("sm_100", wgmma), "wgmma"));
  {
    const Architecture architecture("sm_80");
    Codes d(128);
    const Codes zeros(16 * 32);
    BOOST_CHECK_THROW(multiply_add(fp8, zeros.data(), zeros.data(), zeros.data(), d.data()),
                      MatrixUnavailable);
  }
  for (const char* const name : {"sm_91", "90", "sm_", "sm_90b", "sm_9000000000000000000000"}) {
    BOOST_CHECK_THROW(imitate_architecture(name), MatrixUnavailable);
  }
}

BOOST_AUTO_TEST_CASE(unverified_units_are_noted_once) {
  clear_matrix_notes();
  std::mt19937_64 rng(1);
  const auto run = [&](const char* gpu, const MatrixOperation& o) {
    const Architecture architecture(gpu);
    for (int i = 0; i < 2; ++i) product(o, random_tile(rng, o, Data::near_one));
  };
  run("sm_90", operation(16, 8, 16, bf16, f32));
  BOOST_TEST(matrix_notes().empty());
  run("sm_75", operation(16, 8, 8, f16, f32));
  run("sm_86", operation(16, 8, 8, f16, f32));
  run("sm_80", operation(8, 8, 4, f64, f64));
  MatrixOperation integers = operation(16, 8, 16, s8, s32);
  run("sm_80", integers);
  integers.saturate = true;
  run("sm_80", integers);
  const std::vector<std::string> notes = matrix_notes();
  BOOST_REQUIRE(notes.size() == 4U);
  BOOST_TEST(notes[0].starts_with("sm75.f16 is unverified (SRC)"));
  BOOST_TEST(notes[1].starts_with("sm_86"));
  BOOST_TEST(notes[2].starts_with("fma_f64"));
  BOOST_TEST(notes[3].starts_with("integers with .satfinite"));
  clear_matrix_notes();
  run("sm_75", operation(16, 8, 8, f16, f32));
  BOOST_TEST(matrix_notes().size() == 1U);
}

// Registers are filled and read by the manual's formulas.
BOOST_AUTO_TEST_CASE(a_warp_multiplies_its_registers) {
  std::mt19937_64 rng(9);
  for (const ManualShape& shape : manual()) {
    for (const MatrixFormat f : shape.formats) {
      std::vector<MatrixFormat> accumulators{accumulator_for(f)};
      if (f == f16 || f == e4m3) accumulators.push_back(f16);
      for (const MatrixFormat accumulator : accumulators) {
        const MatrixOperation o = operation(shape.m, shape.n, shape.k, f, accumulator);
        const Tile t = random_tile(rng, o, Data::near_one);
        const Codes expected = product(o, t);
        const auto pack = [](const ManualFragment& fragment, int lane, const Codes& codes, int columns,
                             MatrixFormat of) {
          std::array<std::uint32_t, 16> words{};
          for (int i = 0; i < fragment.elements; ++i) {
            const int row = fragment.row(lane >> 2, lane % 4, i),
                      column = fragment.column(lane >> 2, lane % 4, i);
            const std::uint64_t code = codes[static_cast<std::size_t>(row * columns + column)];
            const int bit = i * matrix_format_bits(of);
            words[static_cast<std::size_t>(bit / 32)] |= static_cast<std::uint32_t>(code << (bit % 32));
            if (of == f64)
              words[static_cast<std::size_t>(bit / 32 + 1)] = static_cast<std::uint32_t>(code >> 32);
          }
          return words;
        };
        int wrong = 0;
        const std::string why = launch(1, 64, 0, [&] {
          const int lane = static_cast<int>(threadIdx.x % 32);
          const auto a = pack(shape.a, lane, t.a, o.k, f), b = pack(shape.b, lane, t.b, o.n, f);
          auto d = pack(shape.c, lane, t.c, o.n, accumulator);
          warp_multiply_add(o, a.data(), b.data(), d.data(), d.data());
          wrong += d == pack(shape.c, lane, expected, o.n, accumulator) ? 0 : 1;
        });
        BOOST_TEST(why == "");
        BOOST_TEST(wrong == 0, "m" << o.m << "n" << o.n << "k" << o.k << " " << matrix_format_name(f));
      }
    }
  }
}

// PTX ISA, "Matrix Fragments for mma.m8n8k4 with .f16 floating point type".
BOOST_AUTO_TEST_CASE(quads_multiply_four_tiles) {
  const Architecture architecture("sm_70");
  std::mt19937_64 rng(12);
  for (const MatrixFormat accumulator : {f16, f32}) {
    for (const bool a_columns : {false, true}) {
      for (const bool b_columns : {false, true}) {
        const MatrixOperation o = operation(8, 8, 4, f16, accumulator);
        std::array<Tile, 4> tiles;
        std::array<Codes, 4> expected;
        for (std::size_t i = 0; i < 4; ++i) {
          tiles[i] = random_tile(rng, o, Data::near_one);
          expected[i] =
              product_of_unit(*assay::as_unit(units().find(accumulator == f16 ? "sm70.f16:f16" : "sm70.f16")),
                              "definition", o, tiles[i]);
        }
        int wrong = 0;
        const std::string why = launch(1, 32, 0, [&] {
          const int lane = static_cast<int>(threadIdx.x), above = lane < 16 ? 0 : 4;
          // Computation 1 is that of lanes 0-3 and 16-19, 2 of 4-7 and 20-23, ...
          const auto number = static_cast<std::size_t>(lane < 16 ? lane / 4 : (lane - 16) / 4);
          const auto code = [](const Codes& codes, int row, int column, int columns) {
            return static_cast<std::uint32_t>(codes[static_cast<std::size_t>(row * columns + column)]);
          };
          std::array<std::uint32_t, 2> a{}, b{};
          for (int i = 0; i < 4; ++i) {
            const std::uint32_t x = a_columns ? code(tiles[number].a, i % 4 + above, lane % 4, 4)
                                              : code(tiles[number].a, lane % 4 + above, i, 4);
            const std::uint32_t y = b_columns ? code(tiles[number].b, i, lane % 4 + above, 8)
                                              : code(tiles[number].b, lane % 4, i + above, 8);
            a[static_cast<std::size_t>(i / 2)] |= x << (16 * (i % 2));
            b[static_cast<std::size_t>(i / 2)] |= y << (16 * (i % 2));
          }
          const auto pack = [&](const Codes& codes) {
            std::array<std::uint32_t, 8> words{};
            for (int i = 0; i < 8; ++i) {
              if (accumulator == f16) {
                words[static_cast<std::size_t>(i / 2)] |= code(codes, lane % 4 + above, i, 8)
                                                          << (16 * (i % 2));
              } else {
                words[static_cast<std::size_t>(i)] =
                    code(codes, (lane & 1) + (i & 2) + above, (i & 4) + (lane & 2) + (i & 1), 8);
              }
            }
            return words;
          };
          auto d = pack(tiles[number].c);
          warp_multiply_add_quads({a_columns, b_columns, accumulator}, a.data(), b.data(), d.data(),
                                  d.data());
          wrong += d == pack(expected[number]) ? 0 : 1;
        });
        BOOST_TEST(why == "");
        BOOST_TEST(wrong == 0);
      }
    }
  }
  const Architecture later("sm_80");
  const std::string why = launch(1, 32, 0, [&] {
    std::array<std::uint32_t, 8> x{};
    warp_multiply_add_quads({}, x.data(), x.data(), x.data(), x.data());
  });
  BOOST_TEST(why.find("taken apart on sm_80") != why.npos, why);
}

BOOST_AUTO_TEST_CASE(a_warp_takes_part_as_a_whole) {
  const MatrixOperation o = operation(16, 8, 16, f16, f32);
  const std::array<std::uint32_t, 4> a{}, b{}, c{};
  const auto run = [&](unsigned threads, const auto& goes) {
    return launch(1, threads, 0, [&] {
      std::array<std::uint32_t, 4> d{};
      if (goes(threadIdx.x)) warp_multiply_add(o, a.data(), b.data(), c.data(), d.data());
      Block::current()->barrier(0, false, Vote::none);
    });
  };
  BOOST_TEST(run(64, [](unsigned) { return true; }) == "");
  const std::string divided = run(32, [](unsigned t) { return t < 16; });
  BOOST_TEST(divided.find("deadlock: 32 of 32 threads wait, 16 at a barrier and 16 in a warp operation") !=
                 divided.npos,
             divided);
  const std::string small = run(24, [](unsigned) { return true; });
  BOOST_TEST(small.find("fewer than 32 threads") != small.npos, small);
  const std::string exited = launch(1, 32, 0, [&] {
    std::array<std::uint32_t, 4> d{};
    if (threadIdx.x != 5) warp_multiply_add(o, a.data(), b.data(), c.data(), d.data());
  });
  BOOST_TEST(exited.find("exited in part") != exited.npos, exited);
  const MatrixOperation other = operation(16, 8, 16, bf16, f32);
  const std::string differ = launch(1, 32, 0, [&] {
    std::array<std::uint32_t, 4> d{};
    warp_multiply_add(threadIdx.x == 9 ? other : o, a.data(), b.data(), c.data(), d.data());
  });
  BOOST_TEST(differ.find("different operands or shapes") != differ.npos, differ);
  const Architecture architecture("sm_75");
  const std::string lacks = launch(1, 32, 0, [&] {
    std::array<std::uint32_t, 4> d{};
    warp_multiply_add(other, a.data(), b.data(), c.data(), d.data());
  });
  BOOST_TEST(lacks.find("sm_75 has no matrix unit for bf16") != lacks.npos, lacks);
}

BOOST_AUTO_TEST_CASE(lanes_agree_on_loads_and_stores) {
  const std::array<float, 4> data{};
  const auto run = [&](const auto& stride, const auto& rows) {
    return launch(1, 32, 0, [&] { warp_agrees(data.data(), stride(threadIdx.x), rows(threadIdx.x), 16); });
  };
  const auto eight = [](unsigned) { return 8U; };
  const auto yes = [](unsigned) { return true; };
  BOOST_TEST(run(eight, yes) == "");
  BOOST_TEST(run([](unsigned) { return 12U; }, yes).find("stride of 12") != std::string::npos);
  BOOST_TEST(run([](unsigned t) { return t == 3 ? 16U : 8U; }, yes).find("different operands") !=
             std::string::npos);
  BOOST_TEST(run(eight, [](unsigned t) { return t != 31; }).find("different operands") != std::string::npos);
}

}  // namespace assay::simt::matrix_test
