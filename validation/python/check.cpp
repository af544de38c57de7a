// Verdicts on outputs by what an operation on arrays should give.
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>

#include "validation/judge/request.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/python/verdict.hpp"

namespace assay::python {
namespace {

Verdict verdict_of(judge::Judgement&& judgement) {
  return {.comparison = std::make_shared<const compare::Comparison>(std::move(judgement.comparison)),
          .name = std::move(judgement.name),
          .evidence = std::move(judgement.evidence),
          .notes = std::move(judgement.notes)};
}

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
    "a, b      operands; dense arrays, a sparse one (Sparse, scipy.sparse csr, csc, coo, bsr) for the a of "
    "spmm\n"
    "c         joins the sums: beta c; of dot what each sum starts with. A sddmm takes it sparse, too\n"
    "bias      one value a column, a row (bias_along='rows') or an output channel\n"
    "mask      of sddmm: the sparse matrix whose entries are computed; its values do not count\n"
    "transpose_a, transpose_b\n"
    "          a is stored k x m, b n x k\n"
    "alpha, beta\n"
    "          numbers, rounded into the format of the sums; text is read as a decimal or C99 hexadecimal "
    "number.\n"
    "          beta None: 1 with c, else 0\n"
    "activation\n"
    "          'none', 'relu', 'relu-max' (NaN becomes 0, as fmaxf gives it), 'clip:LOW:HIGH'\n"
    "batch     a stack of exactly this many matrices is required\n"
    "c_first   c starts the sum, as in matrix units\n"
    "reduction of reduce: 'sum', 'mean', 'sum_squares', 'sum_magnitudes', 'max', 'min', 'max_magnitude'\n"
    "axis, nan of reduce and sum: the axis (None: all elements); of max and min: 'propagate' or 'ignore' "
    "NaN\n"
    "stride, pad, dilation, groups, image_layout, padding\n"
    "          of conv: a number, or one for rows and one for columns; 'nchw' or 'nhwc'; padding is 'zeros' "
    "that\n"
    "          multiply, or 'absent'\n"
    "unit      a name of arithmetics(), a file that Probe.save() wrote, a Probe; None: sums as the next five "
    "say\n"
    "acc, product\n"
    "          formats of the sums (None: float32; float64 where an array is) and of products ('fused')\n"
    "order     'any', 'sequential', 'pairwise[:BASE]', 'blocked:LANES[:PANEL]'\n"
    "mode, flush\n"
    "          rounding of the sums; subnormal operands and results are zeros\n"
    "epilogue  alpha, beta c and bias may enter 'anywhere' in the sum, or 'last', after it\n"
    "rounding, overflow\n"
    "          into the output's format: a name of roundings(); 'ieee' or 'saturate'\n"
    "a_scales, b_scales, a_tensor_scale, b_tensor_scale\n"
    "          scales of blocks and of whole operands, for a unit that reads them: as gemm() takes them\n"
    "threads   0: as OpenMP decides; changes no figure\n";

}  // namespace

void bind_check(py::module_& m) {
  m.def("check", &check, py::arg("operation"),
        (std::string(
             "Judges an output by what an operation on its inputs should give, as `assay check` does.\n\n"
             "operation gemm: activation(alpha a b + beta c + bias) of matrices m x k and k x n, stacks or "
             "vectors;\n"
             "          dot: one product a row; sum, reduce; conv; convert: a rounded once; spmm, sddmm\n"
             "got       the output to judge, in the shape of the result; of sddmm one value an entry, row by "
             "row,\n"
             "          or a sparse matrix with the entries of mask\n") +
         operands_text +
         "policy    'bound' (the default), 'correctly-rounded', 'bit-equal' (with a unit), a Policy\n"
         "sample    judge this many outputs, drawn with seed, instead of all\n"
         "stale     what the memory of got held before: would it pass?\n"
         "expects_zero\n"
         "          that the truth is zero everywhere is what this is about: not VACUOUS\n\n"
         "Returns a Verdict with its evidence and notes. Arguments that the operation does not look at, and "
         "ones that\n"
         "exclude each other, are a ContractError; unknown names and arrays of other shapes an InputError.")
            .c_str());
}

}  // namespace assay::python
