// Illegal memory accesses of kernels, and their integer divisions by zero: the launch fails, and the program goes on.
#pragma once

namespace assay::simt {

// From now on, in this process; for programs, not for libraries in somebody's process. Faults of the host stay what
// they are.
void catch_faults_of_kernels();
// For the OS thread that calls: a stack for the handler, once faults are caught.
void prepare_for_faults();

}  // namespace assay::simt
