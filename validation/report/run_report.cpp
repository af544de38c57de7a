#include "validation/report/run_report.hpp"

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
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace assay
