// The fused sum of fused_sum.hpp, a lane a column of D, written once over lanes of any width. In an unnamed namespace:
// a function with external linkage could be picked by the linker for a CPU without the instructions.
//
// Numerics
//   in range   products are exact float32; e_i and emax are sums and a maximum of 16-bit integers; every product times
//              2^(F - emax), a power of two that float32 holds, is truncated to an int32 by the conversion; the int32
//              sum becomes a float32 toward zero, which is the result's own truncation, and is scaled back exactly. A
//              product below 1 after scaling may lose bits in the multiplication: it truncates to 0 either way.
//              emax is no lower than `lowest`. That changes nothing: nonzero products lie above, so it matters only
//              where all products are zero, and then c, a multiple of 2^(lowest - F), is kept whole, as the unit
//              does: the result of such a step is such a multiple, and so is what C a row that is not wide may start
//              with.
//   any range  products of significands in (-4, 4), each scaled by its own 2^(F + e_i - emax), 0 where that is below
//              2^-126: such a product is below q by far.
//   int32      |P / q| < 2^(F+2). Sums of up to 8 products at F = 25 and c stay below 2^31. Longer ones are held in two
//              halves; where their sum wraps, (x + y) / 2 with the lost bit kept in the last place (odd) has the same
//              truncation and the same side of any tie.
//   f16        the int32 sum becomes a float32 rounded to odd, which is then rounded to float16 as the sum itself would
//              be: 24 >= 11 + 2 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulation/units/nvidia/fused_sum_kernels.hpp"
#include "reference/formats/kernels/immintrin.hpp"

