#include "validation/diagnose/explain/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <set>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/chain.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

constexpr std::size_t most_remaining = 10000;

CodeVector words(const std::vector<std::uint64_t>& codes, const FormatSpec& f) {
  return {codes.data(), codes.size(), static_cast<std::ptrdiff_t>(8 / code_bytes(f)), f};
}

// An operand as an arithmetic reads it.
CodeVector operand(const std::vector<std::uint64_t>& codes, const FormatSpec& f, const ExplainInput& input,
                   const std::vector<std::uint8_t>& scales, float tensor) {
  CodeVector x = words(codes, f);
  if (!scales.empty())
    x.scales = {.data = scales.data(), .count = scales.size(), .use = *input.scales, .tensor = tensor};
  return x;
}
CodeVector a_of(const ExplainElement& e, const ExplainInput& input) {
  return operand(e.a, input.a, input, e.a_scales, input.a_tensor);
}
CodeVector b_of(const ExplainElement& e, const ExplainInput& input) {
  return operand(e.b, input.b, input, e.b_scales, input.b_tensor);
}

// An operand as a chain reads it: the values, scaled.
CodeVector a_values_of(const ExplainElement& e, const ExplainInput& input) {
  return e.a_values.empty() ? words(e.a, input.a) : words(e.a_values, formats::float64);
}
CodeVector b_values_of(const ExplainElement& e, const ExplainInput& input) {
  return e.b_values.empty() ? words(e.b, input.b) : words(e.b_values, formats::float64);
}

bool same_bits(std::uint64_t x, std::uint64_t y, const FormatSpec& f) {
  return x == y || (f.is_nan(x) && f.is_nan(y));
}

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

// c as a code of an accumulator; empty if there is none. The caller has seen that it is held.
std::optional<std::uint64_t> start_of(const ExplainElement& e, const FormatSpec& c, const FormatSpec& f) {
  if (!e.c) return std::nullopt;
  return c == f ? *e.c : convert(*e.c, c, f).code;
}

