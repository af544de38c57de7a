// Forward and backward against 113-bit arithmetic, whole numbers, finite differences of the function whose gradient
// this is, and wrong versions that these checks must refuse.
#include "reference/autosparse/gradient.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"

using namespace assay;
using namespace assay::autosparse;

namespace {

__extension__ using Quadruple = __float128;  // GCC and Clang have it, ISO C++ has not

// Normal numbers of a small spread, some of them exactly the threshold, and zeros of both signs.
template <class Real>
std::vector<Real> weights(std::size_t n, Real threshold, std::uint64_t seed) {
  const CounterRandom random(seed);
  std::vector<Real> w(n);
  for (std::size_t i = 0; i < n; ++i) w[i] = static_cast<Real>(0.3 * random.normal(i));
  for (std::size_t i = 0; i + 4 < n; i += 97) {
    w[i] = threshold;
    w[i + 1] = -threshold;
    w[i + 2] = 0;
    w[i + 3] = Real{-0.0};
    w[i + 4] = std::nextafter(threshold, Real{1});
  }
  return w;
}

template <class Real>
std::vector<Real> gradients(std::size_t n, std::uint64_t seed) {
  const CounterRandom random(seed);
  std::vector<Real> g(n);
  for (std::size_t i = 0; i < n; ++i) g[i] = static_cast<Real>(random.normal(i));
  return g;
}

template <class Real>
bool same_bits(Real a, Real b) {
  return a == b && std::signbit(a) == std::signbit(b);
}

struct Case {
  LayerShape shape;
  bool by_channel;
  GradientScales scales;
};
const Case cases[] = {{{1, 1}, false, {0.5, 0, 0}},         {{1, 15}, true, {0, 0.01, 0}},
                      {{7, 33}, false, {1, 0.002, 0}},      {{7, 33}, true, {0.3, 0.002, 0}},
                      {{3, 5000}, true, {0.7, 0, 0}},       {{40, 513}, false, {0.25, 1e-4, 0}},
                      {{2, 3 * 4096}, true, {0.9, 1e-3, 0}}};

template <class Real>
std::vector<Real> thresholds_of(const Case& c) {
  std::vector<Real> t(c.by_channel ? c.shape.channels : 1);
  for (std::size_t i = 0; i < t.size(); ++i)
    t[i] = threshold_of(static_cast<Real>(-1 - 0.37 * static_cast<double>(i)));
  return t;
}

template <class Real>
void check_against_long_arithmetic() {
  for (const Case& c : cases) {
    const std::size_t n = c.shape.size();
    const std::vector<Real> t = thresholds_of<Real>(c), w = weights<Real>(n, t[0], 1),
                            g = gradients<Real>(n, 2);
    std::vector<Real> v(n), dw(n);
    std::vector<std::uint8_t> mask(n);
    std::vector<double> sums(t.size());
    forward<Real>(w, c.shape, t, v, mask);
    backward<Real>(w, c.shape, t, g, c.scales, dw, sums);
    const auto alpha = static_cast<Quadruple>(static_cast<Real>(c.scales.alpha)),
               lambda = static_cast<Quadruple>(static_cast<Real>(c.scales.lambda));
    std::vector<Quadruple> want_sums(t.size(), 0), magnitudes(t.size(), 0);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t of = c.by_channel ? i / c.shape.per_channel : 0;
      const Quadruple x = w[i] < 0 ? -static_cast<Quadruple>(w[i]) : static_cast<Quadruple>(w[i]);
      const bool kept = x - static_cast<Quadruple>(t[of]) > 0;
      const Quadruple sign = w[i] > 0 ? 1 : w[i] < 0 ? -1 : 0;
      const Real want_v = kept ? static_cast<Real>(sign * (x - static_cast<Quadruple>(t[of]))) : Real{0};
      const Quadruple h_g = (kept ? Quadruple{1} : alpha) * static_cast<Quadruple>(g[i]);
      const auto rounded = static_cast<Real>(h_g);
      const Real want_dw =
          lambda == 0
              ? rounded
              : static_cast<Real>(lambda * static_cast<Quadruple>(w[i]) + static_cast<Quadruple>(rounded));
      BOOST_TEST((mask[i] == (kept ? 1 : 0) && same_bits(v[i], want_v) && same_bits(dw[i], want_dw)),
                 "weight " << i << " of " << n << ": " << w[i] << ", " << g[i]);
      want_sums[of] += sign * h_g;
      magnitudes[of] += h_g < 0 ? -h_g : h_g;
    }
    for (std::size_t of = 0; of < t.size(); ++of) {
      // A term is exact, or rounded for double; it is added 256 times in its lane, 4 among lanes, 20 among pieces.
      const double bound = 281 * 0x1p-53 * static_cast<double>(magnitudes[of]);
      BOOST_TEST(std::fabs(static_cast<double>(static_cast<Quadruple>(sums[of]) - want_sums[of])) <= bound);
    }
    // No number of threads changes a bit.
    for (const int threads : {2, 3, 8}) {
      std::vector<Real> other_dw(n);
      std::vector<double> other_sums(t.size());
      backward<Real>(w, c.shape, t, g, c.scales, other_dw, other_sums, threads);
      BOOST_TEST((std::equal(dw.begin(), dw.end(), other_dw.begin(), same_bits<Real>) && sums == other_sums));
    }
  }
}

