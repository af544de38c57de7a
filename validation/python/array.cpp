#include "validation/python/array.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "validation/python/dlpack.hpp"

namespace assay::python {
namespace {

py::module_ numpy() { return py::module_::import("numpy"); }

std::string unsigned_dtype(std::size_t bytes) { return "uint" + std::to_string(8 * bytes); }

// The dtype that holds codes of a format as numbers; None if neither NumPy nor ml_dtypes has it.
py::object dtype_of(const FormatSpec& f) {
  const auto named = [&](const FormatSpec* known) { return *known == f; };
  if (std::none_of(formats::all.begin(), formats::all.end(), named)) return py::none();
  const std::string name(f.dtype);
  if (f == formats::float64 || f == formats::float32 || f == formats::float16)
    return numpy().attr("dtype")(name);
  const py::module_ ml_dtypes = py::module_::import("ml_dtypes");
  return py::hasattr(ml_dtypes, name.c_str()) ? numpy().attr("dtype")(ml_dtypes.attr(name.c_str()))
                                              : py::none();
}

struct Interface {
  void* data = nullptr;
  std::vector<std::size_t> shape{};
  py::object strides{};  // of bytes; None: row-major
};

Interface interface_of(const py::handle& array) {
  const py::dict fields = array.attr("__array_interface__");
  const auto address = py::tuple(fields["data"])[0].cast<std::uintptr_t>();
  Interface out;
  out.data = reinterpret_cast<void*>(address);
  out.shape = fields["shape"].cast<std::vector<std::size_t>>();
  out.strides = fields.contains("strides") ? py::object(fields["strides"]) : py::none();
  return out;
}

std::vector<std::ptrdiff_t> row_major_strides(const std::vector<std::size_t>& shape, std::size_t bytes) {
  std::vector<std::ptrdiff_t> strides(shape.size());
  auto stride = static_cast<std::ptrdiff_t>(bytes);
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<std::ptrdiff_t>(shape[i]);
  }
  return strides;
}

io::ElementType element_of(const py::handle& dtype, std::string_view name) {
  const std::string dtype_name = py::str(dtype.attr("name"));
  try {
    return io::parse_element_type(dtype_name);
  } catch (const InputError&) {
    throw py::type_error(std::string(name) + ": an array of " + dtype_name +
                         "; floating-point numbers, integers and bool are read, and codes of a format by "
                         "assay.codes(x, format)");
  }
}

Operand from_numpy(const py::handle& x, std::string_view name) {
  py::object array = numpy().attr("asarray")(x);
  const io::ElementType element = element_of(array.attr("dtype"), name);
  if (!array.attr("dtype").attr("isnative").cast<bool>())
    array = array.attr("astype")(array.attr("dtype").attr("newbyteorder")("="));
  const Interface at = interface_of(array);
  Operand out;
  out.element = element;
  out.data = at.data;
  out.shape = at.shape;
  out.byte_strides = at.strides.is_none() ? row_major_strides(at.shape, element.bytes())
                                          : at.strides.cast<std::vector<std::ptrdiff_t>>();
  out.owner = std::move(array);
  out.name = name;
  return out;
}

// Calls f(pointer to element) in row-major order.
template <class F>
void each_element(const Operand& x, std::size_t dimension, const unsigned char* at, const F& f) {
  if (dimension == x.shape.size()) return f(at);
  for (std::size_t i = 0; i < x.shape[dimension]; ++i) {
    each_element(x, dimension + 1, at, f);
    at += x.byte_strides[dimension];
  }
}
template <class F>
void each_element(const Operand& x, const F& f) {
  if (x.size() != 0) each_element(x, 0, static_cast<const unsigned char*>(x.data), f);
}

// Codes of formats that do not fill their storage may have bits above, which no operation expects.
void check_codes(const Operand& x) {
  if (!x.element.is_floating()) return;
  const FormatSpec& f = x.element.format();
  const std::size_t bytes = x.element.bytes();
  if (static_cast<std::size_t>(f.bits) == 8 * bytes) return;
  std::size_t index = 0;
  each_element(x, [&](const unsigned char* at) {
    const std::uint64_t code = detail::load_code(at, 0, bytes);
    if (code >> f.bits != 0) {
      throw InputError(x.name, "element " + std::to_string(index),
                       "a code of " + std::string(f.dtype) + ", " + std::to_string(f.bits) + " bits",
                       std::to_string(code));
    }
    ++index;
  });
}

bool strides_in_elements(const Operand& x) {
  const std::size_t bytes = x.element.bytes();
  if (reinterpret_cast<std::uintptr_t>(x.data) % bytes != 0) return false;
  return std::all_of(x.byte_strides.begin(), x.byte_strides.end(),
                     [&](std::ptrdiff_t s) { return s % static_cast<std::ptrdiff_t>(bytes) == 0; });
}

// Memory of ours behind arrays of NumPy.
struct Memory {
  std::shared_ptr<const void> owner{};
  void* data = nullptr;
  std::size_t bytes = 0;
};

}  // namespace

