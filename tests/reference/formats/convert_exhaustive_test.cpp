// All 2^32 floats through every kernel, deterministic rounding and named policy, against one evaluation of the
// definition for each format and rounding.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <iostream>
#include <numeric>

#include "reference/core/parallel.hpp"
#include "tests/reference/formats/conversion_check.hpp"

using namespace assay;
using namespace assay::test;

namespace {

constexpr std::uint64_t all_floats = std::uint64_t{1} << 32;
constexpr std::size_t chunk = std::size_t{1} << 15;

template <const FormatSpec& to>
void every_float(std::span<const Rounding> modes) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<const ConversionKernel*> kernels = kernels_to(to);
  const std::vector<Conversion> conversions = conversions_to(to, modes, std::vector{Overflow::ieee});
  struct Own {
    std::vector<std::uint32_t> bits = std::vector<std::uint32_t>(chunk);
    Differences differences;
    std::uint64_t visited = 0;
  };
  const Own own = parallel_reduce(
      all_floats / chunk, {0, Share::dynamic, 16}, [] { return Own{}; },
      [&](Own& mine, std::size_t i) {
        std::iota(mine.bits.begin(), mine.bits.end(), static_cast<std::uint32_t>(i * chunk));
        mine.differences.add(check<to>(kernels, conversions, mine.bits));
        mine.visited += chunk;
      },
      [](Own& all, const Own& mine) {
        all.differences.add(mine.differences);
        all.visited += mine.visited;
      });
  const std::uint64_t visited = own.visited;
  const Differences& all = own.differences;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::string names;
  for (const ConversionKernel* kernel : kernels) names += " " + std::string(kernel->name);
  std::cout << to.short_name << ": " << conversions.size() << " conversions of " << visited << " floats by"
            << names << ": " << seconds.count() << " s on " << default_threads() << " threads\n";
  BOOST_TEST(visited == all_floats);
  BOOST_TEST(all.count == 0U, all);
}

void add(const std::string& name, void (*body)()) {
  boost::unit_test::test_case* test = boost::unit_test::make_test_case(body, name, __FILE__, __LINE__);
  test->add_label("exhaustive");
  boost::unit_test::framework::master_test_suite().add(test);
}

bool make_tests() {
  static constexpr Rounding nearest_even[] = {Rounding::nearest_even};
  add("convert/every float to bf16", [] { every_float<formats::bfloat16>(deterministic_roundings); });
  add("convert/every float to f16", [] { every_float<formats::float16>(deterministic_roundings); });
  add("convert/every float to f8_e4m3", [] { every_float<formats::float8_e4m3fn>(nearest_even); });
  add("convert/every float to f8_e5m2", [] { every_float<formats::float8_e5m2>(nearest_even); });
  return true;
}

[[maybe_unused]] const bool made = make_tests();

}  // namespace
