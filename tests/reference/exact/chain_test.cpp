#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/formats/bf16_arithmetic.hpp"
#include "tests/reference/exact/operands.hpp"
#include "tests/reference/exact/worst_cases.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const FormatSpec& f32 = formats::float32;

std::vector<SumOrder> orders() {
  return {SumOrder::sequential(), SumOrder::pairwise(),     SumOrder::pairwise(3),
          SumOrder::blocked(4),   SumOrder::blocked(5, 16), SumOrder::blocked(1, 7)};
}

// The host's arithmetic and encode() give the same bits, for all data, all orders, dot and gemm.
BOOST_AUTO_TEST_CASE(host_equals_definition) {
  const std::optional<FormatSpec> fused;
  std::size_t wrong = 0, tried = 0;
  for (const FormatSpec* accumulator : {&formats::float32, &formats::float64}) {
    for (const auto& product : {fused, std::optional(formats::float32), std::optional(formats::float64)}) {
      for (const SumOrder& order : orders()) {
        ChainSpec spec{.name = "host", .accumulator = *accumulator, .product = product, .order = order};
        const auto host = make_chain(spec);
        spec.host_arithmetic = false;
        const auto definition = make_chain(spec);
        for (const FormatSpec* input :
             {&formats::float32, &formats::bfloat16, &formats::float16, &formats::float64}) {
          for (const Operands kind : all_operands) {
            for (const std::size_t n : {0U, 1U, 2U, 17U, 50U}) {
              const auto [a, b] = make_operands(kind, n, *input, *input, n + 1);
              const auto [c, unused] = make_operands(kind, 1, *accumulator, *accumulator, n + 2);
              for (const FormatSpec& output : {*accumulator, formats::float16}) {
                tried += 2;
                wrong += host->dot(a.view(), b.view(), {}, output) !=
                         definition->dot(a.view(), b.view(), {}, output);
                wrong += host->dot(a.view(), b.view(), c.code(0), output) !=
                         definition->dot(a.view(), b.view(), c.code(0), output);
              }
            }
          }
        }
      }
    }
  }
  BOOST_TEST(tried > 10000U);
  BOOST_TEST(wrong == 0U, wrong << " of " << tried);
}

// Directed modes against the CPU, set to them.
BOOST_AUTO_TEST_CASE(directed_modes_equal_the_cpu) {
  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t wrong = 0;
  constexpr std::pair<const char*, std::uint32_t> modes[] = {
      {"chain_f32", 0x1F80}, {"chain_f32_rd", 0x3F80}, {"chain_f32_ru", 0x5F80}, {"chain_f32_rz", 0x7F80}};
  for (const auto& [name, control] : modes) {
    const Arithmetic& chain = registry.find(name);
    for (const Operands kind : all_operands) {
      for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const std::size_t n = 1 + seed % 19;
        const auto [a, b] = make_operands(kind, n, f32, f32, seed);
        float sum = 0;
        {
          const MxcsrGuard guard(control);
          volatile float acc = 0;  // volatile: nothing moves out of the guard's scope or is folded
          for (std::size_t i = 0; i < n; ++i) {
            volatile float x = std::bit_cast<float>(static_cast<std::uint32_t>(a.code(i)));
            volatile float y = std::bit_cast<float>(static_cast<std::uint32_t>(b.code(i)));
            volatile float product = x * y;
            acc = acc + product;
          }
          sum = acc;
        }
        const std::uint64_t got = chain.dot(a.view(), b.view());
        const bool same = std::isnan(sum) ? got == f32.nan_code() : got == std::bit_cast<std::uint32_t>(sum);
        wrong += !same;
      }
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(bfloat16_chains_equal_bfloat16_arithmetic) {
  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t wrong = 0;
  for (const Operands kind : all_operands) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      const std::size_t n = 1 + seed % 19;
      const auto [a, b] = make_operands(kind, n, formats::bfloat16, formats::bfloat16, seed);
      bf16_t unfused = bf16_t::from_code(0), fused = unfused;
      for (std::size_t i = 0; i < n; ++i) {
        const bf16_t x = bf16_t::from_code(static_cast<std::uint16_t>(a.code(i)));
        const bf16_t y = bf16_t::from_code(static_cast<std::uint16_t>(b.code(i)));
        unfused = add(unfused, mul(x, y));
        fused = fma(x, y, fused);
      }
      wrong += registry.find("chain_bf16").dot(a.view(), b.view()) != unfused.code;
      wrong += registry.find("chain_bf16_fused").dot(a.view(), b.view()) != fused.code;
    }
  }
  BOOST_TEST(wrong == 0U);
}

