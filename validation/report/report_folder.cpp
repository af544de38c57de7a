#include "validation/report/report_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/report/html_report.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/junit_report.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void cannot_write(const fs::path& path, std::string_view expected, int code) {
  throw InputError(path.string(), "", std::string(expected), std::strerror(code));
}

void write_whole(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace

ReportFolder::ReportFolder(const fs::path& folder, RunHeader header)
    : folder_(folder), partial_(folder / "report.jsonl.partial"), header_(std::move(header)) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) cannot_write(folder, "a folder for reports", code.value());
  fd_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) cannot_write(partial_, "a place to write a file", errno);
  try {
    // The lock goes with the process, so a run that was killed does not hold it.
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      throw InputError(folder.string(), "", "a folder for the reports of one run",
                       "another run that writes there");
    }
    if (::ftruncate(fd_, 0) != 0) cannot_write(partial_, "a file to begin anew", errno);
    append(json_header(header_));
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

ReportFolder::~ReportFolder() {
  if (fd_ >= 0) ::close(fd_);
}

void ReportFolder::append(std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(fd_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) cannot_write(partial_, "room to write", errno);
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

void ReportFolder::add(const CaseRecord& record) {
  records_.push_back(record);
  append(json_case(header_, record));
}

void ReportFolder::finish(const RunSummary& summary) {
  append(json_summary(summary, records_));
  const fs::path finished = folder_ / "report.jsonl";
  if (::rename(partial_.c_str(), file_to_replace(finished).c_str()) != 0)
    cannot_write(finished, "a place to write a file", errno);
  write_whole(folder_ / "report.txt", text_report(header_, records_, summary));
  write_whole(folder_ / "report.junit.xml", junit_report(header_, records_, summary));
  write_whole(folder_ / "report.html", html_report(header_, records_, summary));
}

}  // namespace assay
