#include "validation/report/probe_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reference/formats/encode.hpp"
#include "validation/judge/own_scaling.hpp"

namespace assay {
namespace {

using namespace judge;

std::string outputs_text(const Revelation& r, const OrderClass& c) {
  if (c.outputs.size() == r.problem.outputs()) return c.outputs.size() == 1 ? "" : "all outputs: ";
  const std::size_t n = r.problem.n;
  std::vector<char> rows(r.problem.m, 0), columns(n, 0);
  for (const std::size_t o : c.outputs) rows[o / n] = columns[o % n] = 1;
  const auto used = [](const std::vector<char>& which) {
    std::string text;
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (which[i] == 0) continue;
      std::size_t last = i;
      while (last + 1 < which.size() && which[last + 1] != 0) ++last;
      text += (text.empty() ? "" : ",") + std::to_string(i) + (last > i ? ".." + std::to_string(last) : "");
      i = last;
    }
    return text;
  };
  return fmt::format("{} outputs, in rows {} and columns {}: ", c.outputs.size(), used(rows), used(columns));
}

std::string number(const FormatSpec& f, std::uint64_t code) {
  return fmt::format("{:a} ({:#x})", decode(code, f), code);
}

// The terms that are not +0, some at most.
std::string terms_text(const Problem& p, const SumOperands& in) {
  constexpr std::size_t most = 12;  // of many terms nobody reads the rest
  const CodeVector a{in.a.data(), p.k, 1, p.a}, b{in.b.data(), p.k, 1, p.b};
  std::string text;
  std::size_t terms = 0;
  for (std::size_t i = 0; i < p.k; ++i) {
    if (a.code(i) == 0 || ++terms > most) continue;
    text += fmt::format("      term {}: {}", i, number(p.a, a.code(i)));
    if (p.has_b()) text += " x " + number(p.b, b.code(i));
    text += '\n';
  }
  if (terms > most) text += fmt::format("      ... {} more terms\n", terms - most);
  return text;
}

std::string unexplained_text(const Problem& p, const Unexplained& x) {
  std::string text = "    for example, all other terms +0";
  if (p.scaled()) text += fmt::format(", alpha {}, beta {}", scale_text(x.alpha), scale_text(x.beta));
  text += ":\n" + terms_text(p, x.in);
  if (p.adds_c()) text += fmt::format("      C: {}\n", number(*p.c, x.in.c));
  text += fmt::format("      got {}, these rules give {}\n", number(p.output, x.got),
                      number(p.output, x.predicted));
  for (const Unexplained::Near& near : x.near) {
    text += fmt::format("      with {}: {}, {} answers missed\n", near.rule, number(p.output, near.says),
                        near.misses);
  }
  return text;
}

std::string verdict_text(const Revelation& r, const PredictionScore& s) {
  if (s.results == 0 && !r.classes.empty()) return "NOT PREDICTED  " + r.classes.front().why_not + '\n';
  std::string wrong;
  for (std::size_t k = 0; k < scored_kinds.size(); ++k) {
    wrong += fmt::format("{}{} {}", k == 0 ? "" : ", ", input_kind_name(scored_kinds[k]), s.wrong_by_kind[k]);
  }
  std::string text = fmt::format("{}  {} of {} fresh results predicted bit for bit ({} wrong)",
                                 prediction_verdict(r, s), s.results - s.wrong, s.results, wrong);
  if (s.wrong == 0 && unexplained(r) > 0)
    text += fmt::format("; {} answers to probes are not explained", unexplained(r));
  if (s.without_tree > 0) text += fmt::format("; {} results have no tree", s.without_tree);
  text += '\n';
  if (s.changed > 0) {
    text += fmt::format(
        "  {}: {} of {} answers differed when asked again\n",
        s.changed == s.changed_in_small_rounds
            ? "the order depends on the number of cases in a round, or on what a process was asked before"
            : "the order changes from run to run",
        s.changed, s.asked_again);
  }
  return text;
}

std::string indented(const std::string& picture) {
  std::string text;
  for (std::size_t at = 0; at < picture.size();) {
    const std::size_t end = picture.find('\n', at);
    text += "  " + picture.substr(at, end - at) + '\n';
    at = end + 1;
  }
  return text;
}

bool has_tree(const SavedArithmetic& saved) {
  const std::vector<OrderClass>& classes = saved.shapes.front().revelation.classes;
  return std::any_of(classes.begin(), classes.end(),
                     [](const OrderClass& c) { return !c.tree.nodes.empty(); });
}

}  // namespace

std::string_view prediction_verdict(const Revelation& r, const PredictionScore& s) {
  if (!all_predicted(s)) return "NOT PREDICTED";
  return all_explained(r, s) ? "PREDICTED" : "PREDICTED IN PART";
}

std::string probe_text(const Revelation& r, const PredictionScore& s, const DrawOptions& draw,
                       const std::optional<SumOperands>& fewest) {
  std::string text = to_string(r.problem) + '\n';
  for (const std::string& note : r.notes) text += "  note: " + note + '\n';
  for (std::size_t i = 0; i < r.classes.size(); ++i) {
    const OrderClass& c = r.classes[i];
    text += fmt::format("\ntree {} of {}  {}", i + 1, r.classes.size(), outputs_text(r, c));
    if (c.tree.nodes.empty()) {
      text += fmt::format("not found: {}\n", c.why_not);
      if (!c.order.nodes.empty()) {
        text += fmt::format("  the order of additions alone ({} runs, {}):\n", c.order_runs, c.how);
        text +=
            indented(draw_text(c.order, {.fold = draw.fold, .rules = false, .most_lines = draw.most_lines}));
      }
      for (const Unexplained& x : c.unexplained) text += unexplained_text(r.problem, x);
      continue;
    }
    text +=
        fmt::format("{} runs for the order ({}), {} for the arithmetic\n", c.order_runs, c.how, c.rule_runs);
    if (c.as_exact) text += "  the order is not visible: drawn as one exact sum\n";
    text += indented(draw_text(c.tree, draw));
    for (const std::string& a : c.ambiguous) text += "  cannot be told apart: " + a + '\n';
    if (c.training_misses > 0) {
      text += fmt::format("  not explained: {} of the {} answers that the rules were fitted to{}\n",
                          c.training_misses, c.training,
                          c.gave_up ? "; the search for better rules stopped at its limit" : "");
      for (const Unexplained& x : c.unexplained) text += unexplained_text(r.problem, x);
    }
  }
  text += '\n' + verdict_text(r, s);
  text += fmt::format("  {} runs in {} rounds\n", r.runs, r.rounds);
  for (const Misprediction& m : s.first) {
    text +=
        fmt::format("    {} input {}, output {}: got {}, predicted {}\n", input_kind_name(m.kind), m.index,
                    m.output, number(r.problem.output, m.got), number(r.problem.output, m.predicted));
  }
  const std::string terms = fewest ? terms_text(r.problem, *fewest) : "";
  if (!terms.empty()) text += "    the fewest terms found that still differ (all others +0):\n" + terms;
  return text;
}

std::string probe_files_text(const ProbeFiles& files, const SavedArithmetic& saved) {
  std::string text;
  if (!files.svg.empty() && !files.svg_is_written)
    text += fmt::format("no tree was found: {} is not written\n", files.svg);
  if (files.out.empty()) return text;
  return text + (has_tree(saved)
                     ? fmt::format("written to {0}: `--unit {0}` replays it\n", files.out)
                     : fmt::format("written to {}; it holds no tree and cannot be replayed\n", files.out));
}

std::string target_error_text(std::string_view what) { return fmt::format("ERROR  {}\n", what); }

}  // namespace assay
