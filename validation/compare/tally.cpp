#include "validation/compare/tally.hpp"

namespace assay::compare {

void RatioBins::merge(const RatioBins& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

double RatioBins::quantile(double q, double largest) const {
  std::uint64_t total = 0;
  for (const std::uint64_t c : counts_) total += c;
  const double rank = q * static_cast<double>(total);
  std::uint64_t seen = counts_[0];
  if (static_cast<double>(seen) >= rank) return 0;
  for (std::size_t i = 1; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (static_cast<double>(seen) < rank) continue;
    return i == bins ? largest : std::min(largest, std::bit_cast<double>((i + first_key) << shift));
  }
  return largest;
}

void add_classes(ClassCounts& counts, const ClassCounts& more) {
  counts.nan += more.nan;
  counts.positive_infinity += more.positive_infinity;
  counts.negative_infinity += more.negative_infinity;
  counts.positive_zero += more.positive_zero;
  counts.negative_zero += more.negative_zero;
  counts.subnormal += more.subnormal;
}

void Tally::merge(const Tally& later) {
  bit_equal += later.bit_equal;
  class_mismatches += later.class_mismatches;
  zeros_would_pass += later.zeros_would_pass;
  zero_truths += later.zero_truths;
  measured += later.measured;
  not_judged += later.not_judged;
  other_nans += later.other_nans;
  add_classes(got, later.got);
  add_classes(want, later.want);
  for (std::size_t i = 0; i < UlpHistogram::bins; ++i) {
    ulps.below[i] += later.ulps.below[i];
    ulps.above[i] += later.ulps.above[i];
  }
  sum_of_steps += later.sum_of_steps;
  steps.merge(later.steps);
  absolute.merge(later.absolute);
  relative.merge(later.relative);
  rtol.merge(later.rtol);
  over_bound.merge(later.over_bound);
  worst.merge(later.worst);
  ratios.merge(later.ratios);
  for (std::size_t i = 0; i < scatter.size(); ++i) scatter[i] += later.scatter[i];
  exact += later.exact;
  places.merge(later.places);
}

}  // namespace assay::compare
