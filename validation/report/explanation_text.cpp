#include "validation/report/explanation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

#include "validation/report/distinction_report.hpp"
#include "validation/report/table.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using namespace diagnose;

constexpr std::string_view not_found = "no input found in 4000 tries; that is no proof that there is none";

// 146852 as 146,852.
std::string count_text(std::size_t n) {
  std::string text = fmt::format("{}", n);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string share_text(std::size_t matches, std::size_t compared) {
  return fmt::format("{:.1f} %", 100 * static_cast<double>(matches) / static_cast<double>(compared));
}

// --- candidates that differ in flushing alone are one line -------------------------------------------------------

struct Row {
  const ExplainRank* rank = nullptr;
  std::vector<std::string> flushes{};
};

bool same_but_flush(const ExplainRank& x, const ExplainRank& y) {
  const ExplainCandidate &c = x.candidate, &d = y.candidate;
  if (c.arithmetic != nullptr || d.arithmetic != nullptr) return false;
  ChainRules rules = c.rules;
  rules.flush_inputs = d.rules.flush_inputs;
  rules.flush_results = d.rules.flush_results;
  return x.matches == y.matches && c.view == d.view && c.finish == d.finish && rules == d.rules &&
         order_name(c.order) == order_name(d.order);
}

std::vector<Row> rows_of(const std::vector<ExplainRank>& ranked, std::size_t first, std::size_t end) {
  std::vector<Row> rows;
  for (std::size_t i = first; i < std::min(end, ranked.size()); ++i) {
    const ExplainRank& rank = ranked[i];
    const auto same = std::find_if(rows.begin(), rows.end(),
                                   [&](const Row& row) { return same_but_flush(*row.rank, rank); });
    Row& row = same != rows.end() ? *same : rows.emplace_back(Row{&rank, {}});
    if (rank.candidate.arithmetic == nullptr) row.flushes.push_back(flush_name(rank.candidate.rules));
  }
  return rows;
}

std::string title(const ExplainCandidate& c) {
  std::string text = c.name;
  if (c.arithmetic == nullptr && !c.names.empty()) text += fmt::format(" ({})", fmt::join(c.names, ", "));
  if (c.arithmetic != nullptr && is_unverified(c.arithmetic->info().evidence)) text += " (unverified)";
  if (!c.view.empty()) text += "; " + c.view;
  if (c.finish != Finish{}) text += "; output " + finish_name(c.finish);
  return text;
}

std::string title(const Row& row) {
  std::string text = title(row.rank->candidate);
  constexpr std::size_t every = 4;
  if (row.flushes.size() == every) return text + "; flushing or not";
  if (row.flushes.size() > 1) text += fmt::format("; flushed: {}", fmt::join(row.flushes, " | "));
  return text;
}

// --- the text ----------------------------------------------------------------------------------------------------

std::string outputs_text(std::size_t n) {
  return n == 1 ? "the one output" : fmt::format("all {} outputs", n);
}

// One sentence: which arithmetic made these bits.
std::string verdict_text(const Explanation& e, const std::vector<Row>& remain) {
  const std::string all = count_text(e.candidates);
  if (remain.empty()) {
    return fmt::format("None of {} candidates gives {}\n", all, outputs_text(e.sample));
  }
  std::string text =
      fmt::format("{} gives {}", title(remain.front().rank->candidate), outputs_text(e.sample));
  if (e.remaining == 1) return text + fmt::format(", and no other of {} candidates does\n", all);
  if (remain.size() == 1) {
    return text + fmt::format(
                      ", and no other of {} candidates does\n"
                      "  except for the flushing of subnormals, which this sample does not show: {}\n",
                      all, fmt::join(remain.front().flushes, " | "));
  }
  const std::size_t others = e.remaining - 1;
  return text + fmt::format(", and so {} of {} candidates\n",
                            others == 1 ? "does 1 other" : fmt::format("do {} others", count_text(others)),
                            all);
}

// Where those outputs are that an explanation is of.
std::string places_text(const ExplainedQuestion& q, const Explanation& e) {
  std::vector<std::string> places;
  for (const std::size_t i : e.given) {
    if (places.size() == 4) {
      places.emplace_back("...");
      break;
    }
    places.push_back(compare::index_text(i, q.shape));
  }
  return fmt::format("{}", fmt::join(places, " "));
}

// Outputs of several arithmetics: the best for all, then what gives all that it misses, if anything does. Anything less
// may be chance: half of the candidates give some outputs of any order.
std::string parts_text(const ExplainedQuestion& q, const std::vector<diagnose::Explanation>& all) {
  if (all.front().ranked.empty())
    return "None gives any of the outputs that were replayed first: --sample or --seed draws others\n";
  const bool whole = all.back().remaining > 0;
  std::string text = whole ? fmt::format("Together {} of them do\n", all.size())
                           : std::string("Nor do a few of them together. Nearest:\n");
  for (const Explanation& e : all) {
    const ExplainRank& best = e.ranked.front();
    text += fmt::format("  {:>3} of {} outputs{}: {}\n      at {}\n", best.matches, e.sample,
                        &e == &all.front() ? ""
                        : e.sample < 4     ? " left (few: it may be chance)"
                                           : " left",
                        title(best.candidate), places_text(q, e));
    if (!whole) break;
  }
  return text;
}

std::string ranking_text(const ExplainedQuestion& q, const Explanation& e, const std::vector<Row>& remain) {
  std::vector<std::vector<std::string>> table{{"share", "outputs", "candidate"}};
  const auto add = [&](const Row& row) {
    const ExplainRank& r = *row.rank;
    table.push_back(
        {share_text(r.matches, r.compared), fmt::format("{}/{}", r.matches, r.compared), title(row)});
  };
  for (std::size_t i = 0; i < std::min<std::size_t>(remain.size(), q.top); ++i) add(remain[i]);
  if (remain.size() > q.top)
    table.push_back({"...", "", fmt::format("{} more that give all (--top)", remain.size() - q.top)});
  // The nearest of the others are always shown: how far off they are is what the first line rests on.
  const std::size_t others = remain.empty() ? q.top : std::min<std::size_t>(q.top, 2);
  const std::vector<Row> rest = rows_of(e.ranked, e.remaining, e.ranked.size());
  for (std::size_t i = 0; i < std::min(rest.size(), others); ++i) add(rest[i]);
  return table_text(table, 0, 2);
}

std::string attributes_text(const Explanation& e) {
  std::vector<std::vector<std::string>> table;
  const auto of_all = [](const std::string& name) {
    return name == "named" || name == "terms" || name == "output";
  };
  const bool both = std::any_of(e.attributes.begin(), e.attributes.end(),
                                [](const ExplainAttribute& a) { return a.name == "named"; });
  for (const ExplainAttribute& a : e.attributes) {
    std::vector<std::string> names;
    for (const auto& [value, count] : a.values) {
      if (names.size() == 6) {
        names.push_back(fmt::format("{} more", a.values.size() - 6));
        break;
      }
      names.push_back(value);
    }
    std::string all = fmt::format("{}", fmt::join(names, " | "));
    if (a.tried != 0 && a.values.size() > 1) all += fmt::format("  ({} of {})", a.values.size(), a.tried);
    const bool of_some = both && !of_all(a.name);  // a chain may remain beside a machine's unit
    table.push_back(
        {of_some ? a.name + " (of chains)" : a.name, a.values.size() == 1 ? "settled" : "open", all});
  }
  return table_text(table, 0, 2);
}

// A step of many terms shows those that lost something; the others are counted.
TraceStep without_whole_terms(TraceStep step) {
  constexpr std::size_t few = 4;
  if (step.terms.size() <= few) return step;
  const std::size_t all = step.terms.size();
  std::vector<TraceTerm> cut;
  for (TraceTerm& term : step.terms) {
    if (exact_text(term.exact) != exact_text(term.entered)) cut.push_back(std::move(term));
  }
  const std::size_t more = cut.size() > few ? cut.size() - few : 0, whole = all - cut.size();
  if (more > 0) cut.resize(few);
  step.terms = std::move(cut);
  std::string left_out;
  if (more > 0) left_out += fmt::format("{} more are cut, ", more);
  left_out += fmt::format("{} of {} terms enter whole", whole, all);
  step.note += (step.note.empty() ? "" : "; ") + left_out;
  return step;
}

std::string side_text(const std::string& said, const std::vector<TracedStep>& steps, std::size_t at) {
  if (steps.empty()) return fmt::format("  {}: shows no steps\n", said);
  std::string text = fmt::format("  {}, step {} of {}\n", said, at + 1, steps.size());
  const std::vector<TraceStep> one{without_whole_terms(steps[at])};
  const std::string shown = trace_text(one);
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < shown.size(); ++line) {
    const std::size_t end = std::min(shown.find('\n', begin), shown.size());
    if (line != 1 || !one.front().terms.empty())  // the head of a table without rows
      text += "    " + shown.substr(begin, end - begin) + '\n';
    begin = end + 1;
  }
  return text;
}

