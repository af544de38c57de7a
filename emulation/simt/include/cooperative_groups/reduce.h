// Reductions over the threads of a cooperative group: every thread gets the result.
//
// Order
//   tiles, and coalesced groups of a power of two   x[i] = op(x[i], x[i ^ d]) for d = size / 2, ..., 2, 1
//   others   x[i] = op(x[i], x[i + d]) where there is one, for d = 2^k < size down to 1; all get x[0]
// CUDA does not say in which order it reduces: sums of floating-point numbers may differ in their last bits on a GPU.
#pragma once

#include <bit>
#include <type_traits>

#include "emulation/simt/include/cooperative_groups.h"

namespace cooperative_groups {

template <class T = void>
struct plus {
  constexpr T operator()(const T& a, const T& b) const { return static_cast<T>(a + b); }
};
template <class T = void>
struct less {  // the lesser one
  constexpr T operator()(const T& a, const T& b) const { return b < a ? b : a; }
};
template <class T = void>
struct greater {  // the greater one
  constexpr T operator()(const T& a, const T& b) const { return a < b ? b : a; }
};
template <class T = void>
struct bit_and {
  constexpr T operator()(const T& a, const T& b) const { return static_cast<T>(a & b); }
};
template <class T = void>
struct bit_or {
  constexpr T operator()(const T& a, const T& b) const { return static_cast<T>(a | b); }
};
template <class T = void>
struct bit_xor {
  constexpr T operator()(const T& a, const T& b) const { return static_cast<T>(a ^ b); }
};
#define ASSAY_SIMT_OF_ANY(name, expression)                \
  template <>                                              \
  struct name<void> {                                      \
    template <class T>                                     \
    constexpr T operator()(const T& a, const T& b) const { \
      return static_cast<T>(expression);                   \
    }                                                      \
  };
ASSAY_SIMT_OF_ANY(plus, a + b)
ASSAY_SIMT_OF_ANY(less, b < a ? b : a)
ASSAY_SIMT_OF_ANY(greater, a < b ? b : a)
ASSAY_SIMT_OF_ANY(bit_and, a& b)
ASSAY_SIMT_OF_ANY(bit_or, a | b)
ASSAY_SIMT_OF_ANY(bit_xor, a ^ b)
#undef ASSAY_SIMT_OF_ANY

namespace details {

template <class T, class Op>
struct Operand {
  T* value;
  const Op* op;
};

// In place, values[rank] of n threads: who is there has a value.
template <class T, class Op, unsigned Most>
void reduce_all(Operand<T, Op> (&x)[Most], unsigned n) {
  T now[Most], next[Most];
  bool there[Most] = {};
  for (unsigned i = 0; i < n; ++i) {
    there[i] = x[i].value != nullptr;
    if (there[i]) now[i] = *x[i].value;
  }
  const bool power = (n & (n - 1)) == 0;
  for (unsigned d = std::bit_ceil(n) / 2; d != 0; d /= 2) {
    for (unsigned i = 0; i < n; ++i) {
      const unsigned other = power ? i ^ d : i + d;
      const bool pairs = there[i] && other < n && there[other] && (power || i < d);
      next[i] = pairs ? static_cast<T>((*x[i].op)(now[i], now[other])) : now[i];
    }
    for (unsigned i = 0; i < n; ++i) now[i] = next[i];
  }
  unsigned first = 0;
  while (first + 1 < n && !there[first]) ++first;
  for (unsigned i = 0; i < n; ++i) {
    if (there[i]) *x[i].value = power ? now[i] : now[first];
  }
}
// x[i] = op(x[i - d], x[i]) for d = 1, 2, 4, ...
template <class T, class Op, unsigned Most>
void scan_all(Operand<T, Op> (&x)[Most], unsigned n) {
  T now[Most], next[Most];
  for (unsigned i = 0; i < n; ++i) {
    if (x[i].value != nullptr) now[i] = *x[i].value;
  }
  for (unsigned d = 1; d < n; d *= 2) {
    for (unsigned i = 0; i < n; ++i) {
      const bool pairs = i >= d && x[i].value != nullptr && x[i - d].value != nullptr;
      next[i] = pairs ? static_cast<T>((*x[i].op)(now[i - d], now[i])) : now[i];
    }
    for (unsigned i = 0; i < n; ++i) now[i] = next[i];
  }
  for (unsigned i = 0; i < n; ++i) {
    if (x[i].value != nullptr) *x[i].value = now[i];
  }
}

// work(operands by rank, count) once for the group; each thread's value is in place.
template <auto work, class T, class Op>
T in_group(const WarpGroup& group, T value, const Op& op) {
  struct In {
    Operand<T, Op> operand;
    unsigned lanes;
  };
  const In in{{&value, &op}, group.assay_lanes()};
  Block::current()->collective(group.assay_lanes(), &in, nullptr,
                               [](const void* const* inputs, void* const*, std::uint32_t live) {
                                 Operand<T, Op> operands[32]{};
                                 unsigned n = 0;
                                 const unsigned any = static_cast<unsigned>(std::countr_zero(live));
                                 const unsigned lanes = static_cast<const In*>(inputs[any])->lanes;
                                 assay::simt::for_each_lane(lanes, [&](unsigned lane) {
                                   if ((live >> lane & 1) != 0)
                                     operands[n] = static_cast<const In*>(inputs[lane])->operand;
                                   ++n;
                                 });
                                 work(operands, n);
                               });
  return value;
}
template <auto work, class T, class Op>
T in_group(const WideGroup& group, T value, const Op& op) {
  const Operand<T, Op> in{&value, &op};
  Block::current()->group(group.assay_first(), group.size(), &in, nullptr,
                          [](const void* const* inputs, void* const*, std::uint32_t n) {
                            Operand<T, Op> operands[512]{};
                            for (unsigned i = 0; i < n; ++i) {
                              if (inputs[i] != nullptr)
                                operands[i] = *static_cast<const Operand<T, Op>*>(inputs[i]);
                            }
                            work(operands, n);
                          });
  return value;
}

}  // namespace details

template <class Group, class T, class Op>
std::remove_cvref_t<T> reduce(const Group& group, T&& value, Op&& op) {
  using Value = std::remove_cvref_t<T>;
  constexpr auto work = [](auto& operands, unsigned n) { details::reduce_all(operands, n); };
  return details::in_group<work>(group, Value(value), op);
}
// Done when the call returns.
template <class Group, class To, class T, class Op>
void reduce_store_async(const Group& group, To* to, T&& value, Op&& op) {
  const auto result = reduce(group, value, op);
  if (group.thread_rank() == 0) *to = result;
}
// Into an atomic variable of <cuda/atomic>.
template <class Group, class Atomic, class T, class Op>
void reduce_update_async(const Group& group, Atomic& to, T&& value, Op&& op) {
  const auto result = reduce(group, value, op);
  if (group.thread_rank() != 0) return;
  auto old = to.load();
  while (!to.compare_exchange_weak(old, op(old, result))) {
  }
}

}  // namespace cooperative_groups
