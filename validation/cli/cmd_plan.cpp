// assay plan: what a plan of a sparse product chooses for a matrix, and why.
#include <CLI/CLI.hpp>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/io/io.hpp"
#include "validation/judge/choice.hpp"
#include "validation/report/plan_report.hpp"
#include "validation/suites/plan_request.hpp"

namespace assay::cli {
namespace {

struct PlanCommand {
  std::string operation, file, format;
  PlanRequest asked;
  bool json = false;
};

int run(const PlanCommand& o) {
  constexpr std::array<std::pair<std::string_view, int>, 1> operations{{{"spmm", 0}}};
  static_cast<void>(judge::choice("plan", o.operation, operations, "an operation that has plans"));
  PlanRequest r = o.asked;
  require_plannable(r);  // a typo first
  io::ReadOptions options;
  if (!o.format.empty())
    options.format = judge::typed_for("--format", [&] { return parse_format(o.format); });
  r.a = io::read_sparse(o.file, options);
  const PlanMemory memory = plan_memory(r);
  require_memory("plan", o.file, memory.why, memory.needed);
  const PlannedSpmm plan = plan_spmm(std::move(r));
  put(o.json ? plan_json(plan) + '\n' : plan_text(plan));
  return agree;
}

}  // namespace

std::function<int()> make_plan(CLI::App& app) {
  const auto o = std::make_shared<PlanCommand>();
  app.add_option("operation", o->operation, "spmm")->required();
  app.add_option("FILE", o->file, "A sparse matrix: Matrix Market or SciPy's npz")->required();
  add_unsigned(app, "--n", o->asked.columns, "Columns of the dense matrix (default: 256)", 1);
  app.add_option("--kernel", o->asked.kernel,
                 "Plan for this kernel, as `assay list kernels` names it (default: the plan's choice)");
  app.add_option("--format,-f", o->format, "Read codes (uint8, uint16, ...) as this format");
  app.add_flag("--measure", o->asked.measure,
               "Time planning and one product, on one thread: medians of seven");
  add_seed(app, o->asked.seed, "Seed of the dense matrix of --measure");
  app.add_flag("--json", o->json, "Print one JSON object on stdout");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
