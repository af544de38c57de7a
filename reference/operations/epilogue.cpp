#include "reference/operations/epilogue.hpp"

#include <algorithm>
#include <cmath>

#include "reference/core/error.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/exact/wide_arithmetic.hpp"

namespace assay {
namespace {

double decoded(const Addend& x) { return decode(x.code, x.format); }

}  // namespace

bool is_plain(const Epilogue& how) {
  return how.alpha == 1 && how.beta == 0 && how.activation == Activation::none &&
         how.rounding == Rounding::nearest_even && how.overflow == Overflow::ieee;
}

void check_epilogue(const Epilogue& how) {
  if (how.rounding == Rounding::stochastic) throw ContractError("an epilogue does not round stochastically");
  if (std::isnan(how.alpha) || std::isnan(how.beta)) throw ContractError("alpha or beta is NaN");
  if (how.activation == Activation::clip && !(how.low <= how.high)) {
    throw ContractError("clip to [" + std::to_string(how.low) + ", " + std::to_string(how.high) + "]");
  }
}

std::uint64_t apply_epilogue(const Epilogue& how, const FormatSpec& format, const Addend& acc,
                             const std::optional<Addend>& c, const std::optional<Addend>& bias,
                             const FormatSpec& output) {
  // Values of every format are float64 values: between the steps y is one, exactly.
  const auto rounded = [&](const ExactValue<Wide>& x) {
    return decode(encode(x, format, {.rounding = how.rounding}).code, format);
  };
  const auto product = [](double x, double y) { return wide_product(exact(x), exact(y)); };
  double y = how.alpha == 0 ? 0 : rounded(widened(exact(decoded(acc))));
  if (how.alpha != 1 && how.alpha != 0) y = rounded(product(how.alpha, y));
  if (how.beta != 0 && c) {
    const double addend = how.beta == 1 ? decoded(*c) : rounded(product(how.beta, decoded(*c)));
    y = rounded(wide_sum(widened(exact(y)), widened(exact(addend)), how.rounding));
  }
  if (bias) y = rounded(wide_sum(widened(exact(y)), widened(exact(decoded(*bias))), how.rounding));
  switch (how.activation) {
    case Activation::none: break;
    case Activation::relu: y = y > 0 || std::isnan(y) ? y : 0; break;
    case Activation::relu_max: y = y > 0 ? y : 0; break;
    case Activation::clip: y = y < how.low ? how.low : y > how.high ? how.high : y; break;
  }
  return encode(exact(y), output, {.rounding = how.rounding, .overflow = how.overflow}).code;
}

ExactSum exact_epilogue(const Epilogue& how, const ExactSum& sum, const std::optional<Addend>& c,
                        const std::optional<Addend>& bias) {
  ExactSum x = how.alpha == 0 ? ExactSum() : sum;
  if (how.alpha != 1 && how.alpha != 0) x.multiply(exact(how.alpha));
  if (how.beta != 0 && c) x.add_product(exact(how.beta), exact_from_code(c->code, c->format));
  if (bias) x.add(bias->code, bias->format);
  return x;
}

}  // namespace assay
