#include "emulation/units/hard_operands.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "reference/core/random.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/neighbours.hpp"

namespace assay {
namespace {

constexpr std::array<HardClassInfo, 10> classes{{
    {HardClass::normal, "normal", "standard normal, as everybody tests"},
    {HardClass::uniform_bits, "uniform_bits", "every finite code as often as any other"},
    {HardClass::cancel_addend, "cancel_addend", "c undoes the sum but for a few last places"},
    {HardClass::cancel_products, "cancel_products",
     "products undo each other in pairs, all but a last place, beside small ones"},
    {HardClass::underflow, "underflow", "products and c around the accumulator's smallest numbers"},
    {HardClass::overflow, "overflow", "products and c around the accumulator's largest number"},
    {HardClass::specials, "specials", "NaN, infinities and zeros among numbers of any size"},
    {HardClass::wide_gaps, "wide_gaps", "exponents of products and c up to 40 apart"},
    {HardClass::half_way, "half_way", "few bits: sums half way between two results, or just beside"},
    {HardClass::zeros, "zeros", "most products are zeros of either sign; c tiny or a zero"},
}};

// One sequence of draws.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream) : random_(seed, stream) {}
  std::uint64_t bits() { return random_.u64(at_++); }
  bool one_in(std::uint64_t n) { return random_.below(n, at_++) == 0; }
  int between(int low, int high) {  // both included
    return low + static_cast<int>(random_.below(static_cast<std::uint64_t>(high - low + 1), at_++));
  }
  double normal() { return random_.normal(at_++); }

 private:
  CounterRandom random_;
  std::uint64_t at_ = 0;
};

// +-1.f 2^exponent with f of at most `bits` bits, or what of it the format holds.
std::uint64_t number(Draw& draw, const FormatSpec& f, int exponent, int bits) {
  const int width = std::clamp(bits, 0, f.precision - 1);
  const std::uint64_t r = draw.bits();
  ExactValue<std::uint64_t> x;
  x.negative = (r >> 63) != 0;
  x.significand = (std::uint64_t{1} << width) | (r & ((std::uint64_t{1} << width) - 1));
  x.exponent = exponent - width;
  return encode(x, f, {.rounding = Rounding::toward_zero, .overflow = Overflow::saturate}).code;
}

std::uint64_t finite_code(Draw& draw, const FormatSpec& f) {
  for (;;) {
    const std::uint64_t code = draw.bits() >> (64 - f.bits);
    if (f.is_finite(code)) return code;
  }
}

std::uint64_t special_code(Draw& draw, const FormatSpec& f) {
  const std::uint64_t sign = draw.one_in(2) ? f.sign_code() : 0;
  switch (draw.between(0, 6)) {
    case 0:  // any payload, quiet or not
      if (f.specials == Specials::ieee)
        return sign | f.infinity_code() | (1 + (draw.bits() >> 1) % (f.min_normal_code() - 1));
      return f.has_nan() ? f.nan_code() : sign;
    case 1:
    case 2: return f.has_infinity() ? sign | f.infinity_code() : sign | f.max_finite_code();
    case 3: return f.specials == Specials::fnuz ? 0 : sign;
    case 4: return sign | f.max_finite_code();
    case 5: return sign | 1;
    default: return sign | f.min_normal_code();
  }
}

// Exponents along k, and how many bits of fraction numbers have.
struct Profile {
  std::vector<int> a, b;
  std::size_t stride = 1;  // products that undo each other are so far apart
  int c_low = 0, c_high = 0;
  int bits = 64;
};

// Is product i the second of a pair?
bool undoes(std::size_t i, std::size_t stride) { return i / stride % 2 == 1; }

int lowest(const FormatSpec& f) { return f.emin - f.precision + 1; }

Profile profile(HardClass kind, std::size_t k, const FormatSpec& fa, const FormatSpec& fb,
                const FormatSpec& fc, Draw& draw) {
  Profile p;
  // What products of these formats reach.
  const auto reach = [&](int e) { return std::clamp(e, lowest(fa) + lowest(fb), fa.emax() + fb.emax()); };
  int top = reach(draw.between(-6, 6)), gap = 6;
  switch (kind) {
    case HardClass::underflow:
      top = reach(fc.emin + draw.between(-fc.precision, 8));
      gap = 8;
      p.c_low = lowest(fc);
      p.c_high = fc.emin + 8;
      break;
    case HardClass::overflow:
      top = reach(fc.emax() + 1 - draw.between(0, 6));
      p.c_low = fc.emax() - 6;
      p.c_high = fc.emax();
      break;
    case HardClass::wide_gaps:
    case HardClass::cancel_addend:
      gap = 40;
      p.c_low = top - 40;
      p.c_high = top + 40;
      break;
    case HardClass::cancel_products:  // up to the largest that 8 bits reach, so that small ones lie far below
      top = reach(draw.between(-6, 24));
      p.c_low = top - 35;
      p.c_high = top;
      break;
    case HardClass::half_way:
      gap = 3;
      p.bits = 2;
      p.c_low = top - 30;
      p.c_high = top + 26;
      break;
    case HardClass::zeros:
      top = reach(draw.one_in(2) ? draw.between(fc.emin - 24, fc.emin + 16) : draw.between(-40, 0));
      p.c_low = lowest(fc);
      p.c_high = fc.emin + 8;
      break;
    default: p.c_low = top - 35; p.c_high = top;
  }
  // Next to each other, or in the two halves of a group of four, which fp8 through mma.sync adds one after the other.
  if (kind == HardClass::cancel_products) p.stride = draw.one_in(2) ? 2 : 1;
  for (std::size_t i = 0; i < k; ++i) {
    int e = top - (draw.one_in(4) ? 0 : draw.between(0, gap));
    if (kind == HardClass::half_way && i % 2 == 1) e = top - draw.between(20, 34);
    if (kind == HardClass::cancel_products) {
      if (undoes(i, p.stride)) {
        p.a.push_back(p.a[i - p.stride]);
        p.b.push_back(p.b[i - p.stride]);
        continue;
      }
      // What the large ones leave when they are gone.
      if (draw.one_in(2)) e = top - draw.between(0, 40);
    }
    // The exponent of a product, shared out at random between its factors.
    const int least = std::max(lowest(fa), e - fb.emax()), most = std::min(fa.emax(), e - lowest(fb));
    const int of_a = least <= most ? draw.between(least, most) : std::clamp(e / 2, lowest(fa), fa.emax());
    p.a.push_back(of_a);
    p.b.push_back(std::clamp(e - of_a, lowest(fb), fb.emax()));
  }
  return p;
}

class Filler {
 public:
  Filler(HardClass kind, const FormatSpec& f, int bits) : kind_(kind), f_(f), bits_(bits) {}

