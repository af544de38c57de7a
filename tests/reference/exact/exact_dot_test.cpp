#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/exact_dot.hpp"
#include "tests/reference/exact/operands.hpp"
#include "tests/reference/exact/rational_sum.hpp"
#include "tests/reference/formats/printing.hpp"

namespace bdata = boost::unit_test::data;
using namespace assay;
using assay::test::all_operands;
using assay::test::make_operands;
using assay::test::Operands;
using assay::test::RationalSum;

namespace {

std::uint64_t magnitude(std::uint64_t code, const FormatSpec& f) {
  return f.is_nan(code) || !f.is_negative(code) ? code : negated(code, f);
}

// Wrong results of every option, class and length against the big integer, for one pair of formats.
std::size_t mismatches(const FormatSpec& fa, const FormatSpec& fb, std::size_t& tried) {
  std::size_t wrong = 0;
  for (const Operands kind : all_operands) {
    for (const std::size_t n : {0U, 1U, 2U, 3U, 31U, 513U}) {
      const auto [a, b] = make_operands(kind, n, fa, fb, n + 5);
      for (int options = 0; options < 4; ++options) {
        const ExactDotOptions how{.magnitudes = (options & 1) != 0, .flush_inputs = (options & 2) != 0};
        const auto read = [&](std::uint64_t code, const FormatSpec& f) {
          if (how.flush_inputs && f.is_subnormal(code))
            code = f.specials == Specials::fnuz ? 0 : code & f.sign_code();
          return how.magnitudes ? magnitude(code, f) : code;
        };
        RationalSum dot, sum;
        const std::uint64_t one = encode(1.0, formats::float32).code;
        for (std::size_t i = 0; i < n; ++i) {
          dot.add_product(read(a.code(i), fa), fa, read(b.code(i), fb), fb);
          sum.add_product(read(a.code(i), fa), fa, one, formats::float32);
        }
        const ExactSum got_dot = exact_dot(a.view(), b.view(), how), got_sum = exact_sum(a.view(), how);
        for (const Rounding mode : {Rounding::nearest_even, Rounding::toward_negative}) {
          tried += 2;
          wrong += got_dot.rounded(formats::float64, {.rounding = mode}).code !=
                   dot.rounded(formats::float64, mode);
          wrong += got_sum.rounded(formats::float64, {.rounding = mode}).code !=
                   sum.rounded(formats::float64, mode);
        }
      }
    }
  }
  return wrong;
}

BOOST_DATA_TEST_CASE(every_format,
                     bdata::make(std::vector<const FormatSpec*>(formats::all.begin(), formats::all.end())),
                     f) {
  std::size_t tried = 0;
  std::size_t wrong = mismatches(*f, *f, tried);
  wrong += mismatches(*f, formats::float32, tried) + mismatches(formats::float64, *f, tried);
  BOOST_TEST(wrong == 0U, wrong << " of " << tried);
}

BOOST_AUTO_TEST_CASE(typed_arrays_and_strides) {
  const std::size_t n = 700;
  const CounterRandom random(3);
  std::vector<float> a(3 * n), b(2 * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(random.normal(i));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(random.normal(i + 10000));
  std::vector<float> x(n), y(n);
  std::vector<bf16_t> x16(n), y16(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = a[3 * i];
    y[i] = b[2 * n - 1 - 2 * i];
    x16[i] = bf16_t(x[i]);
    y16[i] = bf16_t(y[i]);
  }
  const auto code = [](const ExactSum& sum) { return sum.rounded(formats::float64).code; };
  const std::uint64_t packed = code(exact_dot(x.data(), y.data(), n));
  BOOST_TEST(code(exact_dot(code_vector(a.data(), n, 3), code_vector(b.data() + 2 * n - 1, n, -2))) ==
             packed);
  ExactSum bf16;
  for (std::size_t i = 0; i < n; ++i)
    bf16.add_product(static_cast<double>(x16[i]), static_cast<double>(y16[i]));
  BOOST_TEST(code(exact_dot(x16.data(), y16.data(), n)) == code(bf16));
  // Adding in pieces.
  ExactSum pieces;
  add_exact_dot(pieces, code_vector(x.data(), n).part(0, 333), code_vector(y.data(), n).part(0, 333));
  add_exact_dot(pieces, code_vector(x.data(), n).part(333, 367), code_vector(y.data(), n).part(333, 367));
  BOOST_TEST(code(pieces) == packed);
}

// Neither rounding direction nor flushing of the caller shows.
BOOST_AUTO_TEST_CASE(control_word_is_without_effect) {
  std::size_t wrong = 0;
  for (const Operands kind : {Operands::subnormal, Operands::any_code, Operands::normal}) {
    const auto [a, b] = make_operands(kind, 301, formats::float32, formats::float32, 9);
    const std::uint64_t want = exact_dot(a.view(), b.view()).rounded(formats::float64).code;
    for (const std::uint32_t control : {0x1F80U, 0x9FC0U, 0x3F80U, 0x5F80U, 0x7F80U, 0xFFC0U}) {
      const MxcsrGuard guard(control);
      wrong += exact_dot(a.view(), b.view()).rounded(formats::float64).code != want;
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(misuse) {
  const float x[2] = {1, 2};
  BOOST_CHECK_THROW(exact_dot(code_vector(x, 2), code_vector(x, 1)), ContractError);
  BOOST_CHECK_THROW(exact_sum(CodeVector{nullptr, 3, 1, formats::float32}), ContractError);
  BOOST_TEST(exact_sum(CodeVector{}).result().is_zero());
}

}  // namespace
