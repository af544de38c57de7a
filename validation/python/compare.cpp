// The judge: two arrays, and everything that there is to say about their difference.
#include <pybind11/stl.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/compare/integers.hpp"
#include "validation/compare/policy.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/verdict.hpp"
#include "validation/report/comparison_report.hpp"

namespace assay::python {

std::string Verdict::status() const { return std::string(compare::verdict_name(comparison->verdict)); }

std::string Verdict::text() const {
  std::string text = comparison_headline(status(), name, *comparison) + "\n";
  for (const std::string& line : comparison_lines(*comparison)) text += "  " + line + "\n";
  for (const std::string& line : notes) text += "  " + line + "\n";
  return text;
}

std::string Verdicts::status() const {
  bool any = false, failed = !missing.empty() || !extra.empty();
  for (const auto& [name, verdict] : pairs) {
    any = any || verdict.comparison->verdict == compare::Verdict::agree;
    failed = failed || verdict.comparison->verdict == compare::Verdict::disagree;
  }
  return failed ? "FAILED" : any ? "PASSED" : "VACUOUS";
}

std::string Verdicts::text() const {
  std::string text;
  for (const auto& [name, verdict] : pairs) text += verdict.text();
  for (const std::string& name : missing) text += "MISSING " + name + ": got has none of this name\n";
  for (const std::string& name : extra) text += "EXTRA   " + name + ": want has none of this name\n";
  return text;
}

compare::Policy policy_of(const py::handle& policy) {
  if (py::isinstance<compare::Policy>(policy)) return policy.cast<compare::Policy>();
  if (!py::isinstance<py::str>(policy)) {
    throw py::type_error("policy: " + std::string(py::repr(policy)) + "; a name of policies() or a Policy");
  }
  return compare::find_policy(compare::default_policies(), policy.cast<std::string>(), "policy");
}

namespace {

using compare::Comparison;
using compare::Policy;

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

// What compare() takes besides the arrays.
struct CompareRequest {
  Policy policy{};
  bool convert = false;
  std::string rounding{};
  bool expects_zero = false;
  int threads = 0;
};

compare::Options options_of(const CompareRequest& r) {
  compare::Options options;
  options.policy = r.policy;
  options.convert = r.convert;
  options.rounding = parse_rounding(r.rounding);
  if (options.rounding == Rounding::stochastic)
    throw ContractError("rounding: want is rounded the same way every time, not stochastically");
  options.expects_zero = r.expects_zero;
  if (r.threads < 0) throw ContractError("threads: " + std::to_string(r.threads) + ", not 0 or more");
  options.threads = r.threads;
  return options;
}

std::vector<double> bound_of(const py::object& array, const Operand& got) {
  if (array.is_none()) return {};
  Operand bounds = operand(array, "bound");
  if (bounds.shape != got.shape) {
    throw ContractError("bound of shape " + io::to_string(bounds.io_shape()) + ", not " +
                        io::to_string(got.io_shape()) + ", that of got");
  }
  return values_of(bounds);
}

// Integers with integers, floating-point numbers with their kind.
Verdict judge_arrays(const py::object& got_array, const py::object& want_array, const CompareRequest& request,
                     const py::object& bound_array, const py::object& stale_array, const std::string& name) {
  Operand got = any_operand(got_array, "got"), want = any_operand(want_array, "want");
  const bool are_integers = !got.element.is_floating() && !want.element.is_floating();
  if (!are_integers) {
    require_floating(got);
    require_floating(want);
  }
  compare::Options options = options_of(request);
  const std::vector<double> bound = bound_of(bound_array, got);
  Operand stale;
  if (!stale_array.is_none())
    stale = are_integers ? any_operand(stale_array, "stale") : operand(stale_array, "stale");
  Verdict verdict;
  verdict.name = name.empty() ? default_name(got, want) : name;
  Comparison comparison;
  if (are_integers) {
    const compare::Integers integers = integers_of(got);
    compare::ExpectedIntegers expected{.values = integers_of(want), .bound = bound};
    if (!stale_array.is_none()) expected.stale = integers_of(stale);
    const py::gil_scoped_release unlocked;
    comparison = compare::judge(integers, expected, options);
  } else {
    const compare::Codes codes = codes_of(got);
    const compare::Expected expected{.codes = codes_of(want), .bound = bound};
    if (!stale_array.is_none()) options.stale = codes_of(stale);
    const py::gil_scoped_release unlocked;
    comparison = compare::judge(codes, expected, options);
  }
  verdict.comparison = std::make_shared<const Comparison>(std::move(comparison));
  return verdict;
}

std::string json_of(const Verdicts& verdicts) {
  std::vector<std::pair<std::string, const compare::Comparison*>> arrays;
  for (const auto& [name, verdict] : verdicts.pairs) arrays.emplace_back(name, verdict.comparison.get());
  return json_comparisons(verdicts.status(), arrays, verdicts.missing, verdicts.extra);
}

const Verdict& verdict_at(const Verdicts& verdicts, const std::string& name) {
  for (const auto& [known, verdict] : verdicts.pairs) {
    if (known == name) return verdict;
  }
  throw py::key_error(name);
}

// What stands under `name` in `arrays`, a dict or None.
py::object member_of(const py::object& arrays, const py::str& name, const char* parameter) {
  if (arrays.is_none()) return py::none();
  if (!py::isinstance<py::dict>(arrays))
    throw py::type_error(std::string(parameter) + ": a dict is asked for, as got and want are dicts");
  return arrays.attr("get")(name);
}

Verdicts judge_dicts(const py::dict& got, const py::dict& want, const CompareRequest& request,
                     const py::object& bound, const py::object& stale, const std::string& name) {
  Verdicts verdicts;
  for (const auto& [key, array] : want) {
    const py::str label(key);
    if (!got.contains(key)) {
      verdicts.missing.push_back(label);
      continue;
    }
    const std::string case_name = (name.empty() ? "compare/arrays" : name) + " array=" + std::string(label);
    verdicts.pairs.emplace_back(
        label, judge_arrays(got[key], py::reinterpret_borrow<py::object>(array), request,
                            member_of(bound, label, "bound"), member_of(stale, label, "stale"), case_name));
  }
  for (const auto& [key, array] : got) {
    if (!want.contains(key)) verdicts.extra.push_back(py::str(key));
  }
  return verdicts;
}

py::object judge_any(const py::object& got, const py::object& want, const py::object& policy,
                     const py::object& bound, bool convert, const std::string& rounding, bool expects_zero,
                     const py::object& stale, const std::string& name, int threads) {
  const CompareRequest request{policy_of(policy), convert, rounding, expects_zero, threads};
  const bool is_dict = py::isinstance<py::dict>(got);
  if (is_dict != py::isinstance<py::dict>(want))
    throw py::type_error("compare: a dict of arrays is compared with another, not with one array");
  if (is_dict) return py::cast(judge_dicts(got, want, request, bound, stale, name));
  return py::cast(judge_arrays(got, want, request, bound, stale, name));
}

// A member of the comparison, as a property.
template <class T>
auto member(T Comparison::*field) {
  return [field](const Verdict& v) { return (*v.comparison).*field; };
}

py::object python_integer(compare::Int128 x) { return py::int_(py::str(compare::integer_text(x))); }

py::dict would_pass(const Verdict& v) {
  const compare::WouldPass& w = v.comparison->would_pass;
  const auto finite = [](double x) { return std::isfinite(x) ? py::object(py::float_(x)) : py::none(); };
  py::dict found;
  found["atol"] = finite(w.atol);
  found["rtol"] = finite(w.rtol);
  const bool has_ulps = std::isfinite(w.ulps) && !v.comparison->integers;
  found["ulps"] = has_ulps ? py::object(py::int_(static_cast<std::uint64_t>(w.ulps))) : py::none();
  found["policy"] = w.policy.empty() ? py::object(py::none()) : py::object(py::str(w.policy));
  return found;
}

// None of integers, which have no format.
template <FormatSpec Comparison::*field>
std::optional<FormatSpec> format_of_verdict(const Verdict& v) {
  return v.comparison->integers ? std::nullopt : std::optional((*v.comparison).*field);
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
  if (const auto& figures = v.comparison->integers) {
    const compare::Int128 got = compare::integer_value(e.got, figures->got_type),
                          want = compare::integer_value(e.want, figures->want_type);
    found["got"] = python_integer(got);
    found["want"] = python_integer(want);
    found["difference"] = python_integer(got - want);
  } else {
    found["got"] = e.got_value;
    found["want"] = e.want_value;
    found["difference"] = e.got_value - e.want_value;
  }
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
        "A policy: |got - want| <= atol + rtol |want|, or at most ulps steps between codes; because is the "
        "reason.");

