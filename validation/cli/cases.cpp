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
#include "reference/exact/code_view.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"
#include "validation/cli/memory.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/report/trace_report.hpp"

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
  const auto codes = [](const CodeMatrix& m) {
    std::vector<std::uint64_t> all;
    for (std::size_t i = 0; i < m.rows; ++i) {
      for (std::size_t j = 0; j < m.cols; ++j) all.push_back(m.code(i, j));
    }
    return all;
  };
  made.a = codes(x.a());
  made.b = codes(x.b());
  if (spec.with_c) made.c = codes(x.c());
}

void put_bytes(std::string& out, std::uint64_t x, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(x >> (8 * i) & 0xFF);
}

std::uint64_t answer_code(const CaseOptions& o, const FormatSpec& f, std::string_view word, std::size_t i) {
  const std::string place = fmt::format("answer {}", i + 1);
  if (o.as == "values") {
    try {
      return encode(parse_number(word), f).code;
    } catch (const InputError&) {
      throw InputError("stdin", place, "a number, decimal or C99 hexadecimal", quoted(word));
    }
  }
  std::string_view digits = word;
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  std::uint64_t code = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  const bool fits = (code & ~(f.sign_code() | f.magnitude_mask())) == 0;
  if (digits.empty() || status != std::errc{} || end != digits.data() + digits.size() || !fits) {
    throw InputError("stdin", place,
                     fmt::format("a code of {} in hexadecimal, as {:#x}", f.dtype, encode(1.0, f).code),
                     quoted(word));
  }
  return code;
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

std::string case_text(const CaseOptions& o, const CaseSpec& spec, const GeneratedCase& c) {
  std::vector<std::size_t> sizes{c.k};
  if (spec.operation == CaseOperation::gemm) sizes = {c.m, c.n, c.k};
  const std::vector<std::pair<const std::vector<std::uint64_t>*, FormatSpec>> parts{
      {&c.a, spec.a}, {&c.b, spec.b}, {&c.c, spec.accumulator}};
  std::string out;
  if (o.as == "binary") {
    for (const std::size_t size : sizes) put_bytes(out, size, 4);
    for (const auto& [codes, f] : parts) {
      for (const std::uint64_t code : *codes) put_bytes(out, code, code_bytes(f));
    }
    return out;
  }
  out = fmt::format("{}", fmt::join(sizes, " "));
  for (const auto& [codes, f] : parts) {
    for (const std::uint64_t code : *codes) {
      out += ' ';
      out += o.as == "values" ? exact_text(widened(exact_from_code(code, f)))
                              : fmt::format("{:#0{}x}", code, (f.bits + 3) / 4 + 2);
    }
  }
  return out + '\n';
}

std::vector<std::uint64_t> read_answers(const CaseOptions& o, const CaseSpec& spec, std::size_t wanted,
                                        const std::string& text) {
  const FormatSpec& f = spec.output;
  std::vector<std::uint64_t> answers;
  if (o.as == "binary") {
    const std::size_t bytes = code_bytes(f);
    if (text.size() != wanted * bytes) {
      throw InputError("stdin", "",
                       fmt::format("{} answers of {} bytes, {} bytes", wanted, bytes, wanted * bytes),
                       fmt::format("{} bytes", text.size()));
    }
    for (std::size_t i = 0; i < wanted; ++i) {
      const std::uint64_t code = detail::load_code(text.data(), static_cast<std::ptrdiff_t>(i), bytes);
      if ((code & ~(f.sign_code() | f.magnitude_mask())) != 0)
        throw InputError("stdin", fmt::format("answer {}", i + 1), fmt::format("a code of {}", f.dtype),
                         fmt::format("{:#x}", code));
      answers.push_back(code);
    }
    return answers;
  }
  constexpr std::string_view spaces = " \t\r\n";
  for (std::size_t at = text.find_first_not_of(spaces); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(spaces, at), text.size());
    const std::string_view word = std::string_view(text).substr(at, end - at);
    if (answers.size() == wanted)
      throw InputError("stdin", "", fmt::format("{} answers, one an output", wanted),
                       "more: " + quoted(word));
    answers.push_back(answer_code(o, f, word, answers.size()));
    at = text.find_first_not_of(spaces, end);
  }
  if (answers.size() < wanted)
    throw InputError("stdin", "", fmt::format("{} answers, one an output", wanted),
                     fmt::format("{}", answers.size()));
  return answers;
}

}  // namespace assay::cli
