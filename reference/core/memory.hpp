// Memory that sizes ask for, checked before it is allocated: the operating system promises pages that it does not have,
// and kills the process when they are written.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "reference/core/cpu.hpp"

namespace assay {

// "512 bytes", "1.5 GiB".
std::string bytes_text(std::uint64_t bytes);

// The product, or nothing where it passes 2^64.
std::optional<std::uint64_t> bytes_product(std::initializer_list<std::uint64_t> factors);
// The same of a sum of such products.
std::optional<std::uint64_t> bytes_sum(std::initializer_list<std::optional<std::uint64_t>> terms);

// UsageError unless `needed` bytes (nothing: 2^64 and more) are available: "--k: inputs of 10^9 terms take 238.4 GiB of
// memory, and 12.0 GiB are available". `what` are the options that ask for the memory, `why` what takes it.
void check_memory(std::string_view what, std::string_view why, std::optional<std::uint64_t> needed,
                  std::uint64_t available = available_memory_bytes());

}  // namespace assay
