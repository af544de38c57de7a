#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/operations/gemm.hpp"
#include "tests/reference/exact/operands.hpp"
#include "tests/reference/exact/worst_cases.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;

float value(std::uint64_t code) { return std::bit_cast<float>(static_cast<std::uint32_t>(code)); }

// The same in plain loops on float, every option spelled out.
BOOST_AUTO_TEST_CASE(equals_plain_loops) {
  const auto chain = make_chain({.name = "chain_f32", .product = f32});
  std::size_t wrong = 0, tried = 0;
  for (const std::size_t m : {1U, 3U}) {
    for (const std::size_t n : {1U, 4U}) {
      for (const std::size_t k : {0U, 1U, 7U}) {
        for (int options = 0; options < 64; ++options) {
          const bool ta = (options & 1) != 0, tb = (options & 2) != 0, scaled = (options & 4) != 0;
          const bool with_c = (options & 8) != 0, with_bias = (options & 16) != 0, relu = (options & 32) != 0;
          const std::size_t batch = 2;
          const auto [a, b] =
              make_operands(Operands::normal, batch * 40, f32, f32, static_cast<std::uint64_t>(options) + k);
          const auto [c, bias] = make_operands(Operands::normal, batch * 40, f32, f32, 77);
          CodeArray d(batch * m * n, f32);
          GemmProblem problem{.a = ta ? a.matrix(k, m) : a.matrix(m, k),
                              .b = tb ? b.matrix(n, k) : b.matrix(k, n)};
          problem.transpose_a = ta;
          problem.transpose_b = tb;
          problem.batch = batch;
          problem.a_batch_stride = static_cast<std::ptrdiff_t>(m * k);
          problem.b_batch_stride = 0;  // one B for all
          problem.c_batch_stride = problem.d_batch_stride = static_cast<std::ptrdiff_t>(m * n);
          problem.epilogue.alpha = scaled ? 0.3 : 1;
          problem.epilogue.beta = with_c ? (scaled ? -1.7 : 1) : 0;
          if (with_c) problem.c = c.matrix(m, n);
          problem.bias_along = relu ? BiasAlong::rows : BiasAlong::columns;
          if (with_bias) problem.bias = bias.view().part(0, relu ? m : n);
          problem.epilogue.activation = relu ? Activation::relu : Activation::none;
          gemm(*chain, problem, d.out(m, n));
          for (std::size_t s = 0; s < batch; ++s) {
            for (std::size_t i = 0; i < m; ++i) {
              for (std::size_t j = 0; j < n; ++j) {
                float y = 0;
                for (std::size_t l = 0; l < k; ++l) {
                  const float x = value(a.code(s * m * k + (ta ? l * m + i : i * k + l)));
                  y = y + x * value(b.code(tb ? j * k + l : l * n + j));
                }
                // alpha and beta are exact: 0.3 is the float64, and its product with a float is rounded once.
                const auto times = [](double factor, float x) {
                  return value(encode(wide_product(exact(factor), exact(x)), f32).code);
                };
                if (scaled) y = times(0.3, y);
                if (with_c) {
                  const float addend = value(c.code((s * m + i) * n + j));
                  y = y + (scaled ? times(-1.7, addend) : addend);
                }
                if (with_bias) y = y + value(bias.code(relu ? i : j));
                if (relu) y = y > 0 ? y : 0;
                ++tried;
                wrong += d.code((s * m + i) * n + j) != std::bit_cast<std::uint32_t>(y);
              }
            }
          }
        }
      }
    }
  }
  BOOST_TEST(wrong == 0U, wrong << " of " << tried);
}

