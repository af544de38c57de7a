// The parts of the module, each in its own file.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "reference/exact/arithmetic.hpp"

namespace assay::python {

// A unit as a caller names it: a name of the registry, a saved arithmetic (*.json), a Probe. TypeError for others, by
// the `name` of the argument.
std::shared_ptr<const Arithmetic> arithmetic_of(const pybind11::handle& unit, const char* name = "unit");

void bind_errors(pybind11::module_& m);
void bind_formats(pybind11::module_& m);
void bind_units(pybind11::module_& m);
void bind_compare(pybind11::module_& m);
void bind_check(pybind11::module_& m);
void bind_cases(pybind11::module_& m);
void bind_probe(pybind11::module_& m);
void bind_invariance(pybind11::module_& m);
void bind_distinguish(pybind11::module_& m);
void bind_plan(pybind11::module_& m);
void bind_study(pybind11::module_& m);
void bind_autosparse_gradient(pybind11::module_& m);
void bind_explain(pybind11::module_& m);
void bind_simt(pybind11::module_& m);
void bind_autosparse_check(pybind11::module_& m);
void bind_io(pybind11::module_& m);

}  // namespace assay::python
