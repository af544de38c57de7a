// Reads lines of tab-separated fields; errors name the file, the line, what was expected and what was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/file.hpp"

namespace assay::spdnn {

class TsvReader {
 public:
  // Every line has `fields` fields.
  TsvReader(const std::filesystem::path& path, std::size_t fields) : lines_(path), fields_(fields) {}

  bool next();  // false at the end of the file

  // Field `i` of the line as a decimal integer in first..last.
  std::int64_t integer(std::size_t i, std::string_view what, std::int64_t first, std::int64_t last) const;
  // Field `i` as a decimal, rounded once to float32; NaN, infinities and what float32 cannot hold are faults.
  float value(std::size_t i, std::string_view what) const;

  [[noreturn]] void fail(std::string expected, std::string found) const {
    lines_.fail(std::move(expected), std::move(found));
  }
  // For what is missing when the file has ended.
  [[noreturn]] void fail_at_end(std::string expected, std::string found) const;

 private:
  LineReader lines_;
  std::vector<std::string_view> fields_;
};

}  // namespace assay::spdnn