std::string divergence_text(const ExplainedQuestion& q, const Explanation& e, const ExplainDivergence& d) {
  std::string text =
      fmt::format("\nFirst divergence between the best match and the runner-up: output {}, got {} = {}\n",
                  compare::index_text(d.index, q.shape), code_text(d.got, q.got), value_text(d.got, q.got));
  if (d.step < d.best.size() && d.best[d.step].below > 0 && d.other_step < d.other_steps.size()) {
    text +=
        fmt::format("  partial sums first differ after {} of {} terms\n", d.best[d.step].below, e.most_terms);
  }
  const auto told = [&](const ExplainCandidate& c, std::uint64_t result, const std::vector<TracedStep>& steps,
                        std::size_t at) {
    text += side_text(
        fmt::format("{} answers {} = {}", title(c), code_text(result, q.got), value_text(result, q.got)),
        steps, at);
  };
  told(e.ranked.front().candidate, d.best_result, d.best, d.step);
  told(d.other, d.other_result, d.other_steps, d.other_step);
  return text;
}

std::string sums_text(const ExplainedQuestion& q, const std::vector<Explanation>& all) {
  const Explanation& e = all.front();
  const std::vector<Row> remain = rows_of(e.ranked, 0, e.remaining);
  std::string text = verdict_text(e, remain);
  if (remain.empty()) text += parts_text(q, all);
  text += fmt::format("  explain/{} {} got={} sample={} seed={}\n", q.operation, q.parameters, q.got.dtype,
                      e.sample, q.seed);
  text += fmt::format(
      "  {} orders of {} terms x {} rules, {} more arithmetics by name; all were tested on {} outputs, "
      "the {} best on the rest\n",
      e.orders,
      e.least_terms == e.most_terms ? fmt::format("{}", e.most_terms)
                                    : fmt::format("{} to {}", e.least_terms, e.most_terms),
      e.rules, e.named, e.first_stage, count_text(e.candidates - e.set_aside));
  text += '\n' + ranking_text(q, e, remain);
  if (remain.size() > 1) text += "\nWhat the remaining candidates have in common\n" + attributes_text(e);
  if (!e.separations.empty()) {
    text += fmt::format("\nWhat would tell {} from\n", e.ranked.front().candidate.name);
    for (const ExplainSeparation& s : e.separations)
      text += fmt::format("  {}\n    {}\n", s.other,
                          s.input.found ? separating_text(s.input) : std::string(not_found));
  }
  if (e.divergence) text += divergence_text(q, e, *e.divergence);
  return text;
}

