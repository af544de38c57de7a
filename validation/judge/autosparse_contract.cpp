#include "validation/judge/autosparse_contract.hpp"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "reference/autosparse/layer.hpp"
#include "reference/operations/operation.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/arrays.hpp"

namespace assay::judge {
namespace {

bool is_of(const std::optional<io::Array>& array, const FormatSpec& f) {
  return array && array->element == io::ElementType(f);
}

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class Real>
std::vector<Real> reals(const std::vector<double>& x) {
  return {x.begin(), x.end()};
}

// The arithmetic of one type of weights.
template <class Real>
struct AutosparseReals {
  std::vector<Real> w, thresholds;
  explicit AutosparseReals(const AutosparseLayer& layer)
      : w(reals<Real>(layer.w)), thresholds(reals<Real>(layer.threshold)) {}
};

template <class View>
View matrix_view(const io::Array& x, std::size_t rows, std::size_t cols) {
  return {reinterpret_cast<decltype(View::data)>(x.bytes.data()), static_cast<std::int64_t>(rows),
          static_cast<std::int64_t>(cols), static_cast<std::int64_t>(cols)};
}

// The places of G; empty: all of them.
template <class Real>
std::vector<std::uint8_t> places_of_g(const AutosparseRequest& r, const AutosparseLayer& layer) {
  if (r.support == "kept") return layer.kept;
  if (r.support == "dense") return {};
  const AutosparseReals<Real> real(layer);
  return autosparse::top_half<Real>(real.w, layer.shape, real.thresholds);
}

template <class Real>
void leave_out(const std::vector<std::uint8_t>& places, std::vector<Real>& g) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] == 0) g[i] = 0;
  }
}

// G in float64, as float_g() below.
std::optional<std::vector<double>> double_g(const AutosparseRequest& r, const AutosparseLayer& layer) {
  const std::vector<std::uint8_t> places = places_of_g<double>(r, layer);
  if (is_of(r.g, formats::float64)) {
    std::vector<double> g = values_of(*r.g);
    leave_out(places, g);
    return g;
  }
  if (!is_of(r.x, formats::float64) || !is_of(r.dy, formats::float64) || r.arithmetic != nullptr)
    return std::nullopt;
  std::vector<double> g(layer.size());
  autosparse::weight_gradient<double>(layer.shape, r.dy->as<double>(), r.x->as<double>(), layer.batch, places,
                                      g, r.threads);
  return g;
}

// A matrix product under the arithmetic that was named; empty where it does not take these formats.
std::optional<std::vector<std::byte>> unit_product(const AutosparseRequest& r, io::Array a, bool transpose_a,
                                                   io::Array b, const FormatSpec& output) {
  if (!r.arithmetic->gives(output)) return std::nullopt;
  const OutputSpec spec{.format = output};
  const auto product = matrix_product(r, std::move(a), transpose_a, std::move(b), spec);
  return predicted_answer(*product, *r.arithmetic, spec, {.threads = r.threads}).codes;
}

// G in float32, 0 where it is left out; empty where no contract names its bits.
std::optional<std::vector<float>> float_g(const AutosparseRequest& r, const AutosparseLayer& layer) {
  const std::size_t out = layer.shape.channels, in = layer.shape.per_channel, batch = layer.batch;
  const std::vector<std::uint8_t> places = places_of_g<float>(r, layer);
  std::vector<float> g(layer.size());
  if (r.g || r.arithmetic != nullptr) {
    if (r.g && !is_of(r.g, formats::float32)) return std::nullopt;
    const auto bytes = r.g ? std::optional(r.g->bytes)
                           : unit_product(r, as_matrix(*r.dy, batch, out), true, as_matrix(*r.x, batch, in),
                                          formats::float32);
    if (!bytes) return std::nullopt;
    if (!g.empty()) std::memcpy(g.data(), bytes->data(), bytes->size());
    leave_out(places, g);
    return g;
  }
  const autosparse::WeightGradientPlan plan(layer.shape, places);
  const sparse::MutableDenseView target{g.data(), static_cast<std::int64_t>(out),
                                        static_cast<std::int64_t>(in), static_cast<std::int64_t>(in)};
  if (is_of(r.x, formats::float32) && is_of(r.dy, formats::float32)) {
    plan.multiply(matrix_view<sparse::DenseView>(*r.dy, batch, out),
                  matrix_view<sparse::DenseView>(*r.x, batch, in), target, r.threads);
  } else if (is_of(r.x, formats::bfloat16) && is_of(r.dy, formats::bfloat16)) {
    plan.multiply(matrix_view<sparse::Bf16View>(*r.dy, batch, out),
                  matrix_view<sparse::Bf16View>(*r.x, batch, in), target, r.threads);
  } else {
    return std::nullopt;
  }
  return g;
}

