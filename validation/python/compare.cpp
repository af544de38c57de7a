// The judge: two arrays, and everything that there is to say about their difference.
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/compare/policy.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/report/comparison_report.hpp"

namespace assay::python {
namespace {

using compare::Comparison;
using compare::Policy;

struct Verdict {
  std::shared_ptr<const Comparison> comparison{};
  std::string name{};

  std::string status() const { return std::string(compare::verdict_name(comparison->verdict)); }
  std::string text() const {
    std::string text = comparison_headline(status(), name, *comparison) + "\n";
    for (const std::string& line : comparison_lines(*comparison)) text += "  " + line + "\n";
    return text;
  }
};

Policy policy_of(const py::object& policy) {
  if (py::isinstance<Policy>(policy)) return policy.cast<Policy>();
  if (!py::isinstance<py::str>(policy)) {
    throw py::type_error("policy: " + std::string(py::repr(policy)) + "; a name of policies() or a Policy");
  }
  return compare::find_policy(compare::default_policies(), policy.cast<std::string>(), "policy");
}

Policy tolerance(double atol, double rtol, std::uint64_t ulps, const std::string& because) {
  Policy p;
  p.name = "tolerance";
  p.kind = compare::PolicyKind::tolerance;
  p.atol = atol;
  p.rtol = rtol;
  p.ulps = ulps;
  p.because = because;
  if (const std::string why = compare::why_unsound(p); !why.empty()) throw ContractError("tolerance: " + why);
  return p;
}

std::string default_name(const Operand& got, const Operand& want) {
  std::string shape;
  for (const std::size_t d : got.shape) shape += (shape.empty() ? "" : "x") + std::to_string(d);
  return "compare/arrays shape=" + (shape.empty() ? "scalar" : shape) + " got=" + got.element.name() +
         " want=" + want.element.name();
}

Verdict judge_arrays(const py::object& got_array, const py::object& want_array, const py::object& policy,
                     const py::object& bound_array, bool convert, const std::string& rounding,
                     bool expects_zero, const py::object& stale_array, const std::string& name, int threads) {
  Operand got = operand(got_array, "got"), want = operand(want_array, "want");
  compare::Options options;
  options.policy = policy_of(policy);
  options.convert = convert;
  options.rounding = parse_rounding(rounding);
  if (options.rounding == Rounding::stochastic)
    throw ContractError("rounding: want is rounded the same way every time, not stochastically");
  options.expects_zero = expects_zero;
  if (threads < 0) throw ContractError("threads: " + std::to_string(threads) + ", not 0 or more");
  options.threads = threads;
  compare::Expected expected{.codes = codes_of(want)};
  std::vector<double> bound;
  if (!bound_array.is_none()) {
    Operand bounds = operand(bound_array, "bound");
    if (bounds.shape != got.shape) {
      throw ContractError("bound of shape " + io::to_string(bounds.io_shape()) + ", not " +
                          io::to_string(got.io_shape()) + ", that of got");
    }
    bound = values_of(bounds);
    expected.bound = bound;
  }
  Operand stale;
  if (!stale_array.is_none()) {
    stale = operand(stale_array, "stale");
    options.stale = codes_of(stale);
  }
  const compare::Codes codes = codes_of(got);
  Verdict verdict;
  verdict.name = name.empty() ? default_name(got, want) : name;
  const py::gil_scoped_release unlocked;
  verdict.comparison = std::make_shared<const Comparison>(judge(codes, expected, options));
  return verdict;
}

// A member of the comparison, as a property.
template <class T>
auto member(T Comparison::*field) {
  return [field](const Verdict& v) { return (*v.comparison).*field; };
}

py::object worst(const Verdict& v) {
  if (!v.comparison->worst) return py::none();
  const compare::Element& e = *v.comparison->worst;
  const compare::Shape& shape = v.comparison->shape;
  py::tuple index(shape.size());
  std::size_t rest = e.index;
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = rest % shape[i];
    rest /= shape[i];
  }
  py::dict found;
  found["index"] = index;
  found["got"] = e.got_value;
  found["want"] = e.want_value;
  found["got_code"] = e.got;
  found["want_code"] = e.want;
  found["ulps"] = e.ulps ? py::object(py::float_(*e.ulps)) : py::none();
  found["absolute"] = e.absolute;
  found["relative"] = e.relative;
  found["over_bound"] = e.over_bound ? py::object(py::float_(*e.over_bound)) : py::none();
  return found;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

void bind_compare(py::module_& m) {
  py::class_<Policy>(m, "Policy", "What counts as agreement.")
      .def_readonly("name", &Policy::name)
      .def_property_readonly("kind",
                             [](const Policy& p) { return std::string(compare::policy_kind_name(p.kind)); })
      .def_readonly("any_nan", &Policy::any_nan)
      .def_readonly("factor", &Policy::factor)
      .def_readonly("atol", &Policy::atol)
      .def_readonly("rtol", &Policy::rtol)
      .def_readonly("ulps", &Policy::ulps)
      .def_readonly("because", &Policy::because)
      .def("__repr__", [](const Policy& p) { return "<Policy " + compare::policy_text(p) + ">"; });
  m.def(
      "policies",
      [](const std::optional<std::string>& path) {
        return path ? compare::read_policies(*path) : compare::default_policies();
      },
      py::arg("path") = py::none(), "The policies by name: the built-in ones, or those of a policies.toml.");
  m.def("tolerance", &tolerance, py::kw_only(), py::arg("atol") = 0.0, py::arg("rtol") = 0.0,
        py::arg("ulps") = 0, py::arg("because"),
        "A policy: |got - want| <= atol + rtol |want|, or so many steps between codes, for a reason.");

  py::class_<Verdict>(m, "Verdict", "What a comparison found. True if it PASSED.")
      .def_readonly("name", &Verdict::name)
      .def_property_readonly("status", &Verdict::status,
                             "PASSED, FAILED, or VACUOUS: agreement that proves nothing.")
      .def("__bool__", [](const Verdict& v) { return v.comparison->verdict == compare::Verdict::agree; })
      .def_property_readonly("reason", member(&Comparison::reason))
      .def_property_readonly("policy", member(&Comparison::policy))
      .def_property_readonly("shape",
                             [](const Verdict& v) { return py::tuple(py::cast(v.comparison->shape)); })
      .def_property_readonly("format", member(&Comparison::format), "Of got, and of the codes compared.")
      .def_property_readonly("want_format", member(&Comparison::want_format))
      .def_property_readonly("values", member(&Comparison::values))
      .def_property_readonly("bit_equal", member(&Comparison::bit_equal))
      .def_property_readonly("differ", member(&Comparison::differ))
      .def_property_readonly("outside", member(&Comparison::outside), "Values outside the policy.")
      .def_property_readonly("class_mismatches", member(&Comparison::class_mismatches))
      .def_property_readonly("zeros_would_pass", member(&Comparison::zeros_would_pass))
      .def_property_readonly("max_ulps", [](const Verdict& v) { return v.comparison->max_ulps.value; })
      .def_property_readonly("max_absolute",
                             [](const Verdict& v) { return v.comparison->max_absolute.value; })
      .def_property_readonly("max_relative",
                             [](const Verdict& v) { return v.comparison->max_relative.value; })
      .def_property_readonly("max_over_bound",
                             [](const Verdict& v) {
                               const auto& over = v.comparison->over_bound;
                               return over ? std::optional(over->max.value) : std::nullopt;
                             })
      .def_property_readonly("mean_ulps", member(&Comparison::mean_ulps))
      .def_property_readonly("nmse", member(&Comparison::nmse), "Shown, never judged.")
      .def_property_readonly("cosine", member(&Comparison::cosine), "Shown, never judged.")
      .def_property_readonly("worst", &worst, "The worst element, or None.")
      .def_property_readonly(
          "where", [](const Verdict& v) { return v.comparison->where.text; },
          "Where the values outside sit; empty if none is.")
      .def_property_readonly("weaknesses", member(&Comparison::weaknesses))
      .def("text", &Verdict::text, "The lines that `assay compare` prints, without its repro line.")
      .def(
          "statistics", [](const Verdict& v) { return joined(statistics_lines(*v.comparison)); },
          "Distances, percentiles, NMSE and cosine, which judge nothing.")
      .def(
          "json", [](const Verdict& v) { return json_comparison(*v.comparison); },
          "Everything, as one JSON object.")
      .def("__str__", &Verdict::text)
      .def("__repr__", [](const Verdict& v) { return "<Verdict " + v.status() + " " + v.name + ">"; });

  m.def("compare", &judge_arrays, py::arg("got"), py::arg("want"), py::arg("policy") = "bit-equal",
        py::kw_only(), py::arg("bound") = py::none(), py::arg("convert") = false,
        py::arg("rounding") = "nearest-even", py::arg("expects_zero") = false, py::arg("stale") = py::none(),
        py::arg("name") = "", py::arg("threads") = 0,
        "Compares an output with what it should be.\n\n"
        "got, want     arrays of one shape\n"
        "policy        a name of policies(), or a Policy: what counts as agreement\n"
        "bound         with a policy of kind bound: the bound of each value\n"
        "convert       formats may differ: want is rounded once into got's format\n"
        "rounding      of want into got's format\n"
        "expects_zero  that want is zero everywhere is what this is about: not VACUOUS\n"
        "stale         what the memory of got held before: would it pass?\n"
        "name          stands in the text\n"
        "threads       0: as OpenMP decides; changes no figure\n\n"
        "Returns a Verdict. ContractError for shapes or formats that do not go together.");
}

}  // namespace assay::python
