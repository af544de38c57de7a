// What a request says that cannot be answered.
#pragma once

#include <string>

#include "reference/core/error.hpp"

namespace assay::studies {

std::string what_refuses(const auto& request) {
  try {
    request();
  } catch (const InputError& e) {
    return e.what();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "taken";
}

}  // namespace assay::studies