std::size_t Operand::size() const {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  return n;
}

bool Operand::is_packed() const {
  if (size() == 0) return true;
  if (reinterpret_cast<std::uintptr_t>(data) % element.bytes() != 0) return false;
  const std::vector<std::ptrdiff_t> wanted = row_major_strides(shape, element.bytes());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && byte_strides[i] != wanted[i]) return false;
  }
  return true;
}

io::Shape Operand::io_shape() const { return io::Shape(shape.begin(), shape.end()); }

Operand any_operand(const py::handle& x, std::string_view name) {
  Operand out;
  if (py::hasattr(x, "mask") && py::hasattr(x, "filled"))
    throw py::type_error(std::string(name) +
                         ": a masked array, whose mask would be passed over; x.filled(...) or x.data");
  if (py::isinstance<Codes>(x)) {
    const auto& codes = x.cast<const Codes&>();
    out = from_numpy(codes.array, name);
    out.element = codes.format;
  } else if (!py::hasattr(x, "__array_interface__") && has_dlpack(x)) {
    out = from_dlpack(x, name);
  } else {
    out = from_numpy(x, name);
  }
  check_codes(out);
  return out;
}

void require_floating(const Operand& x) {
  if (!x.element.is_floating()) {
    throw py::type_error(x.name + ": an array of " + x.element.name() +
                         "; floating-point numbers are asked for (x.astype(...)), or codes of a format "
                         "(assay.codes(x, format))");
  }
}

Operand operand(const py::handle& x, std::string_view name) {
  Operand out = any_operand(x, name);
  require_floating(out);
  return out;
}

Operand packed(Operand x) {
  if (x.is_packed()) return x;
  const std::size_t bytes = x.element.bytes();
  auto copy = std::make_unique<std::vector<std::byte>>(x.size() * bytes);
  std::byte* at = copy->data();
  each_element(x, [&](const unsigned char* element) {
    std::memcpy(at, element, bytes);
    at += bytes;
  });
  Operand out = std::move(x);
  out.data = copy->data();
  out.byte_strides = row_major_strides(out.shape, bytes);
  out.owner = py::capsule(copy.release(),
                          [](void* pointer) { delete static_cast<std::vector<std::byte>*>(pointer); });
  return out;
}

CodeMatrix matrix_of(Operand& x) {
  if (x.shape.size() != 2)
    throw ContractError(x.name + " of shape " + io::to_string(x.io_shape()) + " is no matrix");
  if (!strides_in_elements(x)) x = packed(std::move(x));
  const auto bytes = static_cast<std::ptrdiff_t>(x.element.bytes());
  return {x.data,
          x.shape[0],
          x.shape[1],
          x.byte_strides[0] / bytes,
          x.byte_strides[1] / bytes,
          x.element.format()};
}

compare::Codes codes_of(Operand& x) {
  x = packed(std::move(x));
  return {x.data, x.element.format(), x.shape};
}

compare::Integers integers_of(Operand& x) {
  x = packed(std::move(x));
  using Kind = io::ElementType::Kind;
  return {x.data,
          {.bits = x.element.bits(),
           .is_signed = x.element.kind() == Kind::signed_integer,
           .is_boolean = x.element.kind() == Kind::boolean},
          x.shape};
}

std::vector<double> values_of(Operand& x) {
  x = packed(std::move(x));
  std::vector<double> values(x.size());
  compare::Decoder(x.element.format()).decode(x.data, values.data(), values.size());
  return values;
}

io::Array array_of(const Operand& x) {
  const Operand from = packed(x);
  io::Array out;
  out.element = from.element;
  out.shape = from.io_shape();
  const auto* const begin = static_cast<const std::byte*>(from.data);
  if (from.size() != 0) out.bytes.assign(begin, begin + from.size() * from.element.bytes());
  out.origin = from.name;
  return out;
}

py::object Output::finished() const {
  const py::object dtype = dtype_of(format);
  if (!dtype.is_none()) return array.attr("view")(dtype);
  return py::cast(Codes{array, format});
}

Output make_output(const FormatSpec& format, const std::vector<std::size_t>& shape) {
  Output out;
  out.array = numpy().attr("empty")(py::tuple(py::cast(shape)), unsigned_dtype(code_bytes(format)));
  out.data = interface_of(out.array).data;
  out.format = format;
  return out;
}

