#include "validation/diagnose/explain/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "reference/exact/chain.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/explain/elements.hpp"

namespace assay::diagnose {
namespace {

constexpr std::size_t most_remaining = 10000;

void summarize(const ExplainInput& input, const ExplainOptions& options, Explanation& result) {
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
         return c.sum_format == input.got ? std::string() : finish_name(c.finish);
       }}};
  const std::map<std::string, std::size_t> tried{
      {"terms", input.views.size()}, {"named", result.named}, {"order", result.orders}};
  for (const auto& [name, get] : attributes) {
    std::map<std::string, std::size_t> counts;
    for (std::size_t i = 0; i < result.remaining; ++i) {
      const std::string value = get(result.ranked[i].candidate);
      if (!value.empty()) ++counts[value];
    }
    if (counts.empty()) continue;
    ExplainAttribute attribute{.name = name, .values = {counts.begin(), counts.end()}};
    std::stable_sort(attribute.values.begin(), attribute.values.end(),
                     [](const auto& x, const auto& y) { return x.second > y.second; });
    if (const auto found = tried.find(name); found != tried.end()) attribute.tried = found->second;
    result.attributes.push_back(std::move(attribute));
  }
  const std::size_t most = std::min(result.remaining, most_remaining) + options.keep;
  if (result.ranked.size() > most) result.ranked.resize(most);
}

std::vector<TracedStep> steps_of(const ExplainCandidate& c, const ExplainInput& input,
                                 const ExplainOptions& options, std::size_t e) {
  const ExplainElement& element = input.views[c.view_index].elements[e];
  const bool chain = c.arithmetic == nullptr;
  const CodeVector a = chain ? a_values_of(element, input) : a_of(element, input),
                   b = chain ? b_values_of(element, input) : b_of(element, input);
  std::vector<TracedStep> steps;
  FormatSpec format = c.sum_format;
  if (c.arithmetic == nullptr) {
    steps = trace_chain(c.order, c.rules, a, b, start_of(element, input.c, c.rules.accumulator));
  } else if (options.trace) {
    steps = options.trace(*c.arithmetic, a, b, start_of(element, input.c, c.arithmetic->info().accumulator));
    if (!steps.empty()) format = steps.back().format;
  }
  if (steps.empty() || format == input.got) return steps;
  TracedStep last{
      {.name = fmt::format("to {}, {}", input.got.dtype, finish_name(c.finish)), .format = input.got}};
  last.terms = {{"sum", widened(exact_from_code(steps.back().result, format)),
                 widened(exact_from_code(steps.back().result, format))}};
  last.sum = last.terms[0].exact;
  last.result = answer(c, input, e).value_or(0);
  steps.push_back(std::move(last));
  return steps;
}

bool same_step(const TracedStep& x, const TracedStep& y) {
  if (x.format == y.format) return same_bits(x.result, y.result, x.format);
  return decode(x.result, x.format) == decode(y.result, y.format);
}
// Finds the first sums of the same terms that differ.
void find_step(ExplainDivergence& d) {
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
    if (found == others.end() || same_step(d.best[i], d.other_steps[found->second])) continue;
    d.step = i;
    d.other_step = found->second;
    return;
  }
}

// The nearest candidate that answers otherwise, where it does.
void diverge(const ExplainInput& input, const ExplainOptions& options, Explanation& result) {
  if (result.ranked.empty()) return;
  const ExplainCandidate& best = result.ranked.front().candidate;
  for (std::size_t i = std::max<std::size_t>(result.remaining, 1); i < result.ranked.size(); ++i) {
    const ExplainCandidate& other = result.ranked[i].candidate;
    for (std::size_t e = 0; e < input.views[0].elements.size(); ++e) {
      const std::optional<std::uint64_t> x = answer(best, input, e), y = answer(other, input, e);
      if (!x || !y || same_bits(*x, *y, input.got)) continue;
      ExplainDivergence d{.other = other,
                          .index = input.views[0].elements[e].index,
                          .got = input.views[0].elements[e].got,
                          .best_result = *x,
                          .other_result = *y};
      d.best = steps_of(best, input, options, e);
      d.other_steps = steps_of(other, input, options, e);
      find_step(d);
      result.divergence = std::move(d);
      return;
    }
  }
}

// The arithmetic of a generated chain; null for others, which have their own.
std::unique_ptr<const Arithmetic> own(const ExplainCandidate& c) {
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

// For each attribute that is left open, the first remaining candidate that has another value of it.
void separate(const ExplainOptions& options, Explanation& result) {
  if (!options.separate || result.remaining < 2) return;
  const ExplainCandidate& best = result.ranked.front().candidate;
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
  for (int what = 0; what < 6 && result.separations.size() < options.separations; ++what) {
    for (std::size_t i = 1; i < std::min(result.remaining, result.ranked.size()); ++i) {
      const ExplainCandidate& other = result.ranked[i].candidate;
      if (!differs(other, what) || !done.insert(other.name).second) continue;
      const std::unique_ptr<const Arithmetic> y = own(other);
      result.separations.push_back(
          {other.name, options.separate(x ? *x : *best.arithmetic, y ? *y : *other.arithmetic)});
      break;
    }
  }
}

}  // namespace

void read_findings(const ExplainInput& input, const ExplainOptions& options, Explanation& result) {
  summarize(input, options, result);
  diverge(input, options, result);
  separate(options, result);
}

}  // namespace assay::diagnose
