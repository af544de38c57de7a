// The smallest input on which two arithmetics differ.
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/report/distinction_report.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::python {
namespace {

struct Distinguished {
  PairQuestion question{};
  ToldApart told{};

  const Distinction& distinction() const { return told.distinction; }
  DistinguishedSide x() const {
    return {.name = question.x.name, .info = &question.x.arithmetic->info(), .trace = told.x_steps};
  }
  DistinguishedSide y() const {
    return {.name = question.y.name, .info = &question.y.arithmetic->info(), .trace = told.y_steps};
  }
  std::string text() const { return distinction_text(distinction(), x(), y()); }
};

// None where nothing was found.
py::object vector(const Distinguished& d, std::vector<std::uint64_t> DotInput::*codes,
                  FormatSpec DotInput::*format) {
  if (!d.distinction().found) return py::none();
  const DotInput& input = d.distinction().input;
  return array_of_codes(input.*codes, input.*format, {(input.*codes).size()});
}
py::object number(const Distinguished& d, std::uint64_t code, const FormatSpec& format) {
  return d.distinction().found ? array_of_codes({code}, format, {}) : py::none();
}

std::string optional_format(const py::object& format) {
  return format.is_none() ? std::string() : format_text(format);
}

Distinguished distinguish_units(const py::object& x, const py::object& y, const py::object& a_format,
                                const py::object& b_format, const py::object& output,
                                std::optional<std::uint64_t> k, std::uint64_t seed, std::uint64_t limit) {
  Distinguished d;
  d.question = {.x = named_arithmetic(x),
                .y = named_arithmetic(y),
                .a_format = optional_format(a_format),
                .b_format = optional_format(b_format),
                .output = optional_format(output),
                .terms = k,
                .seed = seed,
                .limit = limit,
                .caller = judge::Caller::python};
  const py::gil_scoped_release unlocked;
  d.told = tell_apart(d.question, search_options(d.question));
  return d;
}

}  // namespace

void bind_distinguish(py::module_& m) {
  py::class_<Distinguished>(
      m, "Distinction",
      "The smallest input found on which two arithmetics differ. True if one was found; finding none\n"
      "does not prove that there is none.")
      .def("__bool__", [](const Distinguished& d) { return d.distinction().found; })
      .def_property_readonly("x", [](const Distinguished& d) { return d.question.x.name; })
      .def_property_readonly("y", [](const Distinguished& d) { return d.question.y.name; })
      .def_property_readonly(
          "tried", [](const Distinguished& d) { return d.distinction().tried; },
          "Number of inputs that were tried.")
      .def_property_readonly(
          "by_value", [](const Distinguished& d) { return d.distinction().by_value; },
          "False if the results differ only in a NaN's bits or in the sign of a zero.")
      .def_property_readonly(
          "a", [](const Distinguished& d) { return vector(d, &DotInput::a, &DotInput::a_format); },
          "The operands, as dot() takes them; None if no input was found.")
      .def_property_readonly(
          "b", [](const Distinguished& d) { return vector(d, &DotInput::b, &DotInput::b_format); })
      .def_property_readonly(
          "c",
          [](const Distinguished& d) {
            const DotInput& input = d.distinction().input;
            return input.c ? number(d, *input.c, input.c_format) : py::object(py::none());
          },
          "Starting value of both sums, in the narrower accumulator's format; None: +0.")
      .def_property_readonly("x_result",
                             [](const Distinguished& d) {
                               return number(d, d.distinction().x_result, d.distinction().x_output);
                             })
      .def_property_readonly("y_result",
                             [](const Distinguished& d) {
                               return number(d, d.distinction().y_result, d.distinction().y_output);
                             })
      .def("text", &Distinguished::text,
           "What `assay distinguish` prints: the input and the steps of both arithmetics.")
      .def(
          "json", [](const Distinguished& d) { return distinction_json(d.distinction(), d.x(), d.y()); },
          "Everything, including the steps of both arithmetics, as one JSON object.")
      .def("__str__", &Distinguished::text)
      .def("__repr__", [](const Distinguished& d) {
        return "<Distinction of " + d.question.x.name + " and " + d.question.y.name + ": " +
               distinction_summary(d.distinction()) + ">";
      });
  m.def(
      "distinguish", &distinguish_units, py::arg("x"), py::arg("y"), py::kw_only(),
      py::arg("a_format") = py::none(), py::arg("b_format") = py::none(), py::arg("output") = py::none(),
      py::arg("k") = py::none(), py::arg("seed") = 1, py::arg("limit") = DistinguishOptions{}.limit,
      "Searches for the smallest input on which two arithmetics differ, as `assay distinguish` does.\n\n"
      "x, y      names of arithmetics(), files of Probe.save(), Probes\n"
      "a_format, b_format\n"
      "          formats of the operands, both or neither; None: the first pair that both arithmetics take\n"
      "output    format of both results; None: each arithmetic's own\n"
      "k         number of terms of every input; None: few at first; with a probed arithmetic, the shortest\n"
      "          length that both know\n"
      "seed      of the search: equal arguments give equal inputs\n"
      "limit     number of inputs to try; reducing an input tries more\n\n"
      "Returns a Distinction. InputError for unknown names; ContractError if the two share no formats, or\n"
      "if one of them does not know the length.");
}

}  // namespace assay::python
