#include "validation/diagnose/rules.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "validation/diagnose/facts.hpp"
#include "validation/diagnose/scaling.hpp"

namespace assay::diagnose {
namespace {

constexpr std::array random_kinds{InputKind::tiny, InputKind::sparse, InputKind::normal, InputKind::wide,
                                  InputKind::zeros};

struct Datum {
  Operands in{};
  std::uint64_t code = 0;
  bool real = true;  // answered with the problem's own alpha and beta
};

class Inference {
 public:
  Inference(Channel& even, Channel& real, Tree& tree, std::uint64_t seed)
      : even_(even), real_(real), p_(real.problem()), tree_(tree), seed_(seed) {}

  FoundRules run() {
    tree_.output.format = p_.output;
    if (p_.operation == Operation::mean) tree_.output.mean = MeanRule{p_.output};
    tree_.node_rules = {NodeRule{p_.output}};
    tree_.leaf_rules = {LeafRule{}};
    facts_ = find_facts(even_, tree_);
    group();
    if (p_.scaled()) tree_.scaling = scaling_places(tree_, p_).front();
    train();
    descend();
    if (hopeless()) start_again();
    if (!hopeless()) {
      for (int round = 0; round < 12 && tell_apart(); ++round) descend_on();
      for (int again = 0; again < 3 && best_ > 0; ++again) start_again();
    }
    merge(tree_.node_rules, node_sample_, false);
    merge(tree_.leaf_rules, leaf_sample_, true);
    FoundRules found;
    found.training = data_.size();
    found.misses = misses(std::numeric_limits<std::size_t>::max());
    found.gave_up = spent();
    if (!hopeless()) found.ambiguous = ambiguous();
    return found;
  }

 private:
  std::size_t nodes() const { return tree_.nodes.size(); }
  const TreeNode& node(int i) const { return tree_.nodes[static_cast<std::size_t>(i)]; }

  int sibling(int i) const { return diagnose::sibling(tree_, facts_, i); }
  int parent(int i) const { return facts_.parent[static_cast<std::size_t>(i)]; }
  const NodeFacts& node_facts(int i) const { return facts_.nodes[static_cast<std::size_t>(i)]; }
  const LeafFacts& leaf_facts(int i) const { return facts_.leaves[static_cast<std::size_t>(i)]; }

  // --- what decides ----------------------------------------------------------------------------------------

  // The answers that decide: random inputs, and those probes that a member of a group was asked for; the
  // group's other members answered alike.
  void train() {
    std::set<int> samples(node_sample_.begin(), node_sample_.end());
    samples.insert(leaf_sample_.begin(), leaf_sample_.end());
    for (const Asked& x : facts_.asked) {
      if (samples.count(x.node) > 0) data_.push_back({operands_of(p_, x.probe), x.code, &even_ == &real_});
    }
    facts_.asked.clear();
    const std::size_t each = std::clamp<std::size_t>(40000 / (p_.k + 1), 12, 60);
    std::vector<Probe> probes;
    for (const InputKind kind : random_kinds) {
      for (std::uint64_t i = 0; i < each; ++i)
        probes.push_back(dense(random_operands(kind, seed_ ^ 0x7261696e00000000U, i)));
    }
    const std::vector<FormatSpec> formats = known_formats();
    const std::vector<Meeting> places = meetings();
    for (std::uint64_t i = 0; i < each; ++i)
      probes.push_back(dense(operands_of(p_, edge_probe(p_, formats, places, seed_, i))));
    // Nothing but zeros of one sign: whether a sum begins at +0 shows here alone.
    for (const double zero : {-0.0, 0.0}) {
      Probe x;
      x.unit_x = zero;
      x.end = p_.k;
      if (p_.c) x.terms.push_back({static_cast<int>(p_.k), zero, 1});
      probes.push_back(dense(operands_of(p_, x)));
    }
    if (p_.c && !p_.adds_c()) add_unread(probes);
    add_largest(probes);
    learn(probes);
  }

  // Where results end: of either sign a term as large as the output, and a sum of two, which overflows.
  void add_largest(std::vector<Probe>& probes) const {
    const int e = std::min(p_.output.emax(), highest_exponent(even_.problem()));
    for (const double sign : {1.0, -1.0}) {
      Probe x;
      for (int leaf = 0; leaf < static_cast<int>(std::min<std::size_t>(p_.k, 2)); ++leaf) {
        const std::optional<Probe::Term> t = split(even_.problem(), leaf, sign * std::ldexp(1.0, e));
        if (!t) continue;
        x.terms.push_back(*t);
        probes.push_back(dense(operands_of(p_, x)));
      }
    }
  }

  // What beta = 0 leaves of a C that is no number.
  void add_unread(std::vector<Probe>& probes) const {
    if (p_.c->specials != Specials::ieee) return;
    for (const std::uint64_t c : {p_.c->nan_code(), p_.c->infinity_code()}) {
      Operands x = random_operands(InputKind::normal, seed_ ^ 0x756e72656164U, 0);
      x.c = c;
      probes.push_back(dense(std::move(x)));
    }
  }

