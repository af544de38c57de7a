// Which rules fit as well as the chosen ones, and inputs that tell them apart.
#include <algorithm>
#include <utility>

#include "reference/exact/tree_evaluator.hpp"
#include "validation/diagnose/reveal/inference.hpp"
#include "validation/diagnose/reveal/scaling.hpp"

namespace assay::diagnose {
namespace {

template <class Rule>
std::string text_of(const Rule& rule, const AdditionTree&) {
  return describe(rule);
}
std::string text_of(const TreeScaling& rule, const AdditionTree& tree) { return describe(rule, tree); }
std::string text_of(Tininess rule, const AdditionTree&) { return std::string(tininess_name(rule)); }
std::string text_of(SkippedTerms rule, const AdditionTree&) { return std::string(skipped_name(rule)); }

}  // namespace

// visit(rule, candidates, whose rule it is), of each rule that may be another.
template <class Visit>
void Inference::each_rule(const Visit& visit) {
  for (std::size_t g = 0; g < tree_.node_rules.size(); ++g)
    visit(tree_.node_rules[g], groups_.node_candidates(g), "node rule " + std::to_string(g));
  for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g)
    visit(tree_.leaf_rules[g], groups_.leaf_candidates(g), "leaf rule " + std::to_string(g));
  visit(tree_.output, groups_.output_alternatives(), "output");
  visit(tree_.output, groups_.output_overflows(), "output");
  visit(tree_.tiny, groups_.tiny_candidates(), "tiny results");
  visit(tree_.skipped, groups_.skipped_candidates(), "zero terms skipped");
  if (tree_.scaling) {
    visit(*tree_.scaling, scaling_variants(tree_, p_), "alpha and beta");
    visit(*tree_.scaling, scaling_places(tree_, p_), "alpha and beta");
  }
}

// body(rule, candidate, whose rule it is): every other setting of one rule that repeats as many answers as the present
// one.
template <class Body>
void Inference::each_alternative(const Body& body) {
  each_rule([&](auto& rule, const auto& candidates, const std::string& whose) {
    const auto chosen = rule;
    for (const auto& candidate : candidates) {
      if (candidate == chosen) continue;
      if (spent()) return;
      rule = candidate;
      const bool as_good = misses(best_) <= best_;
      rule = chosen;
      if (as_good) body(rule, candidate, whose);
    }
  });
}

// body(text of the rule, misses), with the tree having it: every other setting of one rule that misses at most so many.
template <class Body>
void Inference::each_near(std::size_t most_misses, const Body& body) {
  each_rule([&](auto& rule, const auto& candidates, const std::string& whose) {
    const auto chosen = rule;
    for (const auto& candidate : candidates) {
      if (candidate == chosen) continue;
      if (spent()) return;
      rule = candidate;
      const std::size_t now = misses(most_misses);
      if (now <= most_misses) body(whose + ": " + text_of(candidate, tree_), now);
      rule = chosen;
    }
  });
}

std::string Inference::rules_text() const {
  std::string text;
  for (const NodeRule& r : tree_.node_rules) text += describe(r) + '\n';
  for (const LeafRule& r : tree_.leaf_rules) text += describe(r) + '\n';
  return text + describe(tree_.output) + '\n' + std::string(tininess_name(tree_.tiny)) + '\n' +
         std::string(skipped_name(tree_.skipped)) +
         (tree_.scaling ? '\n' + describe(*tree_.scaling, tree_) : "");
}

void Inference::fill_pool() {
  const std::size_t each = std::clamp<std::size_t>(60000 / (p_.k + 1), 20, 80);
  const std::vector<FormatSpec> formats = groups_.known_formats();
  const std::vector<Meeting> places = groups_.meetings();
  const std::size_t edges = std::clamp<std::size_t>(160000 / nodes(), 100, 8000);
  for (const auto& [kind, one_in] : random_inputs) {
    for (std::uint64_t i = 0; i < each / one_in; ++i)
      pool_.push_back({random_operands(kind, seed_ ^ 0x706f6f6c00000000U, i)});
  }
  for (std::uint64_t i = 0; i < edges; ++i)
    pool_.push_back({operands_of(p_, edge_probe(p_, formats, places, seed_, (std::uint64_t{1} << 32) + i))});
}

