// Policy `cuda` against CUDA's own headers, which convert on the host too: a stratified sample and all
// 2^32 floats (label exhaustive). Skipped where there is no toolkit.
#include <boost/test/unit_test.hpp>

#include <functional>

#include "tests/reference/formats/conversion_check.hpp"

#ifdef ASSAY_CUDA_HEADERS
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>

#include <chrono>
#include <iostream>
#include <numeric>

#include "reference/core/parallel.hpp"
#include "reference/formats/block_scaled.hpp"
#endif

using namespace assay;
using namespace assay::test;

namespace {

#ifdef ASSAY_CUDA_HEADERS

// One function of the headers, and the conversion that it should be.
struct Theirs {
  std::string name;
  Conversion ours;
  std::function<void(std::span<const std::uint32_t>, std::uint16_t*)> run;
};

template <class Function>
Theirs theirs(const char* name, const FormatSpec& to, Rounding mode, Overflow overflow, Function function) {
  return {name,
          {.to = to, .rounding = mode, .policy = "cuda", .overflow = overflow},
          [function](std::span<const std::uint32_t> bits, std::uint16_t* codes) {
            for (std::size_t i = 0; i < bits.size(); ++i) codes[i] = function(std::bit_cast<float>(bits[i]));
          }};
}

std::uint16_t code(__nv_bfloat16 x) { return static_cast<__nv_bfloat16_raw>(x).x; }
std::uint16_t code(__half x) { return static_cast<__half_raw>(x).x; }

const std::vector<Theirs>& all_theirs() {
  using enum Rounding;
  using namespace formats;
  constexpr Overflow ieee = Overflow::ieee, saturate = Overflow::saturate;
  static const std::vector<Theirs> all = {
      theirs("__float2bfloat16_rn", bfloat16, nearest_even, ieee,
             [](float x) { return code(__float2bfloat16_rn(x)); }),
      theirs("__float2bfloat16_rz", bfloat16, toward_zero, ieee,
             [](float x) { return code(__float2bfloat16_rz(x)); }),
      theirs("__float2bfloat16_ru", bfloat16, toward_positive, ieee,
             [](float x) { return code(__float2bfloat16_ru(x)); }),
      theirs("__float2bfloat16_rd", bfloat16, toward_negative, ieee,
             [](float x) { return code(__float2bfloat16_rd(x)); }),
      theirs("__float2half_rn", float16, nearest_even, ieee,
             [](float x) { return code(__float2half_rn(x)); }),
      theirs("__float2half_rz", float16, toward_zero, ieee, [](float x) { return code(__float2half_rz(x)); }),
      theirs("__float2half_ru", float16, toward_positive, ieee,
             [](float x) { return code(__float2half_ru(x)); }),
      theirs("__float2half_rd", float16, toward_negative, ieee,
             [](float x) { return code(__float2half_rd(x)); }),
      theirs("__nv_cvt_float_to_fp8 E4M3 NOSAT", float8_e4m3fn, nearest_even, ieee,
             [](float x) { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E4M3); }),
      theirs("__nv_cvt_float_to_fp8 E4M3 SATFINITE", float8_e4m3fn, nearest_even, saturate,
             [](float x) { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3); }),
      theirs("__nv_cvt_float_to_fp8 E5M2 NOSAT", float8_e5m2, nearest_even, ieee,
             [](float x) { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2); }),
      theirs("__nv_cvt_float_to_fp8 E5M2 SATFINITE", float8_e5m2, nearest_even, saturate,
             [](float x) { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2); }),
      theirs("__nv_cvt_float_to_fp6 E3M2", float6_e3m2fn, nearest_even, ieee,
             [](float x) { return __nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest); }),
      theirs("__nv_cvt_float_to_fp6 E2M3", float6_e2m3fn, nearest_even, ieee,
             [](float x) { return __nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest); }),
      theirs("__nv_cvt_float_to_fp4 E2M1", float4_e2m1fn, nearest_even, ieee,
             [](float x) { return __nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest); }),
  };
  return all;
}

// By the best kernel of this CPU, widened to 16 bits.
void convert_ours(const Conversion& c, std::span<const std::uint32_t> bits,
                  std::vector<std::uint16_t>& codes) {
  if (c.to.bits > 8) {
    convert_array(bits.data(), codes.data(), bits.size(), c, 1);
    return;
  }
  std::vector<std::uint8_t> bytes(bits.size());
  convert_array(bits.data(), bytes.data(), bits.size(), c, 1);
  std::copy(bytes.begin(), bytes.end(), codes.begin());
}

Differences compare_with(const Theirs& t, std::span<const std::uint32_t> bits) {
  std::vector<std::uint16_t> got(bits.size()), expected(bits.size());
  t.run(bits, expected.data());
  convert_ours(t.ours, bits, got);
  return compare<std::uint16_t>(bits, got.data(), expected.data(), t.name);
}

