#include "validation/report/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace assay {

std::string repro_line(const RunHeader& header, std::string_view name) {
  // Names hold no character that is special between double quotes; suites::case_name() sees to it.
  return header.repro_prefix + "assay run --case \"" + std::string(name) + "\"" + header.repro_suffix;
}

std::string repro_line(const RunHeader& header, const CaseRecord& record) {
  return record.repro.empty() ? repro_line(header, record.name) : record.repro;
}

std::string verdict_text(const Counts& c, bool strict) {
  if (c.errors_ours > 0) return "INTERNAL ERROR";
  if (c.errors_input > 0) return "SOME INPUT COULD NOT BE JUDGED";
  if (c.failed + c.errors_under_test > 0) return "SOME DISAGREE";
  if (c.passed == 0) return "NOTHING WAS VERIFIED";
  if (c.vacuous + c.skipped + c.partly == 0) return "all agree";
  return strict ? "NOT ALL VERIFIED (--strict)" : "all that was verified agrees";
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  const bool is_line = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
  // Bash's form for control characters.
  if (!is_line) {
    std::string word = "$'";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7F)
        word += fmt::format("\\x{:02x}", byte);
      else
        word += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    return word + "'";
  }
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace assay
