// Inference on sparse networks: Y_{l+1} = clip(Y_l * W_l + bias_l), and the categories, the rows of Y_L with a nonzero
// entry. The order of operations is the contract of kernel_task.hpp.
//
// Images go through all layers in a cascade of tiles: each layer has one pending tile; what survives a layer is
// appended to the next layer's pending tile, which runs when it is full. So rows that died cost nothing, tiles stay
// full, and a tile stays in the L2 cache from layer to layer.
//
// Source of the rate: Hidayetoglu et al., "At-Scale Sparse Deep Neural Network Inference with Efficient GPU
// Implementation" (HPEC 2020).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/networks/network.hpp"
#include "reference/spdnn/bit_matrix.hpp"
#include "reference/spdnn/kernel_task.hpp"

namespace assay::spdnn {

// What an inference may leave out, cuts.def.
enum class Cut : std::uint8_t {
#define CUT(name, text, exact_when) name,
#include "reference/spdnn/cuts.def"
#undef CUT
};
struct CutInfo {
  Cut cut;
  std::string_view name;        // "zero_rows"
  std::string_view text;        // "zero rows"
  std::string_view exact_when;  // what a network must satisfy
};
std::span<const CutInfo> all_cuts();

enum class Format : std::uint8_t { csr, ell };

struct Kernel : KernelInfo {
  Format format;        // ell: every output of a layer has the same number of inputs
  std::uint32_t lanes;  // width of a tile in images
  LayerFn* layer;
  AppendFn* append;
};

// Every kernel of spdnn.def, best first.
const KernelTable<Kernel>& all_kernels();
// The best one of `format` that this CPU runs, that ASSAY_ISA allows and that needs nothing beyond `most`. There is
// always one: the scalar kernel.
const Kernel& best_kernel(Format format, Isa most = Isa::everything);
// ContractError for a name that is not in the table.
const Kernel& kernel_named(std::string_view name);

// -0.30, -0.35, -0.40, -0.45 for 1024, 4096, 16384, 65536 neurons; ContractError for others.
float challenge_bias(std::int32_t neurons);

// The outputs of a layer in the order of their input lists, equal ones in their own order: neighbours read the same
// rows.
std::vector<std::int32_t> outputs_by_inputs(const sparse::CsrView& weights);
// ContractError unless Cut::zero_rows is exact for the layer; `number` counts from 1, for the message.
void require_zero_rows_stay(const networks::Layer& layer, std::size_t number);

// A network, laid out for one kernel.
class Plan {
 public:
  // Every cut in `cuts` is checked against each layer that is added.
  explicit Plan(const Kernel& kernel, std::vector<Cut> cuts = {});
  // All layers of a network.
  Plan(const Kernel& kernel, const networks::Network& network, std::vector<Cut> cuts = {});

  // The plan keeps its own copy. ContractError if the layer fails networks::check(), an ELL kernel gets rows of
  // different lengths, or a cut is not exact for this layer; the sentence names the neuron and the value.
  void add_layer(const networks::Layer& layer);

  const Kernel& kernel() const { return *kernel_; }
  std::span<const Cut> cuts() const { return cuts_; }
  bool has(Cut cut) const;
  int layers() const { return static_cast<int>(layers_.size()); }
  std::int32_t inputs() const { return layers_.empty() ? 0 : layers_.front().inputs; }
  std::int32_t outputs() const { return layers_.empty() ? 0 : layers_.back().outputs; }
  std::int32_t widest() const;  // the most neurons of any layer, inputs included
  std::uint64_t nnz(int l) const { return layers_[static_cast<std::size_t>(l)].edges.size(); }
  std::uint64_t nnz() const;  // of all layers

 private:
  friend class Cascade;

  struct LaidOut {
    std::int32_t inputs = 0, outputs = 0;
    std::uint32_t width = 0;
    std::vector<Edge> edges;
    std::vector<std::uint32_t> edge_offsets;  // CSR only
    std::vector<std::uint32_t> targets;
    std::vector<float> bias;
    float lower = 0, upper = 0;
  };

  const Kernel* kernel_;
  std::vector<Cut> cuts_;
  std::vector<LaidOut> layers_;
};

// Dense inputs, row-major, one image a row.
struct DenseRows {
  const float* values = nullptr;
  std::size_t rows = 0, cols = 0;

  std::span<const float> row(std::size_t i) const { return {values + i * cols, cols}; }
};

struct ExecuteOptions {
  int threads = 0;            // 0: all that this process may use. The bits do not depend on it.
  bool keep_outputs = false;  // also hand out Y_L
  // Tiles of all threads together stay below this, as far as two a thread allow. Fewer tiles are run less full.
  std::uint64_t tile_memory = std::uint64_t{1} << 30;
  // Called by the calling thread with the fraction done. Must not throw.
  std::function<void(double)> progress = [](double) {};
};

struct Inference {
  std::vector<std::uint32_t> categories;  // rows of Y_L with a nonzero entry, 1-based, ascending
  std::vector<float> outputs;  // keep_outputs: the rows of Y_L of `categories`; all others are zero
  std::vector<std::uint64_t> rows_computed;  // of each layer
  std::uint64_t nominal_edges = 0;           // images * nonzeros of all layers
  std::uint64_t executed_edges = 0;          // rows computed * nonzeros of their layer
  int threads = 0;
  double seconds = 0;  // from inputs in memory to categories

  double nominal_edges_per_s() const { return static_cast<double>(nominal_edges) / seconds; }
  double executed_edges_per_s() const { return static_cast<double>(executed_edges) / seconds; }
  std::uint64_t row_layers_computed() const;
};

// Numerics: as kernel_task.hpp; MXCSR is set to its default for the time of the call. ContractError if the images have
// another number of columns than the plan has inputs, there is no layer, or there are 2^32 images or more.
Inference execute(const Plan& plan, const BitRows& images, const ExecuteOptions& options = {});
Inference execute(const Plan& plan, const DenseRows& images, const ExecuteOptions& options = {});

// Bytes, to be known before anything is allocated.
std::uint64_t plan_bytes(std::uint64_t neurons, std::uint64_t layers, std::uint64_t inputs_per_neuron);
std::uint64_t tile_bytes(const Kernel& kernel, std::uint64_t neurons, std::uint64_t layers, int threads,
                         std::uint64_t tile_memory = ExecuteOptions{}.tile_memory);

}  // namespace assay::spdnn
