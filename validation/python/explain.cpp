// Which arithmetic made an output: explanations of arrays.
#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/diagnose/explain/explained.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/suites/explain_request.hpp"

namespace assay::python {
namespace {

namespace py = pybind11;
using diagnose::Explanation;

// What was found, with its text and JSON; the arithmetics themselves may be gone.
struct Explained {
  std::string text{}, json{};
  std::size_t sample = 0, candidates = 0, remaining = 0;
  std::vector<std::string> names{};  // of those that give all of the sample
  std::optional<std::string> best{};
  double share = 0;  // of the sample that the best gives
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes{};
};

void take_sums(const Explanation& whole, Explained& out) {
  out.sample = whole.sample;
  out.candidates = whole.candidates;
  for (std::size_t i = 0; i < whole.ranked.size(); ++i) {
    const diagnose::ExplainCandidate& candidate = whole.ranked[i].candidate;
    if (i == 0) {
      out.best = candidate.name;
      out.share = whole.ranked[i].share();
    }
    if (i >= whole.remaining) break;
    if (candidate.arithmetic != nullptr && candidate.names.empty()) out.names.push_back(candidate.name);
    out.names.insert(out.names.end(), candidate.names.begin(), candidate.names.end());
  }
  for (const diagnose::ExplainAttribute& attribute : whole.attributes) {
    std::vector<std::string> values;
    for (const auto& [value, count] : attribute.values) values.push_back(value);
    out.attributes.emplace_back(attribute.name, std::move(values));
  }
}

void take_conversion(const diagnose::ConversionExplanation& e, Explained& out) {
  out.sample = e.sample;
  out.candidates = e.candidates;
  for (std::size_t i = 0; i < std::min(e.remaining, e.ranked.size()); ++i)
    out.names.push_back(e.ranked[i].how);
  if (e.ranked.empty()) return;
  out.best = e.ranked[0].how;
  out.share = static_cast<double>(e.ranked[0].matches) / static_cast<double>(e.ranked[0].compared);
}

// Arguments that read_question() takes and explain() does not have.
void refuse_others(const judge::Request& r) {
  for (const std::string& name : r.given) {
    if (!is_explain_option(name))
      throw py::type_error("explain() got an unexpected keyword argument '" +
                           r.option(name == "operation" ? "reduction" : name) + "'");
  }
}

Explained explain(const std::string& operation, const py::kwargs& given) {
  py::dict arguments = given;
  if (!arguments.contains("got") || arguments["got"].is_none())
    throw py::type_error("explain() missing a required keyword argument: 'got'");
  ExplainRequest q;
  if (const py::object at = take(arguments, "at")) q.at = numbers_argument(at, "at");
  if (const py::object also = take(arguments, "also")) {
    if (py::isinstance<py::str>(also) || PySequence_Check(also.ptr()) == 0)
      throw py::type_error("also: " + std::string(py::repr(also)) + " is not a list of units");
    for (const py::handle& one : also) q.also.push_back(named_arithmetic(one, "also"));
  }
  if (const py::object top = take(arguments, "top")) q.top = number_argument(top, "top");
  const py::object scale_format = take(arguments, "scale_format");
  if (scale_format) q.scale_format = text_argument(scale_format, "scale_format");
  Question question = read_question(operation, arguments);
  require_taken("explain", arguments);
  q.asked = std::move(question.request);
  if (scale_format) q.asked.given.insert("scale-format");
  refuse_others(q.asked);
  if (q.asked.sample) q.sample = static_cast<std::size_t>(*q.asked.sample);
  const py::gil_scoped_release unlocked;
  const diagnose::Explained found = explain_arrays(std::move(q));
  Explained out{
      .text = explanation_text(found), .json = explanation_json(found), .remaining = found.remaining()};
  if (const auto* const sums = std::get_if<std::vector<Explanation>>(&found.found)) {
    take_sums(sums->front(), out);
  } else {
    take_conversion(std::get<diagnose::ExplainedConversion>(found.found).explanation, out);
  }
  return out;
}

}  // namespace

void bind_explain(py::module_& m) {
  py::class_<Explained>(
      m, "Explanation",
      "Which arithmetics give an output's bits. True if at least one gives every output of the sample.")
      .def("__bool__", [](const Explained& e) { return e.remaining > 0; })
      .def_readonly("sample", &Explained::sample, "Number of outputs that were replayed.")
      .def_readonly("candidates", &Explained::candidates, "Number of arithmetics that were tried.")
      .def_readonly("remaining", &Explained::remaining,
                    "Number of candidates that give every output of the sample.")
      .def_readonly("names", &Explained::names,
                    "Names of the remaining candidates, best first; many candidates have no name.")
      .def_readonly("best", &Explained::best, "The best candidate, in words.")
      .def_readonly("share", &Explained::share, "Fraction of the sample that the best candidate gives.")
      .def_property_readonly(
          "attributes",
          [](const Explained& e) {
            py::dict all;
            for (const auto& [name, values] : e.attributes) all[py::str(name)] = values;
            return all;
          },
          "For each attribute its values among the remaining candidates; a single value is settled.")
      .def(
          "text", [](const Explained& e) { return e.text; }, "What `assay explain` prints.")
      .def(
          "json", [](const Explained& e) { return e.json; },
          "Everything, as one JSON object: what `assay explain --json` prints.")
      .def("__str__", [](const Explained& e) { return e.text; })
      .def("__repr__", [](const Explained& e) {
        return "<Explanation: " + std::to_string(e.remaining) + " of " + std::to_string(e.candidates) +
               " candidates give all of " + std::to_string(e.sample) + " outputs>";
      });
  m.def("explain", &explain, py::arg("operation"),
        "Finds the arithmetic that made an output: replays orders, roundings and units on a sample of it.\n\n"
        "operation  'gemm': got = c + a b; 'spmm': a sparse; 'dot': of vectors, or row by row; 'conv': of\n"
        "           images a and weights b; 'convert': got = a, rounded\n"
        "a, b, c    the operands that the output was computed from; c for gemm and dot\n"
        "got        the output\n"
        "transpose_a, transpose_b\n"
        "           a is stored k x m, b n x k\n"
        "stride, pad, dilation, groups, image_layout, padding\n"
        "           for conv, as in check()\n"
        "a_scales, b_scales, a_tensor_scale, b_tensor_scale\n"
        "           scales of blocks and of whole operands, as in gemm()\n"
        "scale_format\n"
        "           format of block scales: 'e8m0' (one for every 32 elements along k), 'ue4m3' (every 16)\n"
        "at         index of a single output to explain; one output proves little\n"
        "sample     number of outputs to replay (64), drawn at random by seed (1)\n"
        "also       further arithmetics: names, files of Probe.save(), Probes\n"
        "top        number of candidates that the text shows (8)\n"
        "threads    0: OpenMP's choice; changes no result\n\n"
        "Returns an Explanation. InputError for arrays that do not go together, unknown names and an output\n"
        "that there is not; ContractError for arguments that do not go together; TypeError for arrays of\n"
        "integers, and for a sparse or dense one in the place of the other.");
}

}  // namespace assay::python
