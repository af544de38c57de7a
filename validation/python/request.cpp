#include "validation/python/request.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "validation/judge/operands.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/sparse.hpp"
#include "validation/python/verdict.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::python {
namespace {

using judge::Request;

// --- values ----------------------------------------------------------------------------------------------------------

// A number as the judge reads it: text as it is, any other number by its exact value.
std::string number_text(const py::handle& x) {
  if (py::isinstance<py::str>(x)) return x.cast<std::string>();
  if (py::isinstance<py::int_>(x)) return py::str(x).cast<std::string>();
  const py::object number = py::float_(py::reinterpret_borrow<py::object>(x));
  const py::object decimal = py::module_::import("decimal").attr("Decimal");
  const py::str shortest = py::repr(number);
  return (decimal(shortest).equal(decimal(number)) ? shortest : py::str(number.attr("hex")()))
      .cast<std::string>();
}

io::Array dense(const py::handle& x, std::string_view name) {
  if (is_sparse(x)) throw py::type_error(std::string(name) + ": a sparse matrix; a dense array is asked for");
  return array_of(operand(x, name));
}

// ml_dtypes' e8m0 is no format with a sign: its codes are what is read.
io::Array scale_codes(const py::handle& x, std::string_view name) {
  py::object codes = py::reinterpret_borrow<py::object>(x);
  if (py::hasattr(codes, "dtype") && py::str(codes.attr("dtype")).cast<std::string>() == "float8_e8m0fnu")
    codes = codes.attr("view")("uint8");
  return array_of(any_operand(codes, name));
}

io::SparseArray sparse_operand(const py::handle& x, const std::string& name) {
  if (!is_sparse(x))
    throw py::type_error(name +
                         ": a Sparse or a matrix of scipy.sparse is asked for; see Sparse.from_scipy()");
  io::SparseArray array = sparse_of(x);
  array.origin = name;
  // The values of a mask do not count, so that one of integers or bool is as good.
  if (name == "mask" && !array.values.element.is_floating())
    array.values = io::make_array(formats::float32, array.values.shape);
  if (!array.values.element.is_floating()) {
    throw py::type_error(name + ": a sparse matrix of " + array.values.element.name() +
                         "; floating-point numbers are asked for (x.astype(...))");
  }
  return array;
}

// --- what is read by name --------------------------------------------------------------------------------------------

struct Argument {
  const char* name;
  std::function<void(Request&, const py::handle&)> read;
  bool is_flag = false;  // False counts as not given
};

Argument text(const char* name, std::string Request::*field) {
  return {name, [field](Request& r, const py::handle& x) { r.*field = x.cast<std::string>(); }};
}
Argument number(const char* name, std::string Request::*field) {
  return {name, [field](Request& r, const py::handle& x) { r.*field = number_text(x); }};
}
Argument format(const char* name, std::string Request::*field) {
  return {name, [field](Request& r, const py::handle& x) { r.*field = format_text(x); }};
}
Argument flag(const char* name, bool Request::*field) {
  return {name, [name, field](Request& r, const py::handle& x) { r.*field = flag_argument(x, name); }, true};
}
// One number, or one for rows and one for columns.
Argument sizes(const char* name, std::vector<std::size_t> Request::*field) {
  return {name, [name, field](Request& r, const py::handle& x) { r.*field = numbers_argument(x, name); }};
}
template <class T>
Argument count(const char* name, T Request::*field) {
  return {name, [name, field](Request& r, const py::handle& x) { r.*field = number_argument(x, name); }};
}
Argument array(const char* name, std::optional<io::Array> Request::*field) {
  return {name, [name, field](Request& r, const py::handle& x) { r.*field = dense(x, name); }};
}
Argument scales(const char* name, judge::GivenScales Request::*field) {
  return {name, [name, field](Request& r, const py::handle& x) { (r.*field).blocks = scale_codes(x, name); }};
}
Argument tensor_scale(const char* name, judge::GivenScales Request::*field) {
  return {name, [field](Request& r, const py::handle& x) { (r.*field).tensor = number_text(x); }};
}

bool is_spmm(const Request& r) {
  const operations::OperationKind* const kind = operations::find_operation(r.operation);
  return kind != nullptr && kind->sparse_a;
}

// The mask of sddmm or the A of spmm comes first: values of sddmm may be given as sparse matrices with its entries.
const std::vector<Argument>& known() {
  static const std::vector<Argument> all{
      {"mask", [](Request& r, const py::handle& x) { r.sparse = sparse_operand(x, "mask"); }},
      {"a",
       [](Request& r, const py::handle& x) {
         if (is_spmm(r)) {
           r.sparse = sparse_operand(x, "a");
         } else {
           r.a = dense(x, "a");
         }
       }},
      array("b", &Request::b),
      {"c",
       [](Request& r, const py::handle& x) {
         r.c = is_sparse(x) && r.sparse ? judge::values_at(*r.sparse, sparse_operand(x, "c"), "c")
                                        : dense(x, "c");
       }},
      {"got",
       [](Request& r, const py::handle& x) {
         // Only of sddmm: the result of spmm is dense.
         r.got = is_sparse(x) && r.sparse && !is_spmm(r)
                     ? judge::values_at(*r.sparse, sparse_operand(x, "got"), "got")
                     : dense(x, "got");
       }},
      array("bias", &Request::bias),
      array("stale", &Request::stale),
      scales("a_scales", &Request::a_scales),
      scales("b_scales", &Request::b_scales),
      tensor_scale("a_tensor_scale", &Request::a_scales),
      tensor_scale("b_tensor_scale", &Request::b_scales),
      number("alpha", &Request::alpha),
      number("beta", &Request::beta),
      text("activation", &Request::activation),
      text("bias_along", &Request::bias_along),
      text("rounding", &Request::rounding),
      text("overflow", &Request::overflow),
      text("epilogue", &Request::epilogue),
      flag("transpose_a", &Request::transpose_a),
      flag("transpose_b", &Request::transpose_b),
      flag("c_first", &Request::c_first),
      flag("expects_zero", &Request::expects_zero),
      count("batch", &Request::batch),
      format("acc", &Request::accumulator),
      format("product", &Request::product),
      text("order", &Request::order),
      text("mode", &Request::mode),
      flag("flush", &Request::flush),
      text("reduction", &Request::reduction),
      text("nan", &Request::nan),
      {"axis", [](Request& r, const py::handle& x) { r.axis = x.cast<int>(); }},
      sizes("stride", &Request::stride),
      sizes("pad", &Request::pad),
      sizes("dilation", &Request::dilation),
      count("groups", &Request::groups),
      text("image_layout", &Request::image_layout),
      text("padding", &Request::padding),
      {"policy", [](Request& r, const py::handle& x) { r.policy = policy_of(x); }},
      count("sample", &Request::sample),
      count("seed", &Request::seed),
      {"threads", [](Request& r, const py::handle& x) { r.threads = threads_argument(x); }}};
  return all;
}

// As the judge calls it: the command's option without dashes at its front.
std::string option_of(std::string name) {
  if (name == "reduction") return "operation";
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

void read_unit(const py::object& unit, Question& q) {
  Request& r = q.request;
  NamedArithmetic named = named_arithmetic(unit);
  q.arithmetic = std::move(named.arithmetic);
  r.arithmetic = q.arithmetic.get();
  r.arithmetic_name = std::move(named.name);
  r.require_places = [name = r.arithmetic_name, arithmetic = q.arithmetic,
                      operation = r.operation](const operations::Shape& shape) {
    check_places(name, *arithmetic, places_of(operation, shape));
  };
  r.given.insert("unit");
}

}  // namespace

NamedArithmetic named_arithmetic(const py::handle& unit, const char* name) {
  NamedArithmetic one{.name = {}, .arithmetic = arithmetic_of(unit, name)};
  one.name = py::isinstance<py::str>(unit) ? unit.cast<std::string>() : one.arithmetic->info().name;
  return one;
}

std::string format_text(const py::handle& x) {
  if (py::isinstance<py::str>(x)) return x.cast<std::string>();
  return format_name(format_of(x));
}

py::object take(py::dict& arguments, const char* name) {
  if (!arguments.contains(name)) return {};
  py::object x = arguments.attr("pop")(name);
  return x.is_none() ? py::object() : x;
}

namespace {

[[noreturn]] void wrong_type(const py::handle& x, const char* name, const char* wanted) {
  throw py::type_error(std::string(name) + ": " + std::string(py::repr(x)) + " is not " + wanted);
}

// Null for anything but an integer: an array of several elements has the protocol, and no index.
py::object index_of(const py::handle& x) {
  if (py::isinstance<py::bool_>(x) || PyIndex_Check(x.ptr()) == 0) return {};
  py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(x.ptr()));
  if (!number) PyErr_Clear();
  return number;
}

}  // namespace

