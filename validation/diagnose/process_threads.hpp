// How many threads a program really has, as the kernel counts them.
#pragma once

#include <cstddef>

namespace assay::diagnose {

// Of the process that has most among those of a process group; 0 if none is there. Threads that a program keeps for its
// next loop are there between two answers; those of a program that has ended are not.
std::size_t most_threads_in_group(int group);

}  // namespace assay::diagnose
