// CUDA source into C++ that a host compiler takes with the dialect's headers.
//
// What C++ cannot parse, or cannot express by a macro, is rewritten:
//   kernel<<<grid, block, shared, stream>>>(arguments)   a call of assay_simt::Launch, its arguments evaluated once
//   extern __shared__ T name[];                          a pointer to the dynamic shared memory of the block
//   __shared__ alignas(n)                                alignas before the storage class, as C++ has it
//   asm volatile("..." : ...)                            a call of assay_simt::ptx, its text checked (ptx.hpp),
//                                                        unless it has operands of x86: the host's own
//   __shared__ T name[n];                                0xFF for every block, and aligned, as dynamic shared memory is
//   __global__ void k(...) {...}                         registered by its address, for calls that have no more of it
//   cudaLaunchKernel((void*)k, ...)                      without the cast
//   __noinline__                                         GCC's attribute: libstdc++ uses the word itself
// All else stays as it is, and every line keeps its number.
#pragma once

#include <string>
#include <string_view>

namespace assay::simt {

// InputError with `file` and the line for a launch or a declaration that does not end, and for an asm statement that is
// not understood; for one under #if, which may not count, the result has an error for the compiler instead.
std::string rewrite_cuda(std::string_view source, const std::string& file);

}  // namespace assay::simt
