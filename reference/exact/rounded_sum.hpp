// Sums of rounded additions: what one operation of a chain does, by the definition and on the host. Whoever forms a sum
// takes the operations from here and their order from ordered_sum.hpp, or from a schedule that was made of one.
//
// Numerics
//   addition  the exact sum, rounded once (rounded_sum()); chain.hpp says which modes, how it flushes and what NaN is.
//   host      float32 or float64 accumulators under nearest-even without flushing: MXCSR at its default, which the
//             caller sees to, and std::fma where fused. The same bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/exact/float_reader.hpp"
#include "reference/exact/schedule.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay {

// How each operation of a chain is rounded.
struct ChainRules {
  FormatSpec accumulator = formats::float32;
  std::optional<FormatSpec> product{};  // empty: fused
  Rounding rounding = Rounding::nearest_even;
  bool flush_inputs = false, flush_results = false;
  friend bool operator==(const ChainRules&, const ChainRules&) = default;
};

// --- the definition ----------------------------------------------------------------------------------------

// One addition.
constexpr Encoded rounded_sum(const ExactValue<Wide>& x, const ExactValue<Wide>& y, const FormatSpec& f,
                              const EncodeOptions& options) {
  return encode(wide_sum(x, y, options.rounding), f, options);
}

// Operands as they enter an operation.
inline std::uint64_t read_code(std::uint64_t code, const FormatSpec& f, const ChainRules& rules) {
  return rules.flush_inputs ? flushed_code(code, f) : code;
}
inline ExactValue<Wide> read_value(std::uint64_t code, const FormatSpec& f, const ChainRules& rules) {
  return widened(exact_from_code(read_code(code, f, rules), f));
}
inline ExactValue<Wide> read_product(const CodeVector& a, const CodeVector& b, std::size_t i,
                                     const ChainRules& rules) {
  return wide_product(exact_from_code(read_code(a.code(i), a.format, rules), a.format),
                      exact_from_code(read_code(b.code(i), b.format, rules), b.format));
}

inline EncodeOptions encode_options(const ChainRules& rules) {
  EncodeOptions options{.rounding = rules.rounding};
  if (rules.flush_results) options.subnormals = Subnormals::flush_result;
  return options;
}

// The options of one rounding after another: those of a stochastic one take the next draw. Without draws: never.
class SameOptions {
 public:
  explicit SameOptions(const ChainRules& rules) : options_(encode_options(rules)) {}
  const EncodeOptions& next() const { return options_; }

 private:
  EncodeOptions options_;
};
class DrawnOptions {
 public:
  DrawnOptions(const ChainRules& rules, StochasticDraws draws)
      : options_(encode_options(rules)), draws_(draws) {}
  const EncodeOptions& next() {
    if (options_.rounding == Rounding::stochastic) options_.random = draws_.next();
    return options_;
  }

 private:
  EncodeOptions options_;
  StochasticDraws draws_;
};

// The operations of ordered_sum() and replay(). Terms: entering(i, options) is term i as it enters its addition. Values
// are codes of the accumulator.
template <class Terms, class Options>
class RoundedOps {
 public:
  using Value = std::uint64_t;

  RoundedOps(const ChainRules& rules, Terms terms, Options options, std::optional<std::uint64_t> c)
      : rules_(rules),
        terms_(std::move(terms)),
        options_(std::move(options)),
        start_(read_code(c.value_or(0), rules.accumulator, rules)) {}

  static Value zero() { return 0; }
  Value start() const { return start_; }
  Value take(Value sum, std::size_t i) { return added(terms_.entering(i, options_), sum); }
  Value add(Value x, Value y) { return added(read_value(x, rules_.accumulator, rules_), y); }

 private:
  Value added(const ExactValue<Wide>& x, Value y) {
    const FormatSpec& f = rules_.accumulator;
    return rounded_sum(x, read_value(y, f, rules_), f, options_.next()).code;
  }

  const ChainRules& rules_;
  Terms terms_;
  Options options_;
  Value start_;
};

// Products of two operands, formed when they are needed.
struct ProductTerms {
  const ChainRules& rules;
  CodeVector a, b;

