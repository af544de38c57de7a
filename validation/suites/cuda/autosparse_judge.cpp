// AutoSparse's kernels: masks and v have one right answer, which the bits are; dw and ds an exact gradient besides.
#include <cstdint>
#include <utility>
#include <vector>

#include "gpu/cases/autosparse_cases.hpp"
#include "reference/autosparse/gradient.hpp"
#include "validation/judge/autosparse.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"

namespace assay::suites::cuda {
namespace {

gpu::AutosparseResult by_definition(const gpu::AutosparseLayer& layer, const gpu::AutosparseOperands& o) {
  gpu::AutosparseResult r;
  r.v.resize(o.w.size());
  r.mask.resize(o.w.size());
  r.dw.resize(o.w.size());
  r.ds.resize(o.s.size());
  std::vector<float> thresholds;
  for (const float s : o.s) thresholds.push_back(autosparse::threshold_of(s));
  const autosparse::GradientKernel& by = autosparse::gradient_definition();
  autosparse::forward<float>(o.w, layer.shape, thresholds, r.v, r.mask, 1, &by);
  autosparse::backward<float>(o.w, layer.shape, thresholds, o.g, layer.scales, r.dw, r.ds, 1, &by);
  for (std::size_t i = 0; i < r.ds.size(); ++i)
    r.ds[i] = autosparse::s_gradient(static_cast<double>(thresholds[i]), r.ds[i], static_cast<double>(o.s[i]),
                                     layer.scales.lambda_s);
  return r;
}

std::vector<judge::Judgement> by_exact_gradient(const gpu::AutosparseLayer& layer,
                                                const gpu::AutosparseOperands& o,
                                                const gpu::KernelArrays& got) {
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(layer.shape.channels),
                                        static_cast<std::int64_t>(layer.shape.per_channel)};
  judge::AutosparseRequest request;
  request.w = to_io_array(gpu::kernel_array("w", o.w, shape));
  request.s = to_io_array(gpu::kernel_array("s", o.s, {static_cast<std::int64_t>(o.s.size())}));
  request.channels = layer.by_channel;
  request.alpha = layer.scales.alpha;
  request.lambda = layer.scales.lambda;
  request.lambda_s = layer.scales.lambda_s;
  request.g = to_io_array(gpu::kernel_array("g", o.g, shape));
  request.got_dw = to_io_array(got.at(2));
  request.got_ds = to_io_array(got.at(3));
  request.ds_accumulator = "float64";
  std::vector<judge::Judgement> all;
  for (judge::AutosparseJudgement& j : judge::check_autosparse(request))
    all.push_back(std::move(j.judgement));
  return all;
}

}  // namespace

std::vector<JudgedKernel> judged_autosparse() {
  std::vector<JudgedKernel> all;
  for (const gpu::AutosparseLayer& layer : gpu::autosparse_layers()) {
    JudgedKernel one;
    one.kernel = gpu::autosparse_case(layer);
    one.contract = "AutoSparse's contract of float32";
    one.predicted = [&layer](std::uint64_t seed) {
      return gpu::autosparse_arrays(layer, by_definition(layer, gpu::autosparse_operands(layer, seed)));
    };
    one.judge = [&layer, contract = one.contract](std::uint64_t seed, const gpu::KernelArrays& got) {
      const gpu::AutosparseOperands o = gpu::autosparse_operands(layer, seed);
      const gpu::KernelArrays want = gpu::autosparse_arrays(layer, by_definition(layer, o));
      const bool whole = got.size() == want.size();
      return judge_arrays(contract, got, want,
                          whole ? by_exact_gradient(layer, o, got) : std::vector<judge::Judgement>{});
    };
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace assay::suites::cuda
