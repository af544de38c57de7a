// Which arithmetic made these bits: any callable revealed and predicted.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/diagnose/reveal/reveal.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/saved_arithmetic.hpp"
#include "validation/python/array.hpp"
#include "validation/python/callable.hpp"
#include "validation/python/module.hpp"
#include "validation/report/probe_report.hpp"
#include "validation/report/tree_picture.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::python {
namespace {

using diagnose::Case;
using judge::Problem;

// What a callable was found to do.
struct Probe {
  judge::SavedArithmetic saved{};
  std::shared_ptr<const Arithmetic> arithmetic{};  // null where no tree was found

  const judge::Revelation& revelation() const { return saved.shapes.front().revelation; }
  const judge::PredictionScore& score() const { return saved.shapes.front().score; }
  bool predicted() const { return all_predicted(score()); }
  bool explained() const { return all_explained(revelation(), score()); }
  std::string text() const { return probe_text(revelation(), score()); }
};

Probe probe(const py::function& function, const std::string& operation, std::size_t k, std::size_t m,
            std::size_t n, const py::object& a, const py::object& b, const py::object& c,
            const py::object& output, const std::string& name, std::uint64_t seed, std::uint64_t results,
            std::uint64_t most_runs, std::size_t offset, double alpha, double beta) {
  if (results == 0) throw ContractError("results: 0, not 1 or more fresh results to predict");
  Callable callable(function);
  const Problem p = problem_of({operation, k, m, n, a, b, c, output, offset, alpha, beta}, &callable);

  const diagnose::RevealOptions options{.seed = seed, .most_runs = most_runs};
  const diagnose::Target target = [&](const Problem& asked, std::span<const Case> cases) {
    return callable.answers(asked, cases);
  };
  Probe found;
  found.saved.program = py::repr(function);
  found.saved.name =
      !name.empty() ? name
                    : py::str(py::getattr(function, "__name__", py::str("callable"))).cast<std::string>();
  found.saved.environment = {{"cpu", cpu_model()}};
  judge::SavedArithmetic::Shape shape;
  shape.revelation = reveal(p, target, options);
  shape.score = score(shape.revelation, target, seed, results, options);
  found.saved.shapes.push_back(std::move(shape));
  if (!found.revelation().classes.empty() && found.score().without_tree == 0)
    found.arithmetic = make_revealed(found.saved);
  return found;
}

std::string svg(const Probe& p, std::size_t tree) {
  const auto& classes = p.revelation().classes;
  if (tree >= classes.size() || classes[tree].tree.nodes.empty()) {
    throw ContractError("tree " + std::to_string(tree) + " of " + std::to_string(classes.size()) +
                        ": there is none, or it was not found");
  }
  return draw_svg(classes[tree].tree, p.saved.name + ": " + to_string(p.revelation().problem));
}

}  // namespace

std::shared_ptr<const Arithmetic> arithmetic_of(const py::handle& unit) {
  if (py::isinstance<Probe>(unit)) {
    auto found = unit.cast<const Probe&>().arithmetic;
    if (found == nullptr) throw ContractError("unit: a probe that found no tree for some outputs");
    return found;
  }
  if (!py::isinstance<py::str>(unit))
    throw py::type_error("unit: " + std::string(py::repr(unit)) +
                         "; a name of arithmetics(), a file, or a Probe");
  return load_arithmetic(unit.cast<std::string>(), "unit");
}

