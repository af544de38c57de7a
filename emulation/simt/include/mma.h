// nvcuda::wmma: fragments, loads and stores, products of a warp, bit for bit those of the imitated GPU's matrix units
// (emulation/simt/matrix.hpp). All shapes of the CUDA C++ Programming Guide: half, bfloat16 and 8-bit integers in
// m16n16k16, m32n8k16 and m8n32k16, tf32 in m16n16k8, double in m8n8k4; experimental 4-bit integers in m8n8k32 and bits
// in m8n8k128.
//
// A lane holds what mma.sync's fragments hold, in blocks of 16 x 8, and each element once: num_elements is a 32nd of
// the tile, where CUDA's may be more. Strides are checked to be multiples of 16 bytes, as the guide asks.
//
// Not here: C and D of different types, saturation of products of floating point; neither compiles or goes on.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "emulation/simt/block.hpp"
#include "emulation/simt/matrix.hpp"

namespace nvcuda::wmma {

enum layout_t { mem_row_major, mem_col_major };
struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
namespace precision {
struct tf32;
}
namespace experimental {
namespace precision {
struct u4;
struct s4;
struct b1;
}  // namespace precision
enum bmmaBitOp { bmmaBitOpXOR = 1, bmmaBitOpAND = 2 };
enum bmmaAccumulateOp { bmmaAccumulateOpPOPC = 1 };
}  // namespace experimental

}  // namespace nvcuda::wmma

