#include "emulation/units/nvidia/fused_sum_gemm.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "emulation/units/nvidia/fused_sum_detail.hpp"
#include "emulation/units/nvidia/fused_sum_kernels.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

using fused_sum_detail::parallel;
using fused_sum_detail::rounded_up;
using fused_sum_detail::source_of;
using kernels::exponent_bias;
using kernels::zero_exponent;

// An operand, decoded. value = integer * 2^(exponent - p + 1).
struct Decoded {
  std::int32_t integer = 0;
  std::int16_t exponent = zero_exponent;
  bool special = false;
};

Decoded decode_operand(std::uint64_t code, const FormatSpec& f) {
  const ExactValue<std::uint64_t> x = exact_from_code(code, f);
  Decoded d;
  d.special = x.kind != Kind::finite;
  if (d.special || x.significand == 0) return d;
  d.integer = static_cast<std::int32_t>(x.significand);
  if (x.negative) d.integer = -d.integer;
  d.exponent = static_cast<std::int16_t>(x.exponent + f.precision - 1);
  return d;
}

// Operands as the unit reads them: a table for codes of up to 16 bits, the definition for tf32.
class Decoder {
 public:
  Decoder(const FormatSpec& f, bool as_f16) : precision_(as_f16 ? 11 : f.precision), tf32_(f.bits > 16) {
    if (tf32_) {
      drop_ = f.bits - formats::tf32.bits;
      precision_ = formats::tf32.precision;
    } else {
      table_ = &table_of(f, as_f16);
    }
  }
  Decoded operator()(std::uint64_t code) const {
    return tf32_ ? decode_operand(code >> drop_, formats::tf32) : (*table_)[code];
  }
  int fraction_bits() const { return precision_ - 1; }

 private:
  using Table = std::vector<Decoded>;

  static Table make_table(const FormatSpec& f, bool as_f16) {
    Table table(std::size_t{1} << f.bits);
    for (std::size_t code = 0; code < table.size(); ++code) {
      table[code] = as_f16 ? decode_operand(convert(code, f, formats::float16).code, formats::float16)
                           : decode_operand(code, f);
    }
    return table;
  }
  static const Table& table_of(const FormatSpec& f, bool as_f16) {
    using namespace formats;
    static const Table f16 = make_table(float16, false);
    static const Table bf16 = make_table(bfloat16, false);
    static const Table e4m3 = make_table(float8_e4m3fn, false), e4m3_as_f16 = make_table(float8_e4m3fn, true);
    static const Table e5m2 = make_table(float8_e5m2, false), e5m2_as_f16 = make_table(float8_e5m2, true);
    if (f == float16) return f16;
    if (f == bfloat16) return bf16;
    if (f == float8_e4m3fn) return as_f16 ? e4m3_as_f16 : e4m3;
    return as_f16 ? e5m2_as_f16 : e5m2;
  }

  int precision_;
  bool tf32_;
  int drop_ = 0;
  const Table* table_ = nullptr;
};

// --- one element at a time, in integers

// Truncates |x| = significand * 2^exponent to a float32 of `places` fraction bits; Inf from 2^128.
std::uint32_t truncated_f32(bool negative, std::uint64_t significand, int exponent, int places) {
  const std::uint32_t sign = negative ? 0x80000000 : 0;
  if (significand == 0) return sign;
  const int e = exponent + bit_width(significand) - 1;
  if (e > 127) return sign | 0x7F800000;
  const int shift = std::max(e, -126) - places - exponent;
  const std::uint64_t kept = shift <= 0 ? significand << -shift : shift > 63 ? 0 : significand >> shift;
  const auto binade = static_cast<std::uint64_t>(std::max(e, -126) + 126);
  return sign | static_cast<std::uint32_t>((kept + (binade << places)) << (23 - places));
}

