#include "gpu/host/peer_library.hpp"

#include <dlfcn.h>

namespace assay::gpu {

PeerLibrary::PeerLibrary(const std::vector<std::string>& sonames) {
  std::string why = "a library without a name";
  for (const std::string& soname : sonames) {
    handle_ = ::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      soname_ = soname;
      return;
    }
    if (&soname == &sonames.front()) why = ::dlerror();
  }
  throw PeerError(why);
}

void* PeerLibrary::address(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) throw PeerError(soname_ + " has no " + name);
  return found;
}

}  // namespace assay::gpu