// --- conversions -------------------------------------------------------------------------------------------------

std::string verdict_text(const ConversionExplanation& e, std::size_t values) {
  const ConversionRank& best = e.ranked.front();
  const std::string all = e.sample == values ? fmt::format("all {} values", e.sample)
                                             : fmt::format("all {} sampled of {} values", e.sample, values);
  if (e.remaining == 0) {
    return fmt::format("None of {} conversions gives {}\nNearest: {}, {} of {}\n", e.candidates, all,
                       best.how, best.matches, best.compared);
  }
  std::string text = fmt::format("The conversion ({}) gives {}", best.how, all);
  return text + (e.remaining == 1
                     ? fmt::format(", and no other of {} does\n", e.candidates)
                     : fmt::format(", and so do {} others of {}\n", e.remaining - 1, e.candidates));
}

std::string separating_text(const ConversionSeparation& s) {
  return s.found ? fmt::format("{:#x} becomes {:#x} or {:#x}", s.code, s.best_answer, s.other_answer)
                 : "no input at the edges of the formats";
}

std::string conversion_text(const ExplainedQuestion& q, const ExplainedConversion& found) {
  const auto& [sample, e] = found;
  const std::size_t elements =
      std::accumulate(q.shape.begin(), q.shape.end(), std::size_t{1}, std::multiplies<>());
  std::string text = verdict_text(e, elements);
  text += fmt::format("  explain/convert {} to {} sample={} seed={}\n", sample.from.dtype, q.got.dtype,
                      e.sample, q.seed);
  std::vector<std::vector<std::string>> rows{{"share", "values", "conversion", "first value that it misses"}};
  for (std::size_t i = 0; i < std::min<std::size_t>(e.ranked.size(), q.top); ++i) {
    const ConversionRank& r = e.ranked[i];
    std::string miss;
    if (r.first_miss) {
      const std::size_t m = *r.first_miss;
      miss = fmt::format("{} {} = {}: {} for {}", compare::index_text(sample.index[m], q.shape),
                         code_text(sample.a[m], sample.from), value_text(sample.a[m], sample.from),
                         code_text(r.miss_answer, q.got), code_text(sample.got[m], q.got));
    }
    rows.push_back({share_text(r.matches, r.compared), fmt::format("{}/{}", r.matches, r.compared), r.how,
                    std::move(miss)});
  }
  text += '\n' + table_text(rows, 0, 2);
  if (e.separations.empty()) return text;
  text += fmt::format("\nWhat would tell ({}) from\n", e.ranked.front().how);
  for (std::size_t i = 0; i < std::min<std::size_t>(e.separations.size(), q.top); ++i) {
    text += fmt::format("  {}: {}\n", e.separations[i].other, separating_text(e.separations[i]));
  }
  return text;
}

}  // namespace

std::string explanation_text(const diagnose::Explained& explained) {
  if (const auto* const conversion = std::get_if<ExplainedConversion>(&explained.found))
    return conversion_text(explained.question, *conversion);
  return sums_text(explained.question, std::get<std::vector<Explanation>>(explained.found));
}

}  // namespace assay