// Every element within the bound that gemm_truth gives, for formats and epilogues of many kinds; some near it.
BOOST_AUTO_TEST_CASE(within_bounds) {
  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t exceeded = 0, judged = 0;
  double nearest = 0;
  for (const Arithmetic* chain : registry.list()) {
    for (const Operands kind :
         {Operands::normal, Operands::positive, Operands::cancelling, Operands::subnormal}) {
      for (int options = 0; options < 16; ++options) {
        const std::size_t m = 3, n = 2, k = 20;
        const FormatSpec& input = (options & 1) != 0 ? formats::bfloat16 : formats::float16;
        const auto [a, b] = make_operands(kind, m * k, input, input, static_cast<std::uint64_t>(options));
        const auto [c, bias] = make_operands(kind, m * n, f32, f32, 5);
        const FormatSpec& output = (options & 2) != 0 ? formats::bfloat16 : f32;
        GemmProblem problem{.a = a.matrix(m, k), .b = b.matrix(k, n)};
        problem.c = c.matrix(m, n);
        problem.bias = bias.view().part(0, n);
        problem.epilogue = {.alpha = 0.7, .beta = (options & 4) != 0 ? 1.0 : 1.3};
        problem.epilogue.activation = (options & 8) != 0 ? Activation::clip : Activation::relu;
        problem.epilogue.low = -1.1;
        problem.epilogue.high = 2.3;
        CodeArray d(m * n, output);
        gemm(*chain, problem, d.out(m, n));
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            const ElementTruth truth = gemm_truth(*chain, problem, output, 0, i, j);
            const std::uint64_t code = d.code(i * n + j);
            if (truth.exact.kind != Kind::finite || !output.is_finite(code)) continue;
            ++judged;
            // The exact value may have a tail below its 126 bits: one more unit there covers it.
            ExactSum exact;
            ExactValue<Wide> cut = truth.exact;
            cut.sticky = false;
            exact.add(cut);
            ExactSum error = exact_error(exact, code, output);
            const double slack =
                truth.exact.sticky ? std::ldexp(1.0, std::max(truth.exact.exponent, -1074)) : 0;
            exceeded += exceeds(error, upward::add(truth.bound, slack));
            if (truth.bound > 0) nearest = std::max(nearest, error.rounded_up() / truth.bound);
          }
        }
      }
    }
  }
  BOOST_TEST(judged > 5000U);
  BOOST_TEST(exceeded == 0U, exceeded << " of " << judged);
  BOOST_TEST(nearest > 0.25);
}

bool same(const ExactValue<Wide>& x, const ExactValue<Wide>& y) {
  return x.kind == y.kind && x.negative == y.negative && x.significand == y.significand &&
         x.exponent == y.exponent && x.sticky == y.sticky;
}
bool same(double x, double y) { return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y); }

