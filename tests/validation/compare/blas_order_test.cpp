// The order of the reference BLAS, written out: C is scaled first, then products with alpha B join it one by one. And
// that of blocked libraries: alpha times the sum of a panel, added to C. None of their results may fail.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/judge/operands.hpp"

using namespace assay;

namespace {

template <class Real>
struct Problem {
  std::size_t m = 5, n = 4, k = 1;
  Real alpha = 1, beta = 0;
  std::vector<Real> a{}, b{}, c{};  // row by row
};

// ?GEMM of netlib's reference BLAS, not transposed: for each column j and term l, temp = alpha b[l][j].
template <class Real>
std::vector<Real> reference_blas(const Problem<Real>& p) {
  std::vector<Real> d(p.c.size());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = p.beta == 0 ? 0 : p.beta == 1 ? p.c[i] : p.beta * p.c[i];
  if (p.alpha == 0) return d;
  for (std::size_t j = 0; j < p.n; ++j) {
    for (std::size_t l = 0; l < p.k; ++l) {
      const Real temp = p.alpha * p.b[l * p.n + j];
      for (std::size_t i = 0; i < p.m; ++i) d[i * p.n + j] += temp * p.a[i * p.k + l];
    }
  }
  return d;
}

// Panels of k: fused sums, then C += alpha sum.
template <class Real>
std::vector<Real> by_panels(const Problem<Real>& p, std::size_t panel) {
  std::vector<Real> d(p.c.size());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = p.beta == 0 ? 0 : p.beta * p.c[i];
  for (std::size_t first = 0; first < p.k; first += panel) {
    for (std::size_t i = 0; i < p.m; ++i) {
      for (std::size_t j = 0; j < p.n; ++j) {
        Real sum = 0;
        for (std::size_t l = first; l < std::min(first + panel, p.k); ++l)
          sum = std::fma(p.a[i * p.k + l], p.b[l * p.n + j], sum);
        d[i * p.n + j] = std::fma(p.alpha, sum, d[i * p.n + j]);
      }
    }
  }
  return d;
}

template <class Real>
io::Array array(const std::vector<Real>& values, std::size_t rows, std::size_t cols) {
  const FormatSpec& f = std::is_same_v<Real, float> ? formats::float32 : formats::float64;
  io::Array x = io::make_array(f, {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)});
  std::copy(values.begin(), values.end(), x.as<Real>().begin());
  return x;
}

// Under the policy `bound`, any order allowed.
template <class Real>
compare::Comparison judged(const Problem<Real>& p, const std::vector<Real>& got) {
  const FormatSpec& f = std::is_same_v<Real, float> ? formats::float32 : formats::float64;
  judge::OutputSpec output{.format = f};
  output.epilogue.alpha = static_cast<double>(p.alpha);
  output.epilogue.beta = static_cast<double>(p.beta);
  output.epilogue.place = EpiloguePlace::anywhere;
  judge::Operands operands{.a = array(p.a, p.m, p.k), .b = array(p.b, p.k, p.n), .c = {}, .bias = {}};
  if (p.beta != 0) operands.c = array(p.c, p.m, p.n);
  const auto operation = judge::make_operation(operations::kind_of_gemm, std::move(operands), output);
  const auto any = judge::make_any_order({.accumulator = f}, f);
  const judge::Answer answer = judge::exact_answer(*operation, *any, output, {.threads = 1});
  const compare::Shape& shape = operation->shape();
  compare::Options options;
  options.policy = compare::find_policy(compare::default_policies(), "bound", "test");
  options.expects_zero = p.alpha == 0 && p.beta == 0;
  return compare::judge({got.data(), f, shape},
                        {.codes = {answer.codes.data(), f, shape},
                         .truth = answer.truth,
                         .remainder = answer.remainder,
                         .bound = answer.bound,
                         .results = answer.results,
                         .specials = answer.specials},
                        options);
}

template <class Real>
void expect_right(const Problem<Real>& p, const std::vector<Real>& got, const std::string& what) {
  const compare::Comparison c = judged(p, got);
  BOOST_TEST(c.outside == 0U,
             what << " k=" << p.k << " alpha=" << p.alpha << " beta=" << p.beta << ": " << c.where.text);
  BOOST_TEST(c.not_judged == 0U, what);
}

template <class Real>
void libraries_pass() {
  const CounterRandom random(3);
  std::uint64_t next = 0;
  const auto normal = [&](std::size_t n, double scale) {
    std::vector<Real> x(n);
    for (Real& y : x) y = static_cast<Real>(scale * random.normal(next++));
    return x;
  };
  for (const std::size_t k : {std::size_t{1}, std::size_t{3}, std::size_t{40}, std::size_t{1000}}) {
    for (const auto& [alpha, beta, size] :
         std::vector<std::array<double, 3>>{{1, 0, 1},
                                            {1, 1, 1},
                                            {0.001, 1, 1e4},
                                            {-1.5, 0.3, 1e4},
                                            {0, 0.7, 1},
                                            {0, 0, 1},
                                            {-1, -1, 1e6},
                                            {random.normal(next++), random.normal(next++), 1e8}}) {
      Problem<Real> p;
      p.k = k;
      p.alpha = static_cast<Real>(alpha);
      p.beta = static_cast<Real>(beta);
      p.a = normal(p.m * k, 1);
      p.b = normal(k * p.n, 1);
      p.c = normal(p.m * p.n, size);
      expect_right(p, reference_blas(p), "reference BLAS");
      for (const std::size_t panel : {std::size_t{1}, std::size_t{16}, std::size_t{384}})
        expect_right(p, by_panels(p, panel), "panels of " + std::to_string(panel));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(float32_libraries_pass) { libraries_pass<float>(); }
BOOST_AUTO_TEST_CASE(float64_libraries_pass) { libraries_pass<double>(); }

// ones(1,3) ones(3,1) + 2^24: each product on its own is lost in C, their sum is not.
BOOST_AUTO_TEST_CASE(c_first_beside_small_products) {
  Problem<float> p;
  p.m = p.n = 1;
  p.k = 3;
  p.beta = 1;
  p.a = p.b = {1, 1, 1};
  p.c = {0x1p24F};
  for (const float right : {0x1p24F, 0x1p24F + 2, 0x1p24F + 4}) BOOST_TEST(judged(p, {right}).outside == 0U);
  for (const float wrong : {0x1p24F - 2, 0x1p24F + 8}) BOOST_TEST(judged(p, {wrong}).outside == 1U);
}
