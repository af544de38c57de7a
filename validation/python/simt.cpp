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
#include "validation/report/simt_report.hpp"
#include "validation/simt/contraction.hpp"
#include "validation/simt/kernel.hpp"
#include "validation/simt/kernel_check.hpp"
#include "validation/simt/profile.hpp"
#include "validation/simt/program.hpp"

namespace py = pybind11;

namespace assay::python {
namespace {

using Texts = std::vector<std::string>;

simt::BuildOptions build_options(Texts include, Texts define, Texts options, std::string arch, bool fmad,
                                 std::string march) {
  return {.include_folders = std::move(include),
          .defines = std::move(define),
          .compiler_options = std::move(options),
          .architecture = std::move(arch),
          .machine = std::move(march),
          .fuse = fmad};
}

// What a run is asked for.
simt::RunRequest request_of(const Texts& files, const Texts& arguments, simt::BuildOptions build, bool ftz,
                            std::string schedule, int threads, std::optional<double> seconds) {
  return {.files = files,
          .arguments = arguments,
          .build = std::move(build),
          .how = {.schedule = std::move(schedule), .threads = threads, .flush = ftz, .seconds = seconds},
          .keeps_output = true};
}

py::dict run_dict(const SimtRun& r) {
  py::dict d;
  d["stdout"] = py::bytes(r.output);
  d["returncode"] = r.signal != 0 ? -r.signal : r.status;
  d["in_time"] = r.in_time;
  d["build_seconds"] = r.build_seconds;
  d["run_seconds"] = r.run_seconds;
  d["notes"] = r.notes;
  return d;
}

py::dict run_a_program(const Texts& files, const Texts& arguments, Texts include, Texts define, Texts options,
                       std::string arch, bool fmad, bool ftz, std::string schedule, int threads,
                       std::optional<double> seconds) {
  SimtRun r;
  {
    const py::gil_scoped_release unlocked;
    const simt::ScratchFolder scratch;
    r = simt::build_and_run(request_of(files, arguments,
                                       build_options(std::move(include), std::move(define),
                                                     std::move(options), std::move(arch), fmad, "native"),
                                       ftz, std::move(schedule), threads, seconds),
                            scratch.path());
  }
  return run_dict(r);
}

// How it ran, and the JSON of its counts.
py::tuple profile_a_program(const Texts& files, const Texts& arguments, Texts include, Texts define,
                            Texts options, std::string arch, bool fmad, bool ftz, std::string schedule,
                            std::optional<double> seconds) {
  SimtProfile p;
  {
    const py::gil_scoped_release unlocked;
    p = simt::profile_program(request_of(files, arguments,
                                         build_options(std::move(include), std::move(define),
                                                       std::move(options), std::move(arch), fmad, "native"),
                                         ftz, std::move(schedule), 1, seconds));
  }
  return py::make_tuple(run_dict(p.run), simt_profile_json(p));
}

// The JSON of the result.
std::string check_a_kernel(const Texts& files, const std::string& kernel, const Texts& arguments,
                           Texts include, Texts define, Texts options, std::string arch, bool fmad,
                           std::optional<std::vector<std::uint64_t>> grid,
                           std::optional<std::vector<std::uint64_t>> block, std::uint64_t shared_bytes,
                           std::optional<Texts> schedules, double seconds) {
  const py::gil_scoped_release unlocked;
  simt::KernelCheck request{.files = files,
                            .kernel = kernel,
                            .build = build_options(std::move(include), std::move(define), std::move(options),
                                                   std::move(arch), fmad, "native"),
                            .arguments = arguments,
                            .grid = std::move(grid),
                            .block = std::move(block),
                            .shared_bytes = shared_bytes,
                            .seconds = seconds};
  if (schedules) request.schedules = std::move(*schedules);
  return simt_check_json(simt::check_kernel(request).result);
}

std::vector<std::pair<std::string, std::uint64_t>> contracted(const Texts& files, Texts include, Texts define,
                                                              Texts options, std::string arch) {
  const py::gil_scoped_release unlocked;
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  for (SimtPlace& place :
       simt::contracted_lines(files, build_options(std::move(include), std::move(define), std::move(options),
                                                   std::move(arch), false, "native")))
    lines.emplace_back(std::move(place.file), place.line);
  return lines;
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
  m.def("_simt_run", &run_a_program);
  m.def("_simt_profile", &profile_a_program);
  m.def("_simt_check", &check_a_kernel);
  m.def("_simt_contracted", &contracted);
  m.def("_simt_build", [](const Texts& files, const std::string& out, Texts include, Texts define,
                          Texts options, std::string arch, bool fmad, std::string march) {
    const py::gil_scoped_release unlocked;
    simt::build(files, out,
                build_options(std::move(include), std::move(define), std::move(options), std::move(arch),
                              fmad, std::move(march)));
  });
  py::class_<simt::LoadedKernel>(m, "_SimtKernel")
      .def(py::init([](const Texts& files, std::string name, Texts include, Texts define, Texts options,
                       std::string arch, bool fmad) {
        const py::gil_scoped_release unlocked;
        return simt::LoadedKernel(files, std::move(name),
                                  build_options(std::move(include), std::move(define), std::move(options),
                                                std::move(arch), fmad, "native"));
      }))
      .def("parameters", &parameters)
      .def("call", &call);
}

}  // namespace assay::python
