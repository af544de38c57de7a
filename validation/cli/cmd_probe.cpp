// assay probe: the tree of additions behind any program's sums, the arithmetic of its leaves and nodes, and
// the proof: fresh results predicted bit for bit.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/formats/encode.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/probe_options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/reveal/draw.hpp"
#include "validation/diagnose/reveal/probe_text.hpp"
#include "validation/diagnose/reveal/revealed.hpp"
#include "validation/diagnose/reveal/rules.hpp"
#include "validation/report/trace_text.hpp"

namespace assay::cli {
namespace {

using diagnose::OrderClass;
using diagnose::PredictionScore;
using diagnose::Problem;
using diagnose::Revelation;
using diagnose::SavedArithmetic;

struct Options {
  ProbeOptions probe;
  std::string out, svg, name, library;
  std::uint64_t results = 10000;
  std::size_t lines = 40;
  bool full = false;
};

nlohmann::ordered_json as_json(const Problem& p, const diagnose::Unexplained& x) {
  const auto numbers = [&](const std::vector<std::byte>& codes, const FormatSpec& f) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < p.k; ++i)
      list.push_back(code_text(CodeVector{codes.data(), p.k, 1, f}.code(i), f));
    return list;
  };
  nlohmann::ordered_json near = nlohmann::ordered_json::array(), json{{"a", numbers(x.in.a, p.a)}};
  if (p.has_b()) json["b"] = numbers(x.in.b, p.b);
  if (p.c) json["c"] = code_text(x.in.c, *p.c);
  if (p.scaled()) {
    json["alpha"] = x.alpha;
    json["beta"] = x.beta;
  }
  for (const auto& one : x.near)
    near.push_back({{"rule", one.rule}, {"says", code_text(one.says, p.output)}, {"misses", one.misses}});
  json["got"] = code_text(x.got, p.output);
  json["predicted"] = code_text(x.predicted, p.output);
  json["near"] = near;
  return json;
}

nlohmann::ordered_json as_json(const Revelation& r, const PredictionScore& s) {
  nlohmann::ordered_json classes = nlohmann::ordered_json::array();
  for (const OrderClass& c : r.classes) {
    nlohmann::ordered_json examples = nlohmann::ordered_json::array();
    for (const diagnose::Unexplained& x : c.unexplained) examples.push_back(as_json(r.problem, x));
    const diagnose::Tree& order = c.tree.nodes.empty() ? c.order : c.tree;
    classes.push_back({{"outputs", c.outputs.size()},
                       {"found", !c.tree.nodes.empty()},
                       {"why_not", c.why_not},
                       {"as_exact", c.as_exact},
                       {"order_runs", c.order_runs},
                       {"rule_runs", c.rule_runs},
                       {"order", order.nodes.empty() ? "" : canonical_order(order)},
                       {"ambiguous", c.ambiguous},
                       {"answers", c.training},
                       {"not_explained", c.training_misses},
                       {"examples", examples}});
  }
  return {{"problem", to_string(r.problem)},
          {"repeats", r.repeats && s.changed == 0},
          {"asked_again", s.asked_again},
          {"changed", s.changed},
          {"runs", r.runs},
          {"notes", r.notes},
          {"results", s.results},
          {"wrong", s.wrong},
          {"without_tree", s.without_tree},
          {"predicted", all_predicted(s)},
          {"not_explained", unexplained(r)},
          {"classes", classes}};
}

// What is missing where results are printed with too few digits to tell every number of the output's format.
void note_digits(Revelation& r, int printed) {
  const int needed = static_cast<int>(std::ceil(1 + r.problem.output.precision * std::log10(2.0)));
  if (printed == 0 || printed >= needed || r.runs < 50) return;
  r.notes.push_back(fmt::format(
      "its results have {} significant digits at most, and {} needs {}: print them with %.{}g or %a", printed,
      r.problem.output.dtype, needed, needed));
}

// Before hours of asking, not after.
void check_outputs(const Options& o) {
  if (!o.out.empty() && !o.out.ends_with(".json"))
    throw InputError("--out", "", "NAME.json, as --unit takes it", quoted(o.out));
  for (const std::string& file : {o.out, o.svg}) {
    const std::filesystem::path folder = std::filesystem::path(file).parent_path();
    std::error_code code;
    if (!folder.empty() && !std::filesystem::is_directory(folder, code))
      throw InputError(file, "", "a place to write a file", "no folder " + quoted(folder.string()));
  }
}