std::uint32_t nearest_f16(bool negative, std::uint64_t significand, int exponent) {
  const std::uint32_t sign = negative ? 0x8000 : 0;
  if (significand == 0) return sign;
  const int e = exponent + bit_width(significand) - 1;
  if (e > 16) return sign | 0x7C00;
  const int shift = std::max(e, -14) - 10 - exponent;
  std::uint64_t kept = 0;
  if (shift <= 0) {
    kept = significand << -shift;
  } else if (shift < 64) {
    kept = significand >> shift;
    const std::uint64_t rest = significand - (kept << shift), half = std::uint64_t{1} << (shift - 1);
    if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
  }
  kept += static_cast<std::uint64_t>(std::max(e, -14) + 14) << 10;
  return sign | static_cast<std::uint32_t>(std::min<std::uint64_t>(kept, 0x7C00));
}

class Scalar {
 public:
  Scalar(const FusedSumShape& shape, int product_fraction_bits)
      : shape_(shape),
        lift_(shape.fraction - product_fraction_bits),
        terms_(shape.terms),
        floor_(shape.floor.value_or(kernels::no_floor)) {}

  // c = step(.., c), for finite operands.
  std::uint32_t step(const std::int32_t* a, const std::int16_t* ae, const std::int32_t* b,
                     const std::int16_t* be, std::uint32_t c, FusedResult result) const {
    const bool f16 = result == FusedResult::f16;
    const int places = f16 ? 10 : 23;
    const std::uint32_t magnitude = c & (f16 ? 0x7FFF : 0x7FFFFFFF);
    if (magnitude >= (f16 ? 0x7C00U : 0x7F800000U)) return c;  // an infinity from an earlier step
    const auto field = static_cast<int>(magnitude >> places);
    const int c_exponent = std::max(field, 1) - (f16 ? 15 : 127);
    const std::uint32_t hidden = std::uint32_t{1} << places;
    const std::int64_t c_significand = field == 0 ? magnitude : (magnitude & (hidden - 1)) | hidden;

    int emax = magnitude == 0 ? floor_ : c_exponent;
    int lowest = 0;
    for (std::size_t i = 0; i < terms_; ++i) {
      const int e = ae[i] + be[i];
      emax = std::max(emax, e);
      lowest = std::min(lowest, e);
    }
    if (lowest < kernels::zero_product_below - exponent_bias) emax = std::max(emax, floor_);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < terms_; ++i) {
      const std::int64_t product = std::int64_t{a[i]} * b[i] * (std::int64_t{1} << lift_);
      const int down = std::min(emax - ae[i] - be[i], 63);
      // Toward zero: what a shift of a negative number drops is added to it first.
      const std::int64_t negative = product >> 63;
      const auto below = static_cast<std::int64_t>((std::uint64_t{1} << down) - 1);
      sum += (product + (negative & below)) >> down;
    }
    const int down = emax - shape_.fraction - (c_exponent - places);
    const std::int64_t kept = magnitude == 0 || down > 62 ? 0
                              : down >= 0                 ? c_significand >> down
                                                          : c_significand << -down;
    sum += (c & (f16 ? 0x8000U : 0x80000000U)) != 0 ? -kept : kept;
    if (sum == 0) return 0;
    const auto absolute = static_cast<std::uint64_t>(sum < 0 ? -sum : sum);
    const int quantum = emax - shape_.fraction;
    return f16 ? nearest_f16(sum < 0, absolute, quantum)
               : truncated_f32(sum < 0, absolute, quantum, result == FusedResult::f32 ? 23 : 13);
  }

  // Over k elements, a multiple of the chunk; c and the result are codes of the accumulator.
  std::uint32_t dot(const std::int32_t* a, const std::int16_t* ae, const std::int32_t* b,
                    const std::int16_t* be, std::size_t k, std::uint32_t c) const {
    if (!shape_.by_f16_steps) {
      for (std::size_t i = 0; i < k; i += terms_) c = step(a + i, ae + i, b + i, be + i, c, shape_.result);
      return c;
    }
    const FormatSpec& out = shape_.result == FusedResult::f16 ? formats::float16 : formats::float32;
    for (std::size_t i = 0; i < k; i += 2 * terms_) {
      const std::size_t j = i + terms_;
      std::uint32_t t = step(a + i, ae + i, b + i, be + i, 0, shape_.result);
      t = step(a + j, ae + j, b + j, be + j, t, shape_.result);
      const ExactValue<Wide> sum = wide_sum(widened(exact_from_code(t, out)),
                                            widened(exact_from_code(c, out)), Rounding::nearest_even);
      c = static_cast<std::uint32_t>(sum.kind == Kind::nan ? out.magnitude_mask() : encode(sum, out).code);
    }
    return c;
  }

 private:
  FusedSumShape shape_;
  int lift_;
  std::size_t terms_;
  int floor_;
};

