#include "reference/spdnn/tsv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "reference/core/error.hpp"

namespace assay::spdnn {

bool TsvReader::next() {
  std::string_view line;
  if (!lines_.next(line)) return false;
  const auto tabs = static_cast<std::size_t>(std::ranges::count(line, '\t'));
  if (tabs + 1 != fields_.size()) {
    fail(std::to_string(fields_.size()) + (fields_.size() == 1 ? " field" : " fields separated by tabs"),
         quoted(line));
  }
  for (std::string_view& field : fields_) {
    field = line.substr(0, line.find('\t'));
    line.remove_prefix(std::min(line.size(), field.size() + 1));
  }
  return true;
}

std::int64_t TsvReader::integer(std::size_t i, std::string_view what, std::int64_t first,
                                std::int64_t last) const {
  const std::string_view field = fields_[i];
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  if (error != std::errc{} || end != field.data() + field.size() || number < first || number > last) {
    fail(std::string(what) + " in " + std::to_string(first) + ".." + std::to_string(last), quoted(field));
  }
  return number;
}

float TsvReader::value(std::size_t i, std::string_view what) const {
  const std::string_view field = fields_[i];
  float number = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  if (error != std::errc{} || end != field.data() + field.size() || !std::isfinite(number)) {
    fail(std::string(what) + ", a finite float32 in decimal", quoted(field));
  }
  return number;
}

void TsvReader::fail_at_end(std::string expected, std::string found) const {
  throw InputError(lines_.path(), "after line " + std::to_string(lines_.line_number()), std::move(expected),
                   std::move(found));
}

}  // namespace assay::spdnn
