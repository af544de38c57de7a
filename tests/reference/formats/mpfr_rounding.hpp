// A second opinion, on purpose unlike encode(): MPFR with a format's precision and exponent range.
#pragma once

#include <mpfr.h>

#include <cmath>

#include "reference/formats/formats.hpp"

namespace assay::test {

class MpfrValue {
 public:
  explicit MpfrValue(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
  ~MpfrValue() { mpfr_clear(value_); }
  MpfrValue(const MpfrValue&) = delete;
  MpfrValue& operator=(const MpfrValue&) = delete;
  mpfr_ptr get() { return value_; }

 private:
  mpfr_t value_;
};

// `x` rounded to the precision and the smallest exponent of `f`, subnormals included; no overflow.
inline double round_with_mpfr(mpfr_srcptr x, const FormatSpec& f, mpfr_rnd_t direction) {
  const mpfr_exp_t saved = mpfr_get_emin();
  MpfrValue rounded(f.precision);
  mpfr_set_emin(f.emin - f.precision + 2);
  int ternary = mpfr_set(rounded.get(), x, direction);
  ternary = mpfr_check_range(rounded.get(), ternary, direction);
  mpfr_subnormalize(rounded.get(), ternary, direction);
  const double result = mpfr_get_d(rounded.get(), MPFR_RNDN);
  mpfr_set_emin(saved);
  return result;
}

inline double round_with_mpfr(double x, const FormatSpec& f, mpfr_rnd_t direction) {
  MpfrValue exact(53);
  mpfr_set_d(exact.get(), x, MPFR_RNDN);
  return round_with_mpfr(exact.get(), f, direction);
}

}  // namespace assay::test
