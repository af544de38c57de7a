#include "validation/judge/autosparse_truth.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <utility>

#include "reference/core/parallel.hpp"
#include "reference/exact/double_double.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/operations/operation.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/fitted.hpp"

namespace assay::judge {
namespace {

// Arithmetic of pairs.
using functions::detail::operator+;
using functions::detail::operator-;
using functions::detail::operator*;
using functions::detail::two_product;
using functions::detail::two_sum;

constexpr Rounding nearest = Rounding::nearest_even;

// What steps may round to: the format of the sums, or that of the result where it is coarser.
FormatSpec step_format(const AutosparseLayer& layer, const FormatSpec& got) {
  return coarser(layer.products.accumulator, got);
}

// Of a value that was computed in steps, once it is the result.
double final_bound(const BoundedValue& x, const FormatSpec& got) { return x.rounded(got, nearest).error; }

// A factor as a program holds it.
BoundedValue scale(const AutosparseLayer& layer, double x) {
  return BoundedValue{x, 0}.rounded(layer.products.accumulator, nearest);
}

BoundedValue magnitude(Pair x, double error = 0) {
  return {std::nextafter(std::fabs(x.hi), HUGE_VAL), error};
}

Answer exact_matrix_product(const AutosparseRequest& r, const AutosparseLayer& layer, io::Array a,
                            bool transpose_a, io::Array b, const FormatSpec& output) {
  const OutputSpec spec{.format = output};
  const auto product = matrix_product(r, std::move(a), transpose_a, std::move(b), spec);
  const std::unique_ptr<const Arithmetic> any = make_any_order(layer.products, output);
  return exact_answer(*product, r.arithmetic == nullptr ? *any : *r.arithmetic, spec, {.threads = r.threads});
}

std::vector<double> magnitudes_of(std::vector<double> x) {
  for (double& value : x) value = std::fabs(value);
  return x;
}

double sum_error(const Accumulation& how, std::size_t terms, double magnitudes, bool of_products) {
  const TermSums data{.terms = terms, .magnitudes = magnitudes};
  const ErrorBound bound = of_products ? dot_bound(how, data) : sum_bound(how, data);
  return bound.may_overflow ? HUGE_VAL : bound.value;
}

}  // namespace

std::unique_ptr<const Operation> matrix_product(const AutosparseRequest& r, io::Array a, bool transpose_a,
                                                io::Array b, const OutputSpec& output) {
  Operands operands;
  operands.a = std::move(a);
  operands.b = std::move(b);
  operands.transpose_a = transpose_a;
  if (r.arithmetic != nullptr) {
    const ArithmeticInfo& info = r.arithmetic->info();
    const auto [left, right] = input_formats(info, operands.a.element.format(), operands.b.element.format());
    operands.a = fitted(std::move(operands.a), left, false, info);
    operands.b = fitted(std::move(operands.b), right, false, info);
  }
  auto product = make_operation(operations::kind_of_gemm, std::move(operands), output);
  if (r.arithmetic != nullptr && r.require_places) r.require_places(product->shape());
  return product;
}

double sum_slack(std::size_t n) { return 1 + static_cast<double>(n + 4) * 0x1p-52; }

std::vector<double> turned(const std::vector<double>& x, std::size_t rows, std::size_t cols) {
  std::vector<double> out(x.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) out[c * rows + r] = x[r * cols + c];
  }
  return out;
}

std::vector<double> plain_product(const std::vector<double>& a, const std::vector<double>& b,
                                  std::size_t rows, std::size_t depth, std::size_t cols, int threads) {
  std::vector<double> out(rows * cols);
  parallel_for(rows, threads, [&](std::size_t r) {
    double* const sums = &out[r * cols];
    for (std::size_t k = 0; k < depth; ++k) {
      const double factor = a[r * depth + k];
      const double* const row = &b[k * cols];
      if (factor == 0) continue;
      for (std::size_t c = 0; c < cols; ++c) sums[c] += factor * row[c];
    }
  });
  return out;
}

std::vector<double> pruned_values(const AutosparseLayer& layer) {
  std::vector<double> v(layer.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (layer.kept[i] == 0) continue;
    // Of float32 numbers, the rounding to float64 on the way does not count: it has more than twice the places.
    double x = std::fabs(layer.w[i]) - layer.threshold[layer.threshold_of(i)];
    if (layer.thresholds == formats::float32) x = static_cast<double>(static_cast<float>(x));
    v[i] = std::copysign(x, layer.w[i]);
  }
  return v;
}

