// One kernel of a CUDA file, loaded into this process, to be called with arrays of its memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emulation/simt/kernel_entry.hpp"
#include "validation/simt/program.hpp"

namespace assay::simt {

struct Extent {
  std::array<std::uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
};

class LoadedKernel {
 public:
  // `name` as C++ has it, with namespaces and template arguments; of the first file, whatever else the others are for.
  // Builds and loads; it stays loaded to the end of the process. InputError, CompileError and Unavailable as build()
  // has them.
  LoadedKernel(const std::vector<std::string>& files, std::string name, const BuildOptions& options);

  const std::string& name() const { return name_; }
  std::span<const assay_simt::KernelParameter> parameters() const;
  // values[i]: where the value of parameter i lies (of a pointer: the pointer). Empty, or CUDA's text of the error.
  std::string call(const Extent& extent, std::size_t shared_bytes, std::span<void* const> values) const;

 private:
  std::string name_;
  const assay_simt::KernelEntry* entry_ = nullptr;
};

// "const float*", "int".
std::string type_text(const assay_simt::KernelParameter& parameter);

}  // namespace assay::simt