  static Probe dense(Operands operands) {
    Probe x;
    x.dense = std::make_shared<Operands>(std::move(operands));
    return x;
  }
  void learn(const std::vector<Probe>& probes) {
    const std::vector<std::uint64_t> codes = real_.ask(probes, "rules");
    for (std::size_t i = 0; i < codes.size(); ++i) data_.push_back({*probes[i].dense, codes[i], true});
  }
  Operands random_operands(InputKind kind, std::uint64_t seed, std::uint64_t i) const {
    Problem one = p_;
    one.m = one.n = 1;
    return operands_of(one, random_case(one, kind, seed, i), 0);
  }

  // Of each leaf and of each node; as often again of those that answered for their groups, however large the tree.
  std::vector<Meeting> meetings() const {
    std::vector<int> first(nodes(), -1);
    for (std::size_t i = 0; i < nodes(); ++i) {
      const TreeNode& t = tree_.nodes[i];
      first[i] = t.children.empty() ? t.leaf : first[static_cast<std::size_t>(t.children.front())];
    }
    const auto below = [&](int i) { return i < 0 ? -1 : first[static_cast<std::size_t>(i)]; };
    // Beside the node, or the last of its own many.
    const auto third = [&](int i) {
      if (i < 0 || sibling(i) >= 0) return below(i < 0 ? -1 : sibling(i));
      return node(i).children.size() > 2 ? below(node(i).children.back()) : -1;
    };
    const auto of = [&](int i) -> Meeting {
      const std::vector<int>& children = node(i).children;
      if (children.empty()) return {node(i).leaf, below(sibling(i)), third(parent(i))};
      return {below(children[0]), below(children[1]), third(i)};
    };
    std::vector<Meeting> list(tree_.leaves());
    for (int i = 0; i < static_cast<int>(nodes()); ++i) {
      if (node(i).children.empty()) {
        list[static_cast<std::size_t>(node(i).leaf)] = of(i);
      } else {
        list.push_back(of(i));
      }
    }
    std::vector<Meeting> samples;
    for (const std::vector<int>& group : {leaf_sample_, node_sample_}) {
      for (const int i : group) {
        samples.push_back(of(i));
        for (const int child : node(i).children) {
          if (!node(child).children.empty()) samples.push_back(of(child));
        }
      }
    }
    for (std::size_t i = 0, n = list.size(); i < n; ++i) list.push_back(samples[i % samples.size()]);
    return list;
  }

  // Formats whose ends and places may matter here: those of the data, and of rules that are possible.
  std::vector<FormatSpec> known_formats() const {
    std::vector<FormatSpec> list;
    const auto add = [&](const FormatSpec& f) {
      if (std::find(list.begin(), list.end(), f) == list.end()) list.push_back(f);
    };
    for (const FormatSpec* f : {&p_.a, &p_.b, &p_.output}) add(*f);
    for (std::size_t g = 0; g < tree_.node_rules.size(); ++g) {
      for (const NodeRule& r : node_candidates(g)) add(r.format);
    }
    for (const LeafRule& r : tree_.leaf_rules) {
      if (r.product) add(*r.product);
    }
    // Oftener those that are rules already.
    for (const NodeRule& r : tree_.node_rules) list.push_back(r.format);
    for (const LeafRule& r : tree_.leaf_rules) {
      if (r.product) list.push_back(*r.product);
    }
    return list;
  }

  bool same(std::uint64_t x, std::uint64_t y) const {
    return x == y || (p_.output.is_nan(x) && p_.output.is_nan(y));
  }

  // How many answers the present rules do not repeat; counting ends above `limit`. Answers that deny come
  // sooner the next time. Of large trees a first search looks at every stride_-th answer.
  std::size_t misses(std::size_t limit) {
    Evaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
    std::size_t count = 0;
    for (std::size_t i = 0; i < data_.size(); i += stride_) {
      if (same(evaluated(evaluate, data_[i].in, data_[i].real), data_[i].code)) continue;
      if (++count > limit) break;
      if (stride_ == 1 && i >= 2 * count) std::swap(data_[i], data_[i / 2]);
    }
    return count;
  }
  std::uint64_t evaluated(Evaluator& evaluate, const Operands& in, bool real = true) {
    work_ += nodes();
    const Problem& asked = real ? p_ : even_.problem();
    if (tree_.scaling) evaluate.set_scales(asked.alpha, asked.beta);
    const CodeVector a{in.a.data(), p_.k, 1, p_.a}, b{in.b.data(), p_.k, 1, p_.b};
    return evaluate(a, !p_.has_b() ? nullptr : &b, in.c);
  }

