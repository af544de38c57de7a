// The additions of an order, one after another, over any kind of number: what forms a sum on the host or by encode(),
// and what lists the additions as a schedule, is one text, so that the order cannot differ between them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "reference/exact/schedule.hpp"

namespace assay {

// Operations that keep nothing say so (`stateless`): loops work on a copy of those, which stays in registers.
template <class Ops>
using LocalOps = std::conditional_t < requires {
  Ops::stateless;
}
, Ops, Ops& > ;

// The terms from the last to the first.
template <class Ops>
struct ReversedOps {
  using Value = typename Ops::Value;
  Ops& ops;
  std::size_t last;

  Value zero() { return ops.zero(); }
  Value start() { return ops.start(); }
  Value take(Value sum, std::size_t i) { return ops.take(sum, last - i); }
  Value add(Value x, Value y) { return ops.add(x, y); }
};

// Ops: Value, zero(), start() (c; called where there is one), take(sum, i) = sum + term i, add(x, y) = x + y.
template <class Ops>
class OrderedSum {
 public:
  using Value = typename Ops::Value;

  // `order.reversed` is not looked at.
  OrderedSum(const SumOrder& order, std::size_t n, bool has_c, Ops& ops)
      : order_(order), n_(n), starts_(has_c && !order.c_last), ends_(has_c && order.c_last), ops_(ops) {}

  Value operator()() {
    if (n_ == 0) return starts_ || ends_ ? ops_.start() : ops_.zero();
    const Value sum = of_kind();
    return ends_ ? with_c(sum) : sum;
  }

 private:
  Value of_kind() {
    switch (order_.kind) {
      case SumOrder::Kind::split: return blocked((n_ + order_.parts - 1) / order_.parts);
      case SumOrder::Kind::pairwise: return with_c_if_it_starts(pairwise(ops_, 0, n_, order_.base));
      case SumOrder::Kind::numpy: return with_c_if_it_starts(numpy(0, n_));
      case SumOrder::Kind::blocked:
      case SumOrder::Kind::any: break;
    }
    return blocked(order_.panel == 0 ? n_ : order_.panel);
  }

  Value with_c(Value sum) {
    const Value c = ops_.start();
    return ops_.add(c, sum);
  }
  Value with_c_if_it_starts(Value sum) { return starts_ ? with_c(sum) : sum; }

  static Value chain(Ops& all, Value sum, std::size_t begin, std::size_t count) {
    LocalOps<Ops> ops = all;
    for (std::size_t i = begin, end = begin + count; i < end; ++i) sum = ops.take(sum, i);
    return sum;
  }
  // Apart from what surrounds it: where taking a term is a call, the sum stays in the register that it comes back in.
  [[gnu::noinline]] static Value long_chain(Ops& ops, Value sum, std::size_t begin, std::size_t count) {
    return chain(ops, sum, begin, count);
  }

  [[gnu::noinline]] static void take_in_lanes(Ops& all, Value* lanes, std::size_t width, std::size_t begin,
                                              std::size_t count) {
    LocalOps<Ops> ops = all;
    for (std::size_t j = 0; j < width; ++j) lanes[j] = ops.zero();
    const std::size_t end = begin + count;
    for (; width <= end - begin; begin += width) {
      for (std::size_t j = 0; j < width; ++j) lanes[j] = ops.take(lanes[j], begin + j);
    }
    for (std::size_t j = 0; begin + j < end; ++j) lanes[j] = ops.take(lanes[j], begin + j);
  }

  Value folded(Value* lanes, std::size_t width, LaneSum how) {
    if (how == LaneSum::in_order) {
      for (std::size_t j = 1; j < width; ++j) lanes[0] = ops_.add(lanes[0], lanes[j]);
      return lanes[0];
    }
    while (width > 1) {
      const std::size_t half = (width + 1) / 2;
      if (how == LaneSum::halves) {
        for (std::size_t j = 0; j + half < width; ++j) lanes[j] = ops_.add(lanes[j], lanes[j + half]);
      } else {
        for (std::size_t j = 0; 2 * j < width; ++j)
          lanes[j] = 2 * j + 1 < width ? ops_.add(lanes[2 * j], lanes[2 * j + 1]) : lanes[2 * j];
      }
      width = half;
    }
    return lanes[0];
  }

