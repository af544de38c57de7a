// bf16 contracts beside float32: figures computed a second time from the study's own data, bounds, threads, requests.
#include "validation/studies/bf16_study.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "tests/validation/studies/liar.hpp"
#include "tests/validation/studies/refused.hpp"
#include "validation/report/bf16_report.hpp"
#include "validation/report/study_page.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::studies;

namespace {

Bf16Question question(const std::string& operation, std::vector<std::string> shapes,
                      const std::vector<std::string>& contracts = {}) {
  Bf16Question q{.operation = operation, .shapes = std::move(shapes), .sparsities = {50, 90}};
  for (const std::string& name : contracts) q.contracts.push_back({name, load_arithmetic(name, "contract")});
  return q;
}

Bf16Study studied(const Bf16Question& q) { return study_bf16(bf16_request(q)); }

std::string refused(const Bf16Question& q) {
  return what_refuses([&] { bf16_request(q); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_contract_is_over_its_bound) {
  for (const char* const operation : {"spmm", "sddmm"}) {
    const Bf16Study study = studied(question(operation, {"9x40x7", "5x129x6"}));
    BOOST_TEST(study.outside() == 0U);
    BOOST_TEST(study.results.size() == 2 * 2 * 8U);
    for (const ContractErrors& r : study.results) {
      BOOST_TEST(r.of_bound <= 1, r.contract << ": " << r.of_bound);
      BOOST_TEST(r.of_bound > 0, r.contract);
      BOOST_TEST(r.nonfinite == 0U);
      BOOST_TEST(r.outputs > 0U);
      BOOST_TEST(r.from_exact.mean_bf16_ulp * 65536 == r.from_exact.mean_f32_ulp,
                 boost::test_tools::tolerance(1e-12));
      BOOST_TEST(r.from_float32.mean_f32_ulp <= r.from_float32.max_f32_ulp);
    }
  }
}

// A single term: its product is exact in float32, so the contract's error is 0, and what is left is the operands'.
BOOST_AUTO_TEST_CASE(one_term_has_the_error_of_its_operands_alone) {
  const Bf16Study study = studied(question("sddmm", {"20x1x20"}, {"chain_f32_fused", "vdpbf16ps"}));
  for (const ContractErrors& r : study.results) {
    BOOST_TEST(r.terms == 1.0);
    BOOST_TEST(r.from_exact.max_f32_ulp == 0.0);
    BOOST_TEST(r.of_bound == 0.0);
    // Two operands, each off by half an ulp at most, which is 2^-8 of it; an ulp is more than 2^-8 of the result.
    BOOST_TEST(r.from_float32.max_bf16_ulp > 0.3);
    BOOST_TEST(r.from_float32.max_bf16_ulp < 2.1);
    BOOST_TEST(r.from_float32.relative > 1e-3);
    BOOST_TEST(r.from_float32.relative < 0x1p-7);
  }
}

// What adds in float32 errs far less than operands do by their rounding; what adds in bf16 does not.
BOOST_AUTO_TEST_CASE(adding_in_bf16_is_another_matter) {
  const Bf16Study study = studied(question("spmm", {"16x256x8"}, {"chain_f32_fused", "chain_bf16_fused"}));
  const ContractErrors &wide = study.results.at(0), &narrow = study.results.at(1);
  BOOST_TEST(wide.from_exact.relative * 1000 < wide.from_float32.relative);
  BOOST_TEST(narrow.from_exact.relative > wide.from_float32.relative);
  BOOST_TEST(narrow.from_float32.relative > 2 * wide.from_float32.relative);
}

// No place is stored: no output has a term, and nothing is measured.
BOOST_AUTO_TEST_CASE(rows_without_entries_count_nowhere) {
  Bf16Question q = question("spmm", {"1x1x4"}, {"chain_f32_fused"});
  q.sparsities = {99.999};
  const ContractErrors r = studied(q).results.at(0);
  BOOST_TEST(r.entries == 0U);
  BOOST_TEST(r.outputs == 0U);
  BOOST_TEST(r.from_float32.relative == 0.0);
}

BOOST_AUTO_TEST_CASE(a_contract_that_lies_is_seen) {
  Bf16Question q = question("spmm", {"16x256x8"});
  q.contracts = {{"liar", std::make_shared<const Liar>("chain_f32_fused", "chain_bf16_fused")}};
  const Bf16Study study = studied(q);
  BOOST_TEST(study.outside() > 20U);
  BOOST_TEST(study.results.at(0).of_bound > 1.0);
  const std::vector<std::string> said = outside_texts(study);
  BOOST_TEST_REQUIRE(said.size() == 2U);
  BOOST_TEST(said[0].starts_with("spmm 16x256x8, 50 % absent, liar: "), said[0]);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing_and_the_seed_everything) {
  Bf16Question q = question("spmm", {"12x50x5"}, {"sm80.bf16"});
  q.threads = 1;
  const std::string one = bf16_csv(studied(q));
  q.threads = 3;
  BOOST_TEST(bf16_csv(studied(q)) == one);
  q.seed = 2;
  BOOST_TEST(bf16_csv(studied(q)) != one);
}

// A shape sees the same data whatever stands beside it.
BOOST_AUTO_TEST_CASE(data_depend_on_the_shape_alone) {
  const std::string both = bf16_csv(studied(question("sddmm", {"8x20x8", "9x30x7"}, {"tdpbf16ps"})));
  const std::string alone = bf16_csv(studied(question("sddmm", {"9x30x7"}, {"tdpbf16ps"})));
  BOOST_TEST(both.ends_with(alone.substr(alone.find('\n') + 1)));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked) {
  BOOST_TEST(refused(question("gemm", {})).find("spmm") != std::string::npos);
  for (const char* const shape : {"", "4x4", "4x4x4x4", "0x4x4", "4x4x", "4X4X4", "4x-4x4", "4x4x99999999"})
    BOOST_TEST(refused(question("spmm", {shape})).find("MxKxN") != std::string::npos, shape);
  Bf16Question q = question("spmm", {"4x4x4"});
  for (const double percent : {100.0, -1.0, std::nan("")}) {
    q.sparsities = {percent};
    BOOST_TEST(refused(q).find("below 100") != std::string::npos, percent);
  }
  const std::string said = refused(question("spmm", {}, {"sm80.f16"}));
  BOOST_TEST(said.find("contract sm80.f16: takes no dense bf16 operands") != std::string::npos, said);
  q = question("spmm", {"4x4x4"});
  q.values = "nromal";
  BOOST_TEST(refused(q).find("normal") != std::string::npos);
  // 2^48 elements of 10 bytes at least.
  BOOST_TEST(bf16_bytes(bf16_request(question("spmm", {"16777216x16777216x16777216"}))).value() > 1ULL << 51);
}
