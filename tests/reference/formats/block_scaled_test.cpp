#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/block_scaled.hpp"
#include "reference/formats/encode.hpp"
#include "tests/reference/formats/mpfr_rounding.hpp"

using namespace assay;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_values(std::size_t n, std::uint64_t seed, int exponents) {
  const CounterRandom random(seed);
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const int e =
        static_cast<int>(random.below(static_cast<std::uint64_t>(2 * exponents + 1), 2 * i)) - exponents;
    values[i] = std::ldexp(static_cast<float>(random.uniform(2 * i + 1) * 2 - 1), e);
  }
  return values;
}

// a / b rounded nearest-even into `f` and clamped, by MPFR at a precision that no tie survives by accident.
double quotient_with_mpfr(double a, double b, const FormatSpec& f) {
  test::MpfrValue x(400), y(400);
  mpfr_set_d(x.get(), a, MPFR_RNDN);
  mpfr_set_d(y.get(), b, MPFR_RNDN);
  mpfr_div(x.get(), x.get(), y.get(), MPFR_RNDN);
  const double top = decode(f.max_finite_code(), f);
  return std::clamp(test::round_with_mpfr(x.get(), f, MPFR_RNDN), -top, top);
}

}  // namespace

BOOST_AUTO_TEST_CASE(e8m0_is_a_power_of_two) {
  BOOST_TEST(encode_e8m0(1.0).code == 127);
  BOOST_TEST(encode_e8m0(1.9).code == 127);
  BOOST_TEST(encode_e8m0(1.1, ScaleRounding::up).code == 128);
  BOOST_TEST(encode_e8m0(2.0, ScaleRounding::up).code == 128);
  BOOST_TEST(encode_e8m0(1.5, ScaleRounding::nearest).code == 128);  // tie, 127 is odd
  BOOST_TEST(encode_e8m0(3.0, ScaleRounding::nearest).code == 128);  // tie, 128 is even
  BOOST_TEST(encode_e8m0(1.4999, ScaleRounding::nearest).code == 127);
  BOOST_TEST(encode_e8m0(0.0).code == 0);
  BOOST_TEST(encode_e8m0(0x1p-300).code == 0);
  BOOST_TEST(encode_e8m0(0x1p300).code == 254);
  BOOST_TEST(encode_e8m0(-1.0).is_nan());
  BOOST_TEST(encode_e8m0(infinity).is_nan());
  BOOST_TEST(encode_e8m0(not_a_number).is_nan());
  for (int code = 0; code < 255; ++code) {
    const e8m0_t x{static_cast<std::uint8_t>(code)};
    BOOST_TEST((encode_e8m0(x.value()) == x && encode_e8m0(x.value(), ScaleRounding::up) == x));
  }
}

BOOST_AUTO_TEST_CASE(mx_blocks_by_hand) {
  std::vector<float> values(34, 0.0F);
  values[0] = 6.0F;
  values[1] = -3.3F;
  values[33] = 100.0F;  // the short second block
  const BlockScaled fp4 = quantize_mx(values, formats::float4_e2m1fn);
  BOOST_TEST(fp4.scales.size() == 2U);
  BOOST_TEST(fp4.scales[0] == 127);            // floor(log2 6) - 2 = 0
  BOOST_TEST(fp4.elements[0] == 0x7);          // 6
  BOOST_TEST(dequantize_mx(fp4, 1) == -3.0);   // 2, 3 or 4
  BOOST_TEST(fp4.scales[1] == 127 + 4);        // floor(log2 100) - 2
  BOOST_TEST(dequantize_mx(fp4, 33) == 96.0);  // 100 / 16 = 6.25, saturating at 6
  const BlockScaled up = quantize_mx(values, formats::float4_e2m1fn, ScaleRounding::up);
  BOOST_TEST(dequantize_mx(up, 33) == 96.0);  // 100 / 32 = 3.125 -> 3

  const BlockScaled zeros = quantize_mx(std::vector<float>(32, -0.0F), formats::float8_e4m3fn);
  BOOST_TEST(zeros.scales[0] == 0);
  BOOST_TEST(zeros.elements[5] == 0x80);  // the sign of a zero is kept
  for (const float special : {infinity, -infinity, not_a_number}) {
    values[2] = special;
    const BlockScaled x = quantize_mx(values, formats::float8_e5m2);
    BOOST_TEST(x.scales[0] == e8m0_t::nan_code);
    BOOST_TEST(std::isnan(dequantize_mx(x, 0)));
    BOOST_TEST(!std::isnan(dequantize_mx(x, 33)));  // the other block is untouched
  }
}

