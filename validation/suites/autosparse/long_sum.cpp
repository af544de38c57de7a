// ds over the 2.36 million weights of a convolution of ResNet-50's last stage: the stated tree, and what plainer sums
// do.
#include <fmt/format.h>

#include <cmath>
#include <span>

#include "reference/core/random.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_sum.hpp"
#include "reference/formats/storage.hpp"
#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::ladder {
namespace {

// All of it, and for a quick run an eighth.
constexpr LayerShape last_stage{512, 512 * 3 * 3}, part_of_it{64, 512 * 3 * 3};
constexpr double trusted = 1e-6;  // a relative error that nobody would call wrong for float32

// Weights and their gradients, which lean to the weights' side, so that the sum grows with the number of terms; of many
// magnitudes: else double would round no sum.
struct LongProblem {
  Layer<float> layer{.scales = {0.5, 0, 0}};
  Step<float> step{};

  LongProblem(const LayerShape& shape, std::uint64_t seed) {
    layer.shape = shape;
    layer.thresholds = {0.125F};
    layer.s = {std::log(0.125 / 0.875)};
    const CounterRandom random(seed, 31);
    // Sums of two uniform numbers, of 16 bits each.
    const auto number = [](std::uint32_t bits) {
      return (static_cast<float>(bits & 0xFFFF) + static_cast<float>(bits >> 16)) * 0x1p-17F - 0.5F;
    };
    for (std::size_t i = 0; i < shape.size(); i += 2) {
      const PhiloxBlock r = random.block(i);
      for (const std::size_t at : {0U, 2U}) {
        const float w = number(r[at]);
        layer.w.push_back(w);
        const float g = number(r[at + 1]) + std::copysign(0.0625F, w) * 0.77F;
        step.g.push_back(std::ldexp(g, -static_cast<int>(r[at] / 7 % 32)));
      }
    }
  }

  double term(std::size_t i) const {
    const float w = layer.w[i];
    const double h = std::fabs(w) > layer.thresholds[0] ? 1 : layer.scales.alpha,
                 h_g = h * static_cast<double>(step.g[i]);
    return w > 0 ? h_g : w < 0 ? -h_g : 0;
  }
  std::vector<double> terms() const {
    std::vector<double> all(layer.shape.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = term(i);
    return all;
  }
};

// The sum, exactly, and what it adds up in magnitudes.
struct Truth {
  double sum = 0, magnitudes = 0;
  ExactSum exact{};

  explicit Truth(std::span<const double> terms) {
    ExactSum sizes;
    for (const double term : terms) {
      exact.add(term);
      sizes.add(std::fabs(term));
    }
    sum = decode(exact.rounded(formats::float64).code, formats::float64);
    magnitudes = sizes.rounded_up();
  }
  double error(double got) const {
    ExactSum difference = exact;
    difference.add(-got);
    return difference.magnitude_up();
  }
  double relative(double got) const { return error(got) / std::fabs(sum); }
};

float pairwise_float(std::span<const double> terms) {
  if (terms.size() == 1) return static_cast<float>(terms[0]);
  const std::size_t half = terms.size() / 2;
  return pairwise_float(terms.first(half)) + pairwise_float(terms.subspan(half));
}

CaseResult long_case(const Path<float>& path, const LayerShape& shape, const RunContext& context) {
  Expectations found("an exact sum", "ds is further from the exact sum than its additions explain");
  const LongSum sum = ask_for_long_sum(path, shape, context.seed, found);
  found.figure("relative error", sum.relative);
  found.figure("error/bound", sum.over_bound);
  return found.result();
}

// What the rung is for: sums that a person may write instead, whose errors a tolerance must see.
CaseResult other_sums_case(const LayerShape& shape, const RunContext& context) {
  Expectations found("an exact sum", "plain sums are not as far off as they should be");
  const std::vector<double> terms = LongProblem(shape, context.seed).terms();
  const Truth truth(terms);
  float naive = 0;
  bf16_t narrow(0.0F);
  for (const double term : terms) {
    naive += static_cast<float>(term);
    narrow = bf16_t(static_cast<float>(narrow) + static_cast<float>(term));
  }
  const double of_naive = truth.relative(static_cast<double>(naive)),
               of_pairs = truth.relative(static_cast<double>(pairwise_float(terms))),
               of_bf16 = truth.relative(static_cast<double>(static_cast<float>(narrow)));
  found.expect(of_naive > trusted, [&] { return fmt::format("float32, in order: {:.3g}", of_naive); });
  found.expect(of_pairs < trusted, [&] { return fmt::format("float32, pairwise: {:.3g}", of_pairs); });
  found.expect(of_bf16 > 0.1, [&] { return fmt::format("bfloat16, in order: {:.3g}", of_bf16); });
  found.figure("float32, in order", of_naive);
  found.figure("float32, pairwise", of_pairs);
  found.figure("bfloat16, in order", of_bf16);
  return found.result();
}

}  // namespace

LongSum ask_for_long_sum(const Path<float>& path, const LayerShape& shape, std::uint64_t seed,
                         Expectations& found) {
  LongProblem problem(shape, seed);
  const Truth truth(problem.terms());
  path.backward(problem.layer, problem.step);
  const double pieces = std::ceil(static_cast<double>(shape.size()) / 4096);
  // 256 terms a lane, 4 additions among lanes, then the pieces.
  const auto path_length = static_cast<std::uint64_t>(256 + 4 + std::ceil(std::log2(pieces)));
  const double bound = upward::multiply(upward::compound(0x1p-53, path_length), truth.magnitudes),
               sum = problem.step.sums[0];
  const LongSum result{.relative = truth.relative(sum), .over_bound = truth.error(sum) / bound};
  found.expect(result.over_bound <= 1,
               [&] { return fmt::format("the sum: error {:.3g} times its bound", result.over_bound); });
  found.expect(result.relative < 1e-12,
               [&] { return fmt::format("the sum: relative error {:.3g}", result.relative); });
  // T = 1/8: -T (1 - T) = -7/64.
  const double ds = -0.109375 * truth.sum;
  found.expect(std::fabs(problem.step.ds[0] - ds) <= 1e-12 * std::fabs(ds),
               [&] { return fmt::format("ds is {}, not {}", problem.step.ds[0], ds); });
  return result;
}

void add_long_sum_cases(const RunContext& context, std::vector<Case>& cases) {
  const LayerShape shape = context.scale == Scale::quick ? part_of_it : last_stage;
  const std::vector<std::pair<std::string, std::string>> parameters{{"weights", std::to_string(shape.size())},
                                                                    {"seed", std::to_string(context.seed)}};
  for (const autosparse::GradientKernel* const kernel : gradient_kernels())
    cases.push_back({"long_sum/" + std::string(kernel->name), parameters,
                     [kernel, shape](const RunContext& c) {
                       if (const std::string why = why_not(*kernel); !why.empty())
                         return skipped_because(why);
                       return long_case(LibraryPath({.kernel = kernel, .products = {}, .threads = 1}), shape,
                                        c);
                     },
                     true});
  cases.push_back({"long_sum/other_sums", parameters,
                   [shape](const RunContext& c) { return other_sums_case(shape, c); }, true});
}

}  // namespace assay::suites::ladder