  void group() {
    std::map<std::string, int> node_groups, leaf_groups;
    tree_.node_rules.clear();
    tree_.leaf_rules.clear();
    const std::size_t root = nodes() - 1;
    for (std::size_t i = 0; i < nodes(); ++i) {
      TreeNode& t = tree_.nodes[i];
      if (t.children.empty()) continue;
      const NodeFacts& f = facts_.nodes[i];
      bool with_leaf = false;
      for (const int c : t.children) with_leaf = with_leaf || node(c).children.empty();
      std::string key = std::to_string(f.precision) + '/' + std::to_string(f.modes) + '/' + f.signature +
                        (with_leaf ? "/leaf" : "/inner") + (t.children.size() > 2 ? "/fused" : "") +
                        std::to_string(f.fraction.value_or(-1)) + '/' + std::to_string(f.floor.value_or(1));
      if (i == root) key = "root";
      const auto [at, fresh] = node_groups.try_emplace(key, static_cast<int>(tree_.node_rules.size()));
      if (fresh) {
        node_sample_.push_back(static_cast<int>(i));
        NodeRule rule;
        rule.format = f.precision > 0 ? formats_of(f.precision).front() : p_.output;
        rule.fraction = f.fraction;
        rule.floor = f.floor;
        for (std::size_t m = deterministic_roundings.size(); m-- > 0;) {
          if ((f.modes >> m & 1U) != 0) rule.rounding = deterministic_roundings[m];
        }
        tree_.node_rules.push_back(rule);
      }
      t.rule = at->second;
    }
    if (tree_.node_rules.empty()) {  // one leaf: the rule of its addition to +0, if there is one
      node_sample_.push_back(0);
      tree_.node_rules.push_back({p_.output});
    }
    for (std::size_t i = 0; i < nodes(); ++i) {
      TreeNode& t = tree_.nodes[i];
      if (!t.children.empty()) continue;
      const LeafFacts& f = facts_.leaves[i];
      const int up = facts_.parent[i], other = sibling(static_cast<int>(i));
      // Which of two leaves of one node came first can matter.
      const char* place = "/above";
      if (other >= 0 && node(other).children.empty() && node(up).children.size() == 2)
        place = node(other).leaf > t.leaf ? "/lower" : "/higher";
      const bool is_c = static_cast<std::size_t>(t.leaf) == p_.k;
      // A sum over sums that begins at +0 is as one whose first term does.
      const std::string key = std::to_string(f.precision) + '/' + f.signature + place + (is_c ? "/C" : "") +
                              (t.leaf == 0 ? "/first" : "") + std::to_string(up < 0 ? -1 : node(up).rule);
      const auto [at, fresh] = leaf_groups.try_emplace(key, static_cast<int>(tree_.leaf_rules.size()));
      if (fresh) {
        leaf_sample_.push_back(static_cast<int>(i));
        LeafRule rule;
        if (f.precision > 0) rule.product = formats_of(f.precision).front();
        tree_.leaf_rules.push_back(rule);
      }
      t.rule = at->second;
    }
  }

  // Groups that came to the same rule are one.
  template <class Rule>
  void merge(std::vector<Rule>& rules, std::vector<int>& samples, bool leaves) {
    std::vector<Rule> kept;
    std::vector<int> kept_samples, now(rules.size());
    for (std::size_t g = 0; g < rules.size(); ++g) {
      const auto at = std::find(kept.begin(), kept.end(), rules[g]);
      now[g] = static_cast<int>(at - kept.begin());
      if (at != kept.end()) continue;
      kept.push_back(rules[g]);
      kept_samples.push_back(samples[g]);
    }
    for (TreeNode& t : tree_.nodes) {
      if (t.children.empty() == leaves) t.rule = now[static_cast<std::size_t>(t.rule)];
    }
    rules = std::move(kept);
    samples = std::move(kept_samples);
  }

  const NodeRule& rule_above(int leaf_node) const {
    const int up = parent(leaf_node);
    return up < 0 ? tree_.node_rules.front() : tree_.node_rules[static_cast<std::size_t>(node(up).rule)];
  }

  std::vector<NodeRule> node_candidates(std::size_t group) const {
    const NodeFacts& f = node_facts(node_sample_[group]);
    const bool root = static_cast<std::size_t>(node_sample_[group]) == nodes() - 1;
    std::vector<FormatSpec> wanted;
    const auto add = [&](const FormatSpec& g) {
      if (std::find(wanted.begin(), wanted.end(), g) == wanted.end()) wanted.push_back(g);
    };
    if (f.precision > 0) {
      for (const FormatSpec& g : formats_of(f.precision)) add(g);
    }
    unsigned modes = f.modes;
    if (root || f.precision == 0) {
      // A root may keep more than its output shows.
      for (const NodeRule& r : tree_.node_rules) add(r.format);
      add(p_.output);
      for (const FormatSpec* g : {&formats::float32, &formats::float64, &formats::float16}) {
        if (g->precision > std::min(p_.output.precision, f.kept)) add(*g);
      }
      std::erase_if(wanted, [&](const FormatSpec& g) { return g.precision < f.kept; });
      if (nodes() == 1) {
        for (const FormatSpec* g : formats::all) add(*g);
      }
      if (tree_.node_rules.size() == 1) modes = all_modes;
      for (const NodeRule& r : tree_.node_rules) {
        for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
          if (deterministic_roundings[m] == r.rounding) modes |= 1U << m;
        }
      }
    }
    std::vector<NodeRule> list;
    for (const FormatSpec& g : wanted) {
      for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
        if ((modes >> m & 1U) == 0) continue;
        for (const bool in : {false, true}) {
          for (const bool out : {false, true}) {
            for (const bool padded : {false, true}) {
              if (padded && !root) continue;
              for (const auto& floor : floors(f)) {
                list.push_back({g, deterministic_roundings[m], in, out, f.fraction, padded, floor});
                if (is_nearest(deterministic_roundings[m])) continue;
                list.push_back(list.back());
                list.back().infinite = true;
              }
            }
          }
        }
      }
    }
    return list;
  }

