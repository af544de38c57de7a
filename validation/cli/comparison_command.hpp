// Shared by `assay compare` and `assay check`: reading arrays, choosing a policy, showing the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/compare/integers.hpp"
#include "validation/io/io.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/option.hpp"
#include "validation/report/run_report.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

// A check of what was typed for a whole number: digits alone, no more than 2^63 - 1. The parser's own wraps -1 and
// clamps what is too large. Says what is wrong, or nothing.
std::string whole_number(const std::string& text);

using judge::typed_for;
// InputError, naming the option, if the text is neither empty nor a format.
void check_format(std::string_view option, const std::string& text);

// --policy, --policies, --atol, --rtol, --ulps, --because.
struct PolicyOptions {
  std::string name, file, because;
  std::optional<double> atol, rtol;
  std::optional<std::uint64_t> ulps;
};
void add_policy_options(CLI::App& app, PolicyOptions& options, std::string_view default_policy);
// InputError for an unknown name; UsageError for a tolerance without a number or a reason, and for numbers without a
// tolerance.
compare::Policy chosen_policy(const PolicyOptions& options);

// --dtype, --shape and --layout: for files without a header. `check` has its own --layout, for every
// file.
struct RawOptions {
  std::string dtype, shape, layout = "row";
  std::string dtype_option = "--dtype", shape_option = "--shape";  // where they were typed, for messages
};
void add_raw_options(CLI::App& app, RawOptions& options, bool with_layout = true);

// The same for single operands, by their options ("--a"): --a-dtype and --a-shape.
using OwnRawOptions = std::map<std::string, RawOptions, std::less<>>;
void add_own_raw_options(CLI::App& app, OwnRawOptions& own, std::initializer_list<const char*> operands);
// What was said of every file without a header, and of that of `operand`. UsageError for one with a header.
RawOptions raw_of(const RawOptions& all, const OwnRawOptions& own, std::string_view operand,
                  const std::string& path);

// UsageError if a type or a shape of files without a header was typed, and each of `paths` has one (empty: not typed).
void refuse_unused_raw(const RawOptions& o, std::initializer_list<std::string> paths);

// Does the name end in none of the known extensions?
bool is_raw_name(const std::string& path);

// What `path` holds. `format` is what arrays of codes are read as; empty: as the file says. Files whose names
// end in none of the known extensions are raw if --dtype and --shape are given.
io::AnyArray read_operand(const std::string& path, const std::string& format, const RawOptions& raw);
// The same where a dense array is needed; a sparse one is filled up with zeros.
io::Array read_dense_operand(const std::string& path, const std::string& format, const RawOptions& raw);

// An array as a comparison reads it: one of floating-point elements, or one of integers (or bool).
using judge::codes_of;
compare::Integers integers_of(const io::Array& array);
compare::Shape shape_of(const io::Array& array);

// --json, --quiet, --report, --strict, --statistics, --threads.
struct ShowOptions {
  bool json = false, quiet = false, strict = false, statistics = false;
  std::string report;
  int threads = 0;
};
void add_show_options(CLI::App& app, ShowOptions& options);

// What a command has to say about one comparison.
struct Finding {
  std::string suite;     // "compare", "check"
  std::string name;      // "compare/got.npy want=want.npy"
  std::string evidence;  // what stood behind it
  std::string repro;
  double seconds = 0;
  std::vector<std::string> notes;
};
// Prints or writes what the options ask for; the exit code.
int show(const ShowOptions& options, const Finding& finding, compare::Comparison comparison);

// The parts of show(), for commands with several comparisons.
CaseRecord record_of(const ShowOptions& options, const Finding& finding, compare::Comparison comparison);
RunHeader header_of(const std::string& suite, std::size_t cases);
// Counts, verdict and exit code; writes the reports that --report asks for.
RunSummary summary_of(const ShowOptions& options, const RunHeader& header,
                      std::span<const CaseRecord> records, double seconds);

// "assay compare got.npy want.npy --policy bound": the command line as it was parsed, quoted for a shell,
// without what only says where reports go. `instead` gives values to be named in place of those that were typed, by the
// option's name without dashes ("got", "bound"); options whose name is `left_out` are. It is null for none.
std::string command_text(const CLI::App& app, const std::map<std::string, std::string>& instead = {},
                         const std::function<bool(std::string_view)>& left_out = {});

}  // namespace assay::cli
