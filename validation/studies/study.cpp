#include "validation/studies/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/random.hpp"

namespace assay::studies {
namespace {

constexpr double most_length = 1e8;

std::uint64_t parse_length(const std::string& whole, std::string_view text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || !(value >= 1) || value > most_length ||
      value != std::floor(value)) {
    throw InputError("--n", "", "whole numbers from 1 to 1e8: FIRST:LAST, or a list with commas",
                     quoted(whole));
  }
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::span<const StudyInfo> all_studies() {
  static constexpr auto studies = std::to_array<StudyInfo>({
#define STUDY(name, summary, example) {#name, summary, example},
#include "validation/studies/studies.def"
#undef STUDY
  });
  return studies;
}

Values parse_values(std::string_view name) {
  std::vector<std::string> names;
  for (const Values values : all_values) {
    if (values_name(values) == name) return values;
    names.emplace_back(values_name(values));
  }
  throw unknown_name("--values", "a distribution of values", name, names);
}

double draw(Values values, std::uint64_t seed, std::uint64_t stream, std::uint64_t i) {
  const CounterRandom random(seed, stream);
  switch (values) {
    case Values::positive: return random.uniform(i);
    case Values::uniform: return 2 * random.uniform(i) - 1;
    case Values::normal: return random.normal(i);
    case Values::above_tenth: return 0.1 + 0.9 * random.uniform(i);
    case Values::wide: break;
  }
  const PhiloxBlock b = random.block(i);
  const double magnitude = std::exp2(24 * (static_cast<double>(b[0]) * 0x1p-32) - 12);
  return (b[1] & 1) != 0 ? -magnitude : magnitude;
}

TrialError trial_error(const ExactSum& error, double bound, double magnitudes) {
  const ExactValue<Wide> e = error.result();
  if (e.kind != Kind::finite) return {std::numeric_limits<double>::quiet_NaN(), bound, false};
  TrialError t{decode(encode(e, formats::float64).code, formats::float64), bound, false};
  t.outside = std::fabs(t.error) > bound;
  if (magnitudes > 0) {
    t.error /= magnitudes;
    t.bound /= magnitudes;
  }
  return t;
}

void PointCounter::add(const TrialError& t) {
  ++trials_;
  if (!std::isfinite(t.error)) {
    ++nonfinite_;
    return;
  }
  sum_ += t.error;
  squares_ += t.error * t.error;
  max_ = std::max(max_, std::fabs(t.error));
  if (t.outside) ++outside_;
  bound_ = std::max(bound_, t.bound);
}

StudyPoint PointCounter::point(double x) const {
  StudyPoint p{.x = x, .trials = trials_, .nonfinite = nonfinite_, .outside = outside_};
  const auto n = static_cast<double>(trials_ - nonfinite_);
  if (n == 0) return p;
  p.rms = std::sqrt(squares_ / n);
  p.max = max_;
  p.bias = sum_ / n;
  // One trial says nothing of its spread.
  p.bias_error = n > 1 ? std::sqrt(std::max(0.0, squares_ / n - p.bias * p.bias) / (n - 1))
                       : std::numeric_limits<double>::infinity();
  if (std::isfinite(bound_)) p.bound = bound_;
  return p;
}

StudyPoint point_of(double x, std::span<const TrialError> trials) {
  PointCounter counter;
  for (const TrialError& t : trials) counter.add(t);
  return counter.point(x);
}

std::uint64_t Trials::of(std::uint64_t n) const {
  return std::max(std::min(most, terms / n), std::min(least, most));
}

void Trials::check() const {
  if (most == 0 || least == 0) throw ContractError("a study without trials");
}

std::uint64_t trial_stream(std::uint64_t n, std::uint64_t trial, unsigned operand) {
  return n << 36 | trial << 2 | operand;  // lengths are at most 10^8 < 2^27
}

Meter::Meter(const Progress& progress, const Trials& trials, std::span<const std::uint64_t> lengths,
             std::size_t times)
    : progress_(progress), trials_(trials) {
  for (const std::uint64_t n : lengths) all_ += work(n);
  all_ *= static_cast<double>(times);
}

// A trial costs a little even where it is short.
double Meter::work(std::uint64_t n) const {
  return (static_cast<double>(n) + 50) * static_cast<double>(trials_.of(n));
}

void Meter::show(Values values, std::uint64_t n) const {
  if (progress_) progress_(done_ / all_, fmt::format("{} n = {}", values_name(values), n));
}

void Meter::done(std::uint64_t n) { done_ += work(n); }

void Meter::finish() const {
  if (progress_) progress_(1, "done");
}

std::vector<std::uint64_t> parse_lengths(const std::string& text, std::size_t per_decade) {
  std::vector<std::uint64_t> lengths;
  if (const std::size_t colon = text.find(':'); colon != std::string::npos) {
    const std::string_view view = text;
    const std::uint64_t first = parse_length(text, view.substr(0, colon)),
                        last = parse_length(text, view.substr(colon + 1));
    if (first > last)
      throw InputError("--n", "", "a range FIRST:LAST with FIRST no larger than LAST", quoted(text));
    lengths = {first, last};
    const auto between = [&](double n) {
      const auto rounded = static_cast<std::uint64_t>(std::llround(n));
      if (rounded > first && rounded < last) lengths.push_back(rounded);
    };
    for (double decade = 1; decade <= static_cast<double>(last); decade *= 10) {
      for (std::size_t i = 0; i < per_decade; ++i) {
        constexpr std::array<double, 3> handy = {1, 2, 5};
        between(decade * (per_decade == handy.size()
                              ? handy[i]
                              : std::pow(10, static_cast<double>(i) / static_cast<double>(per_decade))));
      }
    }
  } else {
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      lengths.push_back(parse_length(text, std::string_view(text).substr(at, end - at)));
      at = end + 1;
    }
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  return lengths;
}

}  // namespace assay::studies