// --- the function whose gradient this is -----------------------------------------------------------------------------

// F = L(v) + lambda/2 |w|^2 + lambda_s/2 s^2 with L = sum c v + q v^2 / 2 and, around (w0, s0),
//   v = sign(w) phi(|w| - g(s)) - sign(w0) (phi(x0) - relu(x0)),   phi(x) = x for x > 0, alpha x otherwise,
// whose last term is held constant: AutoSparse's dw and ds are its gradient there.
struct Surrogate {
  std::vector<long double> w0, c, q;
  long double s0, alpha, lambda, lambda_s;

  long double phi(long double x) const { return x > 0 ? x : alpha * x; }
  static long double sign(long double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
  static long double g(long double s) { return 1 / (1 + std::exp(-s)); }

  long double value(const std::vector<long double>& w, long double s) const {
    long double sum = lambda_s / 2 * s * s;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const long double x0 = std::fabs(w0[i]) - g(s0);
      const long double v =
          sign(w[i]) * phi(std::fabs(w[i]) - g(s)) - sign(w0[i]) * (phi(x0) - std::max(x0, 0.0L));
      sum += c[i] * v + q[i] * v * v / 2 + lambda / 2 * w[i] * w[i];
    }
    return sum;
  }
  // By central differences: weights in order, then s.
  std::vector<long double> gradient() const {
    constexpr long double h = 1e-6L;
    std::vector<long double> all;
    std::vector<long double> w = w0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      w[i] = w0[i] + h;
      const long double up = value(w, s0);
      w[i] = w0[i] - h;
      all.push_back((up - value(w, s0)) / (2 * h));
      w[i] = w0[i];
    }
    all.push_back((value(w0, s0 + h) - value(w0, s0 - h)) / (2 * h));
    return all;
  }
};

Surrogate surrogate(double alpha) {
  Surrogate f{.w0 = {}, .c = {}, .q = {}, .s0 = -1.1L, .alpha = alpha, .lambda = 0.01L, .lambda_s = 0.02L};
  const CounterRandom random(5);
  const long double threshold = Surrogate::g(f.s0);
  for (std::uint64_t i = 0; f.w0.size() < 60; ++i) {
    const auto w = static_cast<long double>(0.4 * random.normal(i));
    // Off the kinks, by more than a step.
    if (std::fabs(std::fabs(w) - threshold) < 1e-3L || std::fabs(w) < 1e-3L) continue;
    f.w0.push_back(w);
    f.c.push_back(static_cast<long double>(random.normal(1000 + i)));
    f.q.push_back(static_cast<long double>(random.normal(2000 + i)));
  }
  return f;
}

// dw and then ds, by whoever is asked: w, T, G.
using Gradient = std::function<std::vector<double>(
    const std::vector<double>& w, double s, const std::vector<double>& g, const GradientScales& scales)>;

std::vector<double> ours(const std::vector<double>& w, double s, const std::vector<double>& g,
                         const GradientScales& scales) {
  const double threshold[] = {threshold_of(s)};
  std::vector<double> dw(w.size()), sum(1);
  backward<double>(w, {1, w.size()}, threshold, g, scales, dw, sum);
  dw.push_back(s_gradient(threshold[0], sum[0], s, scales.lambda_s));
  return dw;
}

