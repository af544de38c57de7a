#include "reference/exact/chain.hpp"

#include <bit>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/exact_dot.hpp"
#include "reference/exact/ordered_sum.hpp"
#include "reference/exact/rounded_sum.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay {
namespace {

// from_code() of one format after another code of it.
template <class T>
class ValueReader {
 public:
  explicit ValueReader(const FormatSpec& f) : format_(f), is_own_(f == format_of<T>) {}
  T operator()(std::uint64_t code) const {
    return std::bit_cast<T>(
        static_cast<BitsOf<T>>(is_own_ ? code : convert(code, format_, format_of<T>).code));
  }

 private:
  const FormatSpec& format_;
  bool is_own_;
};

template <class T>
std::vector<T> values(const CodeVector& x) {
  std::vector<T> v(x.size);
  const ValueReader<T> read(x.format);
  for (std::size_t i = 0; i < x.size; ++i) v[i] = read(x.code(i));
  return v;
}

ChainRules rules_of(const ChainSpec& spec) {
  return {.accumulator = spec.accumulator,
          .product = spec.product,
          .rounding = spec.rounding,
          .flush_inputs = spec.flush_inputs,
          .flush_results = spec.flush_results};
}

class Chain final : public Arithmetic {
 public:
  explicit Chain(const ChainSpec& spec, ArithmeticInfo info)
      : Arithmetic(std::move(info)), spec_(spec), rules_(rules_of(spec)) {}

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
  HostType host(const FormatSpec& a, const FormatSpec& b) const {
    return spec_.host_arithmetic ? host_type(rules_, a, b) : HostType::none;
  }

  // c, or +0 if there is none. (No std::optional: GCC 12 takes its empty value for uninitialised.)
  template <class T>
  struct Start {
    T value = 0;
    bool given = false;

    static Start of(std::optional<std::uint64_t> c) {
      return c ? Start{from_code<T>(*c, format_of<T>), true} : Start{};
    }
  };

  template <class T>
  std::uint64_t host_dot(const T* a, const T* b, std::size_t n, HostProduct how, const Start<T>& c,
                         const FormatSpec& output) const {
    const auto with = [&]<HostProduct product>() {
      HostOps<T, product> ops{a, b, c.value};
      return ordered_sum(spec_.order, n, c.given, ops);
    };
    T sum;
    switch (how) {
      case HostProduct::rounded_to_float:
        sum = with.template operator()<HostProduct::rounded_to_float>();
        break;
      case HostProduct::fused: sum = with.template operator()<HostProduct::fused>(); break;
      default: sum = with.template operator()<HostProduct::rounded>(); break;
    }
    return encode(assay::exact(sum), output).code;
  }

  template <class T>
  std::uint64_t host_dot(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                         const FormatSpec& output) const {
    const MxcsrGuard guard(0x1F80);
    const std::vector<T> x = values<T>(a), y = values<T>(b);
    return host_dot<T>(x.data(), y.data(), a.size, host_product<T>(rules_, a.format, b.format),
                       Start<T>::of(c), output);
  }

  std::uint64_t definition(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                           const FormatSpec& output, OutputPlace place) const {
    DefinedOps ops = defined_ops(a, b, c, place);
    const std::uint64_t sum = ordered_sum(spec_.order, a.size, c.has_value(), ops);
    return convert(sum, spec_.accumulator, output).code;
  }

  using DefinedOps = RoundedOps<ProductTerms, DrawnOptions>;
  DefinedOps defined_ops(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                         OutputPlace place) const {
    return {rules_, {rules_, a, b}, {rules_, StochasticDraws(spec_.seed, place.index, place.stream)}, c};
  }

  std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                            const FormatSpec& output, OutputPlace place) const override {
    switch (host(a.format, b.format)) {
      case HostType::float32: return host_dot<float>(a, b, c, output);
      case HostType::float64: return host_dot<double>(a, b, c, output);
      case HostType::none: break;
    }
    return definition(a, b, c, output, place);
  }

