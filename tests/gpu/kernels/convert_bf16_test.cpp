// The CUDA conversion to bfloat16 under the executor: the codes of the library's definition, at every alignment and
// under every order of threads.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <string>
#include <vector>

#include "gpu/kernels/convert_bf16_run.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/convert.hpp"
#include "tests/gpu/kernels/schedules.hpp"

namespace assay::gpu {

// The kernels of planted.cmake.
#define PLANTED(name)                                                                      \
  namespace name {                                                                         \
  std::vector<bf16_t> run_convert_bf16(std::span<const float>, const ConvertBf16Options&); \
  }
PLANTED(planted_convert_ties)
PLANTED(planted_convert_one_half)
PLANTED(planted_convert_end)
#undef PLANTED

}  // namespace assay::gpu

using namespace assay;
using gpu::ConvertBf16Options;

namespace {

// Any code, and one in four around a tie.
std::vector<float> codes(std::size_t n) {
  const CounterRandom random(3);
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t x = random.u32(2 * i);
    if (random.below(4, 2 * i + 1) == 0) x = (x & 0xFFFF0000) + 0x7FFF + x % 3;
    all[i] = std::bit_cast<float>(x);
  }
  return all;
}

// Zeros, subnormals, the largest numbers, infinities and NaNs, and what lies at the ends of what is cut.
std::vector<float> special() {
  std::vector<float> all;
  for (const std::uint32_t high :
       {0x0000U, 0x0001U, 0x007FU, 0x0080U, 0x3F80U, 0x3FFFU, 0x7F7EU, 0x7F7FU, 0x7F80U, 0x7FC0U, 0x7FFFU}) {
    for (const std::uint32_t low : {0U, 1U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      for (const std::uint32_t sign : {0U, 0x80000000U})
        all.push_back(std::bit_cast<float>(sign | high << 16 | low));
    }
  }
  return all;
}

// How many codes by `run` are wrong, those of the guards around them included.
template <class Run>
int count_wrong(const std::vector<float>& src, const ConvertBf16Options& options, const Run& run) {
  std::vector<bf16_t> want(src.size());
  Conversion c;
  c.rounding = options.rounding;
  c.seed = options.seed;
  c.first_index = options.first_index;
  convert_array(std::span<const float>(src), std::span<bf16_t>(want), c, 1);
  const std::vector<bf16_t> got = run(std::span<const float>(src), options);
  int wrong = got.size() == options.dst_offset + src.size() + 32 ? 0 : 1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool inside = i >= options.dst_offset && i < options.dst_offset + src.size();
    wrong += got[i] == (inside ? want[i - options.dst_offset] : bf16_t::from_code(0xA5A5)) ? 0 : 1;
  }
  return wrong;
}

void check(const std::vector<float>& src, const ConvertBf16Options& options) {
  for_each_schedule([&](const std::string& schedule) {
    const int wrong = count_wrong(
        src, options, [](const auto& x, const auto& how) { return gpu::run_convert_bf16(x, how); });
    BOOST_TEST(wrong == 0, schedule << ": " << src.size() << " elements from " << options.src_offset << " to "
                                    << options.dst_offset << ", index " << options.first_index);
  });
}

constexpr Rounding roundings[] = {Rounding::nearest_even, Rounding::toward_zero, Rounding::stochastic};

}  // namespace

BOOST_AUTO_TEST_CASE(convert_bf16_has_the_codes_of_the_definition) {
  for (const Rounding rounding : roundings) {
    for (const unsigned n : {0U, 1U, 15U, 16U, 31U, 32U, 33U, 2048U, 4095U, 4097U, 9000U})
      check(codes(n), {.rounding = rounding, .seed = 7});
    check(special(), {.rounding = rounding, .seed = 8});
  }
}

BOOST_AUTO_TEST_CASE(convert_bf16_takes_arrays_at_any_address) {
  const std::vector<float> src = codes(2100);
  for (const Rounding rounding : roundings) {
    for (const unsigned offset : {1U, 2U, 4U, 20U, 33U}) {
      check(src, {.rounding = rounding, .src_offset = offset, .dst_offset = offset});
      check(src, {.rounding = rounding, .src_offset = offset, .dst_offset = 3});
    }
  }
}

BOOST_AUTO_TEST_CASE(convert_bf16_rounds_pieces_as_the_whole) {
  const std::vector<float> src = codes(200);
  // Within a block of shared words, at its end, across the end of a key and of 32 bits, at the last index.
  constexpr std::uint64_t one = 1;
  for (const std::uint64_t first : {one, 16 * one, 31 * one, (one << 32) - 40, (one << 33) - 40,
                                    (one << 33) - 64, 5 * (one << 33), UINT64_MAX - 200})
    check(src, {.rounding = Rounding::stochastic, .seed = 0x123456789ABCDEF, .first_index = first});
  check(codes(6000),
        {.rounding = Rounding::stochastic, .first_index = 28, .src_offset = 28, .dst_offset = 28});
}

BOOST_AUTO_TEST_CASE(convert_bf16_tests_refuse_planted_kernels) {
  const std::vector<float> src = codes(2100);
  const auto wrong = [&](Rounding rounding, const auto& run) {
    return count_wrong(src, {.rounding = rounding}, run);
  };
  BOOST_TEST(wrong(Rounding::nearest_even, gpu::planted_convert_ties::run_convert_bf16) > 0);
  BOOST_TEST(wrong(Rounding::stochastic, gpu::planted_convert_one_half::run_convert_bf16) > 0);
  BOOST_TEST(wrong(Rounding::toward_zero, gpu::planted_convert_end::run_convert_bf16) > 0);
}

BOOST_AUTO_TEST_CASE(convert_bf16_refuses_what_it_cannot_take) {
  const auto said = [](const ConvertBf16Options& options) -> std::string {
    try {
      gpu::run_convert_bf16(codes(4), options);
    } catch (const ContractError& e) {
      return e.what();
    }
    return "nothing";
  };
  BOOST_TEST(
      said({.rounding = Rounding::to_odd}).find("is none of nearest-even, toward-zero and stochastic") !=
      std::string::npos);
  BOOST_TEST(said({.rounding = Rounding::stochastic, .first_index = UINT64_MAX - 3}) ==
             "convert_bf16: 4 elements from index 18446744073709551612 go beyond 2^64");
}
