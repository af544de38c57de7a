// Arguments of check(), exact() and shrink() as a question to the judge; arguments that are read by name.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "validation/judge/request.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::python {

struct Question {
  judge::Request request{};
  std::shared_ptr<const Arithmetic> arithmetic{};  // that request.arithmetic points to
};

// Reads what was given by keyword and takes it out of `arguments`; what is left is not the judge's. None, and False of
// a flag, count as not given. TypeError for a value of another type.
Question read_question(const std::string& operation, pybind11::dict& arguments);

// The value of an argument, taken out of the others; null if it was not given: None counts as not given.
pybind11::object take(pybind11::dict& arguments, const char* name);

// An argument of a type. TypeError, by its name, for another.
std::string text_argument(const pybind11::handle& x, const char* name);
bool flag_argument(const pybind11::handle& x, const char* name);
// Python's and NumPy's integers, no bool. ContractError, by its name, below 0.
std::uint64_t number_argument(const pybind11::handle& x, const char* name);
// Any number of Python's or NumPy's. TypeError, by its name, for what is none.
double real_argument(const pybind11::handle& x, const char* name);
// One of number_argument()'s, or a sequence.
std::vector<std::size_t> numbers_argument(const pybind11::handle& x, const char* name);

// A unit with its name: as it was given, or as a Probe is called. Errors of arithmetic_of(), by the argument's name.
NamedArithmetic named_arithmetic(const pybind11::handle& unit, const char* name = "unit");

// 0 to most_threads of parallel.hpp; ContractError for others.
int threads_argument(const pybind11::handle& x);

// The name of a format: text as it is, so that a message shows it.
std::string format_text(const pybind11::handle& x);

// TypeError, in the words of Python, for arguments that nobody took.
void require_taken(const char* function, const pybind11::dict& arguments);

}  // namespace assay::python
