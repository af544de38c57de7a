#include "validation/studies/quantized_inference.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay::studies {
namespace {

double rounded_value(double x, const Quantity& q, std::uint64_t seed, std::uint64_t index) {
  if (q.mode == Rounding::stochastic)
    return decode(encode_stochastic(exact(x), q.format, seed, index).code, q.format);
  return round_once(x, q.format, q.mode);
}

// Unlike numbers for unlike places, so that each has random bits of its own.
std::uint64_t place(std::uint64_t image, std::size_t layer, std::size_t output) {
  return image << 40 ^ std::uint64_t{layer} << 26 ^ std::uint64_t{output} << 10;
}

}  // namespace

Quantity parse_quantity(std::string_view option, const std::string& text) {
  const std::size_t colon = text.starts_with("custom:") ? text.find(':', 7) : text.find(':');
  try {
    Quantity q{.format = parse_format(text.substr(0, colon))};
    if (colon != std::string::npos) q.mode = parse_rounding(text.substr(colon + 1));
    return q;
  } catch (const InputError& e) {
    throw InputError(std::string(option), "", "FORMAT or FORMAT:ROUNDING; " + e.expected(), e.found());
  }
}

std::string arithmetic_text(const InferenceArithmetic& a) {
  std::vector<std::pair<Quantity, std::string>> groups;
  for (const auto& [name, q] : {std::pair<std::string, Quantity>{"weights", a.weights},
                                {"activations", a.activations},
                                {"bias", a.bias},
                                {"accumulator", a.accumulator}}) {
    if (q == Quantity{}) continue;
    const auto same =
        std::find_if(groups.begin(), groups.end(), [&q = q](const auto& g) { return g.first == q; });
    if (same == groups.end()) {
      groups.emplace_back(q, name);
    } else {
      same->second += ", " + name;
    }
  }
  std::string text;
  for (const auto& [q, names] : groups) text += (text.empty() ? "" : "; ") + names + " " + quantity_text(q);
  return text.empty() ? "float32" : text;
}

double round_once(double x, const FormatSpec& f, Rounding mode) {
  if (f == formats::float64) return x;
  const auto slow = [&] { return decode(encode(x, f, mode).code, f); };
  constexpr int fraction_bits = 52;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t magnitude = bits & ~(std::uint64_t{1} << 63);
  const int e = static_cast<int>(magnitude >> fraction_bits) - 1023;
  // Zeros, what is subnormal in the format, what may overflow, infinities, NaN.
  if (e < f.emin || e >= f.emax()) return magnitude == 0 && f.specials != Specials::fnuz ? x : slow();
  const int dropped = fraction_bits + 1 - f.precision;
  if (dropped == 0) return x;
  const std::uint64_t low = (std::uint64_t{1} << dropped) - 1, half = std::uint64_t{1} << (dropped - 1);
  const bool negative = bits != magnitude;
  std::uint64_t r = magnitude;
  // The carry runs into the exponent, as it should; e < emax, so that it cannot overflow.
  switch (mode) {
    case Rounding::nearest_even: r += half - 1 + (magnitude >> dropped & 1); break;
    case Rounding::nearest_away: r += half; break;
    case Rounding::toward_zero: break;
    case Rounding::toward_positive: r += negative ? 0 : low; break;
    case Rounding::toward_negative: r += negative ? low : 0; break;
    case Rounding::to_odd:
      if ((magnitude & low) != 0) r |= low + 1;
      break;
    case Rounding::stochastic: return slow();
  }
  r &= ~low;
  return std::bit_cast<double>(r | (bits ^ magnitude));
}

double odd_fma(double w, double x, double s) {
  const double p = w * x, t = s + p;
  const double bb = t - s, lost = (s - (t - bb)) + (p - bb);
  if (lost == 0 || !std::isfinite(t)) return t;
  auto bits = std::bit_cast<std::uint64_t>(t);
  if ((bits & 1) == 0) bits = (lost > 0) == (t > 0) ? bits + 1 : bits - 1;
  return std::bit_cast<double>(bits);
}

QuantizedNetwork::QuantizedNetwork(const networks::Network& network, const InferenceArithmetic& arithmetic)
    : a_(arithmetic), widest_(network.widest()) {
  if (network.layers.empty()) throw ContractError("QuantizedNetwork: no layers");
  check(network);
  const auto random = [](const Quantity& q) { return q.mode == Rounding::stochastic; };
  stochastic_ = random(a_.accumulator) || random(a_.activations) || random(a_.weights) || random(a_.bias);
  // Otherwise a product might not fit a float64.
  definition_ = a_.weights.format.precision + a_.activations.format.precision > 53;
  for (std::size_t l = 0; l < network.layers.size(); ++l) layers_.push_back(laid_out(network.layers[l], l));
  const Rounded& back = layers_.back();
  layers_.back().last = std::isinf(back.upper) && std::isinf(back.lower);
  try_what_is_kept();
}

