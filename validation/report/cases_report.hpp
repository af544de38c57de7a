// The cases of `assay gen` as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "validation/diagnose/program/generate.hpp"

namespace assay {

// One object on one line, in three parts, so that nobody keeps all cases: what they have in common, each case, the end.
// A number is the code as text ("0x3f80"), or its value in C99 hexadecimal ("0x1.8p+0").
std::string cases_json_begin(const diagnose::CaseSpec& spec, std::uint64_t cases);
std::string case_json(const diagnose::CaseSpec& spec, const diagnose::GeneratedCase& c, std::uint64_t index,
                      bool as_values);
std::string cases_json_end();  // with the line feed

}  // namespace assay
