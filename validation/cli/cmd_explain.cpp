// assay explain: which arithmetic made these bits.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/explain_request.hpp"

namespace assay::cli {
namespace {

struct ExplainCommand {
  judge::Request asked;  // its settings; the arrays are files until they are read
  std::string a, b, c, got, at;
  std::vector<std::string> also;
  std::string format, a_format, b_format, c_format, got_format;
  bool json = false;
  std::uint64_t sample = 64, top = 8;
  RawOptions raw;
  ScaleOptions scales;
  std::string scale_format = "e8m0";
};

// --- what was typed ----------------------------------------------------------------------------------------

io::Array floating(std::string_view option, const std::string& path, io::Array&& array) {
  if (!array.element.is_floating())
    throw InputError(path, "",
                     fmt::format("floating-point values, or codes with their format ({}-format)", option),
                     array.element.name());
  return std::move(array);
}

io::Array dense(const ExplainCommand& o, std::string_view option, const std::string& path,
                const std::string& format) {
  if (path.empty()) throw UsageError(fmt::format("explain {} requires {} FILE", o.asked.operation, option));
  io::AnyArray any = read_operand(path, format.empty() ? o.format : format, o.raw);
  if (std::holds_alternative<io::SparseArray>(any))
    throw InputError(path, "", fmt::format("a dense array ({})", option), "a sparse one");
  return floating(option, path, std::get<io::Array>(std::move(any)));
}

io::SparseArray sparse(const ExplainCommand& o) {
  if (o.a.empty()) throw UsageError("explain spmm requires --a FILE");
  io::AnyArray any = read_operand(o.a, o.a_format.empty() ? o.format : o.a_format, o.raw);
  if (std::holds_alternative<io::Array>(any)) {
    throw InputError(o.a, "", "a sparse array (--a): SciPy's npz or Matrix Market coordinates",
                     "a dense one");
  }
  io::SparseArray array = std::get<io::SparseArray>(std::move(any));
  array.values = floating("--a", o.a, std::move(array.values));
  return array;
}

// "3,5": the indices of an output.
std::vector<std::size_t> indices(const std::string& typed) {
  std::vector<std::size_t> at;
  const char* begin = typed.data();
  const char* const end = begin + typed.size();
  bool sound = !typed.empty();
  while (sound && begin != end) {
    std::size_t x = 0;
    const auto [next, status] = std::from_chars(begin, end, x);
    sound = status == std::errc{} && (next == end || (*next == ',' && next + 1 != end));
    at.push_back(x);
    begin = sound && next != end ? next + 1 : next;
  }
  if (!sound) throw InputError("--at", "", "indices of an output, such as 3,5", quoted(typed));
  return at;
}

ExplainRequest request(const ExplainCommand& o, const CLI::App& app) {
  ExplainRequest q{.asked = o.asked,
                   .sample = static_cast<std::size_t>(o.sample),
                   .top = static_cast<std::size_t>(o.top),
                   .scale_format = o.scale_format};
  judge::Request& r = q.asked;
  for (const CLI::Option* option : app.get_options([](const CLI::Option* x) { return x->count() > 0; })) {
    for (const std::string& name : option->get_lnames()) r.given.insert(name);
  }
  require_explainable(r);
  for (const auto& [option, format] :
       {std::pair{"--format", &o.format}, std::pair{"--a-format", &o.a_format},
        std::pair{"--b-format", &o.b_format}, std::pair{"--c-format", &o.c_format},
        std::pair{"--got-format", &o.got_format}})
    check_format(option, *format);
  if (r.operation == "spmm") {
    r.sparse = sparse(o);
  } else {
    r.a = dense(o, "--a", o.a, o.a_format);
  }
  if (r.operation != "convert") r.b = dense(o, "--b", o.b, o.b_format);
  if (!o.c.empty()) r.c = dense(o, "--c", o.c, o.c_format);
  r.got = dense(o, "--got", o.got, o.got_format);
  r.a_scales = read_scales(o.scales.a, o.scales.a_tensor);
  r.b_scales = read_scales(o.scales.b, o.scales.b_tensor);
  if (!o.at.empty()) q.at = indices(o.at);
  for (const std::string& name : o.also) q.also.push_back({name, load_arithmetic(name, "--also")});
  return q;
}

// --- the answer --------------------------------------------------------------------------------------------

int run(const ExplainCommand& o, const CLI::App& app) {
  ExplainRequest q = request(o, app);
  const auto begin = std::chrono::steady_clock::now();
  ProgressLine progress;
  q.asked.progress = [&](double share) {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    progress.show("explain", taken.count(), share, "candidates replayed");
  };
  const diagnose::Explained found = explain_arrays(std::move(q));
  progress.clear();
  put(o.json ? explanation_json(found) + '\n' : explanation_text(found));
  return found.remaining() > 0 ? agree : disagree;
}

}  // namespace

std::function<int()> make_explain(CLI::App& app) {
  const auto o = std::make_shared<ExplainCommand>();
  app.add_option("operation", o->asked.operation, fmt::format("{}", fmt::join(explained_operations(), ", ")))
      ->required();
  app.add_option("--a", o->a,
                 "Left operand, or the only one: npy, npz, safetensors, Matrix Market or raw; FILE:NAME");
  app.add_option("--b", o->b, "Right operand (for conv: the weights)");
  app.add_option("--c", o->c, "C in A B + C");
  app.add_option("--got", o->got, "The output to explain");
  app.add_option("--at", o->at, "Explain only this output, for example 3,5 (a single output proves little)")
      ->check(not_empty);
  add_unsigned(app, "--sample", o->sample,
               "Number of outputs to replay (default: 64); for convert, values that tell conversions apart "
               "come first: NaN, infinities, zeros, subnormals, ties, overflow",
               1);
  add_seed(app, o->asked.seed, "Seed of the sample and of the search for inputs that tell candidates apart");
  app.add_option("--also", o->also, "Also replay an arithmetic that `assay probe --out X.json` saved")
      ->check(not_empty);
  add_unsigned(app, "--top", o->top, "Number of candidates to show (default: 8)", 1);
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--a-format", o->a_format, "Read A alone as this format");
  app.add_option("--b-format", o->b_format, "Read B alone as this format");
  app.add_option("--c-format", o->c_format, "Read C alone as this format");
  app.add_option("--got-format", o->got_format, "Read got alone as this format");
  app.add_flag("--transpose-a", o->asked.transpose_a, "A is stored k x m");
  app.add_flag("--transpose-b", o->asked.transpose_b, "B is stored n x k");
  add_unsigned(app, "--stride", o->asked.stride,
               "For conv: step of the window; one number, or one for rows and one for columns", 1)
      ->expected(1, 2);
  add_unsigned(app, "--pad", o->asked.pad, "For conv: padding on every side")->expected(1, 2);
  add_unsigned(app, "--dilation", o->asked.dilation, "For conv: distance between the taps of the kernel", 1)
      ->expected(1, 2);
  add_unsigned(app, "--groups", o->asked.groups, "For conv: groups of channels (default: 1)", 1);
  app.add_option("--image-layout", o->asked.image_layout, "For conv: layout of images, nchw or nhwc")
      ->capture_default_str()
      ->check(CLI::IsMember({"nchw", "nhwc"}));
  app.add_option("--padding", o->asked.padding, "For conv: whether padding counts as zeros or is absent")
      ->capture_default_str()
      ->check(CLI::IsMember({"zeros", "absent"}));
  app.add_flag("--json", o->json, "Print one JSON object on stdout");
  app.add_option("--threads", o->asked.threads, "Number of OpenMP threads (default: OpenMP's choice)")
      ->check(CLI::Range(1, 4096));
  add_scale_options(app, o->scales);
  app.add_option("--scale-format", o->scale_format,
                 "Format of block scales: e8m0 (one for every 32 elements along k) or ue4m3 (every 16)")
      ->capture_default_str();
  add_raw_options(app, o->raw);
  return [o, &app] { return run(*o, app); };
}

}  // namespace assay::cli
