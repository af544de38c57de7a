#include "validation/cli/cases.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "validation/cli/options.hpp"

namespace assay::cli {

using namespace diagnose;

void add_case_options(CLI::App& app, CaseOptions& o) {
  app.add_option("operation", o.asked.operation, "dot, sum or gemm")->required();
  add_seed(app, o.asked.seed, "Seed of the cases: the same options and seed make the same cases");
  add_unsigned(app, "--cases", o.asked.cases, "Number of cases (default: 1000)", 1);
  app.add_option(
         "--values", o.asked.values,
         "Kind of values: normal, integers (exact in every order) or hard (they tell arithmetics apart)")
      ->capture_default_str();
  app.add_option("--k", o.asked.terms, "Terms of a sum, or FIRST:LAST to draw a length for each case")
      ->capture_default_str();
  add_unsigned(app, "--m", o.asked.m, "For gemm: rows of A (default: 8)", 1);
  add_unsigned(app, "--n", o.asked.n, "For gemm: columns of B (default: 8)", 1);
  app.add_option("--format,-f", o.asked.format, "Format of the operands")->capture_default_str();
  app.add_option("--b-format", o.asked.b_format, "Format of B alone");
  app.add_option("--acc", o.asked.accumulator,
                 "Format of the sums and of c (default: float32, or float64 if an operand is float64)");
  app.add_option("--output", o.asked.output, "Format of the answers (default: that of the sums)");
  app.add_flag("--with-c", o.asked.with_c, "For dot and gemm: start each sum with a c");
  app.add_option("--as", o.as, "How to write cases and answers: codes (0x3f80), values (0x1.8p+0) or binary")
      ->capture_default_str()
      ->check(CLI::IsMember({"codes", "values", "binary"}));
  app.footer(app.get_footer() + R"(

One line per case; one word per answer, separated by white space:
  dot   K, K values of a, K of b (and c)        one answer
  sum   K, K values                             one answer
  gemm  M N K, A by rows, B by rows (and C)     M N answers, by rows
Binary: sizes are uint32, codes take 1, 2, 4 or 8 bytes, little-endian.)");
}

void refuse_unused(const CaseOptions& o, const CLI::App& app) {
  const auto refuse = [&](const char* option, const char* operations) {
    if (app.get_option(option)->count() > 0)
      throw UsageError(std::string(option) + " is for " + operations + ", not for " + o.asked.operation);
  };
  if (o.asked.operation == "dot" || o.asked.operation == "sum") {
    refuse("--m", "gemm");
    refuse("--n", "gemm");
  }
  if (o.asked.operation == "sum") refuse("--b-format", "dot or gemm");
}

}  // namespace assay::cli