// GemmTruths gives what gemm_truth() gives, element by element, the accepted results too.
BOOST_AUTO_TEST_CASE(all_truths_at_once) {
  ArithmeticRegistry registry;
  add_chains(registry);
  const std::size_t m = 3, n = 5;
  std::size_t wrong = 0, tried = 0, exact = 0, infinite = 0;
  std::uint64_t seed = 0;
  const auto compare = [&](const Arithmetic& chain, const GemmProblem& problem, const FormatSpec& output) {
    for (std::size_t batch = 0; batch < problem.batch; ++batch) {
      const GemmTruths truths(chain, problem, output, batch, 1, 2);
      std::vector<ElementTruth> got(m * n);
      const auto take = [&](std::size_t i, std::size_t j, const ElementTruth& t) { got[i * n + j] = t; };
      truths.rows(0, 2, take);
      truths.rows(2, m - 2, take);
      for (std::size_t i = 0; i < m * n; ++i) {
        const ElementTruth want = gemm_truth(chain, problem, output, batch, i / n, i % n);
        ++tried;
        exact += want.results.low == want.results.high ? 1 : 0;
        infinite += want.results.positive_infinity || want.results.negative_infinity ? 1 : 0;
        wrong += same(got[i].exact, want.exact) && got[i].results == want.results &&
                         same(got[i].bound, want.bound) && same(got[i].before_output, want.before_output)
                     ? 0
                     : 1;
      }
    }
  };
  for (const Arithmetic* chain : registry.list()) {
    const FormatSpec& accumulator = chain->info().accumulator;
    for (const Operands kind : all_operands) {
      for (int round = 0; round < 4; ++round) {
        const CounterRandom choice(++seed);
        const auto options = static_cast<int>(choice.below(32, 0));
        const FormatSpec input = std::to_array(
            {f32, formats::bfloat16, formats::float16, formats::float8_e4m3fn})[choice.below(4, 1)];
        const FormatSpec output =
            std::to_array({f32, formats::bfloat16, formats::float16, accumulator})[choice.below(4, 2)];
        const std::size_t k = std::to_array<std::size_t>({1, 2, 0, 23, 23, 23, 23})[choice.below(7, 3)];
        const std::size_t batch = options == 5 ? 2 : 1;
        const auto [a, b] = make_operands(kind, batch * n * std::max<std::size_t>(k, 1), input, input, seed);
        const bool starts = (options & 24) == 24;
        const auto [c, bias] = make_operands(kind, m * n, starts ? accumulator : f32, f32, seed + 1);
        GemmProblem problem{.a = (options & 1) != 0 ? a.matrix(k, m) : a.matrix(m, k),
                            .b = (options & 2) != 0 ? b.matrix(n, k) : b.matrix(k, n)};
        problem.transpose_a = (options & 1) != 0;
        problem.transpose_b = (options & 2) != 0;
        problem.batch = batch;
        problem.a_batch_stride = static_cast<std::ptrdiff_t>(m * k);
        problem.epilogue.alpha = (options & 24) == 8 ? -0.7 : (options & 24) == 16 ? 4 : 1;
        if ((options & 8) != 0) {
          problem.c = c.matrix(m, n);
          problem.epilogue.beta = starts || (options & 4) != 0 ? 1 : 1.3;
          if (starts) problem.c_place = CPlace::starts_chain;
        }
        if ((options & 4) != 0) problem.bias = bias.view().part(0, n);
        problem.epilogue.place = choice.below(3, 4) == 0 ? EpiloguePlace::last : EpiloguePlace::anywhere;
        problem.epilogue.activation = options == 9 ? Activation::relu : Activation::none;
        compare(*chain, problem, output);
        // A row and a column of zeros.
        if (round != 0 || k == 0 || (options & 3) != 0) continue;
        CodeArray rows = a, columns = b;
        for (std::size_t i = 0; i < k; ++i) {
          rows.set(k + i, 0);
          columns.set(i * n + 3, input.sign_code());
        }
        problem.a = rows.matrix(m, k);
        problem.b = columns.matrix(k, n);
        problem.batch = 1;
        compare(*chain, problem, output);
      }
    }
    // Small integers, as which no order rounds, and with a last place that some order rounds.
    for (const double scale : {1.0, 37.0, 3000.0}) {
      for (const FormatSpec& input : {f32, formats::bfloat16, formats::float16}) {
        const std::size_t k = 40;
        CodeArray a(m * k, input), b(k * n, input);
        const CounterRandom random(++seed);
        const auto integer = [&](std::uint64_t at) {
          return encode(std::round(scale * (random.uniform(at) - 0.5)), input).code;
        };
        for (std::size_t i = 0; i < m * k; ++i) a.set(i, integer(i));
        for (std::size_t i = 0; i < k * n; ++i) b.set(i, integer(1000 + i));
        GemmProblem problem{.a = a.matrix(m, k), .b = b.matrix(k, n)};
        compare(*chain, problem, accumulator);
        const auto [c, bias] = make_operands(Operands::normal, m * n, f32, f32, seed);
        problem.c = a.matrix(m, n);
        problem.bias = bias.view().part(0, n);
        for (const double alpha : {1.0, 0.25}) {
          problem.epilogue = {.alpha = alpha, .beta = 1, .place = EpiloguePlace::anywhere};
          compare(*chain, problem, f32);
        }
      }
    }
  }
  // Limits of operands that are not those of the products: an exact sum that only the products' own last place shows,
  // an operand that alpha takes below the smallest number, a product of more bits than the accumulator has.
  const float small[3] = {0x1p-10F, 1, 1}, large[3] = {1, 0x1p-10F, 0x1p-10F}, hundred[1] = {100};
  const float tiny[3] = {0x1p-135F, 0x1p-135F, 0x3p-135F}, huge[3] = {0x1p60F, 0x5p60F, 0x1p60F};
  const float odd[3] = {0x1001, 0x1003, 0x1005}, even[3] = {0x1001, -0x1003, 0x1001};
  for (const Arithmetic* chain : registry.list()) {
    const auto one = [&](const float* a, const float* b, double alpha, double beta) {
      GemmProblem problem{
          .a = code_matrix(a, 1, 3), .b = code_matrix(b, 3, 1), .c = code_matrix(hundred, 1, 1)};
      problem.epilogue = {.alpha = alpha, .beta = beta, .place = EpiloguePlace::anywhere};
      const ElementTruth want = gemm_truth(*chain, problem, f32, 0, 0, 0);
      GemmTruths(*chain, problem, f32, 0).rows(0, 1, [&](std::size_t, std::size_t, const ElementTruth& got) {
        wrong += got.results == want.results && same(got.bound, want.bound) ? 0 : 1;
      });
    };
    one(small, large, 1, 1);
    one(tiny, huge, 0x1p-20, 0);
    one(odd, even, 1, 0);
  }
  BOOST_TEST(wrong == 0U, wrong << " of " << tried);
  BOOST_TEST(exact > 1000U);
  BOOST_TEST(infinite > 500U);
  // The same misuse is refused.
  const float x[6] = {};
  const GemmProblem problem{.a = code_matrix(x, 2, 3), .b = code_matrix(x, 2, 3)};
  BOOST_CHECK_THROW(GemmTruths(*registry.list().front(), problem, f32, 0), ContractError);
  const GemmProblem good{.a = code_matrix(x, 2, 3), .b = code_matrix(x, 3, 2)};
  BOOST_CHECK_THROW(GemmTruths(*registry.list().front(), good, f32, 1), ContractError);
  const GemmTruths truths(*registry.list().front(), good, f32, 0);
  BOOST_CHECK_THROW(truths.rows(1, 2, [](std::size_t, std::size_t, const ElementTruth&) {}), ContractError);
}