io::Array pruned_operand(const AutosparseLayer& layer, const FormatSpec& format) {
  io::Array v = as_matrix(io::make_array(format, {static_cast<std::int64_t>(layer.size())}),
                          layer.shape.channels, layer.shape.per_channel);
  v.origin = "v";
  const std::vector<double> values = pruned_values(layer);
  for (std::size_t i = 0; i < values.size(); ++i)
    detail::store_code(v.bytes.data(), static_cast<std::ptrdiff_t>(i), v.element.bytes(),
                       encode(values[i], format).code);
  return v;
}

AutosparseTruth v_truth(const AutosparseLayer& layer, const FormatSpec& got) {
  AutosparseTruth out;
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const std::size_t t = layer.threshold_of(i);
    if (layer.kept[i] == 0 && layer.undecided[i] == 0) {
      out.add({0, 0}, 0);
      continue;
    }
    Pair v = two_sum(std::fabs(layer.w[i]), -layer.threshold[t]);
    if (layer.w[i] < 0) v = -v;
    if (layer.kept[i] == 0) v = {0, 0};
    // A threshold within reach moves v by no more than that, over the edge of the mask too.
    const BoundedValue stepped =
        magnitude(v, layer.reach[t]).rounded(layer.products.accumulator, nearest).rounded(got, nearest);
    out.admitted += layer.undecided[i];
    out.add(v, stepped.error);
  }
  return out;
}

ExactProducts weight_gradients(const AutosparseRequest& r, const AutosparseLayer& layer) {
  ExactProducts g;
  if (r.g) {
    for (const double x : values_of(*r.g)) g.value.push_back({x, 0});
    g.error.assign(g.value.size(), 0);
    return g;
  }
  const std::size_t out = layer.shape.channels, in = layer.shape.per_channel, batch = layer.batch;
  const FormatSpec& sums =
      r.arithmetic == nullptr ? layer.products.accumulator : r.arithmetic->info().outputs.front();
  const Answer answer =
      exact_matrix_product(r, layer, as_matrix(*r.dy, batch, out), true, as_matrix(*r.x, batch, in), sums);
  for (std::size_t i = 0; i < answer.truth.size(); ++i)
    g.value.push_back({answer.truth[i], answer.remainder[i]});
  if (r.arithmetic != nullptr) {
    g.error = answer.bound;
    return g;
  }
  const std::vector<double> sizes = plain_product(magnitudes_of(turned(values_of(*r.dy), batch, out)),
                                                  magnitudes_of(values_of(*r.x)), out, batch, in, r.threads);
  for (const double size : sizes)
    g.error.push_back(sum_error(layer.products, batch, size * sum_slack(batch), true));
  return g;
}

AutosparseTruth dx_truth(const AutosparseRequest& r, const AutosparseLayer& layer, const FormatSpec& got) {
  const std::size_t out = layer.shape.channels, in = layer.shape.per_channel, batch = layer.batch;
  // A unit takes v in the narrower format; of anybody else it is not known.
  const bool narrow = layer.v_format != layer.thresholds, by_unit = r.arithmetic != nullptr;
  const FormatSpec& operand = by_unit ? layer.v_format : layer.thresholds;
  const FormatSpec& sums = by_unit ? r.arithmetic->info().outputs.front() : layer.products.accumulator;
  const Answer answer = exact_matrix_product(r, layer, as_matrix(*r.dy, batch, out), false,
                                             pruned_operand(layer, operand), sums);
  // How far an operand may lie from ours.
  std::vector<double> v = magnitudes_of(pruned_values(layer)), deviation(v.size());
  std::vector<std::size_t> terms(in);
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (layer.kept[i] == 0 && layer.undecided[i] == 0) continue;
    BoundedValue other{v[i], layer.reach[layer.threshold_of(i)]};
    if (!by_unit || other.error > 0) other = other.rounded(layer.thresholds, nearest);
    if (narrow && (!by_unit || other.error > 0)) other = other.rounded(layer.v_format, nearest);
    deviation[i] = other.error;
    v[i] += deviation[i];
    ++terms[i % in];
  }
  const std::vector<double> dy = magnitudes_of(values_of(*r.dy));
  const std::vector<double> sizes = plain_product(dy, v, batch, out, in, r.threads),
                            moved = plain_product(dy, deviation, batch, out, in, r.threads);
  AutosparseTruth truth;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Pair exact{answer.truth[i], answer.remainder[i]};
    // A unit's own bound is of our operands: of others, their magnitudes grow by no more than the deviations.
    const double summing =
        by_unit ? answer.bound[i] : sum_error(layer.products, terms[i % in], sizes[i] * sum_slack(out), true);
    truth.add(
        exact,
        final_bound(magnitude(exact, upward::add(summing, moved[i] * (by_unit ? 2 : 1) * sum_slack(out))),
                    got));
  }
  return truth;
}

