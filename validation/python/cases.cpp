// Cases for a program under test, and the verdict on its answers.
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/python/verdict.hpp"
#include "validation/suites/case_request.hpp"

namespace assay::python {
namespace {

using diagnose::CaseSpec;
using diagnose::GeneratedCase;

void read_text(py::dict& arguments, const char* name, std::string& text) {
  if (const py::object x = take(arguments, name)) text = text_argument(x, name);
}
void read_format(py::dict& arguments, const char* name, std::string& text) {
  if (const py::object x = take(arguments, name)) text = format_text(x);
}
void read_number(py::dict& arguments, const char* name, std::uint64_t least, std::uint64_t& number) {
  const py::object x = take(arguments, name);
  if (!x) return;
  number = number_argument(x, name);
  if (number < least) throw ContractError(std::string(name) + ": 0, not 1 or more");
}

// A length, or the first and the last of those that cases draw: 64, (1, 64), "1:64".
std::string terms_text(const py::handle& k) {
  if (py::isinstance<py::str>(k)) return k.cast<std::string>();
  const std::vector<std::size_t> numbers = numbers_argument(k, "k");
  if (numbers.size() == 1) return std::to_string(numbers[0]);
  if (numbers.size() == 2) return std::to_string(numbers[0]) + ":" + std::to_string(numbers[1]);
  throw ContractError("k: " + std::to_string(numbers.size()) +
                      " numbers, not a length or the first and the last");
}

CaseRequest read_cases(const std::string& operation, py::dict& arguments) {
  CaseRequest r{.operation = operation, .caller = judge::Caller::python};
  const auto refuse = [&](const char* name, const char* operations) {
    if (arguments.contains(name) && !arguments[name].is_none())
      throw ContractError(std::string(name) + " is for " + operations + ", not for " + operation);
  };
  if (operation == "dot" || operation == "sum") {
    refuse("m", "gemm");
    refuse("n", "gemm");
  }
  if (operation == "sum") refuse("b_format", "dot or gemm");
  read_text(arguments, "values", r.values);
  if (const py::object k = take(arguments, "k")) r.terms = terms_text(k);
  read_number(arguments, "cases", 1, r.cases);
  read_number(arguments, "seed", 0, r.seed);
  read_number(arguments, "m", 1, r.m);
  read_number(arguments, "n", 1, r.n);
  read_format(arguments, "format", r.format);
  read_format(arguments, "b_format", r.b_format);
  read_format(arguments, "acc", r.accumulator);
  read_format(arguments, "output", r.output);
  if (const py::object with_c = take(arguments, "with_c")) r.with_c = flag_argument(with_c, "with_c");
  return r;
}

// Numbers of cases, as codes and in the arrays that are made of them.
void check_cases_memory(const CaseRequest& r, const CaseSpec& spec, std::uint64_t of_output,
                        std::uint64_t cases_kept) {
  const CaseMemory memory = case_memory(r, spec, 16, of_output, cases_kept);
  check_memory(memory.options, memory.why, memory.needed);
}

py::dict arrays_of(const CaseSpec& spec, const GeneratedCase& made) {
  const bool matrix = spec.operation == diagnose::CaseOperation::gemm;
  using Shape = std::vector<std::size_t>;
  py::dict arrays;
  arrays["a"] = array_of_codes(made.a, spec.a, matrix ? Shape{made.m, made.k} : Shape{made.k});
  if (!made.b.empty())
    arrays["b"] = array_of_codes(made.b, spec.b, matrix ? Shape{made.k, made.n} : Shape{made.k});
  if (!made.c.empty())
    arrays["c"] = array_of_codes(made.c, spec.accumulator, matrix ? Shape{made.m, made.n} : Shape{});
  return arrays;
}

py::list gen(const std::string& operation, const py::kwargs& given) {
  py::dict arguments = given;
  const CaseRequest r = read_cases(operation, arguments);
  require_taken("gen", arguments);
  const CaseSpec spec = case_spec(r);
  check_cases_memory(r, spec, 0, r.cases);
  py::list all;
  for (std::uint64_t i = 0; i < r.cases; ++i) {
    all.append(arrays_of(spec, generate(spec, i)));
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  return all;
}

Verdict verify(const std::string& operation, const py::object& answers, const py::kwargs& given) {
  py::dict arguments = given;
  const CaseRequest r = read_cases(operation, arguments);
  NamedArithmetic unit;
  if (const py::object named = take(arguments, "unit")) unit = named_arithmetic(named);
  int threads = 0;
  if (const py::object x = take(arguments, "threads")) threads = threads_argument(x);
  require_taken("verify", arguments);
  const CaseSpec spec = case_spec(r);
  Operand got = operand(answers, "answers");
  const std::size_t wanted = answers_wanted(r, spec);
  if (got.size() != wanted)
    throw ContractError("answers: " + std::to_string(got.size()) + ", not " + std::to_string(wanted));
  if (!(got.element == io::ElementType(spec.output)))
    throw ContractError("answers: of " + got.element.name() + ", not " + std::string(spec.output.dtype));
  check_cases_memory(r, spec, 64, 1);
  const std::vector<std::uint64_t> codes = judge::all_codes(codes_of(got));
  judge::Judgement judgement;
  {
    const py::gil_scoped_release unlocked;
    judgement = verify_answers(r, spec, codes, unit, threads);
  }
  return {.comparison = std::make_shared<const compare::Comparison>(std::move(judgement.comparison)),
          .name = std::move(judgement.name),
          .evidence = std::move(judgement.evidence),
          .notes = std::move(judgement.notes)};
}

constexpr const char* options_text =
    "operation 'dot', 'sum' or 'gemm'\n"
    "values    'normal' (the default), 'integers' (exact in every order), 'hard' (they tell arithmetics "
    "apart)\n"
    "k         number of terms (64), or the first and the last: each case draws its own\n"
    "cases     number of cases (1000), a function of seed (1) and the other arguments\n"
    "m, n      for gemm: rows of a, columns of b (8)\n"
    "format, b_format\n"
    "          formats of a (float32) and of b (that of a)\n"
    "acc       format of the sums and of c: float32, or float64 if an operand is float64\n"
    "output    format of the answers: that of the sums\n"
    "with_c    start each sum with a c\n";

}  // namespace

void bind_cases(py::module_& m) {
  m.def("gen", &gen, py::arg("operation"),
        (std::string("Cases for a program under test, as `assay gen` makes them.\n\n") + options_text +
         "\nReturns a list of dicts of arrays: a and b of shape (k,), c of shape (); for sum a alone; for "
         "gemm a "
         "(m, k),\nb (k, n), c (m, n). ContractError for cases that cannot be made; InputError for unknown "
         "names.")
            .c_str());
  m.def("verify", &verify, py::arg("operation"), py::arg("answers"),
        (std::string(
             "Judges the answers to gen(operation, ...) of the same arguments, as `assay verify` does.\n\n"
             "answers   one number a case, for gemm a matrix m x n, in the format of the output\n") +
         options_text +
         "unit      require the bits of this arithmetic: as in gemm(); None: the exact result of integers, "
         "else\n"
         "          the bound of sums in any order\n"
         "threads   0: OpenMP's choice; changes no figure\n\n"
         "Returns a Verdict. ContractError for answers of another number or format; else as gen().")
            .c_str());
}

}  // namespace assay::python
