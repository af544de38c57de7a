// The Python module: what the libraries offer, under the same names. It computes nothing.
#include "validation/python/module.hpp"

#include "validation/python/array.hpp"

PYBIND11_MODULE(_assay, m) {
  using namespace assay::python;
  m.doc() = "The compiled part of assay; import assay instead.";
  bind_errors(m);
  bind_array(m);
  bind_formats(m);
  bind_units(m);
  bind_compare(m);
  bind_check(m);
  bind_autosparse_gradient(m);
  bind_cases(m);
  bind_explain(m);
  bind_probe(m);
  bind_invariance(m);
  bind_distinguish(m);
  bind_plan(m);
  bind_study(m);
  bind_simt(m);
  bind_autosparse_check(m);
  bind_io(m);
}
