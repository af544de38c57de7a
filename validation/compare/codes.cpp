#include "validation/compare/codes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "reference/core/dispatch.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/encode.hpp"

namespace assay::compare {
namespace {

void add_code(ClassCounts& counts, std::uint64_t code, const FormatSpec& f, std::uint64_t times) {
  const bool negative = f.is_negative(code);
  if (f.is_nan(code)) {
    counts.nan += times;
  } else if (f.is_infinite(code)) {
    (negative ? counts.negative_infinity : counts.positive_infinity) += times;
  } else if ((code & f.magnitude_mask()) == 0) {
    (negative ? counts.negative_zero : counts.positive_zero) += times;
  } else if (f.is_subnormal(code)) {
    counts.subnormal += times;
  }
}

// Formats laid out as IEEE 754's: the classes are ranges of the magnitude. Counters have the width of a code,
// so that a vector holds as many of them as of codes; 240 codes cannot overflow the narrowest.
template <class Code>
ClassCounts count_ieee(const Code* codes, std::size_t n, const FormatSpec& f) {
  constexpr std::size_t run = 240;
  const auto mask = static_cast<Code>(f.magnitude_mask());
  const auto infinity = static_cast<Code>(f.infinity_code());
  const auto normal = static_cast<Code>(f.min_normal_code());
  const auto top = static_cast<Code>(f.sign_code());
  ClassCounts counts;
  std::uint64_t small = 0;
  for (std::size_t begin = 0; begin < n; begin += run) {
    const std::size_t end = std::min(n, begin + run);
    Code nan = 0, positive_infinity = 0, negative_infinity = 0, positive_zero = 0, negative_zero = 0,
         below = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Code code = codes[i];
      const auto magnitude = static_cast<Code>(code & mask);
      nan = static_cast<Code>(nan + (magnitude > infinity ? 1 : 0));
      positive_infinity = static_cast<Code>(positive_infinity + (code == infinity ? 1 : 0));
      negative_infinity =
          static_cast<Code>(negative_infinity + (code == static_cast<Code>(infinity | top) ? 1 : 0));
      positive_zero = static_cast<Code>(positive_zero + (code == 0 ? 1 : 0));
      negative_zero = static_cast<Code>(negative_zero + (code == top ? 1 : 0));
      below = static_cast<Code>(below + (magnitude < normal ? 1 : 0));
    }
    counts.nan += nan;
    counts.positive_infinity += positive_infinity;
    counts.negative_infinity += negative_infinity;
    counts.positive_zero += positive_zero;
    counts.negative_zero += negative_zero;
    small += below;
  }
  counts.subnormal = small - counts.zero();
  return counts;
}

template <class Code>
ClassCounts count_any(const Code* codes, std::size_t n, const FormatSpec& f) {
  ClassCounts counts;
  if constexpr (sizeof(Code) == 1) {
    std::array<std::uint64_t, 256> times{};
    for (std::size_t i = 0; i < n; ++i) ++times[codes[i]];
    for (std::size_t code = 0; code < times.size(); ++code) {
      if (times[code] != 0) add_code(counts, code, f, times[code]);
    }
    return counts;
  } else {
    if (f.specials == Specials::ieee) return count_ieee(codes, n, f);
    for (std::size_t i = 0; i < n; ++i) add_code(counts, codes[i], f, 1);
    return counts;
  }
}

bool is_shifted_float32(const FormatSpec& f) {
  return f.emin == formats::float32.emin && f.specials == Specials::ieee && f.bits <= 32 &&
         f.bits - f.precision == formats::float32.bits - formats::float32.precision;
}

// A format that is float32 with the low bits of the significand cut off: a shift widens it.
template <class Code>
void decode_shifted(const void* codes, double* values, std::size_t n, int shift) {
  const auto* const src = static_cast<const Code*>(codes);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(src[i]) << shift));
  }
}

template <class Code>
void decode_by_table(const void* codes, double* values, std::size_t n, const double* table) {
  const auto* const src = static_cast<const Code*>(codes);
  for (std::size_t i = 0; i < n; ++i) values[i] = table[src[i]];
}

}  // namespace

std::size_t Codes::size() const {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  return n;
}

ClassCounts count_classes(const void* codes, std::size_t n, const FormatSpec& f) {
  switch (code_bytes(f)) {
    case 1: return count_any(static_cast<const std::uint8_t*>(codes), n, f);
    case 2: return count_any(static_cast<const std::uint16_t*>(codes), n, f);
    case 4: return count_any(static_cast<const std::uint32_t*>(codes), n, f);
    default: return count_any(static_cast<const std::uint64_t*>(codes), n, f);
  }
}

Decoder::Decoder(const FormatSpec& f) : format_(f) {
  if (f.bits > 16 || is_shifted_float32(f)) return;
  table_.resize(std::size_t{1} << f.bits);
  for (std::size_t code = 0; code < table_.size(); ++code) table_[code] = assay::decode(code, f);
}

void Decoder::decode(const void* codes, double* values, std::size_t n) const {
  const std::size_t bytes = code_bytes(format_);
  if (!table_.empty()) {
    bytes == 1 ? decode_by_table<std::uint8_t>(codes, values, n, table_.data())
               : decode_by_table<std::uint16_t>(codes, values, n, table_.data());
  } else if (is_shifted_float32(format_)) {
    const int shift = 32 - format_.bits;
    bytes == 2   ? decode_shifted<std::uint16_t>(codes, values, n, shift)
    : bytes == 4 ? decode_shifted<std::uint32_t>(codes, values, n, shift)
                 : decode_shifted<std::uint8_t>(codes, values, n, shift);
  } else if (format_ == formats::float64) {
    std::memcpy(values, codes, n * sizeof(double));
  } else {
    for (std::size_t i = 0; i < n; ++i) values[i] = assay::decode(code_at(codes, bytes, i), format_);
  }
}

struct Narrower::Kernel {
  const ConversionKernel& run;
  Conversion conversion;
};

Narrower::Narrower(const FormatSpec& from, const FormatSpec& to, Rounding rounding)
    : from_(from), to_(to), rounding_(rounding) {
  if (from == to) return;
  Conversion conversion;
  conversion.from = from;
  conversion.to = to;
  conversion.rounding = rounding;
  for (const ConversionKernel& kernel : conversion_kernels()) {
    if (!kernel.supports(conversion) || !runs_here(kernel)) continue;
    kernel_ = std::make_shared<const Kernel>(Kernel{kernel, conversion});
    break;
  }
}

const void* Narrower::block(const void* codes, void* scratch, std::size_t n) const {
  if (is_identity()) return codes;
  if (kernel_ != nullptr) {
    convert_array(kernel_->run, codes, scratch, n, kernel_->conversion, 1);
    return scratch;
  }
  const std::size_t from_bytes = code_bytes(from_), to_bytes = code_bytes(to_);
  for (std::size_t i = 0; i < n; ++i) {
    detail::store_code(scratch, static_cast<std::ptrdiff_t>(i), to_bytes, one(code_at(codes, from_bytes, i)));
  }
  return scratch;
}

std::uint64_t Narrower::one(std::uint64_t code) const {
  if (is_identity()) return code;
  return convert(code, from_, to_, EncodeOptions{.rounding = rounding_}).code;
}

}  // namespace assay::compare
