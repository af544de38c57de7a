// A hint is said where it is true, and never of errors that are scattered at random: in every format, by one ulp, by
// NaN and infinities, along diagonals, in rows that changed places.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "validation/compare/comparator.hpp"

using namespace assay;
using namespace assay::compare;

namespace {

// Codes of one format, each in the bytes that it takes.
struct Array {
  FormatSpec format;
  Shape shape;
  std::vector<std::byte> bytes;

  Array(const FormatSpec& f, Shape s) : format(f), shape(std::move(s)), bytes(size() * code_bytes(f)) {}
  std::size_t size() const {
    std::size_t n = 1;
    for (const std::size_t d : shape) n *= d;
    return n;
  }
  std::uint64_t code(std::size_t i) const { return compare::code_at(bytes.data(), code_bytes(format), i); }
  void set(std::size_t i, std::uint64_t code) {
    detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(format), code);
  }
  Codes codes() const { return {bytes.data(), format, shape}; }
};

Array normal(const FormatSpec& f, const Shape& shape, std::uint64_t seed) {
  Array x(f, shape);
  const CounterRandom random(seed);
  for (std::size_t i = 0; i < x.size(); ++i) x.set(i, encode(random.normal(i), f).code);
  return x;
}

Where where(const Array& got, const Array& want) {
  return judge(got.codes(), {.codes = want.codes()}, {}).where;
}

// One step up or down in the order of values; stays where it is at the ends.
std::uint64_t neighbour(std::uint64_t code, const FormatSpec& f, bool up) {
  const bool negative = f.is_negative(code);
  const std::uint64_t magnitude = code & f.magnitude_mask();
  if (magnitude == 0) return up || f.specials == Specials::fnuz ? 1 : f.sign_code() | 1;
  const std::uint64_t next = negative == up ? code - 1 : code + 1;
  const bool is_negative_zero = (next & f.magnitude_mask()) == 0 && negative;
  if (is_negative_zero) return 0;
  return f.is_finite(next) && f.is_negative(next) == negative ? next : code;
}

std::string all_looks(const Where& w) {
  std::string text;
  for (const std::string& look : w.looks_like) text += (text.empty() ? "" : "; ") + look;
  return text;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

using Damage = std::function<void(Array&, std::size_t row, std::size_t col, std::size_t i)>;
Where place_of(const FormatSpec& f, std::size_t rows, std::size_t cols, const Damage& damage) {
  const Array want = normal(f, {rows, cols}, 7);
  Array got = want;
  for (std::size_t i = 0; i < got.size(); ++i) damage(got, i / cols, i % cols, i);
  return where(got, want);
}

}  // namespace