void bind_probe(py::module_& m) {
  py::class_<Probe>(
      m, "Probe",
      "The arithmetic of a callable: trees of additions, and the rounding of their leaves and nodes.\n"
      "True if every fresh result was predicted bit for bit and every answer to a probe is explained.\n"
      "A Probe serves as a unit for dot() and gemm().")
      .def_property_readonly("name", [](const Probe& p) { return p.saved.name; })
      .def_property_readonly("predicted", &Probe::predicted,
                             "True if every fresh result was predicted bit for bit.")
      .def_property_readonly(
          "not_explained", [](const Probe& p) { return unexplained(p.revelation()); },
          "Number of answers to probes that the rules do not reproduce.")
      .def("__bool__", &Probe::explained)
      .def_property_readonly(
          "results", [](const Probe& p) { return p.score().results; },
          "Number of fresh results that were compared with predictions.")
      .def_property_readonly(
          "wrong", [](const Probe& p) { return p.score().wrong; }, "Number of wrong predictions.")
      .def_property_readonly(
          "without_tree", [](const Probe& p) { return p.score().without_tree; },
          "Number of fresh results of outputs whose tree was not found.")
      .def_property_readonly(
          "runs", [](const Probe& p) { return p.revelation().runs; },
          "Number of calls of the callable, predictions excluded.")
      .def_property_readonly(
          "repeats", [](const Probe& p) { return p.revelation().repeats && p.score().changed == 0; },
          "True if equal inputs always had equal answers.")
      .def_property_readonly("notes", [](const Probe& p) { return p.revelation().notes; })
      .def_property_readonly(
          "trees", [](const Probe& p) { return p.revelation().classes.size(); },
          "Number of different trees among the outputs.")
      .def_property_readonly(
          "tree_of", [](const Probe& p) { return p.revelation().class_of; },
          "The number of each output's tree, row by row; -1: none.")
      .def(
          "order",
          [](const Probe& p, std::size_t tree) {
            return canonical_order(p.revelation().classes.at(tree).tree);
          },
          py::arg("tree") = 0, "The order of additions of a tree, as text: equal texts are equal orders.")
      .def("text", &Probe::text, "What `assay probe` prints.")
      .def("svg", &svg, py::arg("tree") = 0, "A picture of a tree, as SVG text.")
      .def(
          "save", [](const Probe& p, const std::filesystem::path& path) { save(p.saved, path); },
          py::arg("path"),
          "Writes the arithmetic to a file (*.json), which can be passed wherever a unit is named.")
      .def("__str__", &Probe::text)
      .def("__repr__", [](const Probe& p) {
        return "<Probe " + p.saved.name + ": " + to_string(p.revelation().problem) + ", " +
               std::to_string(p.score().results - p.score().wrong) + " of " +
               std::to_string(p.score().results + p.score().without_tree) + " results predicted>";
      });
  m.def(
      "probe", &probe, py::arg("function"), py::arg("operation"), py::arg("k"), py::kw_only(),
      py::arg("m") = 1, py::arg("n") = 1, py::arg("a") = "float32", py::arg("b") = py::none(),
      py::arg("c") = py::none(), py::arg("output") = py::none(), py::arg("name") = "", py::arg("seed") = 1,
      py::arg("results") = 10000, py::arg("most_runs") = diagnose::RevealOptions{}.most_runs,
      py::arg("offset") = 0, py::arg("alpha") = 1.0, py::arg("beta") = 1.0,
      "Finds the order of additions behind a callable and the arithmetic of each addition, and predicts\n"
      "fresh results.\n\n"
      "function   called as f(a) for 'sum' and 'mean', f(a, b) for 'dot' and 'gemm', f(a, b, c) for a gemm\n"
      "           with c; returns the results. Every call gets the same arrays, with new values\n"
      "operation  'sum' or 'mean' of k values, 'dot' of k products, 'gemm': m x k by k x n\n"
      "m, n       rows and columns of a gemm\n"
      "a, b, c    formats; b None: the format of a; c None: no addend\n"
      "output     format of the results; None: that of a first call with zeros\n"
      "name       name of the arithmetic; empty: the callable's name\n"
      "seed       of the inputs\n"
      "results    number of fresh results to predict for each of four kinds of inputs\n"
      "most_runs  limit on the number of calls\n"
      "offset     bytes from the beginning of a cache line to each operand\n"
      "alpha      of alpha a @ b + beta c, as float32, or as float64 if a or the output is float64. If\n"
      "beta       alpha or beta is not 1, the callable gets alpha, and beta if there is a c, as keywords;\n"
      "           their values change between calls\n\n"
      "Returns a Probe. Exceptions of the callable are passed on. RuntimeError if its answers change so\n"
      "that nothing can be concluded, or if it needs more than most_runs calls. ContractError for results "
      "of\n"
      "another shape or format.");
}

}  // namespace assay::python
