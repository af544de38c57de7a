// Every kernel of the gradient path, and the bodies over plain lanes, against the plain loops that define the results:
// the same bits, for every rest of a register, for zeros, subnormals, infinities and NaNs, and around the caches.
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "reference/autosparse/gradient.hpp"
#include "reference/autosparse/kernels/gradient_of.hpp"
#include "reference/autosparse/kernels/plain_lanes.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/convert.hpp"

using namespace assay;
using namespace assay::autosparse;

namespace {

constexpr float threshold = 0.25F;

// Numbers around the threshold; one in 8 is one of the first `specials` of: zeros, the threshold and neighbours,
// subnormals, a large one, infinities and NaNs.
std::vector<float> wild(std::size_t n, std::uint64_t seed, std::size_t specials) {
  const float special[] = {0.0F,
                           -0.0F,
                           threshold,
                           -threshold,
                           std::nextafter(threshold, 1.0F),
                           -std::nextafter(threshold, 0.0F),
                           1e-45F,
                           -3e-39F,
                           3e38F,
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN(),
                           -std::bit_cast<float>(0x7FA12345)};
  const CounterRandom random(seed);
  std::vector<float> all(n);
  constexpr std::size_t period = 10007;  // of arrays that are large for the caches alone
  for (std::size_t i = 0; i < std::min(n, period); ++i)
    all[i] = random.below(8, 3 * i) == 0 ? special[random.below(specials, 3 * i + 1)]
                                         : static_cast<float>(0.4 * random.normal(3 * i + 2));
  for (std::size_t i = period; i < n; ++i) all[i] = all[i - period];
  return all;
}

template <class T>
bool equal_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return std::memcmp(&x, &y, sizeof x) == 0; });
}

struct Outputs {
  std::vector<float> v, dw;
  std::vector<bf16_t> v_bf16;
  std::vector<std::uint8_t> mask, other_mask;
  std::vector<double> sums;
};

// The arrays begin `at` elements behind a multiple of 16 bytes.
Outputs outputs_of(const LayerShape& shape, bool by_channel, const GradientScales& scales, std::size_t at,
                   int threads, const GradientKernel* kernel, bool finite = false) {
  const std::size_t n = shape.size(), specials = finite ? 9 : 13;
  const std::vector<float> w = wild(n + at, 5, specials);
  // Of many magnitudes: else sums in double would be exact, and the same in every order.
  std::vector<float> g = wild(n + at, 6, specials);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = std::ldexp(g[i], static_cast<int>(i * 7 % 61) - 60);
  std::vector<float> thresholds(by_channel ? shape.channels : 1, threshold);
  for (std::size_t i = 1; i < thresholds.size(); i += 2) thresholds[i] = 0.4F;
  Outputs out;
  out.v.resize(n + at);
  out.dw.resize(n + at);
  out.v_bf16.resize(n + at);
  out.mask.resize(n);
  out.other_mask.resize(n);
  out.sums.resize(thresholds.size());
  const auto from = [&](auto& all) { return std::span(all).subspan(at); };
  const std::span<const float> w_span = from(w), g_span = from(g);
  forward<float>(w_span, shape, thresholds, from(out.v), out.mask, threads, kernel);
  forward(w_span, shape, thresholds, from(out.v_bf16), out.other_mask, threads, kernel);
  backward<float>(w_span, shape, thresholds, g_span, scales, from(out.dw), out.sums, threads, kernel);
  return out;
}

void check_same(const Outputs& got, const Outputs& want, const std::string& what) {
  BOOST_TEST(equal_bytes(got.v, want.v), what << ": v");
  BOOST_TEST(equal_bytes(got.v_bf16, want.v_bf16), what << ": v in bfloat16");
  BOOST_TEST(equal_bytes(got.mask, want.mask), what << ": mask");
  BOOST_TEST(equal_bytes(got.other_mask, want.mask), what << ": mask beside bfloat16");
  BOOST_TEST(equal_bytes(got.dw, want.dw), what << ": dw");
  BOOST_TEST(equal_bytes(got.sums, want.sums), what << ": sums");
}

// Written around the caches: the same.
void check_streams(const GradientKernel& kernel) {
  constexpr std::size_t n = 1003;
  const std::vector<float> w = wild(n, 7, 13), g = wild(n, 8, 13);
  struct Written {
    alignas(16) float v[n];
    alignas(16) float dw[n];
    alignas(16) std::uint16_t v_bf16[n];
    double sum;
  };
  const auto written = [&](const GradientKernel& by, bool stream) {
    Written out{};
    by.forward({.w = w.data(), .v = out.v, .n = n, .threshold = threshold, .stream = stream});
    by.forward({.w = w.data(), .v_bf16 = out.v_bf16, .n = n, .threshold = threshold, .stream = stream});
    out.sum = by.backward({.w = w.data(),
                           .g = g.data(),
                           .dw = out.dw,
                           .n = n,
                           .threshold = threshold,
                           .alpha = 0.5F,
                           .lambda = 0.01F,
                           .stream = stream});
    return out;
  };
  const Written got = written(kernel, true), want = written(gradient_definition(), false);
  BOOST_TEST(std::memcmp(got.v, want.v, sizeof want.v) == 0);
  BOOST_TEST(std::memcmp(got.v_bf16, want.v_bf16, sizeof want.v_bf16) == 0);
  BOOST_TEST(std::memcmp(got.dw, want.dw, sizeof want.dw) == 0);
  BOOST_TEST((got.sum == want.sum || (std::isnan(got.sum) && std::isnan(want.sum))));
}

