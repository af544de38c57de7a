// Whole numbers that no order of additions rounds: every kernel, every number of threads and every arithmetic of the
// registry gives what integers give.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "reference/operations/gemm.hpp"
#include "reference/sparse/spmm.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::ladder {
namespace {

constexpr std::int64_t sum_limit = std::int64_t{1} << 24;
constexpr const char* integers = "64-bit integers";
constexpr const char* not_whole = "whole numbers differ";
constexpr int most_threads = 3;

std::int64_t as_integer(float x) { return static_cast<std::int64_t>(x); }

// Sums of products as integers, with the largest sum of magnitudes.
struct IntegerProducts {
  std::vector<std::int64_t> y, dx, g;
  std::int64_t largest = 0;

  IntegerProducts(const Layer<float>& layer, const std::vector<std::int64_t>& v)
      : y(layer.dy.size()), dx(layer.x.size()), g(layer.w.size()) {
    const std::size_t channels = layer.shape.channels, inputs = layer.shape.per_channel;
    std::vector<std::int64_t> of_y(y.size()), of_dx(dx.size()), of_g(g.size());
    const auto add = [](std::int64_t& sum, std::int64_t& magnitudes, std::int64_t product) {
      sum += product;
      magnitudes += std::abs(product);
    };
    for (std::size_t b = 0; b < layer.batch; ++b) {
      for (std::size_t o = 0; o < channels; ++o) {
        for (std::size_t i = 0; i < inputs; ++i) {
          const std::size_t weight = o * inputs + i, in = b * inputs + i, out = b * channels + o;
          const std::int64_t x = as_integer(layer.x[in]), dy = as_integer(layer.dy[out]);
          add(y[out], of_y[out], v[weight] * x);
          add(dx[in], of_dx[in], v[weight] * dy);
          add(g[weight], of_g[weight], dy * x);
        }
      }
    }
    for (const auto& all : {of_y, of_dx, of_g}) largest = std::max(largest, *std::ranges::max_element(all));
  }
};

std::vector<std::int64_t> integer_weights(const Layer<float>& layer) {
  std::vector<std::int64_t> v;
  for (std::size_t i = 0; i < layer.w.size(); ++i) {
    const std::int64_t w = as_integer(layer.w[i]), t = as_integer(layer.thresholds[layer.group(i)]);
    v.push_back(std::abs(w) > t ? (w > 0 ? w - t : w + t) : 0);
  }
  return v;
}

// `got` times `scale` are these integers.
template <class Real>
void expect_integers(std::string_view what, const std::vector<Real>& got,
                     const std::vector<std::int64_t>& want, int scale, Expectations& found) {
  found.expect(got.size() == want.size(), [&] { return fmt::format("{} {}", got.size(), what); });
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    const auto integer = static_cast<double>(got[i]) * scale;
    found.expect(integer == static_cast<double>(want[i]),
                 [&] { return fmt::format("{} {}: {}, not {}", what, i, integer / scale, want[i] / scale); });
  }
}

CaseResult kernel_case(const LibraryPath::Options& options, const RunContext& context) {
  Expectations found(integers, not_whole);
  for (const bool bf16 : {false, true}) {
    for (const bool by_channel : {false, true}) {
      for (int threads = 1; threads <= most_threads; ++threads) {
        LibraryPath::Options how = options;
        how.threads = threads;
        ask_for_whole_numbers(LibraryPath(how), whole_layer(256, by_channel, bf16, context.seed), found);
      }
    }
  }
  return found.result();
}

CaseResult definition_case(const RunContext& context) {
  Expectations found(integers, not_whole);
  for (const bool bf16 : {false, true}) {
    for (int threads = 1; threads <= most_threads; ++threads)
      ask_for_whole_numbers(DefinitionPath<float>(threads), whole_layer(256, true, bf16, context.seed),
                            found);
  }
  return found.result();
}

