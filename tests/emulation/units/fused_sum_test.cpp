#define BOOST_TEST_MODULE units_fused_sum
#include <boost/test/unit_test.hpp>
#include "emulation/units/fused_sum.hpp"
BOOST_AUTO_TEST_CASE(x) {}
