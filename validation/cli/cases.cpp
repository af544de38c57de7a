#include "validation/cli/cases.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "emulation/units/discriminating.hpp"
#include "emulation/units/hard_operands.hpp"
#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/unit_command.hpp"

namespace assay::cli {
namespace {

using namespace diagnose;

template <class Value, std::size_t N>
Value choice(std::string_view where, std::string_view typed,
             const std::array<std::pair<std::string_view, Value>, N>& known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (typed == name) return value;
    names.emplace_back(name);
  }
  throw unknown_name(where, "a known name", typed, names);
}

std::size_t whole(std::string_view text, const std::string& typed) {
  std::size_t x = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (status != std::errc{} || end != text.data() + text.size() || x == 0 || x > (std::size_t{1} << 24))
    throw InputError("--k", "", "a number of terms from 1 to 2^24, or FIRST:LAST", quoted(typed));
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

}  // namespace

void check_case_memory(std::string_view command, const CaseOptions& o, const CaseSpec& spec,
                       std::uint64_t outputs_kept) {
  // A code of 8 bytes, and its text twice: on its own and among that of other cases.
  constexpr std::uint64_t operand = 64;
  const bool gemm = spec.operation == CaseOperation::gemm;
  const std::uint64_t m = gemm ? spec.m : 1, n = gemm ? spec.n : 1, k = spec.most_terms;
  const std::optional<std::uint64_t> needed =
      bytes_sum({bytes_product({m, k, operand}), bytes_product({k, n, operand}),
                 spec.with_c ? bytes_product({m, n, operand}) : std::uint64_t{0},
                 bytes_product({m, n, o.cases, outputs_kept})});
  require_memory(command, gemm ? "--m, --n, --k" : "--k",
                 gemm ? fmt::format("matrices of m={} n={} k={}", m, n, k) : fmt::format("{} terms", k),
                 needed);
}

CaseSpec case_spec(const CaseOptions& o) {
  CaseSpec spec;
  spec.operation =
      choice("--operation", o.operation,
             std::to_array<std::pair<std::string_view, CaseOperation>>(
                 {{"dot", CaseOperation::dot}, {"sum", CaseOperation::sum}, {"gemm", CaseOperation::gemm}}));
  spec.values = choice(
      "--values", o.values,
      std::to_array<std::pair<std::string_view, CaseValues>>(
          {{"normal", CaseValues::normal}, {"integers", CaseValues::integers}, {"hard", CaseValues::hard}}));
  spec.seed = o.seed;
  spec.m = o.m;
  spec.n = o.n;
  const std::size_t colon = o.terms.find(':');
  spec.least_terms = whole(std::string_view(o.terms).substr(0, colon), o.terms);
  spec.most_terms = colon == std::string::npos ? spec.least_terms
                                               : whole(std::string_view(o.terms).substr(colon + 1), o.terms);
  spec.a = parse_format(o.format);
  spec.b = o.b_format.empty() ? spec.a : parse_format(o.b_format);
  const bool is_double = spec.a == formats::float64 || spec.b == formats::float64;
  spec.accumulator =
      o.accumulator.empty() ? (is_double ? formats::float64 : formats::float32) : parse_format(o.accumulator);
  spec.output = o.output.empty() ? spec.accumulator : parse_format(o.output);
  spec.with_c = o.with_c;
  if (spec.with_c && spec.operation == CaseOperation::sum)
    throw UsageError("--with-c is for dot and gemm; a sum has no c");
  // By value: the specification outlives this function.
  spec.hard = [copy = spec](GeneratedCase& made, std::size_t index) { hard_case(copy, made, index); };
  if (const std::string why = why_not(spec); !why.empty())
    throw UsageError("no such cases can be made: " + why);
  return spec;
}

}  // namespace assay::cli
