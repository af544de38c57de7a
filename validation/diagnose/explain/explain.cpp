#include "validation/diagnose/explain/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "validation/diagnose/explain/elements.hpp"
#include "validation/diagnose/explain/findings.hpp"

namespace assay::diagnose {
namespace {

void check(const ExplainInput& input) {
  if (input.views.empty() || input.views.front().elements.empty()) throw ContractError("explain: no outputs");
  const std::vector<ExplainElement>& first = input.views.front().elements;
  for (const ExplainView& view : input.views) {
    if (view.elements.size() != first.size()) throw ContractError("explain: views of different outputs");
    for (std::size_t i = 0; i < first.size(); ++i) {
      const ExplainElement& e = view.elements[i];
      if (e.index != first[i].index || e.got != first[i].got || e.c.has_value() != first[0].c.has_value())
        throw ContractError("explain: views of different outputs");
      if (e.a.size() != e.b.size() || e.a.size() >> 17 != 0) {
        throw ContractError(fmt::format("explain: {} and {} operands of output {}; at most 131071",
                                        e.a.size(), e.b.size(), e.index));
      }
    }
  }
}

std::string chain_name(const SumOrder& order, const ChainRules& rules) {
  std::string name =
      fmt::format("{}, {}, {}", order_name(order), fusion_name(rules), rules.accumulator.dtype);
  if (rules.rounding != Rounding::nearest_even) name += fmt::format(", {}", rounding_name(rules.rounding));
  if (rules.flush_inputs || rules.flush_results) name += fmt::format(", {} flushed", flush_name(rules));
  return name;
}

// The generated chain that an arithmetic of the registry is: an order's index and rules.
struct NamedChain {
  const Arithmetic* arithmetic = nullptr;
  std::size_t order = 0;
  ChainRules rules{};
};

bool describes(const Arithmetic& arithmetic, const ChainRules& r) {
  const ArithmeticInfo& info = arithmetic.info();
  const std::optional<Accumulation> how = arithmetic.accumulation();
  return how && how->accumulator == r.accumulator && how->product == r.product &&
         how->rounding == r.rounding && info.flush_inputs == r.flush_inputs &&
         info.flush_results == r.flush_results;
}

// Ties go to what is more common: no claim, an order of listing.
int rarity(const ExplainCandidate& c) {
  int cost = 0;
  if (c.arithmetic == nullptr) {
    const SumOrder& o = c.order;
    if (c.rules.rounding != Rounding::nearest_even) cost += 8;
    if (c.rules.flush_inputs != c.rules.flush_results) cost += 5;
    if (c.rules.flush_inputs && c.rules.flush_results) cost += 4;
    if (c.rules.product && *c.rules.product != c.rules.accumulator) cost += 3;
    if (o.reversed) cost += 3;
    if (o.kind == SumOrder::Kind::split || o.panel != 0) cost += 2;
    if (o.lanes > 1) cost += 1 + ((o.lanes & (o.lanes - 1)) != 0 ? 2 : 0);
    if (o.kind == SumOrder::Kind::pairwise || o.kind == SumOrder::Kind::numpy) cost += 2;
    if (o.tail_after || o.lane_sum != LaneSum::halves) cost += 1;
    if (c.rules.accumulator != formats::float32) cost += 2;
  } else {
    cost += is_unverified(c.arithmetic->info().evidence) ? 3 : 1;
  }
  if (c.finish != Finish{}) cost += 4;
  return cost + static_cast<int>(c.view_index);
}

class Replay {
 public:
  Replay(const ExplainInput& input, const std::vector<const Arithmetic*>& arithmetics,
         const ExplainOptions& options)
      : input_(input), options_(options), elements_(input.views[0].elements.size()) {
    std::set<std::size_t> lengths;
    for (const ExplainView& view : input.views) {
      for (const ExplainElement& e : view.elements) lengths.insert(e.a.size());
    }
    result_.sample = elements_;
    result_.least_terms = *lengths.begin();
    result_.most_terms = *lengths.rbegin();
    const bool has_c = input.views[0].elements[0].c.has_value();
    const auto classes = order_classes({lengths.begin(), lengths.end()}, has_c);
    for (const std::vector<SumOrder>& same : classes) orders_.push_back(same.front());
    rules_ = candidate_rules(input.a, input.b, input.got, has_c ? std::optional(input.c) : std::nullopt);
    for (const Arithmetic* arithmetic : arithmetics) {
      if (!takes_formats(*arithmetic, input)) continue;
      if (const auto chain = as_chain(*arithmetic, classes)) {
        chains_.push_back(*chain);
      } else if (takes(*arithmetic, input)) {
        named_.push_back(arithmetic);
      }
    }
    result_.orders = orders_.size();
    result_.rules = rules_.size();
    result_.named = named_.size();
  }

