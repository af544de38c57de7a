// Every figure that a report offers passes when it is fed back, from the text as from the JSON; a smaller one fails.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/report/comparison_report.hpp"

using namespace assay;
using namespace assay::compare;

namespace {

Policy tolerance(double atol, double rtol) {
  Policy p;
  p.name = "tolerance";
  p.kind = PolicyKind::tolerance;
  p.atol = atol;
  p.rtol = rtol;
  p.because = "a test";
  return p;
}
Policy steps(std::uint64_t ulps) {
  Policy p = tolerance(0, 0);
  p.ulps = ulps;
  p.zero_ulps = ulps == 0;
  return p;
}

// The number after `label` in the line of what would pass.
std::optional<std::string> figure(const Comparison& c, const std::string& label, bool before = false) {
  for (const std::string& line : comparison_lines(c)) {
    if (!line.starts_with("would pass with atol")) continue;
    const std::size_t at = line.find(label);
    if (at == std::string::npos) return std::nullopt;
    if (!before) return line.substr(at + label.size(), line.find(' ', at + label.size()) - at - label.size());
    const std::size_t begin = line.rfind(' ', at - 1) + 1;
    return line.substr(begin, at - begin);
  }
  return std::nullopt;
}

struct Pair {
  FormatSpec got_format, want_format;
  std::vector<std::byte> got, want;
  std::size_t n;

  Comparison judged(const Policy& policy, bool convert = false) const {
    Options options;
    options.policy = policy;
    options.convert = convert;
    return judge({got.data(), got_format, {n}}, {.codes = {want.data(), want_format, {n}}}, options);
  }
  bool passes(const Policy& policy) const { return judged(policy).outside == 0; }
};

void store(std::vector<std::byte>& bytes, std::size_t i, std::uint64_t code, const FormatSpec& f) {
  detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), code);
}

// Values of all magnitudes, or of one; errors of some ulps, relative ones, or any.
Pair random_pair(std::uint64_t seed) {
  const CounterRandom random(seed);
  const auto pick = [&](std::uint64_t at) { return *formats::all[random.below(formats::all.size(), at)]; };
  Pair p{pick(0), {}, {}, {}, 1 + static_cast<std::size_t>(random.below(12, 1))};
  p.want_format = random.below(2, 2) == 0 ? p.got_format : pick(3);
  p.got.resize(p.n * code_bytes(p.got_format));
  p.want.resize(p.n * code_bytes(p.want_format));
  const int spread = random.below(2, 4) == 0 ? 3 : 2000;
  const double error = std::ldexp(1.0, -static_cast<int>(random.below(60, 5)));
  for (std::size_t i = 0; i < p.n; ++i) {
    const int exponent =
        static_cast<int>(random.below(static_cast<std::uint64_t>(spread), 100 + 4 * i)) - spread / 2;
    const double want = std::ldexp(random.normal(101 + 4 * i), exponent);
    const double got =
        random.below(20, 102 + 4 * i) == 0 ? 0 : want * (1 + error * random.normal(103 + 4 * i));
    EncodeOptions finite;
    finite.overflow = Overflow::saturate;
    store(p.want, i, encode(want, p.want_format, finite).code, p.want_format);
    store(p.got, i, encode(got, p.got_format, finite).code, p.got_format);
  }
  return p;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_offered_passes) {
  std::size_t offered = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    const Pair p = random_pair(seed);
    const bool convert = !(p.got_format == p.want_format);
    const Comparison c = p.judged({}, convert);
    if (c.verdict != Verdict::disagree || c.class_mismatches > 0 || !c.would_pass.policy.empty()) continue;
    ++offered;
    const std::string what =
        std::to_string(seed) + ": " + std::string(p.got_format.dtype) + " " + comparison_lines(c).at(2);
    const auto json = nlohmann::json::parse(json_comparison(c)).at("would_pass");
    const double atol = std::stod(figure(c, "atol ").value());
    BOOST_TEST(p.passes(tolerance(atol, 0)), what);
    BOOST_TEST(p.passes(tolerance(json.at("atol").get<double>(), 0)), what);
    BOOST_TEST(p.passes(tolerance(c.would_pass.atol, 0)), what);
    // `ulps` is a whole number as it is typed; a distance in ulps is one of codes, whatever the values' own.
    const std::string ulps = figure(c, " ulp", true).value();
    BOOST_TEST(std::to_string(std::stoull(ulps)) == ulps, what);
    BOOST_TEST(p.passes(steps(std::stoull(ulps))), what);
    BOOST_TEST(json.at("ulps").is_number_unsigned(), what);
    BOOST_TEST(p.passes(steps(json.at("ulps").get<std::uint64_t>())), what);
    if (c.would_pass.atol > 0) {
      const Policy less = tolerance(std::nextafter(c.would_pass.atol, 0), 0);
      BOOST_TEST(!p.passes(less), what);
      BOOST_TEST(atol <= c.would_pass.atol * 1.011 + 0x1p-1074, what);
    }
    if (c.would_pass.ulps > 0 && c.would_pass.ulps < 0x1p53)
      BOOST_TEST(!p.passes(steps(static_cast<std::uint64_t>(c.would_pass.ulps) - 1)), what);
    const std::optional<std::string> rtol = figure(c, "or rtol ");
    BOOST_TEST(rtol.has_value() == std::isfinite(c.would_pass.rtol), what);
    if (!rtol) continue;
    BOOST_TEST(p.passes(tolerance(0, std::stod(*rtol))), what);
    BOOST_TEST(p.passes(tolerance(0, json.at("rtol").get<double>())), what);
    if (c.would_pass.rtol > 0x1p-1000)
      BOOST_TEST(!p.passes(tolerance(0, c.would_pass.rtol * (1 - 0x1p-50))), what);
  }
  BOOST_TEST(offered > 1000U);
}

