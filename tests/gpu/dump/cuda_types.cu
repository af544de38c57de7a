// The header beside CUDA's own narrow types, for the device compiler.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include "gpu/dump/tensor_dump.hpp"

void dump_all(const __half* half, const __nv_bfloat16* bf16, const __nv_fp8_e4m3* e4m3,
              const __nv_fp8_e5m2* e5m2) {
  assay::dump::File file("x.safetensors");
  file.tensor("half", half, {2})
      .tensor("bf16", bf16, {2})
      .tensor("e4m3", e4m3, {2})
      .tensor("e5m2", e5m2, {2});
  file.write();
}
