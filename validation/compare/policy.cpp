#include "validation/compare/policy.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <array>
#include <cmath>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/near_names.hpp"
#include "validation/compare/default_policies.hpp"

namespace assay::compare {
namespace {

constexpr auto kinds = std::to_array<std::pair<PolicyKind, std::string_view>>({
    {PolicyKind::bit_equal, "bit-equal"},
    {PolicyKind::correctly_rounded, "correctly-rounded"},
    {PolicyKind::bound, "bound"},
    {PolicyKind::tolerance, "tolerance"},
});

class Parser {
 public:
  explicit Parser(const std::string& path) : path_(path) {}

  Policy policy(std::string_view name, const toml::table& table) {
    Policy p;
    p.name = name;
    bool has_kind = false;
    for (const auto& [key, value] : table) {
      const std::string_view k = key.str();
      if (k == "kind") {
        p.kind = kind(take<std::string>(value, "a kind in quotes"), value);
        has_kind = true;
      } else if (k == "any_nan") {
        p.any_nan = take<bool>(value, "true or false");
      } else if (k == "factor") {
        p.factor = take<double>(value, "a number");
      } else if (k == "atol") {
        p.atol = take<double>(value, "a number");
      } else if (k == "rtol") {
        p.rtol = take<double>(value, "a number");
      } else if (k == "ulps") {
        const auto ulps = take<std::int64_t>(value, "a whole number");
        if (ulps < 0) fail(value, "a number of steps, 0 or more", std::to_string(ulps));
        p.ulps = static_cast<std::uint64_t>(ulps);
        p.zero_ulps = ulps == 0;
      } else if (k == "because") {
        p.because = take<std::string>(value, "a reason in quotes");
      } else {
        fail(value, "kind, any_nan, factor, atol, rtol, ulps or because", quoted(k));
      }
    }
    if (!has_kind) fail(table, "a kind in the policy " + quoted(name), "none");
    if (const std::string why = why_unsound(p); !why.empty())
      fail(table, "a sound policy", quoted(name) + ": " + why);
    return p;
  }

  [[noreturn]] void fail(const toml::node& node, std::string expected, std::string found) const {
    throw InputError(path_, "line " + std::to_string(node.source().begin.line), std::move(expected),
                     std::move(found));
  }

 private:
  template <class T>
  T take(const toml::node& node, const char* expected) const {
    const auto value = node.value<T>();
    if (!value)
      fail(node, expected,
           fmt::format("{}", static_cast<int>(node.type()) == 0 ? "nothing" : "another type"));
    return *value;
  }
  PolicyKind kind(std::string_view name, const toml::node& node) const {
    std::vector<std::string> known;
    for (const auto& [k, text] : kinds) {
      if (text == name) return k;
      known.emplace_back(text);
    }
    fail(node, fmt::format("{}", fmt::join(known, ", ")), quoted(name));
  }
  std::string path_;
};

}  // namespace

std::string_view policy_kind_name(PolicyKind kind) {
  for (const auto& [k, text] : kinds) {
    if (k == kind) return text;
  }
  return "?";
}

std::string why_unsound(const Policy& p) {
  const auto bad = [](double x) { return !std::isfinite(x) || x < 0; };
  if (bad(p.atol) || bad(p.rtol)) return "atol and rtol are numbers, 0 or more";
  if (!std::isfinite(p.factor) || p.factor < 1)
    return "a factor is 1 or more: a proven bound is not tightened by hand";
  const bool has_tolerance = p.atol != 0 || p.rtol != 0 || p.ulps != 0 || p.zero_ulps;
  if (p.kind != PolicyKind::tolerance && has_tolerance) {
    return fmt::format("atol, rtol and ulps belong to a tolerance, not to {}", policy_kind_name(p.kind));
  }
  if (p.kind != PolicyKind::bound && p.factor != 1) return "a factor belongs to a bound";
  if (p.kind != PolicyKind::bit_equal && p.any_nan) return "any_nan belongs to bit-equal";
  if (p.kind == PolicyKind::tolerance && p.because.empty()) return "a tolerance needs a reason (because)";
  if (p.factor > 1 && p.because.empty()) return "a bound that is loosened needs a reason (because)";
  return {};
}

std::string policy_text(const Policy& p) {
  std::string text = p.name;
  if (p.kind == PolicyKind::bound && p.factor != 1) text += fmt::format(" x{:g}", p.factor);
  if (p.kind == PolicyKind::tolerance) {
    text += fmt::format(" atol {:g} rtol {:g}", p.atol, p.rtol);
    if (p.ulps != 0 || p.zero_ulps) text += fmt::format(" or {} ulp", p.ulps);
  }
  if (!p.because.empty()) text += ": " + p.because;
  return text;
}

std::vector<Policy> parse_policies(std::string_view text, const std::string& path) {
  toml::table tables;
  try {
    tables = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    throw InputError(path, "line " + std::to_string(e.source().begin.line), "TOML",
                     std::string(e.description()));
  }
  Parser parser(path);
  std::vector<Policy> policies;
  for (const auto& [name, node] : tables) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) parser.fail(node, "a table, [name]", quoted(name.str()) + " outside of one");
    policies.push_back(parser.policy(name.str(), *table));
  }
  return policies;
}

std::vector<Policy> read_policies(const std::filesystem::path& path) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 20;
  const std::vector<std::byte> bytes = read_bytes(path, longest);
  return parse_policies({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

const std::vector<Policy>& default_policies() {
  static const std::vector<Policy> policies =
      parse_policies(default_policies_toml, "policies.toml (built in)");
  return policies;
}

const Policy& find_policy(const std::vector<Policy>& policies, std::string_view name,
                          std::string_view option) {
  std::vector<std::string> known;
  for (const Policy& p : policies) {
    if (p.name == name) return p;
    known.push_back(p.name);
  }
  throw unknown_name(option, "a policy", name, known);
}

}  // namespace assay::compare