void check_kernel(const GradientKernel& kernel) {
  const GradientScales scales[] = {{0.375, 0, 0}, {0, 0.01, 0}, {1, 1e-4, 0}};
  for (std::size_t n = 1; n < 70; ++n) {
    const GradientScales& s = scales[n % 3];
    for (const bool finite : {false, true})
      check_same(outputs_of({1, n}, false, s, n % 4, 1, &kernel, finite),
                 outputs_of({1, n}, false, s, n % 4, 1, &gradient_definition(), finite), std::to_string(n));
  }
  for (const LayerShape shape : {LayerShape{37, 27}, LayerShape{5, 4096}, LayerShape{3, 12345}}) {
    for (const bool by_channel : {false, true}) {
      const Outputs want = outputs_of(shape, by_channel, scales[0], 0, 1, &gradient_definition(), true);
      for (const int threads : {1, 3})
        check_same(outputs_of(shape, by_channel, scales[0], 0, threads, &kernel, true), want,
                   std::to_string(shape.channels) + (by_channel ? " thresholds" : " channels"));
    }
  }
  check_streams(kernel);
}

// One test a kernel: the table is the list of tests.
struct PerGradientKernel {
  PerGradientKernel() {
    auto* const suite = BOOST_TEST_SUITE("autosparse_kernels");
    for (const GradientKernel& kernel : gradient_kernels()) {
      auto* const test = boost::unit_test::make_test_case([&kernel] { check_kernel(kernel); },
                                                          std::string(kernel.name), __FILE__, __LINE__);
      test->add_precondition([&kernel](boost::unit_test::test_unit_id) {
        boost::test_tools::assertion_result can(cpu_has(kernel.needs));
        if (!can) can.message() << why_unavailable(kernel.needs);
        return can;
      });
      suite->add(test);
    }
    boost::unit_test::framework::master_test_suite().add(suite);
  }
} const per_gradient_kernel;

void forward_of_plain_lanes(const ForwardTask<float>& task) noexcept { forward_weights<PlainLanes>(task); }
double backward_of_plain_lanes(const BackwardTask<float>& task) noexcept {
  return backward_weights<PlainLanes>(task);
}

}  // namespace

BOOST_AUTO_TEST_CASE(wide_gradient_kernels_have_the_same_logic_in_plain_lanes) {
  check_kernel({{"plain"}, forward_of_plain_lanes, backward_of_plain_lanes});
}

// Arrays that are large for the caches, at a multiple of 16 bytes and beside it.
BOOST_AUTO_TEST_CASE(large_weights_have_the_same_bits) {
  const LayerShape large{1, non_temporal_bytes / sizeof(float) + 5};
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}}) {
    const Outputs want = outputs_of(large, false, {0, 0.01, 0}, at, 2, &gradient_definition());
    check_same(outputs_of(large, false, {0, 0.01, 0}, at, 2, nullptr), want, "at " + std::to_string(at));
  }
}

// The support of v is the mask, so that sparse products need no mask beside it.
BOOST_AUTO_TEST_CASE(mask_is_support_of_v) {
  const Outputs out = outputs_of({1, 5000}, false, {}, 0, 1, nullptr);
  for (std::size_t i = 0; i < out.mask.size(); ++i) BOOST_TEST((out.v[i] != 0) == (out.mask[i] == 1));
}

// The checks above see a difference of one bit in one place.
BOOST_AUTO_TEST_CASE(wrong_gradient_kernels_differ) {
  struct Wrong {
    const char* name;
    ForwardFn* forward;
    BackwardFn* backward;
  };
  static ForwardFn* const right_forward = gradient_definition().forward;
  static BackwardFn* const right_backward = gradient_definition().backward;
  const Wrong all[] = {{"the threshold itself kept",
                        [](const ForwardTask<float>& t) noexcept {
                          ForwardTask<float> lower = t;
                          lower.threshold = std::nextafter(t.threshold, 0.0F);
                          right_forward(lower);
                        },
                        nullptr},
                       {"a sum by halves of a piece", nullptr,
                        [](const BackwardTask<float>& t) noexcept {
                          double other = 0;
                          BackwardTask<float> half = t;
                          half.n = t.n / 2;
                          other = right_backward(half);
                          half = t;
                          half.w += t.n / 2, half.g += t.n / 2, half.n -= t.n / 2;
                          if (half.dw != nullptr) half.dw += t.n / 2;
                          return other + right_backward(half);
                        }},
                       {"a product that is not fused", nullptr, [](const BackwardTask<float>& t) noexcept {
                          const double sum = right_backward(t);
                          if (t.dw == nullptr || t.lambda == 0) return sum;
                          for (std::size_t i = 0; i < t.n; ++i) {
                            const float product = t.lambda * t.w[i];
                            t.dw[i] = (std::fabs(t.w[i]) > t.threshold ? t.g[i] : t.alpha * t.g[i]) + product;
                          }
                          return sum;
                        }}};
  const LayerShape shape{3, 1234};
  const GradientScales scales{0.375, 0.01, 0};
  const Outputs want = outputs_of(shape, false, scales, 0, 1, &gradient_definition(), true);
  for (const Wrong& wrong : all) {
    const GradientKernel kernel{{wrong.name},
                                wrong.forward == nullptr ? gradient_definition().forward : wrong.forward,
                                wrong.backward == nullptr ? gradient_definition().backward : wrong.backward};
    const Outputs got = outputs_of(shape, false, scales, 0, 1, &kernel, true);
    BOOST_TEST(!(equal_bytes(got.v, want.v) && equal_bytes(got.mask, want.mask) &&
                 equal_bytes(got.dw, want.dw) && equal_bytes(got.sums, want.sums)),
               wrong.name);
  }
}
