// Number formats, and arrays rounded into them.
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"

namespace assay::python {
namespace {

Overflow parse_overflow(const std::string& name) {
  if (name == "ieee") return Overflow::ieee;
  if (name == "saturate") return Overflow::saturate;
  throw unknown_name("overflow", "what happens above the largest number", name, {"ieee", "saturate"});
}

py::object round(const py::object& x, const py::object& format, const std::string& mode,
                 const std::string& policy, const std::string& overflow, int bits, std::uint64_t seed,
                 int threads) {
  const Operand src = packed(operand(x, "x"));
  Conversion c;
  c.from = src.element.format();
  c.to = format_of(format);
  c.rounding = parse_rounding(mode);
  c.policy = parse_policy(policy).name;
  c.overflow = parse_overflow(overflow);
  c.random_bits = bits;
  c.seed = seed;
  if (threads < 0) throw ContractError("threads: " + std::to_string(threads) + ", not 0 or more");
  const Output out = make_output(c.to, src.shape);
  {
    const py::gil_scoped_release unlocked;
    convert_array(src.data, out.data, src.size(), c, threads);
  }
  return out.finished();
}

}  // namespace

std::string format_name(const FormatSpec& f) {
  return f.dtype == "custom" ? "custom:" + std::to_string(f.bits) + "," + std::to_string(f.precision) + "," +
                                   std::to_string(f.emin) + "," + std::string(specials_name(f.specials))
                             : std::string(f.dtype);
}

void bind_formats(py::module_& m) {
  py::class_<FormatSpec>(m, "Format", "A binary floating-point format.")
      .def(py::init([](const py::object& name) { return format_of(name); }), py::arg("name"),
           "From a name, a short name, 'custom:bits,p,emin,specials', or a dtype of NumPy or ml_dtypes.")
      .def_property_readonly("name", [](const FormatSpec& f) { return std::string(f.dtype); })
      .def_property_readonly("short_name", [](const FormatSpec& f) { return std::string(f.short_name); })
      .def_readonly("bits", &FormatSpec::bits, "Width of a code, including the sign.")
      .def_readonly("precision", &FormatSpec::precision, "Bits of the significand, including the hidden one.")
      .def_readonly("emin", &FormatSpec::emin, "Exponent of the smallest normal number.")
      .def_property_readonly("emax", &FormatSpec::emax)
      .def_property_readonly("specials",
                             [](const FormatSpec& f) { return std::string(specials_name(f.specials)); })
      .def_property_readonly("largest", [](const FormatSpec& f) { return decode(f.max_finite_code(), f); })
      .def_property_readonly(
          "smallest", [](const FormatSpec& f) { return decode(1, f); }, "The smallest positive number.")
      .def("__eq__",
           [](const FormatSpec& f, const py::object& other) {
             return py::isinstance<FormatSpec>(other) && f == other.cast<FormatSpec>();
           })
      .def("__hash__", [](const FormatSpec& f) { return py::hash(py::str(format_name(f))); })
      .def("__str__", &format_name)
      .def("__repr__", [](const FormatSpec& f) { return "Format('" + format_name(f) + "')"; });

  m.def(
      "formats",
      [] {
        std::vector<FormatSpec> all;
        for (const FormatSpec* f : formats::all) all.push_back(*f);
        return all;
      },
      "Every number format that has a name.");
  m.def(
      "roundings",
      [] {
        std::vector<std::string> names;
        for (const Rounding mode : all_roundings) names.emplace_back(rounding_name(mode));
        return names;
      },
      "Names of the rounding modes.");
  m.def(
      "conversions",
      [] {
        std::vector<std::string> names;
        for (const ConversionPolicy& policy : all_policies()) names.emplace_back(policy.name);
        return names;
      },
      "Names of the conversion policies: how machines and libraries convert float32.");
  m.def(
      "round", &round, py::arg("x"), py::arg("format"), py::arg("mode") = "nearest-even", py::kw_only(),
      py::arg("policy") = "format", py::arg("overflow") = "ieee", py::arg("bits") = 0, py::arg("seed") = 0,
      py::arg("threads") = 0,
      "Rounds every number of an array once into a format.\n\n"
      "x         numbers in any format; a list or a float is read as float64\n"
      "format    'bf16', 'custom:12,6,-14,ieee', a dtype of ml_dtypes, a Format\n"
      "mode      a name of roundings(), or its alias: 'nearest-even' or 'RNE'\n"
      "policy    a name of conversions(); all but 'format' convert float32 only\n"
      "overflow  'ieee' or 'saturate'\n"
      "bits      number of random bits of stochastic rounding, 1 to 32; 0: 16 for bfloat16, else 32\n"
      "seed      of stochastic rounding; element i, row-major, uses the random bits of (seed, i)\n"
      "threads   0: OpenMP's choice\n\n"
      "Returns an array in the dtype of NumPy or ml_dtypes, or Codes for a format without one (tf32, custom\n"
      "formats). A NaN becomes +0 in a format without NaN. ContractError if the policy lacks this\n"
      "conversion.");
}

}  // namespace assay::python
