// A comparison as text and as JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "validation/compare/comparison.hpp"

namespace assay {

// The lines below the status line, without indentation:
//
//   2112 values: 2046 bit-equal, 66 differ, 64 outside the bound; NaN 0/0, Inf 0/0; zeros would pass 0.0 %
//   worst [31,32] want 0x1.8ap+1 (0x4045) got 0x1.6p+1 (0x4030) 21 ulp  error/bound 37.2
//   would pass with atol 0.329 or rtol 0.107 or 21 ulp
//   where  64 of 64 in column 32 = last of n=33: tail of a 32-wide tile?
//
// NaN and Inf count got/want. Values are those of the codes, as C99 hex; tolerances are rounded up, so that
// what is printed would pass. Integers are printed in decimal, with their exact difference. The last two lines stand
// under FAILED alone. VACUOUS has a line `why`, PASSED one `weak` for each wrong output that would have passed.
std::vector<std::string> comparison_lines(const compare::Comparison& c);

// What comparison_lines() leaves out: distances, percentiles, NMSE and cosine, which judge nothing.
std::vector<std::string> statistics_lines(const compare::Comparison& c);

// "FAILED  NAME          policy bound"
std::string comparison_headline(std::string_view status, std::string_view name, const compare::Comparison& c);

// One JSON object. Numbers that JSON has no form for are the strings "inf", "-inf" and "nan"; values of elements stand
// as {"value", "hex", "bits"}. An integer stands as {"value", "decimal"}: a JSON number with all its digits, which
// Python and others with integers keep, and the same digits as a string, for readers that turn numbers into float64;
// value is null where the number exceeds 64 bits. Comparisons of integers have `integers` (else null) with the ranges,
// `differences` in place of `ulps`, and no would_pass.ulps. What stands under would_pass passes as it is typed there:
// atol and rtol are float64 values with all their digits, ulps a whole number. parse_comparison() gives back all but
// digits that JSON's numbers lose: none.
std::string json_comparison(const compare::Comparison& c);
// Of arrays paired by name: {"status", "arrays": {name: as above}, "missing", "extra"}; the last two are names that one
// side lacks.
std::string json_comparisons(std::string_view status,
                             std::span<const std::pair<std::string, const compare::Comparison*>> arrays,
                             std::span<const std::string> missing, std::span<const std::string> extra);
compare::Comparison parse_comparison(std::string_view text);  // InputError if it is not one

}  // namespace assay
