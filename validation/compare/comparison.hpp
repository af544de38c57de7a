// What a comparison found: plain data, for reports of every kind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/formats/format_spec.hpp"
#include "reference/formats/formats.hpp"
#include "validation/compare/integer_type.hpp"
#include "validation/compare/policy.hpp"

namespace assay::compare {

using Shape = std::vector<std::size_t>;

// The last two dimensions as rows and columns, all before them as one. A vector is one row, a scalar 1 x 1.
struct MatrixView {
  std::size_t batches = 1, rows = 1, cols = 1;
};
MatrixView matrix_view(const Shape& shape);

enum class Verdict : std::uint8_t {
  agree,
  disagree,
  vacuous,  // agreement that proves nothing; Comparison::reason says why
};

struct ClassCounts {
  std::uint64_t nan = 0, positive_infinity = 0, negative_infinity = 0;
  std::uint64_t positive_zero = 0, negative_zero = 0, subnormal = 0;

  std::uint64_t infinite() const { return positive_infinity + negative_infinity; }
  std::uint64_t zero() const { return positive_zero + negative_zero; }
  friend bool operator==(const ClassCounts&, const ClassCounts&) = default;
};

// Numbers of values by distance. Bin b > 0 holds 2^(b−1) <= |steps| < 2^b: 1, 2–3, 4–7, ...; bin 0 holds
// distance 0.
struct UlpHistogram {
  static constexpr std::size_t bins = 65;
  std::array<std::uint64_t, bins> below{},
      above{};  // got below want, got above want; distance 0 counts as above

  friend bool operator==(const UlpHistogram&, const UlpHistogram&) = default;
};

// A largest value and the first index (row-major, flat) where it stands.
struct Extreme {
  double value = 0;
  std::size_t index = 0;
};

// One pair of values. The codes are of the output's format.
struct Element {
  std::size_t index = 0;
  std::uint64_t got = 0, want = 0;
  double got_value = 0;
  double want_value = 0;         // the value compared with: not rounded into the output's format
  std::optional<double> ulps{};  // signed; exact below 2^53
  double absolute = 0, relative = 0;
  std::optional<double> over_bound{};
};

struct OverBound {
  double p50 = 0, p99 = 0;  // at most 2 % above the quantile: taken from bins
  Extreme max;
};

// What a tolerance would have had to be, each alone: rounded up, so that it passes as it stands here. Infinite if none
// would do.
struct WouldPass {
  double atol = 0, rtol = 0, ulps = 0;
  // Where nothing but the bits of NaNs or the signs of zeros differ: the built-in policy that takes them as equal.
  std::string policy{};
};

// Values outside by position: one cell a tile of `tile` x `tile` elements, row-major, all batches together.
struct TileMap {
  std::size_t tile = 1, rows = 0, cols = 0;  // rows and cols count tiles
  bool of_outside = true;                    // false: nothing is outside, and the cells count what differs
  std::vector<std::uint32_t> cells{};
};

// Counts over (magnitude of the exact value, size of the error), by powers of two from `x0` and `y0` upwards.
struct Scatter {
  bool over_bound = false;  // y is error/bound; else it is the distance in ulps
  int x0 = 0, y0 = 0;
  std::size_t width = 0, height = 0;
  std::vector<std::uint64_t> counts{};  // [height][width]
  std::uint64_t exact = 0;              // values without error, which no logarithm shows
};

// Where the values outside sit, as a sentence and as its parts.
struct Where {
  std::string
      text;  // "64 of 64 in column 32 = last of n=33: tail of a 32-wide tile?"; empty if none is outside
  std::string
      kind;  // "column", "columns", "row", "tile", "block", "tail", "batch", "lane", "element", "everywhere"
  std::uint64_t hits = 0;               // values outside that the place explains
  std::vector<std::string> looks_like;  // "got is want transposed", "got is zero there"; parts of text
};

// What a comparison of integers holds besides; no digit of it is rounded.
struct IntegerFigures {
  IntegerType got_type, want_type;
  Int128 least_got = 0, most_got = 0, least_want = 0, most_want = 0;  // ranges; 0 where nothing was compared
  Int128 largest_difference = 0;                                      // |got - want|
};

struct Comparison {
  Verdict verdict = Verdict::vacuous;
  std::string reason;  // of disagree and vacuous: one sentence
  Policy policy;
  std::string operation;  // what want is: "gemm m=64 n=33 k=1024, exact"; empty: what a file says
  FormatSpec format = formats::float32;       // of got, and of the codes compared
  FormatSpec want_format = formats::float32;  // what want had before it was rounded into `format`
  // Set for integers. Formats mean nothing then, codes of elements are the bits of their own types, and what is said
  // of ulps above holds for got - want, rounded to float64 where it is a double.
  std::optional<IntegerFigures> integers;
  Shape shape;

  std::uint64_t values = 0;
  std::uint64_t bit_equal = 0, differ = 0;  // by code; they sum to `values`
  std::uint64_t outside = 0;                // of the policy
  std::uint64_t class_mismatches = 0;       // NaN or infinity on one side, or infinities of other signs
  ClassCounts got, want;
  std::uint64_t zeros_would_pass = 0;
  std::uint64_t not_judged = 0;  // values of which nothing is known: whatever stands there was accepted

  UlpHistogram ulps;
  std::uint64_t measured =
      0;                 // values that are numbers, or the same infinity, on both sides: those in `ulps`
  double mean_ulps = 0;  // signed
  Extreme max_ulps;      // of the absolute value
  Extreme max_absolute, max_relative;
  std::optional<OverBound> over_bound;
  double nmse = 0, cosine = 1;  // shown, never judged; over values that are finite on both sides
  WouldPass would_pass;

  std::optional<Element> worst;  // of those that differ; empty if none does
  Where where;
  std::vector<std::string> weaknesses;  // "a transposed output would pass too"
  TileMap map;
  Scatter scatter;
};

// "[31,32]"
std::string index_text(std::size_t index, const Shape& shape);
std::string shape_text(const Shape& shape);  // "[64,33]"

std::string_view verdict_name(Verdict verdict);  // "PASSED", "FAILED", "VACUOUS"

}  // namespace assay::compare
