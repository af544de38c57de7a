// Findings of a study of gradients as dictionaries.
#pragma once

#include "validation/python/module.hpp"
#include "validation/report/autosparse_results.hpp"

namespace assay::python {

pybind11::dict distance_dict(const studies::Distance& distance);
pybind11::list gradients_of(const studies::AutosparseStudy& study);
pybind11::list masters_of(const studies::AutosparseStudy& study);

}  // namespace assay::python
