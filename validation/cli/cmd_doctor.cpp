// assay doctor: what can run here, and why the rest cannot.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/libraries.hpp"
#include "validation/cli/program.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/doctor_report.hpp"
#include "validation/simt/program.hpp"

namespace assay::cli {
namespace {

using simt::find_program;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Tool find_nvcc() {
  std::vector<std::filesystem::path> more;
  for (const char* const name : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const char* const folder = std::getenv(name)) more.push_back(std::filesystem::path(folder) / "bin");
  }
  more.emplace_back("/usr/local/cuda/bin");
  Tool nvcc{.path = find_program("nvcc", more).string()};
  if (nvcc.path.empty()) return nvcc;
  const std::string said = output_of(nvcc.path, {"--version"}).value_or("");
  if (const auto at = said.find("release "); at != std::string::npos)
    nvcc.version = first_line(said.substr(at));
  return nvcc;
}

Tool find_mpirun() {
  Tool mpirun{.path = find_program("mpirun").string()};
  if (!mpirun.path.empty()) mpirun.version = first_line(output_of(mpirun.path, {"--version"}).value_or(""));
  return mpirun;
}

// What `assay simt` builds with.
void find_simt(Examination& e) {
  try {
    static_cast<void>(simt::installed_runtime());
    e.compiler.path = simt::host_compiler();
    e.compiler.version = first_line(output_of(find_program(e.compiler.path), {"--version"}).value_or(""));
  } catch (const Unavailable& why) {
    e.no_cuda_programs = why.what();
  }
}

void ask_nvidia_smi(Examination& e) {
  const auto smi = find_program("nvidia-smi");
  e.has_nvidia_smi = !smi.empty();
  if (smi.empty()) return;
  std::istringstream lines(
      output_of(smi, {"--query-gpu=name,compute_cap,memory.total,driver_version", "--format=csv,noheader"})
          .value_or(""));
  for (std::string line; std::getline(lines, line);) e.gpus.push_back(line);
}

Examination examine() {
  Examination e;
  e.build = this_build();
  e.machine = this_machine();
  e.available_memory = available_memory_bytes();
  e.libraries = libraries();
  e.nvcc = find_nvcc();
  ask_nvidia_smi(e);
  find_simt(e);
  e.mpirun = find_mpirun();
  e.data = find_data({});
  return e;
}

}  // namespace

std::function<int()> make_doctor(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print a JSON object, one key per section, on stdout");
  return [json] {
    const Examination e = examine();
    put(*json ? examination_json(e) + '\n' : examination_text(e, terminal_width(), has_colour(stdout)));
    return agree;
  };
}

}  // namespace assay::cli
