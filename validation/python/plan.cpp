// What a plan of a sparse product chooses for a matrix.
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "reference/core/memory.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/python/sparse.hpp"
#include "validation/report/plan_report.hpp"
#include "validation/suites/plan_request.hpp"

namespace assay::python {
namespace {

PlannedSpmm planned(const py::object& a, const py::object& n, const py::object& kernel,
                    const py::object& measure, const py::object& seed) {
  PlanRequest r{.columns = number_argument(n, "n"),
                .kernel = kernel.is_none() ? "" : text_argument(kernel, "kernel"),
                .measure = flag_argument(measure, "measure"),
                .seed = number_argument(seed, "seed"),
                .caller = judge::Caller::python};
  require_plannable(r);
  if (!is_sparse(a))
    throw py::type_error("a: a Sparse or a matrix of scipy.sparse is asked for; see Sparse.from_scipy()");
  r.a = sparse_of(a);
  r.a.origin = "a";
  const py::gil_scoped_release unlocked;
  const PlanMemory memory = plan_memory(r);
  check_memory("a", memory.why, memory.needed);
  return plan_spmm(std::move(r));
}

py::dict row_lengths(const PlannedSpmm& p) {
  py::dict d;
  d["least"] = p.row_lengths.least;
  d["median"] = p.row_lengths.median;
  d["longest"] = p.row_lengths.longest;
  d["empty"] = p.row_lengths.empty;
  return d;
}

py::list forms(const PlannedSpmm& p) {
  py::list all;
  for (const StoredForm& f : p.forms) {
    py::dict d;
    d["format"] = f.name;
    d["value_bytes"] = f.value_bytes;
    d["index_bytes"] = f.index_bytes;
    d["bytes"] = f.bytes();
    d["places_added"] = f.added;
    all.append(d);
  }
  return all;
}

// None unless it was measured.
template <class T>
auto timed(T PlanTimes::*field) {
  return [field](const PlannedSpmm& p) { return p.times ? std::optional((*p.times).*field) : std::nullopt; };
}

}  // namespace

void bind_plan(py::module_& m) {
  py::class_<PlannedSpmm>(m, "Plan", "What a plan of a sparse product chose for a matrix, and why.")
      .def_property_readonly("shape", [](const PlannedSpmm& p) { return py::make_tuple(p.rows, p.cols); })
      .def_readonly("nnz", &PlannedSpmm::entries)
      .def_readonly("n", &PlannedSpmm::columns)
      .def_property_readonly("density", &PlannedSpmm::density, "Entries a place.")
      .def_property_readonly("row_lengths", &row_lengths,
                             "Entries of the rows: least, median, longest, and how many rows are empty.")
      .def_property_readonly("formats", &forms,
                             "What each format would take with float32 values: a list of dicts. Of a matrix\n"
                             "with a row whose columns do not ascend, CSR alone.")
      .def_property_readonly("kernel", [](const PlannedSpmm& p) { return std::string(p.choice.kernel); })
      .def_readonly("isa", &PlannedSpmm::isa)
      .def_property_readonly(
          "width", [](const PlannedSpmm& p) { return p.choice.width; }, "Columns of a panel of X.")
      .def_property_readonly(
          "depth", [](const PlannedSpmm& p) { return p.choice.depth; }, "Rows of X in a slice.")
      .def_property_readonly(
          "slices", [](const PlannedSpmm& p) { return p.choice.slices; }, "Slices of K.")
      .def_property_readonly(
          "chunks", [](const PlannedSpmm& p) { return p.choice.chunks; }, "Chunks of the rows of A.")
      .def_property_readonly(
          "packed_bytes", [](const PlannedSpmm& p) { return p.choice.packed_bytes; }, "Size of the packed A.")
      .def_property_readonly(
          "why", [](const PlannedSpmm& p) { return p.choice.why; }, "Why this kernel and this depth.")
      .def_property_readonly("planning_seconds", timed(&PlanTimes::planning_seconds),
                             "With measure=True: the median of seven. None without.")
      .def_property_readonly("product_seconds", timed(&PlanTimes::product_seconds),
                             "With measure=True: of one product on one thread. None without.")
      .def("text", &plan_text, "The tables that `assay plan` prints.")
      .def("json", &plan_json, "Everything, as one JSON object.")
      .def("__str__", &plan_text)
      .def("__repr__", [](const PlannedSpmm& p) {
        return "<Plan of spmm " + std::to_string(p.rows) + "x" + std::to_string(p.cols) + ": " +
               std::string(p.choice.kernel) + ">";
      });
  m.def(
      "plan_spmm", &planned, py::arg("a"), py::kw_only(), py::arg("n") = 256, py::arg("kernel") = py::none(),
      py::arg("measure") = false, py::arg("seed") = 1,
      "Plans a product of a sparse matrix with n dense columns in float32, as `assay plan spmm` does.\n\n"
      "a        a Sparse or a matrix of scipy.sparse, of any type: values are rounded to float32\n"
      "n        number of columns of the dense matrix\n"
      "kernel   plan for this kernel; None: the plan's choice\n"
      "measure  time planning and one product, on one thread: medians of seven\n"
      "seed     of the dense matrix that is multiplied then\n\n"
      "Returns a Plan. InputError for a kernel or a number of columns that there is not; Unavailable for a\n"
      "kernel that this CPU cannot run; ContractError for more memory than there is.");
}

}  // namespace assay::python
