// What cuda::memcpy_async and cooperative_groups::memcpy_async have in common.
#pragma once

#include <cstddef>

#include "emulation/simt/async.hpp"

namespace cuda {

// A size that promises an alignment.
template <::std::size_t Alignment>
struct aligned_size_t {
  static constexpr ::std::size_t align = Alignment;
  ::std::size_t value;
  explicit constexpr aligned_size_t(::std::size_t bytes) : value(bytes) {}
  constexpr operator ::std::size_t() const { return value; }
};

}  // namespace cuda

namespace assay_simt {

// Starts the calling thread's share of a copy by a group.
template <class Group>
void copy_share(const Group& group, void* to, const void* from, std::size_t bytes) {
  constexpr std::size_t piece = 16;
  const std::size_t step = piece * static_cast<std::size_t>(group.size());
  for (std::size_t at = piece * static_cast<std::size_t>(group.thread_rank()); at < bytes; at += step) {
    assay::simt::async_copy(static_cast<char*>(to) + at, static_cast<const char*>(from) + at,
                            bytes - at < piece ? bytes - at : piece);
  }
}

}  // namespace assay_simt
