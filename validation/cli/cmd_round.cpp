// assay round: numbers as typed, in a format, by one rounding; with what lies around them.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/neighbours.hpp"
#include "reference/formats/stochastic.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/judge/option.hpp"
#include "validation/report/rounding_report.hpp"

namespace assay::cli {
namespace {

struct RoundCommand {
  std::string format, mode, policy = "format", overflow = "ieee", subnormals = "keep";
  int bits = 32;
  std::uint64_t seed = 0;
  bool json = false;
};

// The options with their names looked up.
struct Request {
  FormatSpec format;
  const ConversionPolicy* policy;
  EncodeOptions encode;
  std::uint64_t seed;
};

template <class Enum>
Enum choice(std::string_view option, std::string_view typed,
            std::initializer_list<std::pair<const char*, Enum>> known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (typed == name) return value;
    names.emplace_back(name);
  }
  throw unknown_name(option, "a known name", typed, names);
}

// Nearest even, or the one rounding of a policy that has no other: truncation rounds toward zero.
Rounding default_rounding(const ConversionPolicy& policy, const FormatSpec& to) {
  if (why_not(policy, to, Rounding::nearest_even).empty()) return Rounding::nearest_even;
  std::optional<Rounding> only;
  for (const Rounding mode : all_roundings) {
    if (!why_not(policy, to, mode).empty()) continue;
    if (only) return Rounding::nearest_even;
    only = mode;
  }
  return only.value_or(Rounding::nearest_even);
}

Request looked_up(const RoundCommand& o) {
  Request r{judge::typed_for("--format", [&] { return parse_format(o.format); }),
            &parse_policy(o.policy),
            {},
            o.seed};
  r.encode.rounding = o.mode.empty() ? default_rounding(*r.policy, r.format)
                                     : judge::typed_for("--mode", [&] { return parse_rounding(o.mode); });
  r.encode.overflow = choice<Overflow>("--overflow", o.overflow,
                                       {{"ieee", Overflow::ieee}, {"saturate", Overflow::saturate}});
  r.encode.subnormals = choice<Subnormals>("--subnormals", o.subnormals,
                                           {{"keep", Subnormals::keep},
                                            {"flush-input", Subnormals::flush_input},
                                            {"flush-result", Subnormals::flush_result}});
  if (const std::string why = why_not(*r.policy, r.format, r.encode.rounding); !why.empty()) {
    throw UsageError((o.mode.empty() ? "--policy: " : "--mode: ") + why);
  }
  r.encode.random.bits = o.bits;
  return r;
}

template <class Word>
RoundedNumber round_value(std::string_view text, const ExactValue<Word>& x,
                          std::optional<std::uint32_t> float32_code, std::uint64_t index, const Request& r) {
  RoundedNumber out;
  out.input = text;
  EncodeOptions options = r.encode;
  if (options.rounding == Rounding::stochastic)
    options.random = random_bits(r.seed, index, options.random.bits);
  if (r.policy->name == "format") {
    out.encoded = encode(x, r.format, options);
  } else {
    // A policy is a conversion of float32: what was typed becomes one first, as a literal in a program would.
    const Encoded source = encode(x, formats::float32);
    out.source = float32_code ? *float32_code : static_cast<std::uint32_t>(source.code);
    out.encoded = encode_bits32(*out.source, r.format, options);
    out.encoded.code = convert_bits32(*out.source, r.format, *r.policy, options);
    out.encoded.inexact = out.encoded.inexact || source.inexact;
  }
  out.below = next_down(out.encoded.code, r.format);
  out.above = next_up(out.encoded.code, r.format);
  out.error_ulp = error_in_ulps(out.encoded.code, x, r.format);
  return out;
}

RoundedNumber round_text(std::string_view text, std::uint64_t index, const Request& r) {
  if (!is_typed_code(text)) return round_value(text, parse_number(text), std::nullopt, index, r);
  const TypedCode typed = parse_typed_code(text, r.format);
  std::optional<std::uint32_t> float32_code;
  if (typed.format == formats::float32) float32_code = static_cast<std::uint32_t>(typed.code);
  return round_value(text, exact_from_code(typed.code, typed.format), float32_code, index, r);
}

int run(const RoundCommand& o, const std::vector<std::string>& values) {
  const Request request = looked_up(o);
  if (values.empty()) throw UsageError("round requires a VALUE, or - to read one from each line of stdin");
  const RoundingRules rules{.format = request.format,
                            .rounding = request.encode.rounding,
                            .policy = request.policy->name,
                            .random_bits = request.encode.random.bits,
                            .seed = request.seed};
  if (!o.json) fmt::print("{}", rounding_head_text(rules));
  std::uint64_t index = 0;
  const auto show = [&](std::string_view text) {
    const RoundedNumber v = round_text(text, index++, request);
    fmt::print("{}", o.json ? rounded_json(v, rules) + '\n' : rounded_text(v, rules));
  };
  for (const std::string& value : values) {
    if (value != "-") {
      show(value);
      continue;
    }
    // A person at a terminal sees each answer at once; a pipe is not flushed line by line.
    if (isatty(STDIN_FILENO) == 0) std::cin.tie(nullptr);
    std::uint64_t line_number = 0;
    errno = 0;
    for (std::string line; std::getline(std::cin, line); errno = 0) {
      ++line_number;
      try {
        show(line);
      } catch (const InputError& e) {
        std::fflush(stdout);
        throw InputError("stdin", "line " + std::to_string(line_number), e.expected(), e.found());
      }
    }
    // std::cin takes a directory or a closed descriptor for the end of input; the stream below it knows better.
    if (const int error = errno; std::ferror(stdin) != 0) {
      std::fflush(stdout);
      throw InputError("stdin", "after line " + std::to_string(line_number), "readable input",
                       std::strerror(error != 0 ? error : EIO));
    }
  }
  return agree;
}

}  // namespace

std::function<int()> make_round(CLI::App& app) {
  auto o = std::make_shared<RoundCommand>();
  app.add_option("--format,-f", o->format,
                 "Target format: a name of `assay list formats`, or custom:bits,p,emin,specials")
      ->required();
  app.add_option("--mode,-m", o->mode,
                 "Rounding: a name of `assay list roundings` (default: nearest-even, or the only one that "
                 "the policy has)");
  app.add_option("--policy", o->policy,
                 "Convert from float32 by this policy: a name of `assay list conversions`; values are first "
                 "rounded to float32")
      ->capture_default_str();
  app.add_option("--overflow", o->overflow, "What happens above the largest number: ieee or saturate")
      ->capture_default_str();
  app.add_option("--subnormals", o->subnormals,
                 "What happens to subnormals: keep, flush-input or flush-result")
      ->capture_default_str();
  app.add_option("--bits", o->bits, "Random bits of stochastic rounding")
      ->capture_default_str()
      ->check(CLI::Range(1, 32));
  add_seed(app, o->seed, "Seed of stochastic rounding");
  app.add_flag("--json", o->json, "Print one JSON object per line");
  // Values are taken as extras, not as a positional option: the parser would read -inf and -.5 as options.
  app.allow_extras();
  return [o, &app] {
    std::vector<std::string> values = app.remaining();
    for (const std::string& value : values) {
      if (value.starts_with("--"))
        throw UsageError("assay round: there is no option " + assay::quoted(value));
    }
    return run(*o, values);
  };
}

}  // namespace assay::cli
