// assay study bf16: how far sparse products under bf16 contracts lie from float32 and from the exact result; its
// subcommand autosparse is in study_bf16_autosparse.cpp.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/study_command.hpp"
#include "validation/studies/bf16_study.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct StudyBf16Command {
  StudyOptions study;
  studies::Bf16Question asked;
  std::vector<std::string> contracts;
};

int run(const StudyBf16Command& o) {
  studies::Bf16Question q = o.asked;
  q.seed = o.study.seed;
  q.threads = o.study.threads;
  for (const std::string& name : o.contracts)
    q.contracts.push_back({name, load_arithmetic(name, "--contract")});
  const studies::Bf16Request request = bf16_request(q);
  require_memory("study", "--shape", "the operands and results of the largest shape", bf16_bytes(request));
  auto files = study_files(o.study);
  const studies::Bf16Study study = study_bf16(request, study_progress("assay study bf16"));
  show(o.study, bf16_page(study), files);
  return study_verdict(outside_texts(study));
}

}  // namespace

std::function<int()> make_study_bf16(CLI::App& app) {
  const auto o = std::make_shared<StudyBf16Command>();
  app.add_option("operation", o->asked.operation, "spmm or sddmm");
  app.add_option("--shape", o->asked.shapes,
                 "MxKxN: A is M x K, B is K x N (default: 64x256x16 and 64x2048x16); may be repeated, "
                 "like --sparsity and --contract")
      ->allow_extra_args(false);
  app.add_option("--sparsity", o->asked.sparsities,
                 "Per cent of the places without an entry (default: 50, 90 and 98)")
      ->allow_extra_args(false);
  app.add_option(
         "--contract", o->contracts,
         "An arithmetic on bf16 operands, as --unit of the other studies (default: fused chains in f32 and "
         "bf16, vdpbf16ps, tdpbf16ps, sm80.bf16, sm90.bf16, gfx942.bf16, arm.bfdot)")
      ->allow_extra_args(false);
  app.add_option("--values", o->asked.values,
                 "positive, uniform, normal, wide or above-tenth (default: normal)");
  add_study_options(app, o->study);
  CLI::App* const gradients = app.add_subcommand(
      "autosparse", "Errors of AutoSparse's gradients by width, sparsity, alpha, format, rounding and unit");
  return [o, &app, gradients, run_gradients = make_study_autosparse(*gradients)] {
    if (!gradients->parsed()) {
      if (o->asked.operation.empty())
        throw UsageError("study bf16 requires an operation: spmm, sddmm or autosparse");
      return run(*o);
    }
    for (const CLI::Option* option : app.get_options()) {
      if (option->count() > 0)
        throw UsageError("study bf16: " + option->get_name() +
                         " belongs to spmm and sddmm; options of autosparse follow its name");
    }
    return run_gradients();
  };
}

}  // namespace assay::cli
