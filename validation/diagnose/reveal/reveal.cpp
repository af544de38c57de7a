#include "validation/diagnose/reveal/reveal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "validation/diagnose/reveal/asker.hpp"
#include "validation/diagnose/reveal/first_look.hpp"
#include "validation/diagnose/reveal/mistakes.hpp"
#include "validation/diagnose/reveal/order.hpp"
#include "validation/diagnose/reveal/rules.hpp"

namespace assay::diagnose {
namespace {

// Input i among those of scored_kinds[k]: its kind, and its number among the inputs of that kind, which choose by it
// what they are.
struct Scored {
  InputKind kind;
  std::size_t index;
};
Scored scored_input(std::size_t k, std::size_t i) {
  // One of four, at no regular places: a program may do something else every so many cases.
  const std::size_t four = i / 4;
  if (CounterRandom(k, 0x73636f72U).below(4, four) != i % 4) return {scored_kinds[k], i};
  switch (scored_kinds[k]) {
    case InputKind::normal: return {InputKind::patterned, four};
    case InputKind::wide: return {four % 2 == 0 ? InputKind::top : InputKind::special, four / 2};
    case InputKind::tiny: return {InputKind::threshold, four};
    default: return {InputKind::ties, four};
  }
}

bool same_bits(const FormatSpec& f, std::uint64_t x, std::uint64_t y) {
  return x == y || (f.is_nan(x) && f.is_nan(y));
}

// What the order was found with.
std::string scales_text(const Problem& p) {
  return ", alpha " + scale_text(p.alpha) + (p.adds_c() ? ", beta " + scale_text(p.beta) : "");
}

// A few inputs that are asked again and again, at other places of other rounds: the order of additions may depend on
// the run, the round or the place. Most of them cancel so deep that float64 shows its order in a float32.
class Repeater {
 public:
  Repeater(Asker& asker, std::uint64_t seed) : asker_(asker), seed_(seed), random_(seed, 0x72657065U) {}

  // In an order without a period, rounds of `each_round` cases.
  void ask(std::size_t rounds, std::size_t each_round) {
    for (std::size_t round = 0; round < rounds; ++round) {
      std::vector<std::size_t> inputs(each_round);
      for (std::size_t& input : inputs)
        input = static_cast<std::size_t>(random_.below(first_.size(), next_++));
      asker_.ask(
          each_round, [&](std::size_t i) { return input(inputs[i]); },
          [&](std::size_t i, const Answer& answer) { compare(first_[inputs[i]], answer); }, "repeats");
    }
  }
  bool repeats() const { return changed_ == 0; }
  // What changes: a sum of two terms has one order.
  std::string text() {
    const char* const what =
        rounding_changes() ? "the rounding changes (is it stochastic?)" : "the order changes";
    return std::string(what) + " from run to run: " + std::to_string(changed_) + " of " +
           std::to_string(again_) + " answers to repeated inputs differed";
  }

 private:
  static constexpr std::size_t normal = 4;
  Case input(std::size_t i) const {
    return random_case(asker_.problem(), i < normal ? InputKind::normal : InputKind::deep, seed_, i);
  }
  bool rounding_changes() {
    constexpr std::size_t times = 64;
    const Problem& p = asker_.problem();
    if (p.k < 2) return false;
    const std::optional<Probe::Term> one = split(p, 0, 1),
                                     less = split(p, 1, 0.75 * std::ldexp(1.0, 1 - p.output.precision));
    if (!one || !less) return false;
    const Case sum = asker_.case_of({.terms = {*one, *less}});
    std::set<Answer> answers;
    asker_.ask(
        times, [&](std::size_t) { return sum; },
        [&](std::size_t, const Answer& answer) { answers.insert(answer); }, "repeats");
    return answers.size() > 1;
  }
  void compare(Answer& expected, const Answer& answer) {
    if (expected.empty()) {
      expected = answer;
      return;
    }
    ++again_;
    for (std::size_t o = 0; o < answer.size(); ++o) {
      if (same_bits(asker_.problem().output, answer[o], expected[o])) continue;
      ++changed_;
      return;
    }
  }

