#include "validation/studies/rounding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay::studies {
namespace {

struct RoundingParty {
  FormatSpec format;
  Rounding mode;
};

std::vector<RoundingParty> parties_of(const RoundingRequest& r) {
  r.trials.check();
  if (r.formats.empty() || r.modes.empty() || r.lengths.empty())
    throw ContractError("a study of roundings without formats, modes or lengths");
  std::vector<RoundingParty> parties;
  for (const FormatSpec& f : r.formats) {
    for (const Rounding mode : r.modes) parties.push_back({f, mode});
  }
  return parties;
}

StudySeries series_of(const RoundingRequest& r, const RoundingParty& p, Values values) {
  StudySeries s{.values = values, .evidence = "DEF", .points = {}};
  s.format = p.format.short_name;
  s.mode = rounding_name(p.mode);
  s.name = r.modes.size() > 1 || p.mode != Rounding::nearest_even
               ? fmt::format("{}, {}", s.format, rounding_alias(p.mode))
               : s.format;
  return s;
}

std::uint64_t rounded(double x, const RoundingParty& p, std::uint64_t seed, std::uint64_t index) {
  if (p.mode == Rounding::stochastic) return encode_stochastic(exact(x), p.format, seed, index).code;
  return encode(x, p.format, p.mode).code;
}

// |rounded - x| is no larger; infinite where x may overflow.
double bound_of(double x, const RoundingParty& p) {
  const double magnitude = std::fabs(x);
  if (magnitude > decode(p.format.max_finite_code(), p.format))
    return std::numeric_limits<double>::infinity();
  const double relative = upward::multiply(unit_roundoff(p.format, p.mode), magnitude);
  return magnitude < std::ldexp(1.0, p.format.emin) ? underflow_error(p.format, p.mode) : relative;
}

// The values of a trial, their exact sum and that of their magnitudes.
struct Drawn {
  std::vector<double> x;
  ExactSum sum;
  double magnitudes = 0;
};

Drawn draw_trial(Values values, std::uint64_t seed, std::uint64_t stream, std::uint64_t n) {
  Drawn d{std::vector<double>(n), {}, 0};
  ExactSum magnitudes;
  for (std::uint64_t i = 0; i < n; ++i) {
    d.x[i] = draw(values, seed, stream, i);
    d.sum.add(d.x[i]);
    magnitudes.add(std::fabs(d.x[i]));
  }
  d.magnitudes = magnitudes.rounded_up();
  return d;
}

// Of the sum of the rounded values; `index` is that of the first one's random bits.
TrialError error_of_sum(const Drawn& d, const RoundingParty& p, std::uint64_t seed, std::uint64_t index) {
  ExactSum error = d.sum;
  error.negate();
  double bound = 0;
  for (const double x : d.x) {
    error.add(rounded(x, p, seed, index++), p.format);
    bound = upward::add(bound, bound_of(x, p));
  }
  return trial_error(error, bound, d.magnitudes);
}

}  // namespace

Study study_rounding_by_number(const RoundingRequest& r, const Progress& progress) {
  const std::vector<RoundingParty> parties = parties_of(r);
  Study study{.name = "convert", .x_name = "n", .x_label = "values n", .seed = r.seed, .series = {}};
  Meter meter(progress, r.trials, r.lengths, r.values.size());
  for (const Values values : r.values) {
    const std::size_t first = study.series.size();
    for (const RoundingParty& p : parties) study.series.push_back(series_of(r, p, values));
    for (const std::uint64_t n : r.lengths) {
      meter.show(values, n);
      const std::uint64_t trials = r.trials.of(n);
      std::vector<std::vector<TrialError>> errors(parties.size(), std::vector<TrialError>(trials));
      parallel_for(trials, 0, [&](std::size_t t) {
        const Drawn d = draw_trial(values, r.seed, trial_stream(n, t, 0), n);
        for (std::size_t m = 0; m < parties.size(); ++m)
          errors[m][t] = error_of_sum(d, parties[m], r.seed, trial_stream(n, 0, 0) + t * n);
      });
      for (std::size_t m = 0; m < parties.size(); ++m)
        study.series[first + m].points.push_back(point_of(static_cast<double>(n), errors[m]));
      meter.done(n);
    }
  }
  meter.finish();
  return study;
}

Study study_rounding_by_magnitude(const RoundingRequest& r) {
  const std::vector<RoundingParty> parties = parties_of(r);
  Study study{.name = "convert",
              .x_name = "magnitude",
              .x_label = "|x|",
              .powers_of_two = true,
              .seed = r.seed,
              .series = {}};
  for (const RoundingParty& p : parties) {
    StudySeries s = series_of(r, p, Values::uniform);
    for (int e = r.lowest; e <= r.highest; ++e) {
      PointCounter counter;
      const auto stream = static_cast<std::uint64_t>(e + 4096);
      const CounterRandom random(r.seed, stream);
      for (std::uint64_t i = 0; i < r.per_binade; ++i) {
        const double magnitude = std::ldexp(1 + random.uniform(2 * i), e);
        const double x = (random.u32(2 * i + 1) & 1) != 0 ? -magnitude : magnitude;
        const std::uint64_t code = rounded(x, p, r.seed, stream << 40 | i);
        // The difference of x and a neighbour of at most 53 bits is a float64.
        const double error =
            p.format.is_finite(code) ? decode(code, p.format) - x : std::numeric_limits<double>::quiet_NaN();
        const double bound = bound_of(x, p);
        counter.add({(x < 0 ? -error : error) / magnitude, bound / magnitude, std::fabs(error) > bound});
      }
      s.points.push_back(counter.point(std::ldexp(1.0, e)));
    }
    study.series.push_back(std::move(s));
  }
  return study;
}

}  // namespace assay::studies