BOOST_AUTO_TEST_CASE(mx_elements_are_rounded_once_and_saturate) {
  const std::vector<float> values = random_values(4096, 21, 40);
  for (const FormatSpec* f : formats::all) {
    if (f->bits > 8) continue;
    const BlockScaled x = quantize_mx(values, *f);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const e8m0_t scale{x.scales[i / 32]};
      const double want = quotient_with_mpfr(values[i], scale.value(), *f);
      wrong += decode(x.elements[i], *f) == want ? 0 : 1;
    }
    BOOST_TEST_CONTEXT(f->dtype) { BOOST_TEST(wrong == 0U); }
  }
}

BOOST_AUTO_TEST_CASE(mx_scales_are_clamped) {
  const BlockScaled tiny = quantize_mx(std::vector<float>{0x1p-149F}, formats::float8_e5m2);
  BOOST_TEST(tiny.scales[0] == 0);
  BOOST_TEST(dequantize_mx(tiny, 0) == 0x1p-127 * 0x1p-16 * 0);  // 2^-22 of the scale, below e5m2's smallest
  const BlockScaled large = quantize_mx(std::vector<float>{3e38F}, formats::float8_e4m3fn);
  BOOST_TEST(std::fabs(dequantize_mx(large, 0) / 3e38 - 1) < 0.07);
}

BOOST_AUTO_TEST_CASE(nvfp4_follows_its_recipe) {
  std::vector<float> values = random_values(16 * 300 + 5, 22, 6);
  for (std::size_t i = 32; i < 48; ++i) values[i] = 0;
  const BlockScaled x = quantize_nvfp4(values);
  float amax = 0;
  for (const float v : values) amax = std::max(amax, std::fabs(v));
  BOOST_TEST(x.tensor_scale == amax / 2688.0F);
  std::size_t wrong = 0;
  for (std::size_t b = 0; b < x.scales.size(); ++b) {
    float block_amax = 0;
    const std::size_t end = std::min(values.size(), (b + 1) * 16);
    for (std::size_t i = b * 16; i < end; ++i) block_amax = std::max(block_amax, std::fabs(values[i]));
    const double six_scales = 6 * static_cast<double>(x.tensor_scale);
    const double scale = decode(x.scales[b], formats::float8_e4m3fn);
    wrong += scale == quotient_with_mpfr(block_amax, six_scales, formats::float8_e4m3fn) ? 0 : 1;
    for (std::size_t i = b * 16; i < end; ++i) {
      const double step = scale * static_cast<double>(x.tensor_scale);
      const double want = step == 0 ? 0 : quotient_with_mpfr(values[i], step, formats::float4_e2m1fn);
      wrong += decode(x.elements[i], formats::float4_e2m1fn) == want ? 0 : 1;
    }
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(x.scales[2] == 0);
  BOOST_TEST(dequantize_nvfp4(x, 40) == 0.0);
}

BOOST_AUTO_TEST_CASE(nvfp4_specials) {
  std::vector<float> values(48, 1.0F);
  values[20] = not_a_number;
  values[40] = infinity;
  const BlockScaled x = quantize_nvfp4(values);
  BOOST_TEST(x.tensor_scale == 1.0F / 2688.0F);
  BOOST_TEST(x.scales[0] == 0x7E);
  BOOST_TEST(std::isnan(dequantize_nvfp4(x, 16)));
  BOOST_TEST(std::isnan(dequantize_nvfp4(x, 47)));
  const BlockScaled zeros = quantize_nvfp4(std::vector<float>(16, 0.0F));
  BOOST_TEST(zeros.scales[0] == 0);
  BOOST_TEST(quantize_nvfp4({}).scales.empty());
}

BOOST_AUTO_TEST_CASE(misuse_is_a_contract_error) {
  BOOST_CHECK_THROW(quantize_mx({}, formats::bfloat16), ContractError);
  BOOST_CHECK_THROW(quantize_mx({}, formats::float8_e5m2, ScaleRounding::down, 0), ContractError);
  BOOST_CHECK_THROW(parse_scale_rounding("dwn"), InputError);
}
