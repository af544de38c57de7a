#include "emulation/simt/matrix_tile.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "emulation/units/nvidia/fused_sum_detail.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

namespace assay::simt {
namespace {

using kernels::exponent_bias;
using kernels::FusedSumOutput;
using kernels::zero_exponent;

constexpr float power_of_two(int e) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(e + 127) << 23);
}

FusedSumOutput tile_output(const FusedSumSpec& spec) {
  switch (spec.result) {
    case FusedResult::e8m13: return FusedSumOutput::e8m13;
    case FusedResult::f16: return spec.by_f16_steps ? FusedSumOutput::f16_steps_f16 : FusedSumOutput::f16;
    case FusedResult::f32: break;
  }
  return spec.by_f16_steps ? FusedSumOutput::f16_steps_f32 : FusedSumOutput::f32;
}

// Exponents of the nonzero elements of a line.
struct TileRange {
  int lowest = 30000, highest = -30000;
  void take(int e) {
    if (e == zero_exponent) return;
    lowest = std::min(lowest, e);
    highest = std::max(highest, e);
  }
};

// Kept from call to call: fibres have small stacks. One a thread.
struct TileSpace {
  std::vector<float> row_values, row_significands, lane_values, lane_significands, sums;
  std::vector<std::uint32_t> row_exponents;
  std::vector<std::int16_t> lane_exponents;
  std::vector<std::uint8_t> wide;
  std::vector<TileRange> row_ranges;

  void reserve(std::size_t rows, std::size_t lanes, std::size_t k) {
    const auto grow = [](auto& v, std::size_t n) {
      if (v.size() < n) v.resize(n);
    };
    grow(row_values, rows * k);
    grow(row_significands, rows * k);
    grow(row_exponents, rows * k);
    grow(lane_values, lanes * k);
    grow(lane_significands, lanes * k);
    grow(lane_exponents, lanes * k);
    grow(sums, rows * lanes);
    grow(wide, rows);
    grow(row_ranges, rows);
  }
};
thread_local TileSpace tile_space;

constexpr std::size_t most_k = 256;

}  // namespace

// The specification's operand: a subnormal is not normalised.
template <int drop, int fraction_bits, int exponent_bits>
bool FusedTile::decode_bits(const FusedTile&, const std::uint64_t* codes, std::size_t stride,
                            std::size_t count, const FormatSpec&, Decoded* out) {
  constexpr int bias = (1 << (exponent_bits - 1)) - 1, width = 1 + exponent_bits + fraction_bits;
  constexpr std::uint32_t fraction_mask = (1U << fraction_bits) - 1, field_mask = (1U << exponent_bits) - 1;
  bool special = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(codes[i * stride]) >> drop;
    const std::uint32_t field = bits >> fraction_bits & field_mask, fraction = bits & fraction_mask;
    special = special || field == field_mask;
    const auto significand = static_cast<float>(
        static_cast<std::int32_t>(fraction | (field != 0 ? fraction_mask + 1 : 0)));  // exact
    const int e = std::max(static_cast<int>(field), 1) - bias;
    const float scaled = significand * power_of_two(-fraction_bits);
    const float with_sign = (bits >> (width - 1) & 1) != 0 ? -scaled : scaled;
    // An infinity's exponent, 128 in bfloat16 and tf32, has no power; it is reported and not used.
    out[i] = {with_sign * power_of_two(std::min(e, 127)), with_sign,
              static_cast<std::int16_t>(significand == 0 ? zero_exponent : e)};
  }
  return !special;
}

