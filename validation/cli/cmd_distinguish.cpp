// assay distinguish: the smallest input on which two arithmetics differ, and how each came to its answer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/distinction_report.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::cli {
namespace {

struct DistinguishCommand {
  PairQuestion asked;
  bool json = false;
};

// Long inputs: their memory first, then how long the search may take. Short ones cost neither.
void announce(const PairQuestion& q, const DistinguishOptions& options) {
  constexpr std::size_t long_input = 1 << 16;
  // Measured: two codes in the input, the one found and those tried beside it, and what a dot product takes.
  constexpr std::uint64_t bytes_a_term = 256;
  if (!options.terms || *options.terms < long_input) return;
  require_memory("distinguish", "--k", fmt::format("inputs of {} terms", *options.terms),
                 bytes_product({*options.terms, bytes_a_term}));
  if (const auto seconds = seconds_to_try_all(q, options)) {
    fmt::print(stderr,
               "assay distinguish: up to {} inputs of {} terms, about {:.0f} s to try all (--limit)\n",
               q.limit, *options.terms, std::ceil(*seconds));
  }
}

int run(const DistinguishCommand& o) {
  PairQuestion q = o.asked;
  q.x.arithmetic = load_arithmetic(q.x.name, "distinguish");
  q.y.arithmetic = load_arithmetic(q.y.name, "distinguish");
  DistinguishOptions options = search_options(q);
  announce(q, options);
  ToldApart found;
  {
    ProgressLine progress;
    const auto begin = std::chrono::steady_clock::now();
    double shown = -1;
    options.progress = [&](std::uint64_t tried, std::uint64_t reduced) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (seconds - shown < 0.1) return;  // short inputs come by the thousand
      shown = seconds;
      const std::string what = reduced == 0 ? fmt::format("{} of {} inputs", tried, q.limit)
                                            : fmt::format("found, made smaller: {} inputs tried", reduced);
      progress.show("distinguish", seconds, -1, what);
    };
    found = tell_apart(q, options);
  }
  const DistinguishedSide x{.name = q.x.name, .info = &q.x.arithmetic->info(), .trace = found.x_steps},
      y{.name = q.y.name, .info = &q.y.arithmetic->info(), .trace = found.y_steps};
  const Distinction& d = found.distinction;
  put(o.json ? distinction_json(d, x, y) + '\n' : distinction_text(d, x, y));
  return d.found ? agree : nothing_verified;
}

}  // namespace

std::function<int()> make_distinguish(CLI::App& app) {
  const auto o = std::make_shared<DistinguishCommand>();
  app.add_option("X", o->asked.x.name,
                 "An arithmetic: a name of `assay list arithmetics`, or X.json that `assay probe` saved")
      ->required();
  app.add_option("Y", o->asked.y.name, "The other arithmetic")->required();
  app.add_option("--a-format", o->asked.a_format,
                 "Format of A (default: the first pair of formats that both accept)");
  app.add_option("--b-format", o->asked.b_format, "Format of B");
  app.add_option("--output", o->asked.output, "Format of both results (default: each its own)");
  add_unsigned(app, "--k", o->asked.terms,
               "Number of terms (default: as few as tell them apart; for X.json, its shortest length)", 1);
  add_seed(app, o->asked.seed, "Seed of the search");
  app.add_option("--limit", o->asked.limit, "Number of inputs to try")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_flag("--json", o->json, "Print one JSON object on stdout");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
