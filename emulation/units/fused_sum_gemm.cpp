#include "emulation/units/fused_sum_gemm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <exception>
#include <limits>
#include <vector>

#include "emulation/units/fused_sum_kernels.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

using kernels::exponent_bias;
using kernels::FusedSumOutput;
using kernels::FusedSumTask;
using kernels::zero_exponent;

// An operand, decoded. value = significand * 2^exponent, |significand| < 2.
struct Decoded {
  float value = 0;
  float significand = 0;
  std::int32_t integer = 0;  // significand * 2^(p - 1)
  std::int16_t exponent = zero_exponent;
  bool special = false;
};

Decoded decode_operand(std::uint64_t code, const FormatSpec& f) {
  const ExactValue<std::uint64_t> x = exact_from_code(code, f);
  Decoded d;
  d.special = x.kind != Kind::finite;
  if (d.special || x.significand == 0) return d;
  const int places = f.precision - 1;
  d.integer = static_cast<std::int32_t>(x.significand);
  if (x.negative) d.integer = -d.integer;
  d.exponent = static_cast<std::int16_t>(x.exponent + places);
  d.significand = std::ldexp(static_cast<float>(d.integer), -places);
  d.value = std::ldexp(d.significand, d.exponent);
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

// Where in K the unit's i-th product of a run that starts at a chunk comes from.
std::size_t source_of(std::size_t i, bool by_f16_steps) {
  if (!by_f16_steps) return i;
  const std::size_t in_chunk = i % 32, in_step = in_chunk % 16;
  return i - in_chunk + in_step / 2 * 4 + in_step % 2 + in_chunk / 16 * 2;
}

std::size_t rounded_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// What is known of a row of A or a column of B.
struct Line {
  int lowest = std::numeric_limits<std::int16_t>::max();  // exponents of nonzero elements
  int highest = std::numeric_limits<std::int16_t>::min();
  bool special = false;

  void take(const Decoded& x) {
    special = special || x.special;
    if (x.integer == 0) return;
    lowest = std::min<int>(lowest, x.exponent);
    highest = std::max<int>(highest, x.exponent);
  }
  void take(const Line& x) {
    lowest = std::min(lowest, x.lowest);
    highest = std::max(highest, x.highest);
  }
};

// Runs body(i) for every i below n on OpenMP's threads; rethrows what one of them threw.
template <class Body>
void parallel(std::size_t n, bool worth_it, Body body) {
  std::exception_ptr failure;
  const auto count = static_cast<std::ptrdiff_t>(n);
#pragma omp parallel for schedule(dynamic) if (worth_it && n > 1)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    try {
      body(static_cast<std::size_t>(i));
    } catch (...) {
#pragma omp critical(assay_fused_sum_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

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
                 const FusedSumDot& definition) {
  const Decoder decode_a(a.format, shape.by_f16_steps), decode_b(b.format, shape.by_f16_steps);
  const std::size_t k = rounded_up(a.cols, shape.by_f16_steps ? 32 : shape.terms);
  const IntegerLines x = integer_lines(a, decode_a, k, shape.by_f16_steps);
  const IntegerLines y = integer_lines(b.transposed(), decode_b, k, shape.by_f16_steps);
  const Scalar scalar(shape, decode_a.fraction_bits() + decode_b.fraction_bits());
  parallel(d.rows, d.rows * d.cols * k > 4096, [&](std::size_t i) {
    for (std::size_t j = 0; j < d.cols; ++j) {
      const std::uint64_t start = c ? c->code(i, j) : 0;
      if (x.special[i] != 0 || y.special[j] != 0 || is_special_addend(start, d.format)) {
        d.set(i, j, definition(a.row(i), b.column(j), start));
        continue;
      }
      d.set(i, j,
            scalar.dot(x.integers.data() + i * k, x.exponents.data() + i * k, y.integers.data() + j * k,
                       y.exponents.data() + j * k, k, static_cast<std::uint32_t>(start)));
    }
  });
}

// --- panels of columns, for the vector kernels

constexpr std::size_t outer_k = 1024;  // decoded at a time, of all of A and B
constexpr std::size_t inner_k = 128;   // of a panel of B that stays in the first-level cache
constexpr std::size_t row_block = 64;

// Elements beside their exponents, for `lines` x `k`.
struct Pack {
  std::vector<float> values, significands;
  void resize(std::size_t n) {
    values.resize(n);
    significands.resize(n);
  }
};

FusedSumOutput output_of(const FusedSumShape& shape) {
  switch (shape.result) {
    case FusedResult::e8m13: return FusedSumOutput::e8m13;
    case FusedResult::f16: return shape.by_f16_steps ? FusedSumOutput::f16_steps_f16 : FusedSumOutput::f16;
    case FusedResult::f32: break;
  }
  return shape.by_f16_steps ? FusedSumOutput::f16_steps_f32 : FusedSumOutput::f32;
}

// A float32 that holds a float16 exactly, as its code; NaN is the unit's. (Two float16 steps may overflow to
// infinities whose sum is NaN.)
std::uint32_t f16_code(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7FFFFFFF, sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7F800000) return 0x7FFF;
  if (magnitude >= 0x47800000) return sign | 0x7C00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000) >> 13);
  const float units = std::bit_cast<float>(magnitude) * 0x1p24F;  // a subnormal: an integer of them
  return sign | static_cast<std::uint32_t>(units);
}

