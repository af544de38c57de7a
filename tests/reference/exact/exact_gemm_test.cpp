#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <memory>
#include <ostream>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/exact_gemm.hpp"
#include "tests/reference/exact/operands.hpp"

namespace bdata = boost::unit_test::data;
using namespace assay;
using namespace assay::test;

namespace assay {
std::ostream& operator<<(std::ostream& os, const WindowSumsKernel* k) { return os << k->name; }
}  // namespace assay

namespace {

const FormatSpec& f32 = formats::float32;

std::vector<const WindowSumsKernel*> kernels_here() {
  std::vector<const WindowSumsKernel*> here;
  for (const WindowSumsKernel& k : window_sums_kernels()) {
    if (cpu_has(k.needs)) here.push_back(&k);
  }
  return here;
}

bool same(const ExactValue<Wide>& x, const ExactValue<Wide>& y) {
  return x.kind == y.kind && x.negative == y.negative && x.significand == y.significand &&
         x.exponent == y.exponent && x.sticky == y.sticky;
}

struct Count {
  std::size_t wrong = 0, tried = 0;
  std::size_t by_parts[4] = {};
};

// Every output of the product against exact() of its row and column.
void compare_all(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
                 const std::optional<CodeMatrix>& start, const ExactGemm::Options& options, Count& count) {
  const ExactGemm gemm(arithmetic, a, b, start, options);
  ExactGemm::Workspace space;
  constexpr std::size_t size = ExactGemm::tile_size;
  for (std::size_t i = 0; i < a.rows; i += size) {
    for (std::size_t j = 0; j < b.cols; j += size) {
      gemm.tile(i, std::min(size, a.rows - i), j, std::min(size, b.cols - j), space,
                [&](std::size_t row, std::size_t col, const GemmSum& got) {
                  const auto c = start ? std::optional(start->code(row, col)) : std::nullopt;
                  const ExactDot want = arithmetic.exact(a.row(row), b.column(col), c);
                  bool right = std::bit_cast<std::uint64_t>(got.dot.magnitudes) ==
                               std::bit_cast<std::uint64_t>(want.magnitudes);
                  for (const Rounding mode : {Rounding::nearest_even, Rounding::toward_negative})
                    right = right && same(got.dot.value.result(mode), want.value.result(mode));
                  ++count.tried;
                  count.wrong += right ? 0 : 1;
                  ++count.by_parts[gemm.parts_of(row, col)];
                });
    }
  }
}

struct Shape {
  std::size_t m, n, k;
};

using FormatPairs = std::vector<std::pair<FormatSpec, FormatSpec>>;

template <class Kernel>
void compare_with_exact(const Kernel& kernel, const FormatPairs& pairs, std::size_t least) {
  const auto plain = make_chain({.name = "chain"});
  const auto flushing = make_chain({.name = "flushing", .flush_inputs = true, .flush_results = true});
  Count count;
  for (const auto& [fa, fb] : pairs) {
    for (const Operands kind : all_operands) {
      std::uint64_t seed = 0;
      for (const Shape& s : {Shape{1, 1, 0}, Shape{1, 1, 1}, Shape{3, 5, 2}, Shape{1, 9, 257},
                             Shape{13, 1, 31}, Shape{7, 11, 513}, Shape{67, 3, 5}, Shape{2, 65, 17}}) {
        const auto [a, b] = make_operands(kind, std::max(s.m, s.n) * s.k, fa, fb, ++seed);
        const auto [c, ignored] = make_operands(kind, s.m * s.n, f32, f32, seed + 50);
        for (int options = 0; options < 8; ++options) {
          const bool turned = (options & 1) != 0;
          const CodeMatrix x = turned ? a.matrix(s.k, s.m).transposed() : a.matrix(s.m, s.k),
                           y = turned ? b.matrix(s.n, s.k).transposed() : b.matrix(s.k, s.n);
          const auto start =
              (options & 2) != 0 ? std::optional<CodeMatrix>(c.matrix(s.m, s.n)) : std::nullopt;
          compare_all((options & 4) != 0 ? *flushing : *plain, x, y, start, {.threads = 1, .kernel = kernel},
                      count);
        }
      }
    }
  }
  BOOST_TEST(count.wrong == 0U, count.wrong << " of " << count.tried);
  // Each way was taken.
  for (const int parts : {0, 2, 3})
    BOOST_TEST(count.by_parts[parts] > least, parts << ": " << count.by_parts[parts]);
}

BOOST_DATA_TEST_CASE(equals_exact, bdata::make(kernels_here()), kernel) {
  compare_with_exact(
      kernel, {{f32, f32}, {formats::float8_e4m3fn, formats::float8_e5m2}, {formats::float64, f32}}, 1000);
}
BOOST_TEST_DECORATOR(*boost::unit_test::label("full"))
BOOST_DATA_TEST_CASE(equals_exact_in_all_formats, bdata::make(kernels_here()), kernel) {
  compare_with_exact(kernel,
                     {{f32, f32},
                      {formats::bfloat16, formats::bfloat16},
                      {formats::float16, f32},
                      {formats::float8_e4m3fn, formats::float8_e5m2},
                      {formats::float64, f32},
                      {formats::float8_e4m3fnuz, formats::bfloat16},
                      {formats::tf32, formats::float16}},
                     10000);
}

// Rows backwards, every second column, one row for all.
BOOST_AUTO_TEST_CASE(strides) {
  const auto chain = make_chain({.name = "chain"});
  const auto [a, b] = make_operands(Operands::normal, 2000, f32, f32, 3);
  const CodeMatrix x{a.view().part(300, 1).data, 5, 30, -60, 2, f32}, y{b.view().data, 30, 7, 13, 4, f32};
  CodeMatrix one = x, backwards = y;
  one.row_stride = 0;
  backwards.data = b.view().part(900, 1).data;
  backwards.row_stride = -13;
  backwards.col_stride = -1;
  Count count;
  for (const CodeMatrix& left : {x, one}) {
    for (const CodeMatrix& right : {y, backwards}) compare_all(*chain, left, right, {}, {}, count);
  }
  BOOST_TEST(count.wrong == 0U, count.wrong << " of " << count.tried);
  BOOST_TEST(count.by_parts[2] == count.tried);
}

// Rows and columns of zeros of one sign or both.
BOOST_AUTO_TEST_CASE(zeros) {
  const auto chain = make_chain({.name = "chain"});
  const std::size_t k = 6, kinds = 9;
  const CounterRandom random(5);
  std::vector<float> a(kinds * k), b;
  for (std::size_t i = 0; i < kinds; ++i) {
    for (std::size_t l = 0; l < k; ++l) {
      const bool minus = i % 3 == 1 || (i % 3 == 2 && (random.u32(i * k + l) & 1) != 0);
      const float size = i < 3 || (i < 6 && l != 2) ? 0.0F : 1.5F;
      a[i * k + l] = minus ? -size : size;
    }
  }
  b = a;
  for (std::size_t i = 3; i < 6; ++i)
    std::swap(b[i * k + 2], b[i * k + 4]);  // sums of zeros alone, from others
  Count count;
  const CodeMatrix x = code_matrix(a.data(), kinds, k), y = code_matrix(b.data(), kinds, k).transposed();
  compare_all(*chain, x, y, {}, {}, count);
  const std::vector<float> plus(kinds * kinds, 0.0F), minus(kinds * kinds, -0.0F), ones(kinds * kinds, -1.0F);
  for (const auto* start : {&plus, &minus, &ones})
    compare_all(*chain, x, y, code_matrix(start->data(), kinds, kinds), {}, count);
  BOOST_TEST(count.wrong == 0U, count.wrong << " of " << count.tried);
}

// Sums of thousands of terms that cancel but for a last place, at the ends of float32's range too.
BOOST_AUTO_TEST_CASE(cancellation) {
  const auto chain = make_chain({.name = "chain"});
  Count count;
  const CounterRandom random(11);
  for (const int scale : {0, 80, -100}) {
    for (const std::size_t k : {2U, 34U, 1022U, 5000U}) {
      const std::size_t m = 3, n = 5;
      std::vector<float> a(m * k), b(k * n);
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t l = 0; l < k / 2; ++l) {
          const auto x = static_cast<float>(std::ldexp(random.normal(i * k + l), scale));
          a[i * k + l] = x;
          a[i * k + k - 1 - l] = l == 1 && i != 0 ? -std::nextafter(x, 0.0F) : -x;
        }
      }
      for (std::size_t l = 0; l < k / 2; ++l) {
        for (std::size_t j = 0; j < n; ++j) {
          const auto y = static_cast<float>(random.normal(1000000 + l * n + j));
          b[l * n + j] = b[(k - 1 - l) * n + j] = y;
        }
      }
      compare_all(*chain, code_matrix(a.data(), m, k), code_matrix(b.data(), k, n), {}, {}, count);
    }
  }
  BOOST_TEST(count.wrong == 0U, count.wrong << " of " << count.tried);
}

