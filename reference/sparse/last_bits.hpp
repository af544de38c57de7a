// Where the last bits of numbers lie, and whether all are finite: what tells that nothing can be flushed or underflow.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "reference/formats/storage.hpp"

namespace assay::sparse {

namespace detail {
inline std::uint32_t code_of(float x) { return std::bit_cast<std::uint32_t>(x); }
inline std::uint16_t code_of(bf16_t x) { return x.code; }
}  // namespace detail

// Of float or bf16_t.
template <class Number>
class LastBits {
 public:
  void add(std::span<const Number> numbers) {
    Code low = least_but_one_, high = largest_;
    for (const Number number : numbers) {
      const auto magnitude = static_cast<Code>(detail::code_of(number) & (sign - 1));
      const auto but_one = static_cast<Code>(magnitude - 1);  // a zero has none, and comes last
      // Written so that GCC takes vectors.
      low = but_one < low ? but_one : low;
      high = magnitude > high ? magnitude : high;
    }
    least_but_one_ = low;
    largest_ = high;
  }
  template <class View>
  void add_matrix(const View& x) {
    for (std::int64_t i = 0; i < x.rows; ++i)
      add(std::span<const Number>(x.data + i * x.stride, static_cast<std::size_t>(x.cols)));
  }

  // What was found elsewhere: the least magnitude less one, a zero's being the largest code, and the largest.
  void merge(decltype(detail::code_of(Number{})) least_but_one, decltype(detail::code_of(Number{})) largest) {
    least_but_one_ = std::min(least_but_one_, least_but_one);
    largest_ = std::max(largest_, largest);
  }

  bool all_finite() const { return largest_ < infinity; }
  bool only_zeros() const { return least_but_one_ == static_cast<Code>(~Code{0}); }
  // The least exponent of a last bit, of a finite number that is not zero: -149 for float's smallest.
  int least() const {
    const auto field = static_cast<int>((std::uint32_t{least_but_one_} + 1) >> fraction_bits);
    return std::max(field, 1) - 127 - fraction_bits;
  }

 private:
  using Code = decltype(detail::code_of(Number{}));
  static constexpr int fraction_bits = sizeof(Number) == 4 ? 23 : 7;
  static constexpr Code sign = static_cast<Code>(Code{1} << (8 * sizeof(Code) - 1));
  static constexpr Code infinity = static_cast<Code>(Code{0xFF} << fraction_bits);

  Code least_but_one_ = static_cast<Code>(~Code{0}), largest_ = 0;
};

// Can a product of two such numbers lie below 2^exponent, but for zeros?
template <class A, class B>
bool products_reach_below(const LastBits<A>& a, const LastBits<B>& b, int exponent) {
  return !a.only_zeros() && !b.only_zeros() && a.least() + b.least() < exponent;
}

}  // namespace assay::sparse