  Asker& asker_;
  std::uint64_t seed_;
  CounterRandom random_;
  std::uint64_t next_ = 0;
  std::array<Answer, 16> first_{};
  std::uint64_t again_ = 0, changed_ = 0;
};

// No tree of any output, for one reason.
void refuse(Revelation& r, std::string why) {
  r.classes.assign(1, {});
  r.classes.front().why_not = std::move(why);
  r.class_of.assign(r.class_of.size(), 0);
  for (std::size_t o = 0; o < r.class_of.size(); ++o) r.classes.front().outputs.push_back(o);
}

// Every term at once, and no rounding but the last.
AdditionTree exact_tree(const Problem& p) {
  AdditionTree tree;
  tree.terms = p.k;
  tree.addend = p.adds_c();
  TreeNode root;
  for (std::size_t i = 0; i < tree.leaves(); ++i) {
    tree.nodes.push_back({{}, static_cast<int>(i), 0});
    root.children.push_back(static_cast<int>(i));
  }
  tree.nodes.push_back(std::move(root));
  return tree;
}

class Revealing {
 public:
  Revealing(const Problem& problem, const Target& target, const RevealOptions& options)
      : options_(options),
        // The order and single leaves and nodes are asked for at powers of two, the rest with alpha and beta as they
        // are.
        even_problem_(with_even_scales(problem)),
        asker_(problem, target, options),
        even_asker_(even_problem_, target, options),
        repeater_(asker_, options.seed) {
    r_.problem = problem;
    r_.class_of.assign(problem.outputs(), -1);
  }

  Revelation run() {
    if (begins_well()) find_classes();
    r_.repeats = repeater_.repeats();
    if (!r_.repeats) refuse(r_, repeater_.text());
    r_.runs = runs();
    r_.rounds = asker_.rounds() + even_asker_.rounds();
    return std::move(r_);
  }

 private:
  std::uint64_t runs() const { return asker_.runs() + even_asker_.runs(); }

  // A program that misreads a round seems to change its answers, too: reading comes first.
  bool begins_well() {
    const Reading reading = check_reading(even_asker_, options_.seed);
    if (!reading.mistake.empty()) {
      refuse(r_, "it misreads the protocol: " + reading.mistake);
      return false;
    }
    repeater_.ask(3, 32);
    if (repeater_.repeats() && 2 * reading.right < reading.results) {
      r_.notes.push_back("of " + std::to_string(reading.results) +
                         " sums of a few small whole numbers, the same in every order, " +
                         std::to_string(reading.right) + " were right: does it read its input correctly?");
    }
    return repeater_.repeats();
  }

  void find_classes() {
    std::vector<char> remaining(r_.problem.outputs(), options_.only.empty() ? 1 : 0);
    for (const std::size_t o : options_.only) {
      if (o >= remaining.size())
        throw ContractError("output " + std::to_string(o) + " of " + to_string(r_.problem));
      remaining[o] = 1;
    }
    while (repeater_.repeats()) {
      const auto first = std::find(remaining.begin(), remaining.end(), 1);
      if (first == remaining.end()) break;
      if (r_.classes.size() == options_.most_classes) {
        r_.notes.push_back("more than " + std::to_string(options_.most_classes) +
                           " trees: " + std::to_string(std::count(remaining.begin(), remaining.end(), 1)) +
                           " outputs were not looked at");
        break;
      }
      std::vector<char> agrees = remaining;
      OrderClass found = find_class(static_cast<std::size_t>(first - remaining.begin()), agrees);
      const int index = static_cast<int>(r_.classes.size());
      for (std::size_t o = 0; o < agrees.size(); ++o) {
        if (agrees[o] == 0) continue;
        found.outputs.push_back(o);
        r_.class_of[o] = index;
        remaining[o] = 0;
      }
      r_.classes.push_back(std::move(found));
      repeater_.ask(1, 16);
    }
  }

  OrderClass find_class(std::size_t output, std::vector<char>& agrees) {
    Channel real(asker_, output, agrees), even(even_asker_, output, agrees);
    OrderClass found;
    const std::uint64_t before = runs();
    const FirstLook look = look_first(real, options_.seed);
    if (look.exact) {
      found.tree = exact_tree(r_.problem);
      found.as_exact = true;
      found.how = "sums of terms that cancel are exact";
    } else if (!look.refusal.empty()) {
      found.why_not = look.refusal;
    } else {
      FoundOrder order = find_order(even, options_.seed);
      found.tree = std::move(order.tree);
      found.why_not = std::move(order.why_not);
      found.how = std::move(order.how);
      if (even_problem_ != r_.problem && !found.how.empty()) found.how += scales_text(even_problem_);
      found.as_exact = order.as_exact;
      if (!found.why_not.empty() && !look.remark.empty()) found.why_not += "; " + look.remark;
    }
    found.order_runs = runs() - before;
    repeater_.ask(1, 16);
    if (found.tree.nodes.empty() || options_.order_only || !repeater_.repeats()) return found;
    fit_rules(found, look, real, r_.problem.scaled() ? even : real);
    found.rule_runs = runs() - before - found.order_runs;
    return found;
  }

