// The suite of AutoSparse's gradient path as a person runs it: what narrow CPUs skip, and that a rung stands behind
// every mistake.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "reference/autosparse/gradient.hpp"
#include "reference/sparse/spmm.hpp"
#include "tests/validation/suite_run.hpp"

using namespace assay;

// Kernels of wide instructions are skipped where nothing wide runs, each in every rung that asks kernels; the rest
// passes.
BOOST_AUTO_TEST_CASE(scalar_gradients_pass_and_wide_ones_are_skipped, *boost::unit_test::label("full")) {
  const auto wide = [](const auto& kernels) {
    return std::ranges::count_if(kernels,
                                 [](const KernelInfo& kernel) { return kernel.needs != Isa::scalar; });
  };
  // Masks under one threshold and many, whole numbers, the long sum, bits; and of products whole numbers, adjoints,
  // bits.
  const std::ptrdiff_t skipped = 5 * wide(autosparse::gradient_kernels()) + 3 * wide(sparse::spmm_kernels());
  BOOST_TEST(skipped >= 37);
  const auto records = shell::run_records("scalar", "--suite autosparse");
  const nlohmann::json& counts = records.back().at("counts");
  BOOST_TEST(counts.at("skipped") == skipped);
  BOOST_TEST(counts.at("failed") == 0);
  BOOST_TEST(counts.at("vacuous") == 0);
  BOOST_TEST(counts.at("passed") > 90);
}

// The rung in a case's name is among those that refused the mistake.
BOOST_AUTO_TEST_CASE(each_mistake_is_refused_by_its_rung, *boost::unit_test::label("full")) {
  std::set<std::string> mistakes;
  for (const nlohmann::json& record :
       shell::run_records("scalar", "--filter 'autosparse/mistakes/*rung=*'")) {
    if (record.at("record") != "case") continue;
    const std::string name = record.at("name");
    const auto begin = name.find("rung=") + 5;
    const std::string rung = "rung " + name.substr(begin, name.find(' ', begin) - begin);
    const bool refused = std::ranges::any_of(record.at("mutants"), [&](const nlohmann::json& mutant) {
      return mutant.at("by") == rung && mutant.at("kills") > 0;
    });
    BOOST_TEST(refused, name);
    BOOST_TEST(record.at("status") == "PASSED", name);
    mistakes.insert(name.substr(0, name.find(' ')));
  }
  BOOST_TEST(mistakes.size() == 15U);
}
