// The smallest part of a failing check that still fails, found in memory.
//
// With the result alone only outputs can go: a row of A with its row of got, a column of B with its column, and terms
// whose product is an exact zero for every output that is left. Whatever else changes the inputs changes what the
// program would have answered, and needs the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/judge/request.hpp"
#include "validation/judge/smallest_failing.hpp"

namespace assay::judge {

// got for smaller operands, from the same source as the first one. Empty if it does what it must not: smaller inputs
// are no failure of the check then.
using Answers = std::function<std::optional<io::Array>(const Request& smaller)>;

struct Shrunk {
  Request request{};              // the smallest that still fails
  std::string before{}, after{};  // "k=64, m=2, n=3, 128 nonzero in a, 192 nonzero in b"
  std::uint64_t asked = 0;        // smaller inputs that were tried
  bool limited = false;           // the limit ended it: it may not be the smallest
};

// UsageError for a check of another operation than gemm, dot and convert.
void require_shrinkable(std::string_view operation);

// `request` is a failing check of gemm, dot or convert, by files of one matrix each. `answers` may be null. UsageError
// for another operation, for --batch and --stale, if the check does not fail, or if it fails no more at the end.
Shrunk shrink(Request request, const Answers& answers, std::uint64_t limit = 2000);

}  // namespace assay::judge
