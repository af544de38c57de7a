#include "gpu/kernels/spdnn_run.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/spdnn_layer_tiled.cuh"
#include "gpu/kernels/spdnn_layers_fused.cuh"
#include "gpu/kernels/spdnn_layout.hpp"
#include "gpu/kernels/spdnn_rows.cuh"
#include "reference/core/error.hpp"

namespace assay::gpu {
namespace {

template <class T>
DeviceArray<T> upload(const std::vector<T>& host) {
  return DeviceArray<T>(std::span<const T>{host});
}

// A layer on the device, for one of the kernels.
struct TiledLayer {
  explicit TiledLayer(const SpdnnTiledLayout& from)
      : stages(upload(from.stages)),
        rows(upload(from.rows)),
        neurons(upload(from.neurons)),
        columns(upload(from.columns)),
        target(upload(from.target)),
        index(upload(from.index)),
        weight(upload(from.weight)),
        bias(upload(from.bias)),
        view{from.inputs,    from.outputs, stages.data(), rows.data(),   neurons.data(),
             columns.data(), index.data(), weight.data(), target.data(), bias.data()} {}

  DeviceArray<std::uint32_t> stages, rows, neurons, columns, target;
  DeviceArray<std::uint16_t> index;
  DeviceArray<float> weight, bias;
  SpdnnTiledWeights view;
};

struct FusedLayer {
  FusedLayer(const SpdnnFusedLayout& from, const networks::Clip& clip)
      : columns(upload(from.columns)),
        index(upload(from.index)),
        target(upload(from.target)),
        weight(upload(from.weight)),
        bias(upload(from.bias)),
        view{from.inputs,
             from.outputs,
             clip.lower,
             clip.upper,
             columns.data(),
             reinterpret_cast<const ushort2*>(index.data()),
             reinterpret_cast<const float2*>(weight.data()),
             reinterpret_cast<const ushort2*>(target.data()),
             reinterpret_cast<const float2*>(bias.data())} {}

  DeviceArray<std::uint32_t> columns;
  DeviceArray<std::uint16_t> index, target;
  DeviceArray<float> weight, bias;
  SpdnnFusedLayer view;
};

struct Shape {
  std::int64_t inputs, outputs;
  networks::Clip clip;
  std::uint64_t nnz;
};

std::uint32_t fused_images(const SpdnnDeviceOptions& o) {
  if (o.design == SpdnnDesign::tiled || o.widest >= no_edge) return 0;
  return o.images != 0 ? o.images : spdnn_fused_images(static_cast<std::size_t>(o.widest));
}

// The rows that have an entry, or all.
std::vector<std::uint32_t> rows_to_run(const SpdnnInputs& inputs, std::size_t first, std::size_t count,
                                       bool skip_zeros) {
  std::vector<std::uint32_t> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool zero =
        skip_zeros && std::visit(
                          [&](const auto& all) {
                            return std::ranges::all_of(all.row(first + i), [](auto x) { return x == 0; });
                          },
                          inputs);
    if (!zero) rows.push_back(static_cast<std::uint32_t>(i));
  }
  return rows;
}

class CudaDevice final : public ComputeDevice {
 public:
  explicit CudaDevice(const SpdnnDeviceOptions& options) : options_(options) {
    if (options.widest < 0 || options.layers_at_first < 1)
      throw ContractError(options.name + ": " + std::to_string(options.widest) + " neurons and " +
                          std::to_string(options.layers_at_first) + " layers a launch");
    make_current();
    const std::uint32_t images = fused_images(options);
    if (images == 0 && options.design == SpdnnDesign::fused)
      throw ContractError(options.name + ": no block's shared memory holds 12 images of " +
                          std::to_string(options.widest) + " neurons");
    fused_ = images != 0;
    lanes_ = fused_ ? images : SpdnnTiledConfig::features;
  }

  std::string name() const override { return options_.name; }
  std::string board() const override {
    cudaDeviceProp properties{};
    ASSAY_CUDA(cudaGetDeviceProperties(&properties, options_.ordinal));
    return properties.name;
  }
  std::string kernel() const override {
    return (fused_ ? "spdnn_layers_fused, " : "spdnn_layer_tiled, ") + std::to_string(lanes_) +
           " images a block";
  }

