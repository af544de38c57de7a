#include "reference/exact/exact_dot.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"

namespace assay {

__extension__ using SignedWide = __int128;

// Products of float32 values. Each is a float64 of 48 significant bits at most, with field 725 to 1278 for its
// exponent; 32 neighbouring exponents share a bin, where the significand is shifted by the low bits of the field: 80
// bits of 128. Two sets of bins take turns, so that an addition need not wait for the store before it.
class Float32Products {
 public:
  static constexpr std::uint64_t most_terms = std::uint64_t{1} << 40;  // 80 + 40 bits

  // False if a NaN or an infinity is among the products: their bins tell nothing then.
  template <bool magnitudes>
  bool add(const float* a, const float* b, std::size_t n) {
    std::uint64_t special = 0, nonzero = 0;
    std::size_t i = 0;
    for (; i + 2 <= n; i += 2) {
      add_one<magnitudes>(bins_[0], a[i], b[i], special, nonzero);
      add_one<magnitudes>(bins_[1], a[i + 1], b[i + 1], special, nonzero);
    }
    if (i < n) add_one<magnitudes>(bins_[0], a[i], b[i], special, nonzero);
    nonzero_ |= nonzero != 0;
    return (special & 2048) == 0;
  }

  void drain(ExactSum& sum) {
    for (auto& bins : bins_) {
      for (std::size_t bin = first_bin; bin <= last_bin; ++bin) {
        const SignedWide x = bins[bin];
        if (x == 0) continue;
        // A field e with this significand of 48 bits means significand * 2^(e - 1023 - 47).
        sum.add_finite(x < 0, static_cast<Wide>(x < 0 ? -x : x), 32 * static_cast<int>(bin) - 1023 - 47);
      }
      bins.fill(0);
    }
    sum.nonzero_ |= nonzero_;
  }
  bool all_zero() const { return !nonzero_; }

 private:
  using Bins = std::array<SignedWide, 64>;
  static constexpr std::size_t first_bin = 725 / 32,
                               last_bin = 1278 / 32;  // zeros go to bin 0, specials to bin 63

  template <bool magnitudes>
  static void add_one(Bins& bins, float a, float b, std::uint64_t& special, std::uint64_t& nonzero) {
    const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(a) * static_cast<double>(b));
    const std::uint64_t field = bits >> 52 & 0x7FF;
    const std::int64_t sign = magnitudes ? 0 : static_cast<std::int64_t>(bits) >> 63;
    const auto significand =
        static_cast<std::int64_t>(((bits & 0xFFFFFFFFFFFFF) | std::uint64_t{1} << 52) >> 5);
    const std::int64_t x = (significand ^ sign) - sign;
    // x << (field & 31) in two words, which is shorter than the shift of 128 bits by a number that may exceed 63.
    const unsigned shift = field & 31;
    const auto low = static_cast<std::uint64_t>(x) << shift;
    const auto high = static_cast<std::uint64_t>((x >> 32) >> (32 - shift));
    bins[field >> 5] += static_cast<SignedWide>(Wide{high} << 64 | low);
    special |= field + 1;
    nonzero |= bits << 1;
  }

  std::array<Bins, 2> bins_{};
  bool nonzero_ = false;
};

namespace {

constexpr std::size_t block = 512;

void check(const CodeVector& x) {
  if (x.data == nullptr && x.size != 0) {
    throw ContractError("a view of " + std::to_string(x.size) + " elements is null");
  }
}

// One array's values, block by block, as floats.
class FloatBlocks {
 public:
  FloatBlocks(const CodeVector& x, bool flush) : x_(x), reader_(x.format, flush) {}

  // `count` <= block elements from `begin`; where the array is floats already, the array itself.
  const float* read(std::size_t begin, std::size_t count) {
    return reader_.read(x_, begin, count, buffer_.data());
  }