namespace assay_wmma {

using assay::simt::MatrixFormat;
using assay::simt::MatrixOperation;

// What a fragment of T is made of: Stored in x[], Memory in memory; spread() is fill_fragment's value in x[].
template <MatrixFormat f, class Kept, class Read = Kept>
struct ElementOf {
  static constexpr MatrixFormat format = f;
  using Stored = Kept;
  using Memory = Read;
  static constexpr Kept spread(const Kept& value) { return value; }
};
template <class T>
struct Element;
// clang-format off
template <> struct Element<__half> : ElementOf<MatrixFormat::f16, __half> {};
template <> struct Element<__nv_bfloat16> : ElementOf<MatrixFormat::bf16, __nv_bfloat16> {};
template <> struct Element<nvcuda::wmma::precision::tf32> : ElementOf<MatrixFormat::tf32, float> {};
template <> struct Element<float> : ElementOf<MatrixFormat::f32, float> {};
template <> struct Element<double> : ElementOf<MatrixFormat::f64, double> {};
template <> struct Element<signed char> : ElementOf<MatrixFormat::s8, signed char> {};
template <> struct Element<unsigned char> : ElementOf<MatrixFormat::u8, unsigned char> {};
template <> struct Element<int> : ElementOf<MatrixFormat::s32, int> {};
// clang-format on
template <>
struct Element<nvcuda::wmma::experimental::precision::u4> : ElementOf<MatrixFormat::u4, unsigned, void> {
  static constexpr unsigned spread(unsigned value) { return (value & 15) * 0x11111111U; }
};
template <>
struct Element<nvcuda::wmma::experimental::precision::s4> : ElementOf<MatrixFormat::s4, int, void> {
  static constexpr int spread(int value) {
    return static_cast<int>((static_cast<unsigned>(value) & 15) * 0x11111111U);
  }
};
template <>
struct Element<nvcuda::wmma::experimental::precision::b1> : ElementOf<MatrixFormat::b1, unsigned, void> {
  static constexpr unsigned spread(unsigned value) { return (value & 1) != 0 ? 0xFFFFFFFFU : 0; }
};

constexpr bool is_shape(int m, int n, int k, int m0, int n0, int k0) { return m == m0 && n == n0 && k == k0; }
constexpr bool is_k16(int m, int n, int k) {
  return is_shape(m, n, k, 16, 16, 16) || is_shape(m, n, k, 32, 8, 16) || is_shape(m, n, k, 8, 32, 16);
}
// Of fragments of A and B.
constexpr bool has_factors(MatrixFormat f, int m, int n, int k) {
  switch (f) {
    case MatrixFormat::f16:
    case MatrixFormat::bf16:
    case MatrixFormat::s8:
    case MatrixFormat::u8: return is_k16(m, n, k);
    case MatrixFormat::tf32: return is_shape(m, n, k, 16, 16, 8);
    case MatrixFormat::f64: return is_shape(m, n, k, 8, 8, 4);
    case MatrixFormat::s4:
    case MatrixFormat::u4: return is_shape(m, n, k, 8, 8, 32);
    case MatrixFormat::b1: return is_shape(m, n, k, 8, 8, 128);
    default: return false;
  }
}
// Factors of this format into an accumulator of that one.
constexpr bool has_product(MatrixFormat f, MatrixFormat accumulator) {
  switch (f) {
    case MatrixFormat::f16: return accumulator == MatrixFormat::f32 || accumulator == MatrixFormat::f16;
    case MatrixFormat::bf16:
    case MatrixFormat::tf32: return accumulator == MatrixFormat::f32;
    case MatrixFormat::f64: return accumulator == MatrixFormat::f64;
    default: return accumulator == MatrixFormat::s32;
  }
}
constexpr bool has_accumulator(MatrixFormat accumulator, int m, int n, int k) {
  using enum MatrixFormat;
  for (const MatrixFormat f : {f16, bf16, tf32, f64, s8, s4, b1}) {
    if (has_product(f, accumulator) && has_factors(f, m, n, k)) return true;
  }
  return false;
}

enum class Use : std::uint8_t { none, a, b, accumulator };
template <class T>
constexpr Use use = Use::none;
template <>
constexpr Use use<nvcuda::wmma::matrix_a> = Use::a;
template <>
constexpr Use use<nvcuda::wmma::matrix_b> = Use::b;
template <>
constexpr Use use<nvcuda::wmma::accumulator> = Use::accumulator;

template <class Layout>
constexpr bool is_layout =
    std::is_same_v<Layout, nvcuda::wmma::row_major> || std::is_same_v<Layout, nvcuda::wmma::col_major>;

template <class U, int m, int n, int k, class T, class Layout>
constexpr bool exists() {
  constexpr MatrixFormat f = Element<T>::format;
  if constexpr (use<U> == Use::accumulator) return has_accumulator(f, m, n, k) && std::is_void_v<Layout>;
  // Less than a byte: neighbours along k share one in memory, too.
  const bool rows = std::is_same_v<Layout, nvcuda::wmma::row_major>;
  if (assay::simt::matrix_format_bits(f) < 8 && rows != (use<U> == Use::a)) return false;
  return use<U> != Use::none && has_factors(f, m, n, k) && is_layout<Layout>;
}

template <class U, int m, int n, int k, class T>
constexpr MatrixOperation tile = [] {
  MatrixOperation o;
  o.m = m;
  o.n = n;
  o.k = k;
  o.a = o.b = o.accumulator = Element<T>::format;
  return o;
}();
template <class U>
constexpr int elements(const MatrixOperation& o) {
  if (use<U> == Use::accumulator) return elements_of_c(o);
  return use<U> == Use::a ? elements_of_a(o) : elements_of_b(o);
}
template <class U>
constexpr assay::simt::MatrixPlace place(const MatrixOperation& o, int lane, int i) {
  if (use<U> == Use::accumulator) return place_of_c(o, lane, i);
  return use<U> == Use::a ? place_of_a(o, lane, i) : place_of_b(o, lane, i);
}

inline int lane() { return static_cast<int>(assay::simt::Block::current()->lane()); }

// at(i, offset) for element i of the lane's fragment (of 4 bits and less: for the first of word i), `offset` elements
// from the tile's begin in memory.
template <class U, class Fragment, class Visit>
void each_element(const MatrixOperation& o, unsigned stride, bool rows, const Visit& at) {
  const int self = lane();
  constexpr int per = Fragment::num_elements / Fragment::num_storage_elements;
  for (int i = 0; i < Fragment::num_storage_elements; ++i) {
    const assay::simt::MatrixPlace p = place<U>(o, self, per * i);
    const auto row = static_cast<std::size_t>(p.row), column = static_cast<std::size_t>(p.column);
    at(i, rows ? row * stride + column : column * stride + row);
  }
}

template <class U, class Fragment, class T, class Memory>
void load(Fragment& fragment, const MatrixOperation& o, const Memory* p, unsigned stride, bool rows) {
  constexpr int bits = assay::simt::matrix_format_bits(Element<T>::format);
  assay::simt::warp_agrees(p, stride, rows, bits);
  each_element<U, Fragment>(o, stride, rows, [&](int i, std::size_t offset) {
    if constexpr (bits < 8) {
      const auto* const words = static_cast<const typename Element<T>::Stored*>(p);
      fragment.x[i] = words[offset * bits / 32];
    } else {
      fragment.x[i] = p[offset];
    }
  });
}

template <class T>
[[gnu::always_inline]] inline void multiply(MatrixOperation o, const void* a, const void* b, const void* c,
                                            void* d) {
  o.a = o.b = Element<T>::format;
  assay::simt::warp_multiply_add(o, a, b, c, d);
}

}  // namespace assay_wmma

namespace nvcuda::wmma {

template <class Use, int m, int n, int k, class T, class Layout = void>
class alignas(8) fragment {
  static_assert(assay_wmma::exists<Use, m, n, k, T, Layout>(), "nvcuda::wmma has no such fragment");
  static constexpr int bits_ = assay::simt::matrix_format_bits(assay_wmma::Element<T>::format);

