// The products of a layer's gradients: operands rounded to a format, sums by an arithmetic, the same sums in float64.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reference/core/parallel.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"
#include "reference/operations/operation.hpp"
#include "reference/sparse/csr.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::studies {

// How a step is computed.
struct GradientSeries {
  FormatSpec format = formats::float32;  // of v, X and dY; float32 holds its values
  Rounding rounding = Rounding::nearest_even;
  std::string format_name{};
  NamedArithmetic unit{};

  // A format that holds every float32 rounds nothing.
  bool rounds() const { return !contains_format(format, formats::float32); }
  std::string format_and_rounding() const;  // "bf16:SR"
  std::string name() const;                 // "bf16:SR sm80.bf16"
};

// What stochastic rounding draws for, besides the seed and the place.
enum class Operand : std::uint64_t { weights, inputs, output_gradients, pruned };

std::uint64_t rounded_code(float x, const GradientSeries& how, std::uint64_t seed, Operand operand,
                           std::size_t i);

// Values in a format. `slack`: how far each may be from the truth's, by what is known of its rounding beforehand.
struct RoundedOperand {
  FormatSpec format = formats::float32;
  std::vector<std::byte> codes{};
  std::vector<double> values{}, slack{};
};
// `before`: how far the values may be from the truth's already; empty: not at all.
RoundedOperand rounded_operand(std::span<const float> values, const GradientSeries& how, std::uint64_t seed,
                               Operand operand, std::span<const double> before = {});
RoundedOperand float32_operand(std::span<const float> values);

// Results of an arithmetic beside the exact ones of the same rounded operands.
struct UnitProduct {
  std::vector<float> results{};
  std::vector<double> bounds{};         // the arithmetic's own
  std::vector<std::uint8_t> outside{};  // not among the results that it may give
  double relative = 0,
         of_bound = 0;  // root of squares by that of the exact results; the largest error / bound
};

// A B with A by its entries, terms of a row in their order, and B dense with `cols` columns. Views: all must outlive
// it.
class GradientProduct {
 public:
  GradientProduct(const sparse::CsrStructure& a, const RoundedOperand& values, const RoundedOperand& b,
                  std::size_t cols);

  std::vector<float> results(const Arithmetic& unit) const;
  UnitProduct measured(const Arithmetic& unit) const;

 private:
  std::unique_ptr<const operations::Operation> operation_;
};

// The same with any terms, in float64: element (r, c) is the sum over the entries e of row r, in their order, of
// term(e, column of e * cols + c).
template <class Term>
std::vector<double> product_of(const sparse::CsrStructure& a, std::size_t cols, const Term& term) {
  std::vector<double> out(static_cast<std::size_t>(a.rows) * cols);
  parallel_for(static_cast<std::size_t>(a.rows), 0, [&](std::size_t r) {
    double* const sums = &out[r * cols];
    const auto begin = static_cast<std::size_t>(a.row_offsets[r]),
               end = static_cast<std::size_t>(a.row_offsets[r + 1]);
    for (std::size_t e = begin; e < end; ++e) {
      const std::size_t row_of_b = static_cast<std::size_t>(a.column_indices[e]) * cols;
      for (std::size_t c = 0; c < cols; ++c) sums[c] += term(e, row_of_b + c);
    }
  });
  return out;
}

// The terms one after the other, each rounded to the format and added in it.
double chain_of(std::span<const float> terms, const FormatSpec& f);

}  // namespace assay::studies
