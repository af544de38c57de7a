// What a GPU wrote, with the executor in its place: judged as it is, and with faults planted in the records.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gpu/host/kernels_program.hpp"
#include "gpu/host/timed_problems.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "validation/suites/cuda/recorded_kernels.hpp"
#include "validation/suites/recorded_vectors.hpp"

using namespace assay;
using suites::cuda::JudgedKernel;
namespace fs = std::filesystem;

namespace {

// Two timed problems: one as its contract has it, one with a wrong element; a peer that is not there.
std::vector<gpu::KernelTime> times(const gpu::TimesOptions& options) {
  const std::vector<gpu::TimedProblem> problems = gpu::timed_problems(options.small);
  gpu::KernelTime right;
  right.kernel = "spmm/csr_f32";
  for (const gpu::TimedProblem& p : problems) {
    if (p.kernel == right.kernel) right.problem = p.text;
  }
  right.contestant = "assay";
  right.seconds = right.least = 1e-6;
  right.repetitions = 1;
  const gpu::TimedProblem& problem = gpu::timed_problem(problems, right.kernel, right.problem);
  for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{11}})
    right.samples.push_back({place, gpu::predicted(problem, options.seed, place, "")});
  gpu::KernelTime wrong = right, absent = right;
  wrong.samples.back().code ^= 1;
  absent.contestant = "cusparse CSR";
  absent.why_not = "libcusparse is not here";
  return {right, wrong, absent};
}

gpu::DeviceInfo executor(int /*index*/) {
  gpu::DeviceInfo info;
  info.name = "the executor";
  info.capability_major = 9;
  info.image = 900;
  info.has_wgmma = true;
  info.device_compiler = "none";
  return info;
}

JudgedKernel kernel_named(const std::string& name) {
  for (JudgedKernel& kernel : suites::cuda::judged_kernels({.architecture = 90, .has_wgmma = true})) {
    if (kernel.name() == name) return std::move(kernel);
  }
  throw ContractError("no kernel " + name);
}

std::string text_of(const CaseResult& result) {
  std::string text = result.reason;
  for (const std::string& detail : result.details) text += "; " + detail;
  return text;
}

// Of a record that was changed.
template <class Change>
std::string refusal(const JudgedKernel& kernel, gpu::KernelRecord record, const Change& change) {
  change(record);
  const CaseResult result = suites::cuda::judge_record(kernel, record, 3);
  return result.status == Status::failed ? text_of(result) : "not refused";
}

