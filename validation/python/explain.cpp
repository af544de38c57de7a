// Which arithmetic made an output: explanations of arrays.
#include "validation/diagnose/explain/explain.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/arithmetic.hpp"
#include "validation/diagnose/explain/explain_conversion.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/explain_units.hpp"

namespace assay::python {
namespace {

using diagnose::ExplainElement;
using diagnose::ExplainInput;
using diagnose::Explanation;

// What was found, with its text; the candidates themselves are gone.
struct Explained {
  std::string text{};
  std::size_t sample = 0, candidates = 0, remaining = 0;
  std::vector<std::string> names{};  // of those that give all of the sample
  std::optional<std::string> best{};
  double share = 0;  // of the sample that the best gives
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes{};
};

// --- one dot product an output -----------------------------------------------------------------------------------

// Row i of one matrix and column j of another, or row i of both.
struct Products {
  CodeMatrix a{}, b{};
  std::optional<compare::Codes> c{};
  compare::Codes got{};
  bool by_rows = false;  // of dot()

  std::size_t columns() const { return by_rows ? 1 : b.cols; }
  ExplainElement element(std::size_t i) const {
    ExplainElement e{.index = i};
    const CodeVector x = a.row(i / columns()), y = by_rows ? b.row(i) : b.column(i % columns());
    e.take(x, y);
    if (c) e.c = compare::code_at(*c, i);
    e.got = compare::code_at(got, i);
    return e;
  }
};

void as_rows(Operand& x) {
  if (x.shape.size() != 1) return;
  x.shape.insert(x.shape.begin(), 1);
  x.byte_strides.insert(x.byte_strides.begin(), 0);
}

void require_shape(const Operand& x, const std::vector<std::size_t>& shape) {
  if (x.shape == shape) return;
  throw ContractError(x.name + " of shape " + io::to_string(x.io_shape()) + ", not " +
                      io::to_string(io::Shape(shape.begin(), shape.end())));
}

std::vector<std::size_t> sample_of(const compare::Shape& shape, const py::object& at, std::size_t sample,
                                   std::uint64_t seed) {
  std::size_t size = 1;
  for (const std::size_t d : shape) size *= d;
  if (size == 0) throw ContractError("got: no output to explain");
  if (sample == 0) throw ContractError("sample: 0, not 1 or more outputs");
  if (at.is_none()) return diagnose::drawn_sample(size, sample, seed);
  std::vector<std::size_t> place;
  try {
    place = py::isinstance<py::int_>(at) ? std::vector{at.cast<std::size_t>()}
                                         : at.cast<std::vector<std::size_t>>();
  } catch (const py::cast_error&) {
    throw ContractError("at: no index of an output (a tuple of integers from 0)");
  }
  const std::optional<std::size_t> index = judge::flat_index(place, shape);
  if (!index) throw ContractError("at: no index of an output of shape " + compare::shape_text(shape));
  return {*index};
}

std::vector<const Arithmetic*> known(const std::vector<std::shared_ptr<const Arithmetic>>& also,
                                     const ExplainInput& input) {
  std::vector<const Arithmetic*> all = arithmetics().list();
  for (const auto& one : also) {
    if (!one->accepts(input.a, input.b))
      throw ContractError("also: " + one->info().name + " takes other formats than those of a and b");
    // The answer names arithmetics: two of one name would be taken for each other.
    const std::string& called = one->info().name;
    if (std::any_of(all.begin(), all.end(), [&](const Arithmetic* x) { return x->info().name == called; }))
      throw ContractError("also: " + called + " is the name of another arithmetic too");
    all.push_back(one.get());
  }
  return all;
}

Explained explain_products(const std::string& operation, const py::object& a_array, const py::object& b_array,
                           const py::object& c_array, const py::object& got_array, const py::object& at,
                           std::size_t sample, std::uint64_t seed, const std::vector<py::object>& also,
                           std::size_t top, int threads) {
  if (b_array.is_none()) throw ContractError("b: None, where " + operation + " needs it");
  Operand a = operand(a_array, "a"), b = operand(b_array, "b"), got = operand(got_array, "got");
  Products products;
  products.by_rows = operation == "dot";
  std::vector<std::size_t> shape;
  if (products.by_rows) {
    require_shape(b, a.shape);
    if (a.shape.size() == 2) shape = {a.shape[0]};
    as_rows(a);
    as_rows(b);
    products.a = matrix_of(a);
    products.b = matrix_of(b);
  } else {
    products.a = matrix_of(a);
    products.b = matrix_of(b);
    if (products.a.cols != products.b.rows) {
      throw ContractError("a of shape " + io::to_string(a.io_shape()) + " and b of " +
                          io::to_string(b.io_shape()) + " have no product");
    }
    shape = {products.a.rows, products.b.cols};
  }
  require_shape(got, shape);
  products.got = codes_of(got);
  std::optional<Operand> c;
  if (!c_array.is_none()) {
    c = operand(c_array, "c");
    require_shape(*c, shape);
    products.c = codes_of(*c);
  }
  ExplainInput input{
      .a = products.a.format, .b = products.b.format, .got = products.got.format, .views = {{}}};
  if (c) input.c = products.c->format;
  for (const std::size_t i : sample_of(shape, at, sample, seed))
    input.views[0].elements.push_back(products.element(i));

  std::vector<std::shared_ptr<const Arithmetic>> held;
  for (const py::object& one : also) held.push_back(arithmetic_of(one));
  diagnose::ExplainOptions options = explain_options(input, seed);
  options.keep = 4 * std::max<std::size_t>(top, 20);
  const std::vector<const Arithmetic*> candidates = known(held, input);
  const ExplainedQuestion asked{.operation = operation,
                                .parameters = "k=" + std::to_string(products.a.cols),
                                .shape = shape,
                                .got = input.got,
                                .seed = seed,
                                .top = top};
  const py::gil_scoped_release unlocked;
  const ThreadScope team(threads);
  const std::vector<Explanation> all = explain_parts(input, candidates, options);
  const Explanation& whole = all.front();
  Explained out{.text = explanation_text(asked, all),
                .sample = whole.sample,
                .candidates = whole.candidates,
                .remaining = whole.remaining};
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
  return out;
}

// --- conversions -------------------------------------------------------------------------------------------------

Explained explain_convert(const py::object& a_array, const py::object& got_array, const py::object& at,
                          std::size_t sample, std::uint64_t seed, std::size_t top) {
  Operand a = operand(a_array, "a"), got = operand(got_array, "got");
  require_shape(got, a.shape);
  const compare::Codes from = codes_of(a), to = codes_of(got);
  std::vector<std::size_t> index = sample_of(from.shape, at, sample, seed);
  const ConvertedSample values = at.is_none() ? diagnose::converted_sample(from, to, sample, seed)
                                              : diagnose::converted_sample(from, to, std::move(index));
  const diagnose::ConversionExplanation e = diagnose::explain_converted(values, to.format);
  const ExplainedQuestion asked{.operation = "convert",
                                .parameters = "",
                                .shape = from.shape,
                                .got = to.format,
                                .seed = seed,
                                .top = top};
  Explained out{.text = explanation_text(asked, values, e),
                .sample = e.sample,
                .candidates = e.candidates,
                .remaining = e.remaining};
  for (std::size_t i = 0; i < std::min(e.remaining, e.ranked.size()); ++i)
    out.names.push_back(e.ranked[i].how);
  if (!e.ranked.empty()) {
    out.best = e.ranked[0].how;
    out.share = static_cast<double>(e.ranked[0].matches) / static_cast<double>(e.ranked[0].compared);
  }
  return out;
}

Explained explain_arrays(const std::string& operation, const py::object& a, const py::object& b,
                         const py::object& c, const py::object& got, const py::object& at, std::size_t sample,
                         std::uint64_t seed, const std::vector<py::object>& also, std::size_t top,
                         int threads) {
  if (operation == "convert") {
    if (!b.is_none() || !c.is_none()) throw ContractError("b and c: a conversion has neither");
    return explain_convert(a, got, at, sample, seed, top);
  }
  if (operation != "gemm" && operation != "dot") {
    throw unknown_name("operation", "gemm, dot or convert (spmm and conv: the command `assay explain`)",
                       operation, {"gemm", "dot", "convert"});
  }
  return explain_products(operation, a, b, c, got, at, sample, seed, also, top, threads);
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
      .def("__str__", [](const Explained& e) { return e.text; })
      .def("__repr__", [](const Explained& e) {
        return "<Explanation: " + std::to_string(e.remaining) + " of " + std::to_string(e.candidates) +
               " candidates give all of " + std::to_string(e.sample) + " outputs>";
      });
  m.def("explain", &explain_arrays, py::arg("operation"), py::kw_only(), py::arg("a"),
        py::arg("b") = py::none(), py::arg("c") = py::none(), py::arg("got"), py::arg("at") = py::none(),
        py::arg("sample") = 64, py::arg("seed") = 1, py::arg("also") = py::list(), py::arg("top") = 8,
        py::arg("threads") = 0,
        "Finds the arithmetic that made an output: replays orders, roundings and units on a sample of it.\n\n"
        "operation  'gemm': got = c + a b; 'dot': of vectors, or row by row; 'convert': got = a, rounded\n"
        "a, b, c    the operands that the output was computed from\n"
        "got        the output\n"
        "at         index of a single output to explain; one output proves little\n"
        "sample     number of outputs to replay, drawn at random by seed\n"
        "also       further arithmetics: files of Probe.save(), Probes\n"
        "top        number of candidates that the text shows\n"
        "threads    0: OpenMP's choice; changes no result\n\n"
        "Returns an Explanation. ContractError for shapes that do not match, TypeError for integers.");
}

}  // namespace assay::python
