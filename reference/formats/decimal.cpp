#include "reference/formats/decimal.hpp"

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <string>

#include "reference/core/error.hpp"

namespace assay {
namespace {

using boost::multiprecision::cpp_int;
using Value = ExactValue<Wide>;

constexpr std::size_t most_digits = 100'000;
constexpr int target_bits = 120;  // of a significand with a tail

// Beyond 10^±20000 every format has long overflowed or underflowed; the exact digits no longer matter.
constexpr std::int64_t widest_decade = 20'000;
constexpr int far_exponent = 70'000;

[[noreturn]] void bad(std::string_view text) {
  throw InputError("number", "", "a decimal, C99 hexadecimal, inf, nan or bits:0x... value", quoted(text));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == y; });
}

int digit_of(char c, int base) {
  const char l = lower(c);
  if (l >= '0' && l <= '9') return l - '0';
  return base == 16 && l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// Digits with an optional point: "12.50" gives digits "1250" and 2 places. Leading zeros are dropped.
struct Digits {
  std::string digits;
  std::int64_t places = 0;
};

Digits take_digits(std::string_view& rest, int base, std::string_view whole) {
  Digits out;
  bool any = false, point = false;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    const char c = rest.front();
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (digit_of(c, base) < 0) break;
    any = true;
    if (point) ++out.places;
    if (!out.digits.empty() || c != '0') out.digits += c;
    if (out.digits.size() > most_digits) {
      throw InputError("number", "", "at most 100000 digits", quoted(whole));
    }
  }
  if (!any) bad(whole);
  return out;
}

// "e-12" behind a decimal, "p+3" behind a hexadecimal; absent is 0. Cut to ±10^9, far beyond any format.
std::int64_t take_exponent(std::string_view& rest, char letter, std::string_view whole) {
  if (rest.empty() || lower(rest.front()) != letter) return 0;
  rest.remove_prefix(1);
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || digit_of(rest.front(), 10) < 0) bad(whole);
  std::int64_t value = 0;
  for (; !rest.empty() && digit_of(rest.front(), 10) >= 0; rest.remove_prefix(1)) {
    value = std::min<std::int64_t>(value * 10 + digit_of(rest.front(), 10), 1'000'000'000);
  }
  return negative ? -value : value;
}

Wide to_wide(const cpp_int& x) {
  const cpp_int low_mask = (cpp_int(1) << 64) - 1;
  return Wide{static_cast<std::uint64_t>(x >> 64)} << 64 | static_cast<std::uint64_t>(x & low_mask);
}

// An integer times 2^exponent (plus a tail), with all but its leading target_bits in the tail.
Value from_integer(const cpp_int& n, int exponent, bool sticky) {
  Value x;
  const int width = static_cast<int>(msb(n)) + 1;
  const int drop = std::max(0, width - target_bits);
  x.significand = to_wide(n >> drop);
  x.exponent = exponent + drop;
  x.sticky = sticky || (drop > 0 && static_cast<int>(lsb(n)) < drop);
  return x;
}

Value far_away(bool large) {
  return {.significand = Wide{1} << target_bits,
          .exponent = large ? far_exponent : -far_exponent,
          .sticky = true};
}

constexpr std::uint64_t power_of_5(int e) {
  std::uint64_t p = 1;
  for (int i = 0; i < e; ++i) p *= 5;
  return p;
}

// digits * 10^exponent in machine words, for what people usually type; false if it needs more.
bool small_decimal(std::string_view digits, std::int64_t exponent, Value& x) {
  if (digits.size() > 19 || exponent > 27 || exponent < -16) return false;
  std::uint64_t n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  const int e = static_cast<int>(exponent);
  if (e >= 0) {
    x.significand = Wide{n} * power_of_5(e);  // below 10^19 * 5^27 < 2^126
    x.exponent = e;
  } else {
    const int shift = 126 - bit_width(n);
    const Wide numerator = Wide{n} << shift;
    const std::uint64_t divisor = power_of_5(-e);  // below 2^38: the quotient keeps 88 bits or more
    x.significand = numerator / divisor;
    x.sticky = x.significand * divisor != numerator;
    x.exponent = e - shift;
  }
  return true;
}

