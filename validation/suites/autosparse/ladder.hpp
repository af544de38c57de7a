// The ladder of oracles of suite `autosparse`. A rung is a question asked of a Path, and a file that makes cases of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "validation/suites/autosparse/path.hpp"
#include "validation/suites/expectations.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites::ladder {

// mask and v from the bits of |w| and T, which are ordered as integers are: weights at thresholds, their neighbours,
// subnormals, zeros, infinities and NaNs. `flushing`: called with MXCSR set to flush and to read subnormals as zeros.
void ask_for_masks(const Path<float>& path, bool by_channel, bool bf16, bool flushing, std::uint64_t seed,
                   Expectations& found);

// Everything from sums of 64-bit integers: no order rounds them.
Layer<float> whole_layer(std::int64_t largest, bool by_channel, bool bf16, std::uint64_t seed);
void ask_for_whole_numbers(const Path<float>& path, const Layer<float>& layer, Expectations& found);

// Each result within its proven bound of the exact one: products by the judge, dw and ds from the path's own g. Of g
// and dw no more than `most` outputs, drawn with the seed.
struct Overs {
  double y = 0, dx = 0, g = 0, dw = 0, ds = 0;  // largest errors over their bounds
};
Overs ask_for_bounds(const Path<float>& path, const Layer<float>& layer, std::uint64_t most,
                     std::uint64_t seed, Expectations& found);

// ds of a layer of many weights against the exact sum, which it may miss by what its tree of additions rounds.
struct LongSum {
  double relative = 0, over_bound = 0;
};
LongSum ask_for_long_sum(const Path<float>& path, const LayerShape& shape, std::uint64_t seed,
                         Expectations& found);

// <dX, X> = <dY, Y> = <G, W~> for any X and dY, each a sum of dY W~ X: in whole numbers exactly, in float32 within the
// bounds of the products.
void ask_for_adjoints(const Path<float>& path, const Layer<float>& layer, bool exactly, Expectations& found);

// A bound on the error of a chain of fused multiply-adds in float32.
double chain_error(std::uint64_t terms, double magnitudes);

// The gradient of a network of two layers against central differences of the surrogate, an entry of each weight and
// threshold. Returns the largest distance.
double ask_for_differences(const Path<double>& path, double alpha, bool in_long_double, std::uint64_t seed,
                           Expectations& found);

// All results, bit for bit those of another path: random numbers and special ones, and sizes around every register and
// piece.
void ask_for_bits(const Path<float>& path, const Path<float>& want, std::uint64_t seed, Expectations& found);

// Factors of alpha as published, by how many of 100 epochs are done.
using Schedule = double (*)(std::int64_t done, std::int64_t epochs);
void ask_for_schedule(Schedule schedule, Expectations& found);

std::uint64_t by_scale(const RunContext& context, std::uint64_t quick, std::uint64_t standard,
                       std::uint64_t exhaustive);

// The cases of each rung.
void add_mask_cases(const RunContext& context, std::vector<Case>& cases);
void add_whole_number_cases(const RunContext& context, std::vector<Case>& cases);
void add_bound_cases(const RunContext& context, std::vector<Case>& cases);
void add_long_sum_cases(const RunContext& context, std::vector<Case>& cases);
void add_adjoint_cases(const RunContext& context, std::vector<Case>& cases);
void add_difference_cases(const RunContext& context, std::vector<Case>& cases);
void add_cost_cases(const RunContext& context, std::vector<Case>& cases);
void add_bit_cases(const RunContext& context, std::vector<Case>& cases);
void add_mistake_cases(const RunContext& context, std::vector<Case>& cases);

}  // namespace assay::suites::ladder