  std::uint64_t operator()(Draw& draw, int exponent) const {
    switch (kind_) {
      case HardClass::normal: return encode(draw.normal(), f_).code;
      case HardClass::uniform_bits: return finite_code(draw, f_);
      case HardClass::specials:
        return draw.one_in(24) ? special_code(draw, f_) : number(draw, f_, exponent, bits_);
      default: return number(draw, f_, exponent, bits_);
    }
  }

 private:
  HardClass kind_;
  FormatSpec f_;
  int bits_;
};

void store(std::vector<std::byte>& codes, std::size_t i, const FormatSpec& f, std::uint64_t code) {
  detail::store_code(codes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), code);
}

}  // namespace

std::span<const HardClassInfo> hard_classes() { return classes; }

HardMatrices::HardMatrices(HardClass kind, std::size_t m, std::size_t n, std::size_t k, const FormatSpec& fa,
                           const FormatSpec& fb, const FormatSpec& fc, std::uint64_t seed)
    : m_(m),
      n_(n),
      k_(k),
      fa_(fa),
      fb_(fb),
      fc_(fc),
      a_(m * k * code_bytes(fa) + 1),  // + 1: a view of no elements is not null either
      b_(k * n * code_bytes(fb) + 1),
      c_(m * n * code_bytes(fc) + 1) {
  Draw draw(seed, static_cast<std::uint64_t>(kind));
  const Profile p = profile(kind, k, fa, fb, fc, draw);
  const bool pairs = kind == HardClass::cancel_products, zeros = kind == HardClass::zeros;
  const Filler of_a(kind, fa, p.bits), of_b(kind, fb, p.bits), of_c(kind, fc, 64);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t t = 0; t < k; ++t) {
      std::uint64_t code = of_a(draw, p.a[t]);
      if (pairs && undoes(t, p.stride)) code = negated(a().code(i, t - p.stride), fa);
      if (zeros && !draw.one_in(4))
        code = fa.specials != Specials::fnuz && draw.one_in(2) ? fa.sign_code() : 0;
      store(a_, i * k + t, fa, code);
    }
  }
  for (std::size_t t = 0; t < k; ++t) {
    for (std::size_t j = 0; j < n; ++j) {
      std::uint64_t code = of_b(draw, p.b[t]);
      if (pairs && undoes(t, p.stride)) {
        const std::uint64_t other = b().code(t - p.stride, j);
        code = draw.one_in(3) && fb.is_finite(other ^ 1) ? other ^ 1 : other;
      }
      store(b_, t * n + j, fb, code);
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      std::uint64_t code = of_c(draw, draw.between(p.c_low, p.c_high));
      if (zeros && draw.one_in(2)) code = draw.one_in(2) ? 0 : fc.sign_code();
      if (kind == HardClass::cancel_addend) {
        ExactSum sum = exact_dot(a().row(i), b().column(j));
        sum.negate();
        const std::uint64_t undone = sum.rounded(fc).code;
        const std::uint64_t magnitude = undone & fc.magnitude_mask();
        if (magnitude > 8 && magnitude + 8 < fc.max_finite_code())
          code = undone + static_cast<std::uint64_t>(draw.between(-3, 3));
      }
      store(c_, i * n + j, fc, code);
    }
  }
}

std::vector<std::uint64_t> all_codes(const CodeMatrix& matrix) {
  std::vector<std::uint64_t> all;
  all.reserve(matrix.rows * matrix.cols);
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    for (std::size_t j = 0; j < matrix.cols; ++j) all.push_back(matrix.code(i, j));
  }
  return all;
}

}  // namespace assay
