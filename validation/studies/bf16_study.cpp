#include "validation/studies/bf16_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "reference/operations/operation.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/choice.hpp"
#include "validation/studies/distance.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::studies {
namespace {

using operations::Operation;

constexpr std::string_view float32_product = "chain_f32_fused";
constexpr auto usual_contracts =
    std::to_array<std::string_view>({float32_product, "vdpbf16ps", "tdpbf16ps", "sm80.bf16", "sm90.bf16",
                                     "gfx942.bf16", "arm.bfdot", "chain_bf16_fused"});

// --- what was typed --------------------------------------------------------------------------------------------------

ProductShape parse_shape(std::string_view option, const std::string& text) {
  constexpr std::uint64_t most = std::uint64_t{1} << 24;
  std::array<std::uint64_t, 3> sizes{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto [next, status] = std::from_chars(at, end, sizes[i]);
    const bool last = i + 1 == sizes.size();
    if (status != std::errc{} || sizes[i] == 0 || sizes[i] > most ||
        (last ? next != end : next == end || *next != 'x'))
      throw InputError::of_option(std::string(option), "a shape MxKxN of numbers from 1 to 2^24",
                                  quoted(text));
    at = next + 1;
  }
  return {sizes[0], sizes[1], sizes[2]};
}

template <class T>
void add_once(std::vector<T>& all, const T& one) {
  if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

void require_contract(std::string_view option, const NamedArithmetic& c) {
  const ArithmeticInfo& info = c.arithmetic->info();
  const bool gives = c.arithmetic->gives(formats::float32) || info.outputs.front() == formats::bfloat16;
  if (!c.arithmetic->accepts(formats::bfloat16, formats::bfloat16) || !gives || info.block_scales ||
      info.sparse)
    throw UsageError(fmt::format("{} {}: takes no dense bf16 operands to a float32 result", option, c.name));
  check_places(c.name, *c.arithmetic, std::nullopt);
}

std::vector<NamedArithmetic> contracts_of(const Bf16Question& q) {
  std::vector<NamedArithmetic> all;
  for (const NamedArithmetic& c : q.contracts) {
    require_contract(judge::option_name(q.caller, "contract"), c);
    if (std::none_of(all.begin(), all.end(), [&](const NamedArithmetic& one) { return one.name == c.name; }))
      all.push_back(c);
  }
  if (!all.empty()) return all;
  for (const std::string_view name : usual_contracts)
    all.push_back({std::string(name), load_arithmetic(std::string(name), "study")});
  return all;
}

// --- the operands ----------------------------------------------------------------------------------------------------

// The values of a matrix in both formats.
struct Rounded {
  std::vector<std::uint32_t> float32{};
  std::vector<std::uint16_t> bf16{};

  Rounded(std::uint64_t count, Values values, std::uint64_t seed, std::uint64_t stream)
      : float32(count), bf16(count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      float32[i] = static_cast<std::uint32_t>(encode(draw(values, seed, stream, i), formats::float32).code);
      bf16[i] = static_cast<std::uint16_t>(convert(float32[i], formats::float32, formats::bfloat16).code);
    }
  }
  const void* data(const FormatSpec& f) const {
    return f == formats::bfloat16 ? static_cast<const void*>(bf16.data()) : float32.data();
  }
};

// Streams of the seed: what is drawn for a shape depends on nothing else.
enum Stream : std::uint64_t { pattern, left, right };
std::uint64_t stream_of(const ProductShape& s, Stream what) {
  return (s.m << 40 ^ s.k << 20 ^ s.n) << 2 | what;
}

sparse::CsrStructure random_pattern(std::uint64_t rows, std::uint64_t cols, double sparsity,
                                    std::uint64_t seed, std::uint64_t stream) {
  sparse::CsrStructure out;
  out.rows = static_cast<std::int64_t>(rows);
  out.cols = static_cast<std::int64_t>(cols);
  const CounterRandom random(seed, stream);
  for (std::uint64_t i = 0; i < rows; ++i) {
    for (std::uint64_t j = 0; j < cols; ++j) {
      if (100 * random.uniform(i * cols + j) >= sparsity)
        out.column_indices.push_back(static_cast<std::int32_t>(j));
    }
    out.end_row();
  }
  return out;
}

// One product of the grid: its operands in both formats, and the operation of either.
class Product {
 public:
  Product(const Bf16Request& r, const ProductShape& shape, double sparsity)
      : shape_(shape),
        sparsity_(sparsity),
        is_spmm_(r.operation == "spmm"),
        pattern_(random_pattern(shape.m, is_spmm_ ? shape.k : shape.n, sparsity, r.seed,
                                stream_of(shape, pattern))),
        a_(is_spmm_ ? entries() : shape.m * shape.k, r.values, r.seed, stream_of(shape, left)),
        b_(shape.k * shape.n, r.values, r.seed, stream_of(shape, right)) {}

