// Orders as data: their schedules against sums written out apart from them, against chains and against trees of
// additions; longest paths against the depth of the schedules themselves.
#include "reference/exact/schedule.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/addition_tree.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/rounded_sum.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "tests/reference/exact/operands.hpp"

using namespace assay;
using namespace assay::test;

namespace {

constexpr std::uint64_t seed = 20261129;

// An order of any kind but `any`, drawn from `random`.
SumOrder drawn_order(const CounterRandom& random) {
  std::uint64_t next = 0;
  const auto draw = [&](std::uint64_t n) { return random.below(n, next++); };
  SumOrder order;
  order.kind = static_cast<SumOrder::Kind>(draw(4));
  order.lanes = draw(2) == 0 ? 1 : 1 + draw(9);
  order.panel = draw(2) == 0 ? 0 : 1 + draw(40);
  order.parts = 1 + draw(7);
  order.base = 1 + draw(12);
  order.lane_sum = static_cast<LaneSum>(draw(3));
  order.tail_after = draw(2) == 0;
  order.even_last = draw(3) == 0;
  order.reversed = draw(4) == 0;
  order.c_last = draw(3) == 0;
  return order;
}

// --- sums as texts -----------------------------------------------------------------------------------------
// "((0+t0)+t1)", written from the words of schedule.hpp alone.

using Texts = std::vector<std::string>;

std::string plus(const std::string& x, const std::string& y) { return "(" + x + "+" + y + ")"; }

std::string chained(std::string sum, const Texts& terms) {
  for (const std::string& t : terms) sum = plus(sum, t);
  return sum;
}

Texts part(const Texts& all, std::size_t begin, std::size_t end) {
  return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::string fold(Texts lanes, LaneSum how) {
  if (how == LaneSum::in_order) return chained(lanes[0], part(lanes, 1, lanes.size()));
  while (lanes.size() > 1) {
    const std::size_t half = (lanes.size() + 1) / 2;
    Texts fewer;
    for (std::size_t j = 0; j < half; ++j) {
      const std::size_t x = how == LaneSum::halves ? j : 2 * j,
                        y = how == LaneSum::halves ? j + half : 2 * j + 1;
      fewer.push_back(y < lanes.size() ? plus(lanes[x], lanes[y]) : lanes[x]);
    }
    lanes = fewer;
  }
  return lanes[0];
}

std::string in_lanes(const Texts& terms, std::size_t lanes, LaneSum how, bool tail_after) {
  const std::size_t whole = tail_after ? terms.size() / lanes * lanes : terms.size();
  if (lanes == 1 || whole == 0) return chained("0", terms);
  Texts sums(lanes, "0");
  for (std::size_t i = 0; i < whole; ++i) sums[i % lanes] = plus(sums[i % lanes], terms[i]);
  return chained(fold(sums, how), part(terms, whole, terms.size()));
}

std::string in_runs(const Texts& terms, std::size_t base) {
  const std::size_t n = terms.size();
  if (n <= base) return chained("0", terms);
  return plus(in_runs(part(terms, 0, n / 2), base), in_runs(part(terms, n / 2, n), base));
}

std::string as_numpy(const Texts& terms) {
  const std::size_t n = terms.size(), half = n / 16 * 8;
  if (n < 8) return chained("0", terms);
  if (n <= 128) return in_lanes(terms, 8, LaneSum::adjacent, true);
  return plus(as_numpy(part(terms, 0, half)), as_numpy(part(terms, half, n)));
}

std::string text_of(const SumOrder& o, std::size_t n, bool has_c) {
  if (n == 0) return has_c ? "c" : "0";
  Texts terms;
  for (std::size_t i = 0; i < n; ++i) terms.push_back("t" + std::to_string(o.reversed ? n - 1 - i : i));
  const bool c_first = has_c && !o.c_last;
  std::string sum;
  if (o.kind == SumOrder::Kind::pairwise || o.kind == SumOrder::Kind::numpy) {
    sum = o.kind == SumOrder::Kind::pairwise ? in_runs(terms, o.base) : as_numpy(terms);
    return has_c ? plus("c", sum) : sum;
  }
  std::size_t panel = o.panel == 0 ? n : o.panel;
  if (o.kind == SumOrder::Kind::split) panel = (n + o.parts - 1) / o.parts;
  if (o.lanes == 1 && panel >= n) {
    sum = chained(c_first ? "c" : "0", terms);
  } else {
    for (std::size_t begin = 0; begin < n;) {
      std::size_t end = std::min(begin + panel, n);
      if (const std::size_t left = n - begin; o.even_last && panel < left && left < 2 * panel)
        end = std::min(begin + (left / 2 + 15) / 16 * 16, n);
      const std::string one = in_lanes(part(terms, begin, end), o.lanes, o.lane_sum, o.tail_after);
      sum = begin != 0 ? plus(sum, one) : c_first ? plus("c", one) : one;
      begin = end;
    }
  }
  return has_c && o.c_last ? plus("c", sum) : sum;
}

struct TextOps {
  using Value = std::string;
  static Value zero() { return "0"; }
  static Value start() { return "c"; }
  static Value take(const Value& sum, std::size_t i) { return plus(sum, "t" + std::to_string(i)); }
  static Value add(const Value& x, const Value& y) { return plus(x, y); }
};

// Roundings above the deepest term, where adding to +0 is none, and neither is adding to c.
std::uint64_t depth(const Schedule& schedule) {
  struct Sum {
    std::uint64_t depth = 0;
    bool empty = true;
  };
  std::vector<Sum> slots(schedule.slots);
  for (const ScheduledOp& op : schedule.ops) {
    Sum& to = slots[op.slot];
    if (op.kind == ScheduledOp::Kind::zero || op.kind == ScheduledOp::Kind::start) continue;
    const Sum from = op.kind == ScheduledOp::Kind::add ? slots[op.from] : Sum{0, false};
    if (from.empty) continue;
    to = to.empty ? from : Sum{std::max(to.depth, from.depth) + 1, false};
  }
  return slots[schedule.result].depth;
}

// The same additions as a tree. A slot of +0 takes its first term as a leaf that is added to +0.
AdditionTree tree_of(const Schedule& schedule, std::size_t n, bool has_c, const ChainRules& rules) {
  AdditionTree tree;
  tree.terms = n;
  tree.addend = has_c;
  tree.leaf_rules = {{.product = rules.product,
                      .rounding = rules.rounding,
                      .started = true,
                      .flush_operands = rules.flush_inputs,
                      .flush_result = rules.flush_results},
                     {.flush_operands = rules.flush_inputs}};
  tree.leaf_rules.push_back(tree.leaf_rules[0]);
  tree.leaf_rules[2].started = false;
  tree.node_rules = {{.format = rules.accumulator,
                      .rounding = rules.rounding,
                      .flush_inputs = rules.flush_inputs,
                      .flush_result = rules.flush_results}};
  tree.output.format = rules.accumulator;
  std::vector<int> slots(schedule.slots, -1);
  const auto node = [&](TreeNode x) {
    tree.nodes.push_back(std::move(x));
    return static_cast<int>(tree.nodes.size()) - 1;
  };
  for (const ScheduledOp& op : schedule.ops) {
    int& to = slots[op.slot];
    switch (op.kind) {
      case ScheduledOp::Kind::zero: break;
      case ScheduledOp::Kind::start: to = node({{}, static_cast<int>(n), 1}); break;
      case ScheduledOp::Kind::term: {
        const int leaf = node({{}, static_cast<int>(op.from), to < 0 ? 0 : 2});
        to = to < 0 ? leaf : node({{to, leaf}, -1, 0});
        break;
      }
      case ScheduledOp::Kind::add:
        if (const int from = slots[op.from]; from >= 0) to = to < 0 ? from : node({{to, from}, -1, 0});
        break;
    }
  }
  return tree;
}

// Every lane has a term: then no sum of nothing, +0, is added to anything.
bool fills_its_lanes(const Schedule& schedule) {
  std::vector<char> filled(schedule.slots, 0);
  for (const ScheduledOp& op : schedule.ops) {
    if (op.kind == ScheduledOp::Kind::add && filled[op.from] == 0) return false;
    if (op.kind != ScheduledOp::Kind::zero) filled[op.slot] = 1;
  }
  return true;
}

std::uint64_t replayed(const Schedule& schedule, const ChainRules& rules, const CodeVector& a,
                       const CodeVector& b, std::optional<std::uint64_t> c, const ChainSpec& spec,
                       std::uint64_t place) {
  RoundedOps<ProductTerms, DrawnOptions> ops(rules, {rules, a, b},
                                             {rules, StochasticDraws(spec.seed, place, 0)}, c);
  return replay(schedule, ops, [](std::uint64_t) {});
}

template <class T>
std::uint64_t replayed_on_host(const Schedule& schedule, const CodeVector& a, const CodeVector& b,
                               std::optional<std::uint64_t> c) {
  const MxcsrGuard guard(0x1F80);
  std::vector<T> x, y;
  for (std::size_t i = 0; i < a.size; ++i) {
    x.push_back(from_code<T>(a.code(i), a.format));
    y.push_back(from_code<T>(b.code(i), b.format));
  }
  HostOps<T, HostProduct::fused> ops{x.data(), y.data(), c ? from_code<T>(*c, format_of<T>) : T{0}};
  return encode(exact(replay(schedule, ops, [](T) {})), format_of<T>).code;
}

using Op = ScheduledOp::Kind;

}  // namespace

BOOST_AUTO_TEST_CASE(schedules_by_hand) {
  // ((c + t0) + t1): one slot.
  const Schedule chain = make_schedule({}, 2, true);
  BOOST_TEST((chain.ops == std::vector<ScheduledOp>{{Op::start, 0, 0}, {Op::term, 0, 0}, {Op::term, 0, 1}}));
  BOOST_TEST(chain.slots == 1U);
  BOOST_TEST(chain.result == 0U);
  // Two lanes, the last term first, c at the end: c + ((0 + t2) + t0) + (0 + t1).
  const Schedule lanes = make_schedule({.lanes = 2, .reversed = true, .c_last = true}, 3, true);
  BOOST_TEST((lanes.ops == std::vector<ScheduledOp>{{Op::zero, 0, 0},
                                                    {Op::zero, 1, 0},
                                                    {Op::term, 0, 2},
                                                    {Op::term, 1, 1},
                                                    {Op::term, 0, 0},
                                                    {Op::add, 0, 1},
                                                    {Op::start, 2, 0},
                                                    {Op::add, 2, 0}}));
  BOOST_TEST(lanes.result == 2U);
  const auto text = [](const SumOrder& order, std::size_t n) {
    TextOps ops;
    return replay(make_schedule(order, n, false), ops, [](const std::string&) {});
  };
  BOOST_TEST(text(SumOrder::pairwise(), 3) == "((0+t0)+((0+t1)+(0+t2)))");
  BOOST_TEST(text(SumOrder::blocked(1, 2), 3) == "(((0+t0)+t1)+(0+t2))");
  BOOST_TEST(text({.kind = SumOrder::Kind::split, .parts = 2}, 3) == "(((0+t0)+t1)+(0+t2))");
  BOOST_TEST(text({.lanes = 2, .tail_after = true}, 3) == "(((0+t0)+(0+t1))+t2)");
  BOOST_TEST(text({.kind = SumOrder::Kind::numpy}, 2) == "((0+t0)+t1)");
  BOOST_TEST(text({}, 0) == "0");
}

BOOST_AUTO_TEST_CASE(schedules_are_the_sums_that_the_words_say) {
  std::size_t different = 0;
  std::string first;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const CounterRandom random(seed, i);
    const SumOrder order = drawn_order(random);
    const std::size_t n = i % 5 == 0 ? random.below(400, 100) : random.below(60, 100);
    const bool has_c = i % 2 == 1;
    TextOps ops;
    const std::string got = replay(make_schedule(order, n, has_c), ops, [](const std::string&) {});
    if (got == text_of(order, n, has_c)) continue;
    ++different;
    if (first.empty()) first = order_name(order) + ", " + std::to_string(n) + " terms: " + got;
  }
  BOOST_TEST(different == 0U, first);
}

