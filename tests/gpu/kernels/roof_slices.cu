// Launches each kernel of gpu/kernels once, on a slice of the problem that its bar is stated for, to be counted by
// `assay simt profile`: a range of NVTX each. A slice has a few of the problem's rows, as they are. roofs.py knows how
// many slices a problem has, and makes gpu/kernels/roofs.md of the counts.
#include <cstdint>
#include <cstdio>
#include <functional>
#include <vector>

#include <nvtx3/nvToolsExt.h>

#include "gpu/kernels/autosparse_f32.cuh"
#include "gpu/kernels/convert_bf16.cuh"
#include "gpu/kernels/device_array.cuh"
#include "gpu/kernels/gemm_bf16.cuh"
#include "gpu/kernels/sddmm_csr.cuh"
#include "gpu/kernels/spdnn_layer_tiled.cuh"
#include "gpu/kernels/spdnn_layers_fused.cuh"
#include "gpu/kernels/spdnn_layout.hpp"
#include "gpu/kernels/spmm_bsr_bf16_mma.cuh"
#include "gpu/kernels/spmm_bsr_bf16_wgmma.cuh"
#include "gpu/kernels/spmm_csr.cuh"

namespace {

using namespace assay::gpu;

constexpr std::size_t side = 4096;  // of every matrix but the block-sparse ones, which have 8192

template <class T>
DeviceArray<T> on_device(const std::vector<T>& host) {
  return DeviceArray<T>(std::span<const T>{host});
}
template <class T>
DeviceArray<T> filled(std::size_t count, T value) {
  return on_device(std::vector<T>(count, value));
}

void autosparse(bool backward) {
  constexpr std::size_t weights = 16 * AutosparseConfig::piece;
  const auto w = filled(weights, 1.0F), g = filled(weights, 1.0F), t = filled(1, 0.5F), s = filled(1, 0.0F);
  const DeviceArray<float> v(weights), dw(weights);
  const DeviceArray<std::uint8_t> mask(weights);
  const AutosparseLayer layer{1, weights, w.data(), t.data(), false};
  if (!backward) return autosparse_forward({layer, v.data(), mask.data()}, nullptr);
  AutosparseBackward o{layer, g.data(), 0.25F, 0.0078125F, dw.data()};
  const DeviceArray<double> ds(1), workspace(o.workspace_bytes() / sizeof(double));
  o.s = s.data();
  o.ds = ds.data();
  o.workspace = workspace.data();
  autosparse_backward(o, nullptr);
}

void convert(assay::Rounding rounding) {
  constexpr std::size_t numbers = std::size_t{1} << 16;
  const auto from = filled(numbers, 1.0F);
  const DeviceArray<__nv_bfloat16> to(numbers);
  convert_bf16({from.data(), to.data(), numbers, rounding, 1, 0}, nullptr);
}

// Rows of `per_row` entries, evenly over the columns, each row a place further.
struct Rows {
  Rows(std::size_t rows, std::size_t per_row) : offsets(rows + 1), columns(rows * per_row) {
    for (std::size_t r = 0; r <= rows; ++r) offsets[r] = static_cast<std::int64_t>(r * per_row);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::size_t step = side / per_row;
      columns[i] = static_cast<std::int32_t>(i % per_row * step + (i / per_row) % step);
    }
  }
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> columns;
};

template <class T>
void spmm(std::size_t rows, std::size_t per_row, std::size_t n) {
  const Rows structure(rows, per_row);
  const auto offsets = on_device(structure.offsets);
  const auto columns = on_device(structure.columns);
  const auto values = filled(rows * per_row, T{}), x = filled(side * n, T{});
  const DeviceArray<T> y(rows * n);
  SpmmCsr<T, T, T> o;
  o.rows = static_cast<std::int64_t>(rows), o.cols = side, o.n = static_cast<std::int64_t>(n);
  o.nnz = static_cast<std::int64_t>(rows * per_row);
  o.row_offsets = offsets.data();
  o.column_indices = columns.data();
  o.values = values.data();
  o.x = x.data(), o.x_stride = o.n;
  o.y = y.data(), o.y_stride = o.n;
  spmm_csr(o, nullptr);
}

