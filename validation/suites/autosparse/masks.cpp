// Masks and pruned weights bit for bit, and thresholds correctly rounded.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "reference/autosparse/gradient.hpp"
#include "reference/core/cpu.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::ladder {
namespace {

constexpr std::uint32_t flush_and_denormals_are_zero = 0x9FC0;

const std::array<float, 8> edge_thresholds{
    0.25F, 0x1.8p-5F, 1e-40F, std::numeric_limits<float>::denorm_min(), 0x1p-126F, 0, 3e38F, 0x1.fffffep-1F};

// A weight in four is T or beside it, one in four special, the others are spread over all magnitudes.
float edge_weight(float t, const CounterRandom& random, std::uint64_t i) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float near[] = {t, std::nextafter(t, 0.0F), std::nextafter(t, inf)};
  constexpr float special[] = {0, 1e-45F, 3e-39F, 0x1.fffffcp-127F, 0x1p-126F, 3.4e38F, inf, nan};
  const PhiloxBlock r = random.block(i);
  const float magnitude = r[0] % 4 == 0   ? near[r[1] % 3]
                          : r[0] % 4 == 1 ? special[r[1] % 8]
                                          : std::bit_cast<float>(r[1] & 0x7FFFFFFF);
  return r[2] % 2 == 0 ? magnitude : -magnitude;
}

Layer<float> edge_layer(const LayerShape& shape, bool by_channel, std::size_t first, std::uint64_t seed) {
  Layer<float> layer{.shape = shape};
  const CounterRandom random(seed, first);
  for (std::size_t t = 0; t < (by_channel ? shape.channels : 1); ++t)
    layer.thresholds.push_back(edge_thresholds[(first + t) % edge_thresholds.size()]);
  for (std::size_t i = 0; i < shape.size(); ++i)
    layer.w.push_back(edge_weight(layer.thresholds[layer.group(i)], random, i));
  return layer;
}

CaseResult mask_case(const autosparse::GradientKernel& kernel, bool by_channel, const RunContext& context) {
  if (const std::string why = why_not(kernel); !why.empty()) return skipped_because(why);
  Expectations found("the bits of |w| and T, compared as integers; exact differences",
                     "masks or weights differ");
  for (const bool bf16 : {false, true}) {
    for (const bool flushing : {false, true}) {
      for (const int threads : {1, 3})
        ask_for_masks(LibraryPath({.kernel = &kernel, .products = {}, .threads = threads}), by_channel, bf16,
                      flushing, context.seed, found);
    }
  }
  return found.result();
}

// The float that a number between `low` and `high` rounds to, if there is one.
std::optional<float> rounded_between(long double low, long double high) {
  const auto a = static_cast<float>(low), b = static_cast<float>(high);
  return a == b ? std::optional(a) : std::nullopt;
}

// g(s) by the C library's long double, whose few units of error leave hardly a rounding undecided.
CaseResult sigmoid_case(const RunContext& context) {
  Expectations found("1 / (1 + e^-s) in long double, between bounds on its own error", "thresholds differ");
  const CounterRandom random(context.seed, 11);
  const std::uint64_t count = by_scale(context, 20'000, 200'000, 5'000'000);
  double largest = 0;
  std::uint64_t undecided = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    // Most of a network's; one in eight anywhere, where thresholds are subnormal or 1 too.
    const float s = static_cast<float>((i % 8 == 0 ? 210 : 16) * random.uniform(i) - (i % 8 == 0 ? 105 : 12));
    const long double t = 1 / (1 + std::exp(-static_cast<long double>(s)));
    const long double off = t * 0x1p-60L;
    if (const auto want = rounded_between(t - off, t + off)) {
      const float got = autosparse::threshold_of(s);
      found.expect(got == *want, [&] { return fmt::format("s = {:a}: {:a}, not {:a}", s, got, *want); });
    } else {
      ++undecided;
    }
    const double wide = autosparse::threshold_of(static_cast<double>(s));
    const double unit = std::ldexp(1.0, std::max(std::ilogb(wide), -1022) - 52);
    const auto error =
        static_cast<double>(std::fabs(static_cast<long double>(wide) - t) / static_cast<long double>(unit));
    largest = std::max(largest, error);
    found.expect(error <= 0.5001 + 0x1p-6, [&] { return fmt::format("s = {:a} in double: {:a}", s, wide); });
    const long double slope = t * (1 - t);
    found.expect(
        std::fabs(static_cast<long double>(autosparse::threshold_slope(wide)) - slope) <= 0x1p-51L * t,
        [&] { return fmt::format("T (1 - T) of s = {:a}", s); });
  }
  found.expect(undecided < count / 1000, [&] { return fmt::format("{} are undecided", undecided); });
  CaseResult& result = found.result();
  result.figures.push_back({"undecided", static_cast<double>(undecided), "thresholds"});
  result.figures.push_back({"double's largest error", largest, "ulp"});
  return result;
}