  py::class_<Verdict>(m, "Verdict", "The result of a comparison or a check. True if it PASSED.")
      .def_readonly("name", &Verdict::name)
      .def_readonly("evidence", &Verdict::evidence,
                    "For check(): the evidence behind the verdict; else empty.")
      .def_readonly("notes", &Verdict::notes, "For check(): notes, as in the text.")
      .def_property_readonly("status", &Verdict::status,
                             "PASSED, FAILED, or VACUOUS: agreement that proves nothing.")
      .def("__bool__", [](const Verdict& v) { return v.comparison->verdict == compare::Verdict::agree; })
      .def_property_readonly("reason", member(&Comparison::reason))
      .def_property_readonly("policy", member(&Comparison::policy))
      .def_property_readonly("shape",
                             [](const Verdict& v) { return py::tuple(py::cast(v.comparison->shape)); })
      .def_property_readonly("format", &format_of_verdict<&Comparison::format>,
                             "The format of got and of the compared codes; None for integers.")
      .def_property_readonly("want_format", &format_of_verdict<&Comparison::want_format>)
      .def_property_readonly(
          "would_pass", &would_pass,
          "The atol, rtol and ulps that would pass, each alone, rounded up; None if none would. "
          "`policy`: the one that would, if only bits of NaNs or signs of zeros differ.")
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
          "Where the values outside lie; empty if there are none.")
      .def_property_readonly("weaknesses", member(&Comparison::weaknesses))
      .def("text", &Verdict::text,
           "The lines that `assay compare` or `assay check` prints, without its repro line.")
      .def(
          "statistics", [](const Verdict& v) { return joined(statistics_lines(*v.comparison)); },
          "Distances, percentiles, NMSE and cosine, which do not enter the verdict.")
      .def(
          "json", [](const Verdict& v) { return json_comparison(*v.comparison); },
          "The comparison, as one JSON object.")
      .def("__str__", &Verdict::text)
      .def("__repr__", [](const Verdict& v) { return "<Verdict " + v.status() + " " + v.name + ">"; });

