// Stochastic rounding as statistics: the probability of rounding up, the independence of neighbours and of seeds. The
// seeds are fixed and printed, so that a failure is a finding and no accident.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <iostream>
#include <vector>

#include "reference/formats/convert.hpp"
#include "reference/formats/stochastic.hpp"

using namespace assay;

namespace {

constexpr std::size_t n = std::size_t{1} << 20;
constexpr std::uint64_t seeds[] = {1, 2, 3, 0x9E3779B97F4A7C15};

// Beyond 5 standard deviations lies 6e-7 of a normal distribution; some 200 values are tested below.
constexpr double limit = 5;

struct Destination {
  const FormatSpec& format;
  int random_bits;
};
constexpr Destination destinations[] = {{formats::bfloat16, 16},      {formats::bfloat16, 8},
                                        {formats::bfloat16, 32},      {formats::float16, 32},
                                        {formats::float8_e4m3fn, 32}, {formats::float8_e5m2, 16}};

std::uint32_t code_at(const std::vector<unsigned char>& codes, const FormatSpec& f, std::size_t i) {
  if (f.bits <= 8) return codes[i];
  return static_cast<std::uint32_t>(codes[2 * i]) | static_cast<std::uint32_t>(codes[2 * i + 1]) << 8;
}

// Which of n roundings of 1 + fraction * quantum went up.
std::vector<unsigned char> ups(const Destination& to, double fraction, std::uint64_t seed, int threads = 0) {
  const double quantum = std::ldexp(1.0, 1 - to.format.precision);
  const std::vector<float> x(n, static_cast<float>(1 + fraction * quantum));
  std::vector<unsigned char> codes(n * (to.format.bits <= 8 ? 1 : 2)), up(n);
  convert_array(
      x.data(), codes.data(), n,
      {.to = to.format, .rounding = Rounding::stochastic, .random_bits = to.random_bits, .seed = seed},
      threads);
  const auto one = static_cast<std::uint32_t>(encode(1.0, to.format).code);
  std::size_t neighbours = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t code = code_at(codes, to.format, i);
    neighbours += code == one || code == one + 1 ? 1 : 0;
    up[i] = code != one;
  }
  BOOST_TEST(neighbours == n);
  return up;
}

double mean(const std::vector<unsigned char>& up) {
  std::uint64_t sum = 0;
  for (const unsigned char x : up) sum += x;
  return static_cast<double>(sum) / static_cast<double>(up.size());
}

// (observed share - p) in standard deviations of it.
double z_score(double share, double p, double count) { return (share - p) / std::sqrt(p * (1 - p) / count); }

std::string where(const Destination& to, double fraction, std::uint64_t seed) {
  return std::string(to.format.short_name) + " bits=" + std::to_string(to.random_bits) +
         " fraction=" + std::to_string(fraction) + " seed=" + std::to_string(seed);
}

// Of two sequences of the same p: the correlation coefficient has a standard deviation of 1 / sqrt(count).
double correlation_z(const unsigned char* a, const unsigned char* b, std::size_t count, double p) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += (a[i] - p) * (b[i] - p);
  return sum / (p * (1 - p)) / std::sqrt(static_cast<double>(count));
}

}  // namespace

BOOST_AUTO_TEST_CASE(goes_up_as_often_as_it_should) {
  std::cout << "seeds of stochastic rounding:";
  for (const std::uint64_t seed : seeds) std::cout << " " << seed;
  std::cout << "\n";
  for (const Destination& to : destinations) {
    for (const std::uint64_t seed : seeds) {
      for (const double eighths : {0.25, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0}) {
        const double p = eighths / 8;  // exact in every number of random bits above
        const double z = z_score(mean(ups(to, p, seed)), p, n);
        BOOST_TEST(std::abs(z) < limit, where(to, p, seed) << ": z = " << z);
      }
    }
  }
}

// An exact value stays, whatever the bits.
BOOST_AUTO_TEST_CASE(never_moves_an_exact_value) {
  for (const Destination& to : destinations) BOOST_TEST(mean(ups(to, 0, 1)) == 0);
}

BOOST_AUTO_TEST_CASE(neighbours_are_independent) {
  for (const Destination& to : destinations) {
    for (const std::uint64_t seed : seeds) {
      const std::vector<unsigned char> up = ups(to, 0.5, seed);
      // 16: the element that shares a word, if two do. 32: the next block.
      for (const std::size_t lag : {1U, 2U, 8U, 16U, 32U}) {
        const double z = correlation_z(up.data(), up.data() + lag, n - lag, 0.5);
        BOOST_TEST(std::abs(z) < limit, where(to, 0.5, seed) << " lag=" << lag << ": z = " << z);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(seeds_are_independent) {
  for (const Destination& to : destinations) {
    const std::vector<unsigned char> first = ups(to, 0.5, seeds[0]);
    for (const std::uint64_t seed : {seeds[1], seeds[2], seeds[3], seeds[0] + (std::uint64_t{1} << 32)}) {
      const std::vector<unsigned char> other = ups(to, 0.5, seed);
      const double z = correlation_z(first.data(), other.data(), n, 0.5);
      BOOST_TEST(std::abs(z) < limit, where(to, 0.5, seed) << ": z = " << z);
    }
  }
}

// Half of the quantum goes up half the time in one thread and in many, by the same elements.
BOOST_AUTO_TEST_CASE(threads_do_not_matter) {
  for (const Destination& to : destinations) {
    const std::vector<unsigned char> one = ups(to, 0.5, 7, 1);
    for (const int threads : {2, 3, 8}) BOOST_TEST((ups(to, 0.5, 7, threads) == one));
    BOOST_TEST(std::abs(z_score(mean(one), 0.5, n)) < limit);
  }
}
