// Dot products and matrix products under any arithmetic or machine's unit, by name.
#include "emulation/units/unit.hpp"

#include <pybind11/stl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/arithmetic.hpp"
#include "reference/operations/dot_rows.hpp"
#include "validation/io/scales.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::python {
namespace {

FormatSpec output_of(const Arithmetic& arithmetic, const py::object& output) {
  return output.is_none() ? arithmetic.info().outputs.front() : format_of(output);
}

// One dot product a row; a vector is one row.
CodeMatrix rows_of(Operand& x) {
  if (x.shape.size() == 1) {
    x.shape.insert(x.shape.begin(), 1);
    x.byte_strides.insert(x.byte_strides.begin(), 0);
  }
  return matrix_of(x);
}

void require_accumulator(const Arithmetic& arithmetic, const FormatSpec& c) {
  const ArithmeticInfo& info = arithmetic.info();
  if (c == info.accumulator) return;
  throw ContractError(info.name + " takes c as " + std::string(info.accumulator.short_name) + ", not " +
                      std::string(c.short_name));
}

// What comes with the codes of an operand.
struct Extras {
  py::object scales = py::none();
  double tensor_scale = 1;

  // None where there are no scales. Blocks lie along these lines of the operand.
  std::optional<io::Scales> read(const char* name, const Arithmetic& arithmetic, const Operand& x,
                                 Lines along) const {
    if (scales.is_none()) {
      if (tensor_scale != 1)
        throw ContractError(std::string(name) + " is None: the scale of a tensor needs those of its blocks");
      return std::nullopt;
    }
    const std::optional<ScaleUse>& use = arithmetic.info().block_scales;
    if (!use) throw ContractError(arithmetic.info().name + " reads no scales of blocks");
    py::object codes = scales;
    // ml_dtypes' e8m0 is no format with a sign: its codes are what is read.
    if (use->format == ScaleFormat::e8m0 && py::hasattr(codes, "dtype") &&
        py::str(codes.attr("dtype")).cast<std::string>() == "float8_e8m0fnu")
      codes = codes.attr("view")("uint8");
    return io::Scales(array_of(any_operand(codes, name)), *use, x.io_shape(), along,
                      static_cast<float>(tensor_scale));
  }
};

void attach(CodeMatrix& x, const std::optional<io::Scales>& scales) {
  if (scales) x.scales = scales->view();
}

py::object dot(const py::object& a_array, const py::object& b_array, const py::object& unit,
               const py::object& c_array, const py::object& output, const Extras& a_extras,
               const Extras& b_extras, int threads) {
  const std::shared_ptr<const Arithmetic> held = arithmetic_of(unit);
  const Arithmetic& arithmetic = *held;
  const FormatSpec format = output_of(arithmetic, output);
  Operand a_operand = operand(a_array, "a"), b_operand = operand(b_array, "b");
  if (a_operand.shape != b_operand.shape) {
    throw ContractError("a of shape " + io::to_string(a_operand.io_shape()) + " and b of " +
                        io::to_string(b_operand.io_shape()) + ": one dot product a row");
  }
  const std::optional<io::Scales> a_scales = a_extras.read("a_scales", arithmetic, a_operand, Lines::rows),
                                  b_scales = b_extras.read("b_scales", arithmetic, b_operand, Lines::rows);
  const bool vectors = a_operand.shape.size() == 1;
  CodeMatrix a = rows_of(a_operand), b = rows_of(b_operand);
  attach(a, a_scales);
  attach(b, b_scales);
  const std::vector<std::size_t> shape = vectors ? std::vector<std::size_t>{} : std::vector{a.rows};
  std::optional<Operand> c_operand;
  std::optional<CodeVector> c;
  if (!c_array.is_none()) {
    c_operand = operand(c_array, "c");
    require_accumulator(arithmetic, c_operand->element.format());
    if (c_operand->shape != shape) {
      throw ContractError("c of shape " + io::to_string(c_operand->io_shape()) + ", not " +
                          io::to_string(io::Shape(shape.begin(), shape.end())) + ": one value a row");
    }
    const compare::Codes codes = codes_of(*c_operand);
    c = CodeVector{codes.data, a.rows, 1, codes.format};
  }
  const Output out = make_output(format, shape);
  const MutableCodeVector d{out.data, a.rows, 1, format};
  {
    const py::gil_scoped_release unlocked;
    const ThreadScope team(threads);
    dot_rows(arithmetic, a, b, c, d);
  }
  return out.finished();
}

py::object gemm(const py::object& a_array, const py::object& b_array, const py::object& unit,
                const py::object& c_array, const py::object& output, const Extras& a_extras,
                const Extras& b_extras, int threads) {
  const std::shared_ptr<const Arithmetic> held = arithmetic_of(unit);
  const Arithmetic& arithmetic = *held;
  const FormatSpec format = output_of(arithmetic, output);
  Operand a_operand = operand(a_array, "a"), b_operand = operand(b_array, "b");
  CodeMatrix a = matrix_of(a_operand), b = matrix_of(b_operand);
  const std::optional<io::Scales> a_scales = a_extras.read("a_scales", arithmetic, a_operand, Lines::rows),
                                  b_scales = b_extras.read("b_scales", arithmetic, b_operand, Lines::columns);
  attach(a, a_scales);
  attach(b, b_scales);
  std::optional<Operand> c_operand;
  std::optional<CodeMatrix> c;
  if (!c_array.is_none()) {
    c_operand = operand(c_array, "c");
    c = matrix_of(*c_operand);
  }
  const Output out = make_output(format, {a.rows, b.cols});
  const MutableCodeMatrix d{out.data, a.rows, b.cols, static_cast<std::ptrdiff_t>(b.cols), 1, format};
  {
    const py::gil_scoped_release unlocked;
    const ThreadScope team(threads);
    arithmetic.gemm(a, b, c, d);
  }
  return out.finished();
}

std::vector<ArithmeticInfo> infos(bool units_alone) {
  std::vector<ArithmeticInfo> all;
  for (const Arithmetic* arithmetic : arithmetics().list()) {
    if (!units_alone || as_unit(*arithmetic) != nullptr) all.push_back(arithmetic->info());
  }
  return all;
}

constexpr const char* unit_operands_text =
    "unit     a name of arithmetics(): 'sm90.bf16', 'vdpbf16ps', 'chain_f32'; a file that Probe.save() "
    "wrote,\n"
    "         'name.json'; a Probe\n"
    "a_scales, b_scales\n"
    "         scales of the operands' blocks, for a unit that reads them (Arithmetic.block_scales): uint8 "
    "codes, "
    "ml_dtypes'\n"
    "         float8_e8m0fnu or float8_e4m3fn, or values, in the operand's shape with k counted in blocks; "
    "None: "
    "ones\n"
    "a_tensor_scale, b_tensor_scale\n"
    "         NVFP4's float32 scales of whole operands: the sum is multiplied by their product, each "
    "rounded; no c\n"
    "c        starting values of the sums, in the unit's accumulator format; None: +0\n"
    "output   a format that the unit gives; None: its first\n"
    "threads  0: OpenMP's choice\n\n"
    "a and b are not converted: round() converts to a format that the unit takes. ContractError for other "
    "formats and\nfor shapes that do not match; InputError for an unknown name and for scales of another "
    "shape or kind.\n"
    "Strided arrays are not copied.";

}  // namespace

