#include "validation/diagnose/explain/explain_conversion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

struct ConversionCandidate {
  std::string policy, how;
  const ConversionPolicy* by = nullptr;
  Finish finish{};
};

std::uint64_t convert_by(const ConversionCandidate& c, std::uint64_t code, const FormatSpec& from,
                         const FormatSpec& to) {
  if (c.by == nullptr) return c.finish.apply(code, from, to);
  EncodeOptions options{.rounding = c.finish.rounding, .overflow = c.finish.overflow};
  return convert_bits32(static_cast<std::uint32_t>(code), to, *c.by, options);
}

std::vector<ConversionCandidate> conversion_candidates(const FormatSpec& from, const FormatSpec& to) {
  std::vector<ConversionCandidate> all;
  for (const Finish& finish : finishes(from, to)) {
    // These are the policy "format" too; a flush or a detour has no policy.
    all.push_back({"format", "format, " + finish_name(finish), nullptr, finish});
    if (finish.rounding != Rounding::nearest_even && finish.overflow == Overflow::ieee && !finish.by_way_of) {
      Finish saturating = finish;
      saturating.overflow = Overflow::saturate;
      all.push_back({"format", "format, " + finish_name(saturating), nullptr, saturating});
    }
  }
  if (from == to) return all;
  // Formats that a value may have passed on its way.
  for (const FormatSpec* f : {&formats::bfloat16, &formats::float16, &formats::float32}) {
    const bool between = f->precision < from.precision && f->precision > to.precision;
    const Finish by{.by_way_of = *f};
    const auto same = [&](const ConversionCandidate& c) { return c.finish == by; };
    if (between && std::none_of(all.begin(), all.end(), same))
      all.push_back({"format", "format, " + finish_name(by), nullptr, by});
  }
  if (from != formats::float32) return all;
  for (const ConversionPolicy& policy : all_policies()) {
    if (policy.name == "format") continue;
    for (const Rounding mode : deterministic_roundings) {
      if (!why_not(policy, to, mode).empty()) continue;
      for (const Overflow overflow : {Overflow::ieee, Overflow::saturate}) {
        Finish finish{.rounding = mode, .overflow = overflow};
        all.push_back({std::string(policy.name), fmt::format("{}, {}", policy.name, finish_name(finish)),
                       &policy, finish});
      }
    }
  }
  return all;
}

// Inputs that conversions differ on: every special, and what lies around the edges of the destination.
std::vector<std::uint64_t> telling_inputs(const FormatSpec& from, const FormatSpec& to) {
  std::vector<std::uint64_t> codes;
  const auto around = [&](std::uint64_t code) {
    for (const std::uint64_t c : {code - 1, code, code + 1}) {
      codes.push_back(c & from.magnitude_mask());
      codes.push_back((c & from.magnitude_mask()) | from.sign_code());
    }
  };
  around(encode(1.0, from).code);
  const double one = 1, last = std::ldexp(one, 1 - to.precision);
  for (const double x :
       {one + last / 2, one + 3 * last / 2, decode(to.max_finite_code(), to),
        std::ldexp(2 - last / 2, to.emax()), std::ldexp(one, to.emin),
        std::ldexp(one, to.emin - to.precision), std::ldexp(one, to.emin - to.precision + 1)})
    around(encode(x, from).code);
  around(from.min_normal_code());
  around(1);
  if (from.has_nan()) around(from.nan_code());
  if (from.has_infinity()) around(from.infinity_code());
  return codes;
}

// What conversions differ on, the rarest first.
enum class ConversionKind : std::uint8_t { nan, infinity, minus_zero, zero, subnormal, tie, overflow, plain };
constexpr std::size_t input_kinds = 8;

ConversionKind kind_of(std::uint64_t code, const FormatSpec& from, const FormatSpec& to) {
  if (from.is_nan(code)) return ConversionKind::nan;
  if (!from.is_finite(code)) return ConversionKind::infinity;
  if ((code & ~from.sign_code()) == 0) return code == 0 ? ConversionKind::zero : ConversionKind::minus_zero;
  const double magnitude = std::fabs(decode(code, from));
  if ((code & from.magnitude_mask()) < from.min_normal_code() || magnitude < std::ldexp(1.0, to.emin))
    return ConversionKind::subnormal;
  if (magnitude >= decode(to.max_finite_code(), to)) return ConversionKind::overflow;
  // A tie is half-way between the neighbours: two roundings toward opposite sides are as far from it.
  const std::uint64_t positive = code & ~from.sign_code();
  const auto rounded = [&](Rounding mode) {
    return decode(convert(positive, from, to, {.rounding = mode}).code, to);
  };
  const double below = rounded(Rounding::toward_zero), above = rounded(Rounding::toward_positive);
  return below < above && magnitude - below == above - magnitude ? ConversionKind::tie
                                                                 : ConversionKind::plain;
}

}  // namespace

