// assay study bf16 autosparse: gradients of a layer with learnable thresholds under formats and units, beside float64.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/study_command.hpp"
#include "validation/studies/autosparse_study.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct StudyAutosparseCommand {
  StudyOptions study;
  studies::AutosparseQuestion asked;
  std::vector<std::string> units;
};

// At the commas, but for a custom format, which has some itself.
std::vector<std::string> parts_of(const std::vector<std::string>& formats) {
  std::vector<std::string> all;
  for (const std::string& text : formats) {
    if (text.starts_with("custom:")) {
      all.push_back(text);
      continue;
    }
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = text.find(',', begin);
      all.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    }
  }
  return all;
}

int run(const StudyAutosparseCommand& o) {
  studies::AutosparseQuestion q = o.asked;
  q.formats = parts_of(o.asked.formats);
  q.seed = o.study.seed;
  q.threads = o.study.threads;
  for (const std::string& name : o.units) q.units.push_back({name, load_arithmetic(name, "--unit")});
  const studies::AutosparseRequest request = autosparse_request(q);
  require_memory("study", "--width", "the operands and results of the widest layer",
                 autosparse_bytes(request));
  auto files = study_files(o.study);
  const studies::AutosparseStudy study =
      study_autosparse(request, study_progress("assay study bf16 autosparse"));
  show(o.study, autosparse_page(study), files);
  return study_verdict(outside_texts(study));
}

}  // namespace

std::function<int()> make_study_autosparse(CLI::App& app) {
  const auto o = std::make_shared<StudyAutosparseCommand>();
  // Each may be repeated, and takes several values between commas.
  const auto list = [](CLI::Option* option) { option->delimiter(',')->allow_extra_args(false); };
  list(add_unsigned(app, "--width", o->asked.widths,
                    "Inputs and output channels of the layer (default: 64,128,256,512); may be repeated or a "
                    "list with commas, like every option up to --unit",
                    2));
  list(app.add_option("--sparsity", o->asked.sparsities,
                      "Per cent of the weights that are masked (default: 50,90,98)"));
  list(app.add_option("--alpha", o->asked.alphas,
                      "Share of the gradient that masked weights get, 0 to 1 (default: 0,0.5,1)"));
  app.add_option("--format,-f", o->asked.formats,
                 "Format of pruned weights, inputs and output gradients (default: f32 and bf16)")
      ->allow_extra_args(false);
  list(app.add_option("--rounding", o->asked.roundings, "Rounding into it (default: RNE)"));
  list(app.add_option(
      "--unit", o->units,
      "An arithmetic of the products, as in the other studies: with every format that it takes "
      "(default: chain_f32_fused)"));
  add_unsigned(app, "--batch", o->asked.batch, "Rows of inputs and output gradients (default: 32)", 1);
  app.add_option("--lambda", o->asked.lambda, "Weight decay of weights and thresholds (default: 0)");
  add_study_options(app, o->study);
  app.footer(
      "Example:\n  assay study bf16 autosparse --width 64,256 --sparsity 90 --unit tdpbf16ps --out "
      "autosparse.html"
      "\n\nWithout --format, --rounding and --unit: float32; bf16 under chain_f32_fused, vdpbf16ps, "
      "tdpbf16ps, "
      "sm80.bf16 and sm90.bf16; and bf16 rounded stochastically and toward zero.");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
