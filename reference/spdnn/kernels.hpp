// The entries of the inference kernels, for their own files and for the dispatch table. Nothing else: a kernel file
// for a wide ISA must not instantiate inline functions.
#pragma once

#include "reference/spdnn/kernel_task.hpp"

namespace assay::spdnn::kernels {

#define SPDNN(format, isa, lanes) \
  LayerFn layer_##format##_##isa; \
  AppendFn append_##isa;
#include "reference/spdnn/spdnn.def"
#undef SPDNN

}  // namespace assay::spdnn::kernels