namespace assay::kernels {
namespace {

constexpr bool is_f16(FusedSumOutput output) {
  return output == FusedSumOutput::f16 || output == FusedSumOutput::f16_steps_f16;
}
constexpr bool is_steps(FusedSumOutput output) {
  return output == FusedSumOutput::f16_steps_f32 || output == FusedSumOutput::f16_steps_f16;
}

// S as a float32 toward zero, or to odd, from its halves (the second is not read where there is one).
template <class V, bool halves, bool odd>
typename V::Float sum_as_float(typename V::Int first, typename V::Int second) {
  using Int = typename V::Int;
  using Float = typename V::Float;
  const auto convert = [](Int sum) {
    const Float f = V::toward_zero(sum);
    if constexpr (!odd) return f;
    const auto exact = V::equal(V::truncated(f), sum);
    return V::select(exact, f, V::bits(V::or32(V::bits(f), V::all32(1))));
  };
  if constexpr (!halves) return convert(first);
  const Int sum = V::add32(first, second);
  const Float f = convert(sum);
  // Two terms of one sign and a sum of the other.
  const Int wrapped = V::and32(V::xor32(sum, first), V::xor32(sum, second));
  const auto mask = V::less(wrapped, V::zero_bits());
  if (!V::any(mask)) [[likely]]
    return f;
  const Int differ = V::xor32(first, second);
  const Int mean = V::add32(V::and32(first, second), V::template right_signed<1>(differ));
  const Float g = convert(V::or32(mean, V::and32(differ, V::all32(1))));
  return V::select(mask, V::add(g, g), f);
}

template <class V>
typename V::Float thirteen_bits(typename V::Float x) {
  return V::bits(V::and32(V::bits(x), V::all32(static_cast<int>(0xFFFFFC00))));
}

template <class V>
typename V::Mask is_infinite(typename V::Float x) {
  return V::equal(V::and32(V::bits(x), V::all32(0x7FFFFFFF)), V::all32(0x7F800000));
}

// t + c to nearest. Of two float16: float32 has 2 * 11 + 2 bits, so that rounding its sum again is rounding once.
template <class V, FusedSumOutput output>
typename V::Float nearest_sum(typename V::Float t, typename V::Float c) {
  const typename V::Float sum = V::nearest_sum(t, c);
  return output == FusedSumOutput::f16_steps_f16 ? V::through_f16(sum) : sum;
}

// 16-bit lanes as 32-bit ones: those of the first vector, then those of the second.
template <class V>
typename V::Int exponents_of(typename V::Int pairs, int vector) {
  return vector == 0 ? V::template right_signed<16>(V::template left<16>(pairs))
                     : V::template right_signed<16>(pairs);
}

// The exponent field of a float32, in its place; of a zero, 0. A float16 that is subnormal counts as 2^-14.
constexpr int lowest_f16_field = 127 - 14;
template <class V, FusedSumOutput output>
typename V::Int addend_field(typename V::Float c) {
  const typename V::Int field = V::and32(V::bits(c), V::all32(0x7F800000));
  if constexpr (!is_f16(output)) return field;
  const auto zero = V::equal(field, V::zero_bits());
  return V::select(zero, field, V::max32(field, V::all32(lowest_f16_field << 23)));
}

// One step of `rows` rows, c in and out.
template <class V, int terms, bool halves, FusedSumOutput output, int rows>
inline __attribute__((always_inline)) void step_in_range(const FusedSumTask& task, std::size_t row,
                                                         std::size_t k, typename V::Float (&c)[rows][2]) {
  using Int = typename V::Int;
  using Float = typename V::Float;
  constexpr std::size_t width = V::width;
  const std::size_t stride = task.a_stride;
  const float* const a = task.a_values + row * stride + k;
  const std::uint32_t* const ae = task.a_exponents + row * stride + k;
  const float* const b = task.b_values + k * 2 * width;
  const std::int16_t* const be = task.b_exponents + k * 2 * width;

  Int e[rows];
  for (int r = 0; r < rows; ++r) e[r] = V::all16(task.lowest + exponent_bias);
#pragma GCC unroll 32
  for (int i = 0; i < terms; ++i) {
    Int column = V::load(be + static_cast<std::size_t>(i) * 2 * width);
    V::keep(column);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const Int line = V::all(ae + static_cast<std::size_t>(r) * stride + i);
      e[r] = V::max16(e[r], V::add16(column, line));
    }
  }
  // Exponents stay where a float32 has them, biased as there: emax, then 2^(F - emax).
  const Int scale_of = V::all32((task.fraction + 254) << 23);
  Float scale[rows][2];
  Int sum[rows][2][2];
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    const Int biased = V::sub16(e[r], V::all16(exponent_bias - 127));
    const Int product[2] = {V::template left<23>(biased),
                            V::template left<23>(V::template right<16>(biased))};
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const Int emax = V::max32(product[v], addend_field<V, output>(c[r][v]));
      scale[r][v] = V::bits(V::sub32(scale_of, emax));
      sum[r][v][0] = V::truncated(V::mul(c[r][v], scale[r][v]));
    }
  }
#pragma GCC unroll 32
  for (int i = 0; i < terms; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      Float column = V::load(b + (static_cast<std::size_t>(i) * 2 + static_cast<std::size_t>(v)) * width);
      V::keep(column);  // in a register, for all rows
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        const Float product = V::mul(column, V::all(a + static_cast<std::size_t>(r) * stride + i));
        const Int term = V::truncated(V::mul(product, scale[r][v]));
        Int& s = sum[r][v][halves && i >= terms / 2 ? 1 : 0];
        s = halves && i == terms / 2 ? term : V::add32(s, term);
        V::keep(s);  // in this order: GCC makes trees of integer sums, and spills their leaves
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const Float s = sum_as_float<V, halves, is_f16(output)>(sum[r][v][0], sum[r][v][1]);
      const Float quantum = V::bits(V::sub32(V::all32(254 << 23), V::bits(scale[r][v])));  // 1 / scale
      Float x = V::mul(s, quantum);
      if constexpr (output == FusedSumOutput::e8m13) x = thirteen_bits<V>(x);
      if constexpr (is_f16(output)) x = V::select(is_infinite<V>(c[r][v]), c[r][v], V::through_f16(x));
      c[r][v] = x;
    }
  }
}

