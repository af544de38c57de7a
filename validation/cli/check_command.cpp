#include "validation/cli/check_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/printable.hpp"
#include "reference/operations/operation.hpp"
#include "validation/cli/options.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/operands.hpp"
#include "validation/judge/question.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

// --- operands ----------------------------------------------------------------------------------------------

class Operands {
 public:
  explicit Operands(const CheckOptions& o) : o_(o) {}

  io::Array dense(std::string_view option, const std::string& path, const std::string& format) const {
    io::AnyArray any = read(option, path, format);
    if (std::holds_alternative<io::SparseArray>(any)) {
      throw InputError(path, "", fmt::format("a dense array ({}); a sparse A is for spmm", option),
                       "a sparse one");
    }
    return arranged(std::get<io::Array>(std::move(any)));
  }
  io::SparseArray sparse(std::string_view option, const std::string& path, const std::string& format) const {
    io::AnyArray any = read(option, path, format);
    if (std::holds_alternative<io::Array>(any)) {
      throw InputError(path, "",
                       fmt::format("a sparse array ({}): SciPy's npz or Matrix Market coordinates", option),
                       "a dense one");
    }
    io::SparseArray array = std::get<io::SparseArray>(std::move(any));
    array.values = floating(std::move(array.values));
    return array;
  }
  // The values of a sparse array in the order of its rows, or a dense array as it is.
  io::Array values(std::string_view option, const std::string& path, const std::string& format,
                   const io::SparseArray& mask) const {
    io::AnyArray any = read(option, path, format);
    if (std::holds_alternative<io::Array>(any)) return arranged(std::get<io::Array>(std::move(any)));
    return floating(judge::values_at(mask, std::get<io::SparseArray>(std::move(any)), path));
  }
  std::optional<io::Array> optional_dense(std::string_view option, const std::string& path,
                                          const std::string& format) const {
    if (path.empty()) return std::nullopt;
    return dense(option, path, format);
  }

 private:
  io::AnyArray read(std::string_view option, const std::string& path, const std::string& format) const {
    if (path.empty()) throw UsageError(fmt::format("check {} requires {} FILE", o_.asked.operation, option));
    check_format(format.empty() ? "--format" : fmt::format("{}-format", option),
                 format.empty() ? o_.format : format);
    return read_operand(path, format.empty() ? o_.format : format, raw(option, path));
  }
  RawOptions raw(std::string_view option, const std::string& path) const {
    return raw_of(o_.raw, o_.own_raw, option == "--stale" ? "--got" : option, path);
  }
  static io::Array floating(io::Array&& array) {
    if (!array.element.is_floating()) {
      throw InputError(array.origin, "",
                       "floating-point values, or codes with their format (--format, --a-format, ...)",
                       array.element.name());
    }
    return std::move(array);
  }
  io::Array arranged(io::Array&& array) const {
    io::Array values = floating(std::move(array));
    return o_.asked.layout == "column" ? judge::by_rows(std::move(values)) : values;
  }
  const CheckOptions& o_;
};

// The settings, and the names of the options that were typed.
judge::Request settings(const CheckOptions& o, const CLI::App& app) {
  judge::Request r = o.asked;
  for (const CLI::Option* option : app.get_options([](const CLI::Option* x) { return x->count() > 0; })) {
    for (const std::string& name : option->get_lnames()) r.given.insert(name);
  }
  if (!o.unit.empty()) {
    r.arithmetic = &find_arithmetic(o.unit, "--unit");
    r.arithmetic_name = o.unit;
    r.require_places = [name = o.unit, arithmetic = r.arithmetic,
                        operation = r.operation](const operations::Shape& shape) {
      check_places(name, *arithmetic, places_of(operation, shape));
    };
  }
  r.known = &arithmetics();
  r.policy = chosen_policy(o.policy);
  r.threads = o.show.threads;
  r.a_is_text = o.a_format.empty() && o.format.empty() && o.a.find(".mtx") != std::string::npos;
  return r;
}

void refuse_unused(const CheckOptions& o, const CLI::App& app) {
  refuse_alone(app, {{"--b-format", "--b"},
                     {"--b-dtype", "--b"},
                     {"--b-shape", "--b"},
                     {"--c-format", "--c"},
                     {"--c-dtype", "--c"},
                     {"--c-shape", "--c"},
                     {"--bias-format", "--bias"},
                     {"--bias-dtype", "--bias"},
                     {"--bias-shape", "--bias"},
                     {"--bias-along", "--bias"},
                     {"--seed", "--sample"}});
  refuse_unused_raw(o.raw, {o.a, o.b, o.c, o.got, o.bias, o.mask, o.stale});
}

}  // namespace