  static bool is_nearest(Rounding mode) {
    return mode == Rounding::nearest_even || mode == Rounding::nearest_away;
  }

  // Of a node that cuts: what it showed, and what others did.
  std::vector<std::optional<int>> floors(const NodeFacts& f) const {
    std::vector<std::optional<int>> list{f.floor};
    for (const NodeRule& r : tree_.node_rules) {
      if (f.fraction && std::find(list.begin(), list.end(), r.floor) == list.end()) list.push_back(r.floor);
    }
    return list;
  }

  std::vector<LeafRule> leaf_candidates(std::size_t group) const {
    const LeafFacts& f = leaf_facts(leaf_sample_[group]);
    const NodeRule& above = rule_above(leaf_sample_[group]);
    std::vector<std::optional<FormatSpec>> products;
    const auto add = [&](const std::optional<FormatSpec>& g) {
      if (std::find(products.begin(), products.end(), g) == products.end()) products.push_back(g);
    };
    if (f.precision == 0) {
      add(std::nullopt);
      // Wide enough to have kept all that was seen, narrow enough to underflow.
      add(above.format);
      add(p_.a);
      add(p_.output);
      for (const FormatSpec* g : {&formats::float32, &formats::float16, &formats::bfloat16, &formats::tf32})
        add(*g);
    } else {
      for (const FormatSpec& g : formats_of(f.precision)) add(g);
      // Rounded by the addition to +0 that it starts with, after what other leaves go through.
      add(std::nullopt);
      for (const LeafRule& r : tree_.leaf_rules) add(r.product);
      for (const FormatSpec* g : {&formats::float32, &formats::bfloat16, &formats::float16, &formats::tf32})
        add(*g);
    }
    std::set<Rounding> modes{above.rounding, Rounding::nearest_even};
    const int up = parent(leaf_sample_[group]);
    if (up < 0 || std::popcount(node_facts(up).modes) > 1)
      modes.insert(deterministic_roundings.begin(), deterministic_roundings.end());
    std::vector<LeafRule> list;
    for (const auto& product : products) {
      for (const bool started : {false, true}) {
        for (const Rounding mode : modes) {
          if (!product && mode != *modes.begin()) continue;
          for (const bool in : {false, true}) {
            for (const bool out : {false, true}) {
              if (out && !product) continue;
              list.push_back({product, mode, started, in, out});
            }
          }
        }
      }
    }
    return list;
  }

  // The best of the candidates for one rule, all else as it is; the present one stays where nothing is
  // better.
  template <class Rule>
  void improve(Rule& rule, const std::vector<Rule>& candidates) {
    const Rule before = rule;
    Rule best = before;
    for (const Rule& candidate : candidates) {
      if (candidate == before) continue;
      if (best_ == 0 || spent()) break;
      rule = candidate;
      const std::size_t now = misses(best_ - 1);
      if (now < best_) {
        best_ = now;
        best = candidate;
      }
    }
    rule = best;
  }

  // One setting for all rules at once, as most machines have it.
  struct Uniform {
    std::optional<NodeRule> root{};                // the rule of other nodes for the root too
    std::optional<FormatSpec> range{}, product{};  // for all formats of its precision; for exact leaves
    std::optional<FormatSpec> wide{};              // for nodes that were seen to lose nothing, and the root
    bool flush_inputs = false, flush_results = false;
    unsigned start = 0;  // which leaves are added to +0, see start_leaf()
    bool apart = false;  // what alpha, beta and C enter flushes nothing: another unit of the machine
  };

  static void also(std::vector<std::optional<FormatSpec>>& list, const FormatSpec& f) {
    if (std::find(list.begin(), list.end(), std::optional(f)) == list.end()) list.emplace_back(f);
  }
  int root_rule() const { return tree_.nodes.back().children.empty() ? -1 : tree_.nodes.back().rule; }