  py::class_<Verdicts>(m, "Verdicts",
                       "The results for dicts of arrays, paired by name, or of a check. True if it PASSED.")
      .def_property_readonly("status", &Verdicts::status,
                             "PASSED if an array agrees and none fails, is missing or is extra.")
      .def("__bool__", [](const Verdicts& v) { return v.status() == "PASSED"; })
      .def_readonly("missing", &Verdicts::missing, "Names in want that got lacks.")
      .def_readonly("extra", &Verdicts::extra, "Names in got that want lacks.")
      .def("__getitem__", &verdict_at)
      .def("__len__", [](const Verdicts& v) { return v.pairs.size(); })
      .def("__iter__",
           [](const Verdicts& v) {
             std::vector<std::string> names;
             for (const auto& [name, verdict] : v.pairs) names.push_back(name);
             return py::iter(py::cast(names));
           })
      .def("text", &Verdicts::text, "The lines of every pair, then the missing and the extra names.")
      .def("json", &json_of,
           "One JSON object: status, arrays by name (each as Verdict.json()), missing, extra.")
      .def("__str__", &Verdicts::text)
      .def("__repr__", [](const Verdicts& v) {
        return "<Verdicts " + v.status() + " of " + std::to_string(v.pairs.size()) + ">";
      });

  m.def(
      "compare", &judge_any, py::arg("got"), py::arg("want"), py::arg("policy") = "bit-equal", py::kw_only(),
      py::arg("bound") = py::none(), py::arg("convert") = false, py::arg("rounding") = "nearest-even",
      py::arg("expects_zero") = false, py::arg("stale") = py::none(), py::arg("name") = "",
      py::arg("threads") = 0,
      "Compares an output with the expected values.\n\n"
      "got, want     arrays of one shape: both floating-point, or both integers or bool, which are compared "
      "as\n"
      "              integers; or dicts of arrays, paired by name\n"
      "policy        a name of policies(), or a Policy: what counts as agreement\n"
      "bound         with a policy of kind bound: the bound of each value\n"
      "convert       let formats differ: want is rounded once into got's format\n"
      "rounding      of want into got's format\n"
      "expects_zero  accept that want is all zero instead of calling it VACUOUS\n"
      "stale         earlier content of got's memory: would it pass as well?\n"
      "name          shown in the text\n"
      "threads       0: as OpenMP decides; changes no figure\n\n"
      "Returns a Verdict; of dicts, Verdicts. ContractError for shapes or formats that do not go together.");
}

}  // namespace assay::python
