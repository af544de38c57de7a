#include "validation/diagnose/invariance.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "validation/diagnose/asker.hpp"

namespace assay::diagnose {
namespace {

template <class T>
std::vector<T> or_one(const std::vector<T>& list, T otherwise) {
  return list.empty() ? std::vector<T>{otherwise} : list;
}

// The same row and the same first columns in matrices of any shape; everything else is random and another for
// every shape.
Case embedded(const Problem& p, const Setting& s, std::size_t columns, std::uint64_t seed,
              std::uint64_t trial) {
  Problem one = p;
  one.m = 1;
  one.n = columns;
  const Case core = random_case(one, InputKind::normal, seed, trial);
  if (p.operation != Operation::gemm) return core;
  Problem whole = p;
  whole.m = s.m;
  whole.n = s.n;
  Case x = random_case(whole, InputKind::normal, seed ^ (s.m * 0x10001U + s.n), trial + 1000);
  const std::size_t wa = code_bytes(p.a), wb = code_bytes(p.b);
  std::copy(core.a.begin(), core.a.end(), x.a.begin() + static_cast<std::ptrdiff_t>(s.row * p.k * wa));
  for (std::size_t i = 0; i < p.k; ++i) {
    std::copy_n(core.b.begin() + static_cast<std::ptrdiff_t>(i * columns * wb), columns * wb,
                x.b.begin() + static_cast<std::ptrdiff_t>(i * s.n * wb));
  }
  if (p.c) {
    const std::size_t wc = code_bytes(*p.c);
    std::copy_n(core.c.begin(), columns * wc, x.c.begin() + static_cast<std::ptrdiff_t>(s.row * s.n * wc));
  }
  return x;
}

}  // namespace

Invariance invariance(const Problem& problem, const Target& target, const Variation& v,
                      const RevealOptions& options, std::size_t trials, std::size_t most_trees) {
  check_problem(problem);
  const bool matrix = problem.operation == Operation::gemm;
  if (!matrix && (!v.m.empty() || !v.n.empty() || v.row))
    throw InputError("--vary", "", "threads and run: m, n and row are gemm's",
                     std::string(operation_name(problem.operation)));
  Invariance result;
  result.problem = problem;
  std::size_t columns = problem.n;
  for (const std::size_t n : v.n) columns = std::min(columns, n);
  for (const std::size_t m : or_one(v.m, problem.m)) {
    for (const std::size_t n : or_one(v.n, problem.n)) {
      std::vector<std::size_t> rows{0};
      if (v.row) {
        for (const std::size_t row : {m / 2, m - 1}) {
          if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
        }
      }
      for (const std::size_t row : rows) {
        for (const int threads : or_one(v.threads, problem.threads)) {
          for (std::size_t run = 0; run < std::max<std::size_t>(v.runs, 1); ++run)
            result.settings.push_back({m, n, row, threads, run, -1});
        }
      }
    }
  }
  if (result.settings.size() < 2) throw InputError("--vary", "", "two settings or more to compare", "one");
  // Settings of one shape and number of threads in one go: a program is started for each number of threads.
  std::vector<std::size_t> sequence(result.settings.size());
  for (std::size_t i = 0; i < sequence.size(); ++i) sequence[i] = i;
  std::stable_sort(sequence.begin(), sequence.end(), [&](std::size_t x, std::size_t y) {
    return result.settings[x].threads < result.settings[y].threads;
  });
  std::vector<std::vector<std::uint64_t>> bits(result.settings.size());
  for (const std::size_t i : sequence) {
    const Setting& s = result.settings[i];
    Problem p = problem;
    p.m = s.m;
    p.n = s.n;
    p.threads = s.threads;
    check_problem(p);
    Asker asker(p, target, options);
    asker.ask(
        trials, [&](std::size_t t) { return embedded(p, s, columns, options.seed, t); },
        [&](std::size_t, const Answer& answer) {
          for (std::size_t c = 0; c < columns; ++c) {
            const std::uint64_t code = answer[matrix ? s.row * s.n + c : 0];
            bits[i].push_back(p.output.is_nan(code) ? p.output.nan_code() : code);
            if (!matrix) break;
          }
        },
        "bits");
    result.runs += asker.runs();
  }
  std::map<std::vector<std::uint64_t>, int> seen;
  result.first_change = result.settings.size();
  for (std::size_t i = 0; i < result.settings.size(); ++i) {
    const auto [at, fresh] = seen.try_emplace(bits[i], static_cast<int>(result.classes.size()));
    if (fresh) result.classes.push_back({i, 0, {}, {}, {}});
    result.settings[i].by_bits = at->second;
    ++result.classes[static_cast<std::size_t>(at->second)].settings;
    if (at->second != 0 && result.first_change == result.settings.size()) result.first_change = i;
  }
  result.invariant = result.classes.size() == 1;
  const std::vector<std::uint64_t>& answers = bits.front();
  const bool one_answer =
      std::adjacent_find(answers.begin(), answers.end(), std::not_equal_to<>()) == answers.end();
  const std::uint64_t first = answers.front();
  result.answers_vary = answers.size() > 1
                            ? !one_answer
                            : !problem.output.is_nan(first) && (first & problem.output.magnitude_mask()) != 0;

  result.columns = {0};
  if (matrix && columns > 1) result.columns.push_back(columns - 1);
  const auto trees_of = [&](std::size_t setting, BitClass& into) {
    const Setting& s = result.settings[setting];
    Problem p = problem;
    p.m = s.m;
    p.n = s.n;
    p.threads = s.threads;
    for (const std::size_t column : result.columns) {
      RevealOptions order = options;
      order.order_only = true;
      order.only = {matrix ? s.row * s.n + column : 0};
      const Revelation r = reveal(p, target, order);
      result.runs += r.runs;
      const OrderClass& c = r.classes.front();
      into.trees.push_back(c.tree);
      into.orders.push_back(c.tree.nodes.empty() ? "" : canonical_order(c.tree));
      if (c.tree.nodes.empty()) into.why_not = c.why_not;
    }
  };
  for (std::size_t i = 0; i < result.classes.size() && i < most_trees; ++i)
    trees_of(result.classes[i].first, result.classes[i]);
  // Equal bits on random rows are no proof: the setting that is farthest away is looked at as well.
  if (result.invariant && result.settings.size() > 1) {
    BitClass last;
    last.first = result.settings.size() - 1;
    trees_of(last.first, last);
    if (last.orders != result.classes.front().orders) {
      result.invariant = false;
      result.first_change = last.first;
      last.settings = 1;
      --result.classes.front().settings;
      result.settings[last.first].by_bits = static_cast<int>(result.classes.size());
      result.classes.push_back(std::move(last));
    }
  }
  return result;
}

}  // namespace assay::diagnose
