// What counts as agreement: the policies of policies.toml, by name.
//
// bit-equal           The codes are equal. +0 and −0 differ; so do NaNs with other bits, unless `any_nan`.
// correctly-rounded   The exact result, rounded once into the format of the output. Every NaN is the same. So is
//                     either zero: the sign of an exactly zero sum depends on the order, which is not fixed here.
// bound               The error before the output's rounding is no more than `factor` times a proven bound. NaN and
//                     infinities stand only where some order gives them; where nothing is known, the value is
//                     accepted and counted as not judged.
// tolerance           |got − want| <= atol + rtol·|want|, or at most `ulps` steps. NaN and infinities must be
//                     those of want.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::compare {

enum class PolicyKind : std::uint8_t { bit_equal, correctly_rounded, bound, tolerance };
std::string_view policy_kind_name(PolicyKind kind);  // "bit-equal"

struct Policy {
  std::string name = "bit-equal";
  PolicyKind kind = PolicyKind::bit_equal;
  bool any_nan = false;       // bit-equal: every NaN equals every other
  double factor = 1;          // bound: how much looser than proven
  double atol = 0, rtol = 0;  // tolerance
  std::uint64_t ulps = 0;     // tolerance; 0 is no limit in ulps, unless
  bool zero_ulps = false;  // tolerance: 0 is meant, and want's code, once rounded into got's format, agrees
  std::string because;     // the reason of a tolerance, or of a factor above 1

  friend bool operator==(const Policy&, const Policy&) = default;
};

// What is wrong with it ("a tolerance needs a reason"); empty if nothing is.
std::string why_unsound(const Policy& policy);

// "bit-equal", "bound x2: REASON", "tolerance atol 1e-3 rtol 0: REASON": the numbers, and why.
std::string policy_text(const Policy& policy);

// The tables of a policies.toml: [name] with kind and, for its kind, any_nan, factor, atol, rtol, ulps,
// because. InputError with the line for what is not TOML, for an unknown key or kind, and for a policy that
// why_unsound() objects to.
std::vector<Policy> parse_policies(std::string_view toml, const std::string& path);
std::vector<Policy> read_policies(const std::filesystem::path& path);

// Those of validation/compare/policies.toml, built in.
const std::vector<Policy>& default_policies();

// By name; InputError with near names. `option` is what the name was typed for.
const Policy& find_policy(const std::vector<Policy>& policies, std::string_view name,
                          std::string_view option);

}  // namespace assay::compare
