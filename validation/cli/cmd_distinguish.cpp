// assay distinguish: the smallest input on which two arithmetics differ, and how each came to its answer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/distinguish.hpp"
#include "emulation/units/unit.hpp"
#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/diagnose/reveal/revealed.hpp"
#include "validation/report/distinction_report.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string x, y, a_format, b_format, output;
  std::uint64_t seed = 1, limit = DistinguishOptions{}.limit;
  std::optional<std::uint64_t> k{};
  bool json = false;
};

// How one of the two came to its answer, where it can say so.
std::vector<TraceStep> trace_of(const Arithmetic& arithmetic, const DotInput& input,
                                const FormatSpec& output) {
  const Unit* const unit = as_unit(arithmetic);
  if (unit == nullptr) return {};
  return unit->trace(input.a_view(), input.b_view(), c_for(input, arithmetic), output);
}

// The lengths that a saved arithmetic was revealed for; nullopt where any will do.
std::optional<std::set<std::size_t>> lengths_of(const std::string& name, const Arithmetic& arithmetic) {
  const diagnose::SavedArithmetic* const saved = diagnose::saved_of(arithmetic);
  if (saved == nullptr) return std::nullopt;
  check_places(name, arithmetic, std::nullopt);
  std::set<std::size_t> lengths;
  for (const auto& shape : saved->shapes) {
    const diagnose::Problem& p = shape.revelation.problem;
    if (!p.has_b()) throw InputError(name, "", "an arithmetic of products", "one that was revealed for sums");
    lengths.insert(p.k);
  }
  return lengths;
}

// The terms to search with: what was typed, or the least length that both know.
std::optional<std::size_t> terms_of(const Options& o, const Arithmetic& x, const Arithmetic& y) {
  std::optional<std::size_t> terms;
  if (o.k) terms = static_cast<std::size_t>(*o.k);
  const auto x_lengths = lengths_of(o.x, x), y_lengths = lengths_of(o.y, y);
  if (!x_lengths && !y_lengths) return terms;
  std::set<std::size_t> both = x_lengths ? *x_lengths : *y_lengths;
  if (x_lengths && y_lengths) std::erase_if(both, [&](std::size_t k) { return !y_lengths->contains(k); });
  std::string known;
  for (const auto& [name, lengths] : {std::pair{&o.x, &x_lengths}, std::pair{&o.y, &y_lengths}}) {
    if (*lengths)
      known += fmt::format("{}{} was revealed for {}", known.empty() ? "" : ", ", *name,
                           fmt::join(**lengths, ", "));
  }
  if (both.empty()) throw InputError("distinguish", "", "a number of terms that both know: " + known, "none");
  if (!terms) return *both.begin();
  if (!both.contains(*terms))
    throw InputError("--k", "", "a number of terms that is known: " + known, std::to_string(*terms));
  return terms;
}

// What one dot product of so many terms takes, in seconds, from one that is short.
double seconds_of(const Arithmetic& arithmetic, const DistinguishOptions& options, std::size_t terms) {
  const ArithmeticInfo& info = arithmetic.info();
  const auto [a, b] = options.inputs        ? *options.inputs
                      : info.inputs.empty() ? std::pair(info.accumulator, info.accumulator)
                                            : info.inputs.front();
  constexpr std::size_t few = 4096;
  const std::vector<std::uint64_t> zeros(few);
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(arithmetic.dot({zeros.data(), few, 1, a}, {zeros.data(), few, 1, b}));
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return took * static_cast<double>(terms) / few;
}

// Long inputs: their memory first, then how long the search may take. Short ones cost neither.
void announce(const Options& o, const Arithmetic& x, const Arithmetic& y, const DistinguishOptions& options) {
  constexpr std::size_t long_input = 1 << 16;
  // Measured: two codes in the input, the one found and those tried beside it, and what a dot product takes.
  constexpr std::uint64_t bytes_a_term = 256;
  if (!options.terms || *options.terms < long_input) return;
  require_memory("distinguish", "--k", fmt::format("inputs of {} terms", *options.terms),
                 bytes_product({*options.terms, bytes_a_term}));
  // A saved arithmetic knows its own lengths alone.
  if (diagnose::saved_of(x) != nullptr || diagnose::saved_of(y) != nullptr) return;
  const double seconds = static_cast<double>(o.limit) *
                         (seconds_of(x, options, *options.terms) + seconds_of(y, options, *options.terms));
  fmt::print(stderr, "assay distinguish: up to {} inputs of {} terms, about {:.0f} s to try all (--limit)\n",
             o.limit, *options.terms, std::ceil(seconds));
}

int run(const Options& o) {
  const Arithmetic& x = find_arithmetic(o.x, "distinguish");
  const Arithmetic& y = find_arithmetic(o.y, "distinguish");
  DistinguishOptions options{.seed = o.seed, .limit = o.limit};
  if (o.a_format.empty() != o.b_format.empty())
    throw UsageError("--a-format and --b-format go together: one was given alone");
  check_format("--a-format", o.a_format);
  check_format("--b-format", o.b_format);
  check_format("--output", o.output);
  options.terms = terms_of(o, x, y);
  // What was revealed starts with no C.
  options.with_c = !o.x.ends_with(".json") && !o.y.ends_with(".json");
  if (!o.a_format.empty()) options.inputs = {parse_format(o.a_format), parse_format(o.b_format)};
  if (!o.output.empty()) options.output = parse_format(o.output);
  Distinction d;
  try {
    announce(o, x, y, options);
    ProgressLine progress;
    const auto begin = std::chrono::steady_clock::now();
    double shown = -1;
    options.progress = [&](std::uint64_t tried, std::uint64_t reduced) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (seconds - shown < 0.1) return;  // short inputs come by the thousand
      shown = seconds;
      const std::string what = reduced == 0 ? fmt::format("{} of {} inputs", tried, o.limit)
                                            : fmt::format("found, made smaller: {} inputs tried", reduced);
      progress.show("distinguish", seconds, -1, what);
    };
    d = distinguish(x, y, options);
  } catch (const ContractError& e) {
    // Which formats two arithmetics share is the business of whoever named them.
    throw InputError("distinguish", "", "two arithmetics that take and give the same formats", e.what());
  }
  DistinguishedSide x_side{.name = o.x, .info = &x.info()}, y_side{.name = o.y, .info = &y.info()};
  if (d.found) {
    x_side.trace = trace_of(x, d.input, d.x_output);
    y_side.trace = trace_of(y, d.input, d.y_output);
  }
  put(o.json ? distinction_json(d, x_side, y_side) + '\n' : distinction_text(d, x_side, y_side));
  return d.found ? agree : nothing_verified;
}

}  // namespace

std::function<int()> make_distinguish(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("X", o->x,
                 "An arithmetic: a name of `assay list arithmetics`, or X.json that `assay probe` saved")
      ->required();
  app.add_option("Y", o->y, "Another")->required();
  app.add_option("--a-format", o->a_format, "Format of A (default: the first pair that both take)");
  app.add_option("--b-format", o->b_format, "Format of B");
  app.add_option("--output", o->output, "Format of both results (default: each one's own)");
  add_unsigned(app, "--k", o->k,
               "Terms of every input (X.json: one of the lengths it was revealed for; default: the least)",
               1);
  add_seed(app, o->seed, "Seed of the search");
  app.add_option("--limit", o->limit, "Inputs to try")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_flag("--json", o->json, "One JSON object on stdout");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
