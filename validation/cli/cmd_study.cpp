// assay study: error and bias against length, format, rounding, order and unit.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string_view>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/study_command.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/judge/sum_order.hpp"
#include "validation/studies/accumulation.hpp"
#include "validation/studies/rounding.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {

void add_study_options(CLI::App& app, StudyOptions& o) {
  app.add_option("--out", o.out, "The page, NAME.html; CSV, JSON and SVG go beside it")->check(not_empty);
  app.add_flag("--json", o.json, "One JSON object on stdout");
  app.add_option("--threads", o.threads, "OpenMP threads (default: as OpenMP decides)")
      ->check(CLI::Range(1, 4096));
  add_seed(app, o.seed, "Seed of the data and of stochastic rounding");
}

StudyFiles::StudyFiles(const StudyOptions& o) {
  if (o.out.empty()) return;
  constexpr std::string_view html = ".html";
  if (!o.out.ends_with(html) || o.out.size() == html.size() || o.out.ends_with("/.html"))
    throw InputError("--out", "", "NAME.html", quoted(o.out));
  stem_ = o.out.substr(0, o.out.size() - html.size());
  page_ = std::make_unique<AtomicFile>(o.out);
}

void StudyFiles::write(const StudyOptions& o, const studies::StudyPage& page) {
  if (page_) {
    RunHeader header;
    header.build = this_build();
    header.machine = this_machine();
    header.started = utc_now();
    page_->write(study_page_html(page, o.seed, header));
    std::vector<std::unique_ptr<AtomicFile>> beside;
    const auto add = [&](const std::string& name, const std::string& text) {
      beside.push_back(std::make_unique<AtomicFile>(stem_ + name));
      beside.back()->write(text);
    };
    for (const auto& [name, text] : page.csv) add(name + ".csv", text);
    add(".json", page.json);
    for (const LineChart& chart : page.charts) add("-" + chart.kind + ".svg", line_chart_svg(chart));
    for (const auto& file : beside) file->commit();
    page_->commit();
  }
  put(o.json ? page.json : page.text);
  if (page_ && !o.json) put(studies::study_files_text(o.out, stem_));
}

std::function<void(double, const std::string&)> study_progress(std::string what) {
  const auto line = std::make_shared<ProgressLine>();
  const auto begin = std::chrono::steady_clock::now();
  return [line, begin, what = std::move(what)](double fraction, const std::string& now) {
    line->show(what, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
               fraction, now);
  };
}