  // One term after c, whatever the order: a chain's step has one product.
  std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                             OutputPlace place) const override {
    return a.size == 0 ? c : defined_ops(a, b, c, place).take(c, 0);
  }

  void gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                    const MutableCodeMatrix& d, OutputOrigin origin) const override {
    switch (host(a.format, b.format)) {
      case HostType::float32: host_gemm<float>(a, b, c, d); break;
      case HostType::float64: host_gemm<double>(a, b, c, d); break;
      case HostType::none: Arithmetic::gemm_checked(a, b, c, d, origin); break;
    }
  }

  // Every operand is decoded once.
  template <class T>
  void host_gemm(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                 const MutableCodeMatrix& d) const {
    const std::size_t k = a.cols;
    std::vector<T> columns(k * d.cols);
    const ValueReader<T> read(b.format);
    for (std::size_t j = 0; j < d.cols; ++j) {
      for (std::size_t i = 0; i < k; ++i) columns[j * k + i] = read(b.code(i, j));
    }
    const HostProduct how = host_product<T>(rules_, a.format, b.format);
    parallel_for(d.rows, d.rows * d.cols * k > 4096 ? 0 : 1, [&](std::size_t i) {
      const MxcsrGuard guard(0x1F80);
      const std::vector<T> x = values<T>(a.row(i));
      for (std::size_t j = 0; j < d.cols; ++j) {
        const Start<T> start = c ? Start<T>::of(c->code(i, j)) : Start<T>{};
        d.set(i, j, host_dot<T>(x.data(), columns.data() + j * k, k, how, start, d.format));
      }
    });
  }

  ChainSpec spec_;
  ChainRules rules_;
};

}  // namespace

std::string chain_order_name(const SumOrder& order) {
  SumOrder one_panel = order;
  one_panel.panel = 0;
  const bool one_lane = order.panel != 0 && is_sequential(one_panel) && !order.even_last;
  return (one_lane ? "1 lane, " : "") + order_name(order);
}

Accumulation accumulation(const ChainSpec& spec) {
  return {.accumulator = spec.accumulator,
          .product = spec.product,
          .rounding = spec.rounding,
          .flush = spec.flush_inputs || spec.flush_results,
          .order = spec.order};
}

std::unique_ptr<const Arithmetic> make_chain(const ChainSpec& spec) {
  constexpr std::uint64_t most_lanes = 65536;
  const std::string where = "chain " + spec.name + ": ";
  const SumOrder& order = spec.order;
  if (order.kind == SumOrder::Kind::any) throw ContractError(where + "its order must be given");
  if (order.lanes == 0 || order.lanes > most_lanes || order.base == 0 || order.parts == 0) {
    throw ContractError(where + std::to_string(order.lanes) + " lanes, " + std::to_string(order.parts) +
                        " parts, runs of " + std::to_string(order.base) + "; lanes are 1 to " +
                        std::to_string(most_lanes) + ", parts and runs at least 1");
  }
  for (const FormatSpec& f : {spec.accumulator, spec.product.value_or(spec.accumulator)}) {
    if (const std::string why = why_unsound(f); !why.empty()) throw ContractError(where + why);
  }
  ArithmeticInfo info{.name = spec.name, .family = "chain", .summary = spec.summary};
  info.accumulator = spec.accumulator;
  info.outputs = {spec.accumulator};
  info.any_output = true;
  info.order = chain_order_name(order);
  info.sequential = is_sequential(order);
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
  const auto sequential = SumOrder::sequential();
  const auto pairwise = SumOrder::pairwise;
  const auto blocked = SumOrder::blocked;
  constexpr bool keep = false, flush = true;
#define CHAIN(chain_name, accumulator_format, product_format, sum_order, mode, flushing, text) \
  registry.add(make_chain({.name = #chain_name,                                                \
                           .summary = text,                                                    \
                           .accumulator = accumulator_format,                                  \
                           .product = product_format,                                          \
                           .order = sum_order,                                                 \
                           .rounding = Rounding::mode,                                         \
                           .flush_inputs = flushing,                                           \
                           .flush_results = flushing}));
#include "reference/exact/arithmetics.def"
#undef CHAIN
}

}  // namespace assay