QuantizedNetwork::Rounded QuantizedNetwork::laid_out(const networks::Layer& from, std::size_t l) const {
  Rounded to;
  to.inputs = from.weights.cols();
  to.outputs = from.weights.rows();
  to.lower = static_cast<double>(from.clip.lower);
  to.upper = static_cast<double>(from.clip.upper);
  std::map<std::tuple<std::vector<std::int32_t>, std::vector<float>, float>, std::uint32_t> known;
  for (std::int64_t j = 0; j < from.weights.rows(); ++j) {
    const auto columns = from.weights.row_columns(j);
    const auto values = from.weights.row_values(j);
    const float bias = from.bias[static_cast<std::size_t>(j)];
    const auto next = narrow<std::uint32_t>(to.bias.size(), "outputs of a layer");
    if (!stochastic_) {
      const auto [at, is_new] =
          known.try_emplace({{columns.begin(), columns.end()}, {values.begin(), values.end()}, bias}, next);
      if (!is_new) {
        to.distinct.push_back(at->second);
        continue;
      }
    }
    to.distinct.push_back(next);
    const std::uint64_t index = place(~std::uint64_t{0}, l, static_cast<std::size_t>(j));
    for (std::size_t e = 0; e < columns.size(); ++e) {
      to.columns.push_back(static_cast<std::uint32_t>(columns[e]));
      to.weights.push_back(rounded_value(static_cast<double>(values[e]), a_.weights, a_.seed, index + e + 1));
    }
    to.bias.push_back(rounded_value(static_cast<double>(bias), a_.bias, a_.seed, index));
    to.offsets.push_back(to.columns.size());
  }
  return to;
}

// From the back: what a layer keeps, all behind it must keep too.
void QuantizedNetwork::try_what_is_kept() {
  std::vector<double> x(static_cast<std::size_t>(widest_)), y(x.size());
  bool zero = true, top = !stochastic_;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Rounded& layer = layers_[l];
    const auto keeps = [&](double value, double result) {
      std::fill(x.begin(), x.end(), value);
      apply(l, x, y, 0);
      return std::all_of(y.begin(), y.begin() + layer.outputs, [&](double v) { return v == result; });
    };
    // A stochastic rounding could go two ways: zero stays only where the bias, and so every rounding of it, is clipped.
    const bool clipped = layer.lower == 0 &&
                         std::all_of(layer.bias.begin(), layer.bias.end(), [](double b) { return b <= 0; });
    zero = zero && (stochastic_ ? clipped : keeps(0, 0));
    const double upper = rounded_value(layer.upper, {a_.activations.format, Rounding::nearest_even}, 0, 0);
    top = top && std::isfinite(layer.upper) && keeps(upper, upper);
    layer.keeps_zero = zero;
    layer.keeps_top = top;
  }
}

double QuantizedNetwork::rounded_sum(double w, double x, double s, std::uint64_t counter) const {
  const FormatSpec& f = a_.accumulator.format;
  if (f == formats::float64 && a_.accumulator.mode == Rounding::nearest_even && !definition_)
    return std::fma(w, x, s);
  if (!definition_ && !stochastic_ && f != formats::float64)
    return round_once(odd_fma(w, x, s), f, a_.accumulator.mode);
  EncodeOptions options{.rounding = a_.accumulator.mode};
  if (options.rounding == Rounding::stochastic) options.random = random_bits(a_.seed, counter, 32);
  const ExactValue<Wide> t = wide_sum(wide_product(exact(w), exact(x)), widened(exact(s)), options.rounding);
  return decode(encode(t, f, options).code, f);
}

double QuantizedNetwork::sum(const Rounded& layer, std::size_t output, std::span<const double> x,
                             std::uint64_t counter) const {
  const std::uint64_t begin = layer.offsets[output], end = layer.offsets[output + 1];
  const Quantity single;
  if (a_.accumulator == single && !definition_ && !stochastic_ &&
      contains_format(single.format, a_.weights.format) &&
      contains_format(single.format, a_.activations.format)) {
    float s = 0;
    for (std::uint64_t e = begin; e < end; ++e)
      s = std::fma(static_cast<float>(layer.weights[e]), static_cast<float>(x[layer.columns[e]]), s);
    // A bias of more bits than a float has is a float64: one rounding of the exact sum.
    return round_once(odd_fma(1, layer.bias[output], static_cast<double>(s)), formats::float32,
                      Rounding::nearest_even);
  }
  double s = 0;
  for (std::uint64_t e = begin; e < end; ++e)
    s = rounded_sum(layer.weights[e], x[layer.columns[e]], s, counter + (e - begin));
  return rounded_sum(1, layer.bias[output], s, counter + (end - begin));
}