namespace {

using namespace studies;

struct Options {
  StudyOptions study;
  std::vector<std::string> formats, accumulators, products, orders, modes, units, values;
  std::string lengths = "1:1e5";
  std::uint64_t per_decade = 3;
  Trials trials;
};

// Each once, in the order in which they were typed.
template <class T, class Parse>
std::vector<T> parsed(const std::vector<std::string>& typed, std::vector<T> otherwise, const Parse& parse) {
  if (typed.empty()) return otherwise;
  std::vector<T> all;
  for (const std::string& text : typed) {
    T value = parse(text);
    if (std::find(all.begin(), all.end(), value) == all.end()) all.push_back(std::move(value));
  }
  return all;
}

std::vector<FormatSpec> parse_formats(const std::vector<std::string>& typed,
                                      std::vector<FormatSpec> otherwise) {
  return parsed(typed, std::move(otherwise), [](const std::string& text) { return parse_format(text); });
}

// An error over a proven bound is a fault of the arithmetic's model or of the bound: never to be passed over.
int verdict(const std::vector<const Study*>& all) {
  for (const Study* study : all) {
    for (const std::string& text : outside_texts(*study)) fmt::print(stderr, "assay study: {}\n", text);
  }
  return std::all_of(all.begin(), all.end(), [](const Study* s) { return s->outside() == 0; }) ? agree
                                                                                               : disagree;
}

// What studies of sums and of roundings have in common.
template <class Request>
void take_common(const Options& o, Request& r) {
  r.modes = parsed(o.modes, r.modes, [](const std::string& text) { return parse_rounding(text); });
  r.values = parsed(o.values, r.values, [](const std::string& text) { return parse_values(text); });
  r.lengths = parse_lengths(o.lengths, o.per_decade);
  // A trial's values, codes and sums, for each thread.
  constexpr std::uint64_t bytes_a_term = 16;
  const auto threads = static_cast<std::uint64_t>(threads_or_default(o.study.threads));
  require_memory("study", "--n", fmt::format("sums of {} terms on {} threads", r.lengths.back(), threads),
                 bytes_product({r.lengths.back(), bytes_a_term, std::min(threads, o.trials.most)}));
  r.trials = o.trials;
  r.seed = o.study.seed;
}

std::vector<NamedTree> parse_orders(const std::vector<std::string>& typed, std::vector<NamedTree> otherwise) {
  if (typed.empty()) return otherwise;
  std::vector<NamedTree> orders;
  for (const std::string& text : typed) {
    const SumTree tree = judge::parse_order(text);
    if (tree.order == SumOrder::any || tree.lanes > 65536)
      throw InputError("--order", "",
                       "an order that can be computed: sequential, pairwise[:BASE] or "
                       "blocked:LANES[:PANEL] with at most 65536 lanes",
                       quoted(text));
    if (std::none_of(orders.begin(), orders.end(), [&](const NamedTree& t) { return t.name == text; }))
      orders.push_back({text, tree});
  }
  return orders;
}

StudyTrials trials_of(const Options& o) { return {.most = o.trials.most, .terms = o.trials.terms}; }

int run_accumulation(const Options& o, Accumulate operation) {
  AccumulationRequest r;
  r.operation = operation;
  r.formats = parse_formats(o.formats, {});
  for (const std::string& unit : o.units) {
    r.units.push_back(&find_arithmetic(unit, "--unit"));
    check_places(unit, *r.units.back(), std::nullopt);
  }
  r.chains = o.units.empty() || !o.accumulators.empty() || !o.orders.empty() || !o.modes.empty() ||
             !o.products.empty();
  r.accumulators = parse_formats(o.accumulators, {formats::float32});
  r.products = parsed(o.products, r.products, [](const std::string& text) {
    return text == "fused" ? std::optional<FormatSpec>() : std::optional(parse_format(text));
  });
  r.orders = parse_orders(o.orders, r.orders);
  take_common(o, r);
  StudyFiles files(o.study);
  const ThreadScope team(o.study.threads);
  const std::string name = "assay study " + std::string(accumulate_name(operation));
  const Study study = study_accumulation(r, study_progress(name));
  files.write(o.study, accumulation_page(study, trials_of(o)));
  return verdict({&study});
}

int run_convert(const Options& o) {
  RoundingRequest r;
  r.formats = parse_formats(o.formats, {formats::bfloat16});
  take_common(o, r);
  StudyFiles files(o.study);
  const ThreadScope team(o.study.threads);
  const Study by_number = study_rounding_by_number(r, study_progress("assay study convert"));
  const Study by_magnitude = study_rounding_by_magnitude(r);
  files.write(o.study, rounding_page(by_number, by_magnitude, trials_of(o), r.per_binade));
  return verdict({&by_number, &by_magnitude});
}

void add_error_options(CLI::App& app, Options& o, std::string_view study) {
  const bool convert = study == "convert";
  app.add_option("--format,-f", o.formats,
                 convert ? "Format to round into (default: bf16); repeat it, as every option here"
                         : "Format of the operands (default: the unit's first, else f32); repeat it, as "
                           "every option here")
      ->allow_extra_args(false);
  if (!convert) {
    app.add_option("--acc", o.accumulators, "Format of the sums (default: f32)")->allow_extra_args(false);
    app.add_option("--order", o.orders,
                   "sequential, pairwise[:BASE] or blocked:LANES[:PANEL] (default: sequential)")
        ->allow_extra_args(false);
    app.add_option("--unit", o.units,
                   "A machine's unit, a named chain, or a .json of `assay probe --out`: see `assay units`, "
                   "`assay list arithmetics`")
        ->allow_extra_args(false);
    if (study != "sum") {
      app.add_option("--product", o.products,
                     "Format that products are rounded to, or fused (default: fused)")
          ->allow_extra_args(false);
    }
  }
  app.add_option("--mode", o.modes, "Rounding (default: nearest-even)")->allow_extra_args(false);
  app.add_option("--values", o.values, "positive, uniform, normal, wide or above-tenth (default: positive)")
      ->allow_extra_args(false);
  app.add_option("--n", o.lengths, "Lengths: FIRST:LAST, or a list with commas")->capture_default_str();
  add_unsigned(app, "--per-decade", o.per_decade, "Lengths a decade (default: 3)", 1);
  add_unsigned(app, "--trials", o.trials.most, "Trials of a length (default: 100)", 1);
  add_unsigned(app, "--terms", o.trials.terms,
               "Terms of all trials of a length: longer ones get fewer, but 8 (default: 2^22)", 1);
  add_study_options(app, o.study);
}

}  // namespace

std::function<int()> make_study(CLI::App& app) {
  app.require_subcommand(0, 1);  // a word that is none is then answered with the names near it
  struct Sub {
    CLI::App* app;
    std::function<int()> run;
  };
  const auto subs = std::make_shared<std::vector<Sub>>();
  for (const StudyInfo& info : all_studies()) {
    CLI::App* const sub = app.add_subcommand(std::string(info.name), std::string(info.summary));
    sub->footer("Example:\n  " + std::string(info.example));
    if (info.name == "spdnn") {
      subs->push_back({sub, make_study_spdnn(*sub)});
      continue;
    }
    const auto o = std::make_shared<Options>();
    add_error_options(*sub, *o, info.name);
    if (info.name == "convert") {
      subs->push_back({sub, [o] { return run_convert(*o); }});
    } else {
      const Accumulate operation = info.name == "sum"   ? Accumulate::sum
                                   : info.name == "dot" ? Accumulate::dot
                                                        : Accumulate::gemm;
      subs->push_back({sub, [o, operation] { return run_accumulation(*o, operation); }});
    }
  }
  std::vector<std::string_view> names;
  for (const StudyInfo& info : all_studies()) names.push_back(info.name);
  return [subs, names] {
    const auto chosen =
        std::find_if(subs->begin(), subs->end(), [](const Sub& s) { return s.app->parsed(); });
    if (chosen == subs->end())
      throw InputError("study", "", fmt::format("one of {}", fmt::join(names, ", ")), "none");
    return chosen->run();
  };
}

}  // namespace assay::cli