std::string text_argument(const py::handle& x, const char* name) {
  if (!py::isinstance<py::str>(x)) wrong_type(x, name, "a text");
  return x.cast<std::string>();
}

bool flag_argument(const py::handle& x, const char* name) {
  const int truth = py::isinstance<py::str>(x) ? -1 : PyObject_IsTrue(x.ptr());
  if (truth >= 0) return truth != 0;
  PyErr_Clear();
  wrong_type(x, name, "True or False");
}

std::uint64_t number_argument(const py::handle& x, const char* name) {
  const py::object number = index_of(x);
  if (!number) wrong_type(x, name, "a whole number");
  const std::uint64_t value = PyLong_AsUnsignedLongLong(number.ptr());
  if (PyErr_Occurred() == nullptr) return value;
  PyErr_Clear();
  throw ContractError(std::string(name) + ": " + std::string(py::str(number)) + ", not 0 to 2^64 - 1");
}

double real_argument(const py::handle& x, const char* name) {
  try {
    return py::float_(py::reinterpret_borrow<py::object>(x)).cast<double>();
  } catch (const py::error_already_set&) {
    throw py::type_error(std::string(name) + ": " + std::string(py::repr(x)) + " is not a number");
  }
}

std::vector<std::size_t> numbers_argument(const py::handle& x, const char* name) {
  if (index_of(x)) return {number_argument(x, name)};
  if (py::isinstance<py::str>(x) || PySequence_Check(x.ptr()) == 0)
    wrong_type(x, name, "a whole number, nor several");
  std::vector<std::size_t> all;
  for (const py::handle& one : py::iter(x)) all.push_back(number_argument(one, name));
  return all;
}

int threads_argument(const py::handle& x) {
  const std::uint64_t threads = number_argument(x, "threads");
  if (threads > most_threads)
    throw ContractError("threads: " + std::to_string(threads) + ", not 0 to " + std::to_string(most_threads));
  return static_cast<int>(threads);
}

Question read_question(const std::string& operation, py::dict& arguments) {
  Question q;
  Request& r = q.request;
  r.caller = judge::Caller::python;
  r.operation = operation;
  r.known = &arithmetics();
  for (const Argument& argument : known()) {
    const py::object x = take(arguments, argument.name);
    if (!x || (argument.is_flag && !flag_argument(x, argument.name))) continue;
    try {
      argument.read(r, x);
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(argument.name) + ": " + std::string(py::repr(x)) +
                           " is not of a type that it takes");
    }
    r.given.insert(option_of(argument.name));
  }
  if (const py::object unit = take(arguments, "unit")) read_unit(unit, q);
  return q;
}

void require_taken(const char* function, const py::dict& arguments) {
  for (const auto& [name, value] : arguments) {
    throw py::type_error(std::string(function) + "() got an unexpected keyword argument '" +
                         py::str(name).cast<std::string>() + "'");
  }
}

}  // namespace assay::python
