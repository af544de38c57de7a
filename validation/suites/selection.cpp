#include "validation/suites/selection.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

namespace assay::suites {
namespace {

std::vector<SelectedCase> list_cases(const Suite& suite, const RunContext& context) {
  std::vector<SelectedCase> cases;
  for (Case& c : suite.cases(context))
    cases.push_back({case_name(suite, c), std::move(c.run), context, c.one_thread});
  return cases;
}

const Suite& find_suite(std::span<const Suite> suites, std::string_view wanted, std::string_view option) {
  std::vector<std::string> names;
  for (const Suite& suite : suites) {
    if (suite.name == wanted) return suite;
    names.emplace_back(suite.name);
  }
  throw unknown_name(option, "the name of a suite", wanted, names);
}

std::uint64_t seed_of(const CaseNameParts& parts, std::uint64_t otherwise) {
  for (const auto& [key, value] : parts.parameters) {
    if (key != "seed") continue;
    std::uint64_t seed = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, seed);
    if (error != std::errc{} || stop != end) {
      throw InputError("--case", "", "seed= with a number below 2^64", quoted(value));
    }
    return seed;
  }
  return otherwise;
}

SelectedCase find_case(std::span<const Suite> suites, const std::string& name, RunContext context) {
  const CaseNameParts parts = parse_case_name(name);
  const Suite& suite = find_suite(suites, parts.suite, "--case");
  context.seed = seed_of(parts, context.seed);
  std::vector<std::string> known;
  for (const Scale scale : {context.scale, Scale::quick, Scale::standard, Scale::exhaustive}) {
    context.scale = scale;
    for (SelectedCase& c : list_cases(suite, context)) {
      if (c.name == name) return std::move(c);
      known.push_back(std::move(c.name));
    }
  }
  const std::set<std::string> once(known.begin(), known.end());
  throw unknown_name("--case", "the name of a case", name, {once.begin(), once.end()});
}

[[noreturn]] void nothing_matches(const std::string& filter, const std::vector<SelectedCase>& all) {
  std::vector<std::string> names;
  for (const SelectedCase& c : all) names.push_back(c.name);
  const std::string inside = "*" + filter + "*";
  for (const std::string& name : names) {
    if (fnmatch(inside.c_str(), name.c_str(), 0) == 0) {
      throw InputError("--filter", "", "a glob that matches a whole name",
                       quoted(filter) + "; did you mean '" + inside + "'?");
    }
  }
  throw unknown_name("--filter", "a glob that matches the name of a case", filter, names);
}

}  // namespace

std::vector<SelectedCase> select_cases(std::span<const Suite> suites, const Selection& selection,
                                       const RunContext& context) {
  std::vector<SelectedCase> cases;
  if (!selection.case_name.empty()) {
    cases.push_back(find_case(suites, selection.case_name, context));
    return cases;
  }
  for (const std::string& name : selection.suites) find_suite(suites, name, "--suite");
  for (const Suite& suite : suites) {
    const auto& wanted = selection.suites;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), suite.name) == wanted.end()) continue;
    for (SelectedCase& c : list_cases(suite, context)) cases.push_back(std::move(c));
  }
  std::set<std::string_view> seen;
  for (const SelectedCase& c : cases) {
    if (!seen.insert(c.name).second) throw ContractError("two cases have the name " + quoted(c.name));
  }
  if (selection.filter.empty() || cases.empty()) return cases;
  std::vector<SelectedCase> matching;
  for (const SelectedCase& c : cases) {
    if (fnmatch(selection.filter.c_str(), c.name.c_str(), 0) == 0) matching.push_back(c);
  }
  if (matching.empty()) nothing_matches(selection.filter, cases);
  return matching;
}

}  // namespace assay::suites