Value decimal(std::string_view text, std::string_view whole) {
  Digits d = take_digits(text, 10, whole);
  std::int64_t exponent = take_exponent(text, 'e', whole) - d.places;
  if (!text.empty()) bad(whole);
  while (!d.digits.empty() && d.digits.back() == '0') {
    d.digits.pop_back();
    ++exponent;
  }
  if (d.digits.empty()) return {};
  Value x;
  if (small_decimal(d.digits, exponent, x)) return x;
  const std::int64_t decade = exponent + static_cast<std::int64_t>(d.digits.size());
  if (decade > widest_decade || decade < -widest_decade) return far_away(decade > 0);
  const cpp_int n(d.digits);
  const int e = static_cast<int>(exponent);
  if (e >= 0) return from_integer(n * pow(cpp_int(5), static_cast<unsigned>(e)), e, false);
  const cpp_int divisor = pow(cpp_int(5), static_cast<unsigned>(-e));
  const int shift = std::max(0, target_bits + 1 + static_cast<int>(msb(divisor)) - static_cast<int>(msb(n)));
  cpp_int quotient, remainder;
  divide_qr(cpp_int(n << shift), divisor, quotient, remainder);
  return from_integer(quotient, e - shift, remainder != 0);
}

Value hexadecimal(std::string_view text, std::string_view whole) {
  const Digits d = take_digits(text, 16, whole);
  const std::int64_t exponent = take_exponent(text, 'p', whole) - 4 * d.places;
  if (!text.empty()) bad(whole);
  if (d.digits.empty()) return {};
  Value x;
  std::size_t used = 0;
  for (; used < d.digits.size() && bit_width(x.significand) <= target_bits - 4; ++used) {
    x.significand = x.significand << 4 | static_cast<unsigned>(digit_of(d.digits[used], 16));
  }
  x.sticky = d.digits.find_first_not_of('0', used) != std::string::npos;
  const std::int64_t scale = exponent + 4 * static_cast<std::int64_t>(d.digits.size() - used);
  if (scale > far_exponent || scale < -far_exponent) return far_away(scale > 0);
  x.exponent = static_cast<int>(scale);
  return x;
}

}  // namespace

ExactValue<Wide> parse_number(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  Value x;
  if (equals_ignoring_case(rest, "inf") || equals_ignoring_case(rest, "infinity")) {
    x.kind = Kind::infinite;
  } else if (equals_ignoring_case(rest, "nan")) {
    x.kind = Kind::nan;
  } else if (rest.size() > 2 && rest[0] == '0' && lower(rest[1]) == 'x') {
    x = hexadecimal(rest.substr(2), text);
  } else {
    x = decimal(rest, text);
  }
  x.negative = negative;
  return x;
}

bool is_typed_code(std::string_view text) { return text.starts_with("bits:"); }

TypedCode parse_typed_code(std::string_view text, const FormatSpec& f) {
  const auto fail = [text](const std::string& expected) {
    return InputError("number", "", expected, quoted(text));
  };
  std::string_view digits = text;
  if (!is_typed_code(text) || !digits.substr(5).starts_with("0x"))
    throw fail("bits:0x and hexadecimal digits");
  digits.remove_prefix(7);
  std::uint64_t code = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (digits.empty() || status != std::errc{} || end != digits.data() + digits.size()) {
    throw fail("bits:0x and at most 16 hexadecimal digits");
  }
  const auto own_digits = static_cast<std::size_t>((f.bits + 3) / 4);
  FormatSpec format = f;
  if (digits.size() != own_digits) {
    if (digits.size() != 8 && digits.size() != 16) {
      throw fail(std::to_string(own_digits) + " hexadecimal digits (a code of " + std::string(f.dtype) +
                 "), 8 (float32) or 16 (float64)");
    }
    format = digits.size() == 8 ? formats::float32 : formats::float64;
  }
  if (format.bits < 64 && code >> format.bits != 0) {
    throw fail("a code of " + std::to_string(format.bits) + " bits");
  }
  return {code, format};
}

}  // namespace assay
