// What compare(), check() and shrink() return: a comparison with its name, or several.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "validation/compare/comparison.hpp"
#include "validation/compare/policy.hpp"
#include "validation/judge/request.hpp"

namespace assay::python {

struct Verdict {
  std::shared_ptr<const compare::Comparison> comparison{};
  std::string name{};
  std::string evidence{};            // of a check
  std::vector<std::string> notes{};  // of a check

  std::string status() const;
  std::string text() const;
};

Verdict verdict_of(judge::Judgement&& judgement);

// Verdicts of several arrays by name: of a comparison of dicts, of a check with several results.
struct Verdicts {
  std::vector<std::pair<std::string, Verdict>> pairs{};
  std::vector<std::string> missing{}, extra{};

  // As the command's exit code: agreement needs one array that agrees and none that does not.
  std::string status() const;
  std::string text() const;
};

// A Policy, or a name of policies(). TypeError for anything else; InputError for an unknown name.
compare::Policy policy_of(const pybind11::handle& policy);

}  // namespace assay::python
