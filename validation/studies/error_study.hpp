// A study of errors as typed by a user, and its translation into a request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "validation/judge/option.hpp"
#include "validation/studies/accumulation.hpp"
#include "validation/studies/rounding.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::studies {

// Texts as typed. An empty list selects the default of the request; duplicates are ignored.
struct ErrorQuestion {
  std::vector<std::string> formats{}, accumulators{}, products{}, orders{}, modes{}, values{};
  std::vector<NamedArithmetic> units{};
  std::string lengths = "1:1e5";  // as parse_lengths() takes them
  std::uint64_t per_decade = 3;
  Trials trials{};
  std::uint64_t seed = 1;
  judge::Caller caller = judge::Caller::command;
};

// "sum", "dot" or "gemm"; InputError with similar names for any other text.
Accumulate parse_accumulate(std::string_view name);

// The request's units belong to the question, which must outlive it. UsageError for options that the study does not
// use; InputError for a text that cannot be parsed, and for a unit whose results depend on an output's place in a
// matrix.
AccumulationRequest accumulation_request(const ErrorQuestion& question, Accumulate operation);
RoundingRequest rounding_request(const ErrorQuestion& question);

}  // namespace assay::studies