// Rows of integers: what the scalar path reads.
struct IntegerLines {
  IntegerLines(std::size_t lines, std::size_t k)
      : length(k), integers(lines * k), exponents(lines * k, zero_exponent), special(lines) {}
  std::size_t length;
  std::vector<std::int32_t> integers;
  std::vector<std::int16_t> exponents;
  std::vector<std::uint8_t> special;
};

IntegerLines integer_lines(const CodeMatrix& x, const Decoder& decoder, std::size_t k, bool by_f16_steps) {
  IntegerLines lines(x.rows, k);
  parallel(x.rows, x.rows * k > 65536, [&](std::size_t row) {
    for (std::size_t i = 0; i < k; ++i) {
      const std::size_t at = source_of(i, by_f16_steps);
      if (at >= x.cols) continue;
      const Decoded d = decoder(x.code(row, at));
      lines.integers[row * k + i] = d.integer;
      lines.exponents[row * k + i] = d.exponent;
      if (d.special) lines.special[row] = 1;
    }
  });
  return lines;
}

bool is_special_addend(std::uint64_t c, const FormatSpec& f) { return !f.is_finite(c); }

void scalar_gemm(const FusedSumShape& shape, const CodeMatrix& a, const CodeMatrix& b,
                 const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                 const FusedSumDefinition& definition) {
  const Decoder decode_a(a.format, shape.by_f16_steps), decode_b(b.format, shape.by_f16_steps);
  const std::size_t k = rounded_up(a.cols, shape.by_f16_steps ? 32 : shape.terms);
  const IntegerLines x = integer_lines(a, decode_a, k, shape.by_f16_steps);
  const IntegerLines y = integer_lines(b.transposed(), decode_b, k, shape.by_f16_steps);
  const Scalar scalar(shape, decode_a.fraction_bits() + decode_b.fraction_bits());
  define_rows(x.special, d, definition);
  parallel(d.rows, d.rows * d.cols * k > 4096, [&](std::size_t i) {
    if (x.special[i] != 0) return;
    for (std::size_t j = 0; j < d.cols; ++j) {
      const std::uint64_t start = c ? c->code(i, j) : 0;
      if (y.special[j] != 0 || is_special_addend(start, d.format)) {
        definition({.first = i}, {.first = j});
        continue;
      }
      d.set(i, j,
            scalar.dot(x.integers.data() + i * k, x.exponents.data() + i * k, y.integers.data() + j * k,
                       y.exponents.data() + j * k, k, static_cast<std::uint32_t>(start)));
    }
  });
}

}  // namespace

void define_rows(const std::vector<std::uint8_t>& special, const MutableCodeMatrix& d,
                 const FusedSumDefinition& definition) {
  for (std::size_t first = 0, end = 0; first < d.rows; first = end + 1) {
    for (end = first; end < d.rows && special[end] != 0;) ++end;
    if (end != first) definition({first, end - first}, {0, d.cols});
  }
}

void fused_sum_gemm(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                    const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                    const FusedSumDefinition& definition) {
  if (a.cols == 0) {  // C, whatever it holds
    for (std::size_t i = 0; i < d.rows; ++i) {
      for (std::size_t j = 0; j < d.cols; ++j) d.set(i, j, c ? c->code(i, j) : 0);
    }
    return;
  }
  if (path.needs == Isa::scalar) return scalar_gemm(shape, a, b, c, d, definition);
  fused_sum_panels(shape, path, a, b, c, d, definition);
}

}  // namespace assay
