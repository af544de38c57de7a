// Checked conversion to a narrower integer type: a 64-bit count to a 32-bit index, or to an int of some library.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "reference/core/error.hpp"

namespace assay {

// `value` as a To. ContractError with the value and the limits if To does not hold it; `what` names the value there:
// "nonzeros". For a number from a file ask std::in_range and throw an InputError that says where it stands.
template <std::integral To, std::integral From>
constexpr To narrow(From value, std::string_view what) {
  if (!std::in_range<To>(value)) {
    throw ContractError(std::string(what) + ": " + std::to_string(value) + " is outside " +
                        std::to_string(std::numeric_limits<To>::min()) + ".." +
                        std::to_string(std::numeric_limits<To>::max()));
  }
  return static_cast<To>(value);
}

}  // namespace assay
