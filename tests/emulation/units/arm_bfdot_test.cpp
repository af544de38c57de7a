// The definitions of Arm's BFDOT and BFMMLA against a second implementation, and that one's mutants against them.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include "emulation/units/arm/arm_bfdot.hpp"
#include "reference/core/error.hpp"
#include "tests/emulation/units/fixed_point.hpp"
#include "tests/emulation/units/unit_checks.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;
const FormatSpec& bf16 = formats::bfloat16;
constexpr std::uint32_t default_nan = 0x7FC00000;

// The specification once more, with what it could be mistaken for as options.
struct Model {
  bool extended = false;
  Nearby rounding = Nearby::even;  // of the extended behaviour
  // Mutants.
  std::size_t filled = 2;    // products that a last step is filled to
  Nearby odd = Nearby::odd;  // of the standard behaviour
  bool flush_inputs = true, flush_results = true;
  bool saturates = false;         // overflow to the largest number
  bool sequential = false;        // (c + p0) + p1
  bool whole = false;             // extended: c too in the one sum
  bool rounded_products = false;  // extended: each product rounded
  bool exact_products = false;    // standard: exact
  bool positive_zero = false;     // a sum of zeros is +0
  bool quiet = false;             // the first NaN operand survives, quiet
};

Fixed read(const Model& m, std::uint64_t code, const FormatSpec& f) {
  Fixed x = fixed_from_code(code, f);
  if (!m.extended && m.flush_inputs && x.finite() && below_power(x.value, f.emin)) x.value = 0;
  return x;
}

std::uint32_t rounded(const Model& m, const Fixed& x) {
  if (x.nan) return default_nan;
  if (x.infinite != 0) return x.infinite < 0 ? 0xFF800000 : 0x7F800000;
  const std::uint32_t sign = x.minus ? 0x80000000 : 0;
  if (!m.extended && m.flush_results && below_power(x.value, -126)) return sign;
  if (m.extended && x.value != 0 &&
      (m.rounding == Nearby::zero || m.rounding == (x.minus ? Nearby::up : Nearby::down)) &&
      !below_power(x.value, 128))
    return sign | 0x7F7FFFFF;  // a directed mode stops at the largest number
  const std::uint32_t code = to_float32(x.value, m.extended ? m.rounding : m.odd, x.minus);
  return m.saturates && (code & 0x7FFFFFFF) == 0x7F800000 ? sign | 0x7F7FFFFF : code;
}

Fixed sum_of(const Model& m, const Fixed& x, const Fixed& y) {
  Fixed s;
  s.nan = x.nan || y.nan || (x.infinite != 0 && y.infinite != 0 && x.infinite != y.infinite);
  if (s.nan) return s;
  s.infinite = x.infinite != 0 ? x.infinite : y.infinite;
  if (s.infinite != 0) return s;
  s.value = x.value + y.value;
  const bool zeros = x.value == 0 && y.value == 0;
  const bool down = m.extended && m.rounding == Nearby::down;
  s.minus = s.value != 0 ? s.value < 0 : zeros && x.minus == y.minus ? x.minus && !m.positive_zero : down;
  return s;
}

std::uint32_t pair_step(const Model& m, const std::vector<std::uint64_t>& a,
                        const std::vector<std::uint64_t>& b, std::uint32_t c) {
  const auto add = [&](const Fixed& x, const Fixed& y) { return rounded(m, sum_of(m, x, y)); };
  const auto again = [&](std::uint32_t code) { return read(m, code, f32); };
  const Fixed addend = read(m, c, f32);
  Fixed p = product(read(m, a[0], bf16), read(m, b[0], bf16));
  Fixed q = product(read(m, a[1], bf16), read(m, b[1], bf16));
  if (m.quiet) {
    for (const auto& [code, f] : {std::pair(a[0], bf16), {b[0], bf16}, {a[1], bf16}, {b[1], bf16}}) {
      if (f.is_nan(code)) return static_cast<std::uint32_t>(code << 16) | 0x400000;
    }
    if (f32.is_nan(c)) return c | 0x400000;
  }
  if (m.whole) return rounded(m, sum_of(m, sum_of(m, p, q), addend));
  if (m.extended ? m.rounded_products : !m.exact_products) {
    p = again(rounded(m, p));
    q = again(rounded(m, q));
  }
  if (m.sequential) return add(again(add(addend, p)), q);
  return add(addend, again(add(p, q)));
}

