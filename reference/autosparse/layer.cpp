#include "reference/autosparse/layer.hpp"

#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>

#include "reference/autosparse/arguments.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/convert.hpp"
#include "reference/sparse/copy_turned.hpp"

namespace assay::autosparse {
namespace {

using sparse::Bf16View;
using sparse::Csr;
using sparse::CsrStructure;
using sparse::DenseView;
using sparse::MutableDenseView;

void require_shape(const char* what, std::int64_t rows, std::int64_t cols, std::int64_t want_rows,
                   std::int64_t want_cols) {
  if (rows != want_rows || cols != want_cols)
    throw ContractError(std::string(what) + " is " + std::to_string(rows) + " x " + std::to_string(cols) +
                        ", not " + std::to_string(want_rows) + " x " + std::to_string(want_cols));
}

// Widened rows side by side.
class Wide {
 public:
  explicit Wide(const Bf16View& x)
      : rows_(x.rows), cols_(x.cols), values_(static_cast<std::size_t>(x.rows * x.cols)) {
    if (x.stride < x.cols)
      throw ContractError("a stride of " + std::to_string(x.stride) + " for rows of " +
                          std::to_string(x.cols));
    for (std::int64_t i = 0; i < rows_; ++i)
      convert_array(x.data + i * x.stride, values_.data() + i * cols_, static_cast<std::size_t>(cols_),
                    {.from = formats::bfloat16, .to = formats::float32}, 1);
  }
  DenseView view() const { return {values_.data(), rows_, cols_, cols_}; }

 private:
  std::int64_t rows_, cols_;
  std::vector<float> values_;
};

std::vector<float> widened(std::span<const bf16_t> v) {
  std::vector<float> out(v.size());
  convert_array(v.data(), out.data(), v.size(), {.from = formats::bfloat16, .to = formats::float32}, 1);
  return out;
}

// Where `stored(i)` of a dense matrix of the layer's shape holds. Every column is written where the next entry would
// stand: half of the branches on a mask would be mispredicted.
template <class Stored>
CsrStructure structure_where(const LayerShape& shape, const Stored& stored) {
  CsrStructure out;
  out.rows = narrow<std::int64_t>(shape.channels, "channels");
  const auto cols = narrow<std::int32_t>(shape.per_channel, "weights of a channel");
  out.cols = cols;
  std::size_t entries = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) entries += stored(i) ? 1 : 0;
  out.column_indices.resize(entries + 1);
  std::int32_t* next = out.column_indices.data();
  std::size_t at = 0;
  for (std::size_t o = 0; o < shape.channels; ++o) {
    for (std::int32_t i = 0; i < cols; ++i) {
      *next = i;
      next += stored(at++) ? 1 : 0;
    }
    out.row_offsets.push_back(next - out.column_indices.data());
  }
  out.column_indices.pop_back();
  return out;
}

sparse::SpmmOptions plan_options(const LayerOptions& options) {
  return {.columns = options.batch, .kernel = options.kernel, .sharing = options.sharing};
}

// Around the caches, where the memory lies so.
void copy_row(std::span<const float> row, float* to, bool stream) {
  constexpr std::size_t quarter = 4;
  std::size_t i = 0;
  if (stream && reinterpret_cast<std::uintptr_t>(to) % (quarter * sizeof(float)) == 0) {
    for (; i + quarter <= row.size(); i += quarter) _mm_stream_ps(to + i, _mm_loadu_ps(row.data() + i));
    _mm_sfence();
  }
  std::copy(row.begin() + static_cast<std::ptrdiff_t>(i), row.end(), to + i);
}

CsrStructure full(std::int64_t rows, std::int64_t cols) {
  CsrStructure out;
  out.rows = rows;
  out.cols = cols;
  out.column_indices.resize(static_cast<std::size_t>(rows * cols));
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto row = out.column_indices.begin() + i * cols;
    std::iota(row, row + cols, 0);
    out.row_offsets.push_back((i + 1) * cols);
  }
  return out;
}

}  // namespace

Csr<float> pruned_weights(std::span<const float> v, const LayerShape& shape) {
  require_size("v", v.size(), shape);
  Csr<float> out;
  out.structure = structure_where(shape, [&](std::size_t i) { return v[i] != 0; });
  out.values.reserve(out.structure.column_indices.size());
  for (std::size_t o = 0; o < shape.channels; ++o) {
    const float* const row = v.data() + o * shape.per_channel;
    for (const std::int32_t i : out.structure.row_columns(static_cast<std::int64_t>(o)))
      out.values.push_back(row[i]);
  }
  return out;
}