// Chains, which form their sums as they go, replayed schedules and, where a tree can say the same, trees of additions.
BOOST_AUTO_TEST_CASE(chains_schedules_and_trees_give_the_same_bits) {
  using namespace formats;
  const FormatSpec accumulators[] = {float32, float64, bfloat16, float16, tf32};
  const FormatSpec inputs[] = {float32, bfloat16, float16};
  std::size_t wrong = 0, wrong_trees = 0, wrong_hosts = 0, trees = 0, hosts = 0;
  std::string first;
  for (std::uint64_t i = 0; i < 6000; ++i) {
    const CounterRandom random(seed + 1, i);
    std::uint64_t next = 1000;
    const auto draw = [&](std::uint64_t n) { return random.below(n, next++); };
    const SumOrder order = drawn_order(random);
    ChainSpec spec{.name = "drawn", .accumulator = accumulators[draw(5)], .order = order};
    const std::optional<FormatSpec> products[] = {std::nullopt, spec.accumulator, float32, bfloat16};
    spec.product = products[draw(4)];
    spec.rounding = draw(2) == 0 ? Rounding::nearest_even : all_roundings[draw(all_roundings.size())];
    spec.flush_inputs = draw(4) == 0;
    spec.flush_results = draw(4) == 0;
    spec.seed = i;
    const ChainRules rules{spec.accumulator, spec.product, spec.rounding, spec.flush_inputs,
                           spec.flush_results};
    const FormatSpec& f = inputs[draw(3)];
    const Operands kind = all_operands[draw(std::size(all_operands))];
    const std::size_t n = draw(40);
    const auto [a, b] = make_operands(kind, n, f, f, i);
    std::optional<std::uint64_t> c;
    if (draw(2) == 0) c = make_operands(kind, 1, spec.accumulator, spec.accumulator, i + 1).a.code(0);
    const Schedule schedule = make_schedule(order, n, c.has_value());
    const std::uint64_t expected = make_chain(spec)->dot(a.view(), b.view(), c, spec.accumulator, i);
    if (replayed(schedule, rules, a.view(), b.view(), c, spec, i) != expected) {
      ++wrong;
      if (first.empty()) first = std::to_string(i) + ": " + order_name(order);
    }
    if (host_type(rules, f, f) == HostType::float32 && !spec.product) {
      ++hosts;
      wrong_hosts += replayed_on_host<float>(schedule, a.view(), b.view(), c) != expected ? 1 : 0;
    }
    if (n == 0 || spec.rounding == Rounding::stochastic || !fills_its_lanes(schedule)) continue;
    ++trees;
    const AdditionTree tree = tree_of(schedule, n, c.has_value(), rules);
    TreeEvaluator evaluate(tree, f, f, spec.accumulator);
    const CodeVector y = b.view();
    if (evaluate(a.view(), &y, c) == expected) continue;
    ++wrong_trees;
    if (first.empty()) first = std::to_string(i) + ": tree of " + order_name(order);
  }
  BOOST_TEST_MESSAGE(trees << " trees, " << hosts << " on the host");
  BOOST_TEST(wrong == 0U, first);
  BOOST_TEST(wrong_trees == 0U, first);
  BOOST_TEST(wrong_hosts == 0U);
  BOOST_TEST(trees > 1000U);
  BOOST_TEST(hosts > 100U);
}

