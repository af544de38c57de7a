// Behaviours planted in data and recovered from it; wrong ones that must not pass; where two answers part.
#include "validation/diagnose/explain/explain.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/explain/explain_conversion.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::diagnose;

namespace {

constexpr std::uint64_t seed = 20261121;

// Dot products of normal numbers, a third of them so small that products and sums are subnormal.
ExplainInput problem(const FormatSpec& a, const FormatSpec& b, const FormatSpec& got, std::size_t n,
                     std::size_t outputs, std::uint64_t stream, bool with_c = false) {
  const CounterRandom random(seed, stream);
  ExplainInput input{.a = a, .b = b, .got = got, .views = {ExplainView{}}};
  std::uint64_t drawn = 0;
  for (std::size_t e = 0; e < outputs; ++e) {
    ExplainElement element{.index = e};
    const int scale = e % 3 == 2 ? (a.emin < -100 ? -66 : a.emin / 2 - 3) : 0;
    for (std::size_t i = 0; i < n; ++i) {
      element.a.push_back(encode(std::ldexp(random.normal(drawn++), scale), a).code);
      element.b.push_back(encode(std::ldexp(random.normal(drawn++), scale), b).code);
    }
    if (with_c) element.c = encode(std::ldexp(random.normal(drawn++), 2 * scale), formats::float32).code;
    input.views[0].elements.push_back(std::move(element));
  }
  return input;
}

void answer_by(ExplainInput& input, const ExplainCandidate& planted) {
  for (std::size_t e = 0; e < input.views[0].elements.size(); ++e)
    input.views[0].elements[e].got = *answer(planted, input, e);
}

// Every bit pattern is drawn: NaN, infinities, subnormals.
ExplainInput every_code(const FormatSpec& f, std::size_t n, std::uint64_t stream) {
  const CounterRandom random(seed, 0xC0DE + stream);
  ExplainInput input{.a = f, .b = f, .got = f, .views = {ExplainView{}}};
  ExplainElement element;
  for (std::size_t i = 0; i < n; ++i) {
    element.a.push_back(random.u64(2 * i) & (f.sign_code() | f.magnitude_mask()));
    // Near the reciprocal, so that sums neither overflow nor vanish all of the time.
    const double back = random.below(4, 1000 + i) == 0 ? random.normal(i) : 1.0;
    const double x = std::fabs(decode(element.a.back(), f));
    const bool plain = x > 0 && std::isfinite(x);
    element.b.push_back(encode(plain ? back / x : random.normal(i), f).code);
  }
  input.views[0].elements.push_back(std::move(element));
  return input;
}

bool is(const ExplainCandidate& x, const ExplainCandidate& y) {
  return x.arithmetic == y.arithmetic && x.rules == y.rules && x.finish == y.finish &&
         order_name(x.order) == order_name(y.order);
}

}  // namespace

