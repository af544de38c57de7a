// Kernels against the scalar one, and the scalar ones against the definition, on random layers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/core/random.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "validation/suites/spdnn_parts.hpp"

namespace assay::suites::spdnn_parts {
namespace {

using namespace spdnn;
using networks::Clip;
using networks::Layer;

float random_weight(const CounterRandom& random, std::uint64_t i) {
  const PhiloxBlock b = random.block(i);
  if (b[0] % 8 != 0) return static_cast<float>(random.normal(i)) / 4;
  std::uint32_t bits = b[1];
  if ((bits >> 23 & 0xFF) == 0xFF) bits ^= 0x00800000;
  if (b[0] % 32 == 0) bits = (bits & 0x807FFFFF) | 0x7F000000;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Layers that a kernel may meet and RadiX-Nets do not have: any shape, any values. One weight in eight is any finite
// float at all, subnormal ones among them, one in 32 is so large that sums overflow, and without a clip become NaN; the
// others keep sums of the size of the clip.
Layer random_layer(std::uint64_t seed, std::uint64_t stream, std::int32_t in, std::int32_t out,
                   bool same_length, bool bias_may_be_positive, Clip clip) {
  const CounterRandom random(seed, stream);
  Layer layer;
  layer.clip = clip;
  layer.weights.structure.rows = out;
  layer.weights.structure.cols = in;
  std::uint64_t i = 0;
  for (std::int32_t j = 0; j < out; ++j) {
    // Without same_length: empty rows, a full one, and all between.
    const auto wanted = same_length ? 32 : j == 0 ? in : static_cast<std::int32_t>(random.below(65, i++)) - 8;
    std::vector<std::int32_t> columns;
    for (std::int32_t c = 0; c < in; ++c) {
      const auto left = static_cast<std::uint64_t>(in - c);
      const auto need = static_cast<std::int64_t>(wanted) - static_cast<std::int64_t>(columns.size());
      if (need > 0 && random.below(left, i++) < static_cast<std::uint64_t>(need)) columns.push_back(c);
    }
    for (const std::int32_t c : columns) {
      layer.weights.structure.column_indices.push_back(c);
      layer.weights.values.push_back(random_weight(random, i++));
    }
    layer.weights.structure.end_row();
    const auto bias = static_cast<float>(random.normal(i++));
    layer.bias.push_back(bias_may_be_positive ? bias : -std::fabs(bias));
  }
  return layer;
}

Plan plan_of(const Kernel& kernel, std::span<const Layer> layers, std::vector<Cut> cuts) {
  Plan plan(kernel, std::move(cuts));
  for (const Layer& layer : layers) plan.add_layer(layer);
  return plan;
}

// Y = clip(X W + b) as kernel_task.hpp says it, from CSR as it stands: no plan, no tiles. The scalar kernels'
// reference.
Inference direct(std::span<const Layer> layers, const DenseRows& rows) {
  Inference result;
  for (std::size_t image = 0; image < rows.rows; ++image) {
    std::vector<float> x(rows.row(image).begin(), rows.row(image).end());
    for (const Layer& layer : layers) {
      std::vector<float> y;
      for (std::int64_t j = 0; j < layer.weights.rows(); ++j) {
        float sum = 0.0F;
        const auto columns = layer.weights.row_columns(j);
        const auto values = layer.weights.row_values(j);
        for (std::size_t e = 0; e < columns.size(); ++e)
          sum = std::fma(values[e], x[static_cast<std::size_t>(columns[e])], sum);
        const float z = sum + layer.bias[static_cast<std::size_t>(j)];
        y.push_back(z <= layer.clip.lower ? layer.clip.lower : z > layer.clip.upper ? layer.clip.upper : z);
      }
      x = std::move(y);
    }
    if (std::ranges::all_of(x, [](float v) { return v == 0; })) continue;
    result.categories.push_back(static_cast<std::uint32_t>(image) + 1);
    result.outputs.insert(result.outputs.end(), x.begin(), x.end());
  }
  return result;
}

}  // namespace

CaseResult random_network_case(const RunContext& context, const Kernel& kernel, std::uint64_t seed) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped(why);
  const bool same_length = kernel.format == Format::ell;
  constexpr std::size_t images = 331;  // tiles of every width, and a tail
  CaseResult r;
  r.evidence = kernel.needs == Isa::scalar ? "the definition, one fused multiply-add after the other"
                                           : "the scalar kernel, bit for bit";
  std::uint64_t inside = 0, nans = 0;
  struct Variant {
    bool cut;
    Clip clip;
  };
  for (const auto& [cut, clip] :
       {Variant{false, challenge_clip}, Variant{true, challenge_clip}, Variant{false, Clip::none()}}) {
    const std::vector<Layer> layers = {random_layer(seed, 1, 97, 130, same_length, !cut, clip),
                                       random_layer(seed, 2, 130, 65, same_length, !cut, clip),
                                       random_layer(seed, 3, 65, 64, same_length, !cut, clip)};
    std::vector<float> pixels(images * 97);
    const CounterRandom random(seed, 4);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = random.below(3, 2 * i) == 0 ? static_cast<float>(random.uniform(2 * i + 1)) : 0.0F;
    std::fill_n(pixels.begin(), 97 * 3, 0.0F);  // images that are all zero
    const DenseRows rows{pixels.data(), images, 97};
    for (std::size_t depth = 1; depth <= layers.size(); ++depth) {
      const auto first = std::span(layers).first(depth);
      const std::vector<Cut> cuts = cut ? std::vector{Cut::zero_rows} : std::vector<Cut>{};
      const Inference got = execute(plan_of(kernel, first, cuts), rows, execute_options(context, true));
      const Kernel& scalar = kernel_named(same_length ? "ell_scalar" : "csr_scalar");
      // The scalar kernel never skips here: with the cut this also checks that the cut is exact.
      const Inference want = kernel.needs == Isa::scalar
                                 ? direct(first, rows)
                                 : execute(plan_of(scalar, first, {}), rows, execute_options(context, true));
      const BitComparison c =
          compare_bits(got, want, images, static_cast<std::size_t>(first.back().outputs()), clip);
      judge(r, c);
      inside += c.inside;
      nans += c.nans;
    }
  }
  r.figures.push_back({"NaN outputs", static_cast<double>(nans), ""});
  conclude(r, inside);
  return r;
}

}  // namespace assay::suites::spdnn_parts