template <class T>
void sddmm(std::size_t rows, std::size_t per_row, std::size_t depth) {
  const Rows structure(rows, per_row);
  const auto offsets = on_device(structure.offsets);
  const auto columns = on_device(structure.columns);
  const auto a = filled(rows * depth, T{}), b = filled(side * depth, T{});
  const DeviceArray<float> out(rows * per_row);
  SddmmCsr<T> o;
  o.mask = {static_cast<std::int64_t>(rows), side, static_cast<std::int64_t>(rows * per_row), offsets.data(),
            columns.data()};
  const DeviceArray<std::int64_t> tile_rows(o.mask.workspace_bytes() / sizeof(std::int64_t));
  o.mask.tile_rows = tile_rows.data();
  o.depth = static_cast<std::int64_t>(depth);
  o.a = a.data(), o.a_stride = o.depth;
  o.b = b.data(), o.b_stride = o.depth;
  o.out = out.data();
  sddmm_csr_tiles(o.mask, nullptr);
  sddmm_csr(o, nullptr);
}

void gemm() {
  constexpr std::size_t m = 128, n = 128;
  const auto a = filled(m * side, std::uint16_t{}), b = filled(side * n, std::uint16_t{});
  const DeviceArray<std::uint16_t> d(m * n);
  gemm_bf16(GemmBf16<std::uint16_t>{m, n, side, a.data(), side, b.data(), n, d.data(), n}, nullptr);
}

// A row of blocks that a tenth of are stored, evenly.
void bsr(bool wgmma, std::size_t block, std::size_t n) {
  const std::size_t cols = 2 * side, all = cols / block, stored = (2 * all + 10) / 20;
  std::vector<std::int32_t> columns(stored);
  for (std::size_t i = 0; i < stored; ++i) columns[i] = static_cast<std::int32_t>(i * all / stored);
  const auto offsets = on_device(std::vector<std::int64_t>{0, static_cast<std::int64_t>(stored)});
  const auto device_columns = on_device(columns);
  const auto values = filled(stored * block * block, std::uint16_t{}), x = filled(cols * n, std::uint16_t{});
  const DeviceArray<std::uint16_t> y(block * n);
  const SpmmBsrBf16<std::uint16_t> o{block,
                                     cols,
                                     n,
                                     static_cast<int>(block),
                                     stored,
                                     offsets.data(),
                                     device_columns.data(),
                                     values.data(),
                                     nullptr,
                                     x.data(),
                                     n,
                                     nullptr,
                                     false,
                                     y.data(),
                                     n};
  if (!wgmma) return spmm_bsr_bf16_mma(o, nullptr);
  spmm_bsr_bf16_wgmma(o, {1}, nullptr);
}

// 1024 neurons of 32 inputs, as the challenge's layers have them by turns: neighbours, or each 32nd.
assay::networks::Layer radix_layer(bool neighbours) {
  constexpr std::int64_t neurons = 1024, radix = 32;
  assay::networks::Layer layer;
  auto& structure = layer.weights.structure;
  structure.rows = structure.cols = neurons;
  structure.row_offsets = {0};
  for (std::int64_t j = 0; j < neurons; ++j) {
    for (std::int64_t i = 0; i < radix; ++i)
      structure.column_indices.push_back(
          static_cast<std::int32_t>(neighbours ? j / radix * radix + i : i * radix + j % radix));
    structure.row_offsets.push_back((j + 1) * radix);
  }
  layer.weights.values.assign(structure.column_indices.size(), 0.0625F);
  layer.bias.assign(static_cast<std::size_t>(neurons), 0.0F);
  return layer;
}

