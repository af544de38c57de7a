// The definitions of AMD's units against a second implementation, and that one's mutants against them.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <vector>

#include "emulation/units/amd/amd_mfma.hpp"
#include "reference/core/error.hpp"
#include "tests/emulation/units/fixed_point.hpp"
#include "tests/emulation/units/unit_checks.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;
constexpr std::uint32_t nan_code = 0x7FC00000;

// The specification once more, with what it could be mistaken for as options.
struct Model {
  MfmaStep step = MfmaStep::exact;
  std::size_t terms = 4;
  int fraction = 24, sum_fraction = 31;
  // Mutants.
  bool flush_inputs = true, flush_products = true, flush_sums = true;  // CDNA2
  bool drop_sign = true;                                               // CDNA2: flushed operands lose it
  bool sequential = false;                                             // CDNA2: ((c + p0) + p1) + ...
  bool fused_products = false;                                         // CDNA2: exact pairs
  bool floor_dot = true, floor_c = true, floor_sum = true;             // CDNA3; else toward zero
  bool one_floor = false;         // CDNA3: the dot to 2^(E - F2), no floor after
  bool infinite_products = true;  // CDNA3: |p| >= 2^128
  bool zero_takes_part = false;   // CDNA3: zero products have exponent 2 emin
  bool c_in_products = false;     // CDNA3: c aligned with the products
  Nearby rounding = Nearby::even;
};

// A value of float32 in the flushing unit: its code.
std::uint32_t rounded(const Model& m, const Fixed& x, bool flush) {
  if (x.nan) return nan_code;
  if (x.infinite != 0) return x.infinite < 0 ? 0xFF800000 : 0x7F800000;
  const std::uint32_t code = to_float32(x.value, m.rounding, x.minus);
  return flush && (code & 0x7FFFFFFF) < 0x00800000 ? code & 0x80000000 : code;
}

Fixed sum_of(const Fixed& x, const Fixed& y) {
  Fixed s;
  s.nan = x.nan || y.nan || (x.infinite != 0 && y.infinite != 0 && x.infinite != y.infinite);
  if (s.nan) return s;
  s.infinite = x.infinite != 0 ? x.infinite : y.infinite;
  if (s.infinite != 0) return s;
  s.value = x.value + y.value;
  s.minus = s.value < 0 || (s.value == 0 && x.zero() && y.zero() && x.minus && y.minus);
  return s;
}

Fixed read(const Model& m, std::uint64_t code, const FormatSpec& f) {
  const Fixed x = fixed_from_code(code, f);
  if (!m.flush_inputs || !x.finite() || !below_power(x.value, f.emin)) return x;
  Fixed zero;
  zero.field = f.emin;
  zero.minus = !m.drop_sign && x.minus;
  return zero;
}

std::uint32_t flushing_step(const Model& m, const std::vector<Fixed>& a, const std::vector<Fixed>& b,
                            std::uint32_t c) {
  std::vector<Fixed> p;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Fixed exact = product(a[i], b[i]);
    p.push_back(m.fused_products ? exact : fixed_from_code(rounded(m, exact, m.flush_products), f32));
  }
  const auto add = [&](const Fixed& x, const Fixed& y) {
    return fixed_from_code(rounded(m, sum_of(x, y), m.flush_sums), f32);
  };
  const auto code = [&](const Fixed& x, const Fixed& y) { return rounded(m, sum_of(x, y), m.flush_sums); };
  const Fixed start = read(m, c, f32);
  if (m.sequential) {
    Fixed s = start;
    for (const Fixed& x : p) s = add(s, x);
    return rounded(m, s, false);
  }
  Fixed s = add(p[0], p[1]);
  if (p.size() == 4) s = add(s, add(p[2], p[3]));
  return code(start, s);
}

