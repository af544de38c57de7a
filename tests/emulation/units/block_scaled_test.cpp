// The definitions of Blackwell's block-scaled units against a second implementation, and that one's mutants against
// them.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <type_traits>
#include <vector>

#include "emulation/units/nvidia/block_scaled.hpp"
#include "reference/core/error.hpp"
#include "tests/emulation/units/fixed_point.hpp"
#include "tests/emulation/units/unit_checks.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;
constexpr std::uint32_t unit_nan = 0x7FFFFFFF;
using Scales = std::vector<std::uint8_t>;

// The specification once more, with what it could be mistaken for as options.
struct Model {
  std::size_t block = 32, group = 1, step = 32;
  bool ue4m3 = false;
  int fraction = 25, ezero = -133;
  // Mutants.
  bool scales_align = true;     // the exponents of the scales enter emax
  bool elements_align = false;  // groups: so do those of the products
  bool group_exact = true;      // groups: else each product is cut on its own
  bool cancelled_is_zero = false;
  bool floors = false;
  bool saturates = false;
  bool signed_scales = false;  // ue4m3's top bit is a sign
  bool normalised = false;     // subnormal scales are normalised before they align
  bool nan_scale_is_one = false;
  int bias = 127;
  Nearby rounding = Nearby::zero;
};

struct ScaleValue {
  bool nan = false;
  Integer value = 0;
  int field = 0;
};

ScaleValue read(const Model& m, std::uint8_t code) {
  if (!m.ue4m3) {
    if (code == 255) return {.nan = !m.nan_scale_is_one, .value = power_of_two(0)};
    return {.value = power_of_two(code - m.bias), .field = code - m.bias};
  }
  const Fixed x = fixed_from_code(m.signed_scales ? code : code & 0x7F, formats::float8_e4m3fn);
  if (x.nan) return {.nan = !m.nan_scale_is_one, .value = power_of_two(0)};
  return {.value = x.value, .field = m.normalised && x.value != 0 ? floor_log2(x.value) : x.field};
}

Integer scaled(const Integer& x, const ScaleValue& a, const ScaleValue& b) {
  Integer y = x * a.value;
  y *= b.value;
  return y >> (2 * fixed_scale);  // exact
}

std::uint64_t model_dot(const Model& m, const CodeVector& a, const CodeVector& b, const Scales& sa,
                        const Scales& sb, std::optional<std::uint64_t> c) {
  auto sum = static_cast<std::uint32_t>(c.value_or(0));
  for (std::size_t begin = 0; begin < a.size; begin += m.step) {
    struct Term {
      Integer value;
      int field;
    };
    std::vector<Term> terms;
    bool nan = false;
    int plus = 0, minus = 0;
    const Fixed addend = fixed_from_code(sum, f32);
    const auto look = [&](const Fixed& x) {
      nan = nan || x.nan;
      plus += x.infinite > 0;
      minus += x.infinite < 0;
    };
    look(addend);
    terms.push_back({addend.value, addend.zero() ? m.ezero : addend.field});
    for (std::size_t g = begin; g < begin + m.step; g += m.group) {
      if (g >= a.size) {
        terms.push_back({0, m.ezero});
        continue;
      }
      const ScaleValue x = read(m, sa[g / m.block]), y = read(m, sb[g / m.block]);
      nan = nan || x.nan || y.nan;
      const int scale_field = m.scales_align ? x.field + y.field : 0;
      Integer group = 0;
      bool zeros = true;
      int top = -100000;
      for (std::size_t i = g; i < std::min(g + m.group, a.size); ++i) {
        const Fixed p = product(fixed_from_code(a.code(i), a.format), fixed_from_code(b.code(i), b.format));
        look(p);
        if (!p.finite() || p.value == 0) continue;
        zeros = false;
        top = std::max(top, p.field);
        group += p.value;
        if (!m.group_exact) terms.push_back({scaled(p.value, x, y), scale_field});
      }
      if (zeros || x.value == 0 || y.value == 0 || (m.cancelled_is_zero && group == 0)) {
        terms.push_back({0, m.ezero});
      } else if (m.group_exact) {
        terms.push_back({scaled(group, x, y), scale_field + (m.group == 1 || m.elements_align ? top : 0)});
      }
    }
    if (nan || (plus > 0 && minus > 0)) {
      sum = unit_nan;
      continue;
    }
    if (plus > 0 || minus > 0) {
      sum = plus > 0 ? 0x7F800000 : 0xFF800000;
      continue;
    }
    int emax = -100000;
    for (const Term& t : terms) emax = std::max(emax, t.field);
    Integer total = 0;
    for (const Term& t : terms)
      total += m.floors ? floor_to(t.value, emax - m.fraction) : cut_to(t.value, emax - m.fraction);
    sum = to_float32(total, m.rounding);
    if (m.saturates && (sum & 0x7FFFFFFF) == 0x7F800000) sum -= 1;
  }
  return sum;
}

ArithmeticRegistry family() {
  ArithmeticRegistry registry;
  add_block_scaled_units(registry);
  return registry;
}

