// Private to spdnn_*.cpp: what the cases of the suite share. Data that may be there, networks, and outputs compared by
// their bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "reference/networks/network.hpp"
#include "reference/spdnn/inference.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites::spdnn_parts {

inline constexpr std::int32_t neurons = 1024;

CaseResult skipped(std::string reason);
CaseResult not_here(const std::filesystem::path& data, const std::filesystem::path& file,
                    std::string_view what);
// `file` under the data folder, plain or gzipped; empty if it is not there.
std::filesystem::path data_file(const RunContext& context, const std::filesystem::path& file);

// Cases of one process share what is dear to make. They run one after the other.
template <class Value, class Make>
std::shared_ptr<const Value> shared(const std::string& key, Make make) {
  static std::map<std::string, std::shared_ptr<const Value>> made;
  auto& entry = made[key];
  if (!entry) entry = std::make_shared<const Value>(make());
  return entry;
}

spdnn::ExecuteOptions execute_options(const RunContext& context, bool keep_outputs);
void add_figures(CaseResult& r, const spdnn::Plan& plan, const spdnn::Inference& inference);

// Outputs of two runs, image by image. Images that one of them does not list are rows of zeros there.
struct BitComparison {
  std::uint64_t checked = 0, mismatches = 0, inside = 0, nans = 0;
  std::string first;
};
BitComparison compare_bits(const spdnn::Inference& got, const spdnn::Inference& want, std::size_t images,
                           std::size_t outputs, networks::Clip clip);
void judge(CaseResult& r, const BitComparison& c);
void conclude(CaseResult& r, std::uint64_t inside);

// A kernel against the scalar one, on layers that RadiX-Nets do not have.
CaseResult random_network_case(const RunContext& context, const spdnn::Kernel& kernel, std::uint64_t seed);
// A kernel on a trained network, whose accuracy is known.
CaseResult trained_network_case(const RunContext& context, const spdnn::Kernel& kernel);

}  // namespace assay::suites::spdnn_parts