template <class V, int terms, bool halves, FusedSumOutput output>
inline void step_any_range(const FusedSumTask& task, std::size_t row, std::size_t k,
                           typename V::Float (&c)[2]) {
  using Int = typename V::Int;
  using Float = typename V::Float;
  constexpr std::size_t width = V::width;
  const float* const a = task.a_significands + row * task.a_stride + k;
  const std::uint32_t* const ae = task.a_exponents + row * task.a_stride + k;
  const float* const b = task.b_significands + k * 2 * width;
  const std::int16_t* const be = task.b_exponents + k * 2 * width;

  Int each[terms];
  Int highest = V::all16(0);
#pragma GCC unroll 32
  for (int i = 0; i < terms; ++i) {
    each[i] = V::add16(V::load(be + static_cast<std::size_t>(i) * 2 * width), V::all(ae + i));
    highest = V::max16(highest, each[i]);
  }
  const Int floor = V::all32(task.floor + exponent_bias);
  Int emax[2];
  bool below = false;
  for (int v = 0; v < 2; ++v) {
    const Int field = V::template right<24>(V::template left<1>(V::bits(c[v])));
    const auto zero = V::equal(V::template left<1>(V::bits(c[v])), V::zero_bits());
    const Int lowest = V::all32(is_f16(output) ? lowest_f16_field : 1);
    const Int normal = V::add32(V::max32(field, lowest), V::all32(exponent_bias - 127));
    emax[v] = V::max32(exponents_of<V>(highest, v), V::select(zero, V::zero_bits(), normal));
    below = below || V::any(V::less(emax[v], floor));
  }
  if (below) [[unlikely]] {
    Int lowest = highest;
    for (int i = 0; i < terms; ++i) lowest = V::min16(lowest, each[i]);
    for (int v = 0; v < 2; ++v) {
      const auto zero_c = V::equal(V::template left<1>(V::bits(c[v])), V::zero_bits());
      const auto zero = V::less(exponents_of<V>(lowest, v), V::all32(zero_product_below));
      const Int raised = V::max32(emax[v], floor);
      emax[v] = V::select(V::either(zero, zero_c), raised, emax[v]);
    }
  }
  // Zeros alone and no floor: any emax will do.
  for (int v = 0; v < 2; ++v) emax[v] = V::max32(emax[v], V::all32(exponent_bias - 300));
  const Int pairs = V::or32(V::and32(emax[0], V::all32(0xFFFF)), V::template left<16>(emax[1]));
  const Int base = V::sub16(pairs, V::all16(task.fraction + 127));

  Int sum[2][2];
  Int quantum[2];
  for (int v = 0; v < 2; ++v) {
    quantum[v] = V::sub32(emax[v], V::all32(exponent_bias + task.fraction));
    sum[v][0] = V::truncated(V::scaled(c[v], V::sub32(V::zero_bits(), quantum[v])));
    sum[v][1] = V::zero_bits();
  }
#pragma GCC unroll 32
  for (int i = 0; i < terms; ++i) {
    const Int shift = V::sub16_or_zero(each[i], base);  // of 0 to F + 127: the exponent field of a float32
    const Float line = V::all(a + i);
    const Float scale[2] = {
        V::bits(V::template left<23>(shift)),
        V::bits(V::template left<7>(V::and32(shift, V::all32(static_cast<int>(0xFFFF0000)))))};
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const Float column =
          V::load(b + (static_cast<std::size_t>(i) * 2 + static_cast<std::size_t>(v)) * width);
      Int& s = sum[v][halves && i >= terms / 2 ? 1 : 0];
      s = V::add32(s, V::truncated(V::mul(V::mul(column, line), scale[v])));
    }
  }
  for (int v = 0; v < 2; ++v) {
    const Float s = sum_as_float<V, halves, is_f16(output)>(sum[v][0], sum[v][1]);
    Float x = V::scaled(s, quantum[v]);
    if constexpr (output == FusedSumOutput::e8m13) x = thirteen_bits<V>(x);
    if constexpr (is_f16(output)) x = V::through_f16(x);
    // A sum that has overflowed stays infinite: the operands of these paths are finite.
    c[v] = V::select(is_infinite<V>(c[v]), c[v], x);
  }
}

