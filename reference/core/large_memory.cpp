#include "reference/core/large_memory.hpp"

#include <sys/mman.h>

#include <new>

namespace assay {

void detail::FreeLarge::operator()(unsigned char* p) const {
  ::operator delete(p, std::align_val_t(alignment));
}

LargeMemory large_memory(std::size_t bytes) {
  constexpr std::size_t line = 64, huge_page = 1 << 21;
  const bool large = bytes >= 2 * huge_page;
  const std::size_t alignment = large ? huge_page : line;
  LargeMemory memory(static_cast<unsigned char*>(::operator new(bytes, std::align_val_t(alignment))),
                     {alignment});
  // A wish: without huge pages it is slower, and nothing else.
  if (large) static_cast<void>(madvise(memory.get(), bytes, MADV_HUGEPAGE));
  return memory;
}

}  // namespace assay
