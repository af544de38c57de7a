// Private to facts.hpp: gathers, asks and reads the probes of single leaves and nodes.
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

// A node as probes reach it: a leaf below each of two children, and a leaf below the sibling that cancels the large
// part. -1 for the root, which has no sibling.
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

  // --- positions -------------------------------------------------------------------------------------------

  // Parents, and for each node its shallowest leaf.
  void survey();

  void find_spots();

  // --- asking ----------------------------------------------------------------------------------------------

  std::optional<Probe> probe(std::initializer_list<std::pair<int, double>> terms) const;
  // big + small in the spot; the sibling subtracts big above it.
  std::optional<Probe> sum_probe(const Spot& s, double big, double small) const {
    return s.cancel < 0 ? probe({{s.first, big}, {s.second, small}})
                        : probe({{s.first, big}, {s.second, small}, {s.cancel, -big}});
  }
  // The result of sum_probe() if big + small becomes `sum`.
  static double seen(const Spot& s, double big, double sum) { return s.cancel < 0 ? sum : sum - big; }

  // Probes are gathered and asked together; each answer is passed to its reader.
  using Reader = std::function<void(double)>;
  void want(int owner, std::optional<Probe> x, Reader read) {
    if (!x) return;
    wanted_.push_back({std::move(*x), 0, owner});
    readers_.push_back(std::move(read));
  }
  void ask();

  // A scale for which scale * 2^-low is still a term and a result; empty if there is none. If possible, scale * 2^-low
  // is 2^-14, which products that are rounded to float16 can represent as well.
  std::optional<double> scale(int low) const;

  // The same if the result cannot hold the scale but the spot's sibling subtracts it: the sum may be wider than the
  // result. An overflow on the way is no evidence then, see is_evidence().
  std::optional<double> scale(const Spot& spot, int low) const;
  int least_result() const { return p_.output.emin - p_.output.precision + 1; }
  // Whether result r shows that `small` was kept, rounded away or rounded up, next to terms beyond the result's range.
  static bool is_evidence(double r, double small) { return r == small || r == 0 || r == 2 * small; }

  // --- nodes -----------------------------------------------------------------------------------------------

  struct Places {
    int first_lost = 0;   // 0: none
    bool arrives = true;  // both terms of the first lost sum reach the result alone
  };

  // Asks whether the spot keeps `precision` bits.
  void want_places(const Spot& spot, int precision, const std::function<void(bool)>& read);

  // Asks for both terms alone: a term that is lost everywhere (its product underflows or overflows) is no evidence
  // about the node.
  void want_arrival(const Spot& spot, int precision, Places& places);

  void probe_precisions();

  void note_places(const Spot& spot, Places& places, int precision, bool kept);

  void probe_modes();

  // The modes with directions reversed: a negative alpha after the sum mirrors its roundings.
  static unsigned mirrored(unsigned modes);

  // How far below its largest term a node of many terms keeps bits.
  void probe_fractions();

  // Near the smallest result f, a node that truncates its terms may keep fewer bits: its largest exponent has a floor.
  // f/2 + x becomes f if x is kept, by rounding to nearest; f - x becomes zero, by rounding toward zero.
  void probe_floors();
  // Two leaves that are children of the node itself: others would be rounded before. The spot's own leaves if the node
  // does not have two.
  std::pair<int, int> own_leaves(const Spot& spot) const;
  bool rounds_to_nearest(int i);

  // A root that rounds to P bits, and then to the output's p bits, rounds wrongly if the first rounding makes a tie for
  // the second: 1 + 2^-p + 2^-(P+1), 1 + 3 2^-p - 2^-(P+1). Two of the terms are below one child.
  void probe_last_rounding();

  // The smallest normal exponents that a node of this precision may have and that results can show.
  std::vector<int> bottoms(int precision) const;

  void probe_underflow(const Spot& spot);

  // --- leaves ----------------------------------------------------------------------------------------------

  void probe_leaf(int v);

  // The precision that a node's value keeps on its way up from its nearest leaf.
  int path_precision(int from);

  // A product of more bits than `precision`; the sibling subtracts all but its last bit. The product is large enough
  // for its last bit to be a result.
  void probe_product(int v, int leaf, int other, bool is_c);

  void probe_leaf_underflow(int v, int leaf, int other);

  // Subnormal operands whose product is normal.
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