  Value panel(std::size_t begin, std::size_t count) {
    const std::size_t width = order_.lanes;
    const std::size_t in_lanes = order_.tail_after ? count - count % width : count;
    if (width == 1 || in_lanes == 0) return long_chain(ops_, ops_.zero(), begin, count);
    lanes_.resize(width);
    take_in_lanes(ops_, lanes_.data(), width, begin, in_lanes);
    return chain(ops_, folded(lanes_.data(), width, order_.lane_sum), begin + in_lanes, count - in_lanes);
  }

  Value blocked(std::size_t width) {
    // One chain takes c as its first value; chains of panels are added to it.
    if (order_.lanes == 1 && width >= n_)
      return long_chain(ops_, starts_ ? ops_.start() : ops_.zero(), 0, n_);
    std::size_t count = panel_at(0, width);
    Value total = with_c_if_it_starts(panel(0, count));
    for (std::size_t begin = count; begin < n_; begin += count) {
      count = panel_at(begin, width);
      total = ops_.add(total, panel(begin, count));
    }
    return total;
  }

  // How many terms the panel has that begins here.
  std::size_t panel_at(std::size_t begin, std::size_t width) const {
    const std::size_t left = n_ - begin;
    // OpenBLAS's interface/level3.c: what is left is more than one panel and less than two.
    if (order_.even_last && left > width && left < 2 * width)
      return std::min((left / 2 + 15) / 16 * 16, left);
    return std::min(width, left);
  }

  static Value run(Ops& ops, std::size_t begin, std::size_t n) {
    Value sum = ops.zero();
    for (std::size_t i = 0; i < n; ++i) sum = ops.take(sum, begin + i);
    return sum;
  }
  // Runs are no calls: with short ones those would take most of the time.
  static Value pairwise(Ops& ops, std::size_t begin, std::size_t n, std::size_t base) {
    if (n <= base) return run(ops, begin, n);
    const std::size_t half = n / 2, rest = n - half;
    const Value left = half <= base ? run(ops, begin, half) : pairwise(ops, begin, half, base);
    const Value right = rest <= base ? run(ops, begin + half, rest) : pairwise(ops, begin + half, rest, base);
    return ops.add(left, right);
  }

  // numpy/_core/src/umath/loops_utils.h.src, @TYPE@_pairwise_sum.
  Value numpy(std::size_t begin, std::size_t n) {
    if (n < 8) return chain(ops_, ops_.zero(), begin, n);
    if (n > 128) {
      const std::size_t half = n / 2 - n / 2 % 8;
      const Value left = numpy(begin, half);
      return ops_.add(left, numpy(begin + half, n - half));
    }
    std::array<Value, 8> lanes;
    const std::size_t whole = n - n % 8;
    take_in_lanes(ops_, lanes.data(), 8, begin, whole);
    return chain(ops_, folded(lanes.data(), 8, LaneSum::adjacent), begin + whole, n - whole);
  }

  const SumOrder& order_;
  std::size_t n_;
  bool starts_, ends_;  // where c comes, if there is one
  Ops& ops_;
  std::vector<Value> lanes_{};
};

// The sum of n terms, and c if there is one, in this order. `order` is sound and not any order: see make_schedule().
template <class Ops>
typename Ops::Value ordered_sum(const SumOrder& order, std::size_t n, bool has_c, Ops& ops) {
  if (!order.reversed) return OrderedSum<Ops>(order, n, has_c, ops)();
  ReversedOps<Ops> reversed{ops, n - 1};
  return OrderedSum<ReversedOps<Ops>>(order, n, has_c, reversed)();
}

}  // namespace assay
