// assay check autosparse: judges masks, pruned weights and gradients of somebody's AutoSparse layer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"
#include "validation/cli/check_command.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/judge/autosparse.hpp"
#include "validation/report/pairs_report.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct CheckAutosparseOptions {
  judge::AutosparseRequest asked;  // its settings; the arrays are files until they are read
  std::string w, s, threshold, x, dy, g;
  std::string got_v, got_mask, got_dw, got_dx, got_ds;
  std::string format, unit;
  PolicyOptions policy;
  RawOptions raw;
  OwnRawOptions own_raw;
  ShowOptions show;
};
using Options = CheckAutosparseOptions;

io::Array read_one(const Options& o, std::string_view option, const std::string& path) {
  return read_dense_operand(path, o.format, raw_of(o.raw, o.own_raw, option, path));
}

std::optional<io::Array> read_optional(const Options& o, std::string_view option, const std::string& path) {
  return path.empty() ? std::nullopt : std::optional(read_one(o, option, path));
}

// A number as it was typed, or a file of some.
std::optional<io::Array> read_numbers(const Options& o, const std::string& option, const std::string& typed) {
  if (typed.empty()) return std::nullopt;
  io::Array one = io::make_array(formats::float64, {});
  one.origin = option;
  try {
    one.as<double>()[0] = decode(encode(parse_number(typed), formats::float64).code, formats::float64);
  } catch (const InputError&) {
    return read_one(o, option, typed);
  }
  return one;
}

judge::AutosparseRequest read_request(const Options& o) {
  judge::AutosparseRequest r = o.asked;
  r.policy = chosen_policy(o.policy);
  r.threads = o.show.threads;
  check_format("--format", o.format);
  if (!o.unit.empty()) {
    r.arithmetic = &find_arithmetic(o.unit, "--unit");
    r.arithmetic_name = o.unit;
    r.require_places = [name = o.unit, arithmetic = r.arithmetic](const operations::Shape& shape) {
      check_places(name, *arithmetic, places_of("gemm", shape));
    };
  }
  refuse_unused_raw(
      o.raw, {o.w, o.s, o.threshold, o.x, o.dy, o.g, o.got_v, o.got_mask, o.got_dw, o.got_dx, o.got_ds});
  if (o.w.empty()) throw UsageError("check autosparse requires --w FILE");
  r.w = read_one(o, "--w", o.w);
  r.s = read_numbers(o, "--s", o.s);
  r.threshold = read_numbers(o, "--threshold", o.threshold);
  r.x = read_optional(o, "--x", o.x);
  r.dy = read_optional(o, "--dy", o.dy);
  r.g = read_optional(o, "--g", o.g);
  r.got_v = read_optional(o, "--got-v", o.got_v);
  r.got_mask = read_optional(o, "--got-mask", o.got_mask);
  r.got_dw = read_optional(o, "--got-dw", o.got_dw);
  r.got_dx = read_optional(o, "--got-dx", o.got_dx);
  r.got_ds = read_optional(o, "--got-ds", o.got_ds);
  return r;
}

void require_memory_of(const judge::AutosparseRequest& r) {
  const judge::AutosparseMemory memory = judge::autosparse_memory(r);
  require_memory("check autosparse", "--w", memory.why, memory.needed);
}

// "mask, v": those that passed though a known mistake explains them, which a wide bound admits.
std::string explained(const std::vector<PairedArray>& rows) {
  std::string names;
  for (const PairedArray& row : rows) {
    if (row.record.result.status == Status::passed && judge::has_cause(row.record.result.details))
      names += (names.empty() ? "" : ", ") + row.array;
  }
  return names;
}