namespace {

struct Recovery {
  std::size_t planted = 0, recovered = 0, alone = 0, same_order = 0, distinct = 0;
};

// Plants points `first` to `last` of a seeded walk through the space: formats, orders, rules, roundings of the output.
// The planted one must be among those that remain.
Recovery recover(std::size_t first, std::size_t last) {
  const CounterRandom random(seed, 99);
  Recovery r;
  std::set<std::string> orders_seen;
  for (std::size_t p = first; p < last; ++p) {
    const FormatSpec& in = p % 3 == 0 ? formats::float32 : p % 3 == 1 ? formats::bfloat16 : formats::float16;
    const FormatSpec& out = p % 4 == 3 ? formats::bfloat16 : formats::float32;
    const std::size_t n = 20 + random.below(50, 10 * p);
    ExplainInput input = problem(in, in, out, n, 24, p);
    const std::vector<SumOrder> orders = candidate_orders({n}, false);
    const std::vector<ChainRules> rules = candidate_rules(in, in, out, std::nullopt);
    ExplainCandidate planted{.order = orders[random.below(orders.size(), 10 * p + 1)],
                             .rules = rules[random.below(rules.size(), 10 * p + 2)]};
    planted.sum_format = planted.rules.accumulator;
    const std::vector<Finish> ends = finishes(planted.sum_format, out);
    planted.finish = ends[random.below(ends.size(), 10 * p + 3)];
    answer_by(input, planted);
    const Explanation found = explain(input, arithmetics().list());
    const auto end = found.ranked.begin() + static_cast<std::ptrdiff_t>(found.remaining);
    const bool there = std::any_of(found.ranked.begin(), end,
                                   [&](const ExplainRank& x) { return is(x.candidate, planted); });
    BOOST_TEST(there,
               "plant " << p << ": " << order_name(planted.order) << ", " << fusion_name(planted.rules));
    orders_seen.insert(order_name(planted.order));
    ++r.planted;
    r.recovered += there ? 1 : 0;
    r.alone += found.remaining == 1 ? 1 : 0;
    r.same_order += std::all_of(found.ranked.begin(), end,
                                [&](const ExplainRank& x) {
                                  return x.candidate.arithmetic != nullptr ||
                                         order_name(x.candidate.order) == order_name(planted.order);
                                })
                        ? 1
                        : 0;
  }
  r.distinct = orders_seen.size();
  BOOST_TEST_MESSAGE("seed " << seed << ": " << r.recovered << " of " << r.planted << " recovered ("
                             << r.distinct << " orders), " << r.alone << " alone, " << r.same_order
                             << " with their order alone");
  return r;
}

}  // namespace

BOOST_AUTO_TEST_CASE(planted_behaviours_are_recovered) {
  const Recovery r = recover(0, 5);
  BOOST_TEST(r.recovered == r.planted);
  BOOST_TEST(r.same_order > r.planted / 4);
}

BOOST_AUTO_TEST_CASE(more_planted_behaviours_are_recovered, *boost::unit_test::label("full")) {
  const Recovery r = recover(5, 315);
  BOOST_TEST(r.recovered == r.planted);
  BOOST_TEST(r.same_order > r.planted / 3);
  BOOST_TEST(r.distinct > 50U);
}

namespace {

// Plants arithmetics of the registry, every `step`th from `first`: each must be among those that remain, and whatever
// remains beside it must give the sample's bits.
void recover_units(std::size_t first, std::size_t step, std::size_t outputs) {
  std::size_t units = 0, found_units = 0;
  for (std::size_t u = first; u < arithmetics().list().size(); u += step) {
    const Arithmetic* const unit = arithmetics().list()[u];
    const ArithmeticInfo& info = unit->info();
    if (info.stochastic) continue;
    const auto [a, b] =
        info.inputs.empty() ? std::pair{info.accumulator, info.accumulator} : info.inputs.front();
    ExplainInput input = problem(a, b, info.outputs.front(), 64, outputs, 1000 + u);
    answer_by(input, {.arithmetic = unit, .sum_format = info.outputs.front()});
    const Explanation found = explain(input, arithmetics().list());
    ++units;
    bool there = false;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < found.remaining && i < found.ranked.size(); ++i) {
      const ExplainCandidate& c = found.ranked[i].candidate;
      there = there || std::find(c.names.begin(), c.names.end(), info.name) != c.names.end();
      for (std::size_t e = 0; e < outputs; ++e) {
        const std::uint64_t code = *answer(c, input, e), got = input.views[0].elements[e].got;
        wrong += code == got || (input.got.is_nan(code) && input.got.is_nan(got)) ? 0 : 1;
      }
    }
    found_units += there ? 1 : 0;
    BOOST_TEST(there, info.name << ": " << found.remaining << " remain");
    BOOST_TEST(wrong == 0U, info.name);
  }
  BOOST_TEST_MESSAGE(found_units << " of " << units << " units");
  BOOST_TEST(units > 0U);
}

}  // namespace

BOOST_AUTO_TEST_CASE(units_are_recovered) { recover_units(0, 22, 8); }
BOOST_AUTO_TEST_CASE(more_units_are_recovered, *boost::unit_test::label("full")) { recover_units(11, 22, 8); }
BOOST_AUTO_TEST_CASE(every_unit_is_recovered, *boost::unit_test::label("full")) { recover_units(0, 1, 24); }

