// What the command says of the memory that sizes on its command line ask for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reference/core/memory.hpp"

namespace assay::cli {

// check_memory(); from 1 GiB on the amount is printed on stderr, under the name of the command.
void require_memory(std::string_view command, std::string_view what, std::string_view why,
                    std::optional<std::uint64_t> needed, std::uint64_t available = available_memory_bytes());

// What to say where memory ran out all the same.
std::string out_of_memory();

}  // namespace assay::cli
