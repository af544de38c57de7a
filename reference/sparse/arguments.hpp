// What the products of sparse matrices ask of their dense arguments. Errors name the operation and the argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "reference/core/error.hpp"
#include "reference/core/large_memory.hpp"
#include "reference/core/memory.hpp"

namespace assay::sparse {

// Where an argument lies: [begin, end). Nothing overlaps with an empty one.
struct Extent {
  const void *begin = nullptr, *end = nullptr;
};
inline Extent extent_of(std::span<const float> x) {
  return x.empty() ? Extent{} : Extent{x.data(), x.data() + x.size()};
}
template <class View>
Extent extent_of_matrix(const View& x) {
  if (x.rows == 0 || x.cols == 0) return {};
  return {x.data, x.data + (x.rows - 1) * x.stride + x.cols};
}
inline bool overlap(const Extent& x, const Extent& y) {
  return x.begin != nullptr && y.begin != nullptr && std::less<>()(x.begin, y.end) &&
         std::less<>()(y.begin, x.end);
}

// A row-major matrix of rows x cols.
template <class View>
void check_matrix(std::string_view operation, std::string_view name, const View& x, std::int64_t rows,
                  std::int64_t cols) {
  const auto shape = [](std::int64_t m, std::int64_t n) {
    return std::to_string(m) + " x " + std::to_string(n);
  };
  const std::string who = std::string(operation) + ": " + std::string(name);
  if (x.rows != rows || x.cols != cols)
    throw ContractError(who + " is " + shape(x.rows, x.cols) + ", not " + shape(rows, cols));
  if (rows < 0 || cols < 0) throw ContractError(who + " is " + shape(rows, cols));
  if (x.stride < x.cols)
    throw ContractError(who + " has rows " + std::to_string(x.stride) + " apart, of " +
                        std::to_string(x.cols) + " columns");
  if (rows == 0 || cols == 0) return;
  if (x.data == nullptr) throw ContractError(who + " is null");
  const auto u = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  const auto before = bytes_product({u(rows - 1), u(x.stride), sizeof *x.data});
  const auto all = bytes_sum({before.value_or(UINT64_MAX), u(cols) * sizeof *x.data});
  if (all.value_or(UINT64_MAX) > u(INT64_MAX))
    throw ContractError(who + " is " + shape(rows, cols) + " with rows " + std::to_string(x.stride) +
                        " apart: 2^63 bytes or more");
}

inline void check_count(std::string_view operation, std::string_view name, std::span<const float> x,
                        std::int64_t count) {
  if (static_cast<std::int64_t>(x.size()) != count)
    throw ContractError(std::string(operation) + ": " + std::string(name) + " has " +
                        std::to_string(x.size()) + " values, not " + std::to_string(count));
}

// Floats at a multiple of 64 bytes, not initialised.
class AlignedBuffer {
 public:
  float* at_least(std::size_t count) {
    if (count > count_) {
      memory_.reset();
      memory_ = large_memory(count * sizeof(float));
      count_ = count;
    }
    return reinterpret_cast<float*>(memory_.get());
  }

 private:
  LargeMemory memory_{};
  std::size_t count_ = 0;
};

}  // namespace assay::sparse
