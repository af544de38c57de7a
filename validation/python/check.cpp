// Verdicts on outputs by what an operation on arrays should give.
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "validation/judge/request.hpp"
#include "validation/judge/results.hpp"
#include "validation/judge/shrink.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/python/verdict.hpp"

namespace assay::python {

Verdict verdict_of(judge::Judgement&& judgement) {
  return {.comparison = std::make_shared<const compare::Comparison>(std::move(judgement.comparison)),
          .name = std::move(judgement.name),
          .evidence = std::move(judgement.evidence),
          .notes = std::move(judgement.notes)};
}

namespace {

// A question with a result to judge; by the bound unless another policy was named.
Question judged_question(const char* function, const std::string& operation, py::dict& arguments) {
  if (!arguments.contains("policy")) arguments["policy"] = "bound";
  if (!arguments.contains("got") || arguments["got"].is_none())
    throw py::type_error(std::string(function) + "() missing a required keyword argument: 'got'");
  Question q = read_question(operation, arguments);
  return q;
}

Verdict check(const std::string& operation, const py::kwargs& given) {
  py::dict arguments = given;
  Question q = judged_question("check", operation, arguments);
  require_taken("check", arguments);
  judge::Judgement judgement;
  {
    const py::gil_scoped_release unlocked;
    judgement = judge::check(std::move(q.request));
  }
  return verdict_of(std::move(judgement));
}

constexpr const char* operands_text =
    "a, b      operands: dense arrays; for spmm a sparse a (Sparse, scipy.sparse csr, csc, coo, bsr)\n"
    "c         added to the sums as beta c; for dot, the starting value of each sum; may be sparse for "
    "sddmm\n"
    "bias      one value per column, per row (bias_along='rows') or per output channel\n"
    "mask      for sddmm: the sparse matrix whose entries are computed; its values are ignored\n"
    "transpose_a, transpose_b\n"
    "          a is stored k x m, b n x k\n"
    "alpha, beta\n"
    "          numbers, rounded to the format of the sums; a text is a decimal or C99 hexadecimal number.\n"
    "          beta None: 1 with c, else 0\n"
    "activation\n"
    "          'none', 'relu', 'relu-max' (NaN becomes 0, as fmaxf gives it), 'clip:LOW:HIGH'\n"
    "batch     require a batch of exactly this many matrices\n"
    "c_first   start each sum with c, as matrix units do\n"
    "reduction for reduce: 'sum', 'mean', 'sum_squares', 'sum_magnitudes', 'max', 'min', 'max_magnitude'\n"
    "axis, nan for reduce and sum: the axis (None: all elements); for max and min: 'propagate' or 'ignore' "
    "NaN\n"
    "stride, pad, dilation, groups, image_layout, padding\n"
    "          for conv: one number, or one for rows and one for columns; 'nchw' or 'nhwc'; padding counts\n "
    "         as 'zeros' or is 'absent'\n"
    "unit      a name of arithmetics(), a file that Probe.save() wrote, or a Probe; None: sums by the next "
    "five\n"
    "acc, product\n"
    "          formats of the sums (None: float32, or float64 if an array is float64) and of products "
    "('fused')\n"
    "order     'any', 'sequential', 'pairwise[:BASE]', 'blocked:LANES[:PANEL]'\n"
    "mode, flush\n"
    "          rounding of the sums; treat subnormal operands and results as zero\n"
    "epilogue  where alpha, beta c and bias may enter: 'anywhere' in the sum, or 'last', after it\n"
    "rounding, overflow\n"
    "          into the output's format: a name of roundings(); 'ieee' or 'saturate'\n"
    "a_scales, b_scales, a_tensor_scale, b_tensor_scale\n"
    "          scales of blocks and of whole operands, for a unit that reads them: as in gemm()\n"
    "threads   0: OpenMP's choice; changes no figure\n";

// --- results without a verdict -------------------------------------------------------------------------------------

std::optional<FormatSpec> output_format(py::dict& arguments) {
  if (!arguments.contains("output")) return std::nullopt;
  const py::object output = arguments.attr("pop")("output");
  return output.is_none() ? std::nullopt : std::optional(format_of(output));
}

io::Shape shape_of(const judge::Results& results) {
  return io::Shape(results.shape.begin(), results.shape.end());
}

template <class T>
py::object view_of(std::shared_ptr<const judge::Results> results, const std::vector<T>& part,
                   const FormatSpec& format) {
  const io::Shape shape = shape_of(*results);
  return numpy_view(std::move(results), part.data(), format, shape);
}

void refuse_judging(const char* function, const py::dict& arguments) {
  for (const char* name : {"got", "policy", "sample", "seed", "stale", "expects_zero"}) {
    if (arguments.contains(name))
      throw py::type_error(std::string(function) + "() got an unexpected keyword argument '" + name + "'");
  }
}

py::object exact(const std::string& operation, bool truth, const py::kwargs& given) {
  py::dict arguments = given;
  refuse_judging("exact", arguments);
  const std::optional<FormatSpec> output = output_format(arguments);
  Question q = read_question(operation, arguments);
  require_taken("exact", arguments);
  std::shared_ptr<const judge::Results> results;
  {
    const py::gil_scoped_release unlocked;
    results = std::make_shared<const judge::Results>(judge::exact_results(std::move(q.request), output));
  }
  const judge::Answer& answer = results->answer;
  const py::object values = view_of(results, answer.codes, results->format);
  if (!truth) return values;
  py::dict all;
  all["values"] = values;
  all["truth"] = view_of(results, answer.truth, formats::float64);
  all["remainder"] = view_of(results, answer.remainder, formats::float64);
  all["bound"] = view_of(results, answer.bound, formats::float64);
  return all;
}

// By a unit, or by the kernels that have its contract.
py::object predicted(const std::string& operation, py::dict arguments) {
  refuse_judging(operation.c_str(), arguments);
  const bool by_unit = !arguments["unit"].is_none(), by_kernels = !arguments["contract"].is_none();
  if (by_unit == by_kernels) throw py::type_error(operation + "() takes either unit or contract");
  if (by_kernels) {
    judge::require_kernel_contract(arguments["contract"].cast<std::string>(), judge::Caller::python);
    arguments["unit"] = arguments["contract"];
  }
  arguments.attr("pop")("contract");
  const std::optional<FormatSpec> output = output_format(arguments);
  Question q = read_question(operation, arguments);
  require_taken(operation.c_str(), arguments);
  std::shared_ptr<const judge::Results> results;
  {
    const py::gil_scoped_release unlocked;
    const auto results_of = by_kernels ? judge::kernel_results : judge::predicted_results;
    results = std::make_shared<const judge::Results>(results_of(std::move(q.request), output));
  }
  return view_of(results, results->answer.codes, results->format);
}

py::object spmm(const py::object& a, const py::object& b, const py::object& unit, const py::object& c,
                const py::object& contract, const py::kwargs& given) {
  py::dict arguments = given;
  arguments["a"] = a;
  arguments["b"] = b;
  arguments["unit"] = unit;
  arguments["c"] = c;
  arguments["contract"] = contract;
  return predicted("spmm", arguments);
}

py::object sddmm(const py::object& mask, const py::object& a, const py::object& b, const py::object& unit,
                 const py::object& c, const py::object& contract, const py::kwargs& given) {
  py::dict arguments = given;
  arguments["contract"] = contract;
  arguments["mask"] = mask;
  arguments["a"] = a;
  arguments["b"] = b;
  arguments["unit"] = unit;
  arguments["c"] = c;
  return predicted("sddmm", arguments);
}

// --- the smallest that still fails -----------------------------------------------------------------------------

// A callable that answers smaller inputs, as f(a=..., b=..., c=..., bias=...) of those that there are.
judge::Answers answers_of(const py::object& function) {
  if (function.is_none()) return {};
  return [function](const judge::Request& smaller) -> std::optional<io::Array> {
    const py::gil_scoped_acquire locked;
    py::dict operands;
    const auto add = [&](const char* name, const std::optional<io::Array>& array) {
      if (array) operands[name] = to_python(io::Array(*array));
    };
    add("a", smaller.a);
    add("b", smaller.b);
    add("c", smaller.c);
    add("bias", smaller.bias);
    const py::object got = function(**operands);
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    return array_of(operand(got, "what the callable returned"));
  };
}

py::dict shrink(const std::string& operation, const py::object& answers, std::uint64_t limit,
                const py::kwargs& given) {
  py::dict arguments = given;
  Question q = judged_question("shrink", operation, arguments);
  require_taken("shrink", arguments);
  const judge::Answers asked = answers_of(answers);
  judge::Shrunk shrunk;
  judge::Judgement judgement;
  {
    const py::gil_scoped_release unlocked;
    judge::require_shrinkable(operation);
    shrunk = judge::shrink(std::move(q.request), asked, limit);
    judgement = judge::check(shrunk.request);
  }
  py::dict found, arrays;
  const auto add = [&](const char* name, std::optional<io::Array>& array) {
    if (array) arrays[name] = to_python(std::move(*array));
  };
  add("a", shrunk.request.a);
  add("b", shrunk.request.b);
  add("c", shrunk.request.c);
  add("bias", shrunk.request.bias);
  arrays["got"] = to_python(std::move(shrunk.request.got));
  found["arrays"] = arrays;
  found["before"] = shrunk.before;
  found["after"] = shrunk.after;
  found["tried"] = shrunk.asked;
  found["limited"] = shrunk.limited;
  found["verdict"] = verdict_of(std::move(judgement));
  return found;
}

}  // namespace

void bind_check(py::module_& m) {
  m.def("check", &check, py::arg("operation"),
        (std::string(
             "Judges an output by what an operation on its inputs should give, as `assay check` does.\n\n"
             "operation gemm: activation(alpha a b + beta c + bias) of matrices m x k and k x n, batches or "
             "vectors;\n"
             "          dot: one product per row; sum, reduce; conv; convert: a rounded once; spmm, sddmm\n"
             "got       the output to judge, in the shape of the result; for sddmm one value per entry, row "
             "by row,\n"
             "          or a sparse matrix with the entries of mask\n") +
         operands_text +
         "policy    'bound' (the default), 'correctly-rounded', 'bit-equal' (with a unit), a Policy\n"
         "sample    judge only this many outputs, drawn at random by seed\n"
         "stale     earlier content of got's memory: would it pass as well?\n"
         "expects_zero\n"
         "          accept that the exact result is all zero instead of calling it VACUOUS\n\n"
         "Returns a Verdict with its evidence and notes. ContractError for arguments that the operation "
         "does\nnot use or that exclude each other; InputError for unknown names and for arrays of other "
         "shapes.")
            .c_str());
  m.def("exact", &exact, py::arg("operation"), py::kw_only(), py::arg("truth") = false,
        (std::string("The exact results of an operation, each rounded once into the output's format.\n\n"
                     "operation as in check()\n"
                     "output    a format; None: float64 if an operand is float64, else float32\n") +
         operands_text +
         "truth     True: a dict of values, and as float64 truth and remainder (the exact value is their "
         "sum, but for\n"
         "          one rounding of the remainder) and bound (of |result - truth| for sums as unit or acc "
         "say)\n\n"
         "Returns an array in the shape of the result, or Codes; for sddmm one value per entry of mask, row "
         "by row.\nErrors as in check().")
            .c_str());
  m.def(
      "spmm", &spmm, py::arg("a"), py::arg("b"), py::arg("unit") = py::none(), py::arg("c") = py::none(),
      py::kw_only(), py::arg("contract") = py::none(),
      "activation(alpha a b + beta c + bias) with a sparse, as a unit computes it, bit for bit.\n\n"
      "a         m x k, a Sparse or a matrix of scipy.sparse: the entries of a row are its terms, in "
      "stored order\n"
      "b, c      k x n and m x n, dense\n"
      "unit      as in gemm(); output: a format that it gives, None: its first\n"
      "contract  in its place: the fast kernels of this CPU. 'chain_f32_fused' for float32 and bfloat16; for "
      "bfloat16\n"
      "          also 'vdpbf16ps' and 'tdpbf16ps'. The unit's bits, with one NaN, 0x7FC00000, but for "
      "'tdpbf16ps', which\n"
      "          takes all of k, an absent entry being +0, where unit='tdpbf16ps' takes the entries alone. a "
      "and "
      "b are of\n"
      "          one format; the result, c and bias are float32\n"
      "bias, bias_along, alpha, beta, activation, transpose_a, transpose_b, rounding, overflow, threads\n"
      "          as in check()\n\n"
      "Returns an array m x n. Errors as in check().");
  m.def("sddmm", &sddmm, py::arg("mask"), py::arg("a"), py::arg("b"), py::arg("unit") = py::none(),
        py::arg("c") = py::none(), py::kw_only(), py::arg("contract") = py::none(),
        "activation(alpha a b + beta c) at the entries of a sparse mask, as a unit computes it, bit for "
        "bit.\n\n"
        "mask      m x n, a Sparse or a matrix of scipy.sparse, whose values are ignored\n"
        "a, b      m x k and k x n, dense\n"
        "c         one value per entry of mask, row by row, or a sparse matrix with its entries\n"
        "unit      as in gemm(); output: a format that it gives, None: its first\n"
        "contract  in its place: the fast kernels of this CPU, 'chain_f32_fused' for float32, without "
        "activation\n"
        "alpha, beta, activation, transpose_a, transpose_b, rounding, overflow, threads\n"
        "          as in check()\n\n"
        "Returns one value per entry of mask, row by row. Errors as in check().");
  m.def("shrink", &shrink, py::arg("operation"), py::kw_only(), py::arg("answers") = py::none(),
        py::arg("limit") = 2000,
        (std::string(
             "The smallest part of a failing check that still fails, as `assay shrink` finds it.\n\n"
             "operation 'gemm', 'dot' or 'convert', of single matrices\n"
             "answers   a callable f(a=..., b=..., c=..., bias=...) of the given operands, which returns "
             "got\n          for smaller inputs; None: only outputs and zero terms can be dropped\n"
             "limit     number of smaller inputs to try\n"
             "got       the output that check() fails; other arguments as in check()\n") +
         operands_text +
         "\nReturns a dict: arrays by name, before and after in words, tried, limited (the limit was "
         "reached) and the\nverdict on the rest. ContractError if the check does not fail or stops failing. "
         "Exceptions of the callable\nare passed on.")
            .c_str());
}

}  // namespace assay::python