// Codes of 8 bits, as they are or as float16.
bool FusedTile::decode_table(const FusedTile& tile, const std::uint64_t* codes, std::size_t stride,
                             std::size_t count, const FormatSpec& f, Decoded* out) {
  struct Entry {
    Decoded x;
    bool special;
  };
  const auto make = [](const FormatSpec& of, bool as_f16) {
    std::array<Entry, 256> table{};
    const FormatSpec& read_as = as_f16 ? formats::float16 : of;
    for (std::size_t code = 0; code < table.size(); ++code) {
      const std::uint64_t read = as_f16 ? convert(code, of, formats::float16).code : code;
      const ExactValue<std::uint64_t> x = exact_from_code(read, read_as);
      if (x.kind != Kind::finite || x.significand == 0) {
        table[code] = {{0, 0, zero_exponent}, x.kind != Kind::finite};
        continue;
      }
      const int e = x.exponent + read_as.precision - 1;
      const auto value = static_cast<float>(decode(read, read_as));
      table[code] = {{value, value * power_of_two(-e), static_cast<std::int16_t>(e)}, false};
    }
    return table;
  };
  static const std::array<std::array<Entry, 256>, 4> tables = {
      make(formats::float8_e4m3fn, false), make(formats::float8_e4m3fn, true),
      make(formats::float8_e5m2, false), make(formats::float8_e5m2, true)};
  const auto& table = tables[(f == formats::float8_e4m3fn ? 0U : 2U) + (tile.shape_.by_f16_steps ? 1U : 0U)];
  bool special = false;
  for (std::size_t i = 0; i < count; ++i) {
    const Entry& entry = table[codes[i * stride] & 0xFF];
    out[i] = entry.x;
    special = special || entry.special;
  }
  return !special;
}

FusedTile::Operand FusedTile::operand(const FormatSpec& f) {
  if (f == formats::float32) return {f, &decode_bits<13, 10, 8>};
  if (f == formats::bfloat16) return {f, &decode_bits<0, 7, 8>};
  if (f == formats::float16) return {f, &decode_bits<0, 10, 5>};
  return {f, &decode_table};
}

FusedTile::FusedTile(const FusedSumSpec& spec, const FormatSpec& a, const FormatSpec& b)
    : shape_{.terms = spec.terms,
             .fraction = spec.fraction,
             .floor = spec.floor,
             .result = spec.result,
             .by_f16_steps = spec.by_f16_steps},
      a_(operand(a)),
      b_(operand(b)),
      chunk_(spec.by_f16_steps ? f16_steps_chunk : spec.terms),
      lowest_(std::max(kernels::lowest_product, spec.floor.value_or(kernels::lowest_product))),
      output_(tile_output(spec)),
      narrow_(spec.definition_only ? nullptr : fused_sum_kernels().find([](const FusedSumKernel& k) {
        return k.columns <= 16;
      })),
      broad_(spec.definition_only ? nullptr
                                  : fused_sum_kernels().find([](const FusedSumKernel&) { return true; })) {
  if (narrow_ == nullptr) narrow_ = broad_;
}

// False: not finite.
bool FusedTile::load_addend(std::uint64_t code, float& x, std::uint8_t& wide) const {
  if (shape_.result == FusedResult::f16) {
    const auto bits = static_cast<std::uint32_t>(code);
    const std::uint32_t magnitude = bits & 0x7FFF, sign = (bits & 0x8000) << 16;
    if (magnitude >= 0x7C00) return false;
    // A subnormal is an integer of 2^-24; every float16 is right for the kernels.
    const float absolute = magnitude < 0x400
                               ? static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24F
                               : std::bit_cast<float>((magnitude << 13) + ((127U - 15U) << 23));
    x = std::bit_cast<float>(std::bit_cast<std::uint32_t>(absolute) | sign);
    return true;
  }
  const auto bits = static_cast<std::uint32_t>(code);
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude >= 0x7F800000) return false;
  x = std::bit_cast<float>(bits);
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  // Float16 steps start at 0 and not at C.
  if (!shape_.by_f16_steps && magnitude != 0 && (exponent < lowest_ || exponent > kernels::highest_addend)) {
    wide = 1;
  }
  return true;
}

std::uint64_t FusedTile::result_code(float x) const {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (shape_.result != FusedResult::f16) return bits;
  // x holds a float16 exactly. Two float16 steps may overflow to infinities whose sum is NaN.
  const std::uint32_t magnitude = bits & 0x7FFFFFFF, sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7F800000) return 0x7FFF;
  if (magnitude >= 0x47800000) return sign | 0x7C00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000) >> 13);
  return sign | static_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p24F);
}

