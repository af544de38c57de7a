#include "reference/exact/function_integers.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "reference/exact/functions.hpp"

namespace assay::functions {

namespace {

__extension__ using Bits128 = unsigned __int128;

// A fixed-point number: 64 bits before the point, the others after it, most significant first; modulo 2^64.
class Fixed {
 public:
  Fixed(std::size_t words, std::uint64_t whole) : words_(words) { words_[0] = whole; }

  void add(const Fixed& x) {
    std::uint64_t carry = 0;
    for (std::size_t i = words_.size(); i-- > 0;) {
      const Bits128 sum = static_cast<Bits128>(words_[i]) + x.words_[i] + carry;
      words_[i] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> 64);
    }
  }
  void negate() {
    bool carry = true;
    for (std::size_t i = words_.size(); i-- > 0;) {
      words_[i] = ~words_[i] + (carry ? 1 : 0);
      carry = carry && words_[i] == 0;
    }
  }
  void subtract(Fixed x) {
    x.negate();
    add(x);
  }
  void multiply(std::uint64_t n) {
    std::uint64_t carry = 0;
    for (std::size_t i = words_.size(); i-- > 0;) {
      const Bits128 product = static_cast<Bits128>(words_[i]) * n + carry;
      words_[i] = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
  }
  void divide(std::uint64_t n) {
    std::uint64_t rest = 0;
    for (std::uint64_t& word : words_) {
      const Bits128 dividend = static_cast<Bits128>(rest) << 64 | word;
      word = static_cast<std::uint64_t>(dividend / n);
      rest = static_cast<std::uint64_t>(dividend % n);
    }
  }
  void shift_right(int n) {
    for (; n > 0; n -= 32) divide(std::uint64_t{1} << (n < 32 ? n : 32));
  }
  bool negative() const { return words_[0] >> 63 != 0; }
  bool zero() const {
    for (const std::uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }
  // Nothing but the last word, which holds the errors.
  bool undecided() const {
    Fixed x = *this;
    if (x.negative()) x.negate();
    x.words_.back() = 0;
    return x.zero();
  }

 private:
  std::vector<std::uint64_t> words_;
};

// An odd integer, or zero, and a power of two.
struct Binary {
  std::uint64_t odd;
  int exponent;
};
Binary binary(double x) {  // positive
  int e = 0;
  const double m = std::frexp(x, &e);
  const auto n = static_cast<std::uint64_t>(m * 0x1p53);
  const int zeros = std::countr_zero(n);
  return {n >> zeros, e - 53 + zeros};
}

// log((1 + s) / (1 - s)) for s = a / b, below 2^31 and a < b / 2: 2 (s + s^3 / 3 + ...).
Fixed log_series(std::size_t words, std::uint64_t a, std::uint64_t b) {
  Fixed power(words, 2), sum(words, 0);
  power.multiply(a);
  power.divide(b);
  for (std::uint64_t n = 1; !power.zero(); n += 2) {
    Fixed term = power;
    term.divide(n);
    sum.add(term);
    power.multiply(a * a);
    power.divide(b * b);
  }
  return sum;
}

// |log x| for a positive x other than 1 with at most 25 bits, off by less than 2^24 units of the last place.
Fixed log_magnitude(std::size_t words, double x) {
  int k = 0;
  double m = std::frexp(x, &k);  // 1/2 <= m < 1
  if (m < 0.70710678) {
    m *= 2;
    --k;
  }
  const auto n = static_cast<std::uint64_t>(m * 0x1p25), one = std::uint64_t{1} << 25;
  Fixed sum = log_series(words, n > one ? n - one : one - n, n + one);
  if ((n < one) != (k < 0)) sum.negate();
  Fixed whole = log_series(words, 1, 3);
  whole.multiply(static_cast<std::uint64_t>(k < 0 ? -k : k));
  whole.add(sum);
  if (whole.negative()) whole.negate();  // k = 0
  return whole;
}

}  // namespace

namespace integers {

bool power_above(double x, double y, double b) {
  const Binary n = binary(std::fabs(y));
  for (std::size_t words = 6;; words *= 2) {
    Fixed difference = log_magnitude(words, x);
    if (n.exponent >= 0) {
      difference.multiply(n.odd << n.exponent);
    } else {
      difference.multiply(n.odd);
      difference.shift_right(-n.exponent);
    }
    difference.subtract(log_magnitude(words, b));
    if (!difference.undecided()) return difference.negative() != (b > 1);
  }
}

bool exact_power(double x, double y, double& result) {
  Binary a = binary(x);
  Binary n = binary(std::fabs(y));
  for (; n.exponent < 0; ++n.exponent) {
    const auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(a.odd)));
    if (root * root != a.odd || a.exponent % 2 != 0) return false;
    a = {root, a.exponent / 2};
  }
  if (a.odd == 1) {
    const double count = std::ldexp(static_cast<double>(n.odd), n.exponent);
    result = std::ldexp(1.0, static_cast<int>(a.exponent * (y < 0 ? -count : count)));
    return true;
  }
  if (y < 0 || n.exponent > 4 || n.odd << n.exponent > 16) return false;
  std::uint64_t power = 1;
  const int count = static_cast<int>(n.odd << n.exponent);
  for (int i = 0; i < count; ++i) {
    power *= a.odd;
    if (power > 0x3FFFFFF) return false;
  }
  result = std::ldexp(static_cast<double>(power), a.exponent * count);
  return true;
}

// r sin(angle - b) = y cos b - x sin b, for the distance r of the point.
bool angle_above(double y, double x, double b) {
  const Binary angle = binary(b), vertical = binary(y), horizontal = binary(std::fabs(x));
  for (std::size_t words = 6;; words *= 2) {
    Fixed sums[2] = {Fixed(words, 0), Fixed(words, 0)}, term(words, 1);  // cosine and sine
    for (std::uint64_t n = 0; !term.zero(); ++n) {
      Fixed& sum = sums[n % 2];
      if (n % 4 < 2)
        sum.add(term);
      else
        sum.subtract(term);
      term.multiply(angle.odd);
      term.shift_right(-angle.exponent);
      term.divide(n + 1);
    }
    const auto weighted = [&](Fixed& sum, const Binary& weight, int top) {
      const bool negative = sum.negative();
      if (negative) sum.negate();
      sum.multiply(weight.odd);
      sum.shift_right(top - weight.exponent);
      if (negative) sum.negate();
    };
    const int top = vertical.exponent > horizontal.exponent ? vertical.exponent : horizontal.exponent;
    weighted(sums[0], vertical, top);
    weighted(sums[1], horizontal, top);
    if (x > 0)
      sums[0].subtract(sums[1]);
    else
      sums[0].add(sums[1]);
    if (!sums[0].undecided()) return !sums[0].negative();
  }
}

}  // namespace integers

