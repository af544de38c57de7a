// Prefix sums over the threads of a cooperative group, by x[i] = op(x[i - d], x[i]) for d = 1, 2, 4, ... An exclusive
// one begins with T{}. CUDA does not say in which order it computes them.
#pragma once

#include "emulation/simt/include/cooperative_groups/reduce.h"

namespace cooperative_groups {

template <class Group, class T, class Op = plus<std::remove_cvref_t<T>>>
std::remove_cvref_t<T> inclusive_scan(const Group& group, T&& value, Op&& op = {}) {
  using Value = std::remove_cvref_t<T>;
  constexpr auto work = [](auto& operands, unsigned n) { details::scan_all(operands, n); };
  return details::in_group<work>(group, Value(value), op);
}
template <class Group, class T, class Op = plus<std::remove_cvref_t<T>>>
std::remove_cvref_t<T> exclusive_scan(const Group& group, T&& value, Op&& op = {}) {
  const auto all = inclusive_scan(group, value, op);
  const unsigned rank = group.thread_rank();
  const auto before = group.shfl(all, rank == 0 ? 0 : static_cast<int>(rank - 1));
  return rank == 0 ? std::remove_cvref_t<T>{} : before;
}

namespace details {
template <class Group, class Atomic, class T, class Op>
T reserve(const Group& group, Atomic& to, T total, const Op& op) {
  const unsigned last = group.size() - 1;
  T before{};
  if (group.thread_rank() == last) {
    before = to.load();
    while (!to.compare_exchange_weak(before, op(before, total))) {
    }
  }
  return group.shfl(before, static_cast<int>(last));
}
}  // namespace details

// op() of what an atomic variable of <cuda/atomic> was and of the scan; the variable takes the group's total.
template <class Group, class Atomic, class T, class Op = plus<std::remove_cvref_t<T>>>
std::remove_cvref_t<T> inclusive_scan_update(const Group& group, Atomic& to, T&& value, Op&& op = {}) {
  const auto all = inclusive_scan(group, value, op);
  return op(details::reserve(group, to, all, op), all);
}
template <class Group, class Atomic, class T, class Op = plus<std::remove_cvref_t<T>>>
std::remove_cvref_t<T> exclusive_scan_update(const Group& group, Atomic& to, T&& value, Op&& op = {}) {
  const auto all = inclusive_scan(group, value, op);
  const auto before = details::reserve(group, to, all, op);
  const unsigned rank = group.thread_rank();
  const auto sum = group.shfl(all, rank == 0 ? 0 : static_cast<int>(rank - 1));
  return rank == 0 ? before : op(before, sum);
}

}  // namespace cooperative_groups