// Orders, on numbers where every order differs: in a 3-bit format 8 + 1 = 8 and 1 + 1 + ... counts.
BOOST_AUTO_TEST_CASE(orders_by_hand) {
  const FormatSpec tiny{"custom", "custom", 8, 3, -6, Specials::ieee};
  const auto dot = [&](const SumOrder& order, const std::vector<double>& x, std::optional<double> c = {}) {
    CodeArray a(x.size(), tiny), ones(x.size(), tiny);
    for (std::size_t i = 0; i < x.size(); ++i) {
      a.set(i, encode(x[i], tiny).code);
      ones.set(i, encode(1.0, tiny).code);
    }
    const auto chain = make_chain({.name = "tiny", .accumulator = tiny, .order = order});
    const std::optional<std::uint64_t> start = c ? std::optional(encode(*c, tiny).code) : std::nullopt;
    return decode(chain->dot(a.view(), ones.view(), start), tiny);
  };
  const SumOrder sequential = SumOrder::sequential(), pairwise = SumOrder::pairwise();
  const auto blocked = SumOrder::blocked;
  BOOST_TEST(dot(sequential, {8, 1, 1, 1}) == 8);      // each 1 is below half of the last place, 2
  BOOST_TEST(dot(sequential, {1, 1, 1, 8}) == 12);     // 3 + 8 = 11: a tie of 10 and 12, to even
  BOOST_TEST(dot(pairwise, {8, 1, 1, 1}) == 10);       // 8 + 2
  BOOST_TEST(dot(pairwise, {1, 1, 1, 8, 1}) == 10);    // (1 + 1) + (1 + (8 + 1))
  BOOST_TEST(dot(blocked(2, 0), {8, 1, 1, 1}) == 10);  // (8 + 1) + (1 + 1)
  BOOST_TEST(dot(blocked(3, 0), {8, 1, 1, 1}) == 8);   // lanes 9 -> 8, 1, 1: (8 + 1) + 1
  BOOST_TEST(dot(blocked(1, 2), {8, 1, 1, 1}) == 10);  // (8 + 1) + (1 + 1)
  BOOST_TEST(dot(sequential, {1, 1}, 8) == 8);
  BOOST_TEST(dot(blocked(2, 0), {1, 1}, 8) == 10);  // 8 + (1 + 1)
  BOOST_TEST(dot(pairwise, {1, 1}, 8) == 10);
  BOOST_TEST(dot(sequential, {}, 8) == 8);
  BOOST_TEST(dot(sequential, {}) == 0);
}

BOOST_AUTO_TEST_CASE(flushing_by_hand) {
  const auto dot = [](bool in, bool out, double x, double y, std::optional<double> c = {}) {
    const auto chain = make_chain({.name = "f", .product = f32, .flush_inputs = in, .flush_results = out});
    CodeArray a(1, f32), b(1, f32);
    a.set(0, encode(x, f32).code);
    b.set(0, encode(y, f32).code);
    const std::optional<std::uint64_t> start = c ? std::optional(encode(*c, f32).code) : std::nullopt;
    return decode(chain->dot(a.view(), b.view(), start), f32);
  };
  BOOST_TEST(dot(false, false, 0x1p-127, 1) == 0x1p-127);
  BOOST_TEST(dot(true, false, 0x1p-127, 1) == 0);        // the operand
  BOOST_TEST(dot(true, false, 0x1p-100, 0x1p-27) == 0);  // the product, on its way into the addition
  BOOST_TEST(dot(false, true, 0x1p-100, 0x1p-27) == 0);  // the product, as a result
  BOOST_TEST(dot(true, false, 1, 1, 0x1p-127) == 1);
  BOOST_TEST(dot(true, false, 0x1p-126, 1, -0x1.8p-126) == -0x1p-127);  // a result is no operand
  BOOST_TEST(dot(false, true, 0x1p-126, 1, -0x1.8p-126) == 0);
  BOOST_TEST(std::signbit(dot(false, true, 0x1p-126, 1, -0x1.8p-126)));
}