BOOST_AUTO_TEST_CASE(errors_of_one_or_two_ulps_look_like_nothing) {
  for (const FormatSpec* f : formats::all) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const CounterRandom random(100 + seed);
      const Array want = normal(*f, {16, 12}, seed);
      // Everywhere or here and there; either way, or always up or down; by one step or by one or two.
      const auto share = random.below(3, 0), direction = random.below(3, 1), steps = 1 + random.below(2, 2);
      Array got = want;
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (share != 0 && random.below(4 * share, 10 * i + 3) != 0) continue;
        const bool up = direction == 2 ? random.below(2, 10 * i + 4) == 0 : direction == 1;
        for (std::size_t s = 0; s <= random.below(steps, 10 * i + 5); ++s)
          got.set(i, neighbour(got.code(i), *f, up));
      }
      const Where w = where(got, want);
      if (w.hits == 1) continue;  // of one value no more is said than that a bit differs
      // That every value went up by a step is an addend where all steps are of one size.
      const std::string looks = all_looks(w);
      const bool may_be_an_addend = direction != 2 && holds(looks, "constant");
      BOOST_TEST((looks.empty() || may_be_an_addend), f->dtype << " seed " << seed << ": " << w.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(codes_at_random_look_like_nothing) {
  for (const FormatSpec* f : formats::all) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const CounterRandom random(200 + seed);
      const Array want = normal(*f, {16, 12}, seed);
      Array got = want;
      const std::size_t damaged = std::size_t{1} << random.below(8, 0);
      for (std::size_t k = 0; k < damaged; ++k) {
        got.set(random.below(got.size(), 2 * k + 1),
                random.below(f->bits == 64 ? ~std::uint64_t{0} : std::uint64_t{1} << f->bits, 2 * k + 2));
      }
      const Where w = where(got, want);
      if (w.hits < 2) continue;
      BOOST_TEST(all_looks(w) == "", f->dtype << " seed " << seed << ": " << w.text);
      BOOST_TEST((w.kind == "everywhere"), f->dtype << " seed " << seed << ": " << w.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(nan_and_infinities_are_no_flipped_bits) {
  const FormatSpec& f = formats::float32;
  const std::uint64_t inf = f.infinity_code(), nan = f.nan_code();
  Array want(f, {64}), got(f, {64});
  for (std::size_t i = 0; i < 64; ++i) {
    want.set(i, i % 2 == 0 ? inf : encode(1.0 + static_cast<double>(i), f).code);
    got.set(i, i % 2 == 0 ? nan : want.code(i));
  }
  BOOST_TEST(!holds(where(got, want).text, "bit"), where(got, want).text);
  got.set(1, nan);
  BOOST_TEST(!holds(where(got, want).text, "bit"), where(got, want).text);
  // One value alone, too.
  got = want;
  got.set(8, nan);
  BOOST_TEST(where(got, want).text == "1 of 1 at [8]");
  got.set(8, inf | f.sign_code());
  BOOST_TEST(where(got, want).text == "1 of 1 at [8]");
}

BOOST_AUTO_TEST_CASE(factors_are_far_from_what_an_ulp_gives) {
  const auto scaled = [](const FormatSpec& f, double factor) {
    return all_looks(place_of(f, 32, 32, [&](Array& got, std::size_t, std::size_t, std::size_t i) {
      got.set(i, encode(factor * decode(got.code(i), f), f).code);
    }));
  };
  for (const FormatSpec* f : {&formats::float32, &formats::bfloat16, &formats::float16,
                              &formats::float8_e4m3fn, &formats::float8_e5m2, &formats::float64}) {
    BOOST_TEST(holds(scaled(*f, 2), "got is want times 2"), f->dtype << ": " << scaled(*f, 2));
    BOOST_TEST(holds(scaled(*f, -0.25), "got is want times -0.25"), f->dtype << ": " << scaled(*f, -0.25));
  }
  BOOST_TEST(holds(scaled(formats::bfloat16, 1.1), "got is want times 1.1"));
  BOOST_TEST(scaled(formats::float8_e5m2, 1.1) == "");
}

BOOST_AUTO_TEST_CASE(diagonals_and_triangles_have_names) {
  const auto text = [](std::size_t rows, std::size_t cols, const auto& condition) {
    return place_of(formats::float32, rows, cols,
                    [&](Array& got, std::size_t row, std::size_t col, std::size_t i) {
                      if (condition(static_cast<int>(row), static_cast<int>(col)))
                        got.set(i,
                                encode(decode(got.code(i), got.format) + 1 + static_cast<double>(i % 7) / 3,
                                       got.format)
                                    .code);
                    })
        .text;
  };
  const auto diagonal = [](int r, int c) { return r == c; };
  BOOST_TEST(text(64, 64, diagonal) == "64 of 64 on the diagonal");
  BOOST_TEST(text(128, 64, diagonal) == "64 of 64 on the diagonal");
  BOOST_TEST(text(64, 128, diagonal) == "64 of 64 on the diagonal");
  BOOST_TEST(text(200, 300, diagonal) == "200 of 200 on the diagonal");
  BOOST_TEST(text(64, 64, [](int r, int c) { return c == r + 3; }) ==
             "61 of 61 on the diagonal column = row + 3");
  BOOST_TEST(text(64, 64, [](int r, int c) { return std::abs(c - r) <= 1; }) ==
             "190 of 190 on the diagonals column - row = -1..1");
  BOOST_TEST(text(64, 64, [](int r, int c) { return r + c == 63; }) ==
             "64 of 64 on the antidiagonal row + column = 63");
  BOOST_TEST(text(64, 64, [](int r, int c) { return c > r; }) == "2016 of 2016 above the diagonal");
  BOOST_TEST(text(64, 64, [](int r, int c) { return c <= r; }) == "2080 of 2080 on and below the diagonal");
  // A tile is one that is filled.
  BOOST_TEST(text(128, 256, [](int r, int) { return r / 64 == 1; }) ==
             "16384 of 16384 in rows 64..127 = last 64 of m=128");
  BOOST_TEST(text(256, 128, [](int r, int) { return r / 64 == 1; }) ==
             "8192 of 8192 in rows 64..127 = one 64-wide tile");
}

BOOST_AUTO_TEST_CASE(rows_and_columns_that_changed_places_have_names) {
  const auto moved = [](const FormatSpec& f, std::size_t rows, std::size_t cols, const auto& source) {
    const Array want = normal(f, {rows, cols}, 7);
    Array got = want;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto [row, col] = source(i / cols, i % cols);
      got.set(i, want.code(row * cols + col));
    }
    return all_looks(where(got, want));
  };
  using Place = std::pair<std::size_t, std::size_t>;
  const auto swap = [](std::size_t x, std::size_t a, std::size_t b) { return x == a ? b : x == b ? a : x; };
  for (const FormatSpec* f : {&formats::float32, &formats::bfloat16, &formats::float8_e4m3fn}) {
    BOOST_TEST(moved(*f, 40, 30, [&](std::size_t r, std::size_t c) {
                 return Place{swap(r, 0, 1), c};
               }) == "rows 0 and 1 are swapped");
    BOOST_TEST(moved(*f, 40, 30, [&](std::size_t r, std::size_t c) {
                 return Place{swap(r, 3, 17), c};
               }) == "rows 3 and 17 are swapped");
    BOOST_TEST(moved(*f, 40, 30, [&](std::size_t r, std::size_t c) {
                 return Place{r, swap(c, 28, 29)};
               }) == "columns 28 and 29 are swapped");
  }
  BOOST_TEST(moved(formats::float32, 40, 30, [](std::size_t r, std::size_t c) {
               return Place{39 - r, c};
             }) == "rows 0..39 stand in reverse order");
  BOOST_TEST(moved(formats::float32, 40, 30, [](std::size_t r, std::size_t c) {
               return Place{(r + 20) % 40, c};
             }) == "rows 0..19 and 20..39 are swapped");
  BOOST_TEST(moved(formats::float32, 40, 30, [](std::size_t r, std::size_t c) {
               return Place{r, c ^ 1};
             }) == "columns are swapped in pairs: 0 and 1, 2 and 3, 4 and 5, ...");
  BOOST_TEST(moved(formats::float32, 1, 30, [&](std::size_t r, std::size_t c) {
               return Place{r, swap(c, 4, 9)};
             }) == "elements 4 and 9 are swapped");
  BOOST_TEST(moved(formats::float32, 40, 30, [](std::size_t r, std::size_t c) {
               return r == 5 && c == 6 ? Place{7, 9} : r == 7 && c == 9 ? Place{5, 6} : Place{r, c};
             }) == "the two values are swapped");
  // Half of a tile's rows have no source, and the hint is true all the same.
  BOOST_TEST(holds(moved(formats::float32, 128, 30,
                         [](std::size_t r, std::size_t c) {
                           return Place{r < 64 ? r + 64 : r, c};
                         }),
                   "got is want 64 rows on"));
}

BOOST_AUTO_TEST_CASE(flipped_bits_are_told_from_small_errors) {
  const auto flipped = [](const FormatSpec& f, int bit, std::size_t every) {
    return all_looks(place_of(f, 32, 32, [&](Array& got, std::size_t, std::size_t, std::size_t i) {
      if (i % every == 0) got.set(i, got.code(i) ^ std::uint64_t{1} << bit);
    }));
  };
  BOOST_TEST(flipped(formats::float32, 3, 50) == "bit 3 (significand) is flipped");
  BOOST_TEST(flipped(formats::float32, 0, 2) == "bit 0 (significand) is flipped");
  BOOST_TEST(flipped(formats::bfloat16, 14, 50) == "bit 14 (exponent) is flipped");
  BOOST_TEST(flipped(formats::bfloat16, 15, 50) == "bit 15 (sign) is flipped");
  // Of one value: a large change is a flipped bit, a small one is what it is.
  BOOST_TEST(flipped(formats::float32, 25, 2000) == "bit 25 (exponent) is flipped");
  BOOST_TEST(flipped(formats::float32, 2, 2000) == "bit 2 (significand) alone differs");
}

BOOST_AUTO_TEST_CASE(few_values_are_in_no_place) {
  const Where w =
      place_of(formats::float32, 64, 64, [](Array& got, std::size_t row, std::size_t col, std::size_t i) {
        if ((row == 3 && col == 9) || (row == 40 && col == 51)) got.set(i, got.code(i) ^ 0x123);
      });
  BOOST_TEST(w.kind == "everywhere");
  BOOST_TEST(w.text == "2 of 2 in no one place: [3,9], [40,51]");
}
