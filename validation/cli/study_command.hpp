// What the subcommands of `assay study` share: the page and the files beside it, progress, options.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reference/core/file.hpp"
#include "validation/report/study_page.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

struct StudyOptions {
  std::string out;
  bool json = false;
  int threads = 0;
  std::uint64_t seed = 1;
};
void add_study_options(CLI::App& app, StudyOptions& options);

// Opens what --out names before anything is computed: InputError for a name that does not end in .html, or a place
// that cannot be written to. No --out: nothing is written.
class StudyFiles {
 public:
  explicit StudyFiles(const StudyOptions& options);

  // STEM.html, STEM.csv, STEM.json and an SVG for paper of each picture, all written or an error; then JSON or text on
  // stdout.
  void write(const StudyOptions& options, const studies::StudyPage& page);

 private:
  std::string stem_;
  std::unique_ptr<AtomicFile> page_;
};

// A line on a terminal while it lasts.
std::function<void(double, const std::string&)> study_progress(std::string what);

// assay study spdnn: adds its options, and returns what runs.
std::function<int()> make_study_spdnn(CLI::App& app);

}  // namespace assay::cli