std::uint64_t model_dot(const Model& m, const CodeVector& a, const CodeVector& b,
                        std::optional<std::uint64_t> c) {
  auto sum = static_cast<std::uint32_t>(c.value_or(0));
  const std::size_t n = (a.size + m.filled - 1) / m.filled * m.filled;
  const auto code = [](const CodeVector& x, std::size_t i) { return i < x.size ? x.code(i) : 0; };
  for (std::size_t i = 0; i < n; i += 2)
    sum = pair_step(m, {code(a, i), code(a, i + 1)}, {code(b, i), code(b, i + 1)}, sum);
  return sum;
}

struct Member {
  std::unique_ptr<const Unit> unit;
  Model model;
};

std::vector<Member> members() {
  std::vector<Member> all;
  for (const std::size_t terms : {2U, 4U}) {
    all.push_back({make_arm_bfdot({.name = "standard", .terms = terms}), {.filled = terms}});
    for (const auto& [mode, nearby] : {std::pair(Rounding::nearest_even, Nearby::even),
                                       {Rounding::toward_zero, Nearby::zero},
                                       {Rounding::toward_positive, Nearby::up},
                                       {Rounding::toward_negative, Nearby::down}}) {
      all.push_back({make_arm_bfdot({.name = "extended", .terms = terms, .extended = true, .rounding = mode}),
                     {.extended = true, .rounding = nearby, .filled = terms}});
    }
  }
  return all;
}

BOOST_AUTO_TEST_CASE(the_list) {
  ArithmeticRegistry registry;
  add_arm_bfdot_units(registry);
  BOOST_REQUIRE_EQUAL(registry.list().size(), 4U);
  for (const auto& [name, terms] :
       {std::pair("arm.bfdot", 2U), {"arm.bfdot.ebf", 2U}, {"arm.bfmmla", 4U}, {"arm.bfmmla.ebf", 4U}}) {
    const ArithmeticInfo& info = registry.find(name).info();
    const bool extended = info.name.ends_with(".ebf");
    BOOST_TEST(info.step_terms == terms, name);
    BOOST_TEST((info.inputs.size() == 1 && info.inputs[0] == std::pair(bf16, bf16)));
    BOOST_TEST((info.accumulator == f32 && info.outputs == std::vector<FormatSpec>{f32} && !info.any_output));
    BOOST_TEST(info.family == "arm_bfdot");
    BOOST_TEST((info.evidence == Evidence::SRC && is_unverified(info.evidence)), name << " is unverified");
    BOOST_TEST((info.flush_inputs != extended && info.flush_results != extended && info.fused == extended));
    BOOST_TEST(info.rounding == (extended ? "nearest-even" : "to-odd"));
    BOOST_TEST((!info.summary.empty() && !info.order.empty() && !info.products.empty() && !info.nan.empty() &&
                !info.source.empty() && !info.parameters.empty()));
  }
}

BOOST_AUTO_TEST_CASE(equals_the_second_implementation) {
  Tally tally;
  for (const Member& member : members()) {
    const Unit* const unit = member.unit.get();
    const Model& model = member.model;

    each_case(bf16, bf16, 4, 60,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                tally.count(
                    unit->dot(x.a.view(), x.b.view(), c) == model_dot(model, x.a.view(), x.b.view(), c),
                    place(*unit, kind, n, seed) + " " + unit->info().rounding);
              });
  }
  BOOST_TEST_MESSAGE(tally.tried << " dot products");
  BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
}

