#include "validation/diagnose/reveal.hpp"

#include <algorithm>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "validation/diagnose/asker.hpp"
#include "validation/diagnose/order.hpp"
#include "validation/diagnose/rules.hpp"

namespace assay::diagnose {
namespace {

constexpr InputKind scored[] = {InputKind::normal, InputKind::wide, InputKind::tiny};

// The kind of input i among those of scored[k].
InputKind scored_kind(std::size_t k, std::size_t i) {
  if (scored[k] == InputKind::wide && i % 8 == 7) return InputKind::special;
  if (scored[k] == InputKind::tiny && i % 4 == 3) return InputKind::threshold;
  return scored[k];
}

bool same_bits(const FormatSpec& f, std::uint64_t x, std::uint64_t y) {
  return x == y || (f.is_nan(x) && f.is_nan(y));
}

// What the order was found with.
std::string scales_text(const Problem& p) {
  return ", alpha " + scale_text(p.alpha) + (p.adds_c() ? ", beta " + scale_text(p.beta) : "");
}

// The same few inputs again and again, in an order without a period, over two rounds.
bool repeats(Asker& asker, std::uint64_t seed) {
  constexpr std::size_t inputs = 8, each_round = 32;
  const CounterRandom random(seed, 0x72657065U);
  std::vector<Answer> first(inputs);
  bool same = true;
  for (std::size_t round = 0; round < 2; ++round) {
    const auto input = [&](std::size_t i) {
      return static_cast<std::size_t>(random.below(inputs, round * each_round + i));
    };
    asker.ask(
        each_round,
        [&](std::size_t i) { return random_case(asker.problem(), InputKind::normal, seed, input(i)); },
        [&](std::size_t i, const Answer& answer) {
          Answer& expected = first[input(i)];
          if (expected.empty()) expected = answer;
          for (std::size_t o = 0; o < answer.size(); ++o)
            same = same && same_bits(asker.problem().output, answer[o], expected[o]);
        },
        "repeats");
  }
  return same;
}

}  // namespace

Revelation reveal(const Problem& problem, const Target& target, const RevealOptions& options) {
  check_problem(problem);
  Revelation r;
  r.problem = problem;
  r.class_of.assign(problem.outputs(), -1);
  Asker asker(r.problem, target, options);
  // The order and single leaves and nodes are asked for at powers of two, the rest with alpha and beta as they are.
  const Problem even_problem = with_even_scales(r.problem);
  Asker even_asker(even_problem, target, options);
  const auto runs = [&] { return asker.runs() + even_asker.runs(); };
  r.repeats = repeats(asker, options.seed);
  if (!r.repeats) r.notes.push_back("the same inputs had other answers: the order changes from run to run");

  std::vector<char> remaining(problem.outputs(), options.only.empty() ? 1 : 0);
  for (const std::size_t o : options.only) {
    if (o >= remaining.size())
      throw ContractError("output " + std::to_string(o) + " of " + to_string(problem));
    remaining[o] = 1;
  }
  while (true) {
    const auto first = std::find(remaining.begin(), remaining.end(), 1);
    if (first == remaining.end()) break;
    if (r.classes.size() == options.most_classes) {
      r.notes.push_back("more than " + std::to_string(options.most_classes) +
                        " trees: " + std::to_string(std::count(remaining.begin(), remaining.end(), 1)) +
                        " outputs were not looked at");
      break;
    }
    const auto output = static_cast<std::size_t>(first - remaining.begin());
    std::vector<char> agrees = remaining;
    Channel real(asker, output, agrees), even(even_asker, output, agrees);
    OrderClass found;
    const std::uint64_t before = runs();
    FoundOrder order = find_order(even, options.seed);
    found.order_runs = runs() - before;
    found.tree = std::move(order.tree);
    found.why_not = std::move(order.why_not);
    found.how = std::move(order.how);
    if (even_problem != problem && !found.how.empty()) found.how += scales_text(even_problem);
    found.as_exact = order.as_exact;
    if (!found.tree.nodes.empty() && !options.order_only) {
      const FoundRules rules =
          find_rules(r.problem.scaled() ? even : real, real, found.tree, options.seed, options.most_work);
      found.rule_runs = runs() - before - found.order_runs;
      found.training = rules.training;
      found.training_misses = rules.misses;
      found.ambiguous = rules.ambiguous;
      found.gave_up = rules.gave_up;
    }
    const int index = static_cast<int>(r.classes.size());
    for (std::size_t o = 0; o < agrees.size(); ++o) {
      if (agrees[o] == 0) continue;
      found.outputs.push_back(o);
      r.class_of[o] = index;
      remaining[o] = 0;
    }
    r.classes.push_back(std::move(found));
  }
  r.runs = runs();
  r.rounds = asker.rounds() + even_asker.rounds();
  return r;
}

std::size_t unexplained(const Revelation& r) {
  std::size_t count = 0;
  for (const OrderClass& c : r.classes) count += c.training_misses;
  return count;
}

Predictor::Predictor(const Revelation& r) : revelation_(r) {
  const Problem& p = r.problem;
  for (const OrderClass& c : r.classes) {
    evaluators_.push_back(
        c.tree.nodes.empty() ? nullptr
                             : std::make_unique<Evaluator>(c.tree, p.a, p.b, p.c.value_or(formats::float32)));
  }
}

std::vector<std::optional<std::uint64_t>> Predictor::operator()(const Case& input) {
  const Problem& p = revelation_.problem;
  const bool matrix = p.operation == Operation::gemm;
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

PredictionScore score(const Revelation& r, const Target& target, std::uint64_t seed, std::uint64_t results,
                      const RevealOptions& options) {
  RevealOptions unlimited = options;
  unlimited.most_runs = ~std::uint64_t{0};
  Asker asker(r.problem, target, unlimited);
  Predictor predictor(r);
  PredictionScore s;
  // Seeds of their own: nothing here chose a rule or a class.
  const std::uint64_t fresh = seed ^ 0x66726573685f5f00U;
  const std::size_t outputs = r.problem.outputs();
  for (std::size_t k = 0; k < std::size(scored); ++k) {
    const auto cases = static_cast<std::size_t>((results + outputs - 1) / outputs);
    const auto input = [&](std::size_t i) { return random_case(r.problem, scored_kind(k, i), fresh, i); };
    asker.ask(
        cases, input,
        [&](std::size_t i, const Answer& answer) {
          const auto predicted = predictor(input(i));
          for (std::size_t o = 0; o < outputs; ++o) {
            if (!predicted[o]) {
              ++s.without_tree;
              continue;
            }
            ++s.results;
            ++s.by_kind[k];
            if (same_bits(r.problem.output, answer[o], *predicted[o])) continue;
            ++s.wrong;
            ++s.wrong_by_kind[k];
            if (s.first.size() < 8)
              s.first.push_back({scored_kind(k, i), fresh, i, o, answer[o], *predicted[o]});
          }
        },
        "prediction");
  }
  return s;
}

}  // namespace assay::diagnose
