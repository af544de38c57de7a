// assay invariance: whether one row's result depends on the batch, its place there, the threads or the run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/probe_options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/draw.hpp"
#include "validation/diagnose/invariance.hpp"

namespace assay::cli {
namespace {

using diagnose::BitClass;
using diagnose::Invariance;
using diagnose::Setting;

struct Options {
  ProbeOptions probe;
  std::string vary;
  std::size_t trials = 4, trees = 3, lines = 12;
};

// "m=1:256,row,threads=1:2,run": a comma before a digit belongs to the numbers.
diagnose::Variation parse_variation(const std::string& typed, int threads_here) {
  diagnose::Variation v;
  std::vector<std::string> words;
  std::istringstream in(typed);
  for (std::string word; std::getline(in, word, ',');) {
    if (!words.empty() && !word.empty() && word[0] >= '0' && word[0] <= '9') {
      words.back() += ',' + word;
    } else {
      words.push_back(word);
    }
  }
  std::set<std::string> names;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const bool has = equals != std::string::npos;
    if (!names.insert(name).second) throw InputError("--vary", "", "each thing once", quoted(typed));
    const auto values = [&] { return parse_numbers("--vary " + name, word.substr(equals + 1)); };
    if (name == "m" && has) {
      v.m = values();
    } else if (name == "n" && has) {
      v.n = values();
    } else if (name == "row" && !has) {
      v.row = true;
    } else if (name == "threads") {
      if (has) {
        for (const std::size_t t : values()) {
          if (t > 4096) throw InputError("--vary threads", "", "numbers of 1 to 4096", std::to_string(t));
          v.threads.push_back(static_cast<int>(t));
        }
      } else {
        v.threads = {1, std::max(2, threads_here)};
      }
    } else if (name == "run") {
      v.runs = has ? values().front() : 3;
    } else {
      throw InputError("--vary", "", "m=NUMBERS, n=NUMBERS, row, threads[=NUMBERS], run[=HOW OFTEN]",
                       quoted(word));
    }
  }
  return v;
}

std::string text_of(const Setting& s, bool matrix) {
  std::string text = matrix ? fmt::format("m={} n={} row={}", s.m, s.n, s.row) : "";
  if (s.threads > 0) text += fmt::format("{}threads={}", text.empty() ? "" : " ", s.threads);
  if (s.run > 0 || text.empty()) text += fmt::format("{}run={}", text.empty() ? "" : " ", s.run);
  return text;
}

// Ranges of m, for each of the other settings: "m=1..15, 32 (n=64 row=0)".
std::string members(const Invariance& r, int which) {
  std::map<std::string, std::vector<std::size_t>> by_rest;
  const bool matrix = r.problem.operation == diagnose::Operation::gemm;
  for (const Setting& s : r.settings) {
    if (s.by_bits != which) continue;
    std::string place = s.row == 0 ? "first" : s.row + 1 == s.m ? "last" : "middle";
    std::string rest = matrix ? fmt::format("n={} row={}", s.n, place) : "";
    if (s.threads > 0) rest += fmt::format("{}threads={}", rest.empty() ? "" : " ", s.threads);
    if (rest.empty()) rest = fmt::format("run={}", s.run);
    auto& list = by_rest[rest];
    if (list.empty() || list.back() != s.m) list.push_back(s.m);
  }
  std::string text;
  for (const auto& [rest, list] : by_rest) {
    std::string ranges;
    if (matrix) {
      ranges = "m=";
      for (std::size_t i = 0; i < list.size();) {
        std::size_t last = i;
        while (last + 1 < list.size() && list[last + 1] == list[last] + 1) ++last;
        ranges += (i == 0 ? "" : ",") + std::to_string(list[i]) +
                  (last > i ? ".." + std::to_string(list[last]) : "");
        i = last + 1;
      }
    }
    text += fmt::format("    {}{}{}\n", ranges, ranges.empty() || rest.empty() ? "" : "  ", rest);
  }
  return text;
}

// Where every row has one answer, equal bits say nothing.
bool is_vacuous(const Invariance& r) { return r.invariant && !r.answers_vary; }
int exit_code(const Invariance& r) {
  if (is_vacuous(r)) return nothing_verified;
  return r.invariant ? agree : disagree;
}

int run(const Options& o) {
  const std::vector<std::size_t> lengths = parse_numbers("--k", o.probe.k);
  if (lengths.size() != 1) throw InputError("--k", "", "one length", quoted(o.probe.k));
  const diagnose::Problem problem = problem_of(o.probe, lengths.front());
  const diagnose::Variation variation = parse_variation(o.vary, hardware_threads());
  diagnose::Program program(program_options(o.probe));
  Invariance r;
  try {
    r = invariance(problem, program.target(), variation, reveal_options(o.probe), o.trials, o.trees);
  } catch (const diagnose::TargetError& e) {
    put(o.probe.json ? nlohmann::ordered_json{{"error", e.what()}}.dump(
                           -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                           '\n'
                     : fmt::format("ERROR  {}\n", e.what()));
    return disagree;
  }
  const bool matrix = problem.operation == diagnose::Operation::gemm;
  if (o.probe.json) {
    nlohmann::ordered_json classes = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < r.classes.size(); ++i) {
      nlohmann::ordered_json settings = nlohmann::ordered_json::array();
      for (const Setting& s : r.settings) {
        if (s.by_bits == static_cast<int>(i))
          settings.push_back(
              {{"m", s.m}, {"n", s.n}, {"row", s.row}, {"threads", s.threads}, {"run", s.run}});
      }
      classes.push_back({{"settings", settings}, {"orders", r.classes[i].orders}});
    }
    put(nlohmann::ordered_json{
            {"problem", to_string(problem)},
            {"vary", o.vary},
            {"invariant", r.invariant},
            {"vacuous", is_vacuous(r)},
            {"settings", r.settings.size()},
            {"runs", r.runs},
            {"first_change", r.invariant ? "" : text_of(r.settings[r.first_change], matrix)},
            {"classes", classes}}
            .dump() +
        '\n');
    return exit_code(r);
  }
  std::string text =
      fmt::format("{}  {}, varied: {}\n  {} settings, {} runs; the same row in each, {} random rows\n",
                  is_vacuous(r) ? "VACUOUS"
                  : r.invariant ? "INVARIANT"
                                : "NOT INVARIANT",
                  to_string(problem), o.vary, r.settings.size(), r.runs, o.trials);
  if (is_vacuous(r))
    text += "  every random row has the same answer, or NaN: that its bits are equal says nothing\n";
  if (!r.invariant) {
    text += fmt::format("  first change: {} (against {})\n", text_of(r.settings[r.first_change], matrix),
                        text_of(r.settings.front(), matrix));
  }
  for (std::size_t i = 0; i < r.classes.size(); ++i) {
    const BitClass& c = r.classes[i];
    text += fmt::format("\n  class {}: {} settings of the same bits\n{}", i + 1, c.settings,
                        members(r, static_cast<int>(i)));
    if (!c.why_not.empty()) text += "    tree not found: " + c.why_not + '\n';
    for (std::size_t t = 0; t < c.trees.size(); ++t) {
      if (c.trees[t].nodes.empty()) continue;
      bool same = false;
      for (std::size_t before = 0; before < i && !same; ++before) {
        same = t < r.classes[before].orders.size() && r.classes[before].orders[t] == c.orders[t];
        if (same) text += fmt::format("    column {}: the tree of class {}\n", r.columns[t], before + 1);
      }
      if (t > 0 && c.orders[t] == c.orders[0]) {
        text += fmt::format("    column {}: the tree of column {}\n", r.columns[t], r.columns[0]);
        continue;
      }
      if (same) continue;
      text += matrix ? fmt::format("    column {} at {}:\n", r.columns[t], text_of(r.settings[c.first], true))
                     : "";
      diagnose::DrawOptions draw;
      draw.most_lines = o.lines;
      std::string picture = draw_text(c.trees[t], draw);
      picture = picture.substr(
          0, picture.find("\n(+") == std::string::npos ? picture.size() : picture.find("\n(+") + 1);
      for (std::size_t at = 0; at < picture.size();) {
        const std::size_t end = std::min(picture.find('\n', at), picture.size());
        text += "      " + picture.substr(at, end - at) + '\n';
        at = end + 1;
      }
    }
  }
  put(text);
  return exit_code(r);
}

}  // namespace

std::function<int()> make_invariance(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  add_probe_options(app, o->probe);
  app.add_option("--vary", o->vary,
                 "What changes: m=1:256, n=1:64, row, threads or threads=1,2, run or run=5")
      ->required();
  app.add_option("--trials", o->trials, "Random rows whose bits are compared")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--trees", o->trees, "Classes whose trees are revealed at most")->capture_default_str();
  app.add_option("--lines", o->lines, "Of a tree's picture at most")->capture_default_str();
  return [o] { return run(*o); };
}

}  // namespace assay::cli