int show_all(const Options& o, std::vector<judge::AutosparseJudgement> judged, const std::string& mask_type,
             const CLI::App& app, double seconds) {
  std::vector<PairedArray> rows;
  std::vector<CaseRecord> records;
  const bool several = judged.size() > 1;
  for (judge::AutosparseJudgement& one : judged) {
    Finding finding;
    finding.suite = "check";
    finding.name = std::move(one.judgement.name);
    finding.evidence = std::move(one.judgement.evidence);
    finding.notes = one.judgement.notes;
    finding.repro = command_text(app);
    finding.seconds = seconds / static_cast<double>(judged.size());
    PairedArray row{.array = one.array,
                    .record = record_of(o.show, finding, std::move(one.judgement.comparison))};
    if (o.show.strict && row.record.result.status == Status::passed &&
        judge::has_cause(one.judgement.notes)) {
      row.record.result.status = Status::failed;
      row.record.result.reason =
          "the bound admits it, and a known mistake explains it better than the right result (--strict)";
    }
    if (one.array == "mask") row.type = mask_type;
    // In the table of several, rows that passed have no lines of their own.
    for (const std::string& note : one.judgement.notes) {
      const bool is_named = note.starts_with("note   ") || note.starts_with("cause  ");
      row.notes.push_back(is_named ? fmt::format("{}{}: {}", note.substr(0, 7), one.array, note.substr(7))
                                   : note);
    }
    records.push_back(row.record);
    rows.push_back(std::move(row));
  }
  const RunHeader header = header_of("check", records.size());
  RunSummary summary = summary_of(o.show, header, records, seconds);
  if (const std::string names = explained(rows); !names.empty())
    summary.verdict += fmt::format(", but a known mistake explains {}", names);
  if (o.show.quiet) return summary.exit_code;
  const TextStyle style{.colour = has_colour(stdout)};
  if (o.show.json) {
    put(results_json("check autosparse", rows, header, summary) + '\n');
  } else {
    put(several ? pairs_text(rows, header, summary, style) : text_case(header, records.front(), style));
    put(text_files(summary));
  }
  return summary.exit_code;
}

// An option that no result asked for depends on would change nothing.
void require_used(const CLI::App& app, const Options& o) {
  const bool gradients = !o.got_dw.empty() || !o.got_ds.empty(), products = !o.got_dx.empty() || gradients;
  const auto require = [&](std::initializer_list<const char*> names, bool used, const char* of) {
    for (const char* const name : names) {
      if (app.get_option(name)->count() > 0 && !used)
        throw UsageError(fmt::format("{} requires {}", name, of));
    }
  };
  if (o.got_mask.empty() && o.got_v.empty() && !products) return;  // what is said of that says more
  require({"--alpha", "--epoch", "--support"}, gradients, "--got-dw or --got-ds");
  require({"--lambda"}, gradients, "--got-dw or --got-ds");
  require({"--lambda-s", "--ds-acc", "--ds-order"}, !o.got_ds.empty(), "--got-ds");
  require({"--order"}, !o.got_dx.empty() || (gradients && !o.x.empty()),
          "--got-dx, or --got-dw or --got-ds from --x and --dy");
  if (app.get_option("--threshold")->count() > 0 && o.threshold.empty())
    throw InputError::of_option("--threshold", "a number or a file", "\"\"");
  if (app.get_option("--s")->count() > 0 && o.s.empty())
    throw InputError::of_option("--s", "a number or a file", "\"\"");
}

int run(const Options& o, const CLI::App& app) {
  const auto begin = std::chrono::steady_clock::now();
  refuse_alone(app, {{"--epoch", "--epochs"}, {"--epochs", "--schedule"}, {"--schedule", "--epoch"}});
  require_used(app, o);
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  judge::AutosparseRequest request = read_request(o);
  require_memory_of(request);
  ProgressLine progress;
  request.progress = [&](double done, const std::string& what) {
    progress.show("check autosparse", seconds(), done, what);
  };
  std::vector<judge::AutosparseJudgement> judged = judge::check_autosparse(request);
  progress.clear();
  return show_all(o, std::move(judged), request.got_mask ? request.got_mask->element.name() : "", app,
                  seconds());
}

}  // namespace

