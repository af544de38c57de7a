// add, mul and div through float32 against the integer definition, on all 65,280^2 finite pairs.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <vector>

#include "reference/core/parallel.hpp"
#include "reference/formats/bf16_arithmetic.hpp"

using namespace assay;

BOOST_AUTO_TEST_CASE(every_finite_pair, *boost::unit_test::label("exhaustive")) {
  std::vector<bf16_t> finite;
  for (std::uint32_t c = 0; c < 0x10000; ++c) {
    if (formats::bfloat16.is_finite(c)) finite.push_back(bf16_t::from_code(static_cast<std::uint16_t>(c)));
  }
  BOOST_REQUIRE(finite.size() == 65280U);
  const auto start = std::chrono::steady_clock::now();
  struct Wrong {
    std::uint64_t add = 0, mul = 0, div = 0;
  };
  const Wrong wrong = parallel_reduce(
      finite.size(), {0, Share::dynamic, 64}, [] { return Wrong{}; },
      [&](Wrong& own, std::size_t i) {
        const bf16_t a = finite[i];
        for (const bf16_t b : finite) {
          own.add += add(a, b) != definition::add(a, b) ? 1U : 0U;
          own.mul += mul(a, b) != definition::mul(a, b) ? 1U : 0U;
          own.div += div(a, b) != definition::div(a, b) ? 1U : 0U;
        }
      },
      [](Wrong& all, const Wrong& own) {
        all.add += own.add;
        all.mul += own.mul;
        all.div += own.div;
      });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << "3 x " << finite.size() * finite.size() << " pairs in " << seconds.count() << " s\n";
  BOOST_TEST(wrong.add == 0U);
  BOOST_TEST(wrong.mul == 0U);
  BOOST_TEST(wrong.div == 0U);
}
