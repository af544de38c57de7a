// CUDA's pipeline of asynchronous copies: the primitives, and nvcuda::experimental::pipeline over them.
//
// Not here: pipelines with awbarrier, copies of types that are not 4, 8 or 16 bytes times a number.
#pragma once

#include <cstddef>
#include <type_traits>

#include "emulation/simt/include/cuda_pipeline_primitives.h"

namespace nvcuda::experimental {

class pipeline {
 public:
  pipeline() = default;
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;

  std::size_t commit() {
    __pipeline_commit();
    return stage_++;
  }
  void commit_and_wait() { wait(commit()); }
  // The stage of this number, and those before it.
  void wait(std::size_t stage) { __pipeline_wait_prior(stage < stage_ ? stage_ - 1 - stage : 0); }
  template <unsigned N>
  void wait_prior() {
    __pipeline_wait_prior(N);
  }

 private:
  std::size_t stage_ = 0;
};

template <class T>
void memcpy_async(T& to, const T& from, pipeline&) {
  static_assert(std::is_trivially_copyable_v<T>);
  constexpr std::size_t piece = sizeof(T) % 16 == 0 && alignof(T) >= 16 ? 16
                                : sizeof(T) % 8 == 0 && alignof(T) >= 8 ? 8
                                                                        : 4;
  static_assert(sizeof(T) % piece == 0 && alignof(T) >= piece);
  for (std::size_t at = 0; at < sizeof(T); at += piece)
    __pipeline_memcpy_async(reinterpret_cast<char*>(&to) + at, reinterpret_cast<const char*>(&from) + at,
                            piece);
}

}  // namespace nvcuda::experimental