  template <class Options>
  ExactValue<Wide> entering(std::size_t i, Options& options) const {
    const ExactValue<Wide> product = read_product(a, b, i, rules);
    if (!rules.product) return product;
    return read_value(encode(product, *rules.product, options.next()).code, *rules.product, rules);
  }
};

// --- the host ----------------------------------------------------------------------------------------------

// The type whose own arithmetic gives the bits of the definition, if there is one.
enum class HostType : std::uint8_t { none, float32, float64 };
inline HostType host_type(const ChainRules& rules, const FormatSpec& a, const FormatSpec& b) {
  const bool plain = rules.rounding == Rounding::nearest_even && !rules.flush_inputs && !rules.flush_results;
  if (!plain) return HostType::none;
  const FormatSpec& f = rules.accumulator;
  const bool own_product = !rules.product || *rules.product == f;
  const auto holds = [&](const FormatSpec& g) { return contains_format(g, a) && contains_format(g, b); };
  if (f == formats::float32 && own_product && holds(f)) return HostType::float32;
  const bool float_product = rules.product == formats::float32 && holds(formats::float32);
  if (f == formats::float64 && (own_product || float_product)) return HostType::float64;
  return HostType::none;
}

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
constexpr const FormatSpec& format_of = sizeof(T) == 4 ? formats::float32 : formats::float64;

template <class T>
T from_code(std::uint64_t code, const FormatSpec& f) {
  return std::bit_cast<T>(
      static_cast<BitsOf<T>>(f == format_of<T> ? code : convert(code, f, format_of<T>).code));
}

// How products enter on the host.
enum class HostProduct : std::uint8_t {
  rounded,
  rounded_to_float,
  fused,
  given,  // `a` holds them as they enter
};

// How the host forms products of operands of these formats.
template <class T>
HostProduct host_product(const ChainRules& rules, const FormatSpec& a, const FormatSpec& b) {
  if (rules.product && *rules.product != rules.accumulator) return HostProduct::rounded_to_float;
  // In float64 every product of two float32 values is exact. Rounding it changes nothing, and std::fma may be a call.
  const bool exact_products =
      sizeof(T) == 8 && contains_format(formats::float32, a) && contains_format(formats::float32, b);
  return rules.product || exact_products ? HostProduct::rounded : HostProduct::fused;
}

template <class T, HostProduct how>
T host_term(const T* a, const T* b, std::size_t i) {
  if constexpr (how == HostProduct::rounded_to_float) {
    return static_cast<T>(static_cast<float>(a[i]) * static_cast<float>(b[i]));
  } else if constexpr (how == HostProduct::rounded) {
    return a[i] * b[i];
  } else {
    return a[i];
  }
}

// The operations of ordered_sum() and replay() on n operands that are values of T.
template <class T, HostProduct how>
struct HostOps {
  using Value = T;
  static constexpr bool stateless = true;
  const T* a;
  const T* b;
  T c;  // 0 where there is none

  static T zero() { return 0; }
  T start() const { return c; }
  static T add(T x, T y) { return x + y; }
  T take(T sum, std::size_t i) const {
    if constexpr (how == HostProduct::fused) {
      return std::fma(a[i], b[i], sum);
    } else {
      return sum + host_term<T, how>(a, b, i);
    }
  }
};

// --- schedules ---------------------------------------------------------------------------------------------

// The sum that a schedule gives. Every value on the way is shown to `seen`.
template <class Ops, class Seen>
typename Ops::Value replay(const Schedule& schedule, Ops& ops, Seen seen) {
  std::vector<typename Ops::Value> slots(schedule.slots);
  for (const ScheduledOp& op : schedule.ops) {
    typename Ops::Value& slot = slots[op.slot];
    switch (op.kind) {
      case ScheduledOp::Kind::zero: slot = ops.zero(); break;
      case ScheduledOp::Kind::start: slot = ops.start(); break;
      case ScheduledOp::Kind::term: slot = ops.take(slot, op.from); break;
      case ScheduledOp::Kind::add: slot = ops.add(slot, slots[op.from]); break;
    }
    seen(slot);
  }
  return slots[schedule.result];
}

}  // namespace assay