BOOST_AUTO_TEST_CASE(longest_paths_by_hand) {
  BOOST_TEST(longest_path(SumOrder::any(), 0) == 0U);
  BOOST_TEST(longest_path(SumOrder::any(), 100) == 99U);
  BOOST_TEST(longest_path({}, 100) == 99U);
  BOOST_TEST(longest_path(SumOrder::pairwise(), 1024) == 10U);
  BOOST_TEST(longest_path(SumOrder::pairwise(128), 1024) == 3 + 127U);
  BOOST_TEST(longest_path(SumOrder::blocked(8), 800) == 99 + 3U);
  BOOST_TEST(longest_path(SumOrder::blocked(8), 3) == 2U);
  BOOST_TEST(longest_path(SumOrder::blocked(1, 256), 1024) == 255 + 3U);
  BOOST_TEST(longest_path({.lanes = 8, .lane_sum = LaneSum::in_order}, 800) == 99 + 7U);
  BOOST_TEST(longest_path({.lanes = 8, .tail_after = true}, 807) == 99 + 3 + 7U);
  BOOST_TEST(longest_path({.kind = SumOrder::Kind::split, .parts = 4}, 400) == 99 + 3U);
  BOOST_TEST(longest_path({.kind = SumOrder::Kind::numpy}, 128) == 15 + 3U);
  BOOST_TEST(longest_path({.kind = SumOrder::Kind::numpy}, 1 << 20) == 13 + 15 + 3U);
}