judge::Request read_request(const CheckOptions& o, const CLI::App& app) {
  // The parser would ask for it beside a subcommand too.
  if (o.asked.operation.empty()) throw UsageError("check: operation is required");
  judge::Request r = settings(o, app);
  const operations::OperationKind& kind = judge::kind_of(r);
  refuse_unused(o, app);
  const Operands in(o);
  if (kind.sparse_a) {
    r.sparse = in.sparse("--a", o.a, o.a_format);
  } else {
    r.a = in.dense("--a", o.a, o.a_format);
  }
  if (kind.has_b) r.b = in.dense("--b", o.b, o.b_format);
  if (kind.sparse_mask) {
    r.sparse = in.sparse("--mask", o.mask, "");
    if (!o.c.empty()) r.c = in.values("--c", o.c, o.c_format, *r.sparse);
    r.got = in.values("--got", o.got, o.got_format, *r.sparse);
  } else {
    r.c = in.optional_dense("--c", o.c, o.c_format);
    r.got = in.dense("--got", o.got, o.got_format);
  }
  r.bias = in.optional_dense("--bias", o.bias, o.bias_format);
  r.a_scales = read_scales(o.scales.a, o.scales.a_tensor);
  r.b_scales = read_scales(o.scales.b, o.scales.b_tensor);
  for (judge::GivenScales* given : {&r.a_scales, &r.b_scales}) {
    if (given->blocks && o.asked.layout == "column")
      given->blocks = judge::by_rows(std::move(*given->blocks));
  }
  r.stale = in.optional_dense("--stale", o.stale, o.got_format);
  return r;
}

CheckLine::CheckLine(const std::vector<std::string>& words)
    : app_(std::make_unique<CLI::App>("", "assay check")) {
  add_check_options(*app_, options_);
  try {
    app_->parse(
        std::vector<std::string>(words.rbegin(), words.rend()));  // the parser takes them from the back
  } catch (const CLI::ParseError& e) {
    throw UsageError(fmt::format("not a check that can be run: {}", e.what()));
  }
}
CheckLine::~CheckLine() = default;

judge::Request CheckLine::request() const { return read_request(options_, *app_); }

std::string CheckLine::text(const std::map<std::string, File>& files) const {
  std::map<std::string, std::string> instead;
  std::string formats;
  for (const auto& [name, file] : files) {
    instead[name] = file.path;
    if (!file.format.empty()) formats += fmt::format(" --{}-format {}", name, file.format);
  }
  const auto is_of_files = [](std::string_view name) {
    return name == "format" || name.ends_with("-format") || name.ends_with("dtype") ||
           name.ends_with("shape") || name == "layout" || name == "strict";
  };
  return command_text(*app_, instead, is_of_files) + formats;
}

