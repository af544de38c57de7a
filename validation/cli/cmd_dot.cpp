// assay dot: dot products as a unit computes them, one a row; and how one of them came about.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "emulation/units/unit.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/encode.hpp"
#include "reference/operations/dot_rows.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/judge/operands.hpp"
#include "validation/report/unit_report.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct DotCommand {
  UnitOptions unit;
  bool trace = false;
  std::optional<std::uint64_t> row{};
};

// One dot product a row; vectors are one row.
CodeMatrix rows_of(io::Array& array, std::string_view option) {
  if (array.shape.size() == 1) array.shape.insert(array.shape.begin(), 1);
  return matrix_of(array, option);
}

int show_trace(const DotCommand& o, std::size_t row, const UnitOperands& in, const CodeMatrix& a,
               const CodeMatrix& b, std::optional<std::uint64_t> c) {
  const Unit* const unit = as_unit(*in.arithmetic);
  if (unit == nullptr) {
    throw UsageError("--trace requires a machine's unit (`assay units`), and " + in.arithmetic->info().name +
                     " is none");
  }
  const UnitTrace trace{.info = &unit->info(),
                        .row = row,
                        .products = a.cols,
                        .steps = unit->trace(a.row(row), b.row(row), c, in.output)};
  put(o.unit.json ? unit_trace_json(trace) + '\n' : unit_trace_text(trace));
  return agree;
}

int run(const DotCommand& o) {
  static_cast<void>(find_arithmetic(o.unit.unit, "--unit"));  // a typo first
  if (o.unit.out.empty() && !o.unit.json && !o.trace)
    throw UsageError("dot requires --out FILE, --json or --trace");
  if (o.trace && !o.unit.out.empty())
    throw UsageError("--trace and --out exclude each other: --trace shows one row and writes nothing");
  if (o.row && !o.trace) throw UsageError("--row requires --trace");
  refuse_unused_raw(o.unit.raw, {o.unit.a, o.unit.b, o.unit.c});
  const ThreadScope team(o.unit.threads);
  UnitOperands in = unit_operands(o.unit, Lines::rows, Lines::rows);
  check_places(o.unit.unit, *in.arithmetic, std::nullopt);
  CodeMatrix a = rows_of(in.a, "--a"), b = rows_of(in.b, "--b");
  if (in.a_scales) a.scales = in.a_scales->view();
  if (in.b_scales) b.scales = in.b_scales->view();
  if (in.a.shape != in.b.shape) {
    throw InputError(in.b.origin, "",
                     "shape " + io::to_string(in.a.shape) + ", that of A: one dot product a row",
                     io::to_string(in.b.shape));
  }
  const io::Shape shape{static_cast<std::int64_t>(a.rows)};
  if (in.c && in.c->shape.empty()) in.c->shape = {1};
  if (in.c && in.c->shape != shape)
    throw InputError(in.c->origin, "", "shape " + io::to_string(shape), io::to_string(in.c->shape));
  const auto start = [&](std::size_t i) {
    return in.c ? std::optional(in.c->code(static_cast<std::int64_t>(i))) : std::nullopt;
  };
  if (o.trace) {
    const std::uint64_t row = o.row.value_or(0);
    if (row >= a.rows)
      throw UsageError(fmt::format("--row {} does not exist: there are {} rows", row, a.rows));
    return show_trace(o, row, in, a, b, start(row));
  }

  io::Array d = io::make_array(in.output, shape);
  const std::optional<CodeVector> c = in.c ? std::optional(judge::view_of(*in.c).codes()) : std::nullopt;
  const MutableCodeVector out{d.bytes.data(), a.rows, 1, in.output};
  const auto begin = std::chrono::steady_clock::now();
  in_pieces(a.rows, true, "assay dot", [&](std::size_t first, std::size_t count) {
    dot_rows(*in.arithmetic, some_rows(a, first, count), some_rows(b, first, count),
             c ? std::optional(c->part(first, count)) : std::nullopt, out.part(first, count), first);
  });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return put_result(o.unit, in, std::move(d), std::uint64_t{a.rows} * a.cols, seconds);
}

}  // namespace

std::function<int()> make_dot(CLI::App& app) {
  const auto o = std::make_shared<DotCommand>();
  add_unit_options(app, o->unit);
  app.add_flag("--trace", o->trace, "Show each addition of one row: its terms, what was cut off, the sum");
  add_unsigned(app, "--row", o->row, "Row that --trace shows (default: 0)");
  return [o, &app] {
    refuse_alone(app, {{"--c-format", "--c"}});
    return run(*o);
  };
}

}  // namespace assay::cli
