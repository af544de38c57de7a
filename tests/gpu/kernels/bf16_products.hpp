// What the tests of the bf16 kernels on tensor cores share: operands, predictions, and the place of a difference.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "emulation/simt/matrix.hpp"
#include "emulation/units/unit.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "tests/gpu/kernels/schedules.hpp"

namespace assay::bf16_products {

inline const Arithmetic& unit_named(const std::string& name) {
  static const ArithmeticRegistry& all = *[] {
    auto* const registry = new ArithmeticRegistry;  // lives as long as the program
    add_units(*registry);
    return registry;
  }();
  return all.find(name);
}

// For a scope the GPU whose units multiply; "sm_80".
class Imitated {
 public:
  explicit Imitated(const std::string& gpu) : before_(simt::imitated_architecture()) {
    simt::imitate_architecture(gpu);
  }
  ~Imitated() { simt::imitate_architecture(before_); }
  Imitated(const Imitated&) = delete;
  Imitated& operator=(const Imitated&) = delete;

 private:
  std::string before_;
};

// Codes whose products cancel and lose bits: normal, over 2^12 of scales. With `special`, one in 64 is a zero, a
// subnormal, an infinity or a NaN.
inline std::vector<std::uint16_t> bf16_numbers(std::size_t n, std::uint64_t seed, bool special = false) {
  const std::uint16_t specials[] = {0x0000, 0x8000, 0x0001, 0x807F, 0x7F80, 0xFF80, 0x7FC0};
  const CounterRandom random(seed);
  std::vector<std::uint16_t> all(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double scale = std::ldexp(1, static_cast<int>(random.below(13, 3 * i)) - 6);
    const double x = scale * random.normal(3 * i + 1);
    all[i] = special && random.below(64, 3 * i + 2) == 0
                 ? specials[random.below(std::size(specials), 3 * n + i)]
                 : static_cast<std::uint16_t>(encode(x, formats::bfloat16).code);
  }
  return all;
}

inline std::uint16_t bf16_of(float x) {
  return std::isnan(x) ? std::uint16_t{0x7FFF}
                       : static_cast<std::uint16_t>(encode(static_cast<double>(x), formats::bfloat16).code);
}
inline std::vector<std::uint16_t> bf16_of(const std::vector<float>& all) {
  std::vector<std::uint16_t> out;
  for (const float x : all) out.push_back(bf16_of(x));
  return out;
}

inline std::uint32_t code_of(float x) { return std::bit_cast<std::uint32_t>(x); }
inline std::uint32_t code_of(std::uint16_t x) { return x; }

// Empty, or the first place whose bits differ: "row 3, column 5 of 12 places: 0x7fffffff, not 0x3f800000".
template <class T>
std::string first_difference(const std::vector<T>& got, const std::vector<T>& expected, std::size_t columns) {
  if (got.size() != expected.size())
    return std::to_string(got.size()) + " outputs, not " + std::to_string(expected.size());
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = got.size(); i-- > 0;) {
    if (code_of(got[i]) == code_of(expected[i])) continue;
    ++wrong;
    first = i;
  }
  if (wrong == 0) return "";
  char codes[40];
  std::snprintf(codes, sizeof codes, ": 0x%x, not 0x%x", code_of(got[first]), code_of(expected[first]));
  return "row " + std::to_string(first / columns) + ", column " + std::to_string(first % columns) + " of " +
         std::to_string(wrong) + " places" + codes;
}

// Row-major, without gaps: the unit's A B. K is filled up with +0 to a multiple of 16, as the kernels do.
inline std::vector<float> product(const Arithmetic& unit, std::size_t m, std::size_t n, std::size_t k,
                                  const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b) {
  const std::size_t padded = (k + 15) / 16 * 16;
  std::vector<std::uint16_t> wide(m * padded), tall(b);
  for (std::size_t i = 0; i < m; ++i)
    std::copy_n(a.begin() + static_cast<std::ptrdiff_t>(i * k), k,
                wide.begin() + static_cast<std::ptrdiff_t>(i * padded));
  tall.resize(padded * n);
  std::vector<float> d(m * n);
  if (m * n != 0 && k != 0)
    unit.gemm({wide.data(), m, padded, static_cast<std::ptrdiff_t>(padded), 1, formats::bfloat16},
              {tall.data(), padded, n, static_cast<std::ptrdiff_t>(n), 1, formats::bfloat16}, {},
              {d.data(), m, n, static_cast<std::ptrdiff_t>(n), 1, formats::float32});
  return d;
}

// |got - exact| over the unit's proven bound, of one output; 0 where both are 0.
inline double share_of_bound(const Arithmetic& unit, const CodeVector& a, const CodeVector& b, float got) {
  ExactDot exact = unit.exact(a, b, {});
  exact.value.add(-static_cast<double>(got));
  const double error = exact.value.magnitude_up();
  return error == 0 ? 0 : error / unit.bound(a, b, {}, formats::float32);
}

}  // namespace assay::bf16_products