// Arithmetics that go by one candidate's name must be one arithmetic: the same value for hard operands too, where a NaN
// is as good as another. Those that flush and are no chains of ours are candidates of their own.
BOOST_AUTO_TEST_CASE(names_of_one_candidate_are_one_arithmetic) {
  std::set<std::vector<std::string>> shared;
  for (const Arithmetic* const unit : arithmetics().list()) {
    const ArithmeticInfo& info = unit->info();
    if (info.stochastic || !unit->accepts(info.accumulator, info.accumulator)) continue;
    ExplainInput input = problem(info.accumulator, info.accumulator, info.accumulator, 16, 1, 1500);
    answer_by(input, {.arithmetic = unit, .sum_format = info.accumulator});
    for (const ExplainRank& r : explain(input, arithmetics().list()).ranked) {
      if (r.candidate.names.size() > 1) shared.insert(r.candidate.names);
    }
  }
  std::size_t compared = 0, different = 0;
  for (const std::vector<std::string>& names : shared) {
    const FormatSpec f = arithmetics().find(names.front()).info().accumulator;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const ExplainInput hard = every_code(f, 1 + i % 9, i);
      std::set<std::uint64_t> codes;
      for (const std::string& name : names) {
        const std::uint64_t code =
            *answer({.arithmetic = &arithmetics().find(name), .sum_format = f}, hard, 0);
        codes.insert(f.is_nan(code) ? f.nan_code() : code);
      }
      ++compared;
      different += codes.size() > 1 ? 1 : 0;
    }
  }
  BOOST_TEST_MESSAGE(shared.size() << " candidates of several names, " << compared << " sums");
  BOOST_TEST(shared.size() >= 4U);
  BOOST_TEST(different == 0U);
  // The machine's flush and ours are not one: a result just below the smallest normal number tells them apart.
  for (const std::vector<std::string>& names : shared)
    BOOST_TEST(std::count(names.begin(), names.end(), "fma_f32_ftz") == 0);
}

namespace {

// A chain that tells its order in other words, and, where `how` is given, its bound another order than its bits have.
class Retold final : public Arithmetic {
 public:
  Retold(const Arithmetic& chain, std::string order, std::optional<Accumulation> how = {})
      : Arithmetic(retold(chain.info(), std::move(order))), chain_(chain), how_(how) {}
  std::optional<Accumulation> accumulation() const override { return how_ ? how_ : chain_.accumulation(); }
  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    return chain_.bound(a, b, c, output);
  }

 private:
  static ArithmeticInfo retold(ArithmeticInfo info, std::string order) {
    info.name = "retold";
    info.order = std::move(order);
    return info;
  }
  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& output, OutputPlace place) const override {
    return chain_.dot(a, b, c, output, place);
  }
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace place) const override {
    return chain_.step(a, b, c, place);
  }

  const Arithmetic& chain_;
  std::optional<Accumulation> how_;
};

