#include "validation/studies/gradient_product.hpp"

#include <algorithm>
#include <utility>

#include "reference/exact/error_bound.hpp"
#include "reference/formats/stochastic.hpp"
#include "validation/judge/answer.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::studies {
namespace {

const operations::OutputSpec float32_output{};  // nothing after the sum

std::vector<float> floats_of(const std::vector<std::byte>& codes) {
  std::vector<float> all(codes.size() / sizeof(float));
  std::memcpy(all.data(), codes.data(), codes.size());
  return all;
}

}  // namespace

std::string GradientSeries::format_and_rounding() const {
  return rounding == Rounding::nearest_even || !rounds()
             ? format_name
             : format_name + ":" + std::string(rounding_alias(rounding));
}
std::string GradientSeries::name() const { return format_and_rounding() + " " + unit.name; }

std::uint64_t rounded_code(float x, const GradientSeries& how, std::uint64_t seed, Operand operand,
                           std::size_t i) {
  const ExactValue<std::uint64_t> value = exact(x);
  if (how.rounding == Rounding::stochastic)
    return encode_stochastic(value, how.format, seed, static_cast<std::uint64_t>(operand) << 60 | i).code;
  return encode(value, how.format, EncodeOptions{.rounding = how.rounding}).code;
}

RoundedOperand rounded_operand(std::span<const float> values, const GradientSeries& how, std::uint64_t seed,
                               Operand operand, std::span<const double> before) {
  const std::size_t bytes = code_bytes(how.format);
  RoundedOperand out{.format = how.format,
                     .codes = std::vector<std::byte>(values.size() * bytes),
                     .values = std::vector<double>(values.size()),
                     .slack = std::vector<double>(values.size())};
  const double u = how.rounds() ? unit_roundoff(how.format, how.rounding) : 0,
               eta = (how.rounds() ? underflow_error(how.format, how.rounding) : 0) +
                     (how.unit.arithmetic->info().flush_inputs ? std::ldexp(1.0, how.format.emin) : 0),
               largest = decode(how.format.max_finite_code(), how.format);
  parallel_for(values.size(), 0, [&](std::size_t i) {
    const std::uint64_t code = rounded_code(values[i], how, seed, operand, i);
    detail::store_code(out.codes.data(), static_cast<std::ptrdiff_t>(i), bytes, code);
    const double unrounded = double{values[i]}, value = decode(code, how.format);
    out.values[i] = value;
    // Above the largest number a rounding has no bound of its own.
    const double known =
        std::fabs(unrounded) > largest ? std::fabs(value - unrounded) : u * std::fabs(unrounded) + eta;
    out.slack[i] = known + (before.empty() ? 0 : before[i]);
  });
  return out;
}

RoundedOperand float32_operand(std::span<const float> values) {
  RoundedOperand out{.codes = std::vector<std::byte>(values.size_bytes())};
  std::memcpy(out.codes.data(), values.data(), values.size_bytes());
  return out;
}

GradientProduct::GradientProduct(const sparse::CsrStructure& a, const RoundedOperand& values,
                                 const RoundedOperand& b, std::size_t cols) {
  const auto rows = static_cast<std::size_t>(a.rows), depth = static_cast<std::size_t>(a.cols),
             entries = static_cast<std::size_t>(a.nnz());
  operations::OperationInput in;
  in.b = {b.codes.data(), b.format, {depth, cols}, "B"};
  // All there: the operation on dense matrices does the same, faster.
  if (entries == rows * depth) {
    in.a = {values.codes.data(), values.format, {rows, depth}, "A"};
    operation_ = operations::kind_of_gemm.make(std::move(in), float32_output);
    return;
  }
  const CodeVector codes{values.codes.data(), entries, 1, values.format};
  in.sparse = operations::SparseView{.rows = rows,
                                     .cols = depth,
                                     .nnz = entries,
                                     .format = values.format,
                                     .name = "A",
                                     .by_rows = [&a, codes] {
                                       return operations::SparseRows{a.view(), codes};
                                     }};
  operation_ = operations::kind_of_spmm.make(std::move(in), float32_output);
}

std::vector<float> GradientProduct::results(const Arithmetic& unit) const {
  return floats_of(judge::predicted_answer(*operation_, unit, float32_output).codes);
}

UnitProduct GradientProduct::measured(const Arithmetic& unit) const {
  UnitProduct product{.results = results(unit)};
  judge::Answer exact = judge::exact_answer(*operation_, unit, float32_output);
  const CodeVector codes = code_vector(product.results.data(), product.results.size());
  product.outside.resize(product.results.size());
  double squares = 0, error_squares = 0;
  for (std::size_t i = 0; i < product.results.size(); ++i) {
    if (!accepts(exact.results[i], exact.specials, codes.code(i), formats::float32)) product.outside[i] = 1;
    const double value = double{product.results[i]};
    if (!std::isfinite(value) || !std::isfinite(exact.truth[i])) continue;
    // Two numbers of nearly the same size: their difference is exact, or as good as that.
    const double error = (value - exact.truth[i]) - exact.remainder[i];
    squares += exact.truth[i] * exact.truth[i];
    error_squares += error * error;
    if (error != 0) product.of_bound = std::max(product.of_bound, std::fabs(error) / exact.bound[i]);
  }
  if (squares > 0) product.relative = std::sqrt(error_squares / squares);
  product.bounds = std::move(exact.bound);
  return product;
}

double chain_of(std::span<const float> terms, const FormatSpec& f) {
  const Arithmetic& chain =
      arithmetics().find(f == formats::float32 ? "chain_f32_fused" : "chain_bf16_fused");
  std::vector<std::byte> codes(terms.size() * code_bytes(f));
  for (std::size_t i = 0; i < terms.size(); ++i)
    detail::store_code(codes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f),
                       encode(exact(terms[i]), f).code);
  std::vector<std::byte> one(code_bytes(f));
  detail::store_code(one.data(), 0, code_bytes(f), encode(1.0, f).code);
  return decode(chain.dot({codes.data(), terms.size(), 1, f}, {one.data(), terms.size(), 0, f}),
                chain.info().outputs.front());
}

}  // namespace assay::studies
