#include <boost/test/unit_test.hpp>

#include <limits>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/operations/conv.hpp"
#include "tests/reference/exact/operands.hpp"
#include "tests/reference/exact/worst_cases.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;

// Small integers: every order gives the same bits, so plain loops without our index arithmetic can check it.
BOOST_AUTO_TEST_CASE(equals_plain_loops_on_integers) {
  const auto chain = make_chain({.name = "chain_f32"});
  std::size_t wrong = 0, tried = 0;
  for (int options = 0; options < 64; ++options) {
    ConvProblem p{.batch = 2,
                  .channels = 4,
                  .height = 6,
                  .width = 5,
                  .outputs = 6,
                  .kernel_height = 3,
                  .kernel_width = 2};
    p.layout = (options & 1) != 0 ? ImageLayout::nhwc : ImageLayout::nchw;
    p.groups = (options & 2) != 0 ? 2 : 1;
    p.stride_height = (options & 4) != 0 ? 2 : 1;
    p.stride_width = (options & 4) != 0 ? 3 : 1;
    p.dilation_height = (options & 8) != 0 ? 2 : 1;
    p.pad_top = p.pad_right = (options & 16) != 0 ? 2 : 0;
    p.pad_left = (options & 16) != 0 ? 1 : 0;
    p.terms = (options & 32) != 0 ? TapOrder::channels_last : TapOrder::channels_first;
    p.padding = options % 3 == 0 ? Padding::absent : Padding::zeros;
    const CounterRandom random(static_cast<std::uint64_t>(options));
    std::vector<float> x(p.input_size()), w(p.weight_size()), bias(p.outputs), y(p.output_size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(random.below(9, i)) - 4;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(random.below(7, i + 1000)) - 3;
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i);
    conv2d(*chain, p, code_vector(x.data(), x.size()), code_vector(w.data(), w.size()),
           code_vector(bias.data(), bias.size()), mutable_code_vector(y.data(), y.size()));
    const bool nhwc = p.layout == ImageLayout::nhwc;
    const std::size_t cg = p.channels / p.groups, og = p.outputs / p.groups, P = p.out_height(),
                      Q = p.out_width();
    for (std::size_t n = 0; n < p.batch; ++n) {
      for (std::size_t o = 0; o < p.outputs; ++o) {
        for (std::size_t i = 0; i < P; ++i) {
          for (std::size_t j = 0; j < Q; ++j) {
            float want = bias[o];
            for (std::size_t c = 0; c < cg; ++c) {
              for (std::size_t r = 0; r < p.kernel_height; ++r) {
                for (std::size_t s = 0; s < p.kernel_width; ++s) {
                  const long h = static_cast<long>(i * p.stride_height + r * p.dilation_height) -
                                 static_cast<long>(p.pad_top);
                  const long v = static_cast<long>(j * p.stride_width + s * p.dilation_width) -
                                 static_cast<long>(p.pad_left);
                  if (h < 0 || v < 0 || h >= 6 || v >= 5) continue;
                  const std::size_t ci = o / og * cg + c, hi = static_cast<std::size_t>(h),
                                    vi = static_cast<std::size_t>(v);
                  want += (nhwc ? x[((n * 6 + hi) * 5 + vi) * 4 + ci] : x[((n * 4 + ci) * 6 + hi) * 5 + vi]) *
                          (nhwc ? w[((o * 3 + r) * 2 + s) * cg + c] : w[((o * cg + c) * 3 + r) * 2 + s]);
                }
              }
            }
            ++tried;
            wrong += y[nhwc ? ((n * P + i) * Q + j) * 6 + o : ((n * 6 + o) * P + i) * Q + j] != want;
          }
        }
      }
    }
  }
  BOOST_TEST(tried > 5000U);
  BOOST_TEST(wrong == 0U, wrong << " of " << tried);
}

BOOST_AUTO_TEST_CASE(order_of_taps) {
  const auto chain = make_chain({.name = "chain_f32"});
  // One output, two channels of two taps: (1, big, -big, 1) channels first, (1, -big, big, 1) channels last.
  ConvProblem p{.channels = 2, .width = 2, .kernel_width = 2};
  const float x[4] = {1, 0x1p30F, -0x1p30F, 1}, w[4] = {1, 1, 1, 1};
  float y[1];
  const auto run = [&] {
    conv2d(*chain, p, code_vector(x, 4), code_vector(w, 4), {}, mutable_code_vector(y, 1));
    return y[0];
  };
  BOOST_TEST(run() == 1);  // 1 + big = big, minus big, plus 1
  p.terms = TapOrder::channels_last;
  BOOST_TEST(run() == 1);              // 1 - big = -big, plus big, plus 1
  p.layout = ImageLayout::nhwc;        // now the channels of the first tap are 1 and big
  p.terms = TapOrder::channels_first;  // 1 - big, + big + 1
  BOOST_TEST(run() == 1);
  const float v[4] = {0x1p30F, 1, -0x1p30F, 1};
  p.layout = ImageLayout::nchw;
  p.terms = TapOrder::channels_last;
  conv2d(*chain, p, code_vector(v, 4), code_vector(w, 4), {}, mutable_code_vector(y, 1));
  BOOST_TEST(y[0] == 2);  // big, -big, 1, 1
  p.terms = TapOrder::channels_first;
  conv2d(*chain, p, code_vector(v, 4), code_vector(w, 4), {}, mutable_code_vector(y, 1));
  BOOST_TEST(y[0] == 1);  // big + 1 = big, -big, 1
}