  Explanation run() {
    make_tasks();
    const std::size_t first = result_.first_stage = first_outputs();
    stage(0, first);
    std::size_t seen = first;
    for (const std::size_t next : {std::min(4 * first, elements_), elements_}) {
      if (next == seen) continue;
      cull(seen);
      stage(seen, next);
      seen = next;
    }
    rank();
    read_findings(input_, options_, result_);
    return std::move(result_);
  }

 private:
  // Candidates that differ in order, flushing and the last rounding alone; or an arithmetic of the registry.
  struct Task {
    ExplainCandidate base{};  // of a chain: without flushing
    std::vector<Finish> ends{};
    std::size_t orders = 1, flushes = 1;
    std::vector<std::uint32_t> matches{};  // [order][flush][end]
    std::vector<char> alive{};

    ExplainCandidate candidate(std::size_t cell, const std::vector<SumOrder>& all_orders) const {
      ExplainCandidate c = base;
      c.finish = ends[cell % ends.size()];
      if (c.arithmetic != nullptr) return c;
      const std::size_t flush = cell / ends.size() % flushes;
      c.order = all_orders[cell / ends.size() / flushes];
      c.rules = flushed(c.rules, flush);
      return c;
    }
  };
  struct Cell {
    std::size_t task, cell;
    std::uint32_t matches;
    int rarity;
  };

  std::optional<NamedChain> as_chain(const Arithmetic& arithmetic,
                                     const std::vector<std::vector<SumOrder>>& classes) const {
    const ArithmeticInfo& info = arithmetic.info();
    if ((info.flush_inputs || info.flush_results) && !info.flush_by_code) return std::nullopt;
    const auto rules = std::find_if(rules_.begin(), rules_.end(),
                                    [&](const ChainRules& r) { return describes(arithmetic, r); });
    if (rules == rules_.end()) return std::nullopt;
    // An order that serves the bound may leave out what the bits depend on, such as which of a pair comes first;
    // `sequential` is said of the bits.
    const SumOrder order = arithmetic.accumulation()->order;
    if (info.sequential != is_sequential(order)) return std::nullopt;
    for (std::size_t o = 0; o < classes.size(); ++o) {
      if (std::find(classes[o].begin(), classes[o].end(), order) != classes[o].end())
        return NamedChain{&arithmetic, o, *rules};
    }
    return std::nullopt;
  }

  static ChainRules flushed(ChainRules rules, std::size_t flush) {
    rules.flush_inputs = (flush & 1) != 0;
    rules.flush_results = (flush & 2) != 0;
    return rules;
  }

  void make_tasks() {
    const auto add = [&](ExplainCandidate base, std::size_t orders, std::size_t flushes) {
      Task task{std::move(base), finishes(base.sum_format, input_.got), orders, flushes, {}, {}};
      const std::size_t cells = orders * flushes * task.ends.size();
      task.matches.resize(cells);
      task.alive.resize(cells, 1);
      result_.candidates += cells;
      tasks_.push_back(std::move(task));
    };
    for (std::size_t v = 0; v < input_.views.size(); ++v) {
      ExplainCandidate base{.view = input_.views[v].name, .view_index = v};
      for (const ChainRules& rules : rules_) {
        if (rules.flush_inputs || rules.flush_results) continue;
        base.rules = rules;
        base.sum_format = rules.accumulator;
        add(base, orders_.size(), 4);
      }
      for (const Arithmetic* arithmetic : named_) {
        base.arithmetic = arithmetic;
        base.name = arithmetic->info().name;
        for (const FormatSpec& format : arithmetic->info().outputs) {
          base.sum_format = format;
          add(base, 1, 1);
        }
      }
    }
  }