namespace {

// h G + lambda w, and the error of its steps.
std::pair<Pair, double> weight_gradient(const AutosparseLayer& layer, const FormatSpec& got, Pair g,
                                        double error, double h, double w) {
  const FormatSpec step = step_format(layer, got);
  Pair exact = g * h;
  BoundedValue value = magnitude(g, error);
  // What was stored in between.
  if (step != layer.products.accumulator) value = value.rounded(step, nearest);
  if (h == 0) value = {0, 0};
  if (h != 0 && h != 1) value = (value * scale(layer, h)).rounded(step, nearest);
  if (layer.lambda != 0) {
    exact = exact + two_product(layer.lambda, w);
    value = (value + (BoundedValue{std::fabs(w), 0} * scale(layer, layer.lambda)).rounded(step, nearest))
                .rounded(step, nearest);
  }
  // The sum of the magnitudes is no less than that of the result.
  return {exact, final_bound({std::min(value.magnitude, magnitude(exact).magnitude), value.error}, got)};
}

}  // namespace

AutosparseTruth dw_truth(const AutosparseLayer& layer, const ExactProducts& g, const FormatSpec& got,
                         const std::vector<double>& got_values) {
  AutosparseTruth out;
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const double ours = layer.supported[i] == 0 ? 0 : layer.kept[i] != 0 ? 1 : layer.alpha;
    auto best = weight_gradient(layer, got, g.value[i], g.error[i], ours, layer.w[i]);
    if (layer.undecided[i] != 0 || layer.maybe_supported[i] != 0) {
      ++out.admitted;
      const auto off = [&](const auto& candidate) { return std::fabs(got_values[i] - candidate.first.hi); };
      for (const double h : {0.0, layer.alpha, 1.0}) {
        const bool may = h == 0   ? layer.maybe_supported[i] != 0 || layer.supported[i] == 0
                         : h == 1 ? layer.kept[i] != 0 || layer.undecided[i] != 0
                                  : layer.kept[i] == 0 || layer.undecided[i] != 0;
        if (h != 0 && layer.supported[i] == 0 && layer.maybe_supported[i] == 0) continue;
        if (!may) continue;
        const auto other = weight_gradient(layer, got, g.value[i], g.error[i], h, layer.w[i]);
        if (off(other) < off(best)) best = other;
      }
    }
    out.add(best.first, best.second);
  }
  return out;
}

