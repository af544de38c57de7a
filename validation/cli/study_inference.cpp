// assay study spdnn: what rounding does to the answers of sparse networks.
#include <CLI/CLI.hpp>
#include <memory>

#include "reference/graphs/radixnet.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/study_command.hpp"
#include "validation/studies/spdnn_request.hpp"

namespace assay::cli {
namespace {

struct StudyInferenceCommand {
  StudyOptions study;
  studies::InferenceQuestion asked;
};

int run(const StudyInferenceCommand& o) {
  studies::InferenceQuestion q = o.asked;
  q.seed = o.study.seed;
  q.threads = o.study.threads;
  auto files = study_files(o.study);
  show(o.study, inference_page(answer(q, study_progress("assay study spdnn"))), files);
  return agree;
}

}  // namespace

std::function<int()> make_study_spdnn(CLI::App& app) {
  const auto o = std::make_shared<StudyInferenceCommand>();
  app.add_option("--neurons", o->asked.neurons, "Neurons per layer: 1024, 4096, 16384 or 65536")
      ->capture_default_str();
  app.add_option("--layers", o->asked.layers, "Number of layers, 1 to 1920")
      ->capture_default_str()
      ->check(CLI::Range(1, graphs::RadixNet::most_layers));
  app.add_option("--inputs", o->asked.inputs,
                 "mnist, fashion, generated, or a file like sparse-images-1024.tsv");
  app.add_option("--network", o->asked.network,
                 "Study the trained network in this folder, on MNIST's test images, instead")
      ->check(not_empty)
      ->excludes(app.get_option("--neurons"), app.get_option("--layers"), app.get_option("--inputs"));
  app.add_option("--data", o->asked.data, "Folder with mnist/ (default: the variable ASSAY_DATA)");
  add_unsigned(app, "--images", o->asked.images,
               "Use only the first N images (all are interpolated, because neighbours leak into each other)",
               1);
  app.add_option("--weights", o->asked.weights,
                 "Formats of the weights to try, FORMAT or FORMAT:ROUNDING (default: f32); may be repeated")
      ->allow_extra_args(false);
  app.add_option("--activations", o->asked.activations, "Formats of the activations to try, as --weights")
      ->allow_extra_args(false);
  app.add_option("--bias", o->asked.biases, "Formats of the bias to try, as --weights")
      ->allow_extra_args(false);
  app.add_option("--acc", o->asked.accumulators,
                 "Formats of the sums to try, rounded at every step, as --weights")
      ->allow_extra_args(false);
  add_study_options(app, o->study);
  app.footer(
      app.get_footer() +
      "\n\nWithout --weights, --activations, --bias and --acc: the usual combinations of bf16 and f16.");
  return [o] { return run(*o); };
}

}  // namespace assay::cli
