#include "validation/suites/spdnn_parts.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "reference/spdnn/challenge_files.hpp"

namespace assay::suites::spdnn_parts {

namespace fs = std::filesystem;
using namespace spdnn;
using networks::Clip;

CaseResult skipped(std::string reason) {
  CaseResult r;
  r.status = Status::skipped;
  r.reason = std::move(reason);
  return r;
}

CaseResult not_here(const fs::path& data, const fs::path& file, std::string_view what) {
  return skipped(fmt::format("no {}: looked for {}", what,
                             ((data.empty() ? fs::path("$ASSAY_DATA") : data) / file).string()));
}

fs::path data_file(const RunContext& context, const fs::path& file) {
  return context.data.empty() ? fs::path{} : find_plain_or_gzipped(context.data / file);
}

ExecuteOptions execute_options(const RunContext& context, bool keep_outputs) {
  ExecuteOptions options;
  options.threads = context.threads;
  options.keep_outputs = keep_outputs;
  options.progress = [&context](double fraction) { context.progress(fraction, "inference"); };
  return options;
}

void add_figures(CaseResult& r, const Plan& plan, const Inference& inference) {
  r.figures.push_back({"inference", inference.seconds, "s"});
  r.figures.push_back({"nominal", inference.nominal_edges_per_s(), "edges/s"});
  r.figures.push_back({"executed", inference.executed_edges_per_s(), "edges/s"});
  for (const CutInfo& info : all_cuts()) {
    if (plan.has(info.cut)) r.details.push_back(fmt::format("skipped: {}", info.text));
  }
}

BitComparison compare_bits(const Inference& got, const Inference& want, std::size_t images,
                           std::size_t outputs, Clip clip) {
  BitComparison c;
  const std::vector<float> zeros(outputs, 0.0F);
  std::size_t g = 0, w = 0;
  for (std::size_t image = 0; image < images; ++image) {
    const auto row = [&](const Inference& from, std::size_t& at) {
      if (at == from.categories.size() || from.categories[at] != image + 1)
        return std::span<const float>(zeros);
      return std::span<const float>(from.outputs).subspan(outputs * at++, outputs);
    };
    const auto a = row(got, g), b = row(want, w);
    for (std::size_t j = 0; j < outputs; ++j) {
      ++c.checked;
      c.inside += b[j] > clip.lower && b[j] < clip.upper ? 1U : 0U;
      c.nans += std::isnan(b[j]) ? 1U : 0U;
      if (std::memcmp(&a[j], &b[j], sizeof(float)) == 0) continue;
      if (c.mismatches++ == 0)
        c.first = fmt::format("image {} output {}: want {:a} got {:a}", image + 1, j, b[j], a[j]);
    }
  }
  return c;
}

void judge(CaseResult& r, const BitComparison& c) {
  r.checked += c.checked;
  r.mismatches += c.mismatches;
  if (!c.first.empty() && r.details.empty()) r.details.push_back(c.first);
}

void conclude(CaseResult& r, std::uint64_t inside) {
  r.figures.push_back(
      {"outputs inside the clip", 100.0 * static_cast<double>(inside) / static_cast<double>(r.checked), "%"});
  if (r.mismatches != 0) {
    r.status = Status::failed;
    r.reason = fmt::format("{} of {} outputs differ in their bits", r.mismatches, r.checked);
  } else if (inside == 0) {
    r.status = Status::vacuous;
    r.reason = "every output is clipped: a wrong sum would show in none";
  } else {
    r.status = Status::passed;
  }
}

}  // namespace assay::suites::spdnn_parts
