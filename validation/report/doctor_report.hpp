// What can run here and why the rest cannot, and the version of this program, as text and as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "validation/report/environment.hpp"

namespace assay {

struct Library {
  std::string name;
  std::string version;  // empty: not found when this program was configured
  std::string purpose;
};
std::string json_library_version();  // of the library that report/ writes JSON with

// A program that was looked for.
struct Tool {
  std::string path{};     // empty: not there
  std::string version{};  // what it says of itself; empty: nothing
};

struct Examination {
  Build build{};
  Machine machine{};
  Data data{};
  std::uint64_t available_memory = 0;  // bytes
  std::vector<Library> libraries{};
  Tool nvcc{}, mpirun{};
  Tool compiler{};                 // of CUDA programs on the CPU
  std::string no_cuda_programs{};  // why they cannot run here; empty: they can
  bool has_nvidia_smi = false;
  std::vector<std::string> gpus{};  // a line of nvidia-smi each: model, capability, memory, driver
};
// Lines of `width` columns (0: of any length).
std::string examination_text(const Examination& e, std::size_t width, bool colour);
// An object of sections over several lines, without the last line feed.
std::string examination_json(const Examination& e);

std::string version_text(const Build& build);
std::string version_json(const Build& build);  // on one line, without the line feed

}  // namespace assay
