#include "validation/diagnose/reveal/facts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "validation/diagnose/reveal/prober.hpp"

namespace assay::diagnose {
namespace {

constexpr std::array precisions{2, 3, 4, 8, 11, 14, 24, 53};

}  // namespace

TreeFacts Prober::run() {
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

void Prober::survey() {
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

void Prober::find_spots() {
  for (int v = 0; v < static_cast<int>(tree_.nodes.size()); ++v) {
    const std::vector<int>& children = node(v).children;
    if (children.empty()) continue;
    // A mean's root shows after the division alone.
    if (is_root(v) && p_.operation == SumOperation::mean) continue;
    spots_.push_back(
        {v, near(children[0]), near(children[1]), is_root(v) ? -1 : near(sibling(tree_, facts_, v))});
  }
}

std::optional<Probe> Prober::probe(std::initializer_list<std::pair<int, double>> terms) const {
  Probe x;
  for (const auto& [leaf, value] : terms) {
    const std::optional<Probe::Term> t = split(p_, leaf, value);
    if (!t) return std::nullopt;
    x.terms.push_back(*t);
  }
  return x;
}

void Prober::ask() {
  std::vector<Probe> probes;
  probes.reserve(wanted_.size());
  for (const AnsweredProbe& x : wanted_) probes.push_back(x.probe);
  const std::vector<std::uint64_t> codes = channel_.ask(probes, "rules");
  for (std::size_t i = 0; i < codes.size(); ++i) {
    wanted_[i].code = codes[i];
    readers_[i](channel_.value_of(codes[i]));
    facts_.asked.push_back(std::move(wanted_[i]));
  }
  wanted_.clear();
  readers_.clear();
}

std::optional<double> Prober::scale(int low) const {
  const int top = std::max(std::min(highest_exponent(p_), p_.output.emax()) - 2, 0);
  for (const bool subnormal : {false, true}) {
    const int places = subnormal ? p_.output.precision - 1 : 0;
    const int bottom = std::max(lowest_exponent(p_, subnormal), p_.output.emin - places);
    const int e = std::max({0, bottom + low, std::min(low - 14, top)});
    if (e <= top) return power(e);
  }
  return std::nullopt;
}

std::optional<double> Prober::scale(const Spot& spot, int low) const {
  const std::optional<double> in_result = scale(low);
  if (in_result || spot.cancel < 0) return in_result;
  const int e = least_result() + low;
  return e + 1 < std::min(highest_exponent(p_), formats::float32.emax()) ? std::optional(power(e))
                                                                         : std::nullopt;
}

void Prober::probe_leaf(int v) {
  const int other = sibling(tree_, facts_, v), leaf = node(v).leaf;
  const bool is_c = static_cast<std::size_t>(leaf) == p_.k;
  if (other >= 0) {
    probe_product(v, leaf, other, is_c);
    probe_leaf_underflow(v, leaf, near(other));
  }
  if (!is_c) probe_operands(v, leaf);
}

int Prober::path_precision(int from) {
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

void Prober::probe_product(int v, int leaf, int other, bool is_c) {
  LeafFacts& facts = facts_.leaves[static_cast<std::size_t>(v)];
  const int path = path_precision(other);
  for (const int precision : precisions) {
    const int high = (precision + 1) / 2, low = precision / 2;
    const int up = std::max(0, least_result() + precision + std::max(0, -std::ilogb(p_.alpha)));
    if (up > 0 && (p_.operation == SumOperation::mean || up > std::min(p_.a.emax(), 100) - 2)) continue;
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

void Prober::probe_leaf_underflow(int v, int leaf, int other) {
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

void Prober::probe_operands(int v, int leaf) {
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

TreeFacts find_facts(Channel& channel, const AdditionTree& tree) { return Prober(channel, tree).run(); }

int sibling(const AdditionTree& tree, const TreeFacts& facts, int node) {
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
