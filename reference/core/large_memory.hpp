// Memory for arrays that a kernel streams.
#pragma once

#include <cstddef>
#include <memory>

namespace assay {

namespace detail {
struct FreeLarge {
  std::size_t alignment = 0;
  void operator()(unsigned char* p) const;
};
}  // namespace detail

// At a multiple of 64 bytes and not initialised. What takes some megabytes lies in huge pages if the system has them:
// by small ones a matrix that is read once costs a walk of the page table every 4 KiB, a third of the time of a sparse
// product of 4096 x 4096.
using LargeMemory = std::unique_ptr<unsigned char, detail::FreeLarge>;
LargeMemory large_memory(std::size_t bytes);

}  // namespace assay
