// Libraries that kernels are compared with: loaded where they are, never linked.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace assay::gpu {

// Why a peer has no time. Never the end of a program.
class PeerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class PeerLibrary {
 public:
  // The first of the names that the dynamic linker finds (LD_LIBRARY_PATH). PeerError with its words for the first name
  // where it finds none.
  explicit PeerLibrary(const std::vector<std::string>& sonames);

  const std::string& soname() const { return soname_; }
  // PeerError: "libcusparse.so.11 has no cusparseCreateBsr".
  template <class Function>
  Function symbol(const char* name) const {
    return reinterpret_cast<Function>(address(name));
  }

 private:
  void* address(const char* name) const;

  void* handle_ = nullptr;  // never closed: the CUDA runtime has the library's kernels
  std::string soname_;
};

}  // namespace assay::gpu