class VectorGemm {
 public:
  VectorGemm(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a, const CodeMatrix& b,
             const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d)
      : shape_(shape),
        a_(a),
        b_(b),
        c_(c),
        d_(d),
        decode_a_(a.format, shape.by_f16_steps),
        decode_b_(b.format, shape.by_f16_steps),
        chunk_(shape.by_f16_steps ? 32 : shape.terms),
        width_(path.needs == Isa::avx512 ? kernels::fused_sum_columns_avx512
                                         : kernels::fused_sum_columns_avx2),
        kernel_(path.needs == Isa::avx512 ? kernels::fused_sum_avx512 : kernels::fused_sum_avx2),
        all_wide_(path.name.ends_with("any range")),
        panels_((d.cols + width_ - 1) / width_),
        parallel_(d.rows * d.cols * a.cols > 65536) {}

  void run(const FusedSumDot& definition) {
    load_addends();
    row_special_.assign(d_.rows, 0);
    column_special_.assign(panels_ * width_, 0);
    for (std::size_t begin = 0; begin < a_.cols; begin += outer_k) {
      multiply(begin, std::min(outer_k, a_.cols - begin));
    }
    store(definition);
  }

 private:
  float* sums(std::size_t panel, std::size_t row) { return sums_.data() + (panel * d_.rows + row) * width_; }

  void load_addends() {
    sums_.assign(panels_ * d_.rows * width_, 0);
    if (!c_) return;
    const bool f16 = shape_.result == FusedResult::f16;
    const Decoder decode_f16(formats::float16, false);
    parallel(panels_, parallel_, [&](std::size_t panel) {
      for (std::size_t i = 0; i < d_.rows; ++i) {
        for (std::size_t j = panel * width_; j < std::min(d_.cols, (panel + 1) * width_); ++j) {
          const std::uint64_t code = c_->code(i, j);
          if (is_special_addend(code, c_->format)) continue;
          sums(panel, i)[j % width_] =
              f16 ? decode_f16(code).value : std::bit_cast<float>(static_cast<std::uint32_t>(code));
        }
      }
    });
  }

  // Adds the products of k in [begin, begin + n).
  void multiply(std::size_t begin, std::size_t n) {
    const std::size_t k = rounded_up(n, chunk_);
    pack_rows(begin, n, k);
    pack_panels(begin, n, k);
    const int floor = shape_.floor.value_or(kernels::lowest_product);
    const int lowest = std::max(kernels::lowest_product, floor);
    const std::size_t blocks = (d_.rows + row_block - 1) / row_block;
    parallel(panels_ * blocks, parallel_, [&](std::size_t at) {
      const std::size_t panel = at / blocks, first = at % blocks * row_block;
      std::array<std::uint8_t, row_block> wide{};
      FusedSumTask task{.a_stride = k,
                        .rows = std::min(row_block, d_.rows - first),
                        .sums = sums(panel, first),
                        .wide = wide.data(),
                        .all_wide = all_wide_,
                        .terms = static_cast<int>(shape_.terms),
                        .fraction = shape_.fraction,
                        .floor = shape_.floor.value_or(kernels::no_floor),
                        .lowest = lowest,
                        .output = output_of(shape_)};
      for (std::size_t i = 0; i < task.rows; ++i) {
        const Line &row = rows_[first + i], &columns = columns_[panel];
        wide[i] =
            row.lowest + columns.lowest < lowest || row.highest + columns.highest > kernels::highest_product;
      }
      for (std::size_t from = 0; from < k; from += inner_k) {
        const std::size_t in_a = first * k + from, in_b = (panel * k + from) * width_;
        task.a_values = a_pack_.values.data() + in_a;
        task.a_significands = a_pack_.significands.data() + in_a;
        task.a_exponents = a_exponents_.data() + in_a;
        task.b_values = b_pack_.values.data() + in_b;
        task.b_significands = b_pack_.significands.data() + in_b;
        task.b_exponents = b_exponents_.data() + in_b;
        task.k = std::min(inner_k, k - from);
        kernel_(task);
      }
    });
  }

