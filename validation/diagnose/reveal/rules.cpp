#include "validation/diagnose/reveal/rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "reference/exact/tree_evaluator.hpp"
#include "validation/diagnose/reveal/inference.hpp"
#include "validation/diagnose/reveal/scaling.hpp"

namespace assay::diagnose {

FoundRules Inference::run() {
  tree_.output.format = p_.output;
  if (p_.operation == SumOperation::mean) tree_.output.mean = MeanRule{p_.output};
  tree_.node_rules = {NodeRule{p_.output}};
  tree_.leaf_rules = {LeafRule{}};
  TreeFacts facts = find_facts(even_, tree_);
  std::vector<AnsweredProbe> asked = std::move(facts.asked);
  groups_.form(std::move(facts));
  if (p_.scaled()) tree_.scaling = scaling_places(tree_, p_).front();
  train(std::move(asked));
  descend();
  if (hopeless()) start_again();
  if (!hopeless()) {
    for (int round = 0; round < 12 && tell_apart(); ++round) descend_on();
    for (int again = 0; again < 3 && best_ > 0; ++again) start_again();
  }
  prefer_output_format();
  groups_.merge_alike();
  repeating_.clear();  // the rules are those of other groups
  FoundRules found;
  found.training = data_.size();
  found.misses = misses(std::numeric_limits<std::size_t>::max());
  found.gave_up = spent();
  if (!hopeless()) found.ambiguous = ambiguous();
  if (found.misses > 0) found.unexplained = unexplained();
  return found;
}

// Of formats with as many places that repeat as many answers, the output's own: float16 and not tf32.
void Inference::prefer_output_format() {
  for (NodeRule& rule : tree_.node_rules) {
    if (rule.format == p_.output || rule.format.precision != p_.output.precision) continue;
    const FormatSpec before = std::exchange(rule.format, p_.output);
    if (misses(best_) > best_) rule.format = before;
  }
}

// --- what decides ---------------------------------------------------------------------------------------

// The answers that decide: random inputs, and those probes that a member of a group was asked for; the
// group's other members answered alike.
void Inference::train(std::vector<AnsweredProbe> asked) {
  const std::set<int> samples = groups_.samples();
  for (const AnsweredProbe& x : asked) {
    if (samples.count(x.node) > 0)
      data_.push_back({operands_of(p_, x.probe), x.code, &even_ == &real_, data_.size()});
  }
  asked.clear();
  const std::size_t each = std::clamp<std::size_t>(40000 / (p_.k + 1), 12, 60);
  std::vector<Probe> probes;
  for (const auto& [kind, one_in] : random_inputs) {
    for (std::uint64_t i = 0; i < each / one_in; ++i)
      probes.push_back(dense(random_operands(kind, seed_ ^ 0x7261696e00000000U, i)));
  }
  const std::vector<FormatSpec> formats = groups_.known_formats();
  const std::vector<Meeting> places = groups_.meetings();
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
  add_narrow(probes);
  for (SumOperands& x : balanced()) probes.push_back(dense(std::move(x)));
  learn(probes);
}

// Where results end: of either sign a term as large as the output, and a sum of two, which overflows.
void Inference::add_largest(std::vector<Probe>& probes) const {
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

// A tie of a narrow result and a little more, which float32 loses and float64 keeps: nothing else tells them apart.
void Inference::add_narrow(std::vector<Probe>& probes) const {
  const int p = p_.output.precision;
  if (p > 16 || p_.k < 3) return;
  const double one = p_.operation == SumOperation::mean ? static_cast<double>(p_.k) : 1;
  const int k = static_cast<int>(p_.k), float32_places = formats::float32.precision;
  for (const std::array leaves :
       {std::array{0, 1, 2}, std::array{k - 1, k / 2, 0}, std::array{k / 2, 0, k - 1}}) {
    for (const double sign : {1.0, -1.0}) {
      Probe x;
      x.terms = {{leaves[0], sign * one, 1},
                 {leaves[1], sign * std::ldexp(one, -p), 1},
                 {leaves[2], sign * std::ldexp(1.0, std::ilogb(one) - float32_places), 1}};
      probes.push_back(dense(operands_of(p_, x)));
    }
  }
}

// What beta = 0 leaves of a C that is no number.
void Inference::add_unread(std::vector<Probe>& probes) const {
  if (p_.c->specials != Specials::ieee) return;
  for (const std::uint64_t c : {p_.c->nan_code(), p_.c->infinity_code()}) {
    SumOperands x = random_operands(InputKind::normal, seed_ ^ 0x756e72656164U, 0);
    x.c = c;
    probes.push_back(dense(std::move(x)));
  }
}

// A term x y, or two of half as much, and a C with alpha x y + beta C near 0: what either product was rounded to is all
// that is left, in however narrow a result. The best of some, of both signs.
std::vector<SumOperands> Inference::balanced() const {
  constexpr std::size_t most = 24;
  std::vector<SumOperands> list;
  if (!p_.scaled() || !p_.adds_c()) return list;
  struct Terms {
    double off, x, y, c;
  };
  std::vector<Terms> found;
  const auto whole = [](double v, const FormatSpec& f) {  // of at most so many places
    int e = 0;
    std::frexp(v, &e);
    const double place = std::ldexp(1.0, e - std::min(f.precision, 11));
    return std::round(v / place) * place;
  };
  for (int i = 0; i < 128; ++i) {
    const double c =
        whole(1 + i / 128.0, *p_.c) * std::exp2(std::round(std::log2(std::fabs(p_.alpha / p_.beta))));
    for (int j = 0; j < 64; ++j) {
      const double y = whole(1 + j / 64.0, p_.b), exact = -p_.beta / p_.alpha * c / y, x = whole(exact, p_.a);
      found.push_back({std::fabs(x - exact) / std::fabs(exact), x, y, c});
    }
  }
  std::sort(found.begin(), found.end(), [](const Terms& x, const Terms& y) { return x.off < y.off; });
  found.resize(most);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double sign = i % 2 == 0 ? 1 : -1;
    Probe probe;
    const double x =
        i % 4 < 2 || p_.k == 1 ? sign * found[i].x : sign * found[i].x / 2;  // or two equal terms
    probe.terms.push_back({static_cast<int>(i % p_.k), x, found[i].y});
    if (x != sign * found[i].x)
      probe.terms.push_back({static_cast<int>((i + p_.k / 2) % p_.k), x, found[i].y});
    probe.terms.push_back({static_cast<int>(p_.k), sign * found[i].c, 1});
    list.push_back(operands_of(p_, probe));
  }
  return list;
}

void Inference::learn(const std::vector<Probe>& probes) {
  const std::vector<std::uint64_t> codes = real_.ask(probes, "rules");
  for (std::size_t i = 0; i < codes.size(); ++i)
    data_.push_back({*probes[i].dense, codes[i], true, data_.size()});
}

SumOperands Inference::random_operands(InputKind kind, std::uint64_t seed, std::uint64_t i) const {
  Problem one = p_;
  one.m = one.n = 1;
  return operands_of(one, random_case(one, kind, seed, i), 0);
}

bool Inference::same(std::uint64_t x, std::uint64_t y) const {
  return x == y || (p_.output.is_nan(x) && p_.output.is_nan(y));
}

// How many answers the present rules do not repeat; counting ends above `limit`. Answers that deny come
// sooner the next time. Of large trees a first search looks at every stride_-th answer. Rules that repeated
// every answer are only held against those learned since: equally good rules are counted again after each round.
std::size_t Inference::misses(std::size_t limit) {
  constexpr std::size_t denied_soon = 32;  // most rules are: the others alone are looked up
  TreeEvaluator evaluate(tree_, p_.a, p_.b, p_.c.value_or(formats::float32));
  std::size_t count = 0, known = 0;
  for (std::size_t i = 0; i < data_.size(); i += stride_) {
    if (i == denied_soon && count == 0 && stride_ == 1) {
      if (const Repeating* const before = repeating(groups_.rules())) known = before->end;
    }
    if (data_[i].id < known) continue;
    if (same(evaluated(evaluate, data_[i].in, data_[i].real), data_[i].code)) continue;
    if (++count > limit) break;
    if (stride_ == 1 && i >= 2 * count) std::swap(data_[i], data_[i / 2]);
  }
  if (count == 0 && stride_ == 1) remember(groups_.rules());
  return count;
}

Inference::Repeating* Inference::repeating(const Rules& rules) {
  const auto found = std::find_if(repeating_.begin(), repeating_.end(),
                                  [&](const Repeating& r) { return r.rules == rules; });
  return found == repeating_.end() ? nullptr : &*found;
}

// The present answers are all repeated by these rules.
void Inference::remember(const Rules& rules) {
  constexpr std::size_t most_rules = 20000;  // a few megabytes
  if (Repeating* const before = repeating(rules)) {
    before->end = data_.size();
  } else if ((repeating_.size() + 1) * (rules.nodes.size() + rules.leaves.size()) <= most_rules) {
    repeating_.push_back({rules, data_.size()});
  }
}

std::uint64_t Inference::evaluated(TreeEvaluator& evaluate, const SumOperands& in, bool real) {
  constexpr std::uint64_t shown_every = 1U << 22U;
  work_ += nodes();
  if (work_ >= next_shown_) {
    real_.show("the search for rules, " + std::to_string(100 * work_ / most_work()) + " % of its limit");
    next_shown_ = work_ + shown_every;
  }
  const Problem& asked = real ? p_ : even_.problem();
  if (tree_.scaling) evaluate.set_scales(asked.alpha, asked.beta);
  const CodeVector a{in.a.data(), p_.k, 1, p_.a}, b{in.b.data(), p_.k, 1, p_.b};
  return evaluate(a, !p_.has_b() ? nullptr : &b, in.c);
}

// A tree of 8191 nodes took 3.4e8.
std::uint64_t Inference::most_work() const { return most_work_ + 200'000 * nodes(); }
bool Inference::spent() const { return work_ > most_work(); }

// No tree with these rules makes the answers: more of them would show no more. Sums that are rounded at random.
bool Inference::hopeless() const { return best_ > data_.size() / 4 || spent(); }

// --- the search -----------------------------------------------------------------------------------------

void Inference::descend() {
  if (tree_.scaling) {
    best_ = misses(std::numeric_limits<std::size_t>::max());
    improve(*tree_.scaling, scaling_places(tree_, p_));
  }
  beginning_ = groups_.rules();
  stride_ = std::max<std::size_t>(1, data_.size() * nodes() / 60000);
  uniform();
  stride_ = 1;
  descend_on();
}

// From all that is known by now: where single steps lead no further, another beginning may.
void Inference::start_again() {
  const Rules before = groups_.rules();
  const std::size_t misses_before = best_;
  uniform();
  descend_on();
  if (best_ >= misses_before) {
    groups_.set(before);
    best_ = misses_before;
  }
  for (int round = 0; round < 12 && !hopeless() && tell_apart(); ++round) descend_on();
}

void Inference::uniform() {
  Rules best = beginning_;
  groups_.set(beginning_);
  best_ = std::numeric_limits<std::size_t>::max();
  if (uniform_settings_.empty()) uniform_settings_ = groups_.uniform_settings();
  std::vector<Rules> beginnings{beginning_};
  if (beginning_.output
          .mean) {  // a division in float64 is not near one in float32, which rounds the sum first
    beginnings.push_back(beginning_);
    beginnings.back().output.mean->format = formats::float64;
  }
  for (const Rules& beginning : beginnings) {
    for (const Uniform& u : uniform_settings_) {
      if (best_ == 0 || spent()) break;
      groups_.apply(u, beginning);
      const std::size_t now = misses(best_ - 1);
      if (now >= best_) continue;
      best_ = now;
      best = groups_.rules();
    }
  }
  groups_.set(best);
}

// The best of the candidates for one rule, all else as it is; the present one stays where nothing is
// better.
template <class Rule>
void Inference::improve(Rule& rule, const std::vector<Rule>& candidates) {
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

void Inference::descend_on() {
  best_ = misses(std::numeric_limits<std::size_t>::max());
  for (int round = 0; round < (hopeless() ? 2 : 6) && best_ > 0; ++round) {
    const std::size_t before = best_;
    for (std::size_t g = 0; g < tree_.node_rules.size(); ++g)
      improve(tree_.node_rules[g], groups_.node_candidates(g));
    for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g)
      improve(tree_.leaf_rules[g], groups_.leaf_candidates(g));
    improve(tree_.output, groups_.output_candidates());
    improve(tree_.output, groups_.output_overflows());
    improve(tree_.tiny, groups_.tiny_candidates());
    improve(tree_.skipped, groups_.skipped_candidates());
    if (tree_.scaling) {
      improve(*tree_.scaling, scaling_variants(tree_, p_));
      improve(*tree_.scaling, scaling_places(tree_, p_));
    }
    if (best_ == before) improve_all_leaves();
    if (best_ == before) improve_start();
    if (best_ == before && tree_.scaling) improve_place();
    if (best_ == before) improve_formats();
    if (best_ == before) improve_to(groups_.wider_than_output());
    if (best_ == before) improve_to(groups_.of_one_unit());
    if (best_ == before) improve_to(groups_.flushing_by_tininess());
    if (best_ == before && nodes() == 1) improve_alone();
    if (best_ == before) break;
  }
}

// All leaves at once: where every term underflows, one group alone changes nothing for the better. Those that were
// seen to keep as many places; or really all, with the sum added to +0 or not: what a product was rounded to decides
// which sums are zeros, and -0.
void Inference::improve_all_leaves() {
  const Rules before = groups_.rules();
  improve_all_leaves(false);
  if (tree_.leaf_rules != before.leaves) return;
  for (int turn = 0; turn < 2; ++turn) {
    improve_all_leaves(true);
    if (tree_.leaf_rules != before.leaves) return;
    tree_.output.started = !tree_.output.started;
  }
}

void Inference::improve_all_leaves(bool really) {
  const std::vector<LeafRule> before = tree_.leaf_rules;
  std::vector<LeafRule> best = before;
  for (std::size_t g = 0; g < before.size() && best_ > 0 && !spent(); ++g) {
    for (const LeafRule& candidate : groups_.leaf_candidates(g)) {
      for (std::size_t other = 0; other < before.size(); ++other) {
        LeafRule& r = tree_.leaf_rules[other];
        r = before[other];
        const bool started = r.started;
        if (really || groups_.leaf_precision(other) == groups_.leaf_precision(g)) {
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

// Where alpha enters, what is added to +0 and which terms are skipped at once: a product of alpha and +0 may be -0, so
// that each hides what the others do.
void Inference::improve_place() {
  const Rules before = groups_.rules();
  Rules best = before;
  for (const TreeScaling& place : scaling_places(tree_, p_)) {
    for (unsigned how = 0; how < 4 * all_skipped.size() && best_ > 0 && !spent(); ++how) {
      groups_.set(before);
      tree_.scaling = place;
      tree_.skipped = all_skipped[how / 4];
      start_sum((how & 1U) != 0, (how & 2U) != 0);
      const std::size_t now = misses(best_ - 1);
      if (now >= best_) continue;
      best_ = now;
      best = groups_.rules();
    }
  }
  groups_.set(best);
}

// Whether the sum is added to +0, and whether it is before its last term.
void Inference::start_sum(bool started, bool padded) {
  tree_.output.started = started;
  const TreeNode& last = tree_.nodes[static_cast<std::size_t>(groups_.last_of_terms())];
  if (!last.children.empty()) tree_.node_rules[static_cast<std::size_t>(last.rule)].padded = padded;
}

void Inference::improve_formats() {
  const Rules before = groups_.rules();
  Rules best = before;
  for (const auto& [from, to] :
       {std::pair(formats::float64, formats::float32), std::pair(formats::float32, formats::float64)}) {
    if (best_ == 0) break;
    groups_.set(before);
    groups_.set_nodes(from, to);
    const std::size_t now = misses(best_ - 1);
    if (now >= best_) continue;
    best_ = now;
    best = groups_.rules();
  }
  groups_.set(best);
}

// Steps over several rules at once.
void Inference::improve_to(const std::vector<Rules>& candidates) {
  Rules best = groups_.rules();
  for (const Rules& candidate : candidates) {
    if (best_ == 0 || spent()) break;
    groups_.set(candidate);
    const std::size_t now = misses(best_ - 1);
    if (now >= best_) continue;
    best_ = now;
    best = candidate;
  }
  groups_.set(best);
}

// What is added to +0: the sum, its leaves, or a padding before the last term. Each takes the sign from a sum of
// nothing but -0, so that one in the place of another must go as the other comes. Leaves: as RuleGroups::starts() has
// them, or those that keep as many places as the node above; the latter as they are, or rounded by that addition alone.
void Inference::improve_start() {
  const Rules before = groups_.rules();
  Rules best = before;
  for (unsigned how = 0; how < 4 * (RuleGroups::start_patterns + 2) && best_ > 0; ++how) {
    groups_.set(before);
    const unsigned leaves = how / 4;
    start_sum((how & 1U) != 0, (how & 2U) != 0);
    for (std::size_t g = 0; g < tree_.leaf_rules.size(); ++g) {
      LeafRule& r = tree_.leaf_rules[g];
      r.started =
          leaves < RuleGroups::start_patterns ? groups_.starts(g, leaves) : groups_.keeps_as_node_above(g);
      if (leaves == RuleGroups::start_patterns + 1 && r.started) r.product.reset();
    }
    const std::size_t now = misses(best_ - 1);
    if (now >= best_) continue;
    best_ = now;
    best = groups_.rules();
  }
  groups_.set(best);
}

// One leaf and nothing else: what its product is rounded to and what the sum is show together only.
void Inference::improve_alone() {
  const Rules before = groups_.rules();
  Rules best = before;
  for (const NodeRule& node : groups_.node_candidates(0)) {
    if (node.padded) continue;
    for (const LeafRule& leaf : groups_.leaf_candidates(0)) {
      if (best_ == 0) break;
      tree_.node_rules[0] = node;
      tree_.leaf_rules[0] = leaf;
      const std::size_t now = misses(best_ - 1);
      if (now >= best_) continue;
      best_ = now;
      best = groups_.rules();
    }
  }
  groups_.set(best);
}

FoundRules find_rules(Channel& even, Channel& real, AdditionTree& tree, std::uint64_t seed,
                      std::uint64_t most_work) {
  return Inference(even, real, tree, seed, most_work).run();
}

}  // namespace assay::diagnose
