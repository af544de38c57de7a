// What happens to a sum of products on its way out: scaling, an addend, a bias, an activation, the output's rounding.
//
// Numerics
//   order   y = acc                     the arithmetic's result, in the epilogue's format
//           y = round(alpha * y)        skipped if alpha = 1
//           y = round(y + round(beta * c))   skipped if beta = 0: a NaN in C is not seen; no inner rounding if beta = 1
//           y = round(y + bias)         skipped without a bias
//           y = activation(y)           exact; relu: y if y > 0 or NaN, else +0; clip: NaN stays
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

enum class Activation : std::uint8_t { none, relu, clip };

struct Epilogue {
  double alpha =
      1;  // alpha, beta, low and high are taken as they are: exact numbers, not rounded to `format`
  double beta = 0;
  Activation activation = Activation::none;
  double low = 0, high = 0;                    // clip
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
// The activation of it, ready for the output's rounding.
ExactValue<Wide> exact_activation(const Epilogue& how, const ExactSum& x);

// Bounds on |computed - exact|: of what the output's rounding is given, and of the output.
struct OutputBound {
  double before = 0, value = 0;
};

// The bounds after all steps. `sum`: the upper bound on the exact |sum| and the bound on what the
// arithmetic gave, a value of `given`. Activations do not lengthen a distance.
OutputBound epilogue_bound(const Epilogue& how, const FormatSpec& format, const FormatSpec& given,
                           const BoundedValue& sum, const std::optional<Addend>& c,
                           const std::optional<Addend>& bias, const FormatSpec& output);

}  // namespace assay
