// Two arithmetics that a person named, and the smallest input on which they differ.
//
// A saved arithmetic knows the lengths alone that it was revealed for, and starts with no c: the search keeps to
// lengths that both know.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulation/units/distinguish.hpp"
#include "reference/exact/arithmetic.hpp"
#include "reference/exact/trace.hpp"
#include "validation/judge/option.hpp"

namespace assay {

struct NamedArithmetic {
  std::string name{};  // as it was typed
  std::shared_ptr<const Arithmetic> arithmetic{};
};

struct PairQuestion {
  NamedArithmetic x{}, y{};
  // As typed. Empty: the first pair of formats that both take, and each one's own output.
  std::string a_format{}, b_format{}, output{};
  std::optional<std::uint64_t>
      terms{};  // of every input; nullopt: few at first, or the least length that both know
  std::uint64_t seed = 1;
  std::uint64_t limit = DistinguishOptions{}.limit;  // inputs to try
  judge::Caller caller = judge::Caller::command;
};

// UsageError for one format of the operands without the other, and for a number of terms that one of the two does not
// know; InputError for a text that is no format, and for a saved arithmetic of sums or of several trees.
DistinguishOptions search_options(const PairQuestion& question);

// How long it takes to try all inputs of this many terms, in seconds, measured at short ones. nullopt where one of the
// two cannot be asked for a short one.
std::optional<double> seconds_to_try_all(const PairQuestion& question, const DistinguishOptions& options);

struct ToldApart {
  Distinction distinction{};
  std::vector<TraceStep> x_steps{}, y_steps{};  // how each came to its answer; empty where it does not say
};

// UsageError if the two have no formats in common.
ToldApart tell_apart(const PairQuestion& question, const DistinguishOptions& options);

}  // namespace assay