BOOST_AUTO_TEST_CASE(steps_across_the_whole_range_are_offered_whole) {
  const double most = std::numeric_limits<double>::max();
  const std::vector<double> got{most, 1}, want{-most, 1};
  const auto run = [&](const Policy& policy) {
    Options options;
    options.policy = policy;
    return judge({got.data(), formats::float64, {2}}, {.codes = {want.data(), formats::float64, {2}}},
                 options);
  };
  const Comparison c = run({});
  const std::string ulps = figure(c, " ulp", true).value();
  BOOST_TEST(std::stoull(ulps) >= 18437736874454810622U);
  BOOST_TEST(run(steps(std::stoull(ulps))).outside == 0U);
}

BOOST_AUTO_TEST_CASE(nan_bits_and_signs_of_zeros_name_their_policy) {
  const std::uint32_t quiet = 0x7FC00000, other = 0x7FC00001, minus_zero = 0x80000000, one = 0x3F800000;
  const auto line = [](const std::vector<std::uint32_t>& got, const std::vector<std::uint32_t>& want) {
    const auto run = [&](const char* policy) {
      Options options;
      options.policy = find_policy(default_policies(), policy, "test");
      return judge({got.data(), formats::float32, {got.size()}},
                   {.codes = {want.data(), formats::float32, {want.size()}}}, options);
    };
    const Comparison c = run("bit-equal");
    BOOST_TEST((c.verdict == Verdict::disagree));
    BOOST_REQUIRE(!c.would_pass.policy.empty());
    BOOST_TEST((run(c.would_pass.policy.c_str()).verdict == Verdict::agree));
    BOOST_TEST(nlohmann::json::parse(json_comparison(c)).at("would_pass").at("policy") ==
               c.would_pass.policy);
    return comparison_lines(c).at(2);
  };
  BOOST_TEST(line({quiet, one}, {other, one}) ==
             "would pass with --policy bit-equal-any-nan: only bits of NaNs differ");
  BOOST_TEST(line({minus_zero, one}, {0, one}) ==
             "would pass with --policy correctly-rounded: only signs of zeros differ");
  BOOST_TEST(line({minus_zero, quiet, one}, {0, other, one}) ==
             "would pass with --policy correctly-rounded: only signs of zeros or bits of NaNs differ");
}

BOOST_AUTO_TEST_CASE(a_truth_of_nan_alone_is_vacuous) {
  const std::vector<float> nan(4, std::numeric_limits<float>::quiet_NaN());
  for (const char* policy : {"bit-equal", "bit-equal-any-nan", "correctly-rounded", "allclose"}) {
    Options options;
    options.policy = find_policy(default_policies(), policy, "test");
    const auto run = [&](const std::vector<float>& got, const std::vector<float>& want) {
      return judge({got.data(), formats::float32, {4}}, {.codes = {want.data(), formats::float32, {4}}},
                   options);
    };
    BOOST_TEST((run(nan, nan).verdict == Verdict::vacuous), policy);
    std::vector<float> one_number = nan;
    one_number[2] = 1;
    BOOST_TEST((run(one_number, one_number).verdict == Verdict::agree), policy);
    BOOST_TEST((run(one_number, nan).verdict == Verdict::disagree), policy);
  }
}
