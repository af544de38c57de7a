// Targets whose order and arithmetic are known: what a probe has to find.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose_test {

using namespace assay::diagnose;

// A tree as a target.
inline Target target_of(const AdditionTree& tree) {
  return [&tree](const Problem& p, std::span<const Case> cases) {
    TreeEvaluator evaluate(tree, p.a, p.b, p.c.value_or(formats::float32));
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      const CodeVector a{x.a.data(), p.k, 1, p.a}, b{x.b.data(), p.k, 1, p.b};
      answers.push_back({evaluate(a, p.operation == SumOperation::sum ? nullptr : &b, std::nullopt)});
    }
    return answers;
  };
}

// A tree over n leaves whose nodes take 2 to `widest` children, drawn from `random`.
inline AdditionTree random_tree(const CounterRandom& random, std::size_t n, std::size_t widest) {
  AdditionTree tree;
  tree.terms = n;
  std::vector<int> open;
  for (std::size_t i = 0; i < n; ++i) {
    open.push_back(static_cast<int>(i));
    tree.nodes.push_back({{}, static_cast<int>(i), 0});
  }
  std::uint64_t draw = 0;
  while (open.size() > 1) {
    std::size_t take = 2 + random.below(widest - 1, draw++);
    take = std::min(take, open.size());
    TreeNode node;
    for (std::size_t c = 0; c < take; ++c) {
      const auto at = static_cast<std::ptrdiff_t>(random.below(open.size(), draw++));
      node.children.push_back(open[static_cast<std::size_t>(at)]);
      open.erase(open.begin() + at);
    }
    open.push_back(static_cast<int>(tree.nodes.size()));
    tree.nodes.push_back(std::move(node));
  }
  return tree;
}

inline const ArithmeticRegistry& chains() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_chains(r);
    return r;
  }();
  return registry;
}

// A matrix product whose first columns are in lanes and whose tail of one column is a chain; `turned`: with
// four rows and more all of it is a chain.
inline Target mixed(bool turned) {
  return [turned](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    const std::vector<Answer> lanes = diagnose::target_of(chains().find("lanes8_f32_fused"))(p, cases),
                              chain = diagnose::target_of(chains().find("chain_f32"))(p, cases);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Answer a = lanes[i];
      for (std::size_t o = 0; o < a.size(); ++o) {
        if (turned ? p.m >= 4 : o % p.n == p.n - 1) a[o] = chain[i][o];
      }
      answers.push_back(std::move(a));
    }
    return answers;
  };
}

}  // namespace assay::diagnose_test
