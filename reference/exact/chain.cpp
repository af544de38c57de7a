#include "reference/exact/chain.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay {
namespace {

// Where a sum starts: at c, or at +0 without one. (No std::optional: GCC 12 takes its empty value for uninitialised.)
template <class Value>
struct Start {
  Value value{};
  bool given = false;
};

// The tree of chain.hpp over any kind of number. Ops: zero(), take(acc, i) = acc + term i, add(x, y). One text for
// the host's arithmetic and for encode(), so that the order cannot differ between them.
template <class Ops, class Value = typename Ops::Value>
Value evaluate_pairwise(Ops& ops, std::size_t begin, std::size_t n, std::size_t base) {
  if (n > base) {
    const std::size_t half = n / 2;
    const Value left = evaluate_pairwise(ops, begin, half, base);
    return ops.add(left, evaluate_pairwise(ops, begin + half, n - half, base));
  }
  Value sum = ops.zero();
  for (std::size_t i = 0; i < n; ++i) sum = ops.take(sum, begin + i);
  return sum;
}

template <class Ops, class Value = typename Ops::Value>
Value evaluate_blocked(Ops& ops, const SumTree& tree, std::size_t n, Start<Value> total) {
  const std::size_t panel = tree.panel == 0 ? n : tree.panel;
  std::vector<Value> lanes(tree.lanes);
  for (std::size_t begin = 0; begin < n; begin += panel) {
    std::fill(lanes.begin(), lanes.end(), ops.zero());
    const std::size_t end = begin + std::min(panel, n - begin);
    for (std::size_t i = begin, lane = 0; i < end; ++i) {
      lanes[lane] = ops.take(lanes[lane], i);
      if (++lane == lanes.size()) lane = 0;
    }
    for (std::size_t width = lanes.size(); width > 1;) {
      const std::size_t half = (width + 1) / 2;
      for (std::size_t j = 0; j + half < width; ++j) lanes[j] = ops.add(lanes[j], lanes[j + half]);
      width = half;
    }
    total = {total.given ? ops.add(total.value, lanes[0]) : lanes[0], true};
  }
  return total.value;
}

template <class Ops, class Value = typename Ops::Value>
Value evaluate(Ops& ops, const SumTree& tree, std::size_t n, const Start<Value>& c) {
  if (n == 0) return c.value;
  if (tree.order == SumOrder::pairwise) {
    const Value sum = evaluate_pairwise(ops, 0, n, tree.base);
    return c.given ? ops.add(c.value, sum) : sum;
  }
  const bool one_chain = tree.lanes == 1 && (tree.panel == 0 || tree.panel >= n);
  if (tree.order == SumOrder::blocked && !one_chain) return evaluate_blocked(ops, tree, n, c);
  Value sum = c.value;
  for (std::size_t i = 0; i < n; ++i) sum = ops.take(sum, i);
  return sum;
}

// The definition: every operation exact, then one rounding by encode(). Values are codes of the accumulator.
class CodeOps {
 public:
  using Value = std::uint64_t;

  CodeOps(const ChainSpec& spec, const CodeVector& a, const CodeVector& b, OutputPlace place)
      : spec_(spec), a_(a), b_(b), draws_(spec.seed, place.index, place.stream) {}

  static Value zero() { return 0; }
  Value add(Value x, Value y) { return sum(widened(read(x, spec_.accumulator)), y); }
  Value take(Value acc, std::size_t i) {
    ExactValue<Wide> product = wide_product(read(a_.code(i), a_.format), read(b_.code(i), b_.format));
    if (spec_.product) product = widened(read(round(product, *spec_.product), *spec_.product));
    return sum(product, acc);
  }

 private:
  ExactValue<std::uint64_t> read(std::uint64_t code, const FormatSpec& f) const {
    return exact_from_code(spec_.flush_inputs ? flushed_code(code, f) : code, f);
  }
  Value sum(const ExactValue<Wide>& x, Value y) {
    return round(wide_sum(x, widened(read(y, spec_.accumulator)), spec_.rounding), spec_.accumulator);
  }
  std::uint64_t round(const ExactValue<Wide>& x, const FormatSpec& f) {
    EncodeOptions options{.rounding = spec_.rounding};
    if (spec_.flush_results) options.subnormals = Subnormals::flush_result;
    if (spec_.rounding == Rounding::stochastic) options.random = draws_.next();
    return encode(x, f, options).code;
  }

  const ChainSpec& spec_;
  const CodeVector a_, b_;
  StochasticDraws draws_;
};

// The host's float32 or float64 under nearest-even, on operands that are values of T.
enum class HostProduct : std::uint8_t { rounded, rounded_to_float, fused };

template <class T, HostProduct how>
struct HostOps {
  using Value = T;
  const T* a;
  const T* b;

