#include "reference/formats/bf16_arithmetic.hpp"

#include <bit>

#include "reference/formats/exact_arithmetic.hpp"

namespace assay {
namespace {

float widen(bf16_t x) { return std::bit_cast<float>(std::uint32_t{x.code} << 16); }

// Nearest-even by the carry of an addition; NaN first, as the carry could run it into an infinity or a zero.
bf16_t narrow(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) {
    return bf16_t::from_code(static_cast<std::uint16_t>(formats::bfloat16.nan_code()));
  }
  return bf16_t::from_code(static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16));
}

ExactValue<std::uint64_t> exact(bf16_t x) { return exact_from_code(x.code, formats::bfloat16); }

bf16_t rounded(const ExactValue<std::uint64_t>& x) {
  return bf16_t::from_code(static_cast<std::uint16_t>(encode(x, formats::bfloat16).code));
}

}  // namespace

bf16_t add(bf16_t a, bf16_t b) { return narrow(widen(a) + widen(b)); }
bf16_t sub(bf16_t a, bf16_t b) { return narrow(widen(a) - widen(b)); }
bf16_t mul(bf16_t a, bf16_t b) { return narrow(widen(a) * widen(b)); }
bf16_t div(bf16_t a, bf16_t b) { return narrow(widen(a) / widen(b)); }
bf16_t fma(bf16_t a, bf16_t b, bf16_t c) {
  return rounded(exact_sum(exact_product(exact(a), exact(b)), exact(c)));
}

namespace definition {
bf16_t add(bf16_t a, bf16_t b) { return rounded(exact_sum(exact(a), exact(b))); }
bf16_t mul(bf16_t a, bf16_t b) { return rounded(exact_product(exact(a), exact(b))); }
bf16_t div(bf16_t a, bf16_t b) { return rounded(exact_quotient(exact(a), exact(b))); }
}  // namespace definition

}  // namespace assay
