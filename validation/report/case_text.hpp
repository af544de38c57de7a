// Generated cases and their answers on a pipe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/program/generate.hpp"

namespace assay {

enum class CaseForm : std::uint8_t { codes, values, binary };
// InputError for what is no name of one.
CaseForm parse_case_form(std::string_view typed);

// A case as it goes through the pipe: a line, or bytes where the form is binary.
//   dot    K, then a and b (K values each), then c if there is one
//   sum    K, then the values
//   gemm   M N K, then A (M x K), B (K x N), C (M x N) if there is one, row by row
// Codes are hexadecimal with 0x, values C99 hexadecimal floats (inf, nan). Bytes: sizes are uint32, codes take the
// smallest of 1, 2, 4 and 8 bytes that holds them; all little-endian.
std::string case_text(CaseForm form, const diagnose::CaseSpec& spec, const diagnose::GeneratedCase& c);

// The answers, in the same form: one code of spec.output an output, in the order of the cases; for text, separated by
// white space. InputError, with the number of the answer, for what is none, for too few and for too many.
std::vector<std::uint64_t> read_answers(CaseForm form, const diagnose::CaseSpec& spec, std::size_t wanted,
                                        const std::string& text);

}  // namespace assay