std::vector<std::size_t> telling_sample(const CodeVector& a, const FormatSpec& to, std::size_t n,
                                        std::uint64_t seed) {
  if (n >= a.size) return drawn_sample(a.size, n, seed);
  // Of each kind a few at random, every member as likely: a new one takes the place of an old one.
  const std::size_t quota = std::max<std::size_t>(1, n / input_kinds);
  const CounterRandom random(seed, 1);
  std::array<std::vector<std::size_t>, input_kinds> kept;
  std::array<std::size_t, input_kinds> met{};
  for (std::size_t i = 0; i < a.size; ++i) {
    const auto kind = static_cast<std::size_t>(kind_of(a.code(i), a.format, to));
    const std::size_t count = ++met[kind];
    if (kept[kind].size() < quota) {
      kept[kind].push_back(i);
    } else if (const std::uint64_t place = random.below(count, i); place < quota) {
      kept[kind][static_cast<std::size_t>(place)] = i;
    }
  }
  std::set<std::size_t> sample;
  for (const std::vector<std::size_t>& some : kept) {
    for (const std::size_t i : some) {
      if (sample.size() < n) sample.insert(i);
    }
  }
  for (const std::size_t i : drawn_sample(a.size, n, seed)) {
    if (sample.size() < n) sample.insert(i);
  }
  return {sample.begin(), sample.end()};
}

ConversionExplanation explain_conversion(const CodeVector& a, const CodeVector& got) {
  if (a.size != got.size || a.size == 0)
    throw ContractError(fmt::format("explain: {} values and {} results", a.size, got.size));
  ConversionExplanation result{.sample = a.size};
  const std::vector<ConversionCandidate> candidates = conversion_candidates(a.format, got.format);
  result.candidates = candidates.size();
  std::vector<std::pair<ConversionRank, const ConversionCandidate*>> ranked;
  for (const ConversionCandidate& c : candidates) {
    ConversionRank rank{.policy = c.policy,
                        .rounding = std::string(rounding_name(c.finish.rounding)),
                        .how = c.how,
                        .compared = a.size};
    for (std::size_t i = 0; i < a.size; ++i) {
      const std::uint64_t code = convert_by(c, a.code(i), a.format, got.format);
      if (code == got.code(i)) {
        ++rank.matches;
      } else if (!rank.first_miss) {
        rank.first_miss = i;
        rank.miss_answer = code;
      }
    }
    result.remaining += rank.matches == a.size ? 1 : 0;
    ranked.emplace_back(std::move(rank), &c);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& x, const auto& y) { return x.first.matches > y.first.matches; });
  const std::vector<std::uint64_t> inputs = telling_inputs(a.format, got.format);
  for (std::size_t i = 1; i < result.remaining; ++i) {
    ConversionSeparation separation{.other = ranked[i].first.how};
    for (const std::uint64_t code : inputs) {
      const std::uint64_t x = convert_by(*ranked[0].second, code, a.format, got.format),
                          y = convert_by(*ranked[i].second, code, a.format, got.format);
      if (x == y) continue;
      separation.found = true;
      separation.code = code;
      separation.best_answer = x;
      separation.other_answer = y;
      break;
    }
    result.separations.push_back(std::move(separation));
  }
  for (auto& [rank, candidate] : ranked) result.ranked.push_back(std::move(rank));
  return result;
}

namespace {

// Words as the codes that they are.
CodeVector code_words(const std::vector<std::uint64_t>& codes, const FormatSpec& f) {
  return {codes.data(), codes.size(), static_cast<std::ptrdiff_t>(8 / code_bytes(f)), f};
}

}  // namespace

ConvertedSample converted_sample(const compare::Codes& a, const compare::Codes& got,
                                 std::vector<std::size_t> index) {
  ConvertedSample sample{.from = a.format, .index = std::move(index)};
  for (const std::size_t i : sample.index) {
    sample.a.push_back(compare::code_at(a, i));
    sample.got.push_back(compare::code_at(got, i));
  }
  return sample;
}

ConvertedSample converted_sample(const compare::Codes& a, const compare::Codes& got, std::size_t n,
                                 std::uint64_t seed) {
  return converted_sample(a, got, telling_sample({a.data, a.size(), 1, a.format}, got.format, n, seed));
}

ConversionExplanation explain_converted(const ConvertedSample& sample, const FormatSpec& to) {
  return explain_conversion(code_words(sample.a, sample.from), code_words(sample.got, to));
}

}  // namespace assay::diagnose
