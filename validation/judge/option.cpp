#include "validation/judge/option.hpp"

#include <algorithm>

namespace assay::judge {

std::string option_name(Caller caller, std::string_view name) {
  if (caller == Caller::command) return "--" + std::string(name);
  std::string argument(name);
  std::replace(argument.begin(), argument.end(), '-', '_');
  return argument;
}

}  // namespace assay::judge
