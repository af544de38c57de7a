// What the parts of the runtime API that own memory share: pools, what lives, copies by streams.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_set>

#include "emulation/simt/runtime.hpp"

struct CUmemPoolHandle_st {
  std::atomic<std::uint64_t> used{0}, used_high{0}, threshold{0};
  int reuse[3] = {1, 1, 1};
  std::size_t most = 0;
  bool of_program = false;
};
namespace assay_simt::runtime {

// Of rows, and of where textures of linear memory begin.
inline constexpr std::size_t pitch_alignment = 512;

// Aligned for both.
assay::LargeMemory device_memory(std::size_t bytes);

// Handles that the program has been given and has not given back.
template <class T>
struct Live {
  std::mutex mutex{};
  std::unordered_set<const T*> all{};
  bool has(const T* one) {
    const std::scoped_lock lock(mutex);
    return all.contains(one);
  }
  void add(const T* one) {
    const std::scoped_lock lock(mutex);
    all.insert(one);
  }
  bool remove(const T* one) {
    const std::scoped_lock lock(mutex);
    return all.erase(one) != 0;
  }
};
template <class T>
Live<T>& live() {
  static Live<T>& of_type = *new Live<T>;
  return of_type;
}
CUmemPoolHandle_st& default_pool();
std::atomic<CUmemPoolHandle_st*>& current_pool();
bool is_pool(const CUmemPoolHandle_st* pool);

bool to_device(cudaMemcpyKind kind);
bool from_device(cudaMemcpyKind kind);
// Checks a copy, and does it or makes it a node of what the stream captures.
cudaError_t begin_copy(const cudaMemcpy3DParms& copy, bool async, cudaStream_t stream);

}  // namespace assay_simt::runtime
