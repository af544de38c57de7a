#include "reference/core/error.hpp"

#include <algorithm>
#include <string_view>

#include "reference/core/printable.hpp"

namespace assay {
namespace {

// "a.tsv: line 3: expected a number, found "x"".
std::string file_sentence(const std::string& path, const std::string& place, const std::string& expected,
                          const std::string& found) {
  std::string text = path.empty() ? path : printable(path);
  if (!place.empty()) text += (text.empty() ? "" : ": ") + place;
  if (!text.empty()) text += ": ";
  return text + "expected " + expected + ", found " + found;
}

// An option is no file: "--mode takes a known name, not "up"", and alone "expected a command, not "chekc"".
std::string option_sentence(const std::string& option, const std::string& expected,
                            const std::string& found) {
  return (option.empty() ? "expected " : printable(option) + " takes ") + expected + ", not " + found;
}

}  // namespace

InputError::InputError(Of of, std::string path, std::string place, std::string expected, std::string found)
    : std::runtime_error(of == Of::option ? option_sentence(path, expected, found)
                                          : file_sentence(path, place, expected, found)),
      path_(std::move(path)),
      place_(std::move(place)),
      expected_(std::move(expected)),
      found_(std::move(found)) {}

InputError::InputError(std::string path, std::string place, std::string expected, std::string found)
    : InputError(path.starts_with("--") && place.empty() ? Of::option : Of::file, path, place, expected,
                 found) {}

InputError InputError::of_option(std::string option, std::string expected, std::string found) {
  return {Of::option, std::move(option), "", std::move(expected), std::move(found)};
}

namespace {

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
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
  return out + '"';
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  return escaped(text.substr(0, longest)) + (text.size() > longest ? "..." : "");
}

std::string printable(std::string_view name) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  };
  return name.empty() || std::any_of(name.begin(), name.end(), is_control) ? escaped(name)
                                                                           : std::string(name);
}

}  // namespace assay
