#include "gpu/host/kernels_program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "gpu/host/kernel_records.hpp"
#include "gpu/host/probe.hpp"
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

int record_all(const DeviceInfo& device, const KernelsOptions& options, std::ostream& out) {
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
  return failures == 0 ? recorded_all : some_differ;
}

}  // namespace

int run_kernels_program(int argc, const char* const* argv, const std::function<DeviceInfo(int index)>& choose,
                        std::ostream& out, std::ostream& err) {
  CLI::App app(
      "Runs Assay's CUDA kernels on this GPU, each case of suite cuda twice, and writes what they gave for "
      "`assay run --suite cuda --recorded DIR`.",
      "assay-kernels-gpu");
  KernelsOptions options;
  std::string folder;
  bool just_list = false;
  app.add_option("--out", folder, "The folder to write <GPU>/kernels.json into")->type_name("DIR");
  app.add_option("--seed", options.seed, "Seed of the operands")->capture_default_str();
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
    return record_all(choose(options.device), options, out);
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
