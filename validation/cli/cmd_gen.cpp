// assay gen: cases for somebody's program, on stdout; assay verify judges its answers.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "reference/core/error.hpp"
#include "validation/cli/cases.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
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
  const CaseRequest& o = options.cases.asked;
  const std::string& as = options.cases.as;
  if (options.json && as == "binary") throw UsageError("--json holds text: --as binary does not go with it");
  const diagnose::CaseSpec spec = case_spec(o);
  // A code of 8 bytes, and its text twice: on its own and among that of other cases.
  const CaseMemory memory = case_memory(o, spec, 64, 0, 1);
  require_memory("gen", memory.options, memory.why, memory.needed);
  const CaseForm form = parse_case_form(as);
  std::string text = options.json ? cases_json_begin(spec, o.cases) : "";
  for (std::size_t i = 0; i < o.cases; ++i) {
    const diagnose::GeneratedCase made = generate(spec, i);
    text += options.json ? case_json(spec, made, i, as == "values") : case_text(form, spec, made);
    if (text.size() < 1 << 16 && i + 1 < o.cases) continue;
    put(text);
    text.clear();
  }
  if (options.json) put(cases_json_end());
  return agree;
}

}  // namespace

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