Csr<float> transposed_weights(std::span<const float> v, const LayerShape& shape) {
  narrow<std::int32_t>(shape.channels, "channels");
  return sparse::transpose(pruned_weights(v, shape));
}

template <class Real>
std::vector<std::uint8_t> top_half(std::span<const Real> w, const LayerShape& shape,
                                   std::span<const Real> thresholds) {
  require_weights(w, shape);
  require_threshold_count(thresholds.size(), shape);
  // In double, so that no two distances of floats become one.
  std::vector<double> x(w.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = std::fabs(static_cast<double>(w[i])) -
           static_cast<double>(thresholds[thresholds.size() == 1 ? 0 : i / shape.per_channel]);
  const std::size_t half = (x.size() + 1) / 2;
  std::vector<std::uint8_t> out(x.size(), 0);
  if (half == 0) return out;
  std::vector<double> sorted = x;
  const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(half - 1);
  std::nth_element(sorted.begin(), last, sorted.end(), std::greater<>());
  auto equal =
      half - static_cast<std::size_t>(std::count_if(x.begin(), x.end(), [&](double a) { return a > *last; }));
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] > *last || (x[i] == *last && equal > 0)) {
      out[i] = 1;
      if (x[i] == *last) --equal;
    }
  }
  return out;
}

PrunedLayer::PrunedLayer(const Csr<float>& weights, const LayerOptions& options)
    : weights_(weights, plan_options(options)),
      transposed_(sparse::transpose(weights), plan_options(options)) {}

PrunedLayer::PrunedLayer(std::span<const float> v, const LayerShape& shape, const LayerOptions& options)
    : PrunedLayer(pruned_weights(v, shape), options) {}

PrunedLayer::PrunedLayer(std::span<const bf16_t> v, const LayerShape& shape, const LayerOptions& options)
    : PrunedLayer(widened(v), shape, options) {}

void PrunedLayer::forward(const DenseView& x, const MutableDenseView& y, int threads) const {
  weights_.multiply_transposed(x, y, {}, threads);
}
void PrunedLayer::forward(const Bf16View& x, const MutableDenseView& y, int threads) const {
  forward(Wide(x).view(), y, threads);
}
void PrunedLayer::input_gradient(const DenseView& dy, const MutableDenseView& dx, int threads) const {
  transposed_.multiply_transposed(dy, dx, {}, threads);
}
void PrunedLayer::input_gradient(const Bf16View& dy, const MutableDenseView& dx, int threads) const {
  input_gradient(Wide(dy).view(), dx, threads);
}

WeightGradientPlan::WeightGradientPlan(const LayerShape& shape, std::span<const std::uint8_t> places)
    : shape_(shape) {
  if (places.empty()) return;
  require_size("the mask of G", places.size(), shape);
  places_ = structure_where(shape, [&](std::size_t i) { return places[i] != 0; });
  sampled_.emplace(places_);
}

void WeightGradientPlan::multiply(const DenseView& dy, const DenseView& x, const MutableDenseView& g,
                                  int threads) const {
  const auto channels = static_cast<std::int64_t>(shape_.channels),
             inputs = static_cast<std::int64_t>(shape_.per_channel), batch = dy.rows;
  require_shape("dY", dy.rows, dy.cols, x.rows, channels);
  require_shape("X", x.rows, x.cols, batch, inputs);
  require_shape("G", g.rows, g.cols, channels, inputs);
  if (dy.stride < dy.cols)
    throw ContractError("dY has a stride of " + std::to_string(dy.stride) + " for rows of " +
                        std::to_string(dy.cols));
  std::vector<float> turned(static_cast<std::size_t>(batch * channels));
  sparse::copy_turned(dy.data, dy.stride, batch, channels, turned.data(), batch);
  if (!sampled_) {
    // Every row has every column: there is nothing to look for beyond that.
    const sparse::SpmmPlan plan(full(channels, batch), turned,
                                {.columns = inputs, .sharing = sparse::SpmmSharing::same_columns});
    plan.multiply(x, g, {}, threads);
    return;
  }
  std::vector<float> values(static_cast<std::size_t>(places_.nnz()));
  sampled_->multiply({turned.data(), channels, batch, batch}, x, values, {}, threads);
  // A row is put together where the first cache holds it.
  const bool stream = static_cast<std::size_t>(channels * inputs) * sizeof(float) >= non_temporal_bytes;
  PerWorker buffers(threads, [&] { return std::vector<float>(static_cast<std::size_t>(inputs)); });
  parallel_for(static_cast<std::size_t>(channels), threads, [&](std::size_t i, std::size_t worker) {
    const auto o = static_cast<std::int64_t>(i);
    std::vector<float>& row = buffers[worker];
    std::fill(row.begin(), row.end(), 0.0F);
    const float* value = values.data() + places_.row_begin(o);
    for (const std::int32_t column : places_.row_columns(o)) row[static_cast<std::size_t>(column)] = *value++;
    copy_row(row, g.data + o * g.stride, stream);
  });
}