// Data that need every bit of a window of so many parts: rests of just below half a place of the part before, all of
// one sign, and at the end one product of the lowest place. `lower` moves that place further down.
struct Tight {
  std::vector<float> a, b;

  Tight(int parts, std::size_t k, int terms_log2, int lower) : a(k), b(k) {
    const int top = 40;
    const int limit = parts == 2 ? 105 - 2 * terms_log2 : 157 - 3 * terms_log2;
    // Products smaller than 2^(2 top): the last place of the last anchored part.
    const int place = 2 * top + (parts == 2 ? terms_log2 - 51 : 2 * terms_log2 - 103);
    // x y ends in 0 and then ones, as many bits as lie below that place.
    const int below = parts == 2 ? terms_log2 - 3 : 7;
    const std::int64_t mask = (std::int64_t{1} << below) - 1;
    const int x = 0xFFFFFB;
    int y = 0xFFF801;
    while (((std::int64_t{x} * y) & mask) != mask >> 1) ++y;
    const int units = place - below, half = units / 2;
    for (std::size_t i = 0; i < k; ++i) {
      a[i] = std::ldexp(static_cast<float>(x), half);
      b[i] = std::ldexp(static_cast<float>(y), units - half);
    }
    a[0] = b[0] = std::ldexp(1.5F, top - 1);
    const int last = 2 * top - limit - lower;
    a[k - 1] = std::ldexp(1.0F, last / 2);
    b[k - 1] = std::ldexp(1.0F, last - last / 2);
  }
};

