// The families that `assay list` shows, each made from its own .def list.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

// A member is an object whose keys are the same for all members of a registry, in order: they are the columns of the
// table and the fields of the JSON. Values are strings, numbers or booleans; an empty `why_not` beside `"here": true`.
using Member = nlohmann::ordered_json;

struct Registry {
  std::string_view name;
  std::string_view summary;
  std::vector<Member> (*members)();
  std::string_view note = {};  // below the table, for people: what a column means
};

// To add one: a function in registries.cpp and its line in the table there.
std::span<const Registry> all_registries();

}  // namespace assay::cli
