// AutoSparse's CUDA kernels under the executor: the bits of the library's definition, whatever the order of threads.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gpu/kernels/autosparse_run.hpp"
#include "reference/core/random.hpp"
#include "tests/gpu/kernels/schedules.hpp"

using namespace assay;
using namespace assay::autosparse;

namespace {

// Around the thresholds; with zeros, infinities and NaNs, one in 16.
std::vector<float> numbers(std::size_t n, double scale, std::uint64_t seed) {
  const float special[] = {0.0F, -0.0F, 1e-45F, std::numeric_limits<float>::infinity(), std::nanf("")};
  const CounterRandom random(seed);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i)
    all[i] = random.below(16, 3 * i) == 0 ? special[random.below(std::size(special), 3 * i + 1)]
                                          : static_cast<float>(scale * random.normal(3 * i + 2));
  return all;
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

void check(const LayerShape& shape, bool by_channel, const GradientScales& scales, bool special) {
  const std::size_t n = shape.size(), groups = by_channel ? shape.channels : 1;
  std::vector<float> w = numbers(n, 0.3, 1), g = numbers(n, 1, 2), s(groups), thresholds(groups);
  if (!special) {
    for (std::size_t i = 0; i < n; ++i) g[i] = std::isfinite(g[i]) ? g[i] : 1.0F;
  }
  for (std::size_t i = 0; i < groups; ++i) {
    s[i] = -1.5F + 0.2F * static_cast<float>(i % 7);
    thresholds[i] = threshold_of(s[i]);
  }
  w[n / 2] = thresholds[by_channel ? n / 2 / shape.per_channel : 0];
  std::vector<float> v(n), dw(n);
  std::vector<std::uint8_t> mask(n);
  std::vector<double> ds(groups);
  forward<float>(w, shape, thresholds, v, mask, 1, &gradient_definition());
  backward<float>(w, shape, thresholds, g, scales, dw, ds, 1, &gradient_definition());
  for (std::size_t i = 0; i < groups; ++i)
    ds[i] = s_gradient(static_cast<double>(thresholds[i]), ds[i], static_cast<double>(s[i]), scales.lambda_s);
  for_each_schedule([&](const std::string& schedule) {
    const gpu::AutosparseResult got = gpu::run_autosparse(shape, w, s, g, scales);
    BOOST_TEST(same_bytes(got.v, v), schedule);
    BOOST_TEST(same_bytes(got.mask, mask), schedule);
    BOOST_TEST(same_bytes(got.dw, dw), schedule);
    BOOST_TEST((same_bytes(got.ds, ds) || (std::isnan(ds[0]) && std::isnan(got.ds[0]))), schedule);
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(autosparse_kernels_have_the_bits_of_the_definition) {
  check({1, 1}, false, {0.5, 0, 0}, false);
  check({3, 7}, true, {0.25, 0.01, 0.02}, false);
  check({5, 4096}, false, {0.5, 0, 0.1}, false);
  check({2, 4099}, true, {0, 1e-4, 0}, false);
  check({64, 27}, true, {1, 0, 0}, false);
  check({3, 4101}, false, {0.375, 0.01, 0.01}, true);
}
