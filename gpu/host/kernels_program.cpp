#include "gpu/host/kernels_program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gpu/cases/tensor_core_cases.hpp"
#include "gpu/host/kernel_records.hpp"
#include "gpu/host/probe.hpp"
#include "gpu/host/timed_problems.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"

namespace assay::gpu {
namespace {

namespace fs = std::filesystem;

enum ExitCode : int { recorded_all = 0, some_differ = 1, usage = 2, nothing_recorded = 3, internal = 4 };

struct KernelsOptions {
  fs::path out{};
  std::uint64_t seed = 1;
  int device = 0;
  double seconds = 60;  // of timing; 0: none
};

bool differs(const ArrayRecord& array) { return array.hash != array.second_hash; }

// What a person reads of one case; counts it.
std::string told(const KernelRecord& record, std::size_t& failures) {
  if (!record.error.empty()) {
    ++failures;
    return "FAILED: " + record.error;
  }
  const auto wrong = std::find_if(record.arrays.begin(), record.arrays.end(), differs);
  if (wrong == record.arrays.end())
    return std::to_string(record.arrays.size()) + " arrays, twice the same bits";
  ++failures;
  return "TWO RUNS DIFFER in " + wrong->name;
}

// What of a time's outputs is not as the contract has it; empty if nothing is. Of SpDNN the CPU infers once.
class TimedJudge {
 public:
  TimedJudge(const DeviceInfo& device, bool small, std::uint64_t seed)
      : unit_(bf16_unit(case_gpu(device))), problems_(timed_problems(small)), seed_(seed) {}

  std::string judge(const KernelTime& time) {
    if (time.contestant != assay_contestant || !time.why_not.empty()) return "";
    const TimedProblem& problem = timed_problem(problems_, time.kernel, time.problem);
    if (!time.categories) return difference(problem, seed_, time.samples, unit_);
    const auto [found, is_new] = categories_.try_emplace(time.problem);
    if (is_new) found->second = predicted_categories(problem, seed_);
    if (*time.categories == found->second) return "";
    return std::to_string(time.categories->count) + " categories, not the " +
           std::to_string(found->second.count) + " of the CPU, or others";
  }

