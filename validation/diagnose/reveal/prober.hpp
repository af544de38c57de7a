// Private to facts.hpp: the probes of single leaves and nodes, gathered, asked and read.
#pragma once

#include <cmath>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "validation/diagnose/reveal/facts.hpp"

namespace assay::diagnose {

// A node as probes reach it: a leaf in each of two children, and one in the sibling that takes away what is
// common. -1 for the root, where nothing can be taken away.
struct Spot {
  int node, first, second, cancel;
};

// 2^e.
inline double power(int e) { return std::ldexp(1.0, e); }

class Prober {
 public:
  Prober(Channel& channel, const AdditionTree& tree)
      : channel_(channel), p_(channel.problem()), tree_(tree) {}

  TreeFacts run();

 private:
  const TreeNode& node(int i) const { return tree_.nodes[static_cast<std::size_t>(i)]; }
  int near(int i) const { return near_[static_cast<std::size_t>(i)]; }
  NodeFacts& node_facts(int i) { return facts_.nodes[static_cast<std::size_t>(i)]; }
  bool is_root(int i) const { return facts_.parent[static_cast<std::size_t>(i)] < 0; }

  // --- where things are ------------------------------------------------------------------------------------

  // Parents, and for each node its shallowest leaf.
  void survey();

  void find_spots();

  // --- asking ----------------------------------------------------------------------------------------------

  std::optional<Probe> probe(std::initializer_list<std::pair<int, double>> terms) const;
  // big + small in the spot, big taken away again above it.
  std::optional<Probe> sum_probe(const Spot& s, double big, double small) const {
    return s.cancel < 0 ? probe({{s.first, big}, {s.second, small}})
                        : probe({{s.first, big}, {s.second, small}, {s.cancel, -big}});
  }
  // What sum_probe gives where big + small becomes `sum`.
  static double seen(const Spot& s, double big, double sum) { return s.cancel < 0 ? sum : sum - big; }

  // Probes are gathered, asked in one go, and read by what gathered them.
  using Reader = std::function<void(double)>;
  void want(int owner, std::optional<Probe> x, Reader read) {
    if (!x) return;
    wanted_.push_back({std::move(*x), 0, owner});
    readers_.push_back(std::move(read));
  }
  void ask();

  // A scale at which 2^-low below it is still a term and a result; empty if there is none. If there is room,
  // 2^-low below it is 2^-14: products that are rounded to float16 have it as well.
  std::optional<double> scale(int low) const;

  // The same where a result has no room for the scale, and the spot's sibling takes it away: the sum may be wider than
  // the result. What overflows on the way is no evidence then, see is_evidence().
  std::optional<double> scale(const Spot& spot, int low) const;
  int least_result() const { return p_.output.emin - p_.output.precision + 1; }
  // Whether a result that is not `small` shows that it was rounded away, or up, below terms beyond the result's range.
  static bool is_evidence(double r, double small) { return r == small || r == 0 || r == 2 * small; }

  // --- nodes -----------------------------------------------------------------------------------------------

  struct Places {
    int first_lost = 0;   // 0: none
    bool arrives = true;  // both terms of the first that was lost come through alone
  };

  // Whether the spot keeps so many places, and no fewer.
  void want_places(const Spot& spot, int precision, const std::function<void(bool)>& read);

  // A term that is lost everywhere, because its product underflows or overflows, says nothing of the node.
  void want_arrival(const Spot& spot, int precision, Places& places);

  void probe_precisions();

  void note_places(const Spot& spot, Places& places, int precision, bool kept);

  void probe_modes();

  // A negative alpha after the sum turns the sides of its roundings round.
  static unsigned mirrored(unsigned modes);

  // How far below the largest term a node of many terms looks.
  void probe_fractions();

  // Near the smallest result f a node that cuts may look less deep: its largest exponent is a floor. f/2 + x comes to f
  // where x is kept, by rounding to nearest; f - x to nothing, by rounding toward zero.
  void probe_floors();
  // Two terms of the node itself: below another they would be rounded before. Those of the spot where there are not so
  // many.
  std::pair<int, int> own_leaves(const Spot& spot) const;
  bool rounds_to_nearest(int i);

  // A root that rounds to P places, and then to the p of the output, goes wrong where the first rounding makes
  // a tie for the second: 1 + 2^-p + 2^-(P+1), 1 + 3 2^-p - 2^-(P+1). Two of the terms stand below one child.
  void probe_last_rounding();

  // The smallest normal exponents that a node of this precision may have, as far as results show them.
  std::vector<int> bottoms(int precision) const;

  void probe_underflow(const Spot& spot);

  // --- leaves ----------------------------------------------------------------------------------------------

  void probe_leaf(int v);

  // The precision that a node's value keeps on its way up from its nearest leaf.
  int path_precision(int from);

  // A product of more places than `precision`, all but its last taken away by the sibling. It is so large that its last
  // place is a result.
  void probe_product(int v, int leaf, int other, bool is_c);

  void probe_leaf_underflow(int v, int leaf, int other);

  // Subnormal operands whose product is none.
  void probe_operands(int v, int leaf);

  Channel& channel_;
  const Problem& p_;
  const AdditionTree& tree_;
  TreeFacts facts_{};
  std::vector<int> near_{};
  std::vector<Spot> spots_{};
  std::vector<AnsweredProbe> wanted_{};
  std::vector<Reader> readers_{};
};

}  // namespace assay::diagnose