std::function<int()> make_check_autosparse(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("--w", o->w,
                 "Weights before pruning, output channels first: npy, npz, safetensors or raw; FILE:NAME");
  app.add_option("--s", o->s, "s of T = 1 / (1 + exp(-s)): a number, or a file");
  app.add_option("--threshold", o->threshold, "T itself, in place of s");
  app.add_flag("--channels", o->asked.channels, "s or T, and ds, have one value per output channel");
  app.add_option("--alpha", o->asked.alpha, "Share of the gradient that masked weights get, 0 to 1")
      ->capture_default_str();
  app.add_option("--lambda", o->asked.lambda, "Decay of the weights: dW = h G + lambda W")
      ->capture_default_str();
  app.add_option("--lambda-s", o->asked.lambda_s, "Decay of s (default: --lambda)");
  app.add_option("--x", o->x, "Inputs of the layer, batch x inputs");
  app.add_option("--dy", o->dy, "Gradient of its outputs, batch x channels");
  app.add_option("--g", o->g, "Gradient of the pruned weights, in place of X and dY for dW and ds");
  app.add_option("--got-mask", o->got_mask, "The mask to judge: bool, or 0 and 1");
  app.add_option("--got-v,--got-w", o->got_v, "The pruned weights to judge");
  app.add_option("--got-dw", o->got_dw,
                 "The gradient of the weights to judge; requires --g, or --x and --dy");
  app.add_option("--got-dx", o->got_dx, "The gradient of the inputs to judge; requires --dy");
  app.add_option("--got-ds", o->got_ds, "The gradient of s to judge; requires what --got-dw requires");
  app.add_option("--support", o->asked.support,
                 "Where G is computed: dense, kept (alpha 0) or top-half, the half with the largest |W| - T")
      ->capture_default_str()
      ->check(CLI::IsMember({"dense", "kept", "top-half"}));
  add_unsigned(app, "--epoch", o->asked.epoch, "Epochs that are done: --alpha is then alpha_0 of --schedule");
  add_unsigned(app, "--epochs", o->asked.epochs, "Epochs of the run", 1);
  app.add_option("--schedule", o->asked.schedule, "none, linear, cosine, sigmoid or sigmoid-cosine");
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--unit", o->unit, "Judge dX and G by this arithmetic: see `assay list arithmetics`");
  app.add_option("--acc", o->asked.accumulator,
                 "Format of sums and steps (default: float32, or float64 if an operand is float64)");
  app.add_option("--order", o->asked.order,
                 "Order of the sums of dX and G: any, sequential, pairwise[:BASE] or blocked:LANES[:PANEL]")
      ->capture_default_str();
  app.add_option("--ds-acc", o->asked.ds_accumulator, "Format of the sum of ds (default: that of --acc)");
  app.add_option("--ds-order", o->asked.ds_order, "Order of the sum of ds, as --order")
      ->capture_default_str();
  add_policy_options(app, o->policy, "bound");
  add_raw_options(app, o->raw);
  add_own_raw_options(app, o->own_raw,
                      {"--w", "--s", "--threshold", "--x", "--dy", "--g", "--got-mask", "--got-v", "--got-dw",
                       "--got-dx", "--got-ds"});
  app.add_flag("--expects-zero", o->asked.expects_zero,
               "Accept that an exact result is all zero instead of calling it VACUOUS");
  add_show_options(app, o->show);
  app.footer(
      "Each result is judged by its exact value and a proven bound; masks bit for bit. Where one is wrong, "
      "lines that\n"
      "begin with `cause` name the known mistake that explains it; --strict fails a ds that one explains "
      "within a "
      "wide\n"
      "bound.\n\nExample:\n  assay check autosparse --w "
      "w.npy "
      "--s -3 --alpha 0.5 --x x.npy --dy dy.npy --got-mask mask.npy --got-dw dw.npy");
  return [o, &app] { return run(*o, app); };
}

}  // namespace assay::cli
