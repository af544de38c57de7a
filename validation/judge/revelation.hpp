// What was found out about somebody's sums: a tree of additions with its arithmetic for every output, and how many
// fresh results it predicted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/addition_tree.hpp"
#include "validation/judge/problem.hpp"

namespace assay::judge {

// An answer that the rules of its class do not repeat: what came, what they say, and what each near set of rules says,
// which differs in one rule.
struct Unexplained {
  SumOperands in{};
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

// Answers to probes that no rule repeats: what was predicted may be right without them.
std::size_t unexplained(const Revelation& revelation);

// Random inputs, by what they are to show.
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

}  // namespace assay::judge