void WeightGradientPlan::multiply(const Bf16View& dy, const Bf16View& x, const MutableDenseView& g,
                                  int threads) const {
  multiply(Wide(dy).view(), Wide(x).view(), g, threads);
}

namespace {

void require_count(const char* what, std::size_t size, std::size_t rows, std::size_t cols) {
  if (size != rows * cols)
    throw ContractError(std::string(what) + " has " + std::to_string(size) + " elements, not " +
                        std::to_string(rows) + " x " + std::to_string(cols));
}

template <class Real>
void one_nan_each(std::span<Real> all) {
  for (Real& x : all) {
    if (std::isnan(x)) x = std::numeric_limits<Real>::quiet_NaN();
  }
}

}  // namespace

template <class Real>
void forward_product(std::span<const Real> v, const LayerShape& shape, std::span<const Real> x,
                     std::size_t batch, std::span<Real> y, int threads) {
  const std::size_t channels = shape.channels, inputs = shape.per_channel;
  require_size("v", v.size(), shape);
  require_count("X", x.size(), batch, inputs);
  require_count("Y", y.size(), batch, channels);
  const MxcsrGuard no_flushing(0x1F80);
  parallel_for(batch, threads, [&](std::size_t b) {
    const std::span<Real> out = y.subspan(b * channels, channels);
    for (std::size_t o = 0; o < channels; ++o) {
      Real s = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        if (v[o * inputs + i] != 0) s = std::fma(v[o * inputs + i], x[b * inputs + i], s);
      }
      out[o] = s;
    }
    one_nan_each(out);
  });
}

template <class Real>
void input_gradient(std::span<const Real> v, const LayerShape& shape, std::span<const Real> dy,
                    std::size_t batch, std::span<Real> dx, int threads) {
  const std::size_t channels = shape.channels, inputs = shape.per_channel;
  require_size("v", v.size(), shape);
  require_count("dY", dy.size(), batch, channels);
  require_count("dX", dx.size(), batch, inputs);
  const MxcsrGuard no_flushing(0x1F80);
  parallel_for(batch, threads, [&](std::size_t b) {
    const std::span<Real> out = dx.subspan(b * inputs, inputs);
    std::fill(out.begin(), out.end(), Real{0});
    for (std::size_t o = 0; o < channels; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        if (v[o * inputs + i] != 0) out[i] = std::fma(v[o * inputs + i], dy[b * channels + o], out[i]);
      }
    }
    one_nan_each(out);
  });
}

template <class Real>
void weight_gradient(const LayerShape& shape, std::span<const Real> dy, std::span<const Real> x,
                     std::size_t batch, std::span<const std::uint8_t> places, std::span<Real> g,
                     int threads) {
  const std::size_t channels = shape.channels, inputs = shape.per_channel;
  require_count("dY", dy.size(), batch, channels);
  require_count("X", x.size(), batch, inputs);
  require_size("G", g.size(), shape);
  if (!places.empty()) require_size("the mask of G", places.size(), shape);
  const MxcsrGuard no_flushing(0x1F80);
  parallel_for(channels, threads, [&](std::size_t o) {
    const std::span<Real> out = g.subspan(o * inputs, inputs);
    std::fill(out.begin(), out.end(), Real{0});
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t i = 0; i < inputs; ++i) {
        if (places.empty() || places[o * inputs + i] != 0)
          out[i] = std::fma(dy[b * channels + o], x[b * inputs + i], out[i]);
      }
    }
    one_nan_each(out);
  });
}

#define ASSAY_INSTANTIATE(Real)                                                                              \
  template std::vector<std::uint8_t> top_half(std::span<const Real>, const LayerShape&,                      \
                                              std::span<const Real>);                                        \
  template void forward_product(std::span<const Real>, const LayerShape&, std::span<const Real>,             \
                                std::size_t, std::span<Real>, int);                                          \
  template void input_gradient(std::span<const Real>, const LayerShape&, std::span<const Real>, std::size_t, \
                               std::span<Real>, int);                                                        \
  template void weight_gradient(const LayerShape&, std::span<const Real>, std::span<const Real>,             \
                                std::size_t, std::span<const std::uint8_t>, std::span<Real>, int);
ASSAY_INSTANTIATE(float)
ASSAY_INSTANTIATE(double)
#undef ASSAY_INSTANTIATE

}  // namespace assay::autosparse
