// A suite is a function that lists its cases; a case knows its whole name and how to run itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "validation/report/result.hpp"

namespace assay::suites {

enum class Scale : std::uint8_t { quick, standard, exhaustive };
std::string_view scale_name(Scale scale);

// What a run hands to its cases. Everything that changes a result stands in the case's name; the rest (threads, where
// the data lies, how to show progress) must not change one.
struct RunContext {
  std::uint64_t seed = 1;
  Scale scale = Scale::standard;
  std::filesystem::path data;      // laid out as ASSAY_DATA: mnist/, spdnn/, ...; empty if none
  std::filesystem::path recorded;  // results of GPUs; empty: tensor_core_vectors/ of `data`
  int threads = 0;                 // for code under test that takes a number; 0: all. OpenMP already has it.
  std::function<void(double fraction, std::string_view what)> progress = [](double, std::string_view) {};
};

struct Case {
  std::string member;                                             // "convert/f32_bf16_avx512"
  std::vector<std::pair<std::string, std::string>> parameters{};  // printed in this order as key=value
  std::function<CaseResult(const RunContext&)> run{};
  bool one_thread = false;  // uses no more, so others may run beside it
};

struct Suite {
  std::string_view name;
  std::string_view description;
  std::vector<Case> (*cases)(const RunContext&);  // cheap: lists, computes nothing
  double budget = 0;                              // seconds it may take at scale standard; 0: none is set
};

// "suite/member key=value ...", the name that --case takes verbatim. ContractError if a part is empty or holds white
// space or a character that is special between double quotes of a shell: the name would not survive being typed.
std::string case_name(const Suite& suite, const Case& c);

// A name taken apart again. InputError if it is not of that form.
struct CaseNameParts {
  std::string suite;
  std::string member;
  std::vector<std::pair<std::string, std::string>> parameters;
};
CaseNameParts parse_case_name(std::string_view name);

// What each suite of a run took, from the start of its first case to the end of its last.
class SuiteTimes {
 public:
  void started(std::string_view case_name);
  void finished(std::string_view case_name);

  // In the order of the run. Budgets are of whole suites at scale standard: `budgets` says whether these were.
  std::vector<SuiteTime> of(std::span<const Suite> suites, bool budgets) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Span {
    std::string suite;
    Clock::time_point begin, end;
  };
  std::vector<Span> spans_;
};

// Every suite of suites.def.
std::vector<Suite> all_suites();

#define SUITE(name, seconds, description) std::vector<Case> name##_cases(const RunContext& context);
#include "validation/suites/suites.def"
#undef SUITE

}  // namespace assay::suites
