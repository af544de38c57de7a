// What binutils say of a program that was built.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "validation/report/simt_results.hpp"

namespace assay::simt {

// What a tool such as objdump prints. Unavailable where it is not installed or fails; `folder` is for its output.
std::string output_of_tool(const std::vector<std::string>& words, const std::filesystem::path& folder);

// Of each address within an instruction, the innermost line of source that is not the dialect's or the system's; an
// address that has none is left out. Names are relative to the current folder where they lie below it.
std::map<std::uint64_t, SimtPlace> lines_of(const std::vector<std::uint64_t>& addresses,
                                            const std::filesystem::path& program,
                                            const std::filesystem::path& folder);
// Of addresses that calls return to: the line of the call.
std::map<std::uint64_t, SimtPlace> lines_of_calls(std::vector<std::uint64_t> addresses,
                                                  const std::filesystem::path& program,
                                                  const std::filesystem::path& folder);

}  // namespace assay::simt
