// Trees and their pictures; matrices with several trees; invariance.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/reveal/invariance.hpp"
#include "validation/report/tree_picture.hpp"

using namespace assay;
using namespace assay::diagnose_test;

BOOST_AUTO_TEST_CASE(the_classic_orders) {
  const auto order = [](const char* name, std::size_t k) {
    const Problem p{.operation = SumOperation::dot, .k = k};
    return canonical_order(reveal(p, target_of(chains().find(name))).classes.at(0).tree);
  };
  BOOST_TEST(order("chain_f32", 4) == "(((0+1)+2)+3)");
  BOOST_TEST(order("pairwise_f32", 5) == "((0+1)+(2+(3+4)))");
  BOOST_TEST(order("lanes4_f32", 9) == "((((0+4)+8)+(2+6))+((1+5)+(3+7)))");
  BOOST_TEST(order("chain_f32", 1) == "0");
  BOOST_TEST(order("chain_bf16", 3) == "((0+1)+2)");
}

BOOST_AUTO_TEST_CASE(one_matrix_several_trees) {
  const Problem p{.operation = SumOperation::gemm, .m = 3, .n = 5, .k = 20};
  const Target target = mixed(false);
  const Revelation r = reveal(p, target);
  BOOST_TEST_REQUIRE(r.classes.size() == 2u);
  BOOST_TEST(r.classes[0].outputs.size() == 12u);
  BOOST_TEST((r.classes[1].outputs == std::vector<std::size_t>{4, 9, 14}));
  const PredictionScore s = score(r, target, 3, 1500);
  BOOST_TEST(s.wrong == 0u);
  BOOST_TEST(s.without_tree == 0u);
  // The score can fail: the trees the other way round are found out.
  Revelation swapped = r;
  std::swap(swapped.classes[0].tree, swapped.classes[1].tree);
  BOOST_TEST(score(swapped, target, 3, 1500).wrong > 100u);
}

BOOST_AUTO_TEST_CASE(c_is_a_leaf) {
  for (const char* const name : {"chain_f32", "lanes4_f32", "chain_f32_fused"}) {
    const Problem p{.operation = SumOperation::gemm, .m = 2, .n = 2, .k = 7, .c = formats::float32};
    const Target target = target_of(chains().find(name));
    const Revelation r = reveal(p, target);
    const PredictionScore s = score(r, target, 3, 400);
    BOOST_TEST(s.wrong == 0u, name);
    BOOST_TEST(s.without_tree == 0u, name);
  }
}

