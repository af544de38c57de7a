// The candidate space: prepared terms against the chains of reference/exact; orders by hand.
#include "validation/diagnose/explain/candidates.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/formats/encode.hpp"

using namespace assay;
using namespace assay::diagnose;

namespace {

constexpr std::uint64_t seed = 20261121;

struct Operands {
  std::vector<std::uint64_t> a, b;
  FormatSpec f;
  CodeVector view(const std::vector<std::uint64_t>& codes) const {
    return {codes.data(), codes.size(), static_cast<std::ptrdiff_t>(8 / code_bytes(f)), f};
  }
};

// Unit scale; near the smallest numbers of float32; every code.
Operands operands(const FormatSpec& f, std::size_t n, int kind, std::uint64_t stream) {
  const CounterRandom random(seed, stream);
  Operands x{{}, {}, f};
  for (std::size_t i = 0; i < 2 * n; ++i) {
    double value = random.normal(i);
    if (kind == 1) value = std::ldexp(value, -63 - static_cast<int>(random.below(12, i)));
    std::uint64_t code = encode(value, f).code;
    if (kind == 2) code = random.u64(i) & (f.sign_code() | f.magnitude_mask());
    (i < n ? x.a : x.b).push_back(code);
  }
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(schedules_give_the_bits_of_the_chains) {
  const std::vector<SumOrder> orders{
      {},
      SumOrder::pairwise(1),
      SumOrder::pairwise(8),
      SumOrder::blocked(3),
      SumOrder::blocked(16),
      SumOrder::blocked(4, 12),
      SumOrder::blocked(1, 8),
      {.kind = SumOrder::Kind::split, .parts = 3},
      {.kind = SumOrder::Kind::numpy},
      {.lanes = 4, .lane_sum = LaneSum::adjacent, .tail_after = true, .reversed = true, .c_last = true}};
  std::size_t compared = 0, different = 0, subnormal_seen = 0;
  for (const FormatSpec* f : {&formats::bfloat16, &formats::float16, &formats::float32, &formats::float64}) {
    for (const ChainRules& rules : candidate_rules(*f, *f, formats::bfloat16, std::nullopt)) {
      for (const SumOrder& order : orders) {
        const auto chain = make_chain({.name = "chain",
                                       .accumulator = rules.accumulator,
                                       .product = rules.product,
                                       .order = order,
                                       .rounding = rules.rounding,
                                       .flush_inputs = rules.flush_inputs,
                                       .flush_results = rules.flush_results,
                                       .host_arithmetic = false});
        for (const std::size_t n : {0U, 1U, 7U, 29U}) {
          const int kind = static_cast<int>(compared % 3);
          const Operands x = operands(*f, n, kind, compared);
          const CodeVector a = x.view(x.a), b = x.view(x.b);
          std::optional<std::uint64_t> c;
          if (compared % 2 == 1) c = encode(CounterRandom(seed, compared).normal(7), rules.accumulator).code;
          bool subnormal = false;
          const std::uint64_t got =
              PreparedTerms(a, b, rules).evaluate(make_schedule(order, n, c.has_value()), c, &subnormal);
          different += got != chain->dot(a, b, c, rules.accumulator) ? 1 : 0;
          // What explain() relies on: without a subnormal anywhere, flushing is nothing.
          if (!subnormal && !(c && rules.accumulator.is_subnormal(*c))) {
            ChainRules flushing = rules;
            flushing.flush_inputs = flushing.flush_results = true;
            const Schedule schedule = make_schedule(order, n, c.has_value());
            different += got != PreparedTerms(a, b, flushing).evaluate(schedule, c) ? 1 : 0;
          } else {
            ++subnormal_seen;
          }
          const std::vector<TracedStep> steps = trace_chain(order, rules, a, b, c);
          if (n > 0) different += steps.back().result != got ? 1 : 0;
          ++compared;
        }
      }
    }
  }
  BOOST_TEST_MESSAGE("seed " << seed << ": " << compared << " sums compared");
  BOOST_TEST(compared > 10000);
  BOOST_TEST(subnormal_seen > compared / 20);
  BOOST_TEST(different == 0U);
}

BOOST_AUTO_TEST_CASE(orders_are_what_their_names_say) {
  // Powers of two far apart: which are lost says who met whom.
  const FormatSpec& f = formats::float32;
  const auto sum = [&](const SumOrder& order, const std::vector<double>& terms) {
    Operands x{{}, {}, f};
    for (const double t : terms) {
      x.a.push_back(encode(t, f).code);
      x.b.push_back(encode(1.0, f).code);
    }
    return decode(
        PreparedTerms(x.view(x.a), x.view(x.b), {}).evaluate(make_schedule(order, terms.size(), false), {}),
        f);
  };
  const double big = 0x1p60;
  BOOST_TEST(sum({}, {big, 1, -big}) == 0);
  BOOST_TEST(sum({.reversed = true}, {big, -big, 1}) == 0);
  BOOST_TEST(sum({}, {big, -big, 1}) == 1);
  // 4 lanes: halves adds lane 0 to lane 2, adjacent lane 0 to lane 1, in order lane 0 to lane 1, then lane 2.
  BOOST_TEST(sum({.lanes = 4}, {big, 1, -big, 1}) == 2);
  BOOST_TEST(sum({.lanes = 4, .lane_sum = LaneSum::adjacent}, {big, 1, -big, 1}) == 0);
  BOOST_TEST(sum({.lanes = 4, .lane_sum = LaneSum::adjacent}, {big, -big, 1, 1}) == 2);
  BOOST_TEST(sum({.lanes = 4, .lane_sum = LaneSum::in_order}, {big, 1, -big, 1}) == 1);
  // The fifth of five terms joins lane 0, or follows the sum of the lanes.
  BOOST_TEST(sum({.lanes = 4}, {big, 1, 1, 1, -big}) == 3);
  BOOST_TEST(sum({.lanes = 4, .tail_after = true}, {big, 1, 1, 1, -big}) == 0);
  BOOST_TEST(sum({.kind = SumOrder::Kind::split, .parts = 2}, {big, -big, 1, 1}) == 2);
  BOOST_TEST(sum({.kind = SumOrder::Kind::split, .parts = 2}, {big, 1, -big, 1}) == 0);
  // NumPy: 8 lanes in neighbouring pairs.
  BOOST_TEST(sum({.kind = SumOrder::Kind::numpy}, {big, -big, 1, 1, 1, 1, 1, 1}) == 6);
  BOOST_TEST(sum({.kind = SumOrder::Kind::numpy}, {big, 1, -big, 1, 1, 1, 1, 1}) == 4);
}

BOOST_AUTO_TEST_CASE(c_comes_first_or_last) {
  const FormatSpec& f = formats::float32;
  Operands x{{}, {}, f};
  for (const double t : {0x1p60, -0x1p60}) {
    x.a.push_back(encode(t, f).code);
    x.b.push_back(encode(1.0, f).code);
  }
  const PreparedTerms terms(x.view(x.a), x.view(x.b), {});
  const std::uint64_t one = encode(1.0, f).code;
  BOOST_TEST(decode(terms.evaluate(make_schedule({}, 2, true), one), f) == 0);
  BOOST_TEST(decode(terms.evaluate(make_schedule({.c_last = true}, 2, true), one), f) == 1);
}

BOOST_AUTO_TEST_CASE(equal_orders_are_one_candidate) {
  // Of one term, what differs is how many empty lanes are added to it: that of zeros can change the sign of a zero.
  BOOST_TEST(candidate_orders({1}, false).size() < 40U);
  const std::size_t many = candidate_orders({1000}, false).size();
  BOOST_TEST_MESSAGE(many << " orders of 1000 terms, " << candidate_orders({64}, false).size() << " of 64");
  BOOST_TEST(many > 150U);
  for (const std::size_t n : {8U, 64U, 100U, 1000U}) {
    const std::vector<SumOrder> orders = candidate_orders({n}, true);
    std::size_t equal = 0;
    for (std::size_t i = 0; i < orders.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j)
        equal += make_schedule(orders[i], n, true) == make_schedule(orders[j], n, true) ? 1 : 0;
    }
    BOOST_TEST(equal == 0U);
  }
}