  std::vector<Uniform> uniform_settings() const {
    std::vector<std::optional<NodeRule>> roots{std::nullopt};
    for (std::size_t g = 0; g < tree_.node_rules.size(); ++g) {
      if (static_cast<int>(g) != root_rule()) roots.emplace_back(tree_.node_rules[g]);
    }
    // Products that were exact as far as their digits go may be rounded to anything that is wide enough: it
    // shows where they underflow.
    std::vector<std::optional<FormatSpec>> ranges{std::nullopt}, products{std::nullopt};
    for (const NodeRule& r : tree_.node_rules) {
      const std::vector<FormatSpec> alike = formats_of(r.format.precision);
      for (std::size_t i = 1; i < alike.size(); ++i) also(ranges, alike[i]);
      also(products, r.format);
    }
    for (const FormatSpec* f :
         {&formats::float32, &formats::float16, &formats::bfloat16, &formats::tf32, &p_.a, &p_.output}) {
      also(products, *f);
    }
    std::vector<std::optional<FormatSpec>> wides{std::nullopt};
    for (const int i : node_sample_) {
      if (nodes() > 1 && node_facts(i).precision == 0) also(wides, formats::float64);
    }
    // A root alone: no other node shows how it rounds.
    if (nodes() > 1 && tree_.node_rules.size() == 1) {
      for (const NodeRule& r : node_candidates(0)) {
        if (!r.flush_inputs && !r.flush_result && !r.padded) roots.emplace_back(r);
      }
    }
    std::vector<Uniform> list;
    for (const auto& wide : wides) {
      for (const auto& root : roots) {
        for (const auto& range : ranges) {
          for (unsigned how = 0; how < 4; ++how) {
            for (unsigned start = 0; start < start_patterns; ++start) {
              for (const auto& product : products)
                list.push_back({root, range, product, wide, (how & 1U) != 0, (how & 2U) != 0, start});
            }
          }
        }
      }
    }
    if (tree_.addend || tree_.scaling) {
      for (std::size_t i = 0, n = list.size(); i < n; ++i) {
        Uniform u = list[i];
        u.apart = true;
        if (u.flush_inputs || u.flush_results) list.push_back(u);
      }
    }
    return list;
  }

  struct Rules {
    std::vector<LeafRule> leaves;
    std::vector<NodeRule> nodes;
    OutputRule output;
    std::optional<Scaling> scaling;
  };
  Rules rules() const { return {tree_.leaf_rules, tree_.node_rules, tree_.output, tree_.scaling}; }
  void set(const Rules& r) {
    tree_.leaf_rules = r.leaves;
    tree_.node_rules = r.nodes;
    tree_.output = r.output;
    tree_.scaling = r.scaling;
  }