// A tap outside the image times an infinite weight.
BOOST_AUTO_TEST_CASE(padding_as_zeros_or_absent) {
  const auto chain = make_chain({.name = "chain_f32"});
  ConvProblem p{.width = 1, .kernel_width = 2, .pad_left = 1};
  const float x[1] = {3}, w[2] = {std::numeric_limits<float>::infinity(), 2};
  float y[1];
  conv2d(*chain, p, code_vector(x, 1), code_vector(w, 2), {}, mutable_code_vector(y, 1));
  BOOST_TEST(std::isnan(y[0]));
  p.padding = Padding::absent;
  conv2d(*chain, p, code_vector(x, 1), code_vector(w, 2), {}, mutable_code_vector(y, 1));
  BOOST_TEST(y[0] == 6);
}

BOOST_AUTO_TEST_CASE(within_bounds) {
  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t exceeded = 0, judged = 0;
  for (const Arithmetic* chain : registry.list()) {
    for (const Operands kind : {Operands::normal, Operands::cancelling, Operands::subnormal}) {
      ConvProblem p{
          .channels = 3, .height = 4, .width = 4, .outputs = 2, .kernel_height = 3, .kernel_width = 3};
      p.pad_top = p.pad_left = 1;
      const auto [x, unused] = make_operands(kind, p.input_size(), formats::bfloat16, f32, 1);
      const auto [w, bias] = make_operands(kind, p.weight_size(), formats::bfloat16, f32, 2);
      CodeArray y(p.output_size(), formats::bfloat16);
      const CodeVector b = bias.view().part(0, 2);
      for (const bool with_bias : {false, true}) {
        const std::optional<CodeVector> added = with_bias ? std::optional(b) : std::nullopt;
        conv2d(*chain, p, x.view(), w.view(), added, y.out());
        for (std::size_t o = 0; o < 2; ++o) {
          for (std::size_t i = 0; i < p.out_height(); ++i) {
            for (std::size_t j = 0; j < p.out_width(); ++j) {
              const ElementTruth truth =
                  conv2d_truth(*chain, p, x.view(), w.view(), added, formats::bfloat16, 0, o, i, j);
              const std::uint64_t code = y.code((o * p.out_height() + i) * p.out_width() + j);
              if (!formats::bfloat16.is_finite(code)) continue;
              ++judged;
              ExactSum exact;
              ExactValue<Wide> cut = truth.exact;
              BOOST_REQUIRE(!cut.sticky || cut.exponent > -1000);
              const double slack = cut.sticky ? std::ldexp(1.0, cut.exponent) : 0;
              cut.sticky = false;
              exact.add(cut);
              exceeded +=
                  exceeds(exact_error(exact, code, formats::bfloat16), upward::add(truth.bound, slack));
            }
          }
        }
      }
    }
  }
  BOOST_TEST(judged > 1000U);
  BOOST_TEST(exceeded == 0U);
}

BOOST_AUTO_TEST_CASE(misuse) {
  const auto chain = make_chain({.name = "chain_f32"});
  const float x[9] = {}, w[4] = {};
  float y[4];
  const ConvProblem good{.height = 3, .width = 3, .kernel_height = 2, .kernel_width = 2};
  conv2d(*chain, good, code_vector(x, 9), code_vector(w, 4), {}, mutable_code_vector(y, 4));
  const auto refused = [&](auto change) {
    ConvProblem bad = good;
    change(bad);
    BOOST_CHECK_THROW(
        conv2d(*chain, bad, code_vector(x, 9), code_vector(w, 4), {}, mutable_code_vector(y, 4)),
        ContractError);
  };
  refused([](ConvProblem& p) { p.stride_width = 0; });
  refused([](ConvProblem& p) { p.groups = 2; });
  refused([](ConvProblem& p) { p.groups = 0; });
  refused([](ConvProblem& p) { p.height = 4; });
  refused([](ConvProblem& p) { p.pad_top = 1; });  // y is too small
  refused([](ConvProblem& p) { p.epilogue.beta = 1; });
  BOOST_TEST((ConvProblem{.height = 2, .kernel_height = 3}.out_height()) == 0U);
}

}  // namespace