  const ProductShape& shape() const { return shape_; }
  double sparsity() const { return sparsity_; }
  std::uint64_t entries() const { return static_cast<std::uint64_t>(pattern_.nnz()); }
  // Of an output, on average.
  double terms() const {
    return is_spmm_ ? static_cast<double>(entries()) / static_cast<double>(shape_.m)
                    : static_cast<double>(shape_.k);
  }
  bool has_terms(std::size_t output) const {
    return !is_spmm_ || pattern_.view().row_length(static_cast<std::int64_t>(output / shape_.n)) > 0;
  }

  // The views are of this object.
  std::unique_ptr<Operation> operation(const FormatSpec& f) const {
    operations::OperationInput in;
    in.b = {b_.data(f), f, {shape_.k, shape_.n}, "B"};
    const CodeVector values{a_.data(f), is_spmm_ ? entries() : 0, 1, f};
    in.sparse = operations::SparseView{.rows = shape_.m,
                                       .cols = is_spmm_ ? shape_.k : shape_.n,
                                       .nnz = entries(),
                                       .format = f,
                                       .name = is_spmm_ ? "A" : "mask",
                                       .by_rows = [this, values] {
                                         return operations::SparseRows{pattern_.view(), values};
                                       }};
    if (!is_spmm_) in.a = {a_.data(f), f, {shape_.m, shape_.k}, "A"};
    const operations::OperationKind& kind = is_spmm_ ? operations::kind_of_spmm : operations::kind_of_sddmm;
    return kind.make(std::move(in), {});
  }

 private:
  ProductShape shape_;
  double sparsity_;
  bool is_spmm_;
  sparse::CsrStructure pattern_;
  Rounded a_, b_;
};

// --- distances -------------------------------------------------------------------------------------------------------

std::uint64_t code_of(const judge::Answer& answer, std::size_t i) {
  return CodeVector{answer.codes.data(), answer.codes.size() / sizeof(float), 1, formats::float32}.code(i);
}

// Figures of `found` from what the contract gives, the float32 product and the exact results.
void measure(const Product& product, const judge::Answer& got, const judge::Answer& float32,
             const judge::Answer& exact, ContractErrors& found) {
  DistanceCounter from_float32, from_exact;
  for (std::size_t i = 0; i < exact.truth.size(); ++i) {
    if (!product.has_terms(i)) continue;
    ++found.outputs;
    const std::uint64_t code = code_of(got, i);
    if (!accepts(exact.results[i], exact.specials, code, formats::float32)) ++found.outside;
    const double value = decode(code, formats::float32), want = decode(code_of(float32, i), formats::float32);
    if (!std::isfinite(value) || !std::isfinite(want) || !std::isfinite(exact.truth[i])) {
      ++found.nonfinite;
      continue;
    }
    // Two numbers of nearly the same size: their difference is exact, or as good as that.
    const double error = (value - exact.truth[i]) - exact.remainder[i];
    from_exact.add(exact.truth[i], error);
    from_float32.add(want, value - want);
    if (error != 0) found.of_bound = std::max(found.of_bound, std::fabs(error) / exact.bound[i]);
  }
  found.from_float32 = from_float32.distance();
  found.from_exact = from_exact.distance();
}

const operations::OutputSpec output_of_all{};  // float32, nothing after the sum

// `show` is told the share that is done.
ContractErrors errors_of(const Product& product, const NamedArithmetic& c, const judge::Answer& float32,
                         const std::function<void(double)>& show) {
  show(0);
  const std::unique_ptr<Operation> operation = product.operation(formats::bfloat16);
  const judge::Answer got = judge::predicted_answer(*operation, *c.arithmetic, output_of_all,
                                                    {.progress = [&](double part) { show(part / 2); }});
  const judge::Answer exact = judge::exact_answer(*operation, *c.arithmetic, output_of_all,
                                                  {.progress = [&](double part) { show(0.5 + part / 2); }});
  const ArithmeticInfo& info = c.arithmetic->info();
  ContractErrors found{.m = product.shape().m,
                       .k = product.shape().k,
                       .n = product.shape().n,
                       .sparsity = product.sparsity(),
                       .entries = product.entries(),
                       .terms = product.terms(),
                       .contract = c.name,
                       .order = info.order,
                       .evidence = std::string(evidence_name(info.evidence)),
                       .unverified = is_unverified(info.evidence),
                       .step_terms = info.step_terms};
  measure(product, got, float32, exact, found);
  return found;
}

}  // namespace

