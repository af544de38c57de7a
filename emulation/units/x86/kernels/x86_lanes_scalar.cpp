#include "emulation/units/x86/kernels/x86_operands.hpp"

void assay::kernels::x86_operands_scalar(X86Class kind, std::uint64_t seed, std::uint64_t first,
                                         std::size_t n, std::uint32_t* c, std::uint32_t* a,
                                         std::uint32_t* b) noexcept {
  fill_class(kind, seed, first, n, c, a, b);
}