 private:
  CodeVector x_;
  FloatReader reader_;
  std::array<float, block> buffer_;
};

template <bool magnitudes>
void add_floats(ExactSum& sum, FloatBlocks& a, FloatBlocks* b, std::size_t n) {
  // Without it, denormals-are-zero in the caller's MXCSR would drop subnormal operands.
  const MxcsrGuard guard(0x1F80);
  std::array<float, block> ones;
  if (b == nullptr) ones.fill(1);
  const auto read_b = [&](std::size_t begin, std::size_t count) {
    return b == nullptr ? ones.data() : b->read(begin, count);
  };
  const auto add_specials_and_zeros = [&sum](const float* x, const float* y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ExactValue<Wide> product = wide_product(exact(x[i]), exact(y[i]));
      if (magnitudes) product.negative = false;
      if (product.kind != Kind::finite || product.is_zero()) sum.add(product);
    }
  };
  Float32Products products;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t count = std::min(block, n - begin);
    const float* x = a.read(begin, count);
    const float* y = read_b(begin, count);
    if (!products.add<magnitudes>(x, y, count)) add_specials_and_zeros(x, y, count);
    if (begin % Float32Products::most_terms == 0 && begin != 0) products.drain(sum);
  }
  if (products.all_zero()) {
    // Only now do the signs of zeros matter.
    for (std::size_t begin = 0; begin < n; begin += block) {
      const std::size_t count = std::min(block, n - begin);
      const float* x = a.read(begin, count);
      add_specials_and_zeros(x, read_b(begin, count), count);
    }
  }
  products.drain(sum);
}

void add_doubles(ExactSum& sum, const CodeVector& a, const CodeVector& b) {
  for (std::size_t i = 0; i < a.size; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    sum.add_product(
        exact_from_code(detail::load_code_as<std::uint64_t>(a.data, at * a.stride), formats::float64),
        exact_from_code(detail::load_code_as<std::uint64_t>(b.data, at * b.stride), formats::float64));
  }
}

// Scaled elements of at most 8 bits are float64 values.
bool is_scaled(const CodeVector& x) {
  if (x.scales.given() && x.format.bits > 8)
    throw ContractError("scales of blocks of " + std::string(x.format.short_name) +
                        "; elements that have scales have at most 8 bits");
  return x.scales.given();
}

ExactValue<std::uint64_t> operand(const CodeVector& x, std::size_t i, const ExactDotOptions& options) {
  ExactValue<std::uint64_t> value;
  if (is_scaled(x)) {
    value = exact(element_value(x, i));
  } else {
    const std::uint64_t code = x.code(i);
    value = exact_from_code(options.flush_inputs ? flushed_code(code, x.format) : code, x.format);
  }
  if (options.magnitudes) value.negative = false;
  return value;
}

}  // namespace

void add_exact_dot(ExactSum& sum, const CodeVector& a, const CodeVector& b, const ExactDotOptions& options) {
  if (a.size != b.size) {
    throw ContractError("a dot product of " + std::to_string(a.size) + " and " + std::to_string(b.size) +
                        " elements");
  }
  check(a);
  check(b);
  if (is_scaled(a) || is_scaled(b)) {
    for (std::size_t i = 0; i < a.size; ++i) sum.add_product(operand(a, i, options), operand(b, i, options));
  } else if (contains_format(formats::float32, a.format) && contains_format(formats::float32, b.format)) {
    FloatBlocks read_a(a, options.flush_inputs), read_b(b, options.flush_inputs);
    options.magnitudes ? add_floats<true>(sum, read_a, &read_b, a.size)
                       : add_floats<false>(sum, read_a, &read_b, a.size);
  } else if (a.format == formats::float64 && b.format == formats::float64 && !options.magnitudes &&
             !options.flush_inputs) {
    add_doubles(sum, a, b);
  } else {
    for (std::size_t i = 0; i < a.size; ++i) sum.add_product(operand(a, i, options), operand(b, i, options));
  }
}

void add_exact_sum(ExactSum& sum, const CodeVector& x, const ExactDotOptions& options) {
  check(x);
  if (!is_scaled(x) && contains_format(formats::float32, x.format)) {
    FloatBlocks read(x, options.flush_inputs);
    options.magnitudes ? add_floats<true>(sum, read, nullptr, x.size)
                       : add_floats<false>(sum, read, nullptr, x.size);
  } else {
    for (std::size_t i = 0; i < x.size; ++i) sum.add(operand(x, i, options));
  }
}

ExactSum exact_dot(const CodeVector& a, const CodeVector& b, const ExactDotOptions& options) {
  ExactSum sum;
  add_exact_dot(sum, a, b, options);
  return sum;
}

ExactSum exact_sum(const CodeVector& x, const ExactDotOptions& options) {
  ExactSum sum;
  add_exact_sum(sum, x, options);
  return sum;
}

}  // namespace assay
