#include "gpu/host/cuda_plugin.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "reference/core/error.hpp"

namespace assay::gpu {
namespace {

namespace fs = std::filesystem;

fs::path plugin_path() {
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path() / ".." / "lib" / "assay" / plugin_file).lexically_normal();
}

// Never closed: devices have their code in it.
MakePluginDevice* load() {
  const fs::path path = plugin_path();
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    const std::string why = ASSAY_WHY_NO_CUDA;
    throw Unavailable(why.empty() ? "there is no " + path.string() : "this build has no CUDA: " + why);
  }
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Unavailable(::dlerror());
  const auto* const version = static_cast<const char* const*>(::dlsym(handle, plugin_version_name));
  void* const make = ::dlsym(handle, plugin_device_name);
  if (version == nullptr || make == nullptr || *version != std::string(ASSAY_VERSION))
    throw Unavailable(path.string() + " is not of version " + ASSAY_VERSION);
  return reinterpret_cast<MakePluginDevice*>(make);
}

}  // namespace

std::unique_ptr<ComputeDevice> make_gpu_device(const SpdnnDeviceOptions& options) {
  static MakePluginDevice* const make = load();
  try {
    return std::unique_ptr<ComputeDevice>(make(options));
  } catch (const ContractError&) {
    throw;
  } catch (const std::runtime_error& error) {  // the first call of CUDA: no driver, no device
    throw Unavailable(error.what());
  }
}

}  // namespace assay::gpu
