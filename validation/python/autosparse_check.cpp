// AutoSparse's layers: the native part of assay.autosparse.check().
#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/memory.hpp"
#include "validation/judge/autosparse.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/python/verdict.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::python {
namespace {

using judge::AutosparseRequest;

std::optional<io::Array> optional_array(py::dict& arguments, const char* name) {
  const py::object x = take(arguments, name);
  return x ? std::optional(array_of(any_operand(x, name))) : std::nullopt;
}

// What assay.autosparse.check() has by keyword.
Verdicts check_layer(py::dict arguments) {
  AutosparseRequest r;
  r.caller = judge::Caller::python;
  const py::object w = take(arguments, "w");
  if (!w) throw py::type_error("check() missing a required argument: 'w'");
  const Operand weights = operand(w, "w");
  // Before anything of this size is copied.
  const judge::AutosparseMemory least = judge::autosparse_memory(weights.size(), 0);
  check_memory("w", least.why, least.needed);
  r.w = array_of(weights);
  const auto number = [&](const char* name, double otherwise) {
    const py::object x = take(arguments, name);
    return x ? real_argument(x, name) : otherwise;
  };
  const auto text = [&](const char* name, std::string& into) {
    if (const py::object x = take(arguments, name)) into = text_argument(x, name);
  };
  const auto format = [&](const char* name, std::string& into) {
    if (const py::object x = take(arguments, name)) into = format_text(x);
  };
  const auto whole = [&](const char* name) -> std::optional<std::uint64_t> {
    const py::object x = take(arguments, name);
    return x ? std::optional(number_argument(x, name)) : std::nullopt;
  };
  for (const auto& [name, into] :
       {std::pair("s", &r.s), std::pair("threshold", &r.threshold), std::pair("x", &r.x),
        std::pair("dy", &r.dy), std::pair("g", &r.g), std::pair("got_v", &r.got_v),
        std::pair("got_mask", &r.got_mask), std::pair("got_dw", &r.got_dw), std::pair("got_dx", &r.got_dx),
        std::pair("got_ds", &r.got_ds)})
    *into = optional_array(arguments, name);
  r.alpha = number("alpha", 0);
  r.lambda = number("lambda_", 0);
  if (const py::object x = take(arguments, "lambda_s")) r.lambda_s = real_argument(x, "lambda_s");
  if (const py::object x = take(arguments, "channels")) r.channels = flag_argument(x, "channels");
  if (const py::object x = take(arguments, "expects_zero")) r.expects_zero = flag_argument(x, "expects_zero");
  text("support", r.support);
  text("schedule", r.schedule);
  text("order", r.order);
  text("ds_order", r.ds_order);
  format("acc", r.accumulator);
  format("ds_acc", r.ds_accumulator);
  r.epoch = whole("epoch");
  r.epochs = whole("epochs");
  if (const py::object x = take(arguments, "policy")) r.policy = policy_of(x);
  if (const py::object x = take(arguments, "threads")) r.threads = threads_argument(x);
  NamedArithmetic unit;
  if (const py::object x = take(arguments, "unit")) {
    unit = named_arithmetic(x);
    r.arithmetic = unit.arithmetic.get();
    r.arithmetic_name = unit.name;
    r.require_places = [&unit](const operations::Shape& shape) {
      check_places(unit.name, *unit.arithmetic, places_of("gemm", shape));
    };
  }
  require_taken("check", arguments);
  std::vector<judge::AutosparseJudgement> judged;
  {
    const py::gil_scoped_release unlocked;
    const judge::AutosparseMemory memory = judge::autosparse_memory(r);
    check_memory("w", memory.why, memory.needed);
    judged = judge::check_autosparse(r);
  }
  Verdicts verdicts;
  for (judge::AutosparseJudgement& one : judged)
    verdicts.pairs.emplace_back(one.array, verdict_of(std::move(one.judgement)));
  return verdicts;
}

}  // namespace

void bind_autosparse_check(py::module_& m) { m.def("_autosparse_check", &check_layer); }

}  // namespace assay::python
