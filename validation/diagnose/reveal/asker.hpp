// Asks a target in rounds, with probes that are the same for every output.
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// One probe. All rows of A are equal, and so are all columns of B: every output gets the same terms. Terms are +0 times
// 1 unless set otherwise.
struct Probe {
  struct Term {
    int leaf;  // k: C
    double x, y;
  };
  double unit_x = 0, unit_y = 1;  // factors of leaves [begin, end)
  std::size_t begin = 0, end = 0;
  std::vector<Term> terms{};
  std::shared_ptr<const SumOperands> dense{};  // if set, replaces all of the above: operands as they are
};

// The value v as a term: (x, y) with alpha x y = v, or for C beta x = v; empty if the formats cannot represent it. For
// a mean x = v mean_scale(), so the result is near v mean_scale() / k instead of v: see Channel::value_of().
std::optional<Probe::Term> split(const Problem& problem, int leaf, double v);
double mean_scale(const Problem& problem);  // the smallest power of two that is not below k
// The exponents of the largest and smallest power of two that a term can be by split(); the smallest has normal factors
// or, on request, subnormal ones. alpha and beta are powers of two.
int highest_exponent(const Problem& problem);
int lowest_exponent(const Problem& problem, bool subnormal);
// By how many exponents alpha, beta and a mean's division reduce a range at its upper end (0 or less) and at its lower
// end (0 or more).
int lost_above(const Problem& problem);
int lost_below(const Problem& problem);

// Leaves that meet early: two below the same node, and one below that node's sibling (for a root: another one below the
// root itself). -1 if there is none.
struct Meeting {
  int first = -1, second = -1, third = -1;
};

// A few terms on which rules of rounding and flushing give different results: terms at a distance of the precision of
// one of `formats`, products next to a tie or to the end of a format's range, pairs that cancel to less than a normal
// number beside a third term. All other terms are zeros of one sign or products that underflow. A function of its
// arguments. `meetings` has one entry for each leaf, then any number of others.
Probe edge_probe(const Problem& problem, const std::vector<FormatSpec>& formats,
                 const std::vector<Meeting>& meetings, std::uint64_t seed, std::uint64_t index);

SumOperands operands_of(const Problem& problem, const Probe& probe);
SumOperands operands_of(const Problem& problem, const Case& input, std::size_t output);

class Asker {
 public:
  Asker(const Problem& problem, const Target& target, const RevealOptions& options);

  // Passes on the answers of all outputs, one case at a time. TargetError if there are too few or too many of them.
  void ask(std::size_t cases, const std::function<Case(std::size_t)>& make,
           const std::function<void(std::size_t, const Answer&)>& take, std::string_view stage);
  Case case_of(const Probe& probe) const;

  // Reports progress between two rounds.
  void show(std::string_view stage) const {
    if (options_.progress) options_.progress(stage, runs_);
  }
  // The largest number of cases in a round.
  std::size_t cases_per_round() const;
  std::uint64_t runs() const { return runs_; }
  std::uint64_t rounds() const { return rounds_; }
  const Problem& problem() const { return problem_; }

 private:
  const Problem& problem_;
  const Target& target_;
  const RevealOptions& options_;
  std::uint64_t runs_ = 0, rounds_ = 0;
};

}  // namespace assay::diagnose