// Two layers of 12 images.
void spdnn_tiled() {
  constexpr std::uint32_t lanes = SpdnnTiledConfig::features;
  const auto x = filled(1024 * lanes, 1.0F);
  const DeviceArray<float> y(x.size());
  const DeviceArray<unsigned long long> alive(1);
  for (const bool neighbours : {false, true}) {
    const SpdnnTiledLayout l =
        tiled_layout(radix_layer(neighbours), SpdnnTiledConfig::threads, SpdnnTiledConfig::footprint);
    const auto stages = on_device(l.stages), rows = on_device(l.rows), neurons = on_device(l.neurons),
               columns = on_device(l.columns), target = on_device(l.target);
    const auto index = on_device(l.index);
    const auto weight = on_device(l.weight), bias = on_device(l.bias);
    spdnn_layer_tiled({{l.inputs, l.outputs, stages.data(), rows.data(), neurons.data(), columns.data(),
                        index.data(), weight.data(), target.data(), bias.data()},
                       0,
                       32,
                       {lanes, lanes},
                       x.data(),
                       y.data(),
                       alive.data()},
                      nullptr);
  }
}

// Eight layers of 48 images in one launch.
void spdnn_fused() {
  constexpr std::uint32_t lanes = 48, layers = 8;
  const auto x = filled(1024 * lanes, 1.0F);
  const DeviceArray<float> y(x.size());
  const DeviceArray<unsigned long long> alive(1);
  const SpdnnFusedLayout l[2] = {fused_layout(radix_layer(false)), fused_layout(radix_layer(true))};
  std::vector<DeviceArray<std::uint32_t>> columns;
  std::vector<DeviceArray<std::uint16_t>> index, target;
  std::vector<DeviceArray<float>> weight, bias;
  std::vector<SpdnnFusedLayer> table;
  for (std::uint32_t i = 0; i < layers; ++i) {
    columns.push_back(on_device(l[i % 2].columns));
    index.push_back(on_device(l[i % 2].index));
    target.push_back(on_device(l[i % 2].target));
    weight.push_back(on_device(l[i % 2].weight));
    bias.push_back(on_device(l[i % 2].bias));
    table.push_back({1024, 1024, 0, 32, columns.back().data(),
                     reinterpret_cast<const ushort2*>(index.back().data()),
                     reinterpret_cast<const float2*>(weight.back().data()),
                     reinterpret_cast<const ushort2*>(target.back().data()),
                     reinterpret_cast<const float2*>(bias.back().data())});
  }
  const auto device_table = on_device(table);
  SpdnnFused o{device_table.data(), layers};
  o.inputs = o.outputs = o.widest = 1024;
  o.slabs = {lanes, lanes};
  o.x = x.data();
  o.y = y.data();
  o.alive = alive.data();
  spdnn_layers_fused(o, nullptr);
}

struct Slice {
  const char *name, *kernel;  // the second as compiled.json has it
  int threads;                // of a block
  std::size_t shared_bytes;   // dynamic, of a block
  std::function<void()> run;
};
template <int block>
Slice bsr_mma(const char* name, const char* kernel, std::size_t n) {
  using Config = SpmmBsrMmaConfig<block>;
  return {name, kernel, Config::threads, Config::shared_bytes, [n] { bsr(false, block, n); }};
}
template <int block>
Slice bsr_wgmma(const char* name, const char* kernel, std::size_t n) {
  using Config = SpmmBsrWgmmaConfig<block, 2>;
  return {name, kernel, Config::threads, Config::shared_bytes, [n] { bsr(true, block, n); }};
}