  static T zero() { return 0; }
  static T add(T x, T y) { return x + y; }
  T take(T acc, std::size_t i) const {
    if constexpr (how == HostProduct::fused) {
      return std::fma(a[i], b[i], acc);
    } else if constexpr (how == HostProduct::rounded_to_float) {
      return acc + static_cast<T>(static_cast<float>(a[i]) * static_cast<float>(b[i]));
    } else {
      return acc + a[i] * b[i];
    }
  }
};

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
constexpr const FormatSpec& format_of = sizeof(T) == 4 ? formats::float32 : formats::float64;

template <class T>
T from_code(std::uint64_t code, const FormatSpec& f) {
  return std::bit_cast<T>(
      static_cast<BitsOf<T>>(f == format_of<T> ? code : convert(code, f, format_of<T>).code));
}

template <class T>
std::vector<T> values(const CodeVector& x) {
  std::vector<T> v(x.size);
  for (std::size_t i = 0; i < x.size; ++i) v[i] = from_code<T>(x.code(i), x.format);
  return v;
}

template <class T>
Start<T> start_of(std::optional<std::uint64_t> c) {
  return c ? Start<T>{from_code<T>(*c, format_of<T>), true} : Start<T>{};
}

class Chain final : public Arithmetic {
 public:
  explicit Chain(const ChainSpec& spec, ArithmeticInfo info) : Arithmetic(std::move(info)), spec_(spec) {}

  std::optional<Accumulation> accumulation() const override { return assay::accumulation(spec_); }
  double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
               const FormatSpec& output) const override {
    const ExactDot truth = exact(a, b, c);
    if (truth.value.result().kind != Kind::finite) return std::numeric_limits<double>::infinity();
    Accumulation how = assay::accumulation(spec_);
    if (output != spec_.accumulator) how.output = output;
    return chain_bound(how, info(), a, b, c.has_value(), truth).value;
  }

 private:
  // The type that computes the same bits as encode(), if there is one.
  enum class Host : std::uint8_t { none, float32, float64 };
  Host host(const FormatSpec& a, const FormatSpec& b) const {
    const bool plain = spec_.host_arithmetic && spec_.rounding == Rounding::nearest_even &&
                       !spec_.flush_inputs && !spec_.flush_results;
    if (!plain) return Host::none;
    const FormatSpec& f = spec_.accumulator;
    const bool own_product = !spec_.product || *spec_.product == f;
    const auto holds = [&](const FormatSpec& g) { return contains_format(g, a) && contains_format(g, b); };
    if (f == formats::float32 && own_product && holds(f)) return Host::float32;
    const bool float_product = spec_.product == formats::float32 && holds(formats::float32);
    if (f == formats::float64 && (own_product || float_product)) return Host::float64;
    return Host::none;
  }

  template <class T>
  std::uint64_t host_dot(const T* a, const T* b, std::size_t n, bool exact_products, const Start<T>& start,
                         const FormatSpec& output) const {
    const auto with = [&]<HostProduct how>() {
      HostOps<T, how> ops{a, b};
      return evaluate(ops, spec_.tree, n, start);
    };
    T sum;
    if (spec_.product && *spec_.product != spec_.accumulator) {
      sum = with.template operator()<HostProduct::rounded_to_float>();
    } else if (spec_.product || exact_products) {
      // Rounding an exact product changes nothing, and std::fma may be a call.
      sum = with.template operator()<HostProduct::rounded>();
    } else {
      sum = with.template operator()<HostProduct::fused>();
    }
    return encode(assay::exact(sum), output).code;
  }

  template <class T>
  std::uint64_t host_dot(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                         const FormatSpec& output) const {
    const MxcsrGuard guard(0x1F80);
    const std::vector<T> x = values<T>(a), y = values<T>(b);
    return host_dot<T>(x.data(), y.data(), a.size, products_are_exact<T>(a.format, b.format), start_of<T>(c),
                       output);
  }

  // In float64 every product of two float32 values is exact.
  template <class T>
  static bool products_are_exact(const FormatSpec& a, const FormatSpec& b) {
    return sizeof(T) == 8 && contains_format(formats::float32, a) && contains_format(formats::float32, b);
  }

