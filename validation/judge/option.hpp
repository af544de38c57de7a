// Options: what messages call them, and whose fault a text is that was given for one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reference/core/error.hpp"

namespace assay::judge {

// Who asks: messages call an option "--c-first" for the command, "c_first" for Python.
enum class Caller : std::uint8_t { command, python };

// `name` is the command's, without the dashes at its front.
std::string option_name(Caller caller, std::string_view name);

// What `read` gives. An InputError of it is said of the option that the text was given for.
template <class Read>
auto typed_for(std::string_view option, const Read& read) {
  try {
    return read();
  } catch (const InputError& e) {
    if (e.place().empty()) throw InputError::of_option(std::string(option), e.expected(), e.found());
    throw InputError(std::string(option), e.place(), e.expected(), e.found());
  }
}

}  // namespace assay::judge
