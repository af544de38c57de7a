#include "validation/suites/suite.hpp"

#include <algorithm>

#include "reference/core/error.hpp"

namespace assay::suites {
namespace {

bool typeable(std::string_view part) {
  constexpr std::string_view special = " \"$`\\!";
  for (const char c : part) {
    if (c <= ' ' || c > '~' || special.find(c) != std::string_view::npos) return false;
  }
  return !part.empty();
}

}  // namespace

std::string_view scale_name(Scale scale) {
  switch (scale) {
    case Scale::quick: return "quick";
    case Scale::standard: return "standard";
    case Scale::exhaustive: return "exhaustive";
  }
  return "?";
}

std::string case_name(const Suite& suite, const Case& c) {
  const auto checked = [](std::string_view part) {
    if (!typeable(part)) throw ContractError("a case's name cannot hold " + quoted(part));
    return std::string(part);
  };
  std::string name = checked(suite.name) + "/" + checked(c.member);
  for (const auto& [key, value] : c.parameters) name += " " + checked(key) + "=" + checked(value);
  return name;
}

CaseNameParts parse_case_name(std::string_view name) {
  const auto fail = [name]() {
    throw InputError("--case", "", "a case's name, suite/member key=value ...", quoted(name));
  };
  CaseNameParts parts;
  const auto slash = name.find('/');
  if (slash == 0 || slash == std::string_view::npos) fail();
  parts.suite = name.substr(0, slash);
  std::string_view rest = name.substr(slash + 1);
  const auto word = [&rest]() {
    const auto end = std::min(rest.find(' '), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(end == rest.size() ? end : end + 1);
    return taken;
  };
  parts.member = word();
  if (!typeable(parts.suite) || !typeable(parts.member)) fail();
  if (name.back() == ' ') fail();
  while (!rest.empty()) {
    const std::string_view pair = word();
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || !typeable(pair.substr(0, equals)) ||
        !typeable(pair.substr(equals + 1)))
      fail();
    parts.parameters.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return parts;
}

void SuiteTimes::started(std::string_view case_name) {
  std::string suite = parse_case_name(case_name).suite;
  if (!spans_.empty() && spans_.back().suite == suite) return;
  const Clock::time_point now = Clock::now();
  spans_.push_back({std::move(suite), now, now});
}

void SuiteTimes::finished(std::string_view case_name) {
  const std::string suite = parse_case_name(case_name).suite;
  for (Span& span : spans_) {
    if (span.suite == suite) span.end = Clock::now();
  }
}

std::vector<SuiteTime> SuiteTimes::of(std::span<const Suite> suites, bool budgets) const {
  std::vector<SuiteTime> times;
  for (const Span& span : spans_) {
    const auto suite =
        std::find_if(suites.begin(), suites.end(), [&](const Suite& s) { return s.name == span.suite; });
    times.push_back({.name = span.suite,
                     .seconds = std::chrono::duration<double>(span.end - span.begin).count(),
                     .budget = budgets && suite != suites.end() ? suite->budget : 0});
  }
  return times;
}

std::vector<Suite> all_suites() {
  return {
#define SUITE(name, seconds, description) {#name, description, name##_cases, seconds},
#include "validation/suites/suites.def"
#undef SUITE
  };
}

}  // namespace assay::suites
