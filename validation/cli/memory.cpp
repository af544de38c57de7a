#include "validation/cli/memory.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace assay::cli {

void require_memory(std::string_view command, std::string_view what, std::string_view why,
                    std::optional<std::uint64_t> needed, std::uint64_t available) {
  check_memory(what, why, needed, available);
  constexpr std::uint64_t worth_saying = std::uint64_t{1} << 30;
  if (*needed < worth_saying) return;
  fmt::print(stderr, "assay {}: {} take {} of memory; {} are available\n", command, why, bytes_text(*needed),
             bytes_text(available));
}

std::string out_of_memory() {
  return fmt::format("not enough memory: {} are available; smaller sizes need less",
                     bytes_text(available_memory_bytes()));
}

}  // namespace assay::cli