// Of a scope.
struct TemporaryFolder {
  TemporaryFolder() {
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string name = (fs::temp_directory_path() / "assay-records-XXXXXX").string();
  fs::path path{};
};

gpu::KernelRecords records_of(std::vector<gpu::KernelRecord> cases) {
  gpu::KernelRecords records;
  records.version = ASSAY_TEST_VERSION;
  records.date = "2026-01-01T00:00:00Z";
  records.device = executor(0);
  records.cases = std::move(cases);
  return records;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(records_of_a_right_kernel_pass_and_planted_faults_are_named) {
  for (const char* name :
       {"spmm/csr_f32 matrix=density_50", "gemm/bf16_mma arch=sm_90a",
        "autosparse/f32 layer=64x576 thresholds=one", "convert/f32_bf16 rounding=stochastic"}) {
    BOOST_TEST_INFO_SCOPE(name);
    const JudgedKernel kernel = kernel_named(name);
    const gpu::KernelRecord record = gpu::record_kernel(kernel.kernel, 3);
    BOOST_TEST(record.error.empty());
    const CaseResult right = suites::cuda::judge_record(kernel, record, 3);
    BOOST_TEST((right.status == Status::passed), text_of(right));
    BOOST_TEST(right.checked > 0U);
    BOOST_TEST((suites::cuda::judge_record(kernel, record, 4).status == Status::failed));  // another seed's

    const std::string array = record.arrays.back().name;
    BOOST_TEST(contains(refusal(kernel, record,
                                [](gpu::KernelRecord& r) {
                                  r.arrays.back().hash ^= 1;
                                  r.arrays.back().second_hash ^= 1;
                                }),
                        array + ": all "));
    BOOST_TEST(contains(refusal(kernel, record, [](gpu::KernelRecord& r) { r.arrays[0].second_hash ^= 1; }),
                        "two runs on the same operands gave different bits; " + record.arrays[0].name));
    BOOST_TEST(contains(refusal(kernel, record, [](gpu::KernelRecord& r) { r.arrays.pop_back(); }),
                        " arrays, not "));
    BOOST_TEST(contains(refusal(kernel, record, [](gpu::KernelRecord& r) { r.arrays[0].samples.pop_back(); }),
                        "samples of other places"));
    BOOST_TEST(contains(refusal(kernel, record, [](gpu::KernelRecord& r) { r.error = "out of memory"; }),
                        "the kernel failed on the GPU; out of memory"));
    // A sample with another last bit: array and place are said.
    const std::string wrong_bit = refusal(kernel, record, [](gpu::KernelRecord& r) {
      r.arrays.back().samples.back().second ^= 1;
      r.arrays.back().hash ^= 1;
      r.arrays.back().second_hash ^= 1;
    });
    BOOST_TEST(contains(wrong_bit, array), wrong_bit);
  }
}

BOOST_AUTO_TEST_CASE(hashes_are_fnv_1a_and_samples_reach_from_end_to_end) {
  BOOST_TEST(gpu::hash_of({}) == 0xCBF29CE484222325U);
  const std::byte a[] = {std::byte{'a'}};
  BOOST_TEST(gpu::hash_of(a) == 0xAF63DC4C8601EC8CU);  // of the authors' list
  BOOST_TEST(gpu::sampled_places(0).empty());
  BOOST_TEST(gpu::sampled_places(64).back() == 63U);
  const std::vector<std::size_t> places = gpu::sampled_places(1000);
  BOOST_TEST(places.size() == 64U);
  BOOST_TEST(places.front() == 0U);
  BOOST_TEST(places.back() == 999U);
}

BOOST_AUTO_TEST_CASE(records_of_another_version_or_form_are_errors_that_say_where) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / gpu::kernel_records_file;
  const std::string written = gpu::kernel_records_json(records_of(
      {gpu::record_kernel(kernel_named("autosparse/f32 layer=3x7 thresholds=channels").kernel, 1)}));
  const auto put = [&](const std::string& text) { std::ofstream(path) << text; };
  const auto refused = [&](const std::string& from, const std::string& to) -> std::string {
    std::string text = written;
    const std::size_t at = text.find(from);
    BOOST_TEST_REQUIRE(at != std::string::npos, from);
    put(text.replace(at, from.size(), to));
    try {
      gpu::read_kernel_records(path);
    } catch (const InputError& e) {
      return e.what();
    }
    return "not refused";
  };
  put(written);
  BOOST_TEST(gpu::kernel_records_json(gpu::read_kernel_records(path)) == written);
  BOOST_TEST(contains(refused("\"format\": 1", "\"format\": 2"), "format 1"));
  BOOST_TEST(contains(refused(ASSAY_TEST_VERSION, "0.0.0"), "/assay"));
  BOOST_TEST(contains(refused("\"seed\": 1", "\"seed\": -1"), "/seed"));
  BOOST_TEST(contains(refused("\"hashes\"", "\"hash\""), "/cases/0/arrays/0/hash"));
  BOOST_TEST(contains(refused("\"0x", "\"0y"), "hexadecimal digits"));
  BOOST_TEST(contains(refused("{", "["), "JSON"));
  // One case of its GPU: the others are missing, which says so.
  put(written);
  try {
    suites::cuda::recorded_kernel_cases(folder.path);
    BOOST_TEST(false, "a file without most cases was taken");
  } catch (const InputError& e) {
    BOOST_TEST(contains(e.what(), "no such case"), e.what());
  }
}

// Bytes exchanged, left out and put in again: a record is taken, and then says the same when it is written and read
// once more, or refused by name.
BOOST_AUTO_TEST_CASE(mutated_records_are_taken_whole_or_refused) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / gpu::kernel_records_file;
  gpu::KernelRecord record{.name = "spmm/csr_f32 matrix=none"};
  record.arrays.push_back({"n=7", "float32", {2, 3}, 1, 2, {{0, 0x3F800000}, {5, 0}}});
  record.arrays.push_back({"categories", "int64", {0}, 3, 3, {}});
  const std::string written =
      gpu::kernel_records_json(records_of({record, {.name = "gemm/bf16_mma", .error = "no tensor cores"}}));
  const std::string pieces[] = {"-1",    "0",    "18446744073709551616",
                                "1e999", "null", "[]",
                                "{}",    "\"",   "\\u0000",
                                "\xFF",  "[",    "\"0x\"",
                                "true",  ",",    ":",
                                "]",     "}",    "0x0"};
  const auto put = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
  int taken = 0, refused = 0;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    const CounterRandom random(1, i);
    std::string text = written;
    for (std::uint64_t m = 0; m <= random.below(3, 0); ++m) {
      const std::size_t at = random.below(text.size(), 4 * m + 1);
      const std::uint64_t how = random.below(4, 4 * m + 2), what = random.u64(4 * m + 3);
      if (how == 0) {
        text[at] = static_cast<char>(what);
      } else if (how == 1) {
        text.erase(at, what % 40);
      } else if (how == 2) {
        text.insert(at, pieces[what % std::size(pieces)]);
      } else {
        // A number or a name gives way to another value.
        const std::size_t end = text.find_first_of(",}]\n", at);
        const std::size_t begin = text.find_last_of(":[", at);
        if (begin != std::string::npos && end != std::string::npos && begin < end)
          text.replace(begin + 1, end - begin - 1, pieces[what % std::size(pieces)]);
      }
    }
    put(text);
    try {
      const std::string again = gpu::kernel_records_json(gpu::read_kernel_records(path));
      put(again);
      BOOST_TEST(gpu::kernel_records_json(gpu::read_kernel_records(path)) == again, text);
      ++taken;
    } catch (const InputError& e) {
      ++refused;
      if (!contains(e.what(), gpu::kernel_records_file)) BOOST_TEST(false, e.what());
    }
  }
  BOOST_TEST(taken > 20);
  BOOST_TEST(refused > 500);
}

