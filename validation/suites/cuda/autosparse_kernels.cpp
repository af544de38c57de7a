// AutoSparse's kernels: masks, pruned weights, gradients of weights and thresholds.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "gpu/kernels/autosparse_run.hpp"
#include "reference/autosparse/gradient.hpp"
#include "reference/core/random.hpp"
#include "validation/judge/autosparse.hpp"
#include "validation/suites/cuda/kernel_cases.hpp"
#include "validation/suites/cuda/kernel_question.hpp"

namespace assay::suites::cuda {
namespace {

using autosparse::LayerShape;

struct AutosparseLayerCase {
  LayerShape shape;
  bool by_channel;
  autosparse::GradientScales scales;
};
const AutosparseLayerCase autosparse_layers[] = {
    {{1, 1}, false, {0.5, 0, 0}},          {{3, 7}, true, {0.25, 0.01, 0.02}},
    {{64, 576}, false, {0.5, 1e-4, 1e-4}}, {{128, 300}, true, {0, 1e-3, 0}},
    {{2, 8195}, true, {1, 0, 0.01}},       {{100, 784}, false, {0.75, 0, 0}}};

struct AutosparseOperands {
  std::vector<float> w, g, s;

  AutosparseOperands(const AutosparseLayerCase& c, std::uint64_t seed) {
    const CounterRandom random(seed, c.shape.size());
    s.resize(c.by_channel ? c.shape.channels : 1);
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<float>(-1.5 + random.uniform(i));
    w.resize(c.shape.size());
    g.resize(c.shape.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      w[i] = static_cast<float>(0.3 * random.normal(s.size() + 2 * i));
      g[i] = static_cast<float>(random.normal(s.size() + 2 * i + 1));
    }
    // A weight at its threshold, one that is 0: a single one keeps its own value.
    if (w.size() > 2) {
      w[w.size() / 2] = autosparse::threshold_of(s[c.by_channel ? w.size() / 2 / c.shape.per_channel : 0]);
      w[1] = 0;
    }
  }
};

KernelArrays arrays_of(const AutosparseLayerCase& c, const gpu::AutosparseResult& r) {
  const io::Shape shape{static_cast<std::int64_t>(c.shape.channels),
                        static_cast<std::int64_t>(c.shape.per_channel)};
  return {{"mask", array_of(r.mask, io::ElementType::unsigned_integer(8), shape)},
          {"v", array_of(r.v, formats::float32, shape)},
          {"dw", array_of(r.dw, formats::float32, shape)},
          {"ds", array_of(r.ds, formats::float64, {static_cast<std::int64_t>(r.ds.size())})}};
}

gpu::AutosparseResult predicted(const AutosparseLayerCase& c, const AutosparseOperands& o) {
  gpu::AutosparseResult r;
  r.v.resize(o.w.size());
  r.mask.resize(o.w.size());
  r.dw.resize(o.w.size());
  r.ds.resize(o.s.size());
  std::vector<float> thresholds;
  for (const float s : o.s) thresholds.push_back(autosparse::threshold_of(s));
  const autosparse::GradientKernel& by = autosparse::gradient_definition();
  autosparse::forward<float>(o.w, c.shape, thresholds, r.v, r.mask, 1, &by);
  autosparse::backward<float>(o.w, c.shape, thresholds, o.g, c.scales, r.dw, r.ds, 1, &by);
  for (std::size_t i = 0; i < r.ds.size(); ++i)
    r.ds[i] = autosparse::s_gradient(static_cast<double>(thresholds[i]), r.ds[i], static_cast<double>(o.s[i]),
                                     c.scales.lambda_s);
  return r;
}

// By the exact gradient: dw and ds. Masks and v have one right answer, which the bits are.
std::vector<judge::Judgement> judged(const AutosparseLayerCase& c, const AutosparseOperands& o,
                                     const KernelArrays& got) {
  const io::Shape& shape = got[0].second.shape;
  judge::AutosparseRequest request;
  request.w = array_of(o.w, formats::float32, shape);
  request.s = array_of(o.s, formats::float32, {static_cast<std::int64_t>(o.s.size())});
  request.channels = c.by_channel;
  request.alpha = c.scales.alpha;
  request.lambda = c.scales.lambda;
  request.lambda_s = c.scales.lambda_s;
  request.g = array_of(o.g, formats::float32, shape);
  request.got_dw = got[2].second;
  request.got_ds = got[3].second;
  request.ds_accumulator = "float64";
  std::vector<judge::Judgement> all;
  for (judge::AutosparseJudgement& j : judge::check_autosparse(request))
    all.push_back(std::move(j.judgement));
  return all;
}

CaseResult autosparse_layer(const AutosparseLayerCase& c, std::uint64_t seed) {
  const AutosparseOperands o(c, seed);
  KernelQuestion q;
  q.contract = "AutoSparse's contract of float32";
  q.got = arrays_of(c, gpu::run_autosparse(c.shape, o.w, o.s, o.g, c.scales));
  q.predicted = arrays_of(c, predicted(c, o));
  q.judged = judged(c, o, q.got);
  return answer_of(q);
}

}  // namespace

std::vector<KernelCase> autosparse_cases() {
  std::vector<KernelCase> cases;
  for (const AutosparseLayerCase& c : autosparse_layers) {
    cases.push_back({"autosparse/f32",
                     {{"layer", std::to_string(c.shape.channels) + "x" + std::to_string(c.shape.per_channel)},
                      {"thresholds", c.by_channel ? "channels" : "one"}},
                     [&c](std::uint64_t seed) { return autosparse_layer(c, seed); }});
  }
  return cases;
}

}  // namespace assay::suites::cuda
