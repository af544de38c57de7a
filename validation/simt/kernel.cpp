#include "validation/simt/kernel.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"

namespace assay::simt {
namespace fs = std::filesystem;

LoadedKernel::LoadedKernel(const std::vector<std::string>& files, std::string name, const BuildOptions& asked)
    : name_(std::move(name)) {
  const std::string& file = files.at(0);
  const ScratchFolder scratch;
  static_cast<void>(read_bytes(file, std::uint64_t{1} << 26));
  const fs::path source = scratch.path() / "kernel.cu", library = scratch.path() / "kernel.so";
  AtomicFile out(source);
  out.write("#include \"" + fs::absolute(file).string() +
            "\"\n#include \"emulation/simt/include/assay_kernel.h\"\n"
            "#line 1 \"the name of the kernel\"\n"
            "extern \"C\" const assay_simt::KernelEntry assay_simt_kernel_entry;\n"
            "#line 1 \"the name of the kernel\"\n"
            "const assay_simt::KernelEntry assay_simt_kernel_entry = assay_simt::kernel_entry<&" +
            name_ + ">();\n");
  out.commit();
  BuildOptions options = asked;
  options.library = true;
  std::vector<std::string> all = files;
  all.front() = source.string();
  try {
    build(all, library, options);
  } catch (const CompileError& error) {
    // What goes wrong in the line of its name alone.
    const std::string said = error.what();
    if (said.find("the name of the kernel:1:") == std::string::npos ||
        said.find(file + ":") != std::string::npos)
      throw;
    throw InputError::of_option("--kernel", "a kernel of " + file + ", a template with its arguments",
                                assay::quoted(std::string_view(name_)));
  }
  void* const loaded = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* const why = loaded == nullptr ? ::dlerror() : nullptr;
  if (loaded == nullptr) throw Unavailable(file + " cannot be loaded: " + (why == nullptr ? "" : why));
  entry_ = static_cast<const assay_simt::KernelEntry*>(::dlsym(loaded, assay_simt::kernel_entry_name));
  if (entry_ == nullptr) throw Unavailable(file + " was loaded without its kernel");
}

std::span<const assay_simt::KernelParameter> LoadedKernel::parameters() const {
  return {entry_->parameters, entry_->count};
}

std::string LoadedKernel::call(const Extent& e, std::size_t shared_bytes,
                               std::span<void* const> values) const {
  if (values.size() != entry_->count)
    throw ContractError(name_ + " takes " + std::to_string(entry_->count) + " arguments, not " +
                        std::to_string(values.size()));
  const unsigned extent[] = {e.grid[0], e.grid[1], e.grid[2], e.block[0], e.block[1], e.block[2]};
  const int error = entry_->call(extent, shared_bytes, values.data());
  return error == 0 ? "" : entry_->error_text(error);
}

std::string type_text(const assay_simt::KernelParameter& p) {
  return std::string(p.is_constant ? "const " : "") + p.name + (p.is_pointer ? "*" : "");
}

}  // namespace assay::simt
