// Saved arithmetics: written, read back, damaged, replayed; their bounds.
#include "validation/judge/saved_arithmetic.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"

using namespace assay;
using namespace assay::diagnose_test;
using namespace assay::judge;

namespace {

SavedArithmetic saved_of(const Problem& p, const Target& target) {
  SavedArithmetic saved{
      .name = "sample", .program = "./sample", .environment = {{"cpu", "any"}}, .shapes = {}};
  Revelation r = reveal(p, target);
  const PredictionScore s = score(r, target, 3, 300);
  saved.shapes.push_back({std::move(r), s});
  return saved;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_saved_arithmetic_replays) {
  const Problem p{.operation = SumOperation::gemm, .m = 3, .n = 5, .k = 20};
  const SavedArithmetic saved = saved_of(p, mixed(false));
  const std::string text = to_json(saved);
  BOOST_TEST(to_json(parse_saved(text, "text")) == text);
  const auto arithmetic = make_revealed(parse_saved(text, "text"));
  BOOST_TEST(arithmetic->info().name == "sample");
  BOOST_TEST((arithmetic->info().evidence == Evidence::HW));
  const Case x = random_case(p, InputKind::wide, 77, 0);
  const Answer want = mixed(false)(p, std::span(&x, 1)).at(0);
  const CodeMatrix a{x.a.data(), 3, 20, 20, 1, p.a}, b{x.b.data(), 20, 5, 5, 1, p.b};
  std::vector<std::uint32_t> d(15);
  arithmetic->gemm(a, b, {}, {d.data(), 3, 5, 5, 1, p.output});
  for (std::size_t o = 0; o < 15; ++o) {
    BOOST_TEST(d[o] == want[o]);
    BOOST_TEST(arithmetic->dot(a.row(o / 5), b.column(o % 5), {}, o) == want[o]);
    const double bound = arithmetic->bound(a.row(o / 5), b.column(o % 5), {}, p.output);
    const double truth = arithmetic->exact(a.row(o / 5), b.column(o % 5), {}).value.rounded_up();
    BOOST_TEST(std::fabs(decode(want[o], p.output) - truth) <= bound * (1 + 1e-9) + std::fabs(truth) * 1e-15);
    BOOST_TEST(bound > 0);
  }
  // Another length, an output that was not there.
  const CodeMatrix shorter{x.a.data(), 3, 19, 20, 1, p.a};
  BOOST_CHECK_THROW(arithmetic->dot(shorter.row(0), b.column(0).part(0, 19), {}), InputError);
  BOOST_CHECK_THROW(arithmetic->dot(a.row(0), b.column(0), {}, 15), InputError);
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused) {
  const Problem p{.operation = SumOperation::dot, .k = 6};
  const std::string text = to_json(saved_of(p, target_of(chains().find("chain_f32"))));
  std::size_t refused = 0, tried = 0;
  // Cut short anywhere; every digit changed; every word gone.
  for (std::size_t at = 0; at + 2 < text.size(); at += 7) {
    ++tried;
    BOOST_CHECK_THROW(parse_saved(text.substr(0, at), "cut"), InputError);
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] < '0' || text[at] > '9') continue;
    for (const char digit : {'0', '9', '-', 'x'}) {
      std::string changed = text;
      changed[at] = digit;
      try {
        const auto arithmetic = make_revealed(parse_saved(changed, "changed"));
        (void)arithmetic;
      } catch (const InputError&) {
        ++refused;
      }
    }
  }
  BOOST_TEST(refused > 100u);
  BOOST_TEST(tried > 50u);
  std::string later = text;
  later.replace(later.find("\"assay_arithmetic\":1"), 20, "\"assay_arithmetic\":2");
  BOOST_CHECK_EXCEPTION(parse_saved(later, "later"), InputError, [](const InputError& e) {
    return e.expected() == "version 1" && std::string(e.what()).find("later") != std::string::npos;
  });
  BOOST_CHECK_THROW(load("there-is-no-such-file.json"), InputError);
  BOOST_CHECK_THROW(parse_saved("{\"assay_arithmetic\": 1e999}", "overflow"), InputError);
  // A short file that names a long sum, or more outputs than anything short can mean.
  std::string longer = text;
  longer.replace(longer.find("\"k\":6"), 5, "\"k\":60000000");
  BOOST_CHECK_EXCEPTION(parse_saved(longer, "longer"), InputError, [](const InputError& e) {
    return e.expected() == "a node for each of 60000000 leaves";
  });
  std::string larger = to_json(saved_of({.operation = SumOperation::gemm, .m = 2, .n = 3, .k = 4},
                                        target_of(chains().find("chain_f32"))));
  larger.replace(larger.find("\"m\":2"), 5, "\"m\":4000000");
  BOOST_CHECK_EXCEPTION(parse_saved(larger, "larger"), InputError,
                        [](const InputError& e) { return e.found() == "12000000"; });
}

BOOST_AUTO_TEST_CASE(the_bound_holds_and_is_no_guess) {
  // Constructed from the tree's own roundings: over many inputs it is never passed, and reached to a tenth.
  double largest = 0;
  for (const char* const name :
       {"chain_f32", "chain_bf16", "lanes8_f32_fused", "chain_f32_ftz", "chain_f32_ru"}) {
    const Problem p{.operation = SumOperation::dot,
                    .k = 5,
                    .output = std::string(name) == "chain_bf16" ? formats::bfloat16 : formats::float32};
    const Target target = target_of(chains().find(name));
    const auto arithmetic = make_revealed(saved_of(p, target));
    for (std::uint64_t i = 0; i < 300; ++i) {
      const Case x = random_case(p, i % 2 == 0 ? InputKind::normal : InputKind::tiny, 5, i);
      const CodeVector a{x.a.data(), p.k, 1, p.a}, b{x.b.data(), p.k, 1, p.b};
      ExactSum error = arithmetic->exact(a, b, {}).value;
      const double got = decode(arithmetic->dot(a, b, {}), p.output);
      const double bound = arithmetic->bound(a, b, {}, p.output);
      if (!std::isfinite(bound)) continue;
      error.add(-got);
      BOOST_TEST(error.magnitude_up() <= bound, name << " " << i);
      if (bound > 0 && i % 2 == 0) largest = std::max(largest, error.magnitude_up() / bound);
    }
  }
  BOOST_TEST(largest > 0.1);
}
