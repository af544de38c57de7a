#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "emulation/units/nvidia/fused_sum_detail.hpp"
#include "emulation/units/nvidia/fused_sum_gemm.hpp"
#include "emulation/units/nvidia/fused_sum_kernels.hpp"
#include "reference/formats/encode.hpp"

namespace assay {
namespace {

using fused_sum_detail::parallel;
using fused_sum_detail::rounded_up;
using fused_sum_detail::source_of;
using kernels::exponent_bias;
using kernels::FusedSumOutput;
using kernels::FusedSumTask;
using kernels::zero_exponent;

constexpr std::size_t outer_k = 1024;  // decoded at a time, of all of A and B
constexpr std::size_t inner_k = 128;   // of a panel of B that stays in the first-level cache
constexpr std::size_t rows_at_once = 64;
constexpr std::int16_t special_exponent = 4000;  // of NaN and infinities while a line is decoded

// --- operands as float32 and the specification's exponent

// A code of an IEEE format within float32, by its bits: `drop` low ones are ignored.
template <int drop, int fraction_bits, int exponent_bits>
struct DecodeBits {
  template <class Code>
  void operator()(Code code, float& value, std::int16_t& exponent) const {
    constexpr int bias = (1 << (exponent_bits - 1)) - 1, width = 1 + exponent_bits + fraction_bits;
    constexpr std::uint32_t field_mask = (1U << exponent_bits) - 1;
    const std::uint32_t bits = static_cast<std::uint32_t>(code) >> drop;
    const std::uint32_t sign = bits >> (width - 1) << 31;
    const std::uint32_t magnitude = bits & ((1U << (width - 1)) - 1);
    const std::uint32_t field = magnitude >> fraction_bits & field_mask;
    const std::uint32_t normal = (magnitude << (23 - fraction_bits)) + ((127U - bias) << 23);
    // Of subnormals: an integer times the smallest of them. With float32's own bias `normal` is right already.
    const float scaled =
        static_cast<float>(static_cast<std::int32_t>(magnitude)) * std::bit_cast<float>(smallest());
    const std::uint32_t tiny =
        bias == 127 ? magnitude << (23 - fraction_bits) : std::bit_cast<std::uint32_t>(scaled);
    const bool special = field == field_mask;
    const std::uint32_t absolute = special ? 0 : field == 0 ? tiny : normal;
    value = std::bit_cast<float>(sign | absolute);
    const int e = (field == 0 ? 1 : static_cast<int>(field)) - bias;
    exponent = static_cast<std::int16_t>(magnitude == 0 ? zero_exponent : special ? special_exponent : e);
  }

 private:
  static constexpr std::uint32_t smallest() {
    constexpr int e = 2 - (1 << (exponent_bits - 1)) - fraction_bits + 127;
    return e > 0 ? static_cast<std::uint32_t>(e) << 23 : 0;
  }
};

// 8-bit codes, as they are or as float16.
struct DecodeTable {
  struct Entry {
    float value = 0;
    std::int16_t exponent = zero_exponent;
  };
  const std::array<Entry, 256>* entries;

  void operator()(std::uint8_t code, float& value, std::int16_t& exponent) const {
    value = (*entries)[code].value;
    exponent = (*entries)[code].exponent;
  }

  static std::array<Entry, 256> make(const FormatSpec& f, bool as_f16) {
    std::array<Entry, 256> table;
    const FormatSpec& read_as = as_f16 ? formats::float16 : f;
    for (std::size_t code = 0; code < table.size(); ++code) {
      const std::uint64_t operand = as_f16 ? convert(code, f, formats::float16).code : code;
      const ExactValue<std::uint64_t> x = exact_from_code(operand, read_as);
      if (x.kind != Kind::finite) {
        table[code].exponent = special_exponent;
        continue;
      }
      table[code].value = static_cast<float>(decode(operand, read_as));
      if (x.significand != 0) {
        table[code].exponent = static_cast<std::int16_t>(x.exponent + read_as.precision - 1);
      }
    }
    return table;
  }
};

// Decodes runs of operands of one format.
class LineDecoder {
 public:
  LineDecoder(const FormatSpec& f, bool as_f16) : kind_(kind_of(f)) {
    using namespace formats;
    if (kind_ != Kind_::f8) return;
    static const auto e4m3 = DecodeTable::make(float8_e4m3fn, false);
    static const auto e5m2 = DecodeTable::make(float8_e5m2, false);
    static const auto e4m3_as_f16 = DecodeTable::make(float8_e4m3fn, true);
    static const auto e5m2_as_f16 = DecodeTable::make(float8_e5m2, true);
    table_.entries = f == float8_e4m3fn ? (as_f16 ? &e4m3_as_f16 : &e4m3) : (as_f16 ? &e5m2_as_f16 : &e5m2);
  }

