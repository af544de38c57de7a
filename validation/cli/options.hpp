// Options that several commands have, and checks of what was typed. A check says what is wrong, or nothing.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace assay::cli {

// A script whose variable is not set passes an empty text: not what anyone means by a name or a folder.
std::string not_empty(const std::string& text);
// The parser takes "inf" and "nan" for numbers and wraps -1 where it reads an unsigned one.
std::string not_negative(const std::string& text);

// An option for any number below 2^64, decimal or 0x hex. The parser's own would wrap -1, clamp 2^64 and read 010 as 8.
CLI::Option* add_seed(CLI::App& app, std::uint64_t& seed, const std::string& description);

}  // namespace assay::cli
