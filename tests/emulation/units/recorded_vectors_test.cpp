// The fused sums against results of real GPUs, from ASSAY_DATA: without it those tests are skipped, with the path that
// was looked for.
#define BOOST_TEST_MODULE units_recorded_vectors
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "emulation/units/fused_sum.hpp"
#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "tests/reference/spdnn/temporary_folder.hpp"
#include "validation/io/io.hpp"
#include "validation/suites/recorded_vectors.hpp"

namespace {
using namespace assay;
using namespace assay::suites;
namespace fs = std::filesystem;
namespace utf = boost::unit_test;

fs::path recorded() {
  const char* const folder = std::getenv("ASSAY_DATA");
  return fs::path(folder == nullptr ? "$ASSAY_DATA" : folder) / "tensor_core_vectors";
}

struct NeedsRecorded {
  boost::test_tools::assertion_result operator()(utf::test_unit_id) const {
    boost::test_tools::assertion_result there(fs::exists(recorded()));
    if (!there) there.message() << "SKIPPED: looked for " << recorded().string();
    return there;
  }
};

const std::vector<RecordedSet>& all_sets() {
  static const std::vector<RecordedSet> sets = [] {
    std::vector<RecordedSet> read;
    for (const RecordedSetName& name : list_recorded_sets(recorded()))
      read.push_back(read_recorded_set(name));
    return read;
  }();
  return sets;
}

BOOST_TEST_DECORATOR(*utf::precondition(NeedsRecorded{}))
BOOST_AUTO_TEST_CASE(no_mismatch_in_110000_results) {
  ArithmeticRegistry registry;
  add_fused_sum_units(registry);
  std::size_t rows = 0;
  for (const RecordedSet& set : all_sets()) {
    const Arithmetic& unit = registry.find(set.name.unit);
    const RecordedComparison compared = compare_recorded(set, unit);
    rows += compared.rows;
    BOOST_TEST_MESSAGE(set.name.name() << " by " << set.name.unit << ": " << compared.mismatches << " of "
                                       << compared.rows << " differ");
    BOOST_TEST(compared.mismatches == 0U,
               set.name.name() << " by " << set.name.unit << ": " << compared.mismatches << ", first in row "
                               << compared.first_mismatch << ": got " << std::hex << compared.got
                               << ", recorded " << compared.expected);
    // REC is claimed where there are such results, and nowhere else.
    BOOST_TEST((unit.info().evidence == Evidence::REC), set.name.unit);
  }
  BOOST_TEST(all_sets().size() == 22U);
  BOOST_TEST(rows == 110000U);
}

BOOST_TEST_DECORATOR(*utf::precondition(NeedsRecorded{}))
BOOST_AUTO_TEST_CASE(every_unit_with_REC_has_recorded_results) {
  std::map<std::string, std::size_t> rows;
  for (const RecordedSet& set : all_sets()) rows[set.name.unit] += set.rows;
  for (const FusedSumSpec& spec : fused_sum_specs()) {
    BOOST_TEST(((spec.evidence == Evidence::REC) == (rows.count(spec.name) != 0)), spec.name);
  }
}

// The paths of gemm() on recorded data: the diagonal of A B^T + C.
BOOST_TEST_DECORATOR(*utf::precondition(NeedsRecorded{}))
BOOST_AUTO_TEST_CASE(paths_give_the_recorded_results) {
  ArithmeticRegistry registry;
  add_fused_sum_units(registry);
  for (const RecordedSet& set : all_sets()) {
    const Unit& unit = *as_unit(registry.find(set.name.unit));
    for (const UnitPath& path : unit.paths()) {
      if (path.name == "definition" || !cpu_has(path.needs)) continue;
      constexpr std::size_t tile = 40;
      std::size_t wrong = 0;
      std::vector<std::uint32_t> x(tile * set.k), y(tile * set.k), start(tile * tile), got(tile * tile);
      for (std::size_t from = 0; from < set.rows; from += tile) {
        // Elements as the format's views expect them.
        const std::size_t bytes = code_bytes(set.input), c_bytes = code_bytes(set.accumulator);
        for (std::size_t i = 0; i < tile * set.k; ++i) {
          detail::store_code(x.data(), static_cast<std::ptrdiff_t>(i), bytes, set.a[from * set.k + i]);
          detail::store_code(y.data(), static_cast<std::ptrdiff_t>(i), bytes, set.b[from * set.k + i]);
        }
        for (std::size_t i = 0; i < tile * tile; ++i) {
          detail::store_code(start.data(), static_cast<std::ptrdiff_t>(i), c_bytes, set.c[from + i / tile]);
        }
        const auto k = static_cast<std::ptrdiff_t>(set.k);
        const CodeMatrix c{start.data(), tile, tile, tile, 1, set.accumulator};
        const MutableCodeMatrix d{got.data(), tile, tile, tile, 1, set.accumulator};
        unit.gemm_by(path.name, {x.data(), tile, set.k, k, 1, set.input},
                     {y.data(), set.k, tile, 1, k, set.input}, c, d);
        for (std::size_t i = 0; i < tile; ++i) wrong += CodeMatrix(d).code(i, i) != set.d[from + i];
      }
      BOOST_TEST(wrong == 0U, set.name.name() << " by " << path.name << ": " << wrong);
    }
  }
}

// Wrong models that no recorded set can tell from the unit: what is said of them rests on the definition alone.
const std::multimap<std::string, std::string> definition_only = {};

BOOST_TEST_DECORATOR(*utf::precondition(NeedsRecorded{}))
BOOST_AUTO_TEST_CASE(mutants_are_killed_by_recorded_sets) {
  std::size_t killed = 0, only = 0;
  for (const RecordedKill& kill : kill_by_recorded_sets(all_sets())) {
    std::string by;
    for (const RecordedKill::BySet& set : kill.killed_by)
      by += " " + set.set + " " + std::to_string(set.mismatches);
    BOOST_TEST_MESSAGE(kill.unit << ", " << kill.mutant << ":" << (by.empty() ? " definition only" : by));
    (by.empty() ? only : killed) += 1;
    const auto [from, to] = definition_only.equal_range(kill.unit);
    const bool expected_only = std::any_of(from, to, [&](const auto& x) { return x.second == kill.mutant; });
    BOOST_TEST(by.empty() == expected_only, kill.unit << ", " << kill.mutant);
  }
  BOOST_TEST_MESSAGE(killed << " killed, " << only << " definition only");
}

}  // namespace
