#include <boost/test/unit_test.hpp>

#include <cmath>

#include "reference/core/random.hpp"

using namespace assay;

// Known answers of Philox4x32-10, from Random123's kat_vectors.
static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) ==
              PhiloxBlock{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
static_assert(philox4x32({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {0xFFFFFFFF, 0xFFFFFFFF}) ==
              PhiloxBlock{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
static_assert(philox4x32({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
              PhiloxBlock{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});

BOOST_AUTO_TEST_CASE(numbers_depend_on_seed_stream_and_index_alone) {
  const CounterRandom a(1, 2), again(1, 2), other_seed(2, 2), other_stream(1, 3);
  BOOST_TEST(a.u64(5) == again.u64(5));
  BOOST_TEST(a.u64(5) != a.u64(6));
  BOOST_TEST(a.u64(5) != a.u64(5 + (std::uint64_t{1} << 32)));
  BOOST_TEST(a.u64(5) != other_seed.u64(5));
  BOOST_TEST(a.u64(5) != other_stream.u64(5));
}

BOOST_AUTO_TEST_CASE(moments_of_uniform_and_normal) {
  constexpr std::uint64_t n = 200'000;
  const CounterRandom random(7);
  double sum = 0, normal_sum = 0, normal_squares = 0, fourth = 0;
  std::uint64_t below_three = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = random.uniform(i);
    BOOST_REQUIRE((u >= 0 && u < 1));
    sum += u;
    const double z = random.normal(i);
    normal_sum += z;
    normal_squares += z * z;
    fourth += z * z * z * z;
    below_three += random.below(10, i) < 3 ? 1 : 0;
  }
  // Five standard deviations of each mean.
  const double scale = 5 / std::sqrt(static_cast<double>(n));
  BOOST_TEST(std::fabs(sum / n - 0.5) < scale * std::sqrt(1.0 / 12));
  BOOST_TEST(std::fabs(normal_sum / n) < scale);
  BOOST_TEST(std::fabs(normal_squares / n - 1) < scale * std::sqrt(2.0));
  BOOST_TEST(std::fabs(fourth / n - 3) < scale * std::sqrt(96.0));
  BOOST_TEST(std::fabs(static_cast<double>(below_three) / n - 0.3) < scale * std::sqrt(0.21));
}