// False where no tree was found.
bool write_picture(const std::string& path, const SavedArithmetic& saved) {
  const Revelation& first = saved.shapes.front().revelation;
  if (first.classes.front().tree.nodes.empty()) return false;
  AtomicFile file(path);
  file.write(draw_svg(first.classes.front().tree, saved.name + ": " + to_string(first.problem)));
  file.commit();
  return true;
}

int run(const Options& o) {
  check_outputs(o);
  const std::vector<std::size_t> lengths = parse_numbers("--k", o.probe.k);
  for (const std::size_t k : lengths) problem_of(o.probe, k);  // before anything is started
  diagnose::Program program(program_options(o.probe));
  const diagnose::Target target = program.target();
  ProbeProgress progress("probe");
  diagnose::RevealOptions options = reveal_options(o.probe, progress);
  options.restart = [&program] { program.restart(); };
  SavedArithmetic saved;
  saved.name = !o.name.empty()  ? o.name
               : !o.out.empty() ? std::filesystem::path(o.out).stem().string()
                                : "revealed_" + o.probe.operation;
  saved.program = o.probe.program;
  saved.environment = {{"cpu", cpu_model()}, {"threads", std::to_string(o.probe.threads)}};
  if (!o.library.empty()) saved.environment["library"] = o.library;
  bool right = true;
  nlohmann::ordered_json shapes = nlohmann::ordered_json::array();
  for (const std::size_t k : lengths) {
    Revelation r;
    PredictionScore s;
    try {
      r = reveal(problem_of(o.probe, k), target, options);
      s = score(r, target, o.probe.seed, o.results, options);
      note_digits(r, program.most_digits());
    } catch (const diagnose::TargetError& e) {
      // The code under test, not ours and not what was typed.
      progress.clear();
      if (o.probe.json) {
        put(nlohmann::ordered_json{{"error", e.what()}}.dump(
                -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
            '\n');
      } else {
        put(fmt::format("ERROR  {}\n", e.what()));
      }
      return disagree;
    }
    progress.clear();
    right = right && all_explained(r, s);
    if (o.probe.json) {
      shapes.push_back(as_json(r, s));
    } else {
      put(probe_text(r, s, {.fold = !o.full, .most_lines = o.lines}));
      if (!s.first.empty()) put(fewest_terms_text(r, target, s.first.front()));
    }
    saved.shapes.push_back({std::move(r), s});
  }
  if (!o.svg.empty() && !write_picture(o.svg, saved) && !o.probe.json)
    put(fmt::format("no tree was found: {} is not written\n", o.svg));
  if (!o.out.empty()) save(saved, o.out);
  if (o.probe.json) {
    put(nlohmann::ordered_json{
            {"name", saved.name}, {"program", saved.program}, {"cpu", cpu_model()}, {"shapes", shapes}}
            .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
        '\n');
  } else if (!o.out.empty()) {
    const auto& classes = saved.shapes.front().revelation.classes;
    const bool found = std::any_of(classes.begin(), classes.end(),
                                   [](const OrderClass& c) { return !c.tree.nodes.empty(); });
    put(found ? fmt::format("written to {}: `--unit {}` replays it\n", o.out, o.out)
              : fmt::format("written to {}, which holds no tree: nothing replays it\n", o.out));
  }
  return right ? agree : disagree;
}

}  // namespace

std::function<int()> make_probe(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  add_probe_options(app, o->probe);
  app.add_option("--out", o->out, "Where the arithmetic goes, as JSON");
  app.add_option("--svg", o->svg, "Where a picture of the first tree goes");
  app.add_option("--name", o->name, "What it is called (default: the name of --out)");
  app.add_option("--library", o->library, "Library and version, to be kept with it");
  app.add_option("--results", o->results, "Fresh results to predict, of each of four kinds of inputs")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
  app.add_option("--lines", o->lines, "Of a tree's picture at most")->capture_default_str();
  app.add_flag("--full", o->full, "Draw every term instead of folding what repeats");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