Model model_of(const BlockScaledUnit& unit) {
  const std::string& name = unit.info().name;
  if (name == "sm100.nvfp4")
    return {.block = 16, .group = 16, .step = 64, .ue4m3 = true, .fraction = 35, .ezero = -139};
  if (name == "sm100.mxf4") return {.block = 32, .group = 16, .step = 64, .fraction = 35, .ezero = -139};
  return {};
}

// An operand with its scales.
CodeVector with(const BlockScaledUnit& unit, CodeVector x, const Scales& scales, float tensor = 1) {
  x.scales = {.data = scales.data(),
              .count = scales.size(),
              .use = {unit.scale_format(), unit.block()},
              .tensor = tensor};
  return x;
}

double read_test_scale(const BlockScaledUnit& unit, std::uint8_t code) {
  if (unit.scale_format() == ScaleFormat::e8m0) return code == 255 ? NAN : std::ldexp(1.0, code - 127);
  return decode(code & 0x7F, formats::float8_e4m3fn);
}

struct Case {
  StepOperands x;
  Scales sa{}, sb{};
  std::optional<std::uint64_t> c{};
};

// Scales of one; near one; one far away for all and gaps between blocks; any; and c to go with them.
Case make_case(const BlockScaledUnit& unit, InputClass kind, std::size_t n, const FormatSpec& fa,
               const FormatSpec& fb, std::uint64_t seed) {
  Case y{.x = make_step_operands(kind, n, fa, fb, seed)};
  const CounterRandom random(seed, 200 + static_cast<std::uint64_t>(kind));
  std::uint64_t at = 0;
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1), at++));
  };
  const int how = pick(0, 5);
  const int centre = how == 2 ? -150 + pick(-12, 12) : how == 3 ? 122 + pick(-10, 10) : pick(-60, 60);
  for (std::size_t i = 0; i < unit.blocks(n); ++i) {
    for (const bool first : {true, false}) {
      int code = unit_scale(unit.scale_format());
      if (unit.scale_format() == ScaleFormat::ue4m3) {
        if (how == 1) code += pick(-20, 20);
        if (how == 2) code = pick(0, 15);
        if (how == 3) code = pick(100, 126);
        if (how >= 4) code = pick(0, 126);
        if (how == 5 && pick(0, 7) == 0) code |= 0x80;
        if (how == 5 && pick(0, 15) == 0) code = 0x7F;
      } else {
        if (how == 1) code += pick(-4, 4);
        if (how == 2 || how == 3) code += (first ? centre / 2 : centre - centre / 2) + pick(-2, 2);
        if (how == 4) code += pick(-20, 20);
        if (how == 5) code = pick(0, 15) == 0 ? 255 : pick(0, 254);
      }
      (first ? y.sa : y.sb).push_back(static_cast<std::uint8_t>(code));
    }
  }
  const std::size_t half = n / (2 * unit.block()) * unit.block();
  if (half != 0 && pick(0, 2) == 0) {
    // The second half undoes the first but for one element, far below c: what a cut takes off a side decides.
    for (std::size_t i = 0; i < half; ++i) {
      y.x.a.set(half + i, negated(y.x.a.code(i), fa));
      y.x.b.set(half + i, y.x.b.code(i));
    }
    for (std::size_t i = 0; i < half / unit.block(); ++i) {
      y.sa[half / unit.block() + i] = y.sa[i];
      y.sb[half / unit.block() + i] = y.sb[i];
    }
    for (std::size_t i = 2 * half; i < n; ++i) y.x.a.set(i, 0);
    y.x.a.set(0, y.x.a.code(0) ^ static_cast<std::uint64_t>(pick(0, 1)));
    const ExactDot truth = unit.exact(
        with(unit, y.x.a.view().part(0, half),
             Scales(y.sa.begin(), y.sa.begin() + static_cast<std::ptrdiff_t>(half / unit.block()))),
        with(unit, y.x.b.view().part(0, half),
             Scales(y.sb.begin(), y.sb.begin() + static_cast<std::ptrdiff_t>(half / unit.block()))),
        {});
    const int places = pick(12, 40);
    const double sign = pick(0, 1) == 0 ? 1.0 : -1.0;
    const double size = truth.magnitudes * std::ldexp(sign, places);
    y.c = encode(std::isfinite(size) ? size : 1.0, f32, {.rounding = Rounding::toward_zero}).code &
          ~std::uint64_t{0x3FFFFF};
    return y;
  }
  if (pick(0, 3) == 0) return y;  // no c
  y.c = y.x.c;
  const ExactDot truth = unit.exact(with(unit, y.x.a.view(), y.sa), with(unit, y.x.b.view(), y.sb), {});
  const ExactValue<Wide> sum = truth.value.result();
  if (sum.kind == Kind::finite && !sum.is_zero() && pick(0, 3) != 0) {
    ExactSum minus = truth.value;
    minus.negate();
    std::uint64_t code = minus.rounded(f32).code;
    const std::uint64_t magnitude = code & f32.magnitude_mask();
    const int away = pick(0, 1) == 0 ? pick(-3, 3) : pick(-30, 30) * (1 << 23);
    const auto moved = static_cast<std::int64_t>(magnitude) + away;
    if (moved >= 0 && moved < 0x7F800000) code = (code & f32.sign_code()) | static_cast<std::uint64_t>(moved);
    y.c = code;
    // Or c far below the sum, where one bit of it decides what is cut to.
    if (pick(0, 2) == 0) {
      const double size = sum.negative ? truth.magnitudes : -truth.magnitudes;
      y.c = encode(std::ldexp(size, pick(-46, -18)), f32).code;
    }
  }
  return y;
}

