// More terms, one by one, than the digits take before their carries move.
#include <boost/test/unit_test.hpp>

#include <vector>

#include "reference/exact/exact_dot.hpp"

using namespace assay;

namespace {

BOOST_AUTO_TEST_CASE(past_the_deferred_carries, *boost::unit_test::label("exhaustive")) {
  const double x = 0x1.fffffffffffffp-1, y = 0x1.fffffffffffffp-2;
  const std::uint64_t n = (std::uint64_t{1} << 30) + 12345;
  const CodeVector a{&x, n, 0, formats::float64}, b{&y, n, 0, formats::float64};
  ExactSum sum = exact_dot(a, b), product;
  product.add_product(-x, y);
  product.multiply(exact(static_cast<double>(n)));
  sum.merge(product);
  BOOST_TEST(sum.result().is_zero());
}

}  // namespace
