// Arguments of check(), exact() and shrink() as a question to the judge; arguments that are read by name.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "validation/judge/request.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::python {

struct Question {
  judge::Request request{};
  std::shared_ptr<const Arithmetic> arithmetic{};  // that request.arithmetic points to
};

// Reads what was given by keyword and takes it out of `arguments`; what is left is not the judge's. None and False
// count as not given. TypeError for a value of another type.
Question read_question(const std::string& operation, pybind11::dict& arguments);

// The value of an argument, taken out of the others; null if it was not given: None and False count as not given.
pybind11::object take(pybind11::dict& arguments, const char* name);

// A unit with its name: as it was given, or as a Probe is called. Errors of arithmetic_of().
NamedArithmetic named_arithmetic(const pybind11::handle& unit);

// The name of a format: text as it is, so that a message shows it.
std::string format_text(const pybind11::handle& x);

// TypeError, in the words of Python, for arguments that nobody took.
void require_taken(const char* function, const pybind11::dict& arguments);

}  // namespace assay::python