template <class Real>
std::vector<std::byte> gradients_of(const AutosparseLayer& layer, const std::vector<Real>& g, bool of_s,
                                    const FormatSpec& got, int threads) {
  const AutosparseReals<Real> real(layer);
  const autosparse::GradientScales scales{layer.alpha, layer.lambda, layer.lambda_s};
  if (!of_s) {
    std::vector<Real> dw(layer.size());
    autosparse::backward<Real>(real.w, layer.shape, real.thresholds, g, scales, dw, {}, threads);
    return bytes_of(dw);
  }
  std::vector<double> sums(layer.threshold.size());
  autosparse::backward<Real>(real.w, layer.shape, real.thresholds, g, scales, {}, sums, threads);
  AutosparseTruth ds;
  for (std::size_t t = 0; t < sums.size(); ++t)
    ds.add({autosparse::s_gradient(layer.threshold[t], sums[t], layer.s.empty() ? 0 : layer.s[t],
                                   layer.lambda_s),
            0},
           0);
  return rounded_codes(ds, got);
}

std::optional<AutosparseBits> dx_bits(const AutosparseRequest& r, const AutosparseLayer& layer,
                                      const FormatSpec& got) {
  const std::size_t out = layer.shape.channels, in = layer.shape.per_channel, batch = layer.batch;
  if (r.arithmetic != nullptr) {
    auto codes =
        unit_product(r, as_matrix(*r.dy, batch, out), false, pruned_operand(layer, layer.v_format), got);
    if (!codes) return std::nullopt;
    return AutosparseBits{std::move(*codes), r.arithmetic_name};
  }
  if (got == formats::float64 && layer.weights == formats::float64 && is_of(r.dy, formats::float64)) {
    std::vector<double> dx(batch * in);
    autosparse::input_gradient<double>(pruned_values(layer), layer.shape, r.dy->as<double>(), batch, dx,
                                       r.threads);
    return AutosparseBits{bytes_of(dx), "chain_f64_fused over the kept weights"};
  }
  if (got != formats::float32 || layer.weights != formats::float32) return std::nullopt;
  std::vector<float> dx(batch * in);
  const sparse::MutableDenseView target{dx.data(), static_cast<std::int64_t>(batch),
                                        static_cast<std::int64_t>(in), static_cast<std::int64_t>(in)};
  const io::Array v = pruned_operand(layer, layer.v_format);
  const autosparse::LayerOptions options{.batch = static_cast<std::int64_t>(batch)};
  if (is_of(r.dy, formats::float32)) {
    const autosparse::PrunedLayer pruned(v.as<float>(), layer.shape, options);
    pruned.input_gradient(matrix_view<sparse::DenseView>(*r.dy, batch, out), target, r.threads);
  } else if (is_of(r.dy, formats::bfloat16)) {
    const autosparse::PrunedLayer pruned(v.as<bf16_t>(), layer.shape, options);
    pruned.input_gradient(matrix_view<sparse::Bf16View>(*r.dy, batch, out), target, r.threads);
  } else {
    return std::nullopt;
  }
  return AutosparseBits{bytes_of(dx), "chain_f32_fused over the kept weights"};
}

}  // namespace

std::optional<AutosparseBits> contract_bits(const AutosparseRequest& r, const AutosparseLayer& layer,
                                            const std::string& array, const FormatSpec& got) {
  if (layer.size() == 0) return std::nullopt;
  if (array == "dx") return layer.batch == 0 ? std::nullopt : dx_bits(r, layer, got);
  if (layer.weights != formats::float32 && layer.weights != formats::float64) return std::nullopt;
  const std::string own = fmt::format("AutoSparse's contract of {}", layer.weights.dtype);
  if (array == "v") {
    const bool rounded = layer.weights == formats::float32 && got == formats::bfloat16;
    if (got != layer.weights && !rounded) return std::nullopt;
    return AutosparseBits{pruned_operand(layer, got).bytes, own};
  }
  const bool of_s = array == "ds";
  if (got != layer.weights && !(of_s && got == formats::float64)) return std::nullopt;
  if (!r.g && layer.batch == 0) return std::nullopt;
  if (layer.weights == formats::float64) {
    const std::optional<std::vector<double>> g = double_g(r, layer);
    if (!g) return std::nullopt;
    return AutosparseBits{gradients_of<double>(layer, *g, of_s, got, r.threads),
                          own + (r.g ? "" : ", G by chain_f64_fused")};
  }
  const std::optional<std::vector<float>> g = float_g(r, layer);
  if (!g) return std::nullopt;
  const std::string of_g = r.g                       ? ""
                           : r.arithmetic != nullptr ? ", G by " + r.arithmetic_name
                                                     : ", G by chain_f32_fused";
  return AutosparseBits{gradients_of<float>(layer, *g, of_s, got, r.threads), own + of_g};
}

}  // namespace assay::judge
