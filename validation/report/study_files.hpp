// The page of a study and the files beside it, written all or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reference/core/file.hpp"
#include "validation/report/study_page.hpp"

namespace assay::studies {

class StudyFiles {
 public:
  // `page`: NAME.html, begun here, before anything is computed. InputError, by `option`, for another name; by the file
  // for a place that cannot be written to.
  StudyFiles(std::string_view option, const std::string& page);

  // NAME.html, NAME.csv, NAME.json and an SVG for paper of each picture.
  void write(const StudyPage& page, std::uint64_t seed);
  std::string text() const { return study_files_text(page_, stem_); }  // where they went

 private:
  std::string page_, stem_;
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace assay::studies