BOOST_AUTO_TEST_CASE(pictures) {
  const Problem p{.operation = SumOperation::dot, .k = 64};
  const Revelation r = reveal(p, target_of(chains().find("lanes8_f32_fused")));
  const AdditionTree& tree = r.classes.at(0).tree;
  const std::string text = draw_text(tree);
  BOOST_TEST(text.find("step 8") != std::string::npos, text);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') < 16, text);
  const std::string all = draw_text(tree, {.fold = false, .most_lines = 1000});
  BOOST_TEST(std::count(all.begin(), all.end(), '\n') >= 127);
  const std::string svg = draw_svg(tree, "eight <lanes> & more");
  BOOST_TEST(svg.starts_with("<svg"));
  BOOST_TEST(svg.find("&lt;lanes&gt; &amp;") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(invariance_names_the_first_change) {
  const Problem p{.operation = SumOperation::gemm, .m = 1, .n = 3, .k = 24};
  const Variation v{.m = {1, 2, 3, 4, 5, 6, 7, 8}, .row = true, .runs = 2};
  const Invariance changes = invariance(p, mixed(true), v);
  BOOST_TEST(!changes.invariant);
  BOOST_TEST_REQUIRE(changes.classes.size() == 2u);
  BOOST_TEST(changes.settings[changes.first_change].m == 4u);
  BOOST_TEST(changes.classes[0].orders.at(0) != changes.classes[1].orders.at(0));
  for (const Setting& s : changes.settings) BOOST_TEST(s.by_bits == (s.m >= 4 ? 1 : 0));
  const Invariance stays = invariance(p, target_of(chains().find("chain_f32")), v);
  BOOST_TEST(stays.invariant);
  BOOST_TEST(stays.first_change == stays.settings.size());
  BOOST_TEST(stays.answers_vary);
  BOOST_CHECK_THROW(invariance({.operation = SumOperation::dot, .k = 4}, mixed(true), v), UsageError);
  BOOST_CHECK_THROW(invariance(p, mixed(true), {.m = {3}}), UsageError);  // nothing to compare
  const auto zeros = [](const Problem& asked, std::span<const Case> cases) {
    return std::vector<Answer>(cases.size(), Answer(asked.outputs(), 0));
  };
  BOOST_TEST(!invariance(p, zeros, v).answers_vary);
}

BOOST_AUTO_TEST_CASE(invariance_knows_on_what_the_bits_depend) {
  const Problem p{.operation = SumOperation::gemm, .m = 1, .n = 3, .k = 24};
  const auto first_of = [](const Invariance& r, std::string_view on) {
    for (const Dependence& d : r.dependences) {
      if (d.on == on) return d.first;
    }
    throw ContractError("not varied");
  };
  const Variation v{.m = {2, 3, 4, 5}, .n = {3, 5}, .row = true, .runs = 2};
  const Invariance batch = invariance(p, mixed(true), v);
  const std::optional<Difference> m = first_of(batch, "m");
  BOOST_TEST_REQUIRE(m.has_value());
  BOOST_TEST(batch.settings[m->setting].m == 4u);
  BOOST_TEST(batch.settings[m->against].m == 2u);
  BOOST_TEST((m->results > 0 && m->results <= m->of && m->of == batch.trials * 3));
  BOOST_TEST(m->got != m->was);
  for (const char* const on : {"n", "row", "run"}) BOOST_TEST(!first_of(batch, on), on);
  BOOST_CHECK_THROW(first_of(batch, "threads"), ContractError);
  // The last column of each shape has its own order: the third of three is not the third of five.
  const Invariance tail = invariance(p, mixed(false), v);
  const std::optional<Difference> n = first_of(tail, "n");
  BOOST_TEST_REQUIRE(n.has_value());
  BOOST_TEST(tail.settings[n->setting].m == tail.settings[n->against].m);
  BOOST_TEST(n->column == 2u);
  for (const char* const on : {"m", "row", "run"}) BOOST_TEST(!first_of(tail, on), on);
}

// Odd rows in another order, another beginning that nothing but zeros shows, and an order that a process chooses when
// it starts.
BOOST_AUTO_TEST_CASE(invariance_asks_odd_rows_zero_rows_and_new_processes) {
  const Problem p{.operation = SumOperation::gemm, .m = 17, .n = 5, .k = 20};
  const Target by_row = [](const Problem& asked, std::span<const Case> cases) {
    std::vector<Answer> answers = target_of(chains().find("chain_f32"))(asked, cases);
    const std::vector<Answer> lanes = target_of(chains().find("lanes4_f32"))(asked, cases);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      for (std::size_t o = 0; o < answers[i].size(); ++o) {
        if (o / asked.n % 2 == 1) answers[i][o] = lanes[i][o];
      }
    }
    return answers;
  };
  BOOST_TEST(!invariance(p, by_row, {.row = true}).invariant);
  // The first product instead of +0 begins the sum: -0 comes out of nothing but -0.
  const Target by_start = [](const Problem& asked, std::span<const Case> cases) {
    std::vector<Answer> answers = target_of(chains().find("chain_f32"))(asked, cases);
    for (std::size_t i = 0; asked.m > 3 && i < cases.size(); ++i) {
      const CodeVector a{cases[i].a.data(), asked.a_size(), 1, asked.a};
      const CodeVector b{cases[i].b.data(), asked.b_size(), 1, asked.b};
      for (std::size_t o = 0; o < answers[i].size(); ++o) {
        bool minus_zeros = true;
        for (std::size_t t = 0; t < asked.k; ++t) {
          const float x = static_cast<float>(decode(a.code(o / asked.n * asked.k + t), asked.a)) *
                          static_cast<float>(decode(b.code(t * asked.n + o % asked.n), asked.b));
          minus_zeros = minus_zeros && x == 0 && std::signbit(x);
        }
        if (minus_zeros) answers[i][o] = asked.output.sign_code();
      }
    }
    return answers;
  };
  BOOST_TEST(!invariance(p, by_start, {.m = {1, 2, 3, 4, 5}}).invariant);
  std::size_t starts = 0;
  const Target by_process = [&](const Problem& asked, std::span<const Case> cases) {
    return target_of(chains().find(starts % 2 == 0 ? "chain_f32" : "lanes4_f32"))(asked, cases);
  };
  RevealOptions options;
  options.restart = [&] { ++starts; };
  BOOST_TEST(!invariance(p, by_process, {.runs = 2}, options).invariant);
  BOOST_TEST(
      invariance(p, target_of(chains().find("chain_f32")), {.m = {1, 2, 3, 4, 5}, .row = true, .runs = 2})
          .invariant);
}

BOOST_AUTO_TEST_CASE(the_classes_that_matter_are_looked_at_first) {
  // Another order for each number of rows, and one more for two threads.
  const Target many = [](const Problem& p, std::span<const Case> cases) {
    const char* const by_m[] = {"chain_f32", "lanes4_f32", "lanes16_f32_fused"};
    return target_of(chains().find(p.threads > 1 ? "lanes8_f32_fused" : by_m[p.m - 1]))(p, cases);
  };
  const Problem p{.operation = SumOperation::gemm, .k = 40};
  const Invariance r = invariance(p, many, {.m = {1, 2, 3}, .threads = {1, 2}}, {}, 4, 2);
  BOOST_TEST_REQUIRE(r.classes.size() == 4u);
  BOOST_TEST(r.settings[r.classes[1].first].threads == 2);
  BOOST_TEST((r.classes[0].looked_at && !r.classes[1].looked_at));  // m is told before threads
  BOOST_TEST((r.classes[2].looked_at && !r.classes[3].looked_at));
}

BOOST_AUTO_TEST_CASE(invariance_finds_an_order_that_equal_bits_hide) {
  // One rounding to bfloat16 hides what the orders do to the last places of a float32.
  const Problem p{.operation = SumOperation::gemm, .k = 8, .output = formats::bfloat16};
  const Variation v{.m = {1, 2, 8}};
  const Invariance r = invariance(p, mixed(true), v, {}, 1);
  BOOST_TEST_REQUIRE(r.classes.size() == 2u);
  BOOST_TEST(!r.invariant);
  BOOST_TEST(r.by_tree);
  BOOST_TEST(r.first_change == 2u);
  for (const Dependence& d : r.dependences) BOOST_TEST(!d.first.has_value());
  // Nothing is looked at, so nothing is said of orders.
  BOOST_TEST(invariance(p, mixed(true), v, {}, 1, 0).invariant);
}

namespace {

// The chain whose first block is added to C.
AdditionTree after_c(const AdditionTree& tree) {
  AdditionTree with_c;
  with_c.terms = tree.terms;
  with_c.addend = true;
  with_c.nodes.push_back({{}, static_cast<int>(tree.terms), 0});
  // The first block ends where the second begins: at the first node that joins two sums.
  std::vector<int> moved;
  bool added = false;
  for (const TreeNode& node : tree.nodes) {
    TreeNode copy = node;
    bool joins = node.children.size() == 2;
    for (int& child : copy.children) {
      joins = joins && !tree.nodes[static_cast<std::size_t>(child)].children.empty();
      child = moved[static_cast<std::size_t>(child)];
    }
    if (joins && !added) {
      added = true;
      int& block = *std::min_element(copy.children.begin(), copy.children.end());
      const int sum = block;
      with_c.nodes.push_back({{0, sum}, -1, 0});
      block = static_cast<int>(with_c.nodes.size()) - 1;
    }
    with_c.nodes.push_back(copy);
    moved.push_back(static_cast<int>(with_c.nodes.size()) - 1);
  }
  return with_c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(chains_of_equal_sums_are_drawn_once) {
  const auto blocks_of = [](int blocks, int odd) {
    AdditionTree tree;
    int sum = -1;
    const auto add = [&](int x, int y) {
      tree.nodes.push_back({{x, y}, -1, 0});
      return static_cast<int>(tree.nodes.size()) - 1;
    };
    for (int b = 0; b < blocks; ++b) {
      int block = -1;
      for (int i = 0; i < (b == odd ? 5 : 4); ++i) {
        tree.nodes.push_back({{}, static_cast<int>(tree.terms++), 0});
        const int leaf = static_cast<int>(tree.nodes.size()) - 1;
        block = block < 0 ? leaf : add(block, leaf);
      }
      sum = sum < 0 ? block : add(block, sum);
    }
    return tree;
  };
  const std::string even = draw_text(blocks_of(30, -1), {.rules = false});
  BOOST_TEST(even == "chain of 30 sums like this one, each shifted by 4 more\n  chain of 4 terms: 0..3\n");
  // One sum that is longer: what stands before it is folded, it and what follows are not.
  const std::string odd = draw_text(blocks_of(30, 27), {.rules = false});
  BOOST_TEST(odd.find("chain of 27 sums") != std::string::npos, odd);
  BOOST_TEST(odd.find("chain of 5 terms: 108..112") != std::string::npos, odd);
  // C before them, or after.
  AdditionTree with_c = blocks_of(30, -1);
  with_c.addend = true;
  with_c.nodes.push_back({{}, static_cast<int>(with_c.terms), 0});
  with_c.nodes.push_back(
      {{static_cast<int>(with_c.nodes.size()) - 2, static_cast<int>(with_c.nodes.size()) - 1}, -1, 0});
  const std::string last = draw_text(with_c, {.rules = false});
  BOOST_TEST(
      last ==
      "+\n  chain of 30 sums like this one, each shifted by 4 more\n    chain of 4 terms: 0..3\n  C\n");
  const std::string first = draw_text(after_c(blocks_of(30, -1)), {.rules = false});
  BOOST_TEST(first ==
             "chain of 30 sums after C like this one, each shifted by 4 more\n  chain of 4 terms: 0..3\n");
  const std::string two = draw_text(blocks_of(2, -1), {.rules = false});
  BOOST_TEST(two == "+\n  2 x (shifted by 4) chain of 4 terms: 0..3\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked_is_refused) {
  const Target target = target_of(chains().find("chain_f32"));
  BOOST_CHECK_THROW(reveal({.operation = SumOperation::dot, .k = 0}, target), InputError);
  BOOST_CHECK_THROW(reveal({.operation = SumOperation::dot, .k = 4, .c = formats::float32}, target),
                    InputError);
  BOOST_CHECK_THROW(reveal({.operation = SumOperation::gemm, .m = 1 << 20, .n = 1 << 20, .k = 4}, target),
                    InputError);
  RevealOptions few;
  few.most_runs = 40;
  BOOST_CHECK_THROW(reveal({.operation = SumOperation::dot, .k = 64}, target, few), TargetError);
  const Target short_answers = [](const Problem&, std::span<const Case> cases) {
    return std::vector<Answer>(cases.size());
  };
  BOOST_CHECK_THROW(reveal({.operation = SumOperation::dot, .k = 4}, short_answers), TargetError);
}