double QuantizedNetwork::apply(std::size_t l, std::span<const double> x, std::span<double> y,
                               std::uint64_t image) const {
  const Rounded& layer = layers_[l];
  double largest = -std::numeric_limits<double>::infinity();
  thread_local std::vector<double> distinct;
  distinct.resize(layer.bias.size());
  for (std::size_t d = 0; d < layer.bias.size(); ++d) {
    const std::uint64_t counter = stochastic_ ? place(image, l, d) : 0;
    const double z = sum(layer, d, x, counter);
    largest = std::max(largest, z);
    const double clipped = z <= layer.lower ? layer.lower : z > layer.upper ? layer.upper : z;
    distinct[d] = layer.last ? clipped : rounded_value(clipped, a_.activations, a_.seed, counter + 1023);
  }
  for (std::size_t j = 0; j < layer.distinct.size(); ++j) y[j] = distinct[layer.distinct[j]];
  return largest;
}

struct QuantizedNetwork::Trace {
  std::vector<double> y;
  bool alive = true;
  double margin = std::numeric_limits<double>::infinity();
  int layer = 0;
};

void QuantizedNetwork::run(std::span<const float> inputs, std::uint64_t image, Trace& trace) const {
  const MxcsrGuard guard(0x1F80);
  thread_local std::vector<double> x, y;
  x.assign(static_cast<std::size_t>(widest_), 0);
  y.assign(static_cast<std::size_t>(widest_), 0);
  const std::uint64_t index = place(image, layers_.size(), 0);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    x[i] = rounded_value(static_cast<double>(inputs[i]), a_.activations, a_.seed, index + i);
  std::size_t l = 0;
  for (; l < layers_.size(); ++l) {
    const auto n = static_cast<std::ptrdiff_t>(layers_[l].inputs);
    const bool zero = std::all_of(x.begin(), x.begin() + n, [](double v) { return v == 0; });
    if (zero && layers_[l].keeps_zero) break;
    if (layers_[l].keeps_top && l > 0) {
      const double top = layers_[l].upper;
      if (std::all_of(x.begin(), x.begin() + n, [&](double v) { return v == top; })) break;
    }
    const double largest = apply(l, x, y, image);
    std::swap(x, y);
    const auto outputs = static_cast<std::ptrdiff_t>(layers_[l].outputs);
    const bool dead = std::all_of(x.begin(), x.begin() + outputs, [](double v) { return v == 0; });
    if (largest < trace.margin || dead) {
      trace.margin = largest;
      trace.layer = static_cast<int>(l) + 1;
    }
  }
  const auto outputs = static_cast<std::ptrdiff_t>(layers_.back().outputs);
  if (l < layers_.size() && x[0] == 0) std::fill(x.begin(), x.end(), 0);
  if (l < layers_.size() && x[0] != 0) std::fill(x.begin(), x.end(), x[0]);
  trace.alive = std::any_of(x.begin(), x.begin() + outputs, [](double v) { return v != 0; });
  trace.y.assign(x.begin(), x.begin() + outputs);
}

Answer QuantizedNetwork::answer(Question question, std::span<const float> x, std::uint64_t image) const {
  if (x.size() != static_cast<std::size_t>(inputs()))
    throw ContractError("QuantizedNetwork: " + std::to_string(x.size()) + " inputs for " +
                        std::to_string(inputs()));
  Trace trace;
  run(x, image, trace);
  if (question == Question::category) return {trace.alive ? 1U : 0U, trace.margin, trace.layer};
  const auto best = std::max_element(trace.y.begin(), trace.y.end());  // the first of equals
  double second = -std::numeric_limits<double>::infinity();
  for (auto at = trace.y.begin(); at != trace.y.end(); ++at) {
    if (at != best) second = std::max(second, *at);
  }
  return {static_cast<std::uint32_t>(best - trace.y.begin()), *best - second,
          static_cast<int>(layers_.size())};
}

std::vector<double> QuantizedNetwork::outputs(std::span<const float> x, std::uint64_t image) const {
  Trace trace;
  run(x, image, trace);
  return std::move(trace.y);
}

std::vector<Answer> answers(const QuantizedNetwork& network, Question question, std::size_t images,
                            const ImageSource& source, int threads,
                            const std::function<void(double)>& progress) {
  std::vector<Answer> all(images);
  constexpr std::size_t piece = 2000;
  for (std::size_t first = 0; first < images; first += piece) {
    if (progress) progress(static_cast<double>(first) / static_cast<double>(images));
    const std::size_t count = std::min(piece, images - first);
    parallel_for(count, threads, [&](std::size_t i) {
      thread_local std::vector<float> x;
      x.resize(static_cast<std::size_t>(network.inputs()));
      source(first + i, x);
      all[first + i] = network.answer(question, x, first + i);
    });
  }
  return all;
}

}  // namespace assay::studies
