#include "validation/cli/options.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "reference/core/error.hpp"

namespace assay::cli {

std::string not_empty(const std::string& text) { return text.empty() ? "an empty text" : ""; }

std::string not_negative(const std::string& text) {
  const bool number = !text.empty() && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
  return number ? "" : "takes a number of 0 or more, not " + quoted(text);
}

std::string finite_not_negative(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool whole = !text.empty() && *end == '\0';
  return whole && std::isfinite(number) && !std::signbit(number)
             ? ""
             : "takes a finite number of 0 or more, not " + quoted(text);
}

std::string signed_number(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? "" : "takes a whole number, not " + quoted(text);
}

namespace {

std::uint64_t parse_unsigned(const std::string& name, const std::string& text, std::uint64_t first) {
  std::string_view digits = text;
  const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (hex) digits.remove_prefix(2);
  const char* const end = digits.data() + digits.size();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, value, hex ? 16 : 10);
  if (error != std::errc{} || stop != end || value < first) {
    const bool too_large = error == std::errc::result_out_of_range;
    throw CLI::ValidationError(name, "takes a whole number, " + std::to_string(first) +
                                         (too_large ? " or more and below 2^64" : " or more") + ", not " +
                                         quoted(text));
  }
  return value;
}

}  // namespace

CLI::Option* add_unsigned(CLI::App& app, const std::string& name, std::uint64_t& value,
                          const std::string& description, std::uint64_t first) {
  const auto read = [&value, name, first](const std::string& text) {
    value = parse_unsigned(name, text, first);
  };
  return app.add_option_function<std::string>(name, read, description)->type_name("N");
}

CLI::Option* add_unsigned(CLI::App& app, const std::string& name, std::vector<std::uint64_t>& values,
                          const std::string& description, std::uint64_t first) {
  const auto read = [&values, name, first](const std::vector<std::string>& texts) {
    values.clear();
    for (const std::string& text : texts) values.push_back(parse_unsigned(name, text, first));
  };
  return app.add_option_function<std::vector<std::string>>(name, read, description)->type_name("N");
}

CLI::Option* add_unsigned(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& value,
                          const std::string& description, std::uint64_t first) {
  const auto read = [&value, name, first](const std::string& text) {
    value = parse_unsigned(name, text, first);
  };
  return app.add_option_function<std::string>(name, read, description)->type_name("N");
}

void refuse_alone(const CLI::App& app, std::initializer_list<Companion> companions) {
  for (const Companion& c : companions) {
    if (app.get_option(c.option)->count() > 0 && app.get_option(c.of)->count() == 0)
      throw UsageError(std::string(c.option) + " requires " + c.of);
  }
}

CLI::Option* add_seed(CLI::App& app, std::uint64_t& seed, const std::string& description) {
  return add_unsigned(app, "--seed", seed, description)->default_str(std::to_string(seed));
}

}  // namespace assay::cli
