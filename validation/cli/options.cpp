#include "validation/cli/options.hpp"

#include <charconv>
#include <string_view>

#include "reference/core/error.hpp"

namespace assay::cli {

std::string not_empty(const std::string& text) { return text.empty() ? "an empty text" : ""; }

std::string not_negative(const std::string& text) {
  const bool number = !text.empty() && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
  return number ? "" : "expected a number of 0 or more, found " + quoted(text);
}

CLI::Option* add_seed(CLI::App& app, std::uint64_t& seed, const std::string& description) {
  const auto read = [&seed](const std::string& text) {
    std::string_view digits = text;
    const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
    if (hex) digits.remove_prefix(2);
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, seed, hex ? 16 : 10);
    if (error != std::errc{} || stop != end) {
      throw CLI::ValidationError("--seed", "expected a number from 0 to 2^64 - 1, found " + quoted(text));
    }
  };
  return app.add_option_function<std::string>("--seed", read, description)
      ->type_name("N")
      ->default_str(std::to_string(seed));
}

}  // namespace assay::cli
