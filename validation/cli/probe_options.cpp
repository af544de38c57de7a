#include "validation/cli/probe_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "reference/core/error.hpp"
#include "validation/cli/options.hpp"
#include "validation/judge/option.hpp"

namespace assay::cli {

void add_probe_options(CLI::App& app, ProbeOptions& o) {
  app.add_option("operation", o.operation, "sum, mean, dot or gemm")->required();
  app.add_option("--got-from", o.program,
                 "The program to ask, as a shell command (protocol: validation/diagnose/probe.md)")
      ->required();
  app.add_option("--form", o.form, "Form of the protocol: text or binary")->capture_default_str();
  app.add_option("--format,-f", o.format, "Format of the operands, and of the result without --output")
      ->capture_default_str();
  app.add_option("--a-format", o.a_format, "Format of A alone");
  app.add_option("--b-format", o.b_format, "Format of B alone");
  app.add_option("--c-format", o.c_format, "Format of C alone");
  app.add_option("--output", o.output, "Format of the result");
  add_unsigned(app, "--m", o.m, "For gemm: rows of A (default: 1)", 1);
  add_unsigned(app, "--n", o.n, "For gemm: columns of B (default: 1)", 1);
  app.add_option("--k", o.k, "Terms of a sum: 64, or several (8,33,64) or a range (1:64:8)")
      ->capture_default_str();
  app.add_flag("--with-c", o.with_c, "For gemm: add C, D = alpha A B + beta C");
  app.add_option("--alpha", o.alpha,
                 "For gemm: factor of A B, rounded to float32 (float64 if A or the result is float64)")
      ->capture_default_str();
  app.add_option("--beta", o.beta,
                 "With --with-c: factor of C, rounded to float32 (float64 if A or the result is float64)")
      ->capture_default_str();
  app.add_option("--threads", o.threads,
                 "Threads of the program, set through OMP_NUM_THREADS, BLIS_NUM_THREADS and others (default: "
                 "its own choice)")
      ->check(CLI::Range(1, 4096));
  app.add_option("--offset", o.offset,
                 "Bytes from a multiple of 64 to each operand's address, if the program honours it")
      ->check(CLI::Range(0, 63));
  app.add_option("--seconds", o.seconds, "Time limit of the program for one round")
      ->capture_default_str()
      ->check(not_negative)
      ->check(CLI::Range(0.01, 86400.0));
  app.add_option("--round", o.round, "Most cases per round")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  add_unsigned(app, "--runs", o.most_runs, "Most cases for one length (default: 4000000)", 1);
  add_seed(app, o.seed, "Seed of the random inputs");
  app.add_flag("--json", o.json, "Print one JSON object on stdout");
}

judge::Problem problem_of(const ProbeOptions& o, std::size_t k) {
  judge::Problem p;
  p.operation = judge::parse_operation(o.operation);
  const bool matrix = p.operation == judge::SumOperation::gemm;
  if (!matrix && (o.m != 1 || o.n != 1 || o.with_c || o.alpha != 1))
    throw UsageError("--m, --n, --with-c and --alpha are for gemm, not for " + o.operation);
  p.m = o.m;
  p.n = o.n;
  p.k = k;
  const auto format = [&](std::string_view option, const std::string& typed) {
    return typed.empty() ? judge::typed_for("--format", [&] { return parse_format(o.format); })
                         : judge::typed_for(option, [&] { return parse_format(typed); });
  };
  p.a = format("--a-format", o.a_format);
  p.b = format("--b-format", o.b_format);
  p.output = format("--output", o.output);
  if (!p.has_b()) p.b = judge::Problem{}.b;
  if (o.with_c) p.c = o.c_format.empty() ? p.output : format("--c-format", o.c_format);
  if (o.beta != 1 && !o.with_c) throw UsageError("--beta requires --with-c, the C that it scales");
  p.alpha = judge::scale_of(p, o.alpha);
  p.beta = judge::scale_of(p, o.beta);
  p.threads = o.threads;
  p.offset = o.offset;
  check_problem(p);
  return p;
}

void ProbeProgress::show(std::string_view stage, std::uint64_t runs) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
  line_.show(name_, passed.count(), -1, fmt::format("{}, {} runs", stage, runs));
}

diagnose::RevealOptions reveal_options(const ProbeOptions& o, ProbeProgress& progress) {
  diagnose::RevealOptions options;
  options.seed = o.seed;
  options.most_runs = o.most_runs;
  options.cases_per_round = o.round;
  options.progress = [&progress](std::string_view stage, std::uint64_t runs) { progress.show(stage, runs); };
  return options;
}

diagnose::ProgramOptions program_options(const ProbeOptions& o) {
  diagnose::ProgramOptions options;
  options.command = o.program;
  options.form = diagnose::parse_form(o.form);
  options.seconds = o.seconds;
  return options;
}

}  // namespace assay::cli