BOOST_AUTO_TEST_CASE(beta_zero_does_not_see_c) {
  const auto chain = make_chain({.name = "chain"});
  const float x[4] = {1, 2, 3, 4};
  const float nans[4] = {NAN, NAN, NAN, NAN};
  float d[4];
  GemmProblem problem{.a = code_matrix(x, 2, 2), .b = code_matrix(x, 2, 2), .c = code_matrix(nans, 2, 2)};
  gemm(*chain, problem, mutable_code_matrix(d, 2, 2));
  BOOST_TEST(d[3] == 22);
  problem.epilogue.beta = 1;
  gemm(*chain, problem, mutable_code_matrix(d, 2, 2));
  BOOST_TEST(std::isnan(d[3]));
}

// C at the start of the chain and after the sum are different numbers.
BOOST_AUTO_TEST_CASE(place_of_c) {
  const auto chain = make_chain({.name = "chain"});
  const float a[2] = {0x1p-24F, 0x1p-24F}, b[2] = {1, 1}, c[1] = {1};
  float d[1];
  GemmProblem problem{.a = code_matrix(a, 1, 2), .b = code_matrix(b, 2, 1), .c = code_matrix(c, 1, 1)};
  problem.epilogue.beta = 1;
  gemm(*chain, problem, mutable_code_matrix(d, 1, 1));
  BOOST_TEST(d[0] == 1 + 0x1p-23F);
  problem.c_place = CPlace::starts_chain;
  gemm(*chain, problem, mutable_code_matrix(d, 1, 1));
  BOOST_TEST(d[0] == 1);
  const ElementTruth truth = gemm_truth(*chain, problem, f32, 0, 0, 0);
  BOOST_TEST(decode(encode(truth.exact, formats::float64).code, formats::float64) == 1 + 0x1p-23);
  BOOST_TEST(truth.bound >= 0x1p-23);
}

