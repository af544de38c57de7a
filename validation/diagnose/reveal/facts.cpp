#include "validation/diagnose/reveal/facts.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

constexpr std::array precisions{2, 3, 4, 8, 11, 14, 24, 53};
// 25 as well: a narrow result has no room for 53, and float32 must be seen to lose something.
constexpr std::array node_precisions{2, 3, 4, 8, 11, 14, 24, 25, 53};

double power(int e) { return std::ldexp(1.0, e); }

ExactValue<Wide> wide_sum_of(double a, double b) {
  return wide_sum(widened(exact(a)), widened(exact(b)), Rounding::nearest_even);
}

// A node as probes reach it: a leaf in each of two children, and one in the sibling that takes away what is
// common. -1 for the root, where nothing can be taken away.
struct Spot {
  int node, first, second, cancel;
};

class Prober {
 public:
  Prober(Channel& channel, const Tree& tree) : channel_(channel), p_(channel.problem()), tree_(tree) {}

  TreeFacts run() {
    survey();
    find_spots();
    probe_precisions();
    probe_modes();
    probe_fractions();
    probe_floors();
    probe_last_rounding();
    for (const Spot& spot : spots_) probe_underflow(spot);
    ask();
    for (int v = 0; v < static_cast<int>(tree_.nodes.size()); ++v) {
      if (node(v).children.empty()) probe_leaf(v);
    }
    ask();
    return std::move(facts_);
  }

 private:
  const TreeNode& node(int i) const { return tree_.nodes[static_cast<std::size_t>(i)]; }
  int near(int i) const { return near_[static_cast<std::size_t>(i)]; }
  NodeFacts& node_facts(int i) { return facts_.nodes[static_cast<std::size_t>(i)]; }
  bool is_root(int i) const { return facts_.parent[static_cast<std::size_t>(i)] < 0; }

  // --- where things are ------------------------------------------------------------------------------------

  // Parents, and for each node its shallowest leaf.
  void survey() {
    const std::size_t n = tree_.nodes.size();
    facts_.parent.assign(n, -1);
    facts_.nodes.assign(n, {});
    facts_.leaves.assign(n, {});
    near_.assign(n, -1);
    std::vector<int> depth(n, 0);
    for (std::size_t i = 0; i < n; ++i) {
      const TreeNode& t = tree_.nodes[i];
      if (t.children.empty()) {
        near_[i] = t.leaf;
        // C last: it has a format of its own.
        depth[i] = static_cast<std::size_t>(t.leaf) == p_.k ? 1000000 : 0;
        continue;
      }
      int best = -1;
      for (const int c : t.children) {
        facts_.parent[static_cast<std::size_t>(c)] = static_cast<int>(i);
        if (best < 0 || depth[static_cast<std::size_t>(c)] < depth[static_cast<std::size_t>(best)]) best = c;
      }
      near_[i] = near_[static_cast<std::size_t>(best)];
      depth[i] = depth[static_cast<std::size_t>(best)] + 1;
    }
  }

  void find_spots() {
    for (int v = 0; v < static_cast<int>(tree_.nodes.size()); ++v) {
      const std::vector<int>& children = node(v).children;
      if (children.empty()) continue;
      // A mean's root shows after the division alone.
      if (is_root(v) && p_.operation == Operation::mean) continue;
      spots_.push_back(
          {v, near(children[0]), near(children[1]), is_root(v) ? -1 : near(sibling(tree_, facts_, v))});
    }
  }

  // --- asking ----------------------------------------------------------------------------------------------

  std::optional<Probe> probe(std::initializer_list<std::pair<int, double>> terms) const {
    Probe x;
    for (const auto& [leaf, value] : terms) {
      const std::optional<Probe::Term> t = split(p_, leaf, value);
      if (!t) return std::nullopt;
      x.terms.push_back(*t);
    }
    return x;
  }
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
  void ask() {
    std::vector<Probe> probes;
    probes.reserve(wanted_.size());
    for (const Asked& x : wanted_) probes.push_back(x.probe);
    const std::vector<std::uint64_t> codes = channel_.ask(probes, "rules");
    for (std::size_t i = 0; i < codes.size(); ++i) {
      wanted_[i].code = codes[i];
      readers_[i](channel_.value_of(codes[i]));
      facts_.asked.push_back(std::move(wanted_[i]));
    }
    wanted_.clear();
    readers_.clear();
  }