// Never below the schedule's own depth, and no more than it where n divides.
BOOST_AUTO_TEST_CASE(longest_paths_hold) {
  std::size_t short_of = 0;
  std::string first;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const SumOrder order = drawn_order(CounterRandom(seed + 2, i));
    for (const std::size_t n : {1U, 2U, 7U, 8U, 31U, 64U, 100U, 129U, 137U, 255U, 500U}) {
      if (longest_path(order, n) >= depth(make_schedule(order, n, false))) continue;
      ++short_of;
      if (first.empty()) first = order_name(order) + ", " + std::to_string(n) + " terms";
    }
  }
  BOOST_TEST(short_of == 0U, first);
  const std::vector<SumOrder> orders{{},
                                     SumOrder::pairwise(),
                                     SumOrder::pairwise(8),
                                     SumOrder::blocked(8),
                                     SumOrder::blocked(4, 64),
                                     {.lanes = 8, .lane_sum = LaneSum::adjacent},
                                     {.lanes = 8, .lane_sum = LaneSum::in_order},
                                     {.kind = SumOrder::Kind::split, .parts = 4},
                                     {.kind = SumOrder::Kind::numpy}};
  for (const SumOrder& order : orders) {
    for (const std::size_t n : {64U, 256U, 1024U, 4096U})
      BOOST_TEST(longest_path(order, n) == depth(make_schedule(order, n, false)), order_name(order));
  }
  for (std::size_t n = 1; n < 1200; ++n) {
    const SumOrder numpy{.kind = SumOrder::Kind::numpy};
    BOOST_TEST(longest_path(numpy, n) == depth(make_schedule(numpy, n, false)));
  }
}