// The candidates for what `arithmetic` answers, of 40 terms.
std::vector<ExplainRank> explained(const Arithmetic& arithmetic) {
  const FormatSpec& f = arithmetic.info().accumulator;
  ExplainInput input = problem(f, f, f, 40, 30, 71);
  answer_by(input, {.arithmetic = &arithmetic, .sum_format = f});
  return explain(input, {&arithmetic}).ranked;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_named_chain_is_known_by_its_order_and_not_by_its_text,
                     *boost::unit_test::label("full")) {
  std::size_t chains = 0;
  for (const Arithmetic* const chain : arithmetics().list()) {
    if (chain->info().family != "chain" || chain->info().stochastic || chain->info().accumulator.bits < 16)
      continue;
    // tf32 has 19 bits, and nobody's operands are that.
    if (chain->info().accumulator == formats::tf32) continue;
    ++chains;
    const SumOrder order = chain->accumulation()->order;
    for (const char* const text : {"sequential", "in any words"}) {
      const Retold retold(*chain, text);
      // Others may give the same bits, as runs of two terms do where halves go down to single ones.
      std::size_t named = 0;
      for (const ExplainRank& r : explained(retold)) {
        if (std::count(r.candidate.names.begin(), r.candidate.names.end(), "retold") == 0) continue;
        ++named;
        BOOST_TEST(r.candidate.arithmetic == nullptr, chain->info().name);
        BOOST_TEST((make_schedule(r.candidate.order, 40, false) == make_schedule(order, 40, false)),
                   chain->info().name);
      }
      BOOST_TEST(named == 1U, chain->info().name);
    }
  }
  BOOST_TEST(chains >= 20U);
  // Bounds may be those of another order: such an arithmetic is a candidate of its own.
  const Arithmetic& lanes = arithmetics().find("lanes8_f32_fused");
  Accumulation how = *lanes.accumulation();
  how.order = SumOrder::sequential();
  const Retold other(lanes, "8 lanes", how);
  for (const ExplainRank& r : explained(other))
    BOOST_TEST((r.candidate.arithmetic != nullptr || r.candidate.names.empty()), r.candidate.name);
}

// Variants that are in no list: whatever remains would be a false statement.
BOOST_AUTO_TEST_CASE(mutants_are_not_explained) {
  const FormatSpec& f32 = formats::float32;
  for (int mutant = 0; mutant < 4; ++mutant) {
    ExplainInput input = problem(f32, f32, f32, 50, 24, 2000 + static_cast<std::uint64_t>(mutant));
    std::size_t e = 0;
    for (ExplainElement& element : input.views[0].elements) {
      element.index = e;
      ExplainCandidate base;
      ExplainInput one = input;
      std::uint64_t code = *answer(base, one, e);
      if (mutant == 0) code ^= 1;             // one last place
      if (mutant == 1 && e == 17) code ^= 1;  // one output of 24
      if (mutant == 2) code = *answer({.order = {.lanes = e % 2 == 0 ? 4U : 8U}}, one, e);  // two orders
      if (mutant == 3) {  // terms 0 and 1 change places after the third
        std::swap(one.views[0].elements[e].a[1], one.views[0].elements[e].a[40]);
        std::swap(one.views[0].elements[e].b[1], one.views[0].elements[e].b[40]);
        code = *answer(base, one, e);
      }
      element.got = code;
      ++e;
    }
    const Explanation found = explain(input, arithmetics().list());
    BOOST_TEST(found.remaining == 0U, "mutant " << mutant);
    if (mutant == 1) BOOST_TEST(found.ranked.front().matches == 23U);
    if (mutant == 2) BOOST_TEST(found.ranked.front().matches >= 12U);
    if (mutant == 1) {
      BOOST_TEST(found.ranked.front().candidate.names.front() == "chain_f32_fused");
      BOOST_TEST(found.attributes.empty());
      BOOST_TEST((found.missed == std::vector<std::size_t>{17}));
      BOOST_TEST(found.given.size() == 23U);
    }
  }
}

