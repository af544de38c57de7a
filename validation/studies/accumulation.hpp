// Studies of sums: error and bias of sum, dot product and matrix product against the number of terms.
//
// Numerics
//   data    counter-based: a trial's operands depend only on (seed, values, format, length, trial), so every series of
//           a format has the same ones, and threads change nothing.
//   sum     x . (1, 1, ...): values enter exactly, or rounded once by the mode of the sum if the accumulator cannot
//           hold them. A unit treats them as its products with 1.
//   gemm    an s x n by n x s product, s^2 >= trials: its elements are the trials, and share rows and columns.
//   truth   the long accumulator (exact_sum.hpp), on the operands as the arithmetic reads them after flushing.
#pragma once

#include "reference/exact/arithmetic.hpp"
#include "validation/studies/study.hpp"

namespace assay::studies {

enum class Accumulate : std::uint8_t { sum, dot, gemm };
std::string_view accumulate_name(Accumulate operation);

struct NamedOrder {
  std::string name{};  // as typed: "pairwise:128"
  SumOrder order{};
};

// One series for every unit with each of `formats` that it takes (its own first format if `formats` is empty), and for
// every chain of accumulator x product x order x mode with each of `formats`.
struct AccumulationRequest {
  Accumulate operation = Accumulate::dot;
  std::vector<FormatSpec> formats;  // of the operands
  std::vector<const Arithmetic*> units;
  bool chains = true;
  std::vector<FormatSpec> accumulators = {formats::float32};
  std::vector<std::optional<FormatSpec>> products = {std::nullopt};  // empty: fused
  std::vector<NamedOrder> orders = {{"sequential", SumOrder::sequential()}};
  std::vector<Rounding> modes = {Rounding::nearest_even};
  std::vector<Values> values = {Values::positive};
  std::vector<std::uint64_t> lengths;
  Trials trials{};
  std::uint64_t seed = 1;
};

// InputError for a unit that takes none of the formats; ContractError for a request without lengths or trials.
// Exceptions of a unit are passed on (a revealed arithmetic knows only the lengths that were revealed).
Study study_accumulation(const AccumulationRequest& request, const Progress& progress = {});

}  // namespace assay::studies
