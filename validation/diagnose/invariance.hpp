// Does a result depend on what does not enter it: the batch a row stands in, its place there, the other
// sizes, the number of threads, the run?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "validation/diagnose/reveal.hpp"

namespace assay::diagnose {

// What is varied; the first of each is the reference. Empty lists stay as the problem says.
struct Variation {
  std::vector<std::size_t> m{}, n{};  // gemm
  bool row = false;                   // the first, the middle and the last place in the batch
  std::vector<int> threads{};
  std::size_t runs = 1;  // how often each is asked
};

struct Setting {
  std::size_t m = 1, n = 1, row = 0;
  int threads = 0;
  std::size_t run = 0;
  int by_bits = -1;  // settings of one number gave the same bits
};

// One tree for each output of the row that was looked at: the first column and the last common one.
struct BitClass {
  std::size_t first = 0;  // the index of its first setting
  std::size_t settings = 0;
  std::vector<std::string> orders{};  // canonical
  std::vector<Tree> trees{};
  std::string why_not{};
};

struct Invariance {
  Problem problem{};
  std::vector<Setting> settings{};
  std::vector<BitClass> classes{};
  std::uint64_t runs = 0;
  bool invariant =
      true;  // one class, and the trees of first and last setting agree where they were asked for
  bool answers_vary =
      true;  // false: every random row has the same answer, or NaN, so that equal bits say nothing
  std::size_t first_change =
      0;  // the first setting that is not of the reference's class; settings.size(): none
  std::vector<std::size_t> columns{};
};

// InputError for a variation that the operation does not have or that leaves one setting; TargetError from the
// target. The bits are those of `trials` random rows with `problem.k` terms; then the trees of one setting of each
// class are revealed (at most `most_trees` of them).
Invariance invariance(const Problem& problem, const Target& target, const Variation& variation,
                      const RevealOptions& options = {}, std::size_t trials = 4, std::size_t most_trees = 6);

}  // namespace assay::diagnose