  std::size_t first_outputs() const {
    // The definition takes some 20 ns an addition: these are a few seconds.
    const double all = static_cast<double>(orders_.size() * rules_.size() * input_.views.size()) *
                       static_cast<double>(result_.most_terms + 1);
    return std::min(elements_, static_cast<std::size_t>(std::clamp(4e8 / all, 2.0, 8.0)));
  }

  void replay(Task& task, std::size_t e) const {
    const ExplainElement& element = input_.views[task.base.view_index].elements[e];
    const std::size_t ends = task.ends.size();
    const auto count = [&](std::size_t first, std::uint64_t sum) {
      for (std::size_t i = 0; i < ends; ++i) {
        if (task.alive[first + i] == 0) continue;
        const std::uint64_t code = task.ends[i].apply(sum, task.base.sum_format, input_.got);
        if (same_bits(code, element.got, input_.got)) ++task.matches[first + i];
      }
    };
    const auto any_alive = [&](std::size_t first, std::size_t n) {
      const auto begin = task.alive.begin() + static_cast<std::ptrdiff_t>(first);
      return std::any_of(begin, begin + static_cast<std::ptrdiff_t>(n),
                         [](char alive) { return alive != 0; });
    };
    if (task.base.arithmetic != nullptr) {
      if (any_alive(0, ends)) count(0, sum_of(task.base, input_, e));
      return;
    }
    const CodeVector a = a_values_of(element, input_), b = b_values_of(element, input_);
    const std::optional<std::uint64_t> c = start_of(element, input_.c, task.base.sum_format);
    const std::vector<Schedule>& schedules = schedules_.at(element.a.size());
    std::array<std::optional<PreparedTerms>, 4> prepared;
    const auto terms = [&](std::size_t flush) -> const PreparedTerms& {
      if (!prepared[flush]) prepared[flush].emplace(a, b, flushed(task.base.rules, flush));
      return *prepared[flush];
    };
    for (std::size_t o = 0; o < task.orders; ++o) {
      const std::size_t first = o * task.flushes * ends;
      if (!any_alive(first, task.flushes * ends)) continue;
      bool subnormal = c && task.base.sum_format.is_subnormal(*c);
      const std::uint64_t plain = terms(0).evaluate(schedules[o], c, &subnormal);
      for (std::size_t flush = 0; flush < task.flushes; ++flush) {
        if (!any_alive(first + flush * ends, ends)) continue;
        // Flushing does nothing where nothing is subnormal.
        count(first + flush * ends,
              flush == 0 || !subnormal ? plain : terms(flush).evaluate(schedules[o], c));
      }
    }
  }

  void stage(std::size_t begin, std::size_t end) {
    const bool has_c = input_.views[0].elements[0].c.has_value();
    for (const ExplainView& view : input_.views) {
      for (std::size_t e = begin; e < end; ++e) {
        std::vector<Schedule>& of_length = schedules_[view.elements[e].a.size()];
        if (!of_length.empty()) continue;
        for (const SumOrder& order : orders_)
          of_length.push_back(make_schedule(order, view.elements[e].a.size(), has_c));
      }
    }
    std::mutex mutex;
    std::size_t done = 0;
    parallel_for(tasks_.size(), options_.threads, [&](std::size_t t) {
      for (std::size_t e = begin; e < end; ++e) replay(tasks_[t], e);
      if (!options_.progress) return;
      const std::lock_guard lock(mutex);
      // All candidates see the first outputs alone: that is nearly all of the work.
      if (begin == 0) options_.progress(static_cast<double>(++done) / static_cast<double>(tasks_.size()));
    });
  }

