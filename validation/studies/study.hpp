// How studies of errors draw their data and count their findings; the findings are in
// validation/report/study_results.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

struct StudyInfo {
  std::string_view name, summary, example;
};
std::span<const StudyInfo> all_studies();  // studies.def

Values parse_values(std::string_view name);  // InputError with similar names
double draw(Values values, std::uint64_t seed, std::uint64_t stream, std::uint64_t i);

// The result of one trial.
struct TrialError {
  double error = 0;      // (result - exact) / S, or NaN for a result that is not finite
  double bound = 0;      // divided by S too; infinite if there is none
  bool outside = false;  // the error is beyond the bound, judged before the division
};

// From result - exact, a bound on it, and S. If S is 0, so is the error, and nothing is divided.
TrialError trial_error(const ExactSum& error, double bound, double magnitudes);

// Statistics of errors, in the order in which they are given.
class PointCounter {
 public:
  void add(const TrialError& trial);
  StudyPoint point(double x) const;

 private:
  std::uint64_t trials_ = 0, nonfinite_ = 0, outside_ = 0;
  double sum_ = 0, squares_ = 0, max_ = 0, bound_ = 0;
};
StudyPoint point_of(double x, std::span<const TrialError> trials);

// The number of trials of a length: `most`, reduced so that all trials together have at most `terms` terms, but at
// least `least`.
struct Trials {
  std::uint64_t most = 100;
  std::uint64_t least = 8;
  std::uint64_t terms = std::uint64_t{1} << 22;

  std::uint64_t of(std::uint64_t n) const;
  void check() const;  // ContractError if a length could get no trials
};

// The random stream of an operand: the data depend only on n, trial and operand (and on the seed).
std::uint64_t trial_stream(std::uint64_t n, std::uint64_t trial, unsigned operand);

using Progress = std::function<void(double fraction, const std::string& what)>;

// Reports the finished fraction of a study to a Progress, which may be empty. Each of `lengths` occurs `times` times.
class Meter {
 public:
  Meter(const Progress& progress, const Trials& trials, std::span<const std::uint64_t> lengths,
        std::size_t times);
  void show(Values values, std::uint64_t n) const;  // what comes next
  void done(std::uint64_t n);
  void finish() const;

 private:
  double work(std::uint64_t n) const;
  const Progress& progress_;
  Trials trials_;
  double all_ = 0, done_ = 0;
};

// "1:1e6" is first, last and `per_decade` lengths per decade between (3: 1, 2, 5); "7,64,1e3" a list; "4096" one.
// InputError for anything else, an empty range, 0, or more than 10^8.
std::vector<std::uint64_t> parse_lengths(const std::string& text, std::size_t per_decade = 3);

}  // namespace assay::studies