// Inputs on which settings differ that nothing told apart so far, asked. False if there are none: what is
// left is the same on all that was tried.
bool Inference::tell_apart() {
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
void Inference::choose_below(std::size_t end, std::vector<std::size_t>& chosen) {
  TreeEvaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
  for (; pool_coded_ < end; ++pool_coded_)
    pool_[pool_coded_].code = evaluated(evaluate, pool_[pool_coded_].in);
  each_alternative([&](auto& rule, const auto& candidate, const std::string& whose) {
    const auto before = rule;
    rule = candidate;
    choose_telling(whose + text_of(candidate, tree_), end, chosen);
    rule = before;
  });
  // Several rules may be wrong together where each of them alone fits what was answered.
  if (!chosen.empty() || end < pool_.size()) return;
  const Rules before = groups_.rules();
  const auto hold_against = [&] {
    if (!spent() && misses(best_) <= best_) choose_telling(rules_text(), end, chosen);
    groups_.set(before);
  };
  for (unsigned start = 0; start < 2 * RuleGroups::start_patterns; ++start) {
    tree_.output.started = start % 2 != 0;
    for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g)
      tree_.leaf_rules[g].started = groups_.starts(g, start / 2);
    hold_against();
  }
  for (const auto& [from, to] :
       {std::pair(formats::float64, formats::float32), std::pair(formats::float32, formats::float64)}) {
    groups_.set_nodes(from, to);
    hold_against();
  }
  for (const std::vector<Rules>& steps : {groups_.wider_than_output(), groups_.flushing_by_tininess()}) {
    for (const Rules& other : steps) {
      groups_.set(other);
      hold_against();
    }
  }
  for (const Uniform& u : uniform_settings_) {
    groups_.apply(u, beginning_);
    hold_against();
  }
}

// Adds up to three inputs of the pool's first `end` on which the rules as they stand, called `name`, differ
// from the chosen ones.
void Inference::choose_telling(const std::string& name, std::size_t end, std::vector<std::size_t>& chosen) {
  TreeEvaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
  std::size_t& next = scanned_[name];
  for (std::size_t found = 0; next < end && found < 3; ++next) {
    if (pool_[next].asked || same(evaluated(evaluate, pool_[next].in), pool_[next].code)) continue;
    pool_[next].asked = true;
    chosen.push_back(next);
    ++found;
  }
}

// Other rules that repeat as many answers, after all inputs that could tell were asked.
std::vector<std::string> Inference::ambiguous() {
  std::map<std::string, std::pair<std::string, std::size_t>> by_rule;
  each_alternative([&](auto& rule, const auto& candidate, const std::string& whose) {
    auto& [text, count] = by_rule[whose];
    if (count == 0) text = text_of(rule, tree_);
    if (++count <= 2) text += " | " + text_of(candidate, tree_);
  });
  std::vector<std::string> list;
  for (const auto& [whose, what] : by_rule) {
    list.push_back(whose + ": " + what.first +
                   (what.second > 2 ? " | " + std::to_string(what.second - 2) + " more" : ""));
  }
  return list;
}

// What came and what the near rules say: those that differ in one rule and miss the fewest answers.
std::vector<Unexplained> Inference::unexplained() {
  constexpr std::size_t most_shown = 3, most_near = 3;
  TreeEvaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
  const auto terms = [&](const Datum& x) {
    const CodeVector a{x.in.a.data(), p_.k, 1, p_.a};
    std::size_t count = 0;
    for (std::size_t i = 0; i < p_.k; ++i) count += (a.code(i) & p_.a.magnitude_mask()) != 0 ? 1 : 0;
    return count;
  };
  std::vector<Datum> missed;  // copies: counting misses moves the data
  for (const Datum& x : data_) {
    if (same(evaluated(evaluate, x.in, x.real), x.code)) continue;
    missed.push_back(x);
    std::stable_sort(missed.begin(), missed.end(),
                     [&](const Datum& y, const Datum& z) { return terms(y) < terms(z); });
    if (missed.size() > most_shown) missed.pop_back();
  }
  std::vector<Unexplained> list;
  for (const Datum& x : missed) {
    const Problem& asked = x.real ? p_ : even_.problem();
    list.push_back({x.in, asked.alpha, asked.beta, x.code, evaluated(evaluate, x.in, x.real), {}});
  }
  const std::size_t worst = best_ + std::max<std::size_t>(data_.size() / 8, 4);
  each_near(worst, [&](const std::string& rule, std::size_t misses) {
    TreeEvaluator other(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::vector<Unexplained::Near>& near = list[i].near;
      const std::uint64_t says = evaluated(other, missed[i].in, missed[i].real);
      if (same(says, list[i].predicted)) continue;
      near.push_back({rule, says, misses});
      std::stable_sort(near.begin(), near.end(),
                       [](const auto& x, const auto& y) { return x.misses < y.misses; });
      if (near.size() > most_near) near.pop_back();
    }
  });
  return list;
}

}  // namespace assay::diagnose
