// What is applied to a finished sum of products: scaling, an addend, a bias, an activation, the output's rounding.
//
// Numerics
//   order   y = acc                     the arithmetic's result, in the epilogue's format
//           y = round(alpha * y)        skipped if alpha = 1; alpha = 0: y = +0, and a NaN in the product is not seen
//           y = round(y + round(beta * c))   skipped if beta = 0: a NaN in C is not seen; no inner rounding if beta = 1
//           y = round(y + bias)         skipped without a bias
//           y = activation(y)           exact; relu: y if y > 0 or NaN, else +0; relu_max: +0 for NaN too, as
//                                       fmaxf(y, 0) gives; clip: NaN stays
//           out = round to the output's format
//   round   to `format`, by `rounding`, one integer rounding each; subnormals are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"

namespace assay {

enum class Activation : std::uint8_t { none, relu, relu_max, clip };

// Where alpha, beta c and bias enter, for who judges results of an unknown order.
enum class EpiloguePlace : std::uint8_t {
  last,  // after the sum, one step each as above
  anywhere,  // each at any leaf or node of the sum: C first, as BLAS has it, alpha times an operand, panel by panel
};

struct Epilogue {
  double alpha =
      1;  // alpha, beta, low and high are taken as they are: exact numbers, not rounded to `format`
  double beta = 0;
  Activation activation = Activation::none;
  double low = 0, high = 0;                    // clip
  EpiloguePlace place = EpiloguePlace::last;   // read by bounds alone
  std::optional<FormatSpec> format{};          // of the steps; empty: the arithmetic's accumulator
  Rounding rounding = Rounding::nearest_even;  // of the steps and of the output; not stochastic
  Overflow overflow = Overflow::ieee;          // of the output
};

// A number that joins the sum: a code of some format.
struct Addend {
  std::uint64_t code = 0;
  FormatSpec format = formats::float32;
};

// Does nothing but round to nearest: then gemm() and conv2d() leave the output's rounding to the arithmetic.
bool is_plain(const Epilogue& how);
// ContractError for stochastic rounding, a clip without low <= high, or alpha, beta, low or high that is NaN.
void check_epilogue(const Epilogue& how);

// `acc` through the epilogue, whose steps are in `format`: a code of `output`.
std::uint64_t apply_epilogue(const Epilogue& how, const FormatSpec& format, const Addend& acc,
                             const std::optional<Addend>& c, const std::optional<Addend>& bias,
                             const FormatSpec& output);

// The exact alpha * sum + beta * c + bias, before the activation. ContractError if it leaves the range of ExactSum.
ExactSum exact_epilogue(const Epilogue& how, const ExactSum& sum, const std::optional<Addend>& c,
                        const std::optional<Addend>& bias);

}  // namespace assay