Bf16Request bf16_request(const Bf16Question& q) {
  constexpr std::string_view gradients = "autosparse";
  constexpr auto operations = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"spmm", "spmm"}, {"sddmm", "sddmm"}, {gradients, gradients}});
  Bf16Request r{
      .operation = std::string(judge::choice(q.caller == judge::Caller::python ? "operation" : "study bf16",
                                             q.operation, operations, "an operation")),
      .shapes = {},
      .sparsities = {},
      .contracts = contracts_of(q),
      .seed = q.seed,
      .threads = q.threads};
  if (r.operation == gradients)
    throw UsageError(
        "autosparse takes other options than products: see `assay study bf16 autosparse --help`");
  for (const std::string& text : q.shapes)
    add_once(r.shapes, parse_shape(judge::option_name(q.caller, "shape"), text));
  for (const double percent : q.sparsities) {
    if (!(percent >= 0 && percent < 100))
      throw InputError::of_option(judge::option_name(q.caller, "sparsity"), "per cent, from 0 to below 100",
                                  fmt::format("{}", percent));
    add_once(r.sparsities, percent);
  }
  if (r.shapes.empty()) r.shapes = {{64, 256, 16}, {64, 2048, 16}};
  if (r.sparsities.empty()) r.sparsities = {50, 90, 98};
  if (!q.values.empty())
    r.values =
        judge::typed_for(judge::option_name(q.caller, "values"), [&] { return parse_values(q.values); });
  return r;
}

std::optional<std::uint64_t> bf16_bytes(const Bf16Request& r) {
  std::uint64_t most = 0;
  for (const ProductShape& s : r.shapes) {
    // An element has its codes in both formats; an output its codes, its truth, its bound and what is accepted.
    constexpr std::uint64_t of_element = 4 + 2 + 4, of_output = 3 * 4 + 3 * 8 + sizeof(ResultSet);
    const auto one = bytes_sum({bytes_product({s.m, s.k, of_element}), bytes_product({s.k, s.n, of_element}),
                                bytes_product({s.m, s.n, of_element + of_output})});
    if (!one) return std::nullopt;
    most = std::max(most, *one);
  }
  return most;
}

Bf16Study study_bf16(const Bf16Request& r, const Progress& progress) {
  Bf16Study study{.operation = r.operation, .values = r.values, .seed = r.seed, .results = {}};
  const Arithmetic& reference = arithmetics().find(float32_product);
  const ThreadScope team(r.threads);
  double done = 0;
  const auto all = static_cast<double>(r.shapes.size() * r.sparsities.size() * r.contracts.size());
  for (const ProductShape& s : r.shapes) {
    for (const double sparsity : r.sparsities) {
      const Product product(r, s, sparsity);
      const judge::Answer float32 =
          judge::predicted_answer(*product.operation(formats::float32), reference, output_of_all);
      for (const NamedArithmetic& c : r.contracts) {
        study.results.push_back(errors_of(product, c, float32, [&](double part) {
          if (progress)
            progress((done + part) / all,
                     fmt::format("{}x{}x{}, {} % absent, {}", s.m, s.k, s.n, sparsity, c.name));
        }));
        done += 1;
      }
    }
  }
  if (progress) progress(1, "done");
  return study;
}

}  // namespace assay::studies