  void pack_rows(std::size_t begin, std::size_t n, std::size_t k) {
    constexpr std::uint32_t zero = exponent_bias + zero_exponent;
    a_pack_.resize(d_.rows * k);
    a_exponents_.resize(d_.rows * k);
    rows_.assign(d_.rows, {});
    parallel(d_.rows, parallel_, [&](std::size_t row) {
      for (std::size_t i = 0; i < k; ++i) {
        const std::size_t source = source_of(i, shape_.by_f16_steps), to = row * k + i;
        if (source >= n) {
          a_pack_.values[to] = a_pack_.significands[to] = 0;
          a_exponents_[to] = zero << 16 | zero;
          continue;
        }
        const Decoded x = decode_a_(a_.code(row, begin + source));
        rows_[row].take(x);
        a_pack_.values[to] = x.value;
        a_pack_.significands[to] = x.significand;
        const auto biased = static_cast<std::uint32_t>(x.exponent + exponent_bias);
        a_exponents_[to] = biased << 16 | biased;
      }
      if (rows_[row].special) row_special_[row] = 1;
    });
  }

  void pack_panels(std::size_t begin, std::size_t n, std::size_t k) {
    const std::size_t lanes = width_ / 2;
    b_pack_.resize(panels_ * k * width_);
    b_exponents_.resize(panels_ * k * width_);
    columns_.assign(panels_, {});
    parallel(panels_, parallel_, [&](std::size_t panel) {
      std::vector<Line> lines(width_);
      for (std::size_t i = 0; i < k; ++i) {
        const std::size_t source = source_of(i, shape_.by_f16_steps);
        const std::size_t to = (panel * k + i) * width_;
        for (std::size_t lane = 0; lane < width_; ++lane) {
          const std::size_t column = panel * width_ + lane;
          Decoded x;
          if (source < n && column < d_.cols) x = decode_b_(b_.code(begin + source, column));
          lines[lane].take(x);
          b_pack_.values[to + lane] = x.value;
          b_pack_.significands[to + lane] = x.significand;
          b_exponents_[to + lane % lanes * 2 + lane / lanes] = x.exponent;
        }
      }
      for (std::size_t lane = 0; lane < width_; ++lane) {
        columns_[panel].take(lines[lane]);
        if (lines[lane].special) column_special_[panel * width_ + lane] = 1;
      }
    });
  }

  void store(const FusedSumDot& definition) {
    const bool f16 = shape_.result == FusedResult::f16;
    parallel(d_.rows, parallel_, [&](std::size_t i) {
      for (std::size_t j = 0; j < d_.cols; ++j) {
        const std::uint64_t start = c_ ? c_->code(i, j) : 0;
        if (row_special_[i] != 0 || column_special_[j] != 0 || is_special_addend(start, d_.format)) {
          d_.set(i, j, definition(a_.row(i), b_.column(j), start));
          continue;
        }
        const float sum = sums(j / width_, i)[j % width_];
        d_.set(i, j, f16 ? f16_code(sum) : std::bit_cast<std::uint32_t>(sum));
      }
    });
  }

  const FusedSumShape shape_;
  const CodeMatrix a_, b_;
  const std::optional<CodeMatrix> c_;
  const MutableCodeMatrix d_;
  const Decoder decode_a_, decode_b_;
  const std::size_t chunk_, width_;
  void (*const kernel_)(const FusedSumTask&) noexcept;
  const bool all_wide_;
  const std::size_t panels_;
  const bool parallel_;

  std::vector<float> sums_;                                 // [panel][row][column of the panel]
  std::vector<std::uint8_t> row_special_, column_special_;  // by all of K
  std::vector<Line> rows_, columns_;                        // by the part of K at hand; columns by panel
  Pack a_pack_, b_pack_;
  std::vector<std::uint32_t> a_exponents_;
  std::vector<std::int16_t> b_exponents_;
};

}  // namespace

void fused_sum_gemm(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                    const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                    const FusedSumDot& definition) {
  if (a.cols == 0) {  // C, whatever it holds
    for (std::size_t i = 0; i < d.rows; ++i) {
      for (std::size_t j = 0; j < d.cols; ++j) d.set(i, j, c ? c->code(i, j) : 0);
    }
    return;
  }
  if (path.needs == Isa::scalar) return scalar_gemm(shape, a, b, c, d, definition);
  VectorGemm(shape, path, a, b, c, d).run(definition);
}

}  // namespace assay
