#include "validation/suites/explain_units.hpp"

#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "emulation/units/distinguish.hpp"
#include "emulation/units/unit.hpp"
#include "reference/core/error.hpp"

namespace assay {
namespace {

using diagnose::add_to_mark;
using diagnose::ExplainInput;
using diagnose::TracedStep;

// 3 of "a[3] b[3]"; empty for anything else.
std::optional<std::size_t> product_index(const std::string& name) {
  if (!name.starts_with("a[") || name.find("] b[") == std::string::npos) return std::nullopt;
  std::size_t i = 0;
  const auto [end, status] = std::from_chars(name.data() + 2, name.data() + name.size(), i);
  if (status != std::errc{} || *end != ']') return std::nullopt;
  return i;
}

// Which terms each step's result holds, by following the names of partial sums ("c", "even chain"). A trace whose last
// result does not come out as the sum of all `n` says nothing of any step.
void mark_terms(std::vector<TracedStep>& steps, std::size_t n) {
  struct Set {
    std::size_t below = 0;
    std::uint64_t mark = 0;
    void take(const Set& other) {
      below += other.below;
      mark += other.mark;
    }
  };
  std::map<std::string, Set> sums;
  Set pending;  // a result that no name holds yet
  for (TracedStep& step : steps) {
    Set all;
    std::string holder;
    bool products = false;
    for (const TraceTerm& term : step.terms) {
      if (const auto i = product_index(term.name)) {
        ++all.below;
        add_to_mark(all.mark, *i);
        products = true;
      } else if (const auto known = sums.find(term.name); known != sums.end()) {
        // A chain that starts anew at zero holds nothing.
        if (!term.exact.is_zero()) all.take(known->second);
        holder = term.name;
        sums.erase(known);
      } else if (pending.below > 0 && !term.exact.is_zero()) {
        all.take(pending);
        pending = {};
      } else {
        holder = term.name;
      }
    }
    if (products && !holder.empty()) {
      sums[holder] = all;
    } else if (!products && holder == "c") {
      sums[holder] = all;
    } else {
      pending = all;
    }
    step.below = all.below;
    step.mark = all.mark;
  }
  if (!steps.empty() && steps.back().below == n) return;
  for (TracedStep& step : steps) step.below = 0;
}

std::vector<TracedStep> unit_steps(const Arithmetic& arithmetic, const CodeVector& a, const CodeVector& b,
                                   std::optional<std::uint64_t> c) {
  const Unit* const unit = as_unit(arithmetic);
  if (unit == nullptr) return {};
  std::vector<TracedStep> steps;
  for (TraceStep& step : unit->trace(a, b, c, unit->info().outputs.front()))
    steps.push_back({std::move(step)});
  mark_terms(steps, a.size);
  return steps;
}

Distinction told_apart(const Arithmetic& x, const Arithmetic& y, const ExplainInput& input,
                       std::uint64_t seed) {
  DistinguishOptions options{.seed = seed, .limit = 4000, .most_terms = 256};
  options.inputs = {input.a, input.b};
  options.with_c = input.views[0].elements[0].c.has_value();
  try {
    return distinguish(x, y, options);
  } catch (const ContractError&) {  // no format in common
    return {};
  } catch (const InputError&) {  // what was revealed knows some lengths alone: that of the sample
    options.terms = input.views[0].elements[0].a.size();
    return distinguish(x, y, options);
  }
}

}  // namespace

diagnose::ExplainOptions explain_options(const ExplainInput& input, std::uint64_t seed) {
  diagnose::ExplainOptions options;
  options.trace = unit_steps;
  options.separate = [&input, seed](const Arithmetic& x, const Arithmetic& y) {
    return told_apart(x, y, input, seed);
  };
  return options;
}

}  // namespace assay
