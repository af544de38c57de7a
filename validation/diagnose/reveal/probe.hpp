// A probe of one problem: what was found, how its predictions did, and the smallest wrong one.
#pragma once

#include <cstdint>
#include <optional>

#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

struct Probed {
  Revelation revelation{};
  PredictionScore score{};
  std::optional<SumOperands> fewest{};  // of the first wrong prediction
};

// reveal(), score() of `results` fresh results of each kind by options.seed, and fewest_terms(). Errors of the first
// two; what was found stands if the target breaks off in the third.
Probed probe(const Problem& problem, const Target& target, std::uint64_t results, RevealOptions options = {});

// The same of a program, which is restarted to test the first answers of a new process too; notes digits that are too
// few.
Probed probe(const Problem& problem, Program& program, std::uint64_t results, RevealOptions options = {});

}  // namespace assay::diagnose
