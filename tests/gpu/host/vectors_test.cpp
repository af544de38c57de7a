// The probe's vectors: the same for a seed, and each class made of what it says.
#include "gpu/host/probe_vectors.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "reference/core/error.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

using namespace assay;
using namespace assay::gpu;

namespace {

constexpr std::uint64_t seed = 5;

const VectorClass& class_of(const ProbeVectors& v, const std::string& name, const FormatSpec& accumulator) {
  const auto found = std::find_if(v.classes.begin(), v.classes.end(), [&](const VectorClass& one) {
    return one.name == name && one.accumulator == accumulator;
  });
  BOOST_REQUIRE(found != v.classes.end());
  return *found;
}

ExactSum products(const ProbeVectors& v, std::size_t row) {
  ExactSum sum;
  for (std::size_t i = 0; i < v.k; ++i)
    sum.add_product(v.a[row * v.k + i], v.input, v.b[row * v.k + i], v.input);
  return sum;
}

ExactSum dot(const ProbeVectors& v, std::size_t row) {
  ExactSum sum = products(v, row);
  sum.add(v.c[row], v.addend);
  return sum;
}

// A fused_sum step by the specification, in integers: products cut to q = 2^(emax - F), their sum brought to the last
// place of the accumulator: toward zero for float32, to nearest even for float16. c is zero, as in the class `floor`.
std::int64_t floor_step(const ProbeVectors& v, std::size_t row, const FormatSpec& accumulator, int bits,
                        int floor) {
  int emax = floor;
  struct Term {
    bool negative;
    std::uint64_t significand;
    int exponent, place;
  };
  std::vector<Term> terms;
  for (std::size_t i = 0; i < v.k; ++i) {
    const auto x = exact_from_code(v.a[row * v.k + i], v.input),
               y = exact_from_code(v.b[row * v.k + i], v.input);
    if (x.significand == 0 || y.significand == 0) continue;
    const int p = v.input.precision - 1;
    emax = std::max(emax, x.exponent + y.exponent + 2 * p);
    terms.push_back({x.negative != y.negative, x.significand * y.significand, x.exponent + y.exponent, 0});
  }
  const int q = emax - bits;
  std::int64_t sum = 0;
  for (const Term& t : terms) {
    const int shift = t.exponent - q;
    const auto cut = static_cast<std::int64_t>(shift >= 0    ? t.significand << shift
                                               : shift > -64 ? t.significand >> -shift
                                                             : 0);
    sum += t.negative ? -cut : cut;
  }
  const int gap = accumulator.emin - (accumulator.precision - 1) - q;
  if (gap <= 0) return sum * (std::int64_t{1} << -gap);
  if (gap > 63) return 0;  // all of it lies far below half of the last place
  const std::int64_t magnitude = sum < 0 ? -sum : sum, kept = magnitude >> gap;
  const std::int64_t rest = magnitude - (kept << gap), half = std::int64_t{1} << (gap - 1);
  const bool up = accumulator == formats::float16 && (rest > half || (rest == half && (kept & 1) != 0));
  return (sum < 0 ? -1 : 1) * (kept + (up ? 1 : 0));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_seed_gives_the_same_vectors) {
  BOOST_TEST_MESSAGE("seed " << seed);
  const std::vector<FormatSpec> both{formats::float32, formats::float16};
  const ProbeVectors x = make_probe_vectors(formats::float16, both, 16, 20, seed);
  const ProbeVectors y = make_probe_vectors(formats::float16, both, 16, 20, seed);
  BOOST_TEST((x.a == y.a && x.b == y.b && x.c == y.c));
  const ProbeVectors z = make_probe_vectors(formats::float16, both, 16, 20, seed + 1);
  BOOST_TEST((x.a != z.a && x.c != z.c));
  // Fewer rows are the first ones of more.
  const ProbeVectors few = make_probe_vectors(formats::float16, both, 16, 5, seed);
  for (std::size_t i = 0; i < few.classes.size(); ++i) {
    const auto begin = static_cast<std::ptrdiff_t>(x.classes[i].begin);
    BOOST_TEST(
        std::equal(few.c.begin() + static_cast<std::ptrdiff_t>(few.classes[i].begin),
                   few.c.begin() + static_cast<std::ptrdiff_t>(few.classes[i].end), x.c.begin() + begin),
        few.classes[i].name);
  }
}

BOOST_AUTO_TEST_CASE(classes_tile_the_rows_and_codes_are_of_their_formats) {
  for (const FormatSpec* const f : {&formats::float16, &formats::bfloat16, &formats::tf32,
                                    &formats::float8_e4m3fn, &formats::float8_e5m2, &formats::float32}) {
    for (const std::size_t k : {std::size_t{1}, std::size_t{4}, std::size_t{32}}) {
      const bool narrow = *f == formats::float16 || f->bits == 8;
      const std::vector<FormatSpec> accumulators =
          narrow ? std::vector{formats::float32, formats::float16} : std::vector{formats::float32};
      const ProbeVectors v = make_probe_vectors(*f, accumulators, k, 17, seed);
      std::size_t next = 0, wide = 0;
      for (const VectorClass& one : v.classes) {
        BOOST_TEST((one.begin == next && one.end == next + 17), one.name);
        next = one.end;
        for (std::size_t i = one.begin; i < one.end; ++i) {
          // The addend is a value of the class's accumulator.
          const std::uint64_t code = convert(v.c[i], v.addend, one.accumulator).code;
          if (v.addend.is_finite(v.c[i]) && convert(code, one.accumulator, v.addend).code != v.c[i]) ++wide;
        }
      }
      for (const auto* const side : {&v.a, &v.b}) {
        for (const std::uint64_t code : *side) wide += code >> f->bits != 0 ? 1U : 0U;
      }
      BOOST_TEST((next == v.rows() && v.a.size() == next * k && v.b.size() == next * k && wide == 0),
                 f->dtype);
    }
  }
  const ProbeVectors v = make_probe_vectors(formats::float64, {formats::float64}, 4, 3, seed);
  BOOST_TEST((v.addend == formats::float64 && v.rows() > 0));
  BOOST_CHECK_THROW(make_probe_vectors(formats::float16, {}, 4, 3, seed), ContractError);
  BOOST_CHECK_THROW(make_probe_vectors(formats::float16, {formats::float32}, 0, 3, seed), ContractError);
}

BOOST_AUTO_TEST_CASE(classes_are_what_they_say) {
  constexpr std::size_t rows = 200;
  const FormatSpec& acc = formats::float32;
  const ProbeVectors v = make_probe_vectors(formats::bfloat16, {acc}, 16, rows, seed);
  const auto count = [&](const std::string& name, auto holds) {
    const VectorClass& one = class_of(v, name, acc);
    std::size_t n = 0;
    for (std::size_t i = one.begin; i < one.end; ++i) n += holds(i) ? 1 : 0;
    return n;
  };
  const auto result = [&](std::size_t i) { return dot(v, i).rounded(acc).code; };
  // Cancellation leaves next to nothing of the terms.
  const auto cancels = [&](std::size_t i) {
    ExactSum sum = products(v, i);
    return dot(v, i).magnitude_up() <= 0x1p-15 * sum.magnitude_up() + 0x1p-30;
  };
  BOOST_TEST(count("cancel_c", cancels) == rows);
  BOOST_TEST(count("underflow", [&](std::size_t i) { return acc.is_subnormal(result(i)); }) > rows / 8);
  BOOST_TEST(count("overflow", [&](std::size_t i) { return acc.is_infinite(result(i)); }) > rows / 8);
  BOOST_TEST(count("overflow", [&](std::size_t i) { return acc.is_finite(result(i)); }) > rows / 8);
  BOOST_TEST(count("specials", [&](std::size_t i) { return acc.is_nan(result(i)); }) > rows / 8);
  BOOST_TEST(count("specials", [&](std::size_t i) { return acc.is_infinite(result(i)); }) > rows / 8);
  BOOST_TEST(count("zeros", [&](std::size_t i) { return dot(v, i).result().is_zero(); }) == rows);
  BOOST_TEST(count("zeros", [&](std::size_t i) { return (result(i) & acc.sign_code()) != 0; }) > 0);
  BOOST_TEST(count("finite_bits", [&](std::size_t i) { return acc.is_nan(result(i)); }) == 0);
  // Half-way and the exact number do not round the same way down and to nearest.
  const auto at_half = [&](std::size_t i) {
    const ExactSum sum = dot(v, i);
    return sum.rounded(acc, {.rounding = Rounding::toward_zero}).code !=
           sum.rounded(acc, {.rounding = Rounding::nearest_away}).code;
  };
  BOOST_TEST(count("halfway", at_half) > rows / 3);
  std::size_t subnormal = 0;
  const VectorClass& s = class_of(v, "subnormals", acc);
  for (std::size_t i = s.begin * 16; i < s.end * 16; ++i) {
    subnormal += v.input.is_subnormal(v.a[i]) || v.input.is_subnormal(v.b[i]) ? 1 : 0;
  }
  BOOST_TEST(subnormal == rows * 16);
}

// What the class is for: every floor that is in question answers otherwise than the next lower one, and than none, in
// some rows.
BOOST_AUTO_TEST_CASE(the_floor_class_tells_floors_apart) {
  constexpr std::size_t rows = 512;
  struct Question {
    FormatSpec input, accumulator;
    std::size_t k;
    std::vector<int> floors;
  };
  const std::vector<int> wide{-131, -132, -133, -134, -135}, narrow{-19, -20, -21};
  for (const Question& one : {Question{formats::bfloat16, formats::float32, 16, wide},
                              Question{formats::bfloat16, formats::float32, 8, wide},
                              Question{formats::tf32, formats::float32, 8, wide},
                              Question{formats::tf32, formats::float32, 4, wide},
                              Question{formats::float16, formats::float16, 16, narrow},
                              Question{formats::float16, formats::float16, 8, narrow}}) {
    const ProbeVectors v = make_probe_vectors(one.input, {one.accumulator}, one.k, rows, seed);
    const VectorClass& floor_class = class_of(v, "floor", one.accumulator);
    for (const int bits : {24, 25}) {
      for (const int floor : one.floors) {
        std::size_t apart = 0, from_none = 0;
        for (std::size_t i = floor_class.begin; i < floor_class.end; ++i) {
          const std::int64_t d = floor_step(v, i, one.accumulator, bits, floor);
          if (d != floor_step(v, i, one.accumulator, bits, floor - 1)) ++apart;
          if (d != floor_step(v, i, one.accumulator, bits, -1000)) ++from_none;
        }
        BOOST_TEST(apart >= 3U, one.input.dtype << " k " << one.k << ", F " << bits << ", floor " << floor
                                                << " from one lower: " << apart << " rows");
        BOOST_TEST(from_none >= 3U, one.input.dtype << " k " << one.k << ", F " << bits << ", floor " << floor
                                                    << " from none: " << from_none << " rows");
      }
    }
  }
}
