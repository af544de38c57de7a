#include "validation/report/case_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

void put_bytes(std::string& out, std::uint64_t x, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(x >> (8 * i) & 0xFF);
}

std::uint64_t answer_code(CaseForm form, const FormatSpec& f, std::string_view word, std::size_t i) {
  const std::string place = fmt::format("answer {}", i + 1);
  if (form == CaseForm::values) {
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

CaseForm parse_case_form(std::string_view typed) {
  if (typed == "codes") return CaseForm::codes;
  if (typed == "values") return CaseForm::values;
  if (typed == "binary") return CaseForm::binary;
  throw unknown_name("--as", "a known form", typed, {"codes", "values", "binary"});
}

std::string case_text(CaseForm form, const diagnose::CaseSpec& spec, const diagnose::GeneratedCase& c) {
  std::vector<std::size_t> sizes{c.k};
  if (spec.operation == diagnose::CaseOperation::gemm) sizes = {c.m, c.n, c.k};
  const std::vector<std::pair<const std::vector<std::uint64_t>*, FormatSpec>> parts{
      {&c.a, spec.a}, {&c.b, spec.b}, {&c.c, spec.accumulator}};
  std::string out;
  if (form == CaseForm::binary) {
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
      out += form == CaseForm::values ? exact_text(widened(exact_from_code(code, f)))
                                      : fmt::format("{:#0{}x}", code, (f.bits + 3) / 4 + 2);
    }
  }
  return out + '\n';
}

std::vector<std::uint64_t> read_answers(CaseForm form, const diagnose::CaseSpec& spec, std::size_t wanted,
                                        const std::string& text) {
  const FormatSpec& f = spec.output;
  std::vector<std::uint64_t> answers;
  if (form == CaseForm::binary) {
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
    answers.push_back(answer_code(form, f, word, answers.size()));
    at = text.find_first_not_of(spaces, end);
  }
  if (answers.size() < wanted)
    throw InputError("stdin", "", fmt::format("{} answers, one an output", wanted),
                     fmt::format("{}", answers.size()));
  return answers;
}

}  // namespace assay
