// assay explain: which arithmetic made these bits.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/distinguish.hpp"
#include "emulation/units/unit.hpp"
#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/printable.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/diagnose/explain/asked.hpp"
#include "validation/diagnose/explain/explain.hpp"
#include "validation/diagnose/explain/explain_conversion.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/scales.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/explain_units.hpp"

namespace assay::cli {
namespace {

using namespace diagnose;

constexpr auto explained = std::to_array<std::string_view>({"gemm", "spmm", "dot", "conv", "convert"});

struct ExplainCommand {
  std::string operation, a, b, c, got, at;
  std::vector<std::string> also;
  std::string format, a_format, b_format, c_format, got_format;
  bool transpose_a = false, transpose_b = false, json = false;
  std::vector<std::size_t> stride{1}, pad{0}, dilation{1};
  std::size_t groups = 1;
  std::string image_layout = "nchw", padding = "zeros";
  std::uint64_t sample = 64, seed = 1, top = 8;
  int threads = 0;
  RawOptions raw;
  ScaleOptions scales;
  std::string scale_format = "e8m0";
};

// --- what was typed ----------------------------------------------------------------------------------------

io::Array dense(const ExplainCommand& o, std::string_view option, const std::string& path,
                const std::string& format) {
  if (path.empty()) throw UsageError(fmt::format("explain {} requires {} FILE", o.operation, option));
  io::AnyArray any = read_operand(path, format.empty() ? o.format : format, o.raw);
  if (std::holds_alternative<io::SparseArray>(any))
    throw InputError(path, "", fmt::format("a dense array ({})", option), "a sparse one");
  io::Array array = std::get<io::Array>(std::move(any));
  if (!array.element.is_floating()) {
    throw InputError(path, "",
                     fmt::format("floating-point values, or codes with their format ({}-format)", option),
                     array.element.name());
  }
  return array;
}

io::SparseArray sparse(const ExplainCommand& o) {
  if (o.a.empty()) throw UsageError("explain spmm requires --a FILE");
  io::AnyArray any = read_operand(o.a, o.a_format.empty() ? o.format : o.a_format, o.raw);
  if (std::holds_alternative<io::Array>(any)) {
    throw InputError(o.a, "", "a sparse array (--a): SciPy's npz or Matrix Market coordinates",
                     "a dense one");
  }
  io::SparseArray array = std::get<io::SparseArray>(std::move(any));
  if (!array.values.element.is_floating())
    throw InputError(o.a, "", "floating-point values, or codes with their format (--a-format)",
                     array.values.element.name());
  return array;
}

// "gemm spmm dot" as "gemm, spmm, dot".
std::string with_commas(std::string_view words) {
  std::string text;
  for (const char x : words) text += x == ' ' ? std::string(", ") : std::string(1, x);
  return text;
}

void refuse_unused(const ExplainCommand& o, const CLI::App& app) {
  const std::vector<std::pair<const char*, const char*>> uses{{"--b", "gemm spmm dot conv"},
                                                              {"--c", "gemm dot"},
                                                              {"--transpose-a", "gemm spmm"},
                                                              {"--transpose-b", "gemm spmm"},
                                                              {"--stride", "conv"},
                                                              {"--pad", "conv"},
                                                              {"--a-scales", "gemm dot"},
                                                              {"--b-scales", "gemm dot"},
                                                              {"--a-tensor-scale", "gemm dot"},
                                                              {"--b-tensor-scale", "gemm dot"},
                                                              {"--scale-format", "gemm dot"},
                                                              {"--dilation", "conv"},
                                                              {"--groups", "conv"},
                                                              {"--image-layout", "conv"},
                                                              {"--padding", "conv"}};
  for (const auto& [option, for_these] : uses) {
    if (app.get_option(option)->count() == 0) continue;
    if (fmt::format(" {} ", for_these).find(fmt::format(" {} ", o.operation)) == std::string::npos)
      throw UsageError(fmt::format("{} is an option of {}; explain {} does not look at it", option,
                                   with_commas(for_these), o.operation));
  }
}

// --- outputs and their terms -------------------------------------------------------------------------------

// "3,5" in a shape: the flat index.
std::size_t place(const std::string& typed, const compare::Shape& shape) {
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
  const std::optional<std::size_t> index = sound ? judge::flat_index(at, shape) : std::nullopt;
  if (!index)
    throw InputError(
        "--at", "",
        fmt::format("{} indices inside the output's shape {}", shape.size(), compare::shape_text(shape)),
        quoted(typed));
  return *index;
}

std::vector<std::size_t> sample_of(const ExplainCommand& o, const compare::Shape& shape, std::size_t size,
                                   const std::string& origin) {
  if (size == 0)
    throw InputError(origin, "", "an output to explain", "none: shape " + compare::shape_text(shape));
  if (!o.at.empty()) return {place(o.at, shape)};
  return drawn_sample(size, o.sample, o.seed);
}

diagnose::Asked question(const ExplainCommand& o) {
  judge::Request r;
  r.operation = o.operation;
  if (o.operation == "spmm") {
    r.sparse = sparse(o);
  } else {
    r.a = dense(o, "--a", o.a, o.a_format);
  }
  r.b = dense(o, "--b", o.b, o.b_format);
  if (!o.c.empty()) r.c = dense(o, "--c", o.c, o.c_format);
  r.got = dense(o, "--got", o.got, o.got_format);
  r.transpose_a = o.transpose_a;
  r.transpose_b = o.transpose_b;
  r.stride = o.stride;
  r.pad = o.pad;
  r.dilation = o.dilation;
  r.groups = o.groups;
  r.image_layout = o.image_layout;
  r.padding = o.padding;
  const bool scaled = !o.scales.a.empty() || !o.scales.b.empty();
  if (!scaled && o.scale_format != "e8m0")
    throw UsageError("--scale-format requires --a-scales or --b-scales");
  r.a_scales = read_scales(o.scales.a, o.scales.a_tensor);
  r.b_scales = read_scales(o.scales.b, o.scales.b_tensor);
  const std::optional<ScaleUse> use =
      scaled ? std::optional(judge::parse_scale_use("--scale-format", o.scale_format)) : std::nullopt;
  return diagnose::asked_of(std::move(r), use, [&](const operations::Shape& shape) {
    return sample_of(o, shape, operations::size_of(shape), o.got);
  });
}

// --- conversions -------------------------------------------------------------------------------------------

int run_convert(const ExplainCommand& o) {
  const io::Array a = dense(o, "--a", o.a, o.a_format), got = dense(o, "--got", o.got, o.got_format);
  if (a.shape != got.shape)
    throw InputError(got.origin, "", "shape " + io::to_string(a.shape), io::to_string(got.shape));
  const compare::Shape shape = shape_of(a);
  const FormatSpec to = got.element.format();
  const auto size = static_cast<std::size_t>(a.size());
  const compare::Codes from = codes_of(a), results = codes_of(got);
  const ConvertedSample values =
      size == 0 || !o.at.empty()
          ? converted_sample(from, results, sample_of(o, shape, size, got.origin))
          : converted_sample(from, results, static_cast<std::size_t>(o.sample), o.seed);
  const ConversionExplanation e = explain_converted(values, to);
  const ExplainedQuestion asked{
      .operation = o.operation, .shape = shape, .got = to, .seed = o.seed, .top = o.top};
  put(o.json ? explanation_json(asked, values, e) + '\n' : explanation_text(asked, values, e));
  return e.remaining > 0 ? agree : disagree;
}

// The arithmetics to replay: all that have a name here, and those of --also.
std::vector<const Arithmetic*> candidates(const ExplainCommand& o, const Asked& q) {
  const ExplainInput& input = q.input;
  const MatrixPlaces places = places_of(o.operation, q.shape);
  std::vector<const Arithmetic*> all = arithmetics().list();
  for (const std::string& name : o.also) {
    const Arithmetic& arithmetic = find_arithmetic(name, "--also");
    if (!arithmetic.accepts(input.a, input.b))
      throw UsageError(fmt::format("--also {}: this arithmetic does not take {} and {}", printable(name),
                                   input.a.dtype, input.b.dtype));
    check_places(name, arithmetic, places);
    if (std::find(all.begin(), all.end(), &arithmetic) != all.end()) continue;
    // The answer names arithmetics: two of one name would be taken for each other.
    const std::string& called = arithmetic.info().name;
    if (std::any_of(all.begin(), all.end(),
                    [&](const Arithmetic* one) { return one->info().name == called; }))
      throw UsageError(fmt::format("--also {}: another candidate is named {} too; probe --name renames it",
                                   printable(name), quoted(called)));
    all.push_back(&arithmetic);
  }
  return all;
}

int run(const ExplainCommand& o, const CLI::App& app) {
  if (std::find(explained.begin(), explained.end(), o.operation) == explained.end())
    throw unknown_name("explain", "an operation", o.operation, {explained.begin(), explained.end()});
  refuse_unused(o, app);
  if (o.operation == "convert") return run_convert(o);
  const Asked q = question(o);
  const auto begin = std::chrono::steady_clock::now();
  ProgressLine progress;
  ExplainOptions options = explain_options(q.input, o.seed);
  // Those that differ in flushing alone are shown as one.
  options.keep = 4 * std::max<std::size_t>(o.top, 20);
  options.threads = o.threads;
  options.progress = [&](double share) {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    progress.show("explain", taken.count(), share, "candidates replayed");
  };
  const std::vector<Explanation> all = explain_parts(q.input, candidates(o, q), options);
  progress.clear();
  const ExplainedQuestion asked{.operation = o.operation,
                                .parameters = q.parameters,
                                .shape = q.shape,
                                .got = q.input.got,
                                .seed = o.seed,
                                .top = o.top};
  put(o.json ? explanation_json(asked, all) + '\n' : explanation_text(asked, all));
  return all.front().remaining > 0 ? agree : disagree;
}

}  // namespace

std::function<int()> make_explain(CLI::App& app) {
  const auto o = std::make_shared<ExplainCommand>();
  app.add_option("operation", o->operation, fmt::format("{}", fmt::join(explained, ", ")))->required();
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
  add_seed(app, o->seed, "Seed of the sample and of the search for inputs that tell candidates apart");
  app.add_option("--also", o->also, "Also replay an arithmetic that `assay probe --out X.json` saved")
      ->check(not_empty);
  add_unsigned(app, "--top", o->top, "Number of candidates to show (default: 8)", 1);
  app.add_option("--format,-f", o->format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--a-format", o->a_format, "Read A alone as this format");
  app.add_option("--b-format", o->b_format, "Read B alone as this format");
  app.add_option("--c-format", o->c_format, "Read C alone as this format");
  app.add_option("--got-format", o->got_format, "Read got alone as this format");
  app.add_flag("--transpose-a", o->transpose_a, "A is stored k x m");
  app.add_flag("--transpose-b", o->transpose_b, "B is stored n x k");
  add_unsigned(app, "--stride", o->stride,
               "For conv: step of the window; one number, or one for rows and one for columns", 1)
      ->expected(1, 2);
  add_unsigned(app, "--pad", o->pad, "For conv: padding on every side")->expected(1, 2);
  add_unsigned(app, "--dilation", o->dilation, "For conv: distance between the taps of the kernel", 1)
      ->expected(1, 2);
  add_unsigned(app, "--groups", o->groups, "For conv: groups of channels (default: 1)", 1);
  app.add_option("--image-layout", o->image_layout, "For conv: layout of images, nchw or nhwc")
      ->capture_default_str()
      ->check(CLI::IsMember({"nchw", "nhwc"}));
  app.add_option("--padding", o->padding, "For conv: whether padding counts as zeros or is absent")
      ->capture_default_str()
      ->check(CLI::IsMember({"zeros", "absent"}));
  app.add_flag("--json", o->json, "Print one JSON object on stdout");
  app.add_option("--threads", o->threads, "Number of OpenMP threads (default: OpenMP's choice)")
      ->check(CLI::Range(1, 4096));
  add_scale_options(app, o->scales);
  app.add_option("--scale-format", o->scale_format,
                 "Format of block scales: e8m0 (one for every 32 elements along k) or ue4m3 (every 16)")
      ->capture_default_str();
  add_raw_options(app, o->raw);
  return [o, &app] { return run(*o, app); };
}

}  // namespace assay::cli
