// A study of errors as a person asks for it: texts, and the request that they make.
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

// Texts as typed. A list without an entry is the default of its request; of several equal entries one counts.
struct ErrorQuestion {
  std::vector<std::string> formats{}, accumulators{}, products{}, orders{}, modes{}, values{};
  std::vector<NamedArithmetic> units{};
  std::string lengths = "1:1e5";  // as parse_lengths() takes them
  std::uint64_t per_decade = 3;
  Trials trials{};
  std::uint64_t seed = 1;
  judge::Caller caller = judge::Caller::command;
};

// "sum", "dot" or "gemm"; InputError with the near names for another text.
Accumulate parse_accumulate(std::string_view name);

// The request's units belong to the question, which outlives it. UsageError for what the study does not look at;
// InputError for a text that says nothing, and for a unit whose outputs have places in a matrix.
AccumulationRequest accumulation_request(const ErrorQuestion& question, Accumulate operation);
RoundingRequest rounding_request(const ErrorQuestion& question);

}  // namespace assay::studies