  void add_layer(const networks::Layer& layer) override {
    make_current();
    const std::size_t number = shapes_.size() + 1;
    networks::check(layer, number, shapes_.empty() ? std::nullopt : std::optional(shapes_.back().outputs));
    if (std::max(layer.inputs(), layer.outputs()) > options_.widest)
      throw ContractError("layer " + std::to_string(number) + ": " + std::to_string(layer.inputs()) +
                          " inputs and " + std::to_string(layer.outputs()) +
                          " outputs, and the device was made for at most " + std::to_string(options_.widest) +
                          " neurons");
    if (options_.skip_zero_rows) spdnn::require_zero_rows_stay(layer, number);
    if (fused_) {
      fused_layers_.emplace_back(fused_layout(layer), layer.clip);
    } else {
      tiled_layers_.emplace_back(tiled_layout(layer, SpdnnTiledConfig::threads, SpdnnTiledConfig::footprint));
    }
    table_.reset();
    shapes_.push_back(
        {layer.inputs(), layer.outputs(), layer.clip, static_cast<std::uint64_t>(layer.weights.nnz())});
  }

  spdnn::Inference infer(const SpdnnInputs& inputs, const InferOptions& options) override;

 private:
  // Inputs that are on the device at once.
  struct Batch {
    std::size_t first, count;
  };

  void make_current() const { ASSAY_CUDA(cudaSetDevice(options_.ordinal)); }
  std::uint32_t outputs() const { return static_cast<std::uint32_t>(shapes_.back().outputs); }
  std::size_t rows_at_once(const InferOptions& options) const;
  void fill(const SpdnnInputs& inputs, const Batch& batch, const std::uint32_t* rows, const SpdnnSlabs& slabs,
            float* to) const;
  void launch(std::size_t first, std::size_t count, const SpdnnSlabs& slabs, const float* x, float* y,
              unsigned long long* alive) const;
  void run(const SpdnnInputs& inputs, const Batch& batch, bool keep_outputs, spdnn::Inference& result) const;

