// Exceptions: what the libraries throw, as Python's.
#include <exception>
#include <string>

#include "reference/core/error.hpp"
#include "validation/python/module.hpp"

namespace assay::python {
namespace {

namespace py = pybind11;

// Live as long as the interpreter: a translator may run while it shuts down.
PyObject* input_error = nullptr;
PyObject* contract_error = nullptr;
PyObject* unavailable = nullptr;

PyObject* make_error(py::module_& m, const char* name, PyObject* base, const char* text) {
  PyObject* const type =
      PyErr_NewExceptionWithDoc((std::string("assay.") + name).c_str(), text, base, nullptr);
  if (type == nullptr) throw py::error_already_set();
  m.add_object(name, py::reinterpret_borrow<py::object>(type));
  return type;
}

void set_input_error(const InputError& e) {
  const py::object error = py::reinterpret_borrow<py::object>(input_error)(e.what());
  error.attr("path") = e.path();
  error.attr("place") = e.place();
  error.attr("expected") = e.expected();
  error.attr("found") = e.found();
  PyErr_SetObject(input_error, error.ptr());
}

void translate(std::exception_ptr thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const InputError& e) {
    set_input_error(e);
  } catch (const UsageError& e) {
    PyErr_SetString(contract_error, e.what());
  } catch (const ContractError& e) {
    PyErr_SetString(contract_error, e.what());
  } catch (const Unavailable& e) {
    PyErr_SetString(unavailable, e.what());
  } catch (const py::cast_error&) {
    // An argument inside another, which pybind11 does not check by itself: an element of a tuple, a key of a dict.
    PyErr_SetString(PyExc_TypeError, "an argument has a type that is not accepted here");
  }
}

}  // namespace

void bind_errors(py::module_& m) {
  input_error = make_error(m, "InputError", PyExc_ValueError,
                           "A bad file, array or name.\n\n"
                           "path, place, expected and found say where and what.");
  contract_error = make_error(m, "ContractError", PyExc_ValueError,
                              "Operands or arguments that do not fit together: shapes, formats, options.");
  unavailable = make_error(m, "Unavailable", PyExc_RuntimeError,
                           "This machine cannot do it: no such instruction, or not enough memory.");
  py::register_exception_translator(&translate);
}

}  // namespace assay::python
