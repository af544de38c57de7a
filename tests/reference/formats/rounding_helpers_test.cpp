// Helpers that take and give float32, called with a rounding that only the run knows, at the release's optimisation.
//
// g++ 12.2 turns
//     float f(float a, int m) { if (m == 2) a = bit_cast<float>(bit_cast<uint32_t>(a) & 0xFFFF0000u); return a; }
// into code that gives 0 or leaves a as it is. The helpers here are safe as long as they round integers; whoever adds
// one that masks a float finds out in this test.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <vector>

#include "reference/formats/encode.hpp"
#include "reference/formats/storage.hpp"
#include "tests/reference/formats/conversion_check.hpp"

using namespace assay;

namespace {

// The modes as the compiler cannot know them.
[[gnu::noinline]] Rounding opaque(Rounding mode) {
  asm volatile("" : "+r"(mode));
  return mode;
}

// The shape that is miscompiled: a float that one of several branches rounds, and all return.
[[gnu::noinline]] float by_quantize(float x, const FormatSpec& f, Rounding mode) {
  if (mode == Rounding::nearest_even) x = quantize(x, f, {.rounding = Rounding::nearest_even});
  if (mode == Rounding::nearest_away) x = quantize(x, f, {.rounding = Rounding::nearest_away});
  if (mode == Rounding::toward_zero) x = quantize(x, f, {.rounding = Rounding::toward_zero});
  if (mode == Rounding::toward_positive) x = quantize(x, f, {.rounding = Rounding::toward_positive});
  if (mode == Rounding::toward_negative) x = quantize(x, f, {.rounding = Rounding::toward_negative});
  if (mode == Rounding::to_odd) x = quantize(x, f, {.rounding = Rounding::to_odd});
  return x;
}

template <class Storage>
[[gnu::noinline]] float by_storage(float x, Rounding mode) {
  if (mode == Rounding::nearest_even) x = static_cast<float>(Storage(x));
  if (mode == Rounding::toward_zero) x = static_cast<float>(Storage(x, {.rounding = Rounding::toward_zero}));
  if (mode == Rounding::to_odd) x = static_cast<float>(Storage(x, {.rounding = Rounding::to_odd}));
  return x;
}

// By way of the codes: no float is touched until the last widening.
std::uint32_t expected(std::uint32_t bits, const FormatSpec& f, Rounding mode) {
  const std::uint64_t code = encode_bits32(bits, f, {.rounding = mode}).code;
  return static_cast<std::uint32_t>(convert(code, f, formats::float32).code);
}

bool rounds_by_storage(Rounding mode) {
  return mode == Rounding::nearest_even || mode == Rounding::toward_zero || mode == Rounding::to_odd;
}

template <class Storage>
std::uint64_t storage_differences(const std::vector<std::uint32_t>& patterns) {
  std::uint64_t wrong = 0;
  for (const Rounding mode : deterministic_roundings) {
    for (const std::uint32_t bits : patterns) {
      const float got = by_storage<Storage>(std::bit_cast<float>(bits), opaque(mode));
      const std::uint32_t want = rounds_by_storage(mode) ? expected(bits, Storage::format, mode) : bits;
      wrong += std::bit_cast<std::uint32_t>(got) != want ? 1 : 0;
    }
  }
  return wrong;
}

}  // namespace

BOOST_AUTO_TEST_CASE(quantize_by_a_runtime_mode) {
  const std::vector<std::uint32_t> patterns = test::stratified(1 << 15, 12);
  for (const FormatSpec* f : formats::all) {
    if (f->precision > 24) continue;
    std::uint64_t wrong = 0;
    for (const Rounding mode : deterministic_roundings) {
      for (const std::uint32_t bits : patterns) {
        const float got = by_quantize(std::bit_cast<float>(bits), *f, opaque(mode));
        wrong += std::bit_cast<std::uint32_t>(got) != expected(bits, *f, mode) ? 1 : 0;
      }
    }
    BOOST_TEST(wrong == 0U, f->dtype << ": " << wrong);
  }
}

BOOST_AUTO_TEST_CASE(storage_types_by_a_runtime_mode) {
  const std::vector<std::uint32_t> patterns = test::stratified(1 << 15, 13);
  BOOST_TEST(storage_differences<tf32_t>(patterns) == 0U);
  BOOST_TEST(storage_differences<bf16_t>(patterns) == 0U);
  BOOST_TEST(storage_differences<f16_t>(patterns) == 0U);
  BOOST_TEST(storage_differences<f8_e5m2_t>(patterns) == 0U);
  BOOST_TEST(storage_differences<f8_e4m3_t>(patterns) == 0U);
}

// The arrays' way there and back, with the mode from outside as well.
BOOST_AUTO_TEST_CASE(arrays_there_and_back_by_a_runtime_mode) {
  const std::vector<std::uint32_t> patterns = test::stratified(1 << 15, 14);
  for (const FormatSpec* f : {&formats::bfloat16, &formats::float16}) {
    for (const Rounding mode : deterministic_roundings) {
      std::vector<std::uint16_t> codes(patterns.size());
      std::vector<std::uint32_t> back(patterns.size());
      convert_array(patterns.data(), codes.data(), codes.size(), {.to = *f, .rounding = opaque(mode)});
      convert_array(codes.data(), back.data(), back.size(), {.from = *f, .to = formats::float32});
      std::uint64_t wrong = 0;
      for (std::size_t i = 0; i < patterns.size(); ++i)
        wrong += back[i] != expected(patterns[i], *f, mode) ? 1 : 0;
      BOOST_TEST(wrong == 0U, f->dtype << " " << rounding_name(mode) << ": " << wrong);
    }
  }
}