 private:
  std::string unit_;
  std::vector<TimedProblem> problems_;
  std::uint64_t seed_;
  std::map<std::string, TimedCategories> categories_{};
};

nlohmann::ordered_json json_of(const KernelTime& time, const std::string& wrong) {
  nlohmann::ordered_json json = {
      {"kernel", time.kernel}, {"problem", time.problem}, {"contestant", time.contestant}};
  if (!time.why_not.empty()) {
    json["why_not"] = time.why_not;
    return json;
  }
  json["seconds"] = time.seconds;
  json["least"] = time.least;
  json["repetitions"] = time.repetitions;
  json["flops"] = time.flops;
  json["bytes"] = time.bytes;
  if (time.edges > 0) json["edges"] = time.edges;
  if (!time.detail.empty()) json["detail"] = time.detail;
  if (time.contestant == assay_contestant) json["outputs"] = wrong.empty() ? "as predicted" : wrong;
  return json;
}

// Times all kernels, prints a line each and writes times.json. The number of those whose outputs are wrong.
std::size_t record_times(const KernelsDevice& on, const DeviceInfo& device, const KernelsOptions& options,
                         const fs::path& folder, std::ostream& out) {
  TimesOptions how;
  how.seconds = options.seconds;
  how.small = on.times_small;
  how.seed = options.seed;
  if (how.small) how.least_repetitions = how.most_repetitions = 1;
  const std::vector<KernelTime> times = on.time_kernels(how);
  TimedJudge judge(device, how.small, options.seed);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  std::size_t wrong = 0;
  std::string heading;
  for (const KernelTime& time : times) {
    const std::string difference = judge.judge(time);
    rows.push_back(json_of(time, difference));
    if (std::string title = time.kernel + ", " + time.problem; title != heading) {
      heading = std::move(title);
      out << heading << "\n";
    }
    if (!time.why_not.empty()) {
      out << fmt::format("  {:<22} {}\n", time.contestant, time.why_not);
      continue;
    }
    out << fmt::format("  {:<22} {:>10.1f} us {:>8.2f} TFLOP/s {:>8.1f} GB/s", time.contestant,
                       1e6 * time.seconds, 1e-12 * time.flops / time.seconds,
                       1e-9 * time.bytes / time.seconds);
    if (time.edges > 0) out << fmt::format(" {:>8.3f} TE/s", 1e-12 * time.edges / time.seconds);
    if (!difference.empty()) {
      ++wrong;
      out << "  WRONG: " << difference;
    }
    out << "\n" << std::flush;
  }
  const nlohmann::ordered_json json = {
      {"format", 1},        {"assay", ASSAY_VERSION},  {"date", utc_now()},  {"seed", options.seed},
      {"gpu", device.name}, {"driver", device.driver}, {"small", how.small}, {"times", std::move(rows)}};
  AtomicFile file(folder / "times.json");
  file.write(json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  file.commit();
  return wrong;
}

int record_all(const KernelsDevice& on, const KernelsOptions& options, std::ostream& out) {
  const DeviceInfo device = on.choose(options.device);
  KernelRecords records{
      .version = ASSAY_VERSION, .date = utc_now(), .device = device, .seed = options.seed, .cases = {}};
  const std::vector<KernelCase> cases = kernel_cases(records.gpu());
  out << device.name << ", compute capability " << device.capability_major << "." << device.capability_minor
      << "; seed " << options.seed << ", " << cases.size() << " cases, each run twice\n";
  std::size_t widest = 0, failures = 0;
  for (const KernelCase& one : cases) widest = std::max(widest, kernel_name(one).size());
  for (const KernelCase& one : cases) {
    records.cases.push_back(record_kernel(one, options.seed));
    std::string name = records.cases.back().name;
    name.resize(widest + 2, ' ');
    out << "  " << name << told(records.cases.back(), failures) << "\n" << std::flush;
  }
  const fs::path folder = options.out / folder_name(device.name);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(folder.string(), "", "a folder that can be made", error.message());
  AtomicFile file(folder / kernel_records_file);
  file.write(kernel_records_json(records));
  file.commit();
  out << cases.size() << " cases recorded, " << failures << " failed or differ between two runs; "
      << (folder / kernel_records_file).string() << "\n";
  if (options.seconds > 0) {
    const std::size_t wrong = record_times(on, device, options, folder, out);
    out << wrong << " of the timed kernels wrote what their contracts do not predict; "
        << (folder / "times.json").string() << "\n";
    failures += wrong;
  }
  return failures == 0 ? recorded_all : some_differ;
}

}  // namespace

int run_kernels_program(int argc, const char* const* argv, const KernelsDevice& device, std::ostream& out,
                        std::ostream& err) {
  CLI::App app(
      "Runs Assay's CUDA kernels on this GPU, each case of suite cuda twice, and writes what they gave for "
      "`assay run --suite cuda --recorded DIR`.",
      "assay-kernels-gpu");
  KernelsOptions options;
  std::string folder;
  bool just_list = false;
  app.add_option("--out", folder, "The folder to write <GPU>/kernels.json and times.json into")
      ->type_name("DIR");
  app.add_option("--seed", options.seed, "Seed of the operands")->capture_default_str();
  app.add_option("--seconds", options.seconds,
                 "Seconds of timing, beside cuSPARSE, cuBLAS and a copy where they are found; 0: no timing")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--device", options.device, "Number of the GPU")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--list", just_list, "The cases of a GPU that has them all; needs no GPU");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? recorded_all : usage;
  }
  try {
    if (just_list) {
      for (const KernelCase& one : kernel_cases({.architecture = 90, .has_wgmma = true}))
        out << kernel_name(one) << "\n";
      return recorded_all;
    }
    if (folder.empty()) throw InputError("--out", "", "a folder to write into", "nothing");
    options.out = folder;
    return record_all(device, options, out);
  } catch (const InputError& e) {
    err << "assay-kernels-gpu: " << e.what() << "\n";
    return usage;
  } catch (const Unavailable& e) {
    err << "assay-kernels-gpu: nothing was recorded: " << e.what() << "\n";
    return nothing_recorded;
  } catch (const std::exception& e) {
    err << "assay-kernels-gpu: " << e.what() << "\n";
    return internal;
  }
}

}  // namespace assay::gpu