// The largest distance from the differences of the surrogate.
long double distance(double alpha, const Gradient& gradient) {
  const Surrogate f = surrogate(alpha);
  const double s = static_cast<double>(f.s0), threshold = threshold_of(s);
  std::vector<double> w(f.w0.begin(), f.w0.end()), g(w.size());
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double x = std::fabs(w[i]) - threshold;
    g[i] = static_cast<double>(f.c[i]) + static_cast<double>(f.q[i]) * (x > 0 ? std::copysign(x, w[i]) : 0);
  }
  const std::vector<double> got = gradient(
      w, s, g,
      {.alpha = alpha, .lambda = static_cast<double>(f.lambda), .lambda_s = static_cast<double>(f.lambda_s)});
  const std::vector<long double> want = f.gradient();
  long double most = 0;
  for (std::size_t i = 0; i < want.size(); ++i)
    most = std::max(most, std::fabs(static_cast<long double>(got[i]) - want[i]));
  return most;
}

// A second and plainer version, whole or with one mistake.
enum class Mistake {
  none,
  alpha_on_the_kept,
  no_slope,
  no_sign,
  kept_terms_alone,
  alpha_squared,
  no_decay,
  sign_of_ds
};
Gradient with(Mistake m) {
  return [m](const std::vector<double>& w, double s, const std::vector<double>& g,
             const GradientScales& scales) {
    const double t = 1 / (1 + std::exp(-s)), slope = m == Mistake::no_slope ? 1 : t * (1 - t);
    const double alpha = m == Mistake::alpha_squared ? scales.alpha * scales.alpha : scales.alpha;
    std::vector<double> all;
    double sum = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const bool kept = std::fabs(w[i]) > t, whole = m == Mistake::alpha_on_the_kept ? !kept : kept;
      const double h_g = whole ? g[i] : alpha * g[i];
      all.push_back(h_g + (m == Mistake::no_decay ? 0 : scales.lambda) * w[i]);
      if (m == Mistake::kept_terms_alone && !kept) continue;
      sum += m == Mistake::no_sign ? h_g : std::copysign(h_g, h_g * w[i]);
    }
    all.push_back((m == Mistake::sign_of_ds ? slope : -slope) * sum + scales.lambda_s * s);
    return all;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(float_is_the_definition) { check_against_long_arithmetic<float>(); }
BOOST_AUTO_TEST_CASE(double_is_the_definition) { check_against_long_arithmetic<double>(); }

BOOST_AUTO_TEST_CASE(a_threshold_itself_is_masked) {
  const float t[] = {threshold_of(-2.0F)};
  const std::vector<float> w{t[0], -t[0], std::nextafter(t[0], 1.0F), -std::nextafter(t[0], 1.0F), 0, -0.0F,
                             1,    -1};
  std::vector<float> v(w.size());
  std::vector<std::uint8_t> mask(w.size());
  forward<float>(w, {2, 4}, t, v, mask);
  BOOST_TEST((mask == std::vector<std::uint8_t>{0, 0, 1, 1, 0, 0, 1, 1}));
  BOOST_TEST(v[2] == std::nextafter(t[0], 1.0F) - t[0]);
  BOOST_TEST(v[3] == -v[2]);
  BOOST_TEST(v[7] == t[0] - 1);
  for (const std::size_t i : {0U, 1U, 4U, 5U}) BOOST_TEST(same_bits(v[i], 0.0F));
}

// Sums of whole numbers have one value in every order.
BOOST_AUTO_TEST_CASE(whole_numbers_are_exact) {
  constexpr std::size_t n = 100003;
  const CounterRandom random(9);
  std::vector<float> w(n), g(n), dw(n);
  std::int64_t want = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto x = static_cast<std::int64_t>(random.u64(2 * i) % 5) - 2;
    const auto y = static_cast<std::int64_t>(random.u64(2 * i + 1) % 201) - 100;
    w[i] = static_cast<float>(x);
    g[i] = static_cast<float>(2 * y);  // alpha is a half
    want += (x > 0 ? 1 : x < 0 ? -1 : 0) * (x > 1 || x < -1 ? 2 * y : y);
  }
  const float t[] = {1};
  std::vector<double> sum(1);
  backward<float>(w, {1, n}, t, g, {.alpha = 0.5, .lambda = 3, .lambda_s = 0}, dw, sum, 4);
  BOOST_TEST(sum[0] == static_cast<double>(want));
  for (std::size_t i = 0; i < n; ++i) BOOST_TEST(dw[i] == 3 * w[i] + (std::fabs(w[i]) > 1 ? g[i] : g[i] / 2));
}