BOOST_AUTO_TEST_CASE(mutants_are_killed) {
  using Change = void (*)(Model&);
  struct Mutant {
    const char* name;
    bool standard, extended;
    Change change;
  };
  const std::vector<Mutant> mutants = {
      {"nearest-even", true, false, [](Model& m) { m.odd = Nearby::even; }},
      {"toward zero", true, true, [](Model& m) { m.odd = m.rounding = Nearby::zero; }},
      {"to odd", false, true, [](Model& m) { m.rounding = Nearby::odd; }},
      {"operands kept", true, false, [](Model& m) { m.flush_inputs = false; }},
      {"results kept", true, false, [](Model& m) { m.flush_results = false; }},
      {"overflow to the largest", true, true, [](Model& m) { m.saturates = true; }},
      {"sequential", true, true, [](Model& m) { m.sequential = true; }},
      {"one rounding a step", true, true, [](Model& m) { m.whole = true; }},
      {"products rounded", false, true, [](Model& m) { m.rounded_products = true; }},
      {"products exact", true, false, [](Model& m) { m.exact_products = true; }},
      {"EBF the other way", true, true, [](Model& m) { m.extended = !m.extended; }},
      {"zeros add up to +0", true, true, [](Model& m) { m.positive_zero = true; }},
      {"NaN operands survive", true, true, [](Model& m) { m.quiet = true; }},
  };
  for (const Mutant& mutant : mutants) {
    for (const bool extended : {false, true}) {
      if (!(extended ? mutant.extended : mutant.standard)) continue;
      const auto unit = make_arm_bfdot({.name = "unit", .extended = extended});
      Model model{.extended = extended};
      mutant.change(model);
      std::size_t differ = 0, tried = 0;
      each_case(
          bf16, bf16, 4, 60, [&](InputClass, std::size_t, const StepOperands& x, auto c, std::uint64_t) {
            ++tried;
            differ += model_dot(model, x.a.view(), x.b.view(), c) != unit->dot(x.a.view(), x.b.view(), c);
            return differ == 0;
          });
      BOOST_TEST_MESSAGE(mutant.name << ", EBF = " << extended << ": " << differ << " after " << tried);
      BOOST_TEST(differ > 0U, mutant.name << " survives, EBF = " << extended);
    }
  }
}