std::uint32_t wide_step(const Model& m, const std::vector<Fixed>& a, const std::vector<Fixed>& b,
                        std::uint32_t c, const FormatSpec& f) {
  bool nan = false;
  int plus = 0, minus = 0;
  const auto look = [&](const Fixed& x) {
    nan = nan || x.nan;
    plus += x.infinite > 0 ? 1 : 0;
    minus += x.infinite < 0 ? 1 : 0;
  };
  std::vector<Fixed> p;
  for (std::size_t i = 0; i < a.size(); ++i) {
    Fixed x = product(a[i], b[i]);
    if (m.step == MfmaStep::truncated && m.infinite_products && x.finite() && !below_power(x.value, 128))
      x.infinite = x.minus ? -1 : 1;
    look(x);
    p.push_back(x);
  }
  const Fixed addend = fixed_from_code(c, f32);
  look(addend);
  if (nan || (plus > 0 && minus > 0)) return nan_code;
  if (plus > 0 || minus > 0) return plus > 0 ? 0x7F800000 : 0xFF800000;
  if (m.step == MfmaStep::exact) {
    Integer sum = addend.value;
    for (const Fixed& x : p) sum += x.value;
    return to_float32(sum, m.rounding);
  }
  const int none = -100000;
  int e_dot = none;
  for (const Fixed& x : p) {
    if (!x.zero() || m.zero_takes_part) e_dot = std::max(e_dot, x.zero() ? 2 * f.emin : x.field);
  }
  if (m.c_in_products) e_dot = std::max(e_dot, addend.field);
  const int e = std::max(e_dot, addend.field);
  Integer dot = 0;
  for (const Fixed& x : p) dot += x.zero() ? Integer(0) : cut_to(x.value, e_dot - m.fraction);
  const auto to = [](const Integer& x, int place, bool floors) {
    return floors ? floor_to(x, place) : cut_to(x, place);
  };
  const Integer sum = to(dot, e - m.sum_fraction - (m.one_floor ? 0 : 1), m.floor_dot) +
                      to(addend.value, e - m.fraction, m.floor_c);
  if (sum == 0) return 0;
  const int e_sum = std::max(floor_log2(sum), -126);
  return to_float32(m.one_floor ? sum : to(sum, e_sum - m.sum_fraction, m.floor_sum), m.rounding);
}

std::uint64_t model_dot(const Model& m, const CodeVector& a, const CodeVector& b,
                        std::optional<std::uint64_t> c) {
  auto sum = static_cast<std::uint32_t>(c.value_or(0));
  for (std::size_t begin = 0; begin < a.size; begin += m.terms) {
    std::vector<Fixed> x, y;
    for (std::size_t i = begin; i < begin + m.terms; ++i) {
      const std::uint64_t ca = i < a.size ? a.code(i) : 0, cb = i < b.size ? b.code(i) : 0;
      const bool flushes = m.step == MfmaStep::flushing;
      x.push_back(flushes ? read(m, ca, a.format) : fixed_from_code(ca, a.format));
      y.push_back(flushes ? read(m, cb, b.format) : fixed_from_code(cb, b.format));
    }
    sum = m.step == MfmaStep::flushing ? flushing_step(m, x, y, sum) : wide_step(m, x, y, sum, a.format);
  }
  return sum;
}

struct Member {
  const Unit* unit;
  Model model;
};

// Every unit of the family, with its model as the specification has it.
std::vector<Member> members(const ArithmeticRegistry& registry) {
  std::vector<Member> all;
  for (const Arithmetic* arithmetic : registry.list()) {
    const std::string& name = arithmetic->info().name;
    Model m{.terms = arithmetic->info().step_terms};
    m.step = name.starts_with("gfx90a")   ? MfmaStep::flushing
             : name.starts_with("gfx942") ? MfmaStep::truncated
                                          : MfmaStep::exact;
    all.push_back({as_unit(*arithmetic), m});
  }
  return all;
}

ArithmeticRegistry family() {
  ArithmeticRegistry registry;
  add_amd_mfma_units(registry);
  return registry;
}

