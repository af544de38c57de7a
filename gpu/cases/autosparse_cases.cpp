#include "gpu/cases/autosparse_cases.hpp"

#include <string>

#include "reference/core/random.hpp"

namespace assay::gpu {
namespace {

const AutosparseLayer all_layers[] = {
    {{1, 1}, false, {0.5, 0, 0}},          {{3, 7}, true, {0.25, 0.01, 0.02}},
    {{64, 576}, false, {0.5, 1e-4, 1e-4}}, {{128, 300}, true, {0, 1e-3, 0}},
    {{2, 8195}, true, {1, 0, 0.01}},       {{100, 784}, false, {0.75, 0, 0}}};

}  // namespace

std::span<const AutosparseLayer> autosparse_layers() { return all_layers; }

AutosparseOperands autosparse_operands(const AutosparseLayer& layer, std::uint64_t seed) {
  AutosparseOperands o;
  const CounterRandom random(seed, layer.shape.size());
  o.s.resize(layer.by_channel ? layer.shape.channels : 1);
  for (std::size_t i = 0; i < o.s.size(); ++i) o.s[i] = static_cast<float>(-1.5 + random.uniform(i));
  o.w.resize(layer.shape.size());
  o.g.resize(layer.shape.size());
  for (std::size_t i = 0; i < o.w.size(); ++i) {
    o.w[i] = static_cast<float>(0.3 * random.bell(o.s.size() + 2 * i));
    o.g[i] = static_cast<float>(random.bell(o.s.size() + 2 * i + 1));
  }
  // A weight at its threshold, one that is 0: a single one keeps its own value.
  if (o.w.size() > 2) {
    const std::size_t middle = o.w.size() / 2;
    o.w[middle] = autosparse::threshold_of(o.s[layer.by_channel ? middle / layer.shape.per_channel : 0]);
    o.w[1] = 0;
  }
  return o;
}

KernelArrays autosparse_arrays(const AutosparseLayer& layer, const AutosparseResult& r) {
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(layer.shape.channels),
                                        static_cast<std::int64_t>(layer.shape.per_channel)};
  return {kernel_array("mask", r.mask, shape), kernel_array("v", r.v, shape), kernel_array("dw", r.dw, shape),
          kernel_array("ds", r.ds, {static_cast<std::int64_t>(r.ds.size())})};
}

KernelCase autosparse_case(const AutosparseLayer& layer) {
  return {.member = "autosparse/f32",
          .parameters = {{"layer", std::to_string(layer.shape.channels) + "x" +
                                       std::to_string(layer.shape.per_channel)},
                         {"thresholds", layer.by_channel ? "channels" : "one"}},
          .run = [&layer](std::uint64_t seed) {
            const AutosparseOperands o = autosparse_operands(layer, seed);
            return autosparse_arrays(layer, run_autosparse(layer.shape, o.w, o.s, o.g, layer.scales));
          }};
}

std::vector<KernelCase> autosparse_cases() {
  std::vector<KernelCase> cases;
  for (const AutosparseLayer& layer : all_layers) cases.push_back(autosparse_case(layer));
  return cases;
}

}  // namespace assay::gpu
