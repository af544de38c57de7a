// Results of a gradient path of AutoSparse to judge: masks, pruned weights and the gradients of weights, inputs and
// thresholds of one layer. The formulas are those of reference/autosparse/gradient.hpp and layer.hpp.
//
// What is right
//   mask     under a threshold bit for bit. Under s, machines' sigmoids differ: T may be any number within an ulp of
//            the weights' format, and a weight that is kept under one such T and masked under another is undecided:
//            either is accepted, and such weights are counted.
//   v        |w| - T rounded once or more: into the format of the sums and that of the result; T as above.
//   dx, G    sums of exact or rounded products in any order, fused or not, of as many terms as there are kept weights
//            (the batch, for G); v may have been rounded to the narrower of the formats of w and dy.
//   dw       h G + lambda w, every step rounded, or the last two fused. A weight whose mask is undecided may have
//            either gradient.
//   ds       sums of sign(w) h G in any order, or in `ds_order` and `ds_accumulator`; T, 1 - T and their product may be
//            applied to terms or to the sum, each step rounded.
// Truths are exact, but for double-double arithmetic where no step of the path sums (relative error 2^-100). Bounds
// hold for rounding to nearest without flushing; a sum that may overflow is not judged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "validation/io/array.hpp"
#include "validation/judge/option.hpp"
#include "validation/judge/request.hpp"

namespace assay::judge {

struct AutosparseRequest {
  io::Array w{};  // channels x any; float32, float64, bfloat16 or float16, as all others
  std::optional<io::Array> s{}, threshold{};  // one of them: one value, or with `channels` one a channel
  bool channels = false;
  double alpha = 0, lambda = 0;
  std::optional<double> lambda_s{};         // lambda, where it is not given
  std::optional<io::Array> x{}, dy{}, g{};  // batch x inputs, batch x channels; of the shape of w
  // Where G is computed: everywhere; at kept weights (alpha = 0); at the half of the weights with the largest |w| - T.
  std::string support = "dense";
  std::optional<io::Array> got_v{}, got_mask{}, got_dw{}, got_dx{}, got_ds{};

  // With all three, alpha is alpha_0 of a schedule of annealing.def.
  std::optional<std::uint64_t> epoch{}, epochs{};
  std::string schedule{};

  // Of the products dX and G, in place of sums in any order; null: none. `require_places` throws where it knows no
  // outputs of a shape.
  const Arithmetic* arithmetic = nullptr;
  std::string arithmetic_name{};
  std::function<void(const operations::Shape&)> require_places{};
  std::string accumulator{}, order = "any";  // of dX and G; the accumulator is that of single steps too
  std::string ds_accumulator{}, ds_order = "any";

  compare::Policy policy{};
  bool expects_zero = false;
  int threads = 0;
  Caller caller = Caller::command;
  std::function<void(double done, const std::string& what)> progress{};  // now and then; null: none

  std::string option(std::string_view name) const;
};

struct AutosparseJudgement {
  std::string array{};  // "mask", "v", "dw", "dx", "ds"
  // Notes that begin with "cause" name a mistake that explains the result (autosparse_mistakes.hpp).
  Judgement judgement{};
};

// The arrays that were given, in this order: mask, v, dw, dx, ds. UsageError for what a result needs and is not there;
// InputError, naming the array and the place, for shapes that do not go together, NaN and infinities in what is not
// under test, thresholds outside (0, 1), alpha outside [0, 1] and lambda below 0.
std::vector<AutosparseJudgement> check_autosparse(const AutosparseRequest& request);

// What exact values, bounds and codes of so many weights, and elements of x, dy and dx, take; `why` for a message.
struct AutosparseMemory {
  std::string why{};
  std::optional<std::uint64_t> needed{};
};
AutosparseMemory autosparse_memory(std::uint64_t weights, std::uint64_t elements);
AutosparseMemory autosparse_memory(const AutosparseRequest& request);

// Whether a note names a mistake that explains the result.
bool has_cause(const std::vector<std::string>& notes);

}  // namespace assay::judge
