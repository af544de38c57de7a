// How far results of bfloat16 operands and float32 sums are from those of float32 operands that were not rounded.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace assay::suites {

class RoundingDistance {
 public:
  // What rounding explains: of a dot product of `terms` terms, whose magnitudes before rounding add up to `magnitudes`.
  static double bound(double magnitudes, std::int64_t terms) {
    // Either operand moves by 2^-8 of itself at most; each sum rounds once a term, and once more where its two chains
    // meet.
    constexpr double of_operand = 0x1p-8, of_sum = 0x1p-24;
    const double n = static_cast<double>(terms + 2);
    return magnitudes * ((2 + of_operand) * of_operand +
                         2 * n * of_sum * (1 + of_operand) * (1 + of_operand) * (1 + n * of_sum)) +
           n * 0x1p-125;
  }

  // float32 gave `want`, the contract `got`.
  void add(double want, double got, double magnitudes, std::int64_t terms) {
    add(want, got, bound(magnitudes, terms));
  }
  void add(double want, double got, double bound) {
    const double error = std::fabs(got - want);
    if (!std::isfinite(error)) {
      ++no_numbers_;
      return;
    }
    if (want != 0) {
      const double ulp = std::ldexp(1.0, std::max(std::ilogb(want), -126) - 7);
      largest_ulp_ = std::max(largest_ulp_, error / ulp);
      sum_ulp_ += error / ulp;
      largest_relative_ = std::max(largest_relative_, error / std::fabs(want));
      ++count_;
    }
    if (bound > 0) largest_share_ = std::max(largest_share_, error / bound);
  }

  double largest_share() const { return largest_share_; }
  bool within_bound() const { return largest_share_ <= 1 && no_numbers_ == 0; }
  std::string text() const {
    return fmt::format(
        "from float32: at most {:.3g} and on average {:.3g} bfloat16 ulp, relative error at most {:.3g}, at "
        "most {:.3g} of the bound{}",
        largest_ulp_, count_ == 0 ? 0 : sum_ulp_ / static_cast<double>(count_), largest_relative_,
        largest_share_, no_numbers_ == 0 ? "" : fmt::format("; {} are no numbers", no_numbers_));
  }

 private:
  double largest_ulp_ = 0, sum_ulp_ = 0, largest_relative_ = 0, largest_share_ = 0;
  std::uint64_t count_ = 0, no_numbers_ = 0;  // of results that are not finite where float32's are
};

}  // namespace assay::suites
