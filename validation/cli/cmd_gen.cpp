// assay gen: cases for somebody's program, on stdout; assay verify judges its answers.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "reference/core/error.hpp"
#include "validation/cli/cases.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/case_text.hpp"
#include "validation/report/cases_report.hpp"

namespace assay::cli {
namespace {

struct GenCommand {
  CaseOptions cases;
  bool json = false;
};

int run(const GenCommand& options) {
  const CaseOptions& o = options.cases;
  if (options.json && o.as == "binary")
    throw UsageError("--json holds text: --as binary does not go with it");
  const diagnose::CaseSpec spec = case_spec(o);
  check_case_memory("gen", o, spec);
  const CaseForm form = parse_case_form(o.as);
  std::string text = options.json ? cases_json_begin(spec, o.cases) : "";
  for (std::size_t i = 0; i < o.cases; ++i) {
    const diagnose::GeneratedCase made = generate(spec, i);
    text += options.json ? case_json(spec, made, i, o.as == "values") : case_text(form, spec, made);
    if (text.size() < 1 << 16 && i + 1 < o.cases) continue;
    put(text);
    text.clear();
  }
  if (options.json) put(cases_json_end());
  return agree;
}

}  // namespace

void add_case_options(CLI::App& app, CaseOptions& o) {
  app.add_option("operation", o.operation, "dot, sum or gemm")->required();
  add_seed(app, o.seed, "Seed of the cases: the same options and seed make the same cases");
  add_unsigned(app, "--cases", o.cases, "Number of cases (default: 1000)", 1);
  app.add_option(
         "--values", o.values,
         "Kind of values: normal, integers (exact in every order) or hard (they tell arithmetics apart)")
      ->capture_default_str();
  app.add_option("--k", o.terms, "Terms of a sum, or FIRST:LAST to draw a length for each case")
      ->capture_default_str();
  add_unsigned(app, "--m", o.m, "For gemm: rows of A (default: 8)", 1);
  add_unsigned(app, "--n", o.n, "For gemm: columns of B (default: 8)", 1);
  app.add_option("--format,-f", o.format, "Format of the operands")->capture_default_str();
  app.add_option("--b-format", o.b_format, "Format of B alone");
  app.add_option("--acc", o.accumulator,
                 "Format of the sums and of c (default: float32, or float64 if an operand is float64)");
  app.add_option("--output", o.output, "Format of the answers (default: that of the sums)");
  app.add_flag("--with-c", o.with_c, "For dot and gemm: start each sum with a c");
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
      throw UsageError(std::string(option) + " is for " + operations + ", not for " + o.operation);
  };
  if (o.operation == "dot" || o.operation == "sum") {
    refuse("--m", "gemm");
    refuse("--n", "gemm");
  }
  if (o.operation == "sum") refuse("--b-format", "dot or gemm");
}

std::function<int()> make_gen(CLI::App& app) {
  const auto o = std::make_shared<GenCommand>();
  add_case_options(app, o->cases);
  app.add_flag("--json", o->json, "One JSON object on stdout");
  return [o, &app] {
    refuse_unused(o->cases, app);
    return run(*o);
  };
}

}  // namespace assay::cli
