// The table of who does what to NaN and subnormals, by the values that its sources state.
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/conversion_policy.hpp"

using namespace assay;

namespace {

struct Row {
  const char* policy;
  std::uint32_t quiet_negative;  // of 0xFFC12345
  std::uint32_t low_payload;     // of 0x7F800001, whose payload lies in the bits that are cut
  std::uint32_t subnormal;       // of 0x00418000, a tie between 0x0041 and 0x0042
};

constexpr Row bf16_rows[] = {
    {"format", 0x7FC0, 0x7FC0, 0x0042},       {"intel", 0xFFC1, 0x7FC0, 0x0000},
    {"cuda", 0x7FFF, 0x7FFF, 0x0042},         {"pytorch", 0x7FC0, 0x7FC0, 0x0042},
    {"pytorch-avx2", 0xFFFF, 0xFFFF, 0x0042}, {"onednn-emulation", 0xFFC1, 0x7FC0, 0x0042},
    {"ggml", 0xFFC1, 0x7FC0, 0x0042},         {"eigen", 0xFFC0, 0x7FC0, 0x0042},
    {"ml_dtypes", 0xFFC0, 0x7FC0, 0x0042},    {"truncate", 0xFFC1, 0x7F80, 0x0041},
};

Rounding mode_of(const ConversionPolicy& p) {
  return why_not(p, formats::bfloat16, Rounding::nearest_even).empty() ? Rounding::nearest_even
                                                                       : Rounding::toward_zero;
}

}  // namespace

BOOST_AUTO_TEST_CASE(bfloat16_rows) {
  for (const Row& row : bf16_rows) {
    const ConversionPolicy& p = parse_policy(row.policy);
    const EncodeOptions options{.rounding = mode_of(p)};
    const auto code = [&](std::uint32_t bits) { return convert_bits32(bits, formats::bfloat16, p, options); };
    BOOST_TEST_CONTEXT(row.policy) {
      BOOST_TEST(code(0xFFC12345) == row.quiet_negative);
      BOOST_TEST(code(0x7F800001) == row.low_payload);
      BOOST_TEST(code(0x00418000) == row.subnormal);
      BOOST_TEST(code(0x80000000) == 0x8000U);
      BOOST_TEST(code(0xFF800000) == 0xFF80U);
    }
  }
}

// 0x007FFFFF would round up to the smallest normal number; flushed first, it is zero.
BOOST_AUTO_TEST_CASE(intel_flushes_before_it_rounds) {
  BOOST_TEST(convert_bits32(0x007FFFFF, formats::bfloat16, parse_policy("intel")) == 0U);
  BOOST_TEST(convert_bits32(0x807FFFFF, formats::bfloat16, parse_policy("intel")) == 0x8000U);
  BOOST_TEST(convert_bits32(0x007FFFFF, formats::bfloat16, parse_policy("ggml")) == 0x0080U);
}

BOOST_AUTO_TEST_CASE(float16_rows) {
  const auto code = [](const char* policy, std::uint32_t bits) {
    return convert_bits32(bits, formats::float16, parse_policy(policy));
  };
  BOOST_TEST(code("f16c", 0xFFC02000) == 0xFE01U);
  BOOST_TEST(code("f16c", 0x7F802000) == 0x7E01U);
  BOOST_TEST(code("f16c", 0x7F800001) == 0x7E00U);
  BOOST_TEST(code("cuda", 0xFFC02000) == 0x7FFFU);
  BOOST_TEST(code("format", 0xFFC02000) == 0x7E00U);
}

BOOST_AUTO_TEST_CASE(policies_refuse_what_they_do_not_have) {
  BOOST_TEST(why_not(parse_policy("intel"), formats::bfloat16, Rounding::toward_zero) ==
             "intel has no rounding toward-zero, only nearest-even");
  BOOST_TEST(why_not(parse_policy("intel"), formats::float16, Rounding::nearest_even) ==
             "intel has no conversion to float16");
  BOOST_TEST(why_not(parse_policy("f16c"), formats::bfloat16, Rounding::nearest_even) != "");
  BOOST_TEST(why_not(parse_policy("truncate"), formats::bfloat16, Rounding::nearest_even) != "");
  for (const FormatSpec* f : formats::all) {
    for (const Rounding mode : all_roundings) BOOST_TEST(why_not(parse_policy("format"), *f, mode) == "");
  }
  BOOST_CHECK_THROW(parse_policy("cud"), InputError);
}