  SpdnnDeviceOptions options_;
  bool fused_ = false;
  std::uint32_t lanes_ = 0;
  std::vector<Shape> shapes_{};
  std::deque<TiledLayer> tiled_layers_{};
  std::deque<FusedLayer> fused_layers_{};
  std::optional<DeviceArray<SpdnnFusedLayer>> table_{};  // of fused_layers_, made by the first inference
};

std::size_t CudaDevice::rows_at_once(const InferOptions& options) const {
  std::size_t bytes = options.activation_bytes;
  if (bytes == 0) {
    std::size_t free = 0, total = 0;
    ASSAY_CUDA(cudaMemGetInfo(&free, &total));
    bytes = free / 4 * 3;
  }
  const std::size_t row =
      2 * sizeof(float) * static_cast<std::size_t>(std::max<std::int64_t>(options_.widest, 1));
  // 32 bits count the rows of a batch.
  return std::clamp<std::size_t>(bytes / row / lanes_, 1, (std::size_t{1} << 31) / lanes_) * lanes_;
}

void CudaDevice::fill(const SpdnnInputs& inputs, const Batch& batch, const std::uint32_t* rows,
                      const SpdnnSlabs& slabs, float* to) const {
  const auto neurons = static_cast<std::uint32_t>(shapes_.front().inputs);
  if (const auto* const bits = std::get_if<spdnn::BitRows>(&inputs)) {
    const DeviceArray<std::uint64_t> words(std::span<const std::uint64_t>(
        bits->words + batch.first * bits->words_per_row, batch.count * bits->words_per_row));
    spdnn_fill_slabs(spdnn_kernels::RowsOfBits{words.data(), bits->words_per_row}, rows, slabs, neurons, to,
                     nullptr);
    ASSAY_CUDA(cudaStreamSynchronize(nullptr));  // before the words go
    return;
  }
  const auto& dense = std::get<spdnn::DenseRows>(inputs);
  const DeviceArray<float> values(
      std::span<const float>(dense.values + batch.first * dense.cols, batch.count * dense.cols));
  spdnn_fill_slabs(spdnn_kernels::RowsOfFloats{values.data(), dense.cols}, rows, slabs, neurons, to, nullptr);
  ASSAY_CUDA(cudaStreamSynchronize(nullptr));
}

void CudaDevice::launch(std::size_t first, std::size_t count, const SpdnnSlabs& slabs, const float* x,
                        float* y, unsigned long long* alive) const {
  if (!fused_) {
    const networks::Clip& clip = shapes_[first].clip;
    spdnn_layer_tiled({tiled_layers_[first].view, clip.lower, clip.upper, slabs, x, y, alive}, nullptr);
    return;
  }
  SpdnnFused task{table_->data() + first, static_cast<std::uint32_t>(count)};
  task.inputs = static_cast<std::uint32_t>(shapes_[first].inputs);
  task.outputs = static_cast<std::uint32_t>(shapes_[first + count - 1].outputs);
  task.widest = static_cast<std::uint32_t>(options_.widest);
  task.slabs = slabs;
  task.x = x;
  task.y = y;
  task.alive = alive;
  spdnn_layers_fused(task, nullptr);
}

void CudaDevice::run(const SpdnnInputs& inputs, const Batch& batch, bool keep_outputs,
                     spdnn::Inference& result) const {
  const std::vector<std::uint32_t> host_rows =
      rows_to_run(inputs, batch.first, batch.count, options_.skip_zero_rows);
  if (host_rows.empty()) return;
  SpdnnSlabs slabs{static_cast<std::uint32_t>(host_rows.size()), lanes_};
  const std::size_t floats = std::size_t{slabs.count()} * lanes_ * static_cast<std::size_t>(options_.widest);
  const DeviceArray<float> one(floats), other(floats);
  const DeviceArray<unsigned long long> alive(slabs.count());
  const DeviceArray<std::uint32_t> names = upload(host_rows), next_names(host_rows.size()),
                                   live(host_rows.size()), live_count(1);
  float *x = one.data(), *y = other.data();
  std::uint32_t *name = names.data(), *next_name = next_names.data();
  fill(inputs, batch, name, slabs, x);

  std::uint32_t living = slabs.rows;
  std::size_t at_once = fused_ ? static_cast<std::size_t>(options_.layers_at_first) : 1;
  for (std::size_t l = 0; l < shapes_.size();) {
    const std::size_t count = std::min(at_once, shapes_.size() - l);
    launch(l, count, slabs, x, y, alive.data());
    std::swap(x, y);
    for (std::size_t i = l; i < l + count; ++i) result.rows_computed[i] += slabs.rows;
    l += count;
    const bool last = l == shapes_.size();
    if (!last && !options_.skip_zero_rows) continue;
    spdnn_index_live(alive.data(), slabs, name, live.data(), next_name, live_count.data(), nullptr);
    living = live_count.on_host().front();
    if (living == 0) return;
    if (last) break;
    const SpdnnSlabs next{living, lanes_};
    if (next.count() <= slabs.count() - (slabs.count() + 7) / 8) {
      const auto neurons = static_cast<std::uint32_t>(shapes_[l].inputs);
      spdnn_fill_slabs(spdnn_kernels::RowsOfSlabs{x, neurons, lanes_}, live.data(), next, neurons, y,
                       nullptr);
      std::swap(x, y);
      std::swap(name, next_name);
      slabs = next;
    } else if (fused_) {
      at_once *= 2;
    }
  }

  std::vector<std::uint32_t> categories(living);
  ASSAY_CUDA(
      cudaMemcpy(categories.data(), next_name, living * sizeof(std::uint32_t), cudaMemcpyDeviceToHost));
  for (const std::uint32_t row : categories)
    result.categories.push_back(static_cast<std::uint32_t>(batch.first) + row + 1);
  if (!keep_outputs || outputs() == 0) return;
  const std::size_t size = std::size_t{living} * outputs(), at = result.outputs.size();
  // y has room: no layer is wider than widest, and no more rows live than there were.
  spdnn_fill_rows(spdnn_kernels::RowsOfSlabs{x, outputs(), lanes_}, live.data(), living, outputs(), y,
                  nullptr);
  result.outputs.resize(at + size);
  ASSAY_CUDA(cudaMemcpy(result.outputs.data() + at, y, size * sizeof(float), cudaMemcpyDeviceToHost));
}

spdnn::Inference CudaDevice::infer(const SpdnnInputs& inputs, const InferOptions& options) {
  make_current();
  if (shapes_.empty()) throw ContractError("a network without layers");
  const auto [rows, cols] = std::visit([](const auto& all) { return std::pair(all.rows, all.cols); }, inputs);
  if (cols != static_cast<std::size_t>(shapes_.front().inputs))
    throw ContractError("images of " + std::to_string(cols) + " pixels for a network of " +
                        std::to_string(shapes_.front().inputs) + " inputs");
  if (rows > UINT32_MAX) throw ContractError(std::to_string(rows) + " images, whose numbers have 32 bits");
  if (fused_ && !table_) {
    std::vector<SpdnnFusedLayer> table;
    for (const FusedLayer& layer : fused_layers_) table.push_back(layer.view);
    table_.emplace(std::span<const SpdnnFusedLayer>{table});
  }
  spdnn::Inference result;
  result.threads = 1;
  result.rows_computed.assign(shapes_.size(), 0);
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t at_once = rows_at_once(options);
  for (std::size_t first = 0; first < rows; first += at_once)
    run(inputs, {first, std::min(at_once, rows - first)}, options.keep_outputs, result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    result.nominal_edges += shapes_[l].nnz * rows;
    result.executed_edges += shapes_[l].nnz * result.rows_computed[l];
  }
  return result;
}

}  // namespace

std::unique_ptr<ComputeDevice> make_cuda_device(const SpdnnDeviceOptions& options) {
  return std::make_unique<CudaDevice>(options);
}

}  // namespace assay::gpu
