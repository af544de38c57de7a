#include "gpu/kernels/convert_bf16_run.hpp"

#include "gpu/kernels/convert_bf16.cuh"
#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/device_code.cuh"

namespace assay::gpu {

std::vector<bf16_t> run_convert_bf16(std::span<const float> src, const ConvertBf16Options& options) {
  std::vector<float> padded(options.src_offset);
  padded.insert(padded.end(), src.begin(), src.end());
  padded.insert(padded.end(), 32, 0.0F);  // what a kernel that goes on beyond the end would read: no guard
  const DeviceArray<float> from(std::span<const float>{padded});
  const std::vector<bf16_t> guards(options.dst_offset + src.size() + 32, bf16_t::from_code(0xA5A5));
  const DeviceArray<bf16_t> to(std::span<const bf16_t>{guards});
  convert_bf16({from.data() + options.src_offset, device_codes(to) + options.dst_offset, src.size(),
                options.rounding, options.seed, options.first_index},
               nullptr);
  return to.on_host();
}

}  // namespace assay::gpu
