// Cases of generate() are what they promise.
#include "validation/diagnose/program/generate.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"

using namespace assay;
using namespace assay::diagnose;

BOOST_AUTO_TEST_CASE(integer_sums_are_exact_in_every_order) {
  for (const FormatSpec* out : {&formats::float32, &formats::bfloat16, &formats::float16}) {
    for (const CaseOperation operation : {CaseOperation::dot, CaseOperation::sum, CaseOperation::gemm}) {
      CaseSpec spec{
          .operation = operation, .values = CaseValues::integers, .m = 2, .n = 3, .most_terms = 100};
      spec.a = spec.b = formats::bfloat16;
      spec.output = *out;
      spec.with_c = operation != CaseOperation::sum;
      std::size_t nonzero = 0;
      for (std::size_t i = 0; i < 100; ++i) {
        const GeneratedCase c = generate(spec, i);
        for (std::size_t row = 0; row < c.m; ++row) {
          for (std::size_t col = 0; col < c.n; ++col) {
            double magnitudes = c.c.empty() ? 0 : std::fabs(decode(c.c[row * c.n + col], spec.accumulator));
            for (std::size_t k = 0; k < c.k; ++k) {
              const double a = decode(c.a[row * c.k + k], spec.a);
              const double b = c.b.empty() ? 1 : decode(c.b[k * c.n + col], spec.b);
              BOOST_TEST_REQUIRE(a == std::floor(a));
              BOOST_TEST_REQUIRE(b == std::floor(b));
              magnitudes += std::fabs(a * b);
              nonzero += a * b != 0 ? 1 : 0;
            }
            BOOST_TEST(magnitudes <= std::ldexp(1.0, std::min(out->precision, 24)));
          }
        }
      }
      BOOST_TEST(nonzero > 1000U);
    }
  }
}

BOOST_AUTO_TEST_CASE(cases_are_a_function_of_seed_and_index) {
  CaseSpec spec{.values = CaseValues::normal, .most_terms = 30};
  CaseSpec other = spec;
  other.seed = 2;
  std::set<std::size_t> lengths;
  for (std::size_t i = 0; i < 100; ++i) {
    BOOST_TEST((generate(spec, i).a == generate(spec, i).a));
    BOOST_TEST((generate(spec, i).a != generate(other, i).a));
    lengths.insert(generate(spec, i).k);
  }
  BOOST_TEST(lengths.size() > 20U);
  BOOST_TEST(*lengths.rbegin() <= 30U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_is_refused) {
  CaseSpec spec{.values = CaseValues::integers, .least_terms = 257, .most_terms = 257};
  spec.output = formats::bfloat16;
  BOOST_TEST(!why_not(spec).empty());
  BOOST_CHECK_THROW(generate(spec, 0), ContractError);
  spec.least_terms = spec.most_terms = 256;
  BOOST_TEST(why_not(spec).empty());
  BOOST_TEST(!why_not(CaseSpec{.values = CaseValues::hard}).empty());
  BOOST_TEST(!why_not(CaseSpec{.least_terms = 3, .most_terms = 2}).empty());
}
