// JSON as text, with names that come from outside.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "reference/core/error.hpp"

namespace assay::io {

// One line. ContractError for names or values that are not UTF-8, which JSON cannot hold.
inline std::string json_text(const nlohmann::json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::type_error&) {
    throw ContractError("a name or a piece of metadata is not UTF-8");
  }
}

// What JSON allows around its values.
constexpr bool is_json_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace assay::io
