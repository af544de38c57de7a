// Arguments of check(), exact() and shrink() as a question to the judge.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "validation/judge/request.hpp"

namespace assay::python {

struct Question {
  judge::Request request{};
  std::shared_ptr<const Arithmetic> arithmetic{};  // that request.arithmetic points to
};

// Reads what was given by keyword and takes it out of `arguments`; what is left is not the judge's. None and False
// count as not given. TypeError for a value of another type.
Question read_question(const std::string& operation, pybind11::dict& arguments);

// TypeError, in the words of Python, for arguments that nobody took.
void require_taken(const char* function, const pybind11::dict& arguments);

}  // namespace assay::python