BOOST_AUTO_TEST_CASE(the_gradient_is_that_of_the_surrogate) {
  for (const double alpha : {0.0, 0.25, 0.5, 1.0}) {
    BOOST_TEST(distance(alpha, ours) < 1e-10L, "alpha " << alpha << ": " << distance(alpha, ours));
    BOOST_TEST(distance(alpha, with(Mistake::none)) < 1e-10L);
  }
}

BOOST_AUTO_TEST_CASE(mistakes_are_no_gradient) {
  for (const Mistake m :
       {Mistake::alpha_on_the_kept, Mistake::no_slope, Mistake::no_sign, Mistake::kept_terms_alone,
        Mistake::alpha_squared, Mistake::no_decay, Mistake::sign_of_ds})
    BOOST_TEST(distance(0.5, with(m)) > 1e-3L, "mistake " << static_cast<int>(m));
}

BOOST_AUTO_TEST_CASE(a_budget_keeps_the_largest) {
  const std::vector<float> w{3, -1, 0.5F, -4, 2, -2, 0};
  for (std::size_t kept = 0; kept <= w.size(); ++kept) {
    const float t[] = {budget_threshold<float>(w, kept)};
    std::vector<std::uint8_t> mask(w.size());
    forward<float>(w, {1, w.size()}, t, {}, mask);
    const auto left = static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
    // The two of magnitude 2 stay or go together; a zero is never kept.
    BOOST_TEST(left == (kept == 3 ? 2 : kept == 7 ? 6 : kept), kept << " asked for, " << left << " left");
  }
  BOOST_CHECK_THROW(budget_threshold<float>(w, 8), ContractError);
}

BOOST_AUTO_TEST_CASE(thresholds_are_the_sigmoid) {
  BOOST_TEST(threshold_of(0.0F) == 0.5F);
  BOOST_TEST(threshold_of(-5.0F) == 0.0066928509242848554F);
  for (const double s : {-20.0, -5.0, -0.3, 1.0, 7.0}) {
    const long double want = 1 / (1 + std::exp(-static_cast<long double>(s)));
    BOOST_TEST(threshold_of(static_cast<float>(s)) ==
               static_cast<float>(1 / (1 + std::exp(-static_cast<long double>(static_cast<float>(s))))));
    BOOST_TEST(std::fabs(static_cast<long double>(threshold_of(s)) - want) <= want * 0x1p-53L);
  }
  BOOST_TEST(threshold_slope(0.25) == 0.1875);
}

BOOST_AUTO_TEST_CASE(arguments_of_gradients_are_checked) {
  const std::vector<float> w(6, 1.0F), nan{1, 2, 3, 4, std::nanf(""), 6};
  std::vector<float> dw(6), small(5);
  std::vector<double> sums(1);
  const float t[] = {0.5F}, bad[] = {-0.5F}, three[] = {0.1F, 0.2F, 0.3F};
  const LayerShape shape{2, 3};
  BOOST_CHECK_EXCEPTION(require_weights<float>(nan, shape), ContractError, [](const ContractError& e) {
    return std::string(e.what()).find("channel 1, weight 1") != std::string::npos;
  });
  BOOST_CHECK_NO_THROW(require_weights<float>(w, shape));
  BOOST_CHECK_THROW(forward<float>(w, {2, 4}, t, dw, {}), ContractError);
  BOOST_CHECK_THROW(forward<float>(w, shape, t, small, {}), ContractError);
  BOOST_CHECK_THROW(forward<float>(w, shape, bad, dw, {}), ContractError);
  BOOST_CHECK_THROW(forward<float>(w, shape, three, dw, {}), ContractError);
  BOOST_CHECK_THROW(backward<float>(w, shape, t, small, {}, dw, sums), ContractError);
  BOOST_CHECK_THROW(backward<float>(w, shape, t, w, {.alpha = 1.5}, dw, sums), ContractError);
  BOOST_CHECK_THROW(backward<float>(w, shape, t, w, {.alpha = std::nan("")}, dw, sums), ContractError);
  BOOST_CHECK_THROW(backward<float>(w, shape, t, w, {.lambda = -1}, dw, sums), ContractError);
}
