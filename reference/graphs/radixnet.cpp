#include "reference/graphs/radixnet.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <string>
#include <utility>

#include "reference/core/error.hpp"

namespace assay::graphs {
namespace {

constexpr std::int32_t neurons_per_class = 16;

struct Size {
  std::int32_t neurons;
  std::uint64_t stream_offset;
};

// Each network draws one permutation of N doubles a group but the first. 1024: 1920 layers / 6 = 320 groups; 4096:
// 1920 / 8 = 240; 16384: 1920 / 10 = 192. The static_asserts are that sum.
constexpr Size sizes[] = {{1024, 0}, {4096, 326'656}, {16384, 1'305'600}, {65536, 4'434'944}};
static_assert(sizes[1].stream_offset == sizes[0].stream_offset + 319 * 1024);
static_assert(sizes[2].stream_offset == sizes[1].stream_offset + 239 * 4096);
static_assert(sizes[3].stream_offset == sizes[2].stream_offset + 191 * 16384);

const Size* find_size(std::int64_t neurons) {
  const auto* const at =
      std::ranges::find(sizes, neurons, [](const Size& s) { return std::int64_t{s.neurons}; });
  return at == std::end(sizes) ? nullptr : at;
}

const Size& size_of(std::int32_t neurons) {
  const Size* const size = find_size(neurons);
  if (size == nullptr) {
    throw ContractError("RadixNet: " + std::to_string(neurons) +
                        " neurons; 1024, 4096, 16384 or 65536 are defined");
  }
  return *size;
}

}  // namespace

double MatlabRandom::uniform() {
  const auto a = static_cast<std::uint64_t>(engine_()) >> 5;
  const auto b = static_cast<std::uint64_t>(engine_()) >> 6;
  return static_cast<double>(a << 26 | b) * 0x1p-53;
}

std::vector<std::uint32_t> MatlabRandom::permutation(std::uint32_t n) {
  std::vector<double> u(n);
  for (double& x : u) x = uniform();
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return u[i]; });
  return order;
}

bool RadixNet::is_size(std::int64_t neurons) { return find_size(neurons) != nullptr; }
std::uint64_t RadixNet::stream_offset(std::int32_t neurons) { return size_of(neurons).stream_offset; }

RadixNet::RadixNet(std::int32_t neurons, int layers, std::uint64_t doubles_consumed)
    : neurons_(size_of(neurons).neurons), class_count_(neurons / neurons_per_class), layers_(layers) {
  if (layers < 1 || layers > most_layers) {
    throw ContractError("RadixNet: " + std::to_string(layers) + " layers; 1.." + std::to_string(most_layers) +
                        " are defined");
  }
  layers_per_group_ = std::countr_zero(static_cast<std::uint32_t>(class_count_));
  const int groups = (layers + layers_per_group_ - 1) / layers_per_group_;
  const auto n = static_cast<std::size_t>(neurons_);
  classes_.resize(static_cast<std::size_t>(groups) * n);
  for (std::size_t i = 0; i < n; ++i)
    classes_[i] = static_cast<std::uint16_t>(i % static_cast<std::size_t>(class_count_));
  MatlabRandom random(doubles_consumed);
  for (std::size_t g = 1; g < static_cast<std::size_t>(groups); ++g) {
    const std::vector<std::uint32_t> p = random.permutation(static_cast<std::uint32_t>(neurons_));
    for (std::size_t v = 0; v < n; ++v)
      classes_[g * n + p[v]] = classes_[v];  // classes_[v] = v mod B, from group 0
  }
}

std::span<const std::uint16_t> RadixNet::classes(int g) const {
  const auto n = static_cast<std::size_t>(neurons_);
  return std::span(classes_).subspan(static_cast<std::size_t>(g) * n, n);
}

sparse::Csr<float> RadixNet::layer(int l) const {
  sparse::CsrStructure inputs = structure(l);
  std::vector<float> weights(inputs.column_indices.size(), weight);
  return {std::move(inputs), std::move(weights)};
}

sparse::CsrStructure RadixNet::structure(int l) const {
  if (l < 0 || l >= layers_) {
    throw ContractError("RadixNet: layer " + std::to_string(l) + " of a network of " +
                        std::to_string(layers_));
  }
  const std::int32_t step = 1 << (l % layers_per_group_);
  const auto class_of = classes(l / layers_per_group_);

  // The inputs of class pair r: neurons of class r and of class (r + step) mod B. A neuron of class c is therefore in
  // the pairs c and c - step, and visiting neurons in ascending order fills every list in ascending order.
  constexpr auto width = static_cast<std::size_t>(inputs_per_neuron);
  const auto pairs = static_cast<std::size_t>(class_count_);
  std::vector<std::int32_t> inputs(pairs * width);
  std::vector<std::size_t> filled(pairs, 0);
  for (std::int32_t i = 0; i < neurons_; ++i) {
    const std::int32_t c = class_of[static_cast<std::size_t>(i)];
    for (const std::int32_t r : {c, (c - step + class_count_) % class_count_}) {
      const auto pair = static_cast<std::size_t>(r);
      inputs[pair * width + filled[pair]++] = i;
    }
  }

  sparse::CsrStructure out;
  out.rows = out.cols = neurons_;
  const std::size_t nnz = static_cast<std::size_t>(neurons_) * width;
  out.row_offsets.reserve(static_cast<std::size_t>(neurons_) + 1);
  out.column_indices.reserve(nnz);
  for (std::int32_t j = 0; j < neurons_; ++j) {
    const auto first =
        inputs.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(j % class_count_) * width);
    out.column_indices.insert(out.column_indices.end(), first, first + inputs_per_neuron);
    out.end_row();
  }
  return out;
}

}  // namespace assay::graphs