py::object numpy_view(std::shared_ptr<const void> owner, const void* data, const io::ElementType& element,
                      const io::Shape& shape) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  const bool codes = element.is_floating();
  const std::string dtype = codes ? unsigned_dtype(element.bytes()) : element.name();
  const py::tuple wanted = py::tuple(py::cast(shape));
  py::object array;
  if (n == 0) {
    array = numpy().attr("empty")(wanted, dtype);
  } else {
    // Nobody else has the memory: what is handed out may be written to.
    const py::object memory =
        py::cast(Memory{std::move(owner), const_cast<void*>(data), n * element.bytes()});
    array = numpy().attr("frombuffer")(memory, dtype).attr("reshape")(wanted);
  }
  return codes ? Output{array, nullptr, element.format()}.finished() : array;
}

py::object to_python(io::Array&& array) {
  const auto owner = std::make_shared<io::Array>(std::move(array));
  return numpy_view(owner, owner->bytes.data(), owner->element, owner->shape);
}

FormatSpec format_of(const py::handle& x) {
  if (py::isinstance<FormatSpec>(x)) return x.cast<FormatSpec>();
  if (py::isinstance<py::str>(x)) return parse_format(x.cast<std::string>());
  return parse_format(py::str(numpy().attr("dtype")(x).attr("name")).cast<std::string>());
}

void bind_array(py::module_& m) {
  py::class_<Memory>(m, "_Memory", py::buffer_protocol()).def_buffer([](Memory& memory) {
    return py::buffer_info(static_cast<unsigned char*>(memory.data), static_cast<py::ssize_t>(memory.bytes));
  });

  py::class_<Codes>(
      m, "Codes",
      "Numbers in a format that NumPy has no dtype for (tf32, custom formats), or codes that came as\n"
      "integers. Every function that takes an array takes it; it owns no more than a reference.")
      .def_property_readonly(
          "codes", [](const Codes& c) { return c.array; },
          "The codes: unsigned integers, each in the low bits.")
      .def_property_readonly("format", [](const Codes& c) { return c.format; })
      .def_property_readonly("shape", [](const Codes& c) { return c.array.attr("shape"); })
      .def(
          "values",
          [](const Codes& c) {
            Operand x = operand(py::cast(c), "values()");
            const auto values = std::make_shared<std::vector<double>>(values_of(x));
            return numpy_view(values, values->data(), formats::float64, x.io_shape());
          },
          "The numbers as float64, exact.")
      .def("__len__", [](const Codes& c) { return py::len(c.array); })
      .def("__getitem__",
           [](const Codes& c, const py::object& index) {
             return Codes{numpy().attr("asarray")(c.array[index]), c.format};
           })
      .def("__repr__", [](const Codes& c) {
        return "Codes(" + std::string(py::repr(c.array)) + ", '" + std::string(c.format.dtype) + "')";
      });

  m.def(
      "codes",
      [](const py::object& x, const py::object& format) {
        Operand given = any_operand(x, "codes");
        const FormatSpec f = format_of(format);
        const std::size_t bytes = code_bytes(f);
        const bool integers = given.element.kind() == io::ElementType::Kind::unsigned_integer ||
                              given.element.kind() == io::ElementType::Kind::signed_integer;
        if (!integers || given.element.bytes() != bytes) {
          throw py::type_error("codes: an array of " + given.element.name() + "; codes of " +
                               std::string(f.dtype) + " are " + unsigned_dtype(bytes));
        }
        // An array made by another library than NumPy is seen through NumPy from here on.
        const bool foreign = !py::hasattr(x, "__array_interface__") && has_dlpack(x);
        const py::object array = numpy().attr(foreign ? "from_dlpack" : "asarray")(x);
        const Codes out{array.attr("view")(unsigned_dtype(bytes)), f};
        any_operand(py::cast(out), "codes");  // bits above the format's
        return out;
      },
      py::arg("x"), py::arg("format"),
      "An array of unsigned integers, read as codes of a format; no copy.\n\n"
      "x       integers of 8, 16, 32 or 64 bits: the smallest that holds the format's\n"
      "format  'bf16', 'tf32', 'custom:12,6,-14,ieee', a dtype of ml_dtypes, a Format");
}

py::object array_of_codes(const std::vector<std::uint64_t>& codes, const FormatSpec& format,
                          const std::vector<std::size_t>& shape) {
  const Output out = make_output(format, shape);
  const MutableCodeVector elements{out.data, codes.size(), 1, format};
  for (std::size_t i = 0; i < codes.size(); ++i) elements.set(i, codes[i]);
  return out.finished();
}

}  // namespace assay::python