  // Candidates that gave some of the first `seen` outputs, the best first.
  std::vector<Cell> living() const {
    std::vector<Cell> cells;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      for (std::size_t i = 0; i < tasks_[t].alive.size(); ++i) {
        if (tasks_[t].alive[i] == 0 || tasks_[t].matches[i] == 0) continue;
        cells.push_back({t, i, tasks_[t].matches[i], rarity(tasks_[t].candidate(i, orders_))});
      }
    }
    std::stable_sort(cells.begin(), cells.end(), [](const Cell& x, const Cell& y) {
      return x.matches != y.matches ? x.matches > y.matches : x.rarity < y.rarity;
    });
    return cells;
  }

  // Whoever gave all of the first outputs goes on, and the best of those that did not.
  void cull(std::size_t seen) {
    std::size_t partly = std::max<std::size_t>(options_.keep, 64);
    const std::vector<Cell> cells = living();
    for (Task& task : tasks_) std::fill(task.alive.begin(), task.alive.end(), char{0});
    std::size_t kept = 0;
    for (const Cell& cell : cells) {
      if (cell.matches < seen && partly-- == 0) break;
      tasks_[cell.task].alive[cell.cell] = 1;
      ++kept;
    }
    result_.set_aside = result_.candidates - kept;
  }

  void rank() {
    for (const Cell& cell : living()) {
      result_.ranked.push_back({tasks_[cell.task].candidate(cell.cell, orders_), cell.matches, elements_});
      ExplainCandidate& c = result_.ranked.back().candidate;
      name(c, cell);
      result_.remaining += cell.matches == elements_ ? 1 : 0;
    }
    if (result_.ranked.empty()) return;
    for (std::size_t e = 0; e < elements_; ++e) {
      const std::optional<std::uint64_t> code = answer(result_.ranked.front().candidate, input_, e);
      const ExplainElement& element = input_.views[0].elements[e];
      if (code && same_bits(*code, element.got, input_.got)) {
        result_.given.push_back(element.index);
      } else {
        result_.missed.push_back(e);
      }
    }
  }

  void name(ExplainCandidate& c, const Cell& cell) const {
    if (c.arithmetic != nullptr) {
      c.names = {c.name};
      return;
    }
    c.name = chain_name(c.order, c.rules);
    const Task& task = tasks_[cell.task];
    const std::size_t order = cell.cell / task.ends.size() / task.flushes;
    for (const NamedChain& chain : chains_) {
      if (chain.order == order && chain.rules == c.rules) c.names.push_back(chain.arithmetic->info().name);
    }
  }

  const ExplainInput& input_;
  const ExplainOptions& options_;
  std::size_t elements_;
  std::vector<SumOrder> orders_{};
  std::vector<ChainRules> rules_{};
  std::vector<const Arithmetic*> named_{};
  std::vector<NamedChain> chains_{};
  std::vector<Task> tasks_{};
  std::map<std::size_t, std::vector<Schedule>> schedules_{};  // by number of terms; in the order of orders_
  Explanation result_{};
};

}  // namespace

Explanation explain(const ExplainInput& input, const std::vector<const Arithmetic*>& arithmetics,
                    const ExplainOptions& options) {
  check(input);
  return Replay(input, arithmetics, options).run();
}

std::vector<std::size_t> drawn_sample(std::size_t size, std::size_t n, std::uint64_t seed) {
  std::vector<std::size_t> sample;
  if (n >= size) {
    for (std::size_t i = 0; i < size; ++i) sample.push_back(i);
    return sample;
  }
  const CounterRandom random(seed);
  std::set<std::size_t> seen;
  for (std::uint64_t i = 0; sample.size() < n; ++i) {
    const auto at = static_cast<std::size_t>(random.below(size, i));
    if (seen.insert(at).second) sample.push_back(at);
  }
  return sample;
}

std::vector<Explanation> explain_parts(const ExplainInput& input,
                                       const std::vector<const Arithmetic*>& arithmetics,
                                       ExplainOptions options) {
  constexpr std::size_t most_parts = 4;
  std::vector<Explanation> all{explain(input, arithmetics, options)};
  options.separate = nullptr;
  ExplainInput rest = input;
  while (all.back().remaining == 0 && !all.back().ranked.empty() && all.size() < most_parts) {
    rest = part_of(rest, all.back().missed);
    all.push_back(explain(rest, arithmetics, options));
  }
  return all;
}

}  // namespace assay::diagnose