  void fit_rules(OrderClass& found, const FirstLook& look, Channel& real, Channel& even) {
    const std::string unmodelled = unmodelled_arithmetic(look, r_.problem, found.tree);
    if (!unmodelled.empty()) {
      keep_order_alone(found, unmodelled + ": no rule covers them");
      return;
    }
    FoundRules rules = find_rules(even, real, found.tree, options_.seed, options_.most_work);
    found.training = rules.training;
    found.training_misses = rules.misses;
    found.ambiguous = std::move(rules.ambiguous);
    found.gave_up = rules.gave_up;
    found.unexplained = std::move(rules.unexplained);
    // What repeats less than this share repeats the rest by chance.
    if (found.training_misses <= found.training / 4) return;
    found.ambiguous.clear();
    keep_order_alone(found, "no arithmetic is known for this order: the best rules reproduce " +
                                std::to_string(found.training - found.training_misses) + " of " +
                                std::to_string(found.training) + " answers" +
                                (look.remark.empty() ? "" : "; " + look.remark));
  }

  static void keep_order_alone(OrderClass& found, std::string why) {
    found.why_not = std::move(why);
    found.order = std::exchange(found.tree, {});
  }

  const RevealOptions& options_;
  Revelation r_{};
  const Problem even_problem_;
  Asker asker_, even_asker_;
  Repeater repeater_;
};

}  // namespace

Revelation reveal(const Problem& problem, const Target& target, const RevealOptions& options) {
  check_problem(problem);
  return Revealing(problem, target, options).run();
}

void note_digits(Revelation& r, int printed) {
  constexpr std::uint64_t few = 50;  // runs that show how many digits there are
  const FormatSpec& f = r.problem.output;
  const int needed = static_cast<int>(std::ceil(1 + f.precision * std::log10(2.0)));
  if (printed == 0 || printed >= needed || r.runs < few) return;
  const std::string digits = std::to_string(needed);
  r.notes.push_back("its results have " + std::to_string(printed) + " significant digits at most, and " +
                    std::string(f.dtype) + " needs " + digits + ": print them with %." + digits + "g or %a");
}

Predictor::Predictor(const Revelation& r) : revelation_(r) {
  const Problem& p = r.problem;
  for (const OrderClass& c : r.classes) {
    evaluators_.push_back(c.tree.nodes.empty() ? nullptr
                                               : std::make_unique<TreeEvaluator>(
                                                     c.tree, p.a, p.b, p.c.value_or(formats::float32)));
  }
}

std::vector<std::optional<std::uint64_t>> Predictor::operator()(const Case& input) {
  const Problem& p = revelation_.problem;
  const bool matrix = p.operation == SumOperation::gemm;
  const CodeMatrix a{input.a.data(), p.m, p.k, static_cast<std::ptrdiff_t>(p.k), 1, p.a};
  const CodeMatrix b = matrix ? CodeMatrix{input.b.data(), p.k, p.n, static_cast<std::ptrdiff_t>(p.n), 1, p.b}
                              : CodeMatrix{input.b.data(), p.k, 1, 1, 1, p.b};
  std::vector<std::optional<std::uint64_t>> predicted(p.outputs());
  for (std::size_t i = 0; i < evaluators_.size(); ++i) {
    if (evaluators_[i] == nullptr) continue;
    for (const std::size_t o : revelation_.classes[i].outputs) {
      const CodeVector x = a.row(matrix ? o / p.n : 0), y = b.column(matrix ? o % p.n : 0);
      std::optional<std::uint64_t> addend;
      if (p.c) addend = detail::load_code(input.c.data(), static_cast<std::ptrdiff_t>(o), code_bytes(*p.c));
      predicted[o] = (*evaluators_[i])(x, !p.has_b() ? nullptr : &y, addend);
    }
  }
  return predicted;
}

std::vector<std::optional<std::uint64_t>> predict(const Revelation& r, const Case& input) {
  return Predictor(r)(input);
}

namespace {

class Scoring {
 public:
  Scoring(const Revelation& r, const Target& target, std::uint64_t seed, const RevealOptions& options)
      : r_(r), options_(options), asker_(r.problem, target, options), predictor_(r), seed_(seed) {}

