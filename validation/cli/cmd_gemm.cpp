// assay gemm: C + A B as a unit computes it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::cli {
namespace {

struct GemmCommand {
  UnitOptions unit;
  bool transpose_a = false, transpose_b = false;
};

int run(const GemmCommand& o) {
  static_cast<void>(find_arithmetic(o.unit.unit, "--unit"));  // a typo first
  if (o.unit.out.empty() && !o.unit.json) throw UsageError("gemm requires --out FILE or --json");
  refuse_unused_raw(o.unit.raw, {o.unit.a, o.unit.b, o.unit.c});
  const ThreadScope team(o.unit.threads);
  const UnitOperands in = unit_operands(o.unit, o.transpose_a ? Lines::columns : Lines::rows,
                                        o.transpose_b ? Lines::rows : Lines::columns);
  CodeMatrix a = matrix_of(in.a, "--a"), b = matrix_of(in.b, "--b");
  if (in.a_scales) a.scales = in.a_scales->view();
  if (in.b_scales) b.scales = in.b_scales->view();
  if (o.transpose_a) a = a.transposed();
  if (o.transpose_b) b = b.transposed();
  if (a.cols != b.rows) {
    throw InputError(in.b.origin, "", fmt::format("{} rows of B, as A has columns", a.cols),
                     fmt::format("{}", b.rows));
  }
  const io::Shape shape{static_cast<std::int64_t>(a.rows), static_cast<std::int64_t>(b.cols)};
  if (in.c && in.c->shape != shape)
    throw InputError(in.c->origin, "", "shape " + io::to_string(shape), io::to_string(in.c->shape));
  require_memory("gemm", "--a, --b", fmt::format("{} x {} results", a.rows, b.cols),
                 bytes_product({a.rows, b.cols, code_bytes(in.output)}));
  io::Array d = io::make_array(in.output, shape);
  const MutableCodeMatrix whole{d.bytes.data(), a.rows, b.cols, static_cast<std::ptrdiff_t>(b.cols), 1,
                                in.output};
  const std::optional<CodeMatrix> c = in.c ? std::optional(matrix_of(*in.c, "--c")) : std::nullopt;
  const auto begin = std::chrono::steady_clock::now();
  in_pieces(a.rows, in.arithmetic->info().divisible, "assay gemm", [&](std::size_t first, std::size_t count) {
    in.arithmetic->gemm(some_rows(a, first, count), b,
                        c ? std::optional(some_rows(*c, first, count)) : std::nullopt,
                        some_rows(whole, first, count), {.offset = first * b.cols, .row_stride = b.cols});
  });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return put_result(o.unit, in, std::move(d), std::uint64_t{a.rows} * b.cols * a.cols, seconds);
}

}  // namespace

std::function<int()> make_gemm(CLI::App& app) {
  const auto o = std::make_shared<GemmCommand>();
  add_unit_options(app, o->unit);
  app.add_flag("--transpose-a", o->transpose_a, "A is stored k x m");
  app.add_flag("--transpose-b", o->transpose_b, "B is stored n x k");
  return [o, &app] {
    refuse_alone(app, {{"--c-format", "--c"}});
    return run(*o);
  };
}

}  // namespace assay::cli
