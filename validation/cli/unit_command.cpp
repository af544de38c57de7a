#include "validation/cli/unit_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/progress_line.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/io/io.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/fitted.hpp"
#include "validation/report/unit_report.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

using judge::fitted;
using judge::input_formats;

io::Array floating_operand(std::string_view option, const std::string& path, const std::string& format,
                           const UnitOptions& o) {
  if (path.empty()) throw UsageError(std::string(option) + " requires FILE");
  io::Array array = read_dense_operand(path, format.empty() ? o.format : format, o.raw);
  if (!array.element.is_floating()) {
    throw InputError(path, "",
                     fmt::format("floating-point values, or codes with their format ({}-format)", option),
                     array.element.name());
  }
  return array;
}

}  // namespace

void add_scale_options(CLI::App& app, ScaleOptions& o) {
  app.add_option("--a-scales", o.a,
                 "Block scales of A, for a unit that reads them: uint8 codes or values, in A's shape with k "
                 "counted in blocks");
  app.add_option("--b-scales", o.b, "The same for B");
  app.add_option("--a-tensor-scale", o.a_tensor, "NVFP4's float32 scale of the whole of A (default: 1)");
  app.add_option("--b-tensor-scale", o.b_tensor, "The same for B");
}

judge::GivenScales read_scales(const std::string& path, const std::string& tensor) {
  judge::GivenScales given{.tensor = tensor};
  if (!path.empty()) given.blocks = read_dense_operand(path, "", {});
  return given;
}

void add_unit_options(CLI::App& app, UnitOptions& o) {
  app.add_option("--unit", o.unit,
                 "Arithmetic to compute by: a name of `assay units` or `assay list arithmetics`")
      ->required();
  app.add_option("--a", o.a, "Left operand: npy, npz, safetensors, Matrix Market or raw; FILE:NAME")
      ->required();
  app.add_option("--b", o.b, "Right operand")->required();
  app.add_option("--c", o.c, "Starting values of the sums (default: +0)");
  app.add_option("--out", o.out, "File to write D to: .npy, .npz, .safetensors or .raw");
  app.add_option("--output", o.output, "Format of D, if the unit gives several (default: the first)");
  app.add_option("--format,-f", o.format, "Read arrays of codes (uint8, uint16, ...) as this format");
  app.add_option("--a-format", o.a_format, "Read A alone as this format");
  app.add_option("--b-format", o.b_format, "Read B alone as this format");
  app.add_option("--c-format", o.c_format, "Read C alone as this format");
  add_scale_options(app, o.scales);
  app.add_flag("--round", o.round,
               "Round operands to nearest even into the unit's formats; otherwise they must fit exactly "
               "(tf32 units take float32 and ignore the last bits)");
  app.add_flag("--raw", o.raw_codes, "Write codes as unsigned integers");
  app.add_flag("--json", o.json, "Print one JSON object on stdout");
  app.add_option("--threads", o.threads, "Number of OpenMP threads (default: OpenMP's choice)")
      ->check(CLI::Range(1, 4096));
  add_raw_options(app, o.raw);
}

UnitOperands unit_operands(const UnitOptions& o, Lines a_blocks, Lines b_blocks) {
  for (const auto& [option, text] :
       {std::pair{"--output", &o.output}, std::pair{"--format", &o.format},
        std::pair{"--a-format", &o.a_format}, std::pair{"--b-format", &o.b_format},
        std::pair{"--c-format", &o.c_format}})
    check_format(option, *text);
  UnitOperands in{.arithmetic = &find_arithmetic(o.unit, "--unit")};
  const ArithmeticInfo& info = in.arithmetic->info();
  in.output = o.output.empty() ? info.outputs.front() : parse_format(o.output);
  if (!in.arithmetic->gives(in.output)) {
    std::vector<std::string_view> names;
    for (const FormatSpec& f : info.outputs) names.push_back(f.short_name);
    throw InputError("--output", "",
                     fmt::format("a format that {} gives ({})", info.name, fmt::join(names, ", ")), o.output);
  }
  in.a = floating_operand("--a", o.a, o.a_format, o);
  in.b = floating_operand("--b", o.b, o.b_format, o);
  auto [a, b] = input_formats(info, in.a.element.format(), in.b.element.format());
  // A unit of tf32 takes float32 too and ignores its last bits, as the hardware does: what --round rounds is not that.
  if (o.round && in.arithmetic->accepts(formats::tf32, formats::tf32) && !info.inputs.empty()) {
    for (FormatSpec* f : {&a, &b}) {
      if (*f == formats::float32) *f = formats::tf32;
    }
  }
  try {
    in.a = fitted(std::move(in.a), a, o.round, info);
    in.b = fitted(std::move(in.b), b, o.round, info);
    if (!o.c.empty())
      in.c = fitted(floating_operand("--c", o.c, o.c_format, o), info.accumulator, o.round, info);
  } catch (const InputError& e) {
    if (e.place().empty()) throw;
    throw InputError(e.path(), e.place(), e.expected() + " (or --round, which rounds to nearest even)",
                     e.found());
  }
  in.a_scales = judge::scales_of(read_scales(o.scales.a, o.scales.a_tensor), "--a-scales", "--a-tensor-scale",
                                 info, in.a.shape, a_blocks, &arithmetics());
  in.b_scales = judge::scales_of(read_scales(o.scales.b, o.scales.b_tensor), "--b-scales", "--b-tensor-scale",
                                 info, in.b.shape, b_blocks, &arithmetics());
  if (in.c && (!o.scales.a_tensor.empty() || !o.scales.b_tensor.empty()))
    throw UsageError("--c excludes --a-tensor-scale and --b-tensor-scale, which would scale C too");
  return in;
}

int put_result(const UnitOptions& o, const UnitOperands& in, io::Array&& d, std::uint64_t products,
               double seconds) {
  const ArithmeticInfo& info = in.arithmetic->info();
  const io::Shape shape = d.shape;
  if (o.raw_codes) d.element = io::ElementType::unsigned_integer(static_cast<int>(8 * d.element.bytes()));
  d.metadata = {{"unit", info.name}, {"format", std::string(in.output.dtype)}};
  if (!o.out.empty()) io::write_array(o.out, d);
  const UnitProducts computed{.info = &info,
                              .a = in.a.element.name(),
                              .b = in.b.element.name(),
                              .output = in.output,
                              .shape = shape,
                              .products = products,
                              .seconds = seconds,
                              .out = o.out};
  put(o.json ? unit_products_json(computed) + '\n' : unit_products_text(computed));
  return agree;
}

CodeMatrix matrix_of(const io::Array& array, std::string_view option) {
  if (array.shape.size() != 2)
    throw InputError(array.origin, "", fmt::format("a matrix ({})", option),
                     "shape " + io::to_string(array.shape));
  const auto rows = static_cast<std::size_t>(array.shape[0]), cols = static_cast<std::size_t>(array.shape[1]);
  return {array.bytes.data(), rows, cols, static_cast<std::ptrdiff_t>(cols), 1, array.element.format()};
}

void in_pieces(std::size_t rows, bool divisible, std::string_view what,
               const std::function<void(std::size_t first, std::size_t count)>& body) {
  using Clock = std::chrono::steady_clock;
  ProgressLine line;
  const auto begin = Clock::now();
  judge::in_pieces(
      rows, divisible,
      [&](std::size_t done) {
        line.show(what, std::chrono::duration<double>(Clock::now() - begin).count(),
                  static_cast<double>(done) / static_cast<double>(rows),
                  fmt::format("{} of {} rows", done, rows));
      },
      body);
}

}  // namespace assay::cli
