// What the rewriter makes of launches and of dynamic shared memory.
#pragma once

#include <cstddef>
#include <utility>

#include "emulation/simt/launch.hpp"

namespace assay_simt {

using assay::simt::dynamic_shared;

// An array of T whose size a launch gives, declared outside of functions.
template <class T>
struct DynamicShared {
  operator T*() const { return static_cast<T*>(dynamic_shared()); }
};

// Keeps an error for cudaGetLastError(); empty text: none.
void report_launch(const std::string& why_not_started, const std::string& failure);

// kernel<<<grid, block, shared, stream>>>(arguments): arguments are evaluated once, and every thread gets copies.
// Streams run in order, so a launch has ended when it returns.
class Launch {
 public:
  Launch(dim3 grid, dim3 block, std::size_t shared_bytes = 0, const void* = nullptr)
      : grid_(grid), block_(block), shared_bytes_(shared_bytes) {}

  template <class Call, class... Arguments>
  void run(const Call& call, Arguments... arguments) const {
    using namespace assay::simt;
    const std::string why_not = why_not_launched(grid_, block_, shared_bytes_, {});
    report_launch(why_not,
                  why_not.empty() ? launch(grid_, block_, shared_bytes_, [&] { call(arguments...); }) : "");
  }

 private:
  dim3 grid_, block_;
  std::size_t shared_bytes_;
};

}  // namespace assay_simt
