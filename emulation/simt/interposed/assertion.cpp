// assert() in kernels. The macro of the C library calls __assert_fail. This one stands before the library's for every
// program that is linked with this library, so that the macro, wherever it is included, need not be replaced.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "emulation/simt/block.hpp"

extern "C" [[noreturn]] void __assert_fail(const char* assertion, const char* file, unsigned line,
                                           const char* function) noexcept {
  assay::simt::Block* const block = assay::simt::Block::current();
  if (block == nullptr) {
    std::fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, assertion);
    std::fflush(stderr);
    std::abort();
  }
  // With the words of CUDA.
  std::fprintf(stderr, "%s:%u: %s: block: [%u,%u,%u], thread: [%u,%u,%u] Assertion `%s` failed.\n", file,
               line, function, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z,
               assertion);
  block->fail("device-side assert triggered: " + std::string(assertion));
}
