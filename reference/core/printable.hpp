// Foreign names (of files, arrays, options), made safe to print in a line or a table.
#pragma once

#include <string>
#include <string_view>

namespace assay {

// The name as it is, or quoted and escaped to its end where it is empty or holds control characters, which would break
// what it is shown in.
std::string printable(std::string_view name);

}  // namespace assay
