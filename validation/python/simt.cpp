// CUDA programs and kernels on the CPU: what assay/simt.py is written on.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "validation/python/module.hpp"
#include "validation/simt/kernel.hpp"
#include "validation/simt/program.hpp"

namespace py = pybind11;

namespace assay::python {
namespace {

using Texts = std::vector<std::string>;

simt::BuildOptions build_options(Texts include, Texts define, std::string arch, bool fmad,
                                 std::string march) {
  return {.include_folders = std::move(include),
          .defines = std::move(define),
          .compiler_options = {},
          .architecture = std::move(arch),
          .machine = std::move(march),
          .fuse = fmad};
}

py::dict run(const Texts& files, const Texts& arguments, Texts include, Texts define, std::string arch,
             bool fmad, bool ftz, std::string schedule, int threads, std::optional<double> seconds) {
  SimtRun r;
  {
    const py::gil_scoped_release unlocked;
    simt::RunRequest request{
        .files = files,
        .arguments = arguments,
        .build = build_options(std::move(include), std::move(define), std::move(arch), fmad, "native"),
        .how = {.schedule = std::move(schedule), .threads = threads, .flush = ftz, .seconds = seconds},
        .keeps_output = true};
    const simt::ScratchFolder scratch;
    r = simt::build_and_run(request, scratch.path());
  }
  py::dict d;
  d["stdout"] = py::bytes(r.output);
  d["returncode"] = r.signal != 0 ? -r.signal : r.status;
  d["in_time"] = r.in_time;
  d["build_seconds"] = r.build_seconds;
  d["run_seconds"] = r.run_seconds;
  d["notes"] = r.notes;
  return d;
}

py::list parameters(const simt::LoadedKernel& kernel) {
  py::list all;
  for (const assay_simt::KernelParameter& p : kernel.parameters()) {
    py::dict d;
    d["type"] = simt::type_text(p);
    d["element"] = std::string(p.name);
    d["kind"] = std::string(1, p.kind);
    d["bytes"] = p.bytes;
    d["pointer"] = p.is_pointer;
    d["constant"] = p.is_constant;
    all.append(d);
  }
  return all;
}

// Each value: the address of an array, or the bytes of a scalar.
void call(const simt::LoadedKernel& kernel, const std::vector<std::uint32_t>& grid,
          const std::vector<std::uint32_t>& block, std::size_t shared_bytes, const py::list& given) {
  simt::Extent extent;
  for (std::size_t i = 0; i < 3; ++i) {
    extent.grid[i] = grid.at(i);
    extent.block[i] = block.at(i);
  }
  std::vector<std::string> scalars(given.size());
  std::vector<std::uintptr_t> addresses(given.size());
  std::vector<void*> values(given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (py::isinstance<py::bytes>(given[i])) {
      scalars[i] = given[i].cast<std::string>();
      values[i] = scalars[i].data();
    } else {
      addresses[i] = given[i].cast<std::uintptr_t>();
      values[i] = &addresses[i];
    }
  }
  std::string failure;
  {
    const py::gil_scoped_release unlocked;
    failure = kernel.call(extent, shared_bytes, values);
  }
  if (!failure.empty()) throw std::runtime_error(kernel.name() + ": " + failure);
}

}  // namespace

void bind_simt(py::module_& m) {
  m.def("_simt_run", &run);
  m.def("_simt_build", [](const Texts& files, const std::string& out, Texts include, Texts define,
                          std::string arch, bool fmad, std::string march) {
    const py::gil_scoped_release unlocked;
    simt::build(
        files, out,
        build_options(std::move(include), std::move(define), std::move(arch), fmad, std::move(march)));
  });
  py::class_<simt::LoadedKernel>(m, "_SimtKernel")
      .def(py::init(
          [](const Texts& files, std::string name, Texts include, Texts define, std::string arch, bool fmad) {
            const py::gil_scoped_release unlocked;
            return simt::LoadedKernel(
                files, std::move(name),
                build_options(std::move(include), std::move(define), std::move(arch), fmad, "native"));
          }))
      .def("parameters", &parameters)
      .def("call", &call);
}

}  // namespace assay::python