BOOST_DATA_TEST_CASE(windows_are_no_wider_than_proven, bdata::make(kernels_here()), kernel) {
  const auto chain = make_chain({.name = "chain"});
  for (const int parts : {2, 3}) {
    for (const int terms_log2 : {8, 10, 12}) {
      const std::size_t k = std::size_t{1} << terms_log2;
      const auto wrong_with = [&](int lower, int unproven_bits) {
        const Tight tight(parts, k, terms_log2, lower);
        Count count;
        compare_all(*chain, code_matrix(tight.a.data(), 1, k), code_matrix(tight.b.data(), k, 1), {},
                    {.kernel = kernel, .unproven_bits = unproven_bits}, count);
        BOOST_TEST(count.by_parts[parts] == (lower == unproven_bits ? 1U : 0U),
                   parts << " parts, 2^" << terms_log2 << " terms");
        return count.wrong;
      };
      BOOST_TEST(wrong_with(0, 0) == 0U);
      BOOST_TEST(wrong_with(1, 0) == 0U);
      // A window one bit wider than proven gives a wrong sum.
      BOOST_TEST(wrong_with(1, 1) == 1U, parts << " parts, 2^" << terms_log2 << " terms");
    }
  }
}

BOOST_AUTO_TEST_CASE(control_word_is_without_effect) {
  const auto chain = make_chain({.name = "chain"});
  const auto [a, b] = make_operands(Operands::subnormal, 900, f32, f32, 2);
  const std::uint32_t own = mxcsr();
  for (const std::uint32_t word : {0x9FC0U, 0x7F80U, 0x5F80U, 0x3F80U}) {
    const MxcsrGuard guard(word);
    const ExactGemm gemm(*chain, a.matrix(9, 100), b.matrix(100, 9), {}, {.threads = 1});
    ExactGemm::Workspace space;
    std::vector<GemmSum> sums;
    gemm.tile(0, 9, 0, 9, space, [&](std::size_t, std::size_t, const GemmSum& sum) { sums.push_back(sum); });
    BOOST_TEST(mxcsr() == word);
    const MxcsrGuard usual(own);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 81; ++i) {
      const ExactDot want = chain->exact(a.matrix(9, 100).row(i / 9), b.matrix(100, 9).column(i % 9), {});
      wrong +=
          !same(sums[i].dot.value.result(), want.value.result()) || sums[i].dot.magnitudes != want.magnitudes;
    }
    BOOST_TEST(wrong == 0U, word);
  }
}

BOOST_AUTO_TEST_CASE(misuse) {
  const auto chain = make_chain({.name = "chain"});
  const float x[6] = {1, 2, 3, 4, 5, 6};
  BOOST_CHECK_THROW(ExactGemm(*chain, code_matrix(x, 2, 3), code_matrix(x, 2, 3), {}), ContractError);
  const ExactGemm gemm(*chain, code_matrix(x, 2, 3), code_matrix(x, 3, 2), {});
  ExactGemm::Workspace space;
  const auto nothing = [](std::size_t, std::size_t, const GemmSum&) {};
  BOOST_CHECK_THROW(gemm.tile(1, 2, 0, 2, space, nothing), ContractError);
  BOOST_CHECK_THROW(gemm.tile(0, 2, 0, 65, space, nothing), ContractError);
  const CodeMatrix null{nullptr, 3, 2, 2, 1, f32};
  const ExactGemm refused(*chain, code_matrix(x, 2, 3), null, {});
  BOOST_CHECK_THROW(refused.tile(0, 1, 0, 1, space, nothing), ContractError);
}

}  // namespace
