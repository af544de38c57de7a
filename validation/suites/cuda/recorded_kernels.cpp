#include "validation/suites/cuda/recorded_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "gpu/host/probe.hpp"
#include "reference/core/error.hpp"
#include "validation/suites/recorded_vectors.hpp"

namespace assay::suites::cuda {
namespace {

namespace fs = std::filesystem;

CaseResult failed(const JudgedKernel& kernel, std::string reason, std::string detail) {
  CaseResult out;
  out.status = Status::failed;
  out.evidence = kernel.contract;
  out.reason = std::move(reason);
  out.checked = out.mismatches = 1;
  if (!detail.empty()) out.details.push_back(std::move(detail));
  return out;
}

std::string described(const std::string& element, const std::vector<std::int64_t>& shape) {
  return io::to_string(shape) + " of " + element;
}

// Empty, or how the arrays of a record are not those that the kernel writes.
std::string other_arrays(const gpu::KernelRecord& record, const gpu::KernelArrays& predicted) {
  if (record.arrays.size() != predicted.size())
    return fmt::format("{} arrays, not {}", record.arrays.size(), predicted.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const gpu::ArrayRecord& got = record.arrays[i];
    const gpu::KernelArray& want = predicted[i];
    if (got.name != want.name || got.element != want.element || got.shape != want.shape)
      return fmt::format("{}, {}, not {}, {}", got.name, described(got.element, got.shape), want.name,
                         described(want.element, want.shape));
    const std::vector<std::size_t> places = gpu::sampled_places(want.size());
    const auto same = [](const auto& sample, std::size_t place) { return sample.first == place; };
    if (!std::equal(got.samples.begin(), got.samples.end(), places.begin(), places.end(), same))
      return got.name + ": samples of other places";
  }
  return "";
}

}  // namespace

CaseResult judge_record(const JudgedKernel& kernel, const gpu::KernelRecord& record, std::uint64_t seed) {
  if (!record.error.empty()) return failed(kernel, "the kernel failed on the GPU", record.error);
  const gpu::KernelArrays predicted = kernel.predicted(seed);
  if (const std::string other = other_arrays(record, predicted); !other.empty())
    return failed(kernel, "what was recorded is not what the kernel writes", other);
  for (const gpu::ArrayRecord& array : record.arrays) {
    if (array.hash != array.second_hash)
      return failed(kernel, "two runs on the same operands gave different bits", array.name);
  }
  // What was predicted, with what was recorded in the place of the samples: the judge then finds what is wrong among
  // these, and if nothing is wrong and the hashes are those of the prediction, it has judged what the GPU wrote.
  gpu::KernelArrays got = predicted;
  for (std::size_t i = 0; i < got.size(); ++i) {
    for (const auto& [place, code] : record.arrays[i].samples) got[i].set_code(place, code);
  }
  CaseResult result = kernel.judge(seed, got);
  if (result.status == Status::failed) return result;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const gpu::ArrayRecord& array = record.arrays[i];
    const std::uint64_t want = gpu::hash_of(predicted[i].bytes);
    if (array.hash == want) continue;
    return failed(
        kernel, "the kernel's results are not those of its contract",
        fmt::format("{}: all {} samples agree, but the hash of its {} elements is 0x{:x}, not 0x{:x}: "
                    "a wrong one lies between the samples",
                    array.name, array.samples.size(), predicted[i].size(), array.hash, want));
  }
  return result;
}

std::vector<fs::path> folders_of_kernel_records(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  if (fs::exists(folder / gpu::kernel_records_file, ignored)) found.push_back(folder);
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (fs::exists(entry.path() / gpu::kernel_records_file, ignored)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Case> recorded_kernel_cases(const fs::path& folder) {
  std::vector<Case> cases;
  const std::vector<fs::path> folders = folders_of_kernel_records(folder);
  // Of a run over all suites the folder may be that of suite units alone; it throws for a folder that is neither.
  if (folders.empty()) list_recorded_sets(folder);
  for (const fs::path& of_gpu : folders) {
    const fs::path path = of_gpu / gpu::kernel_records_file;
    const gpu::KernelRecords records = gpu::read_kernel_records(path);
    const std::vector<JudgedKernel> kernels = judged_kernels(records.gpu());
    const auto is = [](const std::string& name) {
      return [&name](const JudgedKernel& kernel) { return kernel.name() == name; };
    };
    for (const gpu::KernelRecord& record : records.cases) {
      if (std::none_of(kernels.begin(), kernels.end(), is(record.name)))
        throw InputError(path.string(), "/cases", "cases of suite cuda on " + records.gpu().name(),
                         assay::quoted(record.name));
    }
    for (const JudgedKernel& kernel : kernels) {
      const std::string name = kernel.name();
      const auto record = std::find_if(records.cases.begin(), records.cases.end(),
                                       [&](const gpu::KernelRecord& r) { return r.name == name; });
      if (record == records.cases.end())
        throw InputError(path.string(), "/cases", "the case " + assay::quoted(name), "no such case");
      Case c{.member = "recorded/" + gpu::folder_name(records.device.name) + "/" + kernel.kernel.member,
             .parameters = kernel.kernel.parameters};
      c.parameters.emplace_back("seed", std::to_string(records.seed));
      c.run = [kernel, record = *record, seed = records.seed, gpu = records.device.name](const RunContext&) {
        CaseResult result = judge_record(kernel, record, seed);
        result.evidence += ", by results recorded on " + gpu;
        return result;
      };
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

}  // namespace assay::suites::cuda