// BFMMLA is two BFDOT an element; what its filling does is seen where a last pair of zeros meets -0.
BOOST_AUTO_TEST_CASE(bfmmla_is_two_bfdot) {
  for (const bool extended : {false, true}) {
    const auto bfdot = make_arm_bfdot({.name = "bfdot", .extended = extended});
    const auto bfmmla = make_arm_bfdot({.name = "bfmmla", .terms = 4, .extended = extended});
    Tally whole;
    each_case(bf16, bf16, 4, 30,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                if (n % 4 != 0 && n % 4 != 3) return;
                whole.count(bfdot->dot(x.a.view(), x.b.view(), c) == bfmmla->dot(x.a.view(), x.b.view(), c),
                            place(*bfdot, kind, n, seed));
              });
    BOOST_TEST(whole.tried > 500U);
    BOOST_TEST(whole.wrong == 0U, whole.wrong << " of " << whole.tried << ", first " << whole.worst);
    CodeArray a(2, bf16), b(2, bf16);
    a.set(0, 0x8000), a.set(1, 0x8000), b.set(0, 0x3F80), b.set(1, 0x3F80);
    BOOST_TEST(bfdot->dot(a.view(), b.view(), 0x80000000) == 0x80000000U);
    BOOST_TEST(bfmmla->dot(a.view(), b.view(), 0x80000000) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(errors_are_within_the_bound) {
  for (const Member& member : members()) {
    const Unit* const unit = member.unit.get();

    Tally tally;
    double most = 0;
    std::size_t bounded = 0;
    each_case(bf16, bf16, 4, 60,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                const std::uint64_t result = unit->dot(x.a.view(), x.b.view(), c);
                const double bound = unit->bound(x.a.view(), x.b.view(), c, f32);
                const double share = error_share(unit->exact(x.a.view(), x.b.view(), c), result, bound);
                bounded += std::isfinite(bound);
                most = std::max(most, share);
                tally.count(share <= 1, place(*unit, kind, n, seed));
              });
    BOOST_TEST_MESSAGE(unit->info().name << " " << unit->info().rounding << ": largest error " << most
                                         << " of the bound, " << bounded << " bounded");
    BOOST_TEST(tally.wrong == 0U, tally.wrong << " of " << tally.tried << ", first " << tally.worst);
    BOOST_TEST(2 * bounded > tally.tried);
    BOOST_TEST(most > 0.3, "a bound that nothing comes near: " << most);
  }
}

BOOST_AUTO_TEST_CASE(traces_steps_and_gemm_agree_with_dot) {
  Tally traces, steps, gemm;
  for (const Member& member : members()) {
    const Unit* const unit = member.unit.get();

    const std::size_t terms = unit->info().step_terms;
    each_case(bf16, bf16, terms, 12,
              [&](InputClass kind, std::size_t n, const StepOperands& x, auto c, std::uint64_t seed) {
                const std::uint64_t result = unit->dot(x.a.view(), x.b.view(), c);
                traces.count(trace_is_sound(unit->trace(x.a.view(), x.b.view(), c, f32), result),
                             place(*unit, kind, n, seed));
                std::uint64_t sum = c.value_or(0);
                for (std::size_t i = 0; i < n; i += terms) {
                  const std::size_t count = std::min(terms, n - i);
                  sum = unit->step(x.a.view().part(i, count), x.b.view().part(i, count), sum);
                }
                steps.count(sum == result, place(*unit, kind, n, seed));
              });
    const StepOperands x = make_step_operands(InputClass::gap, 15 * 7, bf16, bf16, 7);
    CodeArray d(15, f32);
    const CodeMatrix a = x.a.matrix(3, 7), b = x.b.matrix(7, 5);
    unit->gemm(a, b, {}, d.out(3, 5));
    for (std::size_t i = 0; i < 15; ++i)
      gemm.count(d.code(i) == unit->dot(a.row(i / 5), b.column(i % 5)), unit->info().name);
  }
  BOOST_TEST(traces.wrong == 0U, traces.wrong << " of " << traces.tried << ", first " << traces.worst);
  BOOST_TEST(steps.wrong == 0U, steps.wrong << " of " << steps.tried << ", first " << steps.worst);
  BOOST_TEST(gemm.wrong == 0U, gemm.wrong << " of " << gemm.tried << ", first " << gemm.worst);
}

BOOST_AUTO_TEST_CASE(no_products_give_c) {
  for (const Member& member : members()) {
    const Unit* const unit = member.unit.get();

    const CodeVector none{nullptr, 0, 1, bf16};
    for (const std::uint64_t c : {0x3F800000ULL, 0x80000000ULL, 0x80000001ULL, 0x7FC12345ULL}) {
      BOOST_TEST(unit->exact(none, none, c).value.rounded(f32).code == (f32.is_nan(c) ? f32.nan_code() : c));
      BOOST_TEST(unit->dot(none, none, c) == c);
      BOOST_TEST(unit->trace(none, none, c, f32).back().result == c);
    }
    BOOST_TEST(unit->dot(none, none) == 0U);
    BOOST_TEST(unit->bound(none, none, 0x3F800000, f32) == 0);
  }
}

BOOST_AUTO_TEST_CASE(errors_name_what_is_accepted) {
  const auto unit = make_arm_bfdot({.name = "unit"});
  const CodeArray x(4, formats::float16);
  BOOST_CHECK_EXCEPTION(unit->dot(x.view(), x.view()), ContractError, [](const ContractError& e) {
    return std::string(e.what()).find("it takes bf16 x bf16") != std::string::npos;
  });
  BOOST_CHECK_THROW(make_arm_bfdot({.name = "x", .terms = 3}), ContractError);
  BOOST_CHECK_THROW(make_arm_bfdot({.name = "x", .extended = true, .rounding = Rounding::stochastic}),
                    ContractError);
}

}  // namespace
