// Private to the judge: what the results of a layer should be, exactly, with proven bounds.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "reference/exact/functions.hpp"
#include "validation/judge/autosparse_layer.hpp"
#include "validation/judge/operands.hpp"

namespace assay::judge {

using Pair = functions::DoubleDouble;

// A result's exact values, truth + remainder, and bounds on the error of a right one, its rounding into the format of
// the result included. Infinite: nothing is known.
struct AutosparseTruth {
  std::vector<double> truth{}, remainder{}, bound{};
  std::size_t admitted = 0;  // elements at which an undecided mask or support let the result choose

  void add(Pair exact, double error) {
    truth.push_back(exact.hi);
    remainder.push_back(exact.lo);
    bound.push_back(error);
  }
};

// Exact sums of products and the errors of sums that somebody computed.
struct ExactProducts {
  std::vector<Pair> value{};
  std::vector<double> error{};
};

// G as it was given, without an error, or the exact dY^T X.
ExactProducts weight_gradients(const AutosparseRequest& request, const AutosparseLayer& layer);

// `got`: of the format and with the values of the result, where either of two is accepted.
AutosparseTruth v_truth(const AutosparseLayer& layer, const FormatSpec& got);
AutosparseTruth dx_truth(const AutosparseRequest& request, const AutosparseLayer& layer,
                         const FormatSpec& got);
AutosparseTruth dw_truth(const AutosparseLayer& layer, const ExactProducts& g, const FormatSpec& got,
                         const std::vector<double>& got_values);
AutosparseTruth ds_truth(const AutosparseLayer& layer, const ExactProducts& g, const FormatSpec& got);

// Codes of the exact values, each rounded once.
std::vector<std::byte> rounded_codes(const AutosparseTruth& truth, const FormatSpec& format);

// The product of two matrices, in the formats of the arithmetic that was named, if one was.
std::unique_ptr<const Operation> matrix_product(const AutosparseRequest& request, io::Array a,
                                                bool transpose_a, io::Array b, const OutputSpec& output);

// |w| - T rounded once into the format of T, with the sign of w; 0 where masked.
std::vector<double> pruned_values(const AutosparseLayer& layer);
// The same in `format`, to nearest even, as an operand of dX: channels x per_channel.
io::Array pruned_operand(const AutosparseLayer& layer, const FormatSpec& format);

// Of float64 matrices, rows x depth and depth x cols, row-major, by plain sums: for magnitudes and wrong models.
std::vector<double> plain_product(const std::vector<double>& a, const std::vector<double>& b,
                                  std::size_t rows, std::size_t depth, std::size_t cols, int threads);
std::vector<double> turned(const std::vector<double>& x, std::size_t rows, std::size_t cols);
// A factor that covers the rounding of a plain sum of n magnitudes.
double sum_slack(std::size_t n);

inline double sign_of(double w) { return w > 0 ? 1 : w < 0 ? -1 : 0; }

}  // namespace assay::judge
