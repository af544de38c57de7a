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

// The value of the name. InputError with the near names, of `option`, for one that is not of this `kind`.
template <class Value, std::size_t N>
Value choice(std::string_view option, std::string_view typed,
             const std::array<std::pair<std::string_view, Value>, N>& known,
             std::string_view kind = "a known name") {
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (typed == name) return value;
    names.emplace_back(name);
  }
  throw unknown_name(option, kind, typed, names);
}

}  // namespace assay::judge