  void operator()(const CodeVector& x, float* values, std::int16_t* exponents) const {
    switch (kind_) {
      case Kind_::f32: return run<std::uint32_t>(x, DecodeBits<13, 10, 8>(), values, exponents);
      case Kind_::tf32: return run<std::uint32_t>(x, DecodeBits<0, 10, 8>(), values, exponents);
      case Kind_::bf16: return run<std::uint16_t>(x, DecodeBits<0, 7, 8>(), values, exponents);
      case Kind_::f16: return run<std::uint16_t>(x, DecodeBits<0, 10, 5>(), values, exponents);
      case Kind_::f8: return run<std::uint8_t>(x, table_, values, exponents);
    }
  }

 private:
  enum class Kind_ : std::uint8_t { f32, tf32, bf16, f16, f8 };
  static Kind_ kind_of(const FormatSpec& f) {
    if (f == formats::float32) return Kind_::f32;
    if (f == formats::tf32) return Kind_::tf32;
    if (f == formats::bfloat16) return Kind_::bf16;
    return f == formats::float16 ? Kind_::f16 : Kind_::f8;
  }

  template <class Code, class Decode>
  static void run(const CodeVector& x, const Decode& decode, float* values, std::int16_t* exponents) {
    if (x.stride == 1) {  // apart, so that the compiler sees consecutive elements
      for (std::size_t i = 0; i < x.size; ++i) {
        const auto code =
            static_cast<Code>(detail::load_code_as<Code>(x.data, static_cast<std::ptrdiff_t>(i)));
        decode(code, values[i], exponents[i]);
      }
      return;
    }
    for (std::size_t i = 0; i < x.size; ++i) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * x.stride;
      decode(static_cast<Code>(detail::load_code_as<Code>(x.data, at)), values[i], exponents[i]);
    }
  }

  Kind_ kind_;
  DecodeTable table_{};
};

// Exponents of the nonzero elements of a row of A or a panel of B.
struct PanelRange {
  int lowest = 30000, highest = -30000;