// Rounding points of the destination and 2^20 more; the definition is compared as well as the kernel.
void sample(const Theirs& t) {
  std::vector<std::uint32_t> bits = rounding_points(t.ours.to);
  const std::vector<std::uint32_t> more = stratified(1 << 20, 1);
  bits.insert(bits.end(), more.begin(), more.end());
  const Differences d = compare_with(t, bits);
  BOOST_TEST(d.count == 0U, d);

  std::vector<std::uint16_t> expected(bits.size());
  t.run(bits, expected.data());
  const ConversionPolicy& policy = parse_policy(t.ours.policy);
  const EncodeOptions options{.rounding = t.ours.rounding, .overflow = t.ours.overflow};
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    wrong += convert_bits32(bits[i], t.ours.to, policy, options) != expected[i] ? 1 : 0;
  }
  BOOST_TEST(wrong == 0U, t.name << ": the definition differs " << wrong << " times");
}

void every_float(const Theirs& t) {
  constexpr std::uint64_t all_floats = std::uint64_t{1} << 32;
  constexpr std::size_t chunk = std::size_t{1} << 15;
  const auto start = std::chrono::steady_clock::now();
  struct Own {
    std::vector<std::uint32_t> bits = std::vector<std::uint32_t>(chunk);
    Differences differences;
  };
  const Differences all =
      parallel_reduce(
          all_floats / chunk, {0, Share::dynamic, 16}, [] { return Own{}; },
          [&](Own& own, std::size_t i) {
            std::iota(own.bits.begin(), own.bits.end(), static_cast<std::uint32_t>(i * chunk));
            own.differences.add(compare_with(t, own.bits));
          },
          [](Own& sum, const Own& own) { sum.differences.add(own.differences); })
          .differences;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << t.name << ": all floats in " << seconds.count() << " s on " << default_threads()
            << " threads\n";
  BOOST_TEST(all.count == 0U, all);
}

// e8m0 scales of finite x >= 0. Elsewhere the two differ by design: CUDA takes |x|, and clamps an infinity.
std::uint64_t e8m0_differences(std::uint32_t bits) {
  const float x = std::bit_cast<float>(bits);
  const auto down = __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundZero);
  const auto up = __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundPosInf);
  return (encode_e8m0(x, ScaleRounding::down).code != down ? 1 : 0) +
         (encode_e8m0(x, ScaleRounding::up).code != up ? 1 : 0);
}

void e8m0_sample() {
  std::uint64_t wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x7F800000; bits += 0x3FF) wrong += e8m0_differences(bits);
  for (std::uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (const std::uint32_t low : {0U, 1U, 0x3FFFFFU, 0x400000U, 0x400001U, 0x7FFFFFU}) {
      wrong += e8m0_differences(exponent << 23 | low);
    }
  }
  BOOST_TEST(wrong == 0U);
}

void e8m0_every_float() {
  const std::uint64_t wrong = parallel_reduce(
      0x7F800000, 0, [] { return std::uint64_t{0}; },
      [](std::uint64_t& own, std::size_t bits) { own += e8m0_differences(static_cast<std::uint32_t>(bits)); },
      [](std::uint64_t& all, std::uint64_t own) { all += own; });
  BOOST_TEST(wrong == 0U);
}

void add(const std::string& name, bool exhaustive, const std::function<void()>& body) {
  boost::unit_test::test_case* test = boost::unit_test::make_test_case(body, name, __FILE__, __LINE__);
  if (exhaustive) test->add_label("exhaustive");
  boost::unit_test::framework::master_test_suite().add(test);
}

bool make_tests() {
  for (const Theirs& t : all_theirs()) {
    add("cuda/" + t.name, false, [&t] { sample(t); });
    add("cuda/" + t.name + " every float", true, [&t] { every_float(t); });
  }
  add("cuda/__nv_cvt_float_to_e8m0", false, &e8m0_sample);
  add("cuda/__nv_cvt_float_to_e8m0 every float", true, &e8m0_every_float);
  return true;
}

#else

void skipped(const std::string& name, bool exhaustive) {
  boost::unit_test::test_case* test = boost::unit_test::make_test_case([] {}, name, __FILE__, __LINE__);
  if (exhaustive) test->add_label("exhaustive");
  test->add_precondition([](boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result can(false);
    can.message()
        << "no CUDA toolkit with cuda_bf16.h, cuda_fp16.h, cuda_fp8.h, cuda_fp6.h and cuda_fp4.h was found";
    return can;
  });
  boost::unit_test::framework::master_test_suite().add(test);
}

bool make_tests() {
  skipped("cuda/host headers", false);
  skipped("cuda/host headers every float", true);
  return true;
}

#endif

[[maybe_unused]] const bool made = make_tests();

}  // namespace
