// The options of `assay check`, and the request made from them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "validation/cli/comparison_command.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/judge/request.hpp"

namespace assay::cli {

struct CheckOptions {
  judge::Request asked;  // its settings; the arrays are files until they are read
  std::string a, b, c, got, bias, mask, stale;
  std::string format, a_format, b_format, c_format, got_format, bias_format;
  std::string unit;
  ScaleOptions scales;
  PolicyOptions policy;
  RawOptions raw;
  OwnRawOptions own_raw;
  ShowOptions show;
};

void add_check_options(CLI::App& app, CheckOptions& options);

// The request, with what the files hold. UsageError for options that do not go together, before any file is read.
judge::Request read_request(const CheckOptions& options, const CLI::App& app);

// assay check autosparse: adds its options, and returns what runs.
std::function<int()> make_check_autosparse(CLI::App& app);

// A line of words after `assay check`, as a report prints it after `repro`.
class CheckLine {
 public:
  // UsageError for words that the command does not take.
  explicit CheckLine(const std::vector<std::string>& words);
  ~CheckLine();
  CheckLine(const CheckLine&) = delete;
  CheckLine& operator=(const CheckLine&) = delete;

  const std::string& operation() const { return options_.asked.operation; }
  // Reads the files.
  judge::Request request() const;
  // "assay check ...": the same check of other files, by operand ("a"); formats and shapes of the old ones go. Operands
  // that are codes in unsigned integers come with their format.
  struct File {
    std::string path, format;
  };
  std::string text(const std::map<std::string, File>& files) const;

 private:
  CheckOptions options_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace assay::cli
