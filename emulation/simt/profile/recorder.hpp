// What a program's call-outs and the executor tell, counted by place, and written when the program ends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::simt {

enum class Access : std::uint8_t { read, write, atomic };

// Of the CUDA thread that runs; what the host does is passed over. `caller`: the address that the call-out returns to.
void record_access(std::uint64_t caller, Access access, const void* address, std::size_t bytes);
void record_branch(std::uint64_t caller);

}  // namespace assay::simt