BOOST_AUTO_TEST_CASE(stochastic_depends_on_element_and_seed_only) {
  const auto [a, b] = make_operands(Operands::positive, 100, formats::bfloat16, formats::bfloat16, 1);
  const auto chain =
      make_chain({.name = "sr", .accumulator = formats::bfloat16, .rounding = Rounding::stochastic});
  std::set<std::uint64_t> results;
  double mean = 0;
  for (std::uint64_t element = 0; element < 400; ++element) {
    const std::uint64_t code = chain->dot(a.view(), b.view(), {}, element);
    BOOST_TEST((code == chain->dot(a.view(), b.view(), {}, element)));
    results.insert(code);
    mean += decode(code, formats::bfloat16) / 400;
  }
  BOOST_TEST(results.size() > 3U);
  const double truth =
      decode(chain->exact(a.view(), b.view(), {}).value.rounded(formats::float64).code, formats::float64);
  BOOST_TEST(std::fabs(mean / truth - 1) < 2e-3);  // unbiased, where nearest-even stagnates
}

// gemm is dot, element by element: host path, definition, C, strides, C in place.
BOOST_AUTO_TEST_CASE(gemm_equals_dot) {
  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t wrong = 0, tried = 0;
  const std::size_t m = 5, n = 7, k = 33;
  for (const Arithmetic* chain : registry.list()) {
    const FormatSpec& f = chain->info().accumulator;
    const auto [a, b] = make_operands(Operands::normal, m * k + k * n, f, f, 4);
    const CodeMatrix A = a.matrix(m, k), B = b.matrix(n, k).transposed();
    CodeArray c(m * n, f), d(m * n, f), in_place(m * n, f);
    for (std::size_t i = 0; i < m * n; ++i) {
      c.set(i, a.code(i + 3));
      in_place.set(i, a.code(i + 3));
    }
    chain->gemm(A, B, c.matrix(m, n), d.out(m, n));
    chain->gemm(A, B, in_place.matrix(m, n), in_place.out(m, n));
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        tried += 2;
        const std::uint64_t want = chain->dot(A.row(i), B.column(j), c.code(i * n + j), i * n + j);
        wrong += d.code(i * n + j) != want;
        wrong += in_place.code(i * n + j) != want;
      }
    }
  }
  BOOST_TEST(wrong == 0U, wrong << " of " << tried);
}

BOOST_AUTO_TEST_CASE(step_is_one_term) {
  const auto chain = make_chain({.name = "s"});
  const float x = 3, y = 4;
  const std::uint64_t c = encode(5.0, f32).code;
  BOOST_TEST(chain->step(code_vector(&x, 1), code_vector(&y, 1), c) == encode(17.0, f32).code);
  const float two[2] = {1, 2};
  BOOST_CHECK_THROW(chain->step(code_vector(two, 2), code_vector(two, 2), c), ContractError);
}

BOOST_AUTO_TEST_CASE(names) {
  ArithmeticRegistry registry;
  add_chains(registry);
  BOOST_TEST(registry.list().size() >= 20U);
  BOOST_TEST(registry.find("chain_f32_fused").info().fused);
  BOOST_TEST((registry.lookup("chain_f33") == nullptr));
  BOOST_CHECK_EXCEPTION(registry.find("chain_f23", "--unit"), InputError, [](const InputError& error) {
    return std::string(error.what()).find("chain_f32") != std::string::npos && error.path() == "--unit";
  });
  BOOST_CHECK_THROW(registry.add(make_chain({.name = "chain_f32"})), ContractError);
  BOOST_CHECK_THROW(registry.add(nullptr), ContractError);
  for (const Arithmetic* member : registry.list()) {
    const ArithmeticInfo& info = member->info();
    BOOST_TEST(!(info.summary.empty() || info.order.empty() || info.products.empty() || info.nan.empty() ||
                 info.source.empty()));
  }
}

