// Does a result depend on what does not enter it: the batch a row stands in, its place there, the other
// sizes, the number of threads, the operands' addresses, the run?
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// What is varied; the first of each is the reference. Empty lists stay as the problem says.
struct Variation {
  std::vector<std::size_t> m{}, n{};     // gemm
  bool row = false;                      // the first four, the middle and the last two places in the batch
  std::vector<int> threads{}, offset{};  // as Problem has them
  std::size_t runs =
      1;  // how often each is asked, every second time in a process of its own (RevealOptions::restart)
};

struct Setting {
  std::size_t m = 1, n = 1, row = 0;
  int threads = 0, offset = 0;
  std::size_t run = 0;
  int by_bits = -1;  // settings of one number gave the same bits
};

// What can be varied, in the order in which it is told, and a setting's values.
inline constexpr std::array<std::string_view, 6> axes{"m", "n", "row", "threads", "offset", "run"};
using Coordinates = std::array<std::size_t, axes.size()>;
Coordinates coordinates(const Setting& setting);

// The same row under two settings: so many of the results that both have differ, and the first that does.
struct Difference {
  std::size_t setting = 0, against = 0;  // of Invariance::settings
  std::size_t results = 0, of = 0;
  std::size_t column = 0;
  std::uint64_t got = 0, was = 0;
};

// One of the things that were varied, and the first two settings that differ in nothing else and whose bits differ.
struct Dependence {
  std::string_view on{};  // of `axes`
  std::optional<Difference> first{};
};

// Trees of the row's results in Invariance::columns, as they are at its first setting.
struct BitClass {
  std::size_t first = 0;     // of Invariance::settings
  std::size_t settings = 0;  // how many
  bool looked_at = false;    // for its trees
  std::vector<AdditionTree> trees{};
  std::vector<std::string> orders{};  // canonical; empty where there is no tree
  std::string why_not{};
};

struct Invariance {
  Problem problem{};
  std::size_t trials = 0;  // random rows
  std::vector<Setting> settings{};
  std::vector<Dependence> dependences{};  // one of each thing that has two values or more
  std::vector<BitClass> classes{};
  std::uint64_t runs = 0;
  // One class; the trees of the first and the last setting agree where both were found; and the same inputs had the
  // same answers.
  bool invariant = true;
  bool repeats = true;
  // The bits are the same in all settings, but the order in the last is another.
  bool by_tree = false;
  // False: every random row has the same answer, or NaN, so that equal bits say nothing.
  bool answers_vary = true;
  // The first setting that is not of the reference's class; settings.size(): none.
  std::size_t first_change = 0;
  // The first, the last that all settings have, and where two classes differ if they do in neither.
  std::vector<std::size_t> columns{};
};

// UsageError for a variation that the operation does not have or that leaves one setting; ContractError for no trials;
// TargetError from the target, unless its bits differ already. The bits are those of `trials` random rows with
// `problem.k` terms; then the trees of one setting of each class are revealed (of `most_trees` classes; 0: none).
Invariance invariance(const Problem& problem, const Target& target, const Variation& variation,
                      const RevealOptions& options = {}, std::size_t trials = 24, std::size_t most_trees = 6);

}  // namespace assay::diagnose