  // The setting applied to `from`.
  void apply(const Uniform& u, const Rules& from) {
    set(from);
    for (std::size_t g = 0; u.wide && g < tree_.node_rules.size(); ++g) {
      if (node_facts(node_sample_[g]).precision == 0 || static_cast<int>(g) == root_rule())
        tree_.node_rules[g].format = *u.wide;
    }
    if (u.root && root_rule() >= 0) {
      NodeRule& root = tree_.node_rules[static_cast<std::size_t>(root_rule())];
      const std::optional<int> fraction = root.fraction, floor = root.floor;
      root = *u.root;
      root.fraction = fraction;
      root.floor = floor;
    }
    for (NodeRule& r : tree_.node_rules) {
      if (u.range && r.format.precision == u.range->precision) r.format = *u.range;
      r.flush_inputs = u.flush_inputs;
      r.flush_result = u.flush_results;
    }
    for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g) start_leaf(g, u);
    if (tree_.scaling) {
      if (root_rule() >= 0)
        tree_.scaling->rounding = tree_.node_rules[static_cast<std::size_t>(root_rule())].rounding;
      tree_.scaling->flush = u.flush_inputs || u.flush_results;
    }
    if (u.apart) set_apart();
  }

  void set_apart() {
    if (root_rule() >= 0) {
      NodeRule& root = tree_.node_rules[static_cast<std::size_t>(root_rule())];
      root.flush_inputs = root.flush_result = false;
    }
    for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g) {
      if (is_c(leaf_sample_[g]))
        tree_.leaf_rules[g].flush_operands = tree_.leaf_rules[g].flush_result = false;
    }
    if (tree_.scaling) tree_.scaling->flush = false;
  }
  bool is_c(int leaf_node) const { return static_cast<std::size_t>(node(leaf_node).leaf) == p_.k; }

  void uniform() {
    Rules best = beginning_;
    set(beginning_);
    best_ = std::numeric_limits<std::size_t>::max();
    if (uniform_settings_.empty()) uniform_settings_ = uniform_settings();
    for (const Uniform& u : uniform_settings_) {
      apply(u, beginning_);
      const std::size_t now = misses(best_ - 1);
      if (now >= best_) continue;
      best_ = now;
      best = rules();
      if (best_ == 0 || spent()) break;
    }
    set(best);
  }

  // Ways for leaves to be added to +0, or not: no leaf, some, or all.
  static constexpr unsigned start_patterns = 6;
  bool starts(std::size_t g, unsigned pattern) const {
    const int i = leaf_sample_[g], other = sibling(i);
    const bool bottom = other >= 0 && node(other).children.empty();
    const bool lower = bottom && node(i).leaf < node(other).leaf;
    switch (pattern) {
      case 0: return false;
      case 1: return bottom && lower;
      case 2: return bottom && !lower;
      case 3: return leaf_facts(i).precision > 0;
      case 4: return node(i).leaf == 0;
      default: return true;
    }
  }

  void start_leaf(std::size_t g, const Uniform& u) {
    LeafRule& r = tree_.leaf_rules[g];
    const int i = leaf_sample_[g];
    r.rounding = rule_above(i).rounding;
    r.flush_operands = u.flush_inputs;
    r.flush_result = u.flush_results;
    r.started = starts(g, u.start);
    if (r.started && u.start == 3) r.product.reset();
    if (r.product && u.range && r.product->precision == u.range->precision) r.product = *u.range;
    if (!r.product && !is_c(i)) r.product = u.product;
  }

  void descend() {
    if (tree_.scaling) {
      best_ = misses(std::numeric_limits<std::size_t>::max());
      improve(*tree_.scaling, scaling_places(tree_, p_));
    }
    beginning_ = rules();
    stride_ = std::max<std::size_t>(1, data_.size() * nodes() / 60000);
    uniform();
    stride_ = 1;
    descend_on();
  }

  // From all that is known by now: where single steps lead no further, another beginning may.
  void start_again() {
    const Rules before = rules();
    const std::size_t misses_before = best_;
    uniform();
    descend_on();
    if (best_ >= misses_before) {
      set(before);
      best_ = misses_before;
    }
    for (int round = 0; round < 12 && !hopeless() && tell_apart(); ++round) descend_on();
  }

  // No tree with these rules makes the answers: more of them would show no more. Sums that are rounded at random.
  bool hopeless() const { return best_ > data_.size() / 4 || spent(); }

  // Nodes evaluated so far. What has rules took up to 1.9e8 with 400 nodes and 3.4e8 with 8191; where nothing fits, the
  // search would go on for minutes.
  bool spent() const { return work_ > 400'000'000 + 200'000 * nodes(); }

  void descend_on() {
    best_ = misses(std::numeric_limits<std::size_t>::max());
    for (int round = 0; round < (hopeless() ? 2 : 6) && best_ > 0; ++round) {
      const std::size_t before = best_;
      for (std::size_t g = 0; g < tree_.node_rules.size(); ++g)
        improve(tree_.node_rules[g], node_candidates(g));
      for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g)
        improve(tree_.leaf_rules[g], leaf_candidates(g));
      improve(tree_.output, output_candidates());
      if (tree_.scaling) {
        improve(*tree_.scaling, scaling_variants(tree_, p_));
        improve(*tree_.scaling, scaling_places(tree_, p_));
      }
      if (best_ == before) improve_all_leaves();
      if (best_ == before) improve_start();
      if (best_ == before && nodes() == 1) improve_alone();
      if (best_ == before) break;
    }
  }

  // All leaves at once: where every term underflows, one group alone changes nothing for the better. Those that were
  // seen to keep as many places; or really all, with the sum added to +0 or not: what a product was rounded to decides
  // which sums are zeros, and -0.
  void improve_all_leaves() {
    const Rules before = rules();
    improve_all_leaves(false);
    if (tree_.leaf_rules != before.leaves) return;
    for (int turn = 0; turn < 2; ++turn) {
      improve_all_leaves(true);
      if (tree_.leaf_rules != before.leaves) return;
      tree_.output.started = !tree_.output.started;
    }
  }
  void improve_all_leaves(bool really) {
    const std::vector<LeafRule> before = tree_.leaf_rules;
    std::vector<LeafRule> best = before;
    for (std::size_t g = 0; g < before.size() && best_ > 0 && !spent(); ++g) {
      for (const LeafRule& candidate : leaf_candidates(g)) {
        for (std::size_t other = 0; other < before.size(); ++other) {
          LeafRule& r = tree_.leaf_rules[other];
          r = before[other];
          const bool started = r.started;
          if (really || leaf_facts(leaf_sample_[other]).precision == leaf_facts(leaf_sample_[g]).precision) {
            r = candidate;
            r.started = other == g ? candidate.started : started;
          }
        }
        const std::size_t now = best_ == 0 ? 1 : misses(best_ - 1);
        if (now < best_) {
          best_ = now;
          best = tree_.leaf_rules;
        }
      }
      tree_.leaf_rules = best;
    }
    tree_.leaf_rules = best;
  }

  // What is added to +0: the sum, its leaves, or a padding before the last term. Each takes the sign from a sum of
  // nothing but -0, so that one in the place of another must go as the other comes. Leaves: as starts() has them, or
  // those that keep as many places as the node above; the latter as they are, or rounded by that addition alone.
  void improve_start() {
    const Rules before = rules();
    Rules best = before;
    for (unsigned how = 0; how < 4 * (start_patterns + 2) && best_ > 0; ++how) {
      set(before);
      const unsigned leaves = how / 4;
      tree_.output.started = (how & 1U) != 0;
      if (root_rule() >= 0) tree_.node_rules[static_cast<std::size_t>(root_rule())].padded = (how & 2U) != 0;
      for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g) {
        LeafRule& r = tree_.leaf_rules[g];
        const int i = leaf_sample_[g];
        r.started = leaves < start_patterns ? starts(g, leaves)
                                            : leaf_facts(i).precision == rule_above(i).format.precision;
        if (leaves == start_patterns + 1 && r.started) r.product.reset();
      }
      const std::size_t now = misses(best_ - 1);
      if (now >= best_) continue;
      best_ = now;
      best = rules();
    }
    set(best);
  }

  // One leaf and nothing else: what its product is rounded to and what the sum is show together only.
  void improve_alone() {
    const Rules before = rules();
    Rules best = before;
    for (const NodeRule& node : node_candidates(0)) {
      if (node.padded) continue;
      for (const LeafRule& leaf : leaf_candidates(0)) {
        if (best_ == 0) break;
        tree_.node_rules[0] = node;
        tree_.leaf_rules[0] = leaf;
        const std::size_t now = misses(best_ - 1);
        if (now >= best_) continue;
        best_ = now;
        best = rules();
      }
    }
    set(best);
  }

  std::vector<OutputRule> output_candidates() const {
    std::vector<OutputRule> list;
    for (const auto& mean : mean_candidates()) {
      for (const Rounding mode : deterministic_roundings) {
        for (const bool flush : {false, true}) {
          for (const bool started : {false, true}) list.push_back({p_.output, mode, flush, started, mean});
        }
      }
    }
    return list;
  }

  std::vector<std::optional<MeanRule>> mean_candidates() const {
    if (!tree_.output.mean) return {std::nullopt};
    std::vector<std::optional<FormatSpec>> formats;
    for (const NodeRule& r : tree_.node_rules) also(formats, r.format);
    for (const FormatSpec& f : {p_.output, assay::formats::float32, assay::formats::float64})
      also(formats, f);
    std::vector<std::optional<MeanRule>> list;
    for (const auto& f : formats) {
      for (const Rounding mode : std::set{Rounding::nearest_even, tree_.node_rules.back().rounding}) {
        for (const bool reciprocal : {false, true}) list.push_back(MeanRule{*f, mode, reciprocal});
      }
    }
    return list;
  }

  // Body(alternative, restore): every other setting of one rule that repeats as many answers as the present
  // one.
  template <class Body>
  void each_alternative(const Body& body) {
    const auto visit = [&](auto& rule, const auto& candidates, const std::string& whose) {
      const auto chosen = rule;
      for (const auto& candidate : candidates) {
        if (candidate == chosen) continue;
        if (spent()) return;
        rule = candidate;
        const bool as_good = misses(best_) <= best_;
        rule = chosen;
        if (as_good) body(rule, candidate, whose);
      }
    };
    for (std::size_t g = 0; g < tree_.node_rules.size(); ++g)
      visit(tree_.node_rules[g], node_candidates(g), "node rule " + std::to_string(g));
    for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g)
      visit(tree_.leaf_rules[g], leaf_candidates(g), "leaf rule " + std::to_string(g));
    visit(tree_.output, output_alternatives(), "output");
    if (tree_.scaling) {
      visit(*tree_.scaling, scaling_variants(tree_, p_), "alpha and beta");
      visit(*tree_.scaling, scaling_places(tree_, p_), "alpha and beta");
    }
  }

  // Without those that can differ nowhere: the output holds whatever the root comes to.
  std::vector<OutputRule> output_alternatives() const {
    std::vector<OutputRule> list = output_candidates();
    const bool exact =
        root_rule() >= 0 &&
        contains_format(p_.output, tree_.node_rules[static_cast<std::size_t>(root_rule())].format);
    if (exact) std::erase_if(list, [&](const OutputRule& r) { return r.rounding != tree_.output.rounding; });
    return list;
  }

  std::string rules_text() const {
    std::string text;
    for (const NodeRule& r : tree_.node_rules) text += describe(r) + '\n';
    for (const LeafRule& r : tree_.leaf_rules) text += describe(r) + '\n';
    return text + describe(tree_.output) + (tree_.scaling ? '\n' + text_of(*tree_.scaling) : "");
  }

  static std::string text_of(const LeafRule& rule) { return describe(rule); }
  static std::string text_of(const NodeRule& rule) { return describe(rule); }
  static std::string text_of(const OutputRule& rule) { return describe(rule); }
  std::string text_of(const Scaling& rule) const { return describe(rule, tree_); }

  void fill_pool() {
    const std::size_t each = std::clamp<std::size_t>(60000 / (p_.k + 1), 20, 80);
    const std::vector<FormatSpec> formats = known_formats();
    const std::vector<Meeting> places = meetings();
    const std::size_t edges = std::clamp<std::size_t>(160000 / nodes(), 100, 8000);
    for (const InputKind kind : random_kinds) {
      for (std::uint64_t i = 0; i < each; ++i)
        pool_.push_back({random_operands(kind, seed_ ^ 0x706f6f6c00000000U, i)});
    }
    for (std::uint64_t i = 0; i < edges; ++i)
      pool_.push_back(
          {operands_of(p_, edge_probe(p_, formats, places, seed_, (std::uint64_t{1} << 32) + i))});
  }

  // Inputs on which settings differ that nothing told apart so far, asked. False if there are none: what is
  // left is the same on all that was tried.
  bool tell_apart() {
    if (spent()) return false;
    if (pool_.empty()) fill_pool();
    const std::string now = rules_text();
    if (now != pooled_for_) {
      scanned_.clear();
      pool_coded_ = 0;
      pooled_for_ = now;
    }
    // While rules still change, a part of the pool shows enough.
    std::vector<std::size_t> chosen;
    choose_below(pool_.size() / 4, chosen);
    if (chosen.empty()) choose_below(pool_.size(), chosen);
    if (chosen.empty()) return false;
    std::vector<Probe> probes;
    for (const std::size_t i : chosen) probes.push_back(dense(pool_[i].in));
    learn(probes);
    return true;
  }

  // Of the first `end` inputs of the pool.
  void choose_below(std::size_t end, std::vector<std::size_t>& chosen) {
    Evaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
    for (; pool_coded_ < end; ++pool_coded_)
      pool_[pool_coded_].code = evaluated(evaluate, pool_[pool_coded_].in);
    each_alternative([&](auto& rule, const auto& candidate, const std::string& whose) {
      const auto before = rule;
      rule = candidate;
      choose_telling(whose + text_of(candidate), end, chosen);
      rule = before;
    });
    // Several rules may be wrong together where each of them alone fits what was answered.
    if (!chosen.empty() || end < pool_.size()) return;
    const Rules before = rules();
    const auto hold_against = [&] {
      if (!spent() && misses(best_) <= best_) choose_telling(rules_text(), end, chosen);
      set(before);
    };
    for (unsigned start = 0; start < 2 * start_patterns; ++start) {
      tree_.output.started = start % 2 != 0;
      for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g)
        tree_.leaf_rules[g].started = starts(g, start / 2);
      hold_against();
    }
    for (const Uniform& u : uniform_settings_) {
      apply(u, beginning_);
      hold_against();
    }
  }

  // Adds up to three inputs of the pool's first `end` on which the rules as they stand, called `name`, differ
  // from the chosen ones.
  void choose_telling(const std::string& name, std::size_t end, std::vector<std::size_t>& chosen) {
    Evaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
    std::size_t& next = scanned_[name];
    for (std::size_t found = 0; next < end && found < 3; ++next) {
      if (pool_[next].asked || same(evaluated(evaluate, pool_[next].in), pool_[next].code)) continue;
      pool_[next].asked = true;
      chosen.push_back(next);
      ++found;
    }
  }

  // Other rules that repeat as many answers, after all inputs that could tell were asked.
  std::vector<std::string> ambiguous() {
    std::map<std::string, std::pair<std::string, std::size_t>> by_rule;
    each_alternative([&](auto& rule, const auto& candidate, const std::string& whose) {
      auto& [text, count] = by_rule[whose];
      if (count == 0) text = text_of(rule);
      if (++count <= 2) text += " | " + text_of(candidate);
    });
    std::vector<std::string> list;
    for (const auto& [whose, what] : by_rule) {
      list.push_back(whose + ": " + what.first +
                     (what.second > 2 ? " | " + std::to_string(what.second - 2) + " more" : ""));
    }
    return list;
  }

  struct Pooled {
    Operands in{};
    std::uint64_t code = 0;
    bool asked = false;
  };

  Channel &even_, &real_;
  const Problem& p_;
  Tree& tree_;
  std::uint64_t seed_;
  TreeFacts facts_{};
  std::vector<int> node_sample_, leaf_sample_;  // a member of each group
  std::vector<Datum> data_;
  std::vector<Pooled> pool_;
  Rules beginning_{};  // as the groups showed them
  std::vector<Uniform> uniform_settings_{};
  std::string pooled_for_;  // the rules that pool_'s codes are of
  std::size_t best_ = 0, stride_ = 1;
  std::uint64_t work_ = 0;
  std::size_t pool_coded_ = 0;  // so many have the code of the present rules
  std::map<std::string, std::size_t>
      scanned_;  // of an alternative, the first of the pool that it was not held against
};

