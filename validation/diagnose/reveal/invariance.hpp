// Does a row's result depend on anything but the row: its batch, its place there, the other sizes, the number of
// threads, the operands' addresses, the run?
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// What is varied; the first value of each is the reference. An empty list keeps the problem's value.
struct Variation {
  std::vector<std::size_t> m{}, n{};     // gemm
  bool row = false;                      // the first four, the middle and the last two places in the batch
  std::vector<int> threads{}, offset{};  // as Problem has them
  std::size_t runs =
      1;  // times that each setting is asked, every second time in a new process (RevealOptions::restart)
};

struct Setting {
  std::size_t m = 1, n = 1, row = 0;
  int threads = 0, offset = 0;
  std::size_t run = 0;
  int by_bits = -1;  // settings with the same number gave the same bits
};

// What can be varied, in the order of the report, and a setting's values.
inline constexpr std::array<std::string_view, 6> axes{"m", "n", "row", "threads", "offset", "run"};
using Coordinates = std::array<std::size_t, axes.size()>;
Coordinates coordinates(const Setting& setting);

// The same row under two settings: how many of their common results differ, and the first that does.
struct Difference {
  std::size_t setting = 0, against = 0;  // of Invariance::settings
  std::size_t results = 0, of = 0;
  std::size_t column = 0;
  std::uint64_t got = 0, was = 0;
};

// One thing that was varied, and the first two settings that differ in it alone and whose bits differ.
struct Dependence {
  std::string_view on{};  // of `axes`
  std::optional<Difference> first{};
};

// Settings with equal bits. The trees are those of Invariance::columns at the first setting.
struct BitClass {
  std::size_t first = 0;     // of Invariance::settings
  std::size_t settings = 0;  // number of settings
  bool looked_at = false;    // trees were searched for
  std::vector<AdditionTree> trees{};
  std::vector<std::string> orders{};  // canonical; empty if there is no tree
  std::string why_not{};
};

struct Invariance {
  Problem problem{};
  std::size_t trials = 0;  // random rows
  std::vector<Setting> settings{};
  std::vector<Dependence> dependences{};  // one for each thing with two or more values
  std::vector<BitClass> classes{};
  std::uint64_t runs = 0;
  // There is one class, the trees of the first and the last setting agree if both were found, and equal inputs had
  // equal answers.
  bool invariant = true;
  bool repeats = true;
  // The bits are equal in all settings, but the last setting has a different order.
  bool by_tree = false;
  // False: every random row has the same answer, or NaN; equal bits prove nothing then.
  bool answers_vary = true;
  // The first setting that is not in the reference's class; settings.size(): none.
  std::size_t first_change = 0;
  // The first column, the last that all settings have, and a column for each two classes that differ in neither.
  std::vector<std::size_t> columns{};
};

// Compares the bits of `trials` random rows with `problem.k` terms, then reveals the trees of one setting of each class
// (of at most `most_trees` classes; 0: none). UsageError for a variation that the operation does not have or that
// leaves one setting; ContractError for no trials; TargetError from the target, unless bits were already found to
// differ.
Invariance invariance(const Problem& problem, const Target& target, const Variation& variation,
                      const RevealOptions& options = {}, std::size_t trials = 24, std::size_t most_trees = 6);

}  // namespace assay::diagnose