// A product with 0 or +-1 does not round: the bound is that of a sum, and no chain exceeds it.
BOOST_AUTO_TEST_CASE(bounds_of_sums) {
  const double u = 0x1p-24;
  const std::vector<float> x(16, 1), signs = {1, -1, 1, 0, -1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1};
  std::vector<float> two = x;
  two[3] = 2;
  const auto bound = [&](const ChainSpec& spec, const std::vector<float>& b,
                         std::optional<std::uint64_t> c = {}) {
    return make_chain(spec)->bound(code_vector(x.data(), 16), code_vector(b.data(), 16), c, f32);
  };
  const ChainSpec plain{.name = "m", .product = f32};
  BOOST_TEST(bound(plain, x) == 15 * 16 * u);
  BOOST_TEST(bound(plain, signs) == 15 * 15 * u);
  BOOST_TEST(bound(plain, x, encode(1.0, f32).code) == 16 * 17 * u);
  BOOST_TEST(bound(plain, two) == 15 * 17 * u);  // the other operand holds nothing but ones
  BOOST_TEST(make_chain(plain)->bound(code_vector(two.data(), 16), code_vector(two.data(), 16), {}, f32) >
             16 * 19 * u);
  BOOST_TEST(bound({.name = "m", .product = formats::bfloat16}, x) > 16 * 16 * u);
  const double pairwise = bound({.name = "m", .product = f32, .order = SumOrder::pairwise()}, x);
  BOOST_TEST(pairwise >= 4 * 16 * u);
  BOOST_TEST(pairwise < 4.001 * 16 * u);
  const float one[1] = {0.1F};
  BOOST_TEST(make_chain(plain)->bound(code_vector(one, 1), code_vector(x.data(), 1), {}, f32) == 0);

  ArithmeticRegistry registry;
  add_chains(registry);
  std::size_t judged = 0, exceeded = 0;
  for (const Arithmetic* chain : registry.list()) {
    const FormatSpec& acc = chain->info().accumulator;
    for (const Operands kind :
         {Operands::normal, Operands::positive, Operands::cancelling, Operands::subnormal}) {
      for (std::size_t n = 1; n < 60; n += 3) {
        const auto [a, unused] = make_operands(kind, n, acc, acc, n);
        CodeArray ones(n, acc);
        for (std::size_t i = 0; i < n; ++i) ones.set(i, encode(i % 5 == 4 ? -1.0 : 1.0, acc).code);
        const std::uint64_t sum = chain->dot(a.view(), ones.view());
        if (!acc.is_finite(sum)) continue;
        ++judged;
        const ExactSum error = exact_error(chain->exact(a.view(), ones.view(), {}).value, sum, acc);
        exceeded += exceeds(error, chain->bound(a.view(), ones.view(), {}, acc)) ? 1 : 0;
      }
    }
  }
  BOOST_TEST(judged > 1500U);
  BOOST_TEST(exceeded == 0U);
}

BOOST_AUTO_TEST_CASE(misuse) {
  const auto chain = make_chain({.name = "m"});
  const float x[4] = {1, 2, 3, 4};
  BOOST_CHECK_THROW(chain->dot(code_vector(x, 4), code_vector(x, 3)), ContractError);
  BOOST_CHECK_THROW(chain->dot(code_vector(static_cast<const float*>(nullptr), 4), code_vector(x, 4)),
                    ContractError);
  BOOST_CHECK_THROW(make_chain({.name = "m", .order = SumOrder::any()}), ContractError);
  BOOST_CHECK_THROW(make_chain({.name = "m", .order = SumOrder::blocked(0)}), ContractError);
  float d[4];
  BOOST_CHECK_THROW(chain->gemm(code_matrix(x, 2, 2), code_matrix(x, 1, 4), {}, mutable_code_matrix(d, 2, 2)),
                    ContractError);
  BOOST_CHECK_THROW(chain->gemm(code_matrix(x, 2, 2), code_matrix(x, 2, 2), code_matrix(x, 1, 4),
                                mutable_code_matrix(d, 2, 2)),
                    ContractError);
  // No bound where the data are not numbers.
  const float bad[1] = {std::numeric_limits<float>::infinity()};
  BOOST_TEST(std::isinf(chain->bound(code_vector(bad, 1), code_vector(x, 1), {}, f32)));
}

}  // namespace
