// Whether a row's result depends on its batch, its place there, the threads, the addresses or the run.
#include "validation/diagnose/reveal/invariance.hpp"

#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/reveal/variation.hpp"
#include "validation/python/array.hpp"
#include "validation/python/callable.hpp"
#include "validation/python/module.hpp"
#include "validation/report/invariance_report.hpp"

namespace assay::python {
namespace {

using judge::Problem;

struct Invariance {
  diagnose::Invariance found{};
  InvarianceQuestion question{};

  std::string text(std::size_t lines) const {
    InvarianceQuestion q = question;
    q.lines = lines;
    return invariance_text(q, found);
  }
};

py::dict setting_dict(const diagnose::Setting& s) {
  py::dict d;
  d["m"] = s.m;
  d["n"] = s.n;
  d["row"] = s.row;
  d["threads"] = s.threads;
  d["offset"] = s.offset;
  d["run"] = s.run;
  return d;
}

py::dict depends_on(const Invariance& i) {
  py::dict all;
  for (const diagnose::Dependence& dependence : i.found.dependences) {
    const py::str on{std::string(dependence.on)};
    all[on] = py::none();
    if (!dependence.first) continue;
    const diagnose::Difference& difference = *dependence.first;
    py::dict d;
    d["setting"] = setting_dict(i.found.settings[difference.setting]);
    d["against"] = setting_dict(i.found.settings[difference.against]);
    d["different"] = difference.results;
    d["results"] = difference.of;
    d["column"] = difference.column;
    d["got"] = difference.got;
    d["was"] = difference.was;
    all[on] = d;
  }
  return all;
}

py::list classes(const Invariance& i) {
  py::list all;
  for (std::size_t which = 0; which < i.found.classes.size(); ++which) {
    const diagnose::BitClass& one = i.found.classes[which];
    py::list settings;
    for (const diagnose::Setting& s : i.found.settings) {
      if (s.by_bits == static_cast<int>(which)) settings.append(setting_dict(s));
    }
    py::dict d;
    d["settings"] = settings;
    d["looked_at"] = one.looked_at;
    d["orders"] = one.orders;
    d["why_not"] = one.why_not;
    all.append(d);
  }
  return all;
}

py::object first_change(const Invariance& i) {
  if (i.found.first_change >= i.found.settings.size()) return py::none();
  return setting_dict(i.found.settings[i.found.first_change]);
}

py::dict threads_seen(const Invariance& i) {
  py::dict all;
  for (const auto& [asked, seen] : i.question.threads_seen) all[py::int_(asked)] = seen.most;
  return all;
}

Invariance invariance(const py::object& function, const std::string& operation, std::size_t k,
                      const std::string& vary, std::size_t m, std::size_t n, const py::object& a,
                      const py::object& b, const py::object& c, const py::object& output, double alpha,
                      double beta, int threads, std::size_t offset, std::uint64_t seed, std::size_t trials,
                      std::size_t trees, std::uint64_t most_runs, const std::string& form, double seconds,
                      std::size_t round) {
  const bool of_program = is_program(function);
  if (round == 0) throw ContractError("round: 0, not 1 or more cases");
  const ProblemArguments given{operation, k, m, n, a, b, c, output, offset, alpha, beta, threads};
  const diagnose::Variation variation = diagnose::parse_variation("vary", vary, hardware_threads());
  const diagnose::RevealOptions options{.seed = seed, .most_runs = most_runs, .cases_per_round = round};
  Invariance all;
  all.question.varied = vary;
  if (of_program) {
    diagnose::ProgramOptions program = program_of(function, form, seconds);
    const Problem p = problem_of(given, nullptr);
    const py::gil_scoped_release unlocked;
    diagnose::ProgramInvariance r =
        program_invariance(p, std::move(program), variation, options, trials, trees);
    all.found = std::move(r.found);
    all.question.threads_seen = std::move(r.threads_seen);
    return all;
  }
  Callable callable(py::reinterpret_borrow<py::function>(function), !variation.threads.empty());
  const Problem p = problem_of(given, &callable);
  const diagnose::Target target = [&](const Problem& asked, std::span<const diagnose::Case> cases) {
    return callable.answers(asked, cases);
  };
  all.found = diagnose::invariance(p, target, variation, options, trials, trees);
  return all;
}

template <class T>
auto member(T diagnose::Invariance::*field) {
  return [field](const Invariance& i) { return i.found.*field; };
}

}  // namespace

void bind_invariance(py::module_& m) {
  const std::size_t lines = InvarianceQuestion{}.lines;
  py::class_<Invariance>(
      m, "Invariance",
      "What the bits of a row's results depend on. True if they depend on nothing that was varied. False,\n"
      "too, if equal bits prove nothing (vacuous).")
      .def("__bool__", [](const Invariance& i) { return i.found.invariant && !is_vacuous(i.found); })
      .def_property_readonly(
          "invariant", member(&diagnose::Invariance::invariant),
          "True if all settings gave equal bits and equal orders, and equal inputs had equal answers.")
      .def_property_readonly(
          "vacuous", [](const Invariance& i) { return is_vacuous(i.found); },
          "True if every random row has the same answer: equal bits prove nothing then.")
      .def_property_readonly(
          "depends_on", &depends_on,
          "For each thing that was varied, None, or the first two settings that differ in it alone and\n"
          "whose bits differ. `got` and `was` are codes.")
      .def_property_readonly(
          "classes", &classes,
          "Groups of settings with equal bits, each with its orders of addition in `columns`.")
      .def_property_readonly(
          "first_change", &first_change,
          "The first setting whose bits differ from those of the reference; None: no bits differ.")
      .def_property_readonly(
          "settings", [](const Invariance& i) { return i.found.settings.size(); }, "Number of settings.")
      .def_property_readonly("columns", member(&diagnose::Invariance::columns),
                             "Columns whose orders were revealed.")
      .def_property_readonly("trials", member(&diagnose::Invariance::trials), "Number of random rows.")
      .def_property_readonly("runs", member(&diagnose::Invariance::runs), "Number of calls.")
      .def_property_readonly("repeats", member(&diagnose::Invariance::repeats),
                             "True if equal inputs always had equal answers.")
      .def_property_readonly("by_tree", member(&diagnose::Invariance::by_tree),
                             "True if all bits are equal but the last setting has a different order.")
      .def_property_readonly(
          "threads_seen", &threads_seen,
          "For a program: the number of threads that it had, by the number that was requested.")
      .def("text", &Invariance::text, py::arg("lines") = lines,
           "What `assay invariance` prints; `lines` limits the lines of each tree.")
      .def(
          "json", [](const Invariance& i) { return invariance_json(i.question, i.found); },
          "Everything, as one JSON object.")
      .def("__str__", [lines](const Invariance& i) { return i.text(lines); })
      .def("__repr__", [](const Invariance& i) {
        return "<Invariance " + to_string(i.found.problem) + ": " + std::to_string(i.found.classes.size()) +
               " classes of equal bits in " + std::to_string(i.found.settings.size()) + " settings>";
      });
  m.def(
      "invariance", &invariance, py::arg("function"), py::arg("operation"), py::arg("k"), py::kw_only(),
      py::arg("vary"), py::arg("m") = 1, py::arg("n") = 1, py::arg("a") = "float32",
      py::arg("b") = py::none(), py::arg("c") = py::none(), py::arg("output") = py::none(),
      py::arg("alpha") = 1.0, py::arg("beta") = 1.0, py::arg("threads") = 0, py::arg("offset") = 0,
      py::arg("seed") = 1, py::arg("trials") = 24, py::arg("trees") = 4,
      py::arg("most_runs") = diagnose::RevealOptions{}.most_runs, py::arg("form") = "binary",
      py::arg("seconds") = 60.0, py::arg("round") = diagnose::RevealOptions{}.cases_per_round,
      "Tests whether a row's result depends on the batch, its place there, the threads, the addresses or\n"
      "the run.\n\n"
      "function   a callable, as in probe(); if threads are varied, it gets their number as the keyword\n"
      "           threads. Or the command line of a program that speaks the protocol of\n"
      "           validation/diagnose/probe.md\n"
      "operation  'sum' or 'mean' of k values, 'dot' of k products, 'gemm': m x k by k x n\n"
      "vary       what changes, as in `assay invariance`: 'm=1:6,n=16:64,row,threads=1,2,offset=0,4,run=3'.\n"
      "           The first value of each is the reference. Every second run of a program is a new process\n"
      "m, n       rows and columns of a gemm, where they are not varied\n"
      "a, b, c    formats; b None: the format of a; c None: no addend\n"
      "output     format of the results; None: that of a first call with zeros, for a program that of a\n"
      "alpha, beta, offset\n"
      "           as in probe()\n"
      "threads    number of threads of a program; 0: its own choice\n"
      "seed       of the random rows\n"
      "trials     number of random rows whose bits are compared\n"
      "trees      limit on the classes whose orders of addition are revealed; 0: compare bits only\n"
      "most_runs  limit on the number of calls\n"
      "form, seconds, round\n"
      "           for a program: 'binary' or 'text', time limit of a round, number of cases in a round\n\n"
      "Returns an Invariance. ContractError for a variation that the operation does not have; RuntimeError\n"
      "for a program that breaks off, and for answers that allow no conclusion. Exceptions of the callable\n"
      "are passed on.");
}

}  // namespace assay::python
