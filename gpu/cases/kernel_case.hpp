// What a CUDA kernel is asked, with operands from a seed: by suite `cuda` under the executor, by assay-kernels-gpu on
// a GPU, and once more by whoever judges what that has written. Nothing here depends on the machine's mathematics
// library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "reference/formats/storage.hpp"

namespace assay::gpu {

// One array that a kernel wrote, row-major.
struct KernelArray {
  std::string name{};     // "dw"; of several products of a case what is special to each: "n=65"
  std::string element{};  // as NumPy and ml_dtypes name it: "float32"
  std::vector<std::int64_t> shape{};
  std::vector<std::byte> bytes{};

  std::size_t element_bytes() const;
  std::size_t size() const;
  std::uint64_t code(std::size_t i) const;  // of element i, in the low bits
  void set_code(std::size_t i, std::uint64_t code);

  friend bool operator==(const KernelArray&, const KernelArray&) = default;
};
using KernelArrays = std::vector<KernelArray>;

template <class T>
KernelArray kernel_array(std::string name, std::span<const T> values, std::vector<std::int64_t> shape) {
  KernelArray out{.name = std::move(name), .element = {}, .shape = std::move(shape), .bytes = {}};
  if constexpr (std::is_same_v<T, float>) {
    out.element = "float32";
  } else if constexpr (std::is_same_v<T, double>) {
    out.element = "float64";
  } else if constexpr (std::is_same_v<T, bf16_t>) {
    out.element = "bfloat16";
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    out.element = "int64";
  } else {
    static_assert(std::is_same_v<T, std::uint8_t>, "an element that KernelArray has no name for");
    out.element = "uint8";
  }
  out.bytes.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(out.bytes.data(), values.data(), values.size_bytes());
  return out;
}
template <class T>
KernelArray kernel_array(std::string name, const std::vector<T>& values, std::vector<std::int64_t> shape) {
  return kernel_array<T>(std::move(name), std::span<const T>(values), std::move(shape));
}

struct KernelCase {
  std::string member{};                                           // "spmm/csr_f32"
  std::vector<std::pair<std::string, std::string>> parameters{};  // without the seed
  std::function<KernelArrays(std::uint64_t seed)> run{};
};

// The GPU whose kernels are asked: its tensor cores, and whether device code for sm_90a runs.
struct CaseGpu {
  int architecture = 90;  // compute capability 9.0
  bool has_wgmma = true;

  std::string name() const;  // "sm_90a"
};

// All that it has: AutoSparse, CSR, conversion, tensor cores, sparse networks.
std::vector<KernelCase> kernel_cases(const CaseGpu& gpu);

}  // namespace assay::gpu
