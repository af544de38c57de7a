#include "gpu/kernels/autosparse_run.hpp"

#include "gpu/kernels/autosparse_f32.cuh"
#include "gpu/kernels/device_array.cuh"

namespace assay::gpu {

AutosparseResult run_autosparse(const autosparse::LayerShape& shape, std::span<const float> w,
                                std::span<const float> s, std::span<const float> g,
                                const autosparse::GradientScales& scales) {
  std::vector<float> thresholds;
  for (const float x : s) thresholds.push_back(autosparse::threshold_of(x));
  const DeviceArray<float> device_w(w), device_g(g), device_s(s),
      device_t(std::span<const float>{thresholds});
  const DeviceArray<float> v(w.size()), dw(w.size());
  const DeviceArray<std::uint8_t> mask(w.size());
  const AutosparseLayer layer{shape.channels, shape.per_channel, device_w.data(), device_t.data(),
                              s.size() != 1};
  AutosparseBackward backward{layer, device_g.data(), static_cast<float>(scales.alpha),
                              static_cast<float>(scales.lambda), dw.data()};
  const DeviceArray<double> ds(layer.groups()), workspace(backward.workspace_bytes() / sizeof(double));
  backward.s = device_s.data();
  backward.lambda_s = scales.lambda_s;
  backward.ds = ds.data();
  backward.workspace = workspace.data();
  autosparse_forward({layer, v.data(), mask.data()}, nullptr);
  autosparse_backward(backward, nullptr);
  return {v.on_host(), mask.on_host(), dw.on_host(), ds.on_host()};
}

}  // namespace assay::gpu