BOOST_AUTO_TEST_CASE(activations) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto out = [](const Epilogue& how, double x) {
    return decode(apply_epilogue(how, f32, {encode(x, f32).code, f32}, {}, {}, f32), f32);
  };
  const Epilogue relu{.activation = Activation::relu},
      clip{.activation = Activation::clip, .low = -1, .high = 6};
  BOOST_TEST(out(relu, -3) == 0);
  BOOST_TEST(!std::signbit(out(relu, -0.0)));
  BOOST_TEST(std::isnan(out(relu, NAN)));
  BOOST_TEST(out(relu, infinity) == infinity);
  BOOST_TEST(out(clip, 7) == 6);
  BOOST_TEST(out(clip, -infinity) == -1);
  BOOST_TEST(out(clip, 0.5) == 0.5);
  BOOST_TEST(std::isnan(out(clip, NAN)));
  // The exact side of the same.
  const auto exactly = [](const Epilogue& how, double x) {
    return decode(encode(activated(how, widened(exact(x))), formats::float64).code, formats::float64);
  };
  for (const double x : {-7.0, -1.0, -0.5, 0.0, 0x1p-1074, 5.5, 6.0, 6.5, infinity, -infinity}) {
    BOOST_TEST(exactly(relu, x) == std::max(x, 0.0));
    BOOST_TEST(exactly(clip, x) == std::clamp(x, -1.0, 6.0));
  }
}

BOOST_AUTO_TEST_CASE(output_formats_round_once) {
  // 1 + 2^-8 + 2^-24 in float32 steps is a tie only if the sum was rounded before.
  const auto chain =
      make_chain({.name = "chain_f64", .accumulator = formats::float64, .product = formats::float64});
  const float a[3] = {1, 0x1p-8F, 0x1p-40F}, b[3] = {1, 1, 1};
  CodeArray d(1, formats::bfloat16);
  const GemmProblem problem{.a = code_matrix(a, 1, 3), .b = code_matrix(b, 3, 1)};
  gemm(*chain, problem, d.out(1, 1));
  BOOST_TEST(d.code(0) == 0x3F81U);
}

BOOST_AUTO_TEST_CASE(misuse) {
  const auto chain = make_chain({.name = "chain"});
  const float x[6] = {};
  float d[4];
  const MutableCodeMatrix out = mutable_code_matrix(d, 2, 2);
  GemmProblem good{.a = code_matrix(x, 2, 3), .b = code_matrix(x, 3, 2)};
  gemm(*chain, good, out);
  const auto refused = [&](auto change) {
    GemmProblem bad = good;
    change(bad);
    BOOST_CHECK_THROW(gemm(*chain, bad, out), ContractError);
  };
  refused([&](GemmProblem& p) { p.transpose_a = true; });
  refused([&](GemmProblem& p) { p.bias = code_vector(x, 3); });
  refused([&](GemmProblem& p) { p.c = code_matrix(x, 3, 2); });
  refused([&](GemmProblem& p) { p.epilogue.beta = 1; });
  refused([&](GemmProblem& p) { p.c_place = CPlace::starts_chain; });
  refused([&](GemmProblem& p) { p.epilogue = {.activation = Activation::clip, .low = 1, .high = 0}; });
  refused([&](GemmProblem& p) { p.epilogue.rounding = Rounding::stochastic; });
}

}  // namespace