BOOST_AUTO_TEST_CASE(names) {
  const auto named = [](const SumOrder& order) { return order_name(order); };
  BOOST_TEST(named({}) == "sequential");
  BOOST_TEST(named(SumOrder::any()) == "any");
  BOOST_TEST(named(SumOrder::blocked(16)) == "16 lanes");
  BOOST_TEST(named(SumOrder::blocked(1, 256)) == "panels of 256");
  BOOST_TEST(named(SumOrder::blocked(8, 256)) == "8 lanes, panels of 256");
  BOOST_TEST(named(SumOrder::pairwise(128)) == "pairwise, runs of 128");
  BOOST_TEST(named({.reversed = true}) == "sequential, last term first");
  BOOST_TEST(named({.kind = SumOrder::Kind::split, .parts = 4, .c_last = true}) == "split in 4, c last");
  BOOST_TEST(named({.kind = SumOrder::Kind::numpy, .reversed = true}) == "NumPy's pairwise, reversed");
  BOOST_TEST(named({.lanes = 4, .lane_sum = LaneSum::adjacent, .tail_after = true}) ==
             "4 lanes, neighbours added, tail after");
  BOOST_TEST(named({.lanes = 4, .panel = 128, .lane_sum = LaneSum::in_order, .even_last = true}) ==
             "4 lanes, panels of 128, the last two even, added in order");
  BOOST_TEST(chain_order_name(SumOrder::blocked(1, 256)) == "1 lane, panels of 256");
  BOOST_TEST(chain_order_name(SumOrder::blocked(8, 256)) == "8 lanes, panels of 256");
  BOOST_TEST(chain_order_name({}) == "sequential");
}

BOOST_AUTO_TEST_CASE(unsound_orders_are_refused) {
  for (const SumOrder& order :
       {SumOrder::blocked(0), SumOrder{.kind = SumOrder::Kind::split, .parts = 0}, SumOrder::pairwise(0)}) {
    BOOST_CHECK_THROW(make_schedule(order, 4, false), ContractError);
    BOOST_CHECK_THROW(longest_path(order, 4), ContractError);
    BOOST_CHECK_THROW(make_chain({.name = "m", .order = order}), ContractError);
  }
  BOOST_CHECK_THROW(make_schedule(SumOrder::any(), 4, false), ContractError);
  BOOST_CHECK_THROW(make_schedule({}, std::size_t{1} << 30, false), ContractError);
}