BOOST_AUTO_TEST_CASE(the_list) {
  const ArithmeticRegistry registry = family();
  const std::vector<std::pair<std::string, std::size_t>> due = {
      {"gfx908.f16", 4},     {"gfx908.bf16", 2}, {"gfx90a.f16", 4}, {"gfx90a.bf16", 2},
      {"gfx90a.bf16_1k", 4}, {"gfx942.f16", 8},  {"gfx942.bf16", 8}};
  BOOST_REQUIRE_EQUAL(registry.list().size(), due.size());
  for (const auto& [name, terms] : due) {
    const ArithmeticInfo& info = registry.find(name).info();
    BOOST_TEST(info.step_terms == terms, name);
    BOOST_TEST(info.inputs.size() == 1U);
    BOOST_TEST((info.accumulator == f32 && info.outputs == std::vector<FormatSpec>{f32} && !info.any_output));
    BOOST_TEST(info.family == "amd_mfma");
    BOOST_TEST((info.evidence == Evidence::SRC && is_unverified(info.evidence)), name << " is unverified");
    BOOST_TEST((!info.summary.empty() && !info.order.empty() && !info.products.empty() && !info.nan.empty() &&
                !info.source.empty() && !info.parameters.empty()));
    BOOST_TEST(info.flush_inputs == name.starts_with("gfx90a"));
  }
}

BOOST_AUTO_TEST_CASE(equals_the_second_implementation) {
  const ArithmeticRegistry registry = family();
  Tally tally;
  for (const Member& member : members(registry)) {
    const Unit* const unit = member.unit;
    const Model& model = member.model;

    const FormatSpec& f = unit->info().inputs[0].first;
    each_case(f, f, model.terms, 60,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                const std::uint64_t due = model_dot(model, x.a.view(), x.b.view(), c);
                tally.count(unit->dot(x.a.view(), x.b.view(), c) == due, place(*unit, kind, n, seed));
              });
  }
  BOOST_TEST_MESSAGE(tally.tried << " dot products");
  BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
}

// The example of arXiv:2511.10909, equation 10, with the results published for these units; -0.875 is exact.
BOOST_AUTO_TEST_CASE(published_example) {
  const ArithmeticRegistry registry = family();
  const std::vector<double> a = {-0x1p13, -0.5, -0.25, -0.125}, b = {0x1p10, 1, 1, 1};
  const std::vector<std::pair<std::string, double>> due = {
      {"gfx908.bf16", -0.875}, {"gfx908.f16", -0.875}, {"gfx90a.bf16", -0.375}, {"gfx90a.bf16_1k", 0},
      {"gfx90a.f16", 0},       {"gfx942.bf16", -0.5},  {"gfx942.f16", -0.5}};
  for (const auto& [name, value] : due) {
    const Arithmetic& unit = registry.find(name);
    const FormatSpec& f = unit.info().inputs[0].first;
    CodeArray x(4, f), y(4, f);
    for (std::size_t i = 0; i < 4; ++i) {
      x.set(i, encode(a[i], f).code);
      y.set(i, encode(b[i], f).code);
    }
    BOOST_TEST(decode(unit.dot(x.view(), y.view(), encode(0x1p23, f32).code), f32) == value, name);
  }
}