void add_check_options(CLI::App& app, CheckOptions& o) {
  std::vector<std::string_view> names;
  for (const operations::OperationKind* kind : operations::operation_kinds()) names.push_back(kind->name);
  app.add_option("operation", o.asked.operation, fmt::format("{}", fmt::join(names, ", ")));
  app.add_option("--a", o.a,
                 "Left operand, or the only one: npy, npz, safetensors, Matrix Market or raw; FILE:NAME");
  app.add_option("--b", o.b, "Right operand (for conv: the weights)");
  app.add_option("--c", o.c, "C in alpha A B + beta C; for dot, the starting value of each sum");
  app.add_option("--got", o.got, "The output to judge");
  app.add_option("--bias", o.bias, "Bias: one value per column (or per row, or per output channel)");
  app.add_option("--mask", o.mask, "For sddmm: the sparse array whose entries are computed");
  app.add_option("--stale", o.stale, "Earlier content of got's memory: report whether it would pass as well");
  app.add_option("--format,-f", o.format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--a-format", o.a_format, "Read A alone as this format");
  app.add_option("--b-format", o.b_format, "Read B alone as this format");
  app.add_option("--c-format", o.c_format, "Read C alone as this format");
  app.add_option("--got-format", o.got_format, "Read got alone as this format");
  app.add_option("--bias-format", o.bias_format, "Read the bias alone as this format");
  app.add_option("--alpha", o.asked.alpha, "Factor of A B, rounded to the format of the sums")
      ->capture_default_str();
  app.add_option("--beta", o.asked.beta,
                 "Factor of C, rounded to the format of the sums (default: 1 with --c, else 0)");
  app.add_option("--activation", o.asked.activation,
                 "none, relu, relu-max (NaN becomes 0, as fmaxf gives it) or clip:LOW:HIGH")
      ->capture_default_str();
  app.add_option("--epilogue", o.asked.epilogue,
                 "Where alpha, beta C and bias may enter: anywhere (in the sum) or last (after it)")
      ->capture_default_str();
  add_unsigned(app, "--sample", o.asked.sample, "Judge only this many outputs, drawn at random by --seed", 1);
  add_seed(app, o.asked.seed, "Seed of --sample");
  app.add_option("--bias-along", o.asked.bias_along,
                 "Whether the bias has one value per column or per row of the output: columns or rows")
      ->capture_default_str();
  app.add_flag("--transpose-a", o.asked.transpose_a, "A is stored k x m");
  app.add_flag("--transpose-b", o.asked.transpose_b, "B is stored n x k");
  app.add_option("--layout", o.asked.layout,
                 "Order of matrices, row or column, in files whose header does not say column")
      ->capture_default_str()
      ->check(CLI::IsMember({"row", "column"}));
  app.add_option("--batch", o.asked.batch, "Require a batch of exactly this many matrices")
      ->check(whole_number);
  app.add_flag("--c-first", o.asked.c_first, "Start each sum with C, as matrix units do");
  app.add_option("--unit", o.unit,
                 "Judge by this arithmetic's bound, or by its bits with --policy bit-equal: see `assay list "
                 "arithmetics`");
  add_scale_options(app, o.scales);
  app.add_option("--acc", o.asked.accumulator,
                 "Format of the sums (default: float32, or float64 if an array is float64)");
  app.add_option("--order", o.asked.order,
                 "Order of additions: any, sequential, pairwise[:BASE] or blocked:LANES[:PANEL]")
      ->capture_default_str();
  app.add_option("--product", o.asked.product,
                 "Format that products are rounded to before they are added, or fused (default)");
  app.add_option("--mode", o.asked.mode, "Rounding of the sums: a name of `assay list roundings`")
      ->capture_default_str();
  app.add_flag("--flush", o.asked.flush, "Treat subnormal inputs and results of the sums as zero");
  app.add_option(
      "--rounding", o.asked.rounding,
      "Rounding into the output's format (default: nearest-even, or --mode if the sums have that format)");
  app.add_option("--overflow", o.asked.overflow,
                 "What happens above the output's largest number: ieee or saturate")
      ->capture_default_str();
  app.add_option(
         "--operation", o.asked.reduction,
         "For reduce: what to compute: sum, mean, sum_squares, sum_magnitudes, max, min, max_magnitude")
      ->capture_default_str();
  app.add_option("--axis", o.asked.axis,
                 "For reduce and sum: the axis; negative counts from the end (default: all elements)")
      ->check(signed_number);
  app.add_option("--nan", o.asked.nan, "For reduce: whether max and min propagate or ignore NaN")
      ->capture_default_str();
  app.add_option("--stride", o.asked.stride,
                 "For conv: step of the window; one number, or one for rows and one for columns")
      ->expected(1, 2)
      ->check(whole_number);
  app.add_option("--pad", o.asked.pad, "For conv: padding on every side")
      ->expected(1, 2)
      ->check(whole_number);
  app.add_option("--dilation", o.asked.dilation, "For conv: distance between the taps of the kernel")
      ->expected(1, 2)
      ->check(whole_number);
  app.add_option("--groups", o.asked.groups, "For conv: groups of channels")
      ->capture_default_str()
      ->check(whole_number);
  app.add_option("--image-layout", o.asked.image_layout, "For conv: layout of images, nchw or nhwc")
      ->capture_default_str();
  app.add_option("--padding", o.asked.padding, "For conv: whether padding counts as zeros or is absent")
      ->capture_default_str();
  add_policy_options(app, o.policy, "bound");
  add_raw_options(app, o.raw, false);
  add_own_raw_options(app, o.own_raw, {"--a", "--b", "--c", "--got", "--bias"});
  app.add_flag("--expects-zero", o.asked.expects_zero,
               "Accept that the exact result is all zero instead of calling it VACUOUS");
  add_show_options(app, o.show);
}

}  // namespace assay::cli
