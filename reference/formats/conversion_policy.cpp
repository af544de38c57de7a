#include "reference/formats/conversion_policy.hpp"

#include <array>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

namespace assay {
namespace {

constexpr std::uint8_t bit(Rounding mode) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(mode));
}

namespace roundings {
constexpr std::uint8_t none = 0;
constexpr std::uint8_t nearest = bit(Rounding::nearest_even);
constexpr std::uint8_t zero = bit(Rounding::toward_zero);
constexpr std::uint8_t immediate =
    nearest | zero | bit(Rounding::toward_positive) | bit(Rounding::toward_negative);
constexpr std::uint8_t any = 0x7F;
}  // namespace roundings

constexpr bool keep = false, flush = true;
constexpr bool positive = false, as_input = true;

constexpr auto policies = std::to_array<ConversionPolicy>({
#define POLICY(name, nan, subnormals, overflow_nan, bf16, f16, ocp, other, evidence, description) \
  {name,           NanRule::nan,   subnormals,       overflow_nan, roundings::bf16,               \
   roundings::f16, roundings::ocp, roundings::other, evidence,     description},
#include "reference/formats/conversion_policies.def"
#undef POLICY
});

std::uint8_t offered(const ConversionPolicy& policy, const FormatSpec& to) {
  if (to == formats::bfloat16) return policy.bf16;
  if (to == formats::float16) return policy.f16;
  for (const FormatSpec* f : {&formats::float8_e5m2, &formats::float8_e4m3fn, &formats::float6_e3m2fn,
                              &formats::float6_e2m3fn, &formats::float4_e2m1fn}) {
    if (to == *f) return policy.ocp;
  }
  return policy.other;
}

}  // namespace

std::span<const ConversionPolicy> all_policies() { return policies; }

const ConversionPolicy& parse_policy(std::string_view name) {
  for (const ConversionPolicy& p : policies) {
    if (name == p.name) return p;
  }
  std::vector<std::string> known;
  for (const ConversionPolicy& p : policies) known.emplace_back(p.name);
  throw unknown_name("conversion policy", "a known name", name, known);
}

std::string why_not(const ConversionPolicy& policy, const FormatSpec& to, Rounding mode) {
  const std::string name(policy.name);
  const std::uint8_t modes = offered(policy, to);
  if (modes == 0) return name + " has no conversion to " + std::string(to.dtype);
  if ((modes & bit(mode)) != 0) return {};
  std::string known;
  for (const Rounding m : all_roundings) {
    if ((modes & bit(m)) != 0) known += (known.empty() ? "" : ", ") + std::string(rounding_name(m));
  }
  return name + " has no rounding " + std::string(rounding_name(mode)) + ", only " + known;
}

NanCode nan_code(NanRule rule, const FormatSpec& to) {
  const auto sign = static_cast<std::uint32_t>(to.sign_code());
  const auto ones = static_cast<std::uint32_t>(to.magnitude_mask());
  const auto quiet = static_cast<std::uint32_t>(to.nan_code());
  switch (rule) {
    case NanRule::canonical: return {0, to.has_nan() ? quiet : 0};  // encode() calls the latter invalid
    case NanRule::canonical_signed: return {sign, quiet};
    case NanRule::quiet_payload: return {sign | ones, quiet};
    case NanRule::positive_ones: return {0, ones};
    case NanRule::all_ones: return {0, sign | ones};
    case NanRule::truncated: return {sign | ones, 0};
  }
  return {};
}

std::uint32_t convert_bits32(std::uint32_t bits, const FormatSpec& to, const ConversionPolicy& policy,
                             const EncodeOptions& options) {
  if (formats::float32.is_nan(bits) && policy.nan != NanRule::canonical) {
    const std::uint32_t payload = (bits & 0x7FFFFF) >> (24 - to.precision);
    const auto carried =
        static_cast<std::uint32_t>((bits >> 31 != 0 ? to.sign_code() : 0) | to.infinity_code() | payload);
    const NanCode nan = nan_code(policy.nan, to);
    return (carried & nan.keep) | nan.set;
  }
  if (policy.flush_subnormal_inputs && formats::float32.is_subnormal(bits)) bits &= 0x80000000;
  const Encoded x = encode_bits32(bits, to, options);
  const bool signed_nan = policy.overflow_nan_signed && !formats::float32.is_nan(bits) && to.is_nan(x.code);
  return static_cast<std::uint32_t>(signed_nan && bits >> 31 != 0 ? x.code | to.sign_code() : x.code);
}

}  // namespace assay
