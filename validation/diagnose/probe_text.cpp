#include "validation/diagnose/probe_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

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

}  // namespace

std::string fewest_terms_text(const Revelation& r, const Target& target, const Misprediction& wrong) {
  const Problem& p = r.problem;
  if (p.operation == Operation::gemm) return "";
  Case x = random_case(p, wrong.kind, wrong.seed, wrong.index);
  const auto differs = [&](const Case& y) {
    const auto got = target(p, std::span(&y, 1)).at(0).at(0);
    const auto want = predict(r, y).at(0);
    return want && got != *want && !(p.output.is_nan(got) && p.output.is_nan(*want));
  };
  const std::size_t wa = code_bytes(p.a);
  for (std::size_t piece = std::max<std::size_t>(p.k / 2, 1);; piece /= 2) {
    for (std::size_t at = 0; at < p.k; at += piece) {
      Case y = x;
      std::fill(y.a.begin() + static_cast<std::ptrdiff_t>(at * wa),
                y.a.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, p.k) * wa), std::byte{0});
      if (y.a != x.a && differs(y)) x = y;
    }
    if (piece == 1) break;
  }
  constexpr std::size_t most = 12;  // of many terms nobody reads the rest
  std::string text;
  std::size_t terms = 0;
  const std::size_t wb = code_bytes(p.b);
  for (std::size_t i = 0; i < p.k; ++i) {
    const std::uint64_t a = detail::load_code(x.a.data(), static_cast<std::ptrdiff_t>(i), wa);
    if (a == 0 || ++terms > most) continue;
    text += fmt::format("      term {}: {}", i, number(p.a, a));
    if (!x.b.empty())
      text += " x " + number(p.b, detail::load_code(x.b.data(), static_cast<std::ptrdiff_t>(i), wb));
    text += '\n';
  }
  if (terms > most) text += fmt::format("      ... {} terms more\n", terms - most);
  return text.empty() ? "" : "    the fewest terms found that still differ (all others +0):\n" + text;
}

std::string probe_text(const Revelation& r, const PredictionScore& s, const DrawOptions& draw) {
  std::string text = to_string(r.problem) + '\n';
  for (const std::string& note : r.notes) text += "  note: " + note + '\n';
  for (std::size_t i = 0; i < r.classes.size(); ++i) {
    const OrderClass& c = r.classes[i];
    text += fmt::format("\ntree {} of {}  {}", i + 1, r.classes.size(), outputs_text(r, c));
    if (c.tree.nodes.empty()) {
      text += fmt::format("not found: {}\n", c.why_not);
      continue;
    }
    text +=
        fmt::format("{} runs for the order ({}), {} for the arithmetic\n", c.order_runs, c.how, c.rule_runs);
    if (c.as_exact) text += "  no order shows: drawn as one exact sum, the order is unknown\n";
    const std::string picture = draw_text(c.tree, draw);
    for (std::size_t at = 0; at < picture.size();) {
      const std::size_t end = picture.find('\n', at);
      text += "  " + picture.substr(at, end - at) + '\n';
      at = end + 1;
    }
    for (const std::string& a : c.ambiguous) text += "  cannot be told apart: " + a + '\n';
    if (c.training_misses > 0) {
      text +=
          fmt::format("  not explained: {} of the {} answers that chose these rules{}\n", c.training_misses,
                      c.training, c.gave_up ? "; the search for others ended at its limit" : "");
    }
  }
  text +=
      fmt::format("\n{}  {} of {} fresh results predicted bit for bit (normal {}, wide {}, tiny {} wrong)",
                  s.wrong > 0 || s.without_tree > 0 ? "NOT PREDICTED"
                  : unexplained(r) > 0              ? "PREDICTED IN PART"
                                                    : "PREDICTED",
                  s.results - s.wrong, s.results, s.wrong_by_kind[0], s.wrong_by_kind[1], s.wrong_by_kind[2]);
  if (s.wrong == 0 && unexplained(r) > 0)
    text += fmt::format("; {} answers to probes are not explained", unexplained(r));
  if (s.without_tree > 0) text += fmt::format("; {} results have no tree", s.without_tree);
  text += fmt::format("\n  {} runs in {} rounds\n", r.runs, r.rounds);
  for (const Misprediction& m : s.first) {
    text +=
        fmt::format("    {} input {}, output {}: got {}, predicted {}\n", input_kind_name(m.kind), m.index,
                    m.output, number(r.problem.output, m.got), number(r.problem.output, m.predicted));
  }
  return text;
}

}  // namespace assay::diagnose
