// Arrays of Python as views of codes, and codes as arrays of Python. NumPy is spoken to through its Python interface
// alone (__array_interface__, numpy.empty), so that one binary serves NumPy 1 and 2 and every dtype of ml_dtypes.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "validation/compare/codes.hpp"
#include "validation/compare/integers.hpp"
#include "validation/io/array.hpp"

namespace assay::python {

namespace py = pybind11;

// An array of Python as it lies in memory. Whoever made it keeps it: `owner` holds the reference.
struct Operand {
  py::object owner{};
  io::ElementType element = formats::float32;
  const void* data = nullptr;
  std::vector<std::size_t> shape{};
  std::vector<std::ptrdiff_t> byte_strides{};
  std::string name{};  // of the parameter, for messages

  std::size_t size() const;
  bool is_packed() const;  // row-major without gaps, aligned to its elements
  io::Shape io_shape() const;
};

// What `x` holds, without a copy: Codes, NumPy and ml_dtypes arrays, whatever has __array_interface__ or __dlpack__ on
// the CPU, and what numpy.asarray() makes of anything else. Only arrays in the other byte order are copied. `name` is
// the parameter that it was given for. TypeError for elements that are neither floating-point nor integers nor bool;
// InputError for codes with bits above their format's.
Operand any_operand(const py::handle& x, std::string_view name);
// The same, where only floating-point elements will do: TypeError for others.
Operand operand(const py::handle& x, std::string_view name);
void require_floating(const Operand& x);

// The same elements row-major without gaps: `x` itself where it lies so, else a copy.
Operand packed(Operand x);

// Views. The operand outlives them; a layout that strides in elements cannot describe is copied first, into `x`.
CodeMatrix matrix_of(Operand& x);  // ContractError unless it has two dimensions
compare::Codes codes_of(Operand& x);
compare::Integers integers_of(Operand& x);  // of integers or bool
std::vector<double> values_of(Operand& x);  // exact; ContractError where float64 does not hold them
io::Array array_of(const Operand& x);       // a copy, as files take it

// An array of numbers in a format that NumPy has no dtype for, or of codes that came as integers: tf32, custom formats.
struct Codes {
  py::object array{};  // unsigned integers
  FormatSpec format = formats::float32;
};

// An array to be filled in, row-major.
struct Output {
  py::object array{};  // of unsigned integers, of codes
  void* data = nullptr;
  FormatSpec format = formats::float32;

  py::object finished() const;  // as the dtype of NumPy or ml_dtypes if there is one, else Codes
};
Output make_output(const FormatSpec& format, const std::vector<std::size_t>& shape);
// A new array of these codes; as many as the shape has elements.
py::object array_of_codes(const std::vector<std::uint64_t>& codes, const FormatSpec& format,
                          const std::vector<std::size_t>& shape);

// Arrays around memory of ours, which lives as long as they do; no copy.
py::object numpy_view(std::shared_ptr<const void> owner, const void* data, const io::ElementType& element,
                      const io::Shape& shape);
py::object to_python(io::Array&& array);

// "bf16", numpy.float32, ml_dtypes.bfloat16, a Format.
FormatSpec format_of(const py::handle& x);
// What format_of() takes for it: "bfloat16", "custom:12,6,-14,ieee".
std::string format_name(const FormatSpec& f);

void bind_array(py::module_& m);

}  // namespace assay::python