  PredictionScore run(std::uint64_t results) {
    const std::size_t outputs = r_.problem.outputs();
    const auto cases = static_cast<std::size_t>((results + outputs - 1) / outputs);
    const bool none = std::all_of(r_.classes.begin(), r_.classes.end(),
                                  [](const OrderClass& c) { return c.tree.nodes.empty(); });
    if (none) {
      s_.without_tree = scored_kinds.size() * cases * outputs;
      return s_;
    }
    for (kind_ = 0; kind_ < scored_kinds.size(); ++kind_) {
      asker_.ask(
          cases,
          [&](std::size_t i) {
            const Scored input = scored_input(kind_, i);
            return random_case(r_.problem, input.kind, seed_, input.index);
          },
          [&](std::size_t i, const Answer& answer) { take(i, answer); }, "prediction");
    }
    ask_again();
    return s_;
  }

 private:
  struct Asked {
    InputKind kind;
    std::size_t index;
    Answer answer;
    bool wrong;
  };

  void take(std::size_t i, const Answer& answer) {
    const auto [kind, index] = scored_input(kind_, i);
    const auto predicted = predictor_(random_case(r_.problem, kind, seed_, index));
    bool wrong = false;
    for (std::size_t o = 0; o < answer.size(); ++o) {
      if (!predicted[o]) {
        ++s_.without_tree;
        continue;
      }
      ++s_.results;
      ++s_.by_kind[kind_];
      if (same_bits(r_.problem.output, answer[o], *predicted[o])) continue;
      wrong = true;
      ++s_.wrong;
      ++s_.wrong_by_kind[kind_];
      if (s_.first.size() < 8) s_.first.push_back({kind, seed_, index, o, answer[o], *predicted[o]});
    }
    // What was predicted wrongly, and some of what cancels, wrong or not.
    constexpr std::size_t most = 256;
    std::size_t& count = wrong ? wrong_kept_ : deep_kept_;
    if ((!wrong && kind != InputKind::deep) || count == most) return;
    ++count;
    asked_.push_back({kind, index, answer, wrong});
  }

  // From the last to the first: alone, two, three and four in a round, four times first in a process; then all others.
  void ask_again() {
    std::reverse(asked_.begin(), asked_.end());
    std::size_t at = 0;
    for (std::size_t start = 0; start < 4; ++start) {
      if (options_.restart) options_.restart();
      for (std::size_t cases = 1; cases <= 4; ++cases) at = ask_again(at, cases);
    }
    ask_again(at, asked_.size());
  }
  std::size_t ask_again(std::size_t first, std::size_t cases) {
    cases = std::min(cases, asked_.size() - first);
    asker_.ask(
        cases,
        [&](std::size_t i) {
          const Asked& x = asked_[first + i];
          return random_case(r_.problem, x.kind, seed_, x.index);
        },
        [&](std::size_t i, const Answer& answer) {
          ++s_.asked_again;
          const Answer& before = asked_[first + i].answer;
          const bool same = std::equal(
              answer.begin(), answer.end(), before.begin(),
              [&](std::uint64_t x, std::uint64_t y) { return same_bits(r_.problem.output, x, y); });
          s_.changed += same ? 0 : 1;
          s_.changed_in_small_rounds += same || cases > 4 || asked_[first + i].wrong ? 0 : 1;
        },
        "prediction");
    return first + cases;
  }

  const Revelation& r_;
  const RevealOptions& options_;
  Asker asker_;
  Predictor predictor_;
  std::uint64_t seed_;
  PredictionScore s_{};
  std::size_t kind_ = 0, wrong_kept_ = 0, deep_kept_ = 0;
  std::vector<Asked> asked_{};
};

}  // namespace

PredictionScore score(const Revelation& r, const Target& target, std::uint64_t seed, std::uint64_t results,
                      const RevealOptions& options) {
  RevealOptions unlimited = options;
  unlimited.most_runs = ~std::uint64_t{0};
  // Seeds of their own: nothing here chose a rule or a class.
  return Scoring(r, target, seed ^ 0x66726573685f5f00U, unlimited).run(results);
}

}  // namespace assay::diagnose