namespace {

// sign(w) h G of one threshold, summed.
struct SignedSum {
  ExactSum kept{}, masked{};  // without alpha
  double magnitudes = 0;      // of the terms, their errors included
  double errors = 0;          // of the terms
  std::size_t terms = 0, admitted = 0;
};

SignedSum signed_sum(const AutosparseLayer& layer, const ExactProducts& g, const FormatSpec& step,
                     std::size_t first, std::size_t count) {
  SignedSum sum;
  for (std::size_t i = first; i < first + count; ++i) {
    const double sign = sign_of(layer.w[i]);
    if (sign == 0) continue;
    const double h = layer.kept[i] != 0 ? 1 : layer.alpha;
    const bool open = layer.undecided[i] != 0 || layer.maybe_supported[i] != 0;
    if (!open && (layer.supported[i] == 0 || h == 0)) continue;
    BoundedValue term = magnitude(g.value[i], g.error[i]);
    if (step != layer.products.accumulator) term = term.rounded(step, nearest);
    if (open || h != 1) term = (term * scale(layer, open ? 1 : h)).rounded(step, nearest);
    if (open) {
      // Between nothing, or alpha's share, and all of it.
      term.error =
          upward::add(term.error, term.magnitude * (layer.maybe_supported[i] != 0 ? 1 : 1 - layer.alpha));
      ++sum.admitted;
    }
    if (layer.supported[i] != 0 && h != 0) {
      ExactSum& into = layer.kept[i] != 0 ? sum.kept : sum.masked;
      into.add(sign * g.value[i].hi);
      into.add(sign * g.value[i].lo);
    }
    sum.magnitudes += term.magnitude + term.error;
    sum.errors += term.error;
    ++sum.terms;
  }
  const double slack = sum_slack(2 * sum.terms);
  sum.magnitudes *= slack;
  sum.errors *= slack;
  return sum;
}

// To 106 bits.
Pair as_pair(ExactSum sum) {
  const double hi = decode(sum.rounded(formats::float64).code, formats::float64);
  sum.add(-hi);
  return {hi, decode(sum.rounded(formats::float64).code, formats::float64)};
}

}  // namespace

AutosparseTruth ds_truth(const AutosparseLayer& layer, const ExactProducts& g, const FormatSpec& got) {
  AutosparseTruth out;
  const FormatSpec step = step_format(layer, got);
  const std::size_t groups = layer.threshold.size(), count = groups == 0 ? 0 : layer.size() / groups;
  for (std::size_t t = 0; t < groups; ++t) {
    SignedSum sum = signed_sum(layer, g, step, t * count, count);
    ExactSum exact = sum.masked;
    exact.multiply(assay::exact(layer.alpha));
    exact.merge(sum.kept);
    // -T (1 - T) S = T T S - T S
    exact.multiply(assay::exact(layer.threshold[t]));
    ExactSum square = exact;
    square.multiply(assay::exact(layer.threshold[t]));
    exact.negate();
    exact.merge(square);
    const bool decays = layer.lambda_s != 0;
    if (decays) exact.add_product(layer.lambda_s, layer.s[t]);
    const Pair value = as_pair(std::move(exact));

    const double summing = sum.terms == 0 ? 0 : sum_error(layer.ds_sum, sum.terms, sum.magnitudes, false);
    BoundedValue result{sum.magnitudes, upward::add(summing, sum.errors)};
    // T (1 - T) may be computed in the format of T.
    const FormatSpec& slope = coarser(step, layer.thresholds);
    const BoundedValue threshold{layer.threshold[t], layer.reach[t]};
    const BoundedValue rest = BoundedValue{std::nextafter(1 - layer.threshold[t], 1), layer.reach[t]}
                                  .rounded(slope, nearest)
                                  .rounded(slope, nearest);
    // T, then 1 - T, times a term or the sum; or their product, which rounds no more often.
    result = (result * threshold).rounded(slope, nearest);
    result = (result * rest).rounded(slope, nearest);
    result.magnitude = std::min(result.magnitude, magnitude(value).magnitude + result.error);
    if (decays)
      result =
          (result + (BoundedValue{std::fabs(layer.s[t]), layer.s_rounding[t]} * scale(layer, layer.lambda_s))
                        .rounded(step, nearest))
              .rounded(step, nearest);
    out.admitted += sum.admitted;
    out.add(value, final_bound({std::min(result.magnitude, magnitude(value).magnitude), result.error}, got));
  }
  return out;
}

std::vector<std::byte> rounded_codes(const AutosparseTruth& truth, const FormatSpec& format) {
  const std::size_t bytes = code_bytes(format);
  std::vector<std::byte> codes(truth.truth.size() * bytes);
  for (std::size_t i = 0; i < truth.truth.size(); ++i) {
    double x = truth.truth[i];
    const double rest = truth.remainder[i];
    // To odd, so that the second rounding is that of the whole; float64 has it already.
    const bool even = (std::bit_cast<std::uint64_t>(x) & 1) == 0;
    if (rest != 0 && even && format.precision < 53) x = std::nextafter(x, rest > 0 ? HUGE_VAL : -HUGE_VAL);
    detail::store_code(codes.data(), static_cast<std::ptrdiff_t>(i), bytes, encode(x, format).code);
  }
  return codes;
}

}  // namespace assay::judge