// Every wrong reading of the specification gives other bits somewhere in the data above.
BOOST_AUTO_TEST_CASE(mutants_are_killed) {
  using Change = void (*)(Model&);
  struct Mutant {
    const char* name;
    std::vector<MfmaStep> steps;
    Change change;
  };
  const MfmaStep exact = MfmaStep::exact, flushing = MfmaStep::flushing, truncated = MfmaStep::truncated;
  const std::vector<Mutant> mutants = {
      {"half of L", {exact, flushing, truncated}, [](Model& m) { m.terms = m.terms == 2 ? 4 : m.terms / 2; }},
      {"twice L", {exact, truncated}, [](Model& m) { m.terms *= 2; }},
      {"toward zero", {exact, flushing, truncated}, [](Model& m) { m.rounding = Nearby::zero; }},
      {"operands kept", {flushing}, [](Model& m) { m.flush_inputs = false; }},
      {"sign of flushed operands kept", {flushing}, [](Model& m) { m.drop_sign = false; }},
      {"products kept", {flushing}, [](Model& m) { m.flush_products = false; }},
      {"sums kept", {flushing}, [](Model& m) { m.flush_sums = false; }},
      {"sequential", {flushing}, [](Model& m) { m.sequential = true; }},
      {"exact products", {flushing}, [](Model& m) { m.fused_products = true; }},
      {"F - 1", {truncated}, [](Model& m) { --m.fraction; }},
      {"F + 1", {truncated}, [](Model& m) { ++m.fraction; }},
      {"F2 - 1", {truncated}, [](Model& m) { --m.sum_fraction; }},
      {"F2 + 1", {truncated}, [](Model& m) { ++m.sum_fraction; }},
      {"dot cut toward zero", {truncated}, [](Model& m) { m.floor_dot = false; }},
      {"c cut toward zero", {truncated}, [](Model& m) { m.floor_c = false; }},
      {"sum cut toward zero", {truncated}, [](Model& m) { m.floor_sum = false; }},
      {"one floor", {truncated}, [](Model& m) { m.one_floor = true; }},
      {"products stay finite", {truncated}, [](Model& m) { m.infinite_products = false; }},
      {"zero products align", {truncated}, [](Model& m) { m.zero_takes_part = true; }},
      {"c aligned with the products", {truncated}, [](Model& m) { m.c_in_products = true; }},
  };
  const ArithmeticRegistry registry = family();
  for (const Mutant& mutant : mutants) {
    for (const MfmaStep step : mutant.steps) {
      std::size_t differ = 0, tried = 0;
      for (const Member& member : members(registry)) {
        const Unit* const unit = member.unit;
        const Model& model = member.model;

        if (model.step != step || differ != 0) continue;
        Model changed = model;
        mutant.change(changed);
        const FormatSpec& f = unit->info().inputs[0].first;
        each_case(f, f, model.terms, 60,
                  [&](InputClass, std::size_t, const StepOperands& x, auto c, std::uint64_t) {
                    ++tried;
                    differ +=
                        model_dot(changed, x.a.view(), x.b.view(), c) != unit->dot(x.a.view(), x.b.view(), c);
                    return differ == 0;
                  });
      }
      BOOST_TEST_MESSAGE(mutant.name << ", step " << static_cast<int>(step) << ": " << differ << " of "
                                     << tried);
      BOOST_TEST(differ > 0U, mutant.name << " survives, step " << static_cast<int>(step));
    }
  }
}

BOOST_AUTO_TEST_CASE(errors_are_within_the_bound) {
  const ArithmeticRegistry registry = family();
  for (const Member& member : members(registry)) {
    const Unit* const unit = member.unit;
    const Model& model = member.model;

    const FormatSpec& f = unit->info().inputs[0].first;
    Tally tally;
    double most = 0;
    std::size_t bounded = 0;
    each_case(f, f, model.terms, 60,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                const double bound = unit->bound(x.a.view(), x.b.view(), c, f32);
                const double share = error_share(unit->exact(x.a.view(), x.b.view(), c),
                                                 unit->dot(x.a.view(), x.b.view(), c), bound);
                bounded += std::isfinite(bound);
                most = std::max(most, share);
                tally.count(share <= 1, place(*unit, kind, n, seed));
              });
    BOOST_TEST_MESSAGE(unit->info().name << ": largest error " << most << " of the bound, " << bounded
                                         << " bounded");
    BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
    BOOST_TEST(2 * bounded > tally.tried);
    BOOST_TEST(most > 0.3, "a bound that nothing comes near: " << most);
  }
}

