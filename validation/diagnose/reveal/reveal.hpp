// Finds the tree of additions behind a sum, a dot product or a matrix product, and the arithmetic of its leaves and
// nodes, from outputs alone; proves the result by prediction.
//
// Source: the order by masks, after Xie, Gao, Wang, Xue, "Revealing Floating-Point Accumulation Orders"
// (USENIX ATC 2025, arXiv 2411.00442). Where additions round toward one side, M + 1 is not M: M's last place is then
// known and small, and the count of units is the result modulo that place. The arithmetic: probes sort leaves and nodes
// into groups that answer alike, and each group takes the rule that reproduces most answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "reference/exact/tree_evaluator.hpp"
#include "validation/diagnose/program/target.hpp"
#include "validation/judge/revelation.hpp"

namespace assay::diagnose {

// From the judge, because saved arithmetics contain them.
using judge::all_explained;
using judge::all_predicted;
using judge::input_kind_name;
using judge::InputKind;
using judge::Misprediction;
using judge::OrderClass;
using judge::parse_input_kind;
using judge::PredictionScore;
using judge::Revelation;
using judge::scored_kinds;
using judge::Unexplained;
using judge::unexplained;

struct RevealOptions {
  std::uint64_t seed = 1;
  std::uint64_t most_runs = 4'000'000;  // limit on all cases; TargetError beyond
  std::size_t cases_per_round = 4096;   // at most, and at most bytes_per_round
  std::size_t bytes_per_round = 16U << 20U;
  std::size_t most_classes = 16;  // trees of one matrix
  // Limit on the nodes evaluated in the search for one tree's rules, plus 200000 per node of the tree. A search that
  // reaches it sets OrderClass::gave_up. Successful searches took up to 1.9e8 with 400 nodes; a search in which nothing
  // fits would go on for minutes.
  std::uint64_t most_work = 400'000'000;
  bool order_only = false;          // no arithmetic: for invariance
  std::vector<std::size_t> only{};  // outputs to look at; empty: all
  // Restarts the target, if that is possible: the first answers of a new process are tested too. May be null.
  std::function<void()> restart{};
  std::function<void(std::string_view stage, std::uint64_t runs)> progress{};
};

// Adds a note if the target prints too few digits to identify every number of the output's format. `printed`: the most
// digits that it printed; 0: it does not print.
void note_digits(Revelation& revelation, int printed);

// InputError for a problem that cannot be asked; TargetError from the target, and if too many runs are needed. A
// missing tree is part of the result. If the target changes its answers or misreads its input, the result is one class
// without a tree, with the reason.
Revelation reveal(const Problem& problem, const Target& target, const RevealOptions& options = {});

// A random input: a function of problem, kind, seed and index.
Case random_case(const Problem& problem, InputKind kind, std::uint64_t seed, std::uint64_t index);

// Predicts the results of cases; empty if an output's class has no tree. The revelation must outlive it.
class Predictor {
 public:
  explicit Predictor(const Revelation& revelation);
  std::vector<std::optional<std::uint64_t>> operator()(const Case& input);

 private:
  const Revelation& revelation_;
  std::vector<std::unique_ptr<TreeEvaluator>> evaluators_{};  // of each class; none without a tree
};
// The same for one case.
std::vector<std::optional<std::uint64_t>> predict(const Revelation& revelation, const Case& input);

// Asks for at least `results` fresh results of each of the scored kinds and compares them with predictions. A fourth of
// the normal inputs are patterned, of the wide ones special or at the top in turn, of the tiny ones at the threshold,
// of the deep ones at a tie. Any NaN equals any other. Asks nothing if no output has a tree.
PredictionScore score(const Revelation& revelation, const Target& target, std::uint64_t seed,
                      std::uint64_t results = 10000, const RevealOptions& options = {});

}  // namespace assay::diagnose
