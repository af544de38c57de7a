// Copies by the threads of a cooperative group, done when they are waited for: each thread copies its share, of 16
// bytes at a time, and waits for its own, and for the group.
#pragma once

#include <algorithm>
#include <cstddef>

#include "emulation/simt/async.hpp"
#include "emulation/simt/include/cooperative_groups.h"
#include "emulation/simt/include/cuda/assay_copies.h"

namespace cooperative_groups {

// `shape`: bytes, or a cuda::aligned_size_t.
template <class Group, class T, class Shape>
requires(!std::is_pointer_v<Shape>) void memcpy_async(const Group& group, T* to, const T* from,
                                                      const Shape& shape) {
  assay_simt::copy_share(group, to, from, static_cast<std::size_t>(shape));
  assay::simt::async_commit();
}
// Of so many elements as both have.
template <class Group, class T, class ToLayout, class FromLayout>
void memcpy_async(const Group& group, T* to, const ToLayout& to_count, const T* from,
                  const FromLayout& from_count) {
  const std::size_t count =
      std::min(static_cast<std::size_t>(to_count), static_cast<std::size_t>(from_count));
  memcpy_async(group, to, from, count * sizeof(T));
}
template <class Group>
void wait(const Group& group) {
  assay::simt::async_wait_all();
  group.sync();
}
// For all but the last `Stages` copies.
template <unsigned Stages, class Group>
void wait_prior(const Group& group) {
  assay::simt::async_wait(Stages);
  group.sync();
}

}  // namespace cooperative_groups