namespace {

// |x| = n |y| + r with 0 <= r < |y|, as integers times 2^exponent; n modulo 2^64.
struct Division {
  std::uint64_t n, r, y;
  int exponent;
};
Division divide(double x, double y) {  // finite, y not zero
  const Binary b = binary(std::fabs(y));
  if (x == 0) return {0, 0, b.odd, b.exponent};
  const Binary a = binary(std::fabs(x));
  Division d{0, a.odd, b.odd, b.exponent};
  int shift = a.exponent - b.exponent;
  if (shift < 0) {  // in units of x
    if (-shift >= std::countl_zero(b.odd))
      return {0, a.odd, 0, a.exponent};  // y = 0 stands for more than 2 x
    d = {0, a.odd, b.odd << -shift, a.exponent};
    shift = 0;
  }
  d.n = d.r / d.y;
  d.r %= d.y;
  while (shift > 0) {
    const int step = shift < 11 ? shift : 11;
    d.n = (d.n << step) + (d.r << step) / d.y;
    d.r = (d.r << step) % d.y;
    shift -= step;
  }
  return d;
}

template <class T>
bool special_remainder(T x, T y, T& result) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  result = x + y;
  if (result != result && (x != x || y != y)) return true;
  result = std::numeric_limits<T>::quiet_NaN();
  if (std::fabs(x) == inf || y == 0) return true;
  result = x;
  return std::fabs(y) == inf;
}

template <class T>
T fmod_of(T x, T y) {
  T result{};
  if (special_remainder(x, y, result)) return result;
  const Division d = divide(static_cast<double>(x), static_cast<double>(y));
  return std::copysign(static_cast<T>(std::ldexp(static_cast<double>(d.r), d.exponent)), x);
}

template <class T>
T remquo_of(T x, T y, int* quotient) {
  T result{};
  *quotient = 0;
  if (special_remainder(x, y, result)) return result;
  Division d = divide(static_cast<double>(x), static_cast<double>(y));
  bool negative = std::signbit(x);
  if (d.y != 0 && (d.r > d.y - d.r || (d.r == d.y - d.r && d.n % 2 != 0))) {
    d.r = d.y - d.r;
    ++d.n;
    negative = !negative;
  }
  const int low = static_cast<int>(d.n & 7);
  *quotient = std::signbit(x) != std::signbit(y) ? -low : low;
  if (d.r == 0) negative = std::signbit(x);
  const T r = static_cast<T>(std::ldexp(static_cast<double>(d.r), d.exponent));
  return negative ? -r : r;
}

}  // namespace

float fmod(float x, float y) { return fmod_of(x, y); }
double fmod(double x, double y) { return fmod_of(x, y); }
float remquo(float x, float y, int* n) { return remquo_of(x, y, n); }
double remquo(double x, double y, int* n) { return remquo_of(x, y, n); }
float remainder(float x, float y) {
  int n = 0;
  return remquo_of(x, y, &n);
}
double remainder(double x, double y) {
  int n = 0;
  return remquo_of(x, y, &n);
}

}  // namespace assay::functions
