// How others convert float32: implementations in use differ in their handling of NaN and of subnormal inputs, and in
// the roundings that they offer. A policy is one such implementation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "reference/formats/encode.hpp"

namespace assay {

// What a NaN becomes. "Carried" is the source's code cut to the destination's width: its sign, the top exponent, the
// upper bits of its payload.
enum class NanRule : std::uint8_t {
  canonical,         // the format's one quiet NaN, positive
  canonical_signed,  // the same with the source's sign
  quiet_payload,     // carried, with the quiet bit set
  positive_ones,     // every bit but the sign: 0x7FFF
  all_ones,          // every bit: 0xFFFF
  truncated,         // carried as it is: a payload of low bits alone becomes an infinity
};

struct ConversionPolicy {
  std::string_view name;
  NanRule nan;
  bool flush_subnormal_inputs;  // subnormal float32 becomes zero of its sign before rounding
  bool overflow_nan_signed;     // an overflow's NaN has the sign of x (fn formats; elsewhere no choice)
  // The roundings offered to each kind of destination, bit 1 << Rounding; `ocp` is f8_e5m2, f8_e4m3, fp6 and fp4.
  std::uint8_t bf16, f16, ocp, other;
  std::string_view evidence;  // "HW", "SRC", "UNV"; "DEF" for our own definition
  std::string_view description;
};

std::span<const ConversionPolicy> all_policies();
const ConversionPolicy& parse_policy(std::string_view name);  // InputError with the nearest names

// Why the policy has no such conversion ("intel rounds nearest-even only"); empty if it has.
std::string why_not(const ConversionPolicy& policy, const FormatSpec& to, Rounding mode);

// The code of a NaN is (carried & keep) | set. Any ieee format narrower than float32; the rules that carry nothing
// also in the rest, where `positive_ones` is the NaN of fn formats and the largest number of finite-only ones.
struct NanCode {
  std::uint32_t keep = 0, set = 0;
};
NanCode nan_code(NanRule rule, const FormatSpec& to);

// The definition of a conversion under a policy, for one float32 given by its bits.
std::uint32_t convert_bits32(std::uint32_t bits, const FormatSpec& to, const ConversionPolicy& policy,
                             const EncodeOptions& options = {});

}  // namespace assay
