#include "validation/suites/case_request.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "emulation/units/discriminating.hpp"
#include "emulation/units/hard_operands.hpp"
#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "validation/diagnose/program/verify.hpp"
#include "validation/judge/choice.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay {

using namespace diagnose;

namespace {

std::size_t whole(const CaseRequest& r, std::string_view text) {
  std::size_t x = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (status != std::errc{} || end != text.data() + text.size() || x == 0 || x > (std::size_t{1} << 24))
    throw InputError::of_option(r.option("k"), "a number of terms from 1 to 2^24, or FIRST:LAST",
                                quoted(r.terms));
  return x;
}

// Operands that tell units apart; the classes take turns.
void hard_case(const CaseSpec& spec, GeneratedCase& made, std::size_t index) {
  const std::uint64_t seed = spec.seed * 0x9E3779B97F4A7C15 + index;
  if (spec.operation == CaseOperation::dot) {
    const InputClass kind = all_input_classes[index % all_input_classes.size()];
    DotInput input = discriminating_input(kind, made.k, spec.a, spec.b, spec.accumulator, seed);
    made.a = std::move(input.a);
    made.b = std::move(input.b);
    if (spec.with_c) made.c = {input.c.value_or(0)};
    return;
  }
  const HardMatrices x(hard_classes()[index % hard_classes().size()].id, made.m, made.n, made.k, spec.a,
                       spec.b, spec.accumulator, seed);
  made.a = all_codes(x.a());
  made.b = all_codes(x.b());
  if (spec.with_c) made.c = all_codes(x.c());
}

FormatSpec format(const CaseRequest& r, std::string_view option, const std::string& typed,
                  const FormatSpec& otherwise) {
  if (typed.empty()) return otherwise;
  return judge::typed_for(r.option(option), [&] { return parse_format(typed); });
}

}  // namespace

CaseSpec case_spec(const CaseRequest& r) {
  using Operations = std::pair<std::string_view, CaseOperation>;
  using Values = std::pair<std::string_view, CaseValues>;
  CaseSpec spec;
  // The command takes it alone, as no option.
  spec.operation = judge::choice(
      r.caller == judge::Caller::python ? "operation" : "", r.operation,
      std::to_array<Operations>(
          {{"dot", CaseOperation::dot}, {"sum", CaseOperation::sum}, {"gemm", CaseOperation::gemm}}),
      "an operation");
  spec.values = judge::choice(
      r.option("values"), r.values,
      std::to_array<Values>(
          {{"normal", CaseValues::normal}, {"integers", CaseValues::integers}, {"hard", CaseValues::hard}}));
  spec.seed = r.seed;
  spec.m = r.m;
  spec.n = r.n;
  const std::string_view terms = r.terms;
  const std::size_t colon = terms.find(':');
  spec.least_terms = whole(r, terms.substr(0, colon));
  spec.most_terms = colon == std::string::npos ? spec.least_terms : whole(r, terms.substr(colon + 1));
  spec.a = format(r, "format", r.format, formats::float32);
  spec.b = format(r, "b-format", r.b_format, spec.a);
  const bool is_double = spec.a == formats::float64 || spec.b == formats::float64;
  spec.accumulator = format(r, "acc", r.accumulator, is_double ? formats::float64 : formats::float32);
  spec.output = format(r, "output", r.output, spec.accumulator);
  spec.with_c = r.with_c;
  if (spec.with_c && spec.operation == CaseOperation::sum)
    throw UsageError(r.option("with-c") + " is for dot and gemm; a sum has no c");
  // By value: the specification outlives this function.
  spec.hard = [copy = spec](GeneratedCase& made, std::size_t index) { hard_case(copy, made, index); };
  if (const std::string why = why_not(spec); !why.empty())
    throw UsageError("no such cases can be made: " + why);
  return spec;
}

std::size_t answers_wanted(const CaseRequest& request, const CaseSpec& spec) {
  const bool gemm = spec.operation == CaseOperation::gemm;
  const auto wanted = bytes_product({gemm ? spec.m : 1, gemm ? spec.n : 1, request.cases});
  if (!wanted) throw UsageError("more than 2^64 answers");
  return static_cast<std::size_t>(*wanted);
}

CaseMemory case_memory(const CaseRequest& r, const CaseSpec& spec, std::uint64_t of_operand,
                       std::uint64_t of_output, std::uint64_t cases_kept) {
  const bool gemm = spec.operation == CaseOperation::gemm;
  const std::uint64_t m = gemm ? spec.m : 1, n = gemm ? spec.n : 1, k = spec.most_terms;
  const auto kept = [&](std::uint64_t rows, std::uint64_t cols) {
    return bytes_product({rows, cols, of_operand, cases_kept});
  };
  return {.options = gemm ? r.option("m") + ", " + r.option("n") + ", " + r.option("k") : r.option("k"),
          .why = gemm ? fmt::format("matrices of m={} n={} k={}", m, n, k) : fmt::format("{} terms", k),
          .needed = bytes_sum({kept(m, k), kept(k, n), spec.with_c ? kept(m, n) : std::uint64_t{0},
                               bytes_product({m, n, r.cases, of_output})})};
}

judge::Judgement verify_answers(const CaseRequest& r, const CaseSpec& spec,
                                const std::vector<std::uint64_t>& answers, const NamedArithmetic& named,
                                int threads) {
  const Arithmetic* const unit = named.arithmetic.get();
  if (unit != nullptr && (!unit->gives(spec.output) || !unit->accepts(spec.a, spec.b)))
    throw UsageError(fmt::format("{} {} does not make {} of {} and {}", r.option("unit"), named.name,
                                 spec.output.dtype, spec.a.dtype, spec.b.dtype));
  if (unit != nullptr) check_places(named.name, *unit, places_of(r.operation, {spec.m, spec.n}));
  const bool exact = spec.values == CaseValues::integers;
  compare::Options options;
  options.policy = compare::find_policy(compare::default_policies(),
                                        unit != nullptr ? "bit-equal-any-nan"
                                        : exact         ? "correctly-rounded"
                                                        : "bound",
                                        "verify");
  options.threads = threads;
  options.operation = fmt::format("{} of generated cases", r.operation);
  judge::Judgement judgement{.comparison = verify(spec, r.cases, answers, unit, options)};
  const std::string sizes =
      spec.operation == CaseOperation::gemm ? fmt::format(" m={} n={}", spec.m, spec.n) : "";
  judgement.name = fmt::format("verify/{}{} values={} cases={} k={} a={} b={} got={} acc={} seed={}{}{}",
                               r.operation, sizes, r.values, r.cases, r.terms, spec.a.dtype, spec.b.dtype,
                               spec.output.dtype, spec.accumulator.dtype, spec.seed,
                               spec.with_c ? " with-c" : "", unit != nullptr ? " unit=" + named.name : "");
  if (unit != nullptr) {
    judgement.evidence = fmt::format("the bits that {} gives ({})", named.name, unit->info().summary);
    if (is_unverified(unit->info().evidence))
      judgement.notes.push_back(fmt::format("note   {} is unverified: {}", named.name, unit->info().source));
  } else if (exact) {
    judgement.evidence = "the exact result: no order of these sums rounds, so a difference is a bug";
  } else {
    judgement.evidence =
        fmt::format("the exact result and the bound of sums in {} in any order", spec.accumulator.dtype);
  }
  return judgement;
}

}  // namespace assay
