// The tree of additions behind a sum, a dot product or a matrix product, and the arithmetic of its leaves and
// nodes, from outputs alone; and the proof of it, prediction.
//
// Source: the order by masks, after Xie, Gao, Wang, Xue, "Revealing Floating-Point Accumulation Orders"
// (USENIX ATC 2025, arXiv 2411.00442). Where additions round toward one side, M + 1 is not M: there M's last
// place is known and small, and a count of units is what is left modulo that place. The arithmetic: probes of
// single leaves and nodes sort them into groups that answer alike, and each group takes the rule that repeats
// most of what was answered.
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

// The judge's, as saved arithmetics hold them.
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
  std::uint64_t most_runs = 4'000'000;  // cases asked in all; TargetError beyond
  std::size_t cases_per_round = 4096;   // at most; and of so many bytes
  std::size_t bytes_per_round = 16U << 20U;
  std::size_t most_classes = 16;  // trees of one matrix
  // Nodes evaluated in search of one tree's rules; a search that ends here says so (OrderClass::gave_up). What has
  // rules took up to 1.9e8 with 400 nodes; where nothing fits, the search would go on for minutes. 200000 are added a
  // node.
  std::uint64_t most_work = 400'000'000;
  bool order_only = false;          // no arithmetic: for invariance
  std::vector<std::size_t> only{};  // outputs to look at; empty: all
  // Starts the target anew, as if nothing had been asked, where it can be: the first answers of a process are asked for
  // too.
  std::function<void()> restart{};
  std::function<void(std::string_view stage, std::uint64_t runs)> progress{};
};

// Adds a note where the target prints results with too few digits (`printed`, at most; 0: it does not print) to tell
// every number of the output's format.
void note_digits(Revelation& revelation, int printed);

// InputError for a problem that cannot be asked; TargetError from the target, and where it needs too many
// runs. A tree that is not found is part of the result; so is a target that changes its answers, or misreads its
// input: then there is one class, without a tree, that says so.
Revelation reveal(const Problem& problem, const Target& target, const RevealOptions& options = {});

// Random inputs by index: the same for the same problem, seed and index.
Case random_case(const Problem& problem, InputKind kind, std::uint64_t seed, std::uint64_t index);

// Replays cases. Results are empty where an output's class has no tree. The revelation must stay.
class Predictor {
 public:
  explicit Predictor(const Revelation& revelation);
  std::vector<std::optional<std::uint64_t>> operator()(const Case& input);

 private:
  const Revelation& revelation_;
  std::vector<std::unique_ptr<TreeEvaluator>> evaluators_{};  // of each class; none without a tree
};
// The same for one.
std::vector<std::optional<std::uint64_t>> predict(const Revelation& revelation, const Case& input);

// Asks for at least `results` fresh results of each of the scored kinds and compares. Every fourth of the normal
// inputs is a patterned one, of the wide ones a special one or one at the top in turn, of the tiny ones one at the
// threshold, of the deep ones one at a tie. Any NaN is any other. Nothing is asked where no output has a tree.
PredictionScore score(const Revelation& revelation, const Target& target, std::uint64_t seed,
                      std::uint64_t results = 10000, const RevealOptions& options = {});

}  // namespace assay::diagnose
