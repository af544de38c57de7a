// The fused sums against results of real GPUs, from ASSAY_DATA: without it those tests are skipped, with the path that
// was looked for.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "emulation/units/nvidia/fused_sum.hpp"
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
BOOST_AUTO_TEST_CASE(no_mismatch_in_190000_results) {
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
  BOOST_TEST(all_sets().size() == 38U);
  BOOST_TEST(rows == 190000U);
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
void compare_paths_with_recorded(std::size_t every) {
  ArithmeticRegistry registry;
  add_fused_sum_units(registry);
  for (const RecordedSet& set : all_sets()) {
    const Unit& unit = *as_unit(registry.find(set.name.unit));
    for (const UnitPath& path : unit.paths()) {
      if (path.name == "definition" || !cpu_has(path.needs)) continue;
      constexpr std::size_t tile = 40;
      std::size_t wrong = 0;
      std::vector<std::uint32_t> x(tile * set.k), y(tile * set.k), start(tile * tile), got(tile * tile);
      for (std::size_t from = 0; from < set.rows; from += every * tile) {
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
BOOST_TEST_DECORATOR(*utf::precondition(NeedsRecorded{}))
BOOST_AUTO_TEST_CASE(paths_give_a_sample_of_the_recorded_results) { compare_paths_with_recorded(11); }
BOOST_TEST_DECORATOR(*utf::label("full") * utf::precondition(NeedsRecorded{}))
BOOST_AUTO_TEST_CASE(paths_give_the_recorded_results) { compare_paths_with_recorded(1); }

// Wrong models that no recorded set can tell from the unit: what is said of them rests on the definition alone. A
// float16 result hides nearly all that happens beyond its 11 bits.
const std::multimap<std::string, std::string> definition_only = {
    {"sm70.f16:f16", "F = 22 for 23"},
    {"sm70.f16:f16", "F = 24 for 23"},
    {"sm70.f16:f16", "terms to nearest"},
    {"sm70.f16:f16", "terms toward minus infinity"},
    {"sm70.f16:f16", "products normalised"},
    {"sm70.f16:f16", "c added to the truncated sum"},
    {"sm70.f16:f16", "float16 by way of float32, truncated"},
    {"sm70.f16:f16", "float16 by way of float32, to nearest"},
    {"sm80.f16:f16", "F = 25 for 24"},
    {"sm80.f16:f16", "terms to nearest"},
    {"sm80.f16:f16", "products normalised"},
    {"sm80.f16:f16", "c added to the truncated sum"},
    {"sm80.f16:f16", "float16 by way of float32, truncated"},
    {"sm80.f16:f16", "float16 by way of float32, to nearest"},
    {"sm89.f16:f16", "F = 23 for 24"},
    {"sm89.f16:f16", "F = 25 for 24"},
    {"sm89.f16:f16", "terms to nearest"},
    {"sm89.f16:f16", "products normalised"},
    {"sm89.f16:f16", "c added to the truncated sum"},
    {"sm89.f16:f16", "float16 by way of float32, truncated"},
    {"sm89.f16:f16", "float16 by way of float32, to nearest"},
    {"sm90.f16:f16", "F = 24 for 25"},
    {"sm90.f16:f16", "products normalised"},
    {"sm90.f16:f16", "c added to the truncated sum"},
    {"sm90.f16:f16", "float16 by way of float32, truncated"},
    {"sm90.tf32", "L = 4 for 8"},
    {"sm90.wgmma.f8_e4m3", "c added to the truncated sum"},
    {"sm90.wgmma.f8_e5m2", "c added to the truncated sum"},
    {"sm90.mma.f8_e4m3:f16", "F = 24 for 25"},
    {"sm90.mma.f8_e4m3:f16", "F = 26 for 25"},
    {"sm90.mma.f8_e4m3:f16", "terms to nearest"},
    {"sm90.mma.f8_e4m3:f16", "terms toward minus infinity"},
    {"sm90.mma.f8_e4m3:f16", "products normalised"},
    {"sm90.mma.f8_e4m3:f16", "c added to the truncated sum"},
    {"sm90.mma.f8_e4m3:f16", "float16 by way of float32, truncated"},
    {"sm90.mma.f8_e4m3:f16", "float16 by way of float32, to nearest"},
    {"sm90.mma.f8_e5m2:f16", "F = 24 for 25"},
    {"sm90.mma.f8_e5m2:f16", "F = 26 for 25"},
    {"sm90.mma.f8_e5m2:f16", "terms to nearest"},
    {"sm90.mma.f8_e5m2:f16", "terms toward minus infinity"},
    {"sm90.mma.f8_e5m2:f16", "products normalised"},
    {"sm90.mma.f8_e5m2:f16", "c added to the truncated sum"},
    {"sm90.mma.f8_e5m2:f16", "float16 by way of float32, truncated"},
    {"sm90.mma.f8_e5m2:f16", "float16 by way of float32, to nearest"},
    {"sm100.f16:f16", "F = 26 for 25"},
    {"sm100.f16:f16", "terms to nearest"},
    {"sm100.f16:f16", "terms toward minus infinity"},
    {"sm100.f16:f16", "c added to the truncated sum"},
    {"sm100.tf32", "L = 4 for 8"},
    {"sm100.mma.f8_e4m3", "F = 24 for 25"},
    {"sm100.mma.f8_e4m3", "F = 26 for 25"},
    {"sm100.mma.f8_e4m3", "terms to nearest"},
    {"sm100.mma.f8_e4m3", "terms toward minus infinity"},
    {"sm100.mma.f8_e4m3", "result to nearest"},
    {"sm100.mma.f8_e4m3", "products normalised"},
    {"sm100.mma.f8_e4m3", "c added to the truncated sum"},
    {"sm100.mma.f8_e4m3:f16", "F = 24 for 25"},
    {"sm100.mma.f8_e4m3:f16", "F = 26 for 25"},
    {"sm100.mma.f8_e4m3:f16", "terms to nearest"},
    {"sm100.mma.f8_e4m3:f16", "terms toward minus infinity"},
    {"sm100.mma.f8_e4m3:f16", "products normalised"},
    {"sm100.mma.f8_e4m3:f16", "c added to the truncated sum"},
    {"sm100.mma.f8_e4m3:f16", "float16 by way of float32, truncated"},
    {"sm100.mma.f8_e4m3:f16", "float16 by way of float32, to nearest"},
    {"sm100.mma.f8_e5m2", "F = 24 for 25"},
    {"sm100.mma.f8_e5m2", "F = 26 for 25"},
    {"sm100.mma.f8_e5m2", "terms to nearest"},
    {"sm100.mma.f8_e5m2", "terms toward minus infinity"},
    {"sm100.mma.f8_e5m2", "products normalised"},
    {"sm100.mma.f8_e5m2", "c added to the truncated sum"},
    {"sm100.mma.f8_e5m2:f16", "F = 24 for 25"},
    {"sm100.mma.f8_e5m2:f16", "F = 26 for 25"},
    {"sm100.mma.f8_e5m2:f16", "terms to nearest"},
    {"sm100.mma.f8_e5m2:f16", "terms toward minus infinity"},
    {"sm100.mma.f8_e5m2:f16", "products normalised"},
    {"sm100.mma.f8_e5m2:f16", "c added to the truncated sum"},
    {"sm100.mma.f8_e5m2:f16", "float16 by way of float32, truncated"},
    {"sm100.mma.f8_e5m2:f16", "float16 by way of float32, to nearest"}};

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

// A folder of one set, from which one thing at a time is taken.
class Folder {
 public:
  explicit Folder(const std::string& set = "A100/bf16") : set_(set) {
    fs::create_directories(path() / set);
    put("a", {2, 8}, 0x3F800000);
    put("b", {2, 8}, 0x40000000);
    put("c", {2}, 0x3F800000);
    put("d_fp32", {2}, 0x41880000);
  }
  fs::path path() const { return folder_.path(); }
  void put(const std::string& name, const io::Shape& shape, std::uint32_t bits) const {
    io::Array array = io::make_array(io::ElementType::unsigned_integer(32), shape);
    for (std::uint32_t& x : array.as<std::uint32_t>()) x = bits;
    io::write_array(path() / set_ / (name + ".npy"), array);
  }
  void remove(const std::string& name) const { fs::remove(path() / set_ / name); }

 private:
  test::TemporaryFolder folder_;
  std::string set_;
};

RecordedSet only_set(const Folder& folder) {
  const std::vector<RecordedSetName> names = list_recorded_sets(folder.path());
  BOOST_TEST(names.size() == 1U);
  return read_recorded_set(names.front());
}

BOOST_AUTO_TEST_CASE(a_good_folder) {
  ArithmeticRegistry registry;
  add_fused_sum_units(registry);
  const Folder folder;
  folder.put("d_fp16", {2}, 0x41880000);  // of no unit that takes bf16, which is for whoever compares to say
  BOOST_TEST(list_recorded_sets(folder.path()).size() == 2U);
  folder.remove("d_fp16.npy");
  const RecordedSet set = only_set(folder);
  BOOST_TEST(set.name.unit == "sm80.bf16");
  BOOST_TEST(compare_recorded(set, registry.find(set.name.unit)).mismatches == 0U);  // 8 * 2 + 1 = 17
  folder.put("d_fp32", {2}, 0x41800000);
  const RecordedComparison wrong = compare_recorded(only_set(folder), registry.find(set.name.unit));
  BOOST_TEST(wrong.mismatches == 2U);
  BOOST_TEST((wrong.first_mismatch == 0 && wrong.got == 0x41880000 && wrong.expected == 0x41800000));
}

// H100's fp8: two units, and no addend for wgmma.
BOOST_AUTO_TEST_CASE(fp8_of_an_h100) {
  const Folder folder("H100/E4M3");
  folder.put("d_fp16", {2}, 0x41880000);
  const std::vector<RecordedSetName> names = list_recorded_sets(folder.path());
  BOOST_REQUIRE(names.size() == 2U);
  BOOST_TEST(names[0].unit == "sm90.mma.f8_e4m3:f16");
  BOOST_TEST(names[1].unit == "sm90.wgmma.f8_e4m3");
  BOOST_TEST((read_recorded_set(names[0]).c[0] == 0x3C00 && read_recorded_set(names[1]).c[0] == 0));
}

// B200's fp8: mma.sync alone, with c, for both outputs.
BOOST_AUTO_TEST_CASE(fp8_of_a_b200) {
  const Folder folder("B200/E5M2");
  folder.put("d_fp16", {2}, 0x41880000);
  const std::vector<RecordedSetName> names = list_recorded_sets(folder.path());
  BOOST_REQUIRE(names.size() == 2U);
  BOOST_TEST(names[0].unit == "sm100.mma.f8_e5m2:f16");
  BOOST_TEST(names[1].unit == "sm100.mma.f8_e5m2");
  BOOST_TEST((read_recorded_set(names[0]).c[0] == 0x3C00 && read_recorded_set(names[1]).c[0] == 0x3F800000));
}

// Sets of assay-probe-gpu: what each d is stands in meta.json, whatever the folders are called.
BOOST_AUTO_TEST_CASE(a_probed_gpu) {
  ArithmeticRegistry registry;
  add_units(registry);
  const Folder folder("NVIDIA_H100/wgmma.bf16");
  folder.put("d_bf16", {2}, 0x41880000);
  const auto meta = [&](const std::string& text) {
    std::ofstream(folder.path() / "NVIDIA_H100/wgmma.bf16/meta.json") << text;
  };
  meta(R"({"input": "bfloat16", "outputs": [
    {"file": "d_fp32.npy", "unit": "sm90.bf16", "accumulator": "float32"},
    {"file": "d_bf16.npy", "unit": null, "accumulator": "bfloat16"}]})");
  for (const fs::path& where : {folder.path(), folder.path() / "NVIDIA_H100"}) {
    const std::vector<RecordedSetName> names = list_recorded_sets(where);
    BOOST_TEST_REQUIRE(names.size() == 2U);
    BOOST_TEST(names[0].name() == "NVIDIA_H100/wgmma.bf16/fp32");
    BOOST_TEST(names[0].unit == "sm90.bf16");
    BOOST_TEST(compare_recorded(read_recorded_set(names[0]), registry.find("sm90.bf16")).mismatches == 0U);
    BOOST_TEST(!names[1].why_not.empty());
    BOOST_CHECK_THROW(read_recorded_set(names[1]), Unavailable);
  }
  for (
      const char* const bad :
      {"", "[]", "{}", R"({"input": "bfloat17", "outputs": []})", R"({"input": 7, "outputs": []})",
       R"({"input": "bfloat16", "outputs": [{"file": "../d_fp32.npy", "unit": "u", "accumulator": "float32"}]})",
       R"({"input": "bfloat16", "outputs": [{"file": "d_fp32.npy", "unit": 1, "accumulator": "float32"}]})",
       R"({"input": "bfloat16", "outputs": [{"file": "d_fp32.npy", "unit": "u"}]})",
       R"({"input": "bfloat16", "outputs": [7]})"}) {
    meta(bad);
    BOOST_CHECK_THROW(list_recorded_sets(folder.path()), InputError);
  }
}

// A NaN is compared with its payload, as the GPU gave it.
BOOST_AUTO_TEST_CASE(payloads_of_recorded_nans) {
  const Folder folder;
  folder.put("d_fp32", {2}, 0x7FFFFFFF);
  BOOST_TEST(only_set(folder).d[0] == 0x7FFFFFFFU);
  folder.remove("d_fp32.npy");
  folder.put("d_fp16", {2}, 0x7FFFE000);
  BOOST_TEST(only_set(folder).d[0] == 0x7FFFU);
}

BOOST_AUTO_TEST_CASE(bad_folders) {
  const auto fails = [](const Folder& folder, const std::string& says) {
    BOOST_CHECK_EXCEPTION(read_recorded_set(list_recorded_sets(folder.path()).front()), InputError,
                          [&](const InputError& e) {
                            const bool right = std::string(e.what()).find(says) != std::string::npos;
                            if (!right) BOOST_TEST_MESSAGE(e.what());
                            return right;
                          });
  };
  BOOST_CHECK_THROW(list_recorded_sets("/nowhere/at/all"), InputError);
  BOOST_CHECK_THROW(list_recorded_sets(test::TemporaryFolder().path()), InputError);
  fails(Folder("A200/bf16"), "A200");
  fails(Folder("A100/bf17"), "bf17");
  for (const std::string name : {"a", "b", "c"}) {
    const Folder folder;
    folder.remove(name + ".npy");
    fails(folder, name + ".npy");
  }
  {
    const Folder folder;
    folder.remove("d_fp32.npy");
    fails(folder, "neither");
  }
  {
    const Folder folder;
    folder.put("e", {2}, 0);
    fails(folder, "e.npy");
  }
  {
    const Folder folder;
    folder.put("c", {3}, 0);
    fails(folder, "c.npy");
  }
  {
    const Folder folder;
    folder.put("b", {2, 7}, 0);
    fails(folder, "[2,7]");
  }
  {
    const Folder folder;
    folder.put("a", {2, 8}, 0x3F800001);  // no bfloat16
    fails(folder, "element 0");
  }
}

}  // namespace