#define BF16X3 "__nv_bfloat16, __nv_bfloat16, __nv_bfloat16"
const Slice slices[] = {
    {"autosparse/forward_f32", "autosparse_kernels::forward", AutosparseConfig::threads, 0,
     [] { autosparse(false); }},
    {"autosparse/backward_f32", "autosparse_kernels::backward", AutosparseConfig::threads, 0,
     [] { autosparse(true); }},
    {"convert/bf16 nearest_even", "convert_bf16_kernels::convert<(assay::Rounding)0>", 256, 0,
     [] { convert(assay::Rounding::nearest_even); }},
    {"convert/bf16 toward_zero", "convert_bf16_kernels::convert<(assay::Rounding)2>", 256, 0,
     [] { convert(assay::Rounding::toward_zero); }},
    {"convert/bf16 stochastic", "convert_bf16_kernels::convert<(assay::Rounding)6>", 256, 0,
     [] { convert(assay::Rounding::stochastic); }},
    {"spmm/csr_f32 n=512", "spmm_csr_kernels::multiply<float, float, float, 32, 4, 1>", 128, 0,
     [] { spmm<float>(8, 410, 512); }},
    {"spmm/csr_bf16 n=64", "spmm_csr_kernels::multiply<" BF16X3 ", 8, 8, 1>", 128, 0,
     [] { spmm<__nv_bfloat16>(8, 410, 64); }},
    {"spmm/csr_bf16 n=4096", "spmm_csr_kernels::multiply<" BF16X3 ", 32, 8, 1>", 128, 0,
     [] { spmm<__nv_bfloat16>(1, 410, 4096); }},
    {"sddmm/csr_f32", "sddmm_csr_kernels::multiply<float, true>", 128, 0, [] { sddmm<float>(16, 410, 128); }},
    {"sddmm/csr_bf16", "sddmm_csr_kernels::multiply<__nv_bfloat16, true>", 128, 0,
     [] { sddmm<__nv_bfloat16>(16, 410, 128); }},
    {"gemm/bf16_mma", "gemm_bf16_kernels::multiply<unsigned short, bf16_tiles::Steps>",
     GemmBf16Config::threads, GemmBf16Config::shared_bytes, gemm},
    bsr_mma<16>("spmm/bsr_bf16_mma 16",
                "spmm_bsr_mma_kernels::multiply<SpmmBsrMmaConfig<16>, unsigned short, bf16_tiles::Steps>",
                512),
    bsr_mma<32>("spmm/bsr_bf16_mma 32",
                "spmm_bsr_mma_kernels::multiply<SpmmBsrMmaConfig<32>, unsigned short, bf16_tiles::Steps>",
                512),
    bsr_mma<64>("spmm/bsr_bf16_mma 64",
                "spmm_bsr_mma_kernels::multiply<SpmmBsrMmaConfig<64>, unsigned short, bf16_tiles::Steps>",
                512),
    bsr_wgmma<64>("spmm/bsr_bf16_wgmma 64",
                  "spmm_bsr_wgmma_kernels::multiply<SpmmBsrWgmmaConfig<64, 2>, unsigned short, "
                  "spmm_bsr_wgmma_kernels::Steps>",
                  512),
    bsr_wgmma<128>("spmm/bsr_bf16_wgmma 128",
                   "spmm_bsr_wgmma_kernels::multiply<SpmmBsrWgmmaConfig<128, 2>, unsigned short, "
                   "spmm_bsr_wgmma_kernels::Steps>",
                   512),
    {"spdnn/layer_tiled", "spdnn_kernels::layer_tiled<SpdnnTiledConfig>", SpdnnTiledConfig::threads, 0,
     spdnn_tiled},
    {"spdnn/layers_fused", "spdnn_kernels::layers_fused<48>", SpdnnFusedConfig<48>::threads,
     SpdnnFusedConfig<48>::shared_bytes(1024), spdnn_fused},
};

}  // namespace

int main() {
  for (const Slice& slice : slices) {
    std::printf("%s|%s|%d|%zu\n", slice.name, slice.kernel, slice.threads, slice.shared_bytes);
    nvtxRangePushA(slice.name);
    slice.run();
    nvtxRangePop();
  }
  return cudaDeviceSynchronize();
}
