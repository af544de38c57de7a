// The tree of additions behind a sum, a dot product or a matrix product, and the arithmetic of its leaves and
// nodes, from outputs alone; and the proof of it, prediction.
//
// Source: the order by masks, after Xie, Gao, Wang, Xue, "Revealing Floating-Point Accumulation Orders"
// (USENIX ATC 2025, arXiv 2411.00442). Where additions round toward one side, M + 1 is not M: there M's last
// place is known and small, and a count of units is what is left modulo that place. The arithmetic: probes of
// single leaves and nodes sort them into groups that answer alike, and each group takes the rule that repeats
// most of what was answered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

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

// An answer that the rules of its class do not repeat: what came, what they say, and what each near set of rules says,
// which differs in one rule.
struct Unexplained {
  Operands in{};
  double alpha = 1, beta = 1;  // with which it was asked
  std::uint64_t got = 0, predicted = 0;
  struct Near {
    std::string rule{};
    std::uint64_t says = 0;
    std::size_t misses = 0;  // of all answers
  };
  std::vector<Near> near{};
};

// Outputs that share a tree.
struct OrderClass {
  AdditionTree tree{};    // of no nodes if it was not found
  std::string why_not{};  // then the reason
  AdditionTree order{};   // an order that was found though no arithmetic explains its answers; no rules
  std::string how{};      // the masks that showed the order
  bool as_exact = false;  // no order shows: the tree is one exact sum
  std::vector<std::size_t> outputs{};
  std::uint64_t order_runs = 0, rule_runs = 0;
  std::size_t training = 0,
              training_misses = 0;         // answers that chose the rules, and those that they do not repeat
  bool gave_up = false;                    // the search for rules ended at its limit
  std::vector<std::string> ambiguous{};    // what no answer told apart
  std::vector<Unexplained> unexplained{};  // a few of the misses
};

struct Revelation {
  Problem problem{};
  std::vector<OrderClass> classes{};
  std::vector<int> class_of{};  // of each output; -1: none
  std::uint64_t runs = 0, rounds = 0;
  bool repeats = true;  // the same inputs had the same answers, at other places of other rounds
  std::vector<std::string> notes{};
};

// Adds a note where the target prints results with too few digits (`printed`, at most; 0: it does not print) to tell
// every number of the output's format.
void note_digits(Revelation& revelation, int printed);

// Answers to probes that no rule repeats: what was predicted may be right without them.
std::size_t unexplained(const Revelation& revelation);

// InputError for a problem that cannot be asked; TargetError from the target, and where it needs too many
// runs. A tree that is not found is part of the result; so is a target that changes its answers, or misreads its
// input: then there is one class, without a tree, that says so.
Revelation reveal(const Problem& problem, const Target& target, const RevealOptions& options = {});

// Random inputs by index: the same for the same problem, seed and index.
enum class InputKind : std::uint8_t {
  normal,    // standard normal
  wide,      // times 2^e, e uniform over a fifth of the range to either side
  tiny,      // products and sums near the underflow of the output or of float32
  sparse,    // of tiny, all but a few terms zeros of either sign
  zeros,     // zeros of either sign and a few tiny terms
  integers,  // so small that every order gives the same sum
  special,   // standard normal, with zeros, infinities and NaN: zeros meet the other two
  threshold,  // one product, or a sum of two, just below the smallest normal number of the output or of float32
  deep,       // terms that cancel, in random places, down to less than float64 or 80 bits keep of the largest
  ties,       // sums at a tie of the output or an accumulator, or next to it: what is rounded twice shows
  top,        // products and sums about the largest number; infinities; factors at the ends of their range
  patterned  // signs, sizes, equal and sorted terms, whole numbers and blocks of zeros, which infinities and NaN meet
};
std::string_view input_kind_name(InputKind kind);
InputKind parse_input_kind(std::string_view name);
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

struct Misprediction {
  InputKind kind = InputKind::normal;
  std::uint64_t seed = 0, index = 0;  // of random_case
  std::size_t output = 0;
  std::uint64_t got = 0, predicted = 0;
};
// What fresh results are asked for.
inline constexpr std::array scored_kinds{InputKind::normal, InputKind::wide, InputKind::tiny,
                                         InputKind::deep};
struct PredictionScore {
  std::uint64_t results = 0, wrong = 0, without_tree = 0;
  std::array<std::uint64_t, scored_kinds.size()> by_kind{}, wrong_by_kind{};
  std::vector<Misprediction> first{};  // up to 8
  // Inputs that were asked once more, in another order, in rounds of few cases, first in a process: so many answers
  // changed.
  std::uint64_t asked_again = 0, changed = 0;
  std::uint64_t changed_in_small_rounds = 0;  // of those that had been predicted
};
// All fresh results were predicted, and none changed when it was asked for again.
bool all_predicted(const PredictionScore& score);
// The same, and no answer to a probe is left unexplained.
bool all_explained(const Revelation& revelation, const PredictionScore& score);
// Asks for at least `results` fresh results of each of the scored kinds and compares. Every fourth of the normal
// inputs is a patterned one, of the wide ones a special one or one at the top in turn, of the tiny ones one at the
// threshold, of the deep ones one at a tie. Any NaN is any other. Nothing is asked where no output has a tree.
PredictionScore score(const Revelation& revelation, const Target& target, std::uint64_t seed,
                      std::uint64_t results = 10000, const RevealOptions& options = {});

}  // namespace assay::diagnose