void bind_units(py::module_& m) {
  using Info = ArithmeticInfo;
  py::class_<Info>(m, "Arithmetic",
                   "What is known about an arithmetic: a float chain, or the unit of a machine.")
      .def_readonly("name", &Info::name)
      .def_readonly("family", &Info::family)
      .def_readonly("summary", &Info::summary)
      .def_readonly("inputs", &Info::inputs, "Pairs of formats of a and b; empty: any two.")
      .def_readonly("accumulator", &Info::accumulator, "The format of c.")
      .def_readonly("outputs", &Info::outputs, "The first is the default.")
      .def_readonly("any_output", &Info::any_output, "It rounds into every other format too.")
      .def_readonly("step_terms", &Info::step_terms, "Products that enter one step.")
      .def_readonly("order", &Info::order)
      .def_readonly("products", &Info::products)
      .def_readonly("rounding", &Info::rounding)
      .def_readonly("stochastic", &Info::stochastic,
                    "It draws random bits, by an output's place in the result.")
      .def_property_readonly(
          "block_scales",
          [](const Info& info) -> py::object {
            if (!info.block_scales) return py::none();
            return py::make_tuple(std::string(scale_format_name(info.block_scales->format)),
                                  info.block_scales->block);
          },
          "('e8m0', 32): the scales that its operands may have, and how many elements share one; None: it "
          "reads none.")
      .def_readonly("fused", &Info::fused)
      .def_readonly("flush_inputs", &Info::flush_inputs)
      .def_readonly("flush_results", &Info::flush_results)
      .def_property_readonly("parameters",
                             [](const Info& info) {
                               py::dict parameters;
                               for (const auto& [key, value] : info.parameters)
                                 parameters[py::str(key)] = value;
                               return parameters;
                             })
      .def_readonly("nan", &Info::nan, "Which NaN comes out.")
      .def_readonly("source", &Info::source)
      .def_property_readonly(
          "evidence", [](const Info& info) { return std::string(evidence_name(info.evidence)); },
          "HW, REC, CC, SRC, UNV or DEF: the evidence for its claim.")
      .def_property_readonly("unverified", [](const Info& info) { return is_unverified(info.evidence); })
      .def("__repr__", [](const Info& info) {
        return "<" + info.name + (is_unverified(info.evidence) ? " (unverified)" : "") + ": " +
               (info.summary.empty() ? info.family : info.summary) + ">";
      });
  m.def(
      "arithmetics", [] { return infos(false); }, "Every arithmetic: float chains, then machines' units.");
  m.def(
      "units", [] { return infos(true); }, "Machines' units only.");
  m.def(
      "dot",
      [](const py::object& a, const py::object& b, const py::object& unit, const py::object& c,
         const py::object& output, const py::object& a_scales, const py::object& b_scales,
         double a_tensor_scale, double b_tensor_scale, int threads) {
        return dot(a, b, unit, c, output, {a_scales, a_tensor_scale}, {b_scales, b_tensor_scale}, threads);
      },
      py::arg("a"), py::arg("b"), py::arg("unit"), py::arg("c") = py::none(), py::kw_only(),
      py::arg("output") = py::none(), py::arg("a_scales") = py::none(), py::arg("b_scales") = py::none(),
      py::arg("a_tensor_scale") = 1.0, py::arg("b_tensor_scale") = 1.0, py::arg("threads") = 0,
      (std::string("Dot products as a unit computes them, bit for bit.\n\n"
                   "a, b     two vectors: one result; or two matrices of one shape: one result per row\n") +
       unit_operands_text)
          .c_str());
  m.def(
      "gemm",
      [](const py::object& a, const py::object& b, const py::object& unit, const py::object& c,
         const py::object& output, const py::object& a_scales, const py::object& b_scales,
         double a_tensor_scale, double b_tensor_scale, int threads) {
        return gemm(a, b, unit, c, output, {a_scales, a_tensor_scale}, {b_scales, b_tensor_scale}, threads);
      },
      py::arg("a"), py::arg("b"), py::arg("unit"), py::arg("c") = py::none(), py::kw_only(),
      py::arg("output") = py::none(), py::arg("a_scales") = py::none(), py::arg("b_scales") = py::none(),
      py::arg("a_tensor_scale") = 1.0, py::arg("b_tensor_scale") = 1.0, py::arg("threads") = 0,
      (std::string("The matrix product c + a b as a unit computes it, bit for bit.\n\n"
                   "a, b     m x k and k x n\n") +
       unit_operands_text)
          .c_str());
}

}  // namespace assay::python
