#include "reference/core/error.hpp"

#include <string_view>

namespace assay {
namespace {

std::string sentence(const std::string& path, const std::string& place, const std::string& expected,
                     const std::string& found) {
  std::string text = path;
  if (!place.empty()) text += (text.empty() ? "" : ": ") + place;
  if (!text.empty()) text += ": ";
  return text + "expected " + expected + ", found " + found;
}

}  // namespace

InputError::InputError(std::string path, std::string place, std::string expected, std::string found)
    : std::runtime_error(sentence(path, place, expected, found)),
      path_(std::move(path)),
      place_(std::move(place)),
      expected_(std::move(expected)),
      found_(std::move(found)) {}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + (text.size() > longest ? "\"..." : "\"");
}

}  // namespace assay
