// Options that several commands share, and checks of their values, which return what is wrong or an empty text.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace assay::cli {

// A script with an unset variable passes an empty text, which is never meant as a name or a folder.
std::string not_empty(const std::string& text);
// The parser takes "inf" and "nan" for numbers and wraps -1 where it reads an unsigned one.
std::string not_negative(const std::string& text);

// A finite number, 0 or more; the sound limits of tolerances.
std::string finite_not_negative(const std::string& text);
// A whole number with a sign or without, as an axis is.
std::string signed_number(const std::string& text);

// Options for whole numbers, decimal or 0x hex, of `first` and more and below 2^64. The parser's own would wrap -1,
// clamp 2^64 and read 010 as 8. The second form takes any number of values; `expected()` says how many.
CLI::Option* add_unsigned(CLI::App& app, const std::string& name, std::uint64_t& value,
                          const std::string& description, std::uint64_t first = 0);
CLI::Option* add_unsigned(CLI::App& app, const std::string& name, std::vector<std::uint64_t>& values,
                          const std::string& description, std::uint64_t first = 0);
CLI::Option* add_unsigned(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& value,
                          const std::string& description, std::uint64_t first = 0);

// An option that modifies another one and means nothing without it.
struct Companion {
  const char* option;
  const char* of;
};
// UsageError for one that was typed alone.
void refuse_alone(const CLI::App& app, std::initializer_list<Companion> companions);

CLI::Option* add_seed(CLI::App& app, std::uint64_t& seed, const std::string& description);

}  // namespace assay::cli