template <class Kernel>
CaseResult kernel_case(const Kernel& kernel, const LibraryPath::Options& options, const RunContext& context) {
  const std::string why = why_not(kernel);
  return why.empty() ? kernel_case(options, context) : skipped_because(why);
}

// An array of a format, whose values it holds.
struct CodeArray {
  std::vector<std::byte> bytes;
  CodeMatrix matrix{};

  template <class Number>
  CodeArray(const std::vector<Number>& values, std::size_t rows, const FormatSpec& f)
      : bytes(values.size() * code_bytes(f)) {
    for (std::size_t i = 0; i < values.size(); ++i)
      detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f),
                         encode(static_cast<double>(values[i]), f).code);
    const std::size_t cols = values.size() / rows;
    matrix = {bytes.data(), rows, cols, static_cast<std::ptrdiff_t>(cols), 1, f};
  }
};

// Formats and the largest number of theirs up to which all integers are theirs, and that sums stay below the limit.
struct Operands {
  FormatSpec format;
  std::int64_t largest, limit;
};
const Operands& operands_for(const Arithmetic& arithmetic) {
  // Units that cut products 13 bits below the largest take sums below 2^14.
  static const std::array<Operands, 3> all{{{formats::bfloat16, 256, sum_limit},
                                            {formats::float8_e4m3fn, 16, 1 << 14},
                                            {formats::float8_e5m2, 8, 1 << 14}}};
  return *std::ranges::find_if(all,
                               [&](const Operands& o) { return arithmetic.accepts(o.format, o.format); });
}

// Wide enough for such sums, and of products alone.
bool takes_whole_numbers(const Arithmetic& a) {
  const ArithmeticInfo& info = a.info();
  if (info.accumulator.precision < 24 || info.block_scales || info.scaling || !a.gives(formats::float32))
    return false;
  if (a.accepts(formats::bfloat16, formats::bfloat16)) return true;
  return (info.name.starts_with("sm89.f8") || info.name.starts_with("sm90.wgmma.f8")) &&
         info.name.find(":f16") == std::string::npos;
}

CaseResult arithmetic_case(const Arithmetic& arithmetic, const RunContext& context) {
  Expectations found(integers, not_whole);
  const Operands& of = operands_for(arithmetic);
  const Layer<float> layer = whole_layer(of.largest, true, false, context.seed);
  const std::vector<std::int64_t> v = integer_weights(layer);
  const IntegerProducts want(layer, v);
  found.expect(want.largest < of.limit,
               [&] { return fmt::format("sums of magnitudes reach {}", want.largest); });
  const CodeArray x(layer.x, layer.batch, of.format), dy(layer.dy, layer.batch, of.format),
      weights(v, layer.shape.channels, of.format);
  const auto product = [&](std::string_view what, const GemmProblem& problem,
                           const std::vector<std::int64_t>& truth) {
    std::vector<float> got(problem.m() * problem.n());
    gemm(arithmetic, problem, mutable_code_matrix(got.data(), problem.m(), problem.n()));
    expect_integers(what, got, truth, 1, found);
  };
  GemmProblem y, dx, g;
  y.a = x.matrix, y.b = weights.matrix, y.transpose_b = true;
  dx.a = dy.matrix, dx.b = weights.matrix;
  g.a = dy.matrix, g.b = x.matrix, g.transpose_a = true;
  product("y", y, want.y);
  product("dx", dx, want.dx);
  product("g", g, want.g);
  CaseResult& result = found.result();
  result.figures.push_back({"largest sum of magnitudes", static_cast<double>(want.largest), ""});
  return result;
}

}  // namespace

