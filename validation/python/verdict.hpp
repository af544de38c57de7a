// What compare(), check() and shrink() return: a comparison with its name.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "validation/compare/comparison.hpp"
#include "validation/compare/policy.hpp"

namespace assay::python {

struct Verdict {
  std::shared_ptr<const compare::Comparison> comparison{};
  std::string name{};
  std::string evidence{};            // of a check
  std::vector<std::string> notes{};  // of a check

  std::string status() const;
  std::string text() const;
};

// A Policy, or a name of policies(). TypeError for anything else; InputError for an unknown name.
compare::Policy policy_of(const pybind11::handle& policy);

}  // namespace assay::python