  std::uint64_t definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                           const FormatSpec& output, OutputPlace place) const {
    const FormatSpec& f = spec_.accumulator;
    if (c && spec_.flush_inputs) c = flushed_code(*c, f);
    CodeOps ops(spec_, a, b, place);
    const Start<std::uint64_t> start{c.value_or(0), c.has_value()};
    const std::uint64_t sum = evaluate(ops, spec_.tree, a.size, start);
    return convert(sum, f, output).code;
  }

  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& output, OutputPlace place) const override {
    switch (host(a.format, b.format)) {
      case Host::float32: return host_dot<float>(a, b, c, output);
      case Host::float64: return host_dot<double>(a, b, c, output);
      case Host::none: break;
    }
    return definition(a, b, c, output, place);
  }

  // One term after c, whatever the tree: a chain's step has one product.
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace place) const override {
    CodeOps ops(spec_, a, b, place);
    return a.size == 0 ? c : ops.take(c, 0);
  }

  void gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                    const MutableCodeMatrix& d, OutputOrigin origin) const override {
    switch (host(a.format, b.format)) {
      case Host::float32: host_gemm<float>(a, b, c, d); break;
      case Host::float64: host_gemm<double>(a, b, c, d); break;
      case Host::none: Arithmetic::gemm_checked(a, b, c, d, origin); break;
    }
  }

  // Every operand is decoded once.
  template <class T>
  void host_gemm(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                 const MutableCodeMatrix& d) const {
    const std::size_t k = a.cols;
    std::vector<T> columns(k * d.cols);
    for (std::size_t j = 0; j < d.cols; ++j) {
      for (std::size_t i = 0; i < k; ++i) columns[j * k + i] = from_code<T>(b.code(i, j), b.format);
    }
    const bool exact_products = products_are_exact<T>(a.format, b.format);
    parallel_for(d.rows, d.rows * d.cols * k > 4096 ? 0 : 1, [&](std::size_t i) {
      const MxcsrGuard guard(0x1F80);
      const std::vector<T> x = values<T>(a.row(i));
      for (std::size_t j = 0; j < d.cols; ++j) {
        const Start<T> start = c ? Start<T>{from_code<T>(c->code(i, j), format_of<T>), true} : Start<T>{};
        d.set(i, j, host_dot<T>(x.data(), columns.data() + j * k, k, exact_products, start, d.format));
      }
    });
  }

  ChainSpec spec_;
};

std::string describe(const SumTree& tree) {
  switch (tree.order) {
    case SumOrder::any: return "any";
    case SumOrder::sequential: return "sequential";
    case SumOrder::pairwise: return "pairwise, runs of " + std::to_string(tree.base);
    case SumOrder::blocked: break;
  }
  std::string text = std::to_string(tree.lanes) + (tree.lanes == 1 ? " lane" : " lanes");
  return tree.panel == 0 ? text : text + ", panels of " + std::to_string(tree.panel);
}

}  // namespace

Accumulation accumulation(const ChainSpec& spec) {
  return {.accumulator = spec.accumulator,
          .product = spec.product,
          .rounding = spec.rounding,
          .flush = spec.flush_inputs || spec.flush_results,
          .tree = spec.tree};
}

std::unique_ptr<const Arithmetic> make_chain(const ChainSpec& spec) {
  constexpr std::uint64_t most_lanes = 65536;
  const std::string where = "chain " + spec.name + ": ";
  if (spec.tree.order == SumOrder::any) throw ContractError(where + "its order must be given");
  if (spec.tree.lanes == 0 || spec.tree.lanes > most_lanes || spec.tree.base == 0) {
    throw ContractError(where + std::to_string(spec.tree.lanes) + " lanes, runs of " +
                        std::to_string(spec.tree.base) + "; lanes are 1 to " + std::to_string(most_lanes) +
                        ", runs at least 1");
  }
  for (const FormatSpec& f : {spec.accumulator, spec.product.value_or(spec.accumulator)}) {
    if (const std::string why = why_unsound(f); !why.empty()) throw ContractError(where + why);
  }
  ArithmeticInfo info{.name = spec.name, .family = "chain", .summary = spec.summary};
  info.accumulator = spec.accumulator;
  info.outputs = {spec.accumulator};
  info.any_output = true;
  info.order = describe(spec.tree);
  info.sequential = spec.tree.order == SumOrder::sequential;
  info.fused = !spec.product;
  info.products = info.fused ? "exact" : "rounded to " + std::string(spec.product->dtype);
  info.rounding = std::string(rounding_name(spec.rounding));
  info.stochastic = spec.rounding == Rounding::stochastic;
  info.flush_inputs = spec.flush_inputs;
  info.flush_results = spec.flush_results;
  info.nan = "the one quiet NaN of the format";
  info.source = "reference/exact/chain.hpp";
  return std::make_unique<Chain>(spec, std::move(info));
}

void add_chains(ArithmeticRegistry& registry) {
  using namespace formats;
  const std::optional<FormatSpec> fused;
  const SumTree sequential{.order = SumOrder::sequential};
  const auto pairwise = [](std::uint64_t base) { return SumTree{.order = SumOrder::pairwise, .base = base}; };
  const auto blocked = [](std::uint64_t lanes, std::uint64_t panel) {
    return SumTree{.order = SumOrder::blocked, .lanes = lanes, .panel = panel};
  };
  constexpr bool keep = false, flush = true;
#define CHAIN(chain_name, accumulator_format, product_format, sum_tree, mode, flushing, text) \
  registry.add(make_chain({.name = #chain_name,                                               \
                           .summary = text,                                                   \
                           .accumulator = accumulator_format,                                 \
                           .product = product_format,                                         \
                           .tree = sum_tree,                                                  \
                           .rounding = Rounding::mode,                                        \
                           .flush_inputs = flushing,                                          \
                           .flush_results = flushing}));
#include "reference/exact/arithmetics.def"
#undef CHAIN
}

}  // namespace assay
