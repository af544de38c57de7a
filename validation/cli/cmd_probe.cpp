// assay probe: the tree of additions behind any program's sums, the arithmetic of its leaves and nodes, and
// the proof: fresh results predicted bit for bit.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/probe_options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/reveal/probe.hpp"
#include "validation/diagnose/reveal/variation.hpp"
#include "validation/judge/saved_arithmetic.hpp"
#include "validation/report/probe_report.hpp"

namespace assay::cli {
namespace {

using judge::Revelation;
using judge::SavedArithmetic;

struct ProbeCommand {
  ProbeOptions probe;
  std::string out, svg, name, library;
  std::uint64_t results = 10000;
  std::size_t lines = 40;
  bool full = false;
};

// Before hours of asking, not after.
void check_outputs(const ProbeCommand& o) {
  if (!o.out.empty() && !o.out.ends_with(".json"))
    throw InputError("--out", "", "NAME.json, which --unit reads later", quoted(o.out));
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

int run(const ProbeCommand& o) {
  check_outputs(o);
  const std::vector<std::size_t> lengths = diagnose::parse_numbers("--k", o.probe.k);
  for (const std::size_t k : lengths) problem_of(o.probe, k);  // before anything is started
  diagnose::Program program(program_options(o.probe));
  ProbeProgress progress("probe");
  const diagnose::RevealOptions options = reveal_options(o.probe, progress);
  SavedArithmetic saved;
  saved.name = !o.name.empty()  ? o.name
               : !o.out.empty() ? std::filesystem::path(o.out).stem().string()
                                : "revealed_" + o.probe.operation;
  saved.program = o.probe.program;
  saved.environment = {{"cpu", cpu_model()}, {"threads", std::to_string(o.probe.threads)}};
  if (!o.library.empty()) saved.environment["library"] = o.library;
  bool right = true;
  std::vector<std::optional<judge::SumOperands>> fewest;
  for (const std::size_t k : lengths) {
    diagnose::Probed found;
    try {
      found = probe(problem_of(o.probe, k), program, o.results, options);
    } catch (const diagnose::TargetError& e) {
      // The code under test, not ours and not what was typed.
      progress.clear();
      put(o.probe.json ? target_error_json(e.what()) + '\n' : target_error_text(e.what()));
      return disagree;
    }
    auto& [r, s, terms] = found;
    progress.clear();
    right = right && all_explained(r, s);
    if (!o.probe.json) put(probe_text(r, s, {.fold = !o.full, .most_lines = o.lines}, terms));
    saved.shapes.push_back({std::move(r), s});
    fewest.push_back(std::move(terms));
  }
  ProbeFiles files{.out = o.out, .svg = o.svg};
  if (!o.svg.empty()) files.svg_is_written = write_picture(o.svg, saved);
  if (!o.out.empty()) save(saved, o.out);
  put(o.probe.json ? probe_json(saved, fewest, files) + '\n' : probe_files_text(files, saved));
  return right ? agree : disagree;
}

}  // namespace

std::function<int()> make_probe(CLI::App& app) {
  const auto o = std::make_shared<ProbeCommand>();
  add_probe_options(app, o->probe);
  app.add_option("--out", o->out, "Save the arithmetic to this JSON file");
  app.add_option("--svg", o->svg, "Draw the first tree to this SVG file");
  app.add_option("--name", o->name, "Name of the arithmetic (default: the file name of --out)");
  app.add_option("--library", o->library, "Library and version to record with it");
  app.add_option("--results", o->results, "Fresh results to predict for each of four kinds of inputs")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
  app.add_option("--lines", o->lines, "Longest drawing of a tree, in lines")->capture_default_str();
  app.add_flag("--full", o->full, "Draw every term instead of folding repeated parts");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
