// The value of an option that takes one of a few names.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/near_names.hpp"

namespace assay::judge {

// The value of the name. InputError with the near names, of `option`, for another one.
template <class Value, std::size_t N>
Value choice(std::string_view option, std::string_view typed,
             const std::array<std::pair<std::string_view, Value>, N>& known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (typed == name) return value;
    names.emplace_back(name);
  }
  throw unknown_name(option, "a known name", typed, names);
}

}  // namespace assay::judge