namespace {

// The exit code of the program that records, in the folder, and what it printed.
std::pair<int, std::string> record(const TemporaryFolder& folder, const char* seconds) {
  std::ostringstream out, err;
  const std::string where = folder.path.string();
  const char* const arguments[] = {"assay-kernels-gpu", "--out", where.c_str(), "--seed", "7",
                                   "--seconds",         seconds};
  const int code = gpu::run_kernels_program(7, arguments, {executor, times, true}, out, err);
  return {code, out.str() + err.str()};
}

}  // namespace

// With times: a wrong element among the samples of one of them is told, and is an exit code of 1.
BOOST_AUTO_TEST_CASE(the_program_records_what_the_suite_then_judges) {
  const TemporaryFolder folder;
  const auto [code, said] = record(folder, "1");
  BOOST_TEST(code == 1, said);
  BOOST_TEST(contains(said, "0 failed or differ"), said);
  BOOST_TEST(contains(said, "WRONG: place 11 is 0x"), said);
  BOOST_TEST(contains(said, "1 of the timed kernels wrote"), said);
  BOOST_TEST(contains(said, "libcusparse is not here"), said);
  BOOST_TEST(fs::exists(folder.path / "the_executor" / "times.json"));
  const std::vector<suites::Case> cases = suites::cuda::recorded_kernel_cases(folder.path);
  BOOST_TEST(cases.size() == gpu::kernel_cases({.architecture = 90, .has_wgmma = true}).size());
  for (const suites::Case& one : cases) {
    const CaseResult result = one.run({});
    BOOST_TEST((result.status == Status::passed), one.member << ": " << text_of(result));
  }
  // Suite units finds nothing of its own there, and does not mind.
  BOOST_TEST(suites::list_recorded_sets(folder.path).empty());
}

BOOST_AUTO_TEST_CASE(records_without_times_are_an_exit_code_of_0, *boost::unit_test::label("full")) {
  const TemporaryFolder folder;
  const auto [code, said] = record(folder, "0");
  BOOST_TEST(code == 0, said);
  BOOST_TEST(contains(said, "0 failed or differ"), said);
  BOOST_TEST(!fs::exists(folder.path / "the_executor" / "times.json"));
  // Once more into the same folder, with times.
  BOOST_TEST(record(folder, "1").first == 1);
  BOOST_TEST(fs::exists(folder.path / "the_executor" / "times.json"));
}

BOOST_AUTO_TEST_CASE(the_program_says_what_is_missing) {
  std::ostringstream out, err;
  const char* const no_folder[] = {"assay-kernels-gpu"};
  BOOST_TEST(gpu::run_kernels_program(1, no_folder, {executor, times, true}, out, err) == 2);
  BOOST_TEST(contains(err.str(), "--out"), err.str());
  const auto no_gpu = [](int) -> gpu::DeviceInfo { throw Unavailable("no GPU: no NVIDIA driver is loaded"); };
  const char* const arguments[] = {"assay-kernels-gpu", "--out", "/nowhere"};
  BOOST_TEST(gpu::run_kernels_program(3, arguments, {no_gpu, times, true}, out, err) == 3);
  BOOST_TEST(contains(err.str(), "nothing was recorded: no GPU"), err.str());
}
