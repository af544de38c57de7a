// Which arithmetic made these bits: any callable revealed and predicted.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/diagnose/reveal/probe.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/saved_arithmetic.hpp"
#include "validation/python/array.hpp"
#include "validation/python/callable.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/report/probe_report.hpp"
#include "validation/report/tree_picture.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::python {
namespace {

using diagnose::Case;
using judge::Problem;

// What a callable or a program was found to do, at one length or several.
struct Probe {
  judge::SavedArithmetic saved{};
  std::vector<std::optional<judge::SumOperands>> fewest{};  // of each length
  std::shared_ptr<const Arithmetic> arithmetic{};           // null where no tree was found

  using Shape = judge::SavedArithmetic::Shape;
  const Shape& first() const { return saved.shapes.front(); }
  bool all(bool (*holds)(const Shape&)) const { return std::ranges::all_of(saved.shapes, holds); }
  std::uint64_t sum(std::uint64_t (*count)(const Shape&)) const {
    std::uint64_t total = 0;
    for (const Shape& shape : saved.shapes) total += count(shape);
    return total;
  }
  std::string text() const {
    std::string all;
    for (std::size_t i = 0; i < saved.shapes.size(); ++i)
      all += probe_text(saved.shapes[i].revelation, saved.shapes[i].score, {}, fewest[i]);
    return all;
  }
};

// One length or several; one that repeats is probed once.
std::vector<std::size_t> lengths_of(const py::object& k) {
  std::vector<std::size_t> all;
  for (const std::size_t length : numbers_argument(k, "k")) {
    if (std::ranges::find(all, length) == all.end()) all.push_back(length);
  }
  if (all.empty()) throw ContractError("k: no length");
  return all;
}

// Of several lengths one arithmetic is made.
void require_one_output(const std::vector<Problem>& problems) {
  for (const Problem& p : problems) {
    if (p.output == problems.front().output) continue;
    throw ContractError("output: the results of k = " + std::to_string(problems.front().k) + " are " +
                        std::string(problems.front().output.dtype) + ", those of k = " + std::to_string(p.k) +
                        " " + std::string(p.output.dtype) + "; probe them apart");
  }
}

// Between the rounds of a program, while nobody holds the interpreter's lock.
void check_signals() {
  const py::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void make_arithmetic(Probe& p) {
  const bool whole =
      p.all([](const Probe::Shape& s) { return !s.revelation.classes.empty() && s.score.without_tree == 0; });
  if (whole) p.arithmetic = make_revealed(p.saved);
}

std::string name_of(const py::object& function, bool of_program, const std::string& operation) {
  if (of_program) return "revealed_" + operation;
  return py::str(py::getattr(function, "__name__", py::str("callable"))).cast<std::string>();
}

Probe probe(const py::object& function, const std::string& operation, const py::object& k, std::size_t m,
            std::size_t n, const py::object& a, const py::object& b, const py::object& c,
            const py::object& output, const std::string& name, std::uint64_t seed, std::uint64_t results,
            std::uint64_t most_runs, std::size_t offset, double alpha, double beta, int threads,
            const std::string& form, double seconds, std::size_t round) {
  if (results == 0) throw ContractError("results: 0, not 1 or more fresh results to predict");
  if (round == 0) throw ContractError("round: 0, not 1 or more cases");
  const bool of_program = is_program(function);
  if (!of_program && threads != 0) throw ContractError("threads: of a program; a callable has its own");
  threads_argument(py::int_(threads));
  std::optional<Callable> callable;
  std::optional<diagnose::Program> program;
  if (of_program) {
    program.emplace(program_of(function, form, seconds));
  } else {
    callable.emplace(py::reinterpret_borrow<py::function>(function));
  }
  const diagnose::Target target = [&](const Problem& asked, std::span<const Case> cases) {
    return callable->answers(asked, cases);
  };
  diagnose::RevealOptions options{.seed = seed, .most_runs = most_runs, .cases_per_round = round};
  if (of_program) options.progress = [](std::string_view, std::uint64_t) { check_signals(); };
  std::vector<Problem> problems;  // all are sound before the first is asked
  for (const std::size_t length : lengths_of(k)) {
    const ProblemArguments given{operation, length, m, n, a, b, c, output, offset, alpha, beta, threads};
    problems.push_back(problem_of(given, callable ? &*callable : nullptr));
  }
  require_one_output(problems);
  Probe found;
  found.saved.program = of_program ? function.cast<std::string>() : py::repr(function).cast<std::string>();
  found.saved.name = name.empty() ? name_of(function, of_program, operation) : name;
  found.saved.environment = {{"cpu", cpu_model()}};
  for (const Problem& problem : problems) {
    diagnose::Probed one;
    if (of_program) {
      const py::gil_scoped_release unlocked;
      one = diagnose::probe(problem, *program, results, options);
    } else {
      one = diagnose::probe(problem, target, results, options);
    }
    found.saved.shapes.push_back({std::move(one.revelation), std::move(one.score)});
    found.fewest.push_back(std::move(one.fewest));
  }
  make_arithmetic(found);
  return found;
}

std::vector<std::size_t> lengths(const Probe& p) {
  std::vector<std::size_t> all;
  for (const Probe::Shape& shape : p.saved.shapes) all.push_back(shape.revelation.problem.k);
  return all;
}

Probe at(const Probe& p, std::size_t k) {
  const std::vector<std::size_t> all = lengths(p);
  const auto found = std::ranges::find(all, k);
  if (found == all.end()) throw ContractError("at: " + std::to_string(k) + " is no length that was probed");
  const std::size_t i = static_cast<std::size_t>(found - all.begin());
  Probe one{.saved = p.saved, .fewest = {p.fewest[i]}};
  one.saved.shapes = {p.saved.shapes[i]};
  make_arithmetic(one);
  return one;
}

const AdditionTree& tree_of(const Probe& p, std::size_t tree) {
  const auto& classes = p.first().revelation.classes;
  if (tree < classes.size() && !classes[tree].tree.nodes.empty()) return classes[tree].tree;
  throw ContractError("tree " + std::to_string(tree) + " of " + std::to_string(classes.size()) +
                      ": there is none, or it was not found");
}

std::string svg(const Probe& p, std::size_t tree) {
  return draw_svg(tree_of(p, tree), p.saved.name + ": " + to_string(p.first().revelation.problem));
}

}  // namespace

std::shared_ptr<const Arithmetic> arithmetic_of(const py::handle& unit, const char* name) {
  if (py::isinstance<Probe>(unit)) {
    auto found = unit.cast<const Probe&>().arithmetic;
    if (found == nullptr)
      throw ContractError(std::string(name) + ": a probe that found no tree for some outputs");
    return found;
  }
  if (!py::isinstance<py::str>(unit))
    throw py::type_error(std::string(name) + ": " + std::string(py::repr(unit)) +
                         "; a name of arithmetics(), a file, or a Probe");
  return load_arithmetic(unit.cast<std::string>(), name);
}

void bind_probe(py::module_& m) {
  py::class_<Probe>(
      m, "Probe",
      "The arithmetic of a callable or a program: trees of additions, and the rounding of their leaves and "
      "nodes.\n"
      "True if every fresh result was predicted bit for bit and every answer to a probe is explained.\n"
      "A Probe serves as a unit for dot() and gemm().")
      .def_property_readonly("name", [](const Probe& p) { return p.saved.name; })
      .def_property_readonly("lengths", &lengths, "The lengths k that were probed.")
      .def("at", &at, py::arg("k"), "What was found at one of several lengths.")
      .def_property_readonly(
          "predicted",
          [](const Probe& p) {
            return p.all([](const Probe::Shape& s) { return judge::all_predicted(s.score); });
          },
          "True if every fresh result was predicted bit for bit.")
      .def_property_readonly(
          "not_explained",
          [](const Probe& p) {
            return p.sum([](const Probe::Shape& s) -> std::uint64_t { return unexplained(s.revelation); });
          },
          "Number of answers to probes that the rules do not reproduce.")
      .def("__bool__",
           [](const Probe& p) {
             return p.all([](const Probe::Shape& s) { return judge::all_explained(s.revelation, s.score); });
           })
      .def_property_readonly(
          "results",
          [](const Probe& p) {
            return p.sum([](const Probe::Shape& s) -> std::uint64_t { return s.score.results; });
          },
          "Number of fresh results that were compared with predictions.")
      .def_property_readonly(
          "wrong",
          [](const Probe& p) {
            return p.sum([](const Probe::Shape& s) -> std::uint64_t { return s.score.wrong; });
          },
          "Number of wrong predictions.")
      .def_property_readonly(
          "without_tree",
          [](const Probe& p) {
            return p.sum([](const Probe::Shape& s) -> std::uint64_t { return s.score.without_tree; });
          },
          "Number of fresh results of outputs whose tree was not found.")
      .def_property_readonly(
          "runs",
          [](const Probe& p) {
            return p.sum([](const Probe::Shape& s) -> std::uint64_t { return s.revelation.runs; });
          },
          "Number of calls, predictions excluded.")
      .def_property_readonly(
          "repeats",
          [](const Probe& p) {
            return p.all([](const Probe::Shape& s) { return s.revelation.repeats && s.score.changed == 0; });
          },
          "True if equal inputs always had equal answers.")
      .def_property_readonly(
          "notes",
          [](const Probe& p) {
            std::vector<std::string> all;
            for (const Probe::Shape& s : p.saved.shapes)
              all.insert(all.end(), s.revelation.notes.begin(), s.revelation.notes.end());
            return all;
          },
          "What else was seen, of all lengths.")
      .def_property_readonly(
          "trees", [](const Probe& p) { return p.first().revelation.classes.size(); },
          "Number of different trees among the outputs, at the first length.")
      .def_property_readonly(
          "tree_of", [](const Probe& p) { return p.first().revelation.class_of; },
          "The number of each output's tree, row by row, at the first length; -1: none.")
      .def(
          "order", [](const Probe& p, std::size_t tree) { return canonical_order(tree_of(p, tree)); },
          py::arg("tree") = 0, "The order of additions of a tree, as text: equal texts are equal orders.")
      .def("text", &Probe::text, "What `assay probe` prints.")
      .def(
          "json", [](const Probe& p) { return probe_json(p.saved, p.fewest, {}); },
          "Everything, as one JSON object: what `assay probe --json` prints.")
      .def("svg", &svg, py::arg("tree") = 0, "A picture of a tree of the first length, as SVG text.")
      .def(
          "save", [](const Probe& p, const std::filesystem::path& path) { save(p.saved, path); },
          py::arg("path"),
          "Writes the arithmetic to a file (*.json), which can be passed wherever a unit is named.")
      .def("__str__", &Probe::text)
      .def("__repr__", [](const Probe& p) {
        const std::uint64_t results = p.sum(
            [](const Probe::Shape& x) -> std::uint64_t { return x.score.results + x.score.without_tree; });
        const std::uint64_t right =
            p.sum([](const Probe::Shape& x) -> std::uint64_t { return x.score.results - x.score.wrong; });
        std::string more;
        for (std::size_t i = 1; i < p.saved.shapes.size(); ++i)
          more += ", k=" + std::to_string(p.saved.shapes[i].revelation.problem.k);
        return "<Probe " + p.saved.name + ": " + to_string(p.first().revelation.problem) + more + ", " +
               std::to_string(right) + " of " + std::to_string(results) + " results predicted>";
      });
  m.def(
      "probe", &probe, py::arg("function"), py::arg("operation"), py::arg("k"), py::kw_only(),
      py::arg("m") = 1, py::arg("n") = 1, py::arg("a") = "float32", py::arg("b") = py::none(),
      py::arg("c") = py::none(), py::arg("output") = py::none(), py::arg("name") = "", py::arg("seed") = 1,
      py::arg("results") = 10000, py::arg("most_runs") = diagnose::RevealOptions{}.most_runs,
      py::arg("offset") = 0, py::arg("alpha") = 1.0, py::arg("beta") = 1.0, py::arg("threads") = 0,
      py::arg("form") = "binary", py::arg("seconds") = 60.0,
      py::arg("round") = diagnose::RevealOptions{}.cases_per_round,
      "Finds the order of additions behind a callable or a program and the arithmetic of each addition, and\n"
      "predicts fresh results.\n\n"
      "function   called as f(a) for 'sum' and 'mean', f(a, b) for 'dot' and 'gemm', f(a, b, c) for a gemm\n"
      "           with c; returns the results. Every call gets the same arrays, with new values. Or the\n"
      "           command line of a program that speaks the protocol of validation/diagnose/probe.md\n"
      "operation  'sum' or 'mean' of k values, 'dot' of k products, 'gemm': m x k by k x n\n"
      "k          a length, or several; the Probe is then an arithmetic of all of them\n"
      "m, n       rows and columns of a gemm; others have none\n"
      "a, b, c    formats; b None: the format of a; c None: no addend\n"
      "output     format of the results; None: that of a first call with zeros, for a program that of a\n"
      "name       name of the arithmetic; empty: the callable's name, for a program revealed_OPERATION\n"
      "seed       of the inputs\n"
      "results    number of fresh results to predict for each of four kinds of inputs\n"
      "most_runs  limit on the number of calls for one length\n"
      "offset     bytes from the beginning of a cache line to each operand\n"
      "alpha      of alpha a @ b + beta c, as float32, or as float64 if a or the output is float64. If\n"
      "beta       alpha or beta is not 1, the callable gets alpha, and beta if there is a c, as keywords;\n"
      "           their values change between calls\n"
      "threads    number of threads of a program; 0: its own choice\n"
      "form, seconds, round\n"
      "           for a program: 'binary' or 'text', time limit of a round; number of cases in a round\n\n"
      "Returns a Probe. Exceptions of the callable are passed on. RuntimeError for a program that breaks "
      "off,\n"
      "if answers change so that nothing can be concluded, or if it needs more than most_runs calls.\n"
      "ContractError for results of another shape or format.");
}

}  // namespace assay::python