  // Of these; true if there is a NaN or an infinity among them, each of which is made a zero.
  bool take(std::int16_t* exponents, std::size_t n) {
    int low = 30000, high = -30000;
    for (std::size_t i = 0; i < n; ++i) {
      const int e = exponents[i];
      low = std::min(low, e == zero_exponent ? 30000 : e);
      high = std::max(high, e);
    }
    if (high != special_exponent) {
      lowest = std::min(lowest, low);
      highest = std::max(highest, high);
      return false;
    }
    std::replace(exponents, exponents + n, special_exponent, std::int16_t{zero_exponent});
    take(exponents, n);
    return true;
  }
};

// value * 2^-exponent, exactly: in two steps, neither of which leaves float32.
float significand_of(float value, int exponent) {
  if (exponent == zero_exponent) return 0;
  const int half = exponent / 2, rest = exponent - half;
  const auto power = [](int e) { return std::bit_cast<float>(static_cast<std::uint32_t>(e + 127) << 23); };
  return value * power(-half) * power(-rest);
}

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

constexpr auto panel_kernels = std::to_array<FusedSumKernel>({
#define FUSED_SUM(isa, columns, description) \
  {{#isa, Isa::isa, description}, columns, kernels::fused_sum_##isa},
#include "emulation/units/nvidia/fused_sum.def"
#undef FUSED_SUM
});
constexpr KernelTable<FusedSumKernel> panel_kernel_table{"fused_sum", panel_kernels};
constexpr std::size_t most_columns = std::ranges::max(panel_kernels, {}, &FusedSumKernel::columns).columns;

constexpr std::string_view any_range =
    " any range";  // of a path that takes the kernel's form for any range everywhere

const FusedSumKernel& kernel_of(const UnitPath& path) {
  return panel_kernel_table.named(path.name.substr(0, path.name.find(any_range)));
}

class Panels {
 public:
  Panels(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a, const CodeMatrix& b,
         const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d)
      : shape_(shape),
        a_(a),
        b_(b),
        c_(c),
        d_(d),
        decode_a_(a.format, shape.by_f16_steps),
        decode_b_(b.format, shape.by_f16_steps),
        chunk_(shape.by_f16_steps ? 32 : shape.terms),
        width_(kernel_of(path).columns),
        kernel_(kernel_of(path).run),
        all_wide_(path.name.ends_with(any_range)),
        lowest_(std::max(kernels::lowest_product, shape.floor.value_or(kernels::lowest_product))),
        panels_((d.cols + width_ - 1) / width_),
        parallel_(d.rows * d.cols * a.cols > 65536) {}

  void run(const FusedSumDefinition& definition) {
    load_addends();
    row_special_.assign(d_.rows, 0);
    column_special_.assign(panels_ * width_, 0);
    for (std::size_t begin = 0; begin < a_.cols; begin += outer_k) {
      multiply(begin, std::min(outer_k, a_.cols - begin));
    }
    store(definition);
  }

 private:
  std::size_t tile(std::size_t panel, std::size_t row) const { return panel * d_.rows + row; }
  float* sums(std::size_t panel, std::size_t row) { return sums_.data() + tile(panel, row) * width_; }

  void load_addends() {
    sums_.assign(panels_ * d_.rows * width_, 0);
    wide_.assign(panels_ * d_.rows, all_wide_ ? 1 : 0);
    addend_special_.assign(panels_ * d_.rows, 0);
    if (!c_) return;
    parallel(panels_, parallel_, [&](std::size_t panel) {
      const std::size_t first = panel * width_, columns = std::min(width_, d_.cols - first);
      for (std::size_t i = 0; i < d_.rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) load_addend(panel, i, j, c_->code(i, first + j));
      }
    });
  }

  void load_addend(std::size_t panel, std::size_t i, std::size_t lane, std::uint64_t code) {
    float x = 0;
    if (shape_.result == FusedResult::f16) {
      std::int16_t exponent = 0;
      DecodeBits<0, 10, 5>()(static_cast<std::uint16_t>(code), x, exponent);
    } else {
      x = std::bit_cast<float>(static_cast<std::uint32_t>(code));
      // A float16 is a multiple of 2^-24, which is all that the kernels need; f16 steps start at 0.
      if (!shape_.by_f16_steps && !in_range(x)) wide_[tile(panel, i)] = 1;
    }
    if (!c_->format.is_finite(code)) {
      addend_special_[tile(panel, i)] = 1;
      x = 0;
    }
    sums(panel, i)[lane] = x;
  }

  bool in_range(float addend) const {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(addend) & 0x7FFFFFFF;
    const int exponent = static_cast<int>(magnitude >> 23) - 127;
    return magnitude == 0 || (exponent >= lowest_ && exponent <= kernels::highest_addend);
  }

  // Adds the products of k in [begin, begin + n).
  void multiply(std::size_t begin, std::size_t n) {
    const std::size_t k = rounded_up(n, chunk_);
    pack_rows(begin, n, k);
    pack_panels(begin, n, k);
    bool any_wide = false;
    for (std::size_t panel = 0; panel < panels_; ++panel) {
      for (std::size_t i = 0; i < d_.rows; ++i) {
        std::uint8_t& wide = wide_[tile(panel, i)];
        // Once wide, a sum may have left the range for good.
        if (rows_[i].lowest + columns_[panel].lowest < lowest_ ||
            rows_[i].highest + columns_[panel].highest > kernels::highest_product) {
          wide = 1;
        }
        any_wide = any_wide || wide != 0;
      }
    }
    if (any_wide) pack_significands(k);

    const std::size_t blocks = (d_.rows + rows_at_once - 1) / rows_at_once;
    parallel(panels_ * blocks, parallel_, [&](std::size_t at) {
      const std::size_t panel = at / blocks, first = at % blocks * rows_at_once;
      FusedSumTask task{.a_stride = k,
                        .rows = std::min(rows_at_once, d_.rows - first),
                        .sums = sums(panel, first),
                        .wide = wide_.data() + tile(panel, first),
                        .terms = static_cast<int>(shape_.terms),
                        .fraction = shape_.fraction,
                        .floor = shape_.floor.value_or(kernels::no_floor),
                        .lowest = lowest_,
                        .output = output_of(shape_)};
      for (std::size_t from = 0; from < k; from += inner_k) {
        const std::size_t in_a = first * k + from, in_b = (panel * k + from) * width_;
        task.a_values = a_values_.data() + in_a;
        task.a_exponents = a_exponents_.data() + in_a;
        task.b_values = b_values_.data() + in_b;
        task.b_exponents = b_exponents_.data() + in_b;
        if (any_wide) {
          task.a_significands = a_significands_.data() + in_a;
          task.b_significands = b_significands_.data() + in_b;
        }
        task.k = std::min(inner_k, k - from);
        kernel_(task);
      }
    });
  }

  void pack_rows(std::size_t begin, std::size_t n, std::size_t k) {
    a_values_.resize(d_.rows * k);
    a_exponents_.resize(d_.rows * k);
    rows_.assign(d_.rows, {});
    parallel(d_.rows, parallel_, [&](std::size_t row) {
      // Elements beyond n are zeros.
      std::array<float, outer_k> values{};
      std::array<std::int16_t, outer_k> exponents;
      std::fill(exponents.begin() + static_cast<std::ptrdiff_t>(n), exponents.end(),
                std::int16_t{zero_exponent});
      decode_a_(a_.row(row).part(begin, n), values.data(), exponents.data());
      if (rows_[row].take(exponents.data(), n)) row_special_[row] = 1;
      float* const to = a_values_.data() + row * k;
      std::uint32_t* const pairs = a_exponents_.data() + row * k;
      const auto pair = [](std::int16_t e) {
        return static_cast<std::uint32_t>(e + exponent_bias) * 0x10001;
      };
      if (shape_.by_f16_steps) {
        for (std::size_t i = 0; i < k; ++i) {
          to[i] = values[source_of(i, true)];
          pairs[i] = pair(exponents[source_of(i, true)]);
        }
      } else {
        std::copy_n(values.begin(), k, to);
        for (std::size_t i = 0; i < k; ++i) pairs[i] = pair(exponents[i]);
      }
    });
  }

  void pack_panels(std::size_t begin, std::size_t n, std::size_t k) {
    b_values_.resize(panels_ * k * width_);
    b_exponents_.resize(panels_ * k * width_);
    columns_.assign(panels_, {});
    parallel(panels_, parallel_, [&](std::size_t panel) {
      const std::size_t first = panel * width_, columns = std::min(width_, d_.cols - first),
                        lanes = width_ / 2;
      for (std::size_t i = 0; i < k; ++i) {
        float* const values = b_values_.data() + (panel * k + i) * width_;
        std::int16_t* const pairs = b_exponents_.data() + (panel * k + i) * width_;
        std::array<std::int16_t, most_columns> exponents;
        exponents.fill(zero_exponent);
        std::fill_n(values, width_, 0.0F);
        const std::size_t source = source_of(i, shape_.by_f16_steps);
        if (source < n) {
          decode_b_(b_.row(begin + source).part(first, columns), values, exponents.data());
          const auto before = exponents;
          if (columns_[panel].take(exponents.data(), columns)) {
            for (std::size_t j = 0; j < columns; ++j) {
              if (before[j] == special_exponent) column_special_[first + j] = 1;
            }
          }
        }
        for (std::size_t j = 0; j < lanes; ++j) {
          pairs[2 * j] = exponents[j];
          pairs[2 * j + 1] = exponents[j + lanes];
        }
      }
    });
  }

  // Only where some row is wide.
  void pack_significands(std::size_t k) {
    a_significands_.resize(d_.rows * k);
    b_significands_.resize(panels_ * k * width_);
    parallel(d_.rows, parallel_, [&](std::size_t row) {
      for (std::size_t i = row * k; i < (row + 1) * k; ++i) {
        a_significands_[i] =
            significand_of(a_values_[i], static_cast<int>(a_exponents_[i] & 0xFFFF) - exponent_bias);
      }
    });
    const std::size_t lanes = width_ / 2;
    parallel(panels_, parallel_, [&](std::size_t panel) {
      for (std::size_t at = panel * k * width_; at < (panel + 1) * k * width_; at += width_) {
        for (std::size_t j = 0; j < lanes; ++j) {
          const std::int16_t* const pair = b_exponents_.data() + at + 2 * j;
          b_significands_[at + j] = significand_of(b_values_[at + j], pair[0]);
          b_significands_[at + lanes + j] = significand_of(b_values_[at + lanes + j], pair[1]);
        }
      }
    });
  }

  void store(const FusedSumDefinition& definition) {
    define_rows(row_special_, d_, definition);
    parallel(d_.rows, parallel_, [&](std::size_t i) {
      if (row_special_[i] != 0) return;
      for (std::size_t panel = 0; panel < panels_; ++panel) {
        const std::size_t first = panel * width_, columns = std::min(width_, d_.cols - first);
        const std::uint8_t* const special = column_special_.data() + first;
        const bool slow = addend_special_[tile(panel, i)] != 0 ||
                          std::any_of(special, special + columns, [](std::uint8_t x) { return x != 0; });
        if (slow) {
          store_checked(definition, i, first, columns);
        } else {
          store_plain(i, first, columns, sums(panel, i));
        }
      }
    });
  }

  void store_plain(std::size_t i, std::size_t first, std::size_t columns, const float* sum) {
    void* const to = detail::advance_codes(
        d_.data,
        static_cast<std::ptrdiff_t>(i) * d_.row_stride + static_cast<std::ptrdiff_t>(first) * d_.col_stride,
        code_bytes(d_.format));
    for (std::size_t j = 0; j < columns; ++j) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(j) * d_.col_stride;
      if (shape_.result == FusedResult::f16) {
        detail::store_code_as<std::uint16_t>(to, at, f16_code(sum[j]));
      } else {
        detail::store_code_as<std::uint32_t>(to, at, std::bit_cast<std::uint32_t>(sum[j]));
      }
    }
  }

  // Elements that NaN or infinities among the operands or in C may reach are left to the definition.
  void store_checked(const FusedSumDefinition& definition, std::size_t i, std::size_t first,
                     std::size_t columns) {
    for (std::size_t j = first; j < first + columns; ++j) {
      const std::uint64_t start = c_ ? c_->code(i, j) : 0;
      if (column_special_[j] != 0 || !d_.format.is_finite(start)) {
        definition({.first = i}, {.first = j});
      } else {
        store_plain(i, j, 1, sums(j / width_, i) + j % width_);
      }
    }
  }

  const FusedSumShape shape_;
  const CodeMatrix a_, b_;
  const std::optional<CodeMatrix> c_;
  const MutableCodeMatrix d_;
  const LineDecoder decode_a_, decode_b_;
  const std::size_t chunk_, width_;
  void (*const kernel_)(const FusedSumTask&) noexcept;
  const bool all_wide_;
  const int lowest_;
  const std::size_t panels_;
  const bool parallel_;

  std::vector<float> sums_;                                 // [panel][row][column of the panel]
  std::vector<std::uint8_t> wide_, addend_special_;         // [panel][row]
  std::vector<std::uint8_t> row_special_, column_special_;  // by all of K
  std::vector<PanelRange> rows_, columns_;                  // by the part of K at hand; columns by panel
  std::vector<float> a_values_, a_significands_, b_values_, b_significands_;
  std::vector<std::uint32_t> a_exponents_;
  std::vector<std::int16_t> b_exponents_;
};

}  // namespace

const KernelTable<FusedSumKernel>& fused_sum_kernels() { return panel_kernel_table; }

void fused_sum_panels(const FusedSumShape& shape, const UnitPath& path, const CodeMatrix& a,
                      const CodeMatrix& b, const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d,
                      const FusedSumDefinition& definition) {
  Panels(shape, path, a, b, c, d).run(definition);
}

}  // namespace assay
