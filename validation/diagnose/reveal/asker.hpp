// Asks a target in rounds, with probes that are the same for every output, and keeps what was answered.
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "validation/diagnose/reveal/reveal.hpp"

namespace assay::diagnose {

// One probe: every row of A and every column of B is the same, so that every output sees it. Terms are +0
// times 1 where nothing else is said.
struct Probe {
  struct Term {
    int leaf;  // k: C
    double x, y;
  };
  double unit_x = 0, unit_y = 1;  // of leaves [begin, end)
  std::size_t begin = 0, end = 0;
  std::vector<Term> terms{};
  std::shared_ptr<const SumOperands> dense{};  // instead of all that: operands as they are
};

// The value v as a term: (x, y) with alpha x y = v, or of C beta x = v; empty if the formats have none. Of a mean it
// is x = v mean_scale(), so that the result is not v but near v mean_scale() / k: see Channel::value_of().
std::optional<Probe::Term> split(const Problem& problem, int leaf, double v);
double mean_scale(const Problem& problem);  // the power of two that is not below k
// The largest and smallest power of two that a term can be, as split() has them; the smallest is of normal factors, or
// of subnormal ones. alpha and beta are powers of two.
int highest_exponent(const Problem& problem);
int lowest_exponent(const Problem& problem, bool subnormal);
// What alpha, beta and a mean's division take from a range at its upper and lower end: exponents, 0 and less, 0 and
// more.
int lost_above(const Problem& problem);
int lost_below(const Problem& problem);

// Leaves that meet early: two below the same node, and one below that node's sibling, or for a root another below
// itself. -1 where there is none.
struct Meeting {
  int first = -1, second = -1, third = -1;
};

// A few terms where rules of rounding and flushing part: places apart by the precision of one of `formats`, products
// next to a tie or to an end of one, pairs that cancel to less than a normal number beside a third term. All others
// are zeros of one sign or products that underflow. By index: the same for the same arguments. `meetings`: of each
// leaf, then any number more.
Probe edge_probe(const Problem& problem, const std::vector<FormatSpec>& formats,
                 const std::vector<Meeting>& meetings, std::uint64_t seed, std::uint64_t index);

SumOperands operands_of(const Problem& problem, const Probe& probe);
SumOperands operands_of(const Problem& problem, const Case& input, std::size_t output);

class Asker {
 public:
  Asker(const Problem& problem, const Target& target, const RevealOptions& options);

  // Answers of all outputs, a case at a time. TargetError if there are too few or too many of them.
  void ask(std::size_t cases, const std::function<Case(std::size_t)>& make,
           const std::function<void(std::size_t, const Answer&)>& take, std::string_view stage);
  Case case_of(const Probe& probe) const;

  // Says that work goes on between two rounds.
  void show(std::string_view stage) const {
    if (options_.progress) options_.progress(stage, runs_);
  }
  // Of a round at most.
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
