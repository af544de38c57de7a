// Which arithmetic made these bits: replays every candidate on a sample of outputs, and ranks candidates by the number
// of outputs that they give.
//
// A candidate is a view of the terms (their order in memory), an arithmetic (a generated chain or one of the registry),
// and a rounding after it. An arithmetic of the registry that declares itself equal to a generated chain is that chain,
// under its name. (Of those that flush, only the registry's own chains: a machine has its own definition of tiny.) Bits
// are compared as they are, except that any NaN equals any NaN; `assay check --policy bit-equal` compares NaN bits.
//
// All candidates are tested on the first few outputs of the sample. Those that gave some of them, the best first, are
// tested on the rest. The result holds the number of candidates, how many were set aside, and after how many outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/exact/distinction.hpp"
#include "validation/diagnose/explain/candidates.hpp"

namespace assay::diagnose {

// One output: its operands and the result under test. One code in each word.
struct ExplainElement {
  std::size_t index = 0;  // in the output
  std::vector<std::uint64_t> a{}, b{};
  // If an operand has block scales: the codes of the scales, and the values of its elements as float64 codes.
  std::vector<std::uint8_t> a_scales{}, b_scales{};
  std::vector<std::uint64_t> a_values{}, b_values{};
  std::optional<std::uint64_t> c{};
  std::uint64_t got = 0;

  // Sets the operands, including their scales.
  void take(const CodeVector& x, const CodeVector& y);
};

// The same outputs with their terms in one order: "stored entries", "as dense".
struct ExplainView {
  std::string name{};  // empty if there is only one view
  std::vector<ExplainElement> elements{};
};

struct ExplainInput {
  FormatSpec a = formats::float32, b = formats::float32, c = formats::float32, got = formats::float32;
  std::vector<ExplainView> views{};  // at least one, of the same outputs in the same order
  // With block scales, candidates are the arithmetics that read them, and chains over the scaled values.
  std::optional<ScaleUse> scales{};
  float a_tensor = 1, b_tensor = 1;
};

struct ExplainCandidate {
  std::string name{};                // an arithmetic's, or "16 lanes, fused, float32"
  std::vector<std::string> names{};  // all arithmetics of the registry with these additions; may be none
  std::string view{};                // of ExplainInput
  const Arithmetic* arithmetic = nullptr;  // of the registry; null: the chain below
  SumOrder order{};
  ChainRules rules{};
  Finish finish{};
  FormatSpec sum_format = formats::float32;  // what `finish` starts from
  std::size_t view_index = 0;
};

struct ExplainRank {
  ExplainCandidate candidate{};
  std::size_t matches = 0, compared = 0;
  double share() const {
    return compared == 0 ? 0 : static_cast<double>(matches) / static_cast<double>(compared);
  }
};

// An attribute of the remaining candidates, and the values that it has among them.
struct ExplainAttribute {
  std::string name{};  // "order", "fusion", "accumulator", "rounding", "flush", ...
  std::vector<std::pair<std::string, std::size_t>> values{};  // with their number of candidates, most first
  std::size_t tried = 0;                                      // number of values among all candidates
};

// An input that would separate the best candidate from another that remains.
struct ExplainSeparation {
  std::string other{};
  Distinction input{};  // x: the best, y: the other; `found` is false if no input was found
};

// First divergence between the best match and the nearest candidate with a different answer.
struct ExplainDivergence {
  ExplainCandidate other{};
  std::size_t index = 0;  // of the output
  std::uint64_t got = 0, best_result = 0, other_result = 0;
  std::vector<TracedStep> best{}, other_steps{};  // all steps; empty if an arithmetic has no trace
  // The first sums of the same terms that differ; the last sums if no others contain the same terms.
  std::size_t step = 0, other_step = 0;
};

struct Explanation {
  std::size_t sample = 0, least_terms = 0, most_terms = 0;
  std::size_t candidates = 0;                    // replayed
  std::size_t first_stage = 0;                   // outputs that all candidates were tested on
  std::size_t set_aside = 0;                     // candidates that were tested on no more
  std::size_t orders = 0, rules = 0, named = 0;  // named: arithmetics that are no generated chain
  std::size_t remaining = 0;                     // candidates that give every output of the sample
  std::vector<ExplainRank> ranked{};             // best first
  std::vector<std::size_t> given{};              // outputs, by index, that the best candidate gives
  std::vector<std::size_t> missed{};             // positions in the sample of the other outputs
  std::vector<ExplainAttribute> attributes{};
  std::vector<ExplainSeparation> separations{};
  std::optional<ExplainDivergence> divergence{};
};

struct ExplainOptions {
  std::size_t keep = 20;  // of `ranked`, besides the remaining ones (at most 10000 of those are kept)
  std::size_t separations = 4;
  int threads = 0;  // 0: OpenMP's choice
  // Called now and then, from one thread at a time, with the finished fraction of the work. May be null.
  std::function<void(double)> progress{};
  // Searches for an input on which two arithmetics differ. May be null.
  std::function<Distinction(const Arithmetic&, const Arithmetic&)> separate{};
  // The steps of an arithmetic that is no generated chain; empty if it has no trace. May be null.
  std::function<std::vector<TracedStep>(const Arithmetic&, const CodeVector& a, const CodeVector& b,
                                        std::optional<std::uint64_t> c)>
      trace{};
};

// Tries the generated chains and those of `arithmetics` that take the operands' formats. ContractError for no view, no
// elements, views of different outputs, operands of different lengths, or outputs of 2^17 or more terms. Exceptions of
// an arithmetic's dot() are passed on (a length that was never revealed).
Explanation explain(const ExplainInput& input, const std::vector<const Arithmetic*>& arithmetics,
                    const ExplainOptions& options = {});

// `n` different indices below `size`, drawn by the seed; all of them if there are no more than n.
std::vector<std::size_t> drawn_sample(std::size_t size, std::size_t n, std::uint64_t seed);

// The elements of an input at these positions of its sample.
ExplainInput part_of(const ExplainInput& input, const std::vector<std::size_t>& positions);

// For libraries that use different orders at the edges of a matrix. Explains the whole sample. If no candidate gives
// all of it, explains the outputs that the previous best candidate misses; at most four explanations in all. If the
// last one has remaining candidates, this many arithmetics together give the sample.
std::vector<Explanation> explain_parts(const ExplainInput& input,
                                       const std::vector<const Arithmetic*>& arithmetics,
                                       ExplainOptions options = {});

// The result of a candidate for an element of its view, as a code of input.got; empty if its arithmetic does not take
// the operands.
std::optional<std::uint64_t> answer(const ExplainCandidate& candidate, const ExplainInput& input,
                                    std::size_t element);

}  // namespace assay::diagnose
