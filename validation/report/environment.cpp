#include "validation/report/environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"

namespace assay {
namespace fs = std::filesystem;
namespace {

std::string compiler_name() {
  const auto dotted = [](int major, int minor, int patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  };
#if defined(__clang__)
  return "Clang " + dotted(__clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return "GCC " + dotted(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// "Model:  NVIDIA H100" of every GPU that the driver lists. A container may have the device and not the list.
std::vector<std::string> driver_gpus() {
  std::vector<std::string> models;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", ignored)) {
    std::ifstream in(entry.path() / "information");
    for (std::string line; std::getline(in, line);) {
      constexpr std::string_view key = "Model:";
      if (!line.starts_with(key)) continue;
      const auto begin = line.find_first_not_of(" \t", key.size());
      if (begin != std::string::npos) models.push_back(line.substr(begin));
    }
  }
  std::sort(models.begin(), models.end());
  return models;
}

}  // namespace

Build this_build() { return {ASSAY_VERSION, compiler_name(), ASSAY_BUILD_TYPE, ASSAY_BUILD_FLAGS}; }

Machine this_machine() {
  Machine machine;
  machine.cpu = cpu_model();
  machine.threads = hardware_threads();
  machine.mxcsr = mxcsr();
  const char* const limit = std::getenv("ASSAY_ISA");
  machine.isa_limit = limit == nullptr ? "" : limit;
  for (const Isa isa : all_isas()) {
    std::string why_not = why_unavailable(isa);
    if (why_not.empty() && !isa_allowed(isa)) why_not = "ASSAY_ISA=" + machine.isa_limit + " leaves it out";
    machine.isas.push_back({std::string(isa_name(isa)), std::move(why_not)});
  }
  machine.gpus = driver_gpus();
  if (machine.gpus.empty()) {
    std::error_code ignored;
    if (fs::exists("/dev/nvidia0", ignored)) {
      machine.gpus.emplace_back("NVIDIA GPU at /dev/nvidia0, model unknown");
    } else {
      machine.no_gpu = "no /dev/nvidia0";
    }
  }
  return machine;
}

Data find_data(const fs::path& option) {
  Data data;
  const char* const variable = std::getenv("ASSAY_DATA");
  if (!option.empty()) {
    data.folder = option;
    data.source = "--data";
  } else if (variable != nullptr && *variable != '\0') {
    data.folder = variable;
    data.source = "ASSAY_DATA";
  }
  data.exists = !data.folder.empty() && is_folder(data.folder);
  if (data.source == "--data" && !data.exists) {
    throw InputError(option.string(), "", "a folder of data (--data)", "no such folder");
  }
  const auto add = [&data](std::string_view folder, const std::string& file, std::string_view what) {
    if (data.folders.empty() || data.folders.back().name != folder) {
      data.folders.push_back({std::string(folder), std::string(what), {}, {}});
    }
    std::error_code ignored;
    bool found = data.exists && fs::exists(data.folder / folder / file, ignored);
    if (!found && data.exists && file.ends_with(".gz")) {
      found = fs::exists(data.folder / folder / file.substr(0, file.size() - 3), ignored);
    }
    (found ? data.folders.back().found : data.folders.back().missing).push_back(file);
  };
#define DATA(folder, file, what) add(folder, file, what);
#include "validation/report/data.def"
#undef DATA
  const fs::path fashion = "/usr/share/datasets/fashion-mnist";
  if (is_folder(fashion)) data.fashion_mnist = fashion;
  return data;
}

}  // namespace assay
