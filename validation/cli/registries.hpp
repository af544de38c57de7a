// The families that `assay list` shows, each made from its own .def list.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/report/listing.hpp"

namespace assay::cli {

// An empty `why_not` stands beside `here`: true.
using Member = ListedMember;

struct Registry {
  std::string_view name;
  std::string_view summary;
  std::vector<Member> (*members)();
  std::string_view note = {};  // below the table, for people: what a column means
};

// To add one: a function in registries.cpp and its line in the table there.
std::span<const Registry> all_registries();

}  // namespace assay::cli
