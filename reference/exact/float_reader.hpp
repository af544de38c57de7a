// Codes of a format within float32 as floats, a stretch of an array at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"

namespace assay {

// A subnormal code as the zero that a unit which flushes reads; every other code as it is.
constexpr std::uint64_t flushed_code(std::uint64_t code, const FormatSpec& f) {
  if (!f.is_subnormal(code)) return code;
  return f.specials == Specials::fnuz ? 0 : code & f.sign_code();
}

// One for each format: formats of 8 bits and less have a table. Immutable: any number of threads may use one.
class FloatReader {
 public:
  // contains_format(formats::float32, format). With `flush`, subnormal codes are zeros of their sign.
  FloatReader(const FormatSpec& format, bool flush) : format_(format), flush_(flush) {
    if (format.bits <= 8) {
      table_.resize(std::size_t{1} << format.bits);
      for (std::size_t code = 0; code < table_.size(); ++code) table_[code] = convert_one(code);
    }
  }

  // Elements [begin, begin + count) of x, whose format is this one's, into `buffer`; or x's own memory, where it holds
  // floats already.
  const float* read(const CodeVector& x, std::size_t begin, std::size_t count, float* buffer) const {
    const bool aligned = reinterpret_cast<std::uintptr_t>(x.data) % alignof(float) == 0;
    if (format_ == formats::float32 && x.stride == 1 && !flush_ && aligned) {
      return static_cast<const float*>(x.data) + begin;
    }
    if (!table_.empty()) {
      const std::size_t mask = table_.size() - 1;
      std::ptrdiff_t at = static_cast<std::ptrdiff_t>(begin) * x.stride;
      for (std::size_t i = 0; i < count; ++i, at += x.stride)
        buffer[i] = table_[detail::load_code_as<std::uint8_t>(x.data, at) & mask];
    } else if (flush_) {
      for (std::size_t i = 0; i < count; ++i) buffer[i] = convert_one(x.code(begin + i));
    } else if (format_ == formats::float32) {
      fill<std::uint32_t>(x, begin, count, buffer, [](std::uint32_t code) { return code; });
    } else if (format_ == formats::bfloat16) {
      fill<std::uint16_t>(x, begin, count, buffer, [](std::uint32_t code) { return code << 16; });
    } else if (format_ == formats::float16) {
      fill<std::uint16_t>(x, begin, count, buffer,
                          [](std::uint32_t code) { return float16_to_float32(code); });
    } else {
      for (std::size_t i = 0; i < count; ++i) buffer[i] = convert_one(x.code(begin + i));
    }
    return buffer;
  }

 private:
  static std::uint32_t float16_to_float32(std::uint64_t code) {
    const auto sign = static_cast<std::uint32_t>(code & 0x8000) << 16;
    const auto magnitude = static_cast<std::uint32_t>(code & 0x7FFF);
    if (magnitude >= 0x7C00) return sign | 0x7F800000 | (magnitude & 0x3FF) << 13;
    if (magnitude >= 0x400) return sign | ((magnitude << 13) + (112U << 23));
    return sign | std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24F);
  }
  template <class Code, class ToBits>
  static void fill(const CodeVector& x, std::size_t begin, std::size_t count, float* buffer, ToBits to_bits) {
    std::ptrdiff_t at = static_cast<std::ptrdiff_t>(begin) * x.stride;
    for (std::size_t i = 0; i < count; ++i, at += x.stride) {
      const auto code = static_cast<std::uint32_t>(detail::load_code_as<Code>(x.data, at));
      buffer[i] = std::bit_cast<float>(to_bits(code));
    }
  }
  float convert_one(std::uint64_t code) const {
    const std::uint64_t kept = flush_ ? flushed_code(code, format_) : code;
    return std::bit_cast<float>(static_cast<std::uint32_t>(convert(kept, format_, formats::float32).code));
  }

  FormatSpec format_;
  bool flush_;
  std::vector<float> table_;
};

}  // namespace assay
