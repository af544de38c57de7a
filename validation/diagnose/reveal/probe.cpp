#include "validation/diagnose/reveal/probe.hpp"

#include <utility>

#include "validation/diagnose/reveal/fewest_terms.hpp"

namespace assay::diagnose {
namespace {

Probed scored(const Problem& problem, const Target& target, std::uint64_t results,
              const RevealOptions& options) {
  Probed found{.revelation = reveal(problem, target, options)};
  found.score = score(found.revelation, target, options.seed, results, options);
  return found;
}

void add_fewest(Probed& found, const Target& target) {
  if (found.score.first.empty()) return;
  try {
    found.fewest = fewest_terms(found.revelation, target, found.score.first.front());
  } catch (const TargetError&) {
    // What was found stands without the example.
  }
}

}  // namespace

Probed probe(const Problem& problem, const Target& target, std::uint64_t results, RevealOptions options) {
  Probed found = scored(problem, target, results, options);
  add_fewest(found, target);
  return found;
}

Probed probe(const Problem& problem, Program& program, std::uint64_t results, RevealOptions options) {
  options.restart = [&program] { program.restart(); };
  const Target target = program.target();
  Probed found = scored(problem, target, results, options);
  note_digits(found.revelation, program.most_digits());
  add_fewest(found, target);
  return found;
}

}  // namespace assay::diagnose
