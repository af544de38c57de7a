// What other programs on this machine print.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

// stdout of a program run without a shell and without stdin; empty if it cannot be started, fails, or is not done after
// `seconds` (then it is killed: a driver in trouble can make its tool hang).
std::optional<std::string> output_of(const std::filesystem::path& program,
                                     const std::vector<std::string>& arguments, double seconds = 10);

}  // namespace assay::cli
