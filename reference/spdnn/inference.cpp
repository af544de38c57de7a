#include "reference/spdnn/inference.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/spdnn/kernels.hpp"

namespace assay::spdnn {
using std::to_string;
namespace {

constexpr std::uint32_t default_mxcsr = 0x1F80;
constexpr std::size_t mask_words = most_lanes / 64;
using LaneMask = std::array<std::uint64_t, mask_words>;

std::uint32_t count(const LaneMask& mask) {
  return std::accumulate(mask.begin(), mask.end(), 0U, [](std::uint32_t n, std::uint64_t word) {
    return n + static_cast<std::uint32_t>(std::popcount(word));
  });
}

LaneMask first_lanes(std::uint32_t n) {
  LaneMask mask{};
  for (std::uint32_t w = 0; w < mask_words; ++w) {
    const std::uint32_t bits = n > 64 * w ? std::min(n - 64 * w, 64U) : 0;
    mask[w] = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  }
  return mask;
}

// Takes the lowest `n` bits out of `mask` and returns them.
LaneMask take_first(LaneMask& mask, std::uint32_t n) {
  LaneMask taken{};
  for (std::size_t w = 0; w < mask_words; ++w) {
    for (; mask[w] != 0 && n > 0; --n) {
      const std::uint64_t lowest = mask[w] & (~mask[w] + 1);
      taken[w] |= lowest;
      mask[w] ^= lowest;
    }
  }
  return taken;
}

template <class Visit>
void for_each_lane(const LaneMask& mask, Visit visit) {
  for (std::uint32_t w = 0; w < mask_words; ++w) {
    for (std::uint64_t bits = mask[w]; bits != 0; bits &= bits - 1) {
      visit(64 * w + static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }
}

struct FreeMemory {
  void operator()(float* p) const { std::free(p); }
};
using AlignedFloats = std::unique_ptr<float[], FreeMemory>;

// Zeroed: lanes that hold no image are computed too, and must be numbers.
AlignedFloats aligned_floats(std::size_t n) {
  constexpr std::size_t line = 64;
  const std::size_t bytes = (n * sizeof(float) + line - 1) / line * line;
  AlignedFloats p(static_cast<float*>(std::aligned_alloc(line, std::max(bytes, line))));
  if (!p) throw Unavailable("no memory for a tile of " + to_string(bytes) + " bytes");
  std::fill_n(p.get(), n, 0.0F);
  return p;
}

std::size_t tile_floats(const Kernel& kernel, std::uint64_t neurons) {
  return std::size_t{tile_rows(static_cast<std::uint32_t>(neurons))} * kernel.lanes;
}

// Two are the least that works, one a layer and one more the most that can be in use.
std::size_t tiles_a_thread(const Kernel& kernel, std::uint64_t neurons, std::uint64_t layers, int threads,
                           std::uint64_t tile_memory) {
  const std::uint64_t tile = tile_floats(kernel, neurons) * sizeof(float);
  const std::uint64_t affordable =
      tile_memory / static_cast<std::uint64_t>(threads) / std::max<std::uint64_t>(tile, 1);
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(affordable, 2, layers + 1));
}

struct Tile {
  AlignedFloats values;
  std::vector<std::uint32_t> images;  // of the lanes in use
};

}  // namespace

std::span<const CutInfo> all_cuts() {
  static constexpr auto table = std::to_array<CutInfo>({
#define CUT(name, text, exact_when) {Cut::name, #name, text, exact_when},
#include "reference/spdnn/cuts.def"
#undef CUT
  });
  return table;
}

const KernelTable<Kernel>& all_kernels() {
  static constexpr auto kernels_of_def = std::to_array<Kernel>({
#define SPDNN(format, isa, lanes)                             \
  {{#format "_" #isa, Isa::isa, "images at a time: " #lanes}, \
   Format::format,                                            \
   lanes,                                                     \
   kernels::layer_##format##_##isa,                           \
   kernels::append_##isa},
#include "reference/spdnn/spdnn.def"
#undef SPDNN
  });
  static constexpr KernelTable<Kernel> table{"spdnn", kernels_of_def};
  return table;
}

const Kernel& best_kernel(Format format, Isa most) {
  return all_kernels().best([&](const Kernel& k) { return k.format == format && most.includes(k.needs); });
}

const Kernel& kernel_named(std::string_view name) { return all_kernels().named(name); }

float challenge_bias(std::int32_t neurons) {
  switch (neurons) {
    case 1024: return -0.30F;
    case 4096: return -0.35F;
    case 16384: return -0.40F;
    case 65536: return -0.45F;
    default: throw ContractError("the challenge has no bias for " + to_string(neurons) + " neurons");
  }
}

void require_zero_rows_stay(const networks::Layer& layer, std::size_t number) {
  const auto fail = [&](const std::string& what) {
    throw ContractError("layer " + to_string(number) + ": " + what);
  };
  const auto positive = std::ranges::find_if(layer.bias, [](float b) { return !(b <= 0); });
  if (positive != layer.bias.end()) {
    fail("bias " + to_string(*positive) + " of output " + to_string(positive - layer.bias.begin()) +
         " is not <= 0, so a row of zeros does not stay one and cannot be skipped");
  }
  const std::vector<float>& weights = layer.weights.values;
  const auto wild = std::ranges::find_if(weights, [](float w) { return !std::isfinite(w); });
  if (wild != weights.end())
    fail("weight " + to_string(*wild) + " times 0 is not 0, so zero rows cannot be skipped");
  if (layer.clip.lower != 0)
    fail("a lower clip of " + to_string(layer.clip.lower) + " makes rows of zeros nonzero");
}

Plan::Plan(const Kernel& kernel, std::vector<Cut> cuts) : kernel_(&kernel), cuts_(std::move(cuts)) {}

bool Plan::has(Cut cut) const { return std::ranges::find(cuts_, cut) != cuts_.end(); }

std::uint64_t Plan::nnz() const {
  std::uint64_t total = 0;
  for (const LaidOut& layer : layers_) total += layer.edges.size();
  return total;
}

std::int32_t Plan::widest() const {
  std::int32_t most = inputs();
  for (const LaidOut& layer : layers_) most = std::max(most, layer.outputs);
  return most;
}

Plan::Plan(const Kernel& kernel, const networks::Network& network, std::vector<Cut> cuts)
    : Plan(kernel, std::move(cuts)) {
  for (const networks::Layer& layer : network.layers) add_layer(layer);
}

void Plan::add_layer(const networks::Layer& from) {
  const auto fail = [&](const std::string& what) {
    throw ContractError("layer " + to_string(layers_.size() + 1) + ": " + what);
  };
  networks::check(from, layers_.size() + 1,
                  layers_.empty() ? std::nullopt : std::optional<std::int64_t>(layers_.back().outputs));
  const sparse::Csr<float>& weights = from.weights;
  const std::vector<float>& bias = from.bias;
  const std::int64_t inputs = from.inputs();
  if (const std::int64_t most = std::max(inputs, from.outputs());
      most > INT32_MAX || tile_floats(*kernel_, static_cast<std::uint64_t>(most)) > UINT32_MAX) {
    fail(to_string(inputs) + " inputs and " + to_string(from.outputs()) +
         " outputs; offsets in a tile have 32 bits");
  }
  if (weights.nnz() > UINT32_MAX)
    fail(to_string(weights.nnz()) + " weights; offsets of a layer's edges have 32 bits");
  const sparse::CsrView structure = weights.structure;
  const std::int64_t width = structure.rows == 0 ? 0 : structure.row_length(0);
  if (kernel_->format == Format::ell) {
    for (std::int64_t j = 0; j < structure.rows; ++j) {
      if (structure.row_length(j) != width) {
        fail("output " + to_string(j) + " has " + to_string(structure.row_length(j)) +
             " inputs and output 0 has " + to_string(width) + "; " + std::string(kernel_->name) +
             " needs the same number everywhere");
      }
    }
  }
  if (has(Cut::zero_rows)) require_zero_rows_stay(from, layers_.size() + 1);

  LaidOut layer;
  layer.inputs = static_cast<std::int32_t>(inputs);
  layer.outputs = static_cast<std::int32_t>(from.outputs());
  layer.width = static_cast<std::uint32_t>(width);
  layer.lower = from.clip.lower;
  layer.upper = from.clip.upper;
  const auto outputs = static_cast<std::size_t>(from.outputs());
  // Outputs with the same inputs one after the other: the rows that the first one loads are in the L1 cache for the
  // next.
  const std::vector<std::int32_t> order = outputs_by_inputs(structure);
  layer.edges.reserve(weights.values.size());
  layer.targets.reserve(outputs);
  layer.bias.reserve(outputs);
  if (kernel_->format == Format::csr) layer.edge_offsets.reserve(outputs + 1);
  for (const std::int32_t j : order) {
    if (kernel_->format == Format::csr)
      layer.edge_offsets.push_back(static_cast<std::uint32_t>(layer.edges.size()));
    const auto columns = structure.row_columns(j);
    const auto values = weights.row_values(j);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      layer.edges.push_back({row_of(static_cast<std::uint32_t>(columns[e])) * kernel_->lanes, values[e]});
    }
    layer.targets.push_back(row_of(static_cast<std::uint32_t>(j)) * kernel_->lanes);
    layer.bias.push_back(bias[static_cast<std::size_t>(j)]);
  }
  if (kernel_->format == Format::csr)
    layer.edge_offsets.push_back(static_cast<std::uint32_t>(layer.edges.size()));
  layers_.push_back(std::move(layer));
}

std::uint64_t Inference::row_layers_computed() const {
  return std::accumulate(rows_computed.begin(), rows_computed.end(), std::uint64_t{0});
}

// One thread's images on their way through the layers.
//
// A layer's survivors (at most one tile) go to the next layer's pending tile; what no longer fits opens a new pending
// tile, and the full one runs at once. So a step takes at most one tile from the pool, and it has just given one back:
// only feeding can find the pool empty, and then the deepest pending tile is run, full or not, until one comes free.
// Two tiles are therefore enough, and more keep more tiles full.
class Cascade {
 public:
  Cascade(const Plan& plan, std::size_t tiles)
      : plan_(plan), pending_(plan.layers_.size()), rows_computed_(plan.layers_.size(), 0) {
    const std::size_t floats = tile_floats(plan.kernel(), static_cast<std::uint64_t>(plan.widest()));
    next_ = aligned_floats(floats);
    pool_.resize(tiles);
    for (Tile& tile : pool_) {
      tile.values = aligned_floats(floats);
      tile.images.reserve(plan.kernel().lanes);
    }
  }

  // A tile to be filled with inputs and handed to run_from_start().
  Tile take_tile() {
    while (pool_.empty()) {
      std::size_t deepest = pending_.size();
      while (deepest > 0 && pending_[deepest - 1].images.empty()) --deepest;
      run_pending(deepest - 1);
    }
    Tile tile = std::move(pool_.back());
    pool_.pop_back();
    return tile;
  }
  void run_from_start(Tile tile) {
    if (tile.images.empty()) {
      give_back(std::move(tile));
    } else {
      run(0, std::move(tile));
    }
  }
  void flush() {
    for (std::size_t l = 0; l < pending_.size(); ++l) {
      if (!pending_[l].images.empty()) run_pending(l);
    }
  }

  std::span<const std::uint64_t> rows_computed() const { return rows_computed_; }

  bool keep_outputs = false;
  std::vector<std::uint32_t> nonzero;  // images with a nonzero output, from 0
  std::vector<float> outputs;          // their rows

 private:
  void give_back(Tile tile) {
    tile.images.clear();
    pool_.push_back(std::move(tile));
  }

  void run_pending(std::size_t l) { run(l, std::exchange(pending_[l], Tile{})); }

  // Runs `tile` through layer `l`, and the tiles that this fills through the layers behind it.
  void run(std::size_t l, Tile tile) {
    for (; !tile.images.empty(); ++l) {
      LaneMask survivors = step(plan_.layers_[l], l, tile);
      std::vector<std::uint32_t> images = std::move(tile.images);
      tile.images.clear();
      give_back(std::move(tile));
      tile = Tile{};
      if (l + 1 == plan_.layers_.size()) {
        collect(survivors, images);
      } else {
        tile = append_to_pending(l + 1, survivors, images);
      }
    }
  }

  // next_ = layer(tile); returns the lanes that go on.
  LaneMask step(const Plan::LaidOut& layer, std::size_t l, const Tile& tile) {
    const auto lanes = static_cast<std::uint32_t>(tile.images.size());
    LaneMask alive{};
    plan_.kernel().layer({layer.edges.data(),
                          layer.edge_offsets.empty() ? nullptr : layer.edge_offsets.data(), layer.width,
                          layer.targets.data(), layer.bias.data(), static_cast<std::uint32_t>(layer.outputs),
                          layer.lower, layer.upper, tile.values.get(), next_.get(), lanes, alive.data()});
    rows_computed_[l] += lanes;
    const LaneMask used = first_lanes(lanes);
    const bool last = l + 1 == plan_.layers_.size();
    if (!last && !plan_.has(Cut::zero_rows)) return used;
    for (std::size_t w = 0; w < mask_words; ++w) alive[w] &= used[w];
    return alive;
  }

  // Appends the lanes of next_ in `lanes`. Returns the tile of layer `l` that became full, or one without images.
  Tile append_to_pending(std::size_t l, LaneMask lanes, std::span<const std::uint32_t> images) {
    Tile full;
    while (count(lanes) > 0) {
      Tile& tile = pending_[l];
      if (!tile.values) {
        tile = std::move(pool_.back());
        pool_.pop_back();
      }
      const auto at = static_cast<std::uint32_t>(tile.images.size());
      const LaneMask part = take_first(lanes, plan_.kernel().lanes - at);
      const auto rows = tile_rows(static_cast<std::uint32_t>(plan_.layers_[l].inputs));
      plan_.kernel().append({next_.get(), tile.values.get(), rows, part.data(), at});
      for_each_lane(part, [&](std::uint32_t lane) { tile.images.push_back(images[lane]); });
      if (tile.images.size() == plan_.kernel().lanes) full = std::exchange(tile, Tile{});
    }
    return full;
  }

  void collect(const LaneMask& lanes, std::span<const std::uint32_t> images) {
    for_each_lane(lanes, [&](std::uint32_t lane) {
      nonzero.push_back(images[lane]);
      if (!keep_outputs) return;
      for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(plan_.outputs()); ++n) {
        outputs.push_back(next_[std::size_t{row_of(n)} * plan_.kernel().lanes + lane]);
      }
    });
  }

  const Plan& plan_;
  std::vector<Tile> pending_;  // of each layer; without values if there is none
  std::vector<Tile> pool_;
  AlignedFloats next_;  // what a layer computes
  std::vector<std::uint64_t> rows_computed_;
};

namespace {

// Puts one image into one lane of a tile that holds zeros.
void load(const BitRows& images, std::uint32_t image, float* lane, std::uint32_t stride) {
  const auto words = images.row(image);
  for (std::uint32_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      lane[std::size_t{row_of(64 * w + static_cast<std::uint32_t>(std::countr_zero(bits)))} * stride] = 1.0F;
    }
  }
}
void load(const DenseRows& images, std::uint32_t image, float* lane, std::uint32_t stride) {
  const auto values = images.row(image);
  for (std::uint32_t n = 0; n < values.size(); ++n) lane[std::size_t{row_of(n)} * stride] = values[n];
}

bool is_zero(const BitRows& images, std::size_t image) {
  return std::ranges::all_of(images.row(image), [](std::uint64_t word) { return word == 0; });
}
bool is_zero(const DenseRows& images, std::size_t image) {
  return std::ranges::all_of(images.row(image), [](float x) { return x == 0; });
}

// Images and their rows of outputs in ascending order of the images, whatever thread had them.
void merge(std::span<const std::unique_ptr<Cascade>> cascades, std::size_t row_floats, Inference& result) {
  struct Row {
    std::uint32_t image;
    const float* values;
  };
  std::vector<Row> rows;
  for (const auto& cascade : cascades) {
    for (std::size_t i = 0; i < cascade->nonzero.size(); ++i) {
      rows.push_back(
          {cascade->nonzero[i], cascade->outputs.data() + (cascade->keep_outputs ? i * row_floats : 0)});
    }
  }
  std::ranges::sort(rows, {}, &Row::image);
  result.categories.reserve(rows.size());
  for (const Row& row : rows) {
    result.categories.push_back(row.image + 1);
    if (cascades.front()->keep_outputs)
      result.outputs.insert(result.outputs.end(), row.values, row.values + row_floats);
  }
}

template <class Images>
Inference execute_images(const Plan& plan, const Images& images, const ExecuteOptions& options) {
  if (plan.layers() == 0) throw ContractError("a plan without layers");
  if (images.cols != static_cast<std::size_t>(plan.inputs())) {
    throw ContractError("images of " + to_string(images.cols) + " pixels for a network of " +
                        to_string(plan.inputs()) + " inputs");
  }
  if (images.rows > UINT32_MAX)
    throw ContractError(to_string(images.rows) + " images, whose numbers have 32 bits");
  const std::size_t lanes = plan.kernel().lanes;
  const std::size_t batches = (images.rows + lanes - 1) / lanes;
  Inference result;
  result.threads = threads_or_default(options.threads);
  result.threads =
      static_cast<int>(std::min(static_cast<std::size_t>(result.threads), std::max<std::size_t>(batches, 1)));

  const std::size_t tiles =
      tiles_a_thread(plan.kernel(), static_cast<std::uint64_t>(plan.widest()),
                     static_cast<std::uint64_t>(plan.layers()), result.threads, options.tile_memory);
  std::vector<std::unique_ptr<Cascade>> cascades;
  for (int t = 0; t < result.threads; ++t) {
    cascades.push_back(std::make_unique<Cascade>(plan, tiles));
    cascades.back()->keep_outputs = options.keep_outputs;
  }

  const auto begin = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next_batch = 0;
  const MxcsrGuard guard(default_mxcsr);
  parallel_workers(result.threads, [&](const Worker& worker) {
    Cascade& cascade = *cascades[worker.index];
    const std::size_t input_floats =
        static_cast<std::size_t>(tile_rows(static_cast<std::uint32_t>(images.cols))) * lanes;
    for (std::size_t batch = next_batch++; batch < batches && !worker.failed; batch = next_batch++) {
      Tile tile = cascade.take_tile();
      std::fill_n(tile.values.get(), input_floats, 0.0F);
      for (std::size_t i = batch * lanes; i < std::min((batch + 1) * lanes, images.rows); ++i) {
        if (plan.has(Cut::zero_rows) && is_zero(images, i)) continue;
        load(images, static_cast<std::uint32_t>(i), tile.values.get() + tile.images.size(),
             static_cast<std::uint32_t>(lanes));
        tile.images.push_back(static_cast<std::uint32_t>(i));
      }
      cascade.run_from_start(std::move(tile));
      if (worker.index == 0) options.progress(static_cast<double>(batch) / static_cast<double>(batches));
    }
    cascade.flush();
  });
  result.rows_computed.assign(static_cast<std::size_t>(plan.layers()), 0);
  for (const auto& cascade : cascades) {
    for (std::size_t l = 0; l < result.rows_computed.size(); ++l)
      result.rows_computed[l] += cascade->rows_computed()[l];
  }
  merge(cascades, static_cast<std::size_t>(plan.outputs()), result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  options.progress(1);

  result.nominal_edges = plan.nnz() * images.rows;
  for (int l = 0; l < plan.layers(); ++l) {
    result.executed_edges += result.rows_computed[static_cast<std::size_t>(l)] * plan.nnz(l);
  }
  return result;
}

}  // namespace

Inference execute(const Plan& plan, const BitRows& images, const ExecuteOptions& options) {
  return execute_images(plan, images, options);
}
Inference execute(const Plan& plan, const DenseRows& images, const ExecuteOptions& options) {
  return execute_images(plan, images, options);
}

std::uint64_t plan_bytes(std::uint64_t neurons, std::uint64_t layers, std::uint64_t inputs_per_neuron) {
  return layers * neurons * (inputs_per_neuron * sizeof(Edge) + 2 * sizeof(std::uint32_t) + sizeof(float));
}

std::uint64_t tile_bytes(const Kernel& kernel, std::uint64_t neurons, std::uint64_t layers, int threads,
                         std::uint64_t tile_memory) {
  const std::uint64_t tiles = tiles_a_thread(kernel, neurons, layers, threads, tile_memory) + 1;
  return tiles * tile_floats(kernel, neurons) * sizeof(float) * static_cast<std::uint64_t>(threads);
}

}  // namespace assay::spdnn
