// Shared by the subcommands of `assay study`: the page and the files beside it, progress, options.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "validation/report/study_files.hpp"
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

// What --out names, begun before anything is computed; nullopt without it.
std::optional<studies::StudyFiles> study_files(const StudyOptions& options);

// Writes the files that were begun, all or an error; then JSON or text on stdout.
void show(const StudyOptions& options, const studies::StudyPage& page,
          std::optional<studies::StudyFiles>& files);

// A line on a terminal while it lasts.
std::function<void(double, const std::string&)> study_progress(std::string what);

// The exit code of a study with errors over proven bounds, each a line on stderr: faults of an arithmetic's model or of
// the bound, which are never passed over.
int study_verdict(const std::vector<std::string>& outside);

// assay study bf16 and assay study spdnn: each adds its options, and returns what runs.
std::function<int()> make_study_bf16(CLI::App& app);
std::function<int()> make_study_autosparse(CLI::App& app);  // a subcommand of bf16
std::function<int()> make_study_spdnn(CLI::App& app);

}  // namespace assay::cli
