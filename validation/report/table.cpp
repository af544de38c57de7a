#include "validation/report/table.hpp"

#include <algorithm>
#include <string_view>

namespace assay {
namespace {

// Code points: every byte of UTF-8 but those that continue one. Our texts hold no wide and no combining characters.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines{""};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!lines.back().empty() && columns(lines.back()) + 1 + columns(word) > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    at = end + 1;
  }
  return lines;
}

std::string table_text(const std::vector<std::vector<std::string>>& rows, std::size_t width,
                       std::size_t indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  constexpr std::size_t gap = 2, narrowest = 24;
  std::string text;
  for (const auto& row : rows) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t begin = columns(line);
      if (i + 1 < widths.size()) {
        line += row[i] + std::string(widths[i] + gap - columns(row[i]), ' ');
      } else if (width == 0 || begin + columns(row[i]) <= width) {
        line += row[i];
      } else {
        const std::size_t room = width > begin + narrowest ? width - begin : narrowest;
        bool first = true;
        for (const std::string& part : wrapped(row[i], room)) {
          if (!first) line += '\n' + std::string(begin, ' ');
          line += part;
          first = false;
        }
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace assay