// A chunk: one step, or the two of fp8 by way of f16. `step(k, c)` updates c.
template <class V, int terms, FusedSumOutput output, int rows, class Step>
inline __attribute__((always_inline)) void all_chunks(const FusedSumTask& task, std::size_t row, Step step) {
  using Float = typename V::Float;
  constexpr std::size_t width = V::width;
  float* const sums = task.sums + row * 2 * width;
  Float c[rows][2];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < 2; ++v) c[r][v] = V::load(sums + static_cast<std::size_t>(2 * r + v) * width);
  }
  for (std::size_t k = 0; k < task.k; k += is_steps(output) ? 2 * terms : terms) {
    if constexpr (is_steps(output)) {
      Float t[rows][2];
      for (int r = 0; r < rows; ++r) t[r][0] = t[r][1] = V::zero();
      step(k, t);
      step(k + terms, t);
      for (int r = 0; r < rows; ++r) {
        for (int v = 0; v < 2; ++v) c[r][v] = nearest_sum<V, output>(t[r][v], c[r][v]);
      }
    } else {
      step(k, c);
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < 2; ++v) V::store(sums + static_cast<std::size_t>(2 * r + v) * width, c[r][v]);
  }
}

template <class V, int terms, bool halves, FusedSumOutput output, int rows>
void rows_in_range(const FusedSumTask& task, std::size_t row) {
  all_chunks<V, terms, output, rows>(task, row, [&](std::size_t k, typename V::Float(&c)[rows][2]) {
    step_in_range<V, terms, halves, output, rows>(task, row, k, c);
  });
}

template <class V, int terms, bool halves, FusedSumOutput output>
void row_any_range(const FusedSumTask& task, std::size_t row) {
  all_chunks<V, terms, output, 1>(task, row, [&](std::size_t k, typename V::Float(&c)[1][2]) {
    step_any_range<V, terms, halves, output>(task, row, k, c[0]);
  });
}

template <class V, int terms, bool halves, FusedSumOutput output>
void all_rows(const FusedSumTask& task) {
  for (std::size_t row = 0; row < task.rows;) {
    if (task.wide[row] != 0) {
      row_any_range<V, terms, halves, output>(task, row);
      ++row;
      continue;
    }
    int together = 1;  // rows from here on that are not wide, as far as they fit
    while (together < V::rows && row + static_cast<std::size_t>(together) < task.rows &&
           task.wide[row + static_cast<std::size_t>(together)] == 0) {
      ++together;
    }
    if (together == V::rows) {
      rows_in_range<V, terms, halves, output, V::rows>(task, row);
      row += V::rows;
    } else {
      rows_in_range<V, terms, halves, output, 1>(task, row);
      ++row;
    }
  }
}

template <class V>
void fused_sum(const FusedSumTask& task) {
  using enum FusedSumOutput;
  const bool f16_result = task.output == f16;
  switch (task.output) {
    case f16_steps_f32: return all_rows<V, 16, true, f16_steps_f32>(task);
    case f16_steps_f16: return all_rows<V, 16, true, f16_steps_f16>(task);
    default: break;
  }
  switch (task.terms) {
    case 4: return f16_result ? all_rows<V, 4, false, f16>(task) : all_rows<V, 4, false, f32>(task);
    case 8: return f16_result ? all_rows<V, 8, false, f16>(task) : all_rows<V, 8, false, f32>(task);
    case 16:
      if (task.output == e8m13) return all_rows<V, 16, false, e8m13>(task);
      return f16_result ? all_rows<V, 16, true, f16>(task) : all_rows<V, 16, true, f32>(task);
    default:
      if (task.output == e8m13) return all_rows<V, 32, false, e8m13>(task);
      return f16_result ? all_rows<V, 32, true, f16>(task) : all_rows<V, 32, true, f32>(task);
  }
}

}  // namespace
}  // namespace assay::kernels