template <class Visit>
void each_scaled_case(const BlockScaledUnit& unit, std::uint64_t seeds, const Visit& visit) {
  const auto& pairs = unit.info().inputs;
  for (const InputClass kind : all_input_classes) {
    for (const std::size_t n : {std::size_t{1}, unit.block() - 1, unit.block() + 1, unit.info().step_terms,
                                unit.info().step_terms + 17, 2 * unit.info().step_terms}) {
      for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto& [fa, fb] = pairs[(seed + n) % pairs.size()];
        const Case one = make_case(unit, kind, n, fa, fb, 1000 * n + seed);
        if constexpr (std::is_same_v<decltype(visit(kind, n, one, seed)), bool>) {
          if (!visit(kind, n, one, seed)) return;
        } else {
          visit(kind, n, one, seed);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_list) {
  const ArithmeticRegistry registry = family();
  struct Due {
    const char* name;
    std::size_t pairs, block, step;
    ScaleFormat scales;
  };
  const std::vector<Due> due = {
      {"sm100.mxf8_e4m3", 1, 32, 32, ScaleFormat::e8m0}, {"sm100.mxf8_e5m2", 1, 32, 32, ScaleFormat::e8m0},
      {"sm100.mxf6_e2m3", 1, 32, 32, ScaleFormat::e8m0}, {"sm100.mxf6_e3m2", 1, 32, 32, ScaleFormat::e8m0},
      {"sm100.mxf8f6f4", 25, 32, 32, ScaleFormat::e8m0}, {"sm100.mxf4", 1, 32, 64, ScaleFormat::e8m0},
      {"sm100.nvfp4", 1, 16, 64, ScaleFormat::ue4m3}};
  BOOST_REQUIRE_EQUAL(registry.list().size(), due.size());
  for (const Due& row : due) {
    const BlockScaledUnit* unit = as_block_scaled(registry.find(row.name));
    BOOST_REQUIRE(unit != nullptr);
    const ArithmeticInfo& info = unit->info();
    BOOST_TEST((info.inputs.size() == row.pairs && unit->block() == row.block &&
                info.step_terms == row.step && unit->scale_format() == row.scales),
               row.name);
    BOOST_TEST((info.accumulator == f32 && info.outputs == std::vector<FormatSpec>{f32} && !info.any_output));
    BOOST_TEST(info.family == "block_scaled");
    BOOST_TEST((info.evidence == Evidence::SRC && is_unverified(info.evidence)),
               row.name << " is unverified");
    BOOST_TEST((!info.summary.empty() && !info.order.empty() && !info.products.empty() && !info.nan.empty() &&
                !info.source.empty() && info.parameters.size() == 6));
  }
}

BOOST_AUTO_TEST_CASE(equals_the_second_implementation) {
  const ArithmeticRegistry registry = family();
  Tally tally, plain;
  for (const Arithmetic* arithmetic : registry.list()) {
    const BlockScaledUnit& unit = *as_block_scaled(*arithmetic);
    const Model model = model_of(unit);
    each_scaled_case(unit, 25, [&](InputClass kind, std::size_t n, const Case& y, std::uint64_t seed) {
      const CodeVector a = y.x.a.view(), b = y.x.b.view();
      tally.count(
          unit.dot(with(unit, a, y.sa), with(unit, b, y.sb), y.c) == model_dot(model, a, b, y.sa, y.sb, y.c),
          place(unit, kind, n, seed));
      const Scales ones(unit.blocks(n), unit_scale(unit.scale_format()));
      plain.count(unit.dot(a, b, y.c) == unit.dot(with(unit, a, ones), with(unit, b, ones), y.c),
                  place(unit, kind, n, seed));
    });
  }
  BOOST_TEST_MESSAGE(tally.tried << " dot products");
  BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
  BOOST_TEST(plain.wrong == 0U, plain.wrong << " of " << plain.tried << ", first " << plain.worst);
}

BOOST_AUTO_TEST_CASE(mutants_are_killed) {
  using Change = void (*)(Model&);
  struct Mutant {
    const char* name;
    std::vector<const char*> units;
    Change change;
  };
  const char *mx = "sm100.mxf8f6f4", *mxf4 = "sm100.mxf4", *nvfp4 = "sm100.nvfp4";
  const std::vector<Mutant> mutants = {
      {"F - 1", {mx, mxf4, nvfp4}, [](Model& m) { --m.fraction; }},
      {"F + 1", {mx, mxf4, nvfp4}, [](Model& m) { ++m.fraction; }},
      {"half of L", {mx, mxf4, nvfp4}, [](Model& m) { m.step /= 2; }},
      {"twice L", {mx, mxf4, nvfp4}, [](Model& m) { m.step *= 2; }},
      {"nearest-even", {mx, mxf4, nvfp4}, [](Model& m) { m.rounding = Nearby::even; }},
      {"terms floored", {mx, mxf4, nvfp4}, [](Model& m) { m.floors = true; }},
      {"overflow to the largest", {mx, mxf4}, [](Model& m) { m.saturates = true; }},
      {"scales do not align", {mx, mxf4, nvfp4}, [](Model& m) { m.scales_align = false; }},
      {"products align", {mxf4, nvfp4}, [](Model& m) { m.elements_align = true; }},
      {"products cut one by one", {mxf4, nvfp4}, [](Model& m) { m.group_exact = false; }},
      {"groups of 8", {mxf4, nvfp4}, [](Model& m) { m.group = 8; }},
      {"a group that cancels is zero", {mxf4, nvfp4}, [](Model& m) { m.cancelled_is_zero = true; }},
      {"signed scales", {nvfp4}, [](Model& m) { m.signed_scales = true; }},
      {"subnormal scales normalised", {nvfp4}, [](Model& m) { m.normalised = true; }},
      {"bias 128", {mx, mxf4}, [](Model& m) { m.bias = 128; }},
      {"NaN scales are ones", {mx, mxf4, nvfp4}, [](Model& m) { m.nan_scale_is_one = true; }},
  };
  const ArithmeticRegistry registry = family();
  for (const Mutant& mutant : mutants) {
    for (const char* name : mutant.units) {
      const BlockScaledUnit& unit = *as_block_scaled(registry.find(name));
      Model model = model_of(unit);
      mutant.change(model);
      std::size_t differ = 0, tried = 0;
      each_scaled_case(unit, 20, [&](InputClass, std::size_t, const Case& y, std::uint64_t) {
        ++tried;
        differ += model_dot(model, y.x.a.view(), y.x.b.view(), y.sa, y.sb, y.c) !=
                  unit.dot(with(unit, y.x.a.view(), y.sa), with(unit, y.x.b.view(), y.sb), y.c);
        return differ == 0;
      });
      BOOST_TEST_MESSAGE(mutant.name << ", " << name << ": " << differ << " of " << tried);
      BOOST_TEST(differ > 0U, mutant.name << " survives, " << name);
    }
  }
}

// What only directed operands show: with a zero c, q is never below 2^(ezero - F). (NVFP4's scales cannot get there.)
BOOST_AUTO_TEST_CASE(ezero_is_the_floor_of_the_alignment) {
  const ArithmeticRegistry registry = family();
  const auto encoded = [](const FormatSpec& f, double x) { return encode(x, f).code; };
  {
    const BlockScaledUnit& unit = *as_block_scaled(registry.find("sm100.mxf8_e4m3"));
    const FormatSpec& f = formats::float8_e4m3fn;
    for (const int ezero : {-134, -133, -132}) {
      Model model = model_of(unit);
      model.ezero = ezero;
      std::size_t differ = 0;
      for (const int below : {9, 10}) {  // 2^-149 less 2^-158 or 2^-159
        CodeArray a(2, f), b(2, f);
        a.set(0, encoded(f, 0x1p4)), b.set(0, encoded(f, 0x1p1));
        a.set(1, encoded(f, -0x1p-1)), b.set(1, encoded(f, std::ldexp(1.0, 6 - below)));
        const Scales sa{127 - 100}, sb{127 - 54};
        differ += unit.dot(with(unit, a.view(), sa), with(unit, b.view(), sb)) !=
                  model_dot(model, a.view(), b.view(), sa, sb, {});
      }
      BOOST_TEST((differ == 0) == (ezero == -133), "ezero " << ezero);
    }
  }
  const BlockScaledUnit& unit = *as_block_scaled(registry.find("sm100.mxf4"));
  const FormatSpec& f = formats::float4_e2m1fn;
  for (const int ezero : {-140, -139, -138}) {
    Model model = model_of(unit);
    model.ezero = ezero;
    std::size_t differ = 0;
    for (const int below : {25, 26}) {
      CodeArray a(64, f), b(64, f);
      a.set(0, encoded(f, 1)), b.set(0, encoded(f, 1));
      a.set(32, encoded(f, -1)), b.set(32, encoded(f, 1));
      const Scales sa{127 - 100, 127 - 100}, sb{127 - 49, static_cast<std::uint8_t>(127 - 49 - below)};
      differ += unit.dot(with(unit, a.view(), sa), with(unit, b.view(), sb)) !=
                model_dot(model, a.view(), b.view(), sa, sb, {});
    }
    BOOST_TEST((differ == 0) == (ezero == -139), "ezero " << ezero);
  }
}

BOOST_AUTO_TEST_CASE(errors_are_within_the_bound) {
  const ArithmeticRegistry registry = family();
  for (const Arithmetic* arithmetic : registry.list()) {
    const BlockScaledUnit& unit = *as_block_scaled(*arithmetic);
    Tally tally;
    double most = 0;
    std::size_t bounded = 0;
    each_scaled_case(unit, 20, [&](InputClass kind, std::size_t n, const Case& y, std::uint64_t seed) {
      const CodeVector a = y.x.a.view(), b = y.x.b.view();
      const double bound = unit.bound(with(unit, a, y.sa), with(unit, b, y.sb), y.c, f32);
      const double share = error_share(unit.exact(with(unit, a, y.sa), with(unit, b, y.sb), y.c),
                                       unit.dot(with(unit, a, y.sa), with(unit, b, y.sb), y.c), bound);
      bounded += std::isfinite(bound);
      most = std::max(most, share);
      tally.count(share <= 1, place(unit, kind, n, seed));
      const double plain = unit.bound(a, b, y.c, f32);
      tally.count(error_share(unit.exact(a, b, y.c), unit.dot(a, b, y.c), plain) <= 1,
                  "plain " + place(unit, kind, n, seed));
    });
    BOOST_TEST_MESSAGE(unit.info().name << ": largest error " << most << " of the bound, " << bounded
                                        << " bounded");
    BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
    BOOST_TEST(3 * bounded > tally.tried / 2);
    BOOST_TEST(most > 0.3, "a bound that nothing comes near: " << most);
  }
}

// Two more roundings where tensors have scales; their products and sums are as exact as before.
BOOST_AUTO_TEST_CASE(errors_under_tensors_scales_are_within_the_bound) {
  const ArithmeticRegistry registry = family();
  Tally tally;
  double most = 0;
  for (const Arithmetic* arithmetic : registry.list()) {
    const BlockScaledUnit& unit = *as_block_scaled(*arithmetic);
    each_scaled_case(unit, 6, [&](InputClass kind, std::size_t n, const Case& y, std::uint64_t seed) {
      const CounterRandom random(seed, n);
      const auto tensor = [&](std::uint64_t i) {
        return std::ldexp(1 + static_cast<float>(random.uniform(i)),
                          static_cast<int>(random.below(90, 10 + i)) - 50);
      };
      const CodeVector a = with(unit, y.x.a.view(), y.sa, tensor(0)),
                       b = with(unit, y.x.b.view(), y.sb, tensor(1));
      const double bound = unit.bound(a, b, {}, f32);
      const double share = error_share(unit.exact(a, b, {}), unit.dot(a, b), bound);
      most = std::max(most, share);
      tally.count(share <= 1, place(unit, kind, n, seed));
    });
  }
  BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
  BOOST_TEST(most > 0.3, "a bound that nothing comes near: " << most);
}

// The truth is that of the elements as they stand with their scales.
BOOST_AUTO_TEST_CASE(the_truth_is_of_the_scaled_values) {
  const ArithmeticRegistry registry = family();
  Tally tally;
  for (const Arithmetic* arithmetic : registry.list()) {
    const BlockScaledUnit& unit = *as_block_scaled(*arithmetic);
    each_scaled_case(unit, 6, [&](InputClass kind, std::size_t n, const Case& y, std::uint64_t seed) {
      const CodeVector a = with(unit, y.x.a.view(), y.sa, 0.75F), b = with(unit, y.x.b.view(), y.sb);
      ExactSum sum, magnitudes;
      for (std::size_t i = 0; i < n; ++i) {
        const double sa = read_test_scale(unit, y.sa[i / unit.block()]),
                     sb = read_test_scale(unit, y.sb[i / unit.block()]);
        const double x = decode(a.code(i), a.format) * sa * 0.75, z = decode(b.code(i), b.format) * sb;
        sum.add_product(x, z);
        magnitudes.add_product(std::fabs(x), std::fabs(z));
      }
      const ExactDot truth = unit.exact(a, b, {});
      const bool same = truth.value.rounded(formats::float64).code == sum.rounded(formats::float64).code &&
                        (truth.magnitudes == magnitudes.rounded_up() ||
                         (std::isnan(truth.magnitudes) && std::isnan(magnitudes.rounded_up())));
      tally.count(same, place(unit, kind, n, seed));
    });
  }
  BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
}

BOOST_AUTO_TEST_CASE(traces_steps_and_gemm_agree_with_dot) {
  const ArithmeticRegistry registry = family();
  Tally traces, steps, gemm;
  for (const Arithmetic* arithmetic : registry.list()) {
    const BlockScaledUnit& unit = *as_block_scaled(*arithmetic);
    const std::size_t most = unit.info().step_terms;
    each_scaled_case(unit, 6, [&](InputClass kind, std::size_t n, const Case& y, std::uint64_t seed) {
      const CodeVector a = y.x.a.view(), b = y.x.b.view();
      const std::uint64_t result = unit.dot(with(unit, a, y.sa), with(unit, b, y.sb), y.c);
      traces.count(trace_is_sound(unit.trace(with(unit, a, y.sa), with(unit, b, y.sb), y.c, f32), result),
                   place(unit, kind, n, seed));
      traces.count(trace_is_sound(unit.trace(a, b, y.c, f32), unit.dot(a, b, y.c)),
                   place(unit, kind, n, seed));
      std::uint64_t sum = y.c.value_or(0);
      for (std::size_t i = 0; i < n; i += most)
        sum = unit.step(a.part(i, std::min(most, n - i)), b.part(i, std::min(most, n - i)), sum);
      steps.count(sum == unit.dot(a, b, y.c), place(unit, kind, n, seed));
      const CodeVector sa = with(unit, a, y.sa), sb = with(unit, b, y.sb);
      sum = y.c.value_or(0);
      for (std::size_t i = 0; i < n; i += most)
        sum = unit.step(sa.part(i, std::min(most, n - i)), sb.part(i, std::min(most, n - i)), sum);
      steps.count(sum == result, place(unit, kind, n, seed));
    });
    const auto& [fa, fb] = unit.info().inputs.back();
    const std::size_t k = most + 5, blocks = unit.blocks(k), m = 3, n = 5;
    const Case y = make_case(unit, InputClass::gap, std::max(m, n) * k, fa, fb, 7);
    Scales sa, sb;
    const CounterRandom random(11);
    for (std::size_t i = 0; i < (m + n) * blocks; ++i)
      (i < m * blocks ? sa : sb)
          .push_back(static_cast<std::uint8_t>(unit_scale(unit.scale_format()) + random.below(9, i)));
    CodeArray d(m * n, f32), c(m * n, f32);
    for (std::size_t i = 0; i < m * n; ++i) c.set(i, encode(static_cast<double>(i) - 7, f32).code);
    const CodeMatrix a = y.x.a.matrix(m, k), b = y.x.b.matrix(k, n);
    CodeMatrix scaled_a = a, scaled_b = b;
    const auto width = static_cast<std::ptrdiff_t>(blocks);
    scaled_a.scales = {.data = sa.data(),
                       .lines = m,
                       .blocks = blocks,
                       .line_stride = width,
                       .use = *unit.info().block_scales};
    scaled_b.scales = {.data = sb.data(),
                       .lines = n,
                       .blocks = blocks,
                       .line_stride = width,
                       .use = *unit.info().block_scales,
                       .along = Lines::columns};
    for (const bool given : {true, false}) {
      const std::optional<CodeMatrix> start = given ? std::optional(c.matrix(m, n)) : std::nullopt;
      unit.gemm(scaled_a, scaled_b, start, d.out(m, n));
      for (std::size_t i = 0; i < m * n; ++i) {
        const auto from = given ? std::optional(c.code(i)) : std::nullopt;
        const auto line = [&](const Scales& all, std::size_t at) {
          const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at * blocks);
          return Scales(begin, begin + width);
        };
        const Scales row = line(sa, i / n), column = line(sb, i % n);
        gemm.count(
            d.code(i) == unit.dot(with(unit, a.row(i / n), row), with(unit, b.column(i % n), column), from),
            unit.info().name);
        gemm.count(d.code(i) == unit.dot(scaled_a.row(i / n), scaled_b.column(i % n), from),
                   unit.info().name);
      }
      unit.gemm(a, b, start, d.out(m, n));
      for (std::size_t i = 0; i < m * n; ++i) {
        const auto from = given ? std::optional(c.code(i)) : std::nullopt;
        gemm.count(d.code(i) == unit.dot(a.row(i / n), b.column(i % n), from), unit.info().name);
      }
    }
  }
  BOOST_TEST(traces.wrong == 0U, traces.wrong << " of " << traces.tried << ", first " << traces.worst);
  BOOST_TEST(steps.wrong == 0U, steps.wrong << " of " << steps.tried << ", first " << steps.worst);
  BOOST_TEST(gemm.wrong == 0U, gemm.wrong << " of " << gemm.tried << ", first " << gemm.worst);
}

// Quantized vectors go in as they are.
BOOST_AUTO_TEST_CASE(takes_quantized_vectors) {
  const ArithmeticRegistry registry = family();
  const CounterRandom random(5);
  std::vector<float> x(100), y(100);
  for (std::size_t i = 0; i < 100; ++i)
    x[i] = static_cast<float>(random.normal(i)), y[i] = static_cast<float>(random.normal(100 + i));
  const BlockScaledUnit& mx = *as_block_scaled(registry.find("sm100.mxf8_e4m3"));
  const BlockScaledUnit& nv = *as_block_scaled(registry.find("sm100.nvfp4"));
  const BlockScaled a = quantize_mx(x, formats::float8_e4m3fn), b = quantize_mx(y, formats::float8_e4m3fn);
  double due = 0;
  for (std::size_t i = 0; i < 100; ++i) due += dequantize_mx(a, i) * dequantize_mx(b, i);
  BOOST_TEST(
      std::abs(decode(mx.dot(scaled_view(a, ScaleFormat::e8m0), scaled_view(b, ScaleFormat::e8m0)), f32) -
               due) < 1e-4);
  const BlockScaled p = quantize_nvfp4(x), q = quantize_nvfp4(y);
  due = 0;
  for (std::size_t i = 0; i < 100; ++i) due += dequantize_nvfp4(p, i) * dequantize_nvfp4(q, i);
  const CodeVector pv = scaled_view(p, ScaleFormat::ue4m3), qv = scaled_view(q, ScaleFormat::ue4m3);
  BOOST_TEST(std::abs(decode(nv.dot(pv, qv), f32) - due) < 1e-4);
  BOOST_TEST(std::abs(decode(nv.exact(pv, qv, {}).value.rounded(formats::float64).code, formats::float64) -
                      due) < 1e-12);
  // The tensors' scales follow the sum: their product is rounded, then that times the sum.
  const float alpha = p.tensor_scale * q.tensor_scale;
  const float sum = static_cast<float>(decode(nv.dot(with(nv, pv, p.scales), with(nv, qv, q.scales)), f32));
  BOOST_TEST(decode(nv.dot(pv, qv), f32) == alpha * sum);
  BOOST_TEST(trace_is_sound(nv.trace(pv, qv, {}, f32), nv.dot(pv, qv)));
  const auto says = [](const std::string& text) {
    return [text](const ContractError& e) { return std::string(e.what()).find(text) != std::string::npos; };
  };
  const BlockScaled four = quantize_mx(x, formats::float4_e2m1fn);
  const CodeVector with_e8m0 = scaled_view(four, ScaleFormat::e8m0);
  BOOST_CHECK_EXCEPTION(
      nv.dot(with_e8m0, with_e8m0), ContractError,
      says("with one e8m0 for every block of 32; it takes one ue4m3 for every block of 16"));
  const BlockScaled sixteen = quantize_mx(x, formats::float8_e4m3fn, ScaleRounding::down, 16);
  const CodeVector blocks_of_16 = scaled_view(sixteen, ScaleFormat::e8m0);
  BOOST_CHECK_EXCEPTION(mx.dot(blocks_of_16, blocks_of_16), ContractError,
                        says("it takes one e8m0 for every block of 32"));
  BOOST_CHECK_EXCEPTION(nv.dot(pv, qv, 0), ContractError, says("would scale c too"));
  CodeVector endless = pv;
  endless.scales.tensor = INFINITY;
  BOOST_CHECK_EXCEPTION(nv.dot(endless, qv), ContractError, says("positive and finite"));
}

BOOST_AUTO_TEST_CASE(scales_of_every_size) {
  const ArithmeticRegistry registry = family();
  const BlockScaledUnit& mx = *as_block_scaled(registry.find("sm100.mxf6_e3m2"));
  CodeArray one(1, formats::float6_e3m2fn), zero(1, formats::float6_e3m2fn);
  one.set(0, encode(1.0, formats::float6_e3m2fn).code);
  const auto dot = [&](const CodeArray& x, int a, int b, std::optional<std::uint64_t> c) {
    const Scales sa{static_cast<std::uint8_t>(a)}, sb{static_cast<std::uint8_t>(b)};
    return mx.dot(with(mx, x.view(), sa), with(mx, x.view(), sb), c);
  };
  BOOST_TEST(dot(one, 127, 127, {}) == 0x3F800000U);
  BOOST_TEST(dot(one, 254, 127, {}) == 0x7F000000U);           // 2^127
  BOOST_TEST(dot(one, 254, 128, {}) == 0x7F800000U);           // 2^128
  BOOST_TEST(dot(one, 254, 254, {}) == 0x7F800000U);           // 2^254
  BOOST_TEST(dot(one, 0, 127 - 22, {}) == 1U);                 // 2^-149
  BOOST_TEST(dot(one, 0, 127 - 23, {}) == 0U);                 // 2^-150
  BOOST_TEST(dot(one, 0, 0, 0x80000001ULL) == 0x80000001ULL);  // 2^-254 beside -2^-149
  BOOST_TEST(dot(zero, 254, 254, 0x00000001ULL) == 1U);        // a zero product is not made large
  BOOST_TEST(dot(zero, 255, 127, {}) == unit_nan);
  BOOST_TEST(dot(one, 127, 255, 0x7F800000ULL) == unit_nan);
  const BlockScaledUnit& nv = *as_block_scaled(registry.find("sm100.nvfp4"));
  CodeArray six(1, formats::float4_e2m1fn);
  six.set(0, 7);
  const auto nv_dot = [&](int a, int b) {
    const Scales sa{static_cast<std::uint8_t>(a)}, sb{static_cast<std::uint8_t>(b)};
    return nv.dot(with(nv, six.view(), sa), with(nv, six.view(), sb));
  };
  BOOST_TEST(decode(nv_dot(0x7E, 0x7E), f32) == 36.0 * 448 * 448);
  BOOST_TEST(decode(nv_dot(0xFE, 0x7E), f32) == 36.0 * 448 * 448);  // the top bit is ignored
  BOOST_TEST(decode(nv_dot(1, 1), f32) == 36 * 0x1p-18);
  BOOST_TEST(nv_dot(0, 0x7E) == 0U);
  BOOST_TEST(nv_dot(0x7F, 0) == unit_nan);
}

BOOST_AUTO_TEST_CASE(no_products_give_c) {
  const ArithmeticRegistry registry = family();
  for (const Arithmetic* arithmetic : registry.list()) {
    const BlockScaledUnit& unit = *as_block_scaled(*arithmetic);
    const auto& [fa, fb] = unit.info().inputs[0];
    const CodeVector a{nullptr, 0, 1, fa}, b{nullptr, 0, 1, fb};
    for (const std::uint64_t c : {0x3F800000ULL, 0x80000000ULL, 0x80000001ULL, 0x7FC12345ULL}) {
      BOOST_TEST(unit.dot(a, b, c) == c);
      BOOST_TEST(unit.dot(with(unit, a, {}), with(unit, b, {}), c) == c);
      BOOST_TEST(unit.trace(a, b, c, f32).back().result == c);
    }
    BOOST_TEST(unit.dot(a, b) == 0U);
    BOOST_TEST(unit.bound(a, b, 0x3F800000, f32) == 0);
  }
}

BOOST_AUTO_TEST_CASE(errors_name_what_is_accepted) {
  const ArithmeticRegistry registry = family();
  const BlockScaledUnit& unit = *as_block_scaled(registry.find("sm100.mxf8_e4m3"));
  const auto says = [](const std::string& text) {
    return [text](const ContractError& e) { return std::string(e.what()).find(text) != std::string::npos; };
  };
  const CodeArray x(40, formats::float8_e4m3fn), y(40, formats::float8_e5m2);
  const Scales one{127}, two{127, 127}, three{127, 127, 127};
  BOOST_CHECK_EXCEPTION(unit.dot(y.view(), y.view()), ContractError, says("it takes f8_e4m3 x f8_e4m3"));
  BOOST_CHECK_EXCEPTION(unit.dot(with(unit, x.view(), one), with(unit, x.view(), two)), ContractError,
                        says("1 scales for 40 elements; it takes 2, one e8m0 for every block of 32"));
  BOOST_CHECK_EXCEPTION(unit.dot(with(unit, x.view(), three), with(unit, x.view(), three)), ContractError,
                        says("every block of 32"));
  BOOST_CHECK_NO_THROW(unit.dot(with(unit, x.view(), two), with(unit, x.view(), two)));
  BOOST_CHECK_EXCEPTION(unit.dot(x.view(), x.view(), {}, formats::float16), ContractError,
                        says("it gives f32"));
  CodeArray d(1, f32);
  CodeMatrix row = x.matrix(1, 40), column = x.matrix(40, 1);
  const auto product = [&] { unit.gemm(row, column, {}, d.out(1, 1)); };
  const MatrixScales good{
      .data = two.data(), .lines = 1, .blocks = 2, .line_stride = 2, .use = *unit.info().block_scales};
  row.scales = good;
  column.scales = good;
  BOOST_CHECK_EXCEPTION(product(), ContractError,
                        says("a column of a matrix whose blocks lie along its rows"));
  column.scales.along = Lines::columns;
  BOOST_CHECK_NO_THROW(product());
  column.scales.lines = 2;
  BOOST_CHECK_EXCEPTION(product(), ContractError, says("scales of 2 x 2 for 1 columns of B"));
  column.scales.lines = 1;
  column.scales.blocks = 1;
  BOOST_CHECK_EXCEPTION(product(), ContractError, says("1 scales for 40 elements"));
  column.scales = {};  // scales of one
  BOOST_CHECK_NO_THROW(product());
  // Part of an operand begins with a block.
  const CodeVector whole = with(unit, x.view(), two);
  BOOST_CHECK_NO_THROW(unit.dot(whole.part(32, 8), whole.part(32, 8)));
  BOOST_CHECK_EXCEPTION(unit.dot(whole.part(8, 32), whole.part(8, 32)), ContractError,
                        says("begins at element 8 of a block of 32"));
  // No unit has a sparse form.
  CodeVector sparse = x.view();
  sparse.sparse = {.data = two.data()};
  BOOST_CHECK_EXCEPTION(unit.dot(sparse, x.view()), ContractError, says("has no sparse form"));
  BOOST_CHECK_THROW(make_block_scaled({.name = "x"}), ContractError);
  BOOST_CHECK_THROW(make_block_scaled({.name = "x", .inputs = {{formats::bfloat16, formats::bfloat16}}}),
                    ContractError);
  BOOST_CHECK_THROW(make_block_scaled({.name = "x", .inputs = {{x.format(), x.format()}}, .group = 16}),
                    ContractError);
}

}  // namespace