  // A scale at which 2^-low below it is still a term and a result; empty if there is none. If there is room,
  // 2^-low below it is 2^-14: products that are rounded to float16 have it as well.
  std::optional<double> scale(int low) const {
    const int top = std::max(std::min(highest_exponent(p_), p_.output.emax()) - 2, 0);
    for (const bool subnormal : {false, true}) {
      const int places = subnormal ? p_.output.precision - 1 : 0;
      const int bottom = std::max(lowest_exponent(p_, subnormal), p_.output.emin - places);
      const int e = std::max({0, bottom + low, std::min(low - 14, top)});
      if (e <= top) return power(e);
    }
    return std::nullopt;
  }

  // The same where a result has no room for the scale, and the spot's sibling takes it away: the sum may be wider than
  // the result. What overflows on the way is no evidence then, see is_evidence().
  std::optional<double> scale(const Spot& spot, int low) const {
    const std::optional<double> in_result = scale(low);
    if (in_result || spot.cancel < 0) return in_result;
    const int e = least_result() + low;
    return e + 1 < std::min(highest_exponent(p_), formats::float32.emax()) ? std::optional(power(e))
                                                                           : std::nullopt;
  }
  int least_result() const { return p_.output.emin - p_.output.precision + 1; }
  // Whether a result that is not `small` shows that it was rounded away, or up, below terms beyond the result's range.
  static bool is_evidence(double r, double small) { return r == small || r == 0 || r == 2 * small; }

  // --- nodes -----------------------------------------------------------------------------------------------

  struct Places {
    int first_lost = 0;   // 0: none
    bool arrives = true;  // both terms of the first that was lost come through alone
  };

  // Whether the spot keeps so many places, and no fewer.
  void want_places(const Spot& spot, int precision, const std::function<void(bool)>& read) {
    const std::optional<double> s = scale(spot, precision - 1);
    if (!s) return;
    const double small = *s * power(1 - precision), whole = seen(spot, *s, *s + small);
    const bool in_result = scale(precision - 1).has_value();
    want(spot.node, sum_probe(spot, *s, small), [=](double r) {
      if (in_result || is_evidence(r, small)) read(r == whole);
    });
  }

  // A term that is lost everywhere, because its product underflows or overflows, says nothing of the node.
  void want_arrival(const Spot& spot, int precision, Places& places) {
    const std::optional<double> s = scale(spot, precision - 1);
    if (!s) return;
    const double small = *s * power(1 - precision);
    const bool in_result = scale(precision - 1).has_value();
    for (const auto& [leaf, value] : {std::pair(spot.first, *s), std::pair(spot.second, small)}) {
      if (!in_result && value == *s) continue;
      const double sent = value;
      want(spot.node, probe({{leaf, value}}), [&places, sent](double r) { places.arrives &= r == sent; });
    }
  }

  void probe_precisions() {
    std::vector<Places> all(spots_.size());
    for (std::size_t i = 0; i < spots_.size(); ++i) {
      for (const int precision : node_precisions)
        want_places(spots_[i], precision, [this, i, precision, &all](bool kept) {
          note_places(spots_[i], all[i], precision, kept);
        });
    }
    ask();
    // The first place that may be lost, then all of them where it is not.
    for (const bool all_between : {false, true}) {
      for (std::size_t i = 0; i < spots_.size(); ++i) {
        Places& places = all[i];
        const int kept = node_facts(spots_[i].node).kept;
        if (places.first_lost == 0) continue;
        if (!all_between) want_arrival(spots_[i], places.first_lost, places);
        for (int p = kept + 1; p < (all_between ? places.first_lost : std::min(kept + 2, places.first_lost));
             ++p) {
          want_places(spots_[i], p, [this, i, p, &all](bool k) { note_places(spots_[i], all[i], p, k); });
        }
      }
      ask();
    }
    for (std::size_t i = 0; i < spots_.size(); ++i) {
      NodeFacts& facts = node_facts(spots_[i].node);
      if (all[i].first_lost > 0 && all[i].arrives && facts.kept > 1) facts.precision = facts.kept;
    }
  }

  void note_places(const Spot& spot, Places& places, int precision, bool kept) {
    NodeFacts& facts = node_facts(spot.node);
    if (kept) {
      facts.kept = std::max(facts.kept, precision);
      if (places.first_lost <= facts.kept) places.first_lost = 0;
    } else if (precision > facts.kept && (places.first_lost == 0 || precision < places.first_lost)) {
      places.first_lost = precision;
    }
  }

