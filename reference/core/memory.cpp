#include "reference/core/memory.hpp"

#include <array>
#include <cstdio>

#include "reference/core/error.hpp"

namespace assay {

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto x = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; x >= 1024 && unit + 1 < units.size(); ++unit) x /= 1024;
  if (unit == 0) return std::to_string(bytes) + " bytes";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", x, units[unit]);
  return text.data();
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

void check_memory(std::string_view what, std::string_view why, std::optional<std::uint64_t> needed,
                  std::uint64_t available) {
  if (needed && *needed <= available) return;
  throw UsageError(std::string(what) + ": " + std::string(why) + " take " +
                   (needed ? bytes_text(*needed) : "more than 16 EiB") + " of memory, and " +
                   bytes_text(available) + " are available");
}

}  // namespace assay