Layer<float> whole_layer(std::int64_t largest, bool by_channel, bool bf16, std::uint64_t seed) {
  Layer<float> layer{.shape = {30, 41}, .batch = 21, .scales = {0.5, 0.25, 0.5}, .bf16 = bf16};
  for (std::size_t t = 0; t < (by_channel ? layer.shape.channels : 1); ++t) {
    layer.thresholds.push_back(static_cast<float>(3 + t % 3));
    layer.s.push_back(2 + static_cast<double>(t));
  }
  // From -n to n, of a share of them small; the limits come.
  const auto integer = [&](std::int64_t n, std::uint64_t stream, std::uint64_t i) {
    const PhiloxBlock r = CounterRandom(seed, stream).block(i);
    const std::int64_t m = r[0] % 3 == 0 ? std::min<std::int64_t>(n, 7) : n;
    return static_cast<float>(static_cast<std::int64_t>(r[1] % static_cast<std::uint64_t>(2 * m + 1)) - m);
  };
  for (std::size_t i = 0; i < layer.shape.size(); ++i)
    layer.w.push_back(integer(largest + as_integer(layer.thresholds[layer.group(i)]), 21, i));
  for (std::size_t i = 0; i < layer.batch * layer.shape.per_channel; ++i)
    layer.x.push_back(integer(largest, 22, i));
  for (std::size_t i = 0; i < layer.batch * layer.shape.channels; ++i)
    layer.dy.push_back(integer(largest, 23, i));
  return layer;
}

void ask_for_whole_numbers(const Path<float>& path, const Layer<float>& layer, Expectations& found) {
  const std::vector<std::int64_t> v = integer_weights(layer);
  const IntegerProducts want(layer, v);
  found.expect(want.largest < sum_limit,
               [&] { return fmt::format("sums of magnitudes reach {}", want.largest); });
  // dw in quarters, sums in halves: alpha is a half, lambda a quarter. T (1 - T) of T = 3, 4 and 5 is an integer too.
  std::vector<std::int64_t> dw, sums(layer.thresholds.size()), ds;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::int64_t w = as_integer(layer.w[i]), share = v[i] != 0 ? 2 : 1;
    dw.push_back(2 * share * want.g[i] + w);
    sums[layer.group(i)] += share * (w > 0 ? want.g[i] : w < 0 ? -want.g[i] : 0);
  }
  for (std::size_t t = 0; t < sums.size(); ++t) {
    const std::int64_t threshold = as_integer(layer.thresholds[t]);
    ds.push_back(-threshold * (1 - threshold) * sums[t] + static_cast<std::int64_t>(layer.s[t]));
  }
  const Step<float> step = path.run(layer);
  expect_integers("v", step.v, v, 1, found);
  expect_integers("y", step.y, want.y, 1, found);
  expect_integers("dx", step.dx, want.dx, 1, found);
  expect_integers("g", step.g, want.g, 1, found);
  expect_integers("dw", step.dw, dw, 4, found);
  expect_integers("sum", step.sums, sums, 2, found);
  expect_integers("ds", step.ds, ds, 2, found);
}

void add_whole_number_cases(const RunContext& context, std::vector<Case>& cases) {
  const std::string seed = std::to_string(context.seed);
  for (const autosparse::GradientKernel* const kernel : gradient_kernels())
    cases.push_back({"whole/" + std::string(kernel->name), {{"seed", seed}}, [kernel](const RunContext& c) {
                       return kernel_case(*kernel, {.kernel = kernel}, c);
                     }});
  cases.push_back({"whole/defined_products", {{"seed", seed}}, definition_case});
  for (const sparse::SpmmKernel& kernel : sparse::spmm_kernels())
    cases.push_back({"whole/" + std::string(kernel.name), {{"seed", seed}}, [&kernel](const RunContext& c) {
                       return kernel_case(kernel, {.products = kernel.name}, c);
                     }});
  for (const Arithmetic* const arithmetic : arithmetics().list()) {
    if (takes_whole_numbers(*arithmetic))
      cases.push_back({"whole/" + arithmetic->info().name,
                       {{"seed", seed}},
                       [arithmetic](const RunContext& c) { return arithmetic_case(*arithmetic, c); }});
  }
}

}  // namespace assay::suites::ladder
