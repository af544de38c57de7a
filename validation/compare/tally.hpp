// The counts of one thread over its part of a comparison, and their merging. Private to statistics.cpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "validation/compare/comparison.hpp"
#include "validation/compare/place_tally.hpp"
#include "validation/compare/ulp.hpp"

namespace assay::compare {

// Positive finite doubles by exponent and the first six bits of the fraction, from 2^-64 to 2^64; bin 0 is zero.
class RatioBins {
 public:
  RatioBins() : counts_(bins + 1) {}

  void add(double ratio) { ++counts_[ratio == 0 ? 0 : 1 + key(ratio)]; }
  void merge(const RatioBins& other);
  // Upper edge of the bin that holds the quantile, at most `largest`.
  double quantile(double q, double largest) const;

 private:
  static constexpr int shift = 46;  // leaves the exponent and six bits of the fraction
  static constexpr std::uint64_t first_key = std::uint64_t{1023 - 64} << 6;
  static constexpr std::size_t bins = std::size_t{128} << 6;
  static std::size_t key(double ratio) {
    const std::uint64_t k = std::bit_cast<std::uint64_t>(ratio) >> shift;
    return k <= first_key ? 0 : std::min<std::size_t>(k - first_key, bins - 1);
  }
  std::vector<std::uint64_t> counts_;
};

struct Energy {
  double want = 0, got = 0, product = 0, error = 0;
};

// The largest score, the lowest index first.
struct Best {
  double score = 0;
  std::size_t index = 0;
  bool found = false;

  void offer(double candidate, std::size_t i) {
    if (found ? candidate > score : candidate > 0) {
      score = candidate;
      index = i;
      found = true;
    }
  }
  // `later` saw higher indices only.
  void merge(const Best& later) {
    if (later.found) offer(later.score, later.index);
  }
};

void add_classes(ClassCounts& counts, const ClassCounts& more);

// What one thread counts over its chunks.
struct Tally {
  std::uint64_t bit_equal = 0, class_mismatches = 0, zeros_would_pass = 0, zero_truths = 0, measured = 0,
                not_judged = 0, other_nans = 0;
  ClassCounts got, want;
  UlpHistogram ulps;
  Steps sum_of_steps = 0;
  Best steps, absolute, relative, rtol, over_bound, worst;
  RatioBins ratios;
  std::vector<std::uint64_t> scatter;
  std::uint64_t exact = 0;
  PlaceTally places;

  explicit Tally(const MatrixView& view) : places(view) {}

  void merge(const Tally& later);  // of higher indices only
};

}  // namespace assay::compare
