// The parts of the module, each in its own file.
#pragma once

#include <pybind11/pybind11.h>

#include "reference/exact/arithmetic.hpp"

namespace assay::python {

// The arithmetics that a person can name: float chains and machines' units. Built at the first call.
const ArithmeticRegistry& arithmetics();

void bind_errors(pybind11::module_& m);
void bind_formats(pybind11::module_& m);
void bind_units(pybind11::module_& m);
void bind_compare(pybind11::module_& m);
void bind_io(pybind11::module_& m);

}  // namespace assay::python
