// Tensors of other libraries by DLPack, the exchange of memory that PyTorch, JAX and others share.
// Source: the Python specification of DLPack and dlpack.h of its version 1.1, of which this is the part that is read.
#pragma once

#include <pybind11/pybind11.h>

#include <string_view>

#include "validation/python/array.hpp"

namespace assay::python {

bool has_dlpack(const py::handle& x);

// TypeError for a tensor on another device than the CPU, and for elements that we have no name for.
Operand from_dlpack(const py::handle& x, std::string_view name);

}  // namespace assay::python
