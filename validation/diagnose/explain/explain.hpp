// Which arithmetic made these bits: every candidate is replayed on a sample of outputs and ranked by how many it gives.
//
// A candidate is a view of the terms (their order in memory), an arithmetic (a generated chain or one of the registry),
// and a rounding after it. Arithmetics of the registry that say of themselves what a generated chain is are that chain,
// by their names (those that flush only if they are the registry's own chains: what is tiny is defined by the machine).
// Bits are compared as they are; any NaN equals any NaN, for its bits are another question (`assay check --policy
// bit-equal` asks it).
//
// All candidates see the first few outputs of the sample; those that gave some of them, the best first, see the rest.
// The result says how many there were, and how many were left out after how many outputs.
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

// One output: its operands and what somebody made of them. A code in each word.
struct ExplainElement {
  std::size_t index = 0;  // in the output
  std::vector<std::uint64_t> a{}, b{};
  // Of an operand whose blocks have scales, their codes, and the values of its elements as float64 codes.
  std::vector<std::uint8_t> a_scales{}, b_scales{};
  std::vector<std::uint64_t> a_values{}, b_values{};
  std::optional<std::uint64_t> c{};
  std::uint64_t got = 0;

  // The operands, with what comes with their codes.
  void take(const CodeVector& x, const CodeVector& y);
};

// The same outputs with their terms in one order: "stored entries", "as dense".
struct ExplainView {
  std::string name{};  // empty where there is one
  std::vector<ExplainElement> elements{};
};

struct ExplainInput {
  FormatSpec a = formats::float32, b = formats::float32, c = formats::float32, got = formats::float32;
  std::vector<ExplainView> views{};  // at least one, of the same outputs in the same order
  // Blocks have such scales: arithmetics that read them are tried, and chains over the scaled values.
  std::optional<ScaleUse> scales{};
  float a_tensor = 1, b_tensor = 1;
};

struct ExplainCandidate {
  std::string name{};                // an arithmetic's, or "16 lanes, fused, float32"
  std::vector<std::string> names{};  // all arithmetics of the registry that these additions are; may be none
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

// An attribute of the candidates that remain: which of its values they have.
struct ExplainAttribute {
  std::string name{};  // "order", "fusion", "accumulator", "rounding", "flush", ...
  std::vector<std::pair<std::string, std::size_t>> values{};  // with how many candidates, most first
  std::size_t tried = 0;                                      // values among all candidates
};

// What would separate the best from another that remains.
struct ExplainSeparation {
  std::string other{};
  Distinction input{};  // x: the best, y: the other; `found` is false where no input was found
};

// Where the best and the nearest candidate that answers otherwise first part.
struct ExplainDivergence {
  ExplainCandidate other{};
  std::size_t index = 0;  // of the output
  std::uint64_t got = 0, best_result = 0, other_result = 0;
  std::vector<TracedStep> best{}, other_steps{};  // all of them; empty where an arithmetic does not say
  // The first sums of the same terms that differ; the last ones where no others hold the same terms.
  std::size_t step = 0, other_step = 0;
};

struct Explanation {
  std::size_t sample = 0, least_terms = 0, most_terms = 0;
  std::size_t candidates = 0;                    // replayed
  std::size_t first_stage = 0;                   // outputs that all of them saw
  std::size_t set_aside = 0;                     // candidates that saw no more
  std::size_t orders = 0, rules = 0, named = 0;  // named: arithmetics that are none of the generated chains
  std::size_t remaining = 0;                     // that give every output of the sample
  std::vector<ExplainRank> ranked{};             // best first
  std::vector<std::size_t> given{};              // outputs, by index, that the best gives
  std::vector<std::size_t> missed{};             // positions in the sample of the others
  std::vector<ExplainAttribute> attributes{};
  std::vector<ExplainSeparation> separations{};
  std::optional<ExplainDivergence> divergence{};
};

struct ExplainOptions {
  std::size_t keep = 20;  // of `ranked`, beyond those that remain (of which the first 10000 are kept)
  std::size_t separations = 4;
  int threads = 0;  // 0: as OpenMP decides
  // Called now and then, from one thread at a time, with the share of the work that is done. May be null.
  std::function<void(double)> progress{};
  // An input that two arithmetics answer differently, if one is found. May be null.
  std::function<Distinction(const Arithmetic&, const Arithmetic&)> separate{};
  // The steps of an arithmetic that is no generated chain; empty if it does not say. May be null.
  std::function<std::vector<TracedStep>(const Arithmetic&, const CodeVector& a, const CodeVector& b,
                                        std::optional<std::uint64_t> c)>
      trace{};
};

// ContractError for no view, no elements, views of different outputs, operands of different lengths, or outputs of 2^17
// terms and more.
// `arithmetics` are tried beside the generated chains, those that take the operands' formats. What their dot() throws,
// of a length that was never revealed, leaves here.
Explanation explain(const ExplainInput& input, const std::vector<const Arithmetic*>& arithmetics,
                    const ExplainOptions& options = {});

// `n` different ones of `size` outputs, by the seed; all of them if there are no more.
std::vector<std::size_t> drawn_sample(std::size_t size, std::size_t n, std::uint64_t seed);

// The part of an input at these positions of its sample.
ExplainInput part_of(const ExplainInput& input, const std::vector<std::size_t>& positions);

// A library takes other orders at the edges of a matrix: explanations of the whole sample, then, where no candidate
// gives all of it, of the outputs that the best of those before misses, four in all at most. The last has candidates
// that remain if so many arithmetics together give the sample.
std::vector<Explanation> explain_parts(const ExplainInput& input,
                                       const std::vector<const Arithmetic*>& arithmetics,
                                       ExplainOptions options = {});

// What a candidate answers for an element of its view, as a code of input.got; empty if its arithmetic does not take
// the operands.
std::optional<std::uint64_t> answer(const ExplainCandidate& candidate, const ExplainInput& input,
                                    std::size_t element);

}  // namespace assay::diagnose