 public:
  using element_type = T;
  using storage_element_type = typename assay_wmma::Element<T>::Stored;
  static constexpr int num_elements = assay_wmma::elements<Use>(assay_wmma::tile<Use, m, n, k, T>);
  static constexpr int num_storage_elements = bits_ < 8 ? num_elements * bits_ / 32 : num_elements;
  storage_element_type x[num_storage_elements];
};

template <class Use, int m, int n, int k, class T, class Layout>
void fill_fragment(fragment<Use, m, n, k, T, Layout>& f,
                   const std::type_identity_t<typename assay_wmma::Element<T>::Stored>& value) {
  for (auto& x : f.x) x = assay_wmma::Element<T>::spread(value);
}

template <class Use, int m, int n, int k, class T, class Layout>
requires(!std::is_void_v<Layout>) void load_matrix_sync(
    fragment<Use, m, n, k, T, Layout>& f,
    const std::type_identity_t<typename assay_wmma::Element<T>::Memory>* p, unsigned ldm) {
  assay_wmma::load<Use, fragment<Use, m, n, k, T, Layout>, T>(f, assay_wmma::tile<Use, m, n, k, T>, p, ldm,
                                                              std::is_same_v<Layout, row_major>);
}
template <int m, int n, int k, class T>
void load_matrix_sync(fragment<accumulator, m, n, k, T>& f, const std::type_identity_t<T>* p, unsigned ldm,
                      layout_t layout) {
  assay_wmma::load<accumulator, fragment<accumulator, m, n, k, T>, T>(
      f, assay_wmma::tile<accumulator, m, n, k, T>, p, ldm, layout == mem_row_major);
}
template <int m, int n, int k, class T>
void store_matrix_sync(std::type_identity_t<T>* p, const fragment<accumulator, m, n, k, T>& f, unsigned ldm,
                       layout_t layout) {
  constexpr int bits = assay::simt::matrix_format_bits(assay_wmma::Element<T>::format);
  const bool rows = layout == mem_row_major;
  assay::simt::warp_agrees(p, ldm, rows, bits);
  assay_wmma::each_element<accumulator, fragment<accumulator, m, n, k, T>>(
      assay_wmma::tile<accumulator, m, n, k, T>, ldm, rows,
      [&](int i, std::size_t offset) { p[offset] = f.x[i]; });
}

template <int m, int n, int k, class T, class LayoutA, class LayoutB, class D, class C>
[[gnu::always_inline]] inline void mma_sync(fragment<accumulator, m, n, k, D>& d,
                                            const fragment<matrix_a, m, n, k, T, LayoutA>& a,
                                            const fragment<matrix_b, m, n, k, T, LayoutB>& b,
                                            const fragment<accumulator, m, n, k, C>& c, bool satf = false) {
  constexpr assay::simt::MatrixFormat to = assay_wmma::Element<C>::format,
                                      of = assay_wmma::Element<T>::format;
  static_assert(assay_wmma::has_product(of, to) && of != assay::simt::MatrixFormat::b1,
                "nvcuda::wmma has no product of these fragments");
  static_assert(std::is_same_v<C, D>, "wmma with C and D of different types is not emulated");
  constexpr bool integers = to == assay::simt::MatrixFormat::s32;
  if (satf && !integers) {
    assay::simt::Block::current()->fail("wmma: saturation of floating point, which PTX ISA 6.5 removed");
  }
  assay::simt::MatrixOperation o = assay_wmma::tile<accumulator, m, n, k, C>;
  o.saturate = satf;
  assay_wmma::multiply<T>(o, a.x, b.x, c.x, d.x);
}

// tf32 by cvt.rna: to the nearest, ties away from zero. The code of NaN is unverified.
inline float __float_to_tf32(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return std::bit_cast<float>(std::uint32_t{0x7FFFFFFF});
  if (magnitude == 0x7F800000) return x;
  return std::bit_cast<float>((bits + 0x1000) & 0xFFFFE000);
}

namespace experimental {

template <class LayoutA, class LayoutB>
[[gnu::always_inline]] inline void bmma_sync(fragment<accumulator, 8, 8, 128, int>& d,
                                             const fragment<matrix_a, 8, 8, 128, precision::b1, LayoutA>& a,
                                             const fragment<matrix_b, 8, 8, 128, precision::b1, LayoutB>& b,
                                             const fragment<accumulator, 8, 8, 128, int>& c,
                                             bmmaBitOp op = bmmaBitOpXOR,
                                             bmmaAccumulateOp = bmmaAccumulateOpPOPC) {
  assay::simt::MatrixOperation o = assay_wmma::tile<accumulator, 8, 8, 128, int>;
  o.bits = op == bmmaBitOpAND ? assay::simt::BitProduct::conjunction : assay::simt::BitProduct::exclusive_or;
  assay_wmma::multiply<precision::b1>(o, a.x, b.x, c.x, d.x);
}

}  // namespace experimental

}  // namespace nvcuda::wmma
