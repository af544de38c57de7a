#include "validation/diagnose/program/verify.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "reference/exact/code_view.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/judge/operands.hpp"

namespace assay::diagnose {
namespace {

using judge::make_operation;

io::Array array_of(const std::vector<std::uint64_t>& codes, const FormatSpec& f, io::Shape shape) {
  io::Array array = io::make_array(f, std::move(shape));
  for (std::size_t i = 0; i < codes.size(); ++i)
    detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), codes[i]);
  array.origin = "a generated case";
  return array;
}

// The case as the operation that `assay check` judges.
std::unique_ptr<const operations::Operation> operation_of(const CaseSpec& spec, const GeneratedCase& c) {
  const operations::OutputSpec output{.format = spec.output, .epilogue = {}};
  const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  if (spec.operation == CaseOperation::sum) {
    return make_operation(operations::kind_of_sum, {.a = array_of(c.a, spec.a, {size(c.k)})}, output);
  }
  std::optional<io::Array> start;
  if (spec.operation == CaseOperation::dot) {
    if (spec.with_c) start = array_of(c.c, spec.accumulator, {});
    return make_operation(operations::kind_of_dot,
                          {.a = array_of(c.a, spec.a, {size(c.k)}),
                           .b = array_of(c.b, spec.b, {size(c.k)}),
                           .c = std::move(start)},
                          output);
  }
  operations::OutputSpec plain = output;
  plain.epilogue.beta = 0;
  if (spec.with_c) start = array_of(c.c, spec.accumulator, {size(c.m), size(c.n)});
  return make_operation(operations::kind_of_gemm,
                        {.a = array_of(c.a, spec.a, {size(c.m), size(c.k)}),
                         .b = array_of(c.b, spec.b, {size(c.k), size(c.n)}),
                         .c = std::move(start),
                         .c_first = spec.with_c},
                        plain);
}

}  // namespace

compare::Comparison verify(const CaseSpec& spec, std::size_t cases, const std::vector<std::uint64_t>& answers,
                           const Arithmetic* unit, const compare::Options& options) {
  const std::unique_ptr<const Arithmetic> any =
      judge::make_any_order({.accumulator = spec.accumulator}, spec.output);
  const operations::OutputSpec output{.format = spec.output, .epilogue = {}};
  judge::Answer all;
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (std::size_t i = 0; i < cases; ++i) {
    const std::unique_ptr<const operations::Operation> operation = operation_of(spec, generate(spec, i));
    const judge::Answer answer = unit != nullptr
                                     ? judge::predicted_answer(*operation, *unit, output, {.threads = 1})
                                     : judge::exact_answer(*operation, *any, output, {.threads = 1});
    append(all.codes, answer.codes);
    append(all.truth, answer.truth);
    append(all.remainder, answer.remainder);
    append(all.bound, answer.bound);
    append(all.results, answer.results);
  }
  std::vector<std::byte> got(answers.size() * code_bytes(spec.output));
  const MutableCodeVector codes{got.data(), answers.size(), 1, spec.output};
  for (std::size_t i = 0; i < answers.size(); ++i) codes.set(i, answers[i]);
  compare::Shape shape{cases};
  if (spec.operation == CaseOperation::gemm) shape = {cases, spec.m, spec.n};
  const compare::Expected expected{.codes = {all.codes.data(), spec.output, shape},
                                   .truth = all.truth,
                                   .remainder = all.remainder,
                                   .bound = all.bound,
                                   .results = all.results,
                                   .specials = special_codes(output.epilogue, spec.output)};
  return compare::judge({got.data(), spec.output, shape}, expected, options);
}

}  // namespace assay::diagnose
