// What a call says that refuses its arguments.
#pragma once

#include <string>

#include "reference/core/error.hpp"

namespace assay {

std::string said(const auto& call) {
  try {
    call();
  } catch (const ContractError& e) {
    return e.what();
  }
  return "nothing";
}

}  // namespace assay
