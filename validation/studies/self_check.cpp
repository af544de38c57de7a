#include "validation/studies/self_check.hpp"

#include <cmath>
#include <limits>

#include "validation/studies/accumulation.hpp"

namespace assay::studies {
namespace {

constexpr std::uint64_t terms = 1000, trials = 32;

// Roundings of the running sum that an arithmetic cannot do without.
std::uint64_t least_roundings(const ArithmeticInfo& info) {
  if (info.step_terms > 1) return terms / info.step_terms;
  return info.sequential ? terms : 1;
}

double floor_of(const ArithmeticInfo& info) {
  int product_bits = 2 * info.accumulator.precision;
  if (!info.inputs.empty())
    product_bits = info.inputs.front().first.precision + info.inputs.front().second.precision;
  if (product_bits < 16) return 0;
  const double unit = std::ldexp(1.0, -info.outputs.front().precision);
  return unit * std::sqrt(static_cast<double>(least_roundings(info)) / 36) / 2;
}

}  // namespace

std::vector<SumCheck> check_sums(std::span<const Arithmetic* const> arithmetics, std::uint64_t seed) {
  AccumulationRequest r;
  r.units.assign(arithmetics.begin(), arithmetics.end());
  r.chains = false;
  r.lengths = {terms};
  r.trials = {.most = trials, .least = trials};
  r.seed = seed;
  const Study study = study_accumulation(r);
  std::vector<SumCheck> checks;
  for (std::size_t i = 0; i < arithmetics.size(); ++i) {
    const StudyPoint& p = study.series[i].points.front();
    checks.push_back({.name = study.series[i].unit,
                      .trials = p.trials,
                      .nonfinite = p.nonfinite,
                      .outside = p.outside,
                      .rms = p.rms,
                      .max = p.max,
                      .floor = floor_of(arithmetics[i]->info()),
                      .bound = p.bound.value_or(-std::numeric_limits<double>::infinity())});
  }
  return checks;
}

}  // namespace assay::studies