bool takes_formats(const Arithmetic& arithmetic, const ExplainInput& input) {
  return arithmetic.accepts(input.a, input.b) &&
         (!input.views[0].elements[0].c || contains_format(arithmetic.info().accumulator, input.c));
}
bool takes(const Arithmetic& arithmetic, const ExplainInput& input) {
  return takes_formats(arithmetic, input) &&
         (!input.scales || arithmetic.info().block_scales == input.scales);
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

// What leaves the candidate's sum, as a code of its sum_format.
std::uint64_t sum_of(const ExplainCandidate& c, const ExplainInput& input, std::size_t i) {
  const ExplainElement& e = input.views[c.view_index].elements[i];
  if (c.arithmetic != nullptr) {
    return c.arithmetic->dot(a_of(e, input), b_of(e, input),
                             start_of(e, input.c, c.arithmetic->info().accumulator), c.sum_format, e.index);
  }
  const std::optional<std::uint64_t> start = start_of(e, input.c, c.rules.accumulator);
  const CodeVector a = a_values_of(e, input), b = b_values_of(e, input);
  return PreparedTerms(a, b, c.rules).evaluate(make_schedule(c.order, a.size, e.c.has_value()), start);
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
    summarize();
    diverge();
    separate();
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

  void summarize() {
    using Get = std::function<std::string(const ExplainCandidate&)>;
    const auto generated = [](const Get& get) {
      return [get](const ExplainCandidate& c) { return c.arithmetic == nullptr ? get(c) : std::string(); };
    };
    const std::vector<std::pair<std::string, Get>> attributes{
        {"terms", [](const ExplainCandidate& c) { return c.view; }},
        {"named", [](const ExplainCandidate& c) { return c.arithmetic != nullptr ? c.name : ""; }},
        {"order", generated([](const ExplainCandidate& c) { return order_name(c.order); })},
        {"products", generated([](const ExplainCandidate& c) { return fusion_name(c.rules); })},
        {"sums in",
         generated([](const ExplainCandidate& c) { return std::string(c.rules.accumulator.dtype); })},
        {"rounding",
         generated([](const ExplainCandidate& c) { return std::string(rounding_name(c.rules.rounding)); })},
        {"flushed", generated([](const ExplainCandidate& c) { return flush_name(c.rules); })},
        {"output", [&](const ExplainCandidate& c) {
           return c.sum_format == input_.got ? std::string() : finish_name(c.finish);
         }}};
    const std::map<std::string, std::size_t> tried{
        {"terms", input_.views.size()}, {"named", named_.size()}, {"order", orders_.size()}};
    for (const auto& [name, get] : attributes) {
      std::map<std::string, std::size_t> counts;
      for (std::size_t i = 0; i < result_.remaining; ++i) {
        const std::string value = get(result_.ranked[i].candidate);
        if (!value.empty()) ++counts[value];
      }
      if (counts.empty()) continue;
      ExplainAttribute attribute{.name = name, .values = {counts.begin(), counts.end()}};
      std::stable_sort(attribute.values.begin(), attribute.values.end(),
                       [](const auto& x, const auto& y) { return x.second > y.second; });
      if (const auto found = tried.find(name); found != tried.end()) attribute.tried = found->second;
      result_.attributes.push_back(std::move(attribute));
    }
    const std::size_t most = std::min(result_.remaining, most_remaining) + options_.keep;
    if (result_.ranked.size() > most) result_.ranked.resize(most);
  }

  std::vector<TracedStep> steps_of(const ExplainCandidate& c, std::size_t e) const {
    const ExplainElement& element = input_.views[c.view_index].elements[e];
    const bool chain = c.arithmetic == nullptr;
    const CodeVector a = chain ? a_values_of(element, input_) : a_of(element, input_),
                     b = chain ? b_values_of(element, input_) : b_of(element, input_);
    std::vector<TracedStep> steps;
    FormatSpec format = c.sum_format;
    if (c.arithmetic == nullptr) {
      steps = trace_chain(c.order, c.rules, a, b, start_of(element, input_.c, c.rules.accumulator));
    } else if (options_.trace) {
      steps =
          options_.trace(*c.arithmetic, a, b, start_of(element, input_.c, c.arithmetic->info().accumulator));
      if (!steps.empty()) format = steps.back().format;
    }
    if (steps.empty() || format == input_.got) return steps;
    TracedStep last{
        {.name = fmt::format("to {}, {}", input_.got.dtype, finish_name(c.finish)), .format = input_.got}};
    last.terms = {{"sum", widened(exact_from_code(steps.back().result, format)),
                   widened(exact_from_code(steps.back().result, format))}};
    last.sum = last.terms[0].exact;
    last.result = answer(c, input_, e).value_or(0);
    steps.push_back(std::move(last));
    return steps;
  }

  static bool same_value(const TracedStep& x, const TracedStep& y) {
    if (x.format == y.format) return same_bits(x.result, y.result, x.format);
    return decode(x.result, x.format) == decode(y.result, y.format);
  }
  // Finds the first sums of the same terms that differ.
  static void part(ExplainDivergence& d) {
    if (d.best.empty() || d.other_steps.empty()) return;
    std::map<std::uint64_t, std::size_t> others;
    for (std::size_t i = 0; i < d.other_steps.size(); ++i) {
      if (d.other_steps[i].below > 0) others.emplace(d.other_steps[i].mark, i);
    }
    d.step = d.best.size() - 1;
    d.other_step = d.other_steps.size() - 1;
    for (std::size_t i = 0; i < d.best.size(); ++i) {
      if (d.best[i].below == 0) continue;
      const auto found = others.find(d.best[i].mark);
      if (found == others.end() || same_value(d.best[i], d.other_steps[found->second])) continue;
      d.step = i;
      d.other_step = found->second;
      return;
    }
  }

  // The nearest candidate that answers otherwise, where it does.
  void diverge() {
    if (result_.ranked.empty()) return;
    const ExplainCandidate& best = result_.ranked.front().candidate;
    for (std::size_t i = std::max<std::size_t>(result_.remaining, 1); i < result_.ranked.size(); ++i) {
      const ExplainCandidate& other = result_.ranked[i].candidate;
      for (std::size_t e = 0; e < elements_; ++e) {
        const std::optional<std::uint64_t> x = answer(best, input_, e), y = answer(other, input_, e);
        if (!x || !y || same_bits(*x, *y, input_.got)) continue;
        ExplainDivergence d{.other = other,
                            .index = input_.views[0].elements[e].index,
                            .got = input_.views[0].elements[e].got,
                            .best_result = *x,
                            .other_result = *y};
        d.best = steps_of(best, e);
        d.other_steps = steps_of(other, e);
        part(d);
        result_.divergence = std::move(d);
        return;
      }
    }
  }

  // For each attribute that is left open, the first remaining candidate that has another value of it.
  void separate() {
    if (!options_.separate || result_.remaining < 2) return;
    const ExplainCandidate& best = result_.ranked.front().candidate;
    const std::unique_ptr<const Arithmetic> x = own(best);
    const auto differs = [&](const ExplainCandidate& c, int what) {
      const bool chains = c.arithmetic == nullptr && best.arithmetic == nullptr;
      switch (what) {
        case 0: return chains && order_name(c.order) != order_name(best.order);
        case 1: return chains && c.rules.accumulator != best.rules.accumulator;
        case 2: return chains && c.rules.product != best.rules.product;
        case 3: return chains && c.rules.rounding != best.rules.rounding;
        case 4: return chains && flush_name(c.rules) != flush_name(best.rules);
        default: return c.arithmetic != best.arithmetic;
      }
    };
    std::set<std::string> done;
    for (int what = 0; what < 6 && result_.separations.size() < options_.separations; ++what) {
      for (std::size_t i = 1; i < std::min(result_.remaining, result_.ranked.size()); ++i) {
        const ExplainCandidate& other = result_.ranked[i].candidate;
        if (!differs(other, what) || !done.insert(other.name).second) continue;
        const std::unique_ptr<const Arithmetic> y = own(other);
        result_.separations.push_back(
            {other.name, options_.separate(x ? *x : *best.arithmetic, y ? *y : *other.arithmetic)});
        break;
      }
    }
  }

  std::unique_ptr<const Arithmetic> own(const ExplainCandidate& c) const {
    if (c.arithmetic != nullptr) return nullptr;
    return make_chain({.name = c.name,
                       .summary = order_name(c.order),
                       .accumulator = c.rules.accumulator,
                       .product = c.rules.product,
                       .order = c.order,
                       .rounding = c.rules.rounding,
                       .flush_inputs = c.rules.flush_inputs,
                       .flush_results = c.rules.flush_results});
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

void ExplainElement::take(const CodeVector& x, const CodeVector& y) {
  const auto read = [](const CodeVector& v, std::vector<std::uint64_t>& codes,
                       std::vector<std::uint8_t>& scales, std::vector<std::uint64_t>& values) {
    for (std::size_t i = 0; i < v.size; ++i) {
      codes.push_back(v.code(i));
      if (v.scales.given()) values.push_back(encode(element_value(v, i), formats::float64).code);
    }
    for (std::size_t i = 0; v.scales.given() && i < v.size; i += v.scales.use.block)
      scales.push_back(v.scales.code(i));
  };
  read(x, a, a_scales, a_values);
  read(y, b, b_scales, b_values);
}

ExplainInput part_of(const ExplainInput& input, const std::vector<std::size_t>& positions) {
  ExplainInput part = input;
  for (ExplainView& view : part.views) {
    std::vector<ExplainElement> some;
    for (const std::size_t i : positions) some.push_back(view.elements.at(i));
    view.elements = std::move(some);
  }
  return part;
}

std::optional<std::uint64_t> answer(const ExplainCandidate& candidate, const ExplainInput& input,
                                    std::size_t element) {
  if (candidate.arithmetic != nullptr && !takes(*candidate.arithmetic, input)) return std::nullopt;
  return candidate.finish.apply(sum_of(candidate, input, element), candidate.sum_format, input.got);
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