bool FusedTile::multiply_add(const TileOperands& tile) const {
  if (narrow_ == nullptr || tile.k == 0 || tile.k > most_k) return false;
  // The kernels have rows, and lanes of a panel. Products commute, so the longer side of D may be the lanes.
  const bool lanes_are_rows = tile.m >= tile.n;
  const std::size_t rows = lanes_are_rows ? tile.n : tile.m, lanes = lanes_are_rows ? tile.m : tile.n;
  const FusedSumKernel& kernel = lanes <= narrow_->columns ? *narrow_ : *broad_;
  const std::size_t width = kernel.columns, half = width / 2, panels = (lanes + width - 1) / width;
  const std::size_t k = fused_sum_detail::rounded_up(tile.k, chunk_);
  TileSpace& space = tile_space;
  space.reserve(rows, panels * width, k);
  std::array<Decoded, most_k + f16_steps_chunk> line;
  // Past the end of K, products that are zero.
  std::fill(line.begin() + static_cast<std::ptrdiff_t>(tile.k), line.begin() + static_cast<std::ptrdiff_t>(k),
            Decoded{0, 0, zero_exponent});

  const auto decode_line = [&](bool of_a, std::size_t i) {
    const Operand& x = of_a ? a_ : b_;
    return of_a ? x.decode(*this, tile.a + i * tile.k, 1, tile.k, x.format, line.data())
                : x.decode(*this, tile.b + i, tile.n, tile.k, x.format, line.data());
  };
  for (std::size_t i = 0; i < rows; ++i) {
    if (!decode_line(!lanes_are_rows, i)) return false;
    TileRange range;
    for (std::size_t at = 0; at < k; ++at) {
      const Decoded& x = line[fused_sum_detail::source_of(at, shape_.by_f16_steps)];
      range.take(x.exponent);
      space.row_values[i * k + at] = x.value;
      space.row_significands[i * k + at] = x.significand;
      space.row_exponents[i * k + at] = static_cast<std::uint32_t>(x.exponent + exponent_bias) * 0x10001;
    }
    space.row_ranges[i] = range;
  }

  const std::size_t d_row = lanes_are_rows ? 1 : tile.n, d_lane = lanes_are_rows ? tile.n : 1;
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const std::size_t first = panel * width, count = std::min(width, lanes - first);
    TileRange range;
    if (count < width) {
      std::fill_n(space.lane_values.begin(), k * width, 0.0F);
      std::fill_n(space.lane_significands.begin(), k * width, 0.0F);
      std::fill_n(space.lane_exponents.begin(), k * width, std::int16_t{zero_exponent});
    }
    for (std::size_t j = 0; j < count; ++j) {
      if (!decode_line(lanes_are_rows, first + j)) return false;
      const std::size_t pair = j < half ? 2 * j : 2 * (j - half) + 1;
      for (std::size_t at = 0; at < k; ++at) {
        const Decoded& x = line[fused_sum_detail::source_of(at, shape_.by_f16_steps)];
        range.take(x.exponent);
        space.lane_values[at * width + j] = x.value;
        space.lane_significands[at * width + j] = x.significand;
        space.lane_exponents[at * width + pair] = x.exponent;
      }
    }
    for (std::size_t i = 0; i < rows; ++i) {
      std::uint8_t& wide = space.wide[i];
      wide = 0;
      if (space.row_ranges[i].lowest + range.lowest < lowest_ ||
          space.row_ranges[i].highest + range.highest > kernels::highest_product) {
        wide = 1;
      }
      float* const sums = space.sums.data() + (panel * rows + i) * width;
      std::fill_n(sums, width, 0.0F);
      for (std::size_t j = 0; j < count; ++j) {
        if (!load_addend(tile.c[i * d_row + (first + j) * d_lane], sums[j], wide)) return false;
      }
    }
    kernel.run({.a_values = space.row_values.data(),
                .a_significands = space.row_significands.data(),
                .a_exponents = space.row_exponents.data(),
                .a_stride = k,
                .b_values = space.lane_values.data(),
                .b_significands = space.lane_significands.data(),
                .b_exponents = space.lane_exponents.data(),
                .rows = rows,
                .k = k,
                .sums = space.sums.data() + panel * rows * width,
                .wide = space.wide.data(),
                .terms = static_cast<int>(shape_.terms),
                .fraction = shape_.fraction,
                .floor = shape_.floor.value_or(kernels::no_floor),
                .lowest = lowest_,
                .output = output_});
  }
  // C may be D: nothing is written before all of the tile is known to be finite.
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const std::size_t first = panel * width, count = std::min(width, lanes - first);
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const sums = space.sums.data() + (panel * rows + i) * width;
      for (std::size_t j = 0; j < count; ++j) {
        tile.d[i * d_row + (first + j) * d_lane] = result_code(sums[j]);
      }
    }
  }
  return true;
}

}  // namespace assay::simt