BOOST_AUTO_TEST_CASE(c_first_and_c_last_are_told_apart) {
  for (const bool last : {false, true}) {
    ExplainInput input = problem(formats::bfloat16, formats::bfloat16, formats::float32, 40, 24, 3000, true);
    ExplainCandidate planted{.order = {.c_last = last}};
    answer_by(input, planted);
    const Explanation found = explain(input, arithmetics().list());
    BOOST_TEST(found.remaining > 0U);
    for (std::size_t i = 0; i < found.remaining; ++i) {
      if (found.ranked[i].candidate.arithmetic == nullptr)
        BOOST_TEST(found.ranked[i].candidate.order.c_last == last, found.ranked[i].candidate.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_view_of_the_terms_is_recovered) {
  ExplainInput input = problem(formats::float32, formats::float32, formats::float32, 48, 24, 4000);
  ExplainView turned = input.views[0];
  turned.name = "turned";
  for (ExplainElement& element : turned.elements) {
    std::rotate(element.a.begin(), element.a.begin() + 5, element.a.end());
    std::rotate(element.b.begin(), element.b.begin() + 5, element.b.end());
  }
  input.views[0].name = "as stored";
  input.views.push_back(turned);
  ExplainCandidate planted{.order = {.lanes = 8}, .view_index = 1};
  std::vector<std::uint64_t> codes;
  for (std::size_t e = 0; e < 24; ++e) codes.push_back(*answer(planted, input, e));
  for (ExplainView& view : input.views) {
    for (std::size_t e = 0; e < 24; ++e) view.elements[e].got = codes[e];
  }
  const Explanation found = explain(input, arithmetics().list());
  BOOST_REQUIRE(found.remaining > 0U);
  for (std::size_t i = 0; i < found.remaining; ++i) BOOST_TEST(found.ranked[i].candidate.view == "turned");
}

BOOST_AUTO_TEST_CASE(the_first_divergent_step_is_the_first) {
  ExplainInput input = problem(formats::float32, formats::float32, formats::float32, 30, 24, 5000);
  answer_by(input, {});
  const Explanation found = explain(input, arithmetics().list());
  BOOST_REQUIRE(found.divergence.has_value());
  const ExplainDivergence& d = *found.divergence;
  BOOST_TEST(d.best_result == d.got);
  BOOST_TEST(d.other_result != d.got);
  BOOST_REQUIRE(!d.best.empty());
  BOOST_TEST(d.best.back().result == d.best_result);
  if (!d.other_steps.empty()) {
    BOOST_TEST(d.other_steps.back().result == d.other_result);
    BOOST_TEST(d.best[d.step].result != d.other_steps[d.other_step].result);
    BOOST_TEST(d.best[d.step].mark == d.other_steps[d.other_step].mark);
    BOOST_TEST(d.best[d.step].below > 0U);
    // Every earlier sum of the same terms is the same.
    for (std::size_t i = 0; i < d.step; ++i) {
      for (const TracedStep& other : d.other_steps) {
        if (other.mark == d.best[i].mark) BOOST_TEST(other.result == d.best[i].result);
      }
    }
  }
}

// Rows of two orders, as a library's kernels leave them at the edges: the second is what made all that the first
// missed.
BOOST_AUTO_TEST_CASE(two_arithmetics_are_found_one_after_the_other) {
  ExplainInput input = problem(formats::float32, formats::float32, formats::float32, 400, 30, 5500);
  const ExplainCandidate one{.order = {.panel = 192, .even_last = true}}, two{.order = {.lanes = 4}};
  for (std::size_t e = 0; e < 30; ++e)
    input.views[0].elements[e].got = *answer(e % 5 < 3 ? one : two, input, e);
  const Explanation first = explain(input, arithmetics().list());
  BOOST_TEST(first.remaining == 0U);
  BOOST_REQUIRE(!first.ranked.empty());
  BOOST_TEST(order_name(first.ranked.front().candidate.order) == order_name(one.order));
  const Explanation second = explain(part_of(input, first.missed), arithmetics().list());
  BOOST_TEST(second.remaining > 0U);
  for (std::size_t i = 0; i < second.remaining; ++i)
    BOOST_TEST(order_name(second.ranked[i].candidate.order) == order_name(two.order));
}

BOOST_AUTO_TEST_CASE(what_is_open_is_said_and_separated) {
  // bfloat16 products are exact in float32: fused and unfused cannot be told apart at unit scale.
  ExplainInput input = problem(formats::bfloat16, formats::bfloat16, formats::float32, 30, 2, 6000);
  answer_by(input, {});
  std::size_t asked = 0;
  ExplainOptions options;
  options.separate = [&](const Arithmetic& x, const Arithmetic& y) {
    BOOST_TEST(x.info().name != y.info().name);
    ++asked;
    return Distinction{.found = true, .tried = asked};
  };
  const Explanation found = explain(input, arithmetics().list(), options);
  BOOST_TEST(found.remaining > 1U);
  BOOST_TEST(asked > 0U);
  BOOST_TEST(found.separations.size() == asked);
  const auto products = std::find_if(found.attributes.begin(), found.attributes.end(),
                                     [](const ExplainAttribute& a) { return a.name == "products"; });
  BOOST_REQUIRE(products != found.attributes.end());
  BOOST_TEST(products->values.size() >= 2U);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  ExplainInput input = problem(formats::float32, formats::float32, formats::bfloat16, 33, 16, 7000);
  answer_by(input, {.order = {.lanes = 4}, .finish = {.rounding = Rounding::toward_zero}});
  ExplainOptions one, two;
  one.threads = 1;
  two.threads = 2;
  const Explanation x = explain(input, arithmetics().list(), one),
                    y = explain(input, arithmetics().list(), two);
  BOOST_TEST(x.remaining == y.remaining);
  BOOST_REQUIRE(x.ranked.size() == y.ranked.size());
  for (std::size_t i = 0; i < x.ranked.size(); ++i)
    BOOST_TEST(x.ranked[i].candidate.name == y.ranked[i].candidate.name);
}

BOOST_AUTO_TEST_CASE(conversions_are_recovered) {
  // Every policy and rounding, on all kinds of float32.
  const CounterRandom random(seed, 8000);
  std::size_t planted = 0, recovered = 0;
  for (const FormatSpec* to : {&formats::bfloat16, &formats::float16, &formats::float8_e4m3fn}) {
    for (const ConversionPolicy& policy : all_policies()) {
      for (const Rounding mode : deterministic_roundings) {
        if (!why_not(policy, *to, mode).empty()) continue;
        std::vector<std::uint32_t> a;
        std::vector<std::uint64_t> got;
        for (std::size_t i = 0; i < 4000; ++i) {
          std::uint32_t bits = random.u32(i);
          if (i % 2 == 0) bits = static_cast<std::uint32_t>(encode(random.normal(i), formats::float32).code);
          if (i % 16 == 1) bits = (bits & 0x807FFFFF) | 0x7F800000;  // NaN, now and then infinity
          if (i % 16 == 3) bits &= 0x807FFFFF;                       // subnormal
          a.push_back(bits);
          got.push_back(convert_bits32(bits, *to, policy, {.rounding = mode}));
        }
        const CodeVector x{a.data(), a.size(), 1, formats::float32};
        const CodeVector y{got.data(), got.size(), static_cast<std::ptrdiff_t>(8 / code_bytes(*to)), *to};
        const ConversionExplanation found = explain_conversion(x, y);
        ++planted;
        bool there = false;
        for (std::size_t i = 0; i < found.remaining; ++i)
          there = there ||
                  (found.ranked[i].policy == policy.name && found.ranked[i].rounding == rounding_name(mode));
        recovered += there ? 1 : 0;
        BOOST_TEST(there, policy.name << " to " << to->dtype << ", " << rounding_name(mode));
        BOOST_TEST(found.separations.size() + 1 == found.remaining);
        // A last place changed somewhere is no conversion of the list.
        got[1234] ^= 1;
        BOOST_TEST(explain_conversion(x, y).remaining == 0U);
      }
    }
  }
  BOOST_TEST_MESSAGE(recovered << " of " << planted << " conversions");
  BOOST_TEST(planted > 30U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_explained_is_refused) {
  BOOST_CHECK_THROW(explain({}, arithmetics().list()), ContractError);
  ExplainInput empty{.views = {ExplainView{}}};
  BOOST_CHECK_THROW(explain(empty, arithmetics().list()), ContractError);
  ExplainInput input = problem(formats::float32, formats::float32, formats::float32, 3, 4, 1);
  input.views[0].elements[2].b.pop_back();
  BOOST_CHECK_THROW(explain(input, arithmetics().list()), ContractError);
  input = problem(formats::float32, formats::float32, formats::float32, 3, 4, 1);
  input.views.push_back(input.views[0]);
  input.views[1].elements.pop_back();
  BOOST_CHECK_THROW(explain(input, arithmetics().list()), ContractError);
  BOOST_CHECK_THROW(explain_conversion(CodeVector{}, CodeVector{}), ContractError);
}
