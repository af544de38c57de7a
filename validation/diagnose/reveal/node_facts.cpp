// What probes of nodes show: places kept, roundings, how deep a node of many terms looks, underflow.
#include <algorithm>
#include <array>
#include <set>

#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/reveal/prober.hpp"

namespace assay::diagnose {
namespace {

// 25 as well: a narrow result has no room for 53, and float32 must be seen to lose something.
constexpr std::array node_precisions{2, 3, 4, 8, 11, 14, 24, 25, 53};

ExactValue<Wide> wide_sum_of(double a, double b) {
  return wide_sum(widened(exact(a)), widened(exact(b)), Rounding::nearest_even);
}

}  // namespace

void Prober::want_places(const Spot& spot, int precision, const std::function<void(bool)>& read) {
  const std::optional<double> s = scale(spot, precision - 1);
  if (!s) return;
  const double small = *s * power(1 - precision), whole = seen(spot, *s, *s + small);
  const bool in_result = scale(precision - 1).has_value();
  want(spot.node, sum_probe(spot, *s, small), [=](double r) {
    if (in_result || is_evidence(r, small)) read(r == whole);
  });
}

void Prober::want_arrival(const Spot& spot, int precision, Places& places) {
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

void Prober::probe_precisions() {
  std::vector<Places> all(spots_.size());
  for (std::size_t i = 0; i < spots_.size(); ++i) {
    for (const int precision : node_precisions)
      want_places(spots_[i], precision,
                  [this, i, precision, &all](bool kept) { note_places(spots_[i], all[i], precision, kept); });
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

void Prober::note_places(const Spot& spot, Places& places, int precision, bool kept) {
  NodeFacts& facts = node_facts(spot.node);
  if (kept) {
    facts.kept = std::max(facts.kept, precision);
    if (places.first_lost <= facts.kept) places.first_lost = 0;
  } else if (precision > facts.kept && (places.first_lost == 0 || precision < places.first_lost)) {
    places.first_lost = precision;
  }
}

void Prober::probe_modes() {
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

unsigned Prober::mirrored(unsigned modes) {
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

void Prober::probe_fractions() {
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

void Prober::probe_floors() {
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

std::pair<int, int> Prober::own_leaves(const Spot& spot) const {
  std::vector<int> own;
  for (const int child : node(spot.node).children) {
    const TreeNode& x = node(child);
    if (x.children.empty() && static_cast<std::size_t>(x.leaf) != p_.k) own.push_back(x.leaf);
  }
  return own.size() < 2 ? std::pair(spot.first, spot.second) : std::pair(own[0], own[1]);
}

bool Prober::rounds_to_nearest(int i) {
  for (std::size_t m = 0; m < deterministic_roundings.size(); ++m) {
    if (deterministic_roundings[m] == Rounding::nearest_even) return (node_facts(i).modes >> m & 1U) != 0;
  }
  return false;
}

void Prober::probe_last_rounding() {
  const int root = static_cast<int>(tree_.nodes.size()) - 1, p = p_.output.precision;
  if (node(root).children.size() != 2 || p_.operation == SumOperation::mean) return;
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

std::vector<int> Prober::bottoms(int precision) const {
  std::set<int> list;
  for (const FormatSpec& f : formats_of(precision == 0 ? p_.output.precision : precision)) {
    const int e = std::max(f.emin, p_.output.emin);
    if (e - 2 >= lowest_exponent(p_, true)) list.insert(e);
  }
  return {list.begin(), list.end()};
}

void Prober::probe_underflow(const Spot& spot) {
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

}  // namespace assay::diagnose
