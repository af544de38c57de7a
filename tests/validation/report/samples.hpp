// Comparisons to show: the failing one of the documentation, one within its bound, one that proves nothing.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/formats/storage.hpp"
#include "validation/compare/comparator.hpp"

namespace assay::samples {

inline compare::Policy policy(const char* name) {
  return compare::find_policy(compare::default_policies(), name, "sample");
}

// 64 x 33 bfloat16 values: two are within the bound and not the nearest, and of the last column none is
// right. The worst is [31,32], 21 steps and 37.2 bounds away.
inline compare::Comparison failing() {
  constexpr std::size_t m = 64, n = 33, worst = 31 * n + 32;
  const CounterRandom random(7);
  std::vector<bf16_t> want(m * n);
  for (std::size_t i = 0; i < want.size(); ++i) {
    // No zero is within the bound; in the last column a step is 2^-6 or 2^-7.
    const double x = i % n == 32 ? 1 + 2.9 * random.uniform(i) : 0.25 + std::fabs(3 * random.normal(i));
    want[i] = bf16_t(random.u32(i) % 2 == 0 ? x : -x);
  }
  want[worst] = bf16_t::from_code(0x4045);
  std::vector<double> truth(want.size()), bound(want.size(), 0.328125 / 37.2);
  for (std::size_t i = 0; i < want.size(); ++i) truth[i] = static_cast<double>(want[i]);
  std::vector<bf16_t> got = want;
  const auto move = [&](std::size_t i, unsigned steps) {
    got[i] = bf16_t::from_code(static_cast<std::uint16_t>(want[i].code + steps));
  };
  for (std::size_t row = 0; row < m; ++row)
    move(row * n + 32, 2 + static_cast<unsigned>(random.below(4, row)));
  got[worst] = bf16_t::from_code(0x4030);
  for (const std::size_t i : {std::size_t{100}, std::size_t{200}}) {
    bound[i] = std::fabs(truth[i]) / 2;
    move(i, 1);
  }
  compare::Options options;
  options.policy = policy("bound");
  return compare::judge({got.data(), formats::bfloat16, {m, n}},
                        {.codes = {want.data(), formats::bfloat16, {m, n}}, .truth = truth, .bound = bound},
                        options);
}

// 96 x 80 float32 values with errors of up to half their bound, over twenty binades.
inline compare::Comparison passing() {
  constexpr std::size_t m = 96, n = 80;
  const CounterRandom random(8);
  std::vector<float> want(m * n), got(m * n);
  std::vector<double> truth(m * n), bound(m * n);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const int exponent = static_cast<int>(random.below(20, 2 * i)) - 12;
    truth[i] = std::ldexp(1 + random.uniform(2 * i + 1), exponent) * (i % 2 == 0 ? 1 : -1);
    want[i] = static_cast<float>(truth[i]);
    bound[i] = std::ldexp(1.0, exponent - 19);
    got[i] = static_cast<float>(truth[i] + 0.2 * bound[i] * random.normal(3 * i + (std::size_t{1} << 40)));
  }
  compare::Options options;
  options.policy = policy("bound");
  options.operation = "gemm m=96 n=80 k=512 a=bfloat16 b=bfloat16";
  return compare::judge({got.data(), formats::float32, {m, n}},
                        {.codes = {want.data(), formats::float32, {m, n}}, .truth = truth, .bound = bound},
                        options);
}

inline compare::Comparison vacuous() {
  const std::vector<float> zeros(12, 0);
  return compare::judge({zeros.data(), formats::float32, {3, 4}},
                        {.codes = {zeros.data(), formats::float32, {3, 4}}}, {});
}

}  // namespace assay::samples
