// The code that times CUDA kernels, under the executor: every contestant of every kind of problem, and samples held to
// the prediction.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "emulation/simt/matrix.hpp"
#include "gpu/host/kernel_times.hpp"
#include "gpu/host/peer_library.hpp"
#include "gpu/host/timed_problems.hpp"
#include "reference/core/error.hpp"
#include "tests/gpu/host/peer_contest.hpp"

using namespace assay;
using namespace assay::gpu;

namespace {

constexpr std::uint64_t seed = 11;

TimesOptions small_options() {
  TimesOptions options;
  options.seconds = 0;
  options.small = true;
  options.seed = seed;
  options.least_repetitions = 1;
  return options;
}

// Run once, on the GPU that ASSAY_SIMT_ARCH names: sm_90, and in a line of ctest sm_80.
const std::vector<KernelTime>& times() {
  static const std::vector<KernelTime> all = time_kernels(small_options());
  return all;
}
std::string unit() { return simt::imitated_architecture() == "sm_80" ? "sm80.bf16" : "sm90.bf16"; }
// wgmma is of sm_90 alone.
bool is_refused(const KernelTime& t) {
  return t.kernel == "spmm/bsr_bf16_wgmma" && t.contestant == assay_contestant && unit() == "sm80.bf16";
}
const std::vector<TimedProblem>& problems() {
  static const std::vector<TimedProblem> all = timed_problems(true);
  return all;
}
const TimedProblem& problem_of(const KernelTime& t) { return timed_problem(problems(), t.kernel, t.problem); }
const KernelTime& ours(const std::string& kernel) {
  return *std::ranges::find_if(
      times(), [&](const KernelTime& t) { return t.kernel == kernel && t.contestant == assay_contestant; });
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_contestant_of_every_problem_is_there_in_order) {
  std::vector<std::string> expected, got;
  for (const TimedProblem& p : problems()) {
    for (const std::string& contestant : p.contestants) expected.push_back(p.kernel + p.text + contestant);
  }
  for (const KernelTime& t : times()) got.push_back(t.kernel + t.problem + t.contestant);
  BOOST_TEST(got == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ours_and_copies_have_times_and_peers_say_why_not) {
  for (const KernelTime& t : times()) {
    const std::string name = t.kernel + ", " + t.problem + ", " + t.contestant;
    const bool peer = t.contestant.starts_with("cu");
    if (is_refused(t)) {
      BOOST_TEST(t.why_not == "wgmma is of compute capability 9.0, and this GPU has 8.0", name);
      BOOST_TEST((t.repetitions == 0 && t.seconds == 0 && t.samples.empty()), name);
      continue;
    }
    BOOST_TEST(t.why_not == (!peer                                ? ""
                             : t.contestant.starts_with("cublas") ? "compiled without cublas_v2.h"
                                                                  : "compiled without cusparse.h"),
               name);
    BOOST_TEST((t.seconds > 0) == !peer, name);
    BOOST_TEST((t.least > 0 && t.least <= t.seconds) == !peer, name);
    BOOST_TEST((t.repetitions >= 1) == !peer, name);
    BOOST_TEST(t.bytes > 0, name);
  }
}

BOOST_AUTO_TEST_CASE(samples_are_what_the_contract_predicts) {
  for (const KernelTime& t : times()) {
    if (t.contestant != assay_contestant) {
      BOOST_TEST(t.samples.empty(), t.kernel);
      continue;
    }
    if (t.categories || is_refused(t)) continue;
    BOOST_TEST(t.samples.size() == 64U, t.kernel);
    BOOST_TEST(difference(problem_of(t), seed, t.samples, unit()) == "", t.kernel + ", " + t.problem);
    // Neither the fill of poisoned memory nor one number throughout.
    std::set<std::uint64_t> codes;
    for (const TimedSample& sample : t.samples) codes.insert(sample.code);
    BOOST_TEST(codes.size() > 8U, t.kernel);
  }
}

BOOST_AUTO_TEST_CASE(networks_have_the_categories_of_the_cpu) {
  int found = 0;
  for (const KernelTime& t : times()) {
    if (!t.categories) continue;
    ++found;
    const TimedCategories expected = predicted_categories(problem_of(t), seed);
    BOOST_TEST(t.categories->count == expected.count);
    BOOST_TEST(t.categories->hash == expected.hash);
    BOOST_TEST(expected.count > 0U);
    BOOST_TEST(t.edges == 15.0 * 2 * 1024 * 32);
  }
  BOOST_TEST(found == 2);
}

BOOST_AUTO_TEST_CASE(a_wrong_element_is_found_and_named) {
  for (const char* kernel :
       {"autosparse/forward_f32", "autosparse/backward_f32", "convert/bf16", "spmm/csr_f32", "spmm/csr_bf16",
        "sddmm/csr_f32", "sddmm/csr_bf16", "gemm/bf16_mma", "spmm/bsr_bf16_mma", "spmm/bsr_bf16_wgmma"}) {
    const KernelTime& t = ours(kernel);
    if (is_refused(t)) continue;
    for (const std::size_t i : {std::size_t{0}, t.samples.size() - 1}) {
      std::vector<TimedSample> samples = t.samples;
      samples[i].code ^= 1;
      const std::string said = difference(problem_of(t), seed, samples, unit());
      BOOST_TEST(said.starts_with("place " + std::to_string(samples[i].place) + " is "),
                 kernel << ": " << said);
      BOOST_TEST(said.find(" of 64 samples differ") != std::string::npos, kernel << ": " << said);
    }
    // Operands of another seed give other outputs.
    BOOST_TEST(difference(problem_of(t), seed + 1, t.samples, unit()) != "", kernel);
  }
}

BOOST_AUTO_TEST_CASE(structures_are_functions_of_their_rows) {
  for (const TimedProblem& p : problems()) {
    if (p.kernel.find("spmm") == std::string::npos && p.kernel.find("sddmm") == std::string::npos) continue;
    const sparse::CsrStructure s = timed_structure(p, seed);
    sparse::check(s, sparse::ColumnOrder::ascending);
    BOOST_TEST(s.nnz() > 0);
    const std::vector<std::int32_t> last = timed_columns(p, seed, static_cast<std::uint64_t>(s.rows - 1));
    BOOST_TEST(std::ranges::equal(last, s.row_columns(s.rows - 1)), p.kernel);
  }
  // The shapes of the bars keep their densities.
  for (const TimedProblem& p : timed_problems(false)) {
    if (p.block == 0) continue;
    const double density = static_cast<double>(p.blocks_of_row()) / static_cast<double>(p.block_columns());
    BOOST_TEST(std::abs(density - 0.1) < 0.01, p.text);
  }
}

BOOST_AUTO_TEST_CASE(libraries_that_are_not_there_say_so) {
  BOOST_CHECK_EXCEPTION(
      PeerLibrary({"libassay-absent.so.1", "libassay-absent.so.2"}), PeerError, [](const PeerError& e) {
        return std::string(e.what()).starts_with("libassay-absent.so.1: cannot open shared object file");
      });
  const PeerLibrary c({"libassay-absent.so.1", "libc.so.6"});
  BOOST_TEST(c.soname() == "libc.so.6");
  BOOST_TEST((c.symbol<void (*)()>("puts") != nullptr));
  BOOST_CHECK_EXCEPTION(c.symbol<void (*)()>("cusparseCreateBsr"), PeerError, [](const PeerError& e) {
    return std::string(e.what()) == "libc.so.6 has no cusparseCreateBsr";
  });
}

BOOST_AUTO_TEST_CASE(peers_are_timed_by_what_works_and_compared_with_ours) {
  const std::vector<KernelTime> all = times_with_peers();
  BOOST_TEST_REQUIRE(all.size() == 4U);
  BOOST_TEST(all[0].why_not == "");
  BOOST_TEST(all[1].why_not == "");
  BOOST_TEST(all[1].seconds > 0);
  BOOST_TEST(all[1].repetitions == 2);
  BOOST_TEST(all[1].detail ==
             "B, its samples at most 0.5 from Assay's, whose largest is 2; not timed: cuabcCreate: no");
  BOOST_TEST(all[1].samples.size() == 64U);
  BOOST_TEST(all[1].samples[1].place == 99U);
  BOOST_TEST(all[1].samples[1].code == 0x40200000U);
  for (const std::size_t i : {2U, 3U}) {
    BOOST_TEST(all[i].why_not == (i == 2 ? "cudefRun: not supported" : "no library; no function"));
    BOOST_TEST((all[i].seconds == 0 && all[i].repetitions == 0 && all[i].samples.empty()));
  }
}

BOOST_AUTO_TEST_CASE(progress_names_every_problem) {
  std::vector<std::string> names;
  std::vector<double> fractions;
  TimesOptions options = small_options();
  options.progress = [&](std::string_view name, double fraction) {
    names.emplace_back(name);
    fractions.push_back(fraction);
  };
  time_kernels(options);
  BOOST_TEST(names.size() == problems().size() + 1);
  BOOST_TEST(names.front() == "autosparse/forward_f32, 5000 weights");
  BOOST_TEST(std::ranges::is_sorted(fractions));
  BOOST_TEST(fractions.front() == 0.0);
  BOOST_TEST(fractions.back() == 1.0);
}

BOOST_AUTO_TEST_CASE(repetitions_keep_to_their_limits) {
  TimesOptions options = small_options();
  options.seconds = 1e9;
  options.least_repetitions = options.most_repetitions = 3;
  for (const KernelTime& t : time_kernels(options)) {
    if (t.why_not.empty()) BOOST_TEST(t.repetitions == 3, t.kernel);
  }
}

// The executor's device is of compute capability 9.0, and has no units for its wgmma.
BOOST_AUTO_TEST_CASE(a_launch_that_fails_is_named) {
  const std::string before = simt::imitated_architecture();
  if (before == "sm_80") return;  // there the kernel is not launched
  times();
  simt::imitate_architecture("sm_80");
  BOOST_CHECK_EXCEPTION(time_kernels(small_options()), std::runtime_error, [](const std::runtime_error& e) {
    return std::string(e.what()).starts_with(
        "spmm/bsr_bf16_wgmma, 64x128 blocks of 64, 1 of 2 in each row, n=24: ");
  });
  simt::imitate_architecture(before);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
  TimesOptions options = small_options();
  options.least_repetitions = 0;
  BOOST_CHECK_THROW(time_kernels(options), ContractError);
  options = small_options();
  options.most_repetitions = 0;
  BOOST_CHECK_THROW(time_kernels(options), ContractError);
  options = small_options();
  options.seconds = -1;
  BOOST_CHECK_THROW(time_kernels(options), ContractError);
}