  void probe_modes() {
    for (const Spot& spot : spots_) {
      NodeFacts& facts = node_facts(spot.node);
      const int p = facts.precision;
      const std::optional<double> s = scale(spot, p + 1);
      if (p == 0 || !s) continue;
      const FormatSpec f{"custom", "custom", 11 + p, p, -1022, Specials::ieee};
      for (const double sign : {1.0, -1.0}) {
        for (const double part : {1.0, 1.5, 0.5}) {
          const double big = sign * *s, small = sign * *s * part * power(-p);
          want(spot.node, sum_probe(spot, big, small), [&facts, f, big, small, spot](double r) {
            for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
              const EncodeOptions options{.rounding = deterministic_roundings[m]};
              const double sum = decode(encode(wide_sum_of(big, small), f, options).code, f);
              if (seen(spot, big, sum) != r) facts.modes &= ~(1U << m);
            }
          });
        }
      }
    }
    ask();
    for (NodeFacts& facts : facts_.nodes) {
      if (facts.modes == 0) facts.modes = all_modes;
      if (p_.alpha < 0) facts.modes |= mirrored(facts.modes);
    }
  }

  // A negative alpha after the sum turns the sides of its roundings round.
  static unsigned mirrored(unsigned modes) {
    unsigned other = 0;
    for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
      if ((modes >> m & 1U) == 0) continue;
      for (std::size_t to = 0; to < deterministic_roundings.size(); ++to) {
        const Rounding x = deterministic_roundings[m], y = deterministic_roundings[to];
        const bool opposite = (x == Rounding::toward_positive && y == Rounding::toward_negative) ||
                              (x == Rounding::toward_negative && y == Rounding::toward_positive);
        other |= opposite ? 1U << to : 0;
      }
    }
    return other;
  }

  // How far below the largest term a node of many terms looks.
  void probe_fractions() {
    constexpr int deepest = 60;
    for (const Spot& spot : spots_) {
      if (node(spot.node).children.size() == 2) continue;
      NodeFacts& facts = node_facts(spot.node);
      const int third = near(node(spot.node).children[2]);
      for (int j = 1; j <= deepest; ++j) {
        const std::optional<double> s = scale(j);
        if (!s) break;
        const double small = *s * power(-j);
        want(spot.node, probe({{spot.first, *s}, {spot.second, -*s}, {third, small}}),
             [&facts, j, small](double r) {
               if (r == small) facts.fraction = std::max(facts.fraction.value_or(0), j);
             });
      }
    }
    ask();
    // Of a term that comes through nowhere, nothing is known.
    for (const Spot& spot : spots_) {
      NodeFacts& facts = node_facts(spot.node);
      if (!facts.fraction) continue;
      const std::optional<double> s = scale(*facts.fraction + 1);
      if (*facts.fraction == deepest || !s) {
        facts.fraction.reset();
        continue;
      }
      const double small = *s * power(-*facts.fraction - 1);
      for (const auto& [leaf, value] :
           {std::pair(near(node(spot.node).children[2]), small), std::pair(spot.first, *s)}) {
        const double sent = value;
        want(spot.node, probe({{leaf, value}}), [&facts, sent](double r) {
          if (r != sent) facts.fraction.reset();
        });
      }
    }
    ask();
  }

  // Near the smallest result f a node that cuts may look less deep: its largest exponent is a floor. f/2 + x comes to f
  // where x is kept, by rounding to nearest; f - x to nothing, by rounding toward zero.
  void probe_floors() {
    struct Depth {
      int kept = 0, lost = 0;
    };
    const int low = p_.output.emin - p_.output.precision + 1;
    const double least = power(low);
    std::vector<Depth> depths(spots_.size());
    for (std::size_t i = 0; i < spots_.size(); ++i) {
      const Spot& spot = spots_[i];
      const auto [first, second] = own_leaves(spot);
      const bool nearest = rounds_to_nearest(spot.node);
      const double big = nearest ? least / 2 : least;
      for (int j = 1; j <= node_facts(spot.node).fraction.value_or(0); ++j) {
        Depth& depth = depths[i];
        want(spot.node, probe({{first, big}, {second, std::ldexp(nearest ? big : -big, -j)}}),
             [&depth, j, whole = nearest ? least : 0](double r) {
               if (r == whole) {
                 depth.kept = std::max(depth.kept, j);
               } else if (depth.lost == 0) {
                 depth.lost = j;
               }
             });
      }
    }
    ask();
    for (std::size_t i = 0; i < spots_.size(); ++i) {
      NodeFacts& facts = node_facts(spots_[i].node);
      const auto& [kept, lost] = depths[i];
      if (kept > 0 && lost == kept + 1)
        facts.floor = low - (rounds_to_nearest(spots_[i].node) ? 1 : 0) - kept + *facts.fraction;
    }
  }
  // Two terms of the node itself: below another they would be rounded before. Those of the spot where there are not so
  // many.
  std::pair<int, int> own_leaves(const Spot& spot) const {
    std::vector<int> own;
    for (const int child : node(spot.node).children) {
      const TreeNode& x = node(child);
      if (x.children.empty() && static_cast<std::size_t>(x.leaf) != p_.k) own.push_back(x.leaf);
    }
    return own.size() < 2 ? std::pair(spot.first, spot.second) : std::pair(own[0], own[1]);
  }
  bool rounds_to_nearest(int i) {
    for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
      if (deterministic_roundings[m] == Rounding::nearest_even) return (node_facts(i).modes >> m & 1U) != 0;
    }
    return false;
  }

  // A root that rounds to P places, and then to the p of the output, goes wrong where the first rounding makes
  // a tie for the second: 1 + 2^-p + 2^-(P+1), 1 + 3 2^-p - 2^-(P+1). Two of the terms stand below one child.
  void probe_last_rounding() {
    const int root = static_cast<int>(tree_.nodes.size()) - 1, p = p_.output.precision;
    if (node(root).children.size() != 2 || p_.operation == Operation::mean) return;
    for (const std::size_t side : {0U, 1U}) {
      const int pair = node(root).children[side], other = near(node(root).children[1 - side]);
      if (node(pair).children.empty()) continue;
      const int first = near(node(pair).children[0]), second = near(node(pair).children[1]);
      for (const int wide : {11, 14, 24, 53}) {
        for (int least = wide - 1; wide > p && least <= wide + 2; ++least) {
          const std::optional<double> s = scale(least);
          if (!s) continue;
          // The tie is broken to the even side below it, or above.
          for (const double tie : {1.0, 3.0}) {
            for (const double sign : {1.0, -1.0}) {
              const double middle = *s * tie * power(-p), small = sign * *s * power(-least);
              for (const auto& terms : {std::array{*s, middle, small}, std::array{middle, small, *s}})
                want(root, probe({{first, terms[0]}, {second, terms[1]}, {other, terms[2]}}), [](double) {});
            }
          }
        }
      }
    }
    ask();
  }

  // The smallest normal exponents that a node of this precision may have, as far as results show them.
  std::vector<int> bottoms(int precision) const {
    std::set<int> list;
    for (const FormatSpec& f : formats_of(precision == 0 ? p_.output.precision : precision)) {
      const int e = std::max(f.emin, p_.output.emin);
      if (e - 2 >= lowest_exponent(p_, true)) list.insert(e);
    }
    return {list.begin(), list.end()};
  }

  void probe_underflow(const Spot& spot) {
    NodeFacts& facts = node_facts(spot.node);
    for (const int e : bottoms(facts.precision)) {
      const double low = power(e);
      const auto record = [&](std::optional<Probe> x) {
        want(spot.node, std::move(x),
             [&facts, low](double r) { facts.signature += ' ' + std::to_string(r / low); });
      };
      if (spot.cancel >= 0) record(probe({{spot.first, 1.5 * low}, {spot.second, -low}, {spot.cancel, low}}));
      record(probe({{spot.first, 0.5 * low}, {spot.second, low}}));
      record(probe({{spot.first, 1.5 * low}, {spot.second, -low}}));
    }
  }

  // --- leaves ----------------------------------------------------------------------------------------------

  void probe_leaf(int v) {
    const int other = sibling(tree_, facts_, v), leaf = node(v).leaf;
    const bool is_c = static_cast<std::size_t>(leaf) == p_.k;
    if (other >= 0) {
      probe_product(v, leaf, other, is_c);
      probe_leaf_underflow(v, leaf, near(other));
    }
    if (!is_c) probe_operands(v, leaf);
  }

  // The precision that a node's value keeps on its way up from its nearest leaf.
  int path_precision(int from) {
    int path = 53;
    const int leaf = near(from);
    while (!node(from).children.empty()) {
      path = std::min(path, node_facts(from).kept);
      for (const int child : node(from).children) {
        if (near(child) == leaf) {
          from = child;
          break;
        }
      }
    }
    return path;
  }

  // A product of more places than `precision`, all but its last taken away by the sibling. It is so large that its last
  // place is a result.
  void probe_product(int v, int leaf, int other, bool is_c) {
    LeafFacts& facts = facts_.leaves[static_cast<std::size_t>(v)];
    const int path = path_precision(other);
    for (const int precision : precisions) {
      const int high = (precision + 1) / 2, low = precision / 2;
      const int up = std::max(0, least_result() + precision + std::max(0, -std::ilogb(p_.alpha)));
      if (up > 0 && (p_.operation == Operation::mean || up > std::min(p_.a.emax(), 100) - 2)) continue;
      double small = power(up - precision), rest = power(up);
      Probe x;
      if (!p_.has_b() || is_c) {
        const std::optional<Probe::Term> t = split(p_, leaf, rest + small);
        if (!t || rest + small == rest) continue;
        x.terms.push_back(*t);
      } else {
        if (high > p_.a.precision - 1 || low > p_.b.precision - 1 || high + 1 > path) continue;
        x.terms.push_back({leaf, rest * (1 + power(-high)), 1 + power(-low)});
        rest *= (1 + power(-high) + power(-low)) * p_.alpha;
        small *= p_.alpha;
      }
      const std::optional<Probe::Term> t = split(p_, near(other), -rest);
      if (!t || std::fabs(small) < power(least_result())) continue;
      x.terms.push_back(*t);
      const bool in_result = up <= p_.output.emax() - 2;
      want(v, x, [&facts, precision, small, in_result](double r) {
        if (!in_result && !is_evidence(r, small)) return;
        if (r != small && (facts.precision == 0 || precision < facts.precision)) facts.precision = precision;
      });
    }
  }

  void probe_leaf_underflow(int v, int leaf, int other) {
    LeafFacts& facts = facts_.leaves[static_cast<std::size_t>(v)];
    const int p = node_facts(facts_.parent[static_cast<std::size_t>(v)]).precision;
    for (const int e : bottoms(p)) {
      const double low = power(e), q = power(e - std::max(p, 1) + 1);
      const auto record = [&](std::optional<Probe> y) {
        want(v, std::move(y), [&facts, q](double r) { facts.signature += ' ' + std::to_string(r / q); });
      };
      record(probe({{leaf, 1.5 * q}, {other, q}}));
      record(probe({{leaf, 1.5 * q}, {other, -2 * q}}));
      record(probe({{leaf, 1.5 * q}, {other, low}}));
    }
  }

  // Subnormal operands whose product is none.
  void probe_operands(int v, int leaf) {
    LeafFacts& facts = facts_.leaves[static_cast<std::size_t>(v)];
    const bool sum = !p_.has_b();
    const auto record = [&](double a, double b) {
      Probe alone;
      alone.terms.push_back({leaf, a, b});
      want(v, alone, [&facts](double r) { facts.signature += r == 0 ? " 0" : " x"; });
    };
    record(power(p_.a.emin - 1), sum ? 1 : 4);
    if (!sum) record(4, power(p_.b.emin - 1));
  }

  Channel& channel_;
  const Problem& p_;
  const Tree& tree_;
  TreeFacts facts_{};
  std::vector<int> near_{};
  std::vector<Spot> spots_{};
  std::vector<Asked> wanted_{};
  std::vector<Reader> readers_{};
};

}  // namespace

TreeFacts find_facts(Channel& channel, const Tree& tree) { return Prober(channel, tree).run(); }

int sibling(const Tree& tree, const TreeFacts& facts, int node) {
  const int up = facts.parent[static_cast<std::size_t>(node)];
  if (up < 0) return -1;
  for (const int c : tree.nodes[static_cast<std::size_t>(up)].children) {
    if (c != node) return c;
  }
  return -1;
}

std::vector<FormatSpec> formats_of(int precision) {
  std::vector<FormatSpec> list;
  for (const bool finite : {false, true}) {
    for (const FormatSpec* f : formats::all) {
      if (f->precision == precision && (f->specials == Specials::finite) == finite) list.push_back(*f);
    }
  }
  if (list.empty()) {
    list.push_back(parse_format("custom:" + std::to_string(8 + precision) + "," + std::to_string(precision) +
                                ",-126,ieee"));
  }
  return list;
}

}  // namespace assay::diagnose
