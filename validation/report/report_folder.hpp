// The files that --report DIR collects: report.txt, report.jsonl, report.junit.xml, report.html.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "validation/report/run_report.hpp"

namespace assay {

// Cases go to report.jsonl.partial as they finish, each line whole, so that a run that is killed leaves what it has
// done; finish() renames it and writes the others. Until then the reports of an earlier run stay as they were.
class ReportFolder {
 public:
  // Creates the folder. InputError if that fails, if it cannot be written, or if another run is writing there.
  ReportFolder(const std::filesystem::path& folder, RunHeader header);
  ~ReportFolder();
  ReportFolder(const ReportFolder&) = delete;
  ReportFolder& operator=(const ReportFolder&) = delete;

  void add(const CaseRecord& record);
  void finish(const RunSummary& summary);

 private:
  void append(std::string line);

  std::filesystem::path folder_, partial_;
  RunHeader header_;
  std::vector<CaseRecord> records_;
  int fd_ = -1;
};

}  // namespace assay
