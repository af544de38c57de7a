#include "gpu/kernels/spdnn_layout.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/spdnn/inference.hpp"

namespace assay::gpu {
namespace {

using std::to_string;

// The edges of an output that have not been laid out yet.
struct Rest {
  std::span<const std::int32_t> inputs{};
  std::span<const float> weights{};

  std::size_t below(std::int64_t end) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(inputs, end) - inputs.begin());
  }
  void drop(std::size_t n) {
    inputs = inputs.subspan(n);
    weights = weights.subspan(n);
  }
};

Rest edges_of(const networks::Layer& layer, std::int32_t output) {
  return {sparse::CsrView(layer.weights.structure).row_columns(output), layer.weights.row_values(output)};
}

std::uint32_t columns_of(std::size_t edges) {
  return narrow<std::uint32_t>(edges / lanes_of_slice, "columns of edges");
}

// The inputs of all outputs, once each, ascending.
std::vector<std::int32_t> footprint_of(std::span<const Rest> outputs) {
  std::vector<std::int32_t> all;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0 && std::ranges::equal(outputs[i].inputs, outputs[i - 1].inputs)) continue;
    all.insert(all.end(), outputs[i].inputs.begin(), outputs[i].inputs.end());
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

SpdnnTiledLayout tiled_layout(const networks::Layer& layer, std::uint32_t tile, std::uint32_t footprint) {
  if (tile == 0 || tile % lanes_of_slice != 0 || footprint == 0 || footprint >= no_edge)
    throw ContractError("tiles of " + to_string(tile) + " outputs and a footprint of " +
                        to_string(footprint) + ": expected a multiple of 32, and 1 to 65534");
  const std::vector<std::int32_t> order = spdnn::outputs_by_inputs(layer.weights.structure);
  SpdnnTiledLayout out;
  out.inputs = narrow<std::uint32_t>(layer.inputs(), "inputs");
  out.outputs = narrow<std::uint32_t>(layer.outputs(), "outputs");
  out.stages.push_back(0);
  out.rows.push_back(0);
  out.columns.push_back(0);
  for (std::size_t first = 0; first < order.size(); first += tile) {
    std::vector<Rest> rest;
    for (std::size_t i = first; i < std::min(order.size(), first + tile); ++i) {
      rest.push_back(edges_of(layer, order[i]));
      out.target.push_back(static_cast<std::uint32_t>(order[i]));
      out.bias.push_back(layer.bias[static_cast<std::size_t>(order[i])]);
    }
    const std::vector<std::int32_t> all = footprint_of(rest);
    for (std::size_t begin = 0; begin < all.size(); begin += footprint) {
      const std::span stage =
          std::span(all).subspan(begin, std::min<std::size_t>(footprint, all.size() - begin));
      out.neurons.insert(out.neurons.end(), stage.begin(), stage.end());
      out.rows.push_back(narrow<std::uint32_t>(static_cast<std::int64_t>(out.neurons.size()), "staged rows"));
      for (std::size_t warp = 0; warp < tile; warp += lanes_of_slice) {
        const std::span lanes = std::span(rest).subspan(
            std::min(warp, rest.size()),
            std::min<std::size_t>(lanes_of_slice, rest.size() - std::min(warp, rest.size())));
        std::array<std::size_t, lanes_of_slice> counts{};
        for (std::size_t lane = 0; lane < lanes.size(); ++lane)
          counts[lane] = lanes[lane].below(stage.back() + std::int64_t{1});
        const std::size_t width = *std::ranges::max_element(counts), at = out.index.size();
        out.index.resize(at + width * lanes_of_slice, no_edge);
        out.weight.resize(out.index.size(), 0.0F);
        for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
          for (std::size_t e = 0; e < counts[lane]; ++e) {
            const auto row = std::ranges::lower_bound(stage, lanes[lane].inputs[e]) - stage.begin();
            out.index[at + e * lanes_of_slice + lane] = static_cast<std::uint16_t>(row);
            out.weight[at + e * lanes_of_slice + lane] = lanes[lane].weights[e];
          }
          lanes[lane].drop(counts[lane]);
        }
        out.columns.push_back(columns_of(out.index.size()));
      }
    }
    out.stages.push_back(static_cast<std::uint32_t>(out.rows.size() - 1));
  }
  return out;
}

SpdnnFusedLayout fused_layout(const networks::Layer& layer) {
  if (layer.inputs() >= no_edge || layer.outputs() >= no_edge)
    throw ContractError(to_string(layer.inputs()) + " inputs and " + to_string(layer.outputs()) +
                        " outputs, whose numbers have 16 bits");
  const std::vector<std::int32_t> order = spdnn::outputs_by_inputs(layer.weights.structure);
  SpdnnFusedLayout out;
  out.inputs = static_cast<std::uint32_t>(layer.inputs());
  out.outputs = static_cast<std::uint32_t>(layer.outputs());
  for (const std::int32_t output : order) {
    out.target.push_back(static_cast<std::uint16_t>(output));
    out.bias.push_back(layer.bias[static_cast<std::size_t>(output)]);
  }
  if (order.size() % 2 != 0) {
    out.target.push_back(no_edge);
    out.bias.push_back(0);
  }
  out.columns.push_back(0);
  constexpr std::size_t outputs_of_slice = 2 * std::size_t{lanes_of_slice};
  for (std::size_t first = 0; first < order.size(); first += outputs_of_slice) {
    const std::span slice = std::span(order).subspan(first, std::min(outputs_of_slice, order.size() - first));
    std::size_t width = 0;
    for (const std::int32_t output : slice) width = std::max(width, edges_of(layer, output).inputs.size());
    const std::size_t at = out.index.size();
    out.index.resize(at + width * outputs_of_slice, no_edge);
    out.weight.resize(out.index.size(), 0.0F);
    for (std::size_t i = 0; i < slice.size(); ++i) {
      const Rest edges = edges_of(layer, slice[i]);
      for (std::size_t e = 0; e < edges.inputs.size(); ++e) {
        out.index[at + e * outputs_of_slice + i] = static_cast<std::uint16_t>(edges.inputs[e]);
        out.weight[at + e * outputs_of_slice + i] = edges.weights[e];
      }
    }
    out.columns.push_back(columns_of(out.index.size() / 2));
  }
  return out;
}

}  // namespace assay::gpu
