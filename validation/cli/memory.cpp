#include "validation/cli/memory.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "reference/core/error.hpp"

namespace assay::cli {

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto x = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; x >= 1024 && unit + 1 < units.size(); ++unit) x /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", x, units[unit]);
}

std::optional<std::uint64_t> bytes_product(std::initializer_list<std::uint64_t> factors) {
  std::uint64_t all = 1;
  for (const std::uint64_t factor : factors) {
    if (__builtin_mul_overflow(all, factor, &all)) return std::nullopt;
  }
  return all;
}

std::optional<std::uint64_t> bytes_sum(std::initializer_list<std::optional<std::uint64_t>> terms) {
  std::uint64_t all = 0;
  for (const std::optional<std::uint64_t>& term : terms) {
    if (!term || __builtin_add_overflow(all, *term, &all)) return std::nullopt;
  }
  return all;
}

void require_memory(std::string_view command, std::string_view what, std::string_view why,
                    std::optional<std::uint64_t> needed, std::uint64_t available) {
  const std::string size = needed ? bytes_text(*needed) : "more than 16 EiB";
  if (!needed || *needed > available) {
    throw UsageError(fmt::format("{}: {} take {} of memory, and {} are available", what, why, size,
                                 bytes_text(available)));
  }
  constexpr std::uint64_t worth_saying = std::uint64_t{1} << 30;
  if (*needed < worth_saying) return;
  fmt::print(stderr, "assay {}: {} take {} of memory; {} are available\n", command, why, size,
             bytes_text(available));
}

std::string out_of_memory() {
  return fmt::format("not enough memory: {} are available; smaller sizes need less",
                     bytes_text(available_memory_bytes()));
}

}  // namespace assay::cli