BOOST_AUTO_TEST_CASE(traces_steps_and_gemm_agree_with_dot) {
  const ArithmeticRegistry registry = family();
  Tally traces, steps, gemm;
  for (const Member& member : members(registry)) {
    const Unit* const unit = member.unit;
    const Model& model = member.model;

    const FormatSpec& f = unit->info().inputs[0].first;
    each_case(f, f, model.terms, 12,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                const std::uint64_t result = unit->dot(x.a.view(), x.b.view(), c);
                traces.count(trace_is_sound(unit->trace(x.a.view(), x.b.view(), c, f32), result),
                             place(*unit, kind, n, seed));
                std::uint64_t sum = c.value_or(0);
                for (std::size_t i = 0; i < n; i += model.terms) {
                  const std::size_t count = std::min(model.terms, n - i);
                  sum = unit->step(x.a.view().part(i, count), x.b.view().part(i, count), sum);
                }
                steps.count(sum == result, place(*unit, kind, n, seed));
              });
    const std::size_t k = 2 * model.terms + 1;
    const StepOperands x = make_step_operands(InputClass::gap, 15 * k, f, f, 7);
    CodeArray d(15, f32), c(15, f32);
    for (std::size_t i = 0; i < 15; ++i) c.set(i, encode(static_cast<double>(i) - 7, f32).code);
    const CodeMatrix a = x.a.matrix(3, k), b = x.b.matrix(k, 5);
    unit->gemm(a, b, c.matrix(3, 5), d.out(3, 5));
    for (std::size_t i = 0; i < 15; ++i)
      gemm.count(d.code(i) == unit->dot(a.row(i / 5), b.column(i % 5), c.code(i)), unit->info().name);
  }
  BOOST_TEST(traces.wrong == 0U, traces.wrong << " of " << traces.tried << ", first " << traces.worst);
  BOOST_TEST(steps.wrong == 0U, steps.wrong << " of " << steps.tried << ", first " << steps.worst);
  BOOST_TEST(gemm.wrong == 0U, gemm.wrong << " of " << gemm.tried << ", first " << gemm.worst);
}

BOOST_AUTO_TEST_CASE(no_products_give_c) {
  const ArithmeticRegistry registry = family();
  for (const Arithmetic* arithmetic : registry.list()) {
    const FormatSpec& f = arithmetic->info().inputs[0].first;
    const CodeVector none{nullptr, 0, 1, f};
    for (const std::uint64_t c : {0x3F800000ULL, 0x80000000ULL, 0x80000001ULL, 0x7FC12345ULL}) {
      BOOST_TEST(arithmetic->exact(none, none, c).value.rounded(f32).code ==
                 (f32.is_nan(c) ? f32.nan_code() : c));
      BOOST_TEST(arithmetic->dot(none, none, c) == c);
      BOOST_TEST(as_unit(*arithmetic)->trace(none, none, c, f32).back().result == c);
    }
    BOOST_TEST(arithmetic->dot(none, none) == 0U);
    BOOST_TEST(arithmetic->bound(none, none, 0x3F800000, f32) == 0);
  }
}

BOOST_AUTO_TEST_CASE(errors_name_what_is_accepted) {
  const ArithmeticRegistry registry = family();
  const CodeArray x(4, formats::float32), y(4, formats::float16), z(5, formats::float16);
  const auto says = [](const std::string& text) {
    return [text](const ContractError& e) { return std::string(e.what()).find(text) != std::string::npos; };
  };
  const Arithmetic& unit = registry.find("gfx942.f16");
  BOOST_CHECK_EXCEPTION(unit.dot(x.view(), x.view()), ContractError, says("it takes f16 x f16"));
  BOOST_CHECK_EXCEPTION(unit.dot(y.view(), y.view(), {}, formats::float16), ContractError,
                        says("it gives f32"));
  BOOST_CHECK_EXCEPTION(unit.dot(y.view(), z.view()), ContractError, says("4 and 5"));
  BOOST_CHECK_EXCEPTION(
      unit.step(CodeArray(9, formats::float16).view(), CodeArray(9, formats::float16).view(), 0),
      ContractError, says("one takes 8"));
  BOOST_CHECK_THROW(make_amd_mfma({.name = "x", .step = MfmaStep::flushing, .terms = 3}), ContractError);
  BOOST_CHECK_THROW(make_amd_mfma({.name = "x", .input = formats::float32}), ContractError);
  BOOST_CHECK_THROW(make_amd_mfma({.name = "x", .fraction = 29}), ContractError);
}

}  // namespace