// The fixed-budget form against sorted magnitudes.
CaseResult budget_case(const RunContext& context) {
  Expectations found("all magnitudes, sorted", "a budget keeps other weights than the largest");
  const CounterRandom random(context.seed, 12);
  for (const std::size_t n : {1U, 2U, 15U, 16U, 17U, 1000U, 5000U}) {
    std::vector<float> w(n);
    for (std::size_t i = 0; i < n; ++i)
      w[i] =
          static_cast<float>(n < 1000 ? static_cast<double>(random.below(5, i)) - 2 : random.normal(n + i));
    std::vector<float> sorted(n);
    std::ranges::transform(w, sorted.begin(), [](float x) { return std::fabs(x); });
    std::ranges::sort(sorted, std::greater<>());
    for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, n / 10, n / 2, n - 1, n}) {
      Layer<float> layer{.shape = {1, n}, .w = w};
      layer.thresholds = {autosparse::budget_threshold<float>(w, kept)};
      Step<float> step;
      LibraryPath().forward(layer, step);
      // Those that are larger than the largest that must go.
      const float next = kept == n ? 0 : sorted[kept];
      for (std::size_t i = 0; i < n; ++i)
        found.expect((step.mask[i] == 1) == (std::fabs(w[i]) > next),
                     [&] { return fmt::format("{} of {}: weight {} = {}", kept, n, i, w[i]); });
    }
  }
  return found.result();
}

}  // namespace

std::uint64_t by_scale(const RunContext& context, std::uint64_t quick, std::uint64_t standard,
                       std::uint64_t exhaustive) {
  switch (context.scale) {
    case Scale::quick: return quick;
    case Scale::standard: return standard;
    case Scale::exhaustive: break;
  }
  return exhaustive;
}

void ask_for_masks(const Path<float>& path, bool by_channel, bool bf16, bool flushing, std::uint64_t seed,
                   Expectations& found) {
  const LayerShape shapes[] = {{1, 1},  {1, 7},  {2, 8},   {3, 15},  {8, 16},      {9, 17},
                               {5, 31}, {5, 33}, {16, 63}, {17, 65}, {2, 4096 + 5}};
  std::size_t first = 0;
  for (const LayerShape& shape : shapes) {
    for (std::size_t repeat = 0; repeat < (by_channel || shape.size() > 1000 ? 1 : edge_thresholds.size());
         ++repeat) {
      Layer<float> layer = edge_layer(shape, by_channel, first++, seed);
      layer.bf16 = bf16;
      Step<float> step;
      {
        const MxcsrGuard mode(flushing ? flush_and_denormals_are_zero : mxcsr());
        path.forward(layer, step);
      }
      for (std::size_t i = 0; i < shape.size(); ++i) {
        const float w = layer.w[i], t = layer.thresholds[layer.group(i)];
        const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(w) & 0x7FFFFFFF;
        constexpr std::uint32_t infinity = 0x7F800000;
        const bool kept = magnitude <= infinity && magnitude > std::bit_cast<std::uint32_t>(t);
        // Two values of float32 have a difference that double rounds to 53 bits, which a rounding to 24 does not see.
        const double v = kept ? std::copysign(std::fabs(static_cast<double>(w)) - static_cast<double>(t),
                                              static_cast<double>(w))
                              : 0;
        std::uint64_t want = encode(v, formats::float32).code;
        if (bf16) want = encode(decode(want, formats::float32), formats::bfloat16).code << 16;
        const std::uint32_t got = std::bit_cast<std::uint32_t>(step.v[i]);
        found.expect(step.mask[i] == (kept ? 1 : 0), [&] {
          return fmt::format("{} of {}: w = {:a}, T = {:a}: mask {}", i, text_of(shape), w, t, step.mask[i]);
        });
        found.expect(got == want, [&] {
          return fmt::format("{} of {}: w = {:a}, T = {:a}: v is {:#010x}, not {:#010x}", i, text_of(shape),
                             w, t, got, want);
        });
      }
    }
  }
}

void add_mask_cases(const RunContext& context, std::vector<Case>& cases) {
  const std::string seed = std::to_string(context.seed);
  for (const autosparse::GradientKernel* const kernel : gradient_kernels()) {
    for (const bool by_channel : {false, true})
      cases.push_back(
          {"masks/" + std::string(kernel->name),
           {{"thresholds", by_channel ? "channels" : "one"}, {"seed", seed}},
           [kernel, by_channel](const RunContext& c) { return mask_case(*kernel, by_channel, c); }});
  }
  cases.push_back({"masks/budget", {{"seed", seed}}, budget_case, true});
  cases.push_back({"thresholds/sigmoid",
                   {{"count", std::to_string(by_scale(context, 20'000, 200'000, 5'000'000))}, {"seed", seed}},
                   sigmoid_case,
                   true});
}

}  // namespace assay::suites::ladder
