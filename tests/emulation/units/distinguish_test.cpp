// The search for a separating input: it separates, is as small as its own reductions make it, and is always the same.
#include <boost/test/unit_test.hpp>

#include <vector>

#include "emulation/units/amd/amd_mfma.hpp"
#include "emulation/units/arm/arm_bfdot.hpp"
#include "emulation/units/distinguish.hpp"
#include "emulation/units/nvidia/block_scaled.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/formats/encode.hpp"

using namespace assay;

namespace {

const ArithmeticRegistry& all() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_chains(r);
    add_block_scaled_units(r);
    add_amd_mfma_units(r);
    add_arm_bfdot_units(r);
    return r;
  }();
  return registry;
}

struct Results {
  std::uint64_t x, y;
};
Results run(const DotInput& input, const Arithmetic& x, const Arithmetic& y) {
  return {x.dot(input.a_view(), input.b_view(), c_for(input, x)),
          y.dot(input.a_view(), input.b_view(), c_for(input, y))};
}

bool differ(const DotInput& input, const Arithmetic& x, const Arithmetic& y, bool by_value) {
  if (input.c && (!c_for(input, x) || !c_for(input, y))) return false;
  const Results r = run(input, x, y);
  if (!by_value) return r.x != r.y;
  const double vx = decode(r.x, x.info().outputs[0]), vy = decode(r.y, y.info().outputs[0]);
  return vx != vy && !(vx != vx && vy != vy);
}

std::string text(const DotInput& input) {
  std::string s;
  for (std::size_t i = 0; i < input.terms() && i < 9; ++i)
    s += std::to_string(decode(input.a[i], input.a_format)) + "*" +
         std::to_string(decode(input.b[i], input.b_format)) + " ";
  return s + (input.c ? "c=" + std::to_string(decode(*input.c, input.c_format)) : "no c");
}

// The found input separates, no reduction of it does, and a second run finds the same.
void check(const Arithmetic& x, const Arithmetic& y, std::size_t most_terms) {
  const std::string who = x.info().name + " and " + y.info().name;
  const Distinction d = distinguish(x, y);
  BOOST_TEST_MESSAGE(who << ": " << text(d.input) << "; " << d.tried << " + " << d.reduced);
  BOOST_REQUIRE_MESSAGE(d.found, who << ": no difference found in " << d.tried << " inputs");
  BOOST_TEST(d.by_value, who);
  BOOST_TEST(d.tried <= DistinguishOptions{}.limit);
  BOOST_TEST(differ(d.input, x, y, d.by_value), who << " do not differ on " << text(d.input));
  const Results r = run(d.input, x, y);
  BOOST_TEST((d.x_result == r.x && d.y_result == r.y), who);
  BOOST_TEST(d.input.terms() <= most_terms, who << " needs " << d.input.terms() << " terms");
  std::size_t reductions = 0, separating = 0, larger = 0;
  each_reduction(d.input, [&](const DotInput& smaller) {
    ++reductions;
    larger += !is_smaller(smaller, d.input);
    separating += differ(smaller, x, y, d.by_value);
    return false;
  });
  BOOST_TEST(reductions > 0U, who);
  BOOST_TEST(larger == 0U, who);
  BOOST_TEST(separating == 0U, who << ": " << separating << " smaller inputs separate too");
  const Distinction again = distinguish(x, y);
  BOOST_TEST((again.input == d.input && again.x_result == d.x_result && again.y_result == d.y_result &&
              again.tried == d.tried && again.reduced == d.reduced),
             who << ": another run, another input");
}

void check(const char* x, const char* y, std::size_t most_terms) {
  check(all().find(x), all().find(y), most_terms);
}

BOOST_AUTO_TEST_CASE(chains) {
  check("chain_f32", "chain_f32_fused", 1);
  check("chain_f32", "chain_f32_ftz", 1);
  check("chain_f32", "chain_f32_rz", 1);
  check("chain_f32_ru", "chain_f32_rd", 1);
  check("chain_f32_fused", "chain_f32_fused_ftz", 1);
  check("chain_f32", "chain_f32_odd", 1);
  check("chain_f32", "pairwise_f32", 3);
  check("chain_f32", "lanes4_f32", 5);
  check("lanes8_f32_fused", "lanes16_f32_fused", 17);
  check("chain_f32", "chain_f64_f32", 2);
  check("chain_bf16", "chain_bf16_fused", 1);
}

BOOST_AUTO_TEST_CASE(long_trees) { check("chain_f32", "pairwise128_f32", 129); }

BOOST_AUTO_TEST_CASE(accumulators_of_two_formats) {
  check("chain_f16", "chain_f32", 1);
  check("chain_bf16", "chain_f16", 1);
  check("chain_f32", "chain_f64", 1);
}

BOOST_AUTO_TEST_CASE(units) {
  check("gfx908.f16", "gfx90a.f16", 2);
  check("gfx908.bf16", "gfx90a.bf16", 2);
  check("gfx90a.bf16", "gfx90a.bf16_1k", 3);
  check("gfx908.f16", "gfx942.f16", 2);
  check("gfx942.f16", "gfx90a.f16", 2);
  check("gfx942.bf16", "gfx908.bf16", 2);
  check("arm.bfdot", "arm.bfdot.ebf", 2);
  check("arm.bfdot", "gfx90a.bf16", 2);
  check("arm.bfmmla.ebf", "chain_f32_fused", 2);
  check("sm100.mxf4", "sm100.mxf8f6f4", 33);
  check("sm100.nvfp4", "chain_f32", 2);
  check("sm100.mxf8_e5m2", "chain_f32", 1);
}