std::string rounding_text(const FormatSpec& f, Rounding mode) {
  std::string text(f.dtype);
  if (text == "custom") text = std::to_string(f.precision) + " places";
  return text + ' ' + std::string(rounding_name(mode));
}

}  // namespace

FoundRules find_rules(Channel& even, Channel& real, Tree& tree, std::uint64_t seed) {
  return Inference(even, real, tree, seed).run();
}

std::string describe(const NodeRule& r) {
  std::string text = rounding_text(r.format, r.rounding);
  if (r.fraction) text += ", terms cut to " + std::to_string(*r.fraction) + " places below the largest";
  if (r.floor) text += " or below 2^" + std::to_string(*r.floor);
  if (r.flush_inputs) text += ", flushes inputs";
  if (r.flush_result) text += ", flushes results";
  if (r.infinite) text += ", overflows to infinity";
  if (r.padded) text += ", +0 added to the sum before the last term";
  return text;
}

std::string describe(const LeafRule& r) {
  std::string text = r.product ? "rounded to " + rounding_text(*r.product, r.rounding) : "exact";
  if (r.started) text += ", added to +0";
  if (r.flush_operands) text += ", flushes operands";
  if (r.flush_result) text += ", flushes results";
  return text;
}

std::string describe(const OutputRule& r) {
  return rounding_text(r.format, r.rounding) + (r.flush ? ", flushes results" : "") +
         (r.started ? ", after an addition to +0" : "") +
         (r.mean ? std::string(", after ") +
                       (r.mean->reciprocal ? "times the reciprocal of the number of terms"
                                           : "a division by the number of terms") +
                       ", " + rounding_text(r.mean->format, r.mean->rounding)
                 : "");
}

}  // namespace assay::diagnose
