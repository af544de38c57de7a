// Distances in representable values, against counting them one by one.
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/neighbours.hpp"
#include "validation/compare/ulp.hpp"

using namespace assay;
using assay::compare::Steps;
using assay::compare::ulp_steps;

// Walks from the lowest value of a format to the highest by next_up(): the n-th value lies n steps on, both
// zeros at one.
BOOST_AUTO_TEST_CASE(every_pair_of_an_eight_bit_format_is_as_far_apart_as_a_walk_says) {
  for (const FormatSpec* f :
       {&formats::float8_e4m3fn, &formats::float8_e5m2, &formats::float8_e5m2fnuz, &formats::float6_e2m3fn}) {
    std::vector<std::pair<std::uint64_t, std::int64_t>> walk;  // code, place
    std::uint64_t code = f->sign_code() | (f->has_infinity() ? f->infinity_code() : f->max_finite_code());
    std::int64_t place = 0;
    for (;;) {
      walk.emplace_back(code, place);
      const auto next = next_up(code, *f);
      if (!next) break;
      const bool from_minus_zero = (code & f->magnitude_mask()) == 0;
      // next_up steps from -0 to the smallest number; +0 has the place of -0.
      if (from_minus_zero && f->specials != Specials::fnuz) walk.emplace_back(0, place);
      ++place;
      code = *next;
    }
    std::size_t wrong = 0;
    for (const auto& [want, at] : walk) {
      for (const auto& [got, there] : walk) wrong += ulp_steps(want, got, *f) == Steps{there - at} ? 0 : 1;
    }
    BOOST_TEST(wrong == 0U, f->dtype);
    BOOST_TEST(walk.size() >= 60U);
  }
}

BOOST_AUTO_TEST_CASE(zero_is_one_point_and_nan_has_no_distance) {
  const FormatSpec& f = formats::bfloat16;
  BOOST_TEST((ulp_steps(0x8000, 0x0001, f) == Steps{1}));
  BOOST_TEST((ulp_steps(0x0001, 0x8001, f) == Steps{-2}));
  BOOST_TEST((ulp_steps(0x0000, 0x8000, f) == Steps{0}));
  BOOST_TEST((ulp_steps(0x4045, 0x4030, f) == Steps{-21}));
  BOOST_TEST((ulp_steps(f.max_finite_code(), f.infinity_code(), f) == Steps{1}));
  BOOST_TEST(!ulp_steps(0x7FC0, 0x3F80, f).has_value());
  BOOST_TEST(!ulp_steps(0x3F80, 0xFFC1, f).has_value());
  BOOST_TEST(!ulp_steps(0x80, 0x01, formats::float8_e5m2fnuz).has_value());  // its NaN is the code of -0
}

BOOST_AUTO_TEST_CASE(distances_of_float64_do_not_wrap) {
  const FormatSpec& f = formats::float64;
  const std::uint64_t infinity = f.infinity_code(), minus = infinity | f.sign_code();
  BOOST_TEST((ulp_steps(minus, infinity, f) == Steps{infinity} * 2));
  BOOST_TEST((ulp_steps(infinity, minus, f) == -(Steps{infinity} * 2)));
  BOOST_TEST((Steps{infinity} * 2 > Steps{std::numeric_limits<std::int64_t>::max()}));
  BOOST_TEST((ulp_steps(std::bit_cast<std::uint64_t>(1.0), std::bit_cast<std::uint64_t>(1.0 + 0x1p-52), f) ==
              Steps{1}));
}