// One parameter apart.
BOOST_AUTO_TEST_CASE(parameters) {
  const auto mfma = [](int f, int f2, std::size_t terms) {
    return make_amd_mfma(
        {.name = "F" + std::to_string(f) + "." + std::to_string(f2) + "." + std::to_string(terms),
         .input = formats::bfloat16,
         .step = MfmaStep::truncated,
         .terms = terms,
         .fraction = f,
         .sum_fraction = f2});
  };
  check(*mfma(24, 31, 8), *mfma(23, 31, 8), 2);
  check(*mfma(24, 31, 8), *mfma(25, 31, 8), 2);
  check(*mfma(24, 31, 8), *mfma(24, 31, 4), 5);
  const auto mx = [](int f, int ezero) {
    return make_block_scaled({.name = "F" + std::to_string(f) + "." + std::to_string(ezero),
                              .inputs = {{formats::float8_e5m2, formats::float8_e5m2}},
                              .fraction = f,
                              .ezero = ezero});
  };
  check(*mx(25, -133), *mx(24, -133), 2);
  check(*mx(25, -133), *mx(26, -133), 2);
}

BOOST_AUTO_TEST_CASE(no_difference) {
  for (const auto& [x, y] : {std::pair("chain_f32", "chain_f32"),
                             {"arm.bfdot", "arm.bfdot"},
                             {"sm100.mxf8_e4m3", "sm100.mxf8f6f4"},
                             {"gfx942.f16", "gfx942.f16"}}) {
    const Distinction d = distinguish(all().find(x), all().find(y), {.limit = 3000});
    BOOST_TEST(!d.found);
    BOOST_TEST((d.tried > 2500 && d.tried <= 3000 && d.reduced == 0));
  }
}

// What differs in the sign of a zero alone is said to be that.
BOOST_AUTO_TEST_CASE(only_bits) {
  const Distinction d = distinguish(all().find("arm.bfdot"), all().find("arm.bfmmla"), {.limit = 4000});
  BOOST_TEST_MESSAGE(text(d.input));
  BOOST_REQUIRE(d.found);
  BOOST_TEST(!d.by_value);
  BOOST_TEST(differ(d.input, all().find("arm.bfdot"), all().find("arm.bfmmla"), false));
}

BOOST_AUTO_TEST_CASE(seeds_and_options) {
  const Arithmetic &x = all().find("chain_f32"), &y = all().find("chain_f32_rz");
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Distinction d =
        distinguish(x, y, {.seed = seed, .inputs = std::pair(formats::bfloat16, formats::float16)});
    BOOST_REQUIRE(d.found);
    BOOST_TEST((d.input.a_format == formats::bfloat16 && d.input.b_format == formats::float16));
    BOOST_TEST(differ(d.input, x, y, true));
  }
  const Distinction narrow = distinguish(x, all().find("chain_f32_fused"), {.output = formats::bfloat16});
  BOOST_REQUIRE(narrow.found);
  BOOST_TEST((narrow.x_output == formats::bfloat16 && narrow.y_output == formats::bfloat16));
  // One product cannot show an order of additions by value.
  BOOST_TEST(!distinguish(x, all().find("pairwise_f32"), {.limit = 2000, .most_terms = 1}).by_value);
}

// The search first, then what makes the found input smaller; both counts only grow. A long input is told of too.
BOOST_AUTO_TEST_CASE(progress_tells_of_every_input) {
  std::uint64_t calls = 0, tried = 0, reduced = 0, backwards = 0;
  DistinguishOptions options{.terms = 5000};
  options.progress = [&](std::uint64_t t, std::uint64_t r) {
    ++calls;
    backwards += t < tried || r < reduced ? 1 : 0;
    tried = t;
    reduced = r;
  };
  const Distinction d = distinguish(all().find("chain_f32"), all().find("chain_f32_rz"), options);
  BOOST_REQUIRE(d.found);
  BOOST_TEST(d.input.terms() == 5000U);
  BOOST_TEST(differ(d.input, all().find("chain_f32"), all().find("chain_f32_rz"), true));
  BOOST_TEST(calls == d.tried + d.reduced);
  BOOST_TEST(backwards == 0U);
  BOOST_TEST(tried == d.tried);
  BOOST_TEST(reduced + 1 == d.reduced);
  BOOST_TEST(reduced > 0U);
}

BOOST_AUTO_TEST_CASE(errors_name_what_is_accepted) {
  const auto says = [](const std::string& text) {
    return [text](const ContractError& e) { return std::string(e.what()).find(text) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(distinguish(all().find("gfx942.f16"), all().find("arm.bfdot")), ContractError,
                        says("gfx942.f16 takes f16 x f16, arm.bfdot takes bf16 x bf16"));
  BOOST_CHECK_EXCEPTION(distinguish(all().find("gfx942.f16"), all().find("chain_f32"),
                                    {.inputs = std::pair(formats::float32, formats::float32)}),
                        ContractError, says("chain_f32 takes any formats"));
  BOOST_CHECK_EXCEPTION(
      distinguish(all().find("gfx942.f16"), all().find("chain_f32"), {.output = formats::float16}),
      ContractError, says("gfx942.f16 does not give f16"));
}

}  // namespace
