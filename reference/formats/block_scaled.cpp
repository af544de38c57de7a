#include "reference/formats/block_scaled.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/exact_arithmetic.hpp"

namespace assay {
namespace {

constexpr auto scale_roundings =
    std::to_array<ScaleRounding>({ScaleRounding::down, ScaleRounding::up, ScaleRounding::nearest});

constexpr std::uint32_t magnitude_bits(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFF; }
constexpr std::uint32_t infinity_bits = 0x7F800000;

// The largest magnitude, as bits: magnitudes of floats are ordered as their bits.
std::uint32_t largest_magnitude(std::span<const float> values) {
  std::uint32_t largest = 0;
  for (const float v : values) largest = std::max(largest, magnitude_bits(v));
  return largest;
}

e8m0_t clamped(int exponent) { return {static_cast<std::uint8_t>(std::clamp(exponent, -127, 127) + 127)}; }

// The exponent of x = significand * 2^exponent as a power of two.
int power_of_two(const ExactValue<std::uint64_t>& x, ScaleRounding mode) {
  const int width = bit_width(x.significand);
  const int e = x.exponent + width - 1;
  const std::uint64_t leading = std::uint64_t{1} << (width - 1);
  const std::uint64_t rest = x.significand - leading;
  switch (mode) {
    case ScaleRounding::down: return e;
    case ScaleRounding::up: return rest != 0 ? e + 1 : e;
    case ScaleRounding::nearest: break;
  }
  const bool odd_code = (e + 127) % 2 != 0;
  return 2 * rest > leading || (2 * rest == leading && odd_code) ? e + 1 : e;
}

constexpr EncodeOptions saturating{.overflow = Overflow::saturate};

std::uint8_t element_code(const ExactValue<std::uint64_t>& x, const FormatSpec& f) {
  return static_cast<std::uint8_t>(encode(x, f, saturating).code);
}

}  // namespace

double e8m0_t::value() const { return is_nan() ? std::nan("") : std::ldexp(1.0, exponent()); }

std::string_view scale_format_name(ScaleFormat format) {
  return format == ScaleFormat::e8m0 ? "e8m0" : "ue4m3";
}

double scale_value(std::uint8_t code, ScaleFormat format) {
  if (format == ScaleFormat::e8m0) return e8m0_t{code}.value();
  return decode(code & formats::float8_e4m3fn.magnitude_mask(), formats::float8_e4m3fn);
}

std::string_view scale_rounding_name(ScaleRounding mode) {
  switch (mode) {
    case ScaleRounding::down: return "down";
    case ScaleRounding::up: return "up";
    case ScaleRounding::nearest: return "nearest";
  }
  return "?";
}

ScaleRounding parse_scale_rounding(std::string_view name) {
  std::vector<std::string> known;
  for (const ScaleRounding mode : scale_roundings) {
    if (name == scale_rounding_name(mode)) return mode;
    known.emplace_back(scale_rounding_name(mode));
  }
  throw unknown_name("scale rounding", "a known name", name, known);
}

e8m0_t encode_e8m0(double value, ScaleRounding mode) {
  const ExactValue<std::uint64_t> x = exact(value);
  if (x.is_zero()) return clamped(-127);
  if (x.kind != Kind::finite || x.negative) return {e8m0_t::nan_code};
  return clamped(power_of_two(x, mode));
}

BlockScaled quantize_mx(std::span<const float> values, const FormatSpec& element, ScaleRounding mode,
                        std::size_t block) {
  if (element.bits > 8)
    throw ContractError("quantize_mx: " + std::string(element.dtype) + " is wider than 8 bits");
  if (block == 0) throw ContractError("quantize_mx: a block of 0 elements");
  BlockScaled out;
  out.element = element;
  out.block = block;
  out.elements.assign(values.size(), 0);
  for (std::size_t first = 0; first < values.size(); first += block) {
    const auto part = values.subspan(first, std::min(block, values.size() - first));
    const std::uint32_t amax = largest_magnitude(part);
    if (amax >= infinity_bits) {
      out.scales.push_back(e8m0_t::nan_code);
      continue;
    }
    const e8m0_t scale =
        amax == 0 ? clamped(-127) : clamped(power_of_two(exact_from_bits32(amax), mode) - element.emax());
    out.scales.push_back(scale.code);
    for (std::size_t i = 0; i < part.size(); ++i) {
      ExactValue<std::uint64_t> x = exact(part[i]);
      x.exponent -= scale.exponent();
      out.elements[first + i] = element_code(x, element);
    }
  }
  return out;
}

BlockScaled quantize_nvfp4(std::span<const float> values) {
  constexpr std::size_t block = 16;
  constexpr const FormatSpec& scale_format = formats::float8_e4m3fn;
  constexpr ExactValue<std::uint64_t> six{.significand = 6};
  BlockScaled out;
  out.element = formats::float4_e2m1fn;
  out.block = block;
  out.elements.assign(values.size(), 0);

  std::uint32_t tensor_amax = 0;
  for (const float v : values) {
    if (magnitude_bits(v) < infinity_bits) tensor_amax = std::max(tensor_amax, magnitude_bits(v));
  }
  out.tensor_scale = std::bit_cast<float>(tensor_amax) / (6.0F * 448.0F);
  const ExactValue<std::uint64_t> tensor_scale = exact(out.tensor_scale);

  for (std::size_t first = 0; first < values.size(); first += block) {
    const auto part = values.subspan(first, std::min(block, values.size() - first));
    const std::uint32_t amax = largest_magnitude(part);
    if (amax >= infinity_bits) {
      out.scales.push_back(static_cast<std::uint8_t>(scale_format.nan_code()));
      continue;
    }
    std::uint8_t scale = 0;
    if (!tensor_scale.is_zero()) {
      scale = element_code(exact_quotient(exact_from_bits32(amax), exact_product(six, tensor_scale)),
                           scale_format);
    }
    out.scales.push_back(scale);
    if (scale == 0) continue;
    const auto step = exact_product(exact_from_code(scale, scale_format), tensor_scale);
    for (std::size_t i = 0; i < part.size(); ++i) {
      out.elements[first + i] = element_code(exact_quotient(exact(part[i]), step), out.element);
    }
  }
  return out;
}

double dequantize_mx(const BlockScaled& x, std::size_t i) {
  return decode(x.elements[i], x.element) * e8m0_t{x.scales[i / x.block]}.value();
}

double dequantize_nvfp4(const BlockScaled& x, std::size_t i) {
  return decode(x.elements[i], x.element) * decode(x.scales[i / x.block], formats::float8_e4m3fn) *
         static_cast<double>(x.tensor_scale);
}

}  // namespace assay
